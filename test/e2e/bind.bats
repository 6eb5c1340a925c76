#!/usr/bin/env bats
# --handoff=bind: unmodified servers. The application is binder, which asks in
# good faith and in bad; "stepdown" served it, or the "kernel".

# shellcheck source-path=SCRIPTDIR
. "$BATS_TEST_DIRNAME/helpers.bash"

BINDER=${BINDER:-$top/build/test/e2e/binder}
DENY=${DENY:-$top/build/test/e2e/deny}

setup()
{
	background='' supervisor=''
	need nsenter unshare
	[ -x "$BINDER" ] || fail "no $BINDER: run make -C build test/e2e/binder"
	[ -x "$DENY" ] || fail "no $DENY: run make -C build test/e2e/deny"
	net_up
	use_net
	public=$(mktemp -d /tmp/stepdown.XXXXXX)
	chmod 755 "$public"
}

teardown()
{
	[ -z "${supervisor-}" ] || stop "$(pgrep -P "$supervisor" binder)"
	[ -z "${background-}" ] || stop "$background"
	net_down
	rm -rf "$public"
}

# try_binder LISTEN... -- WORD... : what may be bound, and what binder does
try_binder()
{
	local listen=()

	while [ "$1" != -- ]; do
		listen+=("--listen=$1")
		shift
	done
	shift
	as_4242 --handoff=bind "${listen[@]}" -- "$BINDER" "$@"
}

# binder LISTEN... -- WORD... : and all was as it must be
binder()
{
	try_binder "$@"
	succeeded
}

# under COMMAND... : what follows is run by it
under()
{
	before+=("$@")
}

# As the first process of its own pid namespace, as in a container.
as_first()
{
	under unshare --pid --fork --mount-proc
}

# find_first PID: the process in there that is the first of its namespace
find_first()
{
	local pid

	for pid in $(pstree -p "$1" | grep -o '([0-9]*)' | tr -d '()'); do
		if grep -q '^NSpid:.*[[:blank:]]1$' "/proc/$pid/status"; then
			echo "$pid"
			return
		fi
	done
	return 1
}

# ---- what is served, and with what ----

@test "tcp://* covers every local address: of IPv4, of IPv6, both, each, mapped" {
	binder 'tcp://*:80' -- bind tcp4:0.0.0.0:80,close tcp4:127.0.0.2:80,close \
		tcp6::::80,v6only=1,close tcp6::::80,v6only=0,close \
		tcp6:::1:80 tcp6:::ffff:127.0.0.1:80
	says by.{0,1,2,3,4,5}=stepdown v6only.2=1 v6only.3=0
}

@test "an IPv6 socket without a word follows net.ipv6.bindv6only" {
	sysctl_in_net net/ipv6/bindv6only 1
	binder 'tcp://*:80' -- bind tcp6::::80,close tcp6::::80,v6only=0
	says by.0=stepdown v6only.0=1 by.1=stepdown v6only.1=0
	under "$DENY" pidfd_getfd=1 --
	binder 'tcp://*:80' -- bind tcp6::::80,close tcp6::::80,v6only=0
	says by.0=stepdown v6only.0=1 by.1=stepdown v6only.1=0
}

@test "where IPv6 is off, tcp://* covers 0.0.0.0" {
	sysctl_in_net net/ipv6/conf/all/disable_ipv6 1
	binder 'tcp://*:80' -- bind tcp4:0.0.0.0:80
	says by.0=stepdown
}

@test "a specific address covers itself only" {
	try_binder tcp://127.0.0.1:80 'tcp://[::]:81' 'tcp://[::1]:82' -- \
		bind tcp4:127.0.0.1:80,close tcp4:0.0.0.0:80 tcp4:127.0.0.2:80 \
		tcp6::::81,v6only=1,close tcp6::::81 tcp4:0.0.0.0:81 \
		tcp6:::1:82 tcp6::::82 tcp6:::ffff:127.0.0.1:80
	exited 1
	says by.{0,3,6,8}=stepdown bind.{1,2,4,5,7}=EACCES
}

