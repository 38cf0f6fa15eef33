/* SPDX-License-Identifier: MIT */
/*
 * What can be laid down about uploads: how they may end, what becomes of half of one, how much
 * stays free, which mode files get, names that are never taken twice, the hook, and what is
 * cleaned up after a power cut. Closes the gap of jabali-panel's vsftpd (a truncated upload that
 * counts), robert-hh's FTP-Server (half an upload that is in the way for ever) and ProFTPD bug
 * 3649 (limits that REST and APPE get around).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "story.h"

#define BIG (3u << 20)

static struct peer p, q;
static uint8_t old[9000], new[BIG];

static int
setup(void **state)
{
	story_setup(state);
	story_begin(sim_seed_or(1));
	story_fill(old, sizeof old, 5);
	story_fill(new, sizeof new, 6);
	sim_file_put("/srv/home/f", old, sizeof old);
	return 0;
}

/* The story's server runs with these settings, up to a null, and anna is there. */
static void
begin(const char *const settings[])
{
	for (; *settings != NULL; settings += 2) {
		story_set(settings[0], settings[1]);
	}
	story_start();
	story_login(&p);
}

#define BEGIN(...) begin((const char *const[]){ __VA_ARGS__, NULL })

static void
finish(void)
{
	story_leave(&p);
}

/* An upload that ends by FIN alone. Returns its reply. */
static int
cut_upload(const char *command, size_t len)
{
	CHECK(story_open(&p, command) == 150);
	CHECK(peer_data_write(&p, new, len) == len);
	peer_data_cut(&p);
	return peer_reply(&p);
}

/* How it ends: 4.13 of the checklist */

static void
strict_never_takes_an_end_without_close_notify_whatever_was_announced(void **state)
{
	(void)state;
	BEGIN("upload_eof", "strict");
	CHECK_CODE(&p, peer_ask(&p, "ALLO 5000"), 200);
	CHECK_CODE(&p, cut_upload("STOR f", 5000), 426);
	CHECK(sim_file_is("/srv/home/f", old, sizeof old));
	finish();
}

static void
lenient_takes_an_end_by_fin_where_just_as_much_was_announced(void **state)
{
	static const size_t lens[] = { 1, 100, 16384, 16385, 50000 };

	(void)state;
	BEGIN("upload_eof", "lenient");
	for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
		sim_log_clear();
		CHECK_CODE(&p, peer_ask(&p, "ALLO %u R 1", (unsigned)lens[i]), 200);
		CHECK_CODE(&p, cut_upload("STOR f", lens[i]), 226);
		CHECK(sim_file_is("/srv/home/f", new, lens[i]));
		CHECK(sim_log_has("result=no-close_notify"));
		CHECK(sim_log_count_of(PORT_LOG_WARNING) == 1);
		/* A later upload in order is no warning. */
		CHECK_CODE(&p, story_store(&p, "STOR f", new, lens[i]), 226);
		CHECK(sim_log_count_of(PORT_LOG_WARNING) == 1);
	}
	finish();
}

static void
lenient_takes_nothing_that_is_shorter_longer_or_not_announced(void **state)
{
	(void)state;
	BEGIN("upload_eof", "lenient");
	CHECK_CODE(&p, cut_upload("STOR f", 5000), 426);
	CHECK_CODE(&p, peer_ask(&p, "ALLO 5001"), 200);
	CHECK_CODE(&p, cut_upload("STOR f", 5000), 426);
	CHECK_CODE(&p, peer_ask(&p, "ALLO 4999"), 200);
	CHECK_CODE(&p, cut_upload("STOR f", 5000), 426);
	CHECK_CODE(&p, peer_ask(&p, "ALLO 0"), 200);
	CHECK_CODE(&p, cut_upload("STOR f", 0), 426);
	/* ALLO holds for one upload, and not beyond another command. */
	CHECK_CODE(&p, peer_ask(&p, "ALLO 5000"), 200);
	CHECK_CODE(&p, story_store(&p, "STOR g", new, 5000), 226);
	CHECK_CODE(&p, cut_upload("STOR f", 5000), 426);
	CHECK_CODE(&p, peer_ask(&p, "ALLO 5000"), 200);
	CHECK_CODE(&p, peer_ask(&p, "CWD /"), 250);
	CHECK_CODE(&p, cut_upload("STOR f", 5000), 426);
	CHECK(sim_file_is("/srv/home/f", old, sizeof old));
	finish();
}

static void
lenient_takes_no_reset(void **state)
{
	(void)state;
	BEGIN("upload_eof", "lenient");
	CHECK_CODE(&p, peer_ask(&p, "ALLO 5000"), 200);
	CHECK(story_open(&p, "STOR f") == 150);
	CHECK(peer_data_write(&p, new, 5000) == 5000);
	peer_data_reset(&p);
	CHECK_CODE(&p, peer_reply(&p), 426);
	CHECK(sim_file_is("/srv/home/f", old, sizeof old));
	finish();
}

