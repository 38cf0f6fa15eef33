/* SPDX-License-Identifier: MIT */
/*
 * The data connections of a client with a certificate belong to it alone; and trust that is
 * taken away is gone at once, whatever its sessions do, and whenever the power fails.
 */
#include "level.h"

#include "trust.h"

#define BIG 300000

static struct peer p, q;
static struct peer_cert self, renewed, another, thief;
static uint8_t big[BIG], got[BIG + 1];

static int
setup(void **state)
{
	story_setup(state);
	LEVEL_CERT(&self, key_ec, self);
	LEVEL_CERT(&renewed, key_ec, renewed);
	LEVEL_CERT(&another, key_other, another);
	LEVEL_CERT(&thief, key_other, self);
	story_fill(big, sizeof big, 3);
	return 0;
}

/* A device that trusts `self` for anna and `another` for otto. */
static void
begin(const char *key, const char *value)
{
	level_start_with("pinned", key, value);
	sim_file_put("/srv/home/big", big, sizeof big);
	level_trust(&self, "anna", "--label anna");
	level_trust(&another, "otto", "--label otto");
}

/* ---- Data connections ---- */

static void
check_transfers(struct peer *who)
{
	CHECK_FETCH(who, "RETR big", big, sizeof big);
	CHECK_CODE(who, story_store(who, "STOR new", big, 1000), 226);
	CHECK(sim_file_is("/srv/home/new", big, 1000));
}

static void
a_data_connection_may_resume_or_show_the_same_certificate(void **state)
{
	static const char *const rules[] = { "require", "certificate", "address" };

	(void)state;
	for (int i = 0; i < 3; i++) {
		begin("data_reuse", rules[i]);
		level_enter(&p, &self, "anna");
		check_transfers(&p);
		CHECK(p.data.resumed);
		p.resume = false;
		check_transfers(&p);
		CHECK(!p.data.resumed);
		/* Resumed, no certificate is needed: it was proven before. */
		p.resume = true;
		p.cert = NULL;
		check_transfers(&p);
		CHECK(p.data.resumed);
		story_end();
	}
}

/* Whatever comes of the handshake: no data, a reply that refuses it, and no file. */
static void
check_no_data(struct peer *who, const char *command, int code)
{
	story_data(who);
	CHECK_CODE(who, peer_ask(who, "%s", command), 150);
	if (peer_data_handshake(who) == CUB_OK && strncmp(command, "STOR", 4) == 0) {
		(void)peer_data_write(who, big, 1000);
		peer_data_close(who);
	} else {
		CHECK(peer_data_read_all(who, got, sizeof got) == 0);
	}
	CHECK_CODE(who, peer_reply(who), code);
	CHECK(!sim_file_exists("/srv/home/stolen"));
	CHECK(sim_file_is("/srv/home/a", "hello", 5));
}

static void
check_no_transfers(struct peer *who, int code)
{
	check_no_data(who, "RETR big", code);
	check_no_data(who, "LIST", code);
	check_no_data(who, "STOR stolen", code);
	check_no_data(who, "STOR a", code);
}

static void
a_data_connection_with_another_certificate_or_none_moves_nothing(void **state)
{
	static const char *const rules[] = { "require", "certificate" };

	(void)state;
	for (int i = 0; i < 2; i++) {
		begin("data_reuse", rules[i]);
		level_enter(&p, &self, "anna");
		p.resume = false;
		p.cert = &another;
		check_no_transfers(&p, 522);
		p.cert = &renewed;  /* for the same key, but it is another one */
		check_no_transfers(&p, 522);
		p.cert = NULL;
		check_no_transfers(&p, 522);
		/* The session itself goes on. */
		p.cert = &self;
		check_transfers(&p);
		story_leave(&p);
	}
}

static void
a_data_connection_with_the_same_certificate_without_its_key_moves_nothing(void **state)
{
	(void)state;
	begin(NULL, NULL);
	level_enter(&p, &self, "anna");
	p.resume = false;
	p.cert = &thief;
	check_no_transfers(&p, 522);
	p.cert = &self;
	check_transfers(&p);
	story_end();
}

