#!/usr/bin/env bats
# --secret: what only root may read, for an application that is not root.

# shellcheck disable=SC2016 # what is quoted is for the inner shells

# shellcheck source-path=SCRIPTDIR
. "$BATS_TEST_DIRNAME/helpers.bash"

setup_file()
{
	need curl ip node openssl pgrep python3 redis-cli redis-server nginx \
		psql strace
	net_up
	# Not below /tmp, where everybody may write.
	export keys=/run/stepdown-secret-$$
	mkdir "$keys"
	openssl req -x509 -nodes -newkey ec -pkeyopt ec_paramgen_curve:P-256 \
		-subj /CN=stepdown -days 2 -keyout "$keys/tls.key" \
		-out "$keys/tls.crt" 2>/dev/null
	chmod 600 "$keys/tls.key"
	chmod 644 "$keys/tls.crt"
}

teardown_file()
{
	rm -r "$keys"
	net_down
}

setup()
{
	use_net
	background=
	chmod 755 "$tmp"
	secrets=$(mktemp -d "$keys/XXXXXX")
	chmod 755 "$secrets"
	echo hunter2 >"$secrets/password"
	chmod 600 "$secrets/password"
}

# prints TEXT: that, and nothing else, is what the application printed
prints()
{
	succeeded
	[ "$(cat "$out")" = "$1" ] || fail_seen "it should print: $1"
}

# ---- what is handed over ----

look='
import fcntl, os, stat, sys
path = os.environ["PASSWORD_FILE"]
fd = int(path.rsplit("/", 1)[1])
st = os.stat(path)
seals = fcntl.fcntl(fd, 1034)
print(path, st.st_uid, st.st_gid, "%o" % stat.S_IMODE(st.st_mode),
      "sealed" if seals & 15 == 15 else seals)
print(open(path).read(), open(path).read(), sep="", end="")
for change in (lambda: os.write(fd, b"x"), lambda: os.ftruncate(fd, 0),
               lambda: os.fchmod(fd, 0o600) or os.write(fd, b"x"),
               lambda: fcntl.fcntl(fd, 1033, 0), lambda: open(sys.argv[1])):
    try:
        change()
        print("changed it")
    except PermissionError as e:
        print(e.strerror)'

@test "a sealed copy of the user's, as often as it likes; the original is closed" {
	as_4242 "--secret=PASSWORD_FILE=$secrets/password" -- \
		python3 -c "$look" "$secrets/password"
	prints "/proc/self/fd/3 4242 4242 400 sealed
hunter2
hunter2
Operation not permitted
Operation not permitted
Operation not permitted
Operation not permitted
Permission denied"
}

@test "the secrets are behind the sockets, in their order, and nothing else is" {
	local how

	echo other >"$secrets/other"
	for how in '' --init; do
		witnessed $how --listen=tcp://0.0.0.0:80 \
			"--secret=A=$secrets/password" \
			"--secret=B=$secrets/other?env" \
			"--secret=C=$secrets/other"
		witness_has_descriptors 0 1 2 3 4 5 6
		witness_has_socket 3 inet 0.0.0.0:80
		says env.LISTEN_FDS=1 env.A=/proc/self/fd/4 env.B=other \
			env.C=/proc/self/fd/6 fd.4.owner=4242:4242 \
			fd.4.cloexec=0
		witness_is 4242 4242
	done
}

@test "?env: the content, without one newline at its end" {
	printf 'two\nlines\n\n' >"$secrets/lines"
	: >"$secrets/empty"
	as_4242 "--secret=A=$secrets/lines?env" "--secret=B=$secrets/empty?env" \
		-- /bin/sh -c 'printf "<%s><%s>" "$A" "$B"'
	prints $'<two\nlines\n><>'
}

@test "?env wins over what was in the environment, and --init keeps it" {
	A=old as_4242 --init "--secret=A=$secrets/password?env" -- \
		/bin/sh -c 'echo "$A"'
	prints hunter2
}

# open_in PID: the secrets that a process has open
open_in()
{
	find "/proc/$1/fd" -lname '/memfd:*' | wc -l
}

has_none_open()
{
	[ "$(open_in "$1")" -eq 0 ]
}

