#!/usr/bin/env bats
# What the binary is made of, and whether the sources and the papers agree.

# shellcheck source-path=SCRIPTDIR
. "$BATS_TEST_DIRNAME/helpers.bash"

setup_file()
{
	need readelf strings
}

@test "static, not position-independent, stripped, at most 160 KiB" {
	capture "$top/test/lib/check-binary" "$STEPDOWN"
	! grep '^not ok' "$out" || fail_seen
	succeeded
	[ "$(stat -c %s "$STEPDOWN")" -le 163840 ]
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
	! grep -rEn '\<(get(pw|gr)(nam|[ug]id|ent)(_r)?|getgrouplist|initgroups|getaddrinfo|gethostby[a-z]+|dlopen)\(' \
		"$top/shim" | grep -Ev ':[0-9]+:[[:space:]]*/?\*' ||
		fail 'it does'
}

@test "only cred/caps.c includes libcap-ng" {
	[ "$(cd "$top/shim" && grep -rlE '^#include.*cap-ng' .)" = \
		./cred/caps.c ]
}

# A witness that shares code with what it watches would share its mistakes.
@test "drop/verify includes nothing of what it proves" {
	[ -s "$top/shim/drop/verify.c" ]
	! grep -E '^#include.*(drop/drop|cred/caps|cap-ng)' \
		"$top"/shim/drop/verify.[ch] || fail 'it does'
}

long_options()
{
	"$STEPDOWN" --help | grep -Eo '^ +(-[a-zA-Z], )?--[a-z0-9-]+' |
		grep -Eo -- '--[a-z0-9-]+'
}

@test "every option of --help is in the man page" {
	local option

	[ "$(long_options | wc -l)" -ge 13 ]
	for option in $(long_options); do
		# mdoc: .It Fl u , Fl -user Ns = ...
		grep -Eq "^\.It.* Fl -${option#--}( |\$)" \
			"$top/doc/stepdown.1" ||
			fail "$option is not in the man page"
	done
}

@test "every option is in the SYNOPSIS of the man page" {
	local option

	sed -n '/^\.Sh SYNOPSIS/,/^\.Sh DESCRIPTION/p' "$top/doc/stepdown.1" \
		>"$tmp/synopsis"
	while read -r option; do
		grep -Eq "^\.(Op )?Fl (. \| )?$option( |\$)" "$tmp/synopsis" ||
			fail "$option is not there"
	done < <("$STEPDOWN" --help |
		sed -En 's/^ +(-([a-zA-Z]), )?-(-[a-z0-9-]+).*/\2 \3/p' |
		awk '{ print $1 }')
}

@test "the man page says what may be given more than once, and the steps" {
	awk '/^\t\{ [A-Z]+, / { split($0, word, "\""); name = word[2] }
		/\.many = true/ { print name }' "$top/shim/option_table.c" |
		sort >"$tmp/table"
	[ -s "$tmp/table" ]
	sed -n '/^Only$/,/^may be given/{ s/^\.Fl -\([a-z-]*\).*/\1/p
		/^may be given/q }' "$top/doc/stepdown.1" | sort |
		diff "$tmp/table" -
	sed -n '/steps_names\[STEPS\] = {/,/}/p' "$top/shim/steps.c" |
		grep -o '"[a-z-]*"' | tr -d '"' >"$tmp/steps"
	[ -s "$tmp/steps" ]
	sed -n '/^\.Bl -enum/,/^\.El/s/^\.Sy \([a-z-]*\) \.$/\1/p' \
		"$top/doc/stepdown.1" | sed 1d | diff "$tmp/steps" -
}

@test "every option is in the table of the README" {
	local option

	for option in $(long_options); do
		grep -Eq "^\| .*\`${option}(\`|=|\[)" "$top/README.md" ||
			fail "$option is not there"
	done
}

