#!/usr/bin/env bats
# A container may lack any capability. Then either the job is done fully, which
# the witness and the disk show, or the run ends with 111 and a hint that names
# the capability and the flag that gives it, and the application does not run.

# shellcheck source-path=SCRIPTDIR
. "$BATS_TEST_DIRNAME/helpers.bash"

setup_file()
{
	need setpriv
	net_up
}

# A tree that root can only change with capabilities: it belongs to others, who
# let nobody in.
setup()
{
	volume=$tmp/volume
	mkdir -p "$volume/open" "$volume/closed/deep"
	touch "$volume/open/file" "$volume/closed/deep/file"
	chmod 600 "$volume/closed/deep/file"
	chmod 700 "$volume/closed/deep" "$volume/closed" "$volume"
	chown -R 1000:1000 "$volume"
}

in_our_net_with()
{
	before=(nsenter --target "$net_holder" --net --
		setpriv "--bounding-set=$1" "--inh-caps=$1")
}

# without CAP... : from here on, these are in no set.
without()
{
	local list

	list=$(printf ',-%s' "$@")
	in_our_net_with "${list:1}"
}

# with_only CAP... : from here on, all others are in no set.
with_only()
{
	in_our_net_with "-all$(printf ',+%s' "$@")"
}

do_the_job()
{
	as_4242 --groups=6001 --listen=tcp://0.0.0.0:80 \
		--listen='tcp://[::]:80' --own="$volume" -- "$WITNESS"
}

job_is_done()
{
	succeeded
	witness_is 4242 4242 6001
	witness_has_descriptors 0 1 2 3 4
	witness_has_socket 3 inet 0.0.0.0:80
	witness_has_socket 4 inet6 '[::]:80'
	owned_by 4242:4242 "$volume" "$volume"/{open,closed,closed/deep} \
		"$volume"/{open,closed/deep}/file
}

# job_is_refused CAP: with 111, a message that names it and a hint
job_is_refused()
{
	refused 111
	grep -q "CAP_$1" "$err" || fail_seen "nothing of CAP_$1"
	hint_has "--cap-add=$1"
	hint_lines "--cap-add=$1 " "$1"
}

# either_way CAP: both outcomes are right, nothing in between is.
either_way()
{
	if [ "$status" -eq 0 ]; then
		job_is_done
	else
		job_is_refused "$1"
	fi
}

@test "with every capability the job is done" {
	use_net
	do_the_job
	job_is_done
}

@test "without CAP_CHOWN: refused, for others' files are there" {
	without chown
	do_the_job
	job_is_refused CHOWN
	owned_by 1000:1000 "$volume/open/file" "$volume/closed/deep/file"
}

@test "without CAP_CHOWN: done, where everything is right already" {
	chown -R 4242:4242 "$volume"
	without chown
	do_the_job
	job_is_done
}

@test "without CAP_FOWNER" {
	without fowner
	do_the_job
	either_way FOWNER
}

@test "without CAP_SETUID: refused" {
	without setuid
	do_the_job
	job_is_refused SETUID
}

@test "without CAP_SETGID: refused" {
	without setgid
	do_the_job
	job_is_refused SETGID
}

@test "without CAP_SETPCAP, --strict: refused, before anything is given away" {
	without setpcap
	as_4242 --strict --own="$volume" -- "$WITNESS"
	job_is_refused SETPCAP
	owned_by 1000:1000 "$volume" "$volume/open/file"
}

@test "without CAP_SETPCAP, --allow-new-privs and a smaller bounding set: refused, for a setuid program would get the rest" {
	without setpcap
	as_4242 --allow-new-privs --bounding=none --own="$volume" -- "$WITNESS"
	job_is_refused SETPCAP
	owned_by 1000:1000 "$volume" "$volume/open/file"
}

