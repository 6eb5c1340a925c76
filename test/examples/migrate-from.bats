#!/usr/bin/env bats
# Each pair of examples/migrate-from: the old line and the new, with the witness
# as the application.

# shellcheck source-path=SCRIPTDIR
. "$BATS_TEST_DIRNAME/../e2e/helpers.bash"

setup_file()
{
	need gosu setpriv s6-setuidgid chpst tini dumb-init
	mkdir "$BATS_FILE_TMPDIR/bin"
	cp "$STEPDOWN" "$BATS_FILE_TMPDIR/bin/stepdown"
	PATH=$BATS_FILE_TMPDIR/bin:$PATH
}

# What must be the same. HOME is the README's; what stepdown takes away besides
# is looked at by itself. That the gid is among the groups as well means nothing.
comparable()
{
	sed -E '/^groups=/s/\b4242\b ?//' "$1" | grep -E '^(uid|gid|groups|argv|env|cwd|umask|signals|rlimit|secure=|fd\.[012]\.)' |
		grep -Ev '^env\.(HOME|USER|LOGNAME|_|SHLVL)=|^fd\..*\.(pos|ino)='
}

run_words()
{
	local words

	read -r -a words <<<"$1"
	capture env -u USER -u LOGNAME -u SHELL "${words[@]}" "$WITNESS" one 'two words'
	succeeded
}

# pair OLD NEW
pair()
{
	run_words "$1"
	comparable "$out" >"$tmp/old"
	run_words "$2"
	comparable "$out" >"$tmp/new"
	diff "$tmp/old" "$tmp/new" >"$tmp/diff" ||
		fail_seen "$1 | $2" "$(cat "$tmp/diff")"
	witness_is 4242 4242 "$(witness groups)"
	witness_has_descriptors 0 1 2
}

each_pair()
{
	local old new n=0

	while IFS='|' read -r old new; do
		pair "$old" "$new"
		n=$((n + 1))
	done <"$tmp/pairs"
	[ "$n" -ge "$1" ]
}

@test "gosu, setpriv, s6-setuidgid, chpst: the application sees the same" {
	grep -Ev '^#|--init' "$top/examples/migrate-from/pairs" >"$tmp/pairs"
	each_pair 6
}

@test "tini and dumb-init with gosu: the application sees the same" {
	grep -e --init "$top/examples/migrate-from/pairs" >"$tmp/pairs"
	each_pair 2
}

@test "the old lines leave what the README says they leave" {
	local old _

	while IFS='|' read -r old _; do
		[[ $old != \#* ]] || continue
		run_words "$old"
		case $old in
		*--no-new-privs*)
			says no_new_privs=1 cap.bounding=$no_caps
			;;
		*)
			says no_new_privs=0
			[ "$(witness cap.bounding)" != $no_caps ]
			;;
		esac
		says securebits=0
	done <"$top/examples/migrate-from/pairs"
}

@test "HOME is what the README says" {
	export HOME=/root
	run_words 'gosu 4242:4242'
	says env.HOME=/
	run_words 'setpriv --reuid=4242 --regid=4242 --clear-groups'
	says env.HOME=/root
	run_words 'stepdown --user=4242:4242 --'
	says env.HOME=/
}
