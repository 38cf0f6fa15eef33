/* SPDX-License-Identifier: MIT */
/*
 * What changes between two moments of a session: the level, the folder of an account, the
 * stores. The session is told, or goes on; the server never stumbles over it.
 */
#include "level.h"

#include "service.h"

static struct peer p;
static struct peer_cert tech, other;

static int
setup(void **state)
{
	story_setup(state);
	LEVEL_CERT(&tech, key_ec, self);
	LEVEL_CERT(&other, key_ec, signed);
	return 0;
}

static void
an_account_without_its_folder_is_told_so_however_it_comes(void **state)
{
	(void)state;
	level_start("pinned");
	level_trust(&tech, "anna", "");
	sim_file_deny("/srv/home", true);
	CHECK_CODE(&p, level_come(&p, &tech, "anna"), 530);
	CHECK(strstr(p.reply, "directory") != NULL);
	CHECK_CODE(&p, peer_ask(&p, "USER anna"), 530);
	/* It is back: the same client gets in without connecting again. */
	sim_file_deny("/srv/home", false);
	CHECK_CODE(&p, peer_ask(&p, "USER anna"), 232);
	story_leave(&p);
}

static void
who_came_before_the_level_rose_is_refused_in_words(void **state)
{
	(void)state;
	level_start("pinned");
	level_trust(&tech, "anna", "");
	level_knock(&p, &tech);
	story_set("client_certificate", "signed");
	CHECK(story_reload() == CUB_OK);
	CHECK_CODE(&p, peer_ask(&p, "USER anna"), 530);
	CHECK(strstr(p.reply, "signed by a CA") != NULL);
	CHECK(peer_reply(&p) == CUB_EOF);
	/* Without a certificate at level 1, and USER at level 2. */
	story_set("client_certificate", "none");
	CHECK(story_reload() == CUB_OK);
	level_knock(&p, NULL);
	story_set("client_certificate", "pinned");
	CHECK(story_reload() == CUB_OK);
	CHECK_CODE(&p, peer_ask(&p, "USER anna"), 530);
	CHECK(strstr(p.reply, "A client certificate is needed") != NULL);
	CHECK(peer_reply(&p) == CUB_EOF);
	story_check_quiet();
	story_end();
}

static void
rein_keeps_what_the_client_has_shown_and_trust_counts_anew(void **state)
{
	static char got[64];
	size_t len;

	(void)state;
	level_start("pinned");
	level_trust(&tech, "anna", "");
	level_enter(&p, &tech, "anna");
	CHECK_CODE(&p, peer_ask(&p, "REIN"), 220);
	CHECK_CODE(&p, peer_ask(&p, "PWD"), 530);
	CHECK_CODE(&p, peer_ask(&p, "USER gast"), 530);
	CHECK(peer_reply(&p) == CUB_EOF);
	level_enter(&p, &tech, "anna");
	CHECK_CODE(&p, peer_ask(&p, "REIN"), 220);
	CHECK_CODE(&p, peer_ask(&p, "USER anna"), 232);
	CHECK_CODE(&p, peer_protect(&p), 200);
	CHECK_CODE(&p, story_fetch(&p, "RETR a", got, sizeof got, &len), 226);
	CHECK(len == 5);
	CHECK_CODE(&p, peer_ask(&p, "REIN"), 220);
	CHECK(story_admin("distrust %s", DIGITS(self)) == CUB_OK);
	CHECK_CODE(&p, peer_ask(&p, "USER anna"), 530);
	CHECK(peer_reply(&p) == CUB_EOF);
	story_check_quiet();
	story_end();
}

/* Looks at the sessions before each pass: a certificate is shown only once it is proven. */
static void
look_at_sessions(void)
{
	CHECK(story_admin("sessions --json") == CUB_OK);
	CHECK(strstr(story_said, "handshake") == NULL || strstr(story_said, "certificate") == NULL);
}

static void
sessions_show_a_certificate_only_once_it_is_proven(void **state)
{
	(void)state;
	level_start("pinned");
	level_trust(&tech, "anna", "");
	sim_net_split(SIM_BYTES);
	story_before_pass = look_at_sessions;
	CHECK_CODE(&p, level_come(&p, &tech, "anna"), 232);
	story_before_pass = NULL;
	CHECK(level_tells("sessions --json", "\"certificate\":\"sha256:"));
	story_leave(&p);
}

