#!/usr/bin/env bats
# Any way of being started: as somebody else than root, with file capabilities,
# setuid, under no_new_privs, in a user namespace, without CAP_SETPCAP.

# shellcheck source-path=SCRIPTDIR
. "$BATS_TEST_DIRNAME/helpers.bash"

setup_file()
{
	need prlimit setpriv setcap strace unshare chroot nsenter
	net_up
}

teardown()
{
	[ -z "${namespace_holder-}" ] || stop "$namespace_holder"
}

setup()
{
	root=$tmp/root
	make_scratch "$root"
	make_people "$root"
}

# started_as UID GID GROUPS COMMAND... : in the scratch root, in our network
started_as()
{
	local uid=$1 gid=$2 groups=$3

	shift 3
	capture nsenter --target "$net_holder" --net -- chroot \
		--userspec="$uid:$gid" --groups="$groups" "$root" "$@"
}

# starts UID: the witness, as that uid and gid, by the config file alone
starts()
{
	started_as "$1" "$1" '' /stepdown /witness
	succeeded
}

# unprivileged UID [OPTION...]: stepdown with --user=4242:4242 as that uid
unprivileged()
{
	local uid=$1

	shift
	started_as "$uid" "$uid" '' /stepdown --user=4242:4242 --home=/ "$@" \
		-- /witness
}

# has_no_caps_but_bounding [CAP...]: every set is empty but the bounding set,
# which nobody could change; it lacks those capabilities (numbers) already.
has_no_caps_but_bounding()
{
	local cap bounding

	bounding=0x$(sed -n 's/^CapBnd:[[:space:]]*//p' /proc/self/status)
	for cap; do
		bounding=$((bounding & ~(1 << cap)))
	done
	says cap.{inheritable,permitted,effective,ambient}=$no_caps
	says cap.bounding="$(printf '%016x' "$bounding")" no_new_privs=1
}

notes()
{
	grep -vc '^stepdown: hint: ' "$err"
}

# ---- not root ----

@test "not root: the uid stays, one line says so, and nothing is left" {
	unprivileged 5000
	succeeded
	says uid.{real,effective,saved,fs}=5000 gid.{real,effective,saved,fs}=5000 \
		groups=
	has_no_caps_but_bounding
	[ "$(notes)" -eq 1 ] || fail_seen 'there should be one line'
	grep -q 'uid 5000.*--user 4242:4242' "$err"
}

@test "not root, but --user already: nothing to say" {
	unprivileged 4242
	succeeded
	says uid.real=4242 gid.real=4242
	has_no_caps_but_bounding
	[ ! -s "$err" ] || fail_seen 'it should be silent'
}

@test "not root: groups stay, gid 0 too, for nobody may drop them" {
	started_as 1000650000 0 0,2000 /stepdown --user=app -- /witness
	succeeded
	says uid.effective=1000650000 gid.effective=0 groups='0 2000'
	has_no_caps_but_bounding
}

@test "not root: HOME, USER and the like are those of the uid we have" {
	export HOME=/ USER=x LOGNAME=x SHELL=x
	started_as 4242 4343 '' /stepdown --user=loner -- /witness
	succeeded
	says env.HOME=/home/app env.USER=app env.SHELL=/bin/false
	started_as 5000 5000 '' /stepdown --user=app -- /witness
	succeeded
	says env.HOME=/
	witness_lacks env.USER
	witness_lacks env.LOGNAME
	witness_lacks env.SHELL
}

@test "not root, --unprivileged=fail: 100" {
	unprivileged 5000 --unprivileged=fail
	refused 100 '--unprivileged'
	hint_lines --user=0 runAsUser
	stepdown --user=4242:4242 --unprivileged=fail -- "$WITNESS"
	succeeded
}

@test "not root, --strict: 111, for the bounding set stays" {
	unprivileged 4242 --strict
	refused 111 'bounding set'
	hint_lines --user=0 runAsUser
}

@test "not root: a low port is refused with what can be done" {
	unprivileged 5000 --listen=tcp://0.0.0.0:80
	exited 111
	grep -q '^stepdown: .*listen .*tcp://0.0.0.0:80' "$err"
	hint_has ip_unprivileged_port_start
	! grep -q cap-add "$err" || fail_seen '--cap-add would not help'
	[ ! -s "$out" ]
}

