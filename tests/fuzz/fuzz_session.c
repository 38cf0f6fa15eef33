/* SPDX-License-Identifier: MIT */
/*
 * A client may say and do anything: each reply is well-formed, nothing changes that the account
 * may not change, no wait lasts for ever, and when the client has gone the server holds nothing
 * of it. For libFuzzer (`make fuzz`), and for test_fuzz.c.
 *
 * An input is a script in lines. The first says who comes, by letters: `a` anna, logged in; `g`
 * gast, who may only read; nobody else is logged in; `i` to the port with TLS at once; `b`
 * all bytes come one at a time, `r` in pieces. The others:
 *
 *	+         connect to the port that was offered last
 *	>BYTES    send data
 *	<         read data, until the server ends it
 *	.         end the data by close_notify; `!` without; `~` by a reset
 *	@SECONDS  wait
 *	=         begin TLS, which 234 does too
 *	|BYTES    send this, with no line end
 *
 * and anything else is a command.
 */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "story.h"

#define LINES_MAX 60
#define WAIT_MAX  700  /* more than any limit of the server, in seconds */

static struct peer p;
static unsigned offered;  /* the port for data, 0: none */

static bool
is_open(const struct peer_link *l)
{
	return l->end == PEER_OPEN;
}

/* Of "(|||port|)" or "(h1,h2,h3,h4,p1,p2)". */
static void
take_port(void)
{
	const char *at = strchr(p.reply, '(');
	unsigned high, low;

	if (at != NULL && p.code == 229) {
		CHECK(sscanf(at, "(|||%u|)", &offered) == 1);
	} else if (at != NULL && p.code == 227) {
		CHECK(sscanf(at, "(%*u,%*u,%*u,%*u,%u,%u)", &high, &low) == 2);
		offered = high << 8 | low;
	}
	CHECK(offered < 65536);
}

static void
begin_tls(void)
{
	if (is_open(&p.control) && !p.control.tls && p.control.dst_len == 0) {
		(void)peer_handshake(&p);
		p.protect = p.control.ready;
	}
}

/* Take all that has been answered. */
static void
hear(void)
{
	while (peer_has_reply(&p)) {
		(void)peer_reply(&p);
		take_port();
		if (p.code == 234) {
			begin_tls();
		}
	}
}

/* Nobody can after the own close_notify. */
static void
send_data(const char *at, size_t len)
{
	if (p.protect && is_open(&p.data) && !p.data.ready) {
		(void)peer_data_handshake(&p);
	}
	if (is_open(&p.data) && (!p.data.tls
		|| (br_ssl_engine_current_state(&p.data.client.eng) & BR_SSL_SENDAPP) != 0)) {
		(void)peer_data_write(&p, at, len);
	}
}

static void
read_data(void)
{
	char bytes[512];

	while (is_open(&p.data) && peer_data_read(&p, bytes, sizeof bytes) > 0) {
	}
}

/* Without waiting for the other's close_notify, since it may come behind data. */
static void
close_data(void)
{
	if (is_open(&p.data) && p.data.ready) {
		br_ssl_engine_close(&p.data.client.eng);
	}
}

static void
end_data(void (*how)(struct peer *))
{
	if (is_open(&p.data)) {
		how(&p);
	}
}

/* A line, which is followed by a byte: its end. */
static void
act(const char *at, size_t len)
{
	switch (len > 0 ? at[0] : 0) {
	case '+':
		end_data(peer_data_reset);
		if (offered != 0) {
			(void)peer_data_connect(&p, (uint16_t)offered);
		}
		break;
	case '>':
		send_data(at + 1, len - 1);
		break;
	case '<':
		read_data();
		break;
	case '.':
		close_data();
		break;
	case '!':
		end_data(peer_data_cut);
		break;
	case '~':
		end_data(peer_data_reset);
		break;
	case '@':
		story_wait_ms(UINT64_C(1000) * (strtoul(at + 1, NULL, 10) % WAIT_MAX));
		break;
	case '=':
		begin_tls();
		break;
	case '|':
		peer_raw(&p, at + 1, len - 1);
		break;
	default:
		peer_raw(&p, at, len);
		peer_raw(&p, "\r\n", 2);
	}
}

static bool
says(const char *letters, size_t len, char letter)
{
	return memchr(letters, letter, len) != NULL;
}

static void
come(const char *who, size_t len)
{
	bool is_implicit = says(who, len, 'i');

	sim_net_split(says(who, len, 'b') ? SIM_BYTES : says(who, len, 'r') ? SIM_RANDOM : SIM_WHOLE);
	CHECK_CODE(&p, peer_connect(&p, is_implicit ? 990 : 21, is_implicit), 220);
	if (says(who, len, 'a') || says(who, len, 'g')) {
		CHECK(is_implicit || peer_auth_tls(&p) == 234);
		CHECK_CODE(&p, peer_login(&p, says(who, len, 'a') ? "anna" : "gast", "secret"), 230);
		CHECK_CODE(&p, peer_protect(&p), 200);
	}
	p.protect = p.control.tls;
}

/* Whatever was left half done, the server comes to an end with it. */
static void
go(void)
{
	if (is_open(&p.control)) {
		peer_raw(&p, "\r\nQUIT\r\n", 8);
	}
	while (peer_reply(&p) >= 0) {
	}
	end_data(peer_data_reset);
	sim_net_split(SIM_WHOLE);
	story_check_quiet();
	story_end();
}

static void
run(const char *at, size_t len, const char *end)
{
	bool is_reader;

	offered = 0;
	story_begin(1);
	sim_file_put("/srv/home/a", "alpha\nbeta\n", 11);
	sim_file_put("/srv/other/b", "other", 5);
	sim_dir_put("/srv/home/d");
	story_start();
	peer_init(&p);
	come(at, len);
	is_reader = !says(at, len, 'a');
	for (unsigned lines = 0; at + len < end && lines < LINES_MAX; lines++) {
		const char *stop;

		at += len + 1;
		stop = memchr(at, '\n', (size_t)(end - at));
		len = (size_t)((stop != NULL ? stop : end) - at);
		act(at, len);
		hear();
	}
	go();
	CHECK(sim_file_is("/srv/other/b", "other", 5) && sim_dir_count("/srv/other") == 1);
	CHECK(sim_dir_count("/srv") == 2);
	CHECK(!is_reader || (sim_file_is("/srv/home/a", "alpha\nbeta\n", 11)
		&& sim_dir_count("/srv/home") == 2));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char text[FUZZ_MAX + 1];
	const char *stop;

	if (size > 0 && size <= FUZZ_MAX) {
		/* A number at the end must end. */
		memcpy(text, data, size);
		text[size] = '\0';
		sim_pump = story_pump;
		stop = memchr(text, '\n', size);
		run(text, stop != NULL ? (size_t)(stop - text) : size, text + size);
	}
	return 0;
}
