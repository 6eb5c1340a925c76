#!/usr/bin/env bats
# stepdown as the ENTRYPOINT of images that Docker runs.

engine=docker
# shellcheck source-path=SCRIPTDIR
. "$BATS_TEST_DIRNAME/engine.bash"

setup_file()
{
	need docker dockerd runc curl expect pgrep mmdebstrap setcap tar
	docker_up --init-path="$STEPDOWN"
	image_up
}

teardown_file()
{
	docker_down
}

@test "docker: sockets, ids, capabilities, descriptors" { with_the_default_capabilities; }
@test "docker: the same on a read-only root" { on_a_read_only_root; }
@test "docker: the same under no-new-privileges" { under_no_new_privileges; }
@test "docker: a volume is given" { with_a_volume; }
@test "docker: its pipe is given" { with_a_pipe_as_stdout; }
@test "docker: its terminal is given" { with_a_terminal; }
@test "docker: without each capability: 111 and the hint" { without_each_capability; }
@test "docker: the hints lead from --cap-drop ALL to what is needed" { following_the_hints; }
@test "docker: nothing that the application tries brings privilege back" { nothing_comes_back_in_it; }
@test "docker: wrong use ends the container with 100, no program with 127" { bad_usage_in_it; }
@test "docker: the application's exit status is the container's" { the_exit_status_of_it; }
@test "docker: --init forwards what the engine sends" { it_stays_as_init; }
@test "docker: --init on its terminal" { typed_at_it; }
@test "docker: without SETPCAP all is done but for the bounding set" { without_setpcap; }
@test "docker: --group-add is kept" { with_group_add; }
@test "docker: --user of the operator" { as_another_user; }
@test "docker: --user of the operator, and --cap-add" { as_another_user_with_capabilities; }
@test "docker: USER in the image and file capabilities" { with_file_capabilities; }
@test "docker: file capabilities under no-new-privileges" { with_file_capabilities_under_no_new_privileges; }
@test "docker: examples/nginx with it" { nginx_of_the_example; }
@test "docker: bind(2) is served under its default seccomp profile" { bind_is_served; }
@test "docker: unbound with four threads, and dnsmasq, on udp and tcp 53" { name_servers_are_served; }

@test "docker: examples/kestrel with it, both ways" {
	kestrel_of_the_example
	kestrel_of_the_example --way keep-caps
}

@test "docker: as the init of docker run --init" { is_the_engines_init; }
