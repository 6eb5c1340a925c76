# shellcheck shell=bash
# What the end-to-end tests share. Each .bats file loads it.
#
# A test runs the built binary with the witness as the application and then
# asks what the witness saw of itself. `stepdown`, `as_4242`, `witnessed` and
# `capture` put what they ran into $out and $err (files) and $status; the
# assertions read those, and print them when they fail.

bats_require_minimum_version 1.5.0

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
STEPDOWN=$(realpath -m "${STEPDOWN:-$top/build/stepdown}")
built_witness=$(realpath -m "${WITNESS:-$top/build/test/e2e/witness}")

# Each file and each test has its own folder, made by bats and removed after it.
# The target must be able to get there, and to execute the witness: the built
# one may be below somebody's closed home.
umask 022
chmod 755 "${BATS_RUN_TMPDIR:?}"
WITNESS=${BATS_FILE_TMPDIR-}/witness
tmp=${BATS_TEST_TMPDIR-}
out=$tmp/out		# what the last captured command printed
err=$tmp/err
calls=$tmp/calls	# and which system calls it made, if it was traced
no_caps=0000000000000000
before=()		# words that `capture` puts in front of its command
status=			# exit status of what was captured

# ---- failing and skipping ----

fail()
{
	printf '%s\n' "$@" >&2
	return 1
}

# Without the environment: it is long, and may hold what is no business of a log.
show_captured()
{
	echo "--- status $status"
	[ ! -s "$err" ] || { echo '--- stderr'; head -c 4000 "$err"; }
	[ ! -s "$out" ] ||
		{ echo '--- stdout'; grep -av '^env\.' "$out" | head -c 8000; }
}

# As `fail`, and shows what was captured.
fail_seen()
{
	printf '%s\n' "$@" >&2
	show_captured >&2
	return 1
}

# On a machine that must run everything, what is missing is a failure.
cannot_run()
{
	[ "${STEPDOWN_MUST_RUN:-0}" != 1 ] || fail "cannot run: $*" || exit 1
	skip "$*"
}

# need COMMAND... : for setup_file; these, root, and the two binaries
need()
{
	local command

	[ "$(id -u)" -eq 0 ] || cannot_run 'not root'
	for command; do
		command -v "$command" >/dev/null || cannot_run "no $command"
	done
	[ -x "$STEPDOWN" ] || fail "no $STEPDOWN: run make -C build"
	cp "$built_witness" "$WITNESS" ||
		fail "run make -C build test/e2e/witness"
}

# eventually SECONDS COMMAND... : try until it works, for a minute at least: that
# costs nothing where it works, and the machine may be busy. A try may itself take
# a minute: ten minutes more are enough for all of them.
eventually()
{
	local tries=$(($1 > 60 ? $1 * 20 : 1200))
	local end=$((EPOCHSECONDS + $1 + 600))

	shift
	until "$@" >/dev/null 2>&1; do
		[ $((tries -= 1)) -gt 0 ] && [ $EPOCHSECONDS -lt $end ] ||
			return 1
		sleep 0.05
	done
}

# ---- running ----

# Descriptors 3 and 4 are bats' own, and stay here.
capture()
{
	status=0
	"${before[@]}" "$@" >"$out" 2>"$err" </dev/null 3>&- 4>&- || status=$?
}

stepdown()
{
	capture "$STEPDOWN" "$@"
}

# HOME is what it would be anyway; as a wish there is no word about it.
as_4242()
{
	capture "$STEPDOWN" --user=4242:4242 --home=/ "$@"
}

# witnessed [OPTION...]: the witness, as 4242 and with these options, has run
witnessed()
{
	as_4242 "$@" -- "$WITNESS"
	succeeded
}

# strace writes a line for each call of the named kinds to $calls.
traced()
{
	local kinds=$1

	shift
	capture strace -f -qq -e signal=none -o "$calls" -e trace="$kinds" "$@"
}

# Everything that could change a disk, a socket or a privilege. A misuse and a
# dry run make no such call; that a good run makes them is tested too.
changing_calls=%network,chown,fchown,lchown,fchownat,chmod,fchmod,fchmodat
changing_calls+=,mkdir,mkdirat,unlink,unlinkat,rename,renameat,renameat2
changing_calls+=,open,openat,openat2,creat,truncate,ftruncate,mknod,mknodat
changing_calls+=,setuid,setgid,setreuid,setregid,setresuid,setresgid,setgroups
changing_calls+=,setfsuid,setfsgid,capset,prctl,setrlimit,prlimit64,mount
changing_calls+=,execve,execveat,fork,vfork,clone,clone3

