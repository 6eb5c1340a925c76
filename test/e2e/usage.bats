#!/usr/bin/env bats
# Every wrong use is found before the first side effect: status 100, one
# message that says what was wrong, and nothing has changed.

# shellcheck source-path=SCRIPTDIR
. "$BATS_TEST_DIRNAME/helpers.bash"

setup_file()
{
	need strace ip ss
	net_up
}

# What every case below would do, were it not misused.
setup()
{
	use_net
	mkdir "$tmp/volume"
	touch "$tmp/volume/file"
	good=(--user=4242:4242 --listen=tcp://0.0.0.0:80 "--own=$tmp/volume"
		--own-stdio)
}

# misuse_with WORDS ARGUMENT... : the arguments come after the good ones.
misuse_with()
{
	local words=$1

	shift
	misuse "$words" "${good[@]}" "$@"
}

teardown()
{
	owned_by 0:0 "$tmp/volume" "$tmp/volume/file"
	[ -z "$(in_net ss -Hltun)" ]
}

@test "the same arguments without a mistake do change all that is looked at" {
	traced "$changing_calls" "$STEPDOWN" "${good[@]}" -- "$WITNESS"
	succeeded
	owned_by 4242:4242 "$tmp/volume" "$tmp/volume/file"
	changes | grep -q 'bind(3'
	changes | grep -q fchownat
	changes | grep -q setresuid
	changes | grep -q setgroups
	changes | grep -q capset
	changes | grep -q PR_SET_NO_NEW_PRIVS
	changes | grep -q execve
	chown -R 0:0 "$tmp/volume"
}

@test "no arguments, no --user, no command" {
	misuse --user
	misuse --user --listen=tcp://0.0.0.0:80 -- "$WITNESS"
	misuse command --user=4242:4242
	misuse command "${good[@]}"
	misuse command "${good[@]}" --
	misuse command "${good[@]}" -- ''
}

@test "an option that does not exist" {
	misuse_with --usr --usr=4242 -- "$WITNESS"
	misuse_with --USER --USER=4242 -- "$WITNESS"
	misuse_with --user-name --user-name=x -- "$WITNESS"
	misuse_with -x -x -- "$WITNESS"
	misuse_with -U -U -- "$WITNESS"
	misuse_with --=x --=x -- "$WITNESS"
	misuse_with '---' --- "$WITNESS"
}

@test "an abbreviation is not an option" {
	misuse_with --use --use=4242 -- "$WITNESS"
	misuse_with --lis --lis=tcp://0.0.0.0:81 -- "$WITNESS"
	misuse_with --dry --dry -- "$WITNESS"
	misuse_with --own-st --own-st -- "$WITNESS"
}

@test "a scalar given twice, also with the same value" {
	misuse_with --user --user=4242:4242 -- "$WITNESS"
	misuse_with --user -u 4242:4242 -- "$WITNESS"
	misuse_with --groups --groups=1 --groups=1 -- "$WITNESS"
	misuse_with --handoff --handoff=nginx --handoff=systemd -- "$WITNESS"
	misuse_with --keep-caps --keep-caps=chown --keep-caps=chown "$WITNESS"
}

@test "a value that is missing" {
	misuse --user -u
	for option in user groups listen handoff own keep-caps env; do
		misuse "--$option" "--$option"
	done
}

@test "a value for an option that takes none" {
	misuse_with --allow-root --allow-root=yes -- "$WITNESS"
	misuse_with --dry-run --dry-run=no -- "$WITNESS"
	misuse_with --verbose --verbose= -- "$WITNESS"
	misuse_with --own-stdio --own-stdio=1 -- "$WITNESS"
	misuse_with --version --version=1 -- "$WITNESS"
	misuse_with --help --help=1 -- "$WITNESS"
}

@test "a --listen that is no address and port" {
	local url

	for url in '' 80 :80 0.0.0.0:80 tcp: tcp:// tcp://:80 tcp://0.0.0.0 \
		tcp://0.0.0.0: tcp://0.0.0.0:0 tcp://0.0.0.0:65536 \
		tcp://0.0.0.0:-80 tcp://0.0.0.0:+80 tcp://0.0.0.0:0x50 \
		tcp://0.0.0.0:http 'tcp://0.0.0.0: 80' tcp://0.0.0.0:80/ \
		tcp://0.0.0.0:4294967376 tcp://0.0.0.0:18446744073709551696 \
		tcp://0.0.0:80 tcp://256.0.0.1:80 tcp://0.0.0.0.0:80 \
		tcp://0x7f.0.0.1:80 tcp://010.0.0.1:80 tcp://localhost:80 \
		tcp://:::80 tcp://::1:80 'tcp://[::1:80' 'tcp://[::1]' \
		'tcp://[::1]80' 'tcp://[:::]:80' 'tcp://[127.0.0.1]:80' \
		'tcp://[*]:80' 'tcp://[]:80' 'tcp://**:80' TCP://0.0.0.0:80 \
		sctp://0.0.0.0:80 ' tcp://0.0.0.0:80' =tcp://0.0.0.0:80 \
		a:b=tcp://0.0.0.0:80 'a b=tcp://0.0.0.0:80'; do
		echo "# --listen='$url'" >&2
		misuse_with '--listen' "--listen=$url" -- "$WITNESS"
	done
}

