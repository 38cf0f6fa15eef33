/* SPDX-License-Identifier: MIT */
/*
 * cubsign pending and cubsign trust: the client certificates that a device has refused, and
 * those that it shall trust, in its folder /.provision. What the device tells of a certificate
 * is compared with the certificate itself wherever that is there.
 */
#include <stdio.h>
#include <string.h>

#include "account.h"
#include "command.h"
#include "device.h"
#include "disk.h"
#include "load.h"
#include "plain.h"
#include "report.h"
#include "tell.h"

#define NAMES_MAX 8192

/* A client certificate. */
struct candidate {
	char    digits[TRUST_DIGITS];  /* its fingerprint */
	bool    is_whole;              /* it is there: */
	struct x509_cert cert;
	struct bytes der;
};

struct remote {
	struct login login;
	struct ftps  ftps;
	struct candidate candidate;
	char    label[CUB_LABEL];
	char    names[NAMES_MAX];
	size_t  len;                   /* of what `file` holds */
	uint8_t file[FTPS_FILE_MAX];
	uint8_t chain[FTPS_FILE_MAX];
};

static bool
open_device(struct remote *r, const struct options *o, struct out *why)
{
	char pin[TRUST_DIGITS] = "";
	struct dial to;

	tunnel_start(&r->ftps.control, -1);
	tunnel_start(&r->ftps.data, -1);
	if (!dial_parse(text_of(o->word[0]), &to, why)) {
		return false;
	}
	if (options_has(o, OPT_PIN) && !device_parse_pin(text_of(o->value[OPT_PIN]), pin, why)) {
		return false;
	}
	return login_start(&r->login, o, why) && device_connect(&r->ftps, &to, pin, &r->login, why)
		&& device_login(&r->ftps, &r->login, why);
}

static void
close_device(struct remote *r)
{
	ftps_close(&r->ftps);
	login_end(&r->login);
}

/* ---- One certificate ---- */

/* The first certificate of what has come, which may have text before it. */
static bool
take_certificate(struct remote *r, struct out *why)
{
	struct candidate *c = &r->candidate;
	struct out digits = OUT(c->digits);
	uint8_t hash[32];
	struct bytes chain;
	const char *wrong;

	c->is_whole = load_chain_from((struct bytes){ r->file, r->len }, r->chain, sizeof r->chain,
		&chain, why) && x509_chain_next(&chain, &c->der) == CUB_OK;
	if (!c->is_whole) {
		return false;
	}
	x509_hash(c->der, hash);
	out_hex(&digits, hash, sizeof hash);
	(void)out_finish(&digits);
	wrong = x509_read(c->der, &c->cert);
	return wrong == NULL || tell(why, wrong);
}

/* One that waits: `name` is its file's. Where it was too long for the device, without itself. */
static bool
fetch_pending(struct remote *r, struct text name, struct out *why)
{
	char path[DEVICE_PATH_MAX], digits[TRUST_DIGITS], text[160];
	struct out reason = OUT(text);
	struct text stem = { name.at, name.len > 4 ? name.len - 4 : 0 };

	if (trust_parse(stem, digits) != TRUST_DIGITS - 1) {
		return tell(why, "a file of a name that is no fingerprint is pending on the device");
	}
	if (!device_path(path, "pending/", name, "", why)
		|| !ftps_get(&r->ftps, path, r->file, sizeof r->file, &r->len, why)) {
		return false;
	}
	(void)take_certificate(r, &reason);  /* what it can't be used for, the device will say */
	if (!r->candidate.is_whole) {
		memcpy(r->candidate.digits, digits, sizeof digits);
	}
	return strcmp(r->candidate.digits, digits) == 0
		|| tell(why, "the device shows another certificate than it says");
}

/* What the device says of it in a line "NAME   VALUE", in `text`; empty where it does not. */
static const char *
told(const struct remote *r, const char *name, struct out *text)
{
	struct text rest = { (const char *)r->file, r->len };

	text->len = 0;
	while (rest.len > 0) {
		struct text line = text_trim(text_cut(&rest, '\n'));
		struct text field = text_cut(&line, ' ');

		if (text_same(field, name)) {
			plain_put(text, text_trim(line));
			break;
		}
	}
	return out_finish(text);
}

static void
report_fingerprint(struct report *rp, const struct candidate *c)
{
	char text[sizeof "sha256:" + TRUST_DIGITS];
	struct out o = OUT(text);

	out_string(&o, "sha256:");
	out_string(&o, c->digits);
	report_text(rp, "fingerprint", out_finish(&o));
}

static void
report_candidate(struct report *rp, const struct candidate *c)
{
	char text[2 * CUB_NAME_SHOWN];
	struct out o = OUT(text);

	x509_put_name(&o, c->cert.subject, sizeof text - 1);
	report_text(rp, "subject", out_finish(&o));
	o.len = 0;
	key_put_kind(&o, &c->cert.key);
	report_text(rp, "key_kind", out_finish(&o));
	report_time(rp, "not_before", c->cert.from_s);
	report_time(rp, "not_after", c->cert.until_s);
}

