/* SPDX-License-Identifier: MIT */
/*
 * Log lines: that values from outside can't forge a field, an event or a line, and that a
 * line that is cut still consists of what was said.
 */
#include "unit.h"

#include "log.h"

#define RING CONFIG_CUBFTPD_LOG_RING

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

/* Row 4.22 of the checklist. */
static void
values_cannot_forge_a_field_or_a_line(void **state)
{
	(void)state;
	for (uint32_t round = 0; round < claim_rounds(20000); round++) {
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

#if CONFIG_CUBFTPD_SYSLOG
/* RFC 5424 section 6: <PRI>VERSION TIMESTAMP HOSTNAME APP-NAME PROCID MSGID STRUCTURED-DATA MSG */
static void
a_syslog_message_has_the_form_of_rfc_5424(void **state)
{
	static const struct {
		enum port_log_level level;
		const char *host, *line, *message;
	} table[] = {
		{ PORT_LOG_ERROR, "router-17", "event=trust-store state=damaged",
			"<91>1 2050-01-01T01:01:01Z router-17 cubftpd 4294967295 trust-store - "
			"event=trust-store state=damaged" },
		{ PORT_LOG_WARNING, "", "event=refused cause=password",
			"<92>1 2050-01-01T01:01:01Z - cubftpd 4294967295 refused - event=refused "
			"cause=password" },
		{ PORT_LOG_INFO, "two words", "event=stop",
			"<94>1 2050-01-01T01:01:01Z two\\x20words cubftpd 4294967295 stop - event=stop" },
		{ PORT_LOG_DEBUG, "h", "event=state from=ready",
			"<95>1 2050-01-01T01:01:01Z h cubftpd 4294967295 state - event=state from=ready" },
	};

	(void)state;
	sim_time_set(INT64_C(2524611661));
	for (size_t i = 0; i < LEN(table); i++) {
		char bytes[CUBFTPD_SYSLOG_MAX];
		struct out o = OUT(bytes);

		cubftpd_put_syslog(&o, table[i].level, table[i].host, UINT32_MAX, table[i].line,
			strlen(table[i].line));
		CLAIM(SAYS(&o, table[i].message), "%s: %.*s", table[i].line, (int)o.len, bytes);
	}
}

static void
the_longest_line_of_the_longest_host_fits_into_a_syslog_message(void **state)
{
	char bytes[CUBFTPD_SYSLOG_MAX], host[65], line[LOG_LINE] = "event=an-event-of-a-long-name ";
	struct out o = OUT(bytes);

	(void)state;
	memset(host, ' ', sizeof host - 1);  /* which takes four bytes each */
	host[sizeof host - 1] = '\0';
	memset(line + 30, 'x', sizeof line - 30);
	cubftpd_put_syslog(&o, PORT_LOG_INFO, host, UINT32_MAX, line, sizeof line);
	assert_false(o.cut);
	assert_int_equal(bytes[o.len - 1], 'x');
}
#endif

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

/* The ring */

static char ring[RING + 1];

/* All that is in the ring, as a string. */
static char *
ring_text(void)
{
	uint64_t from = log_ring_start();
	size_t len = log_ring_read(&from, ring, sizeof ring - 1);

	CLAIM(from == log_ring_end() && len == from - log_ring_start(), "%zu bytes", len);
	ring[len] = '\0';
	return ring;
}

static void
log_one(enum port_log_level level, const char *event, uint64_t number)
{
	struct log l;

	log_start(&l, event);
	log_number(&l, "n", number);
	log_end(&l, level);
}

static void
a_line_in_the_ring_has_its_time_and_its_level(void **state)
{
	uint64_t from = log_ring_end();
	char text[200];
	size_t len;

	(void)state;
	sim_time_set(2524608000 + 3661);
	log_one(PORT_LOG_ERROR, "a", 1);
	log_one(PORT_LOG_WARNING, "b", 2);
	log_one(PORT_LOG_INFO, "c", 3);
	len = log_ring_read(&from, text, sizeof text - 1);
	text[len] = '\0';
	assert_string_equal(text, "20500101T010101Z error event=a n=1\n"
		"20500101T010101Z warning event=b n=2\n20500101T010101Z info event=c n=3\n");
	assert_true(from == log_ring_end());
	assert_int_equal(log_ring_read(&from, text, sizeof text), 0);
}

/* A clock that was never set: the floor is shown, as everywhere. */
static void
the_time_in_the_ring_is_never_below_the_floor(void **state)
{
	uint64_t from = log_ring_end();
	char text[17];

	(void)state;
	sim_time_set(0);
	log_one(PORT_LOG_INFO, "a", 1);
	assert_int_equal(log_ring_read(&from, text, 16), 16);
	text[16] = '\0';
	assert_true(strcmp(text, "20240101T000000Z") > 0);
}

static void
debugging_does_not_come_into_the_ring(void **state)
{
	uint64_t end = log_ring_end();

	(void)state;
	log_one(PORT_LOG_DEBUG, "a", 1);
	assert_true(log_ring_end() == end);
	assert_int_equal(sim_log_count(), 1);
}

/* Some line: of any length that there can be, each with a number of its own. */
static void
log_something(uint64_t number)
{
	static const char bytes[LOG_LINE];
	struct log l;

	log_start(&l, "something");
	log_number(&l, "n", number);
	if (sim_random_below(4) > 0) {
		log_text(&l, "t", (struct text){ bytes, sim_random_below(100) });
	}
	log_end(&l, PORT_LOG_INFO);
}

static void
the_ring_holds_the_last_whole_lines_and_as_many_as_fit(void **state)
{
	static char all[3 * RING];
	size_t len = strlen(strcpy(all, ring_text()));

	(void)state;
	for (uint32_t round = 0; round < claim_rounds(3000); round++) {
		uint64_t from = log_ring_end();
		const char *want;

		log_something(round);
		/* The line itself is as it should be; of what is too old, forget the half. */
		if (len > 2 * RING) {
			memmove(all, all + RING, len - RING);
			len -= RING;
		}
		len += log_ring_read(&from, all + len, LOG_RING_LINE);
		all[len] = '\0';
		CLAIM(from == log_ring_end() && all[len - 1] == '\n', "round %u", (unsigned)round);
		want = len > RING ? strchr(all + len - RING - 1, '\n') + 1 : all;
		CLAIM(strcmp(ring_text(), want) == 0, "round %u", (unsigned)round);
		CLAIM(log_ring_end() - log_ring_start() == strlen(want), "round %u", (unsigned)round);
	}
	assert_in_range(log_ring_start(), 1, UINT32_MAX);
}

static void
windows_of_the_ring_joined_are_all_lines(void **state)
{
	static char joined[RING + LOG_RING_LINE];

	(void)state;
	for (uint32_t round = 0; round < claim_rounds(500); round++) {
		bool is_small = round % 2 == 0;
		size_t len = 0, n;
		uint64_t from;

		log_something(round);
		from = log_ring_start();
		do {
			size_t cap = is_small ? 1 + sim_random_below(60) : LOG_RING_LINE;

			n = log_ring_read(&from, joined + len, cap);
			CLAIM(n <= cap && from == log_ring_start() + len + n, "round %u", (unsigned)round);
			CLAIM(n == 0 || is_small || joined[len + n - 1] == '\n', "round %u", (unsigned)round);
			len += n;
		} while (n > 0);
		CLAIM(strlen(ring_text()) == len && memcmp(ring, joined, len) == 0, "round %u",
			(unsigned)round);
	}
}

/* A download that is slower than what happens: it has a gap, but no half lines. */
static void
reading_what_is_gone_goes_on_at_the_oldest_whole_line(void **state)
{
	(void)state;
	for (uint32_t round = 0; round < claim_rounds(500); round++) {
		uint64_t old = log_ring_start(), from = old;
		char text[LOG_RING_LINE];

		for (uint32_t i = 0; i < 1 + round % 60 || log_ring_start() == old; i++) {
			log_something(i);
		}
		from += sim_random_below((uint32_t)(log_ring_start() - old));
		CLAIM(log_ring_read(&from, text, sizeof text) > 24, "round %u", (unsigned)round);
		CLAIM(memcmp(text, ring_text(), 24) == 0 && text[15] == 'Z', "round %u", (unsigned)round);
		from = 0;
		CLAIM(log_ring_read(&from, text, 1) == 1, "round %u", (unsigned)round);
		CLAIM(from == log_ring_start() + 1, "round %u", (unsigned)round);
	}
}

static void
positions_that_never_were_are_the_end(void **state)
{
	uint64_t from = UINT64_MAX;
	char byte;

	(void)state;
	log_one(PORT_LOG_INFO, "a", 1);
	assert_int_equal(log_ring_read(&from, &byte, 1), 0);
	from = log_ring_end() + 1;
	assert_int_equal(log_ring_read(&from, &byte, 1), 0);
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
#if CONFIG_CUBFTPD_SYSLOG
		TEST(a_syslog_message_has_the_form_of_rfc_5424),
		TEST(the_longest_line_of_the_longest_host_fits_into_a_syslog_message),
#endif
		TEST(a_line_that_is_full_has_no_fields_that_nobody_wrote),
		TEST(a_value_that_is_cut_is_a_beginning_of_the_value),
		TEST(a_line_in_the_ring_has_its_time_and_its_level),
		TEST(the_time_in_the_ring_is_never_below_the_floor),
		TEST(debugging_does_not_come_into_the_ring),
		TEST(the_ring_holds_the_last_whole_lines_and_as_many_as_fit),
		TEST(windows_of_the_ring_joined_are_all_lines),
		TEST(reading_what_is_gone_goes_on_at_the_oldest_whole_line),
		TEST(positions_that_never_were_are_the_end),
		TEST(every_error_has_a_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
