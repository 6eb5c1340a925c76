#!/usr/bin/env bats
# Sockets of every kind: their options, unix sockets and their files, sockets
# that were handed to stepdown itself, and what is said when one cannot be had.

# shellcheck source-path=SCRIPTDIR
. "$BATS_TEST_DIRNAME/helpers.bash"

setup_file()
{
	need ip ss setpriv python3 strace iptables pgrep s6-ipcserverd
	net_up
	in_net ip link add far0 type veth peer name far1
	in_net ip addr add 192.0.2.1/24 dev far0
	in_net ip -6 addr add fe80::7/64 dev far0 nodad
	in_net ip link set far0 up
	in_net ip link set far1 up
}

setup()
{
	use_net
	background=
	chmod 755 "$tmp"
}

# through COMMAND... : what is captured from here on is started by it
through()
{
	before+=("$@")
}

# witness_has_unix FD TYPE ADDRESS
witness_has_unix()
{
	says "fd.$1.type=socket" "fd.$1.family=unix" "fd.$1.socket=$2" \
		"fd.$1.address"="$3" "fd.$1.cloexec"=0
}

# file_is MODE:UID:GID PATH
file_is()
{
	[ "$(stat -c %a:%u:%g "$2")" = "$1" ] ||
		fail_seen "$2 is $(stat -c '%F %a:%u:%g' "$2"), not $1"
}

# hold ARGUMENT... : a process that keeps these sockets, for a while
hold()
{
	in_background "$STEPDOWN" --user=4242:4242 "$@" -- "$WITNESS" sleep 600
	eventually 5 became witness
}

# became NAME: stepdown has done all that it does
became()
{
	[ "$(cat "/proc/$background/comm")" = "$1" ]
}

# ---- kinds ----

@test "UDP, of either family and of both" {
	witnessed --listen=udp://0.0.0.0:53 --listen='udp://[::]:53' \
		--listen='udp://*:54'
	witness_has_descriptors 0 1 2 3 4 5
	says fd.3.address=0.0.0.0:53 fd.4.address='[::]:53' fd.4.v6only=1 \
		fd.5.address='[::]:54' fd.5.v6only=0
	for fd in 3 4 5; do
		says fd.$fd.socket=dgram fd.$fd.listening=0 fd.$fd.reuseaddr=0
	done
}

@test "unix sockets: stream, datagram, seqpacket" {
	witnessed "--listen=unix:$tmp/s" "--listen=unix-dgram:$tmp/d" \
		"--listen=unix-seqpacket:$tmp/q"
	witness_has_descriptors 0 1 2 3 4 5
	witness_has_unix 3 stream "$tmp/s"
	says fd.3.listening=1
	witness_has_unix 4 dgram "$tmp/d"
	says fd.4.listening=0
	witness_has_unix 5 seqpacket "$tmp/q"
	says fd.5.listening=1
	for name in s d q; do file_is 660:4242:4242 "$tmp/$name"; done
}

@test "abstract unix sockets, one name for each type" {
	witnessed --listen=unix:@name --listen=unix-dgram:@name \
		--listen=unix-seqpacket:@name
	witness_has_unix 3 stream @name
	witness_has_unix 4 dgram @name
	witness_has_unix 5 seqpacket @name
}

@test "a link-local address and its interface" {
	witnessed --listen='tcp://[fe80::7%far0]:80' \
		--listen='tcp://[fe80::7]:82?device=far0'
	witness_has_socket 3 inet6 '[fe80::7]:80'
	says fd.3.device=far0
	witness_has_socket 4 inet6 '[fe80::7]:82'
	as_4242 --listen='tcp://[fe80::7]:80' -- "$WITNESS"
	refused 111
	hint_has '[fe80::1%eth0]'
	as_4242 --listen='tcp://[fe80::7%none]:80' -- "$WITNESS"
	refused 111 'set device: No such device' interface
}

# ---- whose they are ----

# uids_of TABLE: of the sockets in /proc/net/TABLE, each once
uids_of()
{
	# shellcheck disable=SC2016 # for awk
	in_net awk 'NR > 1 { print $8 }' "/proc/net/$1" | sort -u
}