static void
lenient_counts_what_is_added_to_a_file(void **state)
{
	(void)state;
	BEGIN("upload_eof", "lenient");
	CHECK_CODE(&p, peer_ask(&p, "ALLO 1000"), 200);
	CHECK_CODE(&p, cut_upload("APPE f", 1000), 226);
	CHECK(sim_file_size("/srv/home/f") == sizeof old + 1000);
	CHECK_CODE(&p, peer_ask(&p, "ALLO 600"), 200);
	CHECK_CODE(&p, peer_ask(&p, "REST 10"), 350);
	CHECK_CODE(&p, cut_upload("STOR f", 600), 226);
	CHECK(sim_file_size("/srv/home/f") == 610);
	finish();
}

/* What becomes of a half */

static void
discard_leaves_nothing_of_a_new_file_that_broke_off(void **state)
{
	(void)state;
	BEGIN("partial_uploads", "discard");
	CHECK_CODE(&p, cut_upload("STOR n", 40000), 426);
	CHECK_CODE(&p, cut_upload("APPE n", 40000), 426);
	CHECK_CODE(&p, cut_upload("STOU n", 40000), 426);
	CHECK_CODE(&p, cut_upload("STOR f", 40000), 426);
	CHECK(sim_file_is("/srv/home/f", old, sizeof old));
	CHECK(sim_dir_count("/srv/home") == 1);
	finish();
}

/* What is resumed must not follow zeros that a power cut has put there. */
static void
what_is_kept_of_a_broken_upload_survives_a_power_cut(void **state)
{
	static uint8_t got[40000];

	(void)state;
	for (uint64_t seed = 1; seed <= story_times(20, 3); seed++) {
		static const char *const commands[] = { "STOR n", "APPE n", "APPE f" };

		for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
			const char *path = i == 2 ? "/srv/home/f" : "/srv/home/n";
			size_t before = i == 2 ? sizeof old : 0;
			size_t size;

			story_begin(seed);
			sim_file_put("/srv/home/f", old, sizeof old);
			story_start();
			story_login(&p);
			CHECK_CODE(&p, cut_upload(commands[i], 30000), 426);
			sim_power_cut();
			sim_power_on();
			size = (size_t)sim_file_size(path);
			CHECK(size > before && size <= before + 30000);
			CHECK(sim_file_peek(path, before, got, sizeof got) == size - before);
			CHECK(memcmp(got, new, size - before) == 0);
			story_start();
			story_end();
		}
	}
}

/* Several at a time */

static void
a_file_that_is_made_meanwhile_is_replaced_by_stor_and_never_by_appe_or_stou(void **state)
{
	static const char *const commands[] = { "STOR n", "APPE n" };

	(void)state;
	story_start();
	for (size_t i = 0; i < 2; i++) {
		bool is_stor = i == 0;

		story_login(&p);
		story_login(&q);
		CHECK(story_open(&p, commands[i]) == 150);
		CHECK(peer_data_write(&p, new, 20000) == 20000);
		CHECK_CODE(&q, story_store(&q, "STOR n", old, sizeof old), 226);
		peer_data_close(&p);
		CHECK_CODE(&p, peer_reply(&p), is_stor ? 226 : 550);
		CHECK(is_stor ? sim_file_is("/srv/home/n", new, 20000)
			: sim_file_is("/srv/home/n", old, sizeof old));
		CHECK(sim_dir_count("/srv/home") == 2);
		CHECK_CODE(&p, peer_ask(&p, "DELE n"), 250);
		CHECK_CODE(&q, peer_quit(&q), 221);
		CHECK_CODE(&p, peer_quit(&p), 221);
	}
	story_end();
}

static void
two_that_write_in_place_at_a_time_are_one_and_a_450(void **state)
{
	static uint8_t wanted[sizeof old + 20000];

	(void)state;
	story_start();
	story_login(&p);
	story_login(&q);
	CHECK(story_open(&p, "APPE f") == 150);
	CHECK(peer_data_write(&p, new, 20000) == 20000);
	CHECK_CODE(&q, story_store(&q, "APPE f", "x", 1), 450);
	peer_data_cut(&q);
	CHECK_CODE(&q, peer_ask(&q, "REST 100"), 350);
	CHECK_CODE(&q, story_store(&q, "STOR f", "x", 1), 450);
	peer_data_cut(&q);
	peer_data_close(&p);
	CHECK_CODE(&p, peer_reply(&p), 226);
	memcpy(wanted, old, sizeof old);
	memcpy(wanted + sizeof old, new, 20000);
	CHECK(sim_file_is("/srv/home/f", wanted, sizeof wanted));
	CHECK_CODE(&q, story_store(&q, "APPE f", "x", 1), 226);
	CHECK_CODE(&q, peer_quit(&q), 221);
	finish();
}

