/* SPDX-License-Identifier: MIT */
/*
 * Listings: the lines that clients parse, byte by byte; what must not be shown; and that
 * no directory, however large or odd, makes a line longer than a buffer.
 */
#include "unit.h"

#include "account.h"
#include "listing.h"

/* 2026-11-23 06:12:00 */
#define NOW INT64_C(1795414320)

#define RIGHTS_ALL (RIGHT_READ | RIGHT_WRITE | RIGHT_DELETE | RIGHT_LIST)

static port_root root;

static int
setup(void **state)
{
	unit_setup(state);
	assert_int_equal(port_root_open(PORT_NONE, "/srv", &root), CUB_OK);
	return 0;
}

static struct listing_style
style_of(enum listing_format format)
{
	return (struct listing_style){
		.format = format, .facts = FACT_ALL, .rights = RIGHTS_ALL, .now_s = NOW,
	};
}

static const struct port_stat a_file = {
	.kind = PORT_FILE, .mode = 0640, .size = UINT64_C(5000000000), .mtime_s = NOW,
	.device = 0x803, .inode = 0x1F,
};
static const struct port_stat a_dir = {
	.kind = PORT_DIR, .mode = 0755, .size = 4096, .mtime_s = 0, .device = 0x803, .inode = 0x20,
};
static const struct port_stat another = {
	.kind = PORT_OTHER, .mode = 0777, .size = 7, .mtime_s = NOW, .device = 0x803, .inode = 0x21,
};

static const char *
line_of(const struct listing_style *style, const char *name, const struct port_stat *stat)
{
	static char bytes[LISTING_LINE_MAX + 1];
	struct out o = { .at = bytes, .cap = LISTING_LINE_MAX };

	listing_put(&o, style, name, stat);
	assert_false(o.cut);
	return out_finish(&o);
}

static void
long_lines_look_like_those_of_ls(void **state)
{
	struct listing_style style = style_of(LISTING_LONG);

	(void)state;
	assert_string_equal(line_of(&style, "a b.txt", &a_file),
		"-rw-r----- 1 ftp ftp 5000000000 Nov 23 06:12 a b.txt\r\n");
	assert_string_equal(line_of(&style, "sub", &a_dir),
		"drwxr-xr-x 1 ftp ftp 0 Jan  1  1970 sub\r\n");
	assert_string_equal(line_of(&style, "link", &another),
		"lrwxrwxrwx 1 ftp ftp 0 Nov 23 06:12 link\r\n");
}

/* RFC 3659 section 7. */
static void
facts_are_those_of_rfc_3659(void **state)
{
	struct listing_style style = style_of(LISTING_FACTS);

	(void)state;
	assert_string_equal(line_of(&style, "a b.txt", &a_file),
		"type=file;size=5000000000;modify=20261123061200;perm=rawfd;"
		"unique=0000000000000803g000000000000001f;UNIX.mode=0640; a b.txt\r\n");
	assert_string_equal(line_of(&style, "sub", &a_dir),
		"type=dir;modify=19700101000000;perm=elcmfdp;"
		"unique=0000000000000803g0000000000000020;UNIX.mode=0755; sub\r\n");
	assert_string_equal(line_of(&style, "link", &another),
		"type=OS.unix=other;modify=20261123061200;perm=rawfd;"
		"unique=0000000000000803g0000000000000021;UNIX.mode=0777; link\r\n");
}

static void
only_the_facts_that_were_asked_for_are_given(void **state)
{
	struct listing_style style = style_of(LISTING_FACTS);

	(void)state;
	style.facts = 0;
	assert_string_equal(line_of(&style, "a", &a_file), " a\r\n");
	style.facts = FACT_SIZE;
	assert_string_equal(line_of(&style, "a", &a_file), "size=5000000000; a\r\n");
	assert_string_equal(line_of(&style, "sub", &a_dir), " sub\r\n");
	style.facts = FACT_UNIX_MODE | FACT_TYPE;
	assert_string_equal(line_of(&style, "a", &a_file), "type=file;UNIX.mode=0640; a\r\n");
}

static void
names_are_given_alone(void **state)
{
	struct listing_style style = style_of(LISTING_NAMES);

	(void)state;
	assert_string_equal(line_of(&style, "a b.txt", &a_file), "a b.txt\r\n");
	assert_string_equal(line_of(&style, "sub", &a_dir), "sub\r\n");
}

static void
names_have_before_them_what_leads_there(void **state)
{
	struct listing_style style = style_of(LISTING_NAMES);

	(void)state;
	style.within = "one/two";
	assert_string_equal(line_of(&style, "a b", &a_file), "one/two/a b\r\n");
	style.within = "";  /* the root */
	assert_string_equal(line_of(&style, "a b", &a_file), "/a b\r\n");
}

