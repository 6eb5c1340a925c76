#!/usr/bin/env bats
# Programs that call prctl, setgroups, setresuid, capset, initgroups, chroot or
# setpriority when they start, as Debian has them: each does under stepdown what
# it does under `setpriv --reuid --regid --clear-groups --inh-caps=-all
# --no-new-privs`.

# shellcheck source-path=SCRIPTDIR
. "$BATS_TEST_DIRNAME/helpers.bash"

setup_file()
{
	need setpriv setcap pgrep ping named chronyd dnsmasq unbound haproxy \
		sshd postfix rpcbind memcached redis-server erl java chromium \
		apache2 sudo su ss
	net_up
	# What Docker sets for every container.
	sysctl_in_net net/ipv4/ping_group_range '0 2147483647'
}

setup()
{
	use_net
	dir=$(mktemp -d /tmp/stepdown-programs-XXXXXX)
	chown 4242:4242 "$dir"
	chmod 755 "$dir"
	background=
	# Debian's programs, not those of some other place.
	export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=$dir
}

teardown()
{
	end_all_in_net
	rm -rf "$dir"
}

# is_ready WORDS: the program says so, or has the socket tcp:PORT or udp:PORT,
# or it has ended, which end:WORDS waits for. Words that it also says before it
# gives up would tell of either, by chance.
is_ready()
{
	case $1 in
	end:*) false ;;
	tcp:*) in_net ss -Hltn | grep -q ":${1#tcp:} " ;;
	udp:*) in_net ss -Hlun | grep -q ":${1#udp:} " ;;
	*) grep -Eq -- "$1" "$out" "$err" ;;
	esac || ! kill -0 "$background"
}

# what_happens READY COMMAND...: "ready", or how it ended and what it said last,
# without numbers, which are pids and times
what_happens()
{
	local ready=$1

	shift
	end_all_in_net
	rm -rf "${dir:?}"/state
	install -d -o 4242 -g 4242 "$dir/state"
	in_background "$@"
	eventually 300 is_ready "$ready" || fail_seen "$1: it does nothing"
	if kill -0 "$background" 2>/dev/null; then
		echo ready
	else
		status=0
		wait "$background" || status=$?
		background=
		if grep -Eq -- "${ready#end:}" "$out" "$err"; then
			echo "ready, $status"
		else
			echo "ended with $status:" \
				"$(cat "$out" "$err" | tail -n 1 | tr -d 0-9)"
		fi
	fi >"$dir/result"
	stop_family
}

# same READY EXPECTED [OPTION...] -- COMMAND...
same()
{
	local ready=$1 expected=$2 plain options=()

	shift 2
	while [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	shift
	what_happens "$ready" setpriv --reuid=4242 --regid=4242 --clear-groups \
		--inh-caps=-all --no-new-privs "$@"
	plain=$(cat "$dir/result")
	# shellcheck disable=SC2053 # it is a pattern
	[[ $plain == $expected ]] || fail_seen "without stepdown: $plain"
	what_happens "$ready" "$STEPDOWN" --user=4242:4242 "${options[@]}" -- "$@"
	[ "$(cat "$dir/result")" = "$plain" ] ||
		fail_seen "without: $plain" "with: $(cat "$dir/result")"
}

@test "ping, which sets KEEP_CAPS; its file has cap_net_raw=ep" {
	same 'end:1 received' 'ready, 0' --bounding=net_raw -- \
		ping -c 1 127.0.0.1
	cp /usr/bin/ping "$dir/ping"
	same 'end:1 received' 'ready, 0' -- "$dir/ping" -c 1 127.0.0.1
}

@test "named, which sets KEEP_CAPS and capabilities" {
	echo 'options { directory "'"$dir"'/state"; pid-file none;
		listen-on port 5301 { 127.0.0.1; }; listen-on-v6 { none; };
		session-keyfile none; recursion no; };
		controls { };' >"$dir/named.conf"
	same 'running$' ready -- named -g -c "$dir/named.conf"
}

@test "chronyd" {
	printf '%s\n' "driftfile $dir/state/drift" "pidfile $dir/state/pid" \
		'port 5309' 'bindaddress 127.0.0.1' allow local 'cmdport 0' \
		'bindcmdaddress /' >"$dir/chrony.conf"
	same udp:5309 ready -- chronyd -d -U -x -f "$dir/chrony.conf"
}

@test "dnsmasq" {
	same tcp:5302 ready -- dnsmasq -k -p 5302 -C /dev/null --pid-file= \
		--listen-address=127.0.0.1 --bind-interfaces
}

