#!/usr/bin/env bats
# --confine: what the plan does not name is refused, and what it names is not.

# shellcheck source-path=SCRIPTDIR
. "$BATS_TEST_DIRNAME/helpers.bash"

setup_file()
{
	need setpriv strace python3 unshare
	python3 - <<-'END' || cannot_run 'no Landlock with signals (ABI 6) here'
	import ctypes, sys
	sys.exit(ctypes.CDLL(None).syscall(444, None, 0, 1) < 6)
	END
	net_up
}

# Directories of the application: one that --own gives it, and one that file
# modes let it write, but not the plan.
setup()
{
	mkdir "$tmp/own" "$tmp/free"
	chmod 777 "$tmp/free"
	echo old >"$tmp/free/log"
	chmod 666 "$tmp/free/log"
	# bats' own descriptors are files of their own.
	out=$tmp/own/out
	err=$tmp/own/err
}

confined()
{
	as_4242 --confine --own="$tmp/own" "$@"
}

# refuses COMMAND...: it works for the same user, and not in the domain
refuses()
{
	capture setpriv --reuid=4242 --regid=4242 --clear-groups "$@"
	succeeded
	confined -- "$@"
	[ "$status" -ne 0 ] || fail_seen 'it should have been refused'
	grep -Eq 'Permission denied|not permitted|EACCES|EPERM' "$err" ||
		fail_seen 'and for want of permission'
}

# allows COMMAND...
allows()
{
	confined -- "$@"
	succeeded
}

@test "below an --own path: create, write, rename, truncate, remove" {
	# shellcheck disable=SC2016 # for the inner shell
	allows sh -ec 'cd "$0"; mkdir a b; echo x >a/x; mv a/x b/y; ln b/y b/z
		ln -s y b/s; mkfifo b/p; : >b/y; rm -r a b' "$tmp/own"
}

@test "elsewhere: no write, creation, removal, truncation, rename, link" {
	local free=$tmp/free

	# shellcheck disable=SC2016 # for the inner shells
	{
		refuses sh -c 'echo x >>"$0"' "$free/log"
		refuses sh -c ': >"$0"' "$free/log"
		refuses sh -c 'mkdir "$0"/d && rmdir "$0"/d' "$free"
		refuses sh -c ': >"$0"/f && rm "$0"/f' "$free"
		refuses sh -c 'ln -s / "$0"/s && rm "$0"/s' "$free"
		refuses sh -c 'mkfifo "$0"/p && rm "$0"/p' "$free"
		touch "$free/mine"
		chown 4242 "$free/mine"
		refuses sh -c 'mv "$0"/mine "$0"/moved && mv "$0"/moved "$0"/mine' \
			"$free"
	}
	refuses truncate -s 0 "$free/log"
}

@test "it may read and execute everything" {
	allows cat /etc/passwd "$tmp/free/log"
	allows "$WITNESS"
	witness_is 4242 4242
}

@test "--writable gives a directory or a file more" {
	as_4242 --confine --writable="$tmp/free" -- sh -c ": >$tmp/free/new"
	succeeded
	as_4242 --confine --writable="$tmp/free/log" -- \
		sh -c "echo x >$tmp/free/log"
	succeeded
	as_4242 --confine --writable="$tmp/free/log" -- sh -c ": >$tmp/free/two"
	[ "$status" -ne 0 ]
	mkdir "$tmp/roots"
	as_4242 --confine --own="$tmp/roots" --writable="$tmp/nowhere" -- \
		"$WITNESS"
	refused 111 "confine: allow $tmp/nowhere: No such file or directory"
	[ "$(stat -c %u "$tmp/roots")" = 0 ] || fail '--own came before'
	# A directory that is yet to be made may be named twice.
	as_4242 --confine --own="$tmp/made,create" --writable="$tmp/made" -- \
		sh -c ": >$tmp/made/new"
	succeeded
}

