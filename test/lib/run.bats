#!/usr/bin/env bats
# What test/run counts, in a tree where every tool says what $SAYS names.

setup()
{
	tree=$BATS_TEST_TMPDIR
	mkdir -p "$tree/bin" "$tree/test/lib" "$tree/test/k8s/node" \
		"$tree/test/fuzz" "$tree/test/faults"
	cp "$BATS_TEST_DIRNAME/../run" "$tree/test/run"
	echo bats >"$tree/test/packages.txt"
	cat >"$tree/tool" <<-'end'
	#!/bin/sh
	case "$*" in
	*\ check) printf "# %s: %d\n" TOTAL 1 PASS 1 SKIP 0 XFAIL 0 ;;
	"--tap $SAYS") printf '1..2\nok 1 a\n%s\n' "$LINE" ;;
	*) printf '1..1\nok 1 nice %s\n' "$(nice)" ;;
	esac
	[ "$*" != "${DIES-none}" ] || kill -KILL "$(ps -o ppid= "$PPID")"
	end
	chmod 755 "$tree/tool"
	for name in bootstrap configure bin/bats bin/make test/lib/lint \
		test/lib/check-binary test/k8s/node/kubelet test/fuzz/run \
		test/faults/run; do
		ln -s "$tree/tool" "$tree/$name"
	done
	export PATH=$tree/bin:$PATH STEPDOWN_MUST_RUN=0
}

# ends REGEX: the output does
ends()
{
	echo "$output"
	[[ $output =~ $1$ ]]
}

# in_section NAME: what was printed there
in_section()
{
	sed -n "/^== $1\$/,/^-- $1: /p" <<<"$output"
}

@test "every section runs once, and what computes at a low priority" {
	run "$tree/test/run"
	[ "$status" -eq 0 ]
	sum=$(sed -n 's/^-- .*: \([0-9]*\) tests, 0 failed.*/\1/p' \
		<<<"$output" | paste -sd+)
	ends "$((sum)) passed, 0 failed"
	[ "$(grep '^== ' <<<"$output" | sort)" = \
		"$("$tree/test/run" --list | sed 's/^/== /' | sort)" ]
	in_section e2e | grep -Fx "ok 1 nice $(nice)"
	in_section publish | grep -Fx "ok 1 nice $(nice -n 10 nice)"
}

@test "a test that fails is named at the end, wherever it ran" {
	export LINE='not ok 2 that # more'
	for SAYS in test/e2e test/release; do
		export SAYS
		run "$tree/test/run"
		ends 'failed: [a-z0-9]*: bats.*: 1 tests
failed: [a-z0-9]*: not ok 2 that # more
[0-9]* passed, 1 failed'
	done
}

@test "a skipped test is counted, and fails where everything must run" {
	export SAYS=test/release LINE='ok 2 that # SKIP no tool'
	run "$tree/test/run"
	[ "$status" -eq 0 ]
	ends '[0-9]* passed, 0 failed, 1 skipped'
	STEPDOWN_MUST_RUN=1 run "$tree/test/run"
	[ "$status" -eq 1 ]
	ends 'failed: publish: 1 skipped, and STEPDOWN_MUST_RUN is 1
failed: publish: ok 2 that # SKIP no tool
[0-9]* passed, 1 failed'
}

@test "what is cut short has failed" {
	export SAYS=test/e2e LINE='# no more'
	run "$tree/test/run" e2e
	ends 'failed: e2e: bats: 1 of 2 tests ran
3 passed, 1 failed'
	SAYS='' DIES='--tap test/release' run "$tree/test/run"
	[ "$status" -eq 1 ]
	ends 'kubelet publish distcheck: ended early
[0-9]* passed, 1 failed'
}

@test "a section that is not there" {
	run "$tree/test/run" e2e nowhere
	[ "$status" -eq 100 ]
}