/* Of two sessions each has its own: what one may is of no use to the other. */
static void
a_data_connection_of_another_session_moves_nothing(void **state)
{
	br_ssl_session_parameters of_anna;

	(void)state;
	begin(NULL, NULL);
	level_enter(&p, &self, "anna");
	level_enter(&q, &another, "otto");
	br_ssl_engine_get_session_parameters(&p.control.client.eng, &of_anna);
	sim_file_put("/srv/other/big", big, 1000);
	q.offer = &of_anna;
	q.cert = &self;
	check_no_data(&q, "RETR big", 522);
	CHECK(!q.data.resumed);
	q.offer = NULL;
	q.cert = &another;
	CHECK_CODE(&q, story_store(&q, "STOR x", big, 10), 226);
	story_end();
}

/* Where certificates are optional, who came without one has to resume, as ever. */
static void
without_a_certificate_data_connections_have_to_resume(void **state)
{
	(void)state;
	level_start("optional");
	sim_file_put("/srv/home/big", big, sizeof big);
	CHECK_CODE(&p, level_come(&p, NULL, "anna"), 331);
	CHECK_CODE(&p, peer_ask(&p, "PASS secret"), 230);
	CHECK_CODE(&p, peer_protect(&p), 200);
	CHECK_CODE(&p, peer_ask(&p, "TYPE I"), 200);
	check_transfers(&p);
	p.resume = false;
	check_no_transfers(&p, 522);
	p.cert = &self;
	check_no_transfers(&p, 522);
	story_end();
}

/* ---- Trust that is taken away ---- */

/* How to take it away from `self`. */
static const char *const ways[] = { "distrust anna", "account remove anna" };

static void
check_out(struct peer *who)
{
	level_check_ended(who);
	CHECK(level_come(who, &self, "anna") == 530);
	CHECK_CODE(who, peer_reply(who), CUB_EOF);
}

static void
distrust_ends_the_session_at_once_and_no_other(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		begin(NULL, NULL);
		level_enter(&p, &self, "anna");
		level_enter(&q, &another, "otto");
		CHECK(!peer_has_reply(&p));
		CHECK(story_admin("%s", ways[i]) == CUB_OK);
		CHECK(peer_has_reply(&p));
		check_out(&p);
		CHECK_CODE(&q, peer_ask(&q, "PWD"), 257);
		CHECK_CODE(&q, peer_quit(&q), 221);
		story_check_quiet();
		story_end();
	}
}

static void
distrust_cuts_off_a_download(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		begin(NULL, NULL);
		level_enter(&p, &self, "anna");
		CHECK(story_open(&p, "RETR big") == 150);
		CHECK(peer_data_read(&p, got, 1000) > 0);
		CHECK(story_admin("%s", ways[i]) == CUB_OK);
		CHECK(peer_data_read_all(&p, got, sizeof got) < sizeof big);
		CHECK(!p.data.notified);
		check_out(&p);
		story_check_quiet();
		story_end();
	}
}

static void
distrust_cuts_off_an_upload_and_leaves_the_old_file(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		begin(NULL, NULL);
		level_enter(&p, &self, "anna");
		CHECK(story_open(&p, "STOR a") == 150);
		CHECK(peer_data_write(&p, big, 50000) == 50000);
		story_settle();
		CHECK(story_admin("%s", ways[i]) == CUB_OK);
		check_out(&p);
		CHECK(!p.data.notified);
		CHECK(sim_file_is("/srv/home/a", "hello", 5));
		CHECK(sim_dir_count("/srv/home") == 2);
		peer_data_cut(&p);
		story_check_quiet();
		story_end();
	}
}

