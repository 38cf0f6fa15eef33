/* SPDX-License-Identifier: MIT */
/*
 * Pending certificates: what is told of them, and who makes room for whom when the table is
 * full: whoever floods it pushes out only what is his own.
 */
#include "unit.h"

#include "pending.h"

#include "tests/data/certificates.h"

#define NOW INT64_C(1893456000)

static struct pending_table table;
static struct x509_cert cert;
static const struct bytes real = { certificate_p384, sizeof certificate_p384 };

static int
setup(void **state)
{
	unit_setup(state);
	memset(&table, 0, sizeof table);
	(void)x509_read(real, &cert);  /* whether this build has the curve or not */
	assert_int_not_equal(cert.subject.len, 0);
	return 0;
}

/* A certificate of a number comes: only its fingerprint matters. */
static struct pending *
come(uint32_t number, struct port_addr peer, int64_t now_s)
{
	struct bytes der = { (const uint8_t *)&number, sizeof number };
	bool is_new;

	return pending_note(&table, der, &cert, &peer, now_s, &is_new);
}

static struct pending *
find(uint32_t number)
{
	uint8_t hash[32];

	x509_hash((struct bytes){ (const uint8_t *)&number, sizeof number }, hash);
	return pending_find(&table, hash);
}

static struct port_addr
from(uint8_t host)
{
	return sim_ipv4(192, 0, 2, host, (uint16_t)(1024 + sim_random_below(60000)));
}

/* All that is in the table, as its description in the header says. */
static void
check_table(void)
{
	assert_in_range(table.count, 0, CUB_PENDING);
	for (unsigned i = 0; i < table.count; i++) {
		CLAIM(pending_find(&table, table.item[i].cert) == &table.item[i], "entry %u", i);
		CLAIM(table.item[i].order < table.order, "entry %u", i);
		CLAIM(table.item[i].first_s <= table.item[i].last_s, "entry %u", i);
	}
}

static void
an_entry_says_all_of_the_certificate_and_where_it_came_from(void **state)
{
	struct port_addr peer = sim_ipv4(192, 0, 2, 7, 40000);
	uint8_t hash[32];
	bool is_new = false;
	struct pending *p = pending_note(&table, real, &cert, &peer, NOW, &is_new);

	(void)state;
	assert_true(is_new);
	assert_int_equal(table.count, 1);
	x509_hash(real, hash);
	assert_memory_equal(p->cert, hash, 32);
	assert_ptr_equal(pending_find(&table, hash), p);
	x509_hash(cert.public_key, hash);
	assert_memory_equal(p->key, hash, 32);
	assert_string_equal(p->subject, "CN=p384");
	assert_string_equal(p->issuer, "CN=p384");
	assert_string_equal(p->account, "");
	assert_true(p->from_s == cert.from_s && p->until_s == cert.until_s);
	assert_memory_equal(&p->peer, &peer, sizeof peer);
	assert_true(p->first_s == NOW && p->last_s == NOW);
	assert_int_equal(p->count, 1);
}

static void
one_that_comes_again_keeps_its_place_and_is_counted(void **state)
{
	struct port_addr again = sim_ipv4(192, 0, 2, 99, 40001);
	struct pending *p = come(1, from(7), NOW), *other = CUB_PENDING > 1 ? come(2, from(8), NOW) : p;
	uint64_t order = p->order;
	bool is_new = true;
	uint32_t one = 1;

	(void)state;
	strcpy(p->account, "tech");
	assert_ptr_equal(pending_note(&table, (struct bytes){ (uint8_t *)&one, 4 }, &cert, &again,
		NOW + 60, &is_new), p);
	assert_false(is_new);
	assert_ptr_equal(find(2), CUB_PENDING > 1 ? other : NULL);
	assert_true(p->order == order && p->first_s == NOW && p->last_s == NOW + 60);
	assert_memory_equal(&p->peer, &again, sizeof again);
	assert_int_equal(p->count, 2);
	assert_string_equal(p->account, "tech");
	p->count = UINT32_MAX - 1;
	come(1, from(7), NOW);
	come(1, from(7), NOW);
	assert_true(p->count == UINT32_MAX);
}