/* Who deletes or mirrors a tree must not go on behind a link; CWD and RETR may. */
static void
a_link_to_a_folder_is_a_link_and_one_to_a_file_that_file(void **state)
{
	struct port_stat dir = a_dir, file = a_file, lost = another;
	struct listing_style style = style_of(LISTING_LONG);

	(void)state;
	dir.is_link = file.is_link = lost.is_link = true;
	assert_int_equal(line_of(&style, "a", &dir)[0], 'l');
	assert_int_equal(line_of(&style, "a", &file)[0], '-');
	assert_int_equal(line_of(&style, "a", &lost)[0], 'l');
	style = style_of(LISTING_FACTS);
	style.facts = FACT_TYPE;
	assert_string_equal(line_of(&style, "a", &dir), "type=OS.unix=symlink; a\r\n");
	assert_string_equal(line_of(&style, "a", &file), "type=file; a\r\n");
	assert_string_equal(line_of(&style, "a", &lost), "type=OS.unix=symlink; a\r\n");
	assert_string_equal(line_of(&style, "a", &another), "type=OS.unix=other; a\r\n");
}

/* RFC 3659 section 7.5.5, for each right alone. CWD asks for none. */
static void
permissions_are_those_of_the_account(void **state)
{
	static const struct {
		uint8_t rights;
		const char *of_file, *of_dir;
	} table[] = {
		{ 0, "perm=; a\r\n", "perm=e; a\r\n" },
		{ RIGHT_READ, "perm=r; a\r\n", "perm=e; a\r\n" },
		{ RIGHT_WRITE, "perm=awf; a\r\n", "perm=ecmf; a\r\n" },
		{ RIGHT_DELETE, "perm=d; a\r\n", "perm=edp; a\r\n" },
		{ RIGHT_LIST, "perm=; a\r\n", "perm=el; a\r\n" },
	};

	(void)state;
	for (size_t i = 0; i < LEN(table); i++) {
		struct listing_style style = style_of(LISTING_FACTS);

		style.facts = FACT_PERM;
		style.rights = table[i].rights;
		assert_string_equal(line_of(&style, "a", &a_file), table[i].of_file);
		assert_string_equal(line_of(&style, "a", &a_dir), table[i].of_dir);
	}
}

static void
the_longest_line_fits_what_is_promised(void **state)
{
	static const struct port_stat most = {
		.kind = PORT_FILE, .mode = 0777, .size = UINT64_MAX, .mtime_s = INT64_MAX,
		.device = UINT64_MAX, .inode = UINT64_MAX,
	};
	struct port_stat other = most;
	char name[CUB_NAME_MAX], way[CUB_PATH_MAX];

	(void)state;
	memset(way, 'w', sizeof way - 1);
	way[sizeof way - 1] = '\0';
	memset(name, 'n', sizeof name - 1);
	name[sizeof name - 1] = '\0';
	other.kind = PORT_OTHER;
	for (enum listing_format format = LISTING_LONG; format <= LISTING_FACTS; format++) {
		struct listing_style style = style_of(format);

		style.within = way;
		assert_non_null(strstr(line_of(&style, name, &most), name));
		assert_non_null(strstr(line_of(&style, name, &other), name));
	}
}

/* Everything that a listing gives, with a buffer of `cap` bytes at a time. */
static int
list(const struct listing_style *style, const char *path, size_t cap, struct out *all)
{
	struct listing l;
	char bytes[4096];
	int err = listing_open(&l, style, NULL, root, path);

	if (err < 0) {
		return err;
	}
	do {
		struct out o = { .at = bytes, .cap = cap };

		err = listing_fill(&l, &o);
		assert_false(o.cut);
		out_text(all, out_so_far(&o));
	} while (err == CUB_OK);
	listing_close(&l);
	return err;
}

static void
a_directory_is_listed_in_the_order_of_the_platform(void **state)
{
	struct listing_style style = style_of(LISTING_NAMES);
	char bytes[256];
	struct out all = OUT(bytes);

	(void)state;
	sim_file_put("/srv/d/z", "1", 1);
	sim_dir_put("/srv/d/sub");
	sim_other_put("/srv/d/device");
	sim_file_put("/srv/d/a", "", 0);
	assert_int_equal(list(&style, "/d", sizeof bytes * 4, &all), CUB_EOF);
	assert_true(SAYS(&all, "z\r\nsub\r\ndevice\r\na\r\n"));
	assert_int_equal(sim_file_open_count(), 1);
	all = OUT(bytes);
	assert_int_equal(list(&style, "/d/sub", 1024, &all), CUB_EOF);
	assert_int_equal(all.len, 0);
}

