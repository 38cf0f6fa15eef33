/* SPDX-License-Identifier: MIT */
/* Addresses as text: the C library is the judge, where it reads and writes the same forms. */
#include "unit.h"

#include <arpa/inet.h>

#include "addr.h"

static bool
parse(const char *text, struct port_addr *out)
{
	return addr_parse(text_of(text), out);
}

static void
good_addresses_are_read(void **state)
{
	struct port_addr addr;

	(void)state;
	assert_true(parse("192.0.2.1:21", &addr));
	assert_int_equal(addr.family, 4);
	assert_memory_equal(addr.ip, "\xC0\x00\x02\x01", 4);
	assert_int_equal(addr.tcp_port, 21);
	assert_true(parse("0.0.0.0:65535", &addr));
	assert_int_equal(addr.tcp_port, 65535);
	assert_true(parse("255.255.255.255:1", &addr));
	assert_true(parse("[::]:2121", &addr));
	assert_int_equal(addr.family, 6);
	assert_memory_equal(addr.ip, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);
	assert_int_equal(addr.scope, 0);
	assert_true(parse("[2001:DB8::aB:1]:990", &addr));
	assert_memory_equal(addr.ip, "\x20\x01\x0D\xB8\0\0\0\0\0\0\0\0\0\xAB\0\1", 16);
	assert_int_equal(addr.tcp_port, 990);
}

static void
anything_else_is_refused_and_changes_nothing(void **state)
{
	static const char *const bad[] = {
		"", ":", "21", ":21", "*:21", "localhost:21", "192.0.2.1", "192.0.2.1:", "192.0.2.1:0",
		"192.0.2.1:65536", "192.0.2.1:-1", "192.0.2.1:21 ", " 192.0.2.1:21", "192.0.2.1:ftp",
		"192.0.2.1:21:22", "192.0.2:21", "192.0.2.1.5:21", "192.0.2.256:21", "192.0.2.:21",
		".0.2.1:21", "192..2.1:21", "192.0.2.1.:21", "0x7f.0.0.1:21", "192.0.2.a:21",
		"192.0.2.1/24:21", "192.0.2.-1:21", "[192.0.2.1]:21", "::1:21", "::1", "[::1]", "[::1]:",
		"[::1]:0", "[::1]21", "[::1:21", "::1]:21", "[]:21", "[:]:21", "[:::]:21", "[::1::]:21",
		"[1::2::3]:21", "[1:2:3:4:5:6:7]:21", "[1:2:3:4:5:6:7:8:9]:21",
		"[1:2:3:4:5:6:7:8:9:a:b:c:d:e:f:1:2:3:4:5:6:7:8:9:a:b:c:d:e:f:1:2:3:4:5:6:7:8:9:a:b]:21",
		"[::1:2:3:4:5:6:7:8]:21",
		"[1:2:3:4:5:6:7:8::]:21", "[1:2:3:4::5:6:7:8]:21", "[:1:2:3:4:5:6:7]:21",
		"[1:2:3:4:5:6:7:]:21", "[1:2:3:4:5:6:7:8:]:21", "[12345::]:21", "[g::]:21", "[::-1]:21",
		"[fe80::1%eth0]:21", "[::1]]:21", "[[::1]:21", "[::1]:21x", "[ ::1]:21", "[::1 ]:21",
	};
	struct port_addr addr, before;

	(void)state;
	memset(&addr, 0x5A, sizeof addr);
	before = addr;
	for (size_t i = 0; i < LEN(bad); i++) {
		CLAIM(!parse(bad[i], &addr), "%s", bad[i]);
	}
	assert_false(addr_parse(TEXT("192.0.2.1\0:21"), &addr));
	assert_false(addr_parse(TEXT("192.0.2.1:21\0"), &addr));
	assert_false(addr_parse((struct text){ NULL, 0 }, &addr));
	assert_memory_equal(&addr, &before, sizeof addr);
}

