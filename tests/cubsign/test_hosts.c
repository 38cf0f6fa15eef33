/* SPDX-License-Identifier: MIT */
/* Devices as people write them, on the command line and in a file. */
#include "host.h"

#include <unistd.h>

#include "disk.h"
#include "hosts.h"
#include "x509.h"

#define DIGITS "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define PATH   "test.hosts"

static void
hosts_and_addresses_have_a_port_or_get_one(void **state)
{
	static const struct {
		const char *written, *host, *port;
		bool is_name;
	} table[] = {
		{ "router-17", "router-17", "21", true },
		{ "router-17.example.org:2121", "router-17.example.org", "2121", true },
		{ "192.0.2.1", "192.0.2.1", "21", false },
		{ "192.0.2.1:65535", "192.0.2.1", "65535", false },
		{ "::1", "::1", "21", false },
		{ "2001:db8::17", "2001:db8::17", "21", false },
		{ "[::1]", "::1", "21", false },
		{ "[2001:db8::17]:990", "2001:db8::17", "990", false },
		{ "[fe80::1%eth0]:21", "fe80::1%eth0", "21", false },
	};
	char text[256];
	struct dial to;

	(void)state;
	for (size_t i = 0; i < LEN(table); i++) {
		struct out why = OUT(text);

		CLAIM(dial_parse(text_of(table[i].written), &to, &why), "%s", table[i].written);
		CLAIM(strcmp(to.host, table[i].host) == 0, "%s", table[i].written);
		CLAIM(strcmp(to.port, table[i].port) == 0, "%s", table[i].written);
		CLAIM(to.is_name == table[i].is_name, "%s", table[i].written);
	}
}

static void
what_is_no_host_is_refused_with_a_reason(void **state)
{
	static const char *const table[] = {
		"", ":21", "host:", "host:0", "host:65536", "host:21x", "host: 21", "ftp://host", "host/x",
		"user@host", "a host", "host\n", "host\r\nDELE x", "-host", "[::1", "[::1]21", "[::1]:",
		"[host]:21", "[]:21", "::1]", "h\xC3\xB6st", "\x1B[2J",
	};
	char text[256];
	struct dial to;

	(void)state;
	for (size_t i = 0; i < LEN(table); i++) {
		struct out why = OUT(text);

		CLAIM(!dial_parse(text_of(table[i]), &to, &why), "%s", table[i]);
		CLAIM(why.len > 0 && text_is_printable(out_so_far(&why)), "%s", table[i]);
	}
}

static bool
read_file(struct hosts *h, const char *content, struct out *why)
{
	if (!disk_write(PATH, content, strlen(content), 0600, true, why)) {
		fail_msg("the file can't be written");
	}
	*h = (struct hosts){ .item = NULL };
	return hosts_read(h, PATH, why);
}

static void
a_file_lists_hosts_with_and_without_fingerprints(void **state)
{
	char text[256];
	struct out why = OUT(text);
	struct hosts h;

	(void)state;
	assert_true(read_file(&h, "# all of them\n\n  one  \ntwo:2121\tsha256:" DIGITS "  # known\r\n"
		"\r\n[::1]:21 SHA256 Fingerprint=" DIGITS, &why));
	assert_int_equal(h.count, 3);
	assert_string_equal(h.item[0].name, "one");
	assert_string_equal(h.item[0].pin, "");
	assert_string_equal(h.item[1].to.port, "2121");
	assert_string_equal(h.item[1].pin, DIGITS);
	assert_string_equal(h.item[2].to.host, "::1");
	assert_string_equal(h.item[2].pin, DIGITS);
	hosts_free(&h);
}

static void
a_bad_line_is_named(void **state)
{
	static const struct {
		const char *content, *where, *why;
	} table[] = {
		{ "one\n\ntwo:x\n", PATH ":3: ", "port" },
		{ "one " "00112233\n", PATH ":1: ", "64 digits" },
		{ "one " DIGITS "00\n", PATH ":1: ", "64 digits" },
		{ "one two\n", PATH ":1: ", "64 digits" },
		{ "one\nONE:21\n", PATH ":2: ", "twice" },
		{ "one\n\x1B[2J\n", PATH ":2: ", "HOST" },
	};
	char text[256];
	struct hosts h;

	(void)state;
	for (size_t i = 0; i < LEN(table); i++) {
		struct out why = OUT(text);

		CLAIM(!read_file(&h, table[i].content, &why), "%s", table[i].content);
		CLAIM(strstr(out_finish(&why), table[i].where) == text, "%s: %s", table[i].content, text);
		CLAIM(strstr(text, table[i].why) != NULL, "%s: %s", table[i].content, text);
		hosts_free(&h);
	}
}

