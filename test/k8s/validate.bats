#!/usr/bin/env bats
# Every manifest of the examples is what the Kubernetes API takes; and the
# validator can tell.

# shellcheck source-path=SCRIPTDIR
. "$BATS_TEST_DIRNAME/../e2e/helpers.bash"

validate=$BATS_TEST_DIRNAME/validate

good()
{
	cat <<-'end'
	apiVersion: apps/v1
	kind: Deployment
	metadata:
	  name: web
	spec:
	  selector:
	    matchLabels: {app: web}
	  template:
	    metadata:
	      labels: {app: web}
	    spec:
	      securityContext: {fsGroup: 2000}
	      containers:
	      - name: web
	        image: web
	        securityContext:
	          allowPrivilegeEscalation: false
	          capabilities:
	            add: [NET_BIND_SERVICE]
	        resources:
	          limits: {memory: 64Mi, cpu: 1}
	        ports:
	        - containerPort: 80
	        livenessProbe:
	          tcpSocket: {port: 80}
	end
}

@test "a good manifest is taken" {
	good >"$tmp/good.yaml"
	capture "$validate" "$tmp/good.yaml"
	succeeded
	grep -Fxq "$tmp/good.yaml: Deployment web: ok" "$out"
}

# What each edit by sed does to the good manifest, and what of it must be said.
# One run for all, since the compiler of the types takes seconds to start.
faults()
{
	cat <<-'end'
	s/fsGroup/fsgroup/	fsgroup
	s/allowPrivilegeEscalation/allowPrivilegedEscalation/	allowPrivilegedEscalation
	s/selector/selecter/	selecter
	s/fsGroup: 2000/capabilities: {drop: [ALL]}/	capabilities
	s/2000/"2000"/	fsGroup
	s/: false/: "false"/	allowPrivilegeEscalation
	s/\[NET_BIND_SERVICE\]/NET_BIND_SERVICE/	add
	s/- name: web/- stdin: true/	name
	/containerPort/s/.*/        - name: http/	containerPort
	s/kind: Deployment/kind: Deploymint/	no apps/v1 Deploymint
	s/apps.v1/apps\/v7/	no apps/v7 Deployment
	s/^apiVersion:.*//	no undefined Deployment
	s/^spec:/kind: Pod/	duplicated mapping key
	/./d	no document
	end
}

@test "misspelt, misplaced, of a wrong type, missing, unknown: all is found" {
	local edit words n=0

	while IFS=$'\t' read -r edit words; do
		n=$((n + 1))
		good | sed "$edit" >"$tmp/bad-$n-.yaml"
	done < <(faults)
	capture "$validate" "$tmp"/bad-*.yaml
	exited 1
	n=0
	while IFS=$'\t' read -r edit words; do
		n=$((n + 1))
		grep -F "bad-$n-.yaml: " "$out" | grep -Fq -- "$words" ||
			fail_seen "of $edit it should say: $words"
	done < <(faults)
	[ "$n" -eq 14 ]
	run ! grep -q ': ok$' "$out"
}

@test "a file that is not there is a fault" {
	capture "$validate" "$tmp/none.yaml"
	exited 1
}

@test "one bad document among good ones is found" {
	{ good; echo ---; good | sed 's/fsGroup/fsgroup/'; echo ---; good; } \
		>"$tmp/three.yaml"
	capture "$validate" "$tmp/three.yaml"
	exited 1
	[ "$(grep -c ': ok$' "$out")" -eq 2 ] || fail_seen
}

@test "every manifest of the examples is good" {
	mapfile -t manifests < <(grep -rl '^apiVersion:' "$top/examples" \
		--include='*.yaml')
	[ "${#manifests[@]}" -gt 0 ] || fail 'no manifest'
	capture "$validate" "${manifests[@]}"
	succeeded
}

@test "hostUsers: false, the variant of pod.yaml that no node runs here" {
	sed 's/^  #hostUsers/  hostUsers/' "$top/examples/kubernetes/pod.yaml" \
		>"$tmp/variant.yaml"
	grep -Fxq '  hostUsers: false' "$tmp/variant.yaml"
	capture "$validate" "$tmp/variant.yaml"
	succeeded
}