static void
what_clients_cannot_name_is_left_out_in_each_format(void **state)
{
	(void)state;
	sim_file_put("/srv/.cubftpd-0001", "half an upload", 14);
	sim_file_put("/srv/two\nlines", "x", 1);
	sim_file_put("/srv/latin\xE4", "x", 1);
	sim_file_put("/srv/escape\x1B[2J", "x", 1);
	sim_file_put("/srv/.profile", "x", 1);
	for (enum listing_format format = LISTING_LONG; format <= LISTING_FACTS; format++) {
		struct listing_style style = style_of(format);
		char bytes[512];
		struct out all = OUT(bytes);

		assert_int_equal(list(&style, "/", 1024, &all), CUB_EOF);
		assert_non_null(strstr(out_finish(&all), ".profile\r\n"));
		assert_null(strstr(bytes, ".cubftpd-"));
		assert_null(strstr(bytes, "two"));
		assert_null(strstr(bytes, "latin"));
		assert_null(strstr(bytes, "escape"));
	}
}

static void
a_single_file_is_listed_by_its_name(void **state)
{
	struct listing_style style = style_of(LISTING_LONG);
	char bytes[512];
	struct out all = OUT(bytes);

	(void)state;
	sim_file_put("/srv/d/a b", "four", 4);
	sim_file_mtime_set("/srv/d/a b", NOW);
	assert_int_equal(list(&style, "/d/a b", LISTING_LINE_MAX, &all), CUB_EOF);
	assert_true(SAYS(&all, "-rw-r--r-- 1 ftp ftp 4 Nov 23 06:12 a b\r\n"));
	style = style_of(LISTING_NAMES);
	style.within = "d/a b";
	all = OUT(bytes);
	assert_int_equal(list(&style, "/d/a b", LISTING_LINE_MAX, &all), CUB_EOF);
	assert_true(SAYS(&all, "d/a b\r\n"));
	assert_int_equal(sim_file_open_count(), 1);
}

static void
what_cannot_be_listed_says_why(void **state)
{
	struct listing l = { .state = LISTING_CLOSED };
	struct listing_style style = style_of(LISTING_FACTS);

	(void)state;
	sim_file_put("/srv/a", "x", 1);
	sim_dir_put("/srv/closed");
	sim_file_deny("/srv/closed", true);
	assert_int_equal(listing_open(&l, &style, NULL, root, "/a"), CUB_E_NOTDIR);
	assert_int_equal(listing_open(&l, &style, NULL, root, "/none"), CUB_E_NOENT);
	assert_int_equal(listing_open(&l, &style, NULL, root, "/closed"), CUB_E_DENIED);
	assert_int_equal(l.state, LISTING_CLOSED);
	listing_close(&l);
	assert_int_equal(sim_file_open_count(), 1);
}

static void
a_large_directory_comes_in_parts_and_each_entry_once(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 300; i++) {
		char path[32];

		snprintf(path, sizeof path, "/srv/d/%03u", i);
		sim_file_put(path, "", 0);
	}
	for (size_t cap = LISTING_LINE_MAX; cap <= 4096; cap += 1 + cap / 3) {
		struct listing_style style = style_of(LISTING_NAMES);
		char bytes[2048], want[8];
		struct out all = OUT(bytes);

		CLAIM(list(&style, "/d", cap, &all) == CUB_EOF, "%zu bytes at a time", cap);
		CLAIM(all.len == 5 * 300, "%zu bytes at a time", cap);
		for (unsigned i = 0; i < 300; i++) {
			snprintf(want, sizeof want, "%03u\r\n", i);
			CLAIM(memcmp(bytes + 5 * i, want, 5) == 0, "%zu bytes at a time", cap);
		}
	}
}

/* Facts of names that are as long as they can be, into the smallest buffer. */
static void
no_entry_is_cut_however_long_its_line(void **state)
{
	struct listing_style style = style_of(LISTING_FACTS);
	char path[8 + 256] = "/srv/d/";
	static char bytes[20 * LISTING_LINE_MAX];
	struct out all = OUT(bytes);

	(void)state;
	memset(path + 7, 'n', 255);
	for (unsigned i = 0; i < 20; i++) {
		path[7] = (char)('a' + i);
		sim_file_put(path, "", 0);
	}
	assert_int_equal(list(&style, "/d", LISTING_LINE_MAX + 40, &all), CUB_EOF);
	for (unsigned i = 0, lines = 0; i < all.len; i++) {
		lines += bytes[i] == '\n';
		assert_true(i + 1 < all.len || lines == 20);
	}
}

