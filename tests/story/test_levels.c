/* SPDX-License-Identifier: MIT */
/*
 * Security levels 1 and 2 (README): who is asked for a certificate, who is let in by one, what
 * the others are told, and what the device remembers of them. Real handshakes, by a client that
 * shows what it likes.
 */
#include "level.h"

#include "key.h"
#include "x509.h"

#define CERTIFICATE_REQUEST 13

static struct peer p, q;
static struct peer_cert self, renewed, another, expired, future, rsa, cert;

static int
setup(void **state)
{
	story_setup(state);
	LEVEL_CERT(&self, key_ec, self);
	LEVEL_CERT(&renewed, key_ec, renewed);
	LEVEL_CERT(&another, key_other, another);
	LEVEL_CERT(&expired, key_ec, expired);
	LEVEL_CERT(&future, key_ec, future);
	LEVEL_CERT(&rsa, key_rsa, self_rsa);
	return 0;
}

/* ---- What is asked for ---- */

static void
level_1_asks_for_no_certificate(void **state)
{
	size_t len;

	(void)state;
	level_start("none");
	CHECK_CODE(&p, level_come(&p, &self, "anna"), 331);
	CHECK(peer_heard(&p.control, CERTIFICATE_REQUEST, &len) == NULL);
	CHECK(peer_heard(&p.control, 14, &len) != NULL);  /* ServerHelloDone, so all was heard */
	CHECK_CODE(&p, peer_ask(&p, "PASS secret"), 230);
	CHECK_CODE(&p, peer_quit(&p), 221);
	CHECK(level_is_empty("pending"));
	story_check_quiet();
	story_end();
}

/* GnuTLS, Java and Schannel send a self-signed certificate only where the list is empty. */
static void
level_2_asks_for_any_certificate_and_names_no_ca(void **state)
{
	static const char *const levels[] = { "pinned", "optional" };

	(void)state;
	LEVEL_NEEDS(CONFIG_CUBFTPD_RSA);
	for (int i = 0; i < 2; i++) {
		const unsigned char *body;
		size_t len, types, algorithms;

		level_start(levels[i]);
		level_knock(&p, &self);
		body = peer_heard(&p.control, CERTIFICATE_REQUEST, &len);
		/* RFC 5246 section 7.4.4: types, algorithms of signatures, names; to the last byte. */
		CHECK(body != NULL && len > 3);
		types = body[0];
		CHECK(memchr(body + 1, 64, types) != NULL && memchr(body + 1, 1, types) != NULL);
		algorithms = (size_t)body[1 + types] << 8 | body[2 + types];
		CHECK(len == 1 + types + 2 + algorithms + 2);
		CHECK(body[len - 2] == 0 && body[len - 1] == 0);
		story_end();
	}
}

/* ---- First contact, and what follows it ---- */

static void
the_first_contact_is_refused_and_the_second_let_in(void **state)
{
	char text[160];

	(void)state;
	level_start("pinned");
	snprintf(text, sizeof text, "530 Certificate sha256:%s is not trusted yet; it is pending, ask "
		"the administrator.\r\n", DIGITS(self));
	CHECK_REFUSED(&p, &self, "anna", "");
	CHECK(strcmp(p.reply, text) == 0);
	CHECK(IS_PENDING(&self) && !IS_TRUSTED(&self));
	CHECK(level_tells("pending --json", "\"subject\":\"CN=Technician 7\""));
	CHECK(level_tells("pending --json", "\"address\":\"192.0.2.10\",\"account\":\"anna\""));
	snprintf(text, sizeof text, "trust %.8s --account anna --label seven", DIGITS(self));
	CHECK(story_admin("%s", text) == CUB_OK);
	CHECK(!IS_PENDING(&self) && IS_TRUSTED(&self));
	CHECK_CODE(&p, level_come(&p, &self, "anna"), 232);
	/* Clients that are set up with a password send it all the same. */
	CHECK_CODE(&p, peer_ask(&p, "PASS whatever"), 230);
	CHECK_CODE(&p, peer_ask(&p, "MKD new"), 257);
	CHECK(sim_dir_exists("/srv/home/new"));
	story_leave(&p);
}

