#!/usr/bin/env bats
# Each mistake that people make gets the right words, all of them: messages.txt
# is the table. Each of its commands is run, and everything that is printed is
# compared.

# shellcheck source-path=SCRIPTDIR
. "$BATS_TEST_DIRNAME/helpers.bash"

setup_file()
{
	need chroot setcap setpriv unshare
}

setup()
{
	root=$BATS_FILE_TMPDIR/root
	make_scratch "$root"
	make_people "$root"
	mkdir -p "$root/srv" "$root/bin"
	printf '#!/bin/sh\r\ntrue\r\n' >"$root/bin/crlf"
	printf 'no format\n' >"$root/bin/text"
	cp "$WITNESS" "$root/bin/lost"
	cp "$WITNESS" "$root/bin/ep"
	chmod 755 "$root"/bin/*
	setcap cap_net_bind_service=ep "$root/bin/ep"
}

# One command of the table, and all that it says, in the table's own form. The
# word in front of it: "read-only", a root that is; "user", who may do nothing,
# as with USER in an image where COPY has lost the file capabilities, in a
# network where low ports are root's.
say()
{
	local words user=()

	eval "words=($1)"
	before=(env -i PATH=/bin HOME=/srv)
	case ${words[0]} in
	read-only)
		# shellcheck disable=SC2016 # for the inner shell
		before=(unshare --mount sh -c 'mount --bind "$0" "$0" &&
			mount -o remount,bind,ro "$0" && exec "$@"' "$root"
			"${before[@]}")
		words=("${words[@]:1}") ;;
	user)
		before=(unshare --net setpriv --inh-caps=-all "${before[@]}")
		words=("${words[@]:1}")
		user=(--userspec=4242:4343 --groups=) ;;
	esac
	capture "$(command -v chroot)" "${user[@]}" "$root" /stepdown \
		"${words[@]}"
	printf '\n$ %s\n' "$1"
	sed '/^[A-Za-z0-9._]*=/d' "$out"
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
