#!/usr/bin/env bats
# The examples that are images or manifests, as podman runs them. Their base is
# Debian's static busybox; nothing is pulled.

# shellcheck source-path=SCRIPTDIR
. "$BATS_TEST_DIRNAME/podman.bash"

setup_file()
{
	need podman runc busybox setcap setpriv gosu
	store_up
}

teardown_file()
{
	podman_down
}

# contained [OPTION...] NAME [WORD...]
contained()
{
	capture podman run --rm --network none "$@"
}

@test "volume: a named one, twice, and a bind mount" {
	local folder=$tmp/folder

	image volume
	for _ in 1 2; do
		contained -v data:/data stepdown-volume
		succeeded
		says '4242:4242 /data' '4242:4242 /data/greeting'
	done
	mkdir -p "$folder/deep"
	contained -v "$folder:/data" stepdown-volume
	succeeded
	owned_by 4242:4242 "$folder" "$folder/deep" "$folder/greeting"
}

@test "volume: without stepdown it is refused" {
	mkdir "$tmp/folder"
	contained -v "$tmp/folder:/data" --user 4242:4242 \
		--entrypoint '["sh", "-c", "echo hello >/data/greeting"]' \
		stepdown-volume
	[ "$status" -ne 0 ]
	grep -q "can't create /data/greeting: Permission denied" "$err"
}

@test "read-only-root" {
	image read-only-root
	contained --read-only -v data:/data stepdown-read-only-root
	succeeded
	says '/data can be written' '/ cannot' 'a line'
	contained --read-only --entrypoint \
		'["stepdown", "--user=4242:4242", "--own=/bin,force", "--", "true"]' \
		stepdown-read-only-root
	refused 111 'Read-only file system'
}

@test "puid-pgid: from the environment, by default, and never root" {
	local bad

	image puid-pgid
	contained -e PUID=1026 -e PGID=100 stepdown-puid-pgid
	succeeded
	[ "$(tr '\n' ' ' <"$out")" = '1026 100 1026:100 ' ] || fail_seen
	contained stepdown-puid-pgid
	succeeded
	[ "$(tr '\n' ' ' <"$out")" = '1000 1000 1000:1000 ' ] || fail_seen
	# shellcheck disable=SC2016 # nobody is to expand it
	for bad in 0 -1 4294967295 4294967296 '0 --allow-root' ' 1' 0x10 \
		'${HOME}'; do
		contained -e "PUID=$bad" stepdown-puid-pgid
		refused 100
	done
}

@test "copy-in by a bind mount, into an image with nothing in it" {
	contained -v "$STEPDOWN:/stepdown:ro" \
		--entrypoint '["/stepdown", "--user=4242:4242", "--"]' \
		stepdown-foreign /witness
	succeeded
	witness_is 4242 4242
}

# played FILE CONTAINER: what that container of the pod wrote
played()
{
	capture podman kube play --network none "$1"
	succeeded
	quietly podman wait "$2"
	capture podman logs "$2"
	podman kube play --down "$1" >/dev/null 2>&1
}

@test "kubernetes: a pod with an emptyDir" {
	image kubernetes
	played "$top/examples/kubernetes/pod.yaml" stepdown-pod-app
	grep -Eq '^Uid:(\s4242){4}$' "$out" || fail_seen
	grep -Eq '^CapPrm:\s0{16}$' "$out"
	grep -Eq '^CapBnd:\s0{16}$' "$out"
	grep -Eq '^NoNewPrivs:\s1$' "$out"
	says '4242:4242 /data/file'
}

