#include "unit.h"

#include <sys/stat.h>

#include "base/mode.h"

static mode_t applied(const char *text, mode_t mode, bool dir, mode_t mask)
{
	if (!mode_apply(text, dir, mask, &mode))
		fail_msg("%s should be a mode", text);
	return mode;
}

/* Each was asked of GNU chmod 9.1. */
TEST(it_does_what_chmod_does)
{
	static const struct {
		const char *text;
		mode_t before, file, dir;
	} cases[] = {
		{ "u=rwX,g=rX,o=", 0644, 0640, 0750 },
		{ "u=rwX,g=rX,o=", 0755, 0750, 0750 },
		{ "03775", 0644, 03775, 03775 },
		{ "0700", 06755, 0700, 06700 },
		{ "00700", 06755, 0700, 0700 },
		{ "a+X", 0644, 0644, 0755 },
		{ "a+X", 0614, 0715, 0715 },
		{ "+w", 0444, 0644, 0644 },
		{ "a+w", 0444, 0666, 0666 },
		{ "g=u", 0740, 0770, 0770 },
		{ "g=u-w", 0740, 0750, 0750 },
		{ "o=g,g=", 0751, 0705, 0705 },
		{ "=", 0777, 0000, 0000 },
		{ "u+s,g+s", 0755, 06755, 06755 },
		{ "a=rx", 06755, 0555, 06555 },
		{ "u=rws", 0755, 04655, 04655 },
		{ "g-s", 02755, 0755, 0755 },
		{ "+t", 0755, 01755, 01755 },
		{ "o=t", 0755, 01750, 01750 },
		{ "755", 06644, 0755, 06755 },
		{ "2755", 0644, 02755, 02755 },
		{ "0", 0777, 0, 0 },
		{ "-x", 0755, 0644, 0644 },
		{ "ug+r,o-rwx", 0017, 0450, 0450 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		mode_t file = applied(cases[i].text, cases[i].before, false,
				      022);
		mode_t folder = applied(cases[i].text, cases[i].before, true,
					022);

		if (file != cases[i].file || folder != cases[i].dir)
			fail_msg("%s of %04o: %04o and %04o", cases[i].text,
				 cases[i].before, file, folder);
	}
}

TEST(what_is_right_stays_right)
{
	static const char *const texts[] = { "u=rwX,g=rX,o=", "a+X", "640",
					     "g=u", "-x+X", "u=rws" };

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		for (mode_t mode = 0; mode < 010000; mode++) {
			mode_t once = applied(texts[i], mode, mode & 1, 022);

			assert_int_equal(applied(texts[i], once, mode & 1, 022),
					 once);
		}
}

TEST(what_is_no_mode_is_refused)
{
	static const char *const texts[] = {
		"", "u", "rw", "u=q", "u=rw,", ",u=r", "u=r,,g=r", "8", "755x",
		"17555", "007555", "u=rg", "u=ug", " 755", "u = r", "0x1ff",
	};
	mode_t mode = 0644;

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		if (mode_apply(texts[i], false, 0, &mode) || mode != 0644)
			fail_msg("'%s' should be refused", texts[i]);
}