@test "unbound" {
	echo "server:
		username: \"\"
		chroot: \"\"
		directory: \"$dir/state\"
		pidfile: \"\"
		interface: 127.0.0.1@5303
		use-syslog: no
		logfile: \"\"
		verbosity: 1" >"$dir/unbound.conf"
	same 'start of service' ready -- unbound -d -c "$dir/unbound.conf"
}

@test "haproxy" {
	printf '%s\n' 'defaults' ' mode http' ' timeout client 5s' \
		' timeout server 5s' ' timeout connect 5s' 'frontend f' \
		' bind 127.0.0.1:5304' >"$dir/haproxy.cfg"
	same tcp:5304 ready -- haproxy -W -f "$dir/haproxy.cfg"
}

@test "apache" {
	printf '%s\n' "ServerRoot $dir" "ServerName x" \
		'LoadModule mpm_prefork_module /usr/lib/apache2/modules/mod_mpm_prefork.so' \
		'LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so' \
		"DefaultRuntimeDir $dir/state" "PidFile $dir/state/pid" \
		"ErrorLog $dir/state/log" 'Listen 127.0.0.1:5305' \
		>"$dir/apache.conf"
	same tcp:5305 ready -- apache2 -DFOREGROUND -f "$dir/apache.conf"
}

@test "sshd" {
	ssh-keygen -q -t ed25519 -N '' -f "$dir/key"
	chown 4242 "$dir/key"
	same tcp:5306 ready -- /usr/sbin/sshd -D -e -f /dev/null -h "$dir/key" \
		-o Port=5306 -o ListenAddress=127.0.0.1 -o "PidFile=$dir/state/pid"
}

@test "postfix's master and daemons say the same" {
	local daemon

	for daemon in master smtpd qmgr pickup cleanup; do
		same end:fatal '*' -- "/usr/lib/postfix/sbin/$daemon"
	done
}

@test "rpcbind says the same" {
	same end:ready 'ended*' -- rpcbind -f -d
}

@test "memcached -u" {
	same tcp:5307 ready -- memcached -u nobody -l 127.0.0.1 -p 5307 -m 8
}

@test "redis" {
	same 'eady to accept' ready -- redis-server --port 5308 \
		--bind 127.0.0.1 --save '' --dir "$dir/state"
}

@test "erlang, for rabbitmq" {
	same end:ready-now 'ready, 0' -- erl -noshell -eval \
		'io:format("ready-now~n"), halt().'
}

@test "java" {
	same 'end:Runtime Environment' 'ready, 0' -- \
		java -Xmx64m -XX:+UseSerialGC -version
}

@test "chromium with its own sandbox" {
	same 'end:<html>' 'ready, 0' -- chromium --headless --disable-gpu \
		--user-data-dir="$dir/state" --dump-dom about:blank
}

# ---- setuid programs ----

# with_people COMMAND...: 4242 is a user who may all; in mounts of its own
with_people()
{
	# shellcheck disable=SC2016 # for the inner shell
	unshare --mount sh -ec '
		cp /etc/passwd "$0/passwd"
		echo "app:x:4242:4242::/:/bin/sh" >>"$0/passwd"
		mount --bind "$0/passwd" /etc/passwd
		echo "app ALL=(ALL) NOPASSWD: ALL" >"$0/sudoers"
		chmod 440 "$0/sudoers"
		mount --bind "$0/sudoers" /etc/sudoers
		echo "auth sufficient pam_permit.so
account sufficient pam_permit.so
session sufficient pam_permit.so" >"$0/pam"
		mount --bind "$0/pam" /etc/pam.d/su
		mount --bind "$0/pam" /etc/pam.d/sudo
		exec "$@"' "$dir" "$@"
}

@test "--allow-new-privs: sudo and su work" {
	before=(with_people)
	as_4242 --allow-new-privs -- sudo -n sh -c 'id -u; cat /proc/self/status'
	succeeded
	[ "$(head -n 1 "$out")" = 0 ]
	grep -q "^CapEff:.$(sed -n 's/^CapBnd:.//p' /proc/self/status)$" "$out" ||
		fail_seen 'root should have what the container has'
	as_4242 --allow-new-privs -- su root -c 'id -u'
	succeeded
	[ "$(cat "$out")" = 0 ]
}

@test "without it they do not, and with a small --bounding root is small" {
	before=(with_people)
	as_4242 -- sudo -n id -u
	[ "$status" -ne 0 ]
	grep -q 'no new privileges' "$err"
	as_4242 --allow-new-privs --bounding=setuid,setgid,audit_write \
		-- sudo -n cat /proc/self/status
	succeeded
	grep -q '^CapEff:.00000000200000c0$' "$out"
}