@test "a link-local address is declared by no listener but tcp://*" {
	local url

	for url in 'udp://[ff02::fb]:80' 'tcp://[fe80::1]:80'; do
		try_binder "$url" -- bind tcp4:0.0.0.0:80
		refused 111 'Invalid argument'
	done
	try_binder 'tcp://[fe80::1%lo]:80' -- bind tcp4:0.0.0.0:80
	refused 100 'without options but v6only'
}

@test "v6only=0 is for those who bind [::] for both families" {
	try_binder 'tcp://[::]:80?v6only=0' -- bind tcp6::::80,close \
		tcp6::::80,v6only=1 tcp4:0.0.0.0:80
	exited 1
	says by.{0,1}=stepdown v6only.0=0 v6only.1=1 bind.2=EACCES
}

@test "every other bind is the kernel's" {
	try_binder 'tcp://*:80' -- bind tcp4:0.0.0.0:8080 tcp4:0.0.0.0:81 \
		udp4:0.0.0.0:80 udp4:0.0.0.0:8053 unix:/proc/nowhere \
		tcp4:0.0.0.0:0
	exited 1
	says by.{0,1,2,3,4,5}=kernel bind.{0,3,5}=ok bind.{1,2}=EACCES
}

@test "what fails for want of a declaration is said once, with what to declare" {
	try_binder tcp://0.0.0.0:80 udp://127.0.0.1:53 -- bind tcp6::::80 \
		tcp6::::80 udp4:0.0.0.0:53 tcp4:0.0.0.0:80 tcp4:0.0.0.0:8080
	exited 1
	[ "$(grep -c 'is not declared' "$err")" -eq 2 ] || fail_seen
	grep -Fxq 'stepdown: warning: bind tcp://[::]:80 is not declared (declared: tcp://0.0.0.0:80, udp://127.0.0.1:53)' "$err" || fail_seen
	hint_has 'use --listen=tcp://*:80'
	message_has 'bind udp://0.0.0.0:53 is not declared'
	hint_has 'use --listen=udp://*:53'
	# Sixteen of them, so that nobody fills a log.
	# shellcheck disable=SC2046 # words
	try_binder tcp://0.0.0.0:80 -- bind $(printf 'tcp4:0.0.0.0:%d ' {100..140})
	[ "$(grep -c 'is not declared' "$err")" -eq 16 ]
}

@test "udp sockets, as often as asked" {
	try_binder 'udp://*:53' -- bind udp4:0.0.0.0:53,close \
		udp6::::53,v6only=1 udp4:0.0.0.0:53,close udp6::::53
	exited 1
	says by.{0,1,2}=stepdown v6only.1=1 bind.3=EADDRINUSE
	binder 'udp://*:53' -- bind udp4:0.0.0.0:53,reuseport{,,,,,,,}
	says by.{0,1,2,3,4,5,6,7}=stepdown
}

# option_words: what a server sets before it binds, and is to find after it
option_words='nonblock,cloexec,reuseaddr,reuseport,pktinfo,freebind,keepalive'

@test "O_NONBLOCK, close-on-exec and the options are those of the application" {
	binder 'tcp://*:80' -- bind "tcp4:0.0.0.0:80,$option_words"
	says {by.0=stepdown,{nonblock,cloexec,reuseaddr,reuseport,pktinfo}.0=1} \
		{freebind,keepalive}.0=1
	binder 'tcp://*:80' -- bind tcp4:0.0.0.0:80
	says {by.0=stepdown,{nonblock,cloexec,reuseaddr,reuseport,pktinfo}.0=0} \
		{freebind,keepalive}.0=0
}

@test "MPTCP stays MPTCP" {
	binder 'tcp://*:80' -- bind mptcp4:0.0.0.0:80
	says by.0=stepdown protocol.0=262
}

@test "SO_REUSEPORT workers all listen and all get connections" {
	binder 'tcp://*:80' -- reuseport 80 16
	binder 'tcp://*:80' -- reuseport 80 200
}