/* inet_aton() reads 010 as 8, inet_pton() refuses it, people mean 10: so nobody may guess. */
static void
numbers_that_others_read_as_octal_are_refused(void **state)
{
	struct port_addr addr;

	(void)state;
	assert_false(parse("010.0.0.1:21", &addr));
	assert_false(parse("10.0.0.01:21", &addr));
	assert_false(parse("00.0.0.0:21", &addr));
}

/* An address of random bytes, of which many are zero. */
static struct port_addr
random_addr(uint8_t family)
{
	struct port_addr addr = { .family = family };
	uint32_t zeros = sim_random_below(4);

	for (unsigned i = 0; i < (family == 4 ? 4 : 16); i += 2) {
		if (sim_random_below(4) < zeros) {
			continue;
		}
		addr.ip[i] = (uint8_t)(sim_random_below(2) == 0 ? 0 : sim_random_below(256));
		addr.ip[i + 1] = (uint8_t)(sim_random_below(4) == 0 ? 0 : sim_random_below(256));
	}
	addr.tcp_port = (uint16_t)(1 + sim_random_below(65535));
	return addr;
}

/* The C library writes the last 32 bits of some addresses in the manner of IPv4. */
static bool
has_dots(const char *text)
{
	return strchr(text, '.') != NULL;
}

static void
addresses_are_written_as_the_c_library_does_and_read_back(void **state)
{
	(void)state;
	for (uint32_t round = 0; round < claim_rounds(50000); round++) {
		struct port_addr addr = random_addr(round % 4 == 0 ? 4 : 6), again;
		char want[INET6_ADDRSTRLEN], ip[48], whole[64], line[64];
		struct out o = OUT(ip), all = OUT(whole);

		addr_put_ip(&o, &addr);
		addr_put(&all, &addr);
		inet_ntop(addr.family == 4 ? AF_INET : AF_INET6, addr.ip, want, sizeof want);
		if (addr.family == 4 || !has_dots(want)) {
			CLAIM(strcmp(out_finish(&o), want) == 0, "%s", want);
			snprintf(line, sizeof line, addr.family == 4 ? "%s:%u" : "[%s]:%u", want,
				addr.tcp_port);
			CLAIM(strcmp(out_finish(&all), line) == 0, "%s", line);
		}
		CLAIM(parse(out_finish(&all), &again), "%s", whole);
		CLAIM(again.family == addr.family && again.tcp_port == addr.tcp_port, "%s", whole);
		CLAIM(memcmp(again.ip, addr.ip, 16) == 0, "%s", whole);
	}
}

static bool
has_leading_zero(const char *text)
{
	for (size_t i = 0; text[i] != '\0'; i++) {
		bool first = i == 0 || text[i - 1] == '.';

		if (first && text[i] == '0' && text[i + 1] >= '0' && text[i + 1] <= '9') {
			return true;
		}
	}
	return false;
}

/* But for numbers of IPv4 with leading zeros, about which see above. */
static void
what_is_read_is_what_the_c_library_reads(void **state)
{
	uint32_t good = 0;

	(void)state;
	for (uint32_t round = 0; round < claim_rounds(200000); round++) {
		bool is_4 = round % 4 == 0;
		char bytes[24], line[40];
		struct text t = unit_random_text(bytes, 23, is_4 ? "1020.." : "::::10aF");
		struct port_addr addr;
		uint8_t want[16];
		bool readable;

		for (size_t i = 0; i < t.len; i++) {
			bytes[i] = bytes[i] <= ' ' || bytes[i] > '~' || strchr("[]", bytes[i]) ? ':' : bytes[i];
		}
		bytes[t.len] = '\0';
		if (is_4 ? has_leading_zero(bytes) : has_dots(bytes)) {
			continue;
		}
		snprintf(line, sizeof line, is_4 ? "%s:21" : "[%s]:21", bytes);
		readable = inet_pton(is_4 ? AF_INET : AF_INET6, bytes, want) == 1;
		CLAIM(parse(line, &addr) == readable, "%s", line);
		CLAIM(!readable || memcmp(addr.ip, want, is_4 ? 4 : 16) == 0, "%s", line);
		good += readable;
	}
	assert_in_range(good, 20, UINT32_MAX);
}

