/* SPDX-License-Identifier: MIT */
/*
 * What administrators change: each change is whole and durable, or nothing has changed and
 * the reason is told; also where the power goes or the flash fails at any moment.
 */
#include "unit.h"

#include "clock.h"
#include "manage.h"

#include "tests/data/chains.h"
#include "tests/data/keys.h"

#define DER(array) ((struct bytes){ (array), sizeof (array) })
#define HELLO      ((struct bytes){ (const uint8_t *)"hello", 5 })

static struct service sv;
static char told[256];
static struct out why;

static void
save_account(const char *name)
{
	struct account a = { .root = "/", .rights = RIGHT_READ, .iterations = 1 };

	(void)text_copy(text_of(name), a.name, sizeof a.name);
	assert_int_equal(account_save(&sv.store[PORT_AREA_TRUST], &a), CUB_OK);
}

static int
setup(void **state)
{
	unit_setup(state);
	memset(&sv, 0, sizeof sv);
	cubftpd_config_default(&sv.config);
	why = OUT(told);
	assert_int_equal(service_open(&sv, PORT_AREA_TRUST, true, &why), CUB_OK);
	assert_int_equal(service_open(&sv, PORT_AREA_IDENTITY, true, &why), CUB_OK);
	save_account("anna");
	save_account("otto");
	assert_int_equal(service_refresh(&sv, PORT_AREA_TRUST), CUB_OK);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	service_close(&sv);
	return 0;
}

/* The error, and the part of its text that says why. */
#define FAILS(call, err, part) \
	(assert_int_equal((call), (err)), assert_non_null(strstr(complaint(), (part))))

static const char *
complaint(void)
{
	static char text[sizeof told + 1];

	snprintf(text, sizeof text, "%.*s", (int)why.len, told);
	why = OUT(told);
	return text;
}

/* An entry to be trusted, by numbers in place of hashes. */
static struct trusted
entry_of(uint8_t cert, uint8_t key, const char *account, const char *label)
{
	struct trusted t = { .knows_key = key != 0, .until_s = TRUST_UNKNOWN };

	memset(t.cert, cert, sizeof t.cert);
	memset(t.key, key, sizeof t.key);
	(void)text_copy(text_of(account), t.account, sizeof t.account);
	(void)text_copy(text_of(label), t.label, sizeof t.label);
	return t;
}

static int
trust(uint8_t cert, uint8_t key, const char *account, const char *label)
{
	struct trusted t = entry_of(cert, key, account, label);

	return manage_trust(&sv, &t, &why);
}

static struct pending *
wait_for(uint8_t cert)
{
	struct pending *p = &sv.pending.item[sv.pending.count++];

	memset(p, 0, sizeof *p);
	memset(p->cert, cert, sizeof p->cert);
	return p;
}

/* ---- Finding ---- */

static void
eight_digits_find_what_is_the_only_one_to_begin_so(void **state)
{
	struct pending *found = NULL;

	(void)state;
	wait_for(0x11);
	wait_for(0x22);
	assert_int_equal(manage_find_pending(&sv, TEXT("11111111"), &found, &why), CUB_OK);
	assert_ptr_equal(found, &sv.pending.item[0]);
	assert_int_equal(manage_find_pending(&sv, TEXT("SHA256:22:22:22:22:22"), &found, &why), CUB_OK);
	assert_ptr_equal(found, &sv.pending.item[1]);
	FAILS(manage_find_pending(&sv, TEXT("1111111"), &found, &why), CUB_E_BAD, "at least 8 digits");
	FAILS(manage_find_pending(&sv, TEXT("hello"), &found, &why), CUB_E_BAD, "not a fingerprint");
	FAILS(manage_find_pending(&sv, TEXT(""), &found, &why), CUB_E_BAD, "not a fingerprint");
	FAILS(manage_find_pending(&sv, TEXT("33333333"), &found, &why), CUB_E_NOENT, "no pending");
	sv.pending.item[1].cert[0] = 0x11;
	sv.pending.item[1].cert[1] = sv.pending.item[1].cert[2] = sv.pending.item[1].cert[3] = 0x11;
	FAILS(manage_find_pending(&sv, TEXT("11111111"), &found, &why), CUB_E_BAD, "several pending");
	assert_int_equal(manage_find_pending(&sv, TEXT("1111111111"), &found, &why), CUB_OK);
	assert_ptr_equal(found, &sv.pending.item[0]);
}