@test "every length of an address that the kernel takes" {
	binder tcp://127.0.0.1:80 -- lengths 80
	binder tcp://127.0.0.1:8080 -- lengths 8080
}

@test "0.0.0.0 without a family, which the kernel takes" {
	binder 'tcp://*:80' -- no-family 80
	binder tcp://127.0.0.1:8080 -- no-family 8080
}

# ---- as without us ----

@test "a port refuses when it is closed" {
	binder 'tcp://*:80' -- restart 80 5
}

@test "a second one on a busy port fails, as bind(2) says" {
	binder 'tcp://*:80' -- conflict 80
}

@test "a socket is bound once" {
	binder 'tcp://*:80' -- twice 80
}

@test "a port is bound as often as asked" {
	binder tcp://0.0.0.0:80 -- again 80 3000
	under "$DENY" pidfd_getfd=1 process_vm_readv=1 --
	binder tcp://0.0.0.0:80 -- again 80 1000
}

@test "threads, a thread without its leader, one with descriptors of its own" {
	local i listen=()

	for i in {100..131}; do listen+=("tcp://0.0.0.0:$i"); done
	binder "${listen[@]}" -- threads 100 32
	binder 'tcp://*:80' -- leaderless 80
	binder 'tcp://*:80' -- unshared 80
}

@test "a daemon, whose parents have ended" {
	binder 'tcp://*:80' -- daemon 80
	as_first
	binder 'tcp://*:80' -- daemon 80
}

@test "processes that are killed while they bind" {
	binder tcp://0.0.0.0:80 tcp://0.0.0.0:81 -- killed 80 200
}

@test "5,000 binds under a timer of 60 microseconds" {
	for _ in 1 2 3; do
		binder tcp://0.0.0.0:100 -- timer 100 1 5000
	done
	binder tcp://0.0.0.0:100 -- timer 101 1 5000 EACCES
}

@test "the same on a kernel that lets a signal interrupt the answer" {
	# SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, before Linux 5.19: EINVAL
	under "$DENY" seccomp:1:0x20=22 --
	binder tcp://0.0.0.0:100 -- timer 100 1 2000
	use_net
	under "$DENY" seccomp:1:0x20=22 pidfd_getfd=1 --
	binder tcp://0.0.0.0:100 -- timer 100 1 2000
}

@test "a stepdown under it, with sockets of its own" {
	as_4242 --handoff=bind --listen='tcp://*:80' -- "$STEPDOWN" \
		--dry-run --user=4242:4242 --listen=tcp://0.0.0.0:8080 -- \
		"$WITNESS"
	succeeded
	# A second notifier is not to be had.
	under "$DENY" --notifier --
	try_binder 'tcp://*:80' -- bind tcp4:0.0.0.0:80
	refused 111 'install the filter' notifier
}

# ---- what is left of privilege ----

# threads_say FILE KEY: the values of all threads of the supervisor
threads_say()
{
	sed -n "s/^$1:\t*//p" "/proc/$supervisor"/task/*/status | sort | uniq -c |
		sed 's/^ *//'
}

hold()
{
	in_background "$STEPDOWN" --user=4242:4242 --listen='tcp://*:80' \
		"$@" -- "$BINDER" hold tcp4:0.0.0.0:80,listen
	eventually 60 grep -q '^held=' "$out" || fail_seen 'it did not start'
	supervisor=$(pgrep -x -P "$background" stepdown || true)
	[ -n "$supervisor" ] || supervisor=$background
}

# shows_capabilities ONE OTHER: of the threads, permitted and effective
shows_capabilities()
{
	local set

	for set in CapPrm CapEff; do
		[ "$(threads_say "$set")" = "$1" ] ||
			fail "$set: $(threads_say "$set")"
	done
	for set in CapInh CapBnd CapAmb; do
		[ "$(threads_say "$set")" = "2 $no_caps" ] ||
			fail "$set: $(threads_say "$set")"
	done
	[ "$(threads_say NoNewPrivs)" = '2 1' ]
	[ "$(threads_say Uid)" = "2 $(printf '4242\t4242\t4242\t4242')" ]
	grep -q "CapPrm:.*$no_caps" "/proc/$(pgrep -P "$supervisor")/status"
	# 0 to 2, the notifier
	[ "$(find "/proc/$supervisor/fd" -type l | wc -l)" -eq 4 ] ||
		fail "$(ls -l "/proc/$supervisor/fd")"
}

