# shellcheck shell=bash
# What podman.bats and docker.bats share: each sets `engine`, makes it usable in
# its setup_file, and calls image_up. No image is pulled: one is made FROM
# scratch with stepdown and the witness, the other is examples/nginx's.
#
# Containers have the engine's default seccomp profile and, but for what a test
# says, its default capabilities. Their network is nothing but a loopback.

# shellcheck source-path=SCRIPTDIR
. "$BATS_TEST_DIRNAME/helpers.bash"

engine=${engine:?}
image=stepdown-scratch
capable_image=stepdown-capable

image_up()
{
	local context=$BATS_FILE_TMPDIR/context

	make_scratch "$context"
	cat >"$context/Dockerfile" <<-'end'
	FROM scratch
	COPY stepdown witness /
	ENTRYPOINT ["/stepdown", "--user=4242:4242"]
	CMD ["/witness"]
	end
	"$engine" build --network none --tag $image "$context" \
		>"$BATS_FILE_TMPDIR/build" 2>&1 ||
		fail "$(cat "$BATS_FILE_TMPDIR/build")"
	capable_image_up
}

# An image that says USER, and whose stepdown has file capabilities, permitted
# only. ADD of a tar keeps them with every engine, COPY does not.
capable_image_up()
{
	local context=$BATS_FILE_TMPDIR/capable

	make_scratch "$context/root"
	make_people "$context/root"
	mkdir "$context/root/data"
	touch "$context/root/data/file"
	cat >"$context/root/etc/stepdown.conf" <<-'end'
	user=4242:4242
	listen=tcp://0.0.0.0:80
	own=/data
	end
	setcap cap_net_bind_service,cap_chown,cap_dac_read_search,cap_setgid,cap_setpcap=p \
		"$context/root/stepdown"
	tar --create --file "$context/root.tar" --xattrs \
		--xattrs-include=security.capability --directory "$context/root" .
	rm -r "$context/root"
	cat >"$context/Dockerfile" <<-'end'
	FROM scratch
	ADD root.tar /
	USER 4242:4242
	ENTRYPOINT ["/stepdown"]
	CMD ["/witness"]
	end
	"$engine" build --network none --tag $capable_image "$context" \
		>"$BATS_FILE_TMPDIR/build" 2>&1 ||
		fail "$(cat "$BATS_FILE_TMPDIR/build")"
}

