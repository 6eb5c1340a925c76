#!/usr/bin/env bats
# Debian's own nginx with its stock configuration, on port 80, as uid 4242,
# in a container made of namespaces alone.

# shellcheck source-path=SCRIPTDIR
. "$BATS_TEST_DIRNAME/helpers.bash"

example=$top/examples/nginx
root=$top/build/roots/nginx

setup_file()
{
	need curl ip ss pgrep unshare mmdebstrap
	"$example/make-root" "$root"
}

setup()
{
	state=$tmp/state
	mkdir "$state"
	container=''
	master=''
}

# Process 1 takes all of its container with it; `run` ends its own on TERM.
teardown()
{
	[ -n "$container" ] || return 0
	[ -z "$master" ] || kill -KILL "$master" || true
	kill -TERM "$container" || true
	eventually 60 ended || true
	stop "$container"
}

# start COMMAND... : as process 1 of a container with nginx's root; its stdout
# and stderr are pipes that end in $out.
start()
{
	unshare --mount --pid --net --uts --ipc --fork --kill-child=KILL -- \
		"$example/inside" "$root" "$STEPDOWN" "$state" "$@" \
		</dev/null > >(cat >"$out") 2>&1 3>&- 4>&- &
	container=$!
	eventually 60 test -s "$state/pid"
	master=$(cat "$state/pid")
}

start_nginx()
{
	start /stepdown --user=4242:4242 --handoff=nginx \
		--listen=tcp://0.0.0.0:80 --listen='tcp://[::]:80' \
		--own=/var/lib/nginx --own=/run --own-stdio \
		-- nginx -g 'daemon off;'
	eventually 60 serves 127.0.0.1 || fail_seen 'nginx does not serve'
	eventually 60 has_all_workers || fail_seen 'a worker is missing'
}

ended()
{
	! kill -0 "$container"
}

# wait_for_end: $status is what process 1 ended with.
wait_for_end()
{
	eventually 60 ended || fail_seen 'it goes on'
	status=0
	wait "$container" || status=$?
	container=''
}

in_container_net()
{
	nsenter --target "$master" --net -- "$@"
}

serves()
{
	in_container_net curl -sS --globoff --fail --max-time 60 "http://$1/" |
		grep -q 'Welcome to nginx'
}

serves_both()
{
	serves 127.0.0.1
	serves '[::1]'
}

workers()
{
	pgrep --parent "$master"
}

# The first one serves before the others are there.
has_all_workers()
{
	[ "$(workers | wc -l)" -eq "$(getconf _NPROCESSORS_ONLN)" ]
}

# has PID KEY VALUE: in /proc/PID/status
has()
{
	local seen

	seen=$(sed -n "s/^$2:[[:space:]]*//p" "/proc/$1/status" |
		tr '\t' ' ' | sed 's/ *$//')
	[ "$seen" = "$3" ] ||
		fail "process $1 has $2 '$seen', not '$3':" \
			"$(tr '\0' ' ' <"/proc/$1/cmdline")"
}

has_no_privilege()
{
	local pid set

	for pid; do
		has "$pid" Uid '4242 4242 4242 4242'
		has "$pid" Gid '4242 4242 4242 4242'
		has "$pid" Groups ''
		has "$pid" NoNewPrivs 1
		for set in CapInh CapPrm CapEff CapBnd CapAmb; do
			has "$pid" $set $no_caps
		done
	done
}

@test "the configuration is Debian's, to the byte" {
	local file

	for file in nginx.conf sites-available/default; do
		# shellcheck disable=SC2016 # it is for dpkg-query
		chroot "$root" dpkg-query -W -f '${Conffiles}\n' nginx-common |
			grep -F " /etc/nginx/$file " >"$out"
		[ "$(awk '{ print $2 }' "$out")" = \
			"$(md5sum <"$root/etc/nginx/$file" | cut -d' ' -f1)" ]
	done
	[ "$(readlink "$root/etc/nginx/sites-enabled/default")" = \
		/etc/nginx/sites-available/default ]
	file=$root/etc/nginx/sites-available/default
	grep -Eq '^\s*listen 80 default_server;' "$file"
	grep -Eq '^\s*listen \[::\]:80 default_server;' "$file"
}

@test "it serves on 0.0.0.0:80 and [::]:80, without any privilege" {
	start_nginx
	serves_both
	in_container_net ss -Hltn | awk '{ print $4 }' | sort >"$tmp/sockets"
	diff "$tmp/sockets" <(printf '%s\n' 0.0.0.0:80 '[::]:80')
	[ "$(in_container_net cat \
		/proc/sys/net/ipv4/ip_unprivileged_port_start)" = 1024 ]

	has "$master" Name nginx
	has "$master" NSpid "$master 1"
	# shellcheck disable=SC2046 # one word for each process
	has_no_privilege "$master" $(workers)
	# There is no other process in there.
	[ "$(pgrep --ns "$master" --nslist pid . | wc -l)" -eq \
		$(($(workers | wc -l) + 1)) ]
}

@test "what it logs comes out of the container's stdout" {
	start_nginx
	in_container_net curl -s http://127.0.0.1/where-is-this-logged
	eventually 60 grep -q 'GET /where-is-this-logged' "$out"
	eventually 60 grep -q 'using inherited sockets' "$out"
}