@test "what SECURITY.md, CONTRIBUTING.md and RELEASING.md name is there" {
	local name file pages=("$top"/{SECURITY,CONTRIBUTING,RELEASING}.md)

	# shellcheck disable=SC2016 # as the pages quote
	while read -r name _ file; do
		grep -q "\b$name(" "$top/$file" || fail "no $name() in $file"
	done < <(grep -hoE '`[a-z_]+\(\)` in `[^`]+`' "${pages[@]}" | tr -d '`()')
	# shellcheck disable=SC2016 # as the pages quote
	while read -r file; do
		[ -e "$top/$file" ] || fail "no $file"
	done < <(grep -hoE '`(shim|test|doc|packaging)/[A-Za-z0-9_./-]+`' \
		"${pages[@]}" | tr -d '`')
}

# mdoc takes some words of two letters for its macros.
@test "no heading of the man page begins with a macro by accident" {
	! grep -nE '^\.It (In|An|At|No|Do|So|Of|Os|Me|St|Re|Ta) ' \
		"$top/doc/stepdown.1" || fail 'put \& before it'
}

# completes OPTION WORD: by the function for bash, one word a line
completes()
{
	# shellcheck disable=SC2016 # for that shell
	bash -euc '. "$0"; compopt() { :; }; COMP_WORDS=(stepdown "$2" = "$3")
		COMP_CWORD=3; [ -n "$2" ] || { COMP_WORDS=(stepdown "$3"); COMP_CWORD=1; }
		_stepdown "$1" "$3" "${2:+=}"; printf "%s\n" "${COMPREPLY[@]}"' \
		"$top/packaging/completion/stepdown" "$STEPDOWN" "$@"
}

@test "completion for bash has every option of --help, and their words" {
	completes '' -- | sed 's/=$//' | sort >"$tmp/bash"
	long_options | sort | diff - "$tmp/bash"
	[ "$(completes --handoff n)" = nginx ]
	[ "$(completes --keep-caps chow)" = chown ]
	[ "$(completes --check j)" = json ]
	[ "$(completes --rewrite TER)" = TERM ]
	[ "$(completes --own /et)" = /etc ]
}

@test "completion for zsh has what --help says" {
	need zsh
	# shellcheck disable=SC2016 # for that shell
	TERM=dumb capture timeout 120 zsh -f -c 'zmodload zsh/zpty; zpty shell zsh -f -i
		zpty -w shell "PATH=$2:\$PATH fpath=($1 \$fpath)
			autoload -U compinit; compinit -u -d $3; echo rea\dy"
		zpty -r -m shell line "*ready*"
		zpty -n -w shell $'"'stepdown --hando\t'"'
		zpty -r -m shell line "*--handoff*"' zsh \
		"$top/packaging/completion" "${STEPDOWN%/*}" "$tmp/dump"
	succeeded
}

@test "every option of the man page is in --help" {
	local option

	while read -r option; do
		long_options | grep -Fxq -- "--$option" ||
			fail "--$option is not in --help"
	done < <(sed -En 's/^\.It.* Fl -([a-z0-9-]+).*/\1/p' "$top/doc/stepdown.1")
}

# setcap's words: one set, which the tests give to their images too.
@test "the file capabilities are the same wherever they are named" {
	grep -rhoE 'setcap cap_[a-z_,]*cap_setpcap=p' "$top/doc" "$top/README.md" \
		"$top/examples" "$top/test/e2e/engine.bash" >"$tmp/sets"
	[ "$(wc -l <"$tmp/sets")" -ge 3 ]
	[ "$(sort -u "$tmp/sets" | wc -l)" -eq 1 ] || fail "$(cat "$tmp/sets")"
}

@test "the version is the one of configure.ac" {
	local version

	version=$(sed -En 's/^AC_INIT\(\[stepdown\], *\[([^]]*)\].*/\1/p' \
		"$top/configure.ac")
	[ -n "$version" ]
	[ "$("$STEPDOWN" --version)" = "stepdown $version" ]
}
