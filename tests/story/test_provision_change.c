/* SPDX-License-Identifier: MIT */
/*
 * /.provision as a folder that administrators change: what is uploaded whole and right takes
 * effect, what is not changes nothing and says why, and nobody's broken upload keeps the next
 * one from coming.
 */
#include "folder.h"
#include "level.h"
#include "pem.h"

#include "tests/data/chains.h"

#define NONE ((struct bytes){ NULL, 0 })
#define HASH_OF_LEAF "44f67c0c9b1006358aacf79d7f1f61c6c6140cdfb52196ed64185fd533b940b4"

static bool
is_of(const uint8_t fingerprint[32], struct bytes der)
{
	uint8_t hash[32];

	x509_hash(der, hash);
	return memcmp(hash, fingerprint, sizeof hash) == 0;
}

/* The last reply has this code and says this. */
static void
check_says(const struct peer *by, int line, int got_code, int code, const char *part)
{
	if (got_code != code || strstr(by->reply, part) == NULL) {
		sim_fail("line %d: %d, and not %d with \"%s\": %s", line, got_code, code, part, by->reply);
	}
}

#define CHECK_SAYS(call, code, part) check_says(&p, __LINE__, (call), (code), (part))

static int
rename_to(const char *from, const char *to)
{
	int code = peer_ask(&p, "RNFR %s", from);

	return code == 350 ? peer_ask(&p, "RNTO %s", to) : code;
}

/* A command on the pending one. */
static const char *
of_leaf(const char *verb)
{
	char before[64];

	snprintf(before, sizeof before, "%s /.provision/pending/", verb);
	return folder_name(before, DER(cert_leaf));
}

/* The same, under a new name. */
static int
rename_leaf(const char *to)
{
	CHECK_CODE(&p, peer_ask(&p, "%s", of_leaf("RNFR")), 350);
	return peer_ask(&p, "RNTO %s", to);
}

/* ---- The device's chain ---- */

static struct text
new_chain(void)
{
	return folder_pem(DER(cert_leaf), DER(cert_inter));
}

static void
a_signed_chain_is_for_new_connections_and_running_ones_go_on(void **state)
{
	unsigned long size;
	size_t len;

	(void)state;
	sim_file_put("/srv/home/a", "hello", 5);
	CHECK_CODE(&p, peer_ask(&p, "TYPE I"), 200);
	CHECK_CODE(&p, peer_ask(&p, "SIZE /.provision/device.csr"), 213);
	CHECK_CODE(&p, folder_store(&p, "STOR /.provision/device.crt", new_chain()), 226);
	CHECK_CODE(&p, folder_fetch(&p, "RETR a", got), 226);
	CHECK(strcmp(got, "hello") == 0 && p.data.resumed);
	CHECK_CODE(&p, folder_fetch(&p, "RETR /.provision/device.crt", got), 226);
	CHECK(strcmp(got, new_chain().at) == 0);
	CHECK(!is_of(p.control.x509.fingerprint, DER(cert_leaf)));
	story_login_as(&q, "anna");
	CHECK(is_of(q.control.x509.fingerprint, DER(cert_leaf)) && q.control.x509.count == 2);
	CHECK_CODE(&q, folder_fetch(&q, "RETR a", got), 226);
	/* The request has the new certificate's name now, and says how long it is. */
	CHECK_CODE(&p, peer_ask(&p, "SIZE /.provision/device.csr"), 213);
	CHECK(sscanf(p.reply, "213 %lu", &size) == 1);
	CHECK_CODE(&p, story_fetch(&p, "RETR /.provision/device.csr", got, sizeof got, &len), 226);
	CHECK(len == size);
	CHECK(sim_log_has("event=certificate-installed certificate=sha256:" HASH_OF_LEAF));
	folder_end();
	story_start();
	CHECK(is_of(service_identity(&service)->fingerprint, DER(cert_leaf)));
	story_end();
}

/* A download that began before is not made of halves of two chains. */
static void
a_chain_that_is_replaced_while_it_is_read_breaks_off(void **state)
{
	(void)state;
	story_login_as(&q, "boss");
	p.prepare = folder_small_records;
	sim_net_buffer(100);
	CHECK_CODE(&p, story_open(&p, "RETR /.provision/device.crt"), 150);
	CHECK_CODE(&q, folder_store(&q, "STOR /.provision/device.crt", new_chain()), 226);
	while (peer_data_read(&p, got, sizeof got) > 0) {
		continue;
	}
	CHECK(!p.data.notified);
	CHECK_CODE(&p, peer_reply(&p), 550);
	sim_net_buffer(65536);
	folder_end();
}

