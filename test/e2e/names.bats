#!/usr/bin/env bats
# Being called gosu or su-exec: the same forms of the user give the same ids,
# groups, HOME and exit statuses as the peer does, and nothing else is changed.
# --init without --user changes nothing of who we are, as other inits.

# shellcheck source-path=SCRIPTDIR
. "$BATS_TEST_DIRNAME/helpers.bash"

setup_file()
{
	need setpriv setcap gosu strace
}

setup()
{
	root=$tmp/root
	mkdir -p "$root/etc"
	cp "$STEPDOWN" "$root/gosu"
	ln -s gosu "$root/su-exec"
	cp "$(command -v gosu)" "$root/peer"
	cp "$WITNESS" "$root/witness"
	printf '%s\n' root:x:0:0::/root:/bin/sh \
		app:x:4242:4343::/home/app:/bin/false >"$root/etc/passwd"
	printf '%s\n' root:x:0:app app:x:4343: media:x:6001:app \
		>"$root/etc/group"
}

# called STATUS NAME [WORD...]: in the root, by this name, it ends like that
called()
{
	capture chroot "$root" "/$2" "${@:3}"
	exited "$1" || fail "$*"
}

# What the witness says that a user's form changes.
seen()
{
	grep -E '^(uid|gid|groups|env\.(HOME|USER)|cap\.(bounding|permitted))' \
		"$out" || true
}

@test "each form of the user is what it is for gosu" {
	local form expected status_of_peer

	export HOME=/nowhere USER=somebody
	mkdir "$root/proc"	# without it Debian's gosu ends at once
	# shellcheck disable=SC2016 # for the inner shell
	before=(setpriv --groups=0,2000 unshare --mount sh -c
		'mount --rbind /proc "$0/proc" && exec "$@"' "$root")
	for form in 0 root 0:0 0:root root: 0: '' :0 : app app: app:media 4242 \
		4242: 1234 1234:1235 1234:media app:0 :media bogus 0day \
		0:bogus app:0day 4294967295 4294967296 -1 1234:4294967295; do
		capture chroot "$root" /peer "$form" /witness
		expected=$(seen)
		status_of_peer=$status
		capture chroot "$root" /gosu "$form" /witness
		[ "$status" -eq "$status_of_peer" ] ||
			fail_seen "form '$form' ended gosu with $status_of_peer"
		[ "$(seen)" = "$expected" ] ||
			fail_seen "form '$form' gave gosu:" "$expected"
		[ "$status" -eq 0 ] || grep -q "^stepdown: --user $form: " "$err"
	done
}

@test "what the man page calls different from gosu, and nothing more" {
	local form

	mkdir "$root/home"
	chown 7:7 "$root/home"
	for form in 2147483648 4294967294 app:of:/home; do
		called 0 gosu "$form" /witness
	done
	for form in +0 app:: app:media: -h --version; do
		called 1 gosu "$form" /witness
		grep -q "^stepdown: --user $form: " "$err"
	done
	capture setpriv --reuid=4242 --regid=4242 --clear-groups \
		"$STEPDOWN" --as=gosu 4242 true
	succeeded
	called 0 gosu -x
	grep -q '^Usage: gosu ' "$out"
}

@test "what the peer does not change stays" {
	export LISTEN_FDS=1 SHELL=/x
	# shellcheck disable=SC2016 # for the inner shell
	capture setpriv --groups=7 bash -c 'exec 5<"$0/etc/passwd"
		exec chroot "$0" /gosu app /witness' "$root"
	succeeded
	[[ " $(witness fds.probed) " == *' 5 '* ]]
	says env.LISTEN_FDS=1 env.SHELL=/x no_new_privs=0 securebits=0 \
		cap.permitted="$no_caps"
	[ "$(witness cap.bounding)" != "$no_caps" ]
}

@test "su-exec: its group is among the groups, and its own statuses" {
	capture setpriv --groups=7 chroot "$root" /su-exec app /witness
	succeeded
	says uid.real=4242
	[[ $(witness groups) == *4343* ]]
	[[ $(witness groups) == *6001* ]]
	says env.HOME=/home/app
	called 0 su-exec app:media /witness
	says gid.real=6001 groups=6001
	called 1 su-exec bogus /witness
	grep -q "^stepdown: --user bogus: no user 'bogus' in " "$err"
	called 0 su-exec app
	grep -q '^Usage: su-exec user-spec command' "$out"
}

@test "a command that is not there, no command, and the version" {
	called 1 gosu app nothing
	grep -q '^stepdown: execute nothing: No such file or directory' "$err"
	called 1 gosu app
	grep -q '^Usage: gosu user-spec command' "$err"
	called 0 gosu --version
	capture "$STEPDOWN" --as=gosu root sh -c 'exit 7'
	[ "$status" -eq 7 ]
}