@test "a socket counts as the application's: the uid in /proc/net" {
	local handoff

	for handoff in systemd nginx; do
		hold --handoff=$handoff --listen=tcp://0.0.0.0:80 \
			--listen='tcp://[::]:80' --listen='tcp://*:81' \
			--listen=udp://0.0.0.0:53 --listen='udp://[::]:53'
		for table in tcp tcp6 udp udp6; do
			[ "$(uids_of $table)" = 4242 ] ||
				fail "$table: $(uids_of $table)"
		done
		stop "$background"
	done
}

@test "a socket that bind(2) is answered with counts as the application's" {
	in_background "$STEPDOWN" --user=4242:4242 --handoff=bind \
		--listen=tcp://0.0.0.0:80 --listen=udp://0.0.0.0:53 -- \
		python3 -c '
import socket, time
t = socket.socket()
t.bind(("0.0.0.0", 80))
t.listen()
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
u.bind(("0.0.0.0", 53))
time.sleep(60)'
	eventually 10 is_bound udp 53
	[ "$(uids_of tcp)" = 4242 ]
	[ "$(uids_of udp)" = 4242 ]
	kill "$(pgrep -P "$background")"
	wait "$background" || true
}

is_bound()
{
	in_net ss -Hln "--$1" "sport = :$2" | grep -q .
}

@test "what a UDP socket sends is the application's for the owner match" {
	in_net iptables -w -A OUTPUT -p udp -m owner --uid-owner 4242 -j ACCEPT
	in_net iptables -w -A OUTPUT -p udp -m owner --uid-owner 0 -j ACCEPT
	as_4242 --listen=udp://127.0.0.1:53 -- python3 -c '
import socket
socket.socket(fileno=3).sendto(b"x", ("127.0.0.1", 9))'
	succeeded
	in_net iptables -w -nvxL OUTPUT >"$tmp/rules"
	in_net iptables -w -F OUTPUT
	[ "$(awk '/owner UID match/ { print $NF, $1 }' "$tmp/rules")" = \
		"4242 1"$'\n'"0 0" ] || fail "$(cat "$tmp/rules")"
}

peer_of()
{
	in_net python3 -c '
import socket, struct, sys
c = socket.socket(socket.AF_UNIX, getattr(socket, sys.argv[1]))
c.connect(sys.argv[2].replace("@", "\0"))
print(*struct.unpack("3i", c.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)))
' "$@"
}

@test "the client of a unix socket sees the application: SO_PEERCRED" {
	hold "--listen=unix:$tmp/a?mode=666" --listen=unix:@name \
		--listen=unix-seqpacket:@name
	[ "$(peer_of SOCK_STREAM "$tmp/a")" = "$background 4242 4242" ]
	[ "$(peer_of SOCK_STREAM @name)" = "$background 4242 4242" ]
	[ "$(peer_of SOCK_SEQPACKET @name)" = "$background 4242 4242" ]
}

@test "and not the parent that stays" {
	local child

	in_background "$STEPDOWN" --user=4242:4242 --init --listen=unix:@name \
		-- "$WITNESS" sleep 600
	eventually 5 pgrep -P "$background" -x witness
	child=$(pgrep -P "$background" -x witness)
	[ "$(peer_of SOCK_STREAM @name)" = "$child 4242 4242" ]
	kill "$child"
}

# ---- options ----

@test "every option of a TCP socket" {
	witnessed \
		--listen='tcp://0.0.0.0:80?backlog=5&reuseport&nodelay&keepalive&defer-accept=3&fastopen=7&rcvbuf=50000&sndbuf=60000&mark=9&device=lo&freebind&transparent&nonblock'
	witness_has_socket 3 inet 0.0.0.0:80
	says fd.3.reuseaddr=1 fd.3.reuseport=1 fd.3.nodelay=1 fd.3.keepalive=1 \
		fd.3.defer_accept=3 fd.3.fastopen=7 fd.3.rcvbuf=100000 \
		fd.3.sndbuf=120000 fd.3.mark=9 fd.3.device=lo fd.3.freebind=1 \
		fd.3.transparent=1 fd.3.nonblock=1
}