static void
who_knocks_again_and_again_is_one_entry_and_one_line_of_the_log(void **state)
{
	(void)state;
	level_start("pinned");
	for (int i = 0; i < 3; i++) {
		sim_log_clear();
		CHECK_REFUSED(&p, &self, "anna", "pending");
		CHECK(sim_log_has("event=pending ") == (i == 0));
		CHECK(sim_log_has(DIGITS(self)));
	}
	CHECK(level_tells("status --json", "\"pending\":1"));
	CHECK(level_tells("pending --json", "\"count\":3"));
	story_end();
}

static void
rsa_certificates_are_as_good(void **state)
{
	(void)state;
	LEVEL_NEEDS(CONFIG_CUBFTPD_RSA);
	level_start("pinned");
	CHECK_REFUSED(&p, &rsa, "anna", DIGITS(self_rsa));
	CHECK(story_admin("trust %s --account anna", DIGITS(self_rsa)) == CUB_OK);
	CHECK(level_tells("trusted --json", "\"exact\":false"));
	CHECK_CODE(&p, level_come(&p, &rsa, "anna"), 232);
	story_end();
}

static void
who_comes_by_implicit_tls_is_treated_alike(void **state)
{
	(void)state;
	level_start("pinned");
	peer_init(&p);
	p.cert = &self;
	CHECK_CODE(&p, peer_connect(&p, 990, true), 220);
	CHECK_CODE(&p, peer_ask(&p, "USER anna"), 530);
	CHECK(IS_PENDING(&self));
	level_trust(&self, "anna", "");
	peer_init(&p);
	p.cert = &self;
	CHECK_CODE(&p, peer_connect(&p, 990, true), 220);
	CHECK_CODE(&p, peer_ask(&p, "USER anna"), 232);
	story_end();
}

static void
let_in_by_certificate(void)
{
	size_t len;
	char got[8];

	p.from = sim_ipv4(192, 0, 2, 10, 0);
	CHECK_REFUSED(&p, &self, "anna", "pending");
	CHECK(story_admin("trust %s --account anna", DIGITS(self)) == CUB_OK);
	level_enter(&p, &self, "anna");
	CHECK_CODE(&p, story_fetch(&p, "RETR a", got, sizeof got, &len), 226);
	CHECK(len == 5 && p.data.resumed);
	CHECK_CODE(&p, peer_quit(&p), 221);
	story_check_quiet();
}

/* Certificates come in pieces of any size. */
static void
it_goes_as_well_one_byte_at_a_time(void **state)
{
	static const enum sim_split ways[] = { SIM_BYTES, SIM_RANDOM, SIM_RANDOM };

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		level_start("pinned");
		sim_net_split(ways[i]);
		let_in_by_certificate();
		story_end();
	}
}

/* ---- Without a certificate that could be trusted ---- */

static void
nobody_gets_in_without_a_certificate(void **state)
{
	(void)state;
	level_start("pinned");
	CHECK_REFUSED(&p, NULL, "anna", "530 A client certificate is needed.\r\n");
	CHECK_REFUSED(&p, NULL, "nobody", "530 A client certificate is needed.\r\n");
	CHECK(level_is_empty("pending"));
	story_check_quiet();
	story_end();
}

