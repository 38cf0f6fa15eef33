/* SPDX-License-Identifier: MIT */
/*
 * The three security levels: who is let in, and by what, for each kind of certificate, each
 * state of trust and each state of the clock; who becomes pending; and what the refused are
 * told.
 */
#include "unit.h"

#include "admit.h"
#include "clock.h"

#include "tests/data/chains.h"

/* The simulated clock's first moment, 2030-01-01, and what lies around it. */
#define NOW    INT64_C(1893456000)
#define BEFORE (NOW - 1000)
#define AFTER  (NOW + 1000)

#define DER(array) ((struct bytes){ (array), sizeof (array) })

static struct service sv;
static struct store store;
static struct peercert cert;
static struct peercert_room room;
static struct client client;
static const struct account anna = { .name = "anna" };
static const struct account otto = { .name = "otto" };
static const struct port_addr peer = { .family = 4, .ip = { 192, 0, 2, 7 } };

static int
setup(void **state)
{
	unit_setup(state);
	memset(&sv, 0, sizeof sv);
	cubftpd_config_default(&sv.config);
	sv.accounts.item[0] = anna;
	sv.accounts.item[1] = otto;
	sv.accounts.count = 2;
	client = (struct client){
		.is_shown = true, .is_proven = true, .cert = { 1 }, .key = { 2 }, .ca = { 3 },
		.from_s = BEFORE, .until_s = AFTER,
	};
	return 0;
}

/* A certificate that is trusted for an account; `key` 0: only exactly this one. */
static struct trusted *
trust(uint8_t cert_hash, uint8_t key_hash, const char *account)
{
	struct trusted *t = &sv.trust.item[sv.trust.count++];

	*t = (struct trusted){
		.cert = { cert_hash }, .key = { key_hash }, .is_exact = key_hash == 0,
		.knows_key = key_hash != 0, .label = "tech",
	};
	(void)text_copy(text_of(account), t->account, sizeof t->account);
	return t;
}

static void
add_ca(uint8_t hash, const char *account)
{
	struct ca *ca = &sv.cas.item[sv.cas.count++];

	memset(ca, 0, sizeof *ca);
	ca->fingerprint[0] = hash;
	(void)text_copy(text_of(account), ca->account, sizeof ca->account);
}

static enum verdict
verdict(enum cubftpd_client_certificate level, const struct account *account)
{
	sv.config.client_certificate = level;
	return admit(&sv, &client, account).verdict;
}

#define AT(level, account, wanted) assert_int_equal(verdict((level), (account)), (wanted))

static void
level_1_asks_for_the_password_whatever_is_trusted(void **state)
{
	(void)state;
	trust(1, 2, "anna");
	AT(CLIENT_NONE, &anna, ADMIT_PASSWORD);
	AT(CLIENT_NONE, NULL, ADMIT_PASSWORD);
	client = (struct client){ .is_shown = false };
	AT(CLIENT_NONE, &anna, ADMIT_PASSWORD);
}

static void
level_2_lets_in_what_is_trusted_for_the_account(void **state)
{
	(void)state;
	AT(CLIENT_PINNED, &anna, REFUSE_PENDING);
	AT(CLIENT_PINNED, NULL, REFUSE_PENDING);
	trust(1, 2, "anna");
	AT(CLIENT_PINNED, &anna, ADMIT_CERTIFICATE);
	AT(CLIENT_PINNED, &otto, REFUSE_ACCOUNT);
	AT(CLIENT_PINNED, NULL, REFUSE_ACCOUNT);
	client.is_signed = true;
	AT(CLIENT_PINNED, &anna, ADMIT_CERTIFICATE);
}

static void
a_key_is_enough_unless_the_certificate_is_pinned_exactly(void **state)
{
	(void)state;
	trust(9, 2, "anna");
	AT(CLIENT_PINNED, &anna, ADMIT_CERTIFICATE);
	sv.trust.item[0].is_exact = true;
	AT(CLIENT_PINNED, &anna, REFUSE_PENDING);
	trust(1, 0, "anna");
	AT(CLIENT_PINNED, &anna, ADMIT_CERTIFICATE);
}

