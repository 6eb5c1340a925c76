#!/usr/bin/env bats
# --account of a file with capabilities, against the caller who runs it: he is
# --user, and must get no hold of /etc/passwd.

# shellcheck source-path=SCRIPTDIR
. "$BATS_TEST_DIRNAME/../e2e/helpers.bash"

setup_file()
{
	need gcc setcap busybox
}

setup()
{
	root=$tmp/root
	mkdir -p "$root/etc"
	# One that is static, to be executed in there as well.
	gcc -O2 -Wall -Wextra -Werror -static -o "$root/grab" \
		"$BATS_TEST_DIRNAME/grab.c"
	cp "$STEPDOWN" "$root/stepdown"
	cp "$(command -v busybox)" "$root/true"
	printf 'user=4242:4242\naccount=web\n' >"$root/etc/stepdown.conf"
}

number()
{
	sed -n "s/.*\b$1=\([0-9]*\).*/\1/p" "$out"
}

# grab RUNS COMMAND... : shows what came of it in bats' own output
grab()
{
	capture "$root/grab" "$root" "$@"
	[ "$status" -eq 0 ] || fail_seen 'the attack itself failed'
	echo "# $BATS_TEST_DESCRIPTION: $(cat "$out")" >&3
}

nothing_grabbed()
{
	setcap "$1=p" "$root/stepdown"
	grab 400 /stepdown /true
	[ "$(number opened)" -eq 0 ] || fail_seen 'a file was opened'
	[ "$(number lost)" -eq 0 ] || fail_seen 'and it is /etc/passwd'
}

@test "a new file that is given to root when it is whole is caught" {
	setcap cap_chown,cap_dac_override,cap_fowner=p "$root/grab"
	grab 400 /grab naive
	[ "$(number lost)" -gt 0 ] || fail_seen 'this attack catches nothing'
}

@test "stepdown with the capabilities to write /etc as root" {
	nothing_grabbed cap_chown,cap_dac_override,cap_fowner,cap_setuid,cap_setgid,cap_setpcap
	[ "$(number added)" -eq 400 ] || fail_seen 'no line was added'
}

@test "the same without those to change ids" {
	nothing_grabbed cap_chown,cap_dac_override,cap_fowner,cap_setpcap
	[ "$(number added)" -eq 400 ] || fail_seen 'no line was added'
}

# Where the image has none, they are made: by root, or not at all.
@test "stepdown that makes the files" {
	local make

	setcap cap_chown,cap_dac_override,cap_fowner,cap_setuid,cap_setgid=p \
		"$root/stepdown"
	for make in yes no; do
		rm -f "$root/etc/passwd" "$root/etc/group"
		capture chroot --userspec=4242:4242 --groups= "$root" \
			/stepdown /true
		[ "$status" -eq 0 ] || fail_seen 'it failed'
		if [ $make = yes ]; then
			[ "$(stat -c '%a %u:%g' "$root/etc/passwd")" = '644 0:0' ]
			setcap cap_chown,cap_dac_override,cap_fowner=p \
				"$root/stepdown"
		else
			[ ! -e "$root/etc/passwd" ]
		fi
	done
}
