#!/usr/bin/env bats
# --own with what manifests give: three capabilities, closed directories, nested
# volumes, fsGroup, and filesystems that say one thing and do another.

# shellcheck source-path=SCRIPTDIR
. "$BATS_TEST_DIRNAME/own.bash"

# ---- three capabilities

@test "CHOWN, SETUID and SETGID are enough, at the first start and at each later one" {
	mkdir -p "$volume/data/base/1"
	touch "$volume/data/base/1/file" "$volume/data/key"
	chmod 700 "$volume/data" "$volume/data/base"
	chmod 400 "$volume/data/key"
	before=("${three[@]}")
	for start in first second third; do
		own "$volume"
		says uid.effective=4242
		[ -z "$(find "$volume" ! -user 4242)" ] ||
			fail "not all is given at the $start start"
		echo "$start" >"$volume/data/base/1/$start"
		chmod 700 "$volume"
	done
	before=("${three[@]}" --clear-groups --reuid=0)
	chown -R 33:33 "$volume/data"
	chown 34:34 "$volume/data/base"
	own "$volume"
	[ -z "$(find "$volume" ! -user 4242)" ]
	[ ! -s "$err" ]
}

@test "a path below somebody's closed directory, and create there" {
	mkdir -p "$volume/closed/data"
	chown -R 33:33 "$volume/closed"
	chmod 700 "$volume/closed"
	before=("${three[@]}")
	own "$volume/closed/data"
	owned_by 4242:4242 "$volume/closed/data"
	owned_by 33:33 "$volume/closed"
	own "$volume/closed/data/a/b,create=2750"
	owned_by 4242:4242 "$volume/closed/data/a" "$volume/closed/data/a/b"
	mode_is 2750 "$volume/closed/data/a/b"
	own "$volume/new,create"
	owned_by 4242:4242 "$volume/new"
}

@test "create makes nothing where somebody else could put another in its place" {
	mkdir "$volume/theirs" "$volume/shared"
	chown 33:33 "$volume/theirs"
	chgrp 33 "$volume/shared"
	chmod 775 "$volume/shared"
	for dir in theirs shared; do
		try_own "$volume/$dir/new,create"
		refused 111
		hint_has 'create in a directory where others than root may write'
		[ ! -e "$volume/$dir/new" ]
	done
	own "$volume/theirs,shallow" "$volume/theirs/new,create"
	owned_by 4242:4242 "$volume/theirs/new"
}

@test "mode= without CAP_FOWNER, of what belongs to anybody" {
	touch "$volume"/{roots,theirs,ours}
	mkdir -m 750 "$volume/dir"
	chown 33:33 "$volume/theirs"
	chown 4242:4242 "$volume/ours" "$volume/dir"
	before=("${three[@]}")
	own "$volume,mode=u=rwX,g=rX,o="
	mode_is 640 "$volume"/{roots,theirs,ours}
	own "$volume,mode=2770"
	mode_is 2770 "$volume" "$volume/dir"
	mode_is 2770 "$volume"/{roots,theirs,ours}
	chown -R 0:2000 "$volume"
	chmod -R g-s "$volume"
	own "$volume,fsgroup,group=3000"
	mode_is 2770 "$volume/dir"
}

# with_chown_alone VALUE: the drop to root needs no capability
with_chown_alone()
{
	capture setpriv --clear-groups --bounding-set=-all,+chown "$STEPDOWN" \
		--user=0:0 --allow-root --own="$1,user=4242,group=4242" -- \
		"$WITNESS"
}

@test "mode= with CHOWN alone, where root owns the entry" {
	touch "$volume/file"
	chmod 604 "$volume/file"
	mkdir -m 705 "$volume/dir"
	with_chown_alone "$volume,mode=u=rwX,g=rX,o="
	succeeded
	mode_is 640 "$volume/file"
	mode_is 750 "$volume" "$volume/dir"
	owned_by 4242:4242 "$volume/file" "$volume/dir"
	chown 33:33 "$volume/file"
	chmod 755 "$volume"
	with_chown_alone "$volume/file,mode=600"
	refused 111
	hint_has FOWNER
}

# changes_of VALUE: the changes of mode and owner, in their order
changes_of()
{
	traced chmod,fchownat "$STEPDOWN" --user=4242:4242 --own="$1" -- \
		"$WITNESS"
	succeeded
	sed 's/^[0-9]* *//; s/("[^"]*", /(/; s/([0-9]*, "", /(/; s/,* *A*T*_*E*M*P*T*Y*_*P*A*T*H*).*/)/' \
		"$calls" | tr '\n' ' '
}

@test "no moment with more access than before and after" {
	local seen

	touch "$volume/file"
	chmod 640 "$volume/file"
	chown 0:2000 "$volume/file"
	seen=$(changes_of "$volume/file,mode=g=,o=r")
	[ "$seen" = 'chmod(0600) fchownat(-1, 4242) chmod(0604) fchownat(4242, 4242) ' ] ||
		fail "$seen"
	chown 0:2000 "$volume/file"
	chmod 2740 "$volume/file"
	seen=$(changes_of "$volume/file,mode=g+w")
	[ "$seen" = 'fchownat(-1, 4242) chmod(0760) fchownat(4242, 4242) ' ] || fail "$seen"
}