/* Between 150 and the data connection another session changes the file. */
static void
a_file_that_shrinks_meanwhile_gets_no_hole(void **state)
{
	(void)state;
	story_start();
	for (int is_gone = 0; is_gone < 2; is_gone++) {
		sim_file_put("/srv/home/f", old, sizeof old);
		story_login(&p);
		story_login(&q);
		CHECK_CODE(&p, peer_ask(&p, "REST 5000"), 350);
		{
			uint16_t tcp_port = peer_epsv(&p);

			CHECK_CODE(&p, peer_ask(&p, "STOR f"), 150);
			CHECK_CODE(&q, is_gone ? peer_ask(&q, "DELE f") : story_store(&q, "STOR f", "abc", 3),
				is_gone ? 250 : 226);
			CHECK(peer_data_connect(&p, tcp_port) == CUB_OK);
		}
		CHECK_CODE(&p, peer_reply(&p), is_gone ? 550 : 554);
		peer_data_cut(&p);
		CHECK(is_gone ? !sim_file_exists("/srv/home/f") : sim_file_is("/srv/home/f", "abc", 3));
		CHECK_CODE(&q, peer_quit(&q), 221);
		CHECK_CODE(&p, peer_quit(&p), 221);
	}
	story_end();
}

/* A temporary file that stays would fill the medium, unseen, until the next start. */
static void
a_folder_that_is_renamed_meanwhile_takes_its_uploads_along(void **state)
{
	static const char *const commands[] = { "STOR d/n", "APPE d/n", "STOR d/f", "APPE d/f" };

	(void)state;
	for (size_t i = 0; i < 8; i++) {
		bool is_whole = i % 2 == 0, is_old = i / 4 == 1;

		story_begin(i);
		sim_file_put("/srv/home/d/f", old, 10);
		story_start();
		story_login(&p);
		story_login(&q);
		CHECK(story_open(&p, commands[i / 2]) == 150);
		CHECK(peer_data_write(&p, new, BIG / 2) == BIG / 2);
		CHECK_CODE(&q, peer_ask(&q, "RNFR d"), 350);
		CHECK_CODE(&q, peer_ask(&q, "RNTO e"), 250);
		CHECK(peer_data_write(&p, new + BIG / 2, BIG / 2) == BIG / 2);
		if (is_whole) {
			peer_data_close(&p);
		} else {
			peer_data_cut(&p);
		}
		CHECK_CODE(&p, peer_reply(&p), is_whole ? 226 : 426);
		CHECK(sim_dir_count("/srv/home/e") == (is_old ? 1 : 2));
		CHECK(!is_whole || is_old || sim_file_is("/srv/home/e/n", new, BIG));
		CHECK(i != 4 || sim_file_is("/srv/home/e/f", new, BIG));
		CHECK(i != 5 || sim_file_is("/srv/home/e/f", old, 10));
		CHECK_CODE(&q, peer_quit(&q), 221);
		finish();
	}
}

static void
appe_adds_to_the_end_that_the_file_has_when_data_comes(void **state)
{
	(void)state;
	story_start();
	story_login(&p);
	story_login(&q);
	{
		uint16_t tcp_port = peer_epsv(&p);

		CHECK_CODE(&p, peer_ask(&p, "APPE f"), 150);
		CHECK_CODE(&q, story_store(&q, "STOR f", "abc", 3), 226);
		CHECK(peer_data_connect(&p, tcp_port) == CUB_OK);
	}
	CHECK(peer_data_write(&p, "def", 3) == 3);
	peer_data_close(&p);
	CHECK_CODE(&p, peer_reply(&p), 226);
	CHECK(sim_file_is("/srv/home/f", "abcdef", 6));
	CHECK_CODE(&q, peer_quit(&q), 221);
	finish();
}