static void
as_long_as_a_client_uses_the_chain_before_another_one_has_to_wait(void **state)
{
	uint32_t before;

	(void)state;
	CHECK_CODE(&p, folder_store(&p, "STOR /.provision/device.crt", new_chain()), 226);
	before = folder_digest();
	CHECK_SAYS(folder_store(&p, "STOR /.provision/device.crt",
		folder_pem(DER(cert_leaf), NONE)), 450, "try again");
	CHECK(folder_digest() == before);
	CHECK_CODE(&p, peer_quit(&p), 221);
	story_settle();
	story_login_as(&p, "boss");
	CHECK_CODE(&p, folder_store(&p, "STOR /.provision/device.crt",
		folder_pem(DER(cert_leaf), NONE)), 226);
	story_login_as(&q, "boss");
	CHECK(is_of(q.control.x509.fingerprint, DER(cert_leaf)) && q.control.x509.count == 1);
	folder_end();
}

/* DER does as well as PEM. */
static void
a_certificate_can_be_uploaded_as_der(void **state)
{
	(void)state;
	CHECK_CODE(&p, story_store(&p, "STOR /.provision/device.crt",
		cert_leaf, sizeof cert_leaf), 226);
	CHECK_CODE(&p, story_store(&p, "STOR /.provision/ca/Acme.der",
		cert_root, sizeof cert_root), 226);
	CHECK_CODE(&p, folder_fetch(&p, "NLST /.provision/ca", got), 226);
	CHECK(strcmp(got, ".provision/ca/Acme.crt\r\n") == 0);
	folder_end();
}

/* ---- Wrong uploads ---- */

static void
refuse(const char *path, struct text file, int code, const char *why)
{
	uint32_t before = folder_digest();
	char command[128];

	snprintf(command, sizeof command, "STOR /.provision/%s", path);
	CHECK_SAYS(folder_store(&p, command, file), code, why);
	CHECK(folder_digest() == before);
	CHECK(service.inbox.owner == NULL);
}

static void
a_wrong_chain_is_refused_with_the_reason(void **state)
{
	static char long_text[4 * CUB_INPUT_MAX];
	struct text pem = new_chain();
	size_t len = 0;

	(void)state;
	refuse("device.crt", (struct text){ "", 0 }, 550, "no certificate");
	refuse("device.crt", (struct text){ "hello\n", 6 }, 550, "no certificate");
	refuse("device.crt", (struct text){ pem.at, pem.len / 3 }, 550, "certificate");
	refuse("device.crt", (struct text){ pem.at, pem.len - 40 }, 550, "certificate");
	refuse("device.crt", folder_pem(DER(cert_foreign), DER(cert_inter)), 550, "key");
	refuse("device.crt", folder_pem(DER(cert_inter), DER(cert_leaf)), 550, "key");
	refuse("device.crt", folder_pem(DER(cert_leaf), DER(cert_root)), 550, "");
	refuse("device.crt", folder_pem(DER(cert_expired), NONE), 550, "expired");
	while (len + 2048 < sizeof long_text) {
		pem = folder_pem(DER(cert_leaf), NONE);
		memcpy(long_text + len, pem.at, pem.len);
		len += pem.len;
	}
	refuse("device.crt", (struct text){ long_text, len }, 552, "too long");
	for (unsigned i = 0; i < sizeof cert_leaf; i += 37) {
		static uint8_t broken[sizeof cert_leaf];

		memcpy(broken, cert_leaf, sizeof broken);
		broken[i] ^= 0x10;
		refuse("device.crt", folder_pem((struct bytes){ broken, sizeof broken }, DER(cert_inter)),
			550, "");
	}
	CHECK_CODE(&p, folder_store(&p, "STOR /.provision/device.crt", new_chain()), 226);
	folder_end();
}

static void
a_wrong_ca_is_refused_with_the_reason(void **state)
{
	struct text root = folder_pem(DER(cert_root), NONE);

	(void)state;
	refuse("ca/x.crt", folder_pem(DER(cert_leaf), NONE), 550, "CA");
	refuse("ca/x.crt", folder_pem(DER(cert_root), DER(cert_inter)), 550, "One certificate");
	root = folder_pem(DER(cert_root), NONE);
	refuse("ca/a+b.crt", root, 553, "name");
	refuse("ca/.x.crt", root, 553, "name");
	refuse("ca/123456789012345678901234567890123.crt", root, 553, "name");
	CHECK_CODE(&p, folder_store(&p, "STOR /.provision/ca/one.crt", root), 226);
	refuse("ca/two.crt", root, 550, "there already, as one");
	refuse("ca/one.crt", folder_pem(DER(cert_inter), NONE), 550, "another CA, is there");
	/* The same again is no error, and no change. */
	refuse("ca/one.crt", folder_pem(DER(cert_root), NONE), 226, "");
#if CUB_CAS == 2
	CHECK_CODE(&p, folder_store(&p, "STOR /.provision/ca/two.crt",
		folder_pem(DER(cert_inter), NONE)), 226);
	refuse("ca/three.crt", folder_pem(DER(chain_root), NONE), 552, "table of CAs is full");
#endif
	folder_end();
}