static void
trusted_ones_are_found_by_label_first(void **state)
{
	const struct trusted *found = NULL;

	(void)state;
	assert_int_equal(trust(0x11, 1, "anna", "tech"), CUB_OK);
	assert_int_equal(trust(0x22, 2, "anna", "11111111"), CUB_OK);
	assert_int_equal(manage_find_trusted(&sv, TEXT("tech"), &found, &why), CUB_OK);
	assert_int_equal(found->cert[0], 0x11);
	assert_int_equal(manage_find_trusted(&sv, TEXT("11111111"), &found, &why), CUB_OK);
	assert_int_equal(found->cert[0], 0x22);
	assert_int_equal(manage_find_trusted(&sv, TEXT("111111111"), &found, &why), CUB_OK);
	assert_int_equal(found->cert[0], 0x11);
	FAILS(manage_find_trusted(&sv, TEXT("other"), &found, &why), CUB_E_NOENT, "other");
	FAILS(manage_find_trusted(&sv, TEXT("3333333333"), &found, &why), CUB_E_NOENT, "no trusted");
}

/* ---- Trust ---- */

static void
trust_is_durable_and_ends_the_waiting(void **state)
{
	struct trusted t = entry_of(0x11, 5, "anna", "tech");
	uint32_t changes = sv.changes;

	(void)state;
	wait_for(0x11);
	t.is_admin = true;
	assert_int_equal(manage_trust(&sv, &t, &why), CUB_OK);
	assert_true(sv.pending.count == 0 && sv.changes != changes);
	assert_true(sim_log_has("event=trusted certificate=sha256:1111"));
	service_close(&sv);
	assert_int_equal(service_open(&sv, PORT_AREA_TRUST, false, &why), CUB_OK);
	assert_int_equal(sv.trust.count, 1);
	assert_true(sv.trust.item[0].is_admin && !sv.trust.item[0].is_exact);
	assert_string_equal(sv.trust.item[0].account, "anna");
	assert_string_equal(sv.trust.item[0].label, "tech");
	assert_int_equal(sv.trust.item[0].added_s, clock_now());
}

static void
without_a_label_the_fingerprint_gives_one(void **state)
{
	(void)state;
	assert_int_equal(trust(0xAB, 5, "anna", ""), CUB_OK);
	assert_string_equal(sv.trust.item[0].label, "abababababababab");
}

/* Where only the certificate's hash is known there is no key to go by. */
static void
without_a_key_the_certificate_is_pinned_exactly(void **state)
{
	(void)state;
	assert_int_equal(trust(0x11, 0, "anna", "tech"), CUB_OK);
	assert_true(sv.trust.item[0].is_exact && !sv.trust.item[0].knows_key);
}

static void
a_trust_that_is_refused_changes_nothing(void **state)
{
	struct sim_flash_counts before;

	(void)state;
	assert_int_equal(trust(0x11, 1, "anna", "tech"), CUB_OK);
	wait_for(0x22);
	before = sim_flash_counts(PORT_AREA_TRUST);
	FAILS(trust(0x22, 2, "nobody", "new"), CUB_E_NOENT, "no account of the name nobody");
	FAILS(trust(0x22, 2, "", "new"), CUB_E_NOENT, "no account");
	FAILS(trust(0x22, 2, "anna", "tech"), CUB_E_EXIST, "another certificate has the label tech");
	FAILS(trust(0x22, 2, "anna", "a/b"), CUB_E_NAME, "names and labels have");
	FAILS(trust(0x22, 2, "anna", ".."), CUB_E_NAME, "names and labels have");
	FAILS(trust(0x11, 1, "anna", "new"), CUB_E_EXIST, "trusted already, as tech");
	FAILS(trust(0x11, 1, "otto", "tech"), CUB_E_EXIST, "trusted already, as tech");
	assert_int_equal(trust(0x11, 1, "anna", "tech"), CUB_OK);
	for (unsigned i = 1; i < CUB_TRUSTED; i++) {
		char label[16];

		snprintf(label, sizeof label, "l%u", i);
		assert_int_equal(trust((uint8_t)(0x40 + i), 7, "anna", label), CUB_OK);
		if (i == 1) {
			assert_int_not_equal(sim_flash_counts(PORT_AREA_TRUST).programs, before.programs);
		}
	}
	before = sim_flash_counts(PORT_AREA_TRUST);
	FAILS(trust(0x22, 2, "anna", "new"), CUB_E_FULL, "full: distrust one");
	assert_int_equal(sim_flash_counts(PORT_AREA_TRUST).programs, before.programs);
	assert_true(sv.pending.count == 1 && sv.trust.count == CUB_TRUSTED);
}

