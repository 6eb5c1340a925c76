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
	need podman runc busybox curl mmdebstrap python3 autoreconf
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
	quietly podman stop -t 60 web
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
	# Its table of capabilities: without KILL root may not signal the user.
	run ! podman exec strict sh -c 'kill -HUP 1'
	quietly podman run -d --name kills --cap-drop ALL --cap-add "$add,KILL" \
		--sysctl net.ipv4.ip_unprivileged_port_start=1024 web
	serves kills
	quietly podman exec kills sh -c 'kill -HUP 1'
}

@test "HEALTHCHECK's words: who asks is the user, not root" {
	local asks

	docker build -t web .
	docker run -d --name web web
	serves web
	# shellcheck disable=SC2016 # they are the page's
	mapfile -t asks < <(
		sed -n 's/^- `HEALTHCHECK CMD \(\[.*\]\)`.*/\1/p' "$readme" |
			python3 -c 'import json, sys
for word in json.load(sys.stdin): print(word)')
	[ "${asks[3]}" = curl ]
	quietly podman exec web "${asks[@]}"
	capture podman exec web "${asks[@]:0:3}" \
		grep -E '^(Uid|CapBnd)' /proc/self/status
	grep -Eq '^Uid:(.101){4}$' "$out" || fail_seen 'somebody else'
	grep -Eq '^CapBnd:.0+$' "$out"
	capture docker exec -u nginx web grep '^Uid' /proc/self/status
	grep -Eq '^Uid:(.101){4}$' "$out" || fail_seen 'somebody else'
}

# message SAYS COMMAND...: one of its table, with the lines that the hint has
message()
{
	local says=$1 row hint

	shift
	capture podman run --rm --entrypoint stepdown "$@"
	grep -Fq -- "stepdown: $says" "$err" || fail_seen "it should say: $says"
	row=$(grep -F -- "| \`$says" "$readme") || fail "the README has not: $says"
	while read -r hint; do
		grep -Fq -- "\`${hint%% (*}\`" <<<"$row" ||
			fail_seen "the row has not: $hint"
	done < <(sed -nE 's/^stepdown: hint: (docker|kubernetes): //p' "$err")
}

@test "the messages of its table are those that are printed" {
	docker build -t web .
	message 'missing capabilities: CAP_SETUID to set the uid' \
		--cap-drop SETUID web --user=nginx -- true
	message 'missing capabilities: CAP_NET_BIND_SERVICE to listen on' \
		--user 1000:1000 --sysctl net.ipv4.ip_unprivileged_port_start=1024 \
		web --user=nginx --listen=tcp://0.0.0.0:80 -- true
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
	[ "$(sed -n '/^| it says/,/^$/s/^| `//p' "$readme" | wc -l)" -eq 10 ]
}

# An Alpine of this machine's /usr, musl-gcc and libcap-ng, whose apk has
# nothing to install.
alpine_image()
{
	local root=$tmp/alpine/root name

	mkdir -p "$root/opt/bin" "$root/tmp" "$root/etc"
	for name in bin sbin lib lib64; do
		ln -s "usr/$name" "$root/$name"
	done
	printf '#!/bin/sh\n' >"$root/opt/bin/apk"
	chmod 755 "$root/opt/bin/apk"
	cat >"$tmp/alpine/Dockerfile" <<-'END'
	FROM scratch
	COPY root /
	ENV PATH=/opt/bin:/usr/bin:/usr/sbin CC=musl-gcc LDFLAGS=-L/deps/lib
	ENV CPPFLAGS="-I/deps/include -idirafter /deps/kernel"
	END
	quietly podman build --network none -t docker.io/library/alpine:3 \
		"$tmp/alpine"
}

@test "the image that is made from a clone, on any machine with Docker" {
	local words

	local words

	alpine_image
	# shellcheck disable=SC2016 # they are the page's
	read -r -a words < <(sed -n 's/.*`docker build \([^`]*\)`.*/\1/p' "$readme")
	cd "$top"
	quietly podman build --network none --pull-never -v /usr:/usr:ro \
		-v /etc/alternatives:/etc/alternatives:ro \
		-v "$top/build/deps:/deps:ro" "${words[@]}"
	capture podman run --rm stepdown --version
	[ "$(cat "$out")" = "$("$STEPDOWN" --version)" ] || fail_seen
}

@test "the README is at most 200 lines, and each page that it names is there" {
	local name

	[ "$(wc -l <"$readme")" -le 200 ]
	while read -r name; do
		[ -e "$top/$name" ] || fail "no $name"
	done < <(grep -oE '(examples|doc|packaging)/[a-zA-Z0-9/._-]*[a-zA-Z0-9]' \
		"$readme")
}