@test "a port below the start: one thread has CAP_NET_BIND_SERVICE, nobody else anything" {
	hold --handoff=bind --verbose
	shows_capabilities "1 $no_caps
1 0000000000000400"
	grep -q 'keep CAP_NET_BIND_SERVICE in one thread of the parent: port 80 is below 1024' "$err"
}

@test "no port below the start: no capability at all" {
	sysctl_in_net net/ipv4/ip_unprivileged_port_start 80
	hold --handoff=bind --verbose
	shows_capabilities "2 $no_caps"
	grep -q 'keep no capability: no port is below 80' "$err"
}

@test "--strict refuses to keep the capability, and is content without" {
	as_4242 --strict --handoff=bind --listen='tcp://*:80' -- "$WITNESS"
	refused 111 'port 80 is below 1024' ip_unprivileged_port_start=80
	sysctl_in_net net/ipv4/ip_unprivileged_port_start 80
	as_4242 --strict --handoff=bind --listen='tcp://*:80' -- \
		"$BINDER" bind tcp4:0.0.0.0:80
	succeeded
	says bind.0=ok
}

@test "--dry-run and --check say which of the two it is" {
	as_4242 --dry-run --handoff=bind --listen='tcp://*:80' -- true
	succeeded
	grep -q 'keep CAP_NET_BIND_SERVICE in one thread' "$out" || fail_seen
	as_4242 --dry-run --handoff=bind --listen='tcp://*:1024' -- true
	succeeded
	grep -q 'keep no capability: no port is below 1024' "$out"
	as_4242 --check --handoff=bind --listen='tcp://*:80' -- true
	succeeded
	grep -q 'ok  *listen  *keep CAP_NET_BIND_SERVICE' "$out" || fail_seen
	as_4242 --check --handoff=bind --listen='tcp://*:1024' -- true
	succeeded
	grep -q 'ok  *listen  *keep no capability' "$out" || fail_seen
}

@test "with --keep-caps the application has those, and is served" {
	as_4242 --keep-caps=chown,kill --handoff=bind --listen='tcp://*:80' \
		-- "$BINDER" bind tcp4:0.0.0.0:80
	succeeded
	says by.0=stepdown
	witnessed --keep-caps=chown --handoff=bind --listen='tcp://*:80'
	witness_is 4242 4242 '' 0000000000000001
}

@test "with --inherit-sockets those are handed over, and the parent keeps none" {
	capture /usr/bin/python3 -c '
import os, socket, sys
s = socket.socket()
s.bind(("127.0.0.1", 8080))
s.listen()
os.dup2(s.fileno(), 3)
os.set_inheritable(3, True)
os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
os.execv(sys.argv[1], sys.argv[1:])' \
		"$STEPDOWN" --user=4242:4242 --inherit-sockets --handoff=bind \
		--listen='tcp://*:80' -- "$WITNESS"
	succeeded
	witness_has_descriptors 0 1 2 3
	says env.LISTEN_FDS=1
}

@test "with standard descriptors closed it is served, and finds them closed" {
	under sh -c 'exec "$@" <&- >&-' sh
	as_4242 --handoff=bind --listen='tcp://*:80' -- /usr/bin/python3 -c '
import os, socket
s = socket.socket()
s.bind(("", 80))
os.write(2, b"%d" % s.fileno())'
	succeeded
	[ "$(cat "$err")" = 0 ] || fail_seen
}