# The changes among the traced calls, one a line; opening or asking to read is
# none, nor is the execve that started the trace.
changes()
{
	local reads='prctl\((PR_GET_|PR_CAPBSET_READ|PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET)'

	sed 1d "$calls" | grep -Ev -e "$reads" \
		-e 'open(at|at2)?\([^)]*O_(RDONLY|PATH)' || true
}

changed_nothing()
{
	[ -s "$calls" ] || fail_seen 'nothing was traced'
	[ -z "$(changes)" ] ||
		fail_seen 'it should have changed nothing:' "$(changes)"
}

# misuse WORDS ARGUMENT... : stepdown refuses these arguments with status 100
# and a message that has the WORDS, before it has changed anything.
misuse()
{
	local words=$1

	shift
	traced "$changing_calls" "$STEPDOWN" "$@"
	refused 100 "$words"
	changed_nothing
}

# in_background COMMAND... : as capture, but goes on; $background is its pid.
# What an earlier command wrote is gone before anybody looks for words of this.
in_background()
{
	: >"$out" 2>"$err"
	"${before[@]}" "$@" >"$out" 2>"$err" </dev/null 3>&- 4>&- &
	export background=$!
}

# without_protected_links WORD...: `before` is these words, as on a host with
# fs.protected_hardlinks=0. The sysctl is the whole machine's, so a file that
# says 0 is put over it; to root, who attacks, the kernel does not apply it.
without_protected_links()
{
	echo 0 >"$tmp/zero"
	# shellcheck disable=SC2016 # for the inner shell
	before=(unshare --mount sh -c
		'mount --bind "$0" /proc/sys/fs/protected_hardlinks; exec "$@"'
		"$tmp/zero" "$@")
}

# stop PID: for teardown; what has ended already is fine.
stop()
{
	kill -KILL "$1" 2>/dev/null || return 0
	wait "$1" 2>/dev/null || true
}

# family PID [COMMAND]: it and all its descendants, each given to COMMAND before
# its children are read
family()
{
	local child

	[ -z "${2-}" ] || "$2" "$1"
	echo "$1"
	for child in $(pgrep -P "$1"); do
		family "$child" "${2-}"
	done
}