# replica FILE [again]: the first pod that the controller of a Deployment or a
# StatefulSet makes, after its claims unless they are there. podman has no StatefulSet, publishes a Deployment's
# ports on the host, and needs systemd for its probes.
replica()
{
	python3 - "$@" <<-'END'
	import sys, yaml
	def say(kind, object):
	    print("---\n" + yaml.dump({"apiVersion": "v1", "kind": kind, **object}))
	for one in yaml.safe_load_all(open(sys.argv[1])):
	    if one["kind"] not in ("Deployment", "StatefulSet"):
	        continue
	    pod = one["spec"]["template"]
	    name = pod["metadata"]["name"] = one["metadata"]["name"] + "-0"
	    pod["spec"]["restartPolicy"] = "Never"
	    for container in pod["spec"]["containers"]:
	        for what in "ports", "readinessProbe", "livenessProbe":
	            container.pop(what, None)
	    for claim in one["spec"].get("volumeClaimTemplates", []):
	        volume = claim["metadata"]["name"]
	        claim["metadata"]["name"] += "-" + name
	        pod["spec"].setdefault("volumes", []).append({
	            "name": volume, "persistentVolumeClaim":
	            {"claimName": claim["metadata"]["name"]}})
	        if sys.argv[2:] != ["again"]:
	            say("PersistentVolumeClaim", claim)
	    say("Pod", pod)
	END
}

# podman ends a pod once more after its last container has ended: that is done
# when nothing of podman is left.
cleaned_up()
{
	! pgrep -f "(conmon|podman) .*$BATS_FILE_TMPDIR"
}

@test "kubernetes: the Deployment's nginx on port 80" {
	local pid

	nginx_image
	replica "$top/examples/kubernetes/deployment.yaml" >"$tmp/pod.yaml"
	quietly podman kube play --network none "$tmp/pod.yaml"
	pid=$(podman inspect --format '{{.State.Pid}}' web-0-nginx)
	eventually 10 nsenter --target "$pid" --net \
		curl --silent --output /dev/null http://127.0.0.1/ ||
		fail "$(podman logs web-0-nginx 2>&1)"
	capture "$top/examples/nginx/prove" "$pid"
	succeeded
	# Its folders of mode 0700 are in the emptyDir by now.
	quietly podman pod stop web-0
	eventually 20 cleaned_up || fail 'podman is still at it'
	quietly podman pod start web-0
	pid=$(podman inspect --format '{{.State.Pid}}' web-0-nginx)
	eventually 10 nsenter --target "$pid" --net \
		curl --silent --output /dev/null http://127.0.0.1/ ||
		fail "$(podman logs web-0-nginx 2>&1)"
	quietly podman kube play --down "$tmp/pod.yaml"
}

@test "kubernetes: a replica of the StatefulSet, and its second start" {
	local start

	image kubernetes
	for start in first again; do
		replica "$top/examples/kubernetes/statefulset.yaml" $start \
			>"$tmp/$start.yaml"
		quietly podman kube play --network none "$tmp/$start.yaml"
		eventually 20 podman exec store-0-store wget -q -O /dev/null \
			http://127.0.0.1:8080/starts ||
			fail "$(podman logs store-0-store 2>&1)"
		podman exec store-0-store cat /proc/1/status >"$out"
		grep -Eq '^Uid:(\s4242){4}$' "$out" || fail_seen
		capture podman logs store-0-store
		says '4242:4242 /data/starts'
		podman kube play --down "$tmp/$start.yaml" >/dev/null 2>&1
		install -d -m 700 -o 4242 -g 4242 \
			"$(podman volume inspect --format '{{.Mountpoint}}' \
				data-store-0)/closed"
	done
}

@test "kubernetes: copy-in by an initContainer" {
	image volume
	played "$top/examples/copy-in/pod.yaml" stepdown-copy-in-app
	witness_is 4242 4242
}

@test "emptydir: two containers of a pod" {
	image volume
	played "$top/examples/emptydir/pod.yaml" stepdown-emptydir-second
	says again '4242:4242 750 /data' '4242:4242 640 /data/greeting'
}