@test "no option is set that was not asked for" {
	witnessed --listen=tcp://0.0.0.0:80 --listen='udp://[::]:53'
	for fd in 3 4; do
		for key in reuseport keepalive mark freebind transparent; do
			says "fd.$fd.$key=0"
		done
		says fd.$fd.device= fd.$fd.nonblock=0
	done
	says fd.3.nodelay=0 fd.3.fastopen=0
}

backlog_of()
{
	in_net ss -Hltn "sport = :$1" | awk '{ print $3 }'
}

@test "the backlog: as asked for, 4096, and 511 for nginx" {
	hold --listen='tcp://0.0.0.0:80?backlog=5' --listen=tcp://0.0.0.0:81
	[ "$(backlog_of 80)" -eq 5 ]
	[ "$(backlog_of 81)" -eq 4096 ]
	stop "$background"
	hold --handoff=nginx --listen=tcp://0.0.0.0:82
	[ "$(backlog_of 82)" -eq 511 ]
}

@test "reuseport=N is N sockets, numbered in order" {
	witnessed --listen=a=tcp://0.0.0.0:80 \
		--listen='w=tcp://0.0.0.0:81?reuseport=3' \
		--listen=tcp://0.0.0.0:82
	witness_has_descriptors 0 1 2 3 4 5 6 7
	witness_has_socket 3 inet 0.0.0.0:80
	for fd in 4 5 6; do
		witness_has_socket $fd inet 0.0.0.0:81
		says fd.$fd.reuseport=1
	done
	witness_has_socket 7 inet 0.0.0.0:82
	says env.LISTEN_FDS=5 env.LISTEN_FDNAMES=a:w:w:w:unknown
	witnessed --handoff=nginx --listen='tcp://0.0.0.0:81?reuseport=3'
	says env.NGINX='3;4;5;'
}

@test "256 sockets of one --listen" {
	witnessed --listen='udp://0.0.0.0:81?reuseport=256'
	says fds.probed="$(seq -s' ' 0 258)" env.LISTEN_FDS=256
}

@test "v6only=0 is one socket for both families" {
	witnessed --listen='tcp://[::]:80?v6only=0'
	says fd.3.v6only=0
}

@test "freebind: an address that is not there, of either family" {
	witnessed --listen='tcp://198.51.100.1:80?freebind' \
		--listen='tcp://[2001:db8::7]:80?freebind'
	witness_has_socket 3 inet 198.51.100.1:80
	witness_has_socket 4 inet6 '[2001:db8::7]:80'
}

@test "nolisten: bound, and listening is left to the application" {
	witnessed --listen='tcp://0.0.0.0:80?nolisten' \
		"--listen=unix:$tmp/s?nolisten"
	says fd.3.listening=0 fd.3.address=0.0.0.0:80 fd.4.listening=0
}

@test "the same port on two interfaces" {
	witnessed --listen='tcp://0.0.0.0:80?device=lo' \
		--listen='tcp://0.0.0.0:80?device=far0'
	says fd.3.device=lo fd.4.device=far0
	as_4242 --listen='tcp://0.0.0.0:80?device=none' -- "$WITNESS"
	refused 111 'set device' interface
}

@test "options that need more than the bounding set has: 111, and which" {
	through setpriv --bounding-set -net_admin,-net_raw --
	as_4242 --listen='tcp://0.0.0.0:80?mark=1' -- "$WITNESS"
	refused 111 'listen on tcp://0.0.0.0:80?mark=1' CAP_NET_ADMIN
	as_4242 --listen='tcp://0.0.0.0:80?transparent' -- "$WITNESS"
	refused 111 'listen on tcp://0.0.0.0:80?transparent' CAP_NET_ADMIN
}

@test "a buffer without the capability for more: as much as the kernel gives" {
	through setpriv --bounding-set -net_admin --
	witnessed --listen='udp://0.0.0.0:80?rcvbuf=50000&sndbuf=1000000000'
	says fd.3.rcvbuf=100000
	[ "$(witness fd.3.sndbuf)" -lt 1000000000 ]
}

