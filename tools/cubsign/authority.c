/* SPDX-License-Identifier: MIT */
/* A CA on the host, and what it signs: see authority.h. */
#include "authority.h"

#include <string.h>

#include "clock.h"
#include "date.h"
#include "disk.h"
#include "isodate.h"
#include "keyfile.h"
#include "load.h"
#include "signature.h"
#include "tell.h"
#include "verify.h"

#define HOUR_S 3600
#define DAY_S  86400

#define DEVICE_DAYS 3650
#define CLIENT_DAYS 730
#define DAYS_MAX    36500

#define SUBJECT_MAX 2048  /* more than any name that csr_check_name() passes takes, escaped */

bool
authority_read(struct authority *a, const char *base, struct out *why)
{
	char path[DISK_PATH_MAX];
	char text[256];
	struct out reason = OUT(text);
	struct bytes rest;
	const char *wrong;

	a->base = base;
	a->key.type = 0;
	a->index = (struct index){ .fd = -1 };
	if (!disk_path(path, base, ".crt", why)) {
		return false;
	}
	if (!load_chain(path, a->der, sizeof a->der, &a->chain, &reason)) {
		return tell_about(why, path, out_finish(&reason));
	}
	rest = a->chain;
	(void)x509_chain_next(&rest, &a->own);
	wrong = x509_read(a->own, &a->cert);
	if (wrong == NULL) {
		wrong = extension_read(a->cert.extensions.list, &a->extensions);
	}
	return wrong == NULL || tell_about(why, path, wrong);
}

/*
 * Null, or what its extensions or those of the CAs above it say against signing. Devices accept
 * nothing below a critical extension that they do not know.
 */
static const char *
check_extensions(struct bytes chain)
{
	struct x509_cert cert;
	struct bytes der;

	while (x509_chain_next(&chain, &der) == CUB_OK) {
		if (x509_read(der, &cert) == NULL && cert.extensions.has_unknown) {
			return "it, or a CA above it, has a critical extension that devices do not know, "
				"such as nameConstraints: they would accept nothing that it signs";
		}
	}
	return NULL;
}

/* Null, or what is wrong with the signature of a certificate, by this key. */
static const char *
check_signature(struct bytes der, const struct key_public *key)
{
	struct signature signature;

	return signature_open(der, &signature) ? signature_check(&signature, key)
		: "its signature is damaged";
}

/* May it sign, now? Null, or why not. */
static const char *
check_own(const struct authority *a, int64_t now_s)
{
	const struct x509_extensions *e = &a->extensions.basic;
	struct signature signature;
	const char *wrong = check_extensions(a->chain);

	if (!e->is_ca) {
		return "it is no CA";
	}
	if ((e->usage & X509_USAGE_CERT_SIGN) == 0) {
		return "its key usage does not allow it to sign certificates";
	}
	if (now_s < a->cert.from_s) {
		return "the CA is not valid yet";
	}
	if (now_s > a->cert.until_s) {
		return "the CA has expired";
	}
	/* Nobody needs a root's own signature, but where it is broken, something is wrong with it. */
	if (wrong == NULL && bytes_equal(a->cert.subject, a->cert.issuer)
		&& signature_open(a->own, &signature) && signature.kind.name != NULL
		&& signature.kind.why == NULL) {
		wrong = signature_check(&signature, &a->cert.key);
	}
	return wrong != NULL ? wrong : verify_order(a->chain);
}

/* Read its key. */
static bool
open_key(struct authority *a, struct secret_source from, struct out *why)
{
	char path[DISK_PATH_MAX];
	char text[256];
	struct out reason = OUT(text);

	if (!disk_path(path, a->base, ".key", why)) {
		return false;
	}
	if (!keyfile_read(&a->key, path, from, &reason)) {
		return tell_about(why, path, out_finish(&reason));
	}
	if (!key_fits(&a->key, &a->cert.key)) {
		return tell_about(why, path, "it is not the key of the CA's certificate");
	}
	return true;
}