# What the pages say of all of them. The lists of capabilities, of volumes and
# of what must be set are those of the Pod Security Standards.
keeps_to_the_rules()
{
	python3 - "$@" <<-'END'
	import sys, yaml
	BASELINE = set("""AUDIT_WRITE CHOWN DAC_OVERRIDE FOWNER FSETID KILL MKNOD
	    NET_BIND_SERVICE SETFCAP SETGID SETPCAP SETUID SYS_CHROOT""".split())
	VOLUMES = {"name", "configMap", "secret", "emptyDir", "projected",
	    "downwardAPI", "persistentVolumeClaim"}
	PROBES = "startupProbe", "readinessProbe", "livenessProbe"

	def faults(pod, restricted):
	    of_pod = pod.get("securityContext", {})
	    if any(pod.get(n) for n in ("hostNetwork", "hostPID", "hostIPC")):
	        yield "the host's namespaces"
	    for volume in pod.get("volumes", []):
	        if set(volume) - VOLUMES:
	            yield "volume " + volume["name"]
	    for c in pod["containers"] + pod.get("initContainers", []):
	        own = c.get("securityContext", {})
	        caps = own.get("capabilities", {})
	        add = set(caps.get("add", []))
	        both = {**of_pod, **own}
	        if both.get("runAsUser") == 0:
	            yield "runAsUser: 0"
	        if "imagePullPolicy" not in c:
	            yield "no imagePullPolicy"
	        if own.get("allowPrivilegeEscalation") is not False:
	            yield "allowPrivilegeEscalation"
	        if caps.get("drop") != ["ALL"] or not add <= BASELINE:
	            yield "capabilities"
	        if any("httpGet" not in c[name] for name in PROBES if name in c):
	            yield "a probe that is none of httpGet"
	        if restricted and not (add <= {"NET_BIND_SERVICE"} and
	                both.get("runAsNonRoot") is True and
	                both.get("seccompProfile", {}).get("type") ==
	                "RuntimeDefault"):
	            yield "not of level restricted"
	        # Of an error, what was logged last is in the pod's status.
	        if (c.get("terminationMessagePolicy") !=
	                "FallbackToLogsOnError") != ("secret" in c["image"]):
	            yield "terminationMessagePolicy"

	wrong = 0
	for path in sys.argv[1:]:
	    for one in yaml.safe_load_all(open(path)):
	        pod = one["spec"]
	        pod = pod.get("template", {}).get("spec", pod)
	        if one["kind"] == "Service":
	            continue
	        for fault in faults(pod, "user-in-image" in path):
	            print(f"{path}: {fault}")
	            wrong = 1
	sys.exit(wrong)
	END
}

@test "every manifest keeps to the rules of its level, and they can tell" {
	local edit

	keeps_to_the_rules "$top"/examples/*/pod.yaml \
		"$top/examples/kubernetes/"*.yaml
	for edit in 's/: RuntimeDefault/: Unconfined/' 's/NET_BIND/SYS_RAW/' \
		's/runAsGroup: .*/runAsUser: 0/' 's/emptyDir/hostPath/' \
		's/runAsNonRoot: true/hostNetwork: true/' 's/Fallback.*/File/' \
		's/Escalation: false/Escalation: true/' 's/\[ALL\]/[]/' \
		'/imagePullPolicy/d'; do
		mkdir -p "$tmp/user-in-image"
		sed "$edit" "$top/examples/user-in-image/pod.yaml" \
			>"$tmp/user-in-image/pod.yaml"
		run ! keeps_to_the_rules "$tmp/user-in-image/pod.yaml"
	done
	sed 's/httpGet/tcpSocket/' "$top/examples/kubernetes/deployment.yaml" \
		>"$tmp/deployment.yaml"
	run ! keeps_to_the_rules "$tmp/deployment.yaml"
}

@test "every manifest is run by the node, as it stands" {
	local file

	for file in "$top"/examples/*/pod.yaml "$top"/examples/kubernetes/*.yaml; do
		grep -Fq "@test \"${file#"$top/"}" \
			"$BATS_TEST_DIRNAME/node/node.bats" || fail "$file"
	done
}