/* The certificate of a technician is no secret. Row 4.9 of the checklist. */
static void
a_certificate_without_its_key_fails_and_never_becomes_pending(void **state)
{
	(void)state;
	LEVEL_NEEDS(CONFIG_CUBFTPD_RSA);
	level_start("pinned");
	LEVEL_CERT(&cert, key_other, self);
	for (int trusted = 0; trusted < 2; trusted++) {
		peer_init(&p);
		p.cert = &cert;
		CHECK_CODE(&p, peer_connect(&p, 21, false), 220);
		CHECK(peer_auth_tls(&p) == CUB_E_TLS || p.control.end != PEER_OPEN);
		CHECK(!IS_PENDING(&self));
		CHECK(!sim_log_has("event=login") && !sim_log_has("event=pending"));
		level_trust(&self, "anna", "");
	}
	/* RSA, as the key of an EC certificate and the other way round. */
	LEVEL_CERT(&cert, key_rsa, self);
	peer_init(&p);
	p.cert = &cert;
	CHECK_CODE(&p, peer_connect(&p, 21, false), 220);
	CHECK(peer_auth_tls(&p) < 0);
	LEVEL_CERT(&cert, key_ec, self_rsa);
	peer_init(&p);
	p.cert = &cert;
	CHECK_CODE(&p, peer_connect(&p, 21, false), 220);
	CHECK(peer_auth_tls(&p) < 0);
	CHECK(level_is_empty("pending"));
	story_check_quiet();
	story_end();
}

/* Refused in words, although it can't be looked into; and nothing stays of it. */
static void
check_unusable(const struct peer_cert *c, const char *part)
{
	CHECK_REFUSED(&p, c, "anna", "530 Certificate sha256:");
	CHECK(strstr(p.reply, part) != NULL);
	CHECK(strstr(p.reply, level_digits_of(c)) != NULL);
	CHECK(level_is_empty("pending"));
	CHECK(sim_log_has("cause=unusable"));
	story_check_quiet();
}

static void
a_certificate_that_cant_be_used_is_refused_in_words(void **state)
{
	static uint8_t huge[16384], large[12000];

	(void)state;
	LEVEL_NEEDS(CONFIG_CUBFTPD_RSA);
	level_start("pinned");
#if !CONFIG_CUBFTPD_P384
	LEVEL_CERT(&cert, key_p384, self_p384);
	check_unusable(&cert, "the key's curve is not P-256");
#endif
	LEVEL_CERT(&cert, key_rsa1024, self_rsa1024);
	check_unusable(&cert, "2048 to 4096 bits, which RSA needs");
	for (size_t i = 0; i < 2; i++) {
		uint8_t *der = i == 0 ? huge : large;
		size_t len = i == 0 ? sizeof huge : sizeof large;

		memset(der, 0x41, len);
		memcpy(der, client_self, sizeof client_self);
		der[2] = (uint8_t)((len - 4) >> 8);
		der[3] = (uint8_t)(len - 4);
		peer_cert_start(&cert, client_key_ec, sizeof client_key_ec);
		peer_cert_add(&cert, der, len);
		check_unusable(&cert, i == 0 ? "too long" : "can't be used: ");
	}
	peer_cert_start(&cert, client_key_ec, sizeof client_key_ec);
	peer_cert_add(&cert, client_self, 1);
	check_unusable(&cert, "can't be used: ");
	story_end();
}

static void
a_chain_of_ten_is_refused_in_words(void **state)
{
	static const char *const levels[] = { "pinned", "signed" };

	(void)state;
	for (int i = 0; i < 2; i++) {
		level_start(levels[i]);
		story_give(INPUT_CERTIFICATES, client_ca, sizeof client_ca);
		CHECK(story_admin("ca add acme.crt") == CUB_OK);
		LEVEL_CERT(&cert, key_ec, below);
		for (int n = 1; n < PEER_CHAIN_MAX; n++) {
			LEVEL_ADD(&cert, middle);
		}
		check_unusable(&cert, "chain is too long");
		story_end();
	}
}

