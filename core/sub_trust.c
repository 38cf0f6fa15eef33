/* SPDX-License-Identifier: MIT */
/* pending, trust, trusted, distrust, ca. */
#include "sub_trust.h"

#include <string.h>

#include "manage.h"
#include "path.h"

/* The one certificate that was given with the command. */
static int
take_certificate(struct request *rq, struct bytes *der)
{
	struct bytes rest = request_input(rq);
	int err = x509_chain_next(&rest, der);

	if (err < 0 || rest.len > 0) {
		return request_complain(rq, CUB_E_DENIED, err < 0 ? "no certificate was given"
			: "give one certificate, not a chain", "");
	}
	return CUB_OK;
}

int
sub_pending(struct request *rq)
{
	const struct pending_table *pending = &rq->service->pending;

	if (!rq->service->is_running) {
		out_string(rq->why, "the server is not running, so nothing is pending");
	}
	request_list(rq, &report_pending, pending->item, pending->count);
	return CUB_OK;
}

int
sub_trusted(struct request *rq)
{
	const struct trust_table *trust = &rq->service->trust;

	request_list(rq, &report_trusted, trust->item, trust->count);
	return CUB_OK;
}

static int
describe_given(struct request *rq, struct trusted *entry)
{
	struct bytes der;
	int err = take_certificate(rq, &der);

	return err < 0 ? err : request_refusal(manage_describe(der, entry, rq->why));
}

/*
 * A whole fingerprint that nobody knows: it can be trusted, but only exactly. Not so zeros,
 * which are no hash: a store that holds them is taken for damaged.
 */
static int
take_fingerprint(struct request *rq, const char *digits, struct trusted *entry)
{
	uint8_t any = 0;

	*entry = (struct trusted){ .is_exact = true, .until_s = TRUST_UNKNOWN };
	for (size_t i = 0; i < sizeof entry->cert; i++) {
		unsigned high = (unsigned char)digits[2 * i], low = (unsigned char)digits[2 * i + 1];

		high = high > '9' ? high - 'a' + 10 : high - '0';
		low = low > '9' ? low - 'a' + 10 : low - '0';
		entry->cert[i] = (uint8_t)(high << 4 | low);
		any |= entry->cert[i];
	}
	return any != 0 ? CUB_OK
		: request_complain(rq, CUB_E_BAD, "no certificate can have this fingerprint: ", digits);
}

/* The certificate that a command is about: in a file, pending, or by its whole fingerprint. */
static int
find_subject(struct request *rq, const char *word, struct trusted *entry)
{
	char digits[TRUST_DIGITS];
	struct pending *pending;
	int err;

	if (request_input(rq).len > 0) {
		return describe_given(rq, entry);
	}
	err = manage_find_pending(rq->service, text_of(word), &pending, rq->why);
	if (err == CUB_OK) {
		manage_describe_pending(pending, entry);
	} else if (err == CUB_E_NOENT && trust_parse(text_of(word), digits) == TRUST_DIGITS - 1) {
		rq->why->len = 0;
		err = take_fingerprint(rq, digits, entry);
	}
	return err;
}

int
sub_trust(struct request *rq)
{
	const char *account = rq->option[OPTION_ACCOUNT], *label = rq->option[OPTION_LABEL];
	struct trusted entry;
	int err;

	if (account == NULL) {
		return request_complain(rq, CUB_E_BAD,
			"--account is missing: say which account the certificate logs in to", "");
	}
	err = find_subject(rq, rq->word, &entry);
	if (err < 0) {
		return err;
	}
	entry.is_exact = entry.is_exact || rq->option[OPTION_EXACT] != NULL;
	entry.is_admin = rq->option[OPTION_ADMIN] != NULL;
	if (!text_copy(text_of(account), entry.account, sizeof entry.account)
		|| !text_copy(text_of(label != NULL ? label : ""), entry.label, sizeof entry.label)) {
		return manage_bad_name(rq->why, text_of(label != NULL ? label : account));
	}
	err = manage_trust(rq->service, &entry, rq->why);
	if (err == CUB_OK) {
		report_put(rq->out, &report_trusted, &entry, false);
	}
	return err;
}

int
sub_distrust(struct request *rq)
{
	const struct trusted *entry = NULL;
	struct pending *pending;
	struct trusted given;
	struct text word = text_of(rq->word);
	char digits[64];
	struct out o = OUT(digits);
	int err;

	if (request_input(rq).len > 0) {
		err = describe_given(rq, &given);
		if (err < 0) {
			return err;
		}
		out_hex(&o, given.cert, sizeof given.cert);
		word = out_so_far(&o);
	}
	err = manage_find_trusted(rq->service, word, &entry, rq->why);
	if (err == CUB_OK) {
		return manage_distrust(rq->service, entry, rq->why);
	}
	if (err != CUB_E_NOENT) {
		return err;
	}
	/* Not trusted yet: then it is rejected. */
	rq->why->len = 0;
	if (manage_find_pending(rq->service, word, &pending, rq->why) == CUB_OK) {
		manage_reject(rq->service, pending);
		return CUB_OK;
	}
	rq->why->len = 0;
	return request_complain(rq, err, "neither trusted nor pending: ", rq->word);
}

/* ---- ca ---- */

/* A CA's name, where none is given: that of its file, without what follows a dot. */
static struct text
name_of_file(const char *word)
{
	struct text name = text_of(path_last(word));

	return text_cut(&name, '.');
}

int
sub_ca_add(struct request *rq)
{
	const char *name = rq->option[OPTION_NAME], *account = rq->option[OPTION_ACCOUNT];
	struct bytes der;
	int err = take_certificate(rq, &der);

	return err < 0 ? err : request_refusal(manage_add_ca(rq->service,
		name != NULL ? text_of(name) : name_of_file(rq->word),
		text_of(account != NULL ? account : ""), der, rq->why));
}

int
sub_ca_list(struct request *rq)
{
	const struct ca_table *cas = &rq->service->cas;

	request_list(rq, &report_ca, cas->item, cas->count);
	return CUB_OK;
}

static const struct ca *
find_ca(const struct ca_table *cas, struct text word)
{
	const struct ca *ca = ca_find(cas, word);
	char digits[TRUST_DIGITS];

	if (ca != NULL || trust_parse(word, digits) < TRUST_DIGITS_MIN) {
		return ca;
	}
	for (unsigned i = 0; i < cas->count; i++) {
		if (trust_begins(cas->item[i].fingerprint, digits)) {
			if (ca != NULL) {
				return NULL;  /* several */
			}
			ca = &cas->item[i];
		}
	}
	return ca;
}

int
sub_ca_remove(struct request *rq)
{
	const struct ca *ca = find_ca(&rq->service->cas, text_of(rq->word));

	if (ca == NULL) {
		return request_complain(rq, CUB_E_NOENT, "there is no such CA: ", rq->word);
	}
	return manage_remove_ca(rq->service, ca, rq->why);
}
