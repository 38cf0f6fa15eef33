/* SPDX-License-Identifier: MIT */
/* Client certificates that wait for an administrator: see pending.h. */
#include "pending.h"

#include <string.h>

#include "addr.h"

/* What goes first when one more comes from `peer`: what is from there, else where most are from. */
static unsigned
weight(const struct pending_table *t, const struct pending *p, const struct port_addr *peer)
{
	unsigned count = addr_same_net(&p->peer, peer) ? CUB_PENDING : 0;

	for (unsigned i = 0; i < t->count; i++) {
		count += addr_same_net(&p->peer, &t->item[i].peer);
	}
	return count;
}

/* A place for a new entry from `peer`. */
static struct pending *
make_room(struct pending_table *t, const struct port_addr *peer)
{
	struct pending *place = &t->item[0];
	unsigned most = 0;

	if (t->count < CUB_PENDING) {
		return &t->item[t->count++];
	}
	for (unsigned i = 0; i < CUB_PENDING; i++) {
		unsigned w = weight(t, &t->item[i], peer);

		if (w > most || (w == most && t->item[i].order < place->order)) {
			most = w;
			place = &t->item[i];
		}
	}
	return place;
}

static void
fill(struct pending *p, struct bytes der, const struct x509_cert *cert)
{
	struct out subject = OUT(p->subject), issuer = OUT(p->issuer);

	memset(p, 0, sizeof *p);
	x509_hash(cert->public_key, p->key);
	x509_put_name(&subject, cert->subject, CUB_NAME_SHOWN - 1);
	x509_put_name(&issuer, cert->issuer, CUB_NAME_SHOWN - 1);
	p->from_s = cert->from_s;
	p->until_s = cert->until_s;
	if (der.len <= CONFIG_CUBFTPD_PENDING_CERT) {
		memcpy(p->der, der.at, der.len);
		p->der_len = (uint16_t)der.len;
	}
}

struct pending *
pending_note(struct pending_table *t, struct bytes der, const struct x509_cert *cert,
	const struct port_addr *peer, int64_t now_s, bool *is_new)
{
	uint8_t fingerprint[32];
	struct pending *p;

	x509_hash(der, fingerprint);
	p = pending_find(t, fingerprint);
	*is_new = p == NULL;
	if (*is_new) {
		p = make_room(t, peer);
		fill(p, der, cert);
		memcpy(p->cert, fingerprint, sizeof p->cert);
		p->first_s = now_s;
		p->order = t->order++;
	}
	p->peer = *peer;
	p->last_s = now_s;
	p->count += p->count < UINT32_MAX;
	return p;
}

struct pending *
pending_find(struct pending_table *t, const uint8_t cert[32])
{
	for (unsigned i = 0; i < t->count; i++) {
		if (memcmp(t->item[i].cert, cert, sizeof t->item[i].cert) == 0) {
			return &t->item[i];
		}
	}
	return NULL;
}

void
pending_remove(struct pending_table *t, struct pending *p)
{
	*p = t->item[--t->count];
}