@test "a --listen that is no unix socket" {
	local url

	for url in unix: unix:/ unix:@ unix:run/s unix:/run/ 'unix:?mode=600' \
		"unix:/$(printf '%0107d' 0)" "unix:@$(printf '%0107d' 0)" \
		unix-stream:/s UNIX:/s 'tcp://[fe80::1%]:80'; do
		echo "# --listen='$url'" >&2
		misuse_with '--listen' "--listen=$url" -- "$WITNESS"
	done
}

@test "an option of --listen that does not exist or does not fit" {
	misuse_with "'backlog' is no option of such a socket" \
		'--listen=udp://0.0.0.0:81?backlog=5' -- "$WITNESS"
	misuse_with "'colour' is no option" \
		'--listen=tcp://0.0.0.0:81?colour=red' -- "$WITNESS"
	misuse_with "'mode' is no option" '--listen=unix:@a?mode=600' \
		-- "$WITNESS"
	misuse_with 'expected backlog=N' \
		'--listen=tcp://0.0.0.0:81?backlog=0' -- "$WITNESS"
	misuse_with 'nodelay is given twice' \
		'--listen=tcp://0.0.0.0:81?nodelay&nodelay' -- "$WITNESS"
	misuse_with 'exclude each other' \
		'--listen=tcp://0.0.0.0:81?nolisten&backlog=5' -- "$WITNESS"
}

@test "a handoff that does not fit its sockets" {
	misuse_with 'a socket that listens' --handoff=nginx \
		'--listen=tcp://0.0.0.0:81?nolisten' -- "$WITNESS"
	misuse_with '--no-listen-pid' --handoff=nginx --no-listen-pid \
		-- "$WITNESS"
}

@test "more sockets than there is room for" {
	misuse_with '257 sockets, more than 256' \
		'--listen=tcp://0.0.0.0:81?reuseport=256' -- "$WITNESS"
}

@test "the same --listen twice" {
	misuse_with 'given twice' --listen=unix:@a --listen=unix:@a -- "$WITNESS"
	misuse_with tcp://0.0.0.0:80 --listen=tcp://0.0.0.0:80 -- "$WITNESS"
	misuse_with 'given twice' --listen=unix:@a --listen=unix:@a -- "$WITNESS"
	misuse_with 'tcp://[0::0]:81' --listen='tcp://[::]:81' \
		--listen='tcp://[0::0]:81' -- "$WITNESS"
}

@test "more sockets, folders or variables than there is room for" {
	local many=() i

	for i in {1..129}; do many+=("--listen=tcp://0.0.0.0:$((i + 80))"); done
	misuse_with --listen "${many[@]}" -- "$WITNESS"
	message_has 128
	many=()
	for i in {1..129}; do many+=("--own=/nowhere/$i"); done
	misuse_with --own "${many[@]}" -- "$WITNESS"
	message_has 128
	many=()
	for i in {1..257}; do many+=("--env=V$i=x"); done
	misuse_with --env "${many[@]}" -- "$WITNESS"
	message_has 256
}

@test "a --handoff that does not exist, or has no socket to hand over" {
	misuse_with --handoff --handoff= -- "$WITNESS"
	misuse_with --handoff --handoff=inetd -- "$WITNESS"
	misuse_with --handoff --handoff=Nginx -- "$WITNESS"
	misuse --handoff --user=4242:4242 --handoff=nginx -- "$WITNESS"
}

@test "an --own that is empty or relative" {
	misuse_with --own --own= -- "$WITNESS"
	misuse_with --own --own=volume -- "$WITNESS"
	misuse_with --own --own=./volume -- "$WITNESS"
}

@test "a --keep-caps that is no list of capabilities" {
	local list

	for list in '' ',' 'chown,' ',chown' 'chown,,kill' all everything cap_ 64 999 \
		-1 'chown kill' net_bind_servic; do
		echo "# --keep-caps='$list'" >&2
		misuse_with --keep-caps "--keep-caps=$list" -- "$WITNESS"
	done
}