/* The moments of a transfer at which its data connection has not yet got anywhere. */
static void
after_distrust_a_data_connection_that_resumes_the_session_fails(void **state)
{
	(void)state;
	for (int moment = 0; moment < 3; moment++) {
		br_ssl_session_parameters session;
		uint16_t tcp_port;

		begin(NULL, NULL);
		level_enter(&p, &self, "anna");
		br_ssl_engine_get_session_parameters(&p.control.client.eng, &session);
		p.offer = &session;
		tcp_port = peer_epsv(&p);
		if (moment == 1) {
			CHECK(peer_data_connect(&p, tcp_port) == CUB_OK);
		} else if (moment == 2) {
			CHECK_CODE(&p, peer_ask(&p, "RETR big"), 150);
		}
		CHECK(story_admin("distrust anna") == CUB_OK);
		level_check_ended(&p);
		if (moment == 1) {
			CHECK(peer_data_handshake(&p) < 0);
		} else {
			CHECK(peer_data_connect(&p, tcp_port) == CUB_E_IO);
		}
		/* Nor by way of somebody else's session at the same address. */
		level_enter(&q, &another, "otto");
		sim_file_put("/srv/other/big", big, 1000);
		q.offer = &session;
		q.cert = &self;
		check_no_data(&q, "RETR big", 522);
		story_end();
	}
}

static void
removing_the_pending_entry_is_enough_to_reject(void **state)
{
	(void)state;
	begin(NULL, NULL);
	CHECK(story_admin("distrust anna") == CUB_OK);
	CHECK_REFUSED(&p, &self, "anna", "pending");
	CHECK(IS_PENDING(&self));
	CHECK(story_admin("distrust %.10s", DIGITS(self)) == CUB_OK);
	CHECK(!IS_PENDING(&self));
	CHECK(story_admin("distrust %.10s", DIGITS(self)) == CUB_E_NOENT);
	story_end();
}

/* While the client is on its way through the handshake, or says USER. */
static void
distrust_counts_from_any_moment_of_a_login(void **state)
{
	(void)state;
	for (int moment = 0; moment < 3; moment++) {
		begin(NULL, NULL);
		peer_init(&p);
		p.cert = &self;
		CHECK_CODE(&p, peer_connect(&p, 21, false), 220);
		if (moment > 0) {
			CHECK_CODE(&p, peer_ask(&p, "AUTH TLS"), 234);
		}
		if (moment == 1) {
			CHECK(story_admin("distrust anna") == CUB_OK);
		}
		CHECK(moment == 0 ? peer_auth_tls(&p) == 234 : peer_handshake(&p) == CUB_OK);
		if (moment != 1) {
			CHECK(story_admin("distrust anna") == CUB_OK);
		}
		CHECK_CODE(&p, peer_ask(&p, "USER anna"), 530);
		CHECK_CODE(&p, peer_reply(&p), CUB_EOF);
		story_check_quiet();
		story_end();
	}
}

static void
who_came_by_password_stays_where_a_certificate_is_distrusted(void **state)
{
	(void)state;
	level_start("optional");
	level_trust(&self, "anna", "--label anna");
	CHECK_CODE(&p, level_come(&p, NULL, "anna"), 331);
	CHECK_CODE(&p, peer_ask(&p, "PASS secret"), 230);
	CHECK(story_admin("distrust anna") == CUB_OK);
	CHECK_CODE(&p, peer_ask(&p, "PWD"), 257);
	CHECK(story_admin("account remove anna") == CUB_OK);
	level_check_ended(&p);
	story_end();
}

/* ---- A trust store that is damaged ---- */

enum damage {
	DAMAGED_BYTE,    /* of the first record (store.h) */
	DAMAGED_RECORD,  /* whole, but it makes no sense: after accounts that do */
	DAMAGES,
};

/* Damage a trust store that is closed. */
static void
damage(enum damage how)
{
	struct store_change senseless = { TRUST_RECORD, 32, client_self, "senseless", 9 };
	struct store s;

	if (how == DAMAGED_BYTE) {
		sim_flash_flip(PORT_AREA_TRUST, 84, 0x01);
		return;
	}
	CHECK(store_open(&s, PORT_AREA_TRUST, story_config.trust_store, false) == CUB_OK);
	CHECK(store_write(&s, &senseless, 1) == CUB_OK);
	store_close(&s);
}

