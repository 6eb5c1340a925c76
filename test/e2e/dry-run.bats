#!/usr/bin/env bats
# --dry-run prints the steps that a run takes, numbered, and takes none.

# shellcheck source-path=SCRIPTDIR
. "$BATS_TEST_DIRNAME/helpers.bash"

setup_file()
{
	need strace setpriv
	net_up
}

setup()
{
	use_net
	mkdir "$tmp/volume"
	plan=(--user=4242:4242 --groups=6001 --umask=027 --listen=tcp://0.0.0.0:80
		--listen='web=tcp://[::]:80' --own="$tmp/volume" --own-stdio
		--keep-caps=chown -- "$WITNESS" some argument)
}

# The names of the steps, in the order in which they were printed.
printed_steps()
{
	sed -En 's/^ *[0-9]+\. ([a-z-]+) .*/\1/p' "$out" | uniq
}

@test "it prints the numbered steps and nothing else" {
	stepdown --dry-run "${plan[@]}"
	succeeded
	[ ! -s "$err" ]
	! grep -Evq '^ *[0-9]+\. [a-z-]+ +[^ ]' "$out" ||
		fail_seen 'a line has another shape'
	# Numbered from 1, without a gap; lines of one step have one number.
	[ "$(sed -E 's/^ *([0-9]+)\..*/\1/' "$out" | uniq)" = \
		"$(seq "$(printed_steps | wc -l)")" ] || fail_seen 'the numbers'
}

@test "its list is the enum of the steps but for those not asked for, in that order" {
	local table

	table=$(sed -En 's/^\tSTEP_([A-Z_]+),.*/\1/p' "$top/shim/steps.h" |
		tr A-Z_ a-z-)
	[ "$(wc -w <<<"$table")" -ge 4 ]
	stepdown --dry-run "${plan[@]}"
	[ "$(printed_steps)" = "$(grep -Evx 'secret|account|confine' \
		<<<"$table")" ] ||
		fail_seen "the steps are: $table"
}

@test "a run takes the steps that it printed, in that order" {
	stepdown --dry-run "${plan[@]}"
	printed_steps | grep -v '^exec$' >"$tmp/printed"
	stepdown --verbose "${plan[@]}"
	succeeded
	sed -En 's/^stepdown: ([a-z-]+): .*/\1/p' "$err" | uniq >"$tmp/taken"
	diff "$tmp/printed" "$tmp/taken"
}

@test "it says everything that was asked for" {
	local word

	stepdown --dry-run "${plan[@]}"
	for word in tcp://0.0.0.0:80 'tcp://[::]:80' web "$tmp/volume" 4242 \
		6001 chown "$WITNESS" argument; do
		grep -Fq -- "$word" "$out" || fail_seen "nothing of $word"
	done
}

@test "it changes nothing" {
	traced "$changing_calls" "$STEPDOWN" --dry-run "${plan[@]}"
	succeeded
	changed_nothing
	owned_by 0:0 "$tmp/volume"
}

@test "it ends as the run would, and says why below the plan" {
	before=(setpriv --reuid=1234 --regid=1234 --clear-groups
		--bounding-set=-all --inh-caps=-all)
	stepdown --dry-run "${plan[@]}"
	exited 111
	[ "$(printed_steps | tail -n 1)" = exec ] || fail_seen 'the plan'
	message_has CAP_CHOWN
	before=()
	stepdown --dry-run --user=4242:4242 --own=/nowhere --own=/no,try -- x
	exited 111
	message_has 'own /nowhere: No such file'
	[ "$(wc -l <"$err")" -eq 4 ] || fail_seen 'what is only tried'
}

@test "it needs no privilege where the run needs none" {
	before=(setpriv --reuid=1234 --regid=1234 --clear-groups
		--bounding-set=-all --inh-caps=-all)
	stepdown --dry-run --user=4242:4242 -- "$WITNESS"
	succeeded
	[ -s "$out" ]
}

@test "it finds the same usage errors" {
	misuse --user --dry-run -- "$WITNESS"
	misuse --user --dry-run --user=4294967296:4242 -- "$WITNESS"
	misuse --user --user=0:0 -- "$WITNESS" --dry-run
	misuse command --dry-run --user=4242:4242
	misuse --handoff --dry-run --user=4242:4242 --handoff=nginx "$WITNESS"
}