@test "an --env that is not NAME=VALUE" {
	misuse_with --env --env= -- "$WITNESS"
	misuse_with --env --env=NAME -- "$WITNESS"
	misuse_with --env --env==value -- "$WITNESS"
}

@test "a \${VAR} that is unset, or is not of that form" {
	local value

	unset NOT_SET
	# shellcheck disable=SC2016 # it is for stepdown to expand
	for value in '${NOT_SET}' '${' '${}' '${HOME' '${HOME:}' '${HOME:+x}' \
		'${HOME-x}' '${1}' '${HO ME}' '${:-x}'; do
		echo "# --env=A=$value" >&2
		misuse_with --env "--env=A=$value" -- "$WITNESS"
		misuse_with --own "--own=/$value" -- "$WITNESS"
	done
}

@test "a message never breaks its line, whatever was typed" {
	misuse_with '\x0a' $'--handoff=a\nstepdown: all is well' -- "$WITNESS"
	misuse_with '\x1b' $'--handoff=\e[31m' -- "$WITNESS"
}

@test "options end at the first word that is none" {
	stepdown "${good[@]}" "$WITNESS" --user=0 --no-such-option -x --
	succeeded
	says argv.1=--user=0 argv.2=--no-such-option argv.3=-x argv.4=--
	witness_lacks argv.5
	witness_is 4242 4242
	chown -R 0:0 "$tmp/volume"
}

@test "--name value is --name=value, and the short forms are the long ones" {
	stepdown -u 4242:4242 -l tcp://0.0.0.0:80 -o "$tmp/volume" \
		--env A=B --handoff nginx -- "$WITNESS"
	succeeded
	witness_is 4242 4242
	says env.A=B env.NGINX='3;'
	witness_has_socket 3 inet 0.0.0.0:80
	owned_by 4242:4242 "$tmp/volume/file"
	chown -R 0:0 "$tmp/volume"
}

@test "--help has a line for each row of the table, and fits a terminal" {
	local name

	stepdown --help
	succeeded
	[ "$(awk 'length > 80' "$out" | wc -l)" -eq 0 ] || fail_seen 'a long line'
	while read -r name; do
		grep -Eq -- "^ +(-[a-zA-Z], )?--$name([^a-z0-9-]|\$)" "$out" ||
			fail_seen "nothing of --$name"
	done < <(sed -En 's/^\t\{ [A-Z]+, [^,]+, "([a-z0-9-]+)",.*/\1/p' \
		"$top/shim/option_table.c" | tee "$tmp/names")
	[ "$(wc -l <"$tmp/names")" -ge 40 ]
}

@test "--help=OPTION has its group alone, and the words of its values" {
	local name

	stepdown --help
	cp "$out" "$tmp/all"
	for name in own listen handoff init rewrite rlimit keep-caps check; do
		stepdown "--help=$name"
		succeeded
		[ ! -s "$err" ]
		[ "$(wc -l <"$out")" -lt "$(wc -l <"$tmp/all")" ]
		[ "$(awk 'length > 80' "$out" | wc -l)" -eq 0 ]
		grep -q -- "--$name" "$out" || fail_seen "nothing of $name"
	done
	stepdown --help=own
	grep -q 'create\[=MODE\] .*if-root-differs' "$out"
	! grep -q -- --listen "$out" || fail_seen 'of another group'
	stepdown --help=listen
	grep -Fq 'reuseport[=N]' "$out"
	stepdown --help=keep-caps
	grep -q net_bind_service "$out"
	stepdown --help=rewrite
	grep -q WINCH "$out"
	misuse --help --help=lisen
	hint_has 'did you mean listen'
}

@test "a word of a value that is nearly right is answered with the right one" {
	local option words meant

	while read -r option words meant; do
		misuse "$option" "$option=$words" -- "$WITNESS"
		hint_has "did you mean $meant?"
	done <<-'END'
		--own /data,shalow shallow
		--listen tcp://*:80?backlg=5 backlog
		--secret KEY=/run/key?evn env
		--keep-caps chown,net_bind net_bind_service
		--bounding chwon chown
		--stop-signals TERM,ITN INT
		--rewrite TERM:QIUT QUIT
		--rlimit nofiles=5 nofile
		--handoff sytemd systemd
	END
}

@test "--help and --version print on stdout and change nothing" {
	local option

	for option in --help -h --version -V; do
		traced "$changing_calls" "$STEPDOWN" "$option"
		succeeded
		grep -q stepdown "$out"
		[ ! -s "$err" ]
		changed_nothing
	done
	[ "$(wc -l <"$out")" -eq 1 ]
}
