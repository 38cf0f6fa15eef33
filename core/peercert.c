/* SPDX-License-Identifier: MIT */
/* The client's side of a handshake, collected or compared: see peercert.h. */
#include "peercert.h"

#include <string.h>

_Static_assert(sizeof(struct peercert_room) <= BR_SSL_BUFSIZE_MONO,
	"a handshake's room is the buffer that transfers use later");

static struct peercert *
of(const br_x509_class **ctx)
{
	/* The vtable is the first member. */
	return (struct peercert *)(void *)ctx;
}

static void
start_chain(const br_x509_class **ctx, const char *server_name)
{
	(void)server_name;
	of(ctx)->len = 0;
	of(ctx)->count = 0;
	of(ctx)->is_whole = true;
	of(ctx)->is_same = false;
}

static void
start_cert(const br_x509_class **ctx, uint32_t len)
{
	struct peercert *pc = of(ctx);

	pc->left = 0;
	if (pc->count == 0) {
		br_sha256_init(&pc->hash);
	}
	if (pc->room == NULL) {
		return;
	}
	/* Once one is left out, all that follow are. */
	pc->is_whole = pc->is_whole && len > 0 && len <= UINT16_MAX
		&& sizeof pc->room->chain - pc->len >= 2 + (size_t)len;
	if (pc->is_whole) {
		pc->room->chain[pc->len] = (uint8_t)len;
		pc->room->chain[pc->len + 1] = (uint8_t)(len >> 8);
		pc->len += 2;
		pc->left = len;
	}
}

static void
append(const br_x509_class **ctx, const unsigned char *src, size_t len)
{
	struct peercert *pc = of(ctx);

	if (pc->count == 0) {
		br_sha256_update(&pc->hash, src, len);
	}
	if (pc->left > 0) {
		CUB_ASSERT(len <= pc->left);
		memcpy(pc->room->chain + pc->len, src, len);
		pc->len += len;
		pc->left -= len;
	}
}

static void
end_cert(const br_x509_class **ctx)
{
	of(ctx)->count++;
}

/* Keep a copy of the key: its certificate is gone when a data connection needs it. */
static void
keep_key(struct client *client, const struct key_public *public)
{
	const struct bytes *first = public->type == BR_KEYTYPE_EC ? &public->point : &public->n;
	size_t first_len = first->len;

	CUB_ASSERT(first_len + public->e.len <= sizeof client->key_bytes);
	memcpy(client->key_bytes, first->at, first_len);
	if (public->e.len > 0) {
		memcpy(client->key_bytes + first_len, public->e.at, public->e.len);
	}
	client->public = *public;
	client->public.point.at = client->key_bytes;
	client->public.n.at = client->key_bytes;
	client->public.e.at = client->key_bytes + first_len;
}

static unsigned
describe(struct peercert *pc)
{
	struct client *client = pc->client;
	struct x509_cert *cert = &pc->room->first;
	struct bytes rest = { pc->room->chain, pc->len };
	struct bytes first;

	client->is_shown = true;
	br_sha256_out(&pc->hash, client->cert);
	if (!pc->is_whole && pc->len == 0) {
		client->problem = "it is too long";
		return BR_ERR_X509_LIMIT_EXCEEDED;
	}
	if (pc->count > PEERCERT_COUNT_MAX) {
		client->problem = "its chain is too long";
		return BR_ERR_X509_LIMIT_EXCEEDED;
	}
	client->problem = x509_chain_next(&rest, &first) == CUB_OK
		? x509_read(first, cert) : "it is not a certificate";
	if (client->problem != NULL) {
		return BR_ERR_X509_UNSUPPORTED;
	}
	x509_hash(cert->public_key, client->key);
	client->from_s = cert->from_s;
	client->until_s = cert->until_s;
	keep_key(client, &cert->key);
	return 0;
}

static unsigned
end_chain(const br_x509_class **ctx)
{
	struct peercert *pc = of(ctx);
	uint8_t fingerprint[32];
	unsigned err = 0;

	if (pc->count == 0) {
		return BR_ERR_X509_EMPTY_CHAIN;
	}
	if (pc->room != NULL) {
		err = describe(pc);
	} else {
		br_sha256_out(&pc->hash, fingerprint);
		pc->is_same = pc->client->is_proven
			&& memcmp(fingerprint, pc->client->cert, sizeof fingerprint) == 0;
		err = pc->is_same ? 0 : BR_ERR_X509_NOT_TRUSTED;
	}
	if (err == 0) {
		pc->key = key_for_bearssl(&pc->client->public);
	}
	return err;
}

static const br_x509_pkey *
get_pkey(const br_x509_class *const *ctx, unsigned *usages)
{
	const struct peercert *pc = (const struct peercert *)(const void *)ctx;

	if (usages != NULL) {
		/* Not for key exchange: static ECDH would do without CertificateVerify. */
		*usages = BR_KEYTYPE_SIGN;
	}
	return &pc->key;
}

static const br_x509_class peercert_vtable = {
	sizeof(struct peercert), &start_chain, &start_cert, &append, &end_cert, &end_chain, &get_pkey,
};

void
peercert_collect(struct peercert *pc, struct client *client, struct peercert_room *room)
{
	*client = (struct client){ .is_shown = false };
	*pc = (struct peercert){ .vtable = &peercert_vtable, .client = client, .room = room };
}

void
peercert_compare(struct peercert *pc, struct client *client)
{
	*pc = (struct peercert){ .vtable = &peercert_vtable, .client = client };
}

struct bytes
peercert_chain(const struct peercert *pc)
{
	return (struct bytes){ pc->room->chain, pc->is_whole ? pc->len : 0 };
}
