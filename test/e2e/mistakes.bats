#!/usr/bin/env bats
# Each mistake of mistakes.txt under docker, podman and in plain namespaces: the
# message names it, and there are both lines to change where they help.
# MISTAKES=FILE gets a line for each, with what was said; with STEPDOWN=OLD that
# shows what an older binary says.

# shellcheck source-path=SCRIPTDIR
. "$BATS_TEST_DIRNAME/helpers.bash"

root=$BATS_FILE_TMPDIR/root

setup_file()
{
	need docker dockerd podman runc setpriv unshare
	make_scratch "$root"
	make_people "$root"
	mkdir -p "$root/data" "$root/bin" "$root/proc"
	printf '#!/bin/sh\r\ntrue\r\n' >"$root/bin/crlf"
	chmod 755 "$root/bin/crlf"
	printf 'FROM scratch\nCOPY . /\nENTRYPOINT ["/stepdown"]\n' \
		>"$BATS_FILE_TMPDIR/Dockerfile"
}

image_up()
{
	"$engine" build --network none --tag mistakes \
		--file "$BATS_FILE_TMPDIR/Dockerfile" "$root" >"$tmp/build" 2>&1 ||
		fail "$(cat "$tmp/build")"
}

# as_container CIRCUMSTANCES WORD... : with $engine; circumstances are words
# shellcheck disable=SC2086
as_container()
{
	local options=(-v "$tmp/volume:/data")

	case $1 in
	drop*) mapfile -t options < <(printf -- '--cap-drop=%s\n' ${1#drop}) ;;
	ro) options=(-v "$tmp/volume:/data:ro") ;;
	user) options=(--user 4242:4343 --security-opt no-new-privileges) ;;
	esac
	capture "$engine" run --rm --network none \
		--sysctl net.ipv4.ip_unprivileged_port_start=1024 \
		"${options[@]}" mistakes "${@:2}"
}

# in_namespaces CIRCUMSTANCES WORD... : no engine at all
# shellcheck disable=SC2086
in_namespaces()
{
	local as=(setpriv) ro=rw words=${1#drop}

	case $1 in
	drop\ ALL) as+=(--bounding-set=-all,+sys_chroot
		--inh-caps=-all,+sys_chroot) ;;
	drop*) words=$(printf ',-%s' ${words,,})
		as+=("--bounding-set=${words:1}" "--inh-caps=${words:1}") ;;
	ro) ro=ro ;;
	user) as=(setpriv --no-new-privs) ;;
	esac
	as+=("$(command -v chroot)")
	[ "$1" != user ] || as+=(--userspec=4242:4343 --groups=)
	# shellcheck disable=SC2016 # for the inner shell
	capture unshare --mount --net --pid --fork sh -ec '
		mount -t proc proc "$0/proc"
		mount -t tmpfs -o "$1" volume "$0/data"
		shift
		exec "$@"' "$root" "$ro" "${as[@]}" "$root" /stepdown "${@:2}"
}

# try WHERE RUN: all rows, each by the function RUN; fails with those that are bad
try()
{
	local what when words named lines bad n=0

	: >"$tmp/bad"
	mkdir "$tmp/volume"
	while IFS='|' read -r what when words named lines; do
		eval "words=($words)"
		"$2" "$when" "${words[@]}" || true
		bad=
		grep -Fq -- "$named" "$err" || bad='not named'
		[ "$lines" != both ] || [ "$(grep -Ec \
			'^stepdown: hint: (docker|kubernetes): ' "$err")" -eq 2 ] ||
			bad+=' not both lines'
		[ "$status" -ge 100 ] || bad+=' not refused'
		printf '%s\t%s\t%s\t%s\n' "$1" "$what" "${bad:-good}" \
			"$(tr -d '\r' <"$err" | paste -sd ' ')" |
			tee -a "${MISTAKES:-/dev/null}" >"$tmp/row"
		[ -z "$bad" ] || cat "$tmp/row" >>"$tmp/bad"
		n=$((n + 1))
	done < <(grep -v '^#' "$BATS_TEST_DIRNAME/mistakes.txt")
	[ "$n" -ge 20 ]
	[ ! -s "$tmp/bad" ] || fail "$(cat "$tmp/bad")"
}

@test "in plain namespaces" {
	try plain in_namespaces
}

@test "under podman" {
	engine=podman
	podman_up image_up podman run --rm --network none mistakes --version
	try podman as_container
}

@test "under docker" {
	engine=docker
	docker_up
	image_up
	try docker as_container
}

teardown_file()
{
	podman_down
}

teardown()
{
	docker_down
}