@test "devices, standard streams, /dev/shm and /proc/self" {
	# shellcheck disable=SC2016 # for the inner shell
	allows sh -ec 'echo x >/dev/null; echo x >/dev/zero
		echo 500 >/proc/self/oom_score_adj
		: >/dev/shm/stepdown.$$; rm /dev/shm/stepdown.$$'
	# The file of stdout is in no --own path.
	out=$tmp/free/out
	: >"$out"
	chmod 666 "$out"
	as_4242 --confine -- sh -c 'echo one; echo two >>/dev/stdout'
	succeeded
	[ "$(cat "$out")" = $'one\ntwo' ]
}

without_stdio()
{
	"$@" <&- >&- 2>&-
}

@test "what keeps the place of a closed stream gives no right" {
	before=(without_stdio)
	as_4242 --confine -- sh -c ": >$tmp/free/new"
	[ "$status" -ne 0 ]
	[ ! -e "$tmp/free/new" ] || fail 'it was written'
}

# shellcheck disable=SC2016 # for the inner shell
with_tmpfs()
{
	unshare --mount sh -ec 'mount -t tmpfs -o mode=1777 tmpfs /var/tmp
		exec "$@"' sh "$@"
}

@test "/var/tmp if it is a tmpfs, and -v says so" {
	before=(with_tmpfs)
	as_4242 --confine -v -- sh -c ': >/var/tmp/stepdown-test'
	succeeded
	grep -q 'confine: write: .*/var/tmp' "$err"
}

bind_port()
{
	python3 -c 'import socket, sys
s = socket.socket()
s.bind(("127.0.0.1", int(sys.argv[1])))' "$1"
}

@test "TCP ports: those of --listen and no other" {
	export -f bind_port
	use_net
	witnessed --confine --listen=tcp://127.0.0.1:1080
	witness_has_socket 3 inet 127.0.0.1:1080
	as_4242 --confine --listen='tcp://127.0.0.1:1080?reuseport' -- \
		bash -c 'bind_port 1080'
	grep -q 'in use' "$err" || fail_seen 'the kernel should have been asked'
	as_4242 -- bash -c 'bind_port 1081'
	succeeded
	as_4242 --confine --listen=tcp://127.0.0.1:1080 -- \
		bash -c 'bind_port 1081'
	exited 1
	grep -q 'Permission denied' "$err"
}

connects()
{
	# shellcheck disable=SC2016 # for the inner shell
	as_4242 "${@:2}" -- bash -c ': </dev/tcp/127.0.0.1/$0' "$1"
}

@test "--connect: these TCP ports and no other" {
	use_net
	connects 9 --confine
	grep -q refused "$err" || fail_seen 'nothing should keep it'
	connects 9 --confine --connect=9,10
	grep -q refused "$err" || fail_seen 'it is in the list'
	connects 11 --confine --connect=9,10
	grep -q 'Permission denied' "$err"
	connects 9 --confine --connect=none
	grep -q 'Permission denied' "$err"
}

@test "signals stay inside" {
	setpriv --reuid=4242 --regid=4242 --clear-groups sleep 600 3>&- 4>&- &
	background=$!
	eventually 60 pgrep -u 4242 -P $BASHPID sleep
	refuses kill -0 "$background"
	stop_family
	# shellcheck disable=SC2016 # for the inner shell
	allows sh -c 'sleep 9 & kill $!'
}

@test "the parent of --init is outside, and still forwards and reaps" {
	# shellcheck disable=SC2016 # for the inner shell
	confined --init -- sh -c 'kill -0 $PPID'
	[ "$status" -ne 0 ]
	grep -q 'not permitted' "$err"
	confined --init -- sh -c ": >$tmp/free/new"
	[ "$status" -ne 0 ]
	in_background "$STEPDOWN" --user=4242:4242 --confine --init -- sleep 600
	eventually 60 pgrep -P "$background" sleep
	kill -TERM "$background"
	status=0
	wait "$background" || status=$?
	exited 143
}

@test "--handoff=bind keeps working, for declared ports" {
	use_net
	as_4242 --confine --handoff=bind --listen=tcp://127.0.0.1:80 -- \
		python3 -c 'import socket
s = socket.socket(); s.bind(("127.0.0.1", 80)); s.listen()
t = socket.socket()
try: t.bind(("127.0.0.1", 8081))
except PermissionError: print("refused")'
	succeeded
	[ "$(cat "$out")" = refused ]
	[ ! -s "$err" ] || fail_seen 'the trial of verify should not be told'
}

