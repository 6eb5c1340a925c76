#!/usr/bin/env bats
# The README's first screen, as it stands, on Debian's nginx in the shape of the
# official image; and what it says elsewhere. podman is told docker's words.

# shellcheck source-path=SCRIPTDIR
. "$BATS_TEST_DIRNAME/podman.bash"
# shellcheck source-path=SCRIPTDIR
. "$BATS_TEST_DIRNAME/replay.bash"

readme=$top/README.md

setup_file()
{
	need podman runc busybox curl mmdebstrap
	store_up
	without_network
	mkdir "$BATS_FILE_TMPDIR/stepdown"
	cp "$STEPDOWN" "$BATS_FILE_TMPDIR/stepdown/stepdown"
	printf 'FROM scratch\nCOPY stepdown /stepdown\n' \
		>"$BATS_FILE_TMPDIR/stepdown/Dockerfile"
	quietly podman build -t stepdown "$BATS_FILE_TMPDIR/stepdown"
	"$top/examples/nginx/make-root" "$top/build/roots/nginx"
	tar -C "$top/build/roots/nginx" -c . | quietly podman import - debian-nginx
	quietly podman build --network none --pull-never \
		--build-arg BASE=debian-nginx -t nginx \
		"$BATS_TEST_DIRNAME/official"
}

teardown_file()
{
	podman_down
}

# block LANGUAGE: the first block of that kind
block()
{
	sed -n "/^\`\`\`$1\$/,/^\`\`\`\$/p" "$readme" | sed '1d; /^```$/,$d'
}

# The sysctl is for what a test about ports proves; see test/e2e.
docker()
{
	case $1 in
	build)
		shift
		podman build -q --network none --pull-never "$@" >"$tmp/log" ||
			cat "$tmp/log"
		;;
	run)
		shift 2
		podman run -d --sysctl net.ipv4.ip_unprivileged_port_start=1024 \
			"$@" >"$tmp/log" 2>&1 || cat "$tmp/log"
		eventually 20 podman exec "$2" \
			grep -q '^NoNewPrivs:.1' /proc/1/status
		;;
	*) podman "$@" ;;
	esac
}

setup()
{
	mkdir "$tmp/here"
	cd "$tmp/here" || return
	block dockerfile >Dockerfile
	export -f docker eventually
	export tmp
}

teardown()
{
	podman rm --all --force -t 0 >/dev/null 2>&1 || true
}

# serves NAME: over IPv4 and IPv6
serves()
{
	local pid

	pid=$(podman inspect --format '{{.State.Pid}}' "$1")
	eventually 10 nsenter --target "$pid" --net \
		curl -sf -o /dev/null http://127.0.0.1/ ||
		fail "$(podman logs "$1" 2>&1)"
	nsenter --target "$pid" --net curl -sf -g -o /dev/null 'http://[::1]/' ||
		fail "not over IPv6: $(podman logs "$1" 2>&1)"
}

@test "the first screen: its commands print what it says, and nginx serves" {
	page_is_true "$readme" 3
	serves web
	podman exec web grep -q '::' /etc/nginx/conf.d/default.conf
	quietly podman stop -t 20 web
	[ "$(podman inspect --format '{{.State.ExitCode}}' web)" = 0 ]
}

@test "its securityContext is enough for it" {
	local add

	add=$(block yaml | sed -n 's/^ *add: \[\(.*\)\]/\1/p' | tr -d ' ')
	[ -n "$add" ]
	docker build -t web .
	quietly podman run -d --name strict --cap-drop ALL --cap-add "$add" \
		--security-opt no-new-privileges \
		--sysctl net.ipv4.ip_unprivileged_port_start=1024 web
	serves strict
}

@test "HEALTHCHECK's words: who asks is the user, not root" {
	docker build -t web .
	docker run -d --name web web
	serves web
	capture podman exec web stepdown --user=nginx -- \
		grep -E '^(Uid|CapBnd)' /proc/self/status
	grep -Eq '^Uid:(.101){4}$' "$out" || fail_seen 'somebody else'
	grep -Eq '^CapBnd:.0+$' "$out"
}

# message COMMAND...: one of its table
message()
{
	local words=$1

	shift
	capture podman run --rm --entrypoint stepdown "$@"
	grep -Fq -- "stepdown: $words" "$err" || fail_seen "it should say: $words"
	grep -Fq -- "| \`$words" "$readme" || fail "the README has not: $words"
}

@test "the messages of its table are those that are printed" {
	docker build -t web .
	message 'missing capabilities: CAP_SETUID to set the uid' \
		--cap-drop SETUID web --user=nginx -- true
	message '--user 4242: no group, and no entry in /etc/passwd' \
		web --user=4242 -- true
	message "--user app: no user 'app' in /etc/passwd" web --user=app -- true
	message '--user 0:0: that is root' web --user=0:0 -- true
	message 'own /data: No such file or directory' \
		web --user=nginx --own=/data -- true
	message 'own /data: change the owner of /data: Read-only file system' \
		--tmpfs /data:ro web --user=nginx --own=/data -- true
	message 'execute server: No such file or directory' web --user=nginx -- server
	message 'not root: uid 1000, gid 1000 and groups stay' \
		--user 1000:1000 web --user=nginx -- true
	message 'listen tcp://0.0.0.0:80: Address in use' \
		--sysctl net.ipv4.ip_unprivileged_port_start=0 \
		web --user=nginx --listen=tcp://0.0.0.0:80 -- stepdown \
		--user=nginx --listen=tcp://0.0.0.0:80 -- true
}

@test "the README is at most 200 lines, and each page that it names is there" {
	local name

	[ "$(wc -l <"$readme")" -le 200 ]
	while read -r name; do
		[ -e "$top/$name" ] || fail "no $name"
	done < <(grep -oE '(examples|doc|packaging)/[a-zA-Z0-9/._-]*[a-zA-Z0-9]' \
		"$readme")
}