static void
a_wrong_trust_is_refused_with_the_reason(void **state)
{
	struct text leaf = folder_pem(DER(cert_leaf), NONE);

	(void)state;
	refuse("trusted/tech+nobody.crt", leaf, 550, "no account of the name nobody");
	refuse("trusted/tech+.crt", leaf, 550, "no account");
	refuse("trusted/tech.crt", leaf, 553, "LABEL+ACCOUNT");
	refuse("trusted/+anna.crt", leaf, 553, "1 to 32 printable");
	refuse("trusted/a\"b+anna.crt", leaf, 553, "label");
	refuse("trusted/-x+anna.crt", leaf, 553, "label");
	refuse("trusted/123456789012345678901234567890123+anna.crt", leaf, 553, "1 to 32 printable");
	refuse("trusted/tech+anna.crt", folder_pem(DER(cert_leaf), DER(cert_inter)), 550,
		"One certificate");
	CHECK_CODE(&p, folder_store(&p, "STOR /.provision/trusted/tech+anna.crt",
		folder_pem(DER(cert_leaf), NONE)), 226);
	refuse("trusted/tech+anna.crt", folder_pem(DER(chain_direct), NONE), 550,
		"another certificate");
	refuse("trusted/other+anna.crt", folder_pem(DER(cert_leaf), NONE), 550,
		"trusted already, as tech");
	refuse("trusted/tech+anna.crt", folder_pem(DER(cert_leaf), NONE), 226, "");
	folder_end();
}

static void
a_full_trust_table_is_told_and_stays(void **state)
{
	char command[160];

	(void)state;
	for (unsigned i = 0; i < CUB_TRUSTED; i++) {
		snprintf(command, sizeof command, "trust %064x --account anna --label l%u", i + 1, i);
		CHECK(story_admin("%s", command) == CUB_OK);
	}
	refuse("trusted/tech+anna.crt", folder_pem(DER(cert_leaf), NONE), 552, "full");
	folder_pending(DER(cert_leaf), "anna");
	CHECK_SAYS(rename_leaf("/.provision/trusted/tech.crt"), 552, "full");
	CHECK(service.pending.count == 1 && service.trust.count == CUB_TRUSTED);
	CHECK_CODE(&p, peer_ask(&p, "DELE /.provision/trusted/l3.crt"), 250);
	CHECK_CODE(&p, rename_leaf("/.provision/trusted/tech.crt"), 250);
	folder_end();
}

static void
nothing_else_can_be_written(void **state)
{
	static const char *const places[] = {
		"", "/x.crt", "/device.csr", "/device.json", "/log.txt", "/ca", "/pending", "/trusted",
		"/pending/x.crt", "/ca/a/b.crt", "/trusted/a/b.crt", "/device.crt/x",
	};

	(void)state;
	for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
		story_data(&p);
		CHECK_SAYS(peer_ask(&p, "STOR /.provision%s", places[i]), 550, "can be written");
		CHECK(service.inbox.owner == NULL);
		CHECK_CODE(&p, peer_ask(&p, "MKD /.provision%s", places[i]), 550);
		CHECK_CODE(&p, peer_ask(&p, "RMD /.provision%s", places[i]), 550);
		peer_data_cut(&p);
	}
	story_data(&p);
	CHECK_CODE(&p, peer_ask(&p, "APPE /.provision/device.crt"), 550);
	CHECK_CODE(&p, peer_ask(&p, "REST 1"), 350);
	CHECK_CODE(&p, peer_ask(&p, "STOR /.provision/device.crt"), 550);
	CHECK(service.inbox.owner == NULL);
	peer_data_cut(&p);
	folder_end();
}

/* ---- Broken uploads ---- */

enum stage { ASKED, CONNECTED, SECURED, HALF, ALL, STAGES };
enum cut { CUT_FIN, CUT_RESET, CUT_ABOR, CUT_LEAVE, CUT_CONTROL_RESET, CUT_KICK, CUT_TIME, CUTS };

static void
go_to(enum stage stage, const char *command, struct text file)
{
	uint16_t tcp_port = peer_epsv(&p);

	if (stage > ASKED) {
		CHECK(peer_data_connect(&p, tcp_port) == CUB_OK);
	}
	CHECK_CODE(&p, peer_ask(&p, "%s", command), 150);
	if (stage > CONNECTED) {
		CHECK(peer_data_handshake(&p) == CUB_OK);
	}
	if (stage > SECURED) {
		CHECK(peer_data_write(&p, file.at, stage == ALL ? file.len : file.len / 2) > 0);
	}
}

