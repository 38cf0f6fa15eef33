/* SPDX-License-Identifier: MIT */
/* What all stories share: see story.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "account.h"
#include "story.h"

/* Passes in one call of story_pump(). */
#define PASSES_MAX 64

/* Passes in a row that may come to nothing: a check of a password takes 800. */
#define QUIET_PASSES 2000

#define RANDOM_RUNS 20

struct cubftpd_config story_config;
uint64_t story_passes;
char story_said[16384];
char story_wrong[512];
void (*story_before_pass)(void);

static uint8_t  image[PORT_AREAS][SIM_FLASH_MAX];
static uint32_t image_len[PORT_AREAS];
static unsigned quiet;

static void
fail_test(const char *why)
{
	fail_msg("%s", why);
}

int
story_setup(void **state)
{
	(void)state;
	sim_fail_hook = fail_test;
	sim_pump = story_pump;
	story_before_pass = NULL;
	return 0;
}

void
story_check_code(const char *file, int line, const char *call, const struct peer *p,
	int got, int wanted)
{
	if (got != wanted) {
		sim_fail("%s:%d: %s is %d, not %d; last reply: %.80s", file, line, call, got, wanted,
			p->reply);
	}
}

void
story_set(const char *key, const char *value)
{
	char text[128];
	struct out why = { .at = text, .cap = sizeof text - 1 };

	if (cubftpd_config_set(&story_config, key, strlen(key), value, strlen(value), &why) < 0) {
		sim_fail("story: %.*s", (int)why.len, text);
	}
}

/* An account whose password costs one round. */
static void
save_account(struct store *s, const char *name, const char *root, uint8_t rights)
{
	struct account a = { .rights = rights, .has_password = true, .iterations = 1 };
	struct pbkdf2 check;

	snprintf(a.name, sizeof a.name, "%s", name);
	snprintf(a.root, sizeof a.root, "%s", root);
	port_random(a.salt, sizeof a.salt);
	account_check_start(&check, &a, (struct text){ "secret", 6 });
	(void)pbkdf2_step(&check, 1);
	memcpy(a.hash, check.sum, sizeof a.hash);
	if (account_save(s, &a) != CUB_OK) {
		sim_fail("story: the account %s can't be saved", name);
	}
}

static void
start(void)
{
	char text[256];
	struct out why = { .at = text, .cap = sizeof text - 1 };

	if (cubftpd_start(&story_config, &why) != CUB_OK) {
		sim_fail("story: the server does not start: %.*s", (int)why.len, text);
	}
}

/* Make the stores once, always by the same seed: a key takes its time. */
static void
make_image(void)
{
	struct store s;

	sim_reset(1);
	if (store_open(&s, PORT_AREA_TRUST, story_config.trust_store, true) != CUB_OK) {
		sim_fail("story: no trust store");
	}
	save_account(&s, "anna", "/home", RIGHT_READ | RIGHT_WRITE | RIGHT_DELETE | RIGHT_LIST);
	save_account(&s, "gast", "/home", RIGHT_READ | RIGHT_LIST);
	save_account(&s, "otto", "/other", RIGHT_READ | RIGHT_WRITE | RIGHT_DELETE | RIGHT_LIST);
	store_close(&s);
	start();
	cubftpd_stop(port_clock_ms());
	CHECK(cubftpd_stopped());
	for (unsigned i = 0; i < PORT_AREAS; i++) {
		image_len[i] = sim_flash_size((enum port_area)i);
		memcpy(image[i], sim_flash_bytes((enum port_area)i), image_len[i]);
	}
}

void
story_begin(uint64_t seed)
{
	cubftpd_config_default(&story_config);
	story_set("root", "/srv");
	story_set("listen", "[::]:21");
	story_set("listen_implicit", "[::]:990");
	if (image_len[0] == 0) {
		make_image();
	}
	sim_reset(seed);
	for (unsigned i = 0; i < PORT_AREAS; i++) {
		sim_flash_image((enum port_area)i, image[i], image_len[i]);
	}
	sim_dir_put("/srv/home");
	sim_dir_put("/srv/other");
	quiet = 0;
	story_passes = 0;
	story_before_pass = NULL;
}

void
story_start(void)
{
	start();
}

uint32_t
story_image(enum port_area area, const uint8_t **bytes)
{
	*bytes = image[area];
	return image_len[area];
}

