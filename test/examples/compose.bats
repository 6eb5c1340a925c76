#!/usr/bin/env bats
# examples/compose by docker-compose and a Docker daemon of our own. The network
# is nothing but a loopback, which both services share: the daemon touches no
# bridge and no packet filter of the machine.

# shellcheck source-path=SCRIPTDIR
. "$BATS_TEST_DIRNAME/../e2e/helpers.bash"
# shellcheck source-path=SCRIPTDIR
. "$BATS_TEST_DIRNAME/replay.bash"

setup_file()
{
	need docker dockerd docker-compose runc busybox
	export COMPOSE_PROJECT_NAME=stepdown COMPOSE_HTTP_TIMEOUT=600
	docker_up
}

teardown_file()
{
	docker_down
}

compose()
{
	docker-compose -f "$tmp/examples/compose/compose.yaml" \
		-f "$tmp/offline.yaml" "$@" \
		3>&- 4>&-
}

teardown()
{
	compose down -t 2 --volumes >/dev/null 2>&1 || true
}

prepare()
{
	mkdir "$tmp/examples" "$tmp/build"
	cp -R "$top/examples/compose" "$tmp/examples"
	cp "$STEPDOWN" "$tmp/build/stepdown"
	cd "$tmp/examples/compose" || return
	# What a test needs to be different; ports are for a network.
	sed -i '/^ *ports:/d' compose.yaml
	cat >"$tmp/offline.yaml" <<-'end'
	version: "3"
	services:
	  web:
	    network_mode: none
	    sysctls: {net.ipv4.ip_unprivileged_port_start: 1024}
	  writer:
	    network_mode: none
	end
	mkdir "$tmp/base"
	cp "$(command -v busybox)" "$tmp/base/busybox"
	cat >"$tmp/base/Dockerfile" <<-'end'
	FROM scratch
	COPY busybox /bin/busybox
	RUN ["/bin/busybox", "--install", "-s", "/bin"]
	end
	docker build --network none -q -t busybox "$tmp/base" >"$tmp/log" 2>&1
}

page()
{
	[ "$(compose exec -T web wget -q -O - http://127.0.0.1:80/)" = \
		'written by 4242' ]
}

# What docker-compose says of its progress is not the README's; `up` returns when
# the page is there.
as_plugin()
{
	shift
	if [ "$1" = up ]; then
		compose "$@" >"$tmp/log" 2>&1 || cat "$tmp/log"
		eventually 20 page || compose logs
	else
		compose "$@"
	fi
}

# Debian 12 has the plugin of that name as a program.
@test "compose: the README says what happens" {
	prepare || fail "$(cat "$tmp/log")"
	docker() { as_plugin "$@"; }
	export -f docker as_plugin compose page eventually
	export tmp
	page_is_true "$top/examples/compose/README.md" 2
}

@test "compose: the page is written by one and served by the other" {
	prepare || fail "$(cat "$tmp/log")"
	cp "$tmp/build/stepdown" .
	compose up -d --build >"$tmp/log" 2>&1 || fail "$(cat "$tmp/log")"
	eventually 20 page || fail "$(compose logs)"
	compose exec -T web cat /proc/1/status >"$tmp/status"
	grep -Eq '^Uid:(\s4242){4}$' "$tmp/status"
	grep -Eq '^CapBnd:\s0000000000000400$' "$tmp/status"
	grep -Eq '^NoNewPrivs:\s1$' "$tmp/status"
}
