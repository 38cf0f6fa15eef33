/* SPDX-License-Identifier: MIT */
/*
 * Client paths: whatever a client writes, what comes out lies within its root and names no
 * file of the server's own.
 */
#include "unit.h"

#include "path.h"

static void
paths_come_out_in_their_one_form(void **state)
{
	static const struct {
		const char *cwd, *arg, *want;
	} table[] = {
		{ "/", "", "/" }, { "/", "/", "/" }, { "/", "a", "/a" }, { "/", "/a", "/a" },
		{ "/a/b", "", "/a/b" }, { "/a/b", "c", "/a/b/c" }, { "/a/b", "/c", "/c" },
		{ "/a/b", ".", "/a/b" }, { "/a/b", "./", "/a/b" }, { "/a/b", "././c/.", "/a/b/c" },
		{ "/a/b", "..", "/a" }, { "/a/b", "../", "/a" }, { "/a/b", "../c", "/a/c" },
		{ "/a/b", "../..", "/" }, { "/a/b", "../../..", "/" }, { "/a/b", "../../../c", "/c" },
		{ "/a/b", "/..", "/" }, { "/a/b", "/../../etc/passwd", "/etc/passwd" },
		{ "/a/b", "//", "/" }, { "/a/b", "//c//d//", "/c/d" }, { "/a/b", "c//d", "/a/b/c/d" },
		{ "/a/b", "/c/./d/../e/", "/c/e" }, { "/a/b", "c/../../d", "/a/d" },
		{ "/a/b", "...", "/a/b/..." }, { "/a/b", "..c", "/a/b/..c" }, { "/", "c..", "/c.." },
		{ "/", ". ", "/. " }, { "/", " ..", "/ .." }, { "/", "-rf", "/-rf" }, { "/", "~", "/~" },
		{ "/", "a b\\c:*?\"<>|", "/a b\\c:*?\"<>|" }, { "/", "\xC3\xA4/\xE2\x82\xAC",
			"/\xC3\xA4/\xE2\x82\xAC" },
		{ "/", ".cubftpd", "/.cubftpd" }, { "/", "x.cubftpd-1", "/x.cubftpd-1" },
	};
	char out[CUB_PATH_MAX];

	(void)state;
	for (size_t i = 0; i < LEN(table); i++) {
		int err = path_resolve(table[i].cwd, text_of(table[i].arg), out);

		CLAIM(err == CUB_OK, "%s in %s", table[i].arg, table[i].cwd);
		CLAIM(strcmp(out, table[i].want) == 0, "%s in %s: %s", table[i].arg, table[i].cwd, out);
	}
}

static void
names_that_nobody_may_use_are_refused_wherever_they_stand(void **state)
{
	static const struct text bad[] = {
		TEXT_IN("\0"), TEXT_IN("a\0b"), TEXT_IN("a\nb"), TEXT_IN("a\rb"), TEXT_IN("\t"),
		TEXT_IN("\x1B[2J"), TEXT_IN("a\x7F"), TEXT_IN("\xC2\x85"), TEXT_IN("\xFF"),
		TEXT_IN("\xC0\xAE\xC0\xAE"), TEXT_IN("\xC0\xAF"), TEXT_IN("\xED\xA0\x80"),
		TEXT_IN("\xE4"), TEXT_IN(".cubftpd-"), TEXT_IN(".cubftpd-00000001"),
	};
	static const char *const around[][2] = {
		{ "", "" }, { "/", "" }, { "a/", "/b" }, { "", "/.." }, { "../", "/" }, { "//", "//" },
	};

	(void)state;
	for (size_t i = 0; i < LEN(bad) * LEN(around); i++) {
		const char *const *shell = around[i % LEN(around)];
		char bytes[64], out[CUB_PATH_MAX];
		struct out o = OUT(bytes);

		out_string(&o, shell[0]);
		out_text(&o, bad[i / LEN(around)]);
		out_string(&o, shell[1]);
		CLAIM(path_resolve("/cwd", out_so_far(&o), out) == CUB_E_NAME, "no. %zu, case %zu",
			i / LEN(around), i % LEN(around));
	}
}

/* Names of `name_len` bytes, until the path has `len` bytes. */
static struct text
long_path(char *dst, size_t len, size_t name_len)
{
	for (size_t i = 0; i < len; i++) {
		dst[i] = i % (name_len + 1) == 0 && i + 1 < len ? '/' : 'n';
	}
	return (struct text){ dst, len };
}

static void
a_path_fits_with_its_end_into_path_max(void **state)
{
	char bytes[CUB_PATH_MAX + 1], out[CUB_PATH_MAX];
	struct text t = long_path(bytes, CUB_PATH_MAX - 1, 100);

	(void)state;
	assert_int_equal(path_resolve("/", t, out), CUB_OK);
	assert_int_equal(strlen(out), CUB_PATH_MAX - 1);
	assert_memory_equal(out, bytes, CUB_PATH_MAX - 1);
	assert_int_equal(path_resolve(out, TEXT("."), bytes), CUB_OK);
	assert_int_equal(path_resolve(out, TEXT("x"), bytes), CUB_E_NAME);
	t = long_path(bytes, CUB_PATH_MAX, 100);
	assert_int_equal(path_resolve("/", t, out), CUB_E_NAME);
	/* Slashes and dots that vanish don't count. */
	t = long_path(bytes, CUB_PATH_MAX - 1, 100);
	bytes[CUB_PATH_MAX - 1] = '/';
	t.len++;
	assert_int_equal(path_resolve("/", t, out), CUB_OK);
	assert_int_equal(strlen(out), CUB_PATH_MAX - 1);
}