/* Break it. Returns whether the session is over, too. */
static bool
cut(enum cut how)
{
	char command[32];

	switch (how) {
	case CUT_FIN:
		peer_data_cut(&p);
		return false;
	case CUT_RESET:
		peer_data_reset(&p);
		return false;
	case CUT_ABOR:
		CHECK_CODE(&p, peer_ask(&p, "ABOR"), 426);
		return false;
	case CUT_LEAVE:
		peer_cut(&p);
		return true;
	case CUT_CONTROL_RESET:
		peer_reset(&p);
		return true;
	case CUT_KICK:
		snprintf(command, sizeof command, "kick %u", (unsigned)service.status.sessions_served);
		CHECK(story_admin("%s", command) == CUB_OK);
		return true;
	default:
		story_wait_ms(story_config.data_timeout * UINT64_C(1000) + 1);
		return false;
	}
}

static void
cut_at(enum stage stage, enum cut how, const char *command, struct text file)
{
	uint32_t before = folder_digest();
	int code;

	go_to(stage, command, file);
	CHECK(service.inbox.owner != NULL);
	if (!cut(how)) {
		code = peer_reply(&p);
		if (code != 425 && code != 426 && code != 522 && !(how == CUT_ABOR && code == 226)) {
			sim_fail("stage %u, cut %u: %d", stage, how, code);
		}
		peer_data_reset(&p);
	} else {
		peer_data_reset(&p);
		story_settle();
		peer_init(&p);
		story_login_as(&p, "boss");
	}
	if (service.inbox.owner != NULL || folder_digest() != before) {
		sim_fail("stage %u, cut %u leaves something", stage, how);
	}
	refuse("device.crt", (struct text){ "hello", 5 }, 550, "no certificate");
}

static void
an_upload_that_breaks_off_changes_nothing_and_makes_way(void **state)
{
	static const char *const commands[] = {
		"STOR /.provision/device.crt", "STOR /.provision/trusted/tech+anna.crt",
	};

	(void)state;
	for (unsigned stage = ASKED; stage < STAGES; stage++) {
		for (unsigned how = stage == ASKED ? CUT_ABOR : CUT_FIN; how < CUTS; how++) {
			cut_at(stage, how, commands[how % 2], how % 2 == 0 ? new_chain()
				: folder_pem(DER(cert_leaf), NONE));
		}
	}
	CHECK(service.trust.count == 0);
	folder_end();
}

/* The rule of data connections holds for the folder as well. */
static void
an_upload_that_is_not_tied_to_its_session_is_refused(void **state)
{
	uint32_t before = folder_digest();

	(void)state;
	p.resume = false;
	CHECK_CODE(&p, folder_store(&p, "STOR /.provision/device.crt", new_chain()), 522);
	CHECK(service.inbox.owner == NULL && folder_digest() == before);
	CHECK_CODE(&p, folder_fetch(&p, "RETR /.provision/log.txt", got), 522);
	CHECK(got[0] == '\0');
	p.resume = true;
	CHECK_CODE(&p, folder_store(&p, "STOR /.provision/device.crt", new_chain()), 226);
	folder_end();
}

static void
a_second_administrator_is_told_to_wait(void **state)
{
	(void)state;
	story_login_as(&q, "boss");
	go_to(HALF, "STOR /.provision/device.crt", new_chain());
	story_data(&q);
	CHECK_CODE(&q, peer_ask(&q, "STOR /.provision/ca/Acme.crt"), 450);
	CHECK(strstr(q.reply, "under way: try again") != NULL);
	peer_data_cut(&q);
	/* Reading and removing is not held up. */
	CHECK_CODE(&q, folder_fetch(&q, "RETR /.provision/device.json", got), 226);
	CHECK_CODE(&q, peer_quit(&q), 221);
	CHECK(peer_data_write(&p, new_chain().at + new_chain().len / 2,
		new_chain().len - new_chain().len / 2) > 0);
	peer_data_close(&p);
	CHECK_CODE(&p, peer_reply(&p), 226);
	story_login_as(&q, "boss");
	CHECK_CODE(&q, folder_store(&q, "STOR /.provision/ca/Acme.crt",
		folder_pem(DER(cert_root), NONE)), 226);
	folder_end();
}

/* ---- The control socket ---- */

/* The world anew, with a control socket, and boss there. */
static void
begin_with_control(void)
{
	folder_end();
	folder_begin(sim_seed_or(1));
	story_set("control_socket", "/run/cubftpd.sock");
	story_start();
	peer_init(&p);
	story_login_as(&p, "boss");
}

/* Half of a request of `length` bytes of input: all of it but the last byte. */
static sim_peer
ask_by_half(const char *command, uint8_t length)
{
	uint8_t head[8] = {
		'c', 'u', 'b', CUBFTPD_CONTROL_FORMAT, (uint8_t)(strlen(command) + 1), 0, length, 0,
	};
	sim_peer client;

	CHECK(sim_connect_local(&client) == CUB_OK);
	CHECK(sim_peer_write(client, head, sizeof head) == sizeof head);
	CHECK(sim_peer_write(client, command, strlen(command) + 1) > 0);
	CHECK(length == 1 || sim_peer_write(client, head, length - 1u) > 0);
	story_settle();
	return client;
}