/* ---- pending ---- */

static void
show_pending(struct remote *r, struct out *o, bool json)
{
	static const char *const described[] = { "subject", "not_before", "not_after" };
	static const char *const asked[] = { "account", "address", "last" };
	char text[256];
	struct out value = OUT(text);
	struct report rp = report_start(o, json);
	uint64_t count;

	report_fingerprint(&rp, &r->candidate);
	if (r->candidate.is_whole) {
		report_candidate(&rp, &r->candidate);
	} else {
		for (size_t i = 0; i < sizeof described / sizeof described[0]; i++) {
			report_text(&rp, described[i], told(r, described[i], &value));
		}
	}
	for (size_t i = 0; i < sizeof asked / sizeof asked[0]; i++) {
		report_text(&rp, asked[i], told(r, asked[i], &value));
	}
	if (text_number(text_of(told(r, "count", &value)), UINT32_MAX, &count)) {
		report_number(&rp, "count", count);
	}
	report_end(&rp);
}

/* One that can't be shown: what is wrong with it is told, and the others are shown. */
static void
skip_pending(const struct options *o, struct text name, const struct out *why)
{
	char text[2048];
	struct out line = OUT(text);

	name.len = name.len < 2 * TRUST_DIGITS ? name.len : 2 * TRUST_DIGITS;
	out_string(&line, "pending/");
	plain_put(&line, name);
	out_string(&line, ": ");
	out_text(&line, out_so_far(why));
	(void)command_fail(EXIT_REFUSED, o->word[0], &line);
}

/* All whose names are in `rest`. False: not all are shown, which is told. */
static bool
show_all_pending(struct remote *r, const struct options *o, struct text rest)
{
	bool json = options_has(o, OPT_JSON), is_first = true, is_good = true;
	char text[4096], reason[768];
	struct out out = OUT(text);
	struct text name;

	out_string(&out, json ? "[" : "");
	while (!r->ftps.is_lost && device_next(&rest, &name)) {
		struct out why = OUT(reason);

		if (!fetch_pending(r, name, &why)) {
			skip_pending(o, name, &why);
			is_good = false;
			continue;
		}
		out_string(&out, json && !is_first ? "," : "");
		show_pending(r, &out, json);
		is_first = false;
		if (!command_print(&out)) {
			return false;
		}
		out.len = 0;
	}
	out_string(&out, json ? "]\n" : "");
	return command_print(&out) && is_good;
}

int
command_pending(const struct options *o)
{
	static struct remote r;
	char text[768];
	struct out why = OUT(text);
	struct text names = { r.names, 0 };
	int code = EXIT_DONE;

	if (!open_device(&r, o, &why) || !ftps_list(&r.ftps, DEVICE_FOLDER "/pending", r.names,
		sizeof r.names, &names.len, &why)) {
		code = command_fail(EXIT_REFUSED, o->word[0], &why);
	} else if (!show_all_pending(&r, o, names)) {
		code = EXIT_REFUSED;
	}
	close_device(&r);
	return code;
}

/* ---- trust ---- */

/* The one pending certificate whose fingerprint begins so. Its file's name is in `names`. */
static bool
find_pending(struct remote *r, const char *digits, struct text *found, struct out *why)
{
	struct text rest = { r->names, 0 };
	struct text name;
	unsigned count = 0;

	if (!ftps_list(&r->ftps, DEVICE_FOLDER "/pending", r->names, sizeof r->names, &rest.len,
		why)) {
		return false;
	}
	while (device_next(&rest, &name)) {
		size_t len = strlen(digits);

		if (name.len >= len && text_is((struct text){ name.at, len }, digits)) {
			*found = name;
			count++;
		}
	}
	if (count == 1) {
		return true;
	}
	return tell(why, count == 0 ? "no certificate of this fingerprint is pending there: `cubsign "
		"pending` shows which are" : "several certificates are pending there whose fingerprints "
		"begin so: give more digits");
}

/* --label, the common name where it can be one, or the beginning of the fingerprint. */
static void
choose_label(struct remote *r, const struct options *o)
{
	const struct candidate *c = &r->candidate;
	struct text label = { NULL, 0 };

	if (options_has(o, OPT_LABEL)) {
		label = text_of(o->value[OPT_LABEL]);
	} else if (c->is_whole) {
		label = x509_common_name(c->cert.subject);
	}
	if (!trust_label_is_good(label)) {
		label = (struct text){ c->digits, 16 };
	}
	(void)text_copy(label, r->label, sizeof r->label);
}

static bool
trusted_path(const struct remote *r, const struct options *o, char path[DEVICE_PATH_MAX],
	struct out *why)
{
	char ending[CUB_ACCOUNT_NAME + 8];
	struct out e = OUT(ending);