static void
a_name_has_at_most_255_bytes(void **state)
{
	char bytes[CUB_NAME_MAX], out[CUB_PATH_MAX];

	(void)state;
	if (CUB_PATH_MAX <= CUB_NAME_MAX) {
		skip();
	}
	memset(bytes, 'n', sizeof bytes);
	assert_int_equal(path_resolve("/", (struct text){ bytes, 255 }, out), CUB_OK);
	assert_int_equal(strlen(out), 256);
	assert_int_equal(path_resolve("/", (struct text){ bytes, 256 }, out), CUB_E_NAME);
}

/* "/", or names with a slash before each, none of them empty, "." or "..". */
static bool
is_in_its_form(const char *path)
{
	struct text rest = text_of(path);

	if (rest.len == 0 || rest.len >= CUB_PATH_MAX || text_cut(&rest, '/').len != 0) {
		return false;
	}
	if (rest.len == 0) {
		return true;
	}
	while (rest.at != NULL) {
		struct text name = text_cut(&rest, '/');

		if (name.len == 0 || name.len >= CUB_NAME_MAX || !path_is_visible(name)
			|| text_is(name, ".") || text_is(name, "..")) {
			return false;
		}
	}
	return true;
}

/* Row 4.14 of the checklist. */
static void
whatever_is_resolved_stays_in_the_root_and_resolves_to_itself(void **state)
{
	char cwd[CUB_PATH_MAX] = "/";
	uint32_t good = 0, deep = 0;

	(void)state;
	for (uint32_t round = 0; round < claim_rounds(100000); round++) {
		char bytes[CUB_PATH_MAX + 40], out[CUB_PATH_MAX], again[CUB_PATH_MAX];
		uint32_t max = sim_random_below(64) == 0 ? sizeof bytes : 24;
		struct text arg = unit_random_text(bytes, max, "////...ab");
		bool sane = sim_random_below(8) != 0;

		for (size_t i = 0; sane && i < arg.len; i++) {
			bytes[i] = (unsigned char)bytes[i] < ' ' || (unsigned char)bytes[i] > '~' ? '/'
				: bytes[i];
		}
		if (path_resolve(cwd, arg, out) != CUB_OK) {
			continue;
		}
		good++;
		deep += strlen(out) > 20;
		CLAIM(is_in_its_form(out), "round %u", (unsigned)round);
		CLAIM(path_resolve("/", text_of(out), again) == CUB_OK, "round %u", (unsigned)round);
		CLAIM(strcmp(out, again) == 0, "round %u", (unsigned)round);
		CLAIM(path_resolve(out, TEXT(""), again) == CUB_OK && strcmp(out, again) == 0,
			"round %u", (unsigned)round);
		strcpy(cwd, sim_random_below(50) == 0 ? "/" : out);
	}
	assert_in_range(good, claim_rounds(100000) / 4, UINT32_MAX);
	assert_in_range(deep, 1, UINT32_MAX);
}

static void
the_port_gets_relative_paths_and_a_dot_for_the_root(void **state)
{
	(void)state;
	assert_string_equal(path_in_root("/"), ".");
	assert_string_equal(path_in_root("/a"), "a");
	assert_string_equal(path_in_root("/a/b"), "a/b");
	assert_string_equal(path_last("/"), "");
	assert_string_equal(path_last("/a"), "a");
	assert_string_equal(path_last("/a/b c"), "b c");
}

static void
names_that_clients_cannot_use_are_not_shown(void **state)
{
	(void)state;
	assert_true(path_is_visible(TEXT("a b")));
	assert_true(path_is_visible(TEXT(".hidden")));
	assert_true(path_is_visible(TEXT("\xC3\xA4")));
	assert_true(path_is_visible(TEXT(".cubftpd")));
	assert_false(path_is_visible(TEXT(".cubftpd-")));
	assert_false(path_is_visible(TEXT(".cubftpd-12ab")));
	assert_false(path_is_visible(TEXT("two\nlines")));
	assert_false(path_is_visible(TEXT("\xE4")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(paths_come_out_in_their_one_form),
		TEST(names_that_nobody_may_use_are_refused_wherever_they_stand),
		TEST(a_path_fits_with_its_end_into_path_max),
		TEST(a_name_has_at_most_255_bytes),
		TEST(whatever_is_resolved_stays_in_the_root_and_resolves_to_itself),
		TEST(the_port_gets_relative_paths_and_a_dot_for_the_root),
		TEST(names_that_clients_cannot_use_are_not_shown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
