#!/usr/bin/env bats
# Who the application is and what it finds: groups, names, accounts, the
# environment, limits, and the config file that may say all of it.

# shellcheck source-path=SCRIPTDIR
. "$BATS_TEST_DIRNAME/helpers.bash"

setup_file()
{
	need setpriv strace unshare chroot
}

setup()
{
	root=$tmp/root
	make_scratch "$root"
	make_people "$root"
}

# ---- groups ----

# An image whose root is in the groups that Alpine's is in, and a runtime that
# adds 2000 (fsGroup) and 7: with_groups LIST [OPTION...]
with_groups()
{
	before=(setpriv "--groups=$1")
	shift
	in_root "$@"
	before=()
}

roots_groups()
{
	cat >>"$root/etc/group" <<-end
	bin:x:1:root,bin,daemon
	disk:x:6:root
	wheel:x:10:root
	end
}

@test "auto: a named user keeps its own groups and those of the runtime" {
	roots_groups
	with_groups 0,1,6,7,10,2000 --user=app
	witness_is 4242 4343 '7 2000 6001 6002'
	with_groups 0,1,6,7,10,2000 --user=app --groups=auto
	witness_is 4242 4343 '7 2000 6001 6002'
}

@test "auto: a number has the groups of the runtime only" {
	with_groups 0,7,2000 --user=4242
	witness_is 4242 4343 '7 2000'
	with_groups 0,7,2000 --user=1234:1234
	witness_is 1234 1234 '7 2000'
}

@test "none, init, runtime, and lists of them" {
	roots_groups
	with_groups 0,6,7,2000 --user=app --groups=none
	witness_is 4242 4343
	with_groups 0,6,7,2000 --user=app --groups=init
	witness_is 4242 4343 '6001 6002'
	with_groups 0,6,7,2000 --user=4242 --groups=init
	witness_is 4242 4343 '6001 6002'
	with_groups 0,6,7,2000 --user=app --groups=runtime
	witness_is 4242 4343 '7 2000'
	with_groups 0,6,7,2000 --user=app --groups=runtime,6003,media,9
	witness_is 4242 4343 '7 9 2000 6001 6003'
	with_groups 0,6,7,2000 --user=1:1 --groups=auto,disk
	witness_is 1 1 '6 7 2000'
	with_groups 0,6,7,2000 --user=1:1 --groups=init
	witness_is 1 1
}

@test "gid 0 is never the runtime's, but may be asked for" {
	with_groups 0 --user=app --groups=runtime
	witness_is 4242 4343
	with_groups 0 --user=app --groups=root
	witness_is 4242 4343 0
}

@test "a volume of fsGroup stays readable" {
	echo ok >"$tmp/file"
	chown 0:2000 "$tmp/file"
	chmod 640 "$tmp/file"
	before=(setpriv "--groups=0,2000")
	as_4242 -- cat "$tmp/file"
	succeeded
	as_4242 --groups=none -- cat "$tmp/file"
	exited 1
}

@test "the kernel's 65,536 groups, kept, and one more refused" {
	# shellcheck disable=SC2016 # it is for perl
	local many='$) = join " ", 0, $ARGV[0] .. $ARGV[0] + 65535; shift;
		$! and die "setgroups: $!"; exec @ARGV'

	before=(perl -e "$many" 1)
	witnessed
	[ "$(witness groups | wc -w)" -eq 65535 ]	# without 4242
	witnessed --groups=runtime,1,2,3
	[ "$(witness groups | wc -w)" -eq 65535 ]
	before=(perl -e "$many" 5000)
	as_4242 --groups=runtime,7 -- "$WITNESS"
	refused 100 65536
}

@test "a user in thousands of groups" {
	local i

	for i in {10000..15000}; do
		echo "g$i:x:$i:a,app,b"
		echo "h$i:x:$i:app"
	done >>"$root/etc/group"
	with_groups 0 --user=app
	[ "$(witness groups | wc -w)" -eq 5003 ]
	says gid.real=4343
}

# ---- owners of files ----