static void
an_upload_waits_for_a_command_that_is_given_something(void **state)
{
	sim_peer client;

	(void)state;
	LEVEL_NEEDS(CONFIG_CUBFTPD_ADMIN);
	begin_with_control();
	client = ask_by_half("cert", 8);
	story_data(&p);
	CHECK_SAYS(peer_ask(&p, "STOR /.provision/device.crt"), 450, "try again");
	peer_data_cut(&p);
	sim_peer_close(client);
	story_settle();
	CHECK_CODE(&p, folder_store(&p, "STOR /.provision/device.crt", new_chain()), 226);
	folder_end();
}

/* Whatever came with it: once it is answered, the way is free. */
static void
a_reload_leaves_the_way_free_for_uploads(void **state)
{
	sim_peer client;

	(void)state;
	LEVEL_NEEDS(CONFIG_CUBFTPD_ADMIN);
	begin_with_control();
	client = ask_by_half("reload", 1);
	CHECK(sim_peer_write(client, "x", 1) == 1);
	while (!cubftpd_wants_reload()) {
		story_pass();
	}
	CHECK(story_reload() == CUB_OK);
	sim_peer_close(client);
	CHECK_CODE(&p, folder_store(&p, "STOR /.provision/device.crt", new_chain()), 226);
	folder_end();
}

/* ---- CAs and trust ---- */

static void
a_ca_comes_by_upload_and_goes_by_delete(void **state)
{
	(void)state;
	CHECK_CODE(&p, folder_store(&p, "STOR /.provision/ca/Acme CA.pem",
		folder_pem(DER(cert_root), NONE)), 226);
	CHECK(service.cas.count == 1);
	CHECK_CODE(&p, folder_fetch(&p, "NLST /.provision/ca", got), 226);
	CHECK(strcmp(got, ".provision/ca/Acme CA.crt\r\n") == 0);
	CHECK_CODE(&p, peer_ask(&p, "DELE /.provision/ca/Acme CA.crt"), 250);
	CHECK(service.cas.count == 0);
	CHECK_CODE(&p, peer_ask(&p, "DELE /.provision/ca/Acme CA.crt"), 550);
	folder_end();
}

static void
check_trusted(unsigned count, const char *label, const char *account)
{
	const struct trusted *t = trust_find_label(&service.trust, text_of(label));

	if (service.trust.count != count || t == NULL || strcmp(t->account, account) != 0) {
		sim_fail("%s is not trusted for %s: %s", label, account, p.reply);
	}
}

static void
trust_by_upload_takes_the_account_that_was_meant(void **state)
{
	(void)state;
	CHECK_CODE(&p, folder_store(&p, "STOR /.provision/trusted/tech 7+anna.crt",
		folder_pem(DER(cert_foreign), NONE)), 226);
	check_trusted(1, "tech 7", "anna");
	/* The account that it asked for, and then it is pending no more. */
	folder_pending(DER(cert_leaf), "gast");
	CHECK_CODE(&p, folder_store(&p, "STOR /.provision/trusted/anna.crt",
		folder_pem(DER(cert_leaf), NONE)), 226);
	check_trusted(2, "anna", "gast");
	CHECK(service.pending.count == 0);
	/* The account that has the label's name. */
	CHECK_CODE(&p, folder_store(&p, "STOR /.provision/trusted/otto.pem",
		folder_pem(DER(chain_direct), NONE)), 226);
	check_trusted(3, "otto", "otto");
	CHECK_CODE(&p, peer_ask(&p, "DELE /.provision/trusted/otto.crt"), 250);
	/* The only one there is. */
	CHECK(story_admin("account remove anna") == CUB_OK);
	CHECK(story_admin("account remove gast") == CUB_OK);
	CHECK(story_admin("account remove otto") == CUB_OK);
	CHECK_CODE(&p, folder_store(&p, "STOR /.provision/trusted/x.crt",
		folder_pem(DER(chain_direct), NONE)), 226);
	/* What logged in to the accounts that are gone is trusted no more. */
	check_trusted(1, "x", "boss");
	folder_end();
	story_start();
	check_trusted(1, "x", "boss");
	story_end();
}

/* What was downloaded, with the words before the certificate, can be uploaded as it is. */
static void
a_pending_file_can_be_uploaded_again_to_trust_it(void **state)
{
	(void)state;
	folder_pending(DER(cert_leaf), "anna");
	CHECK_CODE(&p, folder_fetch(&p, of_leaf("RETR"), got), 226);
	CHECK_CODE(&p, folder_store(&p, "STOR /.provision/trusted/tech.crt", text_of(got)), 226);
	check_trusted(1, "tech", "anna");
	CHECK(is_of(service.trust.item[0].cert, DER(cert_leaf)) && service.pending.count == 0);
	folder_end();
}