static void
level_3_wants_a_signature_and_trust(void **state)
{
	(void)state;
	add_ca(3, "anna");
	AT(CLIENT_SIGNED, &anna, REFUSE_UNSIGNED);
	trust(1, 2, "anna");
	AT(CLIENT_SIGNED, &anna, REFUSE_UNSIGNED);
	client.is_signed = true;
	AT(CLIENT_SIGNED, &anna, ADMIT_CERTIFICATE);
	AT(CLIENT_SIGNED, &otto, REFUSE_ACCOUNT);
	sv.trust.count = 0;
	AT(CLIENT_SIGNED, &anna, REFUSE_PENDING);
}

static void
with_signed_trust_auto_the_signature_is_enough(void **state)
{
	(void)state;
	sv.config.signed_trust = SIGNED_AUTO;
	client.is_signed = true;
	AT(CLIENT_SIGNED, &anna, REFUSE_PENDING);  /* its CA is gone */
	add_ca(3, "anna");
	AT(CLIENT_SIGNED, &anna, ADMIT_CERTIFICATE);
	AT(CLIENT_SIGNED, &otto, REFUSE_ACCOUNT);
	AT(CLIENT_PINNED, &anna, REFUSE_PENDING);
	client.is_signed = false;
	AT(CLIENT_SIGNED, &anna, REFUSE_UNSIGNED);
	/* A CA without an account: the signature opens the door, the password the account. */
	sv.cas.count = 0;
	add_ca(3, "");
	client.is_signed = true;
	AT(CLIENT_SIGNED, &anna, ADMIT_PASSWORD);
	AT(CLIENT_SIGNED, NULL, ADMIT_PASSWORD);
	/* What an administrator said of this one certificate counts for more than its CA. */
	trust(1, 2, "otto");
	AT(CLIENT_SIGNED, &anna, REFUSE_ACCOUNT);
	AT(CLIENT_SIGNED, &otto, ADMIT_CERTIFICATE);
}

static void
password_always_asks_for_both(void **state)
{
	(void)state;
	sv.config.password = PASSWORD_ALWAYS;
	AT(CLIENT_PINNED, &anna, REFUSE_PENDING);
	trust(1, 2, "anna");
	AT(CLIENT_PINNED, &anna, ADMIT_PASSWORD);
	AT(CLIENT_PINNED, &otto, REFUSE_ACCOUNT);
	assert_true(admit(&sv, &client, &anna).is_by_entry);
}

static void
in_a_mixed_fleet_only_a_trusted_certificate_makes_a_difference(void **state)
{
	(void)state;
	AT(CLIENT_OPTIONAL, &anna, ADMIT_PASSWORD);
	trust(1, 2, "anna");
	AT(CLIENT_OPTIONAL, &anna, ADMIT_CERTIFICATE);
	AT(CLIENT_OPTIONAL, &otto, REFUSE_ACCOUNT);
	client.until_s = NOW - 1;
	AT(CLIENT_OPTIONAL, &anna, ADMIT_PASSWORD);
	assert_false(admit(&sv, &client, &anna).is_by_entry);
	client = (struct client){ .is_shown = false };
	AT(CLIENT_OPTIONAL, &anna, ADMIT_PASSWORD);
}

/* Whoever shows nothing, or holds no key, is not let in at levels 2 and 3 by anything else. */
static void
without_a_proven_certificate_nothing_helps(void **state)
{
	(void)state;
	trust(1, 2, "anna");
	add_ca(3, "anna");
	for (unsigned i = 0; i < 8; i++) {
		client.is_shown = (i & 1) != 0;
		client.is_proven = false;
		client.is_signed = (i & 2) != 0;
		sv.config.signed_trust = (i & 4) != 0 ? SIGNED_AUTO : SIGNED_ASK;
		client.problem = "it is broken";
		AT(CLIENT_PINNED, &anna, client.is_shown ? REFUSE_UNUSABLE : REFUSE_MISSING);
		AT(CLIENT_SIGNED, &anna, client.is_shown ? REFUSE_UNUSABLE : REFUSE_MISSING);
		AT(CLIENT_OPTIONAL, &anna, ADMIT_PASSWORD);
	}
	/* A hash of zeros, as of a client that has shown none, is nobody's. */
	client = (struct client){ .is_shown = true, .is_proven = true, .until_s = AFTER };
	trust(0, 0, "anna");
	AT(CLIENT_PINNED, &anna, REFUSE_PENDING);
}

