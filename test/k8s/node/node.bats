#!/usr/bin/env bats
# Pods as a real kubelet, containerd and runc run them; see `node` beside this
# file. All are started together; each test waits for its own.

# shellcheck source-path=SCRIPTDIR/../../examples source=podman.bash
. "$BATS_TEST_DIRNAME/../../examples/podman.bash"

node=$BATS_TEST_DIRNAME/node
state=${BATS_FILE_TMPDIR:-}/node

setup_file()
{
	need podman runc busybox setcap containerd ctr python3 ip
	quietly "$BATS_TEST_DIRNAME/kubelet" "$top/build/cache/kubelet"
	store_up
	images
	quietly "$node" up "$state" "$top/build/cache/kubelet/kubelet"
	quietly "$node" import "$state" "$BATS_FILE_TMPDIR"/images/*.tar
	write_pods "$BATS_FILE_TMPDIR/pods"
	quietly "$node" run "$state" "$BATS_FILE_TMPDIR"/pods/*.yaml
}

teardown_file()
{
	"$node" down "$state" >/dev/null 2>&1 || true
	podman_down
}

# saved NAME: the image stepdown-NAME as an archive for containerd
saved()
{
	mkdir -p "$BATS_FILE_TMPDIR/images"
	quietly podman save --format docker-archive \
		-o "$BATS_FILE_TMPDIR/images/$1.tar" "localhost/$1:latest"
}

images()
{
	local context=$BATS_FILE_TMPDIR/context-pause name

	mkdir -p "$context"
	quietly musl-gcc -static -o "$context/pause" \
		"$BATS_TEST_DIRNAME/pause.c"
	printf 'FROM scratch\nCOPY pause /\nENTRYPOINT ["/pause"]\n' \
		>"$context/Dockerfile"
	quietly podman build --network none -t pause "$context"
	image kubernetes
	image volume
	image secret
	foreign_image
	tools_image
	user_image
	restricted_image
	nginx_image
	saved pause
	for name in foreign kubernetes volume secret tools user-in-image restricted \
		nginx; do
		saved "stepdown-$name"
	done
}

# The image of examples/fsgroup: what an image with nothing else would have.
foreign_image()
{
	local context=$BATS_FILE_TMPDIR/context-foreign

	cp "$STEPDOWN" "$context/stepdown"
	printf 'FROM stepdown-foreign\nCOPY stepdown /\n' >"$context/Dockerfile"
	quietly podman build --network none --pull-never -t stepdown-foreign \
		"$context"
}

# busybox, stepdown and the witness, without a USER or an ENTRYPOINT
tools_image()
{
	local context=$BATS_FILE_TMPDIR/context-tools

	mkdir -p "$context"
	cp "$STEPDOWN" "$context/stepdown"
	cp "$WITNESS" "$context/witness"
	cat >"$context/Dockerfile" <<-'END'
	FROM localhost/busybox
	COPY stepdown /usr/local/bin/stepdown
	COPY witness /witness
	END
	quietly podman build --network none --pull-never -t stepdown-tools \
		"$context"
}

# USER 4242 and file capabilities, for clusters of the level "restricted"
restricted_image()
{
	local context=$BATS_FILE_TMPDIR/context-restricted

	mkdir -p "$context"
	cp "$STEPDOWN" "$context/stepdown"
	setcap cap_net_bind_service=p "$context/stepdown"
	cp "$WITNESS" "$context/witness"
	printf 'user=4242:4242\nlisten=tcp://0.0.0.0:80\n' \
		>"$context/stepdown.conf"
	cat >"$context/Dockerfile" <<-'END'
	FROM localhost/busybox
	COPY stepdown /usr/local/bin/stepdown
	COPY stepdown.conf /etc/stepdown.conf
	COPY witness /witness
	USER 4242:4242
	ENTRYPOINT ["/usr/local/bin/stepdown"]
	CMD ["/witness"]
	END
	quietly podman build --network none --pull-never \
		-t stepdown-restricted "$context"
}

# pod NAME IMAGE [COMMAND-AS-JSON]: begins a manifest in $pods; what follows is
# appended by `add`, at the level of the container.
pod()
{
	manifest=$pods/$1.yaml
	cat >"$manifest" <<-END
	apiVersion: v1
	kind: Pod
	metadata: {name: $1, labels: {about: $1}}
	spec:
	  restartPolicy: Never
	  terminationGracePeriodSeconds: 60
	  containers:
	  - name: app
	    image: localhost/stepdown-$2:latest
	    imagePullPolicy: Never
	END
	[ -z "${3-}" ] || echo "    command: $3" >>"$manifest"
}

# in_container LINE... and in_pod LINE...: pods come after containers
in_container()
{
	printf '    %s\n' "$@" >>"$manifest"
}

in_pod()
{
	printf '  %s\n' "$@" >>"$manifest"
}

data_volume()
{
	in_container 'volumeMounts: [{name: data, mountPath: /data}]'
	in_pod "volumes: [{name: data, ${1:-emptyDir: {\}}}]"
}

caps()
{
	in_container "securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL], add: [$1]}}"
}

own_caps='CHOWN, SETUID, SETGID, SETPCAP'
as_app='"stepdown", "--user=4242:4242"'

# The user's number in the messages of the shell that looks.
# shellcheck disable=SC2016 # the shell of the container expands it
look='stat -c \"%u:%g %a %n\" /data; touch /data/f && stat -c \"%u:%g %n\" /data/f'

write_pods()
{
	pods=$1
	mkdir -p "$pods"

	pod plain tools "[$as_app, \"--own=/data\", \"--listen=tcp://0.0.0.0:80\", \"--\", \"/witness\"]"
	data_volume

	pod few-caps tools "[$as_app, \"--own=/data\", \"--\", \"/witness\"]"
	caps "$own_caps"
	data_volume

	pod no-caps tools "[$as_app, \"--own=/data\", \"--\", \"/witness\"]"
	caps ''
	data_volume

	pod as-4242 tools '["stepdown", "--user=4242:4242", "--", "/witness"]'
	in_container 'securityContext: {runAsUser: 4242, runAsGroup: 4242, allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}'

	pod other-ids tools '["stepdown", "--user=4242:4242", "--", "/witness"]'
	in_container 'securityContext: {runAsUser: 5000, runAsGroup: 5001, capabilities: {drop: [ALL]}}'

	pod privileged tools "[$as_app, \"--own=/data\", \"--\", \"/witness\"]"
	in_container 'securityContext: {privileged: true}'
	data_volume

	pod read-only tools "[$as_app, \"--own=/data\", \"--\", \"sh\", \"-c\", \"$look\"]"
	in_container 'securityContext: {readOnlyRootFilesystem: true, seccompProfile: {type: RuntimeDefault}}'
	data_volume

	pod memory tools "[$as_app, \"--own=/data\", \"--\", \"sh\", \"-c\", \"$look\"]"
	data_volume 'emptyDir: {medium: Memory}'

	pod subpath tools "[$as_app, \"--own=/data\", \"--\", \"sh\", \"-c\", \"$look\"]"
	in_container 'volumeMounts: [{name: data, mountPath: /data, subPath: a/b}]'
	in_pod 'volumes: [{name: data, emptyDir: {}}]'

	pod fsgroup tools "[$as_app, \"--\", \"sh\", \"-c\", \"id -G; touch /data/f && stat -c '%u:%g' /data/f\"]"
	data_volume
	in_pod 'securityContext: {fsGroup: 2000, supplementalGroups: [3000]}'

	pod fsgroup-own tools "[$as_app, \"--own=/data,fsgroup,group=2000\", \"--\", \"sh\", \"-c\", \"$look\"]"
	data_volume
	in_pod 'securityContext: {fsGroup: 2000}'

	pod fsgroup-undone tools "[$as_app, \"--own=/data\", \"--\", \"sh\", \"-c\", \"$look\"]"
	data_volume
	in_pod 'securityContext: {fsGroup: 2000}'

	pod token tools "[$as_app, \"--\", \"sh\", \"-c\", \"cat /token/token\"]"
	in_container 'volumeMounts: [{name: token, mountPath: /token}]'
	token_volume

	pod token-as-root tools "[$as_app, \"--\", \"sh\", \"-c\", \"cat /token/token\"]"
	in_container 'securityContext: {runAsUser: 0}'
	in_container 'volumeMounts: [{name: token, mountPath: /token}]'
	token_volume

	pod token-fsgroup tools "[$as_app, \"--\", \"sh\", \"-c\", \"cat /token/token\"]"
	in_container 'securityContext: {runAsUser: 0}'
	in_container 'volumeMounts: [{name: token, mountPath: /token}]'
	token_volume
	in_pod 'securityContext: {fsGroup: 2000}'

	cat >"$pods/0-objects.yaml" <<-'END'
	apiVersion: v1
	kind: ConfigMap
	metadata: {name: settings}
	data: {colour: blue}
	---
	apiVersion: v1
	kind: Secret
	metadata: {name: key}
	stringData: {password: hush}
	---
	apiVersion: v1
	kind: Secret
	metadata: {name: password}
	stringData: {password: hunter2}
	END
	pod nested tools "[$as_app, \"--own=/data\", \"--\", \"sh\", \"-c\", \"cat /data/settings/colour; echo; stat -c '%u:%g %n' /data /data/settings/colour; touch /data/f\"]"
	in_container 'volumeMounts:' \
		'- {name: data, mountPath: /data}' \
		'- {name: settings, mountPath: /data/settings}' \
		'- {name: key, mountPath: /data/key}'
	in_pod 'volumes:' '- {name: data, emptyDir: {}}' \
		'- {name: settings, configMap: {name: settings}}' \
		'- {name: key, secret: {secretName: key}}'

	pod configmap-own tools "[$as_app, \"--own=/data\", \"--\", \"true\"]"
	data_volume 'configMap: {name: settings}'

	pod secret-own tools "[$as_app, \"--own=/data\", \"--\", \"true\"]"
	data_volume 'secret: {secretName: key}'

	pod downward-own tools "[$as_app, \"--own=/data\", \"--\", \"true\"]"
	data_volume 'downwardAPI: {items: [{path: name, fieldRef: {fieldPath: metadata.name}}]}'

	pod secret-fsgroup tools "[$as_app, \"--\", \"cat\", \"/data/password\"]"
	data_volume 'secret: {secretName: key, defaultMode: 0440}'
	in_pod 'securityContext: {fsGroup: 2000}'

	pod host-network tools "[$as_app, \"--listen=tcp://127.0.0.1:81\", \"--\", \"/witness\"]"
	in_pod 'hostNetwork: true'

	pod port-zero tools '["stepdown", "--user=4242:4242", "--listen=tcp://0.0.0.0:80", "--", "/witness"]'
	in_container 'securityContext: {runAsUser: 4242, runAsGroup: 4242, allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}'
	in_pod 'securityContext: {sysctls: [{name: net.ipv4.ip_unprivileged_port_start, value: "0"}]}'

	pod bind tools "[$as_app, \"--listen=tcp://*:80\", \"--handoff=bind\", \"--\", \"sh\", \"-c\", \"busybox httpd -p 80 -h /bin && wget -q -O /dev/null http://127.0.0.1/true && echo served\"]"
	in_container 'securityContext: {allowPrivilegeEscalation: false, seccompProfile: {type: RuntimeDefault}, capabilities: {drop: [ALL], add: [NET_BIND_SERVICE, SETUID, SETGID, SETPCAP]}}'

	pod shared-pids tools "[$as_app, \"--init\", \"--\", \"sh\", \"-c\", \"cat /proc/1/comm; id -u\"]"
	in_pod 'shareProcessNamespace: true'

	# Probes, hooks and `kubectl exec` run as the image's USER, here root.
	# shellcheck disable=SC2016 # the shell of the container expands it
	local as_root='exec: {command: [sh, -c, "test $(id -u) = 0"]}' \
		as_user='exec: {command: [stepdown, --user=4242:4242, --, sh, -c, "test $(id -u) = 4242"]}'

	pod probes tools "[$as_app, \"--init\", \"--handoff=bind\", \"--listen=tcp://*:80\", \"--\", \"busybox\", \"httpd\", \"-f\", \"-p\", \"80\", \"-h\", \"/bin\"]"
	in_container 'startupProbe: {httpGet: {path: /true, port: 80}, periodSeconds: 1, failureThreshold: 300}' \
		'livenessProbe: {tcpSocket: {port: 80}, periodSeconds: 1}' \
		"readinessProbe: {$as_user, periodSeconds: 1}" \
		'lifecycle:' \
		"  postStart: {$as_root}" \
		'  preStop: {exec: {command: [sh, -c, "id -u >/stopped/uid"]}}' \
		'volumeMounts: [{name: stopped, mountPath: /stopped}]'
	in_pod "volumes: [{name: stopped, hostPath: {path: $BATS_FILE_TMPDIR/stopped, type: DirectoryOrCreate}}]"
	sed -i 's/restartPolicy: Never/restartPolicy: Always/' "$manifest"

	pod restart tools "[$as_app, \"--own=/data\", \"--\", \"sh\", \"-c\", \"echo x >>/data/starts; wc -l </data/starts; [ \$(wc -l </data/starts) -ge 3 ]\"]"
	data_volume
	sed -i 's/restartPolicy: Never/restartPolicy: OnFailure/' "$manifest"

	pod restricted restricted
	in_container 'securityContext: {runAsNonRoot: true, runAsGroup: 4242, allowPrivilegeEscalation: false, seccompProfile: {type: RuntimeDefault}, capabilities: {drop: [ALL], add: [NET_BIND_SERVICE]}}'

	# The kubelet takes the uid of the image's USER, and not its group.
	pod restricted-group restricted
	in_container 'securityContext: {runAsNonRoot: true, allowPrivilegeEscalation: false, seccompProfile: {type: RuntimeDefault}, capabilities: {drop: [ALL], add: [NET_BIND_SERVICE]}}'

	pod restricted-without restricted
	in_container 'securityContext: {runAsNonRoot: true, allowPrivilegeEscalation: false, seccompProfile: {type: RuntimeDefault}, capabilities: {drop: [ALL]}}'
}

token_volume()
{
	in_pod 'volumes:' '- name: token' \
		'  projected: {sources: [{serviceAccountToken: {path: token}}]}'
}

# within SECONDS COMMAND...: as eventually, for commands that take their time
within()
{
	local end=$((SECONDS + $1))

	shift
	until "$@" >/dev/null 2>&1; do
		[ "$SECONDS" -lt "$end" ] || return 1
		sleep 0.2
	done
}

# ended POD: has it, one way or the other?
ended()
{
	"$node" status "$state" "$1" |
		grep -Eq '"phase": "(Succeeded|Failed)"'
}

# of POD [CONTAINER]: waits for its end; what it wrote, and its exit status
of()
{
	within 600 ended "$1" ||
		fail "$("$node" status "$state" "$1"; "$node" logs "$state" "$1")"
	"$node" logs "$state" "$@" >"$out"
	cp "$out" "$err"
	status=$("$node" status "$state" "$1" |
		grep -Eo '"exitCode": [0-9]+' | tail -n 1 | grep -Eo '[0-9]+')
}

# ran POD: as of(), and it succeeded
ran()
{
	of "$1"
	succeeded
}

# played MANIFEST CONTAINER: its pod, as of()
played()
{
	local pod

	capture "$node" run "$state" "$1"
	succeeded
	pod=$(tail -n 1 "$out")
	of "$pod" "$2"
}

# ready POD: started and ready?
ready()
{
	"$node" status "$state" "$1" | python3 -c '
import json, sys
status = json.load(sys.stdin)["status"]
sys.exit(not all(c["ready"] for c in status["containerStatuses"]))'
}

@test "the runtime's own capabilities: ports, volumes, everything gone after" {
	ran plain
	witness_is 4242 4242
}

@test "the few capabilities under allowPrivilegeEscalation: false" {
	ran few-caps
	witness_is 4242 4242
}

@test "drop: ALL without any: 111, and the line to change" {
	of no-caps
	exited 111
	grep -q 'capabilities.add' "$out" || fail_seen
}

@test "runAsUser, the uid that --user names" {
	ran as-4242
	witness_is 4242 4242 4242
}

@test "runAsUser and runAsGroup, others than --user names: they stay" {
	ran other-ids
	witness_is 5000 5001 5001
	says 'stepdown: not root: uid 5000, gid 5001 and groups stay, not --user 4242:4242'
}

@test "privileged: everything is gone after" {
	ran privileged
	witness_is 4242 4242
}

@test "readOnlyRootFilesystem and RuntimeDefault" {
	ran read-only
	says '4242:4242 /data/f'
}

@test "an emptyDir in memory" {
	ran memory
	says '4242:4242 /data/f'
}

@test "a subPath" {
	ran subpath
	says '4242:4242 /data/f'
}

@test "fsGroup and supplementalGroups stay, and are enough without --own" {
	ran fsgroup
	says '4242 2000 3000' 4242:2000
}

@test "fsGroup with --own=...,fsgroup changes nothing that the kubelet did" {
	ran fsgroup-own
	grep -Eq '^[0-9]+:2000 2[0-7]+ /data$' "$out" || fail_seen
	says '4242:2000 /data/f'
}

@test "fsGroup with a plain --own: a note names the option that is missing" {
	ran fsgroup-undone
	says '4242:4242 /data/f'
	grep -q 'add ,fsgroup' "$out" || fail_seen
}

@test "the ServiceAccount token is readable where runAsUser is left out" {
	ran token
	says 'a.token.of-the-tests'
}

@test "runAsUser: 0 makes the token unreadable, fsGroup readable again" {
	of token-as-root
	[ "$status" -ne 0 ]
	grep -q 'Permission denied' "$out" || fail_seen
	ran token-fsgroup
	says 'a.token.of-the-tests'
}

@test "a ConfigMap and a Secret inside an owned path stay what they are" {
	ran nested
	says blue '4242:4242 /data'
	grep -Eq '^0:[0-9]+ /data/settings/colour$' "$out" || fail_seen
}

@test "--own on a ConfigMap, Secret, downwardAPI itself: 111, and what to do" {
	local pod

	for pod in configmap-own secret-own downward-own; do
		of "$pod"
		exited 111
		grep -q 'Read-only file system' "$out" || fail_seen
		grep -q 'hint: .*fsGroup or defaultMode' "$out" || fail_seen
	done
	ran secret-fsgroup
	says 'hush'
}

@test "hostNetwork: a low port of the node" {
	ran host-network
	witness_is 4242 4242
}

@test "hostNetwork of a node where every port is open: a user has it" {
	manifest=$BATS_TEST_TMPDIR/open.yaml
	sed 's/host-network/host-open/; s/:81"/:82"/' \
		"$BATS_FILE_TMPDIR/pods/host-network.yaml" >"$manifest"
	in_pod 'securityContext: {runAsUser: 4242, runAsGroup: 4242}'
	of host-network
	"$node" in "$state" sysctl -qw net.ipv4.ip_unprivileged_port_start=0
	played "$manifest" app
	"$node" in "$state" sysctl -qw net.ipv4.ip_unprivileged_port_start=1024
	succeeded
	says fd.3.address=127.0.0.1:82
}

@test "the sysctl that opens all ports: a port for a user" {
	ran port-zero
	witness_is 4242 4242 4242
	says fd.3.address=0.0.0.0:80
}

@test "--handoff=bind under RuntimeDefault" {
	ran bind
	says 'served'
}

@test "shareProcessNamespace: --init is not process 1 and works" {
	ran shared-pids
	says pause 4242
}

@test "a container that fails is started again, on a volume that is right" {
	ran restart
	says 3
	"$node" status "$state" restart | grep -q '"restartCount": 2' ||
		fail "$("$node" status "$state" restart)"
}

@test "level restricted: USER, file capabilities and add: NET_BIND_SERVICE" {
	ran restricted
	says uid.real=4242 gid.real=4242 cap.permitted="$no_caps" \
		no_new_privs=1 fd.3.address=0.0.0.0:80
	ran restricted-group
	says uid.real=4242 gid.real=0
	grep -q 'gid 0' "$out" || fail_seen
}

@test "level restricted without add: the port is refused, with the line" {
	of restricted-without
	exited 111
	grep -q 'CAP_NET_BIND_SERVICE' "$out" || fail_seen
}

@test "all three probes and both hooks; a stop ends it in its grace period" {
	within 600 ready probes ||
		fail "$("$node" status "$state" probes; "$node" logs "$state" probes)"
	"$node" delete "$state" probes
	[ "$(cat "$BATS_FILE_TMPDIR/stopped/uid")" = 0 ]
}

# The manifests of the examples, as they stand.

@test "examples/kubernetes/pod.yaml" {
	played "$top/examples/kubernetes/pod.yaml" app
	succeeded
	grep -Eq '^CapPrm:\s0{16}$' "$out" || fail_seen
	says '4242:4242 /data/file'
}

@test "examples/user-in-image/pod.yaml: a low port on level restricted" {
	played "$top/examples/user-in-image/pod.yaml" app
	succeeded
	grep -Eq '^0\.0\.0\.0:80 .*LISTEN' "$out" || fail_seen
	grep -Eq '^Uid:(\s4242){4}$' "$out" || fail_seen
	# Without SETPCAP it stays in the bounding set, where it gives nothing.
	grep -Eq '^CapPrm:\s0{16}$' "$out" || fail_seen
	grep -Eq '^CapBnd:\s0{13}400$' "$out" || fail_seen
	says '4242:4242 /data/file'
}

@test "examples/secret/pod.yaml" {
	played "$top/examples/secret/pod.yaml" app
	says hunter2 4242
	grep -q 'run/secrets/password.: Permission denied' "$out" || fail_seen
}

@test "examples/check/pod.yaml: the check's log, and the server after it" {
	capture "$node" run "$state" "$top/examples/check/pod.yaml"
	succeeded
	within 600 ready web ||
		fail "$("$node" status "$state" web; "$node" logs "$state" web)"
	"$node" logs "$state" web check >"$out"
	grep -Eq '^ok  *own  */data: ' "$out" || fail_seen
	"$node" delete "$state" web
}

