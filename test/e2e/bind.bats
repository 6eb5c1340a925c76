#!/usr/bin/env bats
# --handoff=bind and bind-own: unmodified servers. The application is binder,
# which asks in good faith and in bad; "stepdown" served it, or the "kernel".

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
	[ -z "${supervisor-}" ] || stop "$(pgrep -P "$supervisor")"
	[ -z "${background-}" ] || stop "$background"
	net_down
	rm -rf "$public"
}

# binder HANDOFF LISTEN... -- WORD... : LISTEN may have several URLs
binder()
{
	local handoff=$1 listen=()

	shift
	while [ "$1" != -- ]; do
		listen+=("--listen=$1")
		shift
	done
	shift
	as_4242 "--handoff=$handoff" "${listen[@]}" -- "$BINDER" "$@"
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

# says KEY=VALUE...: each is a line of stdout
says()
{
	local line

	for line; do
		grep -Fxq -- "$line" "$out" || fail_seen "it should say $line"
	done
}

both_ways()
{
	local way

	for way in bind bind-own; do
		binder "$way" "$@"
		succeeded
	done
}

# ---- what is served, and with what ----

@test "tcp://* covers 0.0.0.0, [::] for both families and [::] alone" {
	binder bind 'tcp://*:80' -- bind tcp4:0.0.0.0:80 tcp6::::80,v6only=1 \
		tcp6::::80,v6only=0 tcp6::::80 mptcp4:0.0.0.0:80
	succeeded
	says by.{0,1,2,3,4}=stepdown v6only.1=1 v6only.2=0 v6only.3=0
}

@test "an IPv6 socket without a word follows net.ipv6.bindv6only" {
	sysctl_in_net net/ipv6/bindv6only 1
	binder bind 'tcp://*:80' -- bind tcp6::::80 tcp6::::80,v6only=0
	succeeded
	says by.0=stepdown v6only.0=1 by.1=stepdown v6only.1=0
}

@test "where IPv6 is off, tcp://* covers 0.0.0.0" {
	sysctl_in_net net/ipv6/conf/all/disable_ipv6 1
	binder bind 'tcp://*:80' -- bind tcp4:0.0.0.0:80
	succeeded
	says by.0=stepdown
}

@test "a specific address covers itself only" {
	binder bind tcp://127.0.0.1:80 'tcp://[::]:81' 'tcp://[::1]:82' -- \
		bind tcp4:127.0.0.1:80 tcp4:0.0.0.0:80 tcp4:127.0.0.2:80 \
		tcp6::::81,v6only=1 tcp6::::81 tcp4:0.0.0.0:81 \
		tcp6:::1:82 tcp6::::82 tcp6:::ffff:127.0.0.1:80
	exited 1
	says by.0=stepdown bind.{1,2}=EACCES by.3=stepdown bind.{4,5}=EACCES \
		by.6=stepdown bind.{7,8}=EACCES
}

@test "v6only=0 is for those who bind [::] for both families" {
	binder bind 'tcp://[::]:80?v6only=0' -- bind tcp6::::80 \
		tcp6::::80,v6only=1 tcp4:0.0.0.0:80
	exited 1
	says by.0=stepdown v6only.0=0 bind.{1,2}=EACCES
}

@test "every other bind is the kernel's" {
	binder bind 'tcp://*:80' -- bind tcp4:0.0.0.0:8080 tcp4:0.0.0.0:81 \
		udp4:0.0.0.0:80 udp4:0.0.0.0:8053 unix:/proc/nowhere \
		tcp4:0.0.0.0:0
	exited 1
	says by.{0,1,2,3,4,5}=kernel bind.{0,3,5}=ok bind.{1,2}=EACCES
}

@test "udp sockets, each once, and no more than one takes the datagrams" {
	binder bind 'udp://*:53' -- bind udp4:0.0.0.0:53 udp6::::53,v6only=1 \
		udp4:0.0.0.0:53 udp6::::53
	exited 1
	says by.0=stepdown by.1=stepdown v6only.1=1 bind.{2,3}=EACCES
	grep -q 'no socket is left' "$err"
	binder bind 'udp://*:53' -- bind udp6::::53 udp4:0.0.0.0:53
	exited 1
	says by.0=stepdown v6only.0=0 bind.1=EACCES
}

@test "unix sockets in a folder that the application may not write to" {
	mkdir -m 755 "$public/closed"
	binder bind "unix:$public/closed/s" "unix-dgram:$public/closed/d" -- bind \
		"unix:$public/closed/s,listen" "unix-dgram:$public/closed/d" \
		"unix:$public/closed/other"
	exited 1
	says by.0=stepdown listen.0=ok by.1=stepdown bind.2=EACCES
	[ "$(stat -c %u "$public/closed/s")" = 4242 ]
}

@test "a unix socket that the application has removed is its own to bind" {
	mkdir -m 777 "$public/open"
	as_4242 --handoff=bind "--listen=unix:$public/open/s" -- \
		/bin/sh -c "rm $public/open/s && exec $BINDER bind unix:$public/open/s"
	succeeded
	says bind.0=ok by.0=kernel
}

@test "O_NONBLOCK and close-on-exec are kept, other options too" {
	local words=tcp4:0.0.0.0:80,nonblock,cloexec,keepalive

	both_ways 'tcp://*:80' -- bind "$words"
	says nonblock.0=1 cloexec.0=1 keepalive.0=1
	binder bind 'tcp://*:80' -- bind tcp4:0.0.0.0:80
	says nonblock.0=0 cloexec.0=0 keepalive.0=0
}

@test "SO_REUSEPORT workers all listen and all get connections" {
	both_ways 'tcp://*:80' -- reuseport 80 4
}

# ---- as without us ----

@test "a port is given once and refuses when it is closed" {
	both_ways 'tcp://*:80' -- restart 80 5
}

@test "a second one on a busy port fails" {
	both_ways 'tcp://*:80' -- conflict 80
}

@test "a socket is bound once" {
	both_ways 'tcp://*:80' -- twice 80
}

@test "spares are counted, then it is the kernel's, and said once" {
	binder bind 'tcp://*:80' -- exhaust 80 5
	succeeded
	[ "$(grep -c 'no socket is left' "$err")" -eq 1 ]
	hint_has spares=N
	binder bind 'tcp://0.0.0.0:80?spares=0' -- exhaust 80 1
	succeeded
	binder bind 'tcp://0.0.0.0:80?spares=255' -- exhaust 80 256
	succeeded
}

@test "threads, a thread without its leader, one with descriptors of its own" {
	local i listen=()

	for i in {100..131}; do listen+=("tcp://0.0.0.0:$i"); done
	both_ways "${listen[@]}" -- threads 100 32
	both_ways 'tcp://*:80' -- leaderless 80
	both_ways 'tcp://*:80' -- unshared 80
}

@test "a daemon, whose parents have ended" {
	both_ways 'tcp://*:80' -- daemon 80
	as_first
	both_ways 'tcp://*:80' -- daemon 80
}

@test "processes that are killed while they bind" {
	both_ways 'tcp://*:80' -- killed 81 100 || true
	binder bind 'tcp://0.0.0.0:80?spares=255' -- killed 80 200
	succeeded
	binder bind-own 'tcp://0.0.0.0:80' -- killed 80 200
	succeeded
}

@test "5,000 binds under a timer of 60 microseconds" {
	local i listen=()

	for i in {100..106}; do
		listen+=("tcp://0.0.0.0:$i?spares=255")
	done
	for i in 1 2 3; do
		binder bind "${listen[@]}" -- timer 100 7 256
		succeeded
	done
	binder bind-own tcp://0.0.0.0:100 -- timer 100 1 5000
	succeeded
	binder bind tcp://0.0.0.0:100 -- timer 101 1 5000 EACCES
	succeeded
}

@test "the same on a kernel that lets a signal interrupt the answer" {
	local i listen=()

	# SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, before Linux 5.19: EINVAL
	under "$DENY" seccomp:1:0x20=22 --
	for i in {100..106}; do
		listen+=("tcp://0.0.0.0:$i?spares=255")
	done
	binder bind "${listen[@]}" -- timer 100 7 200
	succeeded
	binder bind-own tcp://0.0.0.0:100 -- timer 100 1 2000
	succeeded
}

@test "a stepdown under it, with sockets of its own" {
	as_4242 --handoff=bind --listen='tcp://*:80' -- "$STEPDOWN" \
		--dry-run --user=4242:4242 --listen=tcp://0.0.0.0:80 -- "$WITNESS"
	succeeded
	# A second notifier is not to be had.
	under "$DENY" --notifier --
	binder bind 'tcp://*:80' -- bind tcp4:0.0.0.0:80
	refused 111
	message_has 'install the filter: '
	hint_has notifier
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
	eventually 10 grep -q '^held=' "$out" || fail_seen 'it did not start'
	supervisor=$(pgrep -x -P "$background" stepdown || true)
	[ -n "$supervisor" ] || supervisor=$background
}

@test "bind: the supervisor has no capability, no uid 0, and no other descriptor" {
	local set

	hold --handoff=bind
	for set in CapInh CapPrm CapEff CapBnd CapAmb; do
		[ "$(threads_say "$set")" = "2 $no_caps" ] ||
			fail "$set: $(threads_say "$set")"
	done
	[ "$(threads_say NoNewPrivs)" = '2 1' ]
	[ "$(threads_say Uid)" = "2 $(printf '4242\t4242\t4242\t4242')" ]
	# signals, stderr, the notifier, and the 14 that are left of 15
	[ "$(find "/proc/$supervisor/fd" -type l | wc -l)" -eq 17 ] ||
		fail "$(ls -l "/proc/$supervisor/fd")"
}

@test "bind-own: one thread has CAP_NET_BIND_SERVICE, nobody else anything" {
	local set one=0000000000000400

	hold --handoff=bind-own
	for set in CapPrm CapEff; do
		[ "$(threads_say "$set")" = "1 $no_caps
1 $one" ] || fail "$set: $(threads_say "$set")"
	done
	for set in CapInh CapBnd CapAmb; do
		[ "$(threads_say "$set")" = "2 $no_caps" ]
	done
	grep -q "CapPrm:.*$no_caps" "/proc/$(pgrep -P "$supervisor")/status"
}

@test "the application sees no more than without it" {
	local way

	for way in bind bind-own; do
		as_4242 "--handoff=$way" --listen='tcp://*:80' -- "$WITNESS"
		succeeded
		witness_is 4242 4242
		witness_has_descriptors 0 1 2
		witness_lacks env.LISTEN_FDS
	done
	as_4242 --handoff=bind --listen='tcp://*:80' -- "$WITNESS" try-root
	succeeded
}

# ---- a hostile application of the same uid ----

@test "it can neither trace nor read nor write the supervisor" {
	both_ways 'tcp://*:80' -- parent 80
	says attach=denied seize=denied mem=denied fd=denied write=denied
	as_first
	both_ways 'tcp://*:80' -- parent 80
}

@test "no signal stops the supervisor from serving; as process 1 not even KILL" {
	both_ways 'tcp://*:80' -- signals 80
	as_first
	both_ways 'tcp://*:80' -- signals 80 all
}

@test "an address that another thread exchanges is never bound" {
	binder bind 'tcp://0.0.0.0:80?spares=255' -- toctou 80 81 2000
	succeeded
	binder bind-own tcp://0.0.0.0:80 -- toctou 80 81 2000
	succeeded
}

@test "a descriptor that another thread exchanges harms nobody" {
	binder bind 'tcp://0.0.0.0:80?spares=255' -- swap 80 2000
	succeeded
	binder bind-own tcp://0.0.0.0:80 -- swap 80 2000
	succeeded
}

@test "what is no socket, of another kind, or has no address is the kernel's" {
	both_ways 'tcp://0.0.0.0:80' -- wrong 80
}

# The length -1 passed a check for "at least 4", and the kernel refuses it.
@test "bind-own: a setsockopt that only pretends opens no IPv4 port" {
	as_4242 --handoff=bind-own '--listen=tcp://[::]:80' -- \
		/usr/bin/python3 -c '
import ctypes, socket
s = socket.socket(socket.AF_INET6)
one = ctypes.c_int(1)
print(ctypes.CDLL(None).setsockopt(s.fileno(), 41, 26, ctypes.byref(one), -1))
try:
    s.bind(("::", 80))
    print("bound")
except PermissionError:
    print("denied")
s = socket.socket(socket.AF_INET6)
s.setsockopt(41, 26, 1)
s.bind(("::", 80))
print("bound honestly")'
	succeeded
	says -1 denied 'bound honestly'
}

@test "a network namespace of its own is its own" {
	both_ways 'tcp://0.0.0.0:80' -- netns 80
	# Without pidfd_getfd, too.
	under "$DENY" pidfd_getfd=1 --
	binder bind 'tcp://0.0.0.0:80' -- netns 80
	succeeded
}

@test "i386 and x32 calls are denied by the kernel" {
	both_ways 'tcp://0.0.0.0:80' -- doors 80
}

@test "a flood of questions does not delay a signal" {
	in_background "$STEPDOWN" --user=4242:4242 --handoff=bind \
		--listen='tcp://*:80' -- "$BINDER" flood 81 8
	eventually 10 grep -q '^flooding=' "$out"
	supervisor=$(pgrep -x -P "$background" stepdown || echo "$background")
	local start=${EPOCHREALTIME/./}
	kill -USR1 "$supervisor"
	wait "$background"
	[ $((${EPOCHREALTIME/./} - start)) -lt 1000000 ]
	says signal=came
}

@test "memory that never comes stops neither forwarding nor reaping" {
	local minor

	minor=$(sed -n 's/ userfaultfd$//p' /proc/misc)
	[ -n "$minor" ] || cannot_run 'no userfaultfd device'
	mknod -m 666 "$public/uffd" c 10 "${minor// /}"
	in_background "$STEPDOWN" --user=4242:4242 --handoff=bind \
		--listen='tcp://*:80' -- "$BINDER" stall "$public/uffd"
	eventually 10 grep -q '^ready=' "$out" || fail_seen 'not ready'
	says stalled=yes orphan=reaped
	supervisor=$(pgrep -x -P "$background" stepdown || echo "$background")
	kill -USR1 "$supervisor"
	eventually 5 grep -q '^signal=came' "$out" || fail_seen 'no signal'
	eventually 5 test ! -e "/proc/$supervisor"
}

# ---- what rules it out ----

@test "where pidfd_getfd is denied: bind works, bind-own says so before the start" {
	under "$DENY" pidfd_getfd=1 process_vm_readv=1 --
	binder bind 'tcp://*:80' -- bind tcp4:0.0.0.0:80,nonblock,cloexec \
		tcp6::::80,v6only=1 tcp6::::80 tcp4:0.0.0.0:80,reuseport
	succeeded
	says by.{0,1,2,3}=stepdown nonblock.0=1 cloexec.0=1 v6only.1=1 \
		v6only.2=0 reuseport.3=1 reuseport.0=0
	binder bind-own 'tcp://*:80' -- bind tcp4:0.0.0.0:80
	refused 111
	message_has pidfd_getfd
	hint_has --handoff=bind
}

@test "a pidfd of a thread before Linux 6.9" {
	under "$DENY" pidfd_open:1:0x80=22 --
	both_ways tcp://0.0.0.0:{100..115} -- threads 100 16
	both_ways 'tcp://*:80' -- bind tcp4:0.0.0.0:80,keepalive
	says keepalive.0=1
}

@test "a seccomp profile without seccomp(2), a kernel without notifications" {
	under "$DENY" seccomp=1 --
	binder bind 'tcp://*:80' -- bind tcp4:0.0.0.0:80
	refused 111
	message_has 'seccomp notifications'
	hint_has --keep-caps=net_bind_service
	hint_has ip_unprivileged_port_start
	use_net
	under "$DENY" seccomp=38 --
	binder bind 'tcp://*:80' -- bind tcp4:0.0.0.0:80
	refused 111
}

@test "without CAP_NET_BIND_SERVICE: found before the drop" {
	under setpriv --bounding-set=-net_bind_service \
		--inh-caps=-net_bind_service
	binder bind 'tcp://*:80' -- bind tcp4:0.0.0.0:80
	refused 111
	message_has 'listen tcp://*:80: Permission denied'
	hint_has CAP_NET_BIND_SERVICE
	hint_has ip_unprivileged_port_start
	binder bind-own 'tcp://*:80' -- bind tcp4:0.0.0.0:80
	refused 111
}

@test "without /proc, or that of another pid namespace" {
	under unshare --pid --fork
	binder bind 'tcp://*:80' -- bind tcp4:0.0.0.0:80
	refused 111
	message_has 'look at the child in /proc'
	hint_has '/proc must be mounted'
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
	binder bind 'tcp://*:80' -- undumpable 80
	succeeded
}

@test "usage" {
	misuse 'it needs --listen' --user=4242:4242 --handoff=bind -- true
	misuse 'excludes --keep-caps' --user=4242:4242 --handoff=bind \
		--listen=tcp://0.0.0.0:80 --keep-caps=chown -- true
	misuse 'sets by itself' --user=4242:4242 --handoff=bind \
		'--listen=tcp://0.0.0.0:80?backlog=5' -- true
	misuse 'spares are of --handoff=bind' --user=4242:4242 \
		'--listen=tcp://0.0.0.0:80?spares=5' -- true
	misuse 'neither spares nor unix' --user=4242:4242 --handoff=bind-own \
		'--listen=tcp://0.0.0.0:80?spares=5' -- true
	misuse 'neither spares nor unix' --user=4242:4242 --handoff=bind-own \
		--listen=unix:/run/x -- true
	misuse 'more than 2048' --user=4242:4242 --handoff=bind \
		'--listen=tcp://*:80?spares=255' '--listen=tcp://*:81?spares=255' \
		'--listen=tcp://*:82?spares=255' -- true
	misuse 'systemd (default), nginx, bind or bind-own' --user=4242:4242 \
		--handoff=Bind --listen=tcp://0.0.0.0:80 -- true
}
