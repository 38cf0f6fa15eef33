/* SPDX-License-Identifier: MIT */
/*
 * What all sessions share: the configuration, the two stores and the tables that they hold,
 * the pending certificates, the counters. The running server keeps the stores open, and so
 * locked; an administrative command without a server opens what it needs and closes it.
 *
 * A table is always what its store holds: a change is written first, then the table is
 * loaded again. A trust store that can't be read leaves its tables empty, and `trust_error`
 * then denies everybody.
 */
#ifndef SERVICE_H
#define SERVICE_H

#include "account.h"
#include "blame.h"
#include "bucket.h"
#include "ca.h"
#include "pem.h"
#include "pending.h"
#include "trust.h"

/* Certificates on their way in: one upload or one administrative command at a time. */
#define SERVICE_UPLOADING "an upload to /.provision is under way: try again"
struct inbox {
	const void *owner;  /* null: free */
	size_t      len;
	struct pem  pem;
	uint8_t     at[CUB_INPUT_MAX];
};

/* What is small stands first, in this and other large structs: short instructions reach it. */
struct service {
	bool     is_running;              /* the server has started, and not yet stopped */
	bool     is_stopping;
	bool     is_open[PORT_AREAS];
	uint8_t  guests;                  /* sessions that are logged in, without the admin right */
	uint8_t  identity_now;
	uint8_t  identity_users[2];       /* sessions that hold each of them */
	uint16_t request_len;             /* of device.csr; 0: not known yet */
	int      trust_error;             /* CUB_OK, or why the trust store denies everybody */
	uint32_t changes;                 /* of accounts, trust and CAs: sessions look at it */
	port_root root;
	uint32_t roots;                   /* how often it became another one */
	uint64_t now_ms;                  /* of this step */
	uint64_t start_ms;
	struct bucket rate;               /* of all transfers together */
	uint64_t rate_wait_ms;            /* of it, as this step began */
	struct cubftpd_status status;
	struct store store[PORT_AREAS];
	struct cubftpd_config config;
	struct account_table accounts;
	struct trust_table trust;
	char     why[192];                /* of a failure in /.provision, told in the same step */
	struct blame failures;            /* logins */
	struct blame handshakes;          /* without a login */
	struct ca_table cas;
	struct pending_table pending;
	struct inbox inbox;
	struct identity identity[2];      /* the one in use, and one before it or after it */
};

/* There is one server in a program. */
extern struct service service;

/* Say why not, and about what (or ""). Returns `err`. */
int service_complain(struct out *why, int err, const char *text, const char *about);

/* Add "STORE: what is wrong" for a store or folder at `where` that could not be used. */
void service_explain(struct out *why, const char *where, int err);

/* Where a store is. */
const char *service_store_name(const struct service *sv, enum port_area area);

/*
 * Open a store and load its tables, unless it is open already; `create` it where there is none.
 * A blank identity store is good, and `identity_now` is then not loaded.
 * Returns CUB_OK, or the error, told in `why`.
 */
int service_open(struct service *sv, enum port_area area, bool create, struct out *why);

/*
 * Take over another configuration, and what the stores hold now; both are open before and, if
 * that is possible at all, afterwards. A new identity goes into the spare slot, and is then the
 * one in use.
 *
 * Returns CUB_OK, or an error, told: then all is as before, but that a damaged trust store
 * denies everybody.
 */
int service_reload(struct service *sv, const struct cubftpd_config *next, struct out *why);

/* Close both stores, and wipe what they held. */
void service_close(struct service *sv);

/* Load the tables of an open store again, after a change. */
int service_refresh(struct service *sv, enum port_area area);

/* The identity in use. */
struct identity *service_identity(struct service *sv);

/* Read the device's own certificate; false where there is none. */
bool service_read_own(struct service *sv, struct x509_cert *cert);

/* The device's name: as in its certificate, or as it is configured where there is none. */
struct text service_device_name(struct service *sv);

/* The slot for the next one; null while sessions still use what is in there, which is told so. */
#define SERVICE_NO_SPARE \
	"a client still uses the identity before this one: try again when it has gone"
struct identity *service_spare_identity(struct service *sv);

/*
 * Read the secret of `key_secret` into `room`. Returns CUB_OK (empty: none), or the error, told;
 * CUB_E_DENIED also for an empty file.
 */
int service_secret(const struct cubftpd_config *config, uint8_t room[IDENTITY_SECRET_MAX],
	struct bytes *secret, struct out *why);

#endif