bool
authority_open(struct authority *a, const char *base, struct secret_source from, struct out *why)
{
	const char *wrong;

	if (!authority_read(a, base, why)) {
		return false;
	}
	wrong = check_own(a, clock_now());
	if (wrong != NULL) {
		out_string(why, base);
		return tell_about(why, ".crt", wrong);
	}
	/* The lock comes last: nobody waits for a passphrase that is still being typed. */
	if (!open_key(a, from, why) || !index_open(&a->index, base, true, why)) {
		authority_close(a);
		return false;
	}
	index_warn(&a->index);
	index_unlock(&a->index);
	return true;
}

void
authority_close(struct authority *a)
{
	index_close(&a->index);
	wipe(&a->key, sizeof a->key);
}

bool
authority_owns(const struct authority *a, const char *path)
{
	static const char *const endings[] = { ".key", ".crt", ".index" };
	char own[DISK_PATH_MAX], text[64];

	for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
		struct out why = OUT(text);

		if (disk_path(own, a->base, endings[i], &why) && disk_is_same(own, path)) {
			return true;
		}
	}
	return false;
}

/* YYYY-MM-DD, its last second, or YYYY-MM-DDTHH:MM:SSZ. */
static bool
parse_date(struct text t, int64_t *time_s)
{
	char text[sizeof "YYYY-MM-DDTHH:MM:SSZ"];
	struct out whole = OUT(text);

	out_text(&whole, t);
	if (t.len == sizeof "YYYY-MM-DD" - 1) {
		out_string(&whole, "T23:59:59Z");
	}
	return !whole.cut && isodate_read(out_so_far(&whole), time_s);
}

static bool
parse_validity(struct order *order, const struct options *o, uint32_t days, struct out *why)
{
	int64_t now_s = clock_now();

	if (!clock_is_plausible()) {
		return tell(why, "this machine's clock is wrong: set it first");
	}
	order->is_until_chosen = options_has(o, OPT_DAYS) || options_has(o, OPT_UNTIL);
	order->from_s = now_s - HOUR_S;
	if (options_has(o, OPT_DAYS) && options_has(o, OPT_UNTIL)) {
		return tell(why, "it takes --days or --until, not both");
	}
	if (options_has(o, OPT_UNTIL)) {
		if (!parse_date(text_of(o->value[OPT_UNTIL]), &order->until_s)) {
			return tell(why, "--until wants a date: YYYY-MM-DD or YYYY-MM-DDTHH:MM:SSZ");
		}
		return order->until_s > now_s || tell(why, "the date of --until is past");
	}
	if (!options_number(o, OPT_DAYS, 1, DAYS_MAX, days, &days, why)) {
		return false;
	}
	order->until_s = now_s + (int64_t)days * DAY_S;
	return true;
}

bool
order_parse(struct order *order, const struct options *o, struct out *why)
{
	const char *san = o->value[OPT_SAN];
	const char *profile = o->value[OPT_PROFILE];

	*order = (struct order){ .profile = PROFILE_DEVICE, .path_length = -1 };
	if (profile != NULL && strcmp(profile, "client") == 0) {
		order->profile = PROFILE_CLIENT;
	} else if (profile != NULL && strcmp(profile, "device") != 0) {
		return tell(why, "--profile wants device or client");
	}
	if (san != NULL) {
		order->names = text_of(san);
	}
	return parse_validity(order, o,
		order->profile == PROFILE_DEVICE ? DEVICE_DAYS : CLIENT_DAYS, why);
}

bool
order_parse_ca(struct order *order, const struct options *o, uint32_t days, struct out *why)
{
	uint32_t path_length;

	*order = (struct order){ .profile = PROFILE_CA, .path_length = -1 };
	if (!options_number(o, OPT_PATH_LENGTH, 0, ORDER_PATH_MAX, 0, &path_length, why)) {
		return false;
	}
	if (options_has(o, OPT_PATH_LENGTH)) {
		order->path_length = (int32_t)path_length;
	}
	return parse_validity(order, o, days, why);
}

/*
 * How many CAs may follow in a chain below this one, by its path length and by those of the CAs
 * above it, as far as they are there; more than any where none has one.
 */