static void
a_pending_certificate_is_trusted_by_renaming_it(void **state)
{
	(void)state;
	folder_pending(DER(cert_leaf), "anna");
	CHECK_CODE(&p, rename_leaf("/.provision/trusted/Technician 7.crt"), 250);
	check_trusted(1, "Technician 7", "anna");
	CHECK(service.pending.count == 0);
	CHECK(!service.trust.item[0].is_exact && !service.trust.item[0].is_admin);
	CHECK(sim_log_has("event=trusted certificate=sha256:" HASH_OF_LEAF " account=anna"));
	CHECK_CODE(&p, peer_ask(&p, "%s", of_leaf("RNFR")), 550);
	folder_pending(DER(cert_foreign), "");
	CHECK_CODE(&p, peer_ask(&p, "%s",
		folder_name("RNFR /.provision/pending/", DER(cert_foreign))), 350);
	CHECK_CODE(&p, peer_ask(&p, "RNTO /.provision/trusted/other+otto.crt"), 250);
	check_trusted(2, "other", "otto");
	folder_end();
}

static void
a_rename_that_makes_no_sense_changes_nothing(void **state)
{
	static const struct { const char *to; int code; } bad[] = {
		{ "/.provision/trusted", 550 }, { "/.provision/ca/x.crt", 550 }, { "/tech.crt", 550 },
		{ "/.provision/pending/x.crt", 550 }, { "/.provision/trusted/a/b+anna.crt", 553 },
		{ "/.provision/trusted/x+nobody.crt", 550 }, { "/.provision/trusted/.x+anna.crt", 553 },
		{ "/.provision/trusted/x.crt", 553 }, { "/.provision", 550 },
		{ "/.provision/device.crt", 550 },
	};
	uint32_t before;

	(void)state;
	sim_file_put("/srv/home/a", "hello", 5);
	folder_pending(DER(cert_leaf), "");
	before = folder_digest();
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		CHECK_CODE(&p, rename_leaf(bad[i].to), bad[i].code);
	}
	CHECK_CODE(&p, rename_to("a", "/.provision/trusted/x+anna.crt"), 550);
	CHECK_CODE(&p, rename_to("a", "/.provision/device.crt"), 550);
	CHECK_CODE(&p, rename_to("/.provision/device.crt", "/.provision/trusted/x+anna.crt"), 550);
	CHECK_CODE(&p, rename_to("/.provision/device.crt", "b"), 550);
	CHECK_CODE(&p, rename_to("/.provision", "/b"), 550);
	CHECK_CODE(&p, rename_to("/.provision/pending", "/.provision/trusted/x+anna.crt"), 550);
	CHECK_CODE(&p, peer_ask(&p, "%s", of_leaf("RNFR")), 350);
	pending_remove(&service.pending, &service.pending.item[0]);
	CHECK_CODE(&p, peer_ask(&p, "RNTO /.provision/trusted/x+anna.crt"), 550);
	CHECK(folder_digest() == before && service.trust.count == 0);
	CHECK(sim_dir_count("/srv/home") == 1 && sim_file_is("/srv/home/a", "hello", 5));
	folder_end();
}

static void
a_trusted_certificate_gets_another_label_or_account_by_rename(void **state)
{
	uint32_t before;

	(void)state;
	CHECK(story_admin("trust " HASH_OF_LEAF " --account anna --label one") == CUB_OK);
	CHECK_CODE(&p, folder_store(&p, "STOR /.provision/trusted/two+anna.crt",
		folder_pem(DER(chain_direct), NONE)), 226);
	CHECK_CODE(&p, peer_ask(&p, "CWD /.provision/trusted"), 250);
	CHECK_CODE(&p, rename_to("one.crt", "three.crt"), 250);
	check_trusted(2, "three", "anna");
	CHECK_CODE(&p, rename_to("three.crt", "three+gast.crt"), 250);
	check_trusted(2, "three", "gast");
	before = folder_digest();
	CHECK_CODE(&p, rename_to("three.crt", "two.crt"), 550);
	CHECK_CODE(&p, rename_to("three.crt", "four+nobody.crt"), 550);
	CHECK_CODE(&p, rename_to("three.crt", "-.crt"), 553);
	CHECK(folder_digest() == before);
	check_trusted(2, "three", "gast");
	CHECK_CODE(&p, rename_to("three.crt", "three.crt"), 250);
	check_trusted(2, "three", "gast");
	folder_end();
}

