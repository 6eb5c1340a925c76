# shellcheck shell=bash
# What the tests of examples have in common that are images: podman with a store
# of its own, a base image of Debian's static busybox. Nothing is pulled.

# shellcheck source=../e2e/helpers.bash source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/../e2e/helpers.bash"

# store_up: for setup_file; the images busybox and stepdown-foreign are there then
store_up()
{
	podman_up images_up podman run --rm --network none stepdown-foreign \
		/witness
}

images_up()
{
	base_up
	image foreign
}

# Commands may be run as a page shows them: nothing but a loopback, unasked.
without_network()
{
	export CONTAINERS_CONF=${CONTAINERS_CONF:-$BATS_FILE_TMPDIR/network.conf}
	touch "$CONTAINERS_CONF"
	grep -q '^\[containers\]' "$CONTAINERS_CONF" ||
		echo '[containers]' >>"$CONTAINERS_CONF"
	sed -i '/^\[containers\]/a netns = "none"' "$CONTAINERS_CONF"
}

# quietly COMMAND... : the words only if it fails
quietly()
{
	"$@" >"$BATS_FILE_TMPDIR/log" 2>&1 3>&- 4>&- ||
		fail "$(cat "$BATS_FILE_TMPDIR/log")"
}

# The image `busybox`, and stepdown-foreign with nothing but the witness.
base_up()
{
	local bin=$BATS_FILE_TMPDIR/base/bin name

	mkdir -p "$bin" "$BATS_FILE_TMPDIR/base/etc"
	cp "$(command -v busybox)" "$bin/busybox"
	for name in $(busybox --list); do
		[ -e "$bin/$name" ] || ln -s busybox "$bin/$name"
	done
	printf 'FROM scratch\nCOPY bin /bin\n' >"$BATS_FILE_TMPDIR/base/Dockerfile"
	quietly podman build --network none -t busybox "$BATS_FILE_TMPDIR/base"
}

# image NAME [BASE]: of examples/NAME, as stepdown-NAME; or `foreign`
image()
{
	local context=$BATS_FILE_TMPDIR/context-$1

	mkdir -p "$context"
	cp "$STEPDOWN" "$context/stepdown"
	cp "$WITNESS" "$context/witness"
	if [ "$1" = foreign ]; then
		printf 'FROM scratch\nCOPY witness /\nCMD ["/witness"]\n' \
			>"$context/Dockerfile"
	else
		cp -R "$top/examples/$1/." "$context"
	fi
	quietly podman build --network none --pull-never \
		--build-arg "BASE=localhost/${2:-busybox}" -t "stepdown-$1" "$context"
}

# The image of examples/user-in-image, with the capabilities that it names
user_image()
{
	local context=$BATS_FILE_TMPDIR/context-user-in-image words

	words=$(sed -n 's/^\$ setcap \([^ ]*\) .*/\1/p' \
		"$top/examples/user-in-image/README.md")
	mkdir -p "$context"
	cp "$STEPDOWN" "$context/stepdown-with-capabilities"
	setcap "$words" "$context/stepdown-with-capabilities"
	image user-in-image
}

# server_image NAME ROOT: of examples/NAME, on top of a root file system
server_image()
{
	tar -C "$2" -c . | quietly podman import - "debian-$1"
	image "$1" "debian-$1"
}

nginx_image()
{
	"$top/examples/nginx/make-root" "$top/build/roots/nginx"
	server_image nginx "$top/build/roots/nginx"
}

kestrel_image()
{
	"$top/examples/kestrel/get-server" "$top/build/cache/kestrel"
	"$top/examples/kestrel/make-root" "$top/build/roots/kestrel" \
		"$top/build/cache/kestrel/azmcp"
	server_image kestrel "$top/build/roots/kestrel"
}