@test "not root: a low port that is open to everybody is bound" {
	sysctl_in_net net/ipv4/ip_unprivileged_port_start 0
	unprivileged 5000 --listen=tcp://0.0.0.0:80
	sysctl_in_net net/ipv4/ip_unprivileged_port_start 1024
	succeeded
	witness_has_socket 3 inet 0.0.0.0:80
	has_no_caps_but_bounding
}

@test "not root: where ports are open nobody needs --keep-caps for them" {
	before=(nsenter --target "$net_holder" --net -- setpriv --reuid=5000
		--regid=5000 --clear-groups)
	as_4242 --keep-caps=net_bind_service -- "$WITNESS"
	exited 111
	hint_has CAP_NET_BIND_SERVICE
	sysctl_in_net net/ipv4/ip_unprivileged_port_start 0
	as_4242 --keep-caps=net_bind_service -- "$WITNESS"
	sysctl_in_net net/ipv4/ip_unprivileged_port_start 1024
	succeeded
	has_no_caps_but_bounding
}

@test "not root: a folder that is ours or writable is passed over" {
	mkdir -p "$root/mine" "$root/group" "$root/all"
	chown 5000:5000 "$root/mine"
	chown 0:2000 "$root/group"
	chmod 2775 "$root/group"
	chmod 1777 "$root/all"
	touch "$root/all/of-root"
	started_as 5000 5000 2000 /stepdown --user=4242:4242 --verbose \
		--own=/mine --own=/group --own=/all -- /witness
	succeeded
	says uid.real=5000
	grep -q 'own /group: .*passed over' "$err"
	owned_by 0:2000 "$root/group"
	owned_by 0:0 "$root/all"
}

@test "not root: a folder that is closed is refused with a hint" {
	mkdir -p "$root/closed"
	unprivileged 5000 --own=/closed
	exited 111
	grep -q '^stepdown: .*own /closed' "$err"
	hint_has fsGroup
	[ ! -s "$out" ]
}

@test "not root: --keep-caps that nobody can give is refused" {
	unprivileged 5000 --keep-caps=net_raw
	exited 111
	hint_has CAP_NET_RAW
	[ ! -s "$out" ]
}

@test "not root, with ambient capabilities as podman gives them: used, then gone" {
	local caps=+net_bind_service,+chown

	mkdir "$root/closed"
	capture nsenter --target "$net_holder" --net -- setpriv --reuid=5000 \
		--regid=5000 --clear-groups --inh-caps="$caps" \
		--ambient-caps="$caps" "$root/stepdown" --user=4242:4242 \
		--listen=tcp://0.0.0.0:80 --own="$root/closed" \
		-- "$root/witness"
	succeeded
	says uid.real=5000 secure=0
	witness_has_socket 3 inet 0.0.0.0:80
	owned_by 5000:5000 "$root/closed"
	has_no_caps_but_bounding
}

@test "the application can run stepdown again and gains nothing" {
	local again=(/stepdown --user=4242:4242)

	in_scratch "$root" "${again[@]}" -- "${again[@]}" -- /witness
	succeeded
	witness_is 4242 4242
	in_scratch "$root" "${again[@]}" -- "${again[@]}" -- /witness try-root
	says worked=0
	in_scratch "$root" "${again[@]}" -- /stepdown --user=0:0 --allow-root \
		-- /witness
	witness_is 4242 4242
	chmod 4755 "$root/stepdown"
	in_scratch "$root" "${again[@]}" -- /stepdown --user=0:0 --allow-root \
		-- /witness
	witness_is 4242 4242
}

# ---- no CAP_SETPCAP ----

@test "without CAP_SETPCAP: all but the bounding set, and -v says so" {
	before=(setpriv --bounding-set=-setpcap --inh-caps=-setpcap)
	witnessed
	says uid.saved=4242 gid.saved=4242
	has_no_caps_but_bounding 8
	[ ! -s "$err" ]
	as_4242 --verbose -- "$WITNESS"
	grep -q 'bounding set and securebits as they are (no CAP_SETPCAP)' "$err"
	as_4242 -- "$WITNESS" try-root
	says worked=0
	witnessed --keep-caps=net_bind_service
	says cap.ambient=0000000000000400 cap.permitted=0000000000000400
}

@test "without CAP_SETPCAP, --strict: 111, the hint, and nothing has changed" {
	before=(setpriv --bounding-set=-setpcap --inh-caps=-setpcap)
	traced "$changing_calls" "$STEPDOWN" --user=4242:4242 --strict \
		--listen=tcp://127.0.0.1:1080 -- "$WITNESS"
	refused 111
	hint_lines --cap-add=SETPCAP '[SETPCAP]'
	! grep -q 'bind(' "$calls" || fail_seen 'it was found too late'
}