static void
deleting_rejects_and_distrusts_and_nothing_else(void **state)
{
	static const char *const fixed[] = {
		"", "/device.csr", "/device.crt", "/device.json", "/log.txt", "/ca", "/pending", "/trusted",
		"/none", "/ca/none.crt", "/pending/none.crt", "/trusted/none.crt",
	};
	uint32_t before;

	(void)state;
	folder_pending(DER(cert_leaf), "anna");
	CHECK_CODE(&p, folder_store(&p, "STOR /.provision/trusted/tech+anna.crt",
		folder_pem(DER(chain_direct), NONE)), 226);
	before = folder_digest();
	for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++) {
		CHECK_CODE(&p, peer_ask(&p, "DELE /.provision%s", fixed[i]), 550);
		CHECK_CODE(&p, peer_ask(&p, "RMD /.provision%s", fixed[i]), 550);
	}
	CHECK_CODE(&p, peer_ask(&p, "%s", of_leaf("DELE")), 250);
	CHECK(service.pending.count == 0 && folder_digest() == before);
	CHECK(sim_log_has("event=rejected certificate=sha256:" HASH_OF_LEAF));
	CHECK_CODE(&p, peer_ask(&p, "DELE /.provision/trusted/tech.crt"), 250);
	CHECK(service.trust.count == 0 && sim_log_has("event=distrusted"));
	CHECK_CODE(&p, peer_ask(&p, "DELE /.provision/trusted/tech.crt"), 550);
	folder_end();
}

/* ---- Anything ---- */

static const char *const any_place[] = {
	"/.provision", "/.provision/device.crt", "/.provision/device.csr", "/.provision/device.json",
	"/.provision/log.txt", "/.provision/ca", "/.provision/ca/one.crt", "/.provision/ca/two.crt",
	"/.provision/trusted", "/.provision/trusted/tech.crt", "/.provision/trusted/tech+anna.crt",
	"/.provision/trusted/anna.crt", "/.provision/trusted/otto+gast.crt", "/.provision/pending",
	"/.provision/none", "/a", "b", "..", "/",
};

static const char *
any_path(void)
{
	const char *chosen = any_place[sim_random_below(sizeof any_place / sizeof any_place[0])];

	return strcmp(chosen, "/.provision/pending") == 0 && sim_random_below(2) == 0
		? of_leaf("") + 1 : chosen;
}

/* A file that may be anything: often a certificate, and then broken now and then. */
static struct text
any_file(void)
{
	const struct bytes certs[] = {
		DER(cert_leaf), DER(cert_inter), DER(cert_root), DER(chain_direct), DER(chain_root),
		DER(cert_foreign), DER(cert_expired), NONE,
	};
	struct text file = folder_pem(certs[sim_random_below(7)], certs[sim_random_below(8)]);
	static char copy[16384];

	memcpy(copy, file.at, file.len);
	if (sim_random_below(3) == 0) {
		copy[sim_random_below((uint32_t)file.len)] = (char)sim_random_below(256);
	}
	return (struct text){ copy, sim_random_below(4) == 0 ? sim_random_below(3000) % file.len
		: file.len };
}

static void
any_transfer(struct peer *by)
{
	static const char *const verbs[] = { "RETR", "LIST", "NLST", "MLSD", "STOR", "STOR", "STOR" };
	const char *verb = verbs[sim_random_below(7)];
	struct text file = any_file();
	char command[300];

	snprintf(command, sizeof command, "%s %s", verb, any_path());
	if (story_open(by, command) != 150) {
		peer_data_reset(by);
	} else if (strcmp(verb, "STOR") != 0) {
		(void)peer_data_read_all(by, got, sizeof got);
		(void)peer_reply(by);
	} else {
		(void)peer_data_write(by, file.at, file.len);
		if (sim_random_below(4) == 0) {
			peer_data_cut(by);
		} else {
			peer_data_close(by);
		}
		(void)peer_reply(by);
	}
}

static void
any_step(struct peer *by)
{
	static const char *const verbs[] = {
		"CWD", "DELE", "RMD", "MKD", "SIZE", "MDTM", "MLST", "STAT", "RNFR",
	};

	switch (sim_random_below(4)) {
	case 0:
		any_transfer(by);
		break;
	case 1:
		(void)peer_ask(by, "RNFR %s", any_path());
		(void)peer_ask(by, "RNTO %s", any_path());
		break;
	case 2:
		(void)peer_ask(by, "REST %u", (unsigned)sim_random_below(1500));
		any_transfer(by);
		break;
	default:
		(void)peer_ask(by, "%s %s", verbs[sim_random_below(9)], any_path());
	}
}

/* Two administrators do anything, in any order: the device goes on, and starts again. */
static void
whatever_administrators_do_the_device_goes_on(void **state)
{
	(void)state;
	folder_end();
	for (uint64_t seed = 1; seed <= story_times(20, 2); seed++) {
		folder_begin(sim_seed_or(seed));
		sim_file_put("/srv/home/a", "hello", 5);
		story_start();
		peer_init(&p);
		peer_init(&q);
		story_login_as(&p, "boss");
		story_login_as(&q, "boss");
		for (unsigned i = 0; i < 60; i++) {
			if (sim_random_below(8) == 0) {
				folder_pending(DER(cert_leaf), sim_random_below(2) == 0 ? "anna" : "");
			}
			any_step(sim_random_below(2) == 0 ? &p : &q);
		}
		CHECK_CODE(&p, folder_fetch(&p, "MLSD /.provision", got), 226);
		CHECK(service.inbox.owner == NULL);
		CHECK(sim_dir_count("/srv/home") <= 4);
		folder_end();
		story_start();
		CHECK(service.trust_error == CUB_OK);
		story_end();
	}
}