@test "never with setuid or file capabilities" {
	before=(setpriv --reuid=4242 --regid=4242 --clear-groups)
	cp "$root/gosu" "$tmp/gosu"
	chmod 4755 "$tmp/gosu"
	capture "$tmp/gosu" root "$WITNESS"
	[ "$status" -eq 1 ]
	[ ! -s "$out" ]
	grep -q 'never with setuid or file capabilities' "$err"
	cp "$root/gosu" "$tmp/stepdown"
	setcap cap_setuid,cap_setgid=ep "$tmp/stepdown"
	capture "$tmp/stepdown" --as=gosu root "$WITNESS"
	[ "$status" -eq 1 ]
	[ ! -s "$out" ]
	# The config file is not read, and no variable of the caller's.
	# shellcheck disable=SC2016 # not for this shell
	printf 'own=/${NONE}\n' >"$root/etc/stepdown.conf"
	chmod 4755 "$root/gosu"
	before=()
	capture chroot --userspec=4242:4242 "$root" /gosu root /witness
	[ "$status" -eq 1 ]
	grep -q '^stepdown: never with setuid or file capabilities' "$err"
}

@test "each refused call ends it before the command" {
	local call

	for call in setgroups setresgid setresuid; do
		capture strace -qq -o "$calls" -e trace="$call,execve" \
			-e inject="$call:error=EPERM:when=1" \
			"$STEPDOWN" --as=gosu 4242:4242 "$WITNESS"
		[ "$status" -eq 1 ] || fail_seen "$call"
		[ ! -s "$out" ]
		[ "$(grep -c execve "$calls")" -eq 1 ]
	done
}

@test "a refusal that looks like success is fatal" {
	local call

	for call in setgroups setresgid setresuid; do
		capture setpriv --groups=0,2000 strace -qq -o /dev/null \
			-e trace="$call" -e inject="$call:retval=0:when=1" \
			"$STEPDOWN" --as=gosu 4242:4242 "$WITNESS"
		[ "$status" -eq 1 ] || fail_seen "$call"
		[ ! -s "$out" ]
	done
}

# What the witness says of itself, but for its place among processes and what
# --init does to every child.
of_itself()
{
	grep -vE '^(pid|ppid|pgid|sid|session|process|stat|fd\..*\.pos)' "$out"
}

@test "--init without --user changes nothing of who we are" {
	export HOME=/root LISTEN_FDS=1 LISTEN_PID=1
	# shellcheck disable=SC2016 # for the inner shell
	before=(setpriv --groups=7,2000 bash -c 'exec 5</etc/passwd; exec "$@"' -)
	capture "$WITNESS"
	succeeded
	of_itself >"$tmp/plain"
	capture "$STEPDOWN" --init -- "$WITNESS"
	succeeded
	of_itself | diff "$tmp/plain" - || fail_seen 'it is not the same'
	before=()
	# shellcheck disable=SC2016 # the shell below expands it
	capture "$STEPDOWN" -v --init --env=A=b -- sh -c 'echo $A; exit 7'
	[ "$status" -eq 7 ]
	[ "$(cat "$out")" = b ]
	grep -q '^stepdown: no --user: ids, capabilities' "$err"
}

@test "without --user, nothing that is about the user is taken" {
	local option

	for option in --groups=7 --own=/tmp --listen=tcp://*:80 --strict \
		--confine --home=/ --handoff=bind --allow-root --dry-run \
		--keep-caps=chown --secret=A=/etc/passwd; do
		capture "$STEPDOWN" --init "$option" -- "$WITNESS"
		[ "$status" -eq 100 ] || fail_seen "$option"
		[ ! -s "$out" ]
		grep -q -- '--user is missing' "$err"
	done
	capture "$STEPDOWN" -- "$WITNESS"
	[ "$status" -eq 100 ]
}