# ---- unix sockets and their files ----

@test "mode, user and group of a unix socket, numbers and names" {
	witnessed "--listen=unix:$tmp/a?mode=0600" \
		"--listen=unix:$tmp/b?mode=666&user=7&group=9" \
		"--listen=unix-dgram:$tmp/c?user=root&group=daemon&mode=0"
	file_is 600:4242:4242 "$tmp/a"
	file_is 666:7:9 "$tmp/b"
	file_is "0:0:$(getent group daemon | cut -d: -f3)" "$tmp/c"
}

@test "the umask has no say in the mode, and is left as it was" {
	umask 0077
	witnessed "--listen=unix:$tmp/a?mode=666"
	file_is 666:4242:4242 "$tmp/a"
	says umask=0077
}

@test "mode and owner are right from the first moment: nothing is changed later" {
	traced bind,umask,chmod,fchmod,fchmodat,chown,lchown,fchown,fchownat,listen \
		"$STEPDOWN" --user=4242:4242 "--listen=unix:$tmp/a?mode=0640" \
		-- "$WITNESS" sleep 0
	succeeded
	[ "$(sed -E 's/^([0-9]+ +)?([a-z]+)\(.*/\2/; /^listen/q' "$calls" |
		tr '\n' ' ')" = 'umask bind umask listen ' ] ||
		fail_seen "$(cat "$calls")"
	grep -q 'umask(0137' "$calls"
	file_is 640:4242:4242 "$tmp/a"
}

@test "the group is as asked for in a directory that sets another" {
	mkdir "$tmp/volume"
	chown 0:2000 "$tmp/volume"
	chmod 2777 "$tmp/volume"
	witnessed "--listen=unix:$tmp/volume/a" \
		"--listen=unix:$tmp/volume/b?group=9" \
		"--listen=unix-dgram:$tmp/volume/c?user=7&group=2000"
	file_is 660:4242:4242 "$tmp/volume/a"
	file_is 660:4242:9 "$tmp/volume/b"
	file_is 660:7:2000 "$tmp/volume/c"
}

@test "without openat2 a unix socket is bound all the same" {
	through strace -f -qq -o /dev/null -e trace=openat2 \
		-e inject=openat2:error=ENOSYS
	witnessed "--listen=unix:$tmp/a"
	file_is 660:4242:4242 "$tmp/a"
}

# after CALL COMMAND... : what is captured next stops after its first CALL, and
# goes on when the command has been run
after()
{
	through strace -f -qq -o "$calls" -e trace="$1" \
		-e inject="$1:signal=STOP:when=1"
	{
		eventually 30 grep -q 'stopped by' "$calls"
		"${@:2}" || true
		kill -CONT "$(sed -n 's/ .*stopped by.*//p' "$calls")"
	} &
}

exchange_by_link()
{
	mv "$1" "$1.away"
	ln -s "$2" "$1"
}

@test "a directory that is exchanged before bind: nothing appears elsewhere" {
	mkdir "$tmp/elsewhere" "$tmp/volume" "$tmp/volume/run"
	chown -R 4242:4242 "$tmp/volume"
	# A stale socket, whose removal is the last act before bind(2).
	witnessed "--listen=unix:$tmp/volume/run/a"
	after unlinkat exchange_by_link "$tmp/volume/run" "$tmp/elsewhere"
	as_4242 "--listen=unix:$tmp/volume/run/a" -- "$WITNESS"
	wait $!
	refused 111
	[ -z "$(ls "$tmp/elsewhere")" ] || fail "$(ls -l "$tmp/elsewhere")"
	message_has 'Permission denied'
}

@test "root's rights count only where root alone can exchange the directory" {
	mkdir "$tmp/run" "$tmp/volume" "$tmp/volume/run"
	chown 4242:4242 "$tmp/volume"
	witnessed "--listen=unix:$tmp/run/a"
	file_is 660:4242:4242 "$tmp/run/a"
	as_4242 "--listen=unix:$tmp/volume/run/a" -- "$WITNESS"
	refused 111 'Permission denied' 'root alone may write'
	[ -z "$(ls "$tmp/volume/run")" ]
	chown 4242:4242 "$tmp/volume/run"
	witnessed "--listen=unix:$tmp/volume/run/a"
	file_is 660:4242:4242 "$tmp/volume/run/a"
}