static void
what_is_no_certificate_is_not_described(void **state)
{
	struct trusted t;
	uint8_t hash[32];

	(void)state;
	assert_int_equal(manage_describe(DER(cert_leaf), &t, &why), CUB_OK);
	x509_hash(DER(cert_leaf), hash);
	assert_memory_equal(t.cert, hash, 32);
	assert_true(t.knows_key && t.until_s == INT64_C(2051222400));
	assert_int_equal(manage_describe(HELLO, &t, &why), CUB_E_BAD);
	assert_true(why.len > 0);
	assert_int_equal(manage_describe((struct bytes){ cert_leaf, 100 }, &t, &why), CUB_E_BAD);
}

static void
distrust_is_durable(void **state)
{
	uint32_t changes;

	(void)state;
	assert_int_equal(trust(0x11, 1, "anna", "tech"), CUB_OK);
	assert_int_equal(trust(0x22, 2, "anna", "other"), CUB_OK);
	changes = sv.changes;
	assert_int_equal(manage_distrust(&sv, &sv.trust.item[0], &why), CUB_OK);
	assert_int_not_equal(sv.changes, changes);
	assert_true(sim_log_has("event=distrusted certificate=sha256:1111"));
	service_close(&sv);
	assert_int_equal(service_open(&sv, PORT_AREA_TRUST, false, &why), CUB_OK);
	assert_int_equal(sv.trust.count, 1);
	assert_string_equal(sv.trust.item[0].label, "other");
}

/* Else its certificates would log in to the next account of that name. */
static void
an_account_takes_the_trust_in_its_certificates_along(void **state)
{
	struct account anna;
	uint32_t changes;

	(void)state;
	if (CUB_TRUSTED < 3) {
		skip();
	}
	assert_int_equal(trust(0x11, 1, "anna", "tech"), CUB_OK);
	assert_int_equal(trust(0x22, 2, "otto", "other"), CUB_OK);
	assert_int_equal(trust(0x33, 3, "anna", "third"), CUB_OK);
	anna = *account_find(&sv.accounts, TEXT("anna"));
	changes = sv.changes;
	assert_int_equal(manage_remove_account(&sv, &anna, &why), CUB_OK);
	assert_int_not_equal(sv.changes, changes);
	assert_true(sim_log_has("event=account-removed name=anna"));
	service_close(&sv);
	assert_int_equal(service_open(&sv, PORT_AREA_TRUST, false, &why), CUB_OK);
	assert_null(account_find(&sv.accounts, TEXT("anna")));
	assert_non_null(account_find(&sv.accounts, TEXT("otto")));
	assert_int_equal(sv.trust.count, 1);
	assert_string_equal(sv.trust.item[0].label, "other");
}

static void
a_rejected_certificate_waits_no_more(void **state)
{
	(void)state;
	wait_for(0x11);
	wait_for(0x22);
	manage_reject(&sv, &sv.pending.item[0]);
	assert_int_equal(sv.pending.count, 1);
	assert_int_equal(sv.pending.item[0].cert[0], 0x22);
	assert_true(sim_log_has("event=rejected certificate=sha256:1111"));
	manage_reject(&sv, &sv.pending.item[0]);
	assert_int_equal(sv.pending.count, 0);
}

