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
	need expect unshare setsid python3 pkill
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
		set timeout 10
		proc must {text} {
			expect {
				-ex $text {}
				timeout { puts "\nno '$text' came"; exit 1 }
				eof { puts "\nthe end, and no '$text'"; exit 1 }
			}
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
	expect {
		"job control" { puts "no job control"; exit 1 }
		"$ " {}
	}
	send "sleep 100\r"
	sleep 0.3
	send "\032"
	must "Stopped"
	send "fg\r"
	must "sleep 100"
	sleep 0.3
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
	expect {
		"job control" { puts "no job control"; exit 1 }
		"$ " {}
	}
	send "sleep 100\r"
	sleep 0.3
	send "\032"
	must "Stopped"
	send "kill %1; fg\r"
	must "sleep 100"
	send "exit 3\r"
	must_end 3
	end
}

@test "below a shell: Ctrl-Z stops it all, and fg brings it back" {
	dialog <<-'end'
	spawn bash --norc --noediting -i
	must "$ "
	send "\$stepdown --user=4242:4242 --init -- cat\r"
	sleep 0.5
	send "one\r"
	must "one\r\none"
	send "\032"
	must "Stopped"
	must "$ "
	send "echo shell \$((40 + 2))\r"
	must "shell 42"
	send "fg\r"
	sleep 0.5
	send "two\r"
	must "two\r\ntwo"
	send "\004"
	must "$ "
	send "echo again \$((40 + 2)); exit 4\r"
	must "again 42"
	must_end 4
	end
}

@test "below a shell: bg, and the terminal stays the shell's" {
	dialog <<-'end'
	spawn bash --norc --noediting -i
	must "$ "
	send "\$stepdown --user=4242:4242 --init -- sleep 100\r"
	sleep 0.5
	send "\032"
	must "Stopped"
	send "bg\r"
	must "$ "
	send "jobs\r"
	must "Running"
	send "echo shell \$((40 + 2))\r"
	must "shell 42"
	send "kill %1; wait %1; echo status \$?\r"
	must "status 143"
	send "exit 4\r"
	must_end 4
	end
}

@test "after it a shell without job control has the terminal again" {
	dialog <<-'end'
	spawn sh -c {$stepdown --user=4242:4242 --init -- cat; read line; echo read $line}
	sleep 0.5
	send "one\r"
	must "one\r\none"
	send "\004"
	sleep 0.5
	send "more\r"
	must "read more"
	must_end 0
	end
}

# With nobody who could type `fg`.
@test "Ctrl-Z does not freeze an application that process 1 has started" {
	dialog <<-'end'
	spawn {*}$env(as_engine) $env(stepdown) --user=4242:4242 --init -- cat
	sleep 0.5
	send "one\r"
	must "one\r\none"
	send "\032"
	sleep 0.3
	send "two\r"
	must "two\r\ntwo"
	send "\004"
	must_end 0
	end
}

@test "a terminal that closes: SIGHUP for the application" {
	dialog out="$tmp/said" <<-'end'
	spawn $env(stepdown) --user=4242:4242 --init -- \
		sh -c {exec "$0" say >"$1"} $env(brood) $env(out)
	set pid [exp_pid]
	sleep 0.5
	close
	sleep 0.5
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
	expect {
		"job control" { puts "no job control"; exit 1 }
		"$ " {}
	}
	send "ps -o sid= -p \$\$; echo pid \$\$\r"
	expect -re {\n *([0-9]+)\r\npid ([0-9]+)}
	if {$expect_out(1,string) != $expect_out(2,string)} { exit 1 }
	send "sleep 100\r"
	sleep 0.3
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

# jobs_of RUNNER... : every scenario of `jobs`, but those in $without
jobs_of()
{
	local scenario wedged=()

	for scenario in $("$JOBS" --list); do
		[[ " ${without-} " != *" $scenario "* ]] || continue
		capture env BROOD="$BROOD" "$JOBS" "$scenario" "$@"
		[ "$status" -eq 0 ] || { show_captured >&2; wedged+=("$scenario"); }
	done
	[ ${#wedged[@]} -eq 0 ] || fail "wedged: ${wedged[*]}"
}

@test "a shell and its terminal, without an init: the control" {
	jobs_of
	jobs_of "$STEPDOWN" --user=4242:4242 --
}

@test "a shell and its terminal, with --init" {
	jobs_of "$STEPDOWN" --user=4242:4242 --init --
}

@test "a shell and its terminal, with --init as root" {
	jobs_of "$STEPDOWN" --user=0:0 --allow-root --init --
}

# The application has a session without a terminal, as below setsid(1): what it
# reads there, and job control of its own, are not to be had.
@test "a shell and its terminal, with --init --setsid" {
	without='background_read background_write suspended_shell init_in_init
		stdin_pipe stdin_null suspends_itself'
	without=${without//[$'\n\t']/ }
	jobs_of "$STEPDOWN" --user=4242:4242 --init --setsid \
		--rewrite=TSTP:STOP --
}

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