@test "--readable: nothing else is read but COMMAND and its libraries" {
	echo secret >"$tmp/free/secret"
	as_4242 --confine --own="$tmp/own" --readable=/etc/hostname -- \
		cat /etc/hostname
	succeeded
	as_4242 --confine --readable=/etc/hostname -- cat "$tmp/free/secret"
	exited 1
	grep -q 'Permission denied' "$err"
	# A script, its interpreter, and what env(1) finds.
	printf '#!/usr/bin/env python3\nprint("ran")\n' >"$tmp/free/script"
	chmod 755 "$tmp/free/script"
	before=(env "PATH=$tmp/free:/usr/bin:/bin")
	as_4242 --confine --readable=/etc/hostname -- script
	succeeded
	[ "$(cat "$out")" = ran ]
	# An interpreter that is elsewhere.
	cp "$(realpath /bin/sh)" "$tmp/free/shell"
	printf '#! %s -e\necho ran\n' "$tmp/free/shell" >"$tmp/free/script"
	as_4242 --confine --readable=/etc/hostname -- script
	succeeded
	[ "$(cat "$out")" = ran ]
	# Nobody writes to it.
	mkfifo -m 755 "$tmp/free/fifo"
	before=(timeout 60)
	as_4242 --confine --readable=/etc/hostname -- "$tmp/free/fifo"
	refused 126
}

# The application of an earlier run may write to a directory of PATH. A link to
# a directory is passed over, a script without an interpreter ends the run.
@test "--readable: a link or #! line in place of COMMAND opens nothing else" {
	local before=(env "PATH=$tmp/own:/usr/bin:/bin") line

	echo secret >"$tmp/free/secret"
	ln -s / "$tmp/own/cat"
	confined --readable=/etc/hostname -- cat "$tmp/free/secret"
	exited 1
	grep -q 'Permission denied' "$err"
	for line in / "$tmp/free/secret"; do
		rm -f "$tmp/own/cat"
		echo "#!$line" >"$tmp/own/cat"
		chmod 755 "$tmp/own/cat"
		confined --verbose --readable=/etc/hostname -- cat
		exited 126
		grep -q "confine: read:.* $tmp/own/cat$" "$err"
	done
}

@test "--writable below a directory that is closed to root" {
	local before=(setpriv --bounding-set=-dac_override,-dac_read_search
		--inh-caps=-dac_override,-dac_read_search)

	mkdir -p "$tmp/home/cache"
	chmod 700 "$tmp/home"
	chown -R 4242:4242 "$tmp/home"
	as_4242 --confine --writable="$tmp/home/cache" -- \
		sh -c ": >$tmp/home/cache/new"
	succeeded
}

# ---- kernels that have less ----

# as_abi ANSWER [WHEN]: of the kernel to the question for its ABI
as_abi()
{
	before=(strace -qq -f -o /dev/null -e trace=landlock_create_ruleset
		-e "inject=landlock_create_ruleset:$1:when=${2-1}")
}

@test "an older kernel: one line says what it lets through" {
	local abi missing way

	while IFS='|' read -r abi missing; do
		as_abi "retval=$abi"
		confined -- sh -c "echo x >>$tmp/free/log"
		[ "$status" -ne 0 ]
		[ "$(grep -c '^stepdown: ' "$err")" -eq 1 ]
		grep -Fq "confine: this kernel cannot refuse $missing" "$err" ||
			fail_seen "$missing"
		as_abi "retval=$abi" 1+
		for way in --verbose --dry-run; do
			as_4242 --confine=strict "$way" -- "$WITNESS"
			exited 111
			grep -Fq "refuse $missing" "$err" || fail_seen
		done
		as_4242 --confine=strict --check -- "$WITNESS"
		exited 111
		grep -q "^will fail *confine .*cannot refuse $missing" "$out" ||
			fail_seen
	done <<-'END'
	1|truncation, TCP ports, ioctl, signals, abstract sockets
	2|truncation, TCP ports, ioctl, signals, abstract sockets
	3|TCP ports, ioctl, signals, abstract sockets
	4|ioctl, signals, abstract sockets
	5|signals, abstract sockets
	END
	as_abi retval=9
	confined -- "$WITNESS"
	succeeded
	[ ! -s "$err" ]
}