static void
output_is_bounded(void **state)
{
	struct port_addr addr;

	(void)state;
	assert_true(parse("[1111:2222:3333:4444:5555:6666:7777:8888]:65535", &addr));
	for (size_t cap = 0; cap < 48; cap++) {
		char bytes[49];
		struct out o = { .at = bytes, .cap = cap };

		bytes[cap] = '#';
		addr_put(&o, &addr);
		CLAIM(o.cut == (cap < 47) && bytes[cap] == '#', "a capacity of %zu", cap);
	}
}

static void
a_host_is_its_address_and_scope_but_not_its_port(void **state)
{
	struct port_addr a = sim_ipv4(192, 0, 2, 1, 1), b = sim_ipv4(192, 0, 2, 1, 2);
	struct port_addr c = sim_ipv6(1, 1), d = sim_ipv6(1, 2);

	(void)state;
	assert_true(addr_same_host(&a, &b));
	b.ip[15] = 9;  /* says nothing for IPv4 */
	assert_true(addr_same_host(&a, &b));
	b.ip[3] = 2;
	assert_false(addr_same_host(&a, &b));
	assert_true(addr_same_host(&c, &d));
	d.scope = 2;
	assert_false(addr_same_host(&c, &d));
	d.scope = 0;
	d.ip[15] = 2;
	assert_false(addr_same_host(&c, &d));
	memset(c.ip, 0, sizeof c.ip);
	memset(a.ip, 0, sizeof a.ip);
	assert_false(addr_same_host(&a, &c));
}

static void
an_address_stands_alone_without_brackets_and_port(void **state)
{
	static const char *const bad[] = {
		"", " ", "192.0.2.1:21", "[::1]", "192.0.2", "192.0.2.1.", "::1 ", ":", "1:2:3", "a.b.c.d",
	};
	struct port_addr addr, before;

	(void)state;
	memset(&addr, 0x5A, sizeof addr);
	before = addr;
	for (size_t i = 0; i < LEN(bad); i++) {
		CLAIM(!addr_parse_ip(text_of(bad[i]), &addr), "%s", bad[i]);
		assert_memory_equal(&addr, &before, sizeof addr);
	}
	assert_false(addr_parse_ip((struct text){ NULL, 0 }, &addr));
	assert_true(addr_parse_ip(text_of("192.0.2.7"), &addr));
	assert_int_equal(addr.family, 4);
	assert_memory_equal(addr.ip, "\xC0\x00\x02\x07", 4);
	assert_int_equal(addr.tcp_port, 0);
	assert_true(addr_parse_ip(text_of("2001:db8::7"), &addr));
	assert_int_equal(addr.family, 6);
	assert_int_equal(addr.ip[15], 7);
}

/* Reads it from a buffer of its own size, so that a sanitizer sees each byte beyond. */
static struct port_addr
from_port(const char *line, size_t len)
{
	struct port_addr addr;
	char *exact = test_malloc(len + (len == 0));

	memcpy(exact, line, len);
	addr_parse_port((struct text){ exact, len }, &addr);
	test_free(exact);
	return addr;
}

static void
a_network_of_ipv6_counts_as_one_client_but_a_link_does_not(void **state)
{
	static const char *const pairs[][2] = {
		{ "192.0.2.1:1", "192.0.2.2:1" }, { "[2001:db8::1]:1", "[2001:db8:0:1::1]:1" },
		{ "192.0.2.1:1", "[2001:db8::1]:1" }, { "0.0.0.0:1", "[::]:1" },
	};
	struct port_addr a, b;

	(void)state;
	for (size_t i = 0; i < LEN(pairs); i++) {
		assert_true(parse(pairs[i][0], &a) && parse(pairs[i][1], &b));
		CLAIM(!addr_same_net(&a, &b) && addr_same_net(&a, &a), "%s", pairs[i][0]);
	}
	assert_true(parse("[2001:db8::1]:1", &a) && parse("[2001:db8::2:0:0:1]:2", &b));
	assert_true(addr_same_net(&a, &b));
	assert_true(parse("[fe80::1]:1", &a) && parse("[fe80::2]:1", &b));
	a.scope = b.scope = 2;
	assert_false(addr_same_net(&a, &b));
	b = a;
	b.tcp_port = 2;
	assert_true(addr_same_net(&a, &b));
}