/* One call after another fails, in every way of storing: never 226, and what was there stays. */
static void
whatever_fails_is_no_226_and_costs_nothing_that_was_there(void **state)
{
	static const char *const commands[] = { "STOR n", "STOU", "APPE n", "APPE f", "STOR f" };
	static const int errors[] = { CUB_E_IO, CUB_E_FULL };
	static uint8_t got[sizeof old];

	(void)state;
	for (size_t i = 0; i < 10; i++) {
		bool struck = true;

		for (uint64_t n = 1; struck; n++) {
			int code;

			story_begin(n);
			sim_file_put("/srv/home/f", old, sizeof old);
			BEGIN("min_free", "10");
			story_settle();
			if (i / 2 == 4) {
				CHECK_CODE(&p, peer_ask(&p, "REST %u", (unsigned)sizeof old), 350);
			}
			sim_file_fail_at(n, false, errors[i % 2]);
			code = story_store(&p, commands[i / 2], new, 40000);
			struck = sim_file_failed();
			sim_file_fail_at(0, false, CUB_E_IO);
			CHECK(struck ? code >= 400 : code == 226);
			CHECK(sim_file_peek("/srv/home/f", 0, got, sizeof got) == sizeof got);
			CHECK(memcmp(got, old, sizeof old) == 0);
			/* What has come of a new file may stay. */
			CHECK(sim_dir_count("/srv/home") == (i / 2 < 3 ? 2 : 1)
				|| (struck && sim_dir_count("/srv/home") == 1));
			peer_data_cut(&p);
			finish();
		}
	}
}

/* How much stays free */

static void
min_free_refuses_before_an_upload_begins(void **state)
{
	static const char *const commands[] = { "STOR n", "STOR f", "APPE f", "STOU" };

	(void)state;
	BEGIN("min_free", "1024");
	sim_disk_limit(1u << 20);  /* f lies on it: less than 1 MiB is free */
	for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
		CHECK_CODE(&p, story_store(&p, commands[i], new, 1), 552);
		CHECK(strcmp(p.reply, "552 Disk full, 0 KiB free\r\n") == 0);
	}
	CHECK_CODE(&p, peer_ask(&p, "ALLO 1"), 452);
	CHECK_CODE(&p, peer_ask(&p, "AVBL"), 213);
	CHECK(strcmp(p.reply, "213 0\r\n") == 0);
	CHECK(sim_dir_count("/srv/home") == 1 && sim_file_is("/srv/home/f", old, sizeof old));
	sim_disk_limit(2u << 20);
	CHECK_CODE(&p, story_store(&p, "STOR n", new, 1), 226);
	finish();
}

/* The disk is larger than what is looked at in one go. */
static void
min_free_ends_an_upload_that_goes_below_it_and_nothing_of_it_stays(void **state)
{
	unsigned long free_kib, free_bytes;
	uint64_t size;

	(void)state;
	BEGIN("min_free", "1024");
	sim_disk_limit(3u << 20);
	CHECK_CODE(&p, story_store(&p, "STOR f", new, BIG), 552);
	peer_data_cut(&p);
	CHECK_CODE(&p, story_store(&p, "STOR n", new, BIG), 552);
	/* What arrived has been removed again: there is room for something smaller. */
	CHECK(sscanf(p.reply, "552 Disk full, %lu KiB free", &free_kib) == 1 && free_kib > 1000);
	peer_data_cut(&p);
	CHECK_CODE(&p, peer_ask(&p, "AVBL"), 213);
	CHECK(sscanf(p.reply, "213 %lu", &free_bytes) == 1 && free_bytes / 1024 == free_kib);
	CHECK(sim_dir_count("/srv/home") == 1 && sim_file_is("/srv/home/f", old, sizeof old));
	/* In place, what fitted stays; 4.26: no way around by REST or APPE. */
	CHECK_CODE(&p, story_store(&p, "APPE f", new, BIG), 552);
	peer_data_cut(&p);
	size = sim_file_size("/srv/home/f");
	CHECK(size >= (1u << 20) && size <= (2u << 20) + 65536);
	CHECK_CODE(&p, peer_ask(&p, "REST 10"), 350);
	CHECK_CODE(&p, story_store(&p, "STOR f", new, 1), 552);
	finish();
}

static void
allo_and_avbl_tell_what_is_free_over_min_free(void **state)
{
	unsigned long free_bytes;

	(void)state;
	BEGIN("min_free", "100");
	sim_disk_limit(1u << 20);
	free_bytes = (1u << 20) - 3 * 4096 - 100 * 1024;
	CHECK_CODE(&p, peer_ask(&p, "AVBL"), 213);
	CHECK(strtoul(p.reply + 4, NULL, 10) == free_bytes);
	CHECK_CODE(&p, peer_ask(&p, "AVBL /"), 213);
	CHECK_CODE(&p, peer_ask(&p, "ALLO %lu", free_bytes), 200);
	CHECK_CODE(&p, peer_ask(&p, "ALLO %lu", free_bytes + 1), 452);
	CHECK_CODE(&p, peer_ask(&p, "ALLO 9223372036854775807"), 452);
	CHECK_CODE(&p, peer_ask(&p, "ALLO 10 R 20"), 200);
	CHECK_CODE(&p, peer_ask(&p, "ALLO"), 501);
	CHECK_CODE(&p, peer_ask(&p, "ALLO x"), 501);
	CHECK_CODE(&p, peer_ask(&p, "ALLO -1"), 501);
	CHECK_CODE(&p, peer_ask(&p, "ALLO 18446744073709551617"), 501);
	CHECK_CODE(&p, peer_quit(&p), 221);
	story_login_as(&p, "gast");
	CHECK_CODE(&p, peer_ask(&p, "ALLO 1"), 550);
	finish();
}