/* Each byte wrong once: the handshake may fail, but there is never a word of trust, nor a crash. */
static void
a_certificate_with_any_byte_broken_is_never_that_certificate(void **state)
{
	static uint8_t der[sizeof client_self];
	size_t step = story_times(1, 25);

	(void)state;
	level_start("pinned");
	level_trust(&self, "anna", "--exact");
	for (size_t at = 0; at < sizeof der; at += step) {
		int code;

		memcpy(der, client_self, sizeof der);
		der[at] ^= (uint8_t)(1u << at % 8);
		peer_cert_start(&cert, client_key_ec, sizeof client_key_ec);
		peer_cert_add(&cert, der, sizeof der);
		peer_init(&p);
		p.cert = &cert;
		CHECK_CODE(&p, peer_connect(&p, 21, false), 220);
		code = peer_auth_tls(&p);
		if (code == 234) {
			CHECK_CODE(&p, peer_ask(&p, "USER anna"), 530);
		} else {
			CHECK(code < 0);
		}
		peer_cut(&p);
	}
	story_check_quiet();
	CHECK_CODE(&p, level_come(&p, &self, "anna"), 232);
	story_end();
}

/* Checklist 4.24. */
static void
a_trusted_certificate_gets_in_from_an_address_that_failed_too_often(void **state)
{
	uint64_t before;

	(void)state;
	level_start("pinned");
	level_trust(&self, "anna", "");
	/* A refusal can be read, however many there were. */
	for (int i = 0; i < 12; i++) {
		CHECK_REFUSED(&p, &rsa, "anna", " is not trusted yet");
	}
	CHECK_CODE(&p, level_come(&p, &self, "anna"), 232);
	CHECK(sim_log_has(" by=certificate certificate=sha256:"));
	CHECK_CODE(&p, peer_quit(&p), 221);
	/* Also where the password is asked for besides. */
	story_set("password", "always");
	CHECK(story_reload() == CUB_OK);
	CHECK_CODE(&p, level_come(&p, &self, "anna"), 331);
	before = port_clock_ms();
	CHECK_CODE(&p, peer_ask(&p, "PASS secret"), 230);
	CHECK(port_clock_ms() - before == 8000);
	CHECK_CODE(&p, peer_quit(&p), 221);
	story_end();
}

static void
what_a_certificate_calls_itself_forges_no_line(void **state)
{
	(void)state;
	level_start("pinned");
	LEVEL_CERT(&cert, key_other, forger);
	CHECK_REFUSED(&p, &cert, "anna", DIGITS(forger));
	CHECK(IS_PENDING(&cert));
	CHECK(!level_tells("pending", "\nsha256:") && strstr(story_said, "CN=Eve") != NULL);
	CHECK(!level_tells("pending --json", "\\n"));
	story_end();
}

/* ---- Dates ---- */

static void
dates_count_by_a_good_clock(void **state)
{
	(void)state;
	level_start("pinned");
	CHECK_REFUSED(&p, &expired, "anna", " has expired.\r\n");
	CHECK_REFUSED(&p, &future, "anna", " is not valid yet.\r\n");
	CHECK(level_is_empty("pending"));
	/* Trusted or not: of the first the key is pinned, and the second has it, too. */
	level_trust(&expired, "anna", "");
	CHECK_REFUSED(&p, &expired, "anna", " has expired.\r\n");
	CHECK_REFUSED(&p, &future, "anna", " is not valid yet.\r\n");
	CHECK(!sim_log_has("event=dates-ignored"));
	/* From its first second to its last. */
	sim_time_set(INT64_C(1924992000) - 1);
	CHECK_REFUSED(&p, &future, "anna", " is not valid yet.\r\n");
	sim_time_set(INT64_C(1924992000));
	CHECK_CODE(&p, level_come(&p, &future, "anna"), 232);
	story_end();
}