@test "--user=of:PATH is the owner of a bind mount" {
	mkdir "$root/data"
	chown 1234:1235 "$root/data"
	in_root --user=of:/data
	witness_is 1234 1235
	ln -s data "$root/link"
	in_root --user=of:/link
	witness_is 1234 1235
	# The name and the home are those of the uid's entry; its groups are
	# not asked for by a number.
	chown 4242:77 "$root/data"
	in_root --user=of:/data
	witness_is 4242 77
	says env.USER=app
}

@test "--user=of:PATH never is root, nor in root's group" {
	mkdir "$root/data"
	try_in_root --user=of:/data
	refused 100 'that is root'
	chown 1234:0 "$root/data"
	in_root --user=of:/data
	witness_is 1234 1234
	chown 4242:0 "$root/data"
	in_root --user=of:/data
	witness_is 4242 4343
	try_in_root --user=of:/gone
	refused 111 '--user of:/gone: find the owner: No such file'
	hint_lines '-v VOLUME:' volumeMounts
}

@test "of:PATH follows no link that the application can make" {
	mkdir "$root/data"
	chown 1234:1234 "$root/data"
	touch "$root/shadow"
	chown 33:42 "$root/shadow"
	ln -s /shadow "$root/data/app"
	local words

	for words in --user=of:/data/app --user=4242:of:/data/app \
		"--user=4242:4242 --groups=of:/data/app"; do
		# shellcheck disable=SC2086 # two words
		try_in_root $words
		refused 111 'of:/data/app: find the owner'
	done
}

@test "--groups=of:PATH is the group of a device or socket" {
	mkdir "$root/dev"
	mknod "$root/dev/renderD128" c 1 3
	chgrp 109 "$root/dev/renderD128"
	touch "$root/docker.sock"
	chgrp 998 "$root/docker.sock"
	with_groups 0,2000 --user=app \
		--groups=runtime,of:/dev/renderD128,of:/docker.sock
	says groups='109 998 2000'
	chgrp 0 "$root/docker.sock"
	try_in_root --user=app --groups=of:/docker.sock
	refused 100 'of:/docker.sock is of gid 0'
	try_in_root --user=app --groups=of:/gone
	refused 111
}

# ---- names ----

@test "a name of digits is a number" {
	echo '999:x:4242:4242::/:/bin/sh' >>"$root/etc/passwd"
	in_root --user=999:7
	witness_is 999 7
}

@test "a number without an entry never gets group 0 by itself" {
	traced "$changing_calls" chroot "$root" /stepdown --user=999 -- /witness
	refused 100
	hint_has --user=999:999
}

@test "passwd and group of megabytes, with bytes of any kind" {
	local i

	{
		head -c 1000000 /dev/urandom
		printf '\n'
		head -c 1000000 /dev/zero | tr '\0' x
		printf '\nx:y:4242:0\n:::::::\n\0app:x:0:0::/:/bin/sh\n'
		printf 'app\0:x:0:0::/:/bin/sh\napp:x:4242:\n'
		for ((i = 0; i < 100; i++)); do
			printf 'u%s:x:%s:0:%0*d:/:/bin/sh\n' $i $i 10000 0
		done
		head -c 500000 /dev/zero
		printf '\nz\xff\xfe:x:5:6::/:\n'
		printf 'ap\xc3\xa4:x:4545:4646::/home/\xc3\xa4:/bin/sh\n'
		printf 'app:x:4242:4343::/home/app:/bin/false'
	} >"$root/etc/passwd"
	{
		head -c 2000000 /dev/urandom
		printf '\nmedia:x:\nmedia:x:0x10:app\nmedia\0:x:0:app\n'
		printf 'big:x:6004:%s\n' "$(seq -s, 1 200000)"
		printf 'media:x:6001:app'
	} >"$root/etc/group"
	[ "$(wc -c <"$root/etc/passwd")" -gt $((3 << 20)) ]
	in_root --user=app
	witness_is 4242 4343 6001
	says env.HOME=/home/app
	in_root --user=$'ap\xc3\xa4'
	witness_is 4545 4646
	try_in_root --user=appx
	refused 100
	truncate -s 4M "$root/etc/passwd"
	try_in_root --user=app
	refused 111 'read /etc/passwd: File too large'
}

# ---- account ----

passwd_of()
{
	stat -c '%a %u:%g' "$root/etc/passwd"
}