# The image for the pod has the same two files as copy-in's container.
@test "fsgroup: the pod's groups stay" {
	mkdir "$tmp/context"
	cp "$STEPDOWN" "$tmp/context/stepdown"
	printf 'FROM stepdown-foreign\nCOPY stepdown /\n' \
		>"$tmp/context/Dockerfile"
	quietly podman build --network none --pull-never \
		-t stepdown-foreign "$tmp/context"
	played "$top/examples/fsgroup/pod.yaml" stepdown-fsgroup-app
	witness_is 4242 4242 '2000 3000'
}

@test "fsgroup: each line of the table" {
	chmod 755 "$BATS_RUN_TMPDIR" "$BATS_FILE_TMPDIR" "$tmp"
	mkdir "$tmp/shared"
	chgrp 2000 "$tmp/shared"
	chmod 2770 "$tmp/shared"
	before=(setpriv "--groups=0,2000,3000")
	capture gosu 4242:4242 touch "$tmp/shared/file"
	[ "$status" -ne 0 ]
	capture setpriv --reuid=4242 --regid=4242 --clear-groups \
		touch "$tmp/shared/file"
	[ "$status" -ne 0 ]
	as_4242 -- touch "$tmp/shared/file"
	succeeded
	owned_by 4242:2000 "$tmp/shared/file"
	as_4242 -- "$WITNESS"
	witness_is 4242 4242 '2000 3000'
}

@test "nameless-uid: whoami works" {
	image nameless-uid
	contained stepdown-nameless-uid
	succeeded
	[ "$(tr '\n' ' ' <"$out")" = 'app /data ' ] || fail_seen
	contained -e APP_UID=1000650000 -e APP_GID=1000650000 \
		stepdown-nameless-uid
	succeeded
	says app
	contained --user 4242:4242 --entrypoint '["whoami"]' \
		stepdown-nameless-uid
	[ "$status" -ne 0 ]
	grep -q 'unknown uid 4242' "$err"
	contained --read-only stepdown-nameless-uid sh -c 'echo it runs'
	succeeded
	says 'it runs'
}

@test "user-in-image: a volume is given, and no process was root" {
	user_image
	contained -v inimage:/data stepdown-user-in-image
	succeeded
	says '4242:4242 /data/file'
	grep -Eq '^CapBnd:\s0{16}$' "$out" || fail_seen
	# an option is no option there
	contained stepdown-user-in-image --allow-root
	refused 100
}

@test "init-with-children: no zombie, no root, the exit status, TERM" {
	image init-with-children
	capture timeout 300 podman run --rm --network none \
		stepdown-init-with-children
	exited 7
	grep -q '^Name:.stepdown$' "$out" || fail_seen
	[ "$(grep -c '^Name:' "$out")" -eq 2 ] || fail_seen
	run ! grep -q '^Uid:.*\<0\>' "$out"
	quietly podman run -d --name stopped --network none \
		stepdown-init-with-children sleep 100
	eventually 60 pgrep -P \
		"$(podman inspect --format '{{.State.Pid}}' stopped)"
	quietly podman stop -t 60 stopped
	[ "$(podman inspect --format '{{.State.ExitCode}}' stopped)" = 143 ]
}

@test "every example has a README of at most 40 lines" {
	local folder

	for folder in "$top"/examples/*/; do
		[ "${folder%/}" != "$top/examples/lib" ] || continue
		[ -s "$folder/README.md" ] || fail "no README in $folder"
		[ "$(wc -l <"$folder/README.md")" -le 40 ] || fail "$folder"
	done
}

# The password is podman's, of root and with mode 0400.
@test "secret" {
	image secret
	printf 'hunter2\n' | podman secret create password - >/dev/null
	contained --secret password,mode=0400 stepdown-secret
	podman secret rm password >/dev/null
	[ "$status" -eq 1 ]
	[ "$(cat "$out")" = $'4242\n/proc/self/fd/3\nhunter2' ] ||
		fail_seen 'another output'
	grep -Fxq "cat: can't open '/run/secrets/password': Permission denied" \
		"$err" || fail_seen
}
