#!/usr/bin/env bats
# Every privilege is gone, as the kernel tells it to the application, and it
# cannot get any of it back.

# shellcheck source-path=SCRIPTDIR
. "$BATS_TEST_DIRNAME/helpers.bash"

setup_file()
{
	need setpriv setcap keyctl
	net_up
	cp "$top/build/test/e2e/deny" "$BATS_FILE_TMPDIR/deny"
	export DENY=$BATS_FILE_TMPDIR/deny
}

# NOROOT and its lock (capabilities(7)). The others are as they were: they can
# give nothing back, and programs count on them.
locked_securebits=3

@test "ids, five capability sets, no_new_privs, securebits" {
	witnessed
	witness_is 4242 4242
	says securebits=$locked_securebits
	[ ! -s "$err" ]
}

@test "the witness sees what there is to give away" {
	capture "$WITNESS"
	says uid.effective=0 no_new_privs=0
	[ "$(witness cap.effective)" != $no_caps ]
	[ "$(witness cap.bounding)" != $no_caps ]
}

@test "nothing that the application tries brings privilege back" {
	as_4242 -- "$WITNESS" try-root
	says worked=0
	succeeded
}

@test "the witness's tries would work for root" {
	capture "$WITNESS" try-root
	exited 1
	says try.setuid=WORKED try.setgid=WORKED try.setgroups=WORKED \
		try.capset.setuid=WORKED
}

@test "a setuid program gives nothing" {
	cp "$WITNESS" "$tmp/setuid"
	chmod 6755 "$tmp/setuid"
	capture setpriv --reuid=4242 --regid=4242 --clear-groups "$tmp/setuid"
	says uid.effective=0 gid.effective=0
	as_4242 -- "$tmp/setuid"
	succeeded
	witness_is 4242 4242
	as_4242 -- "$WITNESS" exec "$tmp/setuid"
	witness_is 4242 4242
}

# With =p the kernel gives what of it the bounding set allows: nothing. With =ep
# it refuses to run a program that would get less than it names.
@test "a program with file capabilities gives nothing" {
	cp "$WITNESS" "$tmp/capable"
	setcap cap_setuid,cap_sys_admin=p "$tmp/capable"
	capture setpriv --reuid=4242 --regid=4242 --clear-groups "$tmp/capable"
	says cap.permitted=0000000000200080
	as_4242 -- "$tmp/capable"
	succeeded
	witness_is 4242 4242

	setcap cap_setuid,cap_sys_admin=ep "$tmp/capable"
	capture setpriv --reuid=4242 --regid=4242 --clear-groups "$tmp/capable"
	says cap.effective=0000000000200080
	as_4242 -- "$tmp/capable"
	refused 126 \
		"execute $tmp/capable: its file capabilities are setuid,sys_admin=ep" \
		--bounding=setuid,sys_admin
	hint_has --keep-caps=setuid,sys_admin
	hint_has "setcap -r $tmp/capable"
}

@test "a file with =ep is found before anything has changed" {
	mkdir "$tmp/bin"
	cp "$WITNESS" "$tmp/bin/capable"
	setcap cap_net_bind_service=ep "$tmp/bin/capable"
	before=(env "PATH=$tmp/bin:$PATH")
	traced "$changing_calls" "$STEPDOWN" --user=4242:4242 \
		--listen=tcp://127.0.0.1:1080 -- capable
	refused 126
	hint_has --bounding=net_bind_service
	! grep -q 'bind(' "$calls" || fail_seen 'it was found too late'
	before=()
	as_4242 --env="PATH=$tmp/bin" -- capable
	refused 126
	hint_has --bounding=net_bind_service
}

@test "--bounding: a file with =ep starts, and gets nothing" {
	local list

	cp "$WITNESS" "$tmp/capable"
	setcap cap_net_bind_service,cap_kill=ep "$tmp/capable"
	for list in net_bind_service,kill CAP_KILL,10 keep; do
		as_4242 --bounding="$list" -- "$tmp/capable"
		succeeded
		says cap.{inheritable,permitted,effective,ambient}=$no_caps \
			no_new_privs=1
		as_4242 --bounding="$list" -- "$tmp/capable" try-root
		says worked=0
	done
	as_4242 --bounding=net_bind_service,kill -- "$tmp/capable"
	says cap.bounding=0000000000000420
	as_4242 --bounding=net_bind_service -- "$tmp/capable"
	refused 126
	as_4242 --keep-caps=net_bind_service,kill -- "$tmp/capable"
	succeeded
	says cap.permitted=0000000000000420
	as_4242 --bounding=kill --keep-caps=net_bind_service -- "$tmp/capable"
	succeeded
	says cap.permitted=0000000000000400 cap.bounding=0000000000000420
}