void
story_new(void)
{
	story_begin(sim_seed_or(1));
	story_start();
}

static void
end_text(struct out *o, size_t cap)
{
	CHECK(o->len < cap);
	o->at[o->len] = '\0';
}

int
story_admin(const char *format, ...)
{
	struct out out = { .at = story_said, .cap = CUBFTPD_ADMIN_OUT };
	struct out why = { .at = story_wrong, .cap = sizeof story_wrong };
	char line[512];
	char *argv[24];
	size_t total = 0;
	int argc = 0, err;
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof line, format, args);
	va_end(args);
	for (char *word = strtok(line, " "); word != NULL; word = strtok(NULL, " ")) {
		argv[argc++] = word;
	}
	argv[argc] = NULL;
	err = cubftpd_admin(&story_config, argc, argv, &out, &why);
	while (out.cut) {
		total += out.len;
		CHECK(total + CUBFTPD_ADMIN_OUT < sizeof story_said);
		out = (struct out){
			.at = story_said + total, .cap = CUBFTPD_ADMIN_OUT, .skip = total,
		};
		CHECK(cubftpd_admin(&story_config, argc, argv, &out, &why) == err);
	}
	out.at = story_said;
	out.len += total;
	end_text(&out, sizeof story_said);
	end_text(&why, sizeof story_wrong);
	return err;
}

void
story_give(enum cubftpd_input kind, const void *src, size_t len)
{
	struct out why = { .at = story_wrong, .cap = sizeof story_wrong };

	cubftpd_input_start(kind);
	cubftpd_input_feed(src, len);
	if (cubftpd_input_end(&why) != CUB_OK) {
		sim_fail("story: %.*s", (int)why.len, story_wrong);
	}
}

int
story_reload(void)
{
	struct out why = { .at = story_wrong, .cap = sizeof story_wrong };
	int err = cubftpd_reload(&story_config, &why);

	end_text(&why, sizeof story_wrong);
	CHECK(err == CUB_OK || why.len > 0);
	return err;
}

unsigned
story_times(unsigned usual, unsigned brief)
{
	return getenv("TEST_SHORT") != NULL ? brief : usual;
}

/* Whatever shows that a pass was not in vain. */
static uint64_t
progress(void)
{
	return sim_net_activity() + sim_file_calls() + sim_log_count();
}

static void
pass(void)
{
	static struct port_wait set;
	uint64_t before = progress();

	if (story_before_pass != NULL) {
		story_before_pass();
	}
	story_passes++;
	cubftpd_want(&set);
	port_wait(&set);
	cubftpd_step(&set, port_clock_ms());
	quiet = progress() != before || sim_waited() == SIM_WAITED_TIME
		|| sim_waited() == SIM_WAITED_NEVER ? 0 : quiet + 1;
	if (quiet > QUIET_PASSES) {
		sim_fail("story: the server spins: %u passes came to nothing", quiet);
	}
}

static bool
waits(void)
{
	return sim_waited() == SIM_WAITED_TIME || sim_waited() == SIM_WAITED_NEVER;
}

void
story_pump(void)
{
	unsigned passes = 0;

	do {
		pass();
	} while (!waits() && ++passes < PASSES_MAX);
}

void
story_pass(void)
{
	int before = sim_clock_budget(0);

	pass();
	sim_clock_budget(before);
}

void
story_settle(void)
{
	int before = sim_clock_budget(0);

	do {
		pass();
	} while (!waits());
	sim_clock_budget(before);
}

void
story_wait_ms(uint64_t ms)
{
	uint64_t until = port_clock_ms() + ms;

	for (;;) {
		static struct port_wait set;

		story_settle();
		cubftpd_want(&set);
		if (set.deadline_ms > until) {
			break;
		}
		sim_clock_advance(set.deadline_ms - port_clock_ms());
	}
	sim_clock_advance(until - port_clock_ms());
	story_settle();
}

void
story_check_quiet(void)
{
	unsigned listeners = story_config.listen_count
		+ (story_config.control_socket[0] != '\0' ? 1u : 0u);
	static struct port_wait set;
	struct cubftpd_status status;

	for (unsigned i = 0; i < 100; i++) {
		story_settle();
		cubftpd_status(&status);
		if (status.sessions == 0) {
			break;
		}
		cubftpd_want(&set);
		if (set.deadline_ms == UINT64_MAX) {
			sim_fail("story: a session waits for ever for a client that is gone");
		}
		sim_clock_advance(set.deadline_ms - port_clock_ms());
	}
	CHECK(status.sessions == 0);
	CHECK(status.transfers == 0);
	CHECK(sim_net_open_count() == listeners);
	CHECK(sim_file_open_count() == 1);
	cubftpd_want(&set);
	CHECK(set.count == listeners);
	CHECK(set.deadline_ms == UINT64_MAX);
}