@test "another one's socket that takes the place of ours is not given away" {
	mkdir "$tmp/volume"
	python3 -c '
import os, socket, sys, time
s = socket.socket(socket.AF_UNIX)
os.umask(0o117)
s.bind(sys.argv[1])
s.listen()
os.chown(sys.argv[1], 7, 7)
time.sleep(600)' "$tmp/volume/other" 3>&- 4>&- &
	background=$!
	eventually 10 owned_by 7:7 "$tmp/volume/other"
	chown 4242:4242 "$tmp/volume"
	after bind mv "$tmp/volume/other" "$tmp/volume/a"
	as_4242 "--listen=unix:$tmp/volume/a" -- "$WITNESS"
	wait $!
	refused 111 "listen unix:$tmp/volume/a: lost"
	file_is 660:7:7 "$tmp/volume/a"
}

@test "a unix socket of no such user or group: 100, and nothing is bound" {
	misuse "no user 'nobody-here'" --user=4242:4242 \
		"--listen=unix:$tmp/a?user=nobody-here" -- "$WITNESS"
	misuse "no group 'nobody-here'" --user=4242:4242 \
		"--listen=unix:$tmp/a?group=nobody-here" -- "$WITNESS"
	misuse 'not a uid' --user=4242:4242 \
		"--listen=unix:$tmp/a?user=4294967295" -- "$WITNESS"
	[ ! -e "$tmp/a" ]
}

@test "a stale socket is replaced, of whatever type it was" {
	local before_inode

	as_4242 "--listen=unix:$tmp/a" -- "$WITNESS"
	before_inode=$(stat -c %i "$tmp/a")
	for kind in unix unix-dgram unix-seqpacket unix; do
		witnessed "--listen=$kind:$tmp/a"
		file_is 660:4242:4242 "$tmp/a"
	done
	[ "$(stat -c %i "$tmp/a")" != "$before_inode" ] ||
		[ -S "$tmp/a" ]
}

@test "a socket that somebody accepts on is left alone: 111" {
	local kind

	for kind in unix unix-dgram unix-seqpacket; do
		hold "--listen=$kind:$tmp/$kind"
		for other in unix unix-dgram unix-seqpacket; do
			as_4242 "--listen=$other:$tmp/$kind" -- "$WITNESS"
			refused 111 "listen $other:$tmp/$kind: Address" \
				'another process accepts on it'
		done
		[ -S "$tmp/$kind" ]
		stop "$background"
	done
}

@test "a socket whose backlog is full is in use, and is not waited for" {
	hold "--listen=unix:$tmp/a?backlog=1"
	in_net python3 -c '
import socket, sys, time
all = []
for i in range(5):
    s = socket.socket(socket.AF_UNIX)
    s.setblocking(False)
    try:
        s.connect(sys.argv[1])
    except BlockingIOError:
        pass
    all.append(s)
print("full", flush=True)
time.sleep(600)' "$tmp/a" >"$tmp/filler" 3>&- 4>&- &
	filler=$!
	eventually 5 grep -q full "$tmp/filler"
	as_4242 "--listen=unix:$tmp/a" -- "$WITNESS"
	stop "$filler"
	refused 111 Address
}

@test "what is no socket is never replaced" {
	echo precious >"$tmp/file"
	mkdir "$tmp/folder"
	mkfifo "$tmp/fifo"
	ln -s "$tmp/nowhere" "$tmp/dangling"
	ln -s "$tmp/file" "$tmp/link"
	for name in file folder fifo dangling link; do
		as_4242 "--listen=unix:$tmp/$name" -- "$WITNESS"
		refused 111 'File exists' 'not a socket'
	done
	[ "$(cat "$tmp/file")" = precious ]
	[ -d "$tmp/folder" ] && [ -p "$tmp/fifo" ] && [ -L "$tmp/link" ]
	[ ! -e "$tmp/nowhere" ]
}

