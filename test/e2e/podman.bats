#!/usr/bin/env bats
# stepdown as the ENTRYPOINT of images that podman runs.

engine=podman
# shellcheck source-path=SCRIPTDIR
. "$BATS_TEST_DIRNAME/engine.bash"

setup_file()
{
	need podman runc curl expect pgrep mmdebstrap setcap tar
	podman_up image_up podman run --rm --network none "$image"
}

teardown_file()
{
	podman_down
}

@test "podman: sockets, ids, capabilities, descriptors" { with_the_default_capabilities; }
@test "podman: the same on a read-only root" { on_a_read_only_root; }
@test "podman: the same under no-new-privileges" { under_no_new_privileges; }
@test "podman: a volume is given" { with_a_volume; }
@test "podman: its pipe is given" { with_a_pipe_as_stdout; }
@test "podman: its terminal is given" { with_a_terminal; }
@test "podman: without each capability: 111 and the hint" { without_each_capability; }
@test "podman: the hints lead from --cap-drop ALL to what is needed" { following_the_hints; }
@test "podman: nothing that the application tries brings privilege back" { nothing_comes_back_in_it; }
@test "podman: wrong use ends the container with 100, no program with 127" { bad_usage_in_it; }
@test "podman: the application's exit status is the container's" { the_exit_status_of_it; }
@test "podman: --init forwards what the engine sends" { it_stays_as_init; }
@test "podman: --init on its terminal" { typed_at_it; }
@test "podman: without SETPCAP all is done but for the bounding set" { without_setpcap; }
@test "podman: --group-add is kept" { with_group_add; }
@test "podman: --user of the operator" { as_another_user; }
@test "podman: --user of the operator, and --cap-add" { as_another_user_with_capabilities; }
@test "podman: USER in the image and file capabilities" { with_file_capabilities; }
@test "podman: file capabilities under no-new-privileges" { with_file_capabilities_under_no_new_privileges; }
@test "podman: ids that a user namespace does not map" { in_a_short_user_namespace; }
@test "podman: examples/nginx with it" { nginx_of_the_example; }
@test "podman: bind(2) is served under its default seccomp profile" { bind_is_served; }
@test "podman: unbound with four threads, and dnsmasq, on udp and tcp 53" { name_servers_are_served; }

@test "podman: examples/kestrel with it, both ways" {
	kestrel_of_the_example
	kestrel_of_the_example --way keep-caps
}

# podman takes LISTEN_FDS and passes the sockets on, with LISTEN_PID=1.
activate='
import os, socket, sys
given = socket.socket()
given.bind(("127.0.0.1", 0))
given.listen()
os.dup2(given.fileno(), 20)
given.close()
os.dup2(20, 3)
os.close(20)
os.environ.update(LISTEN_FDS="1", LISTEN_FDNAMES="given",
                  LISTEN_PID=str(os.getpid()))
os.execvp(sys.argv[1], sys.argv[1:])'

@test "podman: sockets that it was activated with are passed on" {
	capture python3 -c "$activate" podman run --rm --network none \
		--sysctl net.ipv4.ip_unprivileged_port_start=1024 $image \
		--inherit-sockets --listen=web=tcp://0.0.0.0:80 -- /witness
	succeeded
	witness_is 4242 4242
	says pid=1
	witness_has_descriptors 0 1 2 3 4
	says fd.3.listening=1
	witness_has_socket 4 inet 0.0.0.0:80
	says env.LISTEN_FDS=2 env.LISTEN_PID=1
	[[ $(witness env.LISTEN_FDNAMES) == *:web ]] || fail_seen 'not its name'
}

@test "podman: as the init of --init-path" {
	is_the_engines_init --init-path="$STEPDOWN"
}
