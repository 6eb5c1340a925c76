#!/usr/bin/env bats
# Each mistake that people make gets the right words, all of them: messages.txt
# is the table. Each of its commands is run, and everything that is printed is
# compared.

# shellcheck source-path=SCRIPTDIR
. "$BATS_TEST_DIRNAME/helpers.bash"

setup_file()
{
	need chroot
}

setup()
{
	root=$BATS_FILE_TMPDIR/root
	make_scratch "$root"
	make_people "$root"
	mkdir -p "$root/srv" "$root/bin"
	printf '#!/bin/sh\r\ntrue\r\n' >"$root/bin/crlf"
	printf 'no format\n' >"$root/bin/text"
	chmod 755 "$root/bin/crlf" "$root/bin/text"
}

# One command of the table, and all that it says, in the table's own form.
say()
{
	local words

	eval "words=($1)"
	before=(env -i PATH=/bin HOME=/srv)
	in_scratch "$root" /stepdown "${words[@]}"
	printf '\n$ %s\n' "$1"
	sed '/^[a-z._]*=/d' "$out"
	cat "$err"
	printf '= %s\n' "$status"
}

@test "every message of the table is as it stands there" {
	local line

	while IFS= read -r line; do
		[ "${line:0:2}" != '$ ' ] || say "${line:2}"
	done <"$BATS_TEST_DIRNAME/messages.txt" >"$tmp/said"
	[ "$(grep -c '^= ' "$tmp/said")" -ge 30 ]
	grep -v '^#' "$BATS_TEST_DIRNAME/messages.txt" |
		diff -U 100000 --label messages.txt --label said - "$tmp/said"
}