@test "what it writes is its own" {
	start_nginx
	owned_by 4242:4242 "/proc/$master/root/run/nginx.pid" \
		"/proc/$master/root/var/lib/nginx" \
		"/proc/$master/root/var/lib/nginx/body"
	owned_by 0:4 "/proc/$master/root/var/log/nginx"
	owned_by 0:0 "$root/var/lib/nginx" \
		"/proc/$master/root/etc/nginx/nginx.conf"
}

no_worker_of()
{
	local pid

	for pid; do
		! workers | grep -qx "$pid" || return 1
	done
	workers | grep -q .
}

@test "after HUP new workers serve, with no more privilege" {
	local old

	start_nginx
	for _ in 1 2 3; do
		mapfile -t old < <(workers)
		kill -HUP "$master"
		eventually 60 no_worker_of "${old[@]}"
		eventually 60 serves_both
		# shellcheck disable=SC2046 # one word for each process
		has_no_privilege "$master" $(workers)
	done
}

@test "QUIT ends it with status 0" {
	start_nginx
	kill -QUIT "$master"
	wait_for_end
	[ "$status" -eq 0 ] || fail_seen "it ended with $status"
}

@test "TERM ends it with status 0" {
	start_nginx
	kill -TERM "$master"
	wait_for_end
	[ "$status" -eq 0 ] || fail_seen "it ended with $status"
}

@test "what is started in the container by nginx's user cannot bind port 80" {
	start_nginx
	capture in_container_net setpriv --reuid=4242 --regid=4242 \
		--clear-groups curl -s --local-port 79 http://127.0.0.1/
	[ "$status" -ne 0 ]
	capture in_container_net curl -s --local-port 79 http://127.0.0.1/
	succeeded
}

# The controls: what of it is stepdown's doing.

@test "without stepdown the same nginx as uid 4242 fails on port 80" {
	# shellcheck disable=SC2016 # for the inner shell
	start sh -c 'chown -R 4242:4242 /var/lib/nginx /run
		chown 4242:4242 /proc/self/fd/1 /proc/self/fd/2
		exec setpriv --reuid=4242 --regid=4242 --clear-groups \
			nginx -g "daemon off;"'
	wait_for_end
	[ "$status" -ne 0 ]
	eventually 60 grep -Eq 'bind\(\) to 0\.0\.0\.0:80 failed \(13' "$out" ||
		fail_seen 'it failed, but not on port 80'
}

@test "without --listen it fails on port 80" {
	start /stepdown --user=4242:4242 --own=/var/lib/nginx --own=/run \
		--own-stdio -- nginx -g 'daemon off;'
	wait_for_end
	[ "$status" -ne 0 ]
	eventually 60 grep -Eq 'bind\(\) to 0\.0\.0\.0:80 failed \(13' "$out" ||
		fail_seen 'it failed, but not on port 80'
}

@test "without --own-stdio it cannot open its log" {
	start /stepdown --user=4242:4242 --handoff=nginx \
		--listen=tcp://0.0.0.0:80 --listen='tcp://[::]:80' \
		--own=/var/lib/nginx --own=/run -- nginx -g 'daemon off;'
	wait_for_end
	[ "$status" -ne 0 ]
	eventually 60 grep -q 'error.log" failed (13: Permission denied)' "$out"
}

# The example itself.

# What is left of containers of the example: processes and mounts.
leftovers()
{
	pgrep -f "$example/(inside|serve)" || true
	grep -F /box/ /proc/self/mountinfo || true
}

@test "examples/nginx/run --once ends with the status of its proof" {
	STEPDOWN=$STEPDOWN capture "$example/run" --once
	proves_all 15
	grep -q 'nginx ended with status 0' "$err"
	[ -z "$(leftovers)" ] || fail_seen "$(leftovers)"
}

# A stepdown that gives nothing away: it is the application with all that root
# has, but for the sockets that nginx then binds by itself.
@test "its proof fails where nothing was dropped" {
	cat >"$tmp/nothing-dropped" <<-'end'
	#!/bin/sh
	while [ "$1" != -- ]; do shift; done
	shift
	exec "$@"
	end
	chmod 755 "$tmp/nothing-dropped"
	STEPDOWN=$tmp/nothing-dropped capture "$example/run" --once
	exited 1
	grep -q 'NOT OK .*uids' "$out"
	grep -q 'NOT OK  CapEff' "$out"
	grep -q 'NOT OK  NoNewPrivs' "$out"
}

@test "examples/nginx/run goes on until Ctrl-C, which ends it cleanly" {
	# bash starts what is in the background with INT ignored.
	STEPDOWN=$STEPDOWN in_background env --default-signal=INT \
		"$example/run"
	container=$background
	eventually 60 grep -q 'Ctrl-C ends it' "$err" || fail_seen
	! grep -q 'NOT OK' "$out" || fail_seen
	kill -INT "$container"
	wait_for_end
	[ "$status" -eq 0 ] || fail_seen "it ended with $status"
	grep -q 'nginx ended with status 0' "$err"
	[ -z "$(leftovers)" ] || fail_seen "$(leftovers)"
}

@test "examples/nginx/run knows what it does not know" {
	capture "$example/run" --no-such-option
	exited 100
	capture "$example/run" --engine=lxc
	exited 100
	grep -q '^usage: ' "$err"
}
