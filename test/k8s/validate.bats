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
