/* SPDX-License-Identifier: MIT */
/*
 * Security level 3 (README): a client's certificate must be signed by a CA that the device
 * holds; whether that is enough, or it must be trusted once, too, is `signed_trust`.
 */
#include "level.h"

#include "x509.h"

#define CERTIFICATE_REQUEST 13

static struct peer p, q;
static struct peer_cert self, signed_ec, signed_rsa, below, foreign, by_rsa, cert;

static int
setup(void **state)
{
	story_setup(state);
	LEVEL_CERT(&self, key_ec, self);
	LEVEL_CERT(&signed_ec, key_ec, signed);
	LEVEL_CERT(&signed_rsa, key_rsa, signed_rsa);
	LEVEL_CERT(&foreign, key_ec, foreign);
	LEVEL_CERT(&by_rsa, key_ec, by_rsa);
	LEVEL_CERT(&below, key_ec, below);
	LEVEL_ADD(&below, middle);
	return 0;
}

/* The device's CA; clients of it may log in to `account`, unless that is empty. */
static void
add_ca(const char *account)
{
	story_give(INPUT_CERTIFICATES, client_ca, sizeof client_ca);
	if (story_admin("ca add --name acme ca.crt%s%s", account[0] != '\0' ? " --account " : "",
		account) != CUB_OK) {
		sim_fail("ca add: %s", story_wrong);
	}
}

/* A device at level 3 that holds the CA. */
static void
begin(const char *signed_trust, const char *account)
{
	level_start_with("signed", "signed_trust", signed_trust);
	add_ca(account);
}

/* Not acceptable, whatever the trust table says: it never becomes pending. */
static void
check_unacceptable(const struct peer_cert *c, const char *part)
{
	CHECK_REFUSED(&p, c, "anna", part);
	CHECK(strstr(p.reply, level_digits_of(c)) != NULL);
	CHECK(level_is_empty("pending"));
	level_trust(c, "anna", "--exact --label wanted");
	CHECK_REFUSED(&p, c, "anna", part);
	CHECK(story_admin("distrust wanted") == CUB_OK);
	story_check_quiet();
}

/* ---- What is asked for ---- */

/* The list of names in a CertificateRequest (RFC 5246 section 7.4.4), without its length. */
static struct bytes
names_asked_for(const struct peer *who)
{
	size_t len, at;
	const unsigned char *body = peer_heard(&who->control, CERTIFICATE_REQUEST, &len);
	struct bytes names;

	CHECK(body != NULL && len > 3);
	at = 1 + (size_t)body[0];
	at += 2 + ((size_t)body[at] << 8 | body[at + 1]);
	names = (struct bytes){ body + at + 2, (size_t)body[at] << 8 | body[at + 1] };
	CHECK(len == at + 2 + names.len);
	return names;
}

static bool
begins_with_name_of(struct bytes names, const uint8_t *der, size_t len)
{
	struct x509_cert ca;

	CHECK(x509_read((struct bytes){ der, len }, &ca) == NULL);
	return names.len >= 2 + ca.subject.len && names.at[0] == ca.subject.len >> 8
		&& names.at[1] == (ca.subject.len & 255)
		&& memcmp(names.at + 2, ca.subject.at, ca.subject.len) == 0;
}

/* Of the first name in a list, with its own length before it. */
static size_t
first_len(struct bytes names)
{
	return 2 + ((size_t)names.at[0] << 8 | names.at[1]);
}

static void
the_names_of_the_cas_are_in_the_request(void **state)
{
	struct bytes names;

	(void)state;
	LEVEL_NEEDS(CONFIG_CUBFTPD_RSA);
	begin("ask", "");
	level_knock(&p, &self);
	names = names_asked_for(&p);
	CHECK(begins_with_name_of(names, client_ca, sizeof client_ca));
	CHECK(names.len == first_len(names));
	story_give(INPUT_CERTIFICATES, client_rsa_ca, sizeof client_rsa_ca);
	CHECK(story_admin("ca add --name second ca.crt") == CUB_OK);
	level_knock(&q, &self);
	names = names_asked_for(&q);
	CHECK(begins_with_name_of(names, client_ca, sizeof client_ca));
	names.at += first_len(names);
	CHECK(begins_with_name_of(names, client_rsa_ca, sizeof client_rsa_ca));
	story_end();
}

