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
		"${options[@]}" $image "$@"
}

listening=(--listen=tcp://0.0.0.0:80 --listen='tcp://[::]:80')

# What a container of each kind must show.
witness_is_contained()
{
	witness_is 4242 4242
	witness_says seccomp 2		# the engine's filter is in force
	witness_says pid 1
	witness_has_descriptors 0 1 2 3 4
	witness_has_socket 3 inet 0.0.0.0:80
	witness_has_socket 4 inet6 '[::]:80'
	witness_says env.LISTEN_PID 1
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
	witness_says fd.1.type pipe
	[[ $(witness fd.1.owner) == 4242:* ]] || fail_seen 'stdout is not its'
}

with_a_terminal()
{
	contained --tty -- --own-stdio -- /witness
	tr -d '\r' <"$out" >"$tmp/lines"
	mv "$tmp/lines" "$out"
	succeeded
	witness_says fd.1.type tty
	[[ $(witness fd.1.owner) == 4242:* ]] || fail_seen 'the terminal is not its'
}

without_each_capability()
{
	local cap

	volume_up
	for cap in CHOWN SETUID SETGID SETPCAP NET_BIND_SERVICE; do
		contained --cap-drop "$cap" --volume "$volume:/data" \
			-- "${listening[@]}" --own=/data -- /witness
		refused 111
		hint_has "CAP_$cap"
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
			-- "${listening[@]}" --own=/data -- /witness
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
	contained -- -- /no-such-program
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
	witness_says worked 0
	succeeded
}

# The Dockerfile, the proof, and QUIT.
nginx_of_the_example()
{
	STEPDOWN=$STEPDOWN capture "$top/examples/nginx/run" --once \
		--engine "$engine"
	succeeded
	[ "$(grep -c '^  ok  ' "$out")" -ge 15 ] || fail_seen 'so short a proof'
	! grep -q 'NOT OK' "$out" || fail_seen
	grep -q 'nginx ended with status 0' "$err"
	[ -z "$("$engine" ps --all --quiet)" ] || fail_seen 'a container is left'
}