/* Modes */

static void
umask_says_the_modes_of_new_files_and_folders(void **state)
{
	static const struct {
		const char *umask;
		unsigned file, dir;
	} cases[] = {
		{ "022", 0644, 0755 }, { "077", 0600, 0700 }, { "0002", 0664, 0775 }, { "000", 0666, 0777 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		story_begin(1);
		sim_file_put("/srv/home/f", old, sizeof old);
		BEGIN("umask", cases[i].umask);
		CHECK_CODE(&p, story_store(&p, "STOR n", new, 10), 226);
		CHECK_CODE(&p, story_store(&p, "APPE a", new, 10), 226);
		CHECK_CODE(&p, peer_ask(&p, "MKD d"), 257);
		CHECK(sim_mode("/srv/home/n") == cases[i].file);
		CHECK(sim_mode("/srv/home/a") == cases[i].file);
		CHECK(sim_mode("/srv/home/d") == cases[i].dir);
		finish();
	}
}

/* What was secret stays so, and what could be run can be run. */
static void
a_file_that_is_replaced_keeps_its_mode(void **state)
{
	static const unsigned modes[] = { 0600, 0755, 0400, 0777 };

	(void)state;
	for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
		story_begin(1);
		sim_file_put("/srv/home/f", old, sizeof old);
		BEGIN("umask", "027");
		CHECK_CODE(&p, peer_ask(&p, "SITE CHMOD %03o f", modes[i]), 200);
		CHECK_CODE(&p, story_store(&p, "STOR f", new, 10), 226);
		CHECK(sim_file_is("/srv/home/f", new, 10) && sim_mode("/srv/home/f") == modes[i]);
		finish();
	}
}

static void
site_umask_holds_for_the_session_from_then_on(void **state)
{
	(void)state;
	story_start();
	story_login(&p);
	story_login(&q);
	CHECK_CODE(&p, peer_ask(&p, "SITE UMASK 027"), 200);
	CHECK_CODE(&p, story_store(&p, "STOR n", new, 10), 226);
	CHECK_CODE(&p, peer_ask(&p, "MKD d"), 257);
	CHECK_CODE(&q, story_store(&q, "STOR m", new, 10), 226);
	CHECK(sim_mode("/srv/home/n") == 0640 && sim_mode("/srv/home/d") == 0750);
	CHECK(sim_mode("/srv/home/m") == 0644);
	CHECK_CODE(&q, peer_quit(&q), 221);
	CHECK_CODE(&p, peer_quit(&p), 221);
	story_login(&p);
	CHECK_CODE(&p, peer_ask(&p, "MKD e"), 257);
	CHECK(sim_mode("/srv/home/e") == 0755);
	finish();
}

/* STOU */

/* Where STOU says that the file goes to. */
static void
take_name(char path[600])
{
	const char *name = strstr(p.reply, "150 FILE: /");

	CHECK(name != NULL);
	snprintf(path, 600, "/srv/home%s", name + strlen("150 FILE: "));
	path[strcspn(path, "\r")] = '\0';
}

static void
stou_stores_under_a_new_name_and_tells_it(void **state)
{
	static const char *const commands[] = { "STOU", "STOU f", "STOU d/x", "STOU" };
	char longer[5 + 240] = "STOU ";
	char path[4][600];

	(void)state;
	sim_dir_put("/srv/home/d");
	story_start();
	story_login(&p);
	for (size_t i = 0; i < 4; i++) {
		/* REST means nothing here. */
		CHECK_CODE(&p, peer_ask(&p, "REST 7"), 350);
		CHECK(story_open(&p, commands[i]) == 150);
		take_name(path[i]);
		CHECK(peer_data_write(&p, new, 1000 + i) == 1000 + i);
		peer_data_close(&p);
		CHECK_CODE(&p, peer_reply(&p), 226);
	}
	for (size_t i = 0; i < 4; i++) {
		CHECK(sim_file_is(path[i], new, 1000 + i));
	}
	CHECK(strncmp(path[1], "/srv/home/f.", 12) == 0);
	CHECK(strncmp(path[2], "/srv/home/d/x.", 14) == 0);
	CHECK(sim_file_is("/srv/home/f", old, sizeof old));
	CHECK_CODE(&p, story_store(&p, "STOU none/x", "", 0), 550);
	/* With the digits it would be too long. */
	memset(longer + 5, 'x', 239);
	CHECK_CODE(&p, story_open(&p, longer), 553);
	peer_data_cut(&p);
	finish();
}