@test "--bounding: what the container has not does not come from it" {
	cp "$WITNESS" "$tmp/capable"
	setcap cap_net_raw=ep "$tmp/capable"
	before=(setpriv --bounding-set=-net_raw)
	as_4242 --bounding=net_raw -- "$tmp/capable"
	refused 126
	hint_has --cap-add
	as_4242 --bounding=keep -- "$tmp/capable"
	refused 126
	hint_has --cap-add
	before=()
	misuse --bounding --user=4242:4242 --bounding=nothing -- "$WITNESS"
	witnessed --bounding=none
	witness_is 4242 4242
}

@test "a file with =ep on a file system without setuid is none of ours" {
	cp "$WITNESS" "$tmp/capable"
	setcap cap_net_raw=ep "$tmp/capable"
	# shellcheck disable=SC2016 # for the inner shell
	before=(unshare --mount sh -ec 'mount --bind "$0" "$0"
		mount -o remount,bind,nosuid "$0"; exec "$@"' "$tmp")
	as_4242 -- "$tmp/capable"
	succeeded
	witness_is 4242 4242
}

# What ping, named and others ask for when they start as an ordinary user.
@test "prctl(PR_SET_KEEPCAPS) is no error" {
	as_4242 -- "$WITNESS" keepcaps
	succeeded
	as_4242 --keep-caps=kill -- "$WITNESS" keepcaps
	succeeded
}

# A server that is root with some capabilities, and leaves root, expects the
# kernel to clear its sets (capabilities(7)).
@test "leaving a root that was kept clears what was kept" {
	stepdown --user=0:0 --allow-root --keep-caps=setuid,setgid,kill -- \
		"$WITNESS" leave-root
	succeeded
	says uid.effective=4242 cap.permitted=$no_caps cap.effective=$no_caps
}

@test "what was ambient or inheritable before is gone" {
	before=(setpriv "--inh-caps=+chown,+kill" "--ambient-caps=+chown,+kill")
	capture "$WITNESS"
	says cap.ambient=0000000000000021
	witnessed
	witness_is 4242 4242
}

@test "supplementary groups are gone, but for those the runtime gave" {
	before=(setpriv "--groups=0,27,5000")
	capture "$WITNESS"
	says groups='0 27 5000'
	witnessed
	witness_is 4242 4242 '27 5000'
	witnessed --groups=none
	witness_is 4242 4242 ''
}

# The kernel's own record of the groups is asked, since getgroups(2) is lied to
# from the first call of stepdown to the end of the application.
@test "groups go also where getgroups(2) says that there are none" {
	before=(setpriv --groups=0,27 "$DENY" getgroups=0 --)
	capture /bin/cat /proc/self/status
	grep -Eq '^Groups:[[:space:]]*0 27' "$out"
	as_4242 -- cat /proc/self/status
	succeeded
	grep -Eq '^Groups:[[:space:]]*$' "$out" ||
		fail_seen 'groups of root are left'
}

@test "without CAP_SETGID groups that are right already are no obstacle" {
	before=(setpriv --reuid=0 --regid=4242 --clear-groups
		--bounding-set=-setgid --inh-caps=-setgid)
	witnessed
	witness_is 4242 4242
}

# with_key COMMAND...: as root in a session whose keyring holds a secret
with_key()
{
	# shellcheck disable=SC2016 # for the inner shell
	keyctl session - sh -c \
		'keyctl add user roots-secret s3cret @s >/dev/null
		exec "$@" 2>&9 9>&-' sh "$@" 9>&2 2>/dev/null
}

@test "root's session keyring does not come along" {
	before=(with_key)
	capture keyctl print %user:roots-secret
	[ "$(cat "$out")" = s3cret ]
	as_4242 -- sh -c 'keyctl show @s; keyctl print %user:roots-secret'
	[ "$status" -ne 0 ] || fail_seen 'the secret was read'
	! grep -q 'roots-secret\|s3cret' "$out" || fail_seen 'it can be seen'
	grep -q 'keyring: _ses$' "$out" || fail_seen 'there is no new keyring'
}

@test "the new session keyring can be used by the application" {
	as_4242 -- sh -c 'keyctl add user mine value @s >/dev/null &&
		keyctl print %user:mine'
	succeeded
	[ "$(cat "$out")" = value ]
}

@test "--keep-keyring leaves the session keyring as it is" {
	before=(with_key)
	as_4242 --keep-keyring -- keyctl print %user:roots-secret
	succeeded
	[ "$(cat "$out")" = s3cret ]
}

@test "a user who stays the same keeps the session keyring" {
	before=(with_key)
	stepdown --user=0:0 --allow-root -- keyctl print %user:roots-secret
	succeeded
	[ "$(cat "$out")" = s3cret ]
}

# ENOSYS, EPERM: what kernels without it and engines' seccomp profiles say; the
# application is refused the same call then. EDQUOT: no room for a keyring.
@test "a kernel or a profile without keyctl(2) is none of our business" {
	local error

	for error in 38 1; do
		before=(with_key "$DENY" "keyctl=$error" --)
		witnessed
		witness_is 4242 4242
		! grep "^stepdown:" "$err" || fail_seen "nothing should be said"
	done
	before=(with_key "$DENY" keyctl=122 --)
	as_4242 -- "$WITNESS"
	refused 111 'session keyring: ' --keep-keyring
	witnessed --keep-keyring
}

@test "--groups gives these and no other" {
	before=(setpriv "--groups=0,27,5000")
	witnessed --groups=6001,1,6001
	witness_is 4242 4242 '1 6001'
}

@test "a name brings its ids, group and groups from /etc" {
	make_scratch "$tmp/root"
	make_people "$tmp/root"
	in_scratch "$tmp/root" /stepdown --user=app -- /witness
	succeeded
	witness_is 4242 4343 '6001 6002'
	in_scratch "$tmp/root" /stepdown --user=loner -- /witness
	witness_is 5252 5353
	in_scratch "$tmp/root" /stepdown --user=5252 -- /witness
	witness_is 5252 5353
}

@test "a named group and named groups are found, and none means none" {
	make_scratch "$tmp/root"
	make_people "$tmp/root"
	in_scratch "$tmp/root" /stepdown --user=app:media --groups=backup,9 \
		-- /witness
	succeeded
	witness_is 4242 6001 '9 6002'
	in_scratch "$tmp/root" /stepdown --user=app --groups=none -- /witness
	witness_is 4242 4343
	in_scratch "$tmp/root" /stepdown --user=4242:6001 -- /witness
	says gid.effective=6001
}

@test "exactly descriptors 0 to 2" {
	witnessed
	witness_has fds.proc
	witness_has_descriptors 0 1 2
}

# leak COMMAND... : with forty descriptors open beyond 2, some of them where
# the sockets must go, some far up; files, folders and pipes. (bash has use for
# the numbers from 10 on.)
leak()
(
	for n in {3..9} {20..40}; do
		eval "exec $n</dev/null"
	done
	for n in 50 60 70 511 1022 1023 1024 1025 1500; do
		eval "exec $n<>$tmp/leaked"
	done
	exec 41</ 42< <(sleep 5) 43</proc/self/status
	"$@"
)

@test "the forty leaked descriptors are there without stepdown" {
	before=(leak)
	capture "$WITNESS"
	[ "$(wc -w <<<"$(witness fds.proc)")" -ge 43 ]
}

@test "exactly descriptors 0 to 2 also with forty leaked ones" {
	before=(leak)
	witnessed
	witness_has fds.proc
	witness_has_descriptors 0 1 2
}

@test "exactly 0 to 2 and the sockets also with forty leaked ones" {
	before=(leak nsenter --target "$net_holder" --net --)
	witnessed --listen=tcp://0.0.0.0:80 --listen='tcp://[::]:80' \
		--listen='tcp://*:81'
	witness_has fds.proc
	witness_has_descriptors 0 1 2 3 4 5
	witness_has_socket 3 inet 0.0.0.0:80
	witness_has_socket 4 inet6 '[::]:80'
	witness_has_socket 5 inet6 '[::]:81'
}

@test "leaked descriptors are closed where close_range(2) is not allowed" {
	local tracer=(strace -qq -f -o /dev/null -e trace=close_range
		-e inject=close_range:error=ENOSYS)

	before=(leak)
	capture "${tracer[@]}" "$STEPDOWN" --user=4242:4242 -- "$WITNESS"
	succeeded
	witness_has_descriptors 0 1 2
}

without_stdin()
{
	"$@" <&-
}

without_stdin_and_stderr()
{
	"$@" <&- 2>&-
}

@test "a socket never lands on a closed stdin or stderr" {
	before=(without_stdin nsenter --target "$net_holder" --net --)
	witnessed --listen=tcp://0.0.0.0:80
	witness_has_descriptors 1 2 3
	witness_has_socket 3 inet 0.0.0.0:80

	before=(without_stdin_and_stderr nsenter --target "$net_holder" --net --)
	witnessed --listen=tcp://0.0.0.0:80
	witness_has_descriptors 1 3
	witness_has_socket 3 inet 0.0.0.0:80
}

@test "--keep-caps: these in all five sets, and nothing else" {
	witnessed --keep-caps=net_bind_service
	witness_is 4242 4242 '' 0000000000000400
	says securebits=$locked_securebits
	witnessed --keep-caps=chown,CAP_KILL,40
	witness_is 4242 4242 '' 0000010000000021
}

@test "--keep-caps outlives another execve" {
	as_4242 --keep-caps=net_bind_service -- "$WITNESS" exec "$WITNESS"
	succeeded
	witness_is 4242 4242 '' 0000000000000400
}

@test "--keep-caps does what the application needs it for" {
	touch "$tmp/file"
	as_4242 --keep-caps=chown -- chown 7:7 "$tmp/file"
	succeeded
	owned_by 7:7 "$tmp/file"
	as_4242 -- chown 8:8 "$tmp/file"
	exited 1
	owned_by 7:7 "$tmp/file"
}

@test "--keep-caps of one that is not there: 111 and the hint" {
	before=(setpriv --bounding-set=-net_raw)
	as_4242 --keep-caps=net_raw -- "$WITNESS"
	refused 111 CAP_NET_RAW
	hint_has --cap-add=NET_RAW
}

@test "it becomes the application: the same process, no other" {
	in_background "$STEPDOWN" --user=4242:4242 -- "$WITNESS"
	wait "$background"
	says pid="$background" ppid=$BASHPID
}

# What a process has of its own and nobody asked to change.
inherited()
{
	grep -E '^(rlimit|signals|umask|cwd|pgid|sid|ppid|seccomp|fd\.[012]\.)' \
		"$out" | grep -v '^ppid'
}

@test "what was not asked for stays as it was" {
	local plain

	umask 0137
	ulimit -S -n 512
	ulimit -c 0
	cd /usr/lib
	trap '' USR1
	capture "$WITNESS"
	plain=$(inherited)
	witnessed
	[ "$(inherited)" = "$plain" ] ||
		fail_seen "it was: $plain" "it is: $(inherited)"
	says umask=0137 cwd=/usr/lib
	[ "$(witness rlimit.nofile | cut -d: -f1)" = 512 ]
	[ $((0x$(witness signals.ignored) & 1 << 9)) -ne 0 ]
}

@test "a stack of 128 KiB is enough" {
	capture sh -c 'ulimit -s 128; exec "$@"' sh "$STEPDOWN" \
		--user=4242:4242 -- "$WITNESS"
	succeeded
	witness_is 4242 4242
}

@test "every capability there is can be kept" {
	local all

	all=$(seq -s, 0 "$(cat /proc/sys/kernel/cap_last_cap)")
	capture unshare --user --map-root-user "$STEPDOWN" --user=0:0 \
		--allow-root "--keep-caps=$all" -- "$WITNESS"
	succeeded
	[ "$(witness cap.effective)" = "$(witness cap.bounding)" ]
	[ "$(witness cap.effective)" != $no_caps ]
}
