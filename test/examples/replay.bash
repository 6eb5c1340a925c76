# shellcheck shell=bash
# What a page shows is what happens: its blocks of console are run, and the page
# with what they print now must be the page.
#
# A line `$ COMMAND` is run, with the lines after it that begin with "> "; those
# that follow are what it prints, stderr too. The lines of a page share the
# directory, the functions and the background jobs of one shell.
#
# An engine carries the two streams of a container through two pipes, so that
# their order is chance: a line of the page may be the next of either.

# carry_out COMMAND: what it prints is in said and complained, line by line
carry_out()
{
	eval "$1" >"$tmp/said" 2>"$tmp/complained" </dev/null \
		3>&- 4>&- 5<&- || true
	mapfile -t said <"$tmp/said"
	mapfile -t complained <"$tmp/complained"
}

# take LINE: print the next line of a stream, of the one that has LINE there
take()
{
	if [ ${#complained[@]} -gt 0 ] &&
		{ [ ${#said[@]} -eq 0 ] || [ "${complained[0]}" = "$1" ]; }; then
		printf '%s\n' "${complained[0]}"
		complained=("${complained[@]:1}")
	elif [ ${#said[@]} -gt 0 ]; then
		printf '%s\n' "${said[0]}"
		said=("${said[@]:1}")
	fi
}

# replay PAGE: the page as it would be
replay()
{
	local line command='' inside='' said=() complained=()

	exec 5<"$1"
	shopt -s expand_aliases
	while IFS= read -r line <&5 || [ -n "$command" ]; do
		if [[ -n $command && $line != '> '* ]]; then
			carry_out "$command"
			command=
		fi
		if [[ -n $inside && ! $line =~ ^('```'|'$ '|'> ') ]]; then
			take "$line"
			continue
		fi
		while [ $((${#said[@]} + ${#complained[@]})) -gt 0 ]; do
			take ''
		done
		case $line in
		'```console') inside=yes ;;
		'```'*) inside= ;;
		'$ '*) [ -z "$inside" ] || command=${line#\$ } ;;
		'> '*) [ -z "$command" ] || command+=$'\n'${line#> } ;;
		esac
		printf '%s\n' "$line"
	done
}

# page_is_true FILE LEAST: replayed here, in the network of `before`; it has at
# least that many commands
page_is_true()
{
	[ "$(grep -c '^\$ ' "$1")" -ge "$2" ] || fail "$1 has no commands"
	export -f replay carry_out take
	export tmp
	# shellcheck disable=SC2016,SC2154 # for the inner shell; of helpers.bash
	"${before[@]}" bash -c 'replay "$0"' "$1" 2>&1 3>&- 4>&- | tr -d '\r' >"$tmp/replayed"
	diff "$1" "$tmp/replayed"
}