@test "the application sees no more than without it" {
	witnessed --handoff=bind --listen='tcp://*:80'
	witness_is 4242 4242
	witness_has_descriptors 0 1 2
	witness_lacks env.LISTEN_FDS
	as_4242 --handoff=bind --listen='tcp://*:80' -- "$WITNESS" try-root
	succeeded
}

# ---- a hostile application of the same uid ----

@test "it can neither trace nor read nor write the supervisor" {
	binder 'tcp://*:80' -- parent 80
	says attach=denied seize=denied mem=denied fd=denied write=denied
	as_first
	binder 'tcp://*:80' -- parent 80
}

@test "no signal stops the supervisor from serving; as process 1 not even KILL" {
	binder 'tcp://*:80' -- signals 80
	as_first
	binder 'tcp://*:80' -- signals 80 all
}

@test "an address that another thread exchanges is never bound" {
	binder 'tcp://0.0.0.0:80' -- toctou 80 81 2000
}

@test "a descriptor that another thread exchanges harms nobody" {
	binder 'tcp://0.0.0.0:80' -- swap 80 2000
}

@test "what is no socket, of another kind, or has no address is the kernel's" {
	binder 'tcp://0.0.0.0:80' -- wrong 80
}

# A setsockopt(2) that the kernel refuses is no lie that opens a port: our own
# socket says what it is.
@test "a setsockopt that only pretends opens no IPv4 port" {
	local way

	for way in '' pidfd_getfd=1; do
		use_net
		[ -z "$way" ] || under "$DENY" "$way" --
		as_4242 --handoff=bind '--listen=tcp://[::]:80' -- \
			/usr/bin/python3 -c '
import ctypes, socket
s = socket.socket(socket.AF_INET6)
one = ctypes.c_int(1)
print(ctypes.CDLL(None).setsockopt(s.fileno(), 41, 26, ctypes.byref(one), -1))
try:
    s.bind(("::", 80))
    print("bound", s.getsockopt(41, 26))
except PermissionError:
    print("denied")
s = socket.socket(socket.AF_INET6)
s.setsockopt(41, 26, 1)
s.bind(("::", 80))
print("bound honestly")'
		succeeded
		says -1 denied 'bound honestly'
	done
}

@test "a [::] for IPv6 alone stays so, whatever another thread sets" {
	binder 'tcp://[::]:80' -- v6only 80 1000
}

@test "a network namespace of its own is its own" {
	binder 'tcp://0.0.0.0:80' -- netns 80 ok
	use_net
	under "$DENY" pidfd_getfd=1 --
	binder 'tcp://0.0.0.0:80' -- netns 80 EACCES
}

@test "i386 and x32 calls are denied by the kernel, or it has none" {
	binder tcp://0.0.0.0:80 -- doors 80
}

@test "io_uring binds no port that the kernel denies" {
	binder tcp://0.0.0.0:80 -- uring 80
}

@test "the socket is the application's for the kernel" {
	as_4242 --handoff=bind --listen='tcp://*:80' --listen='udp://*:80' -- \
		/usr/bin/python3 -c '
import os, socket
kept = []
for kind in socket.SOCK_STREAM, socket.SOCK_DGRAM:
    s = socket.socket(socket.AF_INET, kind)
    kept.append(s)
    s.bind(("", 80))
    if kind == socket.SOCK_STREAM:
        s.listen()
    print(os.fstat(s.fileno()).st_uid, os.fstat(s.fileno()).st_gid)
os.system("grep :0050 /proc/net/tcp /proc/net/udp")'
	succeeded
	[ "$(grep -cx '4242 4242' "$out")" -eq 2 ] || fail_seen
	[ "$(grep -c ':0050 .* 4242 ' "$out")" -eq 2 ] || fail_seen
}