@test "--account: entries are added once, mode and owner stay" {
	chmod 640 "$root/etc/passwd"
	chown 3:4 "$root/etc/passwd"
	cp "$root/etc/passwd" "$tmp/old"
	in_root --user=7777:7778 --account=web:/srv/web:/bin/ash
	[ ! -s "$err" ]
	says env.USER=web env.HOME=/srv/web env.SHELL=/bin/ash
	[ "$(passwd_of)" = '640 3:4' ]
	echo 'web:x:7777:7778::/srv/web:/bin/ash' >>"$tmp/old"
	cmp "$tmp/old" "$root/etc/passwd"
	[ "$(tail -n1 "$root/etc/group")" = web:x:7778: ]
	[ "$(ls "$root/etc")" = $'group\npasswd' ]

	in_root --user=7777:7778 --account=web:/srv/web:/bin/ash
	cmp "$tmp/old" "$root/etc/passwd"
	[ "$(grep -c web "$root/etc/group")" -eq 1 ]
}

@test "--account: no-op for ids that have entries" {
	cp "$root/etc/passwd" "$tmp/old"
	in_root --user=app --account=web
	says env.USER=app
	cmp "$tmp/old" "$root/etc/passwd"
}

@test "--account: files without a final newline, or none at all" {
	printf 'root:x:0:0::/:/bin/sh' >"$root/etc/passwd"
	rm "$root/etc/group"
	in_root --user=7777:7778 --account=web
	[ "$(cat "$root/etc/passwd")" = \
		$'root:x:0:0::/:/bin/sh\nweb:x:7777:7778::/:/sbin/nologin' ]
	[ "$(cat "$root/etc/group")" = web:x:7778: ]
	[ "$(stat -c %a "$root/etc/group")" = 644 ]
}

@test "--account: OpenShift's arbitrary uid with gid 0" {
	chmod 664 "$root/etc/passwd"	# what its images do: chmod g=u
	capture chroot --userspec=1000650000:0 --groups=0 "$root" /stepdown \
		--user=app --account=web:/srv -- /witness
	succeeded
	says uid.real=1000650000 gid.real=0 env.USER=web env.HOME=/srv
	[ "$(passwd_of)" = '664 0:0' ]
	[ "$(tail -n1 "$root/etc/passwd")" = \
		web:x:1000650000:0::/srv:/sbin/nologin ]
}

@test "--account: where nothing can be written it is a warning" {
	capture chroot --userspec=1000650000:0 --groups=0 "$root" /stepdown \
		--user=app --account=web -- /witness
	succeeded
	says uid.real=1000650000
	grep -q '^stepdown: warning: account: .*/etc/passwd: Permission' "$err"
	hint_has 'chmod g=u'
}