@test "a link to a stale socket is not followed" {
	as_4242 "--listen=unix:$tmp/real" -- "$WITNESS"
	ln -s "$tmp/real" "$tmp/link"
	as_4242 "--listen=unix:$tmp/link" -- "$WITNESS"
	refused 111
	hint_has 'not a socket'
	[ -S "$tmp/real" ] && [ -L "$tmp/link" ]
}

@test "no folder on the way is a link, and none is created" {
	mkdir "$tmp/real"
	ln -s "$tmp/real" "$tmp/link"
	as_4242 "--listen=unix:$tmp/link/a" -- "$WITNESS"
	refused 111
	hint_has 'symbolic link'
	[ -z "$(ls "$tmp/real")" ]
	as_4242 "--listen=unix:$tmp/none/a" -- "$WITNESS"
	refused 111
	hint_has 'not created'
	[ ! -e "$tmp/none" ]
	: >"$tmp/file"
	as_4242 "--listen=unix:$tmp/file/a" -- "$WITNESS"
	refused 111
}

# The folder of the socket is the attacker's: uid 4242 swaps it for a link to
# the victim's, and the socket in it for a link to the victim's socket.
swapper='
import os, sys
os.setgid(4242)
os.setuid(4242)
os.chdir(sys.argv[1])
def swap(a, b):
    os.rename(a, "hold")
    os.rename(b, a)
    os.rename("hold", b)
print("swapping", flush=True)
while True:
    for pair in ("run", "link"), ("real/a", "real/b"):
        for turn in 1, 2:
            try:
                swap(*pair)
            except OSError:
                pass
'

@test "an attacker in the folder of the socket gains nothing by swapping it" {
	local good=0

	mkdir "$tmp/victim" "$tmp/volume" "$tmp/volume/run"
	as_4242 "--listen=unix:$tmp/victim/a?user=0&group=0" -- "$WITNESS"
	ln -s "$tmp/victim" "$tmp/volume/link"
	ln -s run "$tmp/volume/real"
	ln -s "$tmp/victim/a" "$tmp/volume/run/b"
	chown -hR 4242:4242 "$tmp/volume"
	python3 -c "$swapper" "$tmp/volume" >"$tmp/swapped" 3>&- 4>&- &
	background=$!
	eventually 5 grep -q swapping "$tmp/swapped"
	for _ in {1..150}; do
		as_4242 "--listen=unix:$tmp/volume/run/a" -- "$WITNESS" exit 0
		[ "$status" -ne 0 ] || good=$((good + 1))
	done
	[ -e "/proc/$background" ]
	stop_family
	echo "# $good of 150 runs had the socket" >&3
	[ "$good" -gt 0 ] && [ "$good" -lt 150 ]
	[ -S "$tmp/victim/a" ]
	file_is 660:0:0 "$tmp/victim/a"
	[ "$(ls "$tmp/victim")" = a ]
}

# ---- what is inherited ----

# activated COMMAND... : as systemd starts it, with a UDP socket as 3 and a
# stream socket as 4. The process that has LISTEN_PID is the one that execs.
activated()
{
	capture python3 -c '
import os, socket, sys
given = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM),
         socket.socket(socket.AF_UNIX)]
given[0].bind(("127.0.0.1", 700))
given[1].bind(b"\0given")
given[1].listen()
parked = [os.dup(s.fileno()) for s in given]
for s in given:
    s.close()
parked = [os.dup2(fd, fd + 20, inheritable=False) for fd in parked]
for number, fd in enumerate(parked, 3):
    os.dup2(fd, number, inheritable=True)
os.environ.update(LISTEN_FDS="2", LISTEN_FDNAMES="dgrams:streams")
os.environ["LISTEN_PID"] = os.environ.pop("PRETEND", str(os.getpid()))
if "FORGET" in os.environ:
    for name in os.environ.pop("FORGET").split():
        del os.environ[name]
os.execv(sys.argv[1], sys.argv[1:])' "$@"
}

witness_has_given()
{
	says fd.3.socket=dgram fd.3.address=127.0.0.1:700
	witness_has_unix 4 stream @given
	says fd.3.cloexec=0
}

