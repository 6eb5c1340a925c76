#!/usr/bin/env bats
# The servers that can take a socket, each as Debian has it: on a port below
# 1024, as uid 4242, without a capability, and after a reload too.
#
# Each test says what to write, and serves with just that. The last one wants
# the table of doc/servers.md to say the same; build/servers.md has it with the
# versions of this run.

# shellcheck source-path=SCRIPTDIR
. "$BATS_TEST_DIRNAME/helpers.bash"

servers=$BATS_TEST_DIRNAME/servers

setup_file()
{
	need curl ip ss pgrep
	net_up
}

# A folder that uid 4242 can reach, unlike that of bats.
setup()
{
	use_net
	background=
	dir=$(mktemp -d /tmp/stepdown-servers-XXXXXX)
	chmod 755 "$dir"
	cp -R "$servers/." "$dir"
	cd "$dir" || return
}

teardown()
{
	stop_family
	rm -rf "$dir"
}

# ---- the processes of a server ----

# All processes of the server are 4242 for good, without any capability.
unprivileged()
{
	local pid seen

	for pid in $(family "$background"); do
		# A worker that ends just now has no status to read.
		seen=$(cat "/proc/$pid/status") || continue
		awk -v caps=$no_caps '
			/^[UG]id:/ { for (i = 2; i <= 5; i++) bad += $i != 4242 }
			/^Groups:/ { bad += NF > 1 }
			/^Cap...:/ { bad += $2 != caps; sets++ }
			/^NoNewPrivs:/ { bad += $2 != 1; locked++ }
			END { exit bad || sets != 5 || locked != 1 }
			' <<<"$seen" || fail "process $pid:" "$seen"
	done
}

# ---- serving ----

rows=$BATS_FILE_TMPDIR/rows

