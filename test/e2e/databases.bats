#!/usr/bin/env bats
# Databases behind entrypoint scripts in the shape of the official images', which
# skip their root part by themselves, with CHOWN, SETUID and SETGID and no other
# capability: the first start, a second one on the closed directories that the
# first has left, and one on a read-only root.

# shellcheck source-path=SCRIPTDIR
. "$BATS_TEST_DIRNAME/helpers.bash"

setup_file()
{
	need unshare mount nsenter setpriv ip pgrep python3 redis-server redis-cli psql \
		mariadbd mariadb-admin
	[ -x /usr/lib/postgresql/15/bin/postgres ] || cannot_run 'no postgres 15'
	[ -x /usr/lib/rabbitmq/bin/rabbitmq-server ] || cannot_run 'no rabbitmq'
	cp -r "$BATS_TEST_DIRNAME/entrypoints" "$BATS_FILE_TMPDIR/"
	chmod -R go+rX "$BATS_FILE_TMPDIR"
}

setup()
{
	mkdir "$tmp/volume"
	chmod 755 "$tmp"
	root=rw
	background=
}

teardown()
{
	[ -z "$background" ] || stop "$background"
}

# start DATA COMMAND... : in namespaces of its own, with a volume at DATA and
# empty tmpfs at /run and /tmp; a process of them is the background's child
start()
{
	local data=$1

	shift
	# shellcheck disable=SC2016 # for the inner shell
	in_background unshare --mount --net --pid --fork --kill-child sh -ec '
		mount -t proc proc /proc
		ip link set lo up
		mount --bind "$1" "$2"
		mount -t tmpfs tmpfs /run
		mkdir -p "/run/keep"
		mount --bind "$3" /run/keep
		[ "$4" = rw ] || mount -o remount,bind,ro /
		mount -t tmpfs tmpfs /var/log
		mount -t tmpfs -o mode=1777 tmpfs /tmp
		cd "$2"
		shift 4
		exec setpriv --bounding-set=-all,+chown,+setuid,+setgid "$@"' \
		- "$tmp/volume" "$data" "$BATS_FILE_TMPDIR" "$root" "$@"
}

# inside COMMAND... : in those namespaces
inside()
{
	nsenter --target "$(pgrep -P "$background")" --mount --net --pid -- "$@"
}

# ended: what was asked to end has
ended()
{
	kill -TERM "$(pgrep -P "$background")"
	wait "$background" || true
	background=
}

# on_each_start FUNCTION: it is called for three starts
on_each_start()
{
	cp "$STEPDOWN" "$BATS_FILE_TMPDIR/stepdown"
	for start in first second read-only; do
		[ "$start" != read-only ] || root=ro
		"$1"
		eventually 300 "$2" ||
			fail_seen "the $start start: it does not answer"
		[ "$(inside sh -c 'grep ^CapPrm /proc/1/status')" = \
			"CapPrm:	$no_caps" ] || fail 'it has capabilities'
		ended
		chown 0:0 "$tmp/volume" # as a volume driver may
	done
}

postgres()
{
	start /var/lib/postgresql env PGDATA=/var/lib/postgresql/data \
		PATH="/usr/lib/postgresql/15/bin:$PATH" /run/keep/stepdown \
		--user=postgres --own=/var/lib/postgresql \
		--own=/run/postgresql,create -- /run/keep/entrypoints/postgres \
		postgres -c fsync=off
}

# By TCP: the script's own server, which is there before, has the socket alone,
# and a TERM to the script goes lost.
postgres_answers()
{
	inside psql -h 127.0.0.1 -U postgres -qc \
		'INSERT INTO starts VALUES (1)' postgres
}

redis()
{
	start /var/lib/redis /run/keep/stepdown --user=redis \
		--own=/var/lib/redis -- /run/keep/entrypoints/redis \
		redis-server --appendonly yes
}

redis_answers()
{
	[ "$(inside redis-cli set key value)" = OK ]
}

mariadb()
{
	start /var/lib/mysql /run/keep/stepdown --user=mysql \
		--own=/var/lib/mysql --own=/run/mysqld,create -- \
		/run/keep/entrypoints/mariadb mariadbd --no-defaults \
		--datadir=/var/lib/mysql --socket=/run/mysqld/mysqld.sock \
		--pid-file=/run/mysqld/mysqld.pid
}

mariadb_answers()
{
	inside mariadb-admin --no-defaults -S /run/mysqld/mysqld.sock -u root ping
}

rabbitmq()
{
	start /var/lib/rabbitmq env PATH="/usr/lib/rabbitmq/bin:$PATH" \
		RABBITMQ_NODENAME=rabbit@localhost HOME=/var/lib/rabbitmq \
		/run/keep/stepdown --user=rabbitmq --own=/var/lib/rabbitmq \
		--own=/var/log/rabbitmq,create -- \
		/run/keep/entrypoints/rabbitmq rabbitmq-server
}

rabbitmq_answers()
{
	# AMQP 0-9-1: the answer, Connection.Start, has the product's name
	inside python3 -c 'if True:
		import socket
		s = socket.create_connection(("127.0.0.1", 5672), 60)
		s.sendall(b"AMQP\0\0\x09\x01")
		assert b"RabbitMQ" in s.recv(4096)'
}

@test "PostgreSQL" {
	on_each_start postgres postgres_answers
	[ "$(stat -c %a "$tmp/volume/data")" = 700 ]
}

@test "Redis" {
	on_each_start redis redis_answers
}

@test "MariaDB" {
	on_each_start mariadb mariadb_answers
}

@test "RabbitMQ" {
	on_each_start rabbitmq rabbitmq_answers
	[ "$(stat -c %a "$tmp/volume/.erlang.cookie")" = 400 ]
}
