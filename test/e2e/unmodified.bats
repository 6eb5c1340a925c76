#!/usr/bin/env bats
# Servers of Debian that cannot take a socket, or are not told to: unmodified,
# each on a port below 1024 by --handoff=bind, as uid 4242, with no capability.

# shellcheck source-path=SCRIPTDIR
. "$BATS_TEST_DIRNAME/helpers.bash"

BINDER=${BINDER:-$top/build/test/e2e/binder}

setup_file()
{
	need curl ip pgrep ss nginx redis-server redis-cli memcached lighttpd \
		node busybox dnsmasq apache2 caddy npm sshd ssh-keygen \
		supervisord unbound
	[ -x /usr/bin/python3 ] || cannot_run 'no python3'
	net_up
}

setup()
{
	use_net
	background=
	dir=$(mktemp -d /tmp/stepdown.XXXXXX)
	chown 4242:4242 "$dir"
	echo 'it works' >"$dir/index.html"
	cd "$dir" || return
}

teardown()
{
	stop_family
	rm -rf "$dir"
}

# start LISTEN... -- COMMAND...
start()
{
	local listen=()

	while [ "$1" != -- ]; do
		listen+=("--listen=$1")
		shift
	done
	in_background unshare --pid --fork --mount-proc \
		"$STEPDOWN" --user=4242:4242 --handoff=bind \
		"${listen[@]}" "$@"
}