@test "--inherit-sockets: passed on, in front, and for the application" {
	activated "$STEPDOWN" --user=4242:4242 --inherit-sockets \
		--listen=web=tcp://0.0.0.0:80 --listen=tcp://0.0.0.0:81 \
		-- "$WITNESS"
	succeeded
	witness_has_descriptors 0 1 2 3 4 5 6
	witness_has_given
	witness_has_socket 5 inet 0.0.0.0:80
	witness_has_socket 6 inet 0.0.0.0:81
	says env.LISTEN_FDS=4 env.LISTEN_PID="$(witness pid)" \
		env.LISTEN_FDNAMES=dgrams:streams:web:unknown
	witness_is 4242 4242
}

@test "--inherit-sockets without names and without a pid" {
	export FORGET='LISTEN_PID LISTEN_FDNAMES'
	activated "$STEPDOWN" --user=4242:4242 --inherit-sockets -- "$WITNESS"
	succeeded
	witness_has_descriptors 0 1 2 3 4
	witness_has_given
	says env.LISTEN_FDS=2 env.LISTEN_PID="$(witness pid)" \
		env.LISTEN_FDNAMES=unknown:unknown
}

@test "--inherit-sockets with nothing inherited hands over what it opened" {
	witnessed --inherit-sockets --listen=tcp://0.0.0.0:80
	witness_has_descriptors 0 1 2 3
	says env.LISTEN_FDS=1
	witnessed --inherit-sockets
	witness_lacks env.LISTEN_FDS
}

@test "--inherit-sockets for nginx: counted, and not blocking" {
	activated "$STEPDOWN" --user=4242:4242 --inherit-sockets \
		--handoff=nginx --listen=tcp://0.0.0.0:80 -- "$WITNESS"
	succeeded
	says env.NGINX='3;4;5;'
	says fd.{3,4,5}.nonblock=1
	witness_lacks env.LISTEN_FDS
	witness_lacks env.LISTEN_FDNAMES
}

@test "sockets that are not asked for are not passed on" {
	activated "$STEPDOWN" --user=4242:4242 --listen=tcp://0.0.0.0:80 \
		-- "$WITNESS"
	succeeded
	witness_has_descriptors 0 1 2 3
	witness_has_socket 3 inet 0.0.0.0:80
	says env.LISTEN_FDS=1 env.LISTEN_FDNAMES=unknown
}

@test "sockets meant for another process are an error: 100" {
	PRETEND=1 activated "$STEPDOWN" --user=4242:4242 --inherit-sockets \
		-- "$WITNESS"
	refused 100 "LISTEN_PID is '1', but this is process" 'another process'
}

@test "a LISTEN_FDS that is not true: 100" {
	through env LISTEN_FDS=2
	as_4242 --inherit-sockets --listen=tcp://0.0.0.0:80 -- "$WITNESS"
	refused 100 'LISTEN_FDS is 2'
	through env LISTEN_FDS=two
	as_4242 --inherit-sockets -- "$WITNESS"
	refused 100 "LISTEN_FDS is 'two'"
}

@test "an inherited socket that --listen wants too: 111, and that it is ours" {
	activated "$STEPDOWN" --user=4242:4242 --inherit-sockets \
		--listen=udp://0.0.0.0:700 -- "$WITNESS"
	refused 111
	hint_has 'a socket of this run'
}

# ---- the handoff ----

@test "descriptors that are in the way are moved aside, not handed over" {
	# shellcheck disable=SC2016 # for that shell
	through bash -c 'exec 3</etc/passwd 4</etc/passwd 9</etc/passwd; "$@"' -
	witnessed --listen=tcp://0.0.0.0:80 --listen=udp://0.0.0.0:81 \
		--listen=unix:@x
	witness_has_descriptors 0 1 2 3 4 5
	witness_has_socket 3 inet 0.0.0.0:80
	says fd.4.address=0.0.0.0:81
	witness_has_unix 5 stream @x
}

