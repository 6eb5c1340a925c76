# shellcheck shell=bash
# What the tests of --own share, on top of helpers.bash.

# shellcheck source-path=SCRIPTDIR
. "$BATS_TEST_DIRNAME/helpers.bash"

verbose=()	# or --verbose, for `own`

# With these alone root overrides no permission.
# shellcheck disable=SC2034 # for the tests
three=(setpriv --bounding-set=-all,+chown,+setuid,+setgid)

setup_file()
{
	need unshare mount strace setpriv setcap getcap chattr python3 bindfs \
		gcc mknod
}

# A folder of the test is not a folder that nobody else may search.
setup()
{
	volume=$tmp/volume
	mkdir "$volume"
	chmod 755 "$tmp"
}

teardown()
{
	umount "$volume" 2>/dev/null || true
}

# try_own VALUE...
try_own()
{
	local value options=()

	for value; do options+=("--own=$value"); done
	as_4242 "${verbose[@]}" "${options[@]}" -- "$WITNESS"
}

# own VALUE...: and the application has run
own()
{
	try_own "$@"
	succeeded
}

# count WORDS: the number before these words in what --verbose counted, not in
# the progress of a run that takes long
count()
{
	grep -v ' seen$' "$err" |
		sed -n "s/^stepdown: own .*[ :]\([0-9]*\) $1.*/\1/p"
}

# counted WORDS NUMBER
counted()
{
	[ "$(count "$1")" = "$2" ] ||
		fail_seen "it should count $2 $1, not $(count "$1")"
}

mode_is()
{
	local mode=$1 path

	shift
	for path; do
		[ "$(stat -c %a "$path")" = "$mode" ] ||
			fail_seen "$path has mode $(stat -c %a "$path"), not $mode"
	done
}

# serve OPTION... : $tmp/served as the volume, by a server of its own. It ends
# with the mount; a test that fails leaves both to teardown.
serve()
{
	bindfs "$@" "$tmp/served" "$volume" >"$tmp/bindfs" 2>&1 3>&- 4>&- ||
		cannot_run "$(cat "$tmp/bindfs")"
}