/* It may be that the CA comes later: until then nobody gets in, but everybody is told why. */
static void
without_a_ca_nobody_gets_in(void **state)
{
	(void)state;
	level_start("signed");
	CHECK(sim_log_has("event=no-ca"));
	level_knock(&p, &signed_ec);
	CHECK(names_asked_for(&p).len == 0);
	check_unacceptable(&signed_ec, " is not accepted: ");
	CHECK_REFUSED(&q, NULL, "anna", "530 A client certificate is needed.\r\n");
	story_end();
}

/* ---- Who is accepted ---- */

static void
what_no_ca_of_the_device_signed_is_refused_and_not_pending(void **state)
{
	(void)state;
	begin("ask", "");
	check_unacceptable(&self, " is not accepted: ");
	/* Its CA has the same name, and another key. */
	check_unacceptable(&foreign, " is not accepted: ");
	check_unacceptable(&by_rsa, " is not accepted: ");
	/* A chain that is right, but leads to a CA which is nobody's. */
	LEVEL_CERT(&cert, key_ec, foreign);
	LEVEL_ADD(&cert, stranger);
	check_unacceptable(&cert, " is not accepted: ");
	/* The intermediate CA is missing, or somebody else's. */
	LEVEL_CERT(&cert, key_ec, below);
	check_unacceptable(&cert, " is not accepted: ");
	LEVEL_ADD(&cert, rsa_ca);
	check_unacceptable(&cert, " is not accepted: ");
	/* A client is no CA. */
	LEVEL_CERT(&cert, key_ec, self);
	LEVEL_ADD(&cert, signed);
	check_unacceptable(&cert, " is not accepted: ");
	story_end();
}

static void
check_asked_and_trusted(const struct peer_cert *c)
{
	CHECK_REFUSED(&p, c, "anna", " is not trusted yet; it is pending, ask the administrator.\r\n");
	CHECK(IS_PENDING(c));
	CHECK(story_admin("trust %s --account anna --label it", level_digits_of(c)) == CUB_OK);
	CHECK_CODE(&p, level_come(&p, c, "anna"), 232);
	CHECK_CODE(&p, peer_quit(&p), 221);
	CHECK_REFUSED(&p, c, "otto", " is for another account.\r\n");
	CHECK(story_admin("distrust it") == CUB_OK);
	CHECK(level_is_empty("pending"));
}

static void
with_ask_it_must_be_signed_and_trusted(void **state)
{
	(void)state;
	LEVEL_NEEDS(CONFIG_CUBFTPD_RSA);
	begin("ask", "");
	check_asked_and_trusted(&signed_ec);
	check_asked_and_trusted(&signed_rsa);
	check_asked_and_trusted(&below);
	/* The device's CA itself may stand at the end of the chain, or not. */
	LEVEL_CERT(&cert, key_ec, below);
	LEVEL_ADD(&cert, middle);
	LEVEL_ADD(&cert, ca);
	check_asked_and_trusted(&cert);
	story_check_quiet();
	story_end();
}

/* The account of a CA is for `auto` alone. */
static void
with_ask_the_account_of_a_ca_lets_nobody_in(void **state)
{
	(void)state;
	begin("ask", "anna");
	check_asked_and_trusted(&signed_ec);
	story_end();
}

