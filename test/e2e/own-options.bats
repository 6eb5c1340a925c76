#!/usr/bin/env bats
# The options of --own=PATH[,OPTION...], and what a volume may hold: deep trees,
# wide folders, other mounts, files that cannot be changed.

# shellcheck source-path=SCRIPTDIR
. "$BATS_TEST_DIRNAME/own.bash"
verbose=(--verbose)

@test "user= and group=, names and numbers" {
	touch "$volume/file"
	own "$volume,user=33"
	owned_by 33:4242 "$volume" "$volume/file"
	own "$volume,user=root,group=daemon"
	owned_by "0:$(getent group daemon | cut -d: -f3)" "$volume/file"
	try_own "$volume,user=no-such-user"
	refused 100
	owned_by 0:1 "$volume/file"
}

@test "mode= as chmod(1) has it, for files, folders and programs" {
	local mode

	for mode in u=rwX,g=rX,o= go-rwx a+rX +x =r u=rw,g=u,o= 750 0640 g+s \
		o+t,g=o a=,u+rwX +X ug+rw-x; do
		rm -rf "$volume" "$tmp/copy"
		mkdir -p "$volume/folder"
		touch "$volume/file" "$volume/program"
		chmod 2715 "$volume/folder"
		chmod 4751 "$volume/program"
		chmod 604 "$volume/file"
		cp -a "$volume" "$tmp/copy"
		chown -R 4242:4242 "$tmp/copy"
		chmod -R "$mode" "$tmp/copy" 2>/dev/null || true
		own "$volume,mode=$mode"
		diff <(cd "$tmp/copy" && stat -c '%n %a' . ./*) \
			<(cd "$volume" && stat -c '%n %a' . ./*) ||
			fail "mode=$mode differs from chmod's"
	done
}

@test "mode= is found right the second time, and links have none" {
	touch "$volume/file"
	ln -s /etc/passwd "$volume/link"
	own "$volume,mode=u=rwX,go="
	mode_is 600 "$volume/file"
	own "$volume,mode=u=rwX,go="
	counted changed 0
	counted 'right already' 3
	mode_is 644 /etc/passwd
}

@test "without /proc: owners change, and modes are an error that says so" {
	touch "$volume/file"
	# shellcheck disable=SC2016 # for the inner shell
	before=(unshare --mount sh -c 'umount --lazy /proc; exec "$@"' -)
	own "$volume"
	owned_by 4242:4242 "$volume/file"
	as_4242 --own="$volume,mode=go=" -- "$WITNESS"
	refused 111 "change the mode of" 'to change a mode, /proc must be mounted'
	as_4242 --own="$volume/a,create" -- "$WITNESS"
	refused 111 "own $volume/a" 'to change a mode, /proc must be mounted'
}

@test "shallow: the path alone" {
	touch "$volume/file"
	own "$volume,shallow"
	owned_by 4242:4242 "$volume"
	owned_by 0:0 "$volume/file"
}

@test "create: what is missing, owned on the way, and no more" {
	own "$volume/a/b/c,create"
	owned_by 4242:4242 "$volume/a" "$volume/a/b" "$volume/a/b/c"
	owned_by 0:0 "$volume"
	mode_is 755 "$volume/a" "$volume/a/b/c"
	own "$volume/d/e,create=2770,user=33"
	owned_by 33:4242 "$volume/d/e" "$volume/d"
	mode_is 2770 "$volume/d/e" "$volume/d"
	touch "$volume/file"
	own "$volume/file,create" "$volume/a,create=700"
	owned_by 4242:4242 "$volume/file"
	mode_is 755 "$volume/a"
	as_4242 --own="$volume/file/below,create" -- "$WITNESS"
	refused 111
	ln -s a "$volume/link"
	as_4242 --own="$volume/link/below,create" -- "$WITNESS"
	refused 111
	[ ! -e "$volume/a/below" ]
}

@test "if-root-differs: nothing below a path that is right" {
	touch "$volume/file"
	chown 4242:4242 "$volume"
	own "$volume,if-root-differs"
	owned_by 0:0 "$volume/file"
	chown 0:0 "$volume"
	own "$volume,if-root-differs"
	owned_by 4242:4242 "$volume" "$volume/file"
}

@test "the path itself is changed last, so a run that was cut off is resumed" {
	mkdir "$volume/a"
	touch "$volume/a/file"
	traced fchownat "$STEPDOWN" --user=4242:4242 --own="$volume" -- \
		"$WITNESS"
	succeeded
	[ "$(wc -l <"$calls")" -eq 3 ]
	capture strace -f -qq -o "$calls" -e trace=fchownat \
		-e inject=fchownat:error=EIO:when=2 "$STEPDOWN" \
		--user=33:33 --own="$volume,if-root-differs" -- "$WITNESS"
	refused 111
	owned_by 4242:4242 "$volume"
	own "$volume,if-root-differs,user=33,group=33"
	owned_by 33:33 "$volume" "$volume/a" "$volume/a/file"
}

@test "fsgroup: what the kubelet does" {
	mkdir "$volume/folder"
	touch "$volume/file" "$volume/folder/program"
	ln -s file "$volume/link"
	chmod 700 "$volume/folder" "$volume/folder/program"
	chmod 400 "$volume/file"
	chown 33:33 "$volume/file"
	own "$volume,fsgroup,group=2000"
	owned_by 0:2000 "$volume" "$volume/folder" "$volume/link"
	owned_by 33:2000 "$volume/file"
	mode_is 2770 "$volume/folder"
	mode_is 2775 "$volume"
	mode_is 660 "$volume/file"
	mode_is 760 "$volume/folder/program"
	own "$volume,fsgroup,group=2000,if-root-differs"
	counted changed 0
	try_own "$volume,fsgroup,user=33"
	refused 100
}

@test "from=: only what belongs to that id" {
	touch "$volume/of-33" "$volume/of-33-34" "$volume/of-root"
	chown 33:33 "$volume/of-33" "$volume"
	chown 33:34 "$volume/of-33-34"
	own "$volume,from=33:34"
	owned_by 4242:4242 "$volume/of-33-34"
	owned_by 33:33 "$volume/of-33" "$volume"
	own "$volume,from=33"
	owned_by 4242:4242 "$volume/of-33" "$volume"
	owned_by 0:0 "$volume/of-root"
	counted 'of other owners' 1
}

@test "a comma in a path is written with a backslash" {
	mkdir "$volume/a,shallow"
	touch "$volume/a,shallow/file"
	own "$volume/a\\,shallow"
	owned_by 4242:4242 "$volume/a,shallow/file"
}

@test "directories of the system are refused without force" {
	local path

	for path in / /etc /usr /proc /proc/self //etc/ /etc/. \
		/var/../etc /usr/local/../../etc /sys/kernel; do
		try_own "$path"
		refused 100 'a directory of the system' force
	done
	stepdown --user=4242:4242 --dry-run --own=/etc,force -- x
	succeeded
	stepdown --user=4242:4242 --dry-run --own=/etc/nginx -- x
	succeeded
}

@test "an option that does not exist is refused before anything is changed" {
	local word

	for word in owner=1 recursive '' mode= mode=9 mode=u=q create=x \
		threads=0 threads=9 user= shallow=1; do
		try_own "$volume,$word"
		refused 100 "--own $volume,$word"
	done
	owned_by 0:0 "$volume"
}

# ---- what cannot be changed ----

@test "try: what fails is a warning, all the rest is done" {
	touch "$volume/a" "$volume/fixed" "$volume/z"
	chattr +i "$volume/fixed" || cannot_run 'no immutable files here'
	try_own "$volume"
	status_without=$status
	try_own "$volume,try"
	chattr -i "$volume/fixed"
	[ "$status_without" -eq 111 ]
	succeeded
	owned_by 4242:4242 "$volume" "$volume/a" "$volume/z"
	owned_by 0:0 "$volume/fixed"
	message_has "warning: own $volume: change the owner of $volume/fixed"
	hint_has chattr
}

@test "try: a path that is not there" {
	own "$volume/missing,try"
	message_has 'warning'
}

@test "mounts below are passed over and counted; cross-mounts enters them" {
	# shellcheck disable=SC2016 # for the inner shell
	before=(unshare --mount sh -ec '
		mkdir "$0/secret"
		mount -t tmpfs -o mode=755 secret "$0/secret"
		touch "$0/secret/key" "$0/map"
		mount --bind "$0/secret/key" "$0/map"
		"$@"; result=$?
		stat -c %u:%g "$0/secret/key" >"$0/../key"
		exit $result' "$volume")
	own "$volume"
	counted 'in other mounts' 2
	[ "$(cat "$tmp/key")" = 0:0 ]
	rmdir "$volume/secret"
	own "$volume,cross-mounts"
	[ "$(cat "$tmp/key")" = 4242:4242 ]
}

@test "set-id bits and file capabilities that get lost are counted and told" {
	cp "$WITNESS" "$volume/setuid"
	cp "$WITNESS" "$volume/capable"
	chmod 4755 "$volume/setuid"
	setcap cap_net_raw=ep "$volume/capable" || cannot_run 'no capabilities'
	own "$volume"
	counted 'lost set-id bits' 1
	counted 'lost capabilities' 1
	grep -q 'warning: own .* 1 files lost set-id bits' "$err"
	[ -z "$(getcap "$volume/capable")" ]
	chmod 4755 "$volume/setuid"
	setcap cap_net_raw=ep "$volume/capable"
	own "$volume"
	counted 'lost set-id bits' 0
	mode_is 4755 "$volume/setuid"
	[ -n "$(getcap "$volume/capable")" ]
}

@test "a dead setgid bit does not come alive with the change of owner" {
	touch "$volume"/{dead,live,kept,theirs}
	chown 33:33 "$volume"/*
	chmod 2744 "$volume/dead" "$volume/kept"
	chmod 6755 "$volume/live"
	chown 4242:4242 "$volume/theirs"
	chmod 2744 "$volume/theirs"
	own "$volume,mode=g+rwX"
	mode_is 774 "$volume/dead"
	mode_is 775 "$volume/live"
	mode_is 2774 "$volume/theirs"
	counted 'lost set-id bits' 3
	chown 33:33 "$volume/dead"
	chmod 2644 "$volume/dead"
	own "$volume"
	mode_is 644 "$volume/dead"
	chown 33:33 "$volume/dead"
	chmod 2744 "$volume/dead"
	own "$volume,fsgroup,group=2000"
	mode_is 764 "$volume/dead"
	chown 33:33 "$volume/dead"
	chmod 2744 "$volume/dead"
	own "$volume/dead,mode=g+rwxs"
	mode_is 2774 "$volume/dead"
}

@test "several links: passed over and told, unless the kernel protects them" {
	touch "$tmp/elsewhere" "$volume/one"
	ln "$tmp/elsewhere" "$volume/linked"
	without_protected_links
	own "$volume"
	owned_by 0:0 "$tmp/elsewhere"
	owned_by 4242:4242 "$volume/one"
	counted 'with other links' 1
	message_has fs.protected_hardlinks
	# shellcheck disable=SC2016 # for the inner shell
	before=(unshare --mount sh -c
		'mount -t tmpfs none /proc/sys/fs; exec "$@"' -)
	own "$volume"
	owned_by 0:0 "$tmp/elsewhere"
	before=()
	if [ "$(cat /proc/sys/fs/protected_hardlinks)" = 1 ]; then
		own "$volume"
		owned_by 4242:4242 "$tmp/elsewhere"
	fi
}

@test "without protected links, a path that is one file" {
	touch "$volume/file" "$volume/linked"
	ln "$volume/linked" "$tmp/elsewhere"
	without_protected_links
	own "$volume/file" "$volume/linked"
	owned_by 4242:4242 "$volume/file"
	owned_by 0:0 "$volume/linked"
	counted 'with other links' "0
1"
}

@test "an id that the user namespace does not map: 111 and a hint" {
	touch "$volume/file"
	capture unshare --user --map-root-user "$STEPDOWN" --user=0:0 \
		--allow-root --own="$volume,user=4242" -- "$WITNESS"
	refused 111 "own $volume: change the owner of" '/proc/self/uid_map'
}

@test "without CAP_CHOWN: 111 and the capability is named" {
	touch "$volume/file"
	capture setpriv --bounding-set -chown --inh-caps -chown "$STEPDOWN" \
		--user=4242:4242 --own="$volume" -- "$WITNESS"
	refused 111
	hint_has CHOWN
}

# mapped COMMAND... : in a mount namespace where the volume's ids 0 to 4999 are
# 100000 to 104999
mapped()
{
	# shellcheck disable=SC2016 # for that shell
	capture unshare --mount sh -c '"$0" "$1" 0 100000 5000 && shift &&
		exec "$@"' "$top/test/lib/map-mount" "$volume" "$@"
	! grep '^map-mount: ' "$err" || cannot_run 'no id-mapped mounts here'
}

@test "an id-mapped mount: its ids count, and one that it does not map is refused" {
	touch "$volume/file"
	mapped "$STEPDOWN" --user=104242:104242 --own="$volume" -- "$WITNESS"
	succeeded
	owned_by 4242:4242 "$volume" "$volume/file"
	mapped "$STEPDOWN" --user=104242:104242 --verbose --own="$volume" -- \
		"$WITNESS"
	succeeded
	counted 'right already' 2
	mapped "$STEPDOWN" --user=4242:4242 --own="$volume" -- "$WITNESS"
	refused 111 "own $volume: change the owner of" '/proc/self/uid_map'
	owned_by 4242:4242 "$volume" "$volume/file"
}

# As NFS with root_squash does, without its kernel modules.
@test "a file server that lets nobody change owners: right already, 111, or try" {
	mkdir "$tmp/served"
	touch "$tmp/served/file"
	chown -R 4242:4242 "$tmp/served"
	serve --chown-deny
	own "$volume"
	counted 'right already' 2
	umount "$volume"
	chown 0:0 "$tmp/served/file"
	serve --chown-deny
	as_4242 --own="$volume" -- "$WITNESS"
	refused 111 "own $volume: change the owner of $volume/file"
	own "$volume,try"
	counted failed 1
	umount "$volume"
	owned_by 0:0 "$tmp/served/file"
}

@test "over quota: 111 and a hint, or a warning" {
	touch "$volume/file"
	before=(strace -f -qq -o /dev/null -e trace=fchownat
		-e inject=fchownat:error=EDQUOT:when=1)
	as_4242 --own="$volume" -- "$WITNESS"
	refused 111 "own $volume: change the owner of $volume/file" \
		'quota of the new owner'
	own "$volume,try"
	owned_by 0:0 "$volume/file"
	owned_by 4242:4242 "$volume"
}

# ---- overlayfs ----

@test "overlayfs: a pass over what is right copies nothing up" {
	mkdir -p "$tmp/overlay/upper" "$tmp/overlay/work" "$tmp/overlay/merged"
	make_tree folders 50000
	chown -R 4242:4242 "$volume"
	mv "$volume" "$tmp/overlay/lower"
	# shellcheck disable=SC2016 # for the inner shell
	before=(unshare --mount sh -ec '
		mount -t tmpfs upper "$0/upper"
		mkdir "$0/upper/upper" "$0/upper/work"
		chown 4242:4242 "$0/upper/upper"
		mount -t overlay overlay -o \
			"lowerdir=$0/lower,upperdir=$0/upper/upper,workdir=$0/upper/work" \
			"$0/merged"
		"$@"; result=$?
		find "$0/upper/upper" -mindepth 1 >"$0/../copied"
		exit $result' "$tmp/overlay")
	own "$tmp/overlay/merged"
	counted 'right already' 50001
	[ ! -s "$tmp/copied" ] || fail "copied up: $(head -n 3 "$tmp/copied")"
	chown 0:0 "$tmp/overlay/lower/folder-0/folder-7/file-7"
	own "$tmp/overlay/merged"
	counted changed 1
	[ "$(wc -l <"$tmp/copied")" -eq 3 ]
}

# ---- size ----

@test "a small folder starts no thread, and costs few system calls" {
	(cd "$volume" && touch {1..10})
	traced all "$STEPDOWN" --user=4242:4242 --own="$volume" -- /bin/true
	succeeded
	if grep -Eq 'clone|fork' "$calls"; then
		fail 'it started a thread'
	fi
	with=$(wc -l <"$calls")
	traced all "$STEPDOWN" --user=4242:4242 -- /bin/true
	without=$(wc -l <"$calls")
	echo "# 10 files: $((with - without)) more system calls" >&3
	[ $((with - without)) -le 80 ]
	traced all "$STEPDOWN" --user=4242:4242 --own="$volume" -- /bin/true
	right=$(wc -l <"$calls")
	echo "# 10 files, right: $((right - without)) more system calls" >&3
	[ $((right - without)) -le 50 ]
}

# make_tree SHAPE COUNT
make_tree()
{
	[ -x "$BATS_FILE_TMPDIR/tree" ] ||
		gcc -O2 -o "$BATS_FILE_TMPDIR/tree" \
			"$BATS_TEST_DIRNAME/../bench/tree.c"
	rmdir "$volume"
	"$BATS_FILE_TMPDIR/tree" make "$1" "$2" "$volume"
}

# walked ENTRIES: all of them changed, then all right, in at most 4 MiB; by two
# threads, as the machine that runs the tests may have one CPU.
walked()
{
	local pass peak

	for pass in changed 'right already'; do
		capture "$BATS_FILE_TMPDIR/tree" run "$STEPDOWN" --verbose \
			--user=4242:4242 --own="$volume,threads=2" -- /bin/true
		succeeded
		counted "$pass" $(($1 + 1))
		peak=$(cut -d' ' -f2 "$out")
		echo "# $BATS_TEST_DESCRIPTION: $pass, peak $peak KiB" >&3
		[ "$peak" -le 4096 ]
	done
}

@test "a wide folder of 50,000 files" {
	make_tree wide 50000
	walked 50000
}

@test "50,000 files in folders" {
	make_tree folders 50000
	walked 50000
}

@test "600,000 files in folders, with three capabilities" {
	make_tree folders 600000
	chmod 700 "$volume"/*
	before=("${three[@]}")
	walked 600000
}

@test "a tree 500 levels deep" {
	make_tree deep 500
	walked 500
}

@test "the hard limit of descriptors is used, and the soft one comes back" {
	make_tree deep 500
	before=(prlimit --nofile=64:4096)
	own "$volume"
	counted changed 501
	says rlimit.nofile=64:4096
}

@test "more directories are open than there may be descriptors: 111, and a hint" {
	make_tree folders 5000
	before=(prlimit --nofile=20)
	as_4242 --own="$volume" -- "$WITNESS"
	refused 111 "own $volume: open $volume/" 'ulimit -n'
}

@test "a tree whose every level has something left to do when it is left" {
	python3 - "$volume" <<-'end'
	import os, sys
	fd = os.open(sys.argv[1], os.O_RDONLY)
	for i in range(400):
	    for name in ["d"] + ["%d-%d" % (i, j) for j in range(12)]:
	        os.mkdir(name, dir_fd=fd)
	    below = os.open("d", os.O_RDONLY, dir_fd=fd)
	    os.close(fd)
	    fd = below
	end
	own "$volume,threads=1"
	counted changed 5201
	find "$volume" ! -user 4242 >"$tmp/left"
	[ ! -s "$tmp/left" ]
}

@test "one thread and eight do the same" {
	make_tree folders 20000
	own "$volume,threads=8"
	counted changed 20001
	own "$volume,threads=1,user=33"
	counted changed 20001
	[ "$(find "$volume" -user 33 -group 4242 | wc -l)" -eq 20001 ]
}

# ---- ends ----

# Each call takes a while, so the walk is long.
slow_own()
{
	in_background strace -f -qq -o /dev/null -e trace=fchownat \
		-e inject=fchownat:delay_enter=20000 "$@" --user=4242:4242 \
		--own="$volume" -- /bin/true
	eventually 60 is_begun || fail 'it did not begin'
}

is_begun()
{
	[ -n "$(find "$volume" -user 4242 -print -quit)" ]
}

the_shim()
{
	pgrep -f "^$STEPDOWN .*$volume" | head -n 1
}

# ends_at_term WORD... : slow_own with these, on many files
ends_at_term()
{
	(cd "$volume" && touch {1..2000})
	slow_own "$@"
	kill -TERM "$(the_shim)"
	status=0
	wait "$background" || status=$?
	exited 143
}

@test "SIGTERM in a long walk ends it at once, with 143 and a word" {
	ends_at_term "$STEPDOWN"
	message_has "own $volume: ended by signal 15"
	owned_by 0:0 "$volume"
}

@test "as PID 1, too" {
	ends_at_term unshare --pid --fork --kill-child "$STEPDOWN"
}

@test "with --init, too" {
	ends_at_term "$STEPDOWN" --init
	message_has "own $volume: ended by signal 15"
	owned_by 0:0 "$volume"
}

@test "a long walk says how far it is" {
	(cd "$volume" && touch {1..250})
	capture strace -f -qq -o /dev/null -e trace=fchownat \
		-e inject=fchownat:delay_enter=20000 "$STEPDOWN" \
		--user=4242:4242 --own="$volume" -- /bin/true
	succeeded
	grep -Eq "^stepdown: own $volume: [0-9]+ files seen$" \
		"$err" || fail_seen 'no line of progress'
}
