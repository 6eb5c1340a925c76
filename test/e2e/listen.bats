#!/usr/bin/env bats
# Sockets on ports below 1024: bound as root, used by an application that is
# not root. In a network namespace whose lowest port for everyone is 1024.

# shellcheck source-path=SCRIPTDIR
. "$BATS_TEST_DIRNAME/helpers.bash"

setup_file()
{
	need strace ip
	net_up
}

setup()
{
	use_net
	background=
}

teardown()
{
	[ -z "$background" ] || stop "$background"
	sysctl_in_net net/ipv6/conf/all/disable_ipv6 0
}

# answer_of ADDRESS PORT: what a server there says to one connection
answer_of()
{
	in_net timeout 60 bash -c "cat <'/dev/tcp/$1/$2'"
}

# answers LISTEN ADDRESS...: a witness with that socket, for each of them
answers()
{
	local address

	for address in "${@:2}"; do
		in_background "$STEPDOWN" --user=4242:4242 "--listen=$1" \
			-- "$WITNESS" accept 3
		eventually 60 is_listening 80
		[ "$(answer_of "$address" 80)" = \
			"witness: pid $background, uid 4242, descriptor 3" ]
		wait "$background"
	done
}

is_listening()
{
	in_net ss -Hltn "sport = :$1" | grep -q .
}

@test "below 1024 is for CAP_NET_BIND_SERVICE here" {
	[ "$(in_net cat /proc/sys/net/ipv4/ip_unprivileged_port_start)" = 1024 ]
}

@test "IPv4" {
	witnessed --listen=tcp://0.0.0.0:80
	witness_is 4242 4242
	witness_has_descriptors 0 1 2 3
	witness_has_socket 3 inet 0.0.0.0:80
	says fd.3.nonblock=0
}

@test "IPv6, and not IPv4 through it" {
	witnessed --listen='tcp://[::]:80'
	witness_has_descriptors 0 1 2 3
	witness_has_socket 3 inet6 '[::]:80'
	says fd.3.v6only=1
}

@test "IPv6 only also where the default is both" {
	sysctl_in_net net/ipv6/bindv6only 0
	witnessed --listen='tcp://[::]:80'
	says fd.3.v6only=1
	sysctl_in_net net/ipv6/bindv6only 1
	witnessed --listen='tcp://*:80'
	says fd.3.v6only=0
	sysctl_in_net net/ipv6/bindv6only 0
}

@test "both families on one port, each in its own socket" {
	witnessed --listen='tcp://[::]:80' --listen=tcp://0.0.0.0:80
	witness_has_descriptors 0 1 2 3 4
	witness_has_socket 3 inet6 '[::]:80'
	witness_has_socket 4 inet 0.0.0.0:80
}

@test "one address of many" {
	witnessed --listen=tcp://127.0.0.1:80 --listen='tcp://[::1]:80'
	witness_has_socket 3 inet 127.0.0.1:80
	witness_has_socket 4 inet6 '[::1]:80'
}

@test "the lowest and the highest port" {
	witnessed --listen=tcp://0.0.0.0:1 --listen=tcp://0.0.0.0:65535
	witness_has_socket 3 inet 0.0.0.0:1
	witness_has_socket 4 inet 0.0.0.0:65535
}

@test "tcp://*: one socket for both" {
	witnessed --listen='tcp://*:80'
	witness_has_descriptors 0 1 2 3
	witness_has_socket 3 inet6 '[::]:80'
	says fd.3.v6only=0
}

@test "the application answers on the socket it was handed, IPv4" {
	answers tcp://0.0.0.0:80 127.0.0.1
}

@test "the application answers on the socket it was handed, IPv6" {
	answers 'tcp://[::]:80' ::1
}

@test "tcp://* answers over either family" {
	answers 'tcp://*:80' 127.0.0.1 ::1
}

@test "tcp://* answers over IPv4 where IPv6 is switched off" {
	sysctl_in_net net/ipv6/conf/all/disable_ipv6 1
	answers 'tcp://*:80' 127.0.0.1
}

# without_ipv6 ERROR CALL: as on a kernel where that call says so of IPv6.
without_ipv6()
{
	before+=(strace -qq -o /dev/null -e trace="$2"
		-e inject="$2:error=$1:when=1")
}

@test "tcp://* is 0.0.0.0 where the kernel has no IPv6" {
	without_ipv6 EAFNOSUPPORT socket
	witnessed --listen='tcp://*:80'
	witness_has_descriptors 0 1 2 3
	witness_has_socket 3 inet 0.0.0.0:80
}

@test "tcp://* is 0.0.0.0 where no IPv6 address can be bound" {
	without_ipv6 EADDRNOTAVAIL bind
	witnessed --listen='tcp://*:80'
	witness_has_descriptors 0 1 2 3
	witness_has_socket 3 inet 0.0.0.0:80
}

@test "tcp://[::] does not fall back: 111 where the kernel has no IPv6" {
	without_ipv6 EAFNOSUPPORT socket
	as_4242 --listen='tcp://[::]:80' -- "$WITNESS"
	refused 111 'tcp://[::]:80' IPv6
}

