# shellcheck shell=bash
# What a page shows is what happens: its blocks of console are run, and the page
# with what they print now must be the page.
#
# A line `$ COMMAND` is run, with the lines after it that begin with "> "; those
# that follow are what it prints, stderr too. The lines of a page share the
# directory, the functions and the background jobs of one shell.

# replay PAGE: the page as it would be
replay()
{
	local line command=

	exec 5<"$1"
	shopt -s expand_aliases
	while IFS= read -r line <&5 || [ -n "$command" ]; do
		if [[ -n $command && $line != '> '* ]]; then
			eval "$command" 2>&1 </dev/null 3>&- 4>&- 5<&- || true
			command=
		fi
		case $line in
		'```console') inside=yes ;;
		'```'*) inside= ;;
		'$ '*)
			[ -z "${inside-}" ] || command=${line#\$ }
			;;
		'> '*)
			[ -z "$command" ] || command+=$'\n'${line#> }
			;;
		*)
			[ -z "${inside-}" ] || continue
			;;
		esac
		printf '%s\n' "$line"
	done
}

# page_is_true FILE LEAST: replayed here, in the network of `before`; it has at
# least that many commands
page_is_true()
{
	[ "$(grep -c '^\$ ' "$1")" -ge "$2" ] || fail "$1 has no commands"
	export -f replay
	# shellcheck disable=SC2016,SC2154 # for the inner shell; of helpers.bash
	"${before[@]}" bash -c 'replay "$0"' "$1" 2>&1 3>&- 4>&- | tr -d '\r' >"$tmp/replayed"
	diff "$1" "$tmp/replayed"
}