@test "without CAP_SETPCAP root could get all back under --allow-new-privs: 111" {
	before=(setpriv --bounding-set=-setpcap --inh-caps=-setpcap)
	stepdown --user=0:0 --allow-root --allow-new-privs -- "$WITNESS"
	refused 111
	hint_has SETPCAP
}

# ---- no_new_privs left out ----

@test "--allow-new-privs: a warning, and setuid programs change the uid" {
	cp "$WITNESS" "$tmp/setuid"
	chmod 4755 "$tmp/setuid"
	before=(setpriv "--bounding-set=-all,+chown,+dac_override,+dac_read_search,+fowner,+fsetid,+kill,+setgid,+setuid,+setpcap")
	as_4242 --allow-new-privs -- "$tmp/setuid"
	succeeded
	says uid.effective=0 uid.real=4242 no_new_privs=0 \
		cap.bounding=00000000000001ff cap.permitted=00000000000001ff
	grep -q '^stepdown: warning: --allow-new-privs.* all capabilities of the container' \
		"$err"
	witnessed --allow-new-privs
	says cap.{inheritable,permitted,effective,ambient}=$no_caps
	as_4242 --allow-new-privs -- "$WITNESS" try-root
	says worked=0
}

@test "--allow-new-privs: no more than --bounding and --keep-caps ever comes back" {
	cp "$WITNESS" "$tmp/setuid"
	chmod 4755 "$tmp/setuid"
	as_4242 --allow-new-privs --bounding=none --keep-caps=chown \
		-- "$tmp/setuid"
	says cap.permitted=0000000000000001 cap.bounding=0000000000000001
	as_4242 --allow-new-privs --bounding=kill -- "$tmp/setuid"
	says cap.permitted=0000000000000020 cap.bounding=0000000000000020
	stepdown --user=0:0 --allow-root --allow-new-privs -- "$WITNESS"
	succeeded
	says cap.permitted=$no_caps cap.effective=$no_caps
}

# ---- file capabilities ----

# capable LIST: the stepdown of the scratch root gets them, permitted only
capable()
{
	setcap "$1=p" "$root/stepdown"
}

configured()
{
	printf '%s\n' "$@" >"$root/etc/stepdown.conf"
	chmod 644 "$root/etc/stepdown.conf"
}

usual=cap_net_bind_service,cap_chown,cap_dac_read_search,cap_setgid,cap_setpcap

@test "file capabilities: the whole job, without root" {
	mkdir "$root/volume"
	touch "$root/volume/file"
	chmod 700 "$root/volume"
	capable $usual
	configured 'user=4242:4242' '# the port' 'listen=tcp://0.0.0.0:80' \
		'own=/volume' 'strict'
	started_as 4242 4242 0,2000 /stepdown /witness
	succeeded
	witness_is 4242 4242 2000
	witness_has_socket 3 inet 0.0.0.0:80
	owned_by 4242:4242 "$root/volume" "$root/volume/file"
	started_as 4242 4242 '' /stepdown -- /witness --user=0
	succeeded
	says argv.1=--user=0
}

@test "file capabilities: gid 0, as engines give an unknown uid, is left" {
	capable cap_setgid
	configured user=4242:4343
	started_as 4242 0 0 /stepdown /witness
	succeeded
	says gid.saved=4343 groups=
}

@test "file capabilities that the bounding set lacks: what is left is used" {
	capable $usual
	configured user=4242:4242 listen=tcp://0.0.0.0:80
	before=(setpriv "--bounding-set=-setpcap,-chown")
	starts 4242
	! grep -q 'not given' "$err" || fail_seen
	witness_has_socket 3 inet 0.0.0.0:80
	has_no_caps_but_bounding 0 8
	configured user=4242:4242 strict
	started_as 4242 4242 '' /stepdown /witness
	refused 111
}