/* Give the first entry another label, and another account unless that is empty. */
static int
relabel(const char *label, const char *account)
{
	struct trusted next = sv.trust.item[0];

	(void)text_copy(text_of(label), next.label, sizeof next.label);
	if (account[0] != '\0') {
		(void)text_copy(text_of(account), next.account, sizeof next.account);
	}
	return manage_relabel(&sv, &sv.trust.item[0], &next, &why);
}

static void
an_entry_gets_another_label_or_account(void **state)
{
	(void)state;
	assert_int_equal(trust(0x11, 1, "anna", "tech"), CUB_OK);
	assert_int_equal(trust(0x22, 2, "anna", "other"), CUB_OK);
	assert_int_equal(relabel("new", ""), CUB_OK);
	assert_string_equal(sv.trust.item[0].label, "new");
	assert_string_equal(sv.trust.item[0].account, "anna");
	assert_int_equal(relabel("new", "otto"), CUB_OK);
	assert_string_equal(sv.trust.item[0].account, "otto");
	FAILS(relabel("other", ""), CUB_E_EXIST, "other");
	FAILS(relabel("x", "nobody"), CUB_E_NOENT, "nobody");
	FAILS(relabel("", ""), CUB_E_NAME, "names and labels have");
	assert_string_equal(sv.trust.item[0].label, "new");
	assert_int_equal(sv.trust.count, 2);
}

/* ---- CAs ---- */

static int
add_ca(const char *name, const char *account, struct bytes der)
{
	return manage_add_ca(&sv, text_of(name), text_of(account), der, &why);
}

static void
a_ca_is_added_and_removed(void **state)
{
	(void)state;
	assert_int_equal(add_ca("Acme", "anna", DER(cert_root)), CUB_OK);
	assert_int_equal(sv.cas.count, 1);
	assert_string_equal(sv.cas.item[0].account, "anna");
	assert_true(sim_log_has("event=ca-added name=Acme"));
	assert_int_equal(manage_remove_ca(&sv, ca_find(&sv.cas, TEXT("Acme")), &why), CUB_OK);
	assert_int_equal(sv.cas.count, 0);
	assert_true(sim_log_has("event=ca-removed name=Acme"));
}

static void
a_ca_that_is_refused_changes_nothing(void **state)
{
	struct sim_flash_counts before;

	(void)state;
	assert_int_equal(add_ca("Acme", "", DER(cert_root)), CUB_OK);
	before = sim_flash_counts(PORT_AREA_IDENTITY);
	FAILS(add_ca("x", "", DER(cert_leaf)), CUB_E_BAD, "CA");
	FAILS(add_ca("x", "", HELLO), CUB_E_BAD, "");
	FAILS(add_ca("a/b", "", DER(cert_inter)), CUB_E_NAME, "names and labels have");
	FAILS(add_ca("", "", DER(cert_inter)), CUB_E_NAME, "names and labels have");
	FAILS(add_ca("Acme", "", DER(cert_inter)), CUB_E_EXIST, "is there already, as Acme");
	FAILS(add_ca("Other", "", DER(cert_root)), CUB_E_EXIST, "there already, as Acme");
	FAILS(add_ca("Acme", "anna", DER(cert_root)), CUB_E_EXIST, "there already, as Acme");
	FAILS(add_ca("x", "no body", DER(cert_inter)), CUB_E_NAME, "names and labels have");
	assert_int_equal(add_ca("Acme", "", DER(cert_root)), CUB_OK);
	/* Its own dates count by a clock that can be right. */
	sim_time_set(INT64_C(2600000000));
	FAILS(add_ca("late", "", DER(cert_inter)), CUB_E_BAD, "expired");
	sim_time_set(INT64_C(1893456000));
	assert_int_equal(sim_flash_counts(PORT_AREA_IDENTITY).programs, before.programs);
#if CUB_CAS == 2
	assert_int_equal(add_ca("two", "", DER(cert_inter)), CUB_OK);
	FAILS(add_ca("three", "", DER(chain_root)), CUB_E_FULL, "full: remove one");
#endif
}

/* ---- Stores that can't be used ---- */

