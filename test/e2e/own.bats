#!/usr/bin/env bats
# --own gives a folder and all below it to the target: never through a symbolic
# link, never into another mount, and nothing that is right already is touched.

# shellcheck source-path=SCRIPTDIR
. "$BATS_TEST_DIRNAME/own.bash"

setup()
{
	volume=$tmp/volume
	outside=$tmp/outside
	mkdir -p "$volume" "$outside/folder"
	touch "$outside/file" "$outside/folder/file"
}

teardown()
{
	owned_by 0:0 "$outside" "$outside/file" "$outside/folder" \
		"$outside/folder/file"
}

@test "a folder and all that is below it" {
	mkdir -p "$volume/a/b/c" "$volume/.hidden"
	touch "$volume/file" "$volume/a/b/c/file" "$volume/.hidden/.file"
	mkfifo "$volume/a/fifo"
	chown 1000:1000 "$volume/a/b/c/file"
	chmod 0700 "$volume/a/b"
	own "$volume"
	witness_is 4242 4242
	find "$volume" -exec stat -c '%u:%g %n' {} + >"$tmp/owners"
	[ "$(wc -l <"$tmp/owners")" -eq 9 ]
	[ "$(grep -c '^4242:4242 ' "$tmp/owners")" -eq 9 ]
	[ "$(stat -c %a "$volume/a/b")" = 700 ]
}

@test "a file alone" {
	touch "$volume/one" "$volume/other"
	own "$volume/one"
	owned_by 4242:4242 "$volume/one"
	owned_by 0:0 "$volume" "$volume/other"
}

@test "several paths, in the order given" {
	mkdir "$volume/a" "$volume/b"
	own "$volume/a" "$volume/b"
	owned_by 4242:4242 "$volume/a" "$volume/b"
	owned_by 0:0 "$volume"
}

@test "uid and gid of the target, not only one of them" {
	mkdir "$volume/uid-is-right" "$volume/gid-is-right"
	chown 4242:0 "$volume/uid-is-right"
	chown 0:4343 "$volume/gid-is-right"
	stepdown --user=4242:4343 --own="$volume" -- "$WITNESS"
	succeeded
	owned_by 4242:4343 "$volume" "$volume/uid-is-right" \
		"$volume/gid-is-right"
}

@test "names of any bytes" {
	local names=(' ' '*' -rf '--' $'a\nb' $'\xff\xfe' "$(printf 'x%.0s' {1..255})")

	(cd "$volume" && touch -- "${names[@]}")
	own "$volume"
	(cd "$volume" && for name in "${names[@]}"; do
		[ "$(stat -c %u:%g -- "$name")" = 4242:4242 ] || exit 1
	done)
}

@test "a tree whose paths are longer than PATH_MAX" {
	local name _

	name=$(printf 'd%.0s' {1..250})
	(cd "$volume" && for _ in {1..20}; do
		mkdir "$name" && cd "$name" || exit
	done && touch bottom)
	try_own "$volume"
	(cd "$volume" && for _ in {1..20}; do cd "$name" || exit; done &&
		stat -c %u:%g bottom >"$tmp/bottom")
	succeeded
	[ "$(cat "$tmp/bottom")" = 4242:4242 ]
}

