/* SPDX-License-Identifier: MIT */
/* Subject alternative names: text to DER and back. */
#include "host.h"

#include "san.h"

static uint8_t buffer[SAN_MAX + 64];
static char text[8192], reason[512];
static struct out why;

static const struct bytes nothing = { NULL, 0 };

/* A list as DER; empty where it is refused. */
static struct bytes
parse(const char *list, struct bytes asked)
{
	struct der d;

	why = OUT(reason);
	der_start(&d, buffer, sizeof buffer);
	if (!san_parse(&d, text_of(list), asked, &why)) {
		assert_true(why.len > 0);
		assert_ptr_equal(d.at, d.end);
		return nothing;
	}
	assert_false(d.cut);
	return (struct bytes){ d.at, (size_t)(d.end - d.at) };
}

static const char *
show(struct bytes names)
{
	struct out o = OUT(text);

	san_put(&o, names);
	return out_finish(&o);
}

static void
a_list_becomes_der_in_its_order(void **state)
{
	static const uint8_t want[] = { 0x82, 3, 'a', '.', 'b', 0x87, 4, 192, 0, 2, 17, 0x82, 1, 'c',
		0x87, 16, 0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x17 };
	struct bytes names = parse("DNS:a.b,IP:192.0.2.17,DNS:c,IP:2001:db8::17", nothing);

	(void)state;
	assert_true(bytes_equal(names, BYTES(want)));
	assert_string_equal(show(names), "DNS:a.b,IP:192.0.2.17,DNS:c,IP:2001:db8::17");
	assert_null(san_check(names));
}

static void
blanks_and_the_case_of_kinds_do_not_matter(void **state)
{
	(void)state;
	assert_string_equal(show(parse(" dns: a.b ,\tIp :192.0.2.17", nothing)),
		"DNS:a.b,IP:192.0.2.17");
}

static void
nothing_comes_twice(void **state)
{
	(void)state;
	assert_string_equal(show(parse("DNS:a,DNS:b,IP:192.0.2.1,DNS:A,IP:192.0.2.1,DNS:b,IP:::1,"
		"IP:0:0::1", nothing)), "DNS:a,DNS:b,IP:192.0.2.1,IP:::1");
	/* An address and a name of the same bytes are two. */
	assert_string_equal(show(parse("DNS:abcd,IP:97.98.99.100", nothing)),
		"DNS:abcd,IP:97.98.99.100");
}

static void
request_stands_for_what_it_asks_for(void **state)
{
	static const uint8_t asked[] = { 0x82, 1, 'x', 0x87, 4, 10, 0, 0, 1 };

	(void)state;
	assert_string_equal(show(parse("request", BYTES(asked))), "DNS:x,IP:10.0.0.1");
	assert_string_equal(show(parse("DNS:a, Request ,IP:10.0.0.1", BYTES(asked))),
		"DNS:a,DNS:x,IP:10.0.0.1");
	assert_string_equal(show(parse("request", nothing)), "");
}

static void
a_request_gets_no_other_kinds_of_names(void **state)
{
	static const uint8_t email[] = { 0x82, 1, 'x', 0x81, 3, 'a', '@', 'b' };
	static const uint8_t wildcard[] = { 0x82, 3, '*', '.', 'x' };
	static const uint8_t mask[] = { 0x87, 8, 10, 0, 0, 0, 255, 0, 0, 0 };
	static const uint8_t torn[] = { 0x82, 3, 'x' };
	static const uint8_t zero[] = { 0x82, 1, 'x', 0 };
	static const uint8_t address[] = { 0x82, 8, '1', '0', '.', '0', '.', '0', '.', '1' };
	static const struct bytes bad[] = { { email, sizeof email }, { wildcard, sizeof wildcard },
		{ mask, sizeof mask }, { torn, sizeof torn },
		{ zero, sizeof zero }, { address, sizeof address } };

	(void)state;
	for (size_t i = 0; i < LEN(bad); i++) {
		CLAIM(san_check(bad[i]) != NULL, "%zu", i);
		CLAIM(parse("DNS:a,request", bad[i]).len == 0, "%zu", i);
		CLAIM(parse("DNS:a", bad[i]).len == 3, "%zu", i);
	}
}