# gets ADDRESS[/FILE]
gets()
{
	local file=

	[[ $1 == */* ]] || file=/
	in_net curl -sS --globoff --fail --max-time 60 "http://$1$file"
}

# serves ADDRESS WORDS: over HTTP. During a reload nginx may end a connection to
# a socket that it gives up.
serves()
{
	eventually 20 answers "$@" || fail_seen "$1 does not answer: $2"
}

answers()
{
	gets "$1" | grep -Fq -- "$2"
}

first()
{
	pgrep -P "$background"
}

# has_processes N: at least so many; the first that serves may not be the last
has_processes()
{
	mapfile -t pids < <(pgrep --ns "$(first)" --nslist pid .)
	[ "${#pids[@]}" -ge "$1" ]
}

# Everybody in there is 4242 and has nothing, the supervisor too.
nobody_is_privileged()
{
	local pid pids seen

	eventually 5 has_processes "${1:-2}" ||
		fail "only ${#pids[@]} processes"
	for pid in "${pids[@]}"; do
		# A worker of before a reload may have ended meanwhile.
		seen=$(cat "/proc/$pid/status") || continue
		[ "$(sed -n 's/^CapPrm:\t//p' <<<"$seen")" = $no_caps ]
		[ "$(sed -n 's/^Uid:\t//p' <<<"$seen")" = \
			"$(printf '4242\t4242\t4242\t4242')" ]
	done
}

is_closed()
{
	! in_net ss -Hltn "sport = :$1" | grep -q .
}

ends_on()
{
	kill "-$1" "$(first)"
	eventually 20 ended || fail_seen "it goes on after $1"
	is_closed "$2"
}

ended()
{
	! kill -0 "$background"
}

nginx_conf()
{
	cat >nginx.conf <<-end
	daemon off;
	worker_processes 2;
	pid $dir/pid;
	events {}
	http {
		access_log off;
		client_body_temp_path $dir;
		proxy_temp_path $dir;
		fastcgi_temp_path $dir;
		uwsgi_temp_path $dir;
		scgi_temp_path $dir;
		server {
			listen 80 $1;
			listen [::]:80 $1;
			root $dir;
		}
	}
	end
}

@test "nginx: both families, a reload, and a reload that takes a listen away and back" {
	nginx_conf ''
	start 'tcp://*:80' -- nginx -e stderr -c "$dir/nginx.conf"
	serves 127.0.0.1 'it works'
	serves '[::1]' 'it works'
	nobody_is_privileged 4
	kill -HUP "$(first)"
	serves 127.0.0.1 'it works'
	sed -i '/listen \[::\]/d' nginx.conf
	kill -HUP "$(first)"
	eventually 10 refuses_v6
	nginx_conf ''
	kill -HUP "$(first)"
	serves '[::1]' 'it works'
	ends_on QUIT 80
}

refuses_v6()
{
	! gets '[::1]'
}

@test "nginx with a socket for each worker (reuseport)" {
	nginx_conf reuseport
	start 'tcp://*:80' -- nginx -e stderr -c "$dir/nginx.conf"
	serves 127.0.0.1 'it works'
	serves '[::1]' 'it works'
	[ "$(in_net ss -Hltn 'sport = :80' | wc -l)" -eq 4 ]
	ends_on TERM 80
}

pongs()
{
	[ "$(in_net redis-cli -h "$1" -p 379 ping)" = PONG ]
}

@test "redis" {
	start 'tcp://*:379' -- redis-server --port 379 --bind '*' '-::*' \
		--protected-mode no --save '' --dir "$dir"
	eventually 20 pongs 127.0.0.1 || fail_seen
	pongs ::1
	nobody_is_privileged
	ends_on TERM 379
}

@test "redis on the addresses of its package's configuration" {
	start tcp://127.0.0.1:379 'tcp://[::1]:379' -- redis-server --port 379 \
		--bind 127.0.0.1 -::1 --save '' --dir "$dir"
	eventually 20 pongs 127.0.0.1 || fail_seen
	pongs ::1
}

# talk PORT WORDS: one line there and back
talk()
{
	# shellcheck disable=SC2016 # for the inner shell
	in_net timeout 60 bash -c 'exec 9<>/dev/tcp/127.0.0.1/$0 &&
		printf "%s\r\n" "$1" >&9 && head -n 1 <&9' "$1" "$2"
}

remembers()
{
	talk 111 version | grep -q VERSION
}

@test "memcached, on tcp and udp" {
	start 'tcp://*:111' 'udp://*:111' -- memcached -p 111 -U 111
	eventually 20 remembers || fail_seen
	in_net ss -Hlun 'sport = :111' | grep -q .
	nobody_is_privileged
	ends_on TERM 111
}

@test "lighttpd" {
	cat >lighttpd.conf <<-end
	server.document-root = "$dir"
	server.port = 80
	index-file.names = ( "index.html" )
	end
	start 'tcp://*:80' -- lighttpd -D -f lighttpd.conf
	serves 127.0.0.1 'it works'
	nobody_is_privileged
	ends_on INT 80
}

has_resumed_twice()
{
	[ "$(grep -c 'resuming normal operations' httpd.log)" = 2 ]
}

@test "Apache httpd of Debian, and a graceful restart" {
	cat >httpd.conf <<-end
	LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
	LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
	ServerName localhost
	DefaultRuntimeDir $dir
	PidFile $dir/httpd.pid
	ErrorLog $dir/httpd.log
	DocumentRoot $dir
	Listen 80
	<Directory $dir>
		Require all granted
	</Directory>
	end
	start 'tcp://*:80' -- apache2 -D FOREGROUND -f "$dir/httpd.conf"
	eventually 20 gets 127.0.0.1/index.html || fail_seen 'no answer'
	echo 'another' >index.html
	in_net kill -USR1 "$(pgrep -P "$(first)" apache2)"
	eventually 20 has_resumed_twice || fail_seen 'it did not restart'
	gets 127.0.0.1/index.html | grep -q another
	nobody_is_privileged
	ends_on TERM 80
}

@test "Caddy, and a reload" {
	printf '{\n\tauto_https off\n}\n:80 {\n\trespond "one"\n}\n' >Caddyfile
	start 'tcp://*:80' -- env HOME="$dir" caddy run --config Caddyfile \
		--adapter caddyfile
	serves 127.0.0.1 one
	sed -i 's/one/two/' Caddyfile
	in_net caddy reload --config Caddyfile --adapter caddyfile
	serves 127.0.0.1 two
	nobody_is_privileged
	ends_on TERM 80
}

@test "python3 -m http.server" {
	start 'tcp://*:80' -- /usr/bin/python3 -m http.server 80
	serves 127.0.0.1 'it works'
	nobody_is_privileged
	ends_on TERM 80
}

@test "busybox httpd, in the foreground and as a daemon" {
	start 'tcp://*:80' -- busybox httpd -f -p 80 -h "$dir"
	serves 127.0.0.1 'it works'
	nobody_is_privileged
	ends_on TERM 80
	start 'tcp://*:80' -- /bin/sh -c \
		"busybox httpd -p 80 -h $dir && exec sleep 60"
	serves 127.0.0.1 'it works'
	serves '[::1]' 'it works'
	nobody_is_privileged 3
}

@test "node" {
	cat >server.js <<-'end'
	require("http").createServer((q, a) => a.end("it works")).listen(80);
	end
	start 'tcp://*:80' -- node server.js
	serves 127.0.0.1 'it works'
	serves '[::1]' 'it works'
	nobody_is_privileged
	ends_on TERM 80
}

@test "node's cluster, whose workers come and go" {
	cat >cluster.js <<-'end'
	const cluster = require("cluster");
	if (cluster.isPrimary) {
		cluster.fork();
		cluster.fork();
		cluster.on("exit", () => cluster.fork());
	} else {
		require("http").createServer((q, a) => {
			a.end("worker " + process.pid);
			if (q.url === "/end")
				setTimeout(() => process.exit(), 100);
		}).listen(80);
	}
	end
	start 'tcp://*:80' -- node cluster.js
	serves 127.0.0.1 worker
	nobody_is_privileged 4
	eventually 20 gets 127.0.0.1/end
	eventually 20 gets 127.0.0.1/end
	serves 127.0.0.1 worker
	ends_on TERM 80
}

# asks tcp|udp: an A record of dnsmasq's own table
asks()
{
	in_net /usr/bin/python3 "$BATS_TEST_DIRNAME/servers/dns.py" "$1"
}

@test "dnsmasq, on udp and tcp 53" {
	start 'udp://*:53' 'tcp://*:53' -- dnsmasq --keep-in-foreground \
		--conf-file=/dev/null --port=53 --no-resolv --no-hosts \
		--pid-file= --address=/here.test/192.0.2.7
	eventually 20 asks udp || fail_seen
	asks tcp
	nobody_is_privileged
	ends_on TERM 53
}

# Each answer of `binder once` is the end of it, and its supervisor's to start
# it again. A connection to 9001 wakes supervisord, which else looks once a
# second.
served_after_each_restart()
{
	in_net timeout 2000 /usr/bin/python3 - "$1" <<-'END'
	import socket, sys, time
	def ask():
	    s = socket.create_connection(("127.0.0.1", 80), 30)
	    s.sendall(b"GET / HTTP/1.0\r\n\r\n")
	    got = b""
	    while True:
	        part = s.recv(512)
	        if not part:
	            return b"served" in got
	        got += part
	def wake():
	    try:
	        socket.create_connection(("127.0.0.1", 9001), 5).close()
	    except OSError:
	        pass
	for n in range(int(sys.argv[1])):
	    end = time.monotonic() + 60
	    while True:
	        try:
	            if ask():
	                break
	        except OSError:
	            wake()
	        if time.monotonic() > end:
	            sys.exit("not served after restart %d" % n)
	        time.sleep(0.002)
	END
}

# says_1000 WORDS: a supervisor may serve before it says so
says_1000()
{
	[ "$(grep -c "$1" "$out")" -ge 1000 ]
}

@test "supervisord, whose server it starts 1,000 times" {
	cat >supervisord.conf <<-end
	[supervisord]
	nodaemon = true
	logfile = /dev/null
	logfile_maxbytes = 0
	pidfile = $dir/pid
	[inet_http_server]
	port = 127.0.0.1:9001
	[program:once]
	command = $BINDER once 80
	autorestart = true
	startsecs = 0
	end
	start 'tcp://*:80' -- /usr/bin/supervisord -c "$dir/supervisord.conf"
	served_after_each_restart 1000 || fail "$(tail -n 20 "$err" "$out")"
	eventually 20 says_1000 "spawned: 'once'" || fail_seen
	nobody_is_privileged
}

# Without --no-auto-exit it ends when it has looked four times, every 2 s, and
# found the server between two starts each time.
@test "pm2, whose server it starts 1,000 times" {
	local pm2=$top/build/cache/pm2

	[ -x "$pm2/node_modules/.bin/pm2-runtime" ] ||
		npm install --silent --no-audit --no-fund --prefix "$pm2" \
			pm2@5.4.3
	cat >once.config.js <<-end
	module.exports = { apps: [{ name: "once", script: "$BINDER",
		args: "once 80", interpreter: "none", exec_mode: "fork",
		max_restarts: 1000000, min_uptime: 0 }] };
	end
	start 'tcp://*:80' -- env HOME="$dir" PM2_HOME="$dir/pm2" \
		"$pm2/node_modules/.bin/pm2-runtime" start once.config.js \
		--no-auto-exit
	served_after_each_restart 1000 || fail "$(tail -n 20 "$err" "$out")"
	eventually 20 says_1000 'once:0. online' || fail_seen
	nobody_is_privileged
}

# listened N: sshd has done so N times
listened()
{
	[ "$(grep -c 'Server listening on 0.0.0.0 port 22' "$err")" -eq "$1" ]
}

greets()
{
	talk 22 hello | grep -q SSH-2.0
}

# It listens, and says so, before it has a handler for SIGHUP.
@test "sshd, and 20 times SIGHUP, by which it executes itself" {
	local n

	ssh-keygen -q -t ed25519 -N '' -f host_key
	chown 4242:4242 host_key
	start 'tcp://*:22' -- /usr/sbin/sshd -D -e -f /dev/null -p 22 \
		-h "$dir/host_key" -o "PidFile=$dir/pid" -o UsePAM=no
	eventually 20 greets || fail_seen
	for n in {2..21}; do
		kill -HUP "$(first)"
		eventually 20 listened "$n" || fail_seen "after $((n - 1))"
		greets || fail_seen "after $((n - 1))"
	done
	nobody_is_privileged
}

@test "nginx with sixteen workers, a socket each, and reloads" {
	nginx_conf reuseport
	sed -i 's/worker_processes 2/worker_processes 16/' nginx.conf
	start 'tcp://*:80' -- nginx -e stderr -c "$dir/nginx.conf"
	serves 127.0.0.1 'it works'
	serves '[::1]' 'it works'
	[ "$(in_net ss -Hltn 'sport = :80' | wc -l)" -eq 32 ]
	sed -i 's/worker_processes 16/worker_processes 8/' nginx.conf
	kill -HUP "$(first)"
	serves 127.0.0.1 'it works'
	nobody_is_privileged 9
}

@test "unbound, with four threads on udp and tcp 53" {
	printf 'server:\n\tinterface: ::0\n' |
		cat "$BATS_TEST_DIRNAME/servers/unbound.conf" - >unbound.conf
	start 'udp://*:53' 'tcp://*:53' -- unbound -d -p -c "$dir/unbound.conf"
	eventually 20 asks udp || fail_seen
	asks tcp
	# A socket for each thread and family; they are asked by many.
	[ "$(in_net ss -Hlun 'sport = :53' | wc -l)" -ge 8 ]
	for _ in {1..20}; do asks udp; done
	nobody_is_privileged
	ends_on TERM 53
}

@test "the control: without it none of them gets its port" {
	capture timeout 60 "$STEPDOWN" --user=4242:4242 -- \
		/usr/bin/python3 -m http.server 80
	grep -q 'Permission denied' "$err"
	capture timeout 60 "$STEPDOWN" --user=4242:4242 -- \
		busybox httpd -f -p 80 -h "$dir"
	grep -q 'Permission denied' "$err"
	capture timeout 60 "$STEPDOWN" --user=4242:4242 -- \
		redis-server --port 379 --save '' --dir "$dir"
	grep -q 'Permission denied' "$out"
}
