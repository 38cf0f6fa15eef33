/* SPDX-License-Identifier: MIT */
/*
 * What the stories of client certificates share: the clients of tests/data/clients.h, the
 * device's state as commands tell it, and a client that comes with a certificate.
 */
#ifndef LEVEL_H
#define LEVEL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../data/clients.h"
#include "story.h"

/* Skip a story that is about something which this build does not have. */
#define LEVEL_NEEDS(option) \
	do { \
		if (!(option)) { \
			skip(); \
		} \
	} while (0)

/* Somebody's certificate and key: LEVEL_CERT(&cert, key_ec, self). */
#define LEVEL_CERT(c, key, own) \
	(peer_cert_start((c), client_##key, sizeof client_##key), LEVEL_ADD((c), own))
#define LEVEL_ADD(c, own) peer_cert_add((c), client_##own, sizeof client_##own)

/* The fingerprint of a certificate in hexadecimal digits: valid until the eighth call from now. */
static inline const char *
level_digits(const void *der, size_t len)
{
	static char all[8][65];
	static unsigned turn;
	char *digits = all[turn++ % 8];
	uint8_t sum[32];
	br_sha256_context hash;

	br_sha256_init(&hash);
	br_sha256_update(&hash, der, len);
	br_sha256_out(&hash, sum);
	for (size_t i = 0; i < sizeof sum; i++) {
		snprintf(digits + 2 * i, 3, "%02x", sum[i]);
	}
	return digits;
}

#define DIGITS(own) level_digits(client_##own, sizeof client_##own)

/* The first certificate of a chain. */
static inline const char *
level_digits_of(const struct peer_cert *c)
{
	return level_digits(c->chain[0].data, c->chain[0].data_len);
}

/* A device at a level, and its server. Another key of the configuration may be set: or null. */
static inline void
level_start_with(const char *level, const char *key, const char *value)
{
	story_begin(sim_seed_or(1));
	story_set("client_certificate", level);
	if (key != NULL) {
		story_set(key, value);
	}
	sim_file_put("/srv/home/a", "hello", 5);
	story_start();
}

static inline void
level_start(const char *level)
{
	level_start_with(level, NULL, NULL);
}

static inline bool
level_tells(const char *command, const char *part)
{
	CHECK(story_admin("%s", command) == CUB_OK);
	return strstr(story_said, part) != NULL;
}

#define IS_PENDING(c) level_tells("pending", level_digits_of(c))
#define IS_TRUSTED(c) level_tells("trusted", level_digits_of(c))

static inline bool
level_is_empty(const char *command)
{
	return level_tells(command, "") && story_said[0] == '\0';
}

/* Trust a certificate that is given as a file; `options` follow the account. */
static inline void
level_trust(const struct peer_cert *c, const char *account, const char *options)
{
	story_give(INPUT_CERTIFICATES, c->chain[0].data, c->chain[0].data_len);
	if (story_admin("trust file --account %s %s", account, options) != CUB_OK) {
		sim_fail("trust: %s", story_wrong);
	}
}

/* Connect with a certificate (or null), up to the end of the handshake. */
static inline void
level_knock(struct peer *who, const struct peer_cert *c)
{
	peer_init(who);
	who->cert = c;
	CHECK_CODE(who, peer_connect(who, 21, false), 220);
	CHECK_CODE(who, peer_auth_tls(who), 234);
}

/* The same, and USER; without a password. Returns its code. */
static inline int
level_come(struct peer *who, const struct peer_cert *c, const char *user)
{
	level_knock(who, c);
	return peer_ask(who, "USER %s", user);
}

/* In, by certificate alone, and ready for data. */
static inline void
level_enter(struct peer *who, const struct peer_cert *c, const char *user)
{
	CHECK_CODE(who, level_come(who, c, user), 232);
	CHECK_CODE(who, peer_protect(who), 200);
	CHECK_CODE(who, peer_ask(who, "TYPE I"), 200);
}

/* Told, without the clock having to move, that trust has ended, and so has the session. */
static inline void
level_check_ended(struct peer *who)
{
	CHECK(peer_has_reply(who));
	CHECK_CODE(who, peer_reply(who), 421);
	CHECK(strstr(who->reply, "is not trusted any more") != NULL);
	CHECK_CODE(who, peer_reply(who), CUB_EOF);
}

/* Refused: 530 with a text that people can read, and the connection's end. */
#define CHECK_REFUSED(who, cert, user, part) \
	level_check_refused(__FILE__, __LINE__, (who), (cert), (user), (part))

static inline void
level_check_refused(const char *file, int line, struct peer *who, const struct peer_cert *c,
	const char *user, const char *part)
{
	story_check_code(file, line, "USER", who, level_come(who, c, user), 530);
	if (strstr(who->reply, part) == NULL) {
		sim_fail("%s:%d: no \"%s\" in: %s", file, line, part, who->reply);
	}
	story_check_code(file, line, "the end", who, peer_reply(who), CUB_EOF);
}

#endif
