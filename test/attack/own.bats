#!/usr/bin/env bats
# --own and unix sockets against somebody who works in the same volume at the
# same time. What is outside of the volume must not change its owner, whatever
# he does; the same attacks on `chown -R` show that they can catch something.

# shellcheck source-path=SCRIPTDIR
. "$BATS_TEST_DIRNAME/../e2e/helpers.bash"

setup_file()
{
	need unshare mount gcc busybox chown python3 setcap setpriv chroot
	gcc -O2 -Wall -Wextra -Werror -o "$BATS_FILE_TMPDIR/race" \
		"$BATS_TEST_DIRNAME/race.c"
}

DENY=${DENY:-$top/build/test/e2e/deny}

setup()
{
	race=$BATS_FILE_TMPDIR/race
	dir=$tmp/race
	mkdir "$dir"
	options=
	filter=()
	caps=()
}

# With these alone root overrides no permission: what is closed to it is read
# and changed as its owner.
with_three_caps()
{
	caps=(setpriv --bounding-set=-all,+chown,+setuid,+setgid)
}

# number KEY: of what the attack printed
number()
{
	sed -n "s/.*\b$1=\([0-9]*\).*/\1/p" "$out"
}

# attack KIND SWAPS COMMAND... : shows what came of it in bats' own output
attack()
{
	local kind=$1 swaps=$2

	shift 2
	rm -rf "$dir"
	mkdir "$dir"
	capture "$race" "$kind" "$swaps" 600 "$dir" "$@"
	[ "$status" -eq 0 ] || fail_seen 'the attack itself failed'
	echo "# $BATS_TEST_DESCRIPTION: $(cat "$out")" >&3
}

nothing_lost()
{
	attack "$@"
	[ "$(number lost)" -eq 0 ] || fail_seen 'a file outside was changed'
	[ "$(number runs)" -ge 10 ] || fail_seen 'too few runs'
	[ "$(number swaps)" -ge $(($2 / 4)) ] || fail_seen 'too few swaps'
}

own()
{
	nothing_lost "$1" "$2" "${filter[@]}" "${caps[@]}" "$STEPDOWN" --user=@:@ \
		--own="$dir/volume$options" -- /bin/true
}

# catches KIND COMMAND... : this command does lose, sooner or later
catches()
{
	local kind=$1

	shift
	attack "$kind" 0 "$@"
	[ "$(number lost)" -gt 0 ] || fail_seen 'this attack catches nothing'
}

without_openat2()
{
	filter=("$DENY" openat2=1 --)	# EPERM
}

@test "directories and symbolic links are exchanged" {
	own exchange 120000
	[ "$(number failed)" -eq 0 ] || fail_seen 'a run failed'
}

@test "the same, with one thread and with eight" {
	options=,threads=1
	own exchange 20000
	options=,threads=8
	own exchange 20000
}

@test "the same, and openat2 is refused" {
	without_openat2
	own exchange 40000
}

@test "the same, with modes" {
	options=,mode=u=rwX,go=
	own exchange 20000
	[ "$(stat -c %a "$dir/outside")" = 755 ] ||
		fail 'the mode of a directory outside was changed'
}

@test "the same, with CHOWN, SETUID and SETGID alone, and closed directories" {
	with_three_caps
	options=,mode=u=rwX,go=
	own exchange 40000
	[ "$(number failed)" -eq 0 ] || fail_seen 'a run failed'
	without_openat2
	own exchange 20000
	[ "$(stat -c %a "$dir/outside")" = 755 ] ||
		fail 'the mode of a directory outside was changed'
}

@test "a caller of file capabilities plants a file in what create makes" {
	root=$tmp/root
	make_scratch "$root"
	gcc -O2 -static -o "$root/race" "$BATS_TEST_DIRNAME/race.c"
	setcap cap_chown,cap_setuid,cap_setgid,cap_setpcap=p "$root/stepdown"
	mkdir "$root/etc" "$root/race.d" "$root/proc"
	printf '%s\n' user=4242:4242 \
		own=/race.d/volume/new,create,user=33,group=33 \
		>"$root/etc/stepdown.conf"
	# A mode is changed by way of /proc.
	# shellcheck disable=SC2016 # for the inner shell
	capture unshare --mount sh -c 'mount --rbind /proc "$0/proc" &&
		exec chroot "$0" "$@"' "$root" \
		/race create 400000 600 /race.d /stepdown /witness exit 0
	[ "$status" -eq 0 ] || fail_seen 'the attack itself failed'
	echo "# $BATS_TEST_DESCRIPTION: $(cat "$out")" >&3
	[ "$(number failed)" -eq 0 ] || fail_seen 'a run failed'
	[ "$(number runs)" -ge 100 ] || fail_seen 'too few runs'
	[ "$(number lost)" -eq 0 ] || fail_seen 'a planted file was given away'
}

@test "a unix socket is exchanged for root's, and nothing forbids it" {
	without_protected_links
	nothing_lost socket 400000 "$STEPDOWN" --user=@:@ \
		--listen="unix:$dir/volume/socket" -- /bin/true
}

@test "FIFOs, devices, files and directories take each other's places" {
	own plant 40000
	with_three_caps
	own plant 20000
	without_openat2
	own plant 20000
}

@test "a directory is moved out while its content is walked" {
	options=,threads=1
	own above 4000
	options=
	with_three_caps
	own above 2000
	without_openat2
	own above 2000
}

@test "other directories are mounted and unmounted" {
	own mount 20000
	with_three_caps
	without_openat2
	own mount 10000
}

@test "control: the exchange catches busybox chown -R" {
	catches exchange busybox chown -R @:@ "$dir/volume"
}

@test "control: the links catch chown -R and busybox chown -R" {
	catches link chown -R @:@ "$dir/volume"
	catches link busybox chown -R @:@ "$dir/volume"
}

@test "control: the socket catches bind and chown" {
	cat >"$tmp/naive" <<-'END'
	import contextlib, os, socket, sys
	path = sys.argv[1]
	for _ in range(100):
	    with contextlib.suppress(OSError):
	        os.unlink(path)
	    with contextlib.suppress(OSError):
	        socket.socket(socket.AF_UNIX).bind(path)
	        os.chown(path, int(sys.argv[2]), 0)
	END
	catches socket python3 "$tmp/naive" "$dir/volume/socket" @
}

@test "control: the mounts catch chown -R" {
	catches mount chown -R @:@ "$dir/volume"
}
