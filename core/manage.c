/* SPDX-License-Identifier: MIT */
/* What administrators change: see manage.h. */
#include "manage.h"

#include <string.h>

#include "clock.h"
#include "log.h"

int
manage_bad_name(struct out *why, struct text name)
{
	out_string(why, "names and labels have 1 to 32 printable bytes without / + and quotes, "
		"and begin with neither . nor -: ");
	out_json(why, name);
	return CUB_E_NAME;
}

int
manage_is_open(const struct service *sv, enum port_area area, struct out *why)
{
	if (area == PORT_AREA_TRUST && sv->trust_error < 0) {
		service_explain(why, sv->config.trust_store, sv->trust_error);
		return sv->trust_error;
	}
	if (!sv->is_open[area]) {
		service_explain(why, service_store_name(sv, area), CUB_E_IO);
		return CUB_E_IO;
	}
	return CUB_OK;
}

int
manage_finish(struct service *sv, enum port_area area, int err, struct out *why)
{
	if (err == CUB_OK) {
		err = service_refresh(sv, area);
	}
	if (err < 0) {
		service_explain(why, service_store_name(sv, area), err);
	}
	return err;
}

/* ---- Finding ---- */

/* The digits to look for, or why there is nothing to look for. */
static int
parse_digits(struct text t, char digits[TRUST_DIGITS], struct out *why)
{
	size_t count = trust_parse(t, digits);

	if (count >= TRUST_DIGITS_MIN) {
		return CUB_OK;
	}
	out_string(why, count == 0 ? "not a fingerprint: "
		: "give at least 8 digits of the fingerprint, not ");
	out_json(why, t);
	return CUB_E_BAD;
}

static int
tell_found(unsigned count, struct text t, const char *of, struct out *why)
{
	if (count == 1) {
		return CUB_OK;
	}
	out_string(why, count == 0 ? "no " : "several ");
	out_string(why, of);
	out_string(why, count == 0 ? " certificate has the fingerprint "
		: " certificates have a fingerprint that begins ");
	out_json(why, t);
	return count == 0 ? CUB_E_NOENT : CUB_E_BAD;
}

int
manage_find_pending(struct service *sv, struct text t, struct pending **found, struct out *why)
{
	char digits[TRUST_DIGITS];
	unsigned count = 0;
	int err = parse_digits(t, digits, why);

	for (unsigned i = 0; err == CUB_OK && i < sv->pending.count; i++) {
		if (trust_begins(sv->pending.item[i].cert, digits)) {
			*found = &sv->pending.item[i];
			count++;
		}
	}
	return err < 0 ? err : tell_found(count, t, "pending", why);
}

int
manage_find_trusted(const struct service *sv, struct text t, const struct trusted **found,
	struct out *why)
{
	char digits[TRUST_DIGITS];
	unsigned count = 0;
	int err;

	*found = trust_find_label(&sv->trust, t);
	if (*found != NULL) {
		return CUB_OK;
	}
	if (trust_parse(t, digits) == 0) {
		out_string(why, "no trusted certificate has the label ");
		out_json(why, t);
		return CUB_E_NOENT;
	}
	err = parse_digits(t, digits, why);
	for (unsigned i = 0; err == CUB_OK && i < sv->trust.count; i++) {
		if (trust_begins(sv->trust.item[i].cert, digits)) {
			*found = &sv->trust.item[i];
			count++;
		}
	}
	return err < 0 ? err : tell_found(count, t, "trusted", why);
}

/* ---- Trust ---- */

int
manage_describe(struct bytes der, struct trusted *entry, struct out *why)
{
	struct x509_cert cert;
	const char *problem = x509_read(der, &cert);

	if (problem != NULL) {
		return service_complain(why, CUB_E_BAD, problem, "");
	}
	*entry = (struct trusted){ .knows_key = true, .until_s = cert.until_s };
	x509_hash(der, entry->cert);
	x509_hash(cert.public_key, entry->key);
	return CUB_OK;
}

void
manage_describe_pending(const struct pending *p, struct trusted *entry)
{
	*entry = (struct trusted){ .knows_key = true, .until_s = p->until_s };
	memcpy(entry->cert, p->cert, sizeof entry->cert);
	memcpy(entry->key, p->key, sizeof entry->key);
}