# contained [ENGINE-OPTION...] -- [WORD...] : run the image, capture it. A test
# about ports needs the limit of 1024: both engines set it to 0.
contained()
{
	local options=()

	while [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	shift
	capture "$engine" run --rm --network none \
		--sysctl net.ipv4.ip_unprivileged_port_start=1024 \
		"${options[@]}" "$image" "$@"
}

listening=(--listen=tcp://0.0.0.0:80 --listen='tcp://[::]:80')

# What a container of each kind must show.
witness_is_contained()
{
	witness_is 4242 4242
	says seccomp=2		# the engine's filter is in force
	says pid=1
	witness_has_descriptors 0 1 2 3 4
	witness_has_socket 3 inet 0.0.0.0:80
	witness_has_socket 4 inet6 '[::]:80'
	says env.LISTEN_PID=1
}

with_the_default_capabilities()
{
	contained -- "${listening[@]}" -- /witness
	succeeded
	witness_is_contained
}

on_a_read_only_root()
{
	contained --read-only -- "${listening[@]}" -- /witness
	succeeded
	witness_is_contained
}

under_no_new_privileges()
{
	contained --security-opt no-new-privileges \
		-- "${listening[@]}" -- /witness
	succeeded
	witness_is_contained
}

# volume_up: a volume that belongs to somebody else
volume_up()
{
	volume=$tmp/volume
	mkdir -p "$volume/a"
	touch "$volume/a/file"
	ln -s /witness "$volume/a/link"
	chown -hR 1000:1000 "$volume"
}

with_a_volume()
{
	volume_up
	contained --read-only --volume "$volume:/data" \
		-- "${listening[@]}" --own=/data -- /witness
	succeeded
	witness_is_contained
	owned_by 4242:4242 "$volume" "$volume/a" "$volume/a/file" \
		"$volume/a/link"
}

with_a_pipe_as_stdout()
{
	contained -- --own-stdio -- /witness
	succeeded
	says fd.1.type=pipe
	[[ $(witness fd.1.owner) == 4242:* ]] || fail_seen 'stdout is not its'
}

with_a_terminal()
{
	contained --tty -- --own-stdio -- /witness
	tr -d '\r' <"$out" >"$tmp/lines"
	mv "$tmp/lines" "$out"
	succeeded
	says fd.1.type=tty
	[[ $(witness fd.1.owner) == 4242:* ]] || fail_seen 'the terminal is not its'
}

without_each_capability()
{
	local cap

	volume_up
	for cap in CHOWN SETUID SETGID SETPCAP NET_BIND_SERVICE; do
		contained --cap-drop "$cap" --volume "$volume:/data" \
			-- --strict "${listening[@]}" --own=/data -- /witness
		refused 111
		grep -q "CAP_$cap" "$err" || fail_seen "nothing of $cap"
		hint_has "--cap-add=$cap"
		chown -hR 1000:1000 "$volume"
	done
}

# Follow the hints, from nothing on, until it works.
following_the_hints()
{
	local added=() cap

	volume_up
	chmod 700 "$volume/a"
	for _ in 1 2 3 4 5 6 7 8; do
		contained --cap-drop ALL "${added[@]}" \
			--volume "$volume:/data" \
			-- --strict "${listening[@]}" --own=/data -- /witness
		[ "$status" -ne 0 ] || break
		refused 111
		cap=$(grep -o -- '--cap-add=[A-Z_]*' "$err" | head -n1)
		[ -n "$cap" ] || fail_seen 'no hint'
		added+=("$cap")
	done
	succeeded
	witness_is_contained
	owned_by 4242:4242 "$volume/a/file"
}

bad_usage_in_it()
{
	contained -- --no-such-option -- /witness
	refused 100
	contained -- --user=0:0 -- /witness
	refused 100
	contained -- --home=/ -- /no-such-program
	refused 127
}

the_exit_status_of_it()
{
	local n

	for n in 0 7 111; do
		contained -- -- /witness exit $n
		exited $n
	done
}

nothing_comes_back_in_it()
{
	contained -- "${listening[@]}" -- /witness try-root
	says worked=0
	succeeded
}

BINDER=${BINDER:-$top/build/test/e2e/binder}

# binder_in_it WORD... : it binds port 80 and what else the words say
binder_in_it()
{
	[ -x "$BINDER" ] || fail "no $BINDER: run make -C build test/e2e/binder"
	contained --volume "$BINDER:/binder:ro" -- \
		--handoff=bind --listen='tcp://*:80' -- /binder "$@"
}

# Nothing of it needs more than the default seccomp profile.
bind_is_served()
{
	binder_in_it bind tcp4:0.0.0.0:80,nonblock,cloexec,close \
		tcp6::::80,v6only=1 tcp4:0.0.0.0:80,reuseport tcp4:0.0.0.0:81
	exited 1
	says by.{0,1}=stepdown {nonblock,cloexec}.0=1 v6only.1=1 reuseport.2=1 \
		bind.3=EACCES
	binder_in_it parent 80
	succeeded
	binder_in_it signals 80 all
	succeeded
	binder_in_it restart 80 5
	succeeded
	binder_in_it reuseport 80 16
	succeeded
}

# contained_server COMMAND...: for udp and tcp 53, of the machine's own /usr, in
# the background; asked for a name by the other words of dns_answers
contained_server()
{
	local mounts=() folder

	for folder in usr lib lib64 etc; do
		[ ! -e "/$folder" ] ||
			mounts+=(--volume "$(realpath "/$folder"):/$folder:ro")
	done
	in_background "$engine" run --rm --name served --network none \
		--sysctl net.ipv4.ip_unprivileged_port_start=1024 \
		"${mounts[@]}" --volume "$tmp:$tmp:ro" $image \
		--handoff=bind --listen='udp://*:53' --listen='tcp://*:53' \
		-- "$@"
}

# dns_answers udp|tcp: here.test is 192.0.2.7, in the container's network
dns_answers()
{
	local first

	first=$("$engine" inspect --format '{{.State.Pid}}' served) || return
	nsenter --target "$first" --net /usr/bin/python3 \
		"$BATS_TEST_DIRNAME/servers/dns.py" "$1"
}

# The four threads of unbound have a socket each for every address and kind.
name_servers_are_served()
{
	cp "$BATS_TEST_DIRNAME/servers/unbound.conf" "$tmp"
	contained_server /usr/sbin/unbound -d -p -c "$tmp/unbound.conf"
	eventually 60 dns_answers udp || fail_seen unbound
	dns_answers tcp || fail_seen 'unbound by tcp'
	"$engine" kill served >/dev/null
	wait "$background" || true
	contained_server /usr/sbin/dnsmasq --keep-in-foreground --port=53 \
		--conf-file=/dev/null --no-resolv --no-hosts --pid-file= \
		--address=/here.test/192.0.2.7
	eventually 60 dns_answers udp || fail_seen dnsmasq
	dns_answers tcp || fail_seen 'dnsmasq by tcp'
	"$engine" kill served >/dev/null
	wait "$background" || true
}

# An unmodified server, and the proof.
kestrel_of_the_example()
{
	STEPDOWN=$STEPDOWN capture "$top/examples/kestrel/run" --once \
		--engine "$engine" "$@"
	proves_all 12
	[ -z "$("$engine" ps --all --quiet)" ] || fail_seen 'a container is left'
}

# The Dockerfile, the proof, and QUIT.
nginx_of_the_example()
{
	STEPDOWN=$STEPDOWN capture "$top/examples/nginx/run" --once \
		--engine "$engine"
	proves_all 15
	grep -q 'nginx ended with status 0' "$err"
	[ -z "$("$engine" ps --all --quiet)" ] || fail_seen 'a container is left'
}

# ---- --init ----

brood=$top/build/test/e2e/brood

# Stopped by the engine: process 1 forwards, and ends as the application did.
it_stays_as_init()
{
	local name=init-$$

	in_background "$engine" run --rm --network none --name $name \
		--volume "$brood:/brood:ro" $image --init --map-exit=0:9 \
		-- /brood say
	eventually 60 grep -q ready "$out" || fail_seen 'it did not start'
	"$engine" kill --signal USR1 $name >/dev/null
	eventually 60 grep -q '^signal=10 ' "$out" || fail_seen 'no USR1'
	"$engine" kill --signal 40 $name >/dev/null
	eventually 60 grep -q '^signal=40 ' "$out" || fail_seen 'no 40'
	"$engine" stop --time 120 $name >/dev/null
	status=0
	wait "$background" || status=$?
	exited 9
	[ "$(grep -o '^signal=[0-9]*' "$out" | xargs)" = \
		'signal=10 signal=40 signal=15' ] || fail_seen 'not once each'
}

# typed at `run --interactive --tty`: keys, the window's size, the end.
typed_at_it()
{
	cat >"$tmp/script" <<-'end'
	set timeout 120
	proc must {text} {
		expect {
			-ex $text {}
			timeout { puts "\nno '$text' came"; exit 1 }
			eof { puts "\nthe end, and no '$text'"; exit 1 }
		}
	}
	spawn $env(engine) run --rm --interactive --tty --network none \
		--name $env(name) --volume $env(brood):/brood:ro \
		$env(image) --init -- /brood say
	must ready
	send "\003"
	must "signal=2 "
	send "\032"
	must "signal=20 "
	exec stty -F $spawn_out(slave,name) rows 50 columns 90
	must "signal=28 "
	exec $env(engine) stop --time 120 $env(name)
	must "signal=15 "
	expect eof
	exit [lindex [wait] 3]
	end
	capture env engine="$engine" name="typed-$$" brood="$brood" \
		image="$image" expect -f "$tmp/script"
	succeeded
}

# ---- other ways to start the same image ----

# unprivileged_is UID GID [GROUPS]: these ids, no capability in any set but the
# bounding one, no_new_privs
unprivileged_is()
{
	says uid.{real,effective,saved,fs}="$1" gid.{real,effective,saved,fs}="$2" \
		cap.{inheritable,permitted,effective,ambient}=$no_caps \
		groups="${3-}" no_new_privs=1
}

without_setpcap()
{
	contained --cap-drop SETPCAP -- "${listening[@]}" -- /witness
	succeeded
	unprivileged_is 4242 4242
	[ "$(witness cap.bounding)" != $no_caps ]
	witness_has_socket 3 inet 0.0.0.0:80
}

with_group_add()
{
	contained --group-add 2000 --group-add 3000 -- -- /witness
	succeeded
	witness_is 4242 4242 '2000 3000'
	contained --group-add 2000 -- --groups=none -- /witness
	witness_is 4242 4242
}

# The engine's own --user: the operator's word is the last one.
as_another_user()
{
	volume_up
	chown 0:2000 "$volume"
	chmod 2775 "$volume"
	contained --user 5000:5000 --group-add 2000 --read-only \
		--volume "$volume:/data" -- --own=/data -- /witness
	succeeded
	unprivileged_is 5000 5000 "$(witness groups)"
	[[ " $(witness groups) " == *' 2000 '* ]]
	grep -q 'not root: uid 5000.*, not --user 4242:4242' "$err"
	owned_by 0:2000 "$volume"

	# as OpenShift does it
	contained --user 1000650000:0 --cap-drop ALL \
		--security-opt no-new-privileges \
		-- --account=web:/data -- /witness
	succeeded
	unprivileged_is 1000650000 0 "$(witness groups)"

	contained --user 4242:4242 -- -- /witness
	succeeded
	unprivileged_is 4242 4242 "$(witness groups)"

	contained --user 5000 -- --unprivileged=fail -- /witness
	refused 100
	contained --user 5000 -- "${listening[@]}" -- /witness
	exited 111
	hint_has ip_unprivileged_port_start
}

# --cap-add reaches a user that is not root only where the engine makes it
# ambient, as podman does.
as_another_user_with_capabilities()
{
	contained --user 5000:5000 --cap-drop ALL \
		--cap-add NET_BIND_SERVICE -- "${listening[@]}" -- /witness
	if [ "$engine" = podman ]; then
		succeeded
		unprivileged_is 5000 5000 "$(witness groups)"
		witness_has_socket 3 inet 0.0.0.0:80
	else
		exited 111
	fi
}

capable()
{
	local image=$capable_image

	contained "$@"
}

with_file_capabilities()
{
	capable -- /witness
	succeeded
	witness_is 4242 4242
	witness_has_socket 3 inet 0.0.0.0:80

	capable --group-add 2000 -- /witness
	succeeded
	witness_is 4242 4242 2000

	# permitted only: what the engine takes away does not stop the start
	capable --cap-drop SETPCAP -- /witness
	succeeded
	unprivileged_is 4242 4242
	witness_has_socket 3 inet 0.0.0.0:80

	capable -- --user=0:0 /witness
	refused 100
	capable --user 5000:5000 -- /witness
	exited 111
	capable -- /witness try-root
	says worked=0
	capable -- /stepdown /witness	# again, and there is no port any more
	exited 111
}

# There the kernel ignores file capabilities; a port that is open to everybody
# is the way that is left.
with_file_capabilities_under_no_new_privileges()
{
	capable --security-opt no-new-privileges -- /witness
	exited 111
	grep -q 'file capabilities.*no_new_privs' "$err" || fail_seen 'no word of it'
	hint_has fsGroup
}

# The engine's user namespace maps ids 0 to 999 only. (podman alone has a flag.)
in_a_short_user_namespace()
{
	local map=(--uidmap 0:100000:1000 --gidmap 0:100000:1000)

	contained "${map[@]}" -- -- /witness
	refused 111 'uid 4242 is not mapped' --uidmap
	capable "${map[@]}" --user 0:0 --group-add 999 \
		-- --config=/dev/null --user=998:997 -- /witness
	succeeded
	witness_is 998 997 999
}

# is_the_engines_init OPTION... : nothing but the place among processes changes.
is_the_engines_init()
{
	local key

	capture "$engine" run --rm --network none --entrypoint /witness $image
	succeeded
	cp "$out" "$tmp/plain"
	capture "$engine" run --rm --network none --init "$@" \
		--entrypoint /witness $image
	succeeded
	says ppid=1
	for key in uid gid groups cap no_new_privs env.HOME env.PATH secure; do
		diff <(grep "^$key" "$tmp/plain") <(grep "^$key" "$out") ||
			fail_seen "$key"
	done
}
