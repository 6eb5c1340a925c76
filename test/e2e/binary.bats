#!/usr/bin/env bats
# What the binary is made of, and whether the sources and the papers agree.

# shellcheck source-path=SCRIPTDIR
. "$BATS_TEST_DIRNAME/helpers.bash"

setup_file()
{
	need readelf strings
}

@test "static, not position-independent, stripped, at most 96 KiB" {
	capture "$top/test/lib/check-binary" "$STEPDOWN"
	! grep '^not ok' "$out" || fail_seen
	succeeded
	[ "$(stat -c %s "$STEPDOWN")" -le 98304 ]
}

@test "what says so would also say the opposite" {
	capture "$top/test/lib/check-binary" /bin/sh
	[ "$status" -ne 0 ]
	[ "$(grep -c '^not ok' "$out")" -ge 3 ] || fail_seen
}

# musl has no NSS, but it does have what would read /etc as root and ask nscd.
@test "no name service: no nsswitch.conf, nscd or dlopen in it" {
	! strings -a "$STEPDOWN" |
		grep -E 'nsswitch|nscd|libnss|/etc/(hosts|resolv)' >"$out" ||
		fail_seen 'it has'
}

@test "no file of the program calls a name service" {
	! grep -En '\<(get(pw|gr)(nam|[ug]id|ent)(_r)?|getgrouplist|initgroups|getaddrinfo|gethostby[a-z]+|dlopen)\(' \
		"$top"/shim/*.[ch] | grep -Ev ':[0-9]+:[[:space:]]*/?\*' ||
		fail 'it does'
}

@test "only caps.c includes libcap-ng" {
	[ "$(cd "$top/shim" && grep -lE '^#include.*cap-ng' ./*.[ch])" = \
		./caps.c ]
}

# The map of the rooms in CONTRIBUTING.md, as "room: what it may include".
map_of_rooms()
{
	# shellcheck disable=SC2016 # they are for Markdown
	sed -En 's/^\| `([a-z_]+)(\.[ch])?` \|[^|]*\| ([^|]*) \|$/\1: \3/p' \
		"$top/CONTRIBUTING.md" | tr -d '`,'
}

# The steps of the table, in the words of files.
step_rooms()
{
	sed -En 's/^\t\{ "([a-z-]+)",.*/\1/p' "$top/shim/steps.c" | tr - _
}

# may_include ROOM OTHER
may_include()
{
	local room=$1 other=$2 allowed

	case $other in
	"$room" | fault | text | plan) return 0 ;;
	esac
	allowed=$(map_of_rooms | sed -n "s/^$room: //p")
	case $allowed in
	'') fail "$room is not in the map of CONTRIBUTING.md" ;;
	everything) return 0 ;;
	nothing) return 1 ;;
	'each step '*) allowed="$(step_rooms | xargs) $allowed" ;;
	esac
	grep -Fwq -- "$other" <<<"$allowed"
}

@test "the map of the rooms names every room, and no other" {
	diff <(map_of_rooms | cut -d: -f1 | sort) \
		<(cd "$top/shim" && for f in *.[ch]; do echo "${f%.[ch]}"; done |
			sort -u)
}

@test "a room includes only what the map allows" {
	local file other seen=0

	for file in "$top"/shim/*.[ch]; do
		while read -r other; do
			may_include "$(basename "${file%.[ch]}")" "$other" ||
				fail "${file#"$top"/} includes $other.h"
			seen=$((seen + 1))
		done < <(sed -En 's/^#include "([a-z_]+)\.h"/\1/p' "$file")
	done
	[ "$seen" -gt 20 ]
}

@test "the check of the map finds what is not allowed" {
	may_include steps drop
	may_include main options
	! may_include verify caps || fail 'verify may not include caps'
	! may_include parse own || fail 'parse may not include own'
	! may_include drop listen || fail 'drop may not include listen'
}

@test "no #ifdef outside compat.h, but the guard of each header" {
	local header

	! grep -nE '^# *(ifdef|if|elif|else)\b' "$top"/shim/*.[ch] |
		grep -v /compat.h: || fail 'there is'
	for header in "$top"/shim/*.h; do
		[[ $header == */compat.h ]] ||
			[ "$(grep -c '^#ifndef ' "$header")" -eq 1 ] ||
			fail "${header#"$top"/}"
	done
}

long_options()
{
	"$STEPDOWN" --help | grep -Eo '^ +(-[a-zA-Z], )?--[a-z-]+' |
		grep -Eo -- '--[a-z-]+'
}

@test "every option of --help is in the man page and in the README" {
	local option

	[ "$(long_options | wc -l)" -ge 13 ]
	for option in $(long_options); do
		# mdoc: .It Fl u , Fl -user Ns = ...
		grep -Eq "^\.It.* Fl -${option#--}( |\$)" \
			"$top/doc/stepdown.1" ||
			fail "$option is not in the man page"
		grep -Fq -- "$option" "$top/README.md" ||
			fail "$option is not in the README"
	done
}

@test "every option of the man page is in --help" {
	local option

	while read -r option; do
		long_options | grep -Fxq -- "--$option" ||
			fail "--$option is not in --help"
	done < <(sed -En 's/^\.It.* Fl -([a-z-]+).*/\1/p' "$top/doc/stepdown.1")
}

@test "the version is the one of configure.ac" {
	local version

	version=$(sed -En 's/^AC_INIT\(\[stepdown\], *\[([^]]*)\].*/\1/p' \
		"$top/configure.ac")
	[ -n "$version" ]
	[ "$("$STEPDOWN" --version)" = "stepdown $version" ]
}
