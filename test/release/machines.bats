#!/usr/bin/env bats
# The binaries for other machines, run by qemu. qemu hands their system calls to
# this kernel, and the program that they execute is this machine's witness: so
# the kernel itself is asked what they did. qemu is called by its name; no
# format is registered. What qemu 7.2 does not know (openat2, seccomp) is ENOSYS
# or EINVAL, as on old kernels.

# shellcheck source-path=SCRIPTDIR
. "$BATS_TEST_DIRNAME/../e2e/helpers.bash"

release=$top/build/release
version=$(sed -n 's/^AC_INIT(\[stepdown\], \[\(.*\)\])$/\1/p' "$top/configure.ac")

# The lines of packaging/machines, but for this one
machines()
{
	grep -v "^\(#\|$(dpkg --print-architecture)\)" \
		"$top/packaging/machines"
}

setup_file()
{
	local arch emulator

	need setpriv
	[ -s "$release/SHA256SUMS" ] || fail 'run make -C build release'
	while read -r arch _ _ _ emulator; do
		need "$emulator"
		mkdir "$BATS_FILE_TMPDIR/$arch"
		printf '#!/bin/sh\nexec %s %s "$@"\n' "$(command -v "$emulator")" \
			"$release/stepdown-$version-linux-$arch" \
			>"$BATS_FILE_TMPDIR/$arch/stepdown"
		chmod 755 "$BATS_FILE_TMPDIR/$arch/stepdown"
	done < <(machines)
	net_up
}

# on_each COMMAND... : with $STEPDOWN as each of the binaries
on_each()
{
	local arch

	for arch in $(machines | cut -f 1); do
		STEPDOWN=$BATS_FILE_TMPDIR/$arch/stepdown
		"$@" || fail "on $arch"
	done
}

@test "they tell the same version and options" {
	same_words() {
		[ "$("$STEPDOWN" --version)" = "stepdown $version" ] &&
			[ "$("$STEPDOWN" --help)" = "$("$top/build/stepdown" --help)" ]
	}
	on_each same_words
}

@test "drop: ids, groups, capability sets, no_new_privs, securebits" {
	dropped() {
		before=(setpriv "--groups=0,27,5000")
		as_4242 --groups=6001,1 -- "$WITNESS"
		succeeded && witness_is 4242 4242 '1 6001' &&
			says securebits=3
	}
	on_each dropped
}

# The last 4096 below are no answer that setfsuid(2) can give where a word has 32
# bits: there they are error numbers, and verify refuses to go on.
@test "drop: high ids, and none beyond the highest" {
	highest() {
		stepdown --user=4294963199:4294963199 -- "$WITNESS"
		succeeded && witness_is 4294963199 4294963199 || return
		stepdown --user=4294967295:1 -- "$WITNESS"
		refused 100 || return
		stepdown --user=4294967296:1 -- "$WITNESS"
		refused 100
	}
	on_each highest
}

@test "drop: nothing that the application tries brings privilege back" {
	stays_dropped() {
		as_4242 -- "$WITNESS" try-root
		says worked=0 && succeeded
	}
	on_each stays_dropped
}

@test "--keep-caps: these in all five sets, also above 31" {
	kept() {
		as_4242 --keep-caps=chown,kill,40 -- "$WITNESS"
		succeeded && witness_is 4242 4242 '' 0000010000000021
	}
	on_each kept
}

@test "listen: port 80 on IPv4, IPv6 and both, handed over from 3 on" {
	handed_over() {
		use_net
		as_4242 --listen=tcp://0.0.0.0:80 --listen='tcp://[::]:80' \
			--listen='tcp://*:81' -- "$WITNESS"
		succeeded && witness_is 4242 4242 &&
			witness_has_socket 3 inet 0.0.0.0:80 &&
			witness_has_socket 4 inet6 '[::]:80' &&
			witness_has_socket 5 inet6 '[::]:81' &&
			witness_has_descriptors 0 1 2 3 4 5 &&
			says env.LISTEN_FDS=3
	}
	on_each handed_over
}

@test "listen: port 80 is not for everybody there" {
	use_net
	capture setpriv --reuid=4242 --regid=4242 --clear-groups \
		--bounding-set=-all "$top/build/stepdown" --user=4242:4242 \
		--listen=tcp://0.0.0.0:80 -- "$WITNESS"
	[ "$status" -ne 0 ]
}

@test "own: a tree, and no link is followed" {
	owned() {
		rm -rf "$tmp/volume" "$tmp/outside"
		mkdir -p "$tmp/volume/a/b"
		touch "$tmp/volume/a/b/file" "$tmp/outside"
		ln -s ../../outside "$tmp/volume/a/link"
		as_4242 --own="$tmp/volume" -- "$WITNESS"
		succeeded && owned_by 4242:4242 "$tmp/volume" "$tmp/volume/a" \
			"$tmp/volume/a/b/file" && owned_by 0:0 "$tmp/outside"
	}
	on_each owned
}

# Verify must see what is wrong on each of them: a capability that could not be
# had, and a kernel that does not do what it was told.
@test "verify: what cannot be reached ends the run" {
	refuses() {
		before=(setpriv --bounding-set=-net_raw)
		as_4242 --keep-caps=net_raw -- "$WITNESS"
		refused 111 || return
		before=(setpriv --bounding-set=-setpcap)
		as_4242 --strict -- "$WITNESS"
		refused 111
	}
	on_each refuses
}

@test "--dry-run shows the same steps as here" {
	same_steps() {
		[ "$("$STEPDOWN" --dry-run -u 4242:4242 -l tcp://0.0.0.0:80 \
			-o /tmp -- true)" = "$("$top/build/stepdown" --dry-run \
			-u 4242:4242 -l tcp://0.0.0.0:80 -o /tmp -- true)" ]
	}
	on_each same_steps
}

# On i386 and s390x no filter sees where a socketcall(2) points to. The others
# get as far as the seccomp(2) that qemu does not know.
@test "--handoff=bind: refused by the machine's name, or a filter is asked for" {
	refused_or_asked() {
		local words='use seccomp notifications'

		[[ $arch != i386 ]] || words='--handoff=bind: not on i686'
		[[ $arch != s390x ]] || words='--handoff=bind: not on s390x'
		as_4242 --handoff=bind --listen='tcp://*:8080' -- "$WITNESS"
		refused 111 "$words"
	}
	on_each refused_or_asked
}

# qemu 7.2 does not know PR_SET_CHILD_SUBREAPER, which process 1 does not need.
@test "init: the exit status, a signal, and the drop" {
	under_init() {
		before=(unshare --pid --fork --kill-child --)
		as_4242 --init -- "$WITNESS" exit 7
		exited 7 || return
		as_4242 --init -- sh -c 'kill -TERM $$'
		exited 143 || return
		as_4242 --init -- "$WITNESS"
		succeeded && witness_is 4242 4242
	}
	on_each under_init
}