@test "no override of root is used where it is not needed" {
	mkdir -m 700 "$volume/closed"
	touch "$volume/closed/file"
	chown -R 33:33 "$volume/closed"
	traced setfsuid,setfsgid "$STEPDOWN" --user=4242:4242 --own="$volume" \
		-- "$WITNESS"
	succeeded
	run ! grep -q 'setfsuid(4242)' "$calls"
	traced setfsuid,setfsgid "${three[@]}" "$STEPDOWN" --user=4242:4242 \
		--own="$volume" -- "$WITNESS"
	succeeded
	[ "$(grep -c 'setfsuid(4242)' "$calls")" -eq 1 ]
}

@test "without SETUID, what is closed is named with the capability" {
	mkdir -m 700 "$volume/closed"
	chown 33:33 "$volume/closed"
	with_chown_alone "$volume"
	refused 111 "$volume/closed: Permission denied" DAC_OVERRIDE
}

@test "a directory that even its owner cannot read: 111, and mode= mends it" {
	mkdir -m 0 "$volume/dir"
	touch "$volume/dir/file"
	chown 33:33 "$volume/dir"
	before=("${three[@]}")
	try_own "$volume"
	refused 111 "read $volume/dir: Permission denied"
	own "$volume,mode=u+rwX"
	owned_by 4242:4242 "$volume/dir/file"
}

# ---- mounts below

# nested OPTIONS COMMAND... : with a writable tmpfs at volume/data, a read-only
# one at volume/config, a bind mount on a file
nested()
{
	# shellcheck disable=SC2016 # for the inner shell
	unshare --mount sh -ec '
		volume=$1; shift
		mkdir -p "$volume/data-dir" "$volume/config"
		touch "$volume/map"
		mount -t tmpfs -o mode=755 data "$volume/data-dir"
		mount -t tmpfs -o mode=755 config "$volume/config"
		touch "$volume/config/key" "$volume/data-dir/file"
		mount -o remount,ro "$volume/config"
		mount --bind "$volume/config/key" "$volume/map"
		"$@"; result=$?
		stat -c "%u:%g %n" "$volume/data-dir/file" \
			"$volume/config/key" >"$volume/../seen"
		exit $result' - "$volume" "$@"
}

@test "a writable mount below that stays somebody else's is named in one line" {
	before=(nested)
	own "$volume/"
	[ "$(wc -l <"$err")" -eq 1 ] || fail_seen 'one line'
	message_has "$volume/data-dir, stays as it is, of 0:0"
	message_has "add --own=$volume/data-dir"
	own "$volume" "$volume/data-dir"
	[ ! -s "$err" ] || fail_seen 'it is given'
	grep -Fxq "4242:4242 $volume/data-dir/file" "$tmp/seen"
}

@test "cross-mounts goes into writable mounts and passes over read-only ones" {
	before=(nested)
	witnessed --verbose --own="$volume,cross-mounts"
	grep -Fxq "4242:4242 $volume/data-dir/file" "$tmp/seen"
	grep -Fxq "0:0 $volume/config/key" "$tmp/seen"
	counted read-only 3
}

# ---- what is left alone

@test "exclude=, by name and by path" {
	mkdir -p "$volume"/{.snapshot/a,src/node_modules/b,src/keep/lib,keep/lib}
	witnessed --verbose \
		--own="$volume,exclude=.snapshot,exclude=node_modules,exclude=src/keep/lib"
	owned_by 0:0 "$volume"/{.snapshot,.snapshot/a,src/node_modules} \
		"$volume/src/node_modules/b" "$volume/src/keep/lib"
	owned_by 4242:4242 "$volume"/{src,src/keep,keep/lib}
	counted excluded 3
}

@test "two --own of one path work in order" {
	mkdir "$volume/sub"
	own "$volume,shallow,mode=750,group=2000" "$volume,user=33"
	owned_by 33:4242 "$volume" "$volume/sub"
	mode_is 750 "$volume"
	own "$volume" "$volume,shallow,mode=700,group=2000"
	owned_by 4242:2000 "$volume"
	owned_by 4242:4242 "$volume/sub"
	mode_is 700 "$volume"
}

@test "if-exists: a path that is missing or empty is passed over" {
	own "$volume/missing/too,if-exists" "$volume"
	[ ! -s "$err" ]
	owned_by 4242:4242 "$volume"
	# shellcheck disable=SC2016 # for stepdown
	own '${NO_SUCH_VARIABLE:-},if-exists'
	touch "$volume/file"
	try_own "$volume/file/below,if-exists"
	refused 111
	# shellcheck disable=SC2016 # for stepdown
	try_own '${NO_SUCH_VARIABLE:-}'
	refused 100
}

@test "group=keep changes the owner alone" {
	touch "$volume/file"
	chown 33:2000 "$volume/file"
	own "$volume,group=keep"
	owned_by 4242:2000 "$volume/file"
	owned_by 4242:0 "$volume"
}