@test "--init without --user: never with setuid or file capabilities" {
	printf 'init\n' >"$tmp/etc"
	cp "$STEPDOWN" "$tmp/stepdown"
	chmod 4755 "$tmp/stepdown"
	# The config file alone is read then, in a mount namespace of its own.
	# shellcheck disable=SC2016 # for the inner shell
	before=(unshare --mount --propagation private sh -c 'mkdir -p "$0/up" &&
		mount -t tmpfs none "$0/up" && mkdir "$0/up/u" "$0/up/w" &&
		mount -t overlay -o "lowerdir=/etc,upperdir=$0/up/u,workdir=$0/up/w" none /etc &&
		cp "$0/etc" /etc/stepdown.conf && chmod 644 /etc/stepdown.conf &&
		exec setpriv --reuid=4242 --regid=4242 --clear-groups "$@"' "$tmp")
	capture "$tmp/stepdown" "$WITNESS"
	[ "$status" -eq 100 ]
	[ ! -s "$out" ]
	grep -q -- '--user is missing' "$err"
	chmod 755 "$tmp/stepdown"
	capture "$tmp/stepdown" "$WITNESS"
	succeeded
	says uid.real=4242
}

# as STATUS NAME [WORD...]: called by the name of an init, it ends like that
as()
{
	ln -sf "$STEPDOWN" "$tmp/$2"
	capture "$tmp/$2" "${@:3}"
	exited "$1" || fail "$*"
}

@test "called by the name of an init, nothing is dropped" {
	local name

	export HOME=/root LISTEN_FDS=1
	before=(setpriv --groups=7,2000)
	capture "$WITNESS"
	of_itself >"$tmp/plain"
	for name in tini docker-init catatonit podman-init dumb-init; do
		as 0 "$name" -- "$WITNESS"
		of_itself | diff "$tmp/plain" - || fail_seen "$name"
		as 143 "$name" sh -c 'kill -TERM $$'
		as 0 "$name" --version
		grep -Eq "^(tini version |dumb-init v)" "$out"
		as 1 "$name"
		grep -q "^Usage: $name " "$err"
		as 1 "$name" -Z sh
	done
}

@test "tini's options and variables" {
	local words

	for words in '-e 143' -e143 '-sge 143' '-s -p SIGTERM -e 143'; do
		# shellcheck disable=SC2086,SC2016 # words; for the inner shell
		as 0 tini $words -- sh -c 'kill -TERM $$'
	done
	for words in '-e 256' '-e x' '-p NONE'; do
		# shellcheck disable=SC2086 # words
		as 1 tini $words
		grep -q "^stepdown: ${words:0:2} .*: no such" "$err" ||
			fail_seen "$words"
	done
	for words in -e -p '-r 1:2' --rewrite=1:2; do
		# shellcheck disable=SC2086 # words
		as 1 tini $words
		grep -q '^Usage: tini ' "$err" || fail_seen "$words"
	done
	as 0 tini true
	grep -q "zombie reaping won't work" "$err"
	as 0 tini -s true
	[ ! -s "$err" ]
	TINI_SUBREAPER='' as 0 tini true
	[ ! -s "$err" ]
	TINI_VERBOSITY=3 as 0 tini true
	grep -q '^stepdown: no --user: ids' "$err"
	as 127 tini nothing
}

@test "an init's name: never with setuid" {
	before=(setpriv --reuid=4242 --regid=4242 --clear-groups)
	cp "$STEPDOWN" "$tmp/tini"
	chmod 4755 "$tmp/tini"
	capture "$tmp/tini" -- "$WITNESS"
	[ "$status" -eq 1 ]
	[ ! -s "$out" ]
	grep -q '^stepdown: never with setuid or file capabilities' "$err"
}

@test "of the config file, an init's name reads no more than strict" {
	ln -s "$root/gosu" "$tmp/x"
	printf 'user=4242:4242\nown=/nowhere\n' >"$root/etc/stepdown.conf"
	ln "$root/gosu" "$root/tini"
	called 0 tini -s /witness
	says uid.real=0
}

@test "tini -p: its parent's end" {
	ln -sf "$STEPDOWN" "$tmp/tini"
	# shellcheck disable=SC2016 # for the inner shells
	capture sh -c '"$0/tini" -s -p USR1 -- sh -c "
		trap \"touch $0/ended; exit\" USR1; touch $0/up
		while :; do sleep 0.05; done" &
		until [ -e "$0/up" ]; do sleep 0.05; done; kill -KILL $$' "$tmp"
	eventually 60 test -e "$tmp/ended" || fail_seen
}

# A shell as the child; it says which signal has come and ends.
heard()
{
	# shellcheck disable=SC2016 # for the inner shell
	in_background "$tmp/dumb-init" "$@" -- sh -c '
		for name in HUP USR1 TERM; do
			trap "echo $name; exit 3" $name
		done
		touch "$0"; while :; do sleep 0.05; done' "$tmp/up"
	eventually 60 test -e "$tmp/up"
	rm "$tmp/up"
}

@test "called dumb-init: a session, its signals and rewrites" {
	# shellcheck disable=SC2016 # for the inner shell
	local words leads='[ "$(ps -o sid= $$ | tr -d " ")" = $$ ]'

	as 0 dumb-init sh -c "$leads"
	for words in -c --single-child --sing '-v -c'; do
		# shellcheck disable=SC2086 # words
		as 1 dumb-init $words sh -c "$leads"
	done
	DUMB_INIT_SETSID=0 as 1 dumb-init sh -c "$leads"
	for words in '-r 15:10' -r15:10 '--rewrite 15:10' \
		'-c --rewrite=15:10' '-r 1:0 -vr 15:10'; do
		# shellcheck disable=SC2086 # words
		heard $words
		[[ $words != *1:0* ]] || kill -HUP "$background"
		kill -TERM "$background"
		wait "$background" || [ $? -eq 3 ]
		[ "$(cat "$out")" = USR1 ] || fail_seen "$words"
	done
}

# Of the peers' suites this one needs nothing but what Debian has, and is short.
@test "tini's own inner tests, from Debian's source" {
	"$top/bootstrap" --source tini "$tmp/tini" >"$out" 2>&1 || fail_seen
	capture "$top/test/compat/tini" "$tmp/tini"
	succeeded
	grep -q '^All done, tests as expected' "$out" || fail_seen
}

@test "dumb-init: the rest of the session is told of its end" {
	# shellcheck disable=SC2016 # for the inner shell
	local script='(trap "touch $0/told; exit" TERM; touch "$0/up"
		while :; do sleep 0.05; done) &
		until [ -e "$0/up" ]; do sleep 0.05; done; exit 7'

	as 7 dumb-init -- sh -c "$script" "$tmp"
	eventually 60 test -e "$tmp/told" || fail_seen
}

