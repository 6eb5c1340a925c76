#!/usr/bin/env bats
# An image FROM scratch: stepdown, a static application, and nothing else: no
# /etc/passwd, no /proc, no /dev, no shell, and a root that is read-only.

# shellcheck source-path=SCRIPTDIR
. "$BATS_TEST_DIRNAME/helpers.bash"

setup_file()
{
	need unshare mount
	net_up
}

setup()
{
	root=$tmp/root
	make_scratch "$root"
	before=(contained)
}

# contained chroot DIR COMMAND... : with DIR read-only, in a network, process,
# mount, uts and ipc namespace of its own.
contained()
{
	local dir=$2

	shift 2
	# shellcheck disable=SC2016 # for the inner shell
	nsenter --target "$net_holder" --net -- \
		unshare --mount --pid --uts --ipc --fork sh -ec '
		dir=$1; shift
		mount --bind "$dir" "$dir"
		mount -o remount,bind,ro "$dir"
		exec chroot "$dir" "$@"' - "$dir" "$@"
}

@test "there is nothing but the two files, and it is read-only" {
	[ "$(ls -A "$root")" = $'stepdown\nwitness' ]
	in_scratch "$root" /witness
	succeeded
	witness_lacks fds.proc
	says pid=1 cwd=/
	in_scratch "$root" /witness create /file
	exited 1
	grep -q 'Read-only file system' "$err"
}

@test "ids, capabilities, descriptors" {
	in_root --user=4242:4242 --home=/
	witness_is 4242 4242
	witness_has_descriptors 0 1 2
	[ ! -s "$err" ]
}

@test "sockets, and process 1 knows its number" {
	in_root --user=4242:4242 --listen=tcp://0.0.0.0:80 \
		--listen='tcp://[::]:80'
	witness_is 4242 4242
	witness_has_descriptors 0 1 2 3 4
	witness_has_socket 3 inet 0.0.0.0:80
	witness_has_socket 4 inet6 '[::]:80'
	says pid=1 env.LISTEN_PID=1
}

@test "nothing that it tries brings privilege back" {
	in_scratch "$root" /stepdown --user=4242:4242 -- /witness try-root
	says worked=0
	succeeded
}

@test "a volume in it is given" {
	mkdir -p "$root/data"
	mkdir -p "$tmp/volume/a"
	touch "$tmp/volume/a/file"
	# shellcheck disable=SC2329 # called by way of before
	with_volume()
	{
		# shellcheck disable=SC2016 # for the inner shell
		unshare --mount sh -ec '
			mount --bind "$1" "$2"; shift 2; exec "$@"' - \
			"$tmp/volume" "$root/data" "$@"
	}
	before=(with_volume)
	in_root --user=4242:4242 --own=/data
	owned_by 4242:4242 "$tmp/volume" "$tmp/volume/a" "$tmp/volume/a/file"
}

@test "--own-stdio, --env, --groups, --keep-caps and --verbose" {
	in_root --user=4242:4242 --own-stdio --env=A=B --groups=1,2 \
		--keep-caps=kill --verbose
	witness_is 4242 4242 '1 2' 0000000000000020
	says env.A=B
}

@test "--help, --version and --dry-run" {
	in_scratch "$root" /stepdown --help
	succeeded
	in_scratch "$root" /stepdown --version
	succeeded
	in_scratch "$root" /stepdown --dry-run --user=4242:4242 /witness
	succeeded
}

@test "a name cannot be found, and that is said" {
	try_in_root --user=nginx
	refused 100 nginx
	message_has /etc/passwd
}

@test "an application that is not there: 127" {
	in_scratch "$root" /stepdown --user=4242:4242 --home=/ -- /nginx
	refused 127
	in_scratch "$root" /stepdown --user=4242:4242 --home=/ -- nginx
	refused 127
}

@test "an application is found in PATH" {
	PATH=$PATH:/ in_scratch "$root" /stepdown --user=4242:4242 -- witness
	succeeded
	witness_is 4242 4242
	says argv.0=witness
}