static void
a_certificate_is_kept_if_it_is_no_longer_than_the_option_says(void **state)
{
	static uint8_t der[CONFIG_CUBFTPD_PENDING_CERT + 2];
	struct port_addr peer = from(1);
	bool is_new;

	(void)state;
	for (size_t i = 0; i < sizeof der; i++) {
		der[i] = (uint8_t)sim_random();
	}
	for (size_t len = sizeof der - 2; len <= sizeof der; len++) {
		struct pending *p;
		uint8_t hash[32];

		p = pending_note(&table, (struct bytes){ der, len }, &cert, &peer, NOW, &is_new);
		x509_hash((struct bytes){ der, len }, hash);
		CLAIM(is_new && pending_find(&table, hash) == p, "%zu bytes", len);
		if (len <= CONFIG_CUBFTPD_PENDING_CERT) {
			CLAIM(p->der_len == len && memcmp(p->der, der, len) == 0, "%zu bytes", len);
		} else {
			CLAIM(p->der_len == 0, "%zu bytes", len);
		}
		pending_remove(&table, p);
	}
}

/* A name as long as a client likes, and none at all. */
static void
names_are_cut_and_end_within_their_room(void **state)
{
	uint8_t name[1024];
	struct x509_cert odd = cert;
	struct port_addr peer = from(1);
	bool is_new;

	(void)state;
	for (size_t len = 0; len < 400; len++) {
		static const uint8_t common[] = { 6, 3, 0x55, 4, 3 };
		char text[400];
		const uint8_t *until;
		struct pending *p;
		struct der d;

		der_start(&d, name, sizeof name);
		memset(text, 'x', sizeof text);
		until = d.at;
		der_element(&d, DER_UTF8_STRING, text, len);
		der_put(&d, common, sizeof common);
		der_wrap(&d, DER_SEQUENCE, until);
		der_wrap(&d, DER_SET, until);
		der_wrap(&d, DER_SEQUENCE, until);
		odd.subject = (struct bytes){ d.at, (size_t)(d.end - d.at) };
		odd.issuer = (struct bytes){ NULL, 0 };
		p = pending_note(&table, (struct bytes){ (uint8_t *)&len, sizeof len }, &odd, &peer, NOW,
			&is_new);
		CLAIM(memchr(p->subject, '\0', sizeof p->subject) != NULL, "%zu bytes", len);
		CLAIM(len < 4 || len > 80 || strlen(p->subject) == 3 + len, "%zu bytes", len);
		CLAIM(len < 4 || strncmp(p->subject, "CN=x", 4) == 0, "%zu bytes: %s", len, p->subject);
		CLAIM(p->issuer[0] == '\0', "%zu bytes", len);
	}
}

static void
what_was_trusted_or_rejected_is_gone_and_nothing_else(void **state)
{
	(void)state;
	for (uint32_t gone = 0; gone < CUB_PENDING; gone++) {
		table.count = 0;
		for (uint32_t i = 0; i < CUB_PENDING; i++) {
			come(i, from((uint8_t)i), NOW + i);
		}
		pending_remove(&table, find(gone));
		assert_int_equal(table.count, CUB_PENDING - 1);
		for (uint32_t i = 0; i < CUB_PENDING; i++) {
			CLAIM((find(i) == NULL) == (i == gone), "%u without %u", (unsigned)i, (unsigned)gone);
			CLAIM(i == gone || find(i)->first_s == NOW + i, "%u", (unsigned)i);
		}
		check_table();
	}
}

static void
a_flood_from_one_address_leaves_the_others(void **state)
{
	(void)state;
	if (CUB_PENDING < 4) {
		skip();
	}
	/* Early, late, and an address that has two: all before the flood has any. */
	come(1, from(1), NOW);
	come(2, from(2), NOW + 1);
	come(3, from(2), NOW + 2);
	for (uint32_t i = 0; i < 1000; i++) {
		come(1000 + i, from(66), NOW + 10 + i);
		check_table();
	}
	assert_int_equal(table.count, CUB_PENDING);
	assert_non_null(find(1));
	assert_non_null(find(2));
	assert_non_null(find(3));
	for (uint32_t i = 0; i < 1000; i++) {
		CLAIM((find(1000 + i) != NULL) == (i >= 1000 - (CUB_PENDING - 3)), "%u", (unsigned)i);
	}
}