static void
stou_never_replaces_what_is_made_meanwhile(void **state)
{
	char path[600];

	(void)state;
	story_start();
	story_login(&p);
	CHECK(story_open(&p, "STOU") == 150);
	take_name(path);
	CHECK(peer_data_write(&p, new, 1000) == 1000);
	sim_file_put(path, "mine", 4);
	peer_data_close(&p);
	CHECK_CODE(&p, peer_reply(&p), 550);
	CHECK(sim_file_is(path, "mine", 4) && sim_dir_count("/srv/home") == 2);
	finish();
}

/* The hook */

static void
the_hook_is_given_path_and_account_after_226(void **state)
{
	(void)state;
	sim_dir_put("/srv/home/d");
	BEGIN("upload_hook", "/usr/bin/hook");
	CHECK(story_open(&p, "STOR d/it's; $x") == 150);
	CHECK(peer_data_write(&p, new, 10) == 10);
	CHECK(sim_hook_count() == 0);
	peer_data_close(&p);
	CHECK_CODE(&p, peer_reply(&p), 226);
	CHECK(sim_hook_runs());
	CHECK(strcmp(sim_hook_words(), "/usr/bin/hook /srv/home/d/it's; $x anna") == 0);
	sim_hook_done(true);
	story_settle();
	CHECK(sim_hook_count() == 1);
	finish();
}

static void
the_hook_runs_for_finished_uploads_only(void **state)
{
	size_t len;

	(void)state;
	BEGIN("upload_hook", "/usr/bin/hook");
	CHECK_CODE(&p, cut_upload("STOR n", 1000), 426);
	CHECK_CODE(&p, story_fetch(&p, "RETR f", new, sizeof old, &len), 226);
	CHECK_CODE(&p, peer_ask(&p, "MKD d"), 257);
	sim_file_fail_at(1, true, CUB_E_IO);
	CHECK(story_store(&p, "STOR n", old, 1000) >= 400);
	sim_file_fail_at(0, false, CUB_E_IO);
	CHECK(sim_hook_count() == 0);
	finish();
}

/* Its file lies elsewhere than where new sessions have theirs. */
static void
the_hook_is_not_given_a_path_of_another_root(void **state)
{
	(void)state;
	BEGIN("upload_hook", "/usr/bin/hook");
	sim_dir_put("/other/home");
	CHECK(story_reload() == CUB_OK);
	CHECK_CODE(&p, story_store(&p, "STOR n", new, 10), 226);
	CHECK(sim_hook_count() == 1);
	sim_hook_done(true);
	story_set("root", "/other");
	CHECK(story_reload() == CUB_OK);
	CHECK_CODE(&p, story_store(&p, "STOR n", new, 10), 226);
	CHECK(sim_hook_count() == 1);
	CHECK_CODE(&p, peer_quit(&p), 221);
	story_login(&p);
	CHECK_CODE(&p, story_store(&p, "STOR n", new, 10), 226);
	CHECK(sim_hook_count() == 2);
	CHECK(strcmp(sim_hook_words(), "/usr/bin/hook /other/home/n anna") == 0);
	sim_hook_done(true);
	finish();
}

static void
without_a_hook_nothing_is_run(void **state)
{
	(void)state;
	BEGIN("upload_hook", "");
	CHECK_CODE(&p, story_store(&p, "STOR n", new, 1000), 226);
	CHECK(sim_hook_count() == 0);
	finish();
}

static void
hooks_run_one_at_a_time_in_order_and_the_oldest_that_waits_gives_way(void **state)
{
	(void)state;
	BEGIN("upload_hook", "/usr/bin/hook");
	for (int i = 0; i < 12; i++) {
		char command[40];

		snprintf(command, sizeof command, "STOR f%d", i);
		CHECK_CODE(&p, story_store(&p, command, new, 10), 226);
	}
	CHECK(sim_hook_count() == 1);
	CHECK(strcmp(sim_hook_words(), "/usr/bin/hook /srv/home/f0 anna") == 0);
	CHECK(sim_log_has("event=hook result=full path=/srv/home/f1"));
	CHECK(sim_log_has("event=hook result=full path=/srv/home/f4"));
	CHECK(!sim_log_has("event=hook result=full path=/srv/home/f0"));
	CHECK(!sim_log_has("event=hook result=full path=/srv/home/f5"));
	for (int i = 5; i < 12; i++) {
		char wanted[60];

		sim_hook_done(i != 6);
		story_settle();
		snprintf(wanted, sizeof wanted, "/usr/bin/hook /srv/home/f%d anna", i);
		CHECK(strcmp(sim_hook_words(), wanted) == 0);
	}
	CHECK(sim_log_has("event=hook result=aborted path=/srv/home/f5"));
	sim_hook_done(true);
	story_settle();
	CHECK(!sim_hook_runs() && sim_hook_count() == 8);
	finish();
}

