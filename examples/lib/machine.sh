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

# Debian's and Ubuntu's own word for "unpacked and configured".
is_installed()
{
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# need_packages PACKAGE... : install those that are missing, and say which.
need_packages()
{
	local package missing=()

	for package; do
		is_installed "$package" || missing+=("$package")
	done
	[ "${#missing[@]}" -gt 0 ] || return 0
	say "installing: ${missing[*]}"
	as_root apt-get -q -o DPkg::Lock::Timeout=300 update >&2
	as_root env DEBIAN_FRONTEND=noninteractive \
		apt-get -q -y -o DPkg::Lock::Timeout=300 \
		install --no-install-recommends "${missing[@]}" >&2
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
