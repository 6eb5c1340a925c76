#!/usr/bin/env bats
# examples/workshop/steps.md: every command that it shows is run, in order, and
# must print what it shows.

# shellcheck source-path=SCRIPTDIR
. "$BATS_TEST_DIRNAME/podman.bash"

setup_file()
{
	need podman runc busybox setcap
	store_up
	image workshop
	user_image
	nginx_image
	kestrel_image
	podman tag stepdown-workshop stepped
	# For the commands as they stand: nothing but a loopback.
	export CONTAINERS_CONF=${CONTAINERS_CONF:-$BATS_FILE_TMPDIR/network.conf}
	touch "$CONTAINERS_CONF"
	if grep -q '^\[containers\]' "$CONTAINERS_CONF"; then
		sed -i '/^\[containers\]/a netns = "none"' "$CONTAINERS_CONF"
	else
		printf '[containers]\nnetns = "none"\n' >>"$CONTAINERS_CONF"
	fi
}

teardown_file()
{
	store_down
}

# The blocks of the page as they would be, with what is printed now.
replay()
{
	local line inside=

	while IFS= read -r line; do
		case $line in
		'```console')
			inside=yes
			printf '%s\n' "$line"
			;;
		'```')
			inside=
			printf '%s\n' "$line"
			;;
		'$ '*)
			printf '%s\n' "$line"
			timeout 60 bash -c "${line#\$ }" 2>&1 </dev/null \
				3>&- 4>&- || true
			;;
		*)
			[ -n "$inside" ] || printf '%s\n' "$line"
			;;
		esac
	done <"$1"
}

@test "the page says what happens" {
	local page=$top/examples/workshop/steps.md

	mkdir "$tmp/here"
	chmod 755 "$BATS_RUN_TMPDIR" "$BATS_FILE_TMPDIR" "$tmp"
	cd "$tmp/here" || return
	replay "$page" | tr -d '\r' >"$tmp/steps.md"
	[ "$(grep -c '^\$ ' "$tmp/steps.md")" -ge 15 ]
	diff "$page" "$tmp/steps.md"
}