static void
check_nobody_gets_in(void)
{
	static const char told[] = "530 The device's trust store is damaged; nobody can log in.\r\n";

	CHECK_REFUSED(&p, &self, "anna", told);
	CHECK_REFUSED(&p, &another, "nobody", told);
	CHECK_REFUSED(&p, NULL, "anna", told);
	CHECK(level_is_empty("pending"));
	CHECK(level_tells("status", "damaged\n"));
	CHECK(level_tells("status --json", "\"trust_store\":\"damaged\""));
	CHECK(sim_log_has("event=trust-store") && sim_log_count_of(PORT_LOG_ERROR) > 0);
	/* Nor can it be written to, as if it were merely empty. */
	CHECK(story_admin("trusted") < 0 && story_admin("account add berta") < 0);
	story_give(INPUT_CERTIFICATES, client_self, sizeof client_self);
	CHECK(story_admin("trust file --account anna") < 0);
}

static const char *const levels[] = { "none", "optional", "pinned", "signed" };

static void
a_trust_store_that_is_damaged_at_the_start_denies_everybody(void **state)
{
	(void)state;
	for (int i = 0; i < 4 * DAMAGES; i++) {
		story_begin(sim_seed_or(1));
		story_set("client_certificate", levels[i / DAMAGES]);
		damage((enum damage)(i % DAMAGES));
		story_start();
		check_nobody_gets_in();
		story_end();
	}
}

/* Log in by password, where that is possible. Returns whether it was. */
static bool
ask_for_password(void)
{
	int code = level_come(&p, NULL, "anna");

	CHECK(code == 331 ? peer_ask(&p, "PASS secret") == 230 : peer_reply(&p) == CUB_EOF);
	return code == 331;
}

static uint32_t
make_damaged_image(enum damage how, uint8_t *image)
{
	uint32_t len;

	story_begin(sim_seed_or(1));
	damage(how);
	len = sim_flash_size(PORT_AREA_TRUST);
	memcpy(image, sim_flash_bytes(PORT_AREA_TRUST), len);
	return len;
}

static void
find_damaged_at_reload(const char *level, enum damage how)
{
	static uint8_t bad[SIM_FLASH_MAX];
	uint32_t bad_len = make_damaged_image(how, bad);
	const uint8_t *good;
	uint32_t good_len = story_image(PORT_AREA_TRUST, &good);

	level_start(level);
	CHECK(ask_for_password() == (level == levels[0] || level == levels[1]));
	sim_flash_replace(PORT_AREA_TRUST, bad, bad_len);
	CHECK(story_reload() == CUB_E_CORRUPT);
	if (p.control.end == PEER_OPEN) {
		level_check_ended(&p);
	}
	check_nobody_gets_in();
	/* Restored, it is good again. */
	sim_flash_replace(PORT_AREA_TRUST, good, good_len);
	CHECK(story_reload() == CUB_OK);
	CHECK(level_tells("status --json", "\"trust_store\":\"good\""));
	CHECK(ask_for_password() == (level == levels[0] || level == levels[1]));
	story_end();
}

static void
a_trust_store_that_is_found_damaged_at_a_reload_ends_all_sessions(void **state)
{
	(void)state;
	for (int i = 0; i < 4 * DAMAGES; i++) {
		find_damaged_at_reload(levels[i / DAMAGES], (enum damage)(i % DAMAGES));
	}
}

/* ---- Power ---- */

/* The change: `self` is trusted, or is so no more. */
static int
change(bool adds)
{
	if (!adds) {
		return story_admin("distrust anna");
	}
	story_give(INPUT_CERTIFICATES, client_self, sizeof client_self);
	return story_admin("trust file --account anna --label anna");
}

static void
start_again(void)
{
	sim_power_cut();
	sim_power_on();
	story_start();
}

