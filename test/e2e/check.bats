#!/usr/bin/env bats
# --check says what a run would meet in the container as it is, and changes
# nothing.

# shellcheck source-path=SCRIPTDIR
. "$BATS_TEST_DIRNAME/helpers.bash"

setup_file()
{
	need setpriv python3 strace
	python3 -c 'import jsonschema'
	net_up
}

setup()
{
	use_net
	mkdir "$tmp/volume"
}

# check STATUS OPTION...: it ends with that
check()
{
	stepdown --check --user=4242:4242 "${@:2}"
	exited "$1"
}

# check_says LINE: as it begins
check_says()
{
	grep -q -- "^$1" "$out" || fail_seen "no line begins with: $1"
}

# The output is what examples/check/schema.json says.
is_valid()
{
	python3 - "$top/examples/check/schema.json" "$out" <<-'END' ||
	import json, sys, jsonschema
	schema, seen = (json.load(open(name)) for name in sys.argv[1:])
	jsonschema.Draft7Validator.check_schema(schema)
	jsonschema.validate(seen, schema)
	END
		fail_seen 'it is not valid'
}

@test "it says how it was started and that each step will work" {
	check 0 --listen=tcp://0.0.0.0:80 --own="$tmp/volume" --umask=027 \
		--init -- "$WITNESS" some argument
	[ ! -s "$err" ] || fail_seen
	check_says 'osrelease  *[0-9]'
	check_says 'Uid  *0 0 0 0$'
	check_says 'CapPrm  *'
	check_says 'CapInh  *none$'
	check_says 'ip_unprivileged_port_start  *1024$'
	check_says 'landlock  *\(ABI [0-9]*\|no\)$'
	check_says 'ok  *needs  *capabilities$'
	check_says 'ok  *listen  *tcp://0.0.0.0:80$'
	check_says "ok  *own  *$tmp/volume: 0:0 0755, on /.* of type [a-z0-9]*$"
	check_says 'ok  *limits '
	check_says 'ok  *drop '
	check_says "ok  *exec  *$WITNESS$"
	! grep -q 'account\|will' "$out" || fail_seen 'what was not asked for'
}

@test "process 1 without --init is told that TERM needs a handler" {
	before=(unshare --pid --fork --kill-child --)
	stepdown --check --user=4242:4242 -- "$WITNESS"
	check_says 'ok  *exec  *TERM needs a handler or --init$'
	stepdown --check --user=4242:4242 --init -- "$WITNESS"
	! grep -q 'TERM needs' "$out" || fail_seen
	before=()
	stepdown --check --user=4242:4242 -- "$WITNESS"
	! grep -q 'TERM needs' "$out" || fail_seen
}

@test "every line of the maps of ids is said" {
	cp "$STEPDOWN" "$tmp/stepdown"
	printf '0 1000 1\n1 100000 65535\n' >"$tmp/map"
	# shellcheck disable=SC2016 # for the inner shell
	unshare --user sh -ec 'until grep -q 65535 /proc/self/gid_map; do
			sleep 0.1; done
		exec "$0" --check --user=0:0 --allow-root -- sh' \
		"$tmp/stepdown" >"$out" &
	eventually 60 cp "$tmp/map" "/proc/$!/uid_map" || fail 'no namespace'
	cat "$tmp/map" >"/proc/$!/gid_map"
	wait || true
	for map in uid_map gid_map; do
		check_says "$map  *0 1000 1$"
		check_says "$map  *1 100000 65535$"
	done
}

@test "it changes nothing but, at last, who it is itself" {
	traced "$changing_calls" "$STEPDOWN" --check --user=4242:4242 \
		--own="$tmp/volume" --own-stdio --account=app -- "$WITNESS"
	succeeded
	[ "$(changes | sed 's/^[0-9]* *//; s/(.*//')" = \
		$'setgroups\nsetresgid\nsetresuid' ] || fail_seen "$(changes)"
	owned_by 0:0 "$tmp/volume"
}

@test "a port is tried, and free again" {
	check 0 --listen=tcp://0.0.0.0:80 -- "$WITNESS"
	check 0 --listen=tcp://0.0.0.0:80 -- "$WITNESS"
	check 111 --listen=tcp://198.51.100.1:80 -- "$WITNESS"
	check_says 'will fail  *listen  *listen tcp://198.51.100.1:80: '
	check_says ' *hint: .*freebind'
}

@test "all that is missing stands in one line, with both lines to change" {
	before+=(setpriv --bounding-set=-all --inh-caps=-all)
	check 111 --listen=tcp://0.0.0.0:80 --own="$tmp/volume" -- "$WITNESS"
	check_says 'CapPrm  *none'
	check_says "will fail  *needs  *missing capabilities: CAP_NET_BIND_SERVICE to listen on tcp://0.0.0.0:80, CAP_CHOWN to own $tmp/volume, CAP_SETGID to set the gid, CAP_SETUID to set the uid$"
	check_says ' *hint: docker: --cap-add=CHOWN --cap-add=SETGID --cap-add=SETUID --cap-add=NET_BIND_SERVICE (compose: cap_add: \[CHOWN, SETGID, SETUID, NET_BIND_SERVICE\])$'
	check_says ' *hint: kubernetes: securityContext.capabilities.add: \[CHOWN, SETGID, SETUID, NET_BIND_SERVICE\]$'
}

