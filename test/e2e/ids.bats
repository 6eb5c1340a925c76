#!/usr/bin/env bats
# An id that is no id is refused with status 100 before anything has changed.
# Other tools take some of these for "leave it as it is", and run as root.

# shellcheck source-path=SCRIPTDIR
. "$BATS_TEST_DIRNAME/helpers.bash"

setup_file()
{
	need strace setpriv
}

# Each of them in every place where an id may stand.
bad_ids=(
	-1			# (uid_t)-1 means "no change" to setresuid(2)
	4294967295		# the same, unsigned
	4294967296		# 2^32: 0 in 32 bits
	4294971538		# 2^32 + 4242
	18446744073709551615	# 2^64 - 1
	18446744073709551616	# 2^64: 0 in 64 bits
	18446744073709555858	# 2^64 + 4242
	340282366920938463463374607431768211456
	+1
	-0
	0x10
	1e3
	1.0
	'1 '
	' 1'
	$'1\n'
	$'\t1'
	'1,2'
	no-such-name
	''
)

@test "no bad id is taken for a user" {
	local bad

	for bad in "${bad_ids[@]}"; do
		echo "# --user='$bad'" >&2
		misuse --user "--user=$bad" -- "$WITNESS"
		misuse --user "--user=$bad:4242" -- "$WITNESS"
	done
}

@test "no bad id is taken for a group" {
	local bad

	for bad in "${bad_ids[@]}"; do
		echo "# --user='4242:$bad'" >&2
		misuse --user "--user=4242:$bad" -- "$WITNESS"
	done
	misuse --user --user=4242:4242:4242 -- "$WITNESS"
	misuse --user --user=: -- "$WITNESS"
}

@test "no bad id is taken for a supplementary group" {
	local bad

	for bad in "${bad_ids[@]}"; do
		[ "$bad" != 1,2 ] || continue
		echo "# --groups='$bad'" >&2
		misuse --groups --user=4242:4242 "--groups=$bad" -- "$WITNESS"
		misuse --groups --user=4242:4242 "--groups=1,$bad" -- "$WITNESS"
		misuse --groups --user=4242:4242 "--groups=$bad,1" -- "$WITNESS"
	done
	misuse --groups --user=4242:4242 --groups=, -- "$WITNESS"
	misuse --groups --user=4242:4242 --groups=none,1 -- "$WITNESS"
}

@test "an id from the environment is read as strictly" {
	local bad

	for bad in "${bad_ids[@]}"; do
		echo "# PUID='$bad'" >&2
		export PUID=$bad
		# shellcheck disable=SC2016 # it is for stepdown to expand
		misuse --user --user='${PUID}:4242' -- "$WITNESS"
	done
}

@test "a bad id is refused as well when nobody is root" {
	before=(setpriv --reuid=1234 --regid=1234 --clear-groups)
	stepdown --user=4294967295:4294967295 -- "$WITNESS"
	refused 100
}

@test "root is refused, by number, by name and however it is written" {
	local root

	for root in 0 root 0:0 root:root 0:4242 root:4242 00 000:4242; do
		echo "# --user=$root" >&2
		misuse --user "--user=$root" -- "$WITNESS"
		hint_has --allow-root
	done
}

@test "root by another name of /etc/passwd is refused too" {
	make_scratch "$tmp/root"
	mkdir "$tmp/root/etc"
	echo 'toor:x:0:4242::/:/bin/sh' >"$tmp/root/etc/passwd"
	in_scratch "$tmp/root" /stepdown --user=toor -- /witness
	refused 100
	hint_has --allow-root
}

@test "an entry of /etc/passwd with a bad id is no entry" {
	local bad

	make_scratch "$tmp/root"
	mkdir "$tmp/root/etc"
	for bad in -1 4294967295 4294967296 +1 0x10 1e3 ' 1' '' a; do
		echo "# '$bad' in /etc/passwd" >&2
		echo "app:x:$bad:4242::/:/bin/sh" >"$tmp/root/etc/passwd"
		in_scratch "$tmp/root" /stepdown --user=app -- /witness
		refused 100
		echo "app:x:4242:$bad::/:/bin/sh" >"$tmp/root/etc/passwd"
		in_scratch "$tmp/root" /stepdown --user=app -- /witness
		refused 100
	done
}

@test "--allow-root lets root be root, with nothing else left" {
	stepdown --user=0:0 --allow-root -- "$WITNESS"
	succeeded
	witness_is 0 0
}

@test "the highest id there is works" {
	stepdown --user=4294967294:4294967294 --groups=4294967293 -- "$WITNESS"
	succeeded
	witness_is 4294967294 4294967294 4294967293
}

@test "a number whose group nobody tells needs one" {
	misuse --user --user=3999999999 -- "$WITNESS"
	hint_has 3999999999:3999999999
}