@test "without CAP_SETPCAP: done, but the bounding set stays as it is" {
	without setpcap
	do_the_job
	succeeded
	says cap.{inheritable,permitted,effective,ambient}=$no_caps \
		uid.saved=4242 groups=6001 no_new_privs=1
	[ "$(witness cap.bounding)" != $no_caps ]
	owned_by 4242:4242 "$volume/open/file"
}

@test "without CAP_NET_BIND_SERVICE: refused, and nothing was given away" {
	without net_bind_service
	do_the_job
	job_is_refused NET_BIND_SERVICE
	owned_by 1000:1000 "$volume" "$volume/open/file"
}

@test "nothing is opened or changed before all that is missing is known" {
	without setuid
	mkdir "$tmp/made"
	as_4242 --listen="unix:$tmp/made/socket" --own="$volume" -- "$WITNESS"
	job_is_refused SETUID
	owned_by 1000:1000 "$volume" "$volume/open/file"
	[ ! -e "$tmp/made/socket" ]
}

@test "without CAP_NET_BIND_SERVICE: done, from port 1024 on" {
	without net_bind_service
	witnessed --listen=tcp://0.0.0.0:1024
	witness_is 4242 4242
	witness_has_socket 3 inet 0.0.0.0:1024
}

@test "without CAP_DAC_OVERRIDE" {
	without dac_override
	do_the_job
	either_way DAC_OVERRIDE
}

@test "without CAP_DAC_READ_SEARCH" {
	without dac_read_search
	do_the_job
	either_way DAC_READ_SEARCH
}

@test "without both: a directory of mode 0700 of an earlier start is no obstacle" {
	mkdir -p "$tmp/volume"
	install -d -m 700 -o 4242 -g 4242 "$tmp/volume/closed"
	without dac_override dac_read_search
	witnessed --own="$tmp/volume"
	without dac_read_search
	witnessed --own="$tmp/volume"
}

# The path is looked for as the owner of the directory.
@test "without both: who looked for a missing ,if-exists is root again" {
	echo precious >"$tmp/secret"
	chmod 400 "$tmp/secret"
	without dac_override dac_read_search
	witnessed --own="$volume/missing,if-exists" --secret=KEY="$tmp/secret"
}

@test "without both DAC capabilities: refused, or done without them" {
	without dac_override dac_read_search
	do_the_job
	if [ "$status" -eq 0 ]; then
		job_is_done
	else
		refused 111
		hint_has CAP_DAC_
		hint_has --cap-add=DAC_
	fi
}

@test "without any of them: refused, and all are named at once" {
	without chown fowner setuid setgid setpcap net_bind_service \
		dac_override dac_read_search
	do_the_job
	job_is_refused NET_BIND_SERVICE
	message_has "CAP_NET_BIND_SERVICE to listen on tcp://0.0.0.0:80"
	message_has "CAP_CHOWN to own $volume"
	message_has 'CAP_SETGID to set the gid'
	message_has 'CAP_SETUID to set the uid'
	hint_lines '--cap-add=CHOWN --cap-add=SETGID --cap-add=SETUID --cap-add=NET_BIND_SERVICE ' \
		'[CHOWN, SETGID, SETUID, NET_BIND_SERVICE]'
	owned_by 1000:1000 "$volume" "$volume/open/file"
}

@test "without any capability at all: refused, for each thing asked for" {
	in_our_net_with -all
	do_the_job
	job_is_refused NET_BIND_SERVICE
	as_4242 --own="$volume" -- "$WITNESS"
	refused 111
	hint_has --cap-add=
	as_4242 -- "$WITNESS"
	job_is_refused SETGID
}

@test "what Docker gives by default is enough" {
	with_only chown dac_override fowner fsetid kill setgid setuid setpcap \
		net_bind_service net_raw sys_chroot mknod audit_write setfcap
	do_the_job
	job_is_done
}

@test "the least that does the whole job is enough" {
	with_only chown dac_read_search setgid setuid setpcap net_bind_service
	do_the_job
	job_is_done
}