void
story_end(void)
{
	story_before_pass = NULL;
	cubftpd_stop(port_clock_ms());
	for (unsigned i = 0; i < 100 && !cubftpd_stopped(); i++) {
		static struct port_wait set;

		story_settle();
		cubftpd_want(&set);
		if (!cubftpd_stopped() && set.deadline_ms != UINT64_MAX) {
			sim_clock_advance(set.deadline_ms - port_clock_ms());
		}
	}
	CHECK(cubftpd_stopped());
	CHECK(sim_net_open_count() == 0);
	CHECK(sim_local_name()[0] == '\0');
	CHECK(sim_file_open_count() == 0);
	CHECK(!sim_flash_is_open(PORT_AREA_IDENTITY));
	CHECK(!sim_flash_is_open(PORT_AREA_TRUST));
}

static void
tell_one(void (*tell)(void), uint64_t seed, enum sim_split how)
{
	story_begin(seed);
	sim_net_split(how);
	sim_file_split(how);
	tell();
	story_end();
}

void
story_each_way(void (*tell)(void))
{
	uint64_t seed = sim_seed_or(0);

	tell_one(tell, seed, SIM_WHOLE);
	tell_one(tell, seed, SIM_BYTES);
	if (seed != 0) {
		tell_one(tell, seed, SIM_RANDOM);
		return;
	}
	for (seed = 1; seed <= story_times(RANDOM_RUNS, 2); seed++) {
		tell_one(tell, seed, SIM_RANDOM);
	}
}

void
story_login_as(struct peer *p, const char *user)
{
	CHECK_CODE(p, peer_connect(p, 21, false), 220);
	CHECK_CODE(p, peer_auth_tls(p), 234);
	CHECK_CODE(p, peer_login(p, user, "secret"), 230);
	CHECK_CODE(p, peer_protect(p), 200);
	CHECK_CODE(p, peer_ask(p, "TYPE I"), 200);
}

void
story_login(struct peer *p)
{
	peer_init(p);
	story_login_as(p, "anna");
}

void
story_data(struct peer *p)
{
	uint16_t tcp_port = peer_epsv(p);

	CHECK(tcp_port != 0);
	CHECK(peer_data_connect(p, tcp_port) == CUB_OK);
}

int
story_open(struct peer *p, const char *command)
{
	int code;

	story_data(p);
	code = peer_ask(p, "%s", command);
	if (code == 150) {
		CHECK(peer_data_handshake(p) == CUB_OK);
	}
	return code;
}

int
story_fetch(struct peer *p, const char *command, void *dst, size_t cap, size_t *len)
{
	int code = story_open(p, command);

	*len = 0;
	if (code != 150) {
		return code;
	}
	*len = peer_data_read_all(p, dst, cap);
	return peer_reply(p);
}

void
story_check_fetch(const char *file, int line, struct peer *p, const char *command,
	const void *want, size_t len)
{
	static uint8_t got[1 << 20];
	size_t had;

	story_check_code(file, line, command, p, story_fetch(p, command, got, sizeof got, &had), 226);
	if (had != len || memcmp(got, want, len) != 0) {
		sim_fail("%s:%d: %s: other bytes came, %zu of them", file, line, command, had);
	}
}

int
story_store(struct peer *p, const char *command, const void *src, size_t len)
{
	int code = story_open(p, command);

	if (code != 150) {
		return code;
	}
	(void)peer_data_write(p, src, len);
	peer_data_close(p);
	return peer_reply(p);
}

void
story_leave(struct peer *p)
{
	CHECK_CODE(p, peer_quit(p), 221);
	story_check_quiet();
	story_end();
}

void
story_fill(void *dst, size_t len, uint32_t salt)
{
	uint8_t *at = dst;
	uint32_t x = salt * 2654435761u + 1;

	for (size_t i = 0; i < len; i++) {
		x = x * 1664525u + 1013904223u;
		at[i] = (uint8_t)(x >> 24);
	}
}