# serve SERVER VERSION OPTIONS LINE COMMAND... : OPTIONS are stepdown's, LINE
# is what makes the server take the socket; both go into the table, so LINE has
# to stand in the command or in a file of the server.
serve()
{
	local server=$1 version=$2 options=$3 line=$4 words

	shift 4
	[[ -n $version ]] || fail "no version of $server"
	[[ "$*" == *"$line"* ]] || grep -Fqr -- "$line" "$dir" ||
		fail "nothing of $server says $line"
	read -ra words <<<"$options"
	in_background "$STEPDOWN" --user=4242:4242 "--own=$dir" "${words[@]}" \
		-- "$@"
	line=${line:+\`$line\`}
	printf '| %s | %s | %s | %s |\n' "$server" "\`$options\`" \
		"${line:-nothing}" "$version" >>"$rows"
}

get()
{
	in_net curl -sS -m 60 "http://$1/"
}

# serves ADDRESS:PORT WORDS: ten times, unprivileged
serves()
{
	local i

	eventually 15 get "$1" || fail_seen 'nobody answers' "$(cat ./*.log)"
	for i in {1..10}; do
		get "$1" | grep -Fxq "$2" || fail_seen "request $i failed"
	done
	unprivileged
}

# catches SIGNAL: the server has a handler for it, and does not die of it
catches()
{
	local mask

	mask=0x$(sed -n 's/^SigCgt:[[:blank:]]*//p' "/proc/$background/status")
	((mask >> ($(kill -l "$1") - 1) & 1))
}

# reload SIGNAL: until no child is one from before
reload()
{
	eventually 5 catches "$1"
	before_reload=$(pgrep -P "$background")
	kill "-$1" "$background"
	eventually 20 has_new_children || fail_seen 'no reload'
}

has_new_children()
{
	local now

	now=$(pgrep -P "$background")
	[ -n "$now" ] && ! grep -Fxq "$before_reload" <<<"$now"
}

# reload_logged SIGNAL WORDS FILE: for a server of one process, which says so
reload_logged()
{
	eventually 5 catches "$1"
	kill "-$1" "$background"
	eventually 20 grep -Fq "$2" "$3" || fail_seen 'no reload'
}

version_of()
{
	"$@" 2>&1 | grep -Eo '[0-9]+(\.[0-9]+)+' | head -n 1
}

# ---- the servers ----

@test "the port is one that uid 4242 cannot bind by itself" {
	as_4242 -- node -e 'require("net").createServer().listen(80)'
	[ "$status" -ne 0 ]
	grep -q EACCES "$err"
}

@test "nginx" {
	serve nginx "$(version_of nginx -v)" \
		'--listen=tcp://0.0.0.0:80 --listen=tcp://[::]:80 --handoff=nginx' \
		'listen 80; listen [::]:80;' nginx -e stderr -p "$dir" \
		-c nginx.conf
	serves 127.0.0.1 'hello from nginx'
	serves '[::1]' 'hello from nginx'
	reload HUP
	serves 127.0.0.1 'hello from nginx'
	serves '[::1]' 'hello from nginx'
}

@test "nginx with a socket for each worker" {
	sed -i 's/listen 80; .*/listen 80 reuseport;/' nginx.conf
	in_background "$STEPDOWN" --user=4242:4242 "--own=$dir" \
		'--listen=tcp://0.0.0.0:80?reuseport=2' --handoff=nginx \
		-- nginx -e stderr -p "$dir" -c nginx.conf
	serves 127.0.0.1 'hello from nginx'
	reload HUP
	serves 127.0.0.1 'hello from nginx'
}

# No reload: httpd removes LISTEN_FDS when it has read its configuration, and
# ends when it shall read it once more and does not find it.
@test "Apache httpd with mod_systemd" {
	local httpd=$top/build/httpd/httpd

	"$servers/build-httpd" "$top/build/httpd" >"$dir/build.log" 2>&1 ||
		fail "$(tail -n 20 "$dir/build.log")"
	serve 'Apache httpd, mod_systemd' "$(version_of "$httpd" -v)" \
		'--listen=tcp://0.0.0.0:80' 'Listen 80' \
		"$httpd" -DFOREGROUND -d "$dir" -f httpd.conf
	eventually 15 get 127.0.0.1 || fail_seen "$(cat ./*.log)"
	in_net curl -sS -i http://127.0.0.1/index.html | grep -q hello
	unprivileged
}

@test "HAProxy" {
	serve HAProxy "$(version_of haproxy -v)" '--listen=tcp://*:80' \
		'bind fd@3' haproxy -W -db -f haproxy.cfg
	serves 127.0.0.1 'hello from haproxy'
	serves '[::1]' 'hello from haproxy'
	reload USR2
	serves 127.0.0.1 'hello from haproxy'
}

fastcgi()
{
	in_net env SCRIPT_FILENAME="$dir/hello.php" REQUEST_METHOD=GET \
		cgi-fcgi -bind -connect "$1" | grep -Fq 'hello from php-fpm'
}

php_fpm()
{
	compgen -c php-fpm | sort -V | tail -n 1
}

@test "php-fpm, over a FastCGI request" {
	serve php-fpm "$(version_of "$(php_fpm)" -v)" \
		'--listen=tcp://0.0.0.0:900 --env=FPM_SOCKETS=0.0.0.0:900=3' \
		'listen = 0.0.0.0:900' \
		"$(php_fpm)" -n -F -p "$dir" -y "$dir/php-fpm.conf"
	eventually 15 fastcgi 127.0.0.1:900 || fail_seen "$(cat ./*.log)"
	unprivileged
	reload USR2
	eventually 15 fastcgi 127.0.0.1:900
	fastcgi 127.0.0.1:900
	unprivileged
}

@test "php-fpm on a unix socket" {
	sed -i "s,^listen = .*,listen = $dir/php.sock," php-fpm.conf
	in_background "$STEPDOWN" --user=4242:4242 "--own=$dir" \
		"--listen=unix:$dir/php.sock?mode=0600" \
		"--env=FPM_SOCKETS=$dir/php.sock=3" \
		-- "$(php_fpm)" -n -F -p "$dir" -y "$dir/php-fpm.conf"
	eventually 15 fastcgi "$dir/php.sock" || fail_seen "$(cat ./*.log)"
	[ "$(stat -c %a:%u "$dir/php.sock")" = 600:4242 ]
	unprivileged
}

@test "lighttpd" {
	serve lighttpd "$(version_of lighttpd -v)" '--listen=tcp://0.0.0.0:80' \
		'server.systemd-socket-activation = "enable"' \
		lighttpd -D -f lighttpd.conf
	serves 127.0.0.1 'hello from a file'
	reload_logged USR1 'graceful shutdown started' lighttpd.log
	serves 127.0.0.1 'hello from a file'
}

# uWSGI takes LISTEN_FDS as well as fd://3, and then has the socket twice.
@test "uWSGI" {
	serve uWSGI "$(version_of uwsgi --version)" '--listen=tcp://*:80 --no-listen-pid' \
		'--http-socket fd://3' uwsgi --http-socket fd://3 --master \
		--plugin python3 --wsgi-file wsgi.py --processes 2
	serves 127.0.0.1 'hello from wsgi'
	serves '[::1]' 'hello from wsgi'
	reload HUP
	serves 127.0.0.1 'hello from wsgi'
	[ "$(grep -c 'File exists' "$err")" -eq 0 ]
}

# With --bind too it fails: it takes LISTEN_FDS, and then finds 3 closed.
@test "gunicorn" {
	serve gunicorn "$(version_of gunicorn --version)" \
		'--listen=tcp://*:80' '' gunicorn wsgi
	serves 127.0.0.1 'hello from wsgi'
	serves '[::1]' 'hello from wsgi'
	reload HUP
	serves 127.0.0.1 'hello from wsgi'
}

@test "uvicorn" {
	serve uvicorn "$(version_of /usr/bin/python3 -m uvicorn --version)" \
		'--listen=tcp://*:80' '--fd 3' \
		/usr/bin/python3 -m uvicorn --fd 3 asgi:application
	serves 127.0.0.1 'hello from asgi'
	serves '[::1]' 'hello from asgi'
}

@test "Puma" {
	serve Puma "$(version_of puma --version)" '--listen=tcp://0.0.0.0:80' \
		'-b tcp://0.0.0.0:80' puma -b tcp://0.0.0.0:80 config.ru
	serves 127.0.0.1 'hello from rack'
	reload_logged USR2 'Inherited tcp://0.0.0.0:80' "$out"
	serves 127.0.0.1 'hello from rack'
}

@test "node" {
	serve node "$(version_of node --version)" '--listen=tcp://*:80' \
		'server.listen({ fd: 3 })' node server.js
	serves 127.0.0.1 'hello from node'
	serves '[::1]' 'hello from node'
}

# Before 2.9 Caddy has no way to be given a socket, and says so.
@test "Caddy" {
	local version

	version=$(version_of caddy version)
	if [ "$(printf '%s\n' 2.9 "$version" | sort -V | head -n 1)" = 2.9 ]; then
		serve Caddy "$version" '--listen=tcp://*:80' 'bind fd/3' \
			caddy run --config Caddyfile --adapter caddyfile
		serves 127.0.0.1 'hello from caddy'
	else
		serve Caddy "no: $version; from 2.9 on" '--listen=tcp://*:80' \
			'bind fd/3' env HOME="$dir" caddy run \
			--config Caddyfile --adapter caddyfile
		! wait "$background"
		grep -Fq 'unsupported network type: fd' "$err"
	fi
}

@test "a UDP and a seqpacket server" {
	in_background "$STEPDOWN" --user=4242:4242 "--own=$dir" \
		--listen=dns=udp://127.0.0.1:53 \
		"--listen=seq=unix-seqpacket:$dir/seq" \
		"--listen=log=unix-dgram:$dir/log" -- /usr/bin/python3 echo.py
	eventually 15 grep -q ready "$out" || fail_seen 'it is not ready'
	unprivileged
	[ "$(in_net /usr/bin/python3 ask.py udp 53 one)" = 'dns: one' ]
	[ "$(in_net /usr/bin/python3 ask.py seqpacket "$dir/seq" two)" = 'seq: two' ]
	[ "$(in_net /usr/bin/python3 ask.py dgram "$dir/log" three)" = 'log: three' ]
	wait "$background"
}

# The rows of a table without their last column, the version.
columns()
{
	sed -n -E 's/^(\| .* \|)[^|]*\|$/\1/p'
}

readme_table()
{
	sed -n '/^| server | options of/,/^$/p' "$top/doc/servers.md" | sed 1,2d
}

@test "the table of servers in doc is that of this run" {
	[ "$(wc -l <"$rows")" -eq 11 ] ||
		fail "not all servers: $(cut -d'|' -f2 "$rows" | tr '\n' ',')"
	{
		echo "| server | options of stepdown | what the server is told | tested |"
		echo '|---|---|---|---|'
		cat "$rows"
	} >"$top/build/servers.md"
	sed 's/^/# /' "$top/build/servers.md" >&3
	diff <(readme_table | columns) <(columns <"$rows") >&2
}