# all_are STATES PID...: all threads are in one of these, if there are any
all_are()
{
	local states=$1 pid

	shift
	for pid; do
		! grep -qs "^State:.[^$states]" "/proc/$pid"/task/*/status ||
			return
	done
}

# gone PID...: they have ended, be they reaped or not
gone()
{
	all_are XZ "$@"
}

# freeze PID: stop it, so that it has no more children. A thread that waits for
# its supervisor in bind(2) does not stop, and forks as little: it is not waited
# for longer than five seconds.
freeze()
{
	local tries=100

	kill -STOP "$1" 2>/dev/null || true
	until all_are TtXZ "$1" || [ $((tries -= 1)) -le 0 ]; do
		sleep 0.05
	done
}

# What was started in the background, and all that it has started; none of it
# has a port or writes a file any more. If it has ended long ago, its number may
# be another process's.
stop_family()
{
	local pids

	[ -n "${background-}" ] || return 0
	if ! grep -qsx "PPid:.$BASHPID" "/proc/$background/status"; then
		background=
		return
	fi
	mapfile -t pids < <(family "$background" freeze)
	kill -KILL "${pids[@]}" 2>/dev/null || true
	wait "$background" 2>/dev/null || true
	eventually 60 gone "${pids[@]}" || fail 'it does not end'
	background=
}

# A file that has more to end says so itself.
teardown()
{
	stop_family
}

# ---- a network of our own ----

# The port below which bind(2) needs CAP_NET_BIND_SERVICE is a property of the
# network namespace; engines set it to 0, and then a test proves nothing. The
# namespace lives as long as the sleep that holds it; net_down ends it.
net_up()
{
	unshare --net sleep 7200 >/dev/null 2>&1 3>&- 4>&- &
	export net_holder=$!
	eventually 60 is_other_net || fail 'no network namespace'
	in_net ip link set lo up
	in_net sh -c 'echo 1024 >/proc/sys/net/ipv4/ip_unprivileged_port_start'
}

is_other_net()
{
	[ -e "/proc/$net_holder/ns/net" ] &&
		! [ "/proc/$net_holder/ns/net" -ef /proc/self/ns/net ]
}

net_down()
{
	[ -z "${net_holder-}" ] || stop "$net_holder"
}

# A file that has more to end says so itself.
teardown_file()
{
	net_down
}

in_net()
{
	nsenter --target "$net_holder" --net -- "$@"
}

# From here on, `capture` runs its commands in that network.
use_net()
{
	before=(nsenter --target "$net_holder" --net --)
}

nobody_in_net()
{
	! pkill -KILL -u 4242 --ns "$net_holder" --nslist net
}

# end_all_in_net: as stop_family, and what of 4242 has lost its parent, too
end_all_in_net()
{
	stop_family
	eventually 60 nobody_in_net || fail 'somebody does not end'
}

sysctl_in_net()
{
	in_net sh -c "echo $2 >/proc/sys/$1"
}

# ---- a root of our own ----

# make_scratch DIR: what FROM scratch gives: the two binaries, nothing else.
make_scratch()
{
	mkdir -p "$1"
	cp "$STEPDOWN" "$1/stepdown"
	cp "$WITNESS" "$1/witness"
	chmod 755 "$1" "$1/stepdown" "$1/witness"
}

# make_people DIR: an /etc/passwd and /etc/group, with gids unlike uids.
make_people()
{
	mkdir -p "$1/etc"
	cat >"$1/etc/passwd" <<-end
	root:x:0:0:root:/superuser:/bin/sh
	app:x:4242:4343:The Application:/home/app:/bin/false
	loner:x:5252:5353::/home/loner:/bin/false
	end
	cat >"$1/etc/group" <<-end
	root:x:0:
	app:x:4343:
	loner:x:5353:
	media:x:6001:other,app
	backup:x:6002:app
	others:x:6003:other,apple,ap
	end
}

# in_scratch DIR COMMAND... : capture it with DIR as its root.
in_scratch()
{
	local dir=$1

	shift
	capture "$(command -v chroot)" "$dir" "$@"
}

# try_in_root OPTION... : the witness in $root, with these options
try_in_root()
{
	in_scratch "${root:?}" /stepdown "$@" -- /witness
}

# in_root OPTION... : and it has run
in_root()
{
	try_in_root "$@"
	succeeded
}

# ---- engines of our own ----

# podman_up MAKE COMMAND...: podman has a store of its own, so that images and
# containers are not among the user's. MAKE fills it, the command runs one image:
# where plain podman cannot, since crun refuses some machines' cgroups, and the
# default limits need CAP_SYS_RESOURCE, a configuration works around that.
podman_up()
{
	export CONTAINERS_STORAGE_CONF=$BATS_FILE_TMPDIR/storage.conf
	cat >"$CONTAINERS_STORAGE_CONF" <<-end
	[storage]
	driver = "overlay"
	graphroot = "$BATS_FILE_TMPDIR/graph"
	runroot = "$BATS_FILE_TMPDIR/run"
	end
	"$1"
	shift
	! "$@" >"$BATS_FILE_TMPDIR/plain" 2>&1 || return 0
	export CONTAINERS_CONF=$BATS_FILE_TMPDIR/containers.conf
	cat >"$CONTAINERS_CONF" <<-end
	[containers]
	default_ulimits = ["nofile=1024:1024", "nproc=20000:20000"]
	[engine]
	runtime = "runc"
	end
	"$@" >"$BATS_FILE_TMPDIR/worked-around" 2>&1 ||
		cannot_run "podman: $(cat "$BATS_FILE_TMPDIR/plain" \
			"$BATS_FILE_TMPDIR/worked-around")"
}

podman_down()
{
	podman pod rm --all --force >/dev/null 2>&1 || true
	podman rm --all --force >/dev/null 2>&1 || true
	umount "$BATS_FILE_TMPDIR/graph/overlay" 2>/dev/null || true
}

# docker_up [OPTION...]: a daemon with these options, its own directories and
# socket. It touches no bridge and no packet filter of the machine.
docker_up()
{
	local dir=$BATS_FILE_TMPDIR/docker

	mkdir "$dir"
	# The builder that needs no plugin of the client.
	export DOCKER_HOST=unix://$dir/socket DOCKER_BUILDKIT=0
	dockerd --data-root "$dir/data" --exec-root "$dir/exec" "$@" \
		--pidfile "$dir/pid" --host "$DOCKER_HOST" \
		--storage-driver=overlay2 --bridge=none --iptables=false \
		--ip6tables=false --ip-forward=false --ip-masq=false \
		>"$dir/log" 2>&1 </dev/null 3>&- 4>&- &
	export dockerd=$!
	eventually 60 docker version ||
		cannot_run "dockerd: $(tail -n 5 "$dir/log")"
}

dockerd_ended()
{
	! kill -0 "$dockerd"
}

docker_down()
{
	[ -n "${dockerd-}" ] || return 0
	kill -TERM "$dockerd" || true
	eventually 60 dockerd_ended || true
	stop "$dockerd"
}

# ---- what the witness says ----

# witness KEY: its value; fails if there is none.
witness()
{
	sed -n "/^$1=/{s///p;q}" "$out"
}

witness_has()
{
	grep -q "^$1=" "$out" || fail_seen "the witness says nothing of $1"
}

witness_lacks()
{
	if grep -q "^$1=" "$out"; then
		fail_seen "the witness should not say $1=$(witness "$1")"
	fi
}

# says KEY=VALUE...: the application, witness or another, has printed each line
says()
{
	local line

	for line; do
		grep -Fxq -- "$line" "$out" ||
			fail_seen "the application should say $line" \
				"it says $(grep "^${line%%=*}=" "$out")" ||
			return
	done
}

# witness_is UID GID [GROUPS [CAPS]]: all ids, groups, capability sets and
# locks, as they must be after a drop.
witness_is()
{
	says uid.{real,effective,saved,fs}="$1" gid.{real,effective,saved,fs}="$2" \
		cap.{inheritable,permitted,effective,bounding,ambient}="${4:-$no_caps}" \
		groups="${3-}" no_new_privs=1
}

# witness_has_descriptors N...: these, and no other, by both ways of looking
# (by one where the witness had no /proc).
witness_has_descriptors()
{
	says fds.probed="$*" || return
	! grep -q '^fds.proc=' "$out" || says fds.proc="$*"
}

# witness_has_socket FD FAMILY ADDRESS
witness_has_socket()
{
	says "fd.$1.type=socket" "fd.$1.family=$2" "fd.$1.address=$3" \
		"fd.$1.socket=stream" "fd.$1.listening=1" "fd.$1.cloexec=0"
}

# ---- how it went ----

succeeded()
{
	[ "$status" -eq 0 ] || fail_seen 'it should have succeeded'
}

# proves_all N: what an example proves of itself, N things at least
proves_all()
{
	succeeded
	[ "$(grep -c '^  ok  ' "$out")" -ge "$1" ] || fail_seen 'so short a proof'
	! grep -q 'NOT OK' "$out" || fail_seen
}

exited()
{
	[ "$status" -eq "$1" ] || fail_seen "it should have exited with $1"
}

# refused STATUS [MESSAGE [HINT]]: one line of the shape `stepdown: WORDS`, and
# after it at most a hint and the two lines to change; nothing on stdout, where
# the witness would have spoken: the application did not run.
refused()
{
	exited "$1" || return
	[ ! -s "$out" ] ||
		fail_seen 'the application ran, or stdout was used' || return
	[ "$(grep -c '^stepdown: ' "$err")" -eq "$(wc -l <"$err")" ] ||
		fail_seen 'every line should begin with "stepdown: "' || return
	[ "$(grep -vc '^stepdown: hint: ' "$err")" -eq 1 ] ||
		fail_seen 'there should be one message' || return
	[ "$(grep -Ec '^stepdown: hint: (docker|kubernetes): ' "$err")" -ne 1 ] ||
		fail_seen 'there should be both lines to change' || return
	[ "$(grep '^stepdown: hint: ' "$err" |
		grep -Evc ': (docker|kubernetes): ')" -le 1 ] ||
		fail_seen 'there should be one hint at most' || return
	[ $# -lt 2 ] || message_has "$2" || return
	[ $# -lt 3 ] || hint_has "$3"
}

# message_has WORDS: in the message, not in the hint
message_has()
{
	grep -v '^stepdown: hint: ' "$err" | grep -Fq -- "$1" ||
		fail_seen "the message should contain: $1"
}

hint_has()
{
	grep '^stepdown: hint: ' "$err" | grep -Fq -- "$1" ||
		fail_seen "the hint should contain: $1"
}

# hint_lines FLAG LINE: one for Docker and one for Kubernetes
hint_lines()
{
	local kind

	for kind in docker kubernetes; do
		grep "^stepdown: hint: $kind: " "$err" | grep -Fq -- "$1" ||
			fail_seen "the line for $kind should contain: $1"
		shift
	done
}

# owned_by UID:GID PATH...: each of them, symbolic links themselves
owned_by()
{
	local owner=$1 path seen

	shift
	for path; do
		seen=$(stat -c %u:%g "$path")
		[ "$seen" = "$owner" ] ||
			fail_seen "$path belongs to $seen, not to $owner"
	done
}