/* Label and account of an entry, which replaces `before` or is a new one. */
static int
check_entry(const struct service *sv, const struct trusted *entry, const struct trusted *before,
	struct out *why)
{
	struct text label = text_of(entry->label);
	const struct trusted *same = trust_find_label(&sv->trust, label);

	if (!trust_label_is_good(label)) {
		return manage_bad_name(why, label);
	}
	if (same != NULL && same != before) {
		return service_complain(why, CUB_E_EXIST, "another certificate has the label ",
			entry->label);
	}
	if (account_find(&sv->accounts, text_of(entry->account)) == NULL) {
		return service_complain(why, CUB_E_NOENT, "there is no account of the name ",
			entry->account);
	}
	return CUB_OK;
}

static void
log_trust(const char *event, const struct trusted *entry)
{
	struct log l;

	log_start(&l, event);
	log_fingerprint(&l, "certificate", entry->cert);
	log_string(&l, "account", entry->account);
	log_string(&l, "label", entry->label);
	log_end(&l, PORT_LOG_INFO);
}

static void
log_removed(const char *event, const char *name)
{
	struct log l;

	log_start(&l, event);
	log_string(&l, "name", name);
	log_end(&l, PORT_LOG_INFO);
}

/* What is trusted now, also by its key alone, is pending no more. */
static void
forget_pending(struct service *sv)
{
	for (unsigned i = sv->pending.count; i-- > 0;) {
		struct pending *p = &sv->pending.item[i];

		if (trust_find(&sv->trust, p->cert, p->key) != NULL) {
			pending_remove(&sv->pending, p);
		}
	}
}

int
manage_trust(struct service *sv, struct trusted *entry, struct out *why)
{
	const struct trusted *before = trust_find_cert(&sv->trust, entry->cert);
	struct out label = OUT(entry->label);
	int err = manage_is_open(sv, PORT_AREA_TRUST, why);

	if (err == CUB_OK && entry->label[0] == '\0') {
		out_hex(&label, entry->cert, 8);
		out_char(&label, '\0');
	}
	err = err == CUB_OK ? check_entry(sv, entry, before, why) : err;
	if (err < 0) {
		return err;
	}
	if (before != NULL) {
		return string_same(before->label, entry->label)
			&& string_same(before->account, entry->account) ? CUB_OK
			: service_complain(why, CUB_E_EXIST, "it is trusted already, as ", before->label);
	}
	if (sv->trust.count == CUB_TRUSTED) {
		return service_complain(why, CUB_E_FULL, "the table of trusted certificates is full: "
			"distrust one before adding ", entry->label);
	}
	entry->is_exact = entry->is_exact || !entry->knows_key;
	entry->added_s = clock_now();
	err = manage_finish(sv, PORT_AREA_TRUST,
		trust_save(&sv->store[PORT_AREA_TRUST], entry), why);
	if (err == CUB_OK) {
		forget_pending(sv);
		log_trust("trusted", entry);
	}
	return err;
}

void
manage_reject(struct service *sv, struct pending *pending)
{
	struct log l;

	log_start(&l, "rejected");
	log_fingerprint(&l, "certificate", pending->cert);
	log_end(&l, PORT_LOG_INFO);
	pending_remove(&sv->pending, pending);
}

int
manage_distrust(struct service *sv, const struct trusted *entry, struct out *why)
{
	struct trusted gone = *entry;
	struct store_change change = trust_removal(&gone);
	int err = manage_is_open(sv, PORT_AREA_TRUST, why);

	if (err == CUB_OK) {
		err = manage_finish(sv, PORT_AREA_TRUST,
			store_write(&sv->store[PORT_AREA_TRUST], &change, 1), why);
	}
	if (err == CUB_OK) {
		log_trust("distrusted", &gone);
	}
	return err;
}

int
manage_remove_account(struct service *sv, const struct account *account, struct out *why)
{
	struct store_change changes[1 + CUB_TRUSTED] = { account_removal(account) };
	unsigned count = 1;
	int err = manage_is_open(sv, PORT_AREA_TRUST, why);

	for (unsigned i = 0; i < sv->trust.count; i++) {
		if (string_same(sv->trust.item[i].account, account->name)) {
			changes[count++] = trust_removal(&sv->trust.item[i]);
		}
	}
	if (err == CUB_OK) {
		err = manage_finish(sv, PORT_AREA_TRUST,
			store_write(&sv->store[PORT_AREA_TRUST], changes, count), why);
	}
	if (err == CUB_OK) {
		log_removed("account-removed", account->name);
	}
	return err;
}

