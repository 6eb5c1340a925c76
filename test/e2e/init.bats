#!/usr/bin/env bats
# --init: the parent that stays forwards signals, reaps, and ends as the
# application ended. In the spirit of the tests of tini, dumb-init and
# catatonit, from what their documentation says they do.

# The words of shells that are started, and variables of one test at a time:
# shellcheck disable=SC2016,SC2030,SC2031
# shellcheck source-path=SCRIPTDIR
. "$BATS_TEST_DIRNAME/helpers.bash"

BROOD=$top/build/test/e2e/brood

setup_file()
{
	need strace unshare setpriv
	net_up
}

setup()
{
	[ -x "$BROOD" ] || fail "no $BROOD: run make -C build test/e2e/brood"
}

teardown()
{
	stop_family
	pkill -KILL -u 4242 -x -f "$nap" || true
	[ -z "${bystander-}" ] || stop "$bystander"
}

with_init()
{
	as_4242 --init "$@"
}

# in_pidns COMMAND... : as the first process of a pid namespace
in_pidns=(unshare --fork --pid --mount-proc --kill-child)

# started COMMAND... : in the background, until the application is ready
started()
{
	in_background "$STEPDOWN" --user=4242:4242 --init "$@"
	eventually 5 grep -q ready "$out" || fail_seen 'it did not start'
}