static void
whoever_comes_after_a_flood_takes_a_place_of_the_flood(void **state)
{
	(void)state;
	if (CUB_PENDING < 3) {
		skip();
	}
	come(1, from(1), NOW);
	for (uint32_t i = 0; i < 1000; i++) {
		come(1000 + i, from(66), NOW + i);
	}
	for (uint32_t i = 2; i < CUB_PENDING; i++) {
		come(i, from((uint8_t)i), NOW + 2000);
		CLAIM(find(i) != NULL, "%u", (unsigned)i);
		CLAIM(find(1) != NULL, "%u", (unsigned)i);
		/* The oldest of the flood's goes first. */
		CLAIM(find(1000 + 1000 - CUB_PENDING + i - 1) == NULL, "%u", (unsigned)i);
		CLAIM(find(1000 + 1000 - CUB_PENDING + i) != NULL, "%u", (unsigned)i);
	}
}

static void
one_more_takes_the_place_of_the_oldest_from_its_own_address(void **state)
{
	(void)state;
	if (CUB_PENDING < 4) {
		skip();
	}
	/* Another address has more and older ones. */
	for (uint32_t i = 0; i + 1 < CUB_PENDING; i++) {
		come(i, from(i == 1 ? 2 : 1), NOW + i);
	}
	come(100, from(2), NOW + 100);
	come(101, from(2), NOW + 101);
	assert_null(find(1));
	assert_non_null(find(100));
	come(1, from(2), NOW + 102);  /* it comes again, as a new one */
	assert_null(find(100));
	for (uint32_t i = 2; i + 1 < CUB_PENDING; i++) {
		CLAIM(find(i) != NULL, "%u", (unsigned)i);
	}
	assert_non_null(find(0));
}

/* Not the one that came last the longest ago: whoever keeps on asking would never go. */
static void
the_oldest_is_the_one_that_came_first(void **state)
{
	(void)state;
	if (CUB_PENDING < 2) {
		skip();
	}
	for (uint32_t i = 0; i < CUB_PENDING; i++) {
		come(i, from((uint8_t)i), NOW + i);
	}
	come(0, from(0), NOW + 1000);
	come(100, from(100), NOW - 5000);  /* the clock was set back, which changes no order */
	assert_null(find(0));
	come(101, from(101), NOW);
	assert_null(find(1));
	assert_non_null(find(100));
}

static void
with_one_place_the_last_one_has_it(void **state)
{
	(void)state;
	if (CUB_PENDING > 1) {
		skip();
	}
	come(1, from(1), NOW);
	come(2, from(2), NOW);
	assert_null(find(1));
	assert_non_null(find(2));
}

