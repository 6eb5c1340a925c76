#!/usr/bin/env bats
# --own-stdio: the application may open /dev/stdout again. Only pipes and
# terminals are given away: a regular file is the host's, and /dev/null is
# everybody's.

# shellcheck source-path=SCRIPTDIR
. "$BATS_TEST_DIRNAME/helpers.bash"

setup_file()
{
	need script setpriv unshare mount
}

# piped COMMAND... : with stdin, stdout and stderr as pipes, both read to the end
piped()
{
	{ { sleep 1 | "$@" 2>&3 | cat >&4; } 3>&1 | cat >&2; } 4>&1
}

@test "a pipe that nobody gave away cannot be opened again" {
	before=(piped)
	as_4242 -- sh -c 'echo opened >/dev/stdout'
	! grep -q opened "$out" || fail_seen 'this test proves nothing here'
	grep -q 'Permission denied' "$err"
}

@test "pipes are given to the target" {
	before=(piped)
	witnessed --own-stdio
	for fd in 0 1 2; do
		says fd.$fd.type=pipe
		[[ $(witness fd.$fd.owner) == 4242:* ]] ||
			fail_seen "descriptor $fd"
	done
}

@test "the application can open /dev/stdin, /dev/stdout and /dev/stderr" {
	before=(piped)
	as_4242 --own-stdio -- sh -c '
		: </dev/stdin && echo to stdout >/dev/stdout &&
		echo to stderr >/dev/stderr'
	succeeded
	grep -q 'to stdout' "$out"
	grep -q 'to stderr' "$err"
}

@test "a pipe is not given without --own-stdio" {
	before=(piped)
	witnessed
	says fd.1.owner=0:0
}

# in_terminal COMMAND... : with a new terminal as stdin, stdout and stderr.
# script has $SHELL read the command, and %q may quote as only bash does.
in_terminal()
{
	SHELL=$BASH script --quiet --return --command "$(printf '%q ' "$@")" /dev/null |
		tr -d '\r'
}

@test "a terminal is given to the target" {
	before=(in_terminal)
	witnessed --own-stdio
	for fd in 0 1 2; do
		says fd.$fd.type=tty
		[[ $(witness fd.$fd.owner) == 4242:* ]] ||
			fail_seen "descriptor $fd"
	done
	as_4242 --own-stdio -- sh -c 'echo opened >/dev/stdout'
	grep -q opened "$out"
}

@test "a terminal is not given without --own-stdio" {
	before=(in_terminal)
	witnessed
	says fd.1.type=tty fd.1.owner=0:0
}

@test "a regular file is never given: it is the host's" {
	witnessed --own-stdio
	says fd.1.type=file fd.1.owner=0:0
	owned_by 0:0 "$out" "$err"
	[ ! -s "$err" ] || fail_seen 'and that is no reason to complain'
}

@test "/dev/null is never given" {
	local null

	null=$(stat -c '%u:%g %a %Z' /dev/null)
	"$STEPDOWN" --user=4242:4242 --own-stdio -- "$WITNESS" exit 0 \
		</dev/null >/dev/null 2>/dev/null
	[ "$(stat -c '%u:%g %a %Z' /dev/null)" = "$null" ]
}

@test "a folder and a socket are never given" {
	mkdir "$tmp/folder"
	"$STEPDOWN" --user=4242:4242 --own-stdio -- "$WITNESS" \
		<"$tmp/folder" >"$out"
	says fd.0.type=directory
	owned_by 0:0 "$tmp/folder"
}

@test "stdin, stdout and stderr that are closed are no trouble" {
	"$STEPDOWN" --user=4242:4242 --own-stdio -- "$WITNESS" exit 7 \
		<&- >&- 2>&- || status=$?
	[ "$status" -eq 7 ]
}

@test "without CAP_CHOWN: a warning and the hint, and the application runs" {
	before=(piped setpriv --bounding-set=-chown)
	witnessed --own-stdio
	witness_is 4242 4242
	says fd.1.owner=0:0
	grep -q '^stepdown: hint: .*CAP_CHOWN' "$err"
	grep -q '^stepdown: warning: .*stdout.*: Operation not permitted' "$err"
	grep -q -- '--cap-add=CHOWN' "$err"
}

# An instance of its own: the machine's must not change if this fails.
with_ptmx()
{
	# shellcheck disable=SC2016 # for the inner shell
	unshare --mount sh -ec '
		mount -t devpts -o newinstance,ptmxmode=666 pts "$0"
		"$@" <>"$0/ptmx"
		stat -c %u:%g "$0/ptmx" >"$0.owner"' "$tmp/pts" "$@"
}

@test "/dev/ptmx is never given: it is everybody's" {
	mkdir "$tmp/pts"
	before=(with_ptmx)
	witnessed --own-stdio
	[ "$(cat "$tmp/pts.owner")" = 0:0 ] ||
		fail "it belongs to $(cat "$tmp/pts.owner")"
}

# A FIFO has a name, so it is a file, and the host's like a regular one.
to_fifo()
{
	mkfifo "$tmp/fifo"
	cat "$tmp/fifo" &
	"$@" >"$tmp/fifo"
	wait $!
}

@test "a FIFO is never given" {
	before=(to_fifo)
	witnessed --own-stdio
	says fd.1.type=pipe fd.1.owner=0:0
}

# read_only_terminal COMMAND... : /dev/pts is a file system, and may be read-only.
read_only_terminal()
{
	# shellcheck disable=SC2016 # for the inner shell
	in_terminal unshare --mount sh -ec '
		mount -o remount,bind,ro /dev/pts
		terminal=$(tty)
		err=$1; shift
		exec "$@" <"$terminal" >"$terminal" 2>"$err"' - "$err" "$@"
}

@test "on a read-only file system: a warning and the hint, and it runs" {
	before=(read_only_terminal)
	witnessed --own-stdio
	witness_is 4242 4242
	says fd.1.type=tty fd.1.owner=0:0
	grep -q '^stepdown: warning: .*stdout.*: Read-only file system' "$err"
	grep -q '^stepdown: hint: .*read-only' "$err"
}
