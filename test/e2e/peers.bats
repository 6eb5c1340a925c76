#!/usr/bin/env bats
# The same wishes given to the tools that people use for this, side by side.
# The table is printed, in Markdown, so that doc/measurements.md can state it as measured.
# (su-exec is not in Debian.)

# shellcheck source-path=SCRIPTDIR
. "$BATS_TEST_DIRNAME/helpers.bash"

setup_file()
{
	need gosu setpriv chpst s6-setuidgid
}

tools=(gosu setpriv chpst s6-setuidgid stepdown)

# become TOOL ID: the words that run a command as that uid and gid, which is one
# number, or as what the tool makes of "4242" alone
become()
{
	case $1 in
	gosu) words=(gosu "$2") ;;
	setpriv)
		words=(setpriv "--reuid=${2%:*}")
		[[ $2 != *:* ]] || words+=("--regid=${2#*:}" --clear-groups)
		;;
	chpst) words=(chpst -u ":$2") ;;
	s6-setuidgid) words=(s6-setuidgid "$2") ;;
	stepdown) words=("$STEPDOWN" "--user=$2" --) ;;
	esac
}

# as_name TOOL NAME
as_name()
{
	case $1 in
	setpriv) words=(setpriv "--reuid=$2" "--regid=$2" --init-groups) ;;
	chpst) words=(chpst -u "$2") ;;
	*) become "$1" "$2" ;;
	esac
}

# What the witness says it became: "uid:gid" and its groups.
seen()
{
	capture setpriv --groups=0,2000 "${words[@]}" "$WITNESS"
	if [ "$status" -ne 0 ]; then
		echo refused
	else
		echo "$(witness uid.effective):$(witness gid.effective)" \
			"[$(witness groups)]"
	fi
}

# row WORDS HOW ID: a line of the table, and one for each tool in $tmp/results
row()
{
	local tool cell

	printf '| %s |' "$1"
	for tool in "${tools[@]}"; do
		"$2" "$tool" "$3"
		cell=$(seen)
		echo "$3 $tool $cell" >>"$tmp/results"
		printf ' %s |' "$cell"
	done
	printf '\n'
}

table()
{
	printf '| started as root with groups [0 2000] |'
	printf ' %s |' "${tools[@]}"
	printf '\n|---|---|---|---|---|---|\n'
	row 'as 4242, which has no entry in /etc/passwd' become 4242
	row 'as 4242:4242' become 4242:4242
	row 'as www-data' as_name www-data
	row 'as 4294967295:4294967295' become 4294967295:4294967295
	row 'as 4294967296:4294967296' become 4294967296:4294967296
}

result()
{
	grep -Fxq -- "$*" "$tmp/results" || fail "not: $*" "$(cat "$tmp/results")"
}

@test "gid 0, groups and ids that overflow, with five tools" {
	table >"$tmp/table"
	sed 's/^/# /' "$tmp/table" >&3

	result 4242 stepdown refused
	result 4242:4242 stepdown '4242:4242 [2000]'
	result www-data stepdown '33:33 [2000]'
	result 4294967295:4294967295 stepdown refused
	result 4294967296:4294967296 stepdown refused

	# What doc/measurements.md says of the others. If one of these fails, they have
	# become better: measure again.
	result 4242 gosu '4242:0 []'
	result 4242:4242 gosu '4242:4242 []'
	result 4242:4242 setpriv '4242:4242 []'
	result 4294967295:4294967295 setpriv '0:0 []'
	result 4294967296:4294967296 chpst '0:0 [0]'
}
