#!/usr/bin/env bats
# The examples that are images or manifests, as podman runs them. Their base is
# Debian's static busybox; nothing is pulled.

# shellcheck source-path=SCRIPTDIR
. "$BATS_TEST_DIRNAME/../e2e/helpers.bash"

setup_file()
{
	need podman runc busybox
	export CONTAINERS_STORAGE_CONF=$BATS_FILE_TMPDIR/storage.conf
	cat >"$CONTAINERS_STORAGE_CONF" <<-end
	[storage]
	driver = "overlay"
	graphroot = "$BATS_FILE_TMPDIR/graph"
	runroot = "$BATS_FILE_TMPDIR/run"
	end
	base_up
	image foreign
	plain >"$BATS_FILE_TMPDIR/plain" 2>&1 || work_around
}

plain()
{
	podman run --rm --network none stepdown-foreign /witness
}

# As in ../e2e/podman.bats: crun refuses some machines' cgroups, and the default
# limits need CAP_SYS_RESOURCE.
work_around()
{
	export CONTAINERS_CONF=$BATS_FILE_TMPDIR/containers.conf
	cat >"$CONTAINERS_CONF" <<-end
	[containers]
	default_ulimits = ["nofile=1024:1024", "nproc=20000:20000"]
	[engine]
	runtime = "runc"
	end
	plain >"$BATS_FILE_TMPDIR/worked-around" 2>&1 ||
		cannot_run "podman: $(cat "$BATS_FILE_TMPDIR/plain" \
			"$BATS_FILE_TMPDIR/worked-around")"
}

teardown_file()
{
	podman pod rm --all --force >/dev/null 2>&1 || true
	podman rm --all --force >/dev/null 2>&1 || true
	umount "$BATS_FILE_TMPDIR/graph/overlay" 2>/dev/null || true
}

# quietly COMMAND... : the words only if it fails
quietly()
{
	"$@" >"$BATS_FILE_TMPDIR/log" 2>&1 3>&- 4>&- ||
		fail "$(cat "$BATS_FILE_TMPDIR/log")"
}

# The image `busybox`, and stepdown-foreign with nothing but the witness.
base_up()
{
	local bin=$BATS_FILE_TMPDIR/base/bin name

	mkdir -p "$bin" "$BATS_FILE_TMPDIR/base/etc"
	cp "$(command -v busybox)" "$bin/busybox"
	for name in $(busybox --list); do
		[ -e "$bin/$name" ] || ln -s busybox "$bin/$name"
	done
	printf 'FROM scratch\nCOPY bin /bin\n' >"$BATS_FILE_TMPDIR/base/Dockerfile"
	quietly podman build --network none -t busybox "$BATS_FILE_TMPDIR/base"
}

# image NAME: of examples/NAME, as stepdown-NAME; or `foreign`
image()
{
	local context=$BATS_FILE_TMPDIR/context-$1

	mkdir -p "$context"
	cp "$STEPDOWN" "$context/stepdown"
	cp "$WITNESS" "$context/witness"
	if [ "$1" = foreign ]; then
		printf 'FROM scratch\nCOPY witness /\nCMD ["/witness"]\n' \
			>"$context/Dockerfile"
	else
		cp -R "$top/examples/$1/." "$context"
	fi
	quietly podman build --network none --pull-never \
		--build-arg BASE=localhost/busybox -t "stepdown-$1" "$context"
}

# contained [OPTION...] NAME [WORD...]
contained()
{
	capture podman run --rm --network none "$@"
}

says()
{
	grep -Fxq -- "$1" "$out" || fail_seen "it should say: $1"
}

@test "volume: a named one, twice, and a bind mount" {
	local folder=$tmp/folder

	image volume
	for _ in 1 2; do
		contained -v data:/data stepdown-volume
		succeeded
		says '4242:4242 /data'
		says '4242:4242 /data/greeting'
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
	says '/data can be written'
	says '/ cannot'
	says 'a line'
	contained --read-only --entrypoint \
		'["stepdown", "--user=4242:4242", "--own=/bin", "--", "true"]' \
		stepdown-read-only-root
	refused 111
	message_has 'Read-only file system'
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

@test "kubernetes: copy-in by an initContainer" {
	image kubernetes
	podman tag stepdown-kubernetes stepdown-tools
	played "$top/examples/copy-in/pod.yaml" stepdown-copy-in-app
	witness_is 4242 4242
}

@test "every example has a README of at most 40 lines" {
	local folder

	for folder in "$top"/examples/*/; do
		case ${folder%/} in
		*/lib | */alpine-build) continue ;;
		esac
		[ -s "$folder/README.md" ] || fail "no README in $folder"
		[ "$(wc -l <"$folder/README.md")" -le 40 ] || fail "$folder"
	done
}