@test "mode= takes five octal digits, as chmod does" {
	mkdir "$volume/dir"
	chmod 2755 "$volume/dir"
	own "$volume,mode=03775"
	mode_is 3775 "$volume" "$volume/dir"
	own "$volume,mode=0700"
	mode_is 2700 "$volume/dir"
	own "$volume,mode=00700"
	mode_is 700 "$volume/dir"
	try_own "$volume,mode=10700"
	refused 100
}

@test "a device node that is named: it says that it did nothing" {
	mknod "$volume/card0" c 226 0
	own "$volume/card0"
	message_has "own $volume/card0: a device node is not given away"
	owned_by 0:0 "$volume/card0"
}

@test "a path through a symbolic link, what is missing included, is told the real one" {
	mkdir "$volume/run"
	ln -s run "$volume/link"
	try_own "$volume/link/app"
	refused 111
	hint_has "--own=$volume/run/app"
	try_own "$volume/link/app/sub,create"
	refused 111
	hint_has "--own=$volume/run/app/sub"
	[ ! -e "$volume/run/app" ]
	try_own "$volume/link"
	hint_has "--own=$volume/run"
	rmdir "$volume/run"
	try_own "$volume/link"
	refused 111
	! grep 'give the real path' "$err" || fail_seen 'it leads nowhere'
}

# ---- failures

@test "try counts what failed, and says the first with its reason" {
	touch "$volume"/{a,b,c}
	capture strace -f -qq -o /dev/null -e trace=fchownat \
		-e inject=fchownat:error=EPERM "$STEPDOWN" --user=4242:4242 \
		--own="$volume,try,threads=1" -- "$WITNESS"
	succeeded
	message_has "own $volume: 4 failed"
	grep -q "^stepdown: warning: own $volume: change the owner of $volume/.: Operation not permitted" \
		"$err" || fail_seen 'the first'
}

@test "try never hides an I/O error" {
	touch "$volume"/{a,b,c}
	capture strace -f -qq -o /dev/null -e trace=fchownat \
		-e inject=fchownat:error=EPERM:when=1 \
		-e inject=fchownat:error=EIO:when=3 "$STEPDOWN" --user=4242:4242 \
		--own="$volume,try,threads=1" -- "$WITNESS"
	exited 111
	witness_lacks uid.real
	grep -Eq 'I/O error|Input/output error' "$err" || fail_seen 'the reason'
}

@test "a filesystem that ignores chown: 111 with its name, or a warning" {
	mkdir "$tmp/served"
	touch "$tmp/served/file"
	serve --chown-ignore --chgrp-ignore
	before=(prlimit --stack=65536)
	try_own "$volume"
	refused 111 \
		"own $volume: change the owner of $volume/file: no error, and it still belongs to 0:0" \
		fuse
	try_own "$volume,shallow"
	refused 111 "change the owner of $volume: no error"
	own "$volume,try"
	message_has 'warning: '
	owned_by 0:0 "$tmp/served/file"
}

@test "a server that shows another owner than it keeps is what it shows" {
	mkdir "$tmp/served"
	touch "$tmp/served/file"
	serve --force-user=4242 --force-group=4242
	own "$volume"
	owned_by 0:0 "$tmp/served/file"
}

# ---- fsGroup

# in_pod COMMAND... : with the groups that a runtime gives for fsGroup: 2000
in_pod()
{
	setpriv --groups=0,2000 "$@"
}

@test "a top of the runtime's fsGroup is told so, and fsgroup takes that group" {
	mkdir "$volume/dir"
	chown -R 0:2000 "$volume"
	chmod 2775 "$volume" "$volume/dir"
	before=(in_pod)
	own "$volume"
	[ "$(grep -c fsgroup "$err")" -eq 1 ] || fail_seen 'one line'
	message_has "own $volume: the runtime gave it to group 2000 (fsGroup)"
	chown -R 0:2000 "$volume"
	chmod 2775 "$volume" "$volume/dir"
	find "$volume" -exec stat -c '%z %n' {} + >"$tmp/before"
	own "$volume,fsgroup"
	[ ! -s "$err" ] || fail_seen 'nothing to say'
	find "$volume" -exec stat -c '%z %n' {} + | cmp - "$tmp/before" ||
		fail 'it changed what the kubelet had done'
	own "$volume,group=3000"
	[ ! -s "$err" ] || fail_seen 'who names a group has chosen'
}

# ---- what it costs

@test "an entry that is right costs one call, its directory five" {
	local -A cost

	# Signals and progress are asked for once every 64 entries.
	for dir in a b; do
		mkdir "$volume/$dir"
		(cd "$volume/$dir" && touch {1..100})
		chown -R 4242:4242 "$volume"
		traced all "$STEPDOWN" --user=4242:4242 --own="$volume" -- \
			/bin/true
		succeeded
		cost[$dir]=$(grep -vc 'rt_sigpending\|clock_gettime' "$calls")
	done
	[ $((cost[b] - cost[a])) -le 105 ] ||
		fail "$((cost[b] - cost[a])) calls for 100 entries"
}