@test "a full pipe at stderr stops no bind" {
	mkfifo "$public/pipe"
	# Nobody reads it, and it is full.
	exec 7<>"$public/pipe"
	/usr/bin/python3 -c 'import os, fcntl
fcntl.fcntl(7, fcntl.F_SETFL, os.O_NONBLOCK)
try:
    while True: os.write(7, b"x" * 512)
except BlockingIOError: pass
fcntl.fcntl(7, fcntl.F_SETFL, 0)'
	cp "$BINDER" "$public/unreadable"
	chmod 711 "$public/unreadable"
	status=0
	timeout -s KILL 120 "${before[@]}" "$STEPDOWN" --user=4242:4242 \
		--handoff=bind --listen=tcp://0.0.0.0:80 -- /bin/sh -c \
		"$public/unreadable bind tcp4:0.0.0.0:80 >/dev/null
		exec $BINDER bind tcp4:0.0.0.0:81 tcp4:0.0.0.0:80" \
		>"$out" 2>"$public/pipe" </dev/null 3>&- 4>&- 7>&- || status=$?
	exec 7>&-
	exited 1
	says bind.0=EACCES by.1=stepdown
}

@test "a flood of questions keeps no signal away" {
	in_background "$STEPDOWN" --user=4242:4242 --handoff=bind \
		--listen='tcp://*:80' -- "$BINDER" flood 81 8
	eventually 60 grep -q '^flooding=' "$out"
	supervisor=$(pgrep -x -P "$background" stepdown || echo "$background")
	kill -USR1 "$supervisor"
	eventually 60 grep -q '^signal=came' "$out" || fail_seen 'no signal'
	wait "$background"
}

@test "memory that never comes stops neither forwarding nor reaping" {
	local minor

	minor=$(sed -n 's/ userfaultfd$//p' /proc/misc)
	[ -n "$minor" ] || cannot_run 'no userfaultfd device'
	mknod -m 666 "$public/uffd" c 10 "${minor// /}"
	in_background "$STEPDOWN" --user=4242:4242 --handoff=bind \
		--listen='tcp://*:80' -- "$BINDER" stall "$public/uffd"
	eventually 60 grep -q '^ready=' "$out" || fail_seen 'not ready'
	says stalled=yes orphan=reaped
	supervisor=$(pgrep -x -P "$background" stepdown || echo "$background")
	kill -USR1 "$supervisor"
	eventually 60 grep -q '^signal=came' "$out" || fail_seen 'no signal'
	eventually 60 test ! -e "/proc/$supervisor"
}

# The file server is a daemon, which outlives the application; process 1 takes
# it along, and must be able to end for that: by itself, and by SIGKILL.
@test "a file system that never answers keeps process 1 from nothing" {
	local signal

	mknod -m 666 "$public/fuse" c 10 229
	mkdir -m 777 "$public/mnt"
	as_first
	for signal in TERM KILL; do
		in_background "$STEPDOWN" --user=4242:4242 --handoff=bind \
			--listen='tcp://*:80' -- "$BINDER" fuse \
			"$public/fuse" "$public/mnt"
		eventually 60 grep -q '^stalled=yes' "$out" || fail_seen
		supervisor=$(find_first "$background")
		kill "-$signal" "$supervisor"
		eventually 60 test ! -e "/proc/$supervisor" || {
			pkill -KILL --ns "$supervisor" --nslist pid binder
			fail "$signal does not end it"
		}
	done
	supervisor=
}

# What is no socket is not asked what it is, nor copied, for its server would
# have to answer, to the close of a copy too.
@test "a file of a file system that never answers, in a socket's place" {
	mknod -m 666 "$public/fuse" c 10 229
	mkdir -m 777 "$public/mnt"
	as_first
	in_background "$STEPDOWN" --user=4242:4242 --handoff=bind \
		--listen='tcp://*:80' -- "$BINDER" fuse \
		"$public/fuse" "$public/mnt" descriptor
	eventually 60 pgrep -P "$background" >/dev/null
	supervisor=$(find_first "$background")
	eventually 60 grep -q '^bind=ENOTSOCK' "$out" || {
		pkill -KILL --ns "$supervisor" --nslist pid binder
		fail_seen 'the supervisor waits for it'
	}
	# It is process 1 there, and takes the file server along.
	kill -KILL "$supervisor"
	eventually 60 test ! -e "/proc/$supervisor" || fail 'it stays'
	supervisor=
}