static void
a_wrong_clock_refuses_nobody_and_trusts_nobody(void **state)
{
	(void)state;
	level_start("pinned");
	sim_time_set(1000);
	CHECK_REFUSED(&p, &another, "anna", "is not trusted yet");
	level_trust(&expired, "anna", "--exact");
	sim_log_clear();
	CHECK_CODE(&p, level_come(&p, &expired, "anna"), 232);
	CHECK(sim_log_has("event=dates-ignored"));
	CHECK(sim_log_count_of(PORT_LOG_WARNING) == 1);
	CHECK(level_tells("status --json", "\"clock\":\"wrong\""));
	level_trust(&future, "anna", "--exact");
	CHECK_CODE(&q, level_come(&q, &future, "anna"), 232);
	story_end();
}

/* ---- Who is let in as whom ---- */

static void
a_certificate_logs_in_to_its_account_and_to_no_other(void **state)
{
	(void)state;
	level_start("pinned");
	level_trust(&self, "anna", "");
	CHECK_REFUSED(&p, &self, "otto", " is for another account.\r\n");
	CHECK_REFUSED(&p, &self, "nobody", " is for another account.\r\n");
	CHECK_REFUSED(&p, &self, "ANNA", " is for another account.\r\n");
	CHECK(level_is_empty("pending"));
	CHECK_CODE(&p, level_come(&p, &self, "anna"), 232);
	story_end();
}

static void
password_always_asks_for_both(void **state)
{
	(void)state;
	level_start_with("pinned", "password", "always");
	CHECK_REFUSED(&p, &self, "anna", "is not trusted yet");
	level_trust(&self, "anna", "");
	CHECK_CODE(&p, level_come(&p, &self, "anna"), 331);
	CHECK_CODE(&p, peer_ask(&p, "PASS wrong"), 530);
	CHECK_CODE(&p, peer_ask(&p, "PWD"), 530);
	CHECK_CODE(&p, peer_login(&p, "anna", "secret"), 230);
	CHECK_CODE(&p, peer_quit(&p), 221);
	CHECK_REFUSED(&p, &self, "otto", " is for another account.\r\n");
	/* Distrusted between the two, it is too late for the right password. */
	CHECK_CODE(&p, level_come(&p, &self, "anna"), 331);
	CHECK(story_admin("distrust %s", DIGITS(self)) == CUB_OK);
	CHECK_CODE(&p, peer_ask(&p, "PASS secret"), 530);
	CHECK_CODE(&p, peer_ask(&p, "PWD"), 530);
	story_end();
}

static void
a_renewed_certificate_for_the_same_key_goes_on_working(void **state)
{
	(void)state;
	level_start("pinned");
	level_trust(&self, "anna", "--label by-key");
	CHECK_CODE(&p, level_come(&p, &renewed, "anna"), 232);
	CHECK_CODE(&p, peer_quit(&p), 221);
	CHECK_REFUSED(&p, &another, "anna", "is not trusted yet");
	CHECK(story_admin("distrust by-key") == CUB_OK);
	level_trust(&self, "anna", "--exact");
	CHECK_CODE(&p, level_come(&p, &self, "anna"), 232);
	CHECK_CODE(&p, peer_quit(&p), 221);
	CHECK_REFUSED(&p, &renewed, "anna", "is not trusted yet");
	CHECK(IS_PENDING(&renewed));
	story_end();
}

/* A fingerprint is all that is known of it, so that its key can't be. */
static void
a_whole_fingerprint_trusts_one_certificate_before_it_ever_came(void **state)
{
	(void)state;
	level_start("pinned");
	CHECK(story_admin("trust sha256:%s --account anna", DIGITS(self)) == CUB_OK);
	CHECK_CODE(&p, level_come(&p, &self, "anna"), 232);
	CHECK_CODE(&p, peer_quit(&p), 221);
	CHECK_REFUSED(&p, &renewed, "anna", "is not trusted yet");
	story_end();
}

