#!/usr/bin/env bats
# examples/socket-handover: haproxy and gunicorn on port 80, as uid 4242, where
# ports below 1024 are not for everybody.

# shellcheck source-path=SCRIPTDIR
. "$BATS_TEST_DIRNAME/../e2e/helpers.bash"
# shellcheck source-path=SCRIPTDIR
. "$BATS_TEST_DIRNAME/replay.bash"

example=$top/examples/socket-handover

setup_file()
{
	need haproxy gunicorn curl pgrep
	net_up
}

setup()
{
	use_net
	# Where uid 4242 can read: the tree may be in a folder of root's.
	chmod 755 "$BATS_RUN_TMPDIR" "$BATS_FILE_TMPDIR" "$tmp"
	cp "$example"/haproxy.cfg "$example"/app.py "$tmp"
	chmod 644 "$tmp"/haproxy.cfg "$tmp"/app.py
	cd "$tmp" || return
}

# serve WORD... : as uid 4242 with a socket of port 80
serve()
{
	in_background "$STEPDOWN" --user=4242:4242 \
		--listen=tcp://0.0.0.0:80 -- "$@"
}

answers()
{
	[ "$(in_net curl -s --max-time 5 http://127.0.0.1:80/)" = "$1" ]
}

# Every process of it, as the kernel tells
all_unprivileged()
{
	local pid pids

	pids=$(family "$background")
	[ "$(wc -w <<<"$pids")" -ge 2 ] || fail 'no worker'
	for pid in $pids; do
		grep -Eq '^Uid:(\s4242){4}$' "/proc/$pid/status"
		grep -Eq '^CapBnd:\s0{16}$' "/proc/$pid/status"
		grep -Eq '^CapPrm:\s0{16}$' "/proc/$pid/status"
		grep -Eq '^NoNewPrivs:\s1$' "/proc/$pid/status"
	done
}

@test "haproxy takes port 80 as descriptor 3" {
	serve haproxy -W -db -f haproxy.cfg
	eventually 10 answers 'from haproxy' || fail_seen 'no answer'
	all_unprivileged
}

@test "gunicorn takes port 80 by LISTEN_FDS" {
	serve gunicorn --worker-tmp-dir /dev/shm app:app
	eventually 10 answers 'from gunicorn' || fail_seen 'no answer'
	all_unprivileged
}

@test "without the socket neither can" {
	sed 's/fd@3/0.0.0.0:80/' haproxy.cfg >plain.cfg
	as_4242 -- timeout 60 haproxy -db -f plain.cfg
	[ "$status" -ne 0 ]
	grep -qi 'permission denied' "$err"
	as_4242 -- timeout 60 gunicorn --bind 0.0.0.0:80 app:app
	[ "$status" -ne 0 ]
}

@test "the page says what happens" {
	mkdir -p "$tmp/examples/socket-handover" "$tmp/build"
	cp "$STEPDOWN" "$tmp/build/stepdown"
	cd "$tmp/examples/socket-handover" || return
	cp "$tmp"/haproxy.cfg "$tmp"/app.py .
	page_is_true "$example/README.md" 7
}

@test "gunicorn beside a --bind: an address is nothing to it, fd://3 its end" {
	serve gunicorn --worker-tmp-dir /dev/shm --bind 0.0.0.0:80 app:app
	eventually 10 answers 'from gunicorn' || fail_seen 'no answer'
	stop_family
	as_4242 --listen=tcp://0.0.0.0:81 -- gunicorn \
		--worker-tmp-dir /dev/shm --bind fd://3 app:app
	exited 1
}