@test "--account: on a read-only root it is a warning" {
	# shellcheck disable=SC2016 # for the inner shell
	before=(unshare --mount sh -c 'mount --bind "$0" "$0" &&
		mount -o remount,bind,ro "$0" && exec "$@"' "$root")
	in_root --user=7777:7778 --account=web
	witness_is 7777 7778
	says env.USER=web
	grep -q '^stepdown: warning: account: .*Read-only file system' "$err"
	hint_has writable
}

@test "--account: a mounted file is appended to" {
	cp "$root/etc/passwd" "$tmp/mounted"
	# shellcheck disable=SC2016 # for the inner shell
	before=(unshare --mount sh -c 'mount --bind "$1" "$0/etc/passwd" &&
		shift && exec "$@"' "$root" "$tmp/mounted")
	in_root --user=7777:7778 --account=web
	[ "$(tail -n1 "$tmp/mounted")" = web:x:7777:7778::/:/sbin/nologin ]
}

@test "--account: a name that is somebody else's is a warning" {
	cp "$root/etc/passwd" "$tmp/old"
	in_root --user=7777:7778 --account=app
	witness_lacks env.USER
	grep -q '^stepdown: warning: account: app belongs to another' "$err"
	cmp "$tmp/old" "$root/etc/passwd"
}

# Whoever may write /etc in an earlier run could point it at any file of root.
@test "--account: a symbolic link is neither replaced nor followed" {
	mv "$root/etc/passwd" "$root/etc/real"
	ln -s real "$root/etc/passwd"
	cp "$root/etc/real" "$tmp/old"
	in_root --user=7777:7778 --account=web
	[ -L "$root/etc/passwd" ]
	cmp "$tmp/old" "$root/etc/real"
	grep -q '^stepdown: warning: account: .*Symbolic link loop' "$err"
}

witness_lists_no_root()
{
	succeeded
	[[ " $(witness groups) " != *' 0 '* ]] || fail_seen 'gid 0 is there'
}

# What `account` may write at most: with_room BYTES COMMAND... gives it a /etc
# that holds the two files and that many bytes more, of whole pages.
with_room()
{
	# shellcheck disable=SC2016 # for the inner shell
	before=(unshare --mount sh -c 'e=$0/etc
		mount -t tmpfs -o "size=$1" tmpfs "$e" && cp "$0/old/"* "$e" &&
		{ head -c 1000000 /dev/zero >"$e/full" 2>/dev/null || :; } &&
		shift && "$@"; s=$?; cp "$e/passwd" "$e/group" "$0/new"
		exit $s' "$root" "$1")
}

# On a full filesystem a page has room for a part of the line only.
@test "--account: no half line where the filesystem is full" {
	local pad

	mkdir "$root/old" "$root/new"
	cp "$root/etc/passwd" "$root/etc/group" "$root/old"
	# The line goes over the end of the file's only page.
	pad=$((4096 - $(stat -c %s "$root/old/passwd") - 30))
	printf 'pad:x:1:1:%0*d:/:/bin/sh\n' $((pad - 12)) 0 \
		>>"$root/old/passwd"
	with_room 8192
	in_root --user=7777:7778 --account=application:/home/application:/bin/sh
	cmp "$root/old/passwd" "$root/new/passwd"
	grep -q '^stepdown: warning: account: .*No space left' "$err"
	hint_has room
}

# limited WORD... : with these words before it; what is printed goes into pipes,
# because the limit is of all files.
limited()
{
	# shellcheck disable=SC2016 # for the inner shell
	before=(bash -c '"$@" 2>&1 | cat >&2; exit "${PIPESTATUS[0]}"' - "$@")
	in_root --user=7777:7778 --account=web:/home/web:/bin/sh
}

@test "--account: no half line by a limit on the size of files" {
	local ignore size

	cp "$root/etc/passwd" "$tmp/old"
	size=$(stat -c %s "$root/etc/passwd")
	# A caller may ignore SIGXFSZ. Without CAP_SYS_RESOURCE the hard limit
	# cannot be raised.
	for ignore in --ignore-signal=XFSZ --default-signal=XFSZ; do
		limited env $ignore prlimit "--fsize=$((size + 15))" \
			setpriv --bounding-set=-sys_resource
		cmp "$tmp/old" "$root/etc/passwd"
		grep -q '^stepdown: warning: account: .*\(No space left\|File too large\)' "$err"
	done
	# The soft limit is raised for the time, and put back.
	limited prlimit "--fsize=$((size + 15)):1000000"
	grep -q ^web:x:7777:7778: "$root/etc/passwd"
	grep -q "^rlimit.fsize=$((size + 15)):1000000" "$err"
	[ "$(ls "$root/etc")" = $'group\npasswd' ]
}

@test "--groups: what /etc/group says of a user gives no gid 0" {
	echo 'also:x:0:app' >>"$root/etc/group"
	sed -i 's/^root:.*/root:x:0:app/' "$root/etc/group"
	with_groups 0,2000 --user=app --groups=init
	witness_lists_no_root
	with_groups 0,2000 --user=app
	witness_lists_no_root
	with_groups 0,2000 --user=app --groups=init,0
	[[ " $(witness groups) " == *' 0 '* ]]
	with_groups 0,2000 --user=app --groups=also
	says groups=0
}

@test "--account=NAME,move: an entry that is there gets the ids" {
	printf 'root:x:0:0::/:/bin/sh\nabc:x:911:911:a:/config:/bin/false\n' \
		>"$root/etc/passwd"
	printf 'last:x:5:5::/:/bin/sh\n' >>"$root/etc/passwd"
	printf 'root:x:0:\nabc:x:911:x,y\nz:x:9:' >"$root/etc/group"
	chmod 640 "$root/etc/passwd"
	in_root --user=1000:1001 --account=abc,move
	witness_is 1000 1001
	[ ! -s "$err" ]
	says env.USER=abc env.HOME=/config env.SHELL=/bin/false
	[ "$(cat "$root/etc/passwd")" = "root:x:0:0::/:/bin/sh
abc:x:1000:1001:a:/config:/bin/false
last:x:5:5::/:/bin/sh" ]
	[ "$(cat "$root/etc/group")" = $'root:x:0:\nabc:x:1001:x,y\nz:x:9:' ]
	[ "$(passwd_of)" = '640 0:0' ]
	# Shorter again, and once more the same.
	for _ in 1 2; do
		in_root --user=7:8 --account=abc,move
		witness_is 7 8
		grep -qx 'abc:x:7:8:a:/config:/bin/false' "$root/etc/passwd"
		grep -qx 'abc:x:8:x,y' "$root/etc/group"
		[ "$(wc -l <"$root/etc/passwd")" -eq 3 ]
	done
	# What is not there is added, and root's entry is nobody's.
	in_root --user=70:70 --account=new,move
	grep -qx 'new:x:70:70::/:/sbin/nologin' "$root/etc/passwd"
	in_root --user=71:71 --account=root,move
	grep -qx 'root:x:0:0::/:/bin/sh' "$root/etc/passwd"
	grep -q 'warning: account: root belongs to another id' "$err"
}

@test "--account=NAME,move: no half file where the filesystem is full" {
	local pad

	mkdir "$root/old" "$root/new"
	cp "$root/etc/group" "$root/old"
	printf 'abc:x:9:9::/:/bin/sh\npad:x:1:1:' >"$root/old/passwd"
	pad=$((4096 - $(stat -c %s "$root/old/passwd") - 15))
	printf '%0*d:/:/bin/sh\n' $((pad + 2)) 0 >>"$root/old/passwd"
	with_room 8192
	in_root --user=1000000:1000000 --account=abc,move
	cmp "$root/old/passwd" "$root/new/passwd"
	grep -q '^stepdown: warning: account: .*No space left' "$err"
}

# ---- environment ----

@test "--home=passwd is the home of the entry, whatever HOME was" {
	export HOME=/somebodys/choice USER=x
	in_root --user=app --home=passwd
	says env.HOME=/home/app env.USER=app
	in_root --user=7:7 --home=passwd
	says env.HOME=/
}

# homeless [ARGUMENT...]: as a uid without an entry
homeless()
{
	in_root --user=7:7 "$@"
	witness_is 7 7
}

@test "HOME=/ that cannot be written is named, unless it was asked for" {
	local words

	export HOME=/root
	for words in '' --home=passwd --init; do
		# shellcheck disable=SC2086 # none is no word
		homeless $words
		says env.HOME=/
		[ "$(cat "$err")" = "stepdown: HOME is /, which uid 7 may \
not write: give --home=DIR, or --home=/ if that is meant" ] || fail_seen 'one note'
	done
	for words in --home=/ --home=/tmp --env=HOME=/ --unset-env=HOME; do
		homeless "$words"
		[ ! -s "$err" ] || fail_seen "no note with $words"
	done
	HOME=/somewhere homeless
	[ ! -s "$err" ] || fail_seen 'it was chosen'
	HOME=/ homeless --home=keep
	[ ! -s "$err" ] || fail_seen 'it was kept'
	chmod 777 "$root"
	homeless
	[ ! -s "$err" ] || fail_seen 'it can be written'
	chmod 755 "$root"
	echo 'seven:x:7:7::/:/bin/sh' >>"$root/etc/passwd"
	homeless
	[ ! -s "$err" ] || fail_seen 'the entry says so'
}

@test "HOME, USER, LOGNAME and SHELL go together" {
	export HOME=/superuser USER=x LOGNAME=x SHELL=x
	in_root --user=app
	says env.HOME=/home/app env.USER=app env.LOGNAME=app \
		env.SHELL=/bin/false
	export HOME=/somebodys/choice
	in_root --user=app
	says env.HOME=/somebodys/choice env.USER=x env.SHELL=x
}

@test "--home: a folder, or as it is" {
	HOME=/root in_root --user=app --home=keep
	says env.HOME=/root env.USER=app
	HOME=/root in_root --user=app --home=/x
	says env.HOME=/x
	HOME=/choice in_root --user=app --home=/x
	says env.HOME=/x
}

@test "--unset-env, --clear-env, --env" {
	export SECRET=1 OTHER=2 TERM=vt100 LD_LIBRARY_PATH=/x
	witnessed --unset-env=SECRET --unset-env=NOT_THERE
	witness_lacks env.SECRET
	says env.OTHER=2
	witnessed --clear-env --env=A=b --env=OTHER=3
	[ "$(grep -o '^env\.[^=]*' "$out" | sort | tr '\n' ' ')" = \
		'env.A env.HOME env.OTHER env.PATH env.TERM ' ] || fail_seen
	witnessed --unset-env=HOME --unset-env=A --env=A=b
	witness_lacks env.HOME
	says env.A=b
}

# ---- limits ----

@test "--rlimit: each name of getrlimit(2)" {
	local name names='as core cpu data fsize locks memlock msgqueue nice
		nofile nproc rss rtprio rttime sigpending stack'
	local options=() value

	for name in $names; do
		value=1000
		case $name in
		as | data | fsize | stack) value=1073741824 ;;
		nice | rtprio) value=0 ;;
		nproc) value=5000 ;;
		esac
		options+=("--rlimit=$name=$((value / 2)):$value")
	done
	witnessed "${options[@]}"
	for name in $names; do
		value=$(printf '%s\n' "${options[@]}" | grep "=$name=")
		says "rlimit.$name=${value##*=}"
	done
}

@test "--rlimit: one number is both, unlimited, and the last one counts" {
	witnessed --rlimit=core=5 --rlimit=fsize=unlimited \
		--rlimit=cpu=7:unlimited --rlimit=nofile=99 \
		--rlimit=nofile=50:60
	says rlimit.core=5:5 rlimit.fsize=unlimited:unlimited \
		rlimit.cpu=7:unlimited rlimit.nofile=50:60
}

low_nofile()
(
	ulimit -n 100
	"$@"
)

@test "--rlimit: a hard limit that may not be raised: 111 and the hint" {
	before=(low_nofile setpriv --bounding-set=-sys_resource)
	as_4242 --rlimit=nofile=101 -- "$WITNESS"
	refused 111 nofile=101 --ulimit
	hint_has SYS_RESOURCE
	witnessed --rlimit=nofile=50:100
}

@test "--rlimit=nofile that leaves no descriptor is no obstacle to --init" {
	witnessed --init --rlimit=nofile=3
	says rlimit.nofile=3:3
}

leak()
(
	exec 20</dev/null 30</dev/null
	"$@"
)

@test "--rlimit=nofile: descriptors above it are closed all the same" {
	before=(leak)
	capture "$STEPDOWN" --user=4242:4242 --rlimit=nofile=10 -- "$WITNESS"
	succeeded
	witness_has_descriptors 0 1 2
	capture strace -qq -f -o /dev/null -e trace=close_range \
		-e inject=close_range:error=ENOSYS "$STEPDOWN" \
		--user=4242:4242 --rlimit=nofile=10 -- "$WITNESS"
	succeeded
	witness_has_descriptors 0 1 2
}

@test "--umask" {
	witnessed --umask=027
	says umask=0027
	witnessed --umask=0
	says umask=0000
}

@test "--chdir: as the user" {
	mkdir "$tmp/open" "$tmp/closed"
	chmod 700 "$tmp/closed"
	witnessed --chdir="$tmp/open"
	says cwd="$tmp/open"
	as_4242 --chdir="$tmp/closed" -- "$WITNESS"
	refused 111 "chdir $tmp/closed: Permission denied"
	as_4242 --chdir="$tmp/nowhere" -- "$WITNESS"
	refused 111
}

# ---- capabilities ----

@test "--keep-caps of one that this kernel does not have: 100" {
	misuse --keep-caps --user=4242:4242 --keep-caps=63 -- "$WITNESS"
	message_has 'no such capability'
}

# ---- wrong values ----

@test "every wrong value is refused before anything has changed" {
	local option

	for option in unprivileged=x unprivileged= account= account=1a \
		account=a:b account=a:/b:c account=a:/b:/c:d 'account=a b' \
		"account=$(printf 'a%.0s' {1..33})" $'account=a:/\nroot' \
		home= home=x unset-env= unset-env=a=b chdir= chdir=x umask= \
		umask=8 umask=1000 umask=-1 rlimit= rlimit=nofile \
		rlimit=nofile= rlimit=nofiles=1 rlimit==1 rlimit=nofile=1:0 \
		rlimit=nofile=1: rlimit=nofile=:1 rlimit=nofile=-1 \
		rlimit=nofile=18446744073709551615 rlimit=nofile=1:2:3 \
		rlimit=nofile=unlimited:1; do
		echo "# --$option" >&2
		misuse "--${option%%=*}" --user=4242:4242 "--$option" \
			-- "$WITNESS"
	done
}

# ---- the config file ----

config()
{
	printf '%s\n' "$@" >"$tmp/config"
}

@test "--config: options from a file, and the command line wins" {
	config '# who' 'user=4242:4242' '' '  groups = 7,8  ' $'\tenv A=b c' \
		'env=C=#d' $'rlimit nofile=70:80\r' 'verbose'
	stepdown --config="$tmp/config" -- "$WITNESS"
	succeeded
	witness_is 4242 4242 '7 8'
	says env.A='b c' env.C='#d' rlimit.nofile=70:80
	grep -q '^stepdown: drop: ' "$err"
	stepdown --config="$tmp/config" --user=4343:4343 --groups=none \
		--env=C=x --env=E=f -- "$WITNESS"
	succeeded
	witness_is 4343 4343
	says env.A='b c' env.C=x env.E=f
	stepdown --user=4343:4343 --config "$tmp/config" -- "$WITNESS"
	succeeded
	witness_is 4343 4343 '7 8'
}

@test "--config: \${VAR} is expanded, in it and in its name" {
	# shellcheck disable=SC2016 # for stepdown to expand
	config 'user=${PUID}:${PGID:-77}'
	# shellcheck disable=SC2016
	PUID=66 NAME=config stepdown --config="$tmp/\${NAME}" -- "$WITNESS"
	succeeded
	witness_is 66 77
}

@test "--config: errors say the file and the line" {
	config user=4242:4242 '# a comment' listen=x
	misuse "$tmp/config:3: --listen x: " --config="$tmp/config" -- "$WITNESS"
	config user=4242:4242 user=1:1
	misuse "$tmp/config:2: --user: given twice" --config="$tmp/config" "$WITNESS"
	config user=4242:4242 --groups=1
	misuse "$tmp/config:2: " --config="$tmp/config" -- "$WITNESS"
	config no-such-option
	misuse "$tmp/config:1: no-such-option" --config="$tmp/config" "$WITNESS"
	config user
	misuse "$tmp/config:1: --user: USER[:GROUP] is missing" --config="$tmp/config" "$WITNESS"
	config user=4242:4242 own-stdio=1
	misuse "$tmp/config:2: --own-stdio takes no" --config="$tmp/config" "$WITNESS"
	for option in config=/x help version; do
		config $option
		misuse "$tmp/config:1: " --config="$tmp/config" "$WITNESS"
	done
	misuse "$tmp/nowhere: No such file" --config="$tmp/nowhere" "$WITNESS"
	misuse "$tmp: Is a directory" --config="$tmp" "$WITNESS"
	misuse '--config' --config="$tmp/a" --config="$tmp/b" "$WITNESS"
	printf 'user=4242:4242\n\0' >"$tmp/config"
	misuse 'a NUL' --config="$tmp/config" "$WITNESS"
	head -c 70000 /dev/zero | tr '\0' '#' >"$tmp/config"
	misuse 65535 --config="$tmp/config" "$WITNESS"
}

@test "/etc/stepdown.conf is read if it is there, and --config replaces it" {
	printf 'user=app\nenv=FROM=etc\n' >"$root/etc/stepdown.conf"
	in_scratch "$root" /stepdown /witness
	succeeded
	witness_is 4242 4343 '6001 6002'
	says env.FROM=etc
	in_scratch "$root" /stepdown --user=loner /witness
	witness_is 5252 5353
	echo 'env=FROM=other' >"$root/other"
	in_root --config=/other --user=loner
	says env.FROM=other
	chmod 666 "$root/etc/stepdown.conf"
	in_scratch "$root" /stepdown /witness
	refused 100
}