static void
what_is_no_name_is_refused_with_a_reason(void **state)
{
	static const char *const bad[] = {
		"", " ", ",", "DNS:a,", ",DNS:a", "DNS:a,,DNS:b", "DNS:", "DNS", "a", "IP:", "IP:1",
		"IP:1.2.3", "IP:1.2.3.4.5", "IP:1.2.3.256", "IP:01.2.3.4", "IP:1.2.3.4:21", "IP:[::1]",
		"IP:::1]:5", "IP:[::1]:21", "IP::", "IP:::1%eth0", "IP:1::2::3", "IP:fe80::12345",
		"IP:a.b", "DNS:*.a", "DNS:*", "DNS:a*", "DNS:-a", "DNS:a-", "DNS:a..b", "DNS:.a",
		"DNS:a.", "DNS:a b", "DNS:a_b", "DNS:\xC3\xA4", "DNS:192.0.2.17", "DNS:a:b", "email:a@b",
		"URI:x", "requests", "request:", "DNS a", "IP 1.2.3.4", "\x1B[31m"
	};

	(void)state;
	for (size_t i = 0; i < LEN(bad); i++) {
		CLAIM(parse(bad[i], nothing).len == 0, "%s", bad[i]);
		CLAIM(memchr(reason, '\x1B', why.len) == NULL, "%s", bad[i]);
	}
	(void)parse("DNS:a,DNS:*.b", nothing);
	assert_true(SAYS(&why, "DNS:*.b: a name with a wildcard would fit other devices, too"));
	(void)parse("DNS:192.0.2.17", nothing);
	assert_true(SAYS(&why, "DNS:192.0.2.17: an address is written IP:ADDRESS"));
}

static void
a_host_name_has_at_most_253_bytes(void **state)
{
	char list[300] = "DNS:";

	(void)state;
	memset(list + 4, 'a', 253);
	for (size_t i = 4 + 63; i < 4 + 253; i += 64) {
		list[i] = '.';
	}
	assert_int_equal(parse(list, nothing).len, 3 + 253);
	assert_string_equal(show(parse(list, nothing)), list);
	list[4 + 253] = 'a';
	assert_int_equal(parse(list, nothing).len, 0);
}

static void
too_many_names_are_refused(void **state)
{
	char list[8192] = "";
	struct out o = OUT(list);

	(void)state;
	for (unsigned i = 0; i < 146; i++) {
		out_string(&o, i > 0 ? ",DNS:n" : "DNS:n");
		out_digits(&o, i, 4);
	}
	(void)out_finish(&o);
	assert_int_equal(parse(list, nothing).len, 146 * 7);
	list[o.len] = ',';
	memcpy(list + o.len + 1, "DNS:12", sizeof "DNS:12");
	assert_int_equal(parse(list, nothing).len, 0);
	list[o.len] = '\0';
	assert_int_equal(parse(list, nothing).len, 146 * 7);
}

static void
a_writer_without_room_says_so(void **state)
{
	uint8_t small[4];
	struct der d;

	(void)state;
	why = OUT(reason);
	der_start(&d, small, sizeof small);
	assert_true(san_parse(&d, TEXT("DNS:abc"), nothing, &why));
	assert_true(d.cut);
}

static void
names_of_all_kinds_are_shown_and_none_looks_like_another(void **state)
{
	static const uint8_t names[] = { 0x81, 3, 'a', '@', 'b', 0x86, 3, 'x', ':', 'y',
		0xA4, 2, 0x30, 0, 0xA0, 2, 6, 0, 0x88, 1, 1, 0x82, 7, 'a', ',', 'I', 'P', ':', '1', '\n',
		0x82, 3, '"', '\\', 0xFF, 0x87, 3, 1, 2, 3 };

	(void)state;
	assert_string_equal(show(BYTES(names)), "email:a@b,URI:x:y,directory,other,other,"
		"DNS:a\\x2cIP:1\\x0a,DNS:\\x22\\x5c\\xff,IP:010203");
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(a_list_becomes_der_in_its_order),
		TEST(blanks_and_the_case_of_kinds_do_not_matter),
		TEST(nothing_comes_twice),
		TEST(request_stands_for_what_it_asks_for),
		TEST(a_request_gets_no_other_kinds_of_names),
		TEST(what_is_no_name_is_refused_with_a_reason),
		TEST(a_host_name_has_at_most_253_bytes),
		TEST(too_many_names_are_refused),
		TEST(a_writer_without_room_says_so),
		TEST(names_of_all_kinds_are_shown_and_none_looks_like_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