/* ---- Faults ---- */

static void
trust_leaf(void)
{
	p.code = folder_store(&p, "STOR /.provision/trusted/tech+anna.crt",
		folder_pem(DER(cert_leaf), NONE));
}

static void
install_chain(void)
{
	p.code = folder_store(&p, "STOR /.provision/device.crt", new_chain());
}

static bool
is_trusted(void)
{
	return service.trust_error == CUB_OK && service.trust.count == 1;
}

static bool
is_installed(void)
{
	return is_of(service_identity(&service)->fingerprint, DER(cert_leaf));
}

/* The n-th call of the flash fails. Returns whether there was one. */
static bool
fail_at(uint64_t n, bool forever, void (*change)(void), bool (*is_done)(void))
{
	bool struck, is_new;
	int code;

	folder_begin(n);
	story_start();
	peer_init(&p);
	story_login_as(&p, "boss");
	sim_flash_fail_at(n, forever, CUB_E_IO);
	change();
	struck = sim_flash_failed();
	sim_flash_fail_at(0, false, CUB_OK);
	code = p.code;
	/* After the change, a table that can't be read any more ends the session. */
	if (code != 226 && code != 451 && code != 421) {
		sim_fail("call %u: %s", (unsigned)n, p.reply);
	}
	if (code == 451 && strstr(p.reply, "/var/lib/cubftpd/") == NULL) {
		sim_fail("call %u: it does not say what failed: %s", (unsigned)n, p.reply);
	}
	if (p.control.end == PEER_OPEN) {
		peer_cut(&p);
	}
	CHECK(service.inbox.owner == NULL);
	story_end();
	story_start();
	is_new = is_done();
	CHECK(service.trust_error == CUB_OK && service.accounts.count == 4);
	CHECK(code != 226 || is_new);
	CHECK(struck || code == 226);
	story_end();
	return struck;
}

static void
fail_each(void (*change)(void), bool (*is_done)(void))
{
	uint64_t n = 1;

	folder_end();
	while (fail_at(n, false, change, is_done) && fail_at(n, true, change, is_done)) {
		n += story_times(1, 7);
	}
	CHECK(n > 5);
}

static void
a_flash_that_fails_leaves_the_old_trust_or_the_new(void **state)
{
	(void)state;
	fail_each(trust_leaf, is_trusted);
}

static void
a_flash_that_fails_leaves_the_old_chain_or_the_new(void **state)
{
	(void)state;
	fail_each(install_chain, is_installed);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_signed_chain_is_for_new_connections_and_running_ones_go_on),
		TEST(a_chain_that_is_replaced_while_it_is_read_breaks_off),
		TEST(as_long_as_a_client_uses_the_chain_before_another_one_has_to_wait),
		TEST(a_certificate_can_be_uploaded_as_der),
		TEST(a_wrong_chain_is_refused_with_the_reason),
		TEST(a_wrong_ca_is_refused_with_the_reason),
		TEST(a_wrong_trust_is_refused_with_the_reason),
		TEST(a_full_trust_table_is_told_and_stays),
		TEST(nothing_else_can_be_written),
		TEST(an_upload_that_breaks_off_changes_nothing_and_makes_way),
		TEST(an_upload_that_is_not_tied_to_its_session_is_refused),
		TEST(a_second_administrator_is_told_to_wait),
		TEST(an_upload_waits_for_a_command_that_is_given_something),
		TEST(a_reload_leaves_the_way_free_for_uploads),
		TEST(a_ca_comes_by_upload_and_goes_by_delete),
		TEST(trust_by_upload_takes_the_account_that_was_meant),
		TEST(a_pending_file_can_be_uploaded_again_to_trust_it),
		TEST(a_pending_certificate_is_trusted_by_renaming_it),
		TEST(a_rename_that_makes_no_sense_changes_nothing),
		TEST(a_trusted_certificate_gets_another_label_or_account_by_rename),
		TEST(deleting_rejects_and_distrusts_and_nothing_else),
		TEST(whatever_administrators_do_the_device_goes_on),
		TEST(a_flash_that_fails_leaves_the_old_trust_or_the_new),
		TEST(a_flash_that_fails_leaves_the_old_chain_or_the_new),
	};

	return !CONFIG_CUBFTPD_PROVISION ? 0
		: cmocka_run_group_tests_name("provision_change", tests, NULL, NULL);
}
