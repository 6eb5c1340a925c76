#!/usr/bin/env bats
# --init on a terminal, as under `docker run -it`: a real one, by expect(1).

# The dialogs are in another language:
# shellcheck disable=SC2016
# shellcheck source-path=SCRIPTDIR
. "$BATS_TEST_DIRNAME/helpers.bash"

BROOD=$top/build/test/e2e/brood
JOBS=$top/test/e2e/jobs

setup_file()
{
	need expect unshare setsid python3 pgrep
}

setup()
{
	[ -x "$BROOD" ] || fail "no $BROOD: run make -C build test/e2e/brood"
	chmod 755 "$BATS_RUN_TMPDIR" "$BATS_FILE_TMPDIR"
	chmod 777 "$tmp"
}

# Process 1 of a namespace leads a session that has the terminal.
as_engine='unshare --fork --pid --mount-proc --kill-child setsid --ctty'

# dialog VARIABLE=VALUE... <SCRIPT: an expect script, with our words in it.
# `must` waits for a text, and fails the test if it does not come.
dialog()
{
	{
		cat <<-'end'
		set timeout 60
		proc must {text} {
			expect {
				-ex $text {}
				timeout { puts "\nno '$text' came"; exit 1 }
				eof { puts "\nthe end, and no '$text'"; exit 1 }
			}
		}
		proc must_be_shell {} {
			expect {
				"job control" { puts "no job control"; exit 1 }
				"$ " {}
			}
		}
		# Its echo, and what cat writes; there may be words in between.
		proc cat_answers {line} {
			send "$line\r"
			must "$line\r"
			must "$line\r"
		}
		proc must_not {text seconds} {
			set timeout $seconds
			expect {
				-ex $text { puts "\n'$text' came"; exit 1 }
				timeout {}
			}
		}
		proc must_end {status} {
			expect {
				eof {}
				timeout { puts "\nit did not end"; exit 1 }
			}
			set got [lindex [wait] 3]
			if {$got != $status} {
				puts "\nit ended with $got, not $status"
				exit 1
			}
		}
		end
		cat
	} >"$tmp/script"
	capture env as_engine="$as_engine" TERM=dumb PS1='$ ' stepdown="$STEPDOWN" brood="$BROOD" \
		witness="$WITNESS" "$@" expect -f "$tmp/script"
	succeeded
}

say_in_terminal='
	must ready
	send "\003"
	must "signal=2 "
	send "\034"
	must "signal=3 "
	send "\032"
	must "signal=20 "
	exec stty -F $spawn_out(slave,name) rows 50
	must "signal=28 "
	must_not "signal=" 0.5
	exec kill -TERM [exp_pid]
	must "signal=15 "
'

@test "keys and the window's size reach the application, once each" {
	dialog <<-end
	spawn \$env(stepdown) --user=4242:4242 --init -- \$env(brood) say
	$say_in_terminal
	must_end 0
	end
}

@test "keys and the window's size, as process 1" {
	dialog <<-end
	spawn {*}\$env(as_engine) \$env(stepdown) --user=4242:4242 --init -- \$env(brood) say
	${say_in_terminal/exp_pid/exec pgrep -P [exp_pid]}
	must_end 0
	end
}

@test "the application is the foreground group, and no signal of the terminal is blocked or ignored" {
	dialog <<-'end'
	spawn $env(stepdown) --user=4242:4242 --init -- sh -c \
		{ps -o tpgid=,pgid= -p $$; exec "$0"} $env(witness)
	expect -re {([0-9]+) +([0-9]+)\r}
	if {$expect_out(1,string) != $expect_out(2,string)} { exit 1 }
	must "signals.blocked=0000000000000000"
	must "signals.ignored=0000000000000000"
	must_end 0
	end
}

@test "a shell as the application: Ctrl-Z, jobs, fg, Ctrl-C" {
	dialog <<-'end'
	spawn $env(stepdown) --user=4242:4242 --init -- bash --norc --noediting -i
	must_be_shell
	send "cat\r"
	cat_answers one
	send "\032"
	must "Stopped"
	send "fg\r"
	cat_answers two
	send "\003"
	must "$ "
	send "echo still \$((40 + 2))\r"
	must "still 42"
	send "exit 3\r"
	must_end 3
	end
}

@test "a shell as the application of process 1" {
	dialog <<-'end'
	spawn {*}$env(as_engine) $env(stepdown) --user=4242:4242 --init -- bash --norc --noediting -i
	must_be_shell
	send "cat\r"
	cat_answers one
	send "\032"
	must "Stopped"
	send "kill %1; fg\r"
	must "cat\r"
	send "exit 3\r"
	must_end 3
	end
}

# With nobody who could type `fg`.
@test "Ctrl-Z does not freeze an application that process 1 has started" {
	dialog <<-'end'
	spawn {*}$env(as_engine) $env(stepdown) --user=4242:4242 --init -- cat
	cat_answers one
	send "\032"
	cat_answers two
	send "\004"
	must_end 0
	end
}

@test "a terminal that closes: SIGHUP for the application" {
	dialog out="$tmp/said" <<-'end'
	spawn $env(stepdown) --user=4242:4242 --init -- \
		sh -c {exec "$0" say >"$1"} $env(brood) $env(out)
	set pid [exp_pid]
	exec timeout 60 sh -c {until grep -qs ready "$0"; do sleep 0.1; done} $env(out)
	close
	exec kill -TERM $pid
	wait
	end
	grep -q 'signal=1 ' "$tmp/said" || fail "$(cat "$tmp/said")"
	grep -q 'signal=15 ' "$tmp/said"
}