/* Other CAs come and go while a session that was told of them makes data connections. */
static void
data_connections_go_on_while_other_cas_come_and_go(void **state)
{
	static char got[64];
	size_t len;

	(void)state;
	level_start("signed");
	story_give(INPUT_CERTIFICATES, client_ca, sizeof client_ca);
	CHECK(story_admin("ca add file --name one") == CUB_OK);
	level_trust(&other, "anna", "");
	level_enter(&p, &other, "anna");
	p.resume = false;
	for (unsigned i = 0; i < 4; i++) {
		CHECK_CODE(&p, story_fetch(&p, "RETR a", got, sizeof got, &len), 226);
		CHECK(len == 5 && !p.data.resumed);
		if (i % 2 == 0) {
			story_give(INPUT_CERTIFICATES, client_stranger, sizeof client_stranger);
			CHECK(story_admin("ca add file --name two") == (CUB_CAS > 1 ? CUB_OK : CUB_E_FULL));
		} else {
			CHECK(story_admin("ca remove two") == (CUB_CAS > 1 ? CUB_OK : CUB_E_NOENT));
		}
	}
	story_leave(&p);
}

/* The admin right of a trust entry, and its end. */
static void
an_administrator_by_certificate_may_even_distrust_himself(void **state)
{
	static char got[256];
	size_t len;

	(void)state;
	LEVEL_NEEDS(CONFIG_CUBFTPD_PROVISION);
	LEVEL_CERT(&other, key_other, another);
	level_start("pinned");
	level_trust(&other, "gast", "");
	level_enter(&p, &other, "gast");
	CHECK_CODE(&p, story_fetch(&p, "NLST /", got, sizeof got, &len), 226);
	CHECK(len == 3);
	CHECK_CODE(&p, peer_quit(&p), 221);
	level_trust(&tech, "anna", "--label tech --admin");
	level_enter(&p, &tech, "anna");
	CHECK_CODE(&p, story_fetch(&p, "NLST /", got, sizeof got - 1, &len), 226);
	got[len] = '\0';
	CHECK(strcmp(got, ".provision\r\na\r\n") == 0);
	CHECK_CODE(&p, peer_ask(&p, "DELE /.provision/trusted/tech.crt"), 250);
	CHECK_CODE(&p, peer_reply(&p), 421);
	CHECK(peer_reply(&p) == CUB_EOF);
	CHECK_REFUSED(&p, &tech, "anna", "is not trusted yet");
	story_check_quiet();
	story_end();
}

/* Somebody has put a blank store in the place of the device's own. */
static void
a_running_server_keeps_its_identity_come_what_may(void **state)
{
	static uint8_t blank[SIM_FLASH_MAX];
	uint8_t before[32];
	uint32_t len;

	(void)state;
	level_start("none");
	level_knock(&p, NULL);
	memcpy(before, p.control.x509.fingerprint, sizeof before);
	len = sim_flash_size(PORT_AREA_IDENTITY);
	memset(blank, 0xFF, len);
	sim_flash_replace(PORT_AREA_IDENTITY, blank, len);
	CHECK(story_reload() < 0);
	CHECK(story_admin("init --name other") == CUB_E_EXIST);
	CHECK_CODE(&p, peer_login(&p, "anna", "secret"), 230);
	CHECK_CODE(&p, peer_quit(&p), 221);
	level_knock(&p, NULL);
	CHECK(memcmp(before, p.control.x509.fingerprint, sizeof before) == 0);
	story_leave(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(an_account_without_its_folder_is_told_so_however_it_comes, setup),
		cmocka_unit_test_setup(who_came_before_the_level_rose_is_refused_in_words, setup),
		cmocka_unit_test_setup(rein_keeps_what_the_client_has_shown_and_trust_counts_anew, setup),
		cmocka_unit_test_setup(sessions_show_a_certificate_only_once_it_is_proven, setup),
		cmocka_unit_test_setup(data_connections_go_on_while_other_cas_come_and_go, setup),
		cmocka_unit_test_setup(an_administrator_by_certificate_may_even_distrust_himself, setup),
		cmocka_unit_test_setup(a_running_server_keeps_its_identity_come_what_may, setup),
	};

	return cmocka_run_group_tests_name("meanwhile", tests, NULL, NULL);
}