static void
a_damaged_store_denies_everybody_at_every_level(void **state)
{
	(void)state;
	trust(1, 2, "anna");
	client.is_signed = true;
	sv.trust_error = CUB_E_CORRUPT;
	for (unsigned level = CLIENT_NONE; level <= CLIENT_SIGNED; level++) {
		AT((enum cubftpd_client_certificate)level, &anna, REFUSE_DAMAGED);
	}
}

static void
dates_count_where_the_clock_can_be_right(void **state)
{
	static const struct { int64_t from_s, until_s; enum verdict verdict; } rows[] = {
		{ NOW, NOW, ADMIT_CERTIFICATE }, { NOW + 1, AFTER, REFUSE_EARLY },
		{ BEFORE, NOW - 1, REFUSE_LATE }, { INT64_MIN, INT64_MAX, ADMIT_CERTIFICATE },
	};

	(void)state;
	trust(1, 2, "anna");
	client.is_signed = true;
	for (size_t i = 0; i < LEN(rows); i++) {
		client.from_s = rows[i].from_s;
		client.until_s = rows[i].until_s;
		sim_time_set(NOW);
		assert_int_equal(verdict(CLIENT_PINNED, &anna), rows[i].verdict);
		assert_int_equal(verdict(CLIENT_SIGNED, &anna), rows[i].verdict);
		/* No clock, no panic: but trust is not relaxed. */
		sim_time_set(0);
		assert_false(clock_is_plausible());
		AT(CLIENT_PINNED, &anna, ADMIT_CERTIFICATE);
		AT(CLIENT_PINNED, &otto, REFUSE_ACCOUNT);
		client.cert[0] = client.key[0] = 77;
		AT(CLIENT_PINNED, &anna, REFUSE_PENDING);
		client.cert[0] = 1;
		client.key[0] = 2;
	}
}

static void
the_admin_right_comes_from_the_trust_entry(void **state)
{
	struct trusted *t = trust(1, 2, "anna");

	(void)state;
	sv.config.client_certificate = CLIENT_PINNED;
	assert_false(admit(&sv, &client, &anna).is_admin);
	t->is_admin = true;
	assert_true(admit(&sv, &client, &anna).is_admin);
	sv.config.client_certificate = CLIENT_NONE;
	assert_false(admit(&sv, &client, &anna).is_admin);
}

static void
who_is_in_stays_as_long_as_what_let_him_in(void **state)
{
	struct admission by;

	(void)state;
	sv.config.client_certificate = CLIENT_PINNED;
	trust(1, 2, "anna");
	by = admit(&sv, &client, &anna);
	assert_true(admit_still(&sv, &client, &by, &anna));
	(void)text_copy(text_of("otto"), sv.trust.item[0].account, sizeof sv.trust.item[0].account);
	assert_false(admit_still(&sv, &client, &by, &anna));
	sv.trust.count = 0;
	assert_false(admit_still(&sv, &client, &by, &anna));

	/* Where both are needed, both have to stay. */
	sv.config.client_certificate = CLIENT_SIGNED;
	trust(1, 2, "anna");
	add_ca(3, "");
	client.is_signed = true;
	by = admit(&sv, &client, &anna);
	assert_true(by.is_by_entry && admit_still(&sv, &client, &by, &anna));
	sv.cas.count = 0;
	assert_false(admit_still(&sv, &client, &by, &anna));
	sv.trust.count = 0;

	sv.config.client_certificate = CLIENT_SIGNED;
	sv.config.signed_trust = SIGNED_AUTO;
	client.is_signed = true;
	add_ca(3, "anna");
	by = admit(&sv, &client, &anna);
	assert_true(!by.is_by_entry && admit_still(&sv, &client, &by, &anna));
	sv.cas.count = 0;
	assert_false(admit_still(&sv, &client, &by, &anna));

	client = (struct client){ .is_shown = false };
	sv.config.client_certificate = CLIENT_NONE;
	by = admit(&sv, &client, &anna);
	assert_true(admit_still(&sv, &client, &by, &anna));
}

/* ---- After the handshake ---- */