static void
with_auto_a_signature_and_a_password_are_enough(void **state)
{
	(void)state;
	begin("auto", "");
	/* Neither a password nor anything else makes up for the signature. */
	check_unacceptable(&self, " is not accepted: ");
	CHECK_REFUSED(&p, NULL, "anna", "530 A client certificate is needed.\r\n");
	CHECK_CODE(&p, level_come(&p, &signed_ec, "anna"), 331);
	CHECK_CODE(&p, peer_ask(&p, "PASS wrong"), 530);
	CHECK_CODE(&p, peer_login(&p, "anna", "secret"), 230);
	CHECK_CODE(&q, level_come(&q, &below, "otto"), 331);
	CHECK_CODE(&q, peer_ask(&q, "PASS secret"), 230);
	CHECK(level_is_empty("pending"));
	story_end();
}

static void
with_auto_the_account_of_the_ca_is_logged_in_to(void **state)
{
	(void)state;
	begin("auto", "anna");
	CHECK_CODE(&p, level_come(&p, &signed_ec, "anna"), 232);
	CHECK_CODE(&p, peer_quit(&p), 221);
	CHECK_CODE(&p, level_come(&p, &below, "anna"), 232);
	CHECK_CODE(&p, peer_quit(&p), 221);
	CHECK_REFUSED(&p, &signed_ec, "otto", " is for another account.\r\n");
	CHECK_REFUSED(&p, &signed_ec, "nobody", " is for another account.\r\n");
	/* A trust entry says more than the CA does. */
	level_trust(&signed_ec, "otto", "");
	CHECK_CODE(&p, level_come(&p, &signed_ec, "otto"), 232);
	CHECK_CODE(&p, peer_quit(&p), 221);
	CHECK_REFUSED(&p, &signed_ec, "anna", " is for another account.\r\n");
	story_end();
}

static void
with_auto_password_always_asks_for_both(void **state)
{
	(void)state;
	level_start_with("signed", "signed_trust", "auto");
	story_end();
	story_set("password", "always");
	story_start();
	add_ca("anna");
	CHECK_CODE(&p, level_come(&p, &signed_ec, "anna"), 331);
	CHECK_CODE(&p, peer_ask(&p, "PASS wrong"), 530);
	CHECK_CODE(&p, peer_login(&p, "anna", "secret"), 230);
	CHECK_REFUSED(&q, &signed_ec, "otto", " is for another account.\r\n");
	story_end();
}

/* ---- Dates ---- */

static void
a_chain_counts_only_as_long_as_all_of_it_is_valid(void **state)
{
	(void)state;
	begin("auto", "anna");
	LEVEL_CERT(&cert, key_ec, signed_expired);
	check_unacceptable(&cert, " has expired.");
	LEVEL_CERT(&cert, key_ec, below_brief);
	LEVEL_ADD(&cert, brief);
	check_unacceptable(&cert, " has expired.");
	/* The client's own, too, ends one day. */
	sim_time_set(INT64_C(2051222401));
	check_unacceptable(&signed_ec, " has expired.");
	story_end();
}

static void
a_wrong_clock_lets_a_signed_chain_in_with_a_warning(void **state)
{
	(void)state;
	begin("auto", "anna");
	LEVEL_CERT(&cert, key_ec, signed_expired);
	sim_time_set(1000);
	sim_log_clear();
	CHECK_CODE(&p, level_come(&p, &cert, "anna"), 232);
	CHECK(sim_log_has("event=dates-ignored"));
	CHECK_CODE(&p, peer_quit(&p), 221);
	LEVEL_CERT(&cert, key_ec, below_brief);
	LEVEL_ADD(&cert, brief);
	CHECK_CODE(&p, level_come(&p, &cert, "anna"), 232);
	CHECK_CODE(&p, peer_quit(&p), 221);
	/* The clock excuses dates, and nothing else. */
	check_unacceptable(&self, " is not accepted: ");
	check_unacceptable(&foreign, " is not accepted: ");
	story_end();
}

/* ---- The end of trust ---- */