static void
optional_lets_in_by_certificate_or_by_password(void **state)
{
	(void)state;
	level_start("optional");
	CHECK_CODE(&p, level_come(&p, NULL, "anna"), 331);
	CHECK_CODE(&p, peer_ask(&p, "PASS wrong"), 530);
	CHECK_CODE(&p, peer_login(&p, "anna", "secret"), 230);
	CHECK_CODE(&p, peer_quit(&p), 221);
	CHECK_CODE(&p, level_come(&p, &self, "anna"), 331);
	CHECK(IS_PENDING(&self));
	CHECK_CODE(&p, peer_ask(&p, "PASS secret"), 230);
	CHECK_CODE(&p, peer_quit(&p), 221);
	CHECK(story_admin("trust %s --account anna", DIGITS(self)) == CUB_OK);
	CHECK_CODE(&p, level_come(&p, &self, "anna"), 232);
	CHECK_CODE(&p, peer_quit(&p), 221);
	CHECK_REFUSED(&p, &self, "otto", " is for another account.\r\n");
	/* What can't be used is no worse than none. */
	LEVEL_CERT(&cert, key_rsa1024, self_rsa1024);
	CHECK_CODE(&p, level_come(&p, &cert, "anna"), 331);
	CHECK_CODE(&p, peer_ask(&p, "PASS secret"), 230);
	story_end();
}

/* ---- Tables that are full, and commands that are wrong ---- */

/* Refused: with a reason, and with neither the table nor the flash touched. */
static void
check_unchanged(int err, const char *part, const char *before, uint64_t programs)
{
	CHECK(err < 0);
	if (strstr(story_wrong, part) == NULL) {
		sim_fail("no \"%s\" in: %s", part, story_wrong);
	}
	CHECK(story_admin("trusted") == CUB_OK && strcmp(story_said, before) == 0);
	CHECK(sim_flash_counts(PORT_AREA_TRUST).programs == programs);
	CHECK(IS_PENDING(&self));
}

static void
a_trust_that_is_refused_changes_nothing(void **state)
{
	static char before[sizeof story_said];
	static const struct { const char *options, *part; } wrong[] = {
		{ "--account anna --label taken", "taken" },
		{ "--account berta", "no account of the name berta" },
		{ "--account anna --label a/b", "label" },
		{ "--label free", "--account" },
	};
	uint64_t programs;

	(void)state;
	level_start("pinned");
	CHECK_REFUSED(&p, &self, "anna", "pending");
	level_trust(&another, "otto", "--label taken");
	CHECK(story_admin("trusted") == CUB_OK);
	memcpy(before, story_said, sizeof before);
	programs = sim_flash_counts(PORT_AREA_TRUST).programs;
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		check_unchanged(story_admin("trust %s %s", DIGITS(self), wrong[i].options),
			wrong[i].part, before, programs);
	}
	check_unchanged(story_admin("trust %.7s --account anna", DIGITS(self)), "8 digits", before,
		programs);
	check_unchanged(story_admin("trust 12345678 --account anna"), "12345678", before, programs);
	check_unchanged(story_admin("distrust 12345678"), "12345678", before, programs);
	for (unsigned i = 1; i < CUB_TRUSTED; i++) {
		CHECK(story_admin("trust %016x%048x --account anna", i, i) == CUB_OK);
	}
	CHECK(story_admin("trusted") == CUB_OK);
	memcpy(before, story_said, sizeof before);
	programs = sim_flash_counts(PORT_AREA_TRUST).programs;
	check_unchanged(story_admin("trust %s --account anna", DIGITS(self)), "full", before, programs);
	CHECK(story_admin("distrust taken") == CUB_OK);
	CHECK(story_admin("trust %s --account anna --label taken", DIGITS(self)) == CUB_OK);
	story_end();
}

/* A certificate for the key of key_ec that nobody has seen before. */
static void
make_cert(struct peer_cert *c, unsigned number)
{
	static uint8_t der[CUB_PENDING + 4][1024];
	struct key key;
	const char *why;
	char name[32];
	int len;

	CHECK(key_import(&key, (struct bytes){ client_key_ec, sizeof client_key_ec }, &why) == CUB_OK);
	snprintf(name, sizeof name, "flood %u", number);
	len = x509_self_signed(der[number], sizeof der[number], &key,
		(struct text){ name, strlen(name) }, port_time());
	CHECK(len > 0);
	peer_cert_start(c, client_key_ec, sizeof client_key_ec);
	peer_cert_add(c, der[number], (size_t)len);
}