@test "dumb-init and catatonit: usage, version" {
	local words

	for words in --yolo -Z -r '-r herp' '-r 15:' --rewrite '--ver true' \
		''; do
		# shellcheck disable=SC2086 # words
		as 1 dumb-init $words
	done
	for words in -h --help -V --version; do
		as 0 dumb-init $words
		grep -q '^dumb-init v' "$out"
		grep -q '^Usage: dumb-init ' "$out"
	done
	for words in -h -L -V; do
		as 0 catatonit $words
		grep -q '^tini version .*MIT' "$out"
	done
}

@test "catatonit -P only reaps, until TERM" {
	ln -s "$STEPDOWN" "$tmp/catatonit"
	in_background "$tmp/catatonit" -P
	eventually 60 grep -q '^SigBlk:.*f' "/proc/$background/status"
	kill -HUP "$background"
	eventually 60 grep -q '^ShdPnd:.*1$' "/proc/$background/status"
	kill -TERM "$background"
	wait "$background"
}

@test "an init passes LISTEN_PID on if it is its own" {
	# shellcheck disable=SC2016 # for the inner shells
	local script='[ "$LISTEN_PID" = $$ ]'

	ln -s "$STEPDOWN" "$tmp/tini"
	# shellcheck disable=SC2016 # for the inner shell
	capture sh -c 'LISTEN_PID=$$ exec "$@"' - "$tmp/tini" -s sh -c "$script"
	succeeded
	# shellcheck disable=SC2016 # for the inner shell
	capture sh -c 'LISTEN_PID=$PPID exec "$@"' - "$tmp/tini" -s sh -c "$script"
	[ "$status" -eq 1 ]
}

@test "make install-compat makes the links, and takes no place" {
	make -s -C "$top/build" install-compat DESTDIR="$tmp/dest" prefix=/usr \
		>/dev/null
	[ "$("$tmp/dest/usr/bin/tini" --version | head -n 1)" = \
		"tini version $("$STEPDOWN" --version | cut -d ' ' -f 2) - stepdown, MIT license" ]
	for name in gosu su-exec dumb-init catatonit; do
		[ "$(readlink "$tmp/dest/usr/bin/$name")" = stepdown ]
	done
	capture make -s -C "$top/build" install-compat DESTDIR="$tmp/dest" \
		prefix=/usr
	[ "$status" -ne 0 ]
}

@test "strict in /etc/stepdown.conf: gosu is --user, an init has no_new_privs" {
	ln -s gosu "$root/dumb-init"
	printf 'user=1:1\nown=/nowhere\n strict\n' >"$root/etc/stepdown.conf"
	called 0 gosu app /witness
	witness_is 4242 4343 6001
	says env.HOME=/home/app
	called 1 gosu 1234 /witness
	grep -q 'no group, and no entry' "$err"
	called 1 su-exec root /witness
	grep -q 'that is root' "$err"
	before=(setpriv --bounding-set=-setpcap)
	called 1 gosu app /witness
	[ ! -s "$out" ]
	before=()
	called 0 dumb-init /witness
	says uid.real=0 no_new_privs=1
	[ "$(witness cap.bounding)" != "$no_caps" ]
	# Nobody else may have a say, and a mistake is not passed over.
	chmod 666 "$root/etc/stepdown.conf"
	called 1 gosu app /witness
	[ ! -s "$out" ]
	chmod 644 "$root/etc/stepdown.conf"
	echo stricct >"$root/etc/stepdown.conf"
	called 1 dumb-init /witness
	grep -q '^stepdown: /etc/stepdown.conf:1: stricct: not an option' "$err"
}