static void
check_out(void)
{
	static char got[1000];

	level_check_ended(&p);
	CHECK(!p.data.notified);
	CHECK(peer_data_read_all(&p, got, sizeof got) == 0 || !p.data.notified);
	CHECK(sim_file_is("/srv/home/a", "hello", 5));
}

static void
removing_the_ca_ends_the_sessions_that_it_let_in(void **state)
{
	static char data[50000];

	(void)state;
	LEVEL_NEEDS(CONFIG_CUBFTPD_RSA);
	begin("auto", "anna");
	level_enter(&p, &signed_ec, "anna");
	CHECK_CODE(&q, level_come(&q, &signed_rsa, "anna"), 232);
	CHECK(story_open(&p, "STOR a") == 150);
	CHECK(peer_data_write(&p, data, sizeof data) == sizeof data);
	CHECK(story_admin("ca remove acme") == CUB_OK);
	check_out();
	level_check_ended(&q);
	CHECK_REFUSED(&q, &signed_ec, "anna", " is not accepted: ");
	peer_data_cut(&p);
	story_check_quiet();
	story_end();
}

static void
removing_one_ca_leaves_the_clients_of_the_other(void **state)
{
	(void)state;
	LEVEL_NEEDS(CONFIG_CUBFTPD_RSA);
	begin("auto", "anna");
	story_give(INPUT_CERTIFICATES, client_rsa_ca, sizeof client_rsa_ca);
	CHECK(story_admin("ca add --name second --account otto ca.crt") == CUB_OK);
	CHECK_CODE(&p, level_come(&p, &signed_ec, "anna"), 232);
	CHECK_CODE(&q, level_come(&q, &by_rsa, "otto"), 232);
	CHECK(story_admin("ca remove acme") == CUB_OK);
	level_check_ended(&p);
	CHECK_CODE(&q, peer_ask(&q, "PWD"), 257);
	CHECK_CODE(&q, peer_quit(&q), 221);
	CHECK_CODE(&q, level_come(&q, &by_rsa, "otto"), 232);
	story_end();
}

/* At level 3 with `ask` the signature counts as much as the entry does. */
static void
removing_the_ca_ends_sessions_by_entry_too(void **state)
{
	(void)state;
	begin("ask", "");
	level_trust(&signed_ec, "anna", "--label it");
	CHECK_CODE(&p, level_come(&p, &signed_ec, "anna"), 232);
	CHECK(story_admin("ca remove acme") == CUB_OK);
	level_check_ended(&p);
	CHECK_REFUSED(&p, &signed_ec, "anna", " is not accepted: ");
	story_end();
}

static void
distrust_ends_a_session_that_was_trusted_by_entry(void **state)
{
	(void)state;
	begin("ask", "");
	level_trust(&signed_ec, "anna", "--label it");
	level_enter(&p, &signed_ec, "anna");
	CHECK(story_open(&p, "STOR a") == 150);
	CHECK(story_admin("distrust it") == CUB_OK);
	check_out();
	CHECK_REFUSED(&p, &signed_ec, "anna", " is not trusted yet");
	story_end();
}

static void
a_reload_that_fails_at_any_call_forgets_no_ca(void **state)
{
	uint64_t n = 0;

	(void)state;
	begin("auto", "anna");
	CHECK_CODE(&p, level_come(&p, &signed_ec, "anna"), 232);
	do {
		sim_flash_fail_at(++n, false, CUB_E_IO);
		CHECK(story_reload() == CUB_OK || sim_flash_failed());
		CHECK_CODE(&p, peer_ask(&p, "PWD"), 257);
		CHECK(level_tells("ca list", "acme"));
	} while (sim_flash_failed());
	CHECK(n > 100);
	CHECK_CODE(&q, level_come(&q, &signed_ec, "anna"), 232);
	story_end();
}

/* ---- Data connections ---- */