# ---- what rules it out ----

@test "where pidfd_getfd and process_vm_readv are denied" {
	local words=${option_words%,keepalive}

	under "$DENY" pidfd_getfd=1 process_vm_readv=1 --
	binder 'tcp://*:80' 'udp://*:80' -- bind "tcp4:0.0.0.0:80,$words,close" \
		tcp6::::80,v6only=1,close tcp6::::80,close \
		"tcp4:0.0.0.0:80,reuseport" "udp4:0.0.0.0:80,$words"
	says by.{0,1,2,3,4}=stepdown v6only.1=1 v6only.2=0 reuseport.3=1 \
		{nonblock,cloexec,reuseaddr,reuseport,pktinfo,freebind}.{0,4}=1 \
		{nonblock,cloexec,reuseaddr,pktinfo,freebind}.3=0
}

@test "a pidfd of a thread before Linux 6.9" {
	under "$DENY" pidfd_open:1:0x80=22 --
	binder tcp://0.0.0.0:{100..115} -- threads 100 16
	binder 'tcp://*:80' -- bind tcp4:0.0.0.0:80,keepalive
	says keepalive.0=1
}

@test "a seccomp profile without seccomp(2), a kernel without notifications" {
	under "$DENY" seccomp=1 --
	try_binder 'tcp://*:80' -- bind tcp4:0.0.0.0:80
	refused 111 'seccomp notifications' --keep-caps=net_bind_service
	hint_has ip_unprivileged_port_start
	use_net
	under "$DENY" seccomp=38 --
	try_binder 'tcp://*:80' -- bind tcp4:0.0.0.0:80
	refused 111
}

@test "without CAP_NET_BIND_SERVICE: found before the drop" {
	under setpriv --bounding-set=-net_bind_service \
		--inh-caps=-net_bind_service
	try_binder 'tcp://*:80' -- bind tcp4:0.0.0.0:80
	refused 111 'CAP_NET_BIND_SERVICE to listen on tcp://*:80' \
		NET_BIND_SERVICE
	hint_has ip_unprivileged_port_start
}

@test "without /proc, or that of another pid namespace" {
	under unshare --pid --fork
	try_binder 'tcp://*:80' -- bind tcp4:0.0.0.0:80
	refused 111 'look into /proc' '/proc must be mounted'
}

@test "a program that may not be read is said, once" {
	cp "$BINDER" "$public/unreadable"
	chmod 711 "$public/unreadable"
	as_4242 --handoff=bind --listen='tcp://*:80' -- "$public/unreadable" \
		bind tcp4:0.0.0.0:80 tcp4:0.0.0.0:80
	exited 1
	says bind.{0,1}=EACCES
	[ "$(grep -c 'warning: bind of process' "$err")" -eq 1 ]
	hint_has 'chmod a+r'
	binder 'tcp://*:80' -- undumpable 80
}

@test "usage" {
	misuse '--handoff bind: --listen says' --user=4242:4242 --handoff=bind -- \
		true
	misuse '--keep-caps net_bind_service: not with' --user=4242:4242 \
		--handoff=bind --listen=tcp://0.0.0.0:80 \
		--keep-caps=chown,net_bind_service -- true
	misuse 'without options but v6only' --user=4242:4242 --handoff=bind \
		'--listen=tcp://0.0.0.0:80?backlog=5' -- true
	misuse 'takes tcp and udp' --user=4242:4242 --handoff=bind \
		--listen=unix:/run/x -- true
	hint_has --own=/run/app,create
	misuse 'no_new_privs for its seccomp filter' --user=4242:4242 \
		--handoff=bind --allow-new-privs --listen=tcp://0.0.0.0:80 -- true
	misuse 'systemd (default), nginx or bind' --user=4242:4242 \
		--handoff=bind-own --listen=tcp://0.0.0.0:80 -- true
	misuse "'spares' is no option" --user=4242:4242 \
		'--listen=tcp://0.0.0.0:80?spares=5' -- true
}
