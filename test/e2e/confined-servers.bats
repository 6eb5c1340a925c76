#!/usr/bin/env bats
# Real servers in the domain of --confine, which is made of their --own and
# --listen: they serve, reload and log, on a port below 1024, as uid 4242. What
# each needs besides is in its line of the table of doc/confine.md, which the last test
# compares.

# shellcheck source-path=SCRIPTDIR
. "$BATS_TEST_DIRNAME/helpers.bash"

rows=${BATS_FILE_TMPDIR-}/rows

setup_file()
{
	need curl unshare pgrep nginx redis-server redis-cli node haproxy \
		php-fpm8.2 cgi-fcgi psql npm
	net_up
}

# A directory that 4242 can reach, which is the volume of each server.
setup()
{
	dir=$(mktemp -d /tmp/stepdown-confined-XXXXXX)
	chmod 755 "$dir"
	volume=$dir/volume
	mkdir "$volume"
	cp -R "$BATS_TEST_DIRNAME/servers/." "$dir"
	mounts=
	use_net
	background=
	# As --own-stdio does with the pipes of an engine.
	: >"$out"
	: >"$err"
	chown 4242 "$out" "$err"
}

teardown()
{
	end_all_in_net
	rm -rf "$dir"
}

# confined SERVER OPTIONS COMMAND...: in mounts of its own, made by $mounts.
# OPTIONS are stepdown's besides --user, and go into the table.
confined()
{
	local server=$1 options=$2 words

	shift 2
	read -ra words <<<"$options"
	# shellcheck disable=SC2016 # backquotes of Markdown
	printf '| %s | `%s` |\n' "$server" \
		"$(sed "s,$volume,/data,; s,$dir/sock,/run/postgresql," \
			<<<"$options")" >>"$rows"
	before+=(unshare --mount sh -ec "$mounts"'
		exec "$@"' sh)
	in_background "$STEPDOWN" --user=4242:4242 "${words[@]}" -- "$@"
}

get()
{
	in_net curl -sS -m 60 "http://$1/"
}

serves()
{
	eventually 60 answers "$1" "$2" || fail_seen 'it does not serve'
}

answers()
{
	get "$1" | grep -Fq "$2"
}

@test "nginx, stock: serves, reloads, logs on /dev/stdout" {
	mounts='mount -t tmpfs -o mode=1777 run /run
		mount -t tmpfs lib /var/lib/nginx
		mount -t tmpfs log /var/log/nginx
		ln -s /dev/stdout /var/log/nginx/access.log
		ln -s /dev/stderr /var/log/nginx/error.log'
	confined 'nginx, stock' '--confine --handoff=nginx --listen=tcp://0.0.0.0:80 --listen=tcp://[::]:80 --own=/var/lib/nginx --own=/run --own-stdio' \
		nginx -g 'daemon off;'
	serves 127.0.0.1 'Welcome to nginx'
	workers=$(pgrep -P "$background")
	kill -HUP "$background"
	eventually 60 other_workers
	: >"$out"
	serves '[::1]' 'Welcome to nginx'
	eventually 60 grep -q 'GET / HTTP' "$out"
}

other_workers()
{
	[ -n "$(pgrep -P "$background")" ] &&
		! pgrep -P "$background" | grep -Fxq "$workers"
}

@test "redis with a volume" {
	confined redis "--confine=strict --listen=tcp://0.0.0.0:379 --handoff=bind --own=$volume" \
		redis-server --port 379 --bind 0.0.0.0 --dir "$volume" \
		--appendonly yes --enable-protected-configs yes
	eventually 60 in_net redis-cli -p 379 ping
	[ "$(in_net redis-cli -p 379 set a b)" = OK ]
	[ "$(in_net redis-cli -p 379 save)" = OK ]
	[ -s "$volume/dump.rdb" ]
	# Where the modes would let it, too.
	mkdir -m 777 "$dir/elsewhere"
	in_net redis-cli -p 379 config set dir "$dir/elsewhere"
	in_net redis-cli -p 379 save | grep -q ERR
	[ -z "$(ls "$dir/elsewhere")" ]
}

@test "postgres" {
	local bin

	bin=$(echo /usr/lib/postgresql/*/bin)
	mkdir "$dir/sock"
	chown 4242:4242 "$volume" "$dir/sock"
	chmod 700 "$volume"
	{
		cat /etc/passwd
		echo app:x:4242:4242::/:/bin/sh
	} >"$dir/passwd"
	mounts="mount --bind $dir/passwd /etc/passwd"
	unshare --mount sh -ec "$mounts"'; exec "$@"' sh \
		setpriv --reuid=4242 --regid=4242 --clear-groups \
		"$bin/initdb" -D "$volume" -U app >"$dir/initdb.log" 2>&1 ||
		fail "$(cat "$dir/initdb.log")"
	confined postgres "--confine=strict --listen=tcp://127.0.0.1:543 --handoff=bind --own=$volume --writable=$dir/sock" \
		"$bin/postgres" -D "$volume" -p 543 -k "$dir/sock" \
		-c listen_addresses=127.0.0.1
	eventually 60 query 'select 1' || fail_seen
	query 'create table t as select generate_series(1, 1000) n'
	[ "$(query 'select count(*) from t')" = 1000 ]
	query checkpoint
}

query()
{
	in_net psql -U app -h 127.0.0.1 -p 543 -Atqc "$1" postgres
}

@test "node" {
	confined node "--confine=strict --listen=tcp://*:80" \
		/usr/bin/node "$dir/server.js"
	serves 127.0.0.1 'hello from node'
}

@test "php-fpm" {
	confined php-fpm "--confine=strict --listen=tcp://0.0.0.0:900 --env=FPM_SOCKETS=0.0.0.0:900=3 --own=$volume" \
		php-fpm8.2 -n -F -p "$volume" -y "$dir/php-fpm.conf"
	eventually 60 fastcgi || fail_seen
	kill -USR2 "$background"
	eventually 60 fastcgi
}

fastcgi()
{
	in_net env SCRIPT_FILENAME="$dir/hello.php" REQUEST_METHOD=GET \
		cgi-fcgi -bind -connect 127.0.0.1:900 | grep -Fq 'hello from php-fpm'
}

@test "haproxy" {
	confined haproxy '--confine=strict --listen=tcp://*:80' \
		haproxy -W -db -f "$dir/haproxy.cfg"
	serves 127.0.0.1 'hello from haproxy'
	kill -USR2 "$background"
	serves '[::1]' 'hello from haproxy'
}

# This application has no keys; ASP.NET's would be in HOME, as its libraries are.
@test "Kestrel: its HOME and its /tmp" {
	"$top/examples/kestrel/get-server" "$top/build/cache/kestrel"
	install -m 755 "$top/build/cache/kestrel/azmcp" "$dir/azmcp"
	mounts='mount -t tmpfs -o mode=1777 tmp /var/tmp'
	export HOME=$volume TMPDIR=/var/tmp ASPNETCORE_URLS=http://0.0.0.0:80 \
		ALLOW_INSECURE_EXTERNAL_BINDING=true \
		DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1
	confined Kestrel "--confine --handoff=bind --listen=tcp://0.0.0.0:80 --own=$volume" \
		"$dir/azmcp" server start --transport http \
		--dangerously-disable-http-incoming-auth \
		--outgoing-auth-strategy UseHostingEnvironmentIdentity
	eventually 60 kestrel_answers || fail_seen
	[ -d "$volume/.net" ]
	nsenter --target "$background" --mount ls /var/tmp |
		grep -q '^dotnet-diagnostic-'
}

kestrel_answers()
{
	in_net curl -sS -m 60 -i http://127.0.0.1/ | grep -q 'Server: Kestrel'
}

@test "the table of doc/confine.md says the same" {
	local row

	while read -r row; do
		grep -Fxq -- "$row" "$top/doc/confine.md" ||
			fail "doc/confine.md lacks: $row"
	done < <(sort -u "$rows")
}
