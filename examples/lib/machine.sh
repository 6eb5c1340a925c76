# shellcheck shell=bash
# What every example's `run` needs of the machine. Sourced, not run.

say()
{
	printf '%s\n' "$*" >&2
}

die()
{
	say "${0##*/}: $*"
	exit 1
}

as_root()
{
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	else
		sudo "$@"
	fi
}

# need_packages PACKAGE... : install those that are missing, and say which.
need_packages()
{
	"$(dirname "${BASH_SOURCE[0]}")/../../bootstrap" --install "$@"
}

# eventually SECONDS COMMAND... : try until it works, at most that long.
eventually()
{
	local tries=$(($1 * 10))

	shift
	while ! "$@" >/dev/null 2>&1; do
		[ "$((tries -= 1))" -gt 0 ] || return 1
		sleep 0.1
	done
}