@test "examples/emptydir/pod.yaml" {
	played "$top/examples/emptydir/pod.yaml" second
	succeeded
	says again '4242:4242 750 /data' '4242:4242 640 /data/greeting'
}

@test "examples/fsgroup/pod.yaml" {
	played "$top/examples/fsgroup/pod.yaml" app
	succeeded
	witness_is 4242 4242 '2000 3000'
}

@test "examples/copy-in/pod.yaml" {
	played "$top/examples/copy-in/pod.yaml" app
	succeeded
	witness_is 4242 4242
}

@test "examples/kubernetes/statefulset.yaml, first and second start" {
	local owner

	for _ in 1 2; do
		capture "$node" run "$state" \
			"$top/examples/kubernetes/statefulset.yaml"
		succeeded
		within 600 ready store-0 ||
			fail "$("$node" logs "$state" store-0)"
		"$node" delete "$state" store-0
	done
	! grep 'Kill container' "$state/containerd.log" ||
		fail 'TERM does not end it'
	owner=$(stat -c '%u:%g %a' "$state/api/claims/store-0")
	[ "$owner" = '0:4242 2775' ] || fail "$owner"
	[ "$(stat -c %u:%g "$state/api/claims/store-0/starts")" = 4242:4242 ]
	[ "$(wc -l <"$state/api/claims/store-0/starts")" -eq 2 ]
}

@test "examples/kubernetes/deployment.yaml: nginx serves, ready by its probes" {
	capture "$node" run "$state" "$top/examples/kubernetes/deployment.yaml"
	succeeded
	within 600 ready web-0 ||
		fail "$("$node" status "$state" web-0; "$node" logs "$state" web-0)"
	"$node" delete "$state" web-0
}