@test "file capabilities that are lost by a mount or the bounding set: why" {
	capable cap_net_bind_service
	configured user=4242:4242
	before=(setpriv "--bounding-set=-net_bind_service")
	starts 4242
	grep -q 'not given: the bounding set lacks them' "$err" || fail_seen
	# shellcheck disable=SC2016 # for the inner shell
	before=(unshare --mount sh -ec 'root=$1; shift
		mount --bind "$root" "$root"
		mount -o remount,bind,nosuid "$root"
		exec "$@"' - "$root")
	starts 4242
	grep -q 'not given: /stepdown is on a mount with nosuid' "$err" ||
		fail_seen
}

@test "file capabilities: no option of the command line is taken" {
	local option

	capable $usual
	configured user=4242:4242
	for option in --user=0:0 -u --allow-root --own=/etc --help -V \
		--config=/tmp/x --keep-caps=setuid -; do
		started_as 4242 4242 '' /stepdown "$option" /witness
		refused 100 "$option" /etc/stepdown.conf
	done
	started_as 4242 4242 '' /stepdown
	refused 100
}

@test "file capabilities: without the config file nothing runs" {
	capable $usual
	started_as 4242 4242 '' /stepdown /witness
	refused 100 /etc/stepdown.conf
}

@test "file capabilities: a config file that others could have written" {
	capable $usual
	configured user=4242:4242
	chmod 664 "$root/etc/stepdown.conf"
	started_as 4242 4242 '' /stepdown /witness
	refused 100
	hint_has chown
	chmod 646 "$root/etc/stepdown.conf"
	started_as 4242 4242 '' /stepdown /witness
	refused 100
	chmod 644 "$root/etc/stepdown.conf"
	chown 4242 "$root/etc/stepdown.conf"
	started_as 4242 4242 '' /stepdown /witness
	refused 100
	rm "$root/etc/stepdown.conf"
	mkfifo -m 644 "$root/etc/stepdown.conf"
	started_as 4242 4242 '' /stepdown /witness
	refused 100
	rm "$root/etc/stepdown.conf"
	mkdir "$root/etc/stepdown.conf"
	started_as 4242 4242 '' /stepdown /witness
	refused 100
}

@test "file capabilities: the environment is not trusted" {
	capable $usual
	# shellcheck disable=SC2016 # for stepdown to expand
	configured 'user=${PUID}:4242'
	export PUID=0
	started_as 4242 4242 '' /stepdown /witness
	refused 100 PUID 'not trusted'
	# shellcheck disable=SC2016
	configured 'user=${PUID:-4242}:4242'
	starts 4242
	says uid.real=4242
}

@test "file capabilities are for --user alone: nobody else gets a thing" {
	mkdir "$root/volume"
	capable $usual
	configured user=4242:4242 own=/volume
	started_as 5000 5000 '' /stepdown /witness
	exited 111
	owned_by 0:0 "$root/volume"
	configured user=4242:4242 listen=tcp://0.0.0.0:80
	started_as 5000 5000 '' /stepdown /witness
	exited 111
	configured user=4242:4242
	starts 5000
	says uid.real=5000
	has_no_caps_but_bounding
	grep -q 'given up: they are for --user 4242:4242' "$err"
	! grep -q 'not given' "$err" || fail_seen
}

@test "file capabilities: the variables of the config file are for --user alone" {
	capable $usual
	configured user=4242:4242 env=PASSWORD=hunter2
	starts 4242
	says env.PASSWORD=hunter2
	starts 5000
	witness_lacks env.PASSWORD
	configured user=4242:4242 'env=PASSWORD hunter2'
	started_as 5000 5000 '' /stepdown /witness
	refused 100 'expected NAME=VALUE'
	! grep -q hunter2 "$err" || fail_seen
}

@test "file capabilities: a secret is one of the config file, for --user alone" {
	mkdir "$root/secrets"
	echo hush >"$root/secrets/key"
	chmod 400 "$root/secrets/key"
	capable $usual
	configured 'user=4242:4242' 'secret=KEY=/secrets/key'
	starts 4242
	says env.KEY=/proc/self/fd/3
	started_as 4242 4242 '' /stepdown --secret=KEY=/secrets/key -- /witness
	refused 100
	started_as 5000 5000 '' /stepdown /witness
	exited 111
	grep -q '^stepdown: secret /secrets/key: Permission denied$' "$err" ||
		fail_seen
}

@test "file capabilities under no_new_privs: explained, and it runs without" {
	capable $usual
	configured user=4242:4242
	before=(setpriv --no-new-privs)
	starts 4242
	grep -q 'not given: under no_new_privs (allowPriv.*capabilities.add' "$err"
	has_no_caps_but_bounding
	configured user=4242:4242 listen=tcp://0.0.0.0:80
	started_as 4242 4242 '' /stepdown /witness
	exited 111
	hint_has ip_unprivileged_port_start
}

@test "file capabilities: the application runs the binary again, for nothing" {
	capable $usual,cap_setuid
	configured user=4242:4242
	started_as 4242 4242 '' /stepdown /stepdown /witness
	succeeded
	witness_is 4242 4242
	started_as 4242 4242 '' /stepdown /stepdown /witness try-root
	says worked=0
}

@test "file capabilities: root that starts it is trusted" {
	capable $usual
	configured user=4242:4242
	started_as 0 0 '' /stepdown --groups=7 /witness
	succeeded
	witness_is 4242 4242 7
}

# ---- setuid ----

@test "setuid: the file says who, and nobody else gets a thing" {
	chmod 4755 "$root/stepdown"
	configured user=4242:4242 listen=tcp://0.0.0.0:80
	starts 4242
	witness_is 4242 4242
	witness_has_socket 3 inet 0.0.0.0:80
	started_as 4242 4242 '' /stepdown --user=0:0 --allow-root /witness
	refused 100
	started_as 5000 5000 '' /stepdown /witness
	exited 111
	configured user=4242:4242
	starts 5000
	says uid.{real,effective,saved,fs}=5000 gid.{real,effective,saved,fs}=5000
	has_no_caps_but_bounding
}

@test "setgid: the group of the file is left too" {
	chgrp 7 "$root/stepdown"
	chmod 2755 "$root/stepdown"
	configured user=4242:4242
	starts 4242
	says gid.{real,effective,saved,fs}=4242
}

# ---- user namespaces ----

# in_namespace UID_MAP GID_MAP COMMAND... : as root of a user namespace with
# these maps ("inside outside count")
in_namespace()
{
	local uid_map=$1 gid_map=$2

	shift 2
	unshare --user sleep 60 </dev/null >/dev/null 2>&1 3>&- 4>&- &
	namespace_holder=$!
	eventually 5 in_other_user_namespace $namespace_holder
	echo "$uid_map" >"/proc/$namespace_holder/uid_map"
	echo "$gid_map" >"/proc/$namespace_holder/gid_map"
	capture nsenter --target $namespace_holder --user --setuid 0 --setgid 0 \
		-- "$@"
	stop $namespace_holder
}

in_other_user_namespace()
{
	! [ "/proc/$1/ns/user" -ef /proc/self/ns/user ]
}

@test "user namespace: mapped ids work as anywhere" {
	in_namespace '0 100000 65536' '0 100000 65536' \
		"$root/stepdown" --user=4242:4343 --groups=6001,auto \
		-- "$root/witness"
	succeeded
	witness_is 4242 4343 6001
}

@test "user namespace: a map that is too short, for each kind of id" {
	in_namespace '0 100000 1000' '0 100000 65536' \
		"$root/stepdown" --user=1000:1 -- "$root/witness"
	refused 111 'uid 1000 is not mapped' --uidmap
	in_namespace '0 100000 65536' '0 100000 1000' \
		"$root/stepdown" --user=1:1000 -- "$root/witness"
	refused 111 'gid 1000 is not mapped' --gidmap
	in_namespace '0 100000 65536' '0 100000 1000' \
		"$root/stepdown" --user=1:1 --groups=999,1000 -- "$root/witness"
	refused 111 'gid 1000 is not mapped'
	in_namespace '0 100000 65536' '0 100000 1000' \
		"$root/stepdown" --user=999:999 --groups=998 -- "$root/witness"
	succeeded
	witness_is 999 999 998
}

@test "user namespace: an unmapped uid or gid is found before anything else" {
	before=(unshare --user --map-root-user)
	traced "$changing_calls" "$STEPDOWN" --user=4242:4242 \
		--listen=tcp://127.0.0.1:1080 -- "$WITNESS"
	refused 111 'uid 4242 is not mapped'
	message_has /proc/self/uid_map
	hint_has --uidmap
	! grep -q 'bind(' "$calls" || fail_seen 'it was found too late'
}

@test "user namespace: setgroups that is denied" {
	before=(setpriv --groups=7 unshare --user --map-root-user)
	stepdown --user=0:0 --allow-root --groups=0 -- "$WITNESS"
	refused 111 /proc/self/setgroups /etc/subgid
}

@test "user namespace: without a map at all it runs as who it is" {
	before=(setpriv --clear-groups unshare --user)
	witnessed
	says uid.real=65534 no_new_privs=1 cap.permitted=$no_caps
}

# What is not used is counted there too.
@test "with 8 MiB of address space it runs" {
	capture prlimit --as=8388608 --data=8388608 chroot "$root" /stepdown \
		--user=4242:4242 -- /witness
	succeeded
	witness_is 4242 4242
}