static void
an_ipv6_address_counts_by_its_first_64_bits(void **state)
{
	(void)state;
	if (CUB_PENDING < 4) {
		skip();
	}
	for (unsigned bit = 0; bit < 128; bit++) {
		struct port_addr one = sim_ipv6(1, 40000), other = one;

		memset(&table, 0, sizeof table);
		other.ip[bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
		for (uint32_t i = 0; i < CUB_PENDING; i++) {
			come(i, i == 1 ? one : from(1), NOW + i);
		}
		come(100, other, NOW + 100);
		CLAIM((find(1) == NULL) == (bit >= 64), "bit %u", bit);
		CLAIM((find(0) == NULL) == (bit < 64), "bit %u", bit);
	}
}

static void
an_ipv4_address_counts_as_a_whole_and_without_its_port(void **state)
{
	(void)state;
	if (CUB_PENDING < 4) {
		skip();
	}
	for (unsigned bit = 0; bit < 32; bit++) {
		struct port_addr one = sim_ipv4(10, 1, 2, 3, 40000), other = one;

		memset(&table, 0, sizeof table);
		memset(one.ip + 4, 0xAA, 12);  /* what is not of the address */
		one.tcp_port = 1;
		for (uint32_t i = 0; i < CUB_PENDING; i++) {
			come(i, i == 1 ? one : from(1), NOW + i);
		}
		other.ip[bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
		come(100, other, NOW + 100);
		CLAIM(find(1) != NULL && find(0) == NULL, "bit %u", bit);
		other.ip[bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
		come(101, other, NOW + 101);
		CLAIM(find(1) == NULL, "bit %u", bit);
	}
}

/* The same first bytes, but another kind of address. */
static void
ipv4_and_ipv6_are_never_the_same_address(void **state)
{
	struct port_addr six = sim_ipv6(1, 40000), four = six;

	(void)state;
	if (CUB_PENDING < 3) {
		skip();
	}
	four.family = 4;
	for (uint32_t i = 0; i < CUB_PENDING; i++) {
		come(i, i == 1 ? four : from(1), NOW + i);
	}
	come(100, six, NOW + 100);
	assert_non_null(find(1));
	assert_null(find(0));
}

/* Any traffic from a few addresses, against the rule as it is said in the header. */
static void
random_traffic_keeps_to_the_rule(void **state)
{
	(void)state;
	for (uint32_t round = 0; round < claim_rounds(20000); round++) {
		static struct pending before[CUB_PENDING];
		uint32_t number = sim_random_below(3 * CUB_PENDING), addresses = 1 + round / 100 % 12;
		struct port_addr peer = from((uint8_t)sim_random_below(addresses));
		bool was_full = table.count == CUB_PENDING, was_there = find(number) != NULL;
		unsigned own = 0, most = 0, count_of[12] = { 0 };
		const struct pending *gone = NULL;

		memcpy(before, table.item, sizeof before);
		for (unsigned i = 0; i < table.count; i++) {
			own += before[i].peer.ip[3] == peer.ip[3];
			if (++count_of[before[i].peer.ip[3]] > most) {
				most = count_of[before[i].peer.ip[3]];
			}
		}
		come(number, peer, NOW + round);
		check_table();
		for (unsigned i = 0; i < table.count && was_full; i++) {
			if (pending_find(&table, before[i].cert) == NULL) {
				CLAIM(gone == NULL, "round %u: two are gone", (unsigned)round);
				gone = &before[i];
			}
		}
		CLAIM((gone != NULL) == (was_full && !was_there), "round %u", (unsigned)round);
		for (unsigned i = 0; gone != NULL && i < CUB_PENDING; i++) {
			bool is_his = before[i].peer.ip[3] == gone->peer.ip[3];

			CLAIM(own > 0 ? gone->peer.ip[3] == peer.ip[3]
				: count_of[gone->peer.ip[3]] == most, "round %u", (unsigned)round);
			CLAIM(!is_his || before[i].order >= gone->order, "round %u", (unsigned)round);
		}
		if (sim_random_below(10) == 0) {
			pending_remove(&table, &table.item[sim_random_below(table.count)]);
		}
	}
}

#undef TEST
#define TEST(name) cmocka_unit_test_setup(name, setup)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_entry_says_all_of_the_certificate_and_where_it_came_from),
		TEST(one_that_comes_again_keeps_its_place_and_is_counted),
		TEST(a_certificate_is_kept_if_it_is_no_longer_than_the_option_says),
		TEST(names_are_cut_and_end_within_their_room),
		TEST(what_was_trusted_or_rejected_is_gone_and_nothing_else),
		TEST(a_flood_from_one_address_leaves_the_others),
		TEST(whoever_comes_after_a_flood_takes_a_place_of_the_flood),
		TEST(one_more_takes_the_place_of_the_oldest_from_its_own_address),
		TEST(the_oldest_is_the_one_that_came_first),
		TEST(with_one_place_the_last_one_has_it),
		TEST(an_ipv6_address_counts_by_its_first_64_bits),
		TEST(an_ipv4_address_counts_as_a_whole_and_without_its_port),
		TEST(ipv4_and_ipv6_are_never_the_same_address),
		TEST(random_traffic_keeps_to_the_rule),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
