#!/usr/bin/env bats
# Becoming the application: found or not, and its exit status is the run's.

# shellcheck source-path=SCRIPTDIR
. "$BATS_TEST_DIRNAME/helpers.bash"

setup_file()
{
	need setpriv
}

setup()
{
	mkdir "$tmp/bin" "$tmp/secret"
	chmod 700 "$tmp/secret"
}

# place FILE: a program there that says where it was found
place()
{
	# shellcheck disable=SC2016 # for the program
	printf '#!/bin/sh\necho "ran $0"\n' >"$1"
	chmod 755 "$1"
}

# with_path PATH ARGUMENT... : as_4242 with that PATH
with_path()
{
	before=(env "PATH=$1")
	shift
	as_4242 "$@"
}

@test "the application's exit status is passed on" {
	local n

	for n in 0 1 2 100 111 126 127 255; do
		as_4242 -- "$WITNESS" exit $n
		exited $n
		[ ! -s "$err" ] || fail_seen 'and nothing is said about it'
	done
}

@test "a signal ends the application as if it had been started alone" {
	# shellcheck disable=SC2016 # for the inner shell
	as_4242 -- sh -c 'kill -TERM $$'
	exited $((128 + 15))
	# shellcheck disable=SC2016
	as_4242 -- sh -c 'kill -KILL $$'
	exited $((128 + 9))
}

@test "its words are passed on as they are" {
	as_4242 -- "$WITNESS" '' 'two words' -- --user=0 $'a\nb' '*'
	succeeded
	says argv.0="$WITNESS" argv.1= argv.2='two words' argv.3=-- \
		argv.4=--user=0 argv.5='a\x0ab' argv.6='*'
	witness_lacks argv.7
}

@test "--argv0 is its name for itself, and COMMAND what is executed" {
	as_4242 --argv0=-login -- "$WITNESS" one
	succeeded
	says argv.0=-login argv.1=one
	cp "$WITNESS" "$tmp/bin/program"
	with_path "$tmp/bin" --init --argv0= -- program two
	succeeded
	says argv.0= argv.1=two
	as_4242 --argv0=sh -- no-such-program
	refused 127 no-such-program
}

@test "not found: 127" {
	as_4242 -- no-such-program
	refused 127 no-such-program
	as_4242 -- "$tmp/no-such-program"
	refused 127
	as_4242 -- "$tmp/no-such-folder/program"
	refused 127
	as_4242 -- /dev/null/program
	refused 127
	as_4242 -- 'nginx -g "daemon off;"'
	refused 127
	hint_has 'there is a blank in it'
}

@test "there, but not executable: 126" {
	echo 'echo ran' >"$tmp/bin/text"
	chmod 644 "$tmp/bin/text"
	as_4242 -- "$tmp/bin/text"
	refused 126 "$tmp/bin/text: Permission denied"
	with_path "$tmp/bin" -- text
	refused 126
}

@test "executable for root alone: 126" {
	place "$tmp/bin/roots"
	chmod 700 "$tmp/bin/roots"
	"$tmp/bin/roots" | grep -q ran
	as_4242 -- "$tmp/bin/roots"
	refused 126
}

@test "a folder is not executable: 126" {
	as_4242 -- "$tmp/bin"
	refused 126
}

@test "no program format: 126, and no shell is asked to try" {
	printf 'echo ran\n' >"$tmp/bin/no-format"
	chmod 755 "$tmp/bin/no-format"
	as_4242 -- "$tmp/bin/no-format"
	refused 126
	with_path "$tmp/bin:$PATH" -- no-format
	refused 126
}

@test "a script whose interpreter is missing: 126, and the hint says so" {
	printf '#!/no/such/interpreter\n' >"$tmp/bin/script"
	chmod 755 "$tmp/bin/script"
	as_4242 -- "$tmp/bin/script"
	refused 126
	hint_has interpreter
	with_path "$tmp/bin:$PATH" -- script
	refused 126
}

@test "PATH is searched in order" {
	mkdir "$tmp/first"
	place "$tmp/first/program"
	place "$tmp/bin/program"
	with_path "$tmp/first:$tmp/bin:$PATH" -- program
	succeeded
	[ "$(cat "$out")" = "ran $tmp/first/program" ]
}

@test "PATH is searched after the drop: root's own folder is not searched" {
	place "$tmp/secret/program"
	PATH=$tmp/secret:$PATH program | grep -q "ran $tmp/secret"
	with_path "$tmp/secret" -- program
	[[ $status == 126 || $status == 127 ]] || fail_seen 'it ran'
	refused "$status"

	place "$tmp/bin/program"
	with_path "$tmp/secret:$tmp/bin:$PATH" -- program
	succeeded
	[ "$(cat "$out")" = "ran $tmp/bin/program" ]
}

@test "a path with a slash is not looked up in PATH" {
	place "$tmp/bin/program"
	with_path "$tmp/bin" -- ./program
	refused 127
	cd "$tmp/bin"
	as_4242 -- ./program
	succeeded
	[ "$(cat "$out")" = 'ran ./program' ]
}

@test "PATH may come from --env" {
	place "$tmp/bin/program"
	as_4242 --env="PATH=$tmp/bin:/usr/bin:/bin" -- program
	succeeded
	[ "$(cat "$out")" = "ran $tmp/bin/program" ]
}

@test "without PATH the usual folders are searched" {
	before=(env -u PATH)
	as_4242 -- sh -c 'echo ran'
	succeeded
	[ "$(cat "$out")" = ran ]
}

@test "a PATH without a match among long, odd and missing folders: 127" {
	with_path "$(printf '/%.0s' {1..5000}):/no:::/dev/null:/proc/self/mem" \
		-- no-such-program
	refused 127
}

@test "an application on a file system without execution: 126" {
	# shellcheck disable=SC2329 # called by way of before
	noexec()
	{
		# shellcheck disable=SC2016 # for the inner shell
		unshare --mount sh -ec '
			mount -t tmpfs -o noexec,mode=755 bin "$1/bin"
			cp "$2" "$1/bin/witness"; shift 2; exec "$@"' - \
			"$tmp" "$WITNESS" "$@"
	}
	before=(noexec)
	as_4242 -- "$tmp/bin/witness"
	refused 126
}