	if (options_has(o, OPT_FOR)) {
		out_char(&e, '+');
		out_string(&e, o->value[OPT_FOR]);
	}
	out_string(&e, ".crt");
	return device_path(path, "trusted/", text_of(r->label), out_finish(&e), why);
}

/* What came of it, as the device tells. */
static bool
show_trusted(struct remote *r, const struct options *o, struct out *why)
{
	char path[DEVICE_PATH_MAX], text[1024], value[256];
	struct out out = OUT(text), v = OUT(value);
	bool json = options_has(o, OPT_JSON);
	struct report rp;

	if (!device_path(path, "trusted/", text_of(r->label), ".crt", why)
		|| !ftps_get(&r->ftps, path, r->file, sizeof r->file, &r->len, why)) {
		return false;
	}
	rp = report_start(&out, json);
	report_text(&rp, "trusted", r->label);
	report_text(&rp, "host", o->word[0]);
	report_text(&rp, "account", told(r, "account", &v));
	report_fingerprint(&rp, &r->candidate);
	report_end(&rp);
	out_string(&out, json ? "\n" : "");
	return command_print(&out) || tell(why, "it is trusted, but that can't be shown");
}

/* The hint that the device can't give: it knows no options. */
static bool
with_hint(const struct ftps *f, struct out *why)
{
	if (!f->is_lost && f->answer.code == 553) {
		out_string(why, " (--for ACCOUNT, --label TEXT)");
	}
	return false;
}

static bool
trust_pending(struct remote *r, const struct options *o, const char *digits, struct out *why)
{
	char from[DEVICE_PATH_MAX], to[DEVICE_PATH_MAX];
	struct text name = { NULL, 0 };

	if (!find_pending(r, digits, &name, why) || !fetch_pending(r, name, why)) {
		return false;
	}
	choose_label(r, o);
	return device_path(from, "pending/", name, "", why) && trusted_path(r, o, to, why)
		&& (ftps_rename(&r->ftps, from, to, why) || with_hint(&r->ftps, why));
}

static bool
trust_file(struct remote *r, const struct options *o, struct out *why)
{
	char path[DEVICE_PATH_MAX], text[2 * 4096];
	struct out pem = OUT(text);
	const struct candidate *c = &r->candidate;

	choose_label(r, o);
	/* Its two bytes of length stand before it: a chain of one. */
	load_put_chain(&pem, (struct bytes){ c->der.at - 2, 2 + c->der.len });
	if (pem.cut) {
		return tell(why, "the certificate is too long for devices");
	}
	return trusted_path(r, o, path, why)
		&& (ftps_put(&r->ftps, path, pem.at, pem.len, why) || with_hint(&r->ftps, why));
}

/* What can be known before a device is asked. Gives an exit status, told where it is not 0. */
static int
check_words(struct remote *r, const struct options *o, bool is_file, char digits[TRUST_DIGITS])
{
	char text[512];
	struct out why = OUT(text);
	const char *what = o->word[1];

	if (options_has(o, OPT_LABEL) && !trust_label_is_good(text_of(o->value[OPT_LABEL]))) {
		out_string(&why, "labels have 1 to 32 printable bytes without / + and quotes, and begin "
			"with neither . nor -");
		return command_fail(EXIT_USAGE, "--label", &why);
	}
	if (options_has(o, OPT_FOR) && !account_name_is_good(text_of(o->value[OPT_FOR]))) {
		out_string(&why, "names of accounts have 1 to 32 letters, digits or ._@-");
		return command_fail(EXIT_USAGE, "--for", &why);
	}
	if (is_file) {
		return disk_read(what, r->file, sizeof r->file, &r->len, &why)
			&& take_certificate(r, &why) ? EXIT_DONE : command_fail(EXIT_REFUSED, what, &why);
	}
	if (trust_parse(text_of(what), digits) < TRUST_DIGITS_MIN) {
		out_string(&why, "it is neither a file nor a fingerprint, or the first 8 digits and "
			"more of one");
		return command_fail(EXIT_USAGE, what, &why);
	}
	return EXIT_DONE;
}

int
command_trust(const struct options *o)
{
	static struct remote r;
	char text[768], digits[TRUST_DIGITS];
	struct out why = OUT(text);
	bool is_file = disk_exists(o->word[1]);
	int code = check_words(&r, o, is_file, digits);
	bool is_done;

	if (code != EXIT_DONE) {
		return code;
	}
	is_done = open_device(&r, o, &why)
		&& (is_file ? trust_file(&r, o, &why) : trust_pending(&r, o, digits, &why))
		&& show_trusted(&r, o, &why);
	close_device(&r);
	return is_done ? EXIT_DONE : command_fail(EXIT_REFUSED, o->word[0], &why);
}