static void
a_thousand_hosts_are_kept_in_their_order(void **state)
{
	char text[256], name[16];
	struct hosts h = { .item = NULL };

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		struct out why = OUT(text);

		(void)snprintf(name, sizeof name, "host-%u", i);
		CLAIM(hosts_add(&h, text_of(name), NULL, &why), "%u", i);
	}
	for (unsigned i = 0; i < 1000; i++) {
		(void)snprintf(name, sizeof name, "host-%u", i);
		CLAIM(strcmp(h.item[i].name, name) == 0, "%u", i);
	}
	hosts_free(&h);
}

static void
the_table_has_a_line_for_each_device(void **state)
{
	static const char *const rows[] = {
		"HOST              OUTCOME      UNTIL        FINGERPRINT",
		"router-17:2121    provisioned  2031-05-01   sha256:" DIGITS "\n",
		"[2001:db8::1]:21  as before                 ",
		"gate              unknown      without end  sha256:" DIGITS "  it is gone\n",
	};
	char text[256], row[HOSTS_ROW];
	struct out why = OUT(text);
	struct hosts h = { .item = NULL };

	(void)state;
	assert_true(hosts_add(&h, TEXT("router-17:2121"), NULL, &why));
	assert_true(hosts_add(&h, TEXT("[2001:db8::1]:21"), NULL, &why));
	assert_true(hosts_add(&h, TEXT("gate"), NULL, &why));
	for (size_t i = 0; i < h.count; i++) {
		for (size_t k = 0; k < 32; k++) {
			h.item[i].fingerprint[k] = (uint8_t)(0x11 * (k % 16));
		}
		h.item[i].is_known = i != 1;
	}
	h.item[0].outcome = HOST_PROVISIONED;
	h.item[0].until_s = 1935360000;
	(void)snprintf(h.item[1].reason, sizeof h.item[1].reason, "%0*d", 511, 1);
	h.item[2].outcome = HOST_UNKNOWN;
	h.item[2].until_s = X509_FOREVER;
	(void)snprintf(h.item[2].reason, sizeof h.item[2].reason, "it is gone");
	for (size_t i = 0; i <= h.count; i++) {
		struct out o = OUT(row);

		hosts_put_row(&h, i, &o);
		CLAIM(!o.cut && o.at[o.len - 1] == '\n', "%zu", i);
		CLAIM(strstr(out_finish(&o), rows[i]) == row, "%zu: %s", i, row);
		/* Reasons stand below each other. */
		CLAIM(i == 1 || strncmp(row + 117, i == 0 ? "REASON\n" : i == 2 ? "000" : "it is", 3) == 0,
			"%zu: %s", i, row);
	}
	hosts_free(&h);
}

static void
without_any_fingerprint_its_column_is_narrow(void **state)
{
	char text[256], row[HOSTS_ROW];
	struct out why = OUT(text), o = OUT(row);
	struct hosts h = { .item = NULL };

	(void)state;
	assert_true(hosts_add(&h, TEXT("gate"), NULL, &why));
	hosts_put_row(&h, 0, &o);
	assert_string_equal(out_finish(&o),
		"HOST  OUTCOME      UNTIL        FINGERPRINT  REASON\n");
	hosts_free(&h);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(hosts_and_addresses_have_a_port_or_get_one),
		TEST(what_is_no_host_is_refused_with_a_reason),
		TEST(a_file_lists_hosts_with_and_without_fingerprints),
		TEST(a_bad_line_is_named),
		TEST(a_thousand_hosts_are_kept_in_their_order),
		TEST(the_table_has_a_line_for_each_device),
		TEST(without_any_fingerprint_its_column_is_narrow),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, host_enter_folder, host_remove_folder);
}
