/* SPDX-License-Identifier: MIT */
/* The three security levels: see admit.h. */
#include "admit.h"

#include <string.h>

#include "clock.h"
#include "log.h"
#include "verify.h"

/* Level 3: by which CA is it signed? Returns whether a date above it was ignored for that. */
static bool
look_who_signed(struct service *sv, struct client *client, const struct peercert *cert)
{
	struct bytes chain = peercert_chain(cert);
	bool is_ignored = false;
	size_t which = 0;

	client->problem = chain.len == 0 ? "its chain is too long"
		: verify_chain(chain, X509_FOR_CLIENTS, sv->cas.anchor, sv->cas.count, clock_now(),
			!clock_is_plausible(), &is_ignored, &which);
	client->is_signed = client->problem == NULL;
	if (client->is_signed) {
		memcpy(client->ca, sv->cas.item[which].fingerprint, sizeof client->ca);
	}
	return is_ignored;
}

/* What its dates say, if the clock is right. */
static enum verdict
check_dates(const struct client *client)
{
	int64_t now_s = clock_now();

	return now_s < client->from_s ? REFUSE_EARLY
		: now_s > client->until_s ? REFUSE_LATE : ADMIT_CERTIFICATE;
}

/* Whatever speaks against it, but for trust. */
static enum verdict
check_client(const struct service *sv, const struct client *client)
{
	enum verdict verdict;

	if (!client->is_shown) {
		return REFUSE_MISSING;
	}
	if (!client->is_proven) {
		return REFUSE_UNUSABLE;
	}
	/* Dates count only by a clock that can be right (no clock, no panic). */
	verdict = clock_is_plausible() ? check_dates(client) : ADMIT_CERTIFICATE;
	if (verdict == ADMIT_CERTIFICATE && sv->config.client_certificate == CLIENT_SIGNED
		&& !client->is_signed) {
		verdict = REFUSE_UNSIGNED;
	}
	return verdict;
}

/* The CA whose signature alone is enough, where that is so. */
static const struct ca *
sufficient_ca(const struct service *sv, const struct client *client)
{
	return sv->config.client_certificate == CLIENT_SIGNED
		&& sv->config.signed_trust == SIGNED_AUTO && client->is_signed
		? ca_find_fingerprint(&sv->cas, client->ca) : NULL;
}

static void
log_client(const char *event, enum port_log_level level, const struct client *client,
	const struct port_addr *peer)
{
	struct log l;

	log_start(&l, event);
	log_addr(&l, "peer", peer);
	log_fingerprint(&l, "certificate", client->cert);
	log_end(&l, level);
}

void
admit_shown(struct service *sv, struct client *client, const struct peercert *cert,
	struct peercert_room *room, const struct port_addr *peer)
{
	struct bytes rest = { room->chain, cert->len };
	struct bytes der;
	bool is_new, is_off;

	if (!client->is_proven) {
		return;
	}
	is_off = check_dates(client) != ADMIT_CERTIFICATE;
	if (sv->config.client_certificate == CLIENT_SIGNED) {
		is_off = look_who_signed(sv, client, cert) || is_off;
	}
	if (is_off && !clock_is_plausible()) {
		log_client("dates-ignored", PORT_LOG_WARNING, client, peer);
	}
	if (sv->trust_error < 0 || check_client(sv, client) != ADMIT_CERTIFICATE
		|| trust_find(&sv->trust, client->cert, client->key) != NULL
		|| sufficient_ca(sv, client) != NULL || x509_chain_next(&rest, &der) < 0) {
		return;
	}
	(void)pending_note(&sv->pending, der, &room->first, peer, clock_now(), &is_new);
	if (is_new) {
		/* USER is refused in a moment, and that is logged for everybody. */
		log_client("pending", PORT_LOG_DEBUG, client, peer);
	}
}

struct admission
admit(struct service *sv, const struct client *client, const struct account *account)
{
	const struct trusted *entry;
	const struct ca *ca;
	const char *mapped;  /* empty: to no account by itself */
	struct admission a = { .verdict = ADMIT_PASSWORD };

	if (sv->trust_error < 0) {
		a.verdict = REFUSE_DAMAGED;
		return a;
	}
	if (sv->config.client_certificate == CLIENT_NONE) {
		return a;
	}
	entry = trust_find(&sv->trust, client->cert, client->key);
	ca = sufficient_ca(sv, client);
	a.verdict = check_client(sv, client);
	if (a.verdict == ADMIT_CERTIFICATE && entry == NULL && ca == NULL) {
		a.verdict = REFUSE_PENDING;
	}
	if (a.verdict != ADMIT_CERTIFICATE) {
		if (sv->config.client_certificate == CLIENT_OPTIONAL) {
			a.verdict = ADMIT_PASSWORD;
		}
		return a;
	}
	a.is_by_entry = entry != NULL;
	a.is_admin = entry != NULL && entry->is_admin;
	mapped = entry != NULL ? entry->account : ca->account;
	if (mapped[0] != '\0' && (account == NULL || !string_same(mapped, account->name))) {
		a.verdict = REFUSE_ACCOUNT;
	} else if (mapped[0] == '\0' || sv->config.password == PASSWORD_ALWAYS) {
		a.verdict = ADMIT_PASSWORD;
	}
	return a;
}

bool
admit_still(const struct service *sv, const struct client *client, const struct admission *by,
	const struct account *account)
{
	const struct trusted *entry;

	if (by->is_by_entry) {
		entry = trust_find(&sv->trust, client->cert, client->key);
		if (entry == NULL || !string_same(entry->account, account->name)) {
			return false;
		}
	}
	/* At level 3 the signature counts as well, whatever else it was let in by. */
	return !client->is_signed || ca_find_fingerprint(&sv->cas, client->ca) != NULL;
}

void
admit_put_refusal(struct out *o, enum verdict verdict, const struct client *client)
{
	static const char *const texts[] = {
		[REFUSE_UNUSABLE] = " can't be used: ",
		[REFUSE_EARLY] = " is not valid yet.",
		[REFUSE_LATE] = " has expired.",
		[REFUSE_UNSIGNED] = " is not accepted: ",
		[REFUSE_PENDING] = " is not trusted yet; it is pending, ask the administrator.",
		[REFUSE_ACCOUNT] = " is for another account.",
	};

	if (verdict == REFUSE_DAMAGED || verdict == REFUSE_MISSING) {
		out_string(o, verdict == REFUSE_MISSING ? "A client certificate is needed."
			: "The device's trust store is damaged; nobody can log in.");
		return;
	}
	out_string(o, "Certificate ");
	x509_put_fingerprint(o, client->cert);
	out_string(o, texts[verdict]);
	if (verdict == REFUSE_UNUSABLE || verdict == REFUSE_UNSIGNED) {
		/* Where the level has just been raised, nobody has looked at the signature. */
		out_string(o, client->problem != NULL ? client->problem
			: "it must be signed by a CA from now on; connect again");
		out_char(o, '.');
	}
}