static void
into_a_damaged_or_closed_store_nothing_is_written(void **state)
{
	const struct ca ca = { .name = "Acme" };
	struct trusted t = entry_of(0x11, 1, "anna", "tech");

	(void)state;
	sv.trust_error = CUB_E_CORRUPT;
	FAILS(manage_trust(&sv, &t, &why), CUB_E_CORRUPT, "/trust: is damaged");
	FAILS(manage_distrust(&sv, &t, &why), CUB_E_CORRUPT, "/trust: is damaged");
	FAILS(manage_relabel(&sv, &t, &t, &why), CUB_E_CORRUPT, "/trust: is damaged");
	sv.trust_error = CUB_OK;
	service_close(&sv);
	FAILS(manage_trust(&sv, &t, &why), CUB_E_IO, "/trust: can't be read");
	FAILS(add_ca("Acme", "", DER(cert_root)), CUB_E_IO, "/identity: can't be read");
	FAILS(manage_remove_ca(&sv, &ca, &why), CUB_E_IO, "/identity: can't be read");
	FAILS(manage_install(&sv, DER(cert_leaf), &why), CUB_E_IO, "/identity: can't be read");
}

/* ---- Power ---- */

/* Trust or distrust with the power going after some steps. Returns whether it went. */
static bool
cut_after(uint64_t steps, bool adds)
{
	int err;
	bool went;

	sim_reset(steps + 1);
	memset(&sv, 0, sizeof sv);
	cubftpd_config_default(&sv.config);
	why = OUT(told);
	assert_int_equal(service_open(&sv, PORT_AREA_TRUST, true, &why), CUB_OK);
	save_account("anna");
	assert_int_equal(service_refresh(&sv, PORT_AREA_TRUST), CUB_OK);
	assert_int_equal(trust(0x33, 3, "anna", "stays"), CUB_OK);
	if (!adds) {
		assert_int_equal(trust(0x11, 1, "anna", "tech"), CUB_OK);
	}
	sim_flash_cut_after(steps);
	err = adds ? trust(0x11, 1, "anna", "tech")
		: manage_distrust(&sv, trust_find_label(&sv.trust, TEXT("tech")), &why);
	went = sim_power_is_off();
	CLAIM(went || err == CUB_OK, "a cut after %u", (unsigned)steps);
	CLAIM(err == CUB_OK || why.len > 0, "a cut after %u", (unsigned)steps);
	sim_power_on();
	service_close(&sv);
	why = OUT(told);
	CLAIM(service_open(&sv, PORT_AREA_TRUST, false, &why) == CUB_OK, "a cut after %u",
		(unsigned)steps);
	CLAIM(trust_find_label(&sv.trust, TEXT("stays")) != NULL, "a cut after %u", (unsigned)steps);
	CLAIM(err < 0 || (sv.trust.count == 2) == adds, "a cut after %u", (unsigned)steps);
	service_close(&sv);
	return went;
}

static void
power_that_goes_leaves_the_old_trust_or_the_new(void **state)
{
	(void)state;
	service_close(&sv);
	for (unsigned adds = 0; adds < 2; adds++) {
		uint64_t steps = 0;

		while (cut_after(steps, adds == 1)) {
			steps++;
		}
		assert_true(steps > 50);
	}
}

#undef TEST
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(eight_digits_find_what_is_the_only_one_to_begin_so),
		TEST(trusted_ones_are_found_by_label_first),
		TEST(trust_is_durable_and_ends_the_waiting),
		TEST(without_a_label_the_fingerprint_gives_one),
		TEST(without_a_key_the_certificate_is_pinned_exactly),
		TEST(a_trust_that_is_refused_changes_nothing),
		TEST(what_is_no_certificate_is_not_described),
		TEST(distrust_is_durable),
		TEST(an_account_takes_the_trust_in_its_certificates_along),
		TEST(a_rejected_certificate_waits_no_more),
		TEST(an_entry_gets_another_label_or_account),
		TEST(a_ca_is_added_and_removed),
		TEST(a_ca_that_is_refused_changes_nothing),
		TEST(into_a_damaged_or_closed_store_nothing_is_written),
		TEST(power_that_goes_leaves_the_old_trust_or_the_new),
	};

	return cmocka_run_group_tests_name("manage", tests, NULL, NULL);
}