# ended [STATUS]: wait for what was started
ended()
{
	status=0
	wait "$background" || status=$?
	background=
	[ $# -eq 0 ] || exited "$1"
}

# The application may come to the folder of the test, and write there.
open_tmp()
{
	chmod 755 "$BATS_RUN_TMPDIR" "$BATS_FILE_TMPDIR"
	chmod 777 "$tmp"
}

status_of()
{
	sed -n "s/^$2:[[:blank:]]*//p" "/proc/$1/status"
}

# lacks GREP-ARGUMENT...
lacks()
{
	if grep "$@"; then
		fail_seen "there should be no $1"
	fi
}

child_of()
{
	pgrep -P "$1" | head -n 1
}

# A command that runs nowhere else on this machine.
nap="sleep 1$$"

# naps N: so many processes of the application's user are at it
naps()
{
	[ "$(pgrep -u 4242 -c -x -f "$nap")" -eq "$1" ]
}

# waits PID: it has taken each signal that it was sent, and sleeps
waits()
{
	local seen

	seen=$(cat "/proc/$1/status")
	grep -q '^State:.S' <<<"$seen" && grep -Eq '^ShdPnd:\s0+$' <<<"$seen"
}

# settled PID: so have its descendants; all that was sent it has come to them
settled()
{
	local pid

	for pid in $(family "$1"); do
		waits "$pid" || return
	done
}

# ---- how it ends ----

@test "the exit status is the application's" {
	for wanted in 0 1 37 126 255; do
		with_init -- "$BROOD" exit $wanted
		exited $wanted
	done
}

@test "a signal that ended the application is 128 and its number" {
	before=(env --default-signal)
	for number in 1 2 9 11 15 34 64; do
		with_init -- sh -c "ulimit -c 0; kill -$number \$\$"
		exited $((128 + number))
	done
}

@test "--map-exit turns one status into another" {
	with_init --map-exit=143:0 --map-exit=3:4 -- sh -c 'kill -TERM $$'
	exited 0
	with_init --map-exit=143:0 --map-exit=3:4 -- "$BROOD" exit 3
	exited 4
	with_init --map-exit=143:0 --map-exit=3:4 -- "$BROOD" exit 5
	exited 5
}

@test "--map-exit: a list, and all 256" {
	local all=()

	with_init --map-exit=143,130,7:255 -- "$BROOD" exit 7
	exited 255
	for wanted in {0..255}; do
		all+=("--map-exit=$((255 - wanted)):$wanted")
	done
	for wanted in 0 1 254 255; do
		with_init "${all[@]}" -- "$BROOD" exit $((255 - wanted))
		exited $wanted
	done
}

@test "no such application: 127 and one message" {
	with_init -- no-such-program
	refused 127
	with_init -- /etc/passwd
	refused 126
}

@test "what only an init can do is refused without --init" {
	for option in --signal-group --rewrite=TERM:QUIT --stop-timeout=10 \
		--stop-signals=TERM \
		--drain=1s --map-exit=143:0 --no-subreaper; do
		misuse 'only with --init' --user=4242:4242 "$option" -- true
	done
	misuse no-subreaper --user=4242:4242 --init --drain=1 --no-subreaper \
		-- true
}

@test "wrong values are refused" {
	local option

	for option in rewrite=TERM rewrite=FOO:TERM rewrite=KILL:TERM \
		rewrite=STOP:TERM rewrite=TERM:FOO rewrite=0:TERM \
		rewrite=65:TERM rewrite=RTMIN+31:TERM rewrite=:TERM \
		stop-timeout=0 stop-timeout=-1 stop-timeout=1d drain=1.5s \
		drain= drain=ms stop-timeout=25000000000 map-exit=143 \
		map-exit=256:0 map-exit=:0 map-exit=1:256 map-exit=1,:0 \
		map-exit=1,,2:0 stop-signals= stop-signals=TERM,KILL \
		stop-signals=TERM,,INT pdeathsig=0 \
		pdeathsig=NONE; do
		misuse "--${option%%=*}" --user=4242:4242 --init "--$option" \
			-- true
	done
	misuse ' once' --user=4242:4242 --init --rewrite=TERM:QUIT \
		--rewrite=15:INT -- true
	misuse ' once' --user=4242:4242 --init --map-exit=1:2 \
		--map-exit=5,1:3 -- true
	misuse ' once' --user=4242:4242 --init --map-exit=1,2,1:2 \
		-- true
}

# ---- what the parent is ----

@test "the parent has no privilege either" {
	started -- "$BROOD" count
	[ "$(status_of "$background" Uid)" = $'4242\t4242\t4242\t4242' ]
	[ "$(status_of "$background" Gid)" = $'4242\t4242\t4242\t4242' ]
	[ -z "$(status_of "$background" Groups)" ]
	for set in CapInh CapPrm CapEff CapBnd CapAmb; do
		[ "$(status_of "$background" $set)" = $no_caps ]
	done
	[ "$(status_of "$background" NoNewPrivs)" = 1 ]
	kill "$background"
	ended 37
}

@test "the application has what it has without --init" {
	with_init -- "$WITNESS"
	succeeded
	witness_is 4242 4242
	witness_has_descriptors 0 1 2
	[ "$(witness pid)" = "$(witness pgid)" ]
	[ "$(witness dumpable)" = 1 ]
}

# parent_has DESCRIPTOR...: these, and no other
parent_has()
{
	local open=("/proc/$background/fd"/*)

	[ "${open[*]##*/}" = "$*" ]
}

@test "the parent keeps descriptors 0 to 2, and no other" {
	before=(nsenter --target "$net_holder" --net --)
	in_background "$STEPDOWN" --user=4242:4242 --init \
		--listen=tcp://0.0.0.0:80 -- "$BROOD" count 5</dev/null
	eventually 5 grep -q ready "$out"
	# The application may be quicker than the parent's tidying up.
	eventually 5 parent_has 0 1 2 ||
		fail_seen "$(ls -l "/proc/$background/fd")"
	[ "$(readlink "/proc/$background/fd/1")" = "$out" ]
	[ "$(readlink "/proc/$background/cwd")" = / ]
	[[ $(readlink "/proc/$(child_of "$background")/fd/3") == socket:* ]]
	in_net ss -Hltn 'sport = :80' | grep -q :80
	kill "$background"
	ended
}

# As cron's jobs do, and what supervisord starts, below any other init.
@test "/proc/1/fd/1 is the container's output, for the application too" {
	before=("${in_pidns[@]}")
	mkfifo "$tmp/pipe"
	cat "$tmp/pipe" >"$tmp/seen" 3>&- 4>&- &
	bystander=$!
	before+=(sh -c 'exec "$@" >"$0" 2>&1' "$tmp/pipe")
	chown 4242 "$tmp/pipe"
	chmod 755 "$BATS_RUN_TMPDIR" "$BATS_FILE_TMPDIR" "$tmp"
	with_init -- sh -c 'echo by 1 >/proc/1/fd/1; echo by 2 >/proc/1/fd/2' \
		</dev/null
	succeeded
	wait "$bystander"
	bystander=
	[ "$(cat "$tmp/seen")" = $'by 1\nby 2' ] || fail "$(cat "$tmp/seen")"
}

@test "LISTEN_PID that is no number stays as it is" {
	capture sh -c 'LISTEN_PID=$$x; export LISTEN_PID
		exec "$0" --init -- sh -c '\''echo "$LISTEN_PID $PPID"'\' \
		"$STEPDOWN"
	succeeded
	[[ $(cat "$out") =~ ^([0-9]+)x\ ([0-9]+)$ ]] || fail_seen
	[ "${BASH_REMATCH[1]}" = "${BASH_REMATCH[2]}" ]
}

@test "LISTEN_PID is the child's" {
	use_net
	with_init --listen=tcp://0.0.0.0:80 -- "$WITNESS"
	succeeded
	says env.LISTEN_PID="$(witness pid)"
	[ "$(witness pid)" != "$(witness ppid)" ]
	witness_has_socket 3 inet 0.0.0.0:80
}

@test "what was taken from the environment is not to be read in the parent" {
	before=(env SECRET=from-the-runtime)
	with_init --unset-env=SECRET -- sh -c '
		until ! grep -q SECRET "/proc/$PPID/environ"; do sleep 0.1; done
		tr "\0" . <"/proc/$PPID/environ"'
	succeeded
	[ -s "$out" ] || fail_seen 'the application could not look'
	lacks from-the-runtime "$out"
	before=(env SECRET=from-the-runtime)
	with_init -- sh -c 'echo $SECRET'
	[ "$(cat "$out")" = from-the-runtime ]
}

@test "the application can neither trace nor look into a parent that answers bind(2)" {
	use_net
	with_init --handoff=bind --listen=tcp://0.0.0.0:80 -- sh -c '
		cat /proc/$PPID/environ; cat /proc/$PPID/maps >/dev/null
		readlink /proc/$PPID/exe; head -c 1 /proc/$PPID/mem
		ls /proc/$PPID/fd/; strace -qq -p $PPID'
	[ "$(grep -ci 'permission denied\|not permitted' "$err")" -ge 4 ] ||
		fail_seen 'it could'
	[ ! -s "$out" ] || fail_seen 'it read something'
}

@test "the waiting parent: memory, and not one wake-up in ten seconds" {
	local rollup wakes

	sync "$STEPDOWN"
	started -- "$BROOD" count
	eventually 5 waits "$background"
	rollup=$(cat "/proc/$background/smaps_rollup")
	echo "# $(grep -E '^(Rss|Private_Dirty)' <<<"$rollup" | tr -s ' \n' ' ')" >&3
	# All of the program, of which the page cache has one copy, and little.
	[ "$(awk '/^Rss/ { print $2 }' <<<"$rollup")" -le \
		$(($(stat -c %s "$STEPDOWN") / 1024 + 48)) ]
	[ "$(awk '/^Private_Dirty/ { print $2 }' <<<"$rollup")" -le 48 ]
	wakes=$(grep ctxt "/proc/$background/status")
	sleep 10
	[ "$(grep ctxt "/proc/$background/status")" = "$wakes" ]
	kill "$background"
	ended
}

@test "at most 30 system calls more than without --init" {
	local plain

	traced all "$STEPDOWN" --user=4242:4242 -- "$BROOD" exit 0
	plain=$(grep -vc -e 'resumed>' -e '+++' "$calls")
	traced all "$STEPDOWN" --user=4242:4242 --init -- "$BROOD" exit 0
	echo "# $plain, with --init $(grep -vc -e 'resumed>' -e '+++' "$calls")" >&3
	[ "$(grep -vc -e 'resumed>' -e '+++' "$calls")" -le $((plain + 30)) ]
}

# ---- signals ----

@test "every signal that can be caught is forwarded" {
	started -- "$BROOD" say
	for number in {1..14} {16..18} {20..64}; do
		[ "$number" -ne 9 ] || continue
		"$BROOD" queue "$background" "$number" $((1000 + number))
		eventually 5 grep -q "signal=$number " "$out" ||
			fail_seen "signal $number did not arrive"
	done
	"$BROOD" queue "$background" 15 1
	ended 0
	# The values of those that queue come with them.
	for number in {34..64}; do
		grep -q "signal=$number value=$((1000 + number))" "$out" ||
			fail_seen "the value of $number"
	done
}

@test "no real-time signal is lost or merged" {
	started -- "$BROOD" count
	for _ in {1..50}; do
		kill -40 "$background"
		kill -64 "$background"
	done
	eventually 5 settled "$background"
	kill "$background"
	ended 37
	grep -qx signal.40=50 "$out" || fail_seen 'some are missing'
	grep -qx signal.64=50 "$out" || fail_seen 'some are missing'
}

# The start is stopped, so that the signals certainly come before the fork.
# The mask that it was given keeps them until the application looks.
@test "a signal that comes while it starts reaches the application" {
	local early

	in_background strace -qq -o "$calls" -e trace=setgroups \
		-e inject=setgroups:signal=STOP:when=1 \
		"$BROOD" given "$STEPDOWN" --user=4242:4242 --init -- \
		"$BROOD" count
	eventually 5 grep -q 'stopped by' "$calls"
	early=$(child_of "$background")
	for number in USR1 33 64 64; do
		kill -$number "$early"
	done
	[ -z "$(child_of "$early")" ] || fail 'too late for this test'
	kill -CONT "$early"
	eventually 5 grep -q ready "$out"
	eventually 5 settled "$early"
	kill "$early"
	ended 37
	for number in 10=1 33=1 64=2 15=1; do
		grep -qx "signal.$number" "$out" || fail_seen "$number"
	done
}

@test "mask and dispositions are those that it was given" {
	local plain

	capture "$BROOD" given "$WITNESS"
	plain=$(grep ^signals "$out")
	[ "$(witness signals.blocked)" != 0000000000000000 ]
	before=("$BROOD" given)
	as_4242 -- "$WITNESS"
	[ "$(grep ^signals "$out")" = "$plain" ] || fail_seen "it was $plain"
	with_init -- "$WITNESS"
	[ "$(grep ^signals "$out")" = "$plain" ] || fail_seen "it was $plain"
	with_init -- "$BROOD" exit 7
	exited 7
	before=()
	capture "$WITNESS"
	plain=$(grep ^signals "$out")
	with_init -- "$WITNESS"
	[ "$(grep ^signals "$out")" = "$plain" ] || fail_seen "it was $plain"
}

two_of_a_group='"$0" say >"$1.1" & "$0" say >"$1.2" & trap : USR1; echo ready
	wait; wait; wait'

@test "--signal-group: a child that has joined another group is reached" {
	started --signal-group -- /usr/bin/python3 -c '
import os, time
os.setpgid(0, os.getpgid(os.getppid()))
print("ready", flush=True)
time.sleep(600)'
	kill -TERM "$background"
	ended 143
	! grep -q "forward signal" "$err" || fail_seen
}

@test "--signal-group: to the whole process group" {
	open_tmp
	started --signal-group -- sh -c "$two_of_a_group" "$BROOD" "$tmp/got"
	eventually 5 grep -q ready "$tmp/got.1"
	eventually 5 grep -q ready "$tmp/got.2"
	kill -USR1 "$background"
	eventually 5 grep -q signal=10 "$tmp/got.1"
	eventually 5 grep -q signal=10 "$tmp/got.2"
	kill "$background"
	ended
}

@test "without it, to the application alone" {
	open_tmp
	started -- sh -c "$two_of_a_group" "$BROOD" "$tmp/got"
	eventually 5 grep -q ready "$tmp/got.1"
	eventually 5 grep -q ready "$tmp/got.2"
	kill -USR1 "$background"
	eventually 5 settled "$background"
	lacks signal= "$tmp/got.1" "$tmp/got.2"
	pkill -P "$(child_of "$background")"
	ended
}

@test "--rewrite: another signal, or none" {
	started --rewrite=TERM:QUIT --rewrite=sigusr1:12 --rewrite=RTMIN+1:RTMAX \
		--rewrite=HUP: -- "$BROOD" say
	kill -TERM "$background"
	kill -USR1 "$background"
	kill -35 "$background"
	kill -HUP "$background"
	kill -INT "$background"
	eventually 5 settled "$background"
	for number in 2 3 12 64; do
		grep -q "signal=$number " "$out" || fail_seen "no $number"
	done
	lacks -e 'signal=15 ' -e 'signal=10 ' -e 'signal=1 ' "$out"
	kill -KILL "$(child_of "$background")"
	ended 137
}

@test "SIGWINCH is kept from an nginx with inherited sockets" {
	before=(nsenter --target "$net_holder" --net --)
	started --listen=tcp://0.0.0.0:80 --handoff=nginx -- "$BROOD" say
	kill -WINCH "$background"
	kill -USR1 "$background"
	eventually 5 settled "$background"
	grep -q signal=10 "$out"
	lacks signal=28 "$out"
	kill "$background"
	ended
}

# The application becomes another user, with a capability that it was left.
@test "what cannot be forwarded is said once, and no more" {
	started --keep-caps=setuid -- "$BROOD" become 5252 "$BROOD" count
	for _ in 1 2 3; do
		kill -USR1 "$background"
		eventually 5 waits "$background"
	done
	[ "$(grep -c 'warning: forward signal 10 (User defined signal 1)' "$err")" -eq 1 ]
	kill -TERM "$(child_of "$background")"
	ended 37
}

# ---- the end of others ----

@test "--stop-timeout: SIGKILL to the application that does not end" {
	local start=$EPOCHREALTIME

	started --stop-timeout=400ms -- sh -c 'trap "" TERM; echo ready
		while :; do sleep 0.1; done'
	kill "$background"
	ended 137
	[ $((${EPOCHREALTIME/./} - ${start/./})) -ge 400000 ]
	[ $((${EPOCHREALTIME/./} - ${start/./})) -lt 20000000 ]
}

@test "--stop-timeout: one that ends in time ends as it likes" {
	started --stop-timeout=60s -- "$BROOD" count
	kill "$background"
	ended 37
}

@test "SIGQUIT is no signal to stop, unless --stop-signals says so" {
	started --stop-timeout=300ms -- "$BROOD" say
	kill -QUIT "$background"
	eventually 5 grep -q signal=3 "$out"
	sleep 0.6
	kill -0 "$background" || fail_seen 'it was killed'
	kill "$(child_of "$background")"
	ended 0
	started --stop-timeout=300ms --stop-signals=QUIT,usr1 -- sh -c '
		trap "" QUIT TERM; echo ready; while :; do sleep 0.1; done'
	kill "$background"
	sleep 0.6
	kill -0 "$background" || fail_seen 'TERM is none here'
	kill -QUIT "$background"
	ended 137
}

# Descendants in groups and sessions of their own, orphans among them; and a
# process of the same user that is none of ours.
@test "--stop-timeout kills descendants, and no other process of the user" {
	setpriv --reuid=4242 --regid=4242 --clear-groups sleep 600 3>&- 4>&- &
	bystander=$!
	started --stop-timeout=300ms -- sh -c 'trap "" TERM
		setsid sh -c "$0 & $0 & wait" &
		(setsid setsid $0 &)
		echo ready; while :; do sleep 0.1; done' "$nap"
	eventually 5 naps 3
	kill "$background"
	ended 137
	naps 0
	kill -0 "$bystander"
}

@test "--stop-timeout as process 1 kills the namespace" {
	before=("${in_pidns[@]}")
	started --stop-timeout=300ms -- sh -c 'trap "" TERM; setsid $0 &
		echo ready; while :; do sleep 0.1; done' "$nap"
	eventually 5 naps 1
	kill "$(child_of "$background")"
	ended 137
	naps 0
}

# The application may do to its parent what a process of the same uid may.
stubborn='trap "" TERM; echo ready; while :; do sleep 0.1; done'

@test "the deadline comes however many signals are sent" {
	local init

	started --stop-timeout=500ms -- "$BROOD" storm
	kill "$background"
	eventually 20 gone "$background" || fail_seen 'it is still there'
	ended 137
	before=("${in_pidns[@]}")
	started --stop-timeout=500ms -- "$BROOD" storm
	init=$(child_of "$background")
	kill "$init"
	eventually 20 gone "$init" || fail_seen 'it is still there'
	ended 137
}

@test "the deadline of --drain comes however many signals are sent" {
	started --drain=500ms -- "$BROOD" storm 6
	eventually 20 gone "$background" || fail_seen 'it is still there'
	ended 6
}

@test "a parent that may open no descriptor still hears, and still kills" {
	started --stop-timeout=500ms -- sh -c '
		prlimit --pid $PPID --nofile=0:0
		prlimit --pid $PPID --nofile --raw --noheadings
		trap "echo heard" USR1; '"$stubborn"
	eventually 5 grep -q ' 0 *0 ' "$out"
	kill -USR1 "$background"
	eventually 5 grep -q heard "$out" || fail_seen 'it is deaf'
	kill "$background"
	eventually 20 gone "$background" || fail_seen 'it is still there'
	ended 137
}

# What is left says that it is ready; the application is the last to read it.
until_ready='until grep -q ready /dev/stdout || [ $((n += 1)) -gt 1200 ]; do
		sleep 0.05; done'
leave_behind='setsid sh -c "trap \"sleep 0.2; echo drained >&2; exit\" TERM
		echo ready; while :; do sleep 0.05; done" &
	'$until_ready'; exit 5'

@test "--drain: TERM to what is left, and time to end" {
	with_init --drain=60s -- sh -c "$leave_behind"
	exited 5
	grep -q drained "$err" || fail_seen 'it was not given the time'
	before=("${in_pidns[@]}")
	with_init --drain=60s -- sh -c "$leave_behind"
	exited 5
	grep -q drained "$err" || fail_seen 'it was not given the time'
}

@test "without --drain what is left dies with the namespace" {
	before=("${in_pidns[@]}")
	with_init -- sh -c "$leave_behind"
	exited 5
	lacks drained "$err"
}

@test "--drain: KILL when the time is up" {
	local start=$EPOCHREALTIME

	before=("${in_pidns[@]}")
	with_init --drain=300ms -- sh -c 'sh -c "trap \"\" TERM
		echo ready; while :; do sleep 0.05; done" &
		'"$until_ready"'; exit 6'
	exited 6
	[ $((${EPOCHREALTIME/./} - ${start/./})) -lt 20000000 ]
	before=()
	with_init --drain=300ms -- sh -c 'setsid sh -c "trap \"\" TERM
		$0 & echo ready; wait" &
		'"$until_ready"'; exit 6' "$nap"
	exited 6
	naps 0
}

# ---- orphans ----

# The orphan looks when the shell that started it has ended.
orphan='(sh -c "until [ -s /dev/stdout ]; do sleep 0.1; done
		echo orphan of \$(ps -o ppid= -p \$\$)" &)
	echo $PPID
	until grep -q orphan /dev/stdout || [ $((n += 1)) -gt 600 ]; do
		sleep 0.1; done'

@test "not process 1: a subreaper, and -v says so" {
	with_init -v -- sh -c "$orphan"
	succeeded
	grep -qx "orphan of $(head -n 1 "$out")" "$out" ||
		fail_seen 'the orphan is another process'"'"'s'
	grep -q 'stepdown: init: .* subreaper' "$err"
}

@test "--no-subreaper leaves orphans to others" {
	with_init --no-subreaper -- sh -c "$orphan"
	succeeded
	grep -q '^orphan of [0-9]' "$out" || fail_seen 'it did not look'
	lacks -x "orphan of $(head -n 1 "$out")" "$out"
}

@test "20,000 orphans one after the other, and no zombie is left" {
	before=("${in_pidns[@]}")
	with_init -- "$BROOD" orphans 20000
	succeeded
	grep -Eqx '[0-9]+' "$out"
}

@test "20,000 dead orphans at once, and no zombie is left" {
	local init

	before=("${in_pidns[@]}")
	open_tmp
	started -- "$BROOD" dead 20000 "$tmp/go"
	init=$(child_of "$background")
	eventually 5 waits "$init"
	kill -STOP "$init"
	touch "$tmp/go"
	eventually 600 grep -q dead "$out"
	grep -qx 'dead 20000' "$out" || fail_seen 'not stopped'
	kill -CONT "$init"
	ended 0
	[ "$(wc -l <"$out")" -eq 3 ] || fail_seen 'some were left'
}

# ---- its own troubles ----

@test "a fork that fails is tried again, and not forever" {
	local start=$EPOCHREALTIME

	capture strace -f -qq -o /dev/null -e trace=clone,fork,vfork,clone3 \
		-e inject=clone,fork,vfork,clone3:error=EAGAIN:when=1..4 \
		"$STEPDOWN" --user=4242:4242 --init -- "$BROOD" exit 9
	exited 9
	capture strace -f -qq -o /dev/null -e trace=clone,fork,vfork,clone3 \
		-e inject=clone,fork,vfork,clone3:error=EAGAIN \
		"$STEPDOWN" --user=4242:4242 --init -- "$BROOD" exit 9
	refused 111 fork
	[ $((${EPOCHREALTIME/./} - ${start/./})) -lt 60000000 ]
}

@test "a small stack will do" {
	make_scratch "$tmp/root"
	make_people "$tmp/root"
	mkdir "$tmp/root/data"
	before=(prlimit --stack=65536)
	with_init -- "$BROOD" exit 9
	exited 9
	for what in -v --account=web --dry-run --check --check=json; do
		in_scratch "$tmp/root" /stepdown --user=7777:7778 --init \
			--own=/data "$what" -- /witness
		succeeded
	done
	grep -q ^web: "$tmp/root/etc/passwd"
}

@test "a subreaper that is refused is a warning" {
	capture strace -f -qq -o "$calls" -e trace=prctl "$STEPDOWN" \
		--user=4242:4242 --init -- "$BROOD" exit 9
	local nth
	nth=$(grep -n PR_SET_CHILD_SUBREAPER "$calls" | cut -d: -f1)
	capture strace -f -qq -o /dev/null -e trace=prctl \
		-e inject=prctl:error=EINVAL:when="$nth" "$STEPDOWN" \
		--user=4242:4242 --init -- "$BROOD" exit 9
	exited 9
	message_has 'warning: become a subreaper'
}

@test "-v: a line for each orphan that was reaped" {
	with_init -v -- sh -c '(sh -c "sleep 0.2; exit 3" &); (sh -c "kill -9 \$\$" &)
		until [ "$(grep -c orphan /dev/stderr)" = 2 ] ||
			[ $((n += 1)) -gt 600 ]; do sleep 0.1; done'
	succeeded
	grep -Eqx 'stepdown: init: reaped orphan [0-9]+, status 3' "$err"
	grep -Eqx 'stepdown: init: reaped orphan [0-9]+, signal 9' "$err"
}

@test "a full pipe on stderr does not stop it" {
	local init

	mkfifo "$tmp/full"
	exec 7<>"$tmp/full"
	(exec 3>&- 4>&- 7>&-
	 exec "$STEPDOWN" --user=4242:4242 --init --keep-caps=setuid -- \
		"$BROOD" become 5252 "$BROOD" count \
		>"$out" 2>"$tmp/full" </dev/null) &
	background=$!
	eventually 5 grep -q ready "$out"
	dd if=/dev/zero of="$tmp/full" oflag=nonblock bs=1 || true
	kill -USR1 "$background"
	eventually 5 waits "$background"
	kill -TERM "$(child_of "$background")"
	eventually 5 gone "$background"
	ended
	exec 7>&-
	exited 37
}

@test "a reader of stderr that went away does not end it" {
	mkfifo "$tmp/gone"
	# shellcheck disable=SC2217 # the reader, who does not read
	sleep 600 <"$tmp/gone" 3>&- 4>&- &
	bystander=$!
	(exec 3>&- 4>&-
	 exec "$STEPDOWN" --user=4242:4242 --init --keep-caps=setuid -- \
		"$BROOD" become 5252 "$BROOD" count \
		>"$out" 2>"$tmp/gone" </dev/null) &
	background=$!
	eventually 5 grep -q ready "$out"
	stop "$bystander"
	kill -USR1 "$background"
	eventually 5 waits "$background"
	kill -TERM "$(child_of "$background")"
	ended 37
}

# ---- sessions and parents ----

@test "--pdeathsig: the end of the parent reaches the application" {
	local pid

	for mode in --init ''; do
		# shellcheck disable=SC2086 # nothing, or one word
		in_background sh -c '"$@" & wait' - "$STEPDOWN" \
			--user=4242:4242 $mode --pdeathsig=USR2 -- \
			"$BROOD" say
		eventually 5 grep -q ready "$out"
		pid=$(child_of "$background")
		kill -KILL "$background"
		wait "$background" || true
		eventually 5 grep -q signal=12 "$out" ||
			fail_seen "no signal, mode '$mode'"
		kill -TERM "$pid"
		eventually 5 gone "$pid"
	done
}

@test "--pdeathsig=KILL: nobody is left" {
	# shellcheck disable=SC2086 # two words
	in_background sh -c '"$@" & wait' - "$STEPDOWN" --user=4242:4242 \
		--init --pdeathsig=KILL -- $nap
	eventually 5 naps 1
	kill -KILL "$background"
	eventually 5 naps 0
}

@test "--setsid: a session of its own" {
	with_init --setsid -- "$WITNESS"
	succeeded
	[ "$(witness sid)" = "$(witness pid)" ]
	witnessed --setsid
	[ "$(witness sid)" = "$(witness pid)" ]
	before=(setsid --wait)
	witnessed --setsid
	[ "$(witness sid)" = "$(witness pid)" ]
}

@test "--setsid without --init for the leader of a group: 111" {
	before=("$BROOD" lead)
	as_4242 --setsid -- "$WITNESS"
	refused 111
	message_has 'start a session: Operation not permitted'
	hint_has --init
}

@test "a command that cannot be executed, and nobody who reads of it" {
	mkfifo "$tmp/fifo"
	exec 7<>"$tmp/fifo"
	head -c 65536 /dev/zero >&7
	# shellcheck disable=SC2016 # for that shell
	capture sh -c 'exec "$@" 2>&7' - timeout 60 "$STEPDOWN" \
		--user=4242:4242 --init -- /nonexistent
	exec 7>&-
	exited 127
}

@test "on a terminal that stops who writes in the background: 127, and why" {
	capture timeout 60 script -qec "stty tostop; '$STEPDOWN' --user=4242:4242 \
		--init --rewrite=INT:TERM -- /nonexistent" /dev/null
	exited 127
	grep -q 'execute /nonexistent: No such file' "$out"
}

owns_some()
{
	[ -n "$(find "$tmp/folder" -uid 4242 -print -quit)" ]
}

@test "--setsid: a long --own still hears the terminal" {
	mkdir "$tmp/folder"
	(cd "$tmp/folder" && touch {1..2000})
	(eventually 5 owns_some; printf '\003'; sleep 1) | timeout 90 script -qec "sh -c \
		'true | strace -f -qq -o /dev/null -e trace=fchownat \
		-e inject=fchownat:delay_enter=20000 $STEPDOWN --user=4242:4242 \
		--setsid --own=$tmp/folder -- true'" /dev/null >"$tmp/said" 2>&1 || true
	grep -q 'ended by signal 2' "$tmp/said" || fail "$(cat "$tmp/said")"
}

# ---- for long ----

# Random signals for seconds, random children and orphans meanwhile.
@test "a soak: nothing lost, nothing left, no memory taken" {
	local seconds=${STEPDOWN_SOAK:-20} sent=0 before_kb after_kb
	local end=$((SECONDS + seconds))

	started -- "$BROOD" busy "$seconds" $RANDOM
	kill -URG "$background"
	eventually 5 waits "$background"
	before_kb=$(awk '/^Private_Dirty/ { print $2 }' \
		"/proc/$background/smaps_rollup")
	while [ $SECONDS -lt $end ]; do
		case $((RANDOM % 4)) in
		0) kill -45 "$background"; sent=$((sent + 1)) ;;
		1) kill -USR1 "$background" ;;
		2) kill -WINCH "$background"; kill -CHLD "$background" ;;
		3) sleep 0.0$((RANDOM % 3)) ;;
		esac
	done
	eventually 60 settled "$background"
	after_kb=$(awk '/^Private_Dirty/ { print $2 }' \
		"/proc/$background/smaps_rollup")
	kill "$background"
	ended 37
	echo "# $sent real-time signals, ${before_kb} KiB, ${after_kb} KiB" >&3
	grep -qx "signal.45=$sent" "$out" || fail_seen "$sent were sent"
	grep -qx lost=0 "$out"
	[ "$after_kb" -le $((before_kb + 8)) ]
}

@test "500 runs, and every exit status arrives" {
	capture "$BROOD" statuses 500 "$STEPDOWN" --user=4242:4242 --init -- \
		"$BROOD" exit
	succeeded
	grep -qx wrong=0 "$out"
}