@test "no Landlock: a note, and with strict the end" {
	local error

	for error in ENOSYS EOPNOTSUPP EPERM; do
		as_abi error=$error
		confined -- "$WITNESS"
		succeeded
		grep -q 'confine: this kernel cannot refuse everything' "$err"
		as_4242 --confine=strict -- "$WITNESS"
		refused 111
	done
	before=()
	witnessed --confine=strict
	[ ! -s "$err" ]
}

# Each of the trials alone, and as a first process, which has no parent.
@test "a domain that is only pretended is found by write, bind and signal" {
	local words way
	local -a lies=(-e inject=landlock_restrict_self:retval=0)

	for words in 'renaming a device' 'bind(2) of an undeclared port' \
		'a signal to a process outside'; do
		for way in '' --init \
			'--handoff=bind --listen=tcp://127.0.0.1:80'; do
			# stepdown itself binds for --listen.
			[[ $words != a\ signal* || $way != *bind* ]] || break
			before=(nsenter --target "$net_holder" --net --
				unshare --pid --fork --mount-proc
				strace -qq -f -o /dev/null -e
				trace=landlock_restrict_self,rename,bind
				"${lies[@]}")
			# shellcheck disable=SC2086 # words
			confined $way -- "$WITNESS"
			refused 111 "$words succeeded"
		done
		case $words in
		renaming*) lies+=(-e inject=rename:error=EACCES) ;;
		bind*) lies+=(-e inject=bind:error=EACCES) ;;
		esac
	done
}

# Whatever of it fails, and where the kernel only says that it did it.
@test "a refused or pretended call ends the run" {
	local call

	for call in landlock_create_ruleset:error=EINVAL:when=2 \
		landlock_add_rule:error=EINVAL:when=1 \
		landlock_add_rule:error=ENOMEM:when=5 \
		landlock_restrict_self:error=EPERM \
		landlock_restrict_self:error=E2BIG \
		landlock_restrict_self:retval=0; do
		before=(strace -qq -f -o /dev/null
			-e "trace=${call%%:*}" -e "inject=$call")
		confined -- "$WITNESS"
		refused 111
		confined --init -- "$WITNESS"
		refused 111
	done
}

@test "words that do not fit together are refused before anything has changed" {
	misuse 'only with --confine' --user=4242:4242 --writable=/srv -- true
	misuse 'only with --confine' --user=4242:4242 --readable=/srv -- true
	misuse 'only with --confine' --user=4242:4242 --connect=1 -- true
	misuse '--allow-new-privs' --user=4242:4242 --confine \
		--allow-new-privs -- true
	misuse '--confine' --user=4242:4242 --confine=tight -- true
	misuse '--writable' --user=4242:4242 --confine --writable=srv -- true
	misuse '--connect' --user=4242:4242 --confine --connect=0 -- true
}

@test "--check shows the rules" {
	as_4242 --confine --connect=5432 --check -- true
	succeeded
	grep -q '^ok *confine *Landlock, ABI [0-9]*$' "$out"
	grep -q '^ok *confine *connect tcp (ABI 4): 5432$' "$out"
}

@test "--dry-run shows the rules" {
	use_net
	as_4242 --confine --own="$tmp/own" --writable=/srv \
		--listen=tcp://0.0.0.0:80 --connect=5432 --dry-run -- true
	succeeded
	grep -q "confine *Landlock, ABI [0-9]" "$out"
	grep -q "confine *write: $tmp/own /srv /dev/null" "$out"
	grep -q 'confine *read: everything' "$out"
	grep -q 'confine *bind tcp (ABI 4): 80$' "$out"
	grep -q 'confine *connect tcp (ABI 4): 5432$' "$out"
}