@test "an IPv6 address where IPv6 is switched off: 111" {
	sysctl_in_net net/ipv6/conf/all/disable_ipv6 1
	as_4242 --listen='tcp://[::1]:80' -- "$WITNESS"
	refused 111 'listen tcp://[::1]:80' IPv6
}

# What is missing takes no number away from the next, in either handoff.
without_its_first_socket()
{
	succeeded
	[ "$(cat "$err")" = "stepdown: warning: listen $1: passed over: $2" ] ||
		fail_seen 'another message'
	witness_has_descriptors 0 1 2 3
	witness_has_socket 3 inet 0.0.0.0:80
}

@test "?try passes over what the host cannot do, in one line" {
	local six='tcp://[::]:80?try'

	without_ipv6 EAFNOSUPPORT socket
	as_4242 --listen="six=$six" --listen=four=tcp://0.0.0.0:80 \
		-- "$WITNESS"
	without_its_first_socket "$six" 'Address family not supported by protocol'
	says env.LISTEN_FDS=1 env.LISTEN_FDNAMES=four
	as_4242 --handoff=nginx --listen="$six" --listen=tcp://0.0.0.0:80 \
		-- "$WITNESS"
	without_its_first_socket "$six" 'Address family not supported by protocol'
	says env.NGINX='3;'
}

@test "?try: IPv6 that is switched off, and an address that is not there" {
	sysctl_in_net net/ipv6/conf/all/disable_ipv6 1
	as_4242 --listen='tcp://[::1]:80?try' --listen=tcp://0.0.0.0:80 \
		-- "$WITNESS"
	without_its_first_socket 'tcp://[::1]:80?try' 'Address not available'
	as_4242 --listen='udp://192.0.2.1:80?try' --listen=tcp://0.0.0.0:80 \
		-- "$WITNESS"
	without_its_first_socket 'udp://192.0.2.1:80?try' 'Address not available'
}

@test "?try passes over nothing else: a port that is taken, or too low" {
	in_background "$STEPDOWN" --user=4242:4242 --listen=tcp://0.0.0.0:80 \
		-- "$WITNESS" sleep 600
	eventually 60 is_listening 80
	as_4242 --listen='tcp://0.0.0.0:80?try' -- "$WITNESS"
	refused 111
	before+=(setpriv --bounding-set -net_bind_service --)
	as_4242 --listen='tcp://0.0.0.0:81?try' -- "$WITNESS"
	refused 111
}

@test "the hint for IPv6 names ?try, and no address that nginx would not take" {
	without_ipv6 EAFNOSUPPORT socket
	as_4242 --handoff=nginx --listen='tcp://[::]:80' -- "$WITNESS"
	refused 111
	hint_has '?try passes over it'
	run ! grep -F 'tcp://*' "$err"
}

@test "an address that nobody has here: 111" {
	as_4242 --listen=tcp://192.0.2.1:80 -- "$WITNESS"
	refused 111 'listen tcp://192.0.2.1:80: '
}

@test "a port that is taken: 111, whoever took it" {
	in_background "$STEPDOWN" --user=4242:4242 --listen=tcp://0.0.0.0:80 \
		--listen='tcp://[::]:81' -- "$WITNESS" sleep 600
	eventually 60 is_listening 80
	eventually 60 is_listening 81
	as_4242 --listen=tcp://0.0.0.0:80 -- "$WITNESS"
	refused 111 'listen tcp://0.0.0.0:80: Address'
	as_4242 --listen=tcp://127.0.0.1:80 -- "$WITNESS"
	refused 111
	as_4242 --listen='tcp://[::]:81' -- "$WITNESS"
	refused 111 'listen tcp://[::]:81: Address'
	as_4242 --listen='tcp://*:80' -- "$WITNESS"
	refused 111
	as_4242 --listen=tcp://0.0.0.0:82 --listen=tcp://0.0.0.0:80 \
		-- "$WITNESS"
	refused 111
}

@test "a port can be bound again at once after connections to it" {
	answers tcp://0.0.0.0:80 127.0.0.1
	witnessed --listen=tcp://0.0.0.0:80
}

@test "128 sockets, in the order of --listen" {
	local many=() i

	for i in {1..128}; do many+=("--listen=tcp://127.0.0.1:$((600 - i))"); done
	witnessed "${many[@]}"
	says fds.probed="$(seq -s' ' 0 130)"
	witness_has_socket 3 inet 127.0.0.1:599
	witness_has_socket 67 inet 127.0.0.1:535
	witness_has_socket 130 inet 127.0.0.1:472
}

@test "a limit on descriptors that is too low: 111" {
	before=(prlimit --nofile=6 "${before[@]}")
	as_4242 --listen=tcp://0.0.0.0:80 --listen=tcp://0.0.0.0:81 \
		--listen=tcp://0.0.0.0:82 --listen=tcp://0.0.0.0:83 \
		--listen=tcp://0.0.0.0:84 -- "$WITNESS"
	refused 111 'No file descriptors available'
}

@test "for nginx the sockets do not block" {
	witnessed --handoff=nginx --listen=tcp://0.0.0.0:80 \
		--listen='tcp://[::]:80'
	says fd.3.nonblock=1 fd.4.nonblock=1
}