@test "--setsid: the session has the terminal, and a shell job control" {
	dialog <<-'end'
	spawn $env(stepdown) --user=4242:4242 --init --setsid -- \
		bash --norc --noediting -i
	must_be_shell
	send "ps -o sid= -p \$\$; echo pid \$\$\r"
	expect -re {\n *([0-9]+)\r\npid ([0-9]+)\r}
	if {$expect_out(1,string) != $expect_out(2,string)} { exit 1 }
	send "cat\r"
	cat_answers one
	send "\003"
	must "$ "
	send "exit 3\r"
	must_end 3
	end
}

@test "a key whose signal is rewritten comes as the other one" {
	dialog <<-'end'
	spawn $env(stepdown) --user=4242:4242 --init --rewrite=INT:USR1 \
		--rewrite=WINCH: -- $env(brood) say
	must ready
	exec stty -F $spawn_out(slave,name) rows 50
	send "\003"
	must "signal=10 "
	send "\034"
	must "signal=3 "
	must_not "signal=" 0.5
	exec kill -TERM [exp_pid]
	must "signal=15 "
	must_end 0
	end
}

# ---- a shell and its terminal ----

# What comes of each scenario of `jobs`: "ok", or what does not appear; with a
# slash between them, the one or the other. Without an init, with --init and
# with a drop alone all of it does.
#
# With --setsid the application has a session without a terminal, as below
# dumb-init, which makes one too: nothing stops it when it reads and writes
# there, /dev/tty and job control of its own are not to be had, and the cat of
# init_in_init, two sessions away, may take what is typed for the shell.
outcomes='
|                  |setsid     |tini       |dumb-init  |catatonit
|ctrl_z            |ok         |no Stopped |ok         |no Stopped
|background        |ok         |no Stopped |ok         |no Stopped
|background_read   |no Stopped |closed     |no Stopped |closed
|background_then_fg|ok         |ok         |ok         |no got early
|background_write  |no Stopped |closed     |no Stopped |closed
|suspended_shell   |no Stopped |no Stopped |no Stopped |no Stopped
|init_in_init      |no alive=42/ok|no Stopped|no alive=42/ok|no Stopped
|one_sigwinch      |ok         |ok         |ok         |ok
|no_job_control    |ok         |no read more|ok        |no read more
|stdin_pipe        |no got hello|no got hello|no got hello|ok
|stdin_null        |no got hello|no got hello|no got hello|ok
|pipeline          |ok         |ok         |ok         |ok
|pager             |no Stopped |no got hello|ok         |no got hello
|stty              |ok         |ok         |ok         |ok
|stops_itself      |ok         |no Stopped |no Stopped |no Stopped
|suspends_itself   |no Stopped |no Stopped |no Stopped |no Stopped
|terminal_closes   |ok         |ok         |ok         |ok
|leader_closes     |ok         |ok         |ok         |ok
'

# jobs_of COLUMN RUNNER... : all scenarios; sets $differs to what comes out in
# another way than the table says. A COLUMN that it has not is "ok" throughout.
jobs_of()
{
	local column=$1

	shift
	capture env BROOD="$BROOD" PATIENCE="$patience" "$JOBS" --all "$@"
	differs=$(awk -v column="$column" '
		FNR == NR && FNR == 2 {
			for (i = 3; i <= NF; i++)
				if ($i == column)
					at = i
		}
		FNR == NR && FNR > 2 && NF { want[$2] = at ? $at : "ok" }
		FNR == NR { next }
		{
			name = $1
			sub(/^[^ ]* /, "")
			if (!index("/" want[name] "/", "/" $0 "/"))
				print name ": " $0 ", and not " want[name]
			delete want[name]
		}
		END { for (name in want) print name ": nothing" }
	' FS=' *[|]' <(echo "$outcomes") FS=' ' "$out")
}

ours()
{
	local patience=60

	# Much of it does not come, and is waited for.
	[ "$1" != setsid ] || patience=20
	jobs_of "$@"
	[ -z "$differs" ] || fail_seen "$differs"
}

# How it is with others shows what the tests of ours are worth; they may change.
control()
{
	local patience=8

	command -v "${2:-sh}" >/dev/null || cannot_run "no $2"
	jobs_of "$@"
	[ -z "$differs" ] || echo "# ${1:-plain}: $differs" >&3
}

@test "a shell and its terminal, without an init" {
	ours exec "$STEPDOWN" --user=4242:4242 --home=/ --
}

@test "a shell and its terminal, with --init" { ours init "$STEPDOWN" --init --; }

@test "a shell and its terminal, with --init --user" {
	ours init "$STEPDOWN" --user=4242:4242 --home=/ --init --
}

# A session without a terminal is not stopped by SIGTSTP.
@test "a shell and its terminal, with --init --setsid" {
	ours setsid "$STEPDOWN" --init --setsid --rewrite=TSTP:STOP --
}

@test "a shell and its terminal, with --init --setsid --user" {
	ours setsid "$STEPDOWN" --user=4242:4242 --home=/ --init --setsid \
		--rewrite=TSTP:STOP --
}

@test "a shell and its terminal, without us: the control" { control ''; }
@test "a shell and its terminal, with tini" { control tini tini -s --; }
@test "a shell and its terminal, with dumb-init" { control dumb-init dumb-init --; }
@test "a shell and its terminal, with catatonit" { control catatonit catatonit --; }

# What expect sees without us, so that the tests above mean something.
@test "the dialogs see what the kernel does to a process without an init" {
	dialog <<-'end'
	spawn $env(brood) say
	must ready
	send "\003"
	must "signal=2 "
	exec stty -F $spawn_out(slave,name) rows 50
	must "signal=28 "
	exec kill -TERM [exp_pid]
	must_end 0
	end
}
