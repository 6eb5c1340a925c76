#!/usr/bin/env bats
# Every command that a README of examples/ shows is run as it stands, and must
# print what the page says. compose, socket-handover and workshop have tests of
# their own.

# shellcheck source-path=SCRIPTDIR
. "$BATS_TEST_DIRNAME/podman.bash"
# shellcheck source-path=SCRIPTDIR
. "$BATS_TEST_DIRNAME/replay.bash"

setup_file()
{
	need podman runc busybox setcap setpriv gosu curl mmdebstrap npm
	store_up
	without_network
}

teardown_file()
{
	podman_down
}

# enter NAME: a copy of examples/, beside a build/ as the pages want it
enter()
{
	chmod 755 "$BATS_RUN_TMPDIR" "$BATS_FILE_TMPDIR" "$tmp"
	cp -R "$top/examples" "$tmp/examples"
	cd "$tmp/examples/$1" || return
	mkdir "$tmp/build"
	cp "$STEPDOWN" "$tmp/build/stepdown"
}

# What podman says of its progress is not the page's.
podman()
{
	case $1 in
	build)
		shift
		command podman build -q --network none --pull-never "$@" \
			>"$tmp/log" || cat "$tmp/log"
		;;
	kube)
		command podman "$@" >"$tmp/log" 2>&1 || cat "$tmp/log"
		pod_ended "${@: -1}"
		;;
	stop) command podman stop -t 60 "${@:2}" ;;
	*) timeout 600 podman "$@" ;;
	esac
}

# pod_ended FILE: wait until the containers of that manifest's pod have ended
pod_ended()
{
	local pod

	pod=$(sed -n 's/^  name: //p' "$1" | head -n 1)
	command podman ps -a --noheading --filter "name=^$pod-" \
		--format '{{.Names}}' | xargs timeout 600 podman wait >/dev/null 2>&1
}

# page NAME LEAST
page()
{
	enter "$1"
	replayed "$2"
}

# replayed LEAST: the README that is here
replayed()
{
	export -f podman pod_ended
	page_is_true README.md "$1"
}

@test "check" { page check 3; }
@test "copy-in" { page copy-in 2; }
@test "emptydir" { page emptydir 3; }
@test "fsgroup" { page fsgroup 4; }

# In the shape of the official image, with a word for the server.
@test "gosu" {
	mkdir "$tmp/redis"
	cp "$top/test/e2e/entrypoints/redis" "$tmp/redis/docker-entrypoint.sh"
	cat >"$tmp/redis/redis-server" <<-'end'
	#!/bin/sh
	exec grep -E '^(Uid|CapPrm|NoNewPrivs)' /proc/self/status
	end
	chmod 755 "$tmp/redis/"*
	cat >"$tmp/redis/Dockerfile" <<-'end'
	FROM busybox
	COPY docker-entrypoint.sh redis-server /usr/local/bin/
	RUN echo redis:x:999:999::/data:/bin/sh >>/etc/passwd
	WORKDIR /data
	ENTRYPOINT ["docker-entrypoint.sh"]
	CMD ["redis-server"]
	end
	podman build -t redis "$tmp/redis"
	page gosu 4
}

@test "init-with-children" { page init-with-children 2; }
@test "kubernetes" { page kubernetes 3; }

# enter_server NAME FOLDER BASE: as enter, where `run` finds what was built here;
# the image BASE is what FOLDER makes of the server's root
enter_server()
{
	"$1_image"
	quietly command podman build --network none --pull-never \
		--build-arg "BASE=debian-$1" -t "$3" "$BATS_TEST_DIRNAME/$2"
	enter "$1"
	ln -s "$top/bootstrap" "$tmp"
	ln -s "$top/build/roots" "$top/build/cache" "$tmp/build"
	export STEPDOWN
}

@test "nginx" {
	enter_server nginx official nginx
	replayed 6
}

@test "kestrel" {
	enter_server kestrel aspnet mcr.microsoft.com/dotnet/aspnet:8.0
	mkdir publish
	touch publish/web.dll
	replayed 6
}

@test "nameless-uid" { page nameless-uid 3; }
@test "puid-pgid" { page puid-pgid 3; }
@test "read-only-root" { page read-only-root 3; }
@test "secret" { page secret 3; }
@test "user-in-image" { page user-in-image 4; }
@test "volume" { page volume 3; }

@test "a command that a README shows is in a block that is run" {
	# Four blanks begin a block, and a fence without a language is none.
	! awk '/^```/ { inside = !inside; if (inside && $0 == "```") print }
		!inside && /^    / { print FILENAME ": " $0 }' \
		"$top"/examples/*/README.md | grep . ||
		fail 'a block that is not run'
}