/* The client has shown this chain, and holds the first one's key. */
static void
show(struct bytes first, struct bytes second)
{
	struct bytes certs[] = { first, second };
	struct x509_cert info;  /* what the handshake leaves in the room */

	cert = (struct peercert){ .client = &client, .room = &room, .is_whole = true };
	for (unsigned i = 0; i < 2 && certs[i].len > 0; i++) {
		room.chain[cert.len] = (uint8_t)certs[i].len;
		room.chain[cert.len + 1] = (uint8_t)(certs[i].len >> 8);
		memcpy(room.chain + cert.len + 2, certs[i].at, certs[i].len);
		cert.len += 2 + certs[i].len;
	}
	assert_null(x509_read(first, &info));
	room.first = info;
	client = (struct client){
		.is_shown = true, .is_proven = true, .from_s = info.from_s, .until_s = info.until_s,
	};
	x509_hash(first, client.cert);
	x509_hash(info.public_key, client.key);
}

static unsigned
shown(enum cubftpd_client_certificate level)
{
	sv.config.client_certificate = level;
	sv.pending.count = 0;
	admit_shown(&sv, &client, &cert, &room, &peer);
	return sv.pending.count;
}

#define NONE ((struct bytes){ NULL, 0 })

static void
load_ca(struct bytes der)
{
	sim_flash_reset();
	assert_int_equal(store_open(&store, PORT_AREA_IDENTITY, "/identity", true), CUB_OK);
	assert_int_equal(ca_save(&store, "root", "anna", der), CUB_OK);
	assert_int_equal(ca_load(&sv.cas, &store), CUB_OK);
	store_close(&store);
}

static void
what_only_lacks_trust_becomes_pending(void **state)
{
	(void)state;
	show(DER(chain_direct), NONE);
	assert_int_equal(shown(CLIENT_PINNED), 1);
	assert_memory_equal(sv.pending.item[0].cert, client.cert, 32);
	assert_memory_equal(sv.pending.item[0].key, client.key, 32);
	assert_string_equal(sv.pending.item[0].subject, "CN=Direct");
	assert_int_equal(shown(CLIENT_OPTIONAL), 1);
	AT(CLIENT_PINNED, &anna, REFUSE_PENDING);
}

static void
nothing_else_becomes_pending(void **state)
{
	(void)state;
	show(DER(chain_direct), NONE);
	client.is_proven = false;
	assert_int_equal(shown(CLIENT_PINNED), 0);
	client.is_proven = true;
	sv.trust_error = CUB_E_CORRUPT;
	assert_int_equal(shown(CLIENT_PINNED), 0);
	sv.trust_error = CUB_OK;
	/* Unsigned at level 3. */
	assert_int_equal(shown(CLIENT_SIGNED), 0);
	/* Trusted already. */
	memcpy(trust(1, 2, "anna")->cert, client.cert, 32);
	assert_int_equal(shown(CLIENT_PINNED), 0);
	sv.trust.count = 0;
	/* Of other days. */
	show(DER(chain_expired), NONE);
	assert_int_equal(shown(CLIENT_PINNED), 0);
	AT(CLIENT_PINNED, &anna, REFUSE_LATE);
	show(DER(chain_future), NONE);
	assert_int_equal(shown(CLIENT_PINNED), 0);
	AT(CLIENT_PINNED, &anna, REFUSE_EARLY);
}

static void
at_level_3_the_ca_that_signed_is_found(void **state)
{
	uint8_t hash[32];

	(void)state;
	load_ca(DER(chain_root));
	x509_hash(DER(chain_root), hash);
	show(DER(chain_leaf), DER(chain_middle));
	assert_int_equal(shown(CLIENT_SIGNED), 1);
	assert_true(client.is_signed);
	assert_null(client.problem);
	assert_memory_equal(client.ca, hash, 32);
	AT(CLIENT_SIGNED, &anna, REFUSE_PENDING);
	sv.config.signed_trust = SIGNED_AUTO;
	assert_int_equal(shown(CLIENT_SIGNED), 0);
	AT(CLIENT_SIGNED, &anna, ADMIT_CERTIFICATE);

	/* The link between them is missing; it is another CA; not all of it could be kept. */
	show(DER(chain_leaf), NONE);
	assert_int_equal(shown(CLIENT_SIGNED), 0);
	assert_non_null(client.problem);
	show(DER(chain_twin), NONE);
	assert_int_equal(shown(CLIENT_SIGNED), 0);
	assert_non_null(client.problem);
	show(DER(chain_leaf), DER(chain_middle));
	cert.is_whole = false;
	assert_int_equal(shown(CLIENT_SIGNED), 0);
	assert_string_equal(client.problem, "its chain is too long");
	AT(CLIENT_SIGNED, &anna, REFUSE_UNSIGNED);
}

