#!/usr/bin/env bats
# A real Kestrel as its makers publish it, on port 80 as uid 4242, in a
# container made of namespaces alone. docker.bats and podman.bats have it too.

# shellcheck source-path=SCRIPTDIR
. "$BATS_TEST_DIRNAME/helpers.bash"

example=$top/examples/kestrel

setup_file()
{
	need curl ip pgrep unshare mmdebstrap npm
}

# proves WORD... : the example's own proof
proves()
{
	STEPDOWN=$STEPDOWN capture "$example/run" --once "$@"
	proves_all 12
}

@test "by bind" {
	proves
	grep -q 'ok .*azmcp: CapPrm  *0000000000000000$' "$out"
}

@test "by keep-caps" {
	proves --way keep-caps
	grep -q 'ok .*azmcp: CapPrm  *0000000000000400$' "$out"
}

@test "the control: without any of it, it fails on port 80" {
	cat >"$tmp/without" <<-end
	#!/bin/sh
	exec $STEPDOWN --user=4242:4242 --own=/home/app -- /app/azmcp server \\
		start --transport http --dangerously-disable-http-incoming-auth \\
		--outgoing-auth-strategy UseHostingEnvironmentIdentity
	end
	sed -i "s,exec $STEPDOWN,exec /stepdown," "$tmp/without"
	mkdir "$tmp/state"
	capture timeout 600 unshare --mount --pid --net --uts --ipc --fork -- \
		"$example/inside" "$top/build/roots/kestrel" "$STEPDOWN" \
		"$tmp/state" env HOME=/home/app \
		ASPNETCORE_URLS='http://[::]:80' \
		ALLOW_INSECURE_EXTERNAL_BINDING=true \
		DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1 \
		/bin/sh -c "$(sed 1d "$tmp/without")"
	[ "$status" -ne 0 ]
	cat "$out" "$err" | grep -q 'Permission denied' || fail_seen
}
