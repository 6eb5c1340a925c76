#!/usr/bin/env bats
# stepdown as the ENTRYPOINT of images that podman runs.

engine=podman
# shellcheck source-path=SCRIPTDIR
. "$BATS_TEST_DIRNAME/engine.bash"

# Images and containers of these tests are not among the user's.
setup_file()
{
	need podman runc curl pgrep mmdebstrap
	export CONTAINERS_STORAGE_CONF=$BATS_FILE_TMPDIR/storage.conf
	cat >"$CONTAINERS_STORAGE_CONF" <<-end
	[storage]
	driver = "overlay"
	graphroot = "$BATS_FILE_TMPDIR/graph"
	runroot = "$BATS_FILE_TMPDIR/run"
	end
	image_up
	podman run --rm --network none $image >"$BATS_FILE_TMPDIR/plain" 2>&1 ||
		work_around
}

# Where plain podman cannot run a container: crun refuses some machines'
# cgroups, and the default limits need CAP_SYS_RESOURCE.
work_around()
{
	export CONTAINERS_CONF=$BATS_FILE_TMPDIR/containers.conf
	cat >"$CONTAINERS_CONF" <<-end
	[containers]
	default_ulimits = ["nofile=1024:1024", "nproc=20000:20000"]
	[engine]
	runtime = "runc"
	end
	podman run --rm --network none $image \
		>"$BATS_FILE_TMPDIR/worked-around" 2>&1 ||
		cannot_run "podman: $(cat "$BATS_FILE_TMPDIR/plain" \
			"$BATS_FILE_TMPDIR/worked-around")"
}

teardown_file()
{
	podman rm --all --force >/dev/null 2>&1 || true
	umount "$BATS_FILE_TMPDIR/graph/overlay" 2>/dev/null || true
}

@test "podman: sockets, ids, capabilities, descriptors" {
	with_the_default_capabilities
}

@test "podman: the same on a read-only root" {
	on_a_read_only_root
}

@test "podman: the same under no-new-privileges" {
	under_no_new_privileges
}

@test "podman: a volume is given" {
	with_a_volume
}

@test "podman: its pipe is given" {
	with_a_pipe_as_stdout
}

@test "podman: its terminal is given" {
	with_a_terminal
}

@test "podman: without each capability: 111 and the hint" {
	without_each_capability
}

@test "podman: the hints lead from --cap-drop ALL to what is needed" {
	following_the_hints
}

@test "podman: nothing that the application tries brings privilege back" {
	nothing_comes_back_in_it
}

@test "podman: wrong use ends the container with 100, no program with 127" {
	bad_usage_in_it
}

@test "podman: the application's exit status is the container's" {
	the_exit_status_of_it
}

@test "podman: examples/nginx with it" {
	nginx_of_the_example
}