static void
with_a_wrong_clock_dates_are_a_warning(void **state)
{
	(void)state;
	show(DER(chain_expired), NONE);
	sim_time_set(0);
	assert_int_equal(shown(CLIENT_PINNED), 1);
	assert_true(sim_log_has("event=dates-ignored"));
	load_ca(DER(chain_root));
	assert_int_equal(shown(CLIENT_SIGNED), 1);
	assert_true(client.is_signed);
}

/* Its own dates are good, those of who signed it are not. */
static void
a_date_above_the_certificate_is_a_warning_too(void **state)
{
	(void)state;
	load_ca(DER(chain_root));
	show(DER(chain_early), DER(chain_brief));
	assert_int_equal(shown(CLIENT_SIGNED), 0);
	assert_non_null(client.problem);
	assert_false(sim_log_has("event=dates-ignored"));
	sim_time_set(0);
	assert_int_equal(shown(CLIENT_SIGNED), 1);
	assert_true(client.is_signed);
	assert_true(sim_log_has("event=dates-ignored"));
}

/* ---- What the refused are told ---- */

static const char *
told(enum verdict v)
{
	static char text[512];
	struct out o = OUT(text);

	admit_put_refusal(&o, v, &client);
	assert_false(o.cut);
	return out_finish(&o);
}

#define CERT_1 "Certificate sha256:01000000000000000000000000000000000000000000000000000000" \
	"00000000 "

static void
a_refusal_can_be_read(void **state)
{
	(void)state;
	assert_string_equal(told(REFUSE_MISSING), "A client certificate is needed.");
	assert_string_equal(told(REFUSE_DAMAGED),
		"The device's trust store is damaged; nobody can log in.");
	assert_string_equal(told(REFUSE_PENDING),
		CERT_1 "is not trusted yet; it is pending, ask the administrator.");
	assert_string_equal(told(REFUSE_EARLY), CERT_1 "is not valid yet.");
	assert_string_equal(told(REFUSE_LATE), CERT_1 "has expired.");
	assert_string_equal(told(REFUSE_ACCOUNT), CERT_1 "is for another account.");
	client.problem = "it is too long";
	assert_string_equal(told(REFUSE_UNUSABLE), CERT_1 "can't be used: it is too long.");
	assert_string_equal(told(REFUSE_UNSIGNED), CERT_1 "is not accepted: it is too long.");
}

/* Who came while level 2 was in force, and says USER now that it is level 3. */
static void
a_level_that_rises_between_handshake_and_user_refuses_in_words(void **state)
{
	(void)state;
	show(DER(chain_direct), NONE);
	assert_int_equal(shown(CLIENT_PINNED), 1);
	assert_int_equal(verdict(CLIENT_SIGNED, &anna), REFUSE_UNSIGNED);
	assert_non_null(strstr(told(REFUSE_UNSIGNED), "is not accepted: "));
}

#undef TEST
#define TEST(name) cmocka_unit_test_setup(name, setup)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(level_1_asks_for_the_password_whatever_is_trusted),
		TEST(level_2_lets_in_what_is_trusted_for_the_account),
		TEST(a_key_is_enough_unless_the_certificate_is_pinned_exactly),
		TEST(level_3_wants_a_signature_and_trust),
		TEST(with_signed_trust_auto_the_signature_is_enough),
		TEST(password_always_asks_for_both),
		TEST(in_a_mixed_fleet_only_a_trusted_certificate_makes_a_difference),
		TEST(without_a_proven_certificate_nothing_helps),
		TEST(a_damaged_store_denies_everybody_at_every_level),
		TEST(dates_count_where_the_clock_can_be_right),
		TEST(the_admin_right_comes_from_the_trust_entry),
		TEST(who_is_in_stays_as_long_as_what_let_him_in),
		TEST(what_only_lacks_trust_becomes_pending),
		TEST(nothing_else_becomes_pending),
		TEST(at_level_3_the_ca_that_signed_is_found),
		TEST(with_a_wrong_clock_dates_are_a_warning),
		TEST(a_date_above_the_certificate_is_a_warning_too),
		TEST(a_refusal_can_be_read),
		TEST(a_level_that_rises_between_handshake_and_user_refuses_in_words),
	};

	return cmocka_run_group_tests_name("admit", tests, NULL, NULL);
}