@test "paths of --own: missing, to be made, read-only" {
	# shellcheck disable=SC2016 # for the inner shell
	before+=(unshare --mount sh -ec '
		mkdir -p "$0/ro" "$0/deep"
		mount -t tmpfs none "$0/deep"
		mkdir "$0/deep/er"
		mount -t tmpfs none "$0/deep/er"
		mount -t tmpfs -o ro none "$0/ro"
		exec "$@"' "$tmp")
	check 111 --own="$tmp/nowhere" --own="$tmp/new,create" --own="$tmp/ro" \
		--own="$tmp/ro,try" --own="$tmp/deep" -- "$WITNESS"
	check_says "ok  *own  *$tmp/deep: 0:0 1777, on $tmp/deep of type tmpfs, other mounts below: $tmp/deep/er$"
	check_says " *hint: docker: -v VOLUME:$tmp/nowhere "
	check_says " *hint: kubernetes: volumeMounts: .*mountPath: $tmp/ro,"
	check_says "will fail  *own  *own $tmp/nowhere: No such file"
	check_says "ok  *own  *$tmp/new$"
	check_says "will fail  *own  *own $tmp/ro: Read-only file system: read-only, 0:0 1777, on $tmp/ro of type tmpfs$"
	check_says "will warn  *own  *own $tmp/ro: Read-only file system: "
}

@test "COMMAND: what cannot be executed" {
	local dir=$tmp/bin

	mkdir "$dir"
	printf '#!/bin/sh\r\n' >"$dir/crlf"
	printf '#!/nowhere/sh -e\n' >"$dir/lost"
	printf '\177ELF\2\1\1\0\0\0\0\0\0\0\0\0\2\0\377\0' >"$dir/other"
	chmod 755 "$dir"/*
	touch "$dir/plain"
	check_command()
	{
		check 111 -- "$1"
		check_says "will fail  *exec  *execute $1: $2"
	}
	check_command nothing-of-this-name 'No such file'
	check_command "$dir" 'Is a directory'
	check_command "$dir/plain" 'Permission denied'
	check_command "$dir/crlf" 'No such file'
	check_says ' *hint: its #! line ends in CR LF'
	check_command "$dir/lost" 'No such file'
	check_command "$dir/other" 'Exec format error'
	check_says ' *hint: no program for this machine'
	mkdir -m 700 "$dir/closed"
	cp "$WITNESS" "$dir/closed/server"
	check_command "$dir/closed/server" 'Permission denied'
	check 111 --chdir="$tmp" -- bin/crlf
	check_says 'will fail  *exec  *execute bin/crlf: No such file'
	cp "$WITNESS" "$dir/server"
	check 0 --chdir="$tmp" -- bin/server
	check_says 'ok  *exec  *bin/server$'
	chmod 711 "$dir/server"
	check 0 -- "$dir/server"
	chgrp 4243 "$dir/server"
	chmod 710 "$dir/server"
	check_command "$dir/server" 'Permission denied'
	check 111 --env=PATH="$dir" -- server
	check_says "will fail  *exec  *execute $dir/server: Permission denied"
	check 0 --groups=4243 -- "$dir/server"
	check 111 --chdir="$tmp/nowhere" -- "$WITNESS"
	check_says 'will fail  *exec  *chdir .*/nowhere: No such file'
}

@test "as JSON, by its schema" {
	stepdown --check=json --user=4242:4242 --listen=tcp://0.0.0.0:80 \
		--own="$tmp/volume" -- "$WITNESS"
	succeeded
	is_valid
	stepdown --check=json --user=4242:4242 --own=$'/no"\\\ewhere' \
		-- nothing
	exited 111
	is_valid
	grep -Fq '"object": "/no\u0022\u005c\u001bwhere"' "$out" || fail_seen
	grep -q '"docker": "-v .*"kubernetes": "volumeMounts' "$out" || fail_seen
}

@test "the example's output is what is printed" {
	local line

	make_scratch "$tmp/root"
	mkdir "$tmp/root/data"
	cp "$tmp/root/witness" "$tmp/root/server"
	before=(setpriv --bounding-set=-all,+sys_chroot
		--inh-caps=-all,+sys_chroot)
	in_scratch "$tmp/root" /stepdown --check --user=4242:4242 \
		--own=/data -- /server
	exited 111
	while IFS= read -r line; do
		grep -Fxq -- "$line" "$out" || fail_seen "not: $line"
	done < <(grep -E '^(will|ok|  +hint:)' "$top/examples/check/README.md" |
		tee "$tmp/shown")
	[ "$(wc -l <"$tmp/shown")" -ge 2 ]
}

@test "wrong words are 100, as in a run" {
	misuse --check --check=yaml --user=4242:4242 -- "$WITNESS"
	misuse --user --check -- "$WITNESS"
	misuse command --check --user=4242:4242
}