/* Leave a torn tail behind the records: the next change has to go to the other bank. */
static void
tear(bool adds)
{
	sim_flash_cut_after(20);
	CHECK(change(adds) < 0);
	start_again();
}

/* A device on which the change is still to come, by an append or by a compaction that erases. */
static void
prepare(bool adds, bool compacts)
{
	level_start("pinned");
	level_trust(&another, "otto", "--label otto");
	if (compacts) {
		tear(true);
		CHECK(change(true) == CUB_OK);
		if (adds) {
			CHECK(change(false) == CUB_OK);
		}
		tear(adds);
	} else if (!adds) {
		CHECK(change(true) == CUB_OK);
	}
	CHECK(IS_TRUSTED(&self) == !adds);
}

/* `self` is let in or not, and whoever was there besides is as before. */
static void
check_logins(bool is_in)
{
	CHECK(level_come(&p, &self, "anna") == (is_in ? 232 : 530));
	CHECK_CODE(&q, level_come(&q, &another, "otto"), 232);
}

/*
 * The change on the running server, with a power cut after so many steps of the flash. Then
 * the device starts again: `self` is trusted as before or as after it.
 * Returns whether the power went.
 */
static bool
change_with_cut(bool adds, bool compacts, bool cached, uint64_t steps)
{
	bool is_off, is_in;
	int err;

	prepare(adds, compacts);
	sim_flash_cached(cached);
	sim_flash_cut_after(steps);
	err = change(adds);
	is_off = sim_power_is_off();
	CHECK((err == CUB_OK) == !is_off);
	start_again();
	is_in = IS_TRUSTED(&self);
	CHECK(err < 0 || is_in == adds);
	CHECK(IS_TRUSTED(&another));
	if (steps % 16 == 0) {
		check_logins(is_in);
	}
	/* And it can be done once more. */
	CHECK(is_in == adds || change(adds) == CUB_OK);
	CHECK(IS_TRUSTED(&self) == adds);
	story_end();
	return is_off;
}

static void
cut_each(bool adds, bool compacts)
{
	uint64_t step = compacts ? story_times(3, 200) : story_times(1, 40);

	for (int cached = 0; cached < 2; cached++) {
		uint64_t steps = 0;

		while (change_with_cut(adds, compacts, cached != 0, steps)) {
			steps += step;
		}
		CHECK(steps > (compacts ? 500 : 60));
	}
}

static void
trust_is_old_or_new_at_every_power_cut(void **state)
{
	(void)state;
	cut_each(true, false);
}

static void
distrust_is_old_or_new_at_every_power_cut(void **state)
{
	(void)state;
	cut_each(false, false);
}

static void
so_they_are_where_the_store_is_compacted(void **state)
{
	(void)state;
	cut_each(true, true);
	cut_each(false, true);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_data_connection_may_resume_or_show_the_same_certificate),
		TEST(a_data_connection_with_another_certificate_or_none_moves_nothing),
		TEST(a_data_connection_with_the_same_certificate_without_its_key_moves_nothing),
		TEST(a_data_connection_of_another_session_moves_nothing),
		TEST(without_a_certificate_data_connections_have_to_resume),
		TEST(distrust_ends_the_session_at_once_and_no_other),
		TEST(distrust_cuts_off_a_download),
		TEST(distrust_cuts_off_an_upload_and_leaves_the_old_file),
		TEST(after_distrust_a_data_connection_that_resumes_the_session_fails),
		TEST(removing_the_pending_entry_is_enough_to_reject),
		TEST(distrust_counts_from_any_moment_of_a_login),
		TEST(who_came_by_password_stays_where_a_certificate_is_distrusted),
		TEST(a_trust_store_that_is_damaged_at_the_start_denies_everybody),
		TEST(a_trust_store_that_is_found_damaged_at_a_reload_ends_all_sessions),
		TEST(trust_is_old_or_new_at_every_power_cut),
		TEST(distrust_is_old_or_new_at_every_power_cut),
		TEST(so_they_are_where_the_store_is_compacted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