static void
a_flood_from_one_address_leaves_the_others_pending(void **state)
{
	char count[32];

	(void)state;
	LEVEL_NEEDS(CONFIG_CUBFTPD_RSA);
	level_start("pinned");
	CHECK_REFUSED(&p, &rsa, "anna", "pending");
	for (unsigned i = 0; i < CUB_PENDING + 4; i++) {
		make_cert(&cert, i);
		peer_init(&p);
		p.from = sim_ipv4(192, 0, 2, 66, 0);
		p.cert = &cert;
		CHECK_CODE(&p, peer_connect(&p, 21, false), 220);
		CHECK_CODE(&p, peer_auth_tls(&p), 234);
		CHECK_CODE(&p, peer_quit(&p), 221);
		if (i == 2) {
			CHECK_REFUSED(&q, &another, "otto", "pending");
		}
		CHECK(IS_PENDING(&cert));
	}
	CHECK(IS_PENDING(&rsa) && IS_PENDING(&another));
	snprintf(count, sizeof count, "\"pending\":%d", CUB_PENDING);
	CHECK(level_tells("status --json", count));
	story_end();
}

/* Nobody without trust can wear out the flash. */
static void
whoever_is_not_trusted_causes_no_write(void **state)
{
	uint64_t programs;

	(void)state;
	level_start("pinned");
	programs = sim_flash_counts(PORT_AREA_TRUST).programs
		+ sim_flash_counts(PORT_AREA_IDENTITY).programs;
	CHECK_REFUSED(&p, &self, "anna", "pending");
	CHECK_REFUSED(&p, &another, "otto", "pending");
	CHECK_REFUSED(&p, NULL, "otto", "needed");
	CHECK(sim_flash_counts(PORT_AREA_TRUST).programs
		+ sim_flash_counts(PORT_AREA_IDENTITY).programs == programs);
	story_end();
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(level_1_asks_for_no_certificate),
		TEST(level_2_asks_for_any_certificate_and_names_no_ca),
		TEST(the_first_contact_is_refused_and_the_second_let_in),
		TEST(who_knocks_again_and_again_is_one_entry_and_one_line_of_the_log),
		TEST(rsa_certificates_are_as_good),
		TEST(who_comes_by_implicit_tls_is_treated_alike),
		TEST(it_goes_as_well_one_byte_at_a_time),
		TEST(nobody_gets_in_without_a_certificate),
		TEST(a_certificate_without_its_key_fails_and_never_becomes_pending),
		TEST(a_certificate_that_cant_be_used_is_refused_in_words),
		TEST(a_chain_of_ten_is_refused_in_words),
		TEST(a_certificate_with_any_byte_broken_is_never_that_certificate),
		TEST(a_trusted_certificate_gets_in_from_an_address_that_failed_too_often),
		TEST(what_a_certificate_calls_itself_forges_no_line),
		TEST(dates_count_by_a_good_clock),
		TEST(a_wrong_clock_refuses_nobody_and_trusts_nobody),
		TEST(a_certificate_logs_in_to_its_account_and_to_no_other),
		TEST(password_always_asks_for_both),
		TEST(a_renewed_certificate_for_the_same_key_goes_on_working),
		TEST(a_whole_fingerprint_trusts_one_certificate_before_it_ever_came),
		TEST(optional_lets_in_by_certificate_or_by_password),
		TEST(a_trust_that_is_refused_changes_nothing),
		TEST(a_flood_from_one_address_leaves_the_others_pending),
		TEST(whoever_is_not_trusted_causes_no_write),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