static void
a_hook_that_takes_a_minute_is_ended_and_the_next_begins(void **state)
{
	(void)state;
	BEGIN("upload_hook", "/usr/bin/hook");
	CHECK_CODE(&p, story_store(&p, "STOR a", new, 10), 226);
	CHECK_CODE(&p, story_store(&p, "STOR b", new, 10), 226);
	story_wait_ms(59000);
	CHECK(sim_hook_count() == 1 && sim_hook_runs());
	story_wait_ms(2000);
	CHECK(sim_hook_count() == 2 && sim_hook_runs());
	CHECK(sim_log_has("event=hook result=aborted path=/srv/home/a"));
	sim_hook_done(true);
	story_settle();
	finish();
}

static void
a_hook_that_cannot_be_started_is_logged_and_changes_nothing(void **state)
{
	(void)state;
	BEGIN("upload_hook", "/usr/bin/hook");
	sim_hook_fail(CUB_E_NOENT);
	CHECK_CODE(&p, story_store(&p, "STOR a", new, 10), 226);
	story_settle();
	CHECK(sim_log_has("event=hook result=missing path=/srv/home/a"));
	sim_hook_fail(CUB_OK);
	CHECK_CODE(&p, story_store(&p, "STOR b", new, 10), 226);
	CHECK(sim_hook_count() == 1);
	sim_hook_done(true);
	story_settle();
	finish();
}

/* After a power cut */

#define STALE ".cubftpd-0123456789abcdef"

static void
stale_temporaries_vanish_at_start_and_nothing_else(void **state)
{
	static const char *const stay[] = {
		"/srv/" STALE "0", "/srv/.cubftpd-01234567", "/srv/home/x" STALE, "/srv/.cubftpd",
		"/srv/home/a/b/c/file", "/srv/home/cubftpd-0123456789abcdef",
	};
	static const char *const go[] = {
		"/srv/" STALE, "/srv/home/" STALE, "/srv/home/a/" STALE, "/srv/home/a/b/c/" STALE,
		"/srv/home/z/.cubftpd-ffffffffffffffff", "/srv/other/" STALE,
		"/srv/home/a/b/c/.cubftpd-0000000000000000",
	};

	(void)state;
	for (size_t i = 0; i < sizeof stay / sizeof stay[0]; i++) {
		sim_file_put(stay[i], "x", 1);
	}
	for (size_t i = 0; i < sizeof go / sizeof go[0]; i++) {
		sim_file_put(go[i], "x", 1);
	}
	sim_dir_put("/srv/home/dir/" STALE);
	sim_other_put("/srv/home/dir/.cubftpd-1111111111111111");
	sim_dir_put("/srv/closed");
	sim_file_deny("/srv/closed", true);
	story_start();
	story_settle();
	for (size_t i = 0; i < sizeof stay / sizeof stay[0]; i++) {
		CHECK(sim_file_exists(stay[i]));
	}
	for (size_t i = 0; i < sizeof go / sizeof go[0]; i++) {
		CHECK(!sim_file_exists(go[i]));
	}
	CHECK(sim_dir_exists("/srv/home/dir/" STALE) && sim_dir_count("/srv/home/dir") == 2);
	CHECK(sim_log_has("event=stale result=ok path=home/a/b/c/" STALE));
	story_check_quiet();
	story_end();
}

static void
folders_as_deep_and_wide_as_they_come_are_swept_and_left(void **state)
{
	char path[200] = "/srv/home";

	(void)state;
	for (int i = 0; i < 62; i++) {
		strcat(path, "/d");
	}
	strcat(path, "/" STALE);
	sim_file_put(path, "x", 1);
	for (int i = 0; i < 100; i++) {
		char wide[100];

		snprintf(wide, sizeof wide, "/srv/home/%d/" STALE, i);
		sim_file_put(wide, "x", 1);
	}
	story_start();
	story_settle();
	CHECK(!sim_file_exists(path));
	for (int i = 0; i < 100; i++) {
		char wide[100];

		snprintf(wide, sizeof wide, "/srv/home/%d", i);
		CHECK(sim_dir_count(wide) == 0);
	}
	story_check_quiet();
	story_end();
}