static void
data_connections_need_no_second_look_at_the_ca(void **state)
{
	char got[16];
	size_t len;

	(void)state;
	begin("auto", "anna");
	level_enter(&p, &below, "anna");
	CHECK_CODE(&p, story_fetch(&p, "RETR a", got, sizeof got, &len), 226);
	CHECK(p.data.resumed && len == 5);
	p.resume = false;
	CHECK_CODE(&p, story_fetch(&p, "RETR a", got, sizeof got, &len), 226);
	CHECK(!p.data.resumed && len == 5);
	/* Signed by the same CA is not the same. */
	p.cert = &signed_ec;
	story_data(&p);
	CHECK_CODE(&p, peer_ask(&p, "RETR a"), 150);
	CHECK(peer_data_read_all(&p, got, sizeof got) == 0);
	CHECK_CODE(&p, peer_reply(&p), 522);
	story_end();
}

/* ---- Commands ---- */

static void
a_ca_that_is_refused_changes_nothing(void **state)
{
	uint64_t programs;

	(void)state;
	LEVEL_NEEDS(CONFIG_CUBFTPD_RSA);
	begin("ask", "");
	programs = sim_flash_counts(PORT_AREA_IDENTITY).programs;
	story_give(INPUT_CERTIFICATES, client_rsa_ca, sizeof client_rsa_ca);
	CHECK(story_admin("ca add --name acme ca.crt") == CUB_E_EXIST);
	story_give(INPUT_CERTIFICATES, client_signed, sizeof client_signed);
	CHECK(story_admin("ca add --name leaf ca.crt") == CUB_E_DENIED);
	CHECK(story_admin("ca add --name none ca.crt") == CUB_E_DENIED);
	story_give(INPUT_CERTIFICATES, client_rsa_ca, sizeof client_rsa_ca);
	CHECK(story_admin("ca add --name a/b ca.crt") < 0);
	CHECK(story_admin("ca remove second") == CUB_E_NOENT);
	CHECK(sim_flash_counts(PORT_AREA_IDENTITY).programs == programs);
	story_give(INPUT_CERTIFICATES, client_rsa_ca, sizeof client_rsa_ca);
	CHECK(story_admin("ca add --name second ca.crt") == CUB_OK);
	programs = sim_flash_counts(PORT_AREA_IDENTITY).programs;
	story_give(INPUT_CERTIFICATES, client_stranger, sizeof client_stranger);
	CHECK(story_admin("ca add --name third ca.crt") == (CUB_CAS == 2 ? CUB_E_FULL : CUB_OK));
	CHECK(CUB_CAS > 2 || sim_flash_counts(PORT_AREA_IDENTITY).programs == programs);
	CHECK(level_tells("ca list", DIGITS(ca)) && strstr(story_said, DIGITS(rsa_ca)) != NULL);
	story_end();
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_names_of_the_cas_are_in_the_request),
		TEST(without_a_ca_nobody_gets_in),
		TEST(what_no_ca_of_the_device_signed_is_refused_and_not_pending),
		TEST(with_ask_it_must_be_signed_and_trusted),
		TEST(with_ask_the_account_of_a_ca_lets_nobody_in),
		TEST(with_auto_a_signature_and_a_password_are_enough),
		TEST(with_auto_the_account_of_the_ca_is_logged_in_to),
		TEST(with_auto_password_always_asks_for_both),
		TEST(a_chain_counts_only_as_long_as_all_of_it_is_valid),
		TEST(a_wrong_clock_lets_a_signed_chain_in_with_a_warning),
		TEST(removing_the_ca_ends_the_sessions_that_it_let_in),
		TEST(removing_one_ca_leaves_the_clients_of_the_other),
		TEST(removing_the_ca_ends_sessions_by_entry_too),
		TEST(distrust_ends_a_session_that_was_trusted_by_entry),
		TEST(a_reload_that_fails_at_any_call_forgets_no_ca),
		TEST(data_connections_need_no_second_look_at_the_ca),
		TEST(a_ca_that_is_refused_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