@test "no parent keeps a secret open" {
	local how child

	for how in --init --handoff=bind; do
		in_background "$STEPDOWN" --user=4242:4242 $how \
			--listen=tcp://0.0.0.0:80 "--secret=A=$secrets/password" \
			-- "$WITNESS" sleep 600
		eventually 5 pgrep -P "$background" -x witness
		child=$(pgrep -P "$background" -x witness)
		eventually 5 has_none_open "$background" || fail 'it keeps it'
		[ "$(open_in "$child")" -eq 1 ]
		kill "$child"
		wait "$background" || true
	done
}

@test "from other than root: what can be read is handed over the same way" {
	chmod 644 "$secrets/password"
	before+=(setpriv --reuid=4242 --regid=4242 --clear-groups
		--bounding-set=-all)
	as_4242 "--secret=A=$secrets/password" -- /bin/sh -c 'cat $A'
	prints hunter2
	chmod 600 "$secrets/password"
	as_4242 "--secret=A=$secrets/password" -- true
	exited 111
	message_has "secret $secrets/password: Permission denied"
}

# ---- what is said ----

@test "a plan has names and sizes, and nothing has the content" {
	as_4242 --dry-run --listen=tcp://0.0.0.0:80 \
		"--secret=A=$secrets/password" "--secret=B=$secrets/password?env" \
		-- true
	succeeded
	grep -Fq "A from $secrets/password, 8 bytes, as descriptor 4" "$out"
	grep -Fq "B from $secrets/password, 8 bytes, as descriptor 5" "$out"
	run ! grep -q hunter2 "$out" "$err"
	as_4242 --dry-run --handoff=bind --listen=tcp://0.0.0.0:80 \
		"--secret=A=$secrets/password" -- true
	succeeded
	grep -Fq "A from $secrets/password, 8 bytes, as descriptor 3" "$out"
	as_4242 -v "--secret=A=$secrets/password" \
		"--secret=B=$secrets/password?env" -- /nowhere
	exited 127
	run ! grep -q hunter2 "$out" "$err"
}

@test "a secret that is missing: 111, or passed over with ?try" {
	as_4242 "--secret=A=$secrets/none" -- "$WITNESS"
	refused 111 "secret $secrets/none: No such file or directory"
	hint_lines '-v FILE:' subPath
	hint_has compose
	witnessed "--secret=A=$secrets/none?try" "--secret=B=$secrets/password"
	witness_lacks env.A
	says env.B=/proc/self/fd/3
	[ "$(cat "$err")" = "stepdown: warning: secret $secrets/none: passed over: No such file or directory" ]
	as_4242 --check "--secret=A=$secrets/none?try" \
		"--secret=B=$secrets/password" -- "$WITNESS"
	succeeded
	grep -q "^ok *secret *A from $secrets/none, passed over$" "$out"
	grep -q "^ok *secret *B from .*, 8 bytes, as descriptor 3$" "$out"
}

@test "what is no file, too large, or no text: 111, with and without ?try" {
	mkfifo "$secrets/fifo"
	truncate -s 1048577 "$secrets/large"
	truncate -s 40000 "$secrets/long"
	printf 'a\0b' >"$secrets/nul"
	as_4242 "--secret=A=$secrets/fifo?try" -- "$WITNESS"
	refused 111 'no regular file of at most 1 MiB'
	as_4242 "--secret=A=$secrets?try" -- "$WITNESS"
	refused 111
	as_4242 "--secret=A=$secrets/large" -- "$WITNESS"
	refused 111 'no regular file of at most 1 MiB'
	as_4242 --check "--secret=A=$secrets/large" -- "$WITNESS"
	exited 111
	grep -q '^will fail *secret .*at most 1 MiB' "$out"
	# As if it grew while it is copied.
	before=(strace -qq -o /dev/null -e trace=lseek
		-e inject=lseek:retval=1048577:when=1)
	as_4242 "--secret=A=$secrets/password" -- "$WITNESS"
	refused 111 'File too large'
	before=()
	as_4242 "--secret=A=$secrets/long?env" -- "$WITNESS"
	refused 111
	as_4242 "--secret=A=$secrets/nul?env" -- "$WITNESS"
	refused 111
	: >"$secrets/empty"
	as_4242 "--secret=$(printf 'A%.0s' {1..40000})=$secrets/empty?env" -- \
		"$WITNESS"
	refused 111
	as_4242 "--secret=A=$secrets/nul" -- /bin/sh -c 'wc -c <$A'
	prints 3
}

