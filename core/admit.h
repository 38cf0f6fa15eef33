/* SPDX-License-Identifier: MIT */
/*
 * The three security levels: whether a client's certificate is enough, not needed, or not
 * trusted. Nothing but hashes decides, and the proof that the client holds the key.
 */
#ifndef ADMIT_H
#define ADMIT_H

#include "peercert.h"
#include "service.h"

enum verdict {
	ADMIT_PASSWORD,       /* 331: the account's password is needed */
	ADMIT_CERTIFICATE,    /* 232: the certificate is enough */
	REFUSE_DAMAGED,       /* the trust store can't be used */
	REFUSE_MISSING,       /* no certificate was shown; what follows is about one */
	REFUSE_UNUSABLE,      /* it can't be used: client->problem */
	REFUSE_EARLY,         /* it is not valid yet */
	REFUSE_LATE,          /* it has expired */
	REFUSE_UNSIGNED,      /* level 3: no CA of the device signed it, or: client->problem */
	REFUSE_PENDING,       /* it is not trusted yet */
	REFUSE_ACCOUNT,       /* it is for another account */
};

struct admission {
	enum verdict verdict;
	bool is_admin;     /* the trust entry grants it */
	bool is_by_entry;  /* the certificate counted, by a trust entry */
};

/*
 * After the handshake: see by whom it is signed, at level 3, and note it as pending where only
 * trust is missing. `room` is the handshake's.
 */
void admit_shown(struct service *sv, struct client *client, const struct peercert *cert,
	struct peercert_room *room, const struct port_addr *peer);

/* USER: may this client log in to an account (null: there is none of that name), and by what? */
struct admission admit(struct service *sv, const struct client *client,
	const struct account *account);

/* Does what a session was let in by still hold, for its account? */
bool admit_still(const struct service *sv, const struct client *client,
	const struct admission *by, const struct account *account);

/* The text of the reply 530, after the code. */
void admit_put_refusal(struct out *o, enum verdict verdict, const struct client *client);

#endif
