#!/usr/bin/env bats
# Ways out of the domain of --confine. Each works for the same user without it,
# which shows that the try is a good one, and is refused inside.

# shellcheck source-path=SCRIPTDIR
. "$BATS_TEST_DIRNAME/../e2e/helpers.bash"

setup_file()
{
	need gcc setpriv python3
	gcc -O2 -Wall -Wextra -Werror -static -o "$BATS_FILE_TMPDIR/escape" \
		"$BATS_TEST_DIRNAME/escape.c"
}

setup()
{
	escape=$BATS_FILE_TMPDIR/escape
	inside=$tmp/inside
	outside=$tmp/outside
	victims=()
}

teardown()
{
	local victim

	for victim in "${victims[@]}"; do
		stop "$victim"
	done
}

# Both directories are the application's own, by file modes.
lay_out()
{
	rm -rf "$inside" "$outside"
	mkdir "$inside" "$outside"
	echo precious >"$outside/log"
	chown -R 4242:4242 "$inside" "$outside"
}

# escapes HOW...: one after the other
escapes()
{
	local how

	for how; do
		lay_out
		capture setpriv --reuid=4242 --regid=4242 --clear-groups \
			"$escape" "$how" "$inside" "$outside"
		[ "$(cat "$out")" = worked ] ||
			fail_seen "$how should work without a domain"
		lay_out
		as_4242 --confine=strict --writable="$inside" -- \
			"$escape" "$how" "$inside" "$outside"
		exited 1
		grep -Eq 'Permission denied|not permitted|cross-device' "$out" ||
			fail_seen "$how: not for want of permission"
		[ "$(cat "$outside/log")" = precious ] ||
			fail_seen "$how: the log was changed"
		[ "$(ls "$outside")" = log ] || fail_seen "$how: a new file"
	done
}

@test "symbolic and hard links to a file outside" {
	escapes symlink hard-link link-of-fd reopening
}

@test "renames out of the tree, into it, and exchanged" {
	escapes rename-out rename-in exchange
}

@test "a file without a name, truncation" {
	escapes tmpfile truncate open-truncate
}

@test "io_uring" {
	[ "$(cat /proc/sys/kernel/io_uring_disabled 2>/dev/null || echo 0)" = 0 ] ||
		cannot_run 'io_uring is disabled'
	escapes io-uring
}

@test "a mount in a user namespace of its own" {
	escapes bind-mount
}

@test "memory, ptrace, signals and abstract sockets of a process outside" {
	setpriv --reuid=4242 --regid=4242 --clear-groups /usr/bin/python3 -c '
import os, socket, time
s = socket.socket(socket.AF_UNIX); s.bind("\0stepdown-" + str(os.getpid()))
s.listen(); print("ready", flush=True); time.sleep(3600)' >"$tmp/ready" \
		3>&- 4>&- &
	victims=($!)
	eventually 60 grep -q ready "$tmp/ready" || fail "it does not start"
	export VICTIM=$! ABSTRACT=stepdown-$!
	escapes its-memory ptrace signal queued-signal abstract-socket
}

# Its own memory is its own; what it maps read-only stays so for the file.
@test "/proc/self/mem writes no file" {
	lay_out
	as_4242 --confine=strict --writable="$inside" -- \
		"$escape" own-memory "$inside" "$outside"
	exited 1
	[ "$(cat "$outside/log")" = precious ]
}

@test "what the application starts is in the domain too" {
	lay_out
	as_4242 --confine=strict --writable="$inside" -- setsid -w sh -c \
		"sh -c 'exec $escape truncate $inside $outside'"
	exited 1
	as_4242 --confine=strict --writable="$inside" -- "$STEPDOWN" \
		--user=4242:4242 --confine --writable="$outside" -- \
		"$escape" truncate "$inside" "$outside"
	exited 1
	[ "$(cat "$outside/log")" = precious ]
}

# --own follows no symbolic link, and neither does the rule.
@test "an --own path that a hostile volume made a symbolic link" {
	mkdir "$tmp/volume"
	lay_out
	ln -s "$outside" "$tmp/volume/data"
	as_4242 --confine=strict --own="$tmp/volume/data,try" -- \
		sh -c "echo x >>$outside/log"
	[ "$status" -ne 0 ]
	[ "$(cat "$outside/log")" = precious ]
}

# Root's own links are as good as paths: /var/run leads to /run.
@test "a --writable path that a hostile volume made a symbolic link" {
	local root=$tmp/root word

	mkdir "$tmp/volume"
	chown 4242 "$tmp/volume"
	lay_out
	ln -s "$outside" "$tmp/volume/data"
	for word in writable readable; do
		as_4242 --confine=strict --"$word=$tmp/volume/data" -- \
			sh -c "echo x >>$outside/log"
		refused 111 "confine: allow $tmp/volume/data"
	done
	[ "$(cat "$outside/log")" = precious ]
	make_scratch "$root"
	mkdir -m 777 "$root/run"
	mkdir "$root/var"
	ln -s ../run "$root/var/run"
	capture chroot "$root" /stepdown --user=4242:4242 --confine=strict \
		--writable=/var/run -- /witness exit 0
	exited 0
}

# Whoever can write a directory of PATH may put a link to / by COMMAND's name
# there, and take it away again before execve(2).
@test "a COMMAND that becomes a link to / and back while the rules are made" {
	local bin=$tmp/bin ran=0 run

	mkdir "$bin"
	echo precious >"$tmp/secret"
	# shellcheck disable=SC2016 # for the inner shell
	printf '#!/bin/sh\ncat "$1" && echo open\necho ran\n' >"$bin/program"
	chmod 755 "$bin/program"
	ln "$bin/program" "$bin/server"
	/usr/bin/python3 - "$bin" <<-'END' 3>&- 4>&- &
	import os, sys, time
	os.chdir(sys.argv[1])
	end = time.monotonic() + 120
	while time.monotonic() < end:
	    os.symlink("/", "link")
	    os.rename("link", "server")
	    os.link("program", "file")
	    os.rename("file", "server")
	END
	victims=($!)
	for ((run = 0; run < 10000 && ran < 300; run++)); do
		as_4242 --confine=strict --readable=/etc/hostname \
			--env=PATH="$bin:/usr/bin:/bin" -- server "$tmp/secret"
		! grep -q 'open\|precious' "$out" || fail_seen "in run $run"
		! grep -q ran "$out" || ran=$((ran + 1))
	done
	[ "$ran" -eq 300 ] || fail "COMMAND ran only $ran times"
}