int
manage_relabel(struct service *sv, const struct trusted *entry, const struct trusted *next,
	struct out *why)
{
	int err = manage_is_open(sv, PORT_AREA_TRUST, why);

	err = err == CUB_OK ? check_entry(sv, next, entry, why) : err;
	if (err == CUB_OK) {
		err = manage_finish(sv, PORT_AREA_TRUST,
			trust_save(&sv->store[PORT_AREA_TRUST], next), why);
	}
	if (err == CUB_OK) {
		log_trust("trusted", next);
	}
	return err;
}

/* ---- CAs ---- */

int
manage_add_ca(struct service *sv, struct text name, struct text account, struct bytes der,
	struct out *why)
{
	uint8_t fingerprint[32];
	char name_z[CUB_LABEL], account_z[CUB_ACCOUNT_NAME];
	const struct ca *same;
	const char *problem;
	struct log l;
	int err = manage_is_open(sv, PORT_AREA_IDENTITY, why);

	if (err < 0) {
		return err;
	}
	problem = ca_check(der, clock_is_plausible() ? clock_now() : 0);
	if (problem != NULL) {
		return service_complain(why, CUB_E_BAD, problem, "");
	}
	if (!trust_label_is_good(name) || !text_copy(name, name_z, sizeof name_z)) {
		return manage_bad_name(why, name);
	}
	x509_hash(der, fingerprint);
	same = ca_find_fingerprint(&sv->cas, fingerprint);
	if (same != NULL && text_same(name, same->name) && text_same(account, same->account)) {
		return CUB_OK;
	}
	same = same != NULL ? same : ca_find(&sv->cas, name);
	if (same != NULL) {
		return service_complain(why, CUB_E_EXIST, "it, or another CA, is there already, as ",
			same->name);
	}
	if ((account.len > 0 && !account_name_is_good(account))
		|| !text_copy(account, account_z, sizeof account_z)) {
		return manage_bad_name(why, account);
	}
	if (sv->cas.count == CUB_CAS) {
		return service_complain(why, CUB_E_FULL, "the table of CAs is full: remove one before "
			"adding ", name_z);
	}
	err = manage_finish(sv, PORT_AREA_IDENTITY,
		ca_save(&sv->store[PORT_AREA_IDENTITY], name_z, account_z, der), why);
	if (err == CUB_OK) {
		log_start(&l, "ca-added");
		log_text(&l, "name", name);
		log_fingerprint(&l, "certificate", fingerprint);
		log_end(&l, PORT_LOG_INFO);
	}
	return err;
}

int
manage_remove_ca(struct service *sv, const struct ca *ca, struct out *why)
{
	char name[CUB_LABEL];
	int err = manage_is_open(sv, PORT_AREA_IDENTITY, why);

	memcpy(name, ca->name, sizeof name);
	if (err == CUB_OK) {
		err = manage_finish(sv, PORT_AREA_IDENTITY,
			ca_remove(&sv->store[PORT_AREA_IDENTITY], ca), why);
	}
	if (err == CUB_OK) {
		log_removed("ca-removed", name);
	}
	return err;
}

/* ---- The device's chain ---- */

int
manage_install(struct service *sv, struct bytes chain, struct out *why)
{
	struct identity *spare = service_spare_identity(sv);
	const char *problem = "";
	struct log l;
	int err = manage_is_open(sv, PORT_AREA_IDENTITY, why);

	if (err < 0) {
		return err;
	}
	if (spare == NULL) {
		return service_complain(why, CUB_E_BUSY, SERVICE_NO_SPARE, "");
	}
	err = identity_install(spare, &sv->store[PORT_AREA_IDENTITY], service_identity(sv), chain,
		&problem);
	if (err == CUB_E_BAD) {
		out_string(why, problem);
	} else if (err < 0) {
		service_explain(why, sv->config.identity_store, err);
	} else {
		sv->identity_now = !sv->identity_now;
		sv->request_len = 0;  /* the name in it may be another one */
		log_start(&l, "certificate-installed");
		log_fingerprint(&l, "certificate", service_identity(sv)->fingerprint);
		log_end(&l, PORT_LOG_INFO);
	}
	return err;
}