/* So that one session can't hold up the others, even where all entries are hidden. */
static void
one_call_looks_at_a_bounded_number_of_entries(void **state)
{
	struct listing l = { .state = LISTING_CLOSED };
	struct listing_style style = style_of(LISTING_NAMES);
	static char bytes[65536];
	struct out o = OUT(bytes);
	uint64_t before;

	(void)state;
	for (unsigned i = 0; i < 400; i++) {
		char path[48];

		snprintf(path, sizeof path, "/srv/d/.cubftpd-%03u", i);
		sim_file_put(path, "", 0);
	}
	assert_int_equal(listing_open(&l, &style, NULL, root, "/d"), CUB_OK);
	before = sim_file_calls();
	assert_int_equal(listing_fill(&l, &o), CUB_OK);
	assert_in_range(sim_file_calls() - before, 1, 64);
	listing_close(&l);
}

static void
a_failing_medium_ends_a_listing_with_its_error(void **state)
{
	struct listing l = { .state = LISTING_CLOSED };
	struct listing_style style = style_of(LISTING_NAMES);
	char bytes[LISTING_LINE_MAX];
	struct out o = OUT(bytes);

	(void)state;
	sim_file_put("/srv/d/a", "", 0);
	assert_int_equal(listing_open(&l, &style, NULL, root, "/d"), CUB_OK);
	sim_file_fail_at(1, false, CUB_E_IO);
	assert_int_equal(listing_fill(&l, &o), CUB_E_IO);
	listing_close(&l);
	assert_int_equal(sim_file_open_count(), 1);
	sim_file_fail_at(2, false, CUB_E_LIMIT);
	assert_int_equal(listing_open(&l, &style, NULL, root, "/d"), CUB_E_LIMIT);
	assert_int_equal(l.state, LISTING_CLOSED);
}

static void
fact_names_are_read_whatever_their_case_and_unknown_ones_left_out(void **state)
{
	(void)state;
	assert_int_equal(listing_parse_facts(TEXT("type;size;")), FACT_TYPE | FACT_SIZE);
	assert_int_equal(listing_parse_facts(TEXT("SIZE;unix.MODE")), FACT_SIZE | FACT_UNIX_MODE);
	assert_int_equal(listing_parse_facts(TEXT("create;lang;perm;x;")), FACT_PERM);
	assert_int_equal(listing_parse_facts(TEXT("")), 0);
	assert_int_equal(listing_parse_facts(TEXT(";;;")), 0);
	assert_int_equal(listing_parse_facts(TEXT("types;siz;")), 0);
	assert_int_equal(listing_parse_facts((struct text){ NULL, 0 }), 0);
	assert_int_equal(listing_parse_facts(TEXT("type;size;modify;perm;unique;UNIX.mode;")),
		FACT_ALL);
}

static void
fact_names_are_written_with_a_mark_where_they_are_on(void **state)
{
	char bytes[80];
	struct out o = OUT(bytes);

	(void)state;
	listing_put_facts(&o, FACT_ALL, FACT_TYPE | FACT_UNIX_MODE, "*");
	assert_true(SAYS(&o, "type*;size;modify;perm;unique;UNIX.mode*;"));
	o = OUT(bytes);
	listing_put_facts(&o, FACT_SIZE | FACT_PERM, 0, "");
	assert_true(SAYS(&o, "size;perm;"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(long_lines_look_like_those_of_ls, setup),
		cmocka_unit_test_setup(facts_are_those_of_rfc_3659, setup),
		cmocka_unit_test_setup(only_the_facts_that_were_asked_for_are_given, setup),
		cmocka_unit_test_setup(names_are_given_alone, setup),
		cmocka_unit_test_setup(names_have_before_them_what_leads_there, setup),
		cmocka_unit_test_setup(a_link_to_a_folder_is_a_link_and_one_to_a_file_that_file, setup),
		cmocka_unit_test_setup(permissions_are_those_of_the_account, setup),
		cmocka_unit_test_setup(the_longest_line_fits_what_is_promised, setup),
		cmocka_unit_test_setup(a_directory_is_listed_in_the_order_of_the_platform, setup),
		cmocka_unit_test_setup(what_clients_cannot_name_is_left_out_in_each_format, setup),
		cmocka_unit_test_setup(a_single_file_is_listed_by_its_name, setup),
		cmocka_unit_test_setup(what_cannot_be_listed_says_why, setup),
		cmocka_unit_test_setup(a_large_directory_comes_in_parts_and_each_entry_once, setup),
		cmocka_unit_test_setup(no_entry_is_cut_however_long_its_line, setup),
		cmocka_unit_test_setup(one_call_looks_at_a_bounded_number_of_entries, setup),
		cmocka_unit_test_setup(a_failing_medium_ends_a_listing_with_its_error, setup),
		cmocka_unit_test_setup(fact_names_are_read_whatever_their_case_and_unknown_ones_left_out,
			setup),
		cmocka_unit_test_setup(fact_names_are_written_with_a_mark_where_they_are_on, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