@test "values that are none: 100" {
	misuse 'expected NAME=PATH[?OPTION]' --user=4242:4242 --secret=/run/x -- true
	misuse 'expected NAME=PATH[?OPTION]' --user=4242:4242 --secret=A=x -- true
	misuse 'expected NAME=PATH[?OPTION]' --user=4242:4242 --secret=1A=/x -- true
	misuse 'expected NAME=PATH[?OPTION]' --user=4242:4242 '--secret=A=/x?open' \
		-- true
}

# ---- whose path it is ----

# A Kubernetes volume: anybody may write to it, but it is mounted read-only.
@test "links that root has made are followed" {
	local path

	mkdir -m 1777 "$secrets/volume"
	mkdir "$secrets/volume/..2026"
	cp "$secrets/password" "$secrets/volume/..2026"
	ln -s ..2026 "$secrets/volume/..data"
	ln -s ..data/password "$secrets/volume/password"
	ln -s "$secrets/volume/password" "$secrets/absolute"
	as_4242 "--secret=A=$secrets/volume/password" -- "$WITNESS"
	refused 111
	hint_has 'others than root'
	before+=(unshare --mount sh -c 'mount --bind "$0" "$0" &&
		mount -o remount,bind,ro "$0" && exec "$@"' "$secrets/volume")
	for path in volume/password absolute; do
		as_4242 "--secret=A=$secrets/$path" -- /bin/sh -c 'cat $A'
		prints hunter2
	done
}

@test "a path that the application can have laid out is refused" {
	local path

	mkdir -m 1777 "$secrets/sticky"
	mkdir "$secrets/its" "$secrets/its/roots"
	chown 4242:4242 "$secrets/its"
	cp "$secrets/password" "$secrets/its/roots"
	ln -s "$secrets/password" "$secrets/its/link"
	ln -s "$secrets/password" "$secrets/sticky/link"
	ln -s "$secrets/its/link" "$secrets/roots"
	ln -s loop "$secrets/loop"
	for path in its/link sticky/link roots its/roots/password; do
		as_4242 "--secret=A=$secrets/$path?try" -- "$WITNESS"
		refused 111 "secret $secrets/$path: Operation not permitted" \
			'others than root'
	done
	as_4242 "--secret=A=$secrets/loop" -- "$WITNESS"
	refused 111
}

# ---- real programs ----

@test "nginx with TLS on port 443, and a root-only key; a reload too" {
	mkdir "$tmp/nginx"
	chown 4242:4242 "$tmp/nginx"
	cat >"$tmp/nginx.conf" <<-end
	daemon off;
	pid $tmp/nginx/pid;
	error_log $tmp/nginx/error.log;
	events {}
	http {
		access_log off;
		client_body_temp_path $tmp/nginx/1; proxy_temp_path $tmp/nginx/2;
		fastcgi_temp_path $tmp/nginx/3; uwsgi_temp_path $tmp/nginx/4;
		scgi_temp_path $tmp/nginx/5;
		server {
			listen 443 ssl;
			ssl_certificate $keys/tls.crt;
			ssl_certificate_key /proc/self/fd/4;
			return 200 "served\n";
		}
	}
	end
	in_background "$STEPDOWN" --user=4242:4242 --handoff=nginx \
		--listen=tcp://0.0.0.0:443 "--secret=TLS_KEY=$keys/tls.key" \
		-- nginx -c "$tmp/nginx.conf"
	eventually 10 serves_tls || fail_seen "$(cat "$tmp/nginx/error.log")"
	workers=$(pgrep -P "$background")
	kill -HUP "$background"
	eventually 10 other_workers
	serves_tls || fail "$(cat "$tmp/nginx/error.log")"
	run ! grep -q 'emerg' "$tmp/nginx/error.log"
	[ "$(awk '/^Uid:/ { print $2 }' "/proc/$background/status")" = 4242 ]
}

serves_tls()
{
	[ "$(in_net curl -sS --cacert "$keys/tls.crt" --max-time 60 \
		--connect-to stepdown:443:127.0.0.1:443 https://stepdown/)" = \
		served ]
}

other_workers()
{
	[ -n "$(pgrep -P "$background")" ] &&
		! pgrep -P "$background" | grep -Fxq "$workers"
}

@test "redis with TLS" {
	in_background "$STEPDOWN" --user=4242:4242 \
		"--secret=KEY=$keys/tls.key" --chdir="$tmp" -- \
		redis-server --port 0 --tls-port 6380 --save '' \
		--tls-cert-file "$keys/tls.crt" --tls-key-file /proc/self/fd/3 \
		--tls-ca-cert-file "$keys/tls.crt" --tls-auth-clients no
	eventually 10 redis_answers || fail_seen 'redis does not answer'
}

redis_answers()
{
	[ "$(in_net redis-cli --tls --cacert "$keys/tls.crt" --sni stepdown \
		-p 6380 ping)" = PONG ]
}

# Its script in the shape of the official image's: file_env and initdb.
@test "postgres with POSTGRES_PASSWORD_FILE" {
	local bin=(/usr/lib/postgresql/*/bin)

	mkdir "$tmp/data"
	chown postgres:postgres "$tmp/data"
	cat >"$tmp/docker-entrypoint.sh" <<-'end'
	#!/bin/bash
	set -Eeo pipefail
	file_env() {
		local var="$1" file="${1}_FILE"
		[ "${!file:-}" ] && export "$var"="$(< "${!file}")"
		unset "$file"
	}
	file_env POSTGRES_PASSWORD
	[ -s "$PGDATA/PG_VERSION" ] ||
		initdb --username=postgres --auth=scram-sha-256 --no-sync \
			--pwfile=<(printf '%s\n' "$POSTGRES_PASSWORD")
	exec "$@"
	end
	chmod 755 "$tmp/docker-entrypoint.sh"
	in_background "$STEPDOWN" --user=postgres \
		"--secret=POSTGRES_PASSWORD_FILE=$secrets/password" \
		--env="PGDATA=$tmp/data/db" --env="PATH=${bin[0]}:$PATH" \
		-- "$tmp/docker-entrypoint.sh" \
		postgres -c "unix_socket_directories=$tmp/data" -c fsync=off
	eventually 60 postgres_answers hunter2 || fail_seen 'no answer'
	run ! postgres_answers other
}

postgres_answers()
{
	[ "$(PGPASSWORD=$1 in_net psql -h 127.0.0.1 -U postgres -Atqc \
		'SELECT 6 * 7')" = 42 ]
}

@test "a Python and a node program" {
	as_4242 "--secret=TLS_KEY=$keys/tls.key" -- python3 -c '
import os, ssl, sys
ssl.create_default_context().load_cert_chain(sys.argv[1], os.environ["TLS_KEY"])
print("loaded")' "$keys/tls.crt"
	prints loaded
	as_4242 "--secret=TLS_KEY=$keys/tls.key" -- node -e '
const fs = require("fs"), tls = require("tls");
tls.createSecureContext({ cert: fs.readFileSync(process.argv[1]),
                          key: fs.readFileSync(process.env.TLS_KEY) });
console.log("loaded");' "$keys/tls.crt"
	prints loaded
}

# Descriptor 0 is a file of the test's, and keeps its mode.
@test "a memfd_create(2) that lies: nothing is changed that is not ours" {
	touch "$tmp/stdin"
	chmod 644 "$tmp/stdin"
	echo hush >"$tmp/hush"
	status=0
	strace -qq -f -b execve -o "$calls" -e inject=memfd_create:retval=0 \
		"$STEPDOWN" --user=4242:4242 --secret=A="$tmp/hush" -- true \
		<"$tmp/stdin" >"$out" 2>"$err" 3>&- 4>&- || status=$?
	exited 111
	[ "$(stat -c %a "$tmp/stdin")" = 644 ]
}
