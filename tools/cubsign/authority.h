/* SPDX-License-Identifier: MIT */
/*
 * A CA on the host: BASE.key, BASE.crt (its certificate and those above it, the root left out
 * where it is not the root itself) and BASE.index (index.h). It signs what has been checked,
 * and nothing leaves it that is not in the index. Other programs' CAs will do, too.
 */
#ifndef AUTHORITY_H
#define AUTHORITY_H

#include "csr.h"
#include "index.h"
#include "issue.h"
#include "options.h"
#include "san.h"

#define AUTHORITY_CHAIN_MAX 16384
#define ORDER_PATH_MAX      8  /* the longest path length: the chain that a device takes */

struct authority {
	const char *base;
	struct key  key;               /* none where it was only read */
	uint8_t     der[AUTHORITY_CHAIN_MAX];
	struct bytes chain;            /* x509_chain_next(): the CA's own first */
	struct bytes own;              /* its own certificate */
	struct x509_cert cert;
	struct extensions extensions;
	struct index index;            /* open and not locked, unless it was only read */
};

/*
 * Open one to sign with: key and certificate fit each other, it is a CA that may sign, and valid
 * now; it and those above it have no critical extension that devices do not know. The index is
 * read, mended and made; what that finds is said on standard error. It is locked only here and
 * for the moment in which something is entered: nobody waits for a device, or for an answer.
 * False: told in `why`, with the file's name, and nothing is open.
 */
bool authority_open(struct authority *a, const char *base, struct secret_source from,
	struct out *why);

/*
 * Only read its certificate: to verify, to list, to hand it on. It may have expired. Nothing to
 * close. False: told in `why`, with the file's name.
 */
bool authority_read(struct authority *a, const char *base, struct out *why);

/* Close the index, and wipe the key. */
void authority_close(struct authority *a);

/* Is this one of its own files, by whatever name? */
bool authority_owns(const struct authority *a, const char *path);

/* What is to be signed, besides the request. */
struct order {
	enum profile profile;
	int64_t from_s;
	int64_t until_s;
	bool is_until_chosen;      /* by --days or --until: then never shortened */
	struct text names;         /* --san as it was given; `at` null: not given */
	int32_t path_length;       /* of a new CA; -1: none */
};

/*
 * From --profile, --days, --until and --san. Ten years for a device, two for a client, from an
 * hour ago on, since the clocks of devices are behind. A day of --until is meant as a whole.
 */
bool order_parse(struct order *order, const struct options *o, struct out *why);

/* The same for a new CA, which has the dates and the path length only; `days` where not given. */
bool order_parse_ca(struct order *order, const struct options *o, uint32_t days, struct out *why);

struct issued {
	uint8_t der[ISSUE_MAX + AUTHORITY_CHAIN_MAX];
	struct bytes chain;        /* the new certificate, then the CA's chain, the root left out */
	struct bytes own;          /* the new certificate */
	uint8_t fingerprint[32];
	char serial[2 * ISSUE_SERIAL + 1];
	int64_t until_s;
	bool is_renewal;           /* this key has been signed before */
	bool is_shortened;         /* it ends with the CA, before its usual time */
	bool leaves_names;         /* the request asks for names that it does not get */
};

/*
 * Sign a request that csr_read() has checked. Names that it asks for are confirmed on the
 * terminal where --san was not given; without one they are left out. What was signed is verified
 * as a device would, and then the index has it, synced, before this returns; `file` is what the
 * index says of where it goes. A CA that was replaced since it was opened signs nothing.
 * Returns false, told in `why`: nothing was signed, and the index is as before.
 */
bool authority_sign(struct authority *a, const struct csr *csr, const struct order *order,
	const char *file, struct issued *issued, struct out *why);

/*
 * The certificate of a new CA that signs itself by `key`, the private half of that in `csr`; it is
 * verified likewise, and is in no index. Returns false, told in `why`.
 */
bool authority_sign_itself(const struct csr *csr, const struct order *order, const struct key *key,
	struct issued *issued, struct out *why);

#endif