static void
clients_are_served_while_it_is_swept_and_running_uploads_are_left_alone(void **state)
{
	(void)state;
	for (int i = 0; i < 200; i++) {
		char path[60];

		snprintf(path, sizeof path, "/srv/home/%03d", i);
		sim_file_put(path, "", 0);
	}
	story_start();
	story_login(&p);
	CHECK(story_open(&p, "STOR n") == 150);
	CHECK(peer_data_write(&p, new, 20000) == 20000);
	CHECK(sim_dir_count("/srv/home") == 202);
	CHECK(story_reload() == CUB_OK);  /* it begins anew */
	story_settle();
	CHECK(sim_dir_count("/srv/home") == 202);
	peer_data_close(&p);
	CHECK_CODE(&p, peer_reply(&p), 226);
	CHECK(sim_file_is("/srv/home/n", new, 20000));
	finish();
}

static void
what_a_power_cut_leaves_of_an_upload_is_gone_after_the_next_start(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= story_times(20, 3); seed++) {
		story_begin(seed);
		sim_file_put("/srv/home/f", old, sizeof old);
		story_start();
		story_login(&p);
		CHECK(story_open(&p, "STOR f") == 150);
		CHECK(peer_data_write(&p, new, 30000) == 30000);
		sim_power_cut();
		sim_power_on();
		story_start();
		story_settle();
		CHECK(sim_dir_count("/srv/home") == 1);
		CHECK(sim_file_is("/srv/home/f", old, sizeof old));
		story_end();
	}
}

static void
a_medium_that_fails_under_the_sweep_ends_it_and_harms_nobody(void **state)
{
	(void)state;
	for (uint64_t n = 1; n < 40; n++) {
		story_begin(n);
		sim_file_put("/srv/home/a/" STALE, "x", 1);
		sim_file_put("/srv/home/b/" STALE, "x", 1);
		sim_file_put("/srv/home/f", old, sizeof old);
		story_start();
		sim_file_fail_at(n, n % 2 == 0, CUB_E_IO);
		story_settle();
		sim_file_fail_at(0, false, CUB_E_IO);
		story_login(&p);
		CHECK_CODE(&p, story_store(&p, "STOR n", new, 10), 226);
		CHECK(sim_file_is("/srv/home/f", old, sizeof old));
		finish();
	}
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(strict_never_takes_an_end_without_close_notify_whatever_was_announced),
		TEST(lenient_takes_an_end_by_fin_where_just_as_much_was_announced),
		TEST(lenient_takes_nothing_that_is_shorter_longer_or_not_announced),
		TEST(lenient_takes_no_reset),
		TEST(lenient_counts_what_is_added_to_a_file),
		TEST(discard_leaves_nothing_of_a_new_file_that_broke_off),
		TEST(what_is_kept_of_a_broken_upload_survives_a_power_cut),
		TEST(a_file_that_is_made_meanwhile_is_replaced_by_stor_and_never_by_appe_or_stou),
		TEST(two_that_write_in_place_at_a_time_are_one_and_a_450),
		TEST(a_file_that_shrinks_meanwhile_gets_no_hole),
		TEST(a_folder_that_is_renamed_meanwhile_takes_its_uploads_along),
		TEST(appe_adds_to_the_end_that_the_file_has_when_data_comes),
		TEST(whatever_fails_is_no_226_and_costs_nothing_that_was_there),
		TEST(min_free_refuses_before_an_upload_begins),
		TEST(min_free_ends_an_upload_that_goes_below_it_and_nothing_of_it_stays),
		TEST(allo_and_avbl_tell_what_is_free_over_min_free),
		TEST(umask_says_the_modes_of_new_files_and_folders),
		TEST(a_file_that_is_replaced_keeps_its_mode),
		TEST(site_umask_holds_for_the_session_from_then_on),
		TEST(stou_stores_under_a_new_name_and_tells_it),
		TEST(stou_never_replaces_what_is_made_meanwhile),
		TEST(the_hook_is_given_path_and_account_after_226),
		TEST(the_hook_runs_for_finished_uploads_only),
		TEST(the_hook_is_not_given_a_path_of_another_root),
		TEST(without_a_hook_nothing_is_run),
		TEST(hooks_run_one_at_a_time_in_order_and_the_oldest_that_waits_gives_way),
		TEST(a_hook_that_takes_a_minute_is_ended_and_the_next_begins),
		TEST(a_hook_that_cannot_be_started_is_logged_and_changes_nothing),
		TEST(stale_temporaries_vanish_at_start_and_nothing_else),
		TEST(folders_as_deep_and_wide_as_they_come_are_swept_and_left),
		TEST(clients_are_served_while_it_is_swept_and_running_uploads_are_left_alone),
		TEST(what_a_power_cut_leaves_of_an_upload_is_gone_after_the_next_start),
		TEST(a_medium_that_fails_under_the_sweep_ends_it_and_harms_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