static int32_t
find_room(struct bytes chain)
{
	int32_t room = INT32_MAX, depth = 0;
	struct x509_cert cert;
	struct bytes der;

	for (; x509_chain_next(&chain, &der) == CUB_OK; depth++) {
		if (x509_read(der, &cert) == NULL && cert.extensions.path_length >= 0
			&& cert.extensions.path_length - depth < room) {
			room = cert.extensions.path_length - depth;
		}
	}
	return room;
}

/* Null, or why a CA of this path length can't stand below it. */
static const char *
check_path(const struct authority *a, int32_t path_length)
{
	int32_t room = find_room(a->chain);

	if (a->extensions.basic.path_length == 0) {
		return "the path length of the CA is 0: it may sign no other CA";
	}
	if (room <= 0) {
		return "the path length of a CA above the CA does not allow it to sign another one";
	}
	return room < INT32_MAX && (path_length < 0 || path_length >= room)
		? "its path length must be less than what those of the CA that signs it, and of the CAs "
			"above that, leave" : NULL;
}

/* May it sign this at all? Null, or why not. */
static const char *
check_request(const struct authority *a, const struct csr *csr, const struct order *order)
{
	if (csr->asked.basic.is_ca) {
		return "it asks to be a CA: only `cubsign ca --parent` makes one";
	}
	if (key_fits(&a->key, &csr->key)) {
		return "its key is the CA's own";
	}
	if (bytes_equal(csr->subject, a->cert.subject)) {
		return "its name is the CA's own";
	}
	return order->profile == PROFILE_CA ? check_path(a, order->path_length) : NULL;
}

/* The dates, within the CA's own. */
static bool
fit_dates(const struct authority *a, const struct order *order, struct issue *what,
	struct issued *issued, struct out *why)
{
	what->from_s = order->from_s > a->cert.from_s ? order->from_s : a->cert.from_s;
	what->until_s = order->until_s;
	issued->is_shortened = what->until_s > a->cert.until_s;
	if (issued->is_shortened && order->is_until_chosen) {
		out_string(why, "the CA ends on ");
		date_put_iso(why, a->cert.until_s);
		return tell(why, ": nothing that it signs can be valid for longer");
	}
	if (issued->is_shortened) {
		what->until_s = a->cert.until_s;
	}
	issued->until_s = what->until_s;
	return true;
}

/* Is this name, with its header, among those? */
static bool
has_name(struct bytes names, struct bytes name)
{
	struct der_in d = der_open(names);

	while (der_peek(&d) != 0) {
		if (bytes_equal(der_take_whole(&d, der_peek(&d)), name)) {
			return true;
		}
	}
	return false;
}

/* Of what a request asks for, the DNS names and addresses; in their order. */
static struct bytes
pick_names(struct bytes asked, uint8_t *dst)
{
	struct der_in d = der_open(asked);
	size_t len = 0;

	while (der_peek(&d) != 0) {
		unsigned tag = der_peek(&d);
		struct bytes name = der_take_whole(&d, tag);

		if ((tag == DER_CONTEXT(2) || tag == DER_CONTEXT(7)) && name.len <= SAN_MAX - len) {
			memcpy(dst + len, name.at, name.len);
			len += name.len;
		}
	}
	return (struct bytes){ dst, len };
}

/* Shall a request get the names that it asks for? Not where they can't all be shown. */
static bool
confirm(struct bytes subject, struct bytes names)
{
	/* An address of 6 bytes is shown by up to 20 characters, and nothing else grows as much. */
	char text[SUBJECT_MAX + 4 * SAN_MAX + 128];
	struct out question = OUT(text);

	x509_put_name(&question, subject, SUBJECT_MAX);
	out_string(&question, " asks for the names ");
	san_put(&question, names);
	out_string(&question, ": put them into its certificate?");
	out_char(&question, '\0');
	return !question.cut && secret_confirm(question.at);
}