static void
arguments_of_port_are_six_bytes(void **state)
{
	static const char good[] = "192,0,2,7,200,1";
	static const char *const bad[] = {
		"192,0,2,7,200,1,", "192,0,2,7,200,256", "192,0,2,7,200,-1",
		"192,0,2,7,200", "192.0.2.7,200,1", "192,0,2,7, 200,1", "192,0,2,7,200,0x1", "a,b,c,d,e,f",
		"192,0,2,7,200,01", "192,0,2,7,200,18446744073709551617",
	};
	struct port_addr addr = from_port(good, sizeof good - 1);

	(void)state;
	assert_int_equal(addr.family, 4);
	assert_memory_equal(addr.ip, "\xC0\x00\x02\x07\0\0", 6);
	assert_int_equal(addr.tcp_port, 51201);
	for (size_t len = 0; len < sizeof good - 1; len++) {
		CLAIM(from_port(good, len).family == 0, "%.*s", (int)len, good);
	}
	for (size_t i = 0; i < LEN(bad); i++) {
		CLAIM(from_port(bad[i], strlen(bad[i])).family == 0, "%s", bad[i]);
	}
}

static void
arguments_of_eprt_stand_between_four_separators(void **state)
{
	static const char *const good[] = {
		"|1|192.0.2.7|51201|", "!1!192.0.2.7!51201!", "|2|2001:db8::7|51201|",
	};
	static const char *const bad[] = {
		"1|192.0.2.7|51201|", "|1|192.0.2.7|51201|x", "|1|192.0.2.7|51201||", "|2|192.0.2.7|51201|",
		"|1|2001:db8::7|51201|", "|1|192.0.2.7|0|", "|1|192.0.2.7|65536|", "|1||51201|",
		"||192.0.2.7|51201|", "|x|192.0.2.7|51201|", "|2|[::1]|51201|", "|1|192.0.2.7|51201!",
		"|2|fe80::1%eth0|51201|",
	};
	static const char *const other[] = {
		"|3|x|1|", ",192,0,2,7,200,1", "|0|192.0.2.7|51201|", "|255|",
	};

	(void)state;
	for (size_t i = 0; i < LEN(good); i++) {
		struct port_addr addr = from_port(good[i], strlen(good[i]));

		CLAIM(addr.family == (i < 2 ? 4 : 6) && addr.tcp_port == 51201, "%s", good[i]);
		CLAIM(addr.ip[i < 2 ? 3 : 15] == 7, "%s", good[i]);
		for (size_t len = 0; len < strlen(good[i]); len++) {
			CLAIM(from_port(good[i], len).family == 0, "%.*s", (int)len, good[i]);
		}
	}
	for (size_t i = 0; i < LEN(bad); i++) {
		CLAIM(from_port(bad[i], strlen(bad[i])).family == 0, "%s", bad[i]);
	}
	for (size_t i = 0; i < LEN(other); i++) {
		uint8_t family = from_port(other[i], strlen(other[i])).family;

		CLAIM(family != 0 && family != 4 && family != 6, "%s", other[i]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(good_addresses_are_read),
		TEST(anything_else_is_refused_and_changes_nothing),
		TEST(numbers_that_others_read_as_octal_are_refused),
		TEST(addresses_are_written_as_the_c_library_does_and_read_back),
		TEST(what_is_read_is_what_the_c_library_reads),
		TEST(output_is_bounded),
		TEST(an_address_stands_alone_without_brackets_and_port),
		TEST(arguments_of_port_are_six_bytes),
		TEST(arguments_of_eprt_stand_between_four_separators),
		TEST(a_host_is_its_address_and_scope_but_not_its_port),
		TEST(a_network_of_ipv6_counts_as_one_client_but_a_link_does_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
