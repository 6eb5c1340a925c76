#!/usr/bin/env bats
# The computation of test/lib/floors finds what it is there to find: each rule
# is given a small program that violates it, and nothing else.

floors=$BATS_TEST_DIRNAME/floors

setup()
{
	tree=$BATS_TEST_TMPDIR
	mkdir -p "$tree/test" "$tree/shim/base" "$tree/shim/own"
	touch "$tree/Makefile.am" "$tree/configure.ac" "$tree/CONTRIBUTING.md"
	printf '#ifndef A_H\n#define A_H\n#endif\n' >"$tree/shim/base/a.h"
	printf '#include "base/a.h"\n' >"$tree/shim/base/a.c"
	printf '#include "base/a.h"\n' >"$tree/shim/own/b.h"
	printf '#include "own/b.h"\n\n#include "base/a.h"\n' >"$tree/shim/own/b.c"
	mapfile -t rules < <("$floors" --rules)
	only_violation ''
}

# only_violation LINE: of all the rules
only_violation()
{
	run "$floors" --tree "$tree" "${rules[@]}"
	[ "$output" = "$1" ] || { echo "$output"; return 1; }
	[ "$status" -eq "$([ -n "$1" ]; echo $((! $?)))" ]
}

@test "a file that includes a header of a floor above" {
	echo '#include "own/b.h"' >>"$tree/shim/base/a.c"
	echo '#include "own/b.h"' >"$tree/shim/own/b.c"
	: >"$tree/shim/own/b.h"
	only_violation \
		'up shim/base/a.c: includes own/b.h of a floor above'
}

@test "a header that is nowhere, or not named from shim/" {
	echo '#include "a.h"' >>"$tree/shim/base/a.c"
	only_violation \
		'up shim/base/a.c: includes a.h, which is not in shim/'
}

@test "a circle of three rooms, by way of a .c" {
	echo '#include "own/c.h"' >>"$tree/shim/own/b.h"
	echo '#include "own/d.h"' >"$tree/shim/own/c.h"
	: >"$tree/shim/own/d.h"
	printf '#include "own/d.h"\n#include "own/b.h"\n' >"$tree/shim/own/d.c"
	only_violation 'cycle shim/own/b: is in a cycle
cycle shim/own/c: is in a cycle
cycle shim/own/d: is in a cycle'
}

@test "includes that are not sorted" {
	printf '/* */\n#include "own/b.h"\n#include "base/a.h"\n' \
		>"$tree/shim/own/c.c"
	only_violation 'sorted shim/own/c.c: its includes are not sorted'
}

@test "81 columns, a tab being eight and a character one" {
	printf '\t%072d\n/* %072d … */\n' 0 0 >>"$tree/shim/own/b.c"
	only_violation ''
	printf '\t%073d\n' 0 >>"$tree/shim/own/b.c"
	only_violation 'columns shim/own/b.c: line 6 has 81 columns'
	sed -i '$d' "$tree/shim/own/b.c"
	printf '\t\t"%%s of a message of \\"%073d\\n");\n' 0 >>"$tree/shim/own/b.c"
	only_violation ''
}

@test "401 lines" {
	yes '/* */' | head -n 397 >>"$tree/shim/own/b.c"
	only_violation ''
	echo >>"$tree/shim/own/b.c"
	only_violation 'lines shim/own/b.c: has 401 lines'
}

@test "a function of 61 lines" {
	{ echo 'int f(void)'; echo '{'; yes '	g();' | head -n 58; echo '}'; } \
		>>"$tree/shim/own/b.c"
	only_violation ''
	sed -i 's/^}/\tg();\n}/' "$tree/shim/own/b.c"
	only_violation 'functions shim/own/b.c: f() has 61 lines'
}

@test "a static function with the name of another one" {
	echo 'static const char *add(int n)' | tee -a "$tree/shim/own/b.c" \
		>>"$tree/shim/base/a.c"
	only_violation \
'statics shim/base/a.c: static add() is in shim/base/a.c shim/own/b.c
statics shim/own/b.c: static add() is in shim/base/a.c shim/own/b.c'
}

@test "an #ifdef" {
	echo '#ifdef NOWHERE' >"$tree/shim/base/sys.h"
	only_violation ''
	echo '#ifdef NOWHERE' >>"$tree/shim/own/b.c"
	only_violation 'ifdef shim/own/b.c: line 4: #ifdef NOWHERE'
}

@test "a function that a test replaces" {
	echo 'LDFLAGS = -Wl,--wrap=setuid' >"$tree/Makefile.am"
	only_violation 'wrap Makefile.am: line 1 replaces a function'
}

@test "a drawing that is not of today" {
	printf '<!-- drawing -->\n<!-- end of drawing -->\n' \
		>"$tree/CONTRIBUTING.md"
	only_violation "drawing CONTRIBUTING.md: its drawing is old;\
 run test/lib/floors --write"
	"$floors" --tree "$tree" --write
	grep -Eq '^      b +-> base: a$' "$tree/CONTRIBUTING.md"
	only_violation ''
	"$floors" --tree "$tree" --write
	only_violation ''
}

@test "what is known is passed over, and must go when it is mended" {
	echo '#ifdef NOWHERE' >>"$tree/shim/own/b.c"
	echo 'ifdef shim/own/b.c' >"$tree/floors.todo"
	only_violation ''
	sed -i '$d' "$tree/shim/own/b.c"
	only_violation \
		'ifdef shim/own/b.c: is mended; take it from floors.todo'
}