/* The names that it gets, in `d`: those of --san, or those that it asks for, if confirmed. */
static bool
choose_names(const struct csr *csr, const struct order *order, struct der *d,
	struct out *why)
{
	uint8_t picked[SAN_MAX];
	struct bytes asked = pick_names(csr->asked.names, picked);

	if (order->names.at != NULL) {
		return san_parse(d, order->names, csr->asked.names, why);
	}
	if (asked.len > 0 && san_check(asked) == NULL && secret_can_ask()
		&& confirm(csr->subject, asked)) {
		return san_parse(d, text_of("request"), asked, why);
	}
	return true;
}

/* Does the request ask for a name that is not among those? */
static bool
leaves_names(struct bytes asked, struct bytes names)
{
	struct der_in d = der_open(asked);

	while (der_peek(&d) != 0) {
		if (!has_name(names, der_take_whole(&d, der_peek(&d)))) {
			return true;
		}
	}
	return false;
}

/* Put a certificate behind a chain. */
static bool
append(struct issued *issued, struct bytes der)
{
	uint8_t *at = issued->der + issued->chain.len;

	if (sizeof issued->der - issued->chain.len < 2 + der.len || der.len > UINT16_MAX) {
		return false;
	}
	at[0] = (uint8_t)der.len;
	at[1] = (uint8_t)(der.len >> 8);
	memmove(at + 2, der.at, der.len);
	issued->chain.len += 2 + der.len;
	return true;
}

/* Put the CA's own certificate behind the new one, and those above it; no root but with it. */
static bool
put_chain(struct issued *issued, struct bytes own, struct bytes above, bool with_root)
{
	struct x509_cert cert;
	struct bytes der;
	bool is_whole;

	issued->chain = (struct bytes){ issued->der, 0 };
	is_whole = append(issued, own);
	issued->own = (struct bytes){ issued->der + 2, own.len };
	while (is_whole && x509_chain_next(&above, &der) == CUB_OK) {
		if (with_root || x509_read(der, &cert) != NULL
			|| !bytes_equal(cert.subject, cert.issuer)) {
			is_whole = append(issued, der);
		}
	}
	return is_whole;
}

/*
 * Nothing leaves that does not hold: signing may fail, and of an RSA signature that was made with
 * an error anybody could compute the key. `wrong` is null where it holds.
 */
static bool
judge_made(struct issued *issued, const char *wrong, struct out *why)
{
	if (wrong == NULL) {
		x509_hash(issued->own, issued->fingerprint);
		return true;
	}
	wipe(issued->der, sizeof issued->der);
	issued->chain.len = issued->own.len = 0;
	return tell_about(why, "what was signed does not hold, and was thrown away", wrong);
}

/* A text that may be longer than there is room for: then its end, which tells more. */
static void
copy_end(char *dst, size_t cap, const char *src)
{
	size_t len = strlen(src);

	src += len < cap ? 0 : len - (cap - 1);
	(void)text_copy(text_of(src), dst, cap);
}

/*
 * Is it still the CA that has this name? Asked while the index is locked, since `cubsign ca` holds
 * that while it replaces one.
 */
static bool
is_current(const struct authority *a, struct out *why)
{
	char path[DISK_PATH_MAX], text[256];
	struct out reason = OUT(text);
	uint8_t der[AUTHORITY_CHAIN_MAX];
	struct bytes chain;

	return (disk_path(path, a->base, ".crt", &reason)
		&& load_chain(path, der, sizeof der, &chain, &reason) && bytes_equal(chain, a->chain))
		|| tell(why, "the CA was replaced meanwhile");
}

/* Enter it into the index, which is locked. */
static bool
enter(struct authority *a, const struct csr *csr, const struct order *order, const char *file,
	struct issued *issued, struct out *why)
{
	struct index_entry entry = {
		.signed_s = clock_now(), .until_s = issued->until_s,
		.profile = issue_profile_name(order->profile),
	};
	struct out subject = { .at = entry.subject, .cap = sizeof entry.subject };

