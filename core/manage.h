/* SPDX-License-Identifier: MIT */
/*
 * What administrators change, by command (admin.c) or in their folder (provision.c): trust,
 * CAs, the device's chain. Each change is whole and durable on return, or nothing has
 * changed and `why` says why, in words for people. Each leaves a line in the log.
 */
#ifndef MANAGE_H
#define MANAGE_H

#include "service.h"

/*
 * Find what a certificate's fingerprint, or its beginning of at least 8 digits, names among
 * the pending or the trusted ones; of these also by label.
 * Returns CUB_OK; CUB_E_NOENT, CUB_E_BAD (too short, or several begin so).
 */
int manage_find_pending(struct service *sv, struct text t, struct pending **found,
	struct out *why);
int manage_find_trusted(const struct service *sv, struct text t, const struct trusted **found,
	struct out *why);

/* Begin an entry of the trust table for a certificate. CUB_OK, CUB_E_BAD: it can't be used. */
int manage_describe(struct bytes der, struct trusted *entry, struct out *why);
void manage_describe_pending(const struct pending *p, struct trusted *entry);

/*
 * Trust what `entry` says; without a label it gets one from its fingerprint. What was pending
 * is so no more. The same certificate under the same label and account again is no change.
 *
 * Returns CUB_OK; CUB_E_FULL, CUB_E_EXIST (the label, or the certificate, is in use already),
 * CUB_E_NOENT (no such account), CUB_E_NAME (a bad label), or what the store gave.
 */
int manage_trust(struct service *sv, struct trusted *entry, struct out *why);

/* Forget a certificate that waits; it may come again. */
void manage_reject(struct service *sv, struct pending *pending);

/* End trust: sessions of this certificate end at once. */
int manage_distrust(struct service *sv, const struct trusted *entry, struct out *why);

/*
 * Remove an account, and the trust in all certificates that log in to it: else they would log
 * in to the next one of that name. `account` is a copy, not in the table that changes.
 */
int manage_remove_account(struct service *sv, const struct account *account, struct out *why);

/* Another label for an entry, or another account, or both, as `next` has them: a changed copy. */
int manage_relabel(struct service *sv, const struct trusted *entry, const struct trusted *next,
	struct out *why);

/* Add a CA; `account` may be empty. Errors as of manage_trust(). */
int manage_add_ca(struct service *sv, struct text name, struct text account, struct bytes der,
	struct out *why);
int manage_remove_ca(struct service *sv, const struct ca *ca, struct out *why);

/* Install a signed chain (x509_chain_next()). Takes effect for new connections. */
int manage_install(struct service *sv, struct bytes chain, struct out *why);

/* Say what names of CAs and accounts and labels may be. Returns CUB_E_NAME. */
int manage_bad_name(struct out *why, struct text name);

/* For all these: may they be changed now? The store is open, and not damaged. */
int manage_is_open(const struct service *sv, enum port_area area, struct out *why);

/*
 * After a change in a store, with this outcome: its tables are loaded again. Returns the
 * outcome of both, told where it is an error.
 */
int manage_finish(struct service *sv, enum port_area area, int err, struct out *why);

#endif
