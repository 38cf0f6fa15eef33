/* SPDX-License-Identifier: MIT */
/*
 * What the stories about /.provision share: a device whose key is the one of
 * tests/data/keys.h, so that there are signed certificates for it, and an account that may
 * administrate it, boss.
 */
#ifndef FOLDER_H
#define FOLDER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "crc32.h"
#include "service.h"
#include "story.h"

#include "tests/data/keys.h"

#define DER(array) ((struct bytes){ (array), sizeof (array) })

/* A record of this size is the smallest that TLS knows (RFC 6066 section 4). */
#define SMALL_RECORD 512

static struct peer p, q;
static char got[65536];

/* Put a device into the identity store. */
static inline void
folder_identity(void)
{
	static uint8_t image[SIM_FLASH_MAX];
	static uint32_t len;
	static struct identity id;
	static struct store s;
	const struct identity_parts parts = { .key = DER(key_p256), .name = { "device", 6 } };
	const char *why = "";

	if (len == 0) {
		sim_flash_reset();
		if (store_open(&s, PORT_AREA_IDENTITY, story_config.identity_store, true) != CUB_OK
			|| identity_import(&id, &s, &parts, &why) != CUB_OK) {
			sim_fail("folder: the identity can't be made: %s", why);
		}
		store_close(&s);
		len = sim_flash_size(PORT_AREA_IDENTITY);
		memcpy(image, sim_flash_bytes(PORT_AREA_IDENTITY), len);
		story_begin(sim_seed());
	}
	sim_flash_image(PORT_AREA_IDENTITY, image, len);
}

/* Another account, whose password is "secret", too. */
static inline void
folder_account(const char *name, bool is_admin, uint8_t rights)
{
	struct account a = {
		.rights = rights, .is_admin = is_admin, .has_password = true, .iterations = 1,
	};
	struct pbkdf2 check;
	static struct store s;

	snprintf(a.name, sizeof a.name, "%s", name);
	snprintf(a.root, sizeof a.root, "/home");
	port_random(a.salt, sizeof a.salt);
	account_check_start(&check, &a, (struct text){ "secret", 6 });
	(void)pbkdf2_step(&check, 1);
	memcpy(a.hash, check.sum, sizeof a.hash);
	if (store_open(&s, PORT_AREA_TRUST, story_config.trust_store, false) != CUB_OK
		|| account_save(&s, &a) != CUB_OK) {
		sim_fail("folder: the account %s can't be saved", name);
	}
	store_close(&s);
}

/* A new world with all this; nothing runs yet. */
static inline void
folder_begin(uint64_t seed)
{
	story_begin(seed);
	folder_identity();
	folder_account("boss", true, RIGHT_READ | RIGHT_WRITE | RIGHT_DELETE | RIGHT_LIST);
}

/* And it runs, and boss is there. */
static inline int
folder_setup(void **state)
{
	story_setup(state);
	folder_begin(sim_seed_or(1));
	story_start();
	peer_init(&p);
	peer_init(&q);
	story_login_as(&p, "boss");
	return 0;
}

#define TEST(name) cmocka_unit_test_setup(name, folder_setup)

/* Everybody leaves in order, and nothing is left. */
static inline void
folder_end(void)
{
	if (p.control.end == PEER_OPEN) {
		CHECK_CODE(&p, peer_quit(&p), 221);
	}
	if (q.control.end == PEER_OPEN) {
		CHECK_CODE(&q, peer_quit(&q), 221);
	}
	story_check_quiet();
	CHECK(service.inbox.owner == NULL);
	story_end();
}

/* Fetch as text, with a NUL; the code of the last reply. */
static inline int
folder_fetch(struct peer *by, const char *command, char *dst)
{
	size_t len;
	int code = story_fetch(by, command, dst, sizeof got - 1, &len);

	dst[len] = '\0';
	return code;
}

/* A certificate of a client comes and is refused, as far as the table knows. */
static inline void
folder_pending(struct bytes der, const char *account)
{
	struct port_addr peer = sim_ipv4(192, 0, 2, 77, 40000);
	struct pending *pending;
	struct x509_cert cert;
	bool is_new;

	CHECK(x509_read(der, &cert) == NULL);
	pending = pending_note(&service.pending, der, &cert, &peer, port_time(), &is_new);
	snprintf(pending->account, sizeof pending->account, "%s", account);
}

/* "VERB /.provision/pending/FINGERPRINT.crt" */
static inline const char *
folder_name(const char *before, struct bytes der)
{
	static char line[256];
	struct out o = OUT(line);
	uint8_t hash[32];

	x509_hash(der, hash);
	out_string(&o, before);
	out_hex(&o, hash, sizeof hash);
	out_string(&o, ".crt");
	return out_finish(&o);
}

/* One certificate or two as PEM, with a NUL behind it. */
static inline struct text
folder_pem(struct bytes first, struct bytes second)
{
	static char pem[16384];
	struct out o = OUT(pem);

	pem_put(&o, PEM_CERTIFICATE, first.at, first.len);
	if (second.len > 0) {
		pem_put(&o, PEM_CERTIFICATE, second.at, second.len);
	}
	CHECK(!o.cut && o.len < sizeof pem);
	return (struct text){ out_finish(&o), o.len };
}

static inline int
folder_store(struct peer *by, const char *command, struct text file)
{
	return story_store(by, command, file.at, file.len);
}

/* Both stores as they are on the medium now, as one number. */
static inline uint32_t
folder_digest(void)
{
	uint32_t sum = 0;

	for (unsigned i = 0; i < PORT_AREAS; i++) {
		sum = crc32(sum, sim_flash_bytes((enum port_area)i), SIM_FLASH_MAX);
	}
	return sum;
}

/* For `prepare`: it has room for small records only, and says so (max_fragment_length). */
static inline void
folder_small_records(struct peer *by, struct peer_link *link)
{
	(void)by;
	br_ssl_engine_set_buffers_bidi(&link->client.eng, link->io, SMALL_RECORD + 325,
		link->io + SMALL_RECORD + 325, SMALL_RECORD + 85);
}

#endif