@test "?fd=0: the socket is standard input, and counts for nothing else" {
	local how

	for how in '' --init; do
		witnessed $how --listen='tcp://0.0.0.0:80?fd=0'
		witness_has_descriptors 0 1 2
		witness_has_socket 0 inet 0.0.0.0:80
		witness_lacks env.LISTEN_FDS
	done
	witnessed --listen=a=udp://0.0.0.0:53 --listen='unix:@in?fd=0' \
		--listen=b=tcp://0.0.0.0:80
	witness_has_descriptors 0 1 2 3 4
	witness_has_unix 0 stream @in
	says fd.3.address=0.0.0.0:53
	witness_has_socket 4 inet 0.0.0.0:80
	says env.LISTEN_FDS=2 env.LISTEN_FDNAMES=a:b
}

@test "?fd=0 for a server of inetd's kind: s6-ipcserverd" {
	# shellcheck disable=SC2016 # for the inner shell
	in_background "$STEPDOWN" --user=4242:4242 \
		"--listen=unix:$tmp/s?fd=0&mode=666" -- \
		s6-ipcserverd -v0 /bin/sh -c 'echo "served by $(id -u)"'
	eventually 5 became s6-ipcserverd
	[ "$(in_net python3 -c '
import socket, sys
c = socket.socket(socket.AF_UNIX)
c.connect(sys.argv[1])
c.settimeout(60)
print(c.makefile().read(), end="")' "$tmp/s")" = 'served by 4242' ]
}

@test "--no-listen-pid leaves LISTEN_PID out, and nothing else" {
	witnessed --no-listen-pid --listen=a=tcp://0.0.0.0:80
	witness_lacks env.LISTEN_PID
	says env.LISTEN_FDS=1 env.LISTEN_FDNAMES=a
}

@test "a dry run says which descriptor is what, and opens nothing" {
	as_4242 --dry-run --listen='tcp://0.0.0.0:80?reuseport=3' \
		"--listen=app=unix:$tmp/a?user=7" --listen='udp://*:53' \
		-- "$WITNESS"
	succeeded
	grep -Fq 'tcp://0.0.0.0:80?reuseport=3 as descriptors 3 to 5' "$out"
	grep -Fq "unix:$tmp/a?user=7 as descriptor 6, name app, owned by 7:4242" \
		"$out"
	grep -Fq 'udp://*:53 as descriptor 7' "$out"
	grep -Fq LISTEN_FDS=5 "$out"
	[ ! -e "$tmp/a" ]
	activated "$STEPDOWN" --user=4242:4242 --inherit-sockets --dry-run \
		--listen=tcp://0.0.0.0:80 -- "$WITNESS"
	succeeded
	grep -Fq 'keep 2 inherited from descriptor 3 on' "$out"
	grep -Fq 'tcp://0.0.0.0:80 as descriptor 5' "$out"
}

# ---- what is said of a failure ----

@test "a port that is taken: where to look" {
	hold --listen=tcp://0.0.0.0:80 --listen='udp://[::1]:53'
	as_4242 --listen=tcp://127.0.0.1:80 -- "$WITNESS"
	refused 111
	hint_has 'ss -lntup'
	hint_has hostNetwork
	as_4242 --listen='udp://[::1]:53' -- "$WITNESS"
	refused 111
	hint_has 'ss -lntup'
	witnessed --listen='udp://[::1]:54'
}

@test "sockets that exclude each other: bind(2) says which" {
	as_4242 --listen=tcp://127.0.0.1:80 --listen='tcp://*:80' -- "$WITNESS"
	refused 111 'listen tcp://*:80: Address' 'a socket of this run'
}

@test "a low port without the capability: both ways out" {
	through setpriv --bounding-set -net_bind_service --
	as_4242 --listen=tcp://0.0.0.0:80 -- "$WITNESS"
	refused 111 'CAP_NET_BIND_SERVICE to listen on' \
		--cap-add=NET_BIND_SERVICE
	hint_has 'sysctl net.ipv4.ip_unprivileged_port_start=0'
	witnessed --listen=tcp://0.0.0.0:1024
}

@test "an address that nobody has here: freebind, or all of them" {
	as_4242 --listen=tcp://198.51.100.1:80 -- "$WITNESS"
	refused 111
	hint_has freebind
	hint_has 0.0.0.0
}
