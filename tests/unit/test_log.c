/* SPDX-License-Identifier: MIT */
/*
 * Log lines: that values from outside can't forge a field, an event or a line, and that a
 * line that is cut still consists of what was said.
 */
#include "unit.h"

#include "log.h"

static void
a_line_is_an_event_and_its_fields(void **state)
{
	struct port_addr addr = sim_ipv4(192, 0, 2, 7, 40000);
	uint8_t fingerprint[32] = { 0xAB, [31] = 0x01 };
	struct log l;

	(void)state;
	log_start(&l, "login");
	log_string(&l, "account", "admin");
	log_text(&l, "name", TEXT("a b"));
	log_number(&l, "bytes", UINT64_MAX);
	log_addr(&l, "peer", &addr);
	log_fingerprint(&l, "certificate", fingerprint);
	log_end(&l, PORT_LOG_WARNING);
	assert_int_equal(sim_log_count(), 1);
	assert_int_equal(sim_log_count_of(PORT_LOG_WARNING), 1);
	assert_string_equal(sim_log_line(0), "event=login account=admin name=a\\x20b "
		"bytes=18446744073709551615 peer=192.0.2.7:40000 certificate=sha256:ab"
		"00000000000000000000000000000000000000000000000000000000000001");
}

/* The fields of a line, by the rule that a reader has: split at blanks, then at "=". */
static unsigned
fields_of(const struct log *l, struct text *key, struct text *value, unsigned max)
{
	struct text rest = out_so_far(&l->out);
	unsigned count = 0;

	while (rest.len > 0 && count < max) {
		value[count] = text_cut(&rest, ' ');
		key[count] = text_cut(&value[count], '=');
		CLAIM(memchr(value[count].at != NULL ? value[count].at : "", '=', value[count].len) == NULL,
			"field %u", count);
		count++;
	}
	return count;
}

static void
values_cannot_forge_a_field_or_a_line(void **state)
{
	(void)state;
	for (uint32_t round = 0; round < unit_rounds(20000); round++) {
		struct text key[8], value[8], name, path;
		char a[24], b[24];
		struct log l;

		name = unit_random_text(a, sizeof a, " =\"\\\n\revent=login");
		path = unit_random_text(b, sizeof b, " =\"\\\n\revent=login");
		log_start(&l, "refused");
		log_text(&l, "name", name);
		log_text(&l, "path", path);
		log_number(&l, "count", 3);
		CLAIM(fields_of(&l, key, value, 8) == 4, "round %u", (unsigned)round);
		CLAIM(text_same(key[0], "event") && text_same(value[0], "refused"), "%u", (unsigned)round);
		CLAIM(text_same(key[1], "name") && text_same(key[2], "path"), "%u", (unsigned)round);
		CLAIM(text_same(key[3], "count") && text_same(value[3], "3"), "%u", (unsigned)round);
		log_end(&l, PORT_LOG_INFO);  /* the simulated port refuses control characters */
	}
}

/* A value that fills the line must not leave halves of later fields, which look like others. */
static void
a_line_that_is_full_has_no_fields_that_nobody_wrote(void **state)
{
	(void)state;
	for (size_t len = 0; len < sizeof ((struct log *)0)->line + 8; len++) {
		char bytes[sizeof ((struct log *)0)->line + 8];
		struct text key[8], value[8];
		struct log l;
		unsigned count;

		memset(bytes, 'x', sizeof bytes);
		log_start(&l, "refused");
		log_text(&l, "name", (struct text){ bytes, len });
		log_string(&l, "account", "admin");
		log_number(&l, "attempts", 12345);
		count = fields_of(&l, key, value, 8);
		CLAIM(count >= 2 && count <= 4, "a name of %zu bytes", len);
		CLAIM(count < 3 || text_same(key[2], "account"), "a name of %zu bytes", len);
		CLAIM(count < 4 || text_same(key[3], "attempts"), "a name of %zu bytes", len);
	}
}

/* The last byte of a value that is cut must be one of its bytes, not a piece of an escape. */
static void
a_value_that_is_cut_is_a_beginning_of_the_value(void **state)
{
	(void)state;
	for (size_t len = 0; len < 8; len++) {
		static char bytes[sizeof ((struct log *)0)->line];
		char whole[4 * sizeof bytes];
		struct out o = OUT(whole);
		struct text t = { bytes, sizeof bytes };
		struct log l;

		memset(bytes, 'x', len);
		memset(bytes + len, 0x0A, sizeof bytes - len);
		out_escaped(&o, t);
		log_start(&l, "refused");
		log_text(&l, "name", t);
		CLAIM(memcmp(l.line + 19, whole, l.out.len - 19) == 0, "%zu letters first", len);
	}
}

static void
every_error_has_a_word(void **state)
{
	(void)state;
	for (int err = CUB_E_MEDIUM; err <= CUB_OK; err++) {
		const char *name = log_error_name(err);

		CLAIM(name != NULL && name[0] != '\0', "error %d", err);
		CLAIM(strpbrk(name, " =\"\\") == NULL, "error %d", err);
		for (int other = CUB_E_MEDIUM; other < err; other++) {
			CLAIM(strcmp(name, log_error_name(other)) != 0, "errors %d and %d", err, other);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_line_is_an_event_and_its_fields),
		TEST(values_cannot_forge_a_field_or_a_line),
		TEST(a_line_that_is_full_has_no_fields_that_nobody_wrote),
		TEST(a_value_that_is_cut_is_a_beginning_of_the_value),
		TEST(every_error_has_a_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