	x509_hash(csr->public_key, entry.key);
	entry.is_renewal = index_has_key(&a->index, entry.key);
	issued->is_renewal = entry.is_renewal;
	memcpy(entry.fingerprint, issued->fingerprint, sizeof entry.fingerprint);
	(void)text_copy(text_of(issued->serial), entry.serial, sizeof entry.serial);
	copy_end(entry.file, sizeof entry.file, file);
	x509_put_name(&subject, csr->subject, sizeof entry.subject - 1);
	(void)out_finish(&subject);
	return index_add(&a->index, &entry, why);
}

/* The same with the index locked. */
static bool
record(struct authority *a, const struct csr *csr, const struct order *order, const char *file,
	struct issued *issued, struct out *why)
{
	bool is_recorded;

	if (!index_lock(&a->index, why)) {
		return false;
	}
	index_warn(&a->index);
	is_recorded = is_current(a, why) && enter(a, csr, order, file, issued, why);
	index_unlock(&a->index);
	return is_recorded;
}

/* The CA's own identifier; where its certificate has none, as it would have been. */
static struct bytes
own_key_id(const struct authority *a, uint8_t hash[32])
{
	if (a->extensions.subject_key_id.len > 0) {
		return a->extensions.subject_key_id;
	}
	x509_hash(a->cert.public_key, hash);
	return (struct bytes){ hash, ISSUE_KEY_ID };
}

/*
 * Write a certificate with a new serial number, and verify it together with those above it, the
 * root too, if it is there.
 */
static bool
make(struct authority *a, struct issue *what, struct issued *issued, struct out *why)
{
	struct out serial = OUT(issued->serial);
	struct bytes own = { NULL, 0 };
	uint8_t der[ISSUE_MAX];
	int len;

	issue_make_serial(what->serial);
	out_hex(&serial, what->serial, sizeof what->serial);
	(void)out_finish(&serial);
	len = issue_write(der, sizeof der, what, &a->key);
	if (len >= 0) {
		own = (struct bytes){ der, (size_t)len };
	}
	if (len < 0 || !put_chain(issued, own, a->chain, true)) {
		return tell(why, "its certificate would be too long");
	}
	return judge_made(issued, verify_order(issued->chain), why)
		&& put_chain(issued, own, a->chain, false);
}

bool
authority_sign(struct authority *a, const struct csr *csr, const struct order *order,
	const char *file, struct issued *issued, struct out *why)
{
	uint8_t names[SAN_MAX], hash[32];
	const char *wrong = check_request(a, csr, order);
	struct issue what = {
		.profile = order->profile, .subject = csr->subject, .public_key = csr->public_key,
		.issuer = a->cert.subject, .path_length = order->path_length,
		.issuer_key_id = own_key_id(a, hash),
	};
	struct der d;

	der_start(&d, names, sizeof names);
	if (wrong != NULL) {
		return tell(why, wrong);
	}
	if (!fit_dates(a, order, &what, issued, why) || !choose_names(csr, order, &d, why)) {
		return false;
	}
	what.names = (struct bytes){ d.at, (size_t)(d.end - d.at) };
	issued->leaves_names = leaves_names(csr->asked.names, what.names);
	return make(a, &what, issued, why) && record(a, csr, order, file, issued, why);
}

bool
authority_sign_itself(const struct csr *csr, const struct order *order, const struct key *key,
	struct issued *issued, struct out *why)
{
	struct issue what = {
		.profile = PROFILE_CA, .subject = csr->subject, .public_key = csr->public_key,
		.issuer = csr->subject, .path_length = order->path_length,
		.from_s = order->from_s, .until_s = order->until_s,
	};
	struct x509_cert cert;
	uint8_t der[ISSUE_MAX];
	const char *wrong;
	int len;

	issue_make_serial(what.serial);
	len = issue_write(der, sizeof der, &what, key);
	if (len < 0 || !put_chain(issued, (struct bytes){ der, (size_t)len }, (struct bytes){ der, 0 },
		false)) {
		return tell(why, "its certificate would be too long");
	}
	wrong = x509_read(issued->own, &cert);
	return judge_made(issued, wrong != NULL ? wrong : check_signature(issued->own, &csr->key), why);
}