@test "a symbolic link is not followed; the link itself is given" {
	ln -s "$outside" "$volume/to-folder"
	ln -s "$outside/file" "$volume/to-file"
	ln -s ../../outside/folder "$volume/relative"
	ln -s / "$volume/to-root"
	ln -s nowhere "$volume/dangling"
	own "$volume"
	owned_by 4242:4242 "$volume"/*
}

@test "PATH itself, or a part of it, is a symbolic link: 111" {
	ln -s "$outside" "$tmp/link"
	try_own "$tmp/link"
	refused 111 "$tmp/link" 'symbolic link'
	try_own "$tmp/link/folder"
	refused 111
	try_own "$tmp/link/"
	refused 111
}

# with_mounts COMMAND... : in a mount namespace where volume/mounted is another
# file system and volume/bound is a part of the same one.
with_mounts()
{
	# shellcheck disable=SC2016 # for the inner shell
	unshare --mount sh -ec '
		volume=$1 outside=$2; shift 2
		mkdir "$volume/mounted" "$volume/bound"
		mount -t tmpfs -o mode=755 mounted "$volume/mounted"
		touch "$volume/mounted/file"
		mount --bind "$outside" "$volume/bound"
		"$@"
		stat -c "%u:%g %n" "$volume/mounted" "$volume/mounted/file" \
			"$volume/bound" "$volume/bound/file" >"$volume/../seen"
		' - "$volume" "$outside" "$@"
}

@test "another mount is not entered, of another file system or the same" {
	touch "$volume/file"
	before=(with_mounts)
	own "$volume"
	owned_by 4242:4242 "$volume" "$volume/file"
	[ "$(wc -l <"$tmp/seen")" -eq 4 ]
	[ "$(grep -c '^0:0 ' "$tmp/seen")" -eq 4 ]
}

@test "a mount that is named is given" {
	before=(with_mounts)
	own "$volume/mounted"
	grep -Fxq "4242:4242 $volume/mounted/file" "$tmp/seen"
	grep -Fxq "0:0 $volume/bound/file" "$tmp/seen"
}

@test "a PATH that is not there: 111, the application does not run" {
	try_own "$volume/missing"
	refused 111 "own $volume/missing: No such file or directory"
	touch "$volume/file"
	try_own "$volume/file/below"
	refused 111
}

@test "what failed later leaves what was done before, and runs nothing" {
	try_own "$volume" "$volume/missing"
	refused 111
	owned_by 4242:4242 "$volume"
}

@test "what is right already is not touched" {
	mkdir -p "$volume/a/b"
	touch "$volume/a/b/file"
	ln -s nowhere "$volume/a/link"
	chown -hR 4242:4242 "$volume"
	find "$volume" -exec stat -c '%z %n' {} + >"$tmp/before"
	traced chown,fchown,lchown,fchownat \
		"$STEPDOWN" --user=4242:4242 --own="$volume" -- "$WITNESS"
	succeeded
	find "$volume" -exec stat -c '%z %n' {} + >"$tmp/after"
	cmp "$tmp/before" "$tmp/after"
	[ ! -s "$calls" ] || fail "$(cat "$calls")"
}

@test "what is wrong is touched once, the rest not" {
	mkdir -p "$volume/a/b"
	touch "$volume/a/b/wrong" "$volume/a/b/right"
	chown -R 4242:4242 "$volume"
	chown 0:0 "$volume/a/b/wrong"
	traced chown,fchown,lchown,fchownat \
		"$STEPDOWN" --user=4242:4242 --own="$volume" -- "$WITNESS"
	succeeded
	owned_by 4242:4242 "$volume/a/b/wrong"
	[ "$(wc -l <"$calls")" -eq 1 ] || fail "$(cat "$calls")"
}

read_only()
{
	# shellcheck disable=SC2016 # for the inner shell
	unshare --mount sh -ec '
		volume=$1; shift
		mount --bind "$volume" "$volume"
		mount -o remount,bind,ro "$volume"
		exec "$@"' - "$volume" "$@"
}

@test "read-only and owned by somebody else: 111 and a hint" {
	touch "$volume/file"
	before=(read_only)
	try_own "$volume"
	refused 111 'Read-only file system' 'mounted read-only'
	hint_has 'fsGroup or defaultMode'
	owned_by 0:0 "$volume/file"
}

@test "read-only and right already is right" {
	touch "$volume/file"
	chown -R 4242:4242 "$volume"
	before=(read_only)
	own "$volume"
	witness_is 4242 4242
}

@test "a setuid file does not become the target's setuid file" {
	cp "$WITNESS" "$volume/setuid"
	chmod 6755 "$volume/setuid"
	own "$volume"
	owned_by 4242:4242 "$volume/setuid"
	[ "$(stat -c %a "$volume/setuid")" = 755 ]
}

@test "a device in a volume is nobody's" {
	mknod "$volume/disk" b 7 200
	mknod "$volume/zero" c 1 5
	own "$volume"
	owned_by 0:0 "$volume/disk" "$volume/zero"
	owned_by 4242:4242 "$volume"
}

@test "--verbose counts, and --own does not speak without it" {
	touch "$volume/file"
	own "$volume"
	[ ! -s "$err" ]
	chown -R 0:0 "$volume"
	witnessed --verbose --own="$volume"
	grep -Eq "^stepdown: own $volume.* 2 changed" "$err"
}
