#!/usr/bin/env bats
# examples/workshop/steps.md: every command that it shows is run, in order, and
# must print what it shows.

# shellcheck source-path=SCRIPTDIR
. "$BATS_TEST_DIRNAME/podman.bash"
# shellcheck source-path=SCRIPTDIR
. "$BATS_TEST_DIRNAME/replay.bash"

setup_file()
{
	need podman runc busybox setcap
	store_up
	image workshop
	user_image
	nginx_image
	kestrel_image
	podman tag stepdown-workshop stepped
	without_network
}

teardown_file()
{
	podman_down
}

@test "the page says what happens" {
	local page=$top/examples/workshop/steps.md

	mkdir "$tmp/here"
	chmod 755 "$BATS_RUN_TMPDIR" "$BATS_FILE_TMPDIR" "$tmp"
	cd "$tmp/here" || return
	page_is_true "$page" 15
}
