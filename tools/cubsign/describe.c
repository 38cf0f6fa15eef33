/* SPDX-License-Identifier: MIT */
/* Certificates and requests for people and for programs: see describe.h. */
#include "describe.h"

#include "csr.h"
#include "plain.h"
#include "san.h"
#include "signature.h"

#define LIST_MAX   8192
#define PATH_SHOWN 16384  /* four digits for each byte of the longest */
#define NAME_SHOWN 1024
#define ID_MAX     64   /* bytes of a serial number or an identifier that are shown */
#define SERIAL_MAX 20   /* RFC 5280 section 4.1.2.2 */

void
describe_file(struct report *r, const char *field, const char *path)
{
	char text[PATH_SHOWN];
	struct out shown = OUT(text);

	plain_put(&shown, text_of(path));
	report_text(r, field, out_finish(&shown));
}

void
describe_start(struct description *d, struct out *o, bool json, const char *path,
	const char *kind)
{
	d->r = report_start(o, json);
	d->problems = OUT(d->problem_text);
	describe_file(&d->r, "file", path);
	report_text(&d->r, "kind", kind);
}

void
describe_problem_of(struct description *d, const char *what, const char *why)
{
	if (why != NULL) {
		out_string(&d->problems, what);
		out_string(&d->problems, why);
		out_char(&d->problems, '\n');
	}
}

void
describe_problem(struct description *d, const char *why)
{
	describe_problem_of(d, "", why);
}

/* An array of JSON. */
static void
put_array(struct report *r, const char *name, struct text rest, char separator)
{
	const char *between = "";

	out_string(r->o, r->is_begun ? ",\"" : "\"");
	out_string(r->o, name);
	out_string(r->o, "\":[");
	while (rest.len > 0) {
		out_string(r->o, between);
		out_char(r->o, '"');
		out_json(r->o, text_trim(text_cut(&rest, separator)));
		out_char(r->o, '"');
		between = ",";
	}
	out_char(r->o, ']');
	r->is_begun = true;
}

static void
put_list(struct report *r, const char *name, const struct out *list)
{
	struct text rest = out_so_far(list);
	char text[LIST_MAX];
	struct out o = OUT(text);

	if (r->json) {
		put_array(r, name, rest, ',');
		return;
	}
	while (rest.len > 0) {
		out_text(&o, text_trim(text_cut(&rest, ',')));
		out_string(&o, rest.len > 0 ? ", " : "");
	}
	report_text(r, name, out_finish(&o));
}

void
describe_end(struct description *d)
{
	struct text rest = out_so_far(&d->problems);
	const char *name = "problems";

	if (d->r.json) {
		put_array(&d->r, name, rest, '\n');
	} else if (rest.len == 0) {
		report_text(&d->r, name, "none");
	}
	while (!d->r.json && rest.len > 0) {
		char text[1024];
		struct text line = text_cut(&rest, '\n');

		(void)text_copy(line, text, sizeof text);
		report_text(&d->r, name, text);
		name = "";
	}
	report_end(&d->r);
}

static void
put_name(struct report *r, const char *field, struct bytes name)
{
	char text[NAME_SHOWN + 1];
	struct out o = OUT(text);

	x509_put_name(&o, name, NAME_SHOWN);
	report_text(r, field, out_finish(&o));
}

static void
put_id(struct report *r, const char *field, struct bytes id)
{
	char text[2 * ID_MAX + 1];
	struct out o = OUT(text);

	if (id.len > 0) {
		out_hex(&o, id.at, id.len < ID_MAX ? id.len : ID_MAX);
		report_text(r, field, out_finish(&o));
	}
}

void
describe_public(struct description *d, struct bytes spki)
{
	struct key_public public;
	char text[16];
	struct out kind = OUT(text);
	uint8_t hash[32];

	if (key_read_public(spki, &public) == NULL) {
		key_put_kind(&kind, &public);
		report_text(&d->r, "key_kind", out_finish(&kind));
	} else {
		report_text(&d->r, "key_kind", "not known");
	}
	x509_hash(spki, hash);
	report_hash(&d->r, "key", hash);
}

static void
put_extensions(struct description *d, const struct extensions *e)
{
	char text[LIST_MAX];
	struct out list = OUT(text);

	report_flag(&d->r, "ca", e->basic.is_ca);
	if (e->basic.path_length >= 0) {
		report_number(&d->r, "path_length", (uint64_t)e->basic.path_length);
	}
	extension_put_usage(&list, &e->basic);
	put_list(&d->r, "usage", &list);
	list = OUT(text);
	extension_put_purposes(&list, &e->basic);
	put_list(&d->r, "purposes", &list);
	list = OUT(text);
	san_put(&list, e->names);
	put_list(&d->r, "names", &list);
	describe_problem(d, list.cut ? "it has more names than are shown" : NULL);
	put_id(&d->r, "subject_key_id", e->subject_key_id);
	put_id(&d->r, "authority_key_id", e->authority_key_id);
}

static void
judge_extensions(struct description *d, const struct extensions *e)
{
	const struct x509_extensions *basic = &e->basic;
	bool signs_others = (basic->usage & X509_USAGE_CERT_SIGN) != 0;

	if (basic->has_unknown) {
		describe_problem(d, "it has a critical extension that devices do not know: they refuse it");
	}
	if (basic->is_ca && !signs_others) {
		describe_problem(d, "it is a CA, but its keyUsage does not allow keyCertSign");
	}
	if (!basic->is_ca && basic->has_usage && signs_others) {
		describe_problem(d, "its keyUsage allows keyCertSign, but it is no CA");
	}
	if (!basic->is_ca && basic->has_purposes && (basic->purposes & X509_FOR_SERVERS) != 0
		&& e->names.len == 0) {
		describe_problem(d, "it has no subjectAltName: clients that check the name refuse it");
	}
}

static void
judge_dates(struct description *d, const struct x509_cert *cert, int64_t now_s)
{
	if (cert->from_s > cert->until_s) {
		describe_problem(d, "its validity ends before it begins");
	} else if (now_s > cert->until_s) {
		describe_problem(d, "it has expired");
	} else if (now_s < cert->from_s) {
		describe_problem(d, "it is not valid yet");
	}
}

bool
describe_certificate(struct description *d, struct bytes der, int64_t now_s)
{
	const char *key_why, *why, *extension_why;
	struct signature signature;
	struct extensions e;
	struct x509_cert cert;
	uint8_t hash[32];

	why = x509_read(der, &cert);
	key_why = cert.public_key.len > 0 ? key_read_public(cert.public_key, &cert.key) : NULL;
	if (!signature_open(der, &signature) || why != key_why) {
		return false;
	}
	extension_why = extension_read(cert.extensions.list, &e);
	put_name(&d->r, "subject", cert.subject);
	put_name(&d->r, "issuer", cert.issuer);
	put_id(&d->r, "serial", cert.serial);
	x509_hash(der, hash);
	report_hash(&d->r, "fingerprint", hash);
	describe_public(d, cert.public_key);
	report_text(&d->r, "signed_with",
		signature.kind.name != NULL ? signature.kind.name : "not known");
	report_flag(&d->r, "self_signed", bytes_equal(cert.subject, cert.issuer) && key_why == NULL
		&& signature_check(&signature, &cert.key) == NULL);
	report_time(&d->r, "not_before", cert.from_s);
	report_time(&d->r, "not_after", cert.until_s);
	put_extensions(d, &e);
	judge_dates(d, &cert, now_s);
	describe_problem(d, key_why);
	describe_problem(d, signature.kind.why);
	describe_problem(d, extension_why);
	describe_problem(d, cert.serial.len > SERIAL_MAX
		? "its serial number is longer than 20 bytes" : NULL);
	judge_extensions(d, &e);
	return true;
}

bool
describe_request(struct description *d, struct bytes der)
{
	struct signature signature;
	struct csr csr;
	const char *why = csr_read(der, &csr);

	if (!signature_open(der, &signature) || csr.public_key.len == 0) {
		return false;
	}
	put_name(&d->r, "subject", csr.subject);
	describe_public(d, csr.public_key);
	report_text(&d->r, "signed_with",
		signature.kind.name != NULL ? signature.kind.name : "not known");
	report_text(&d->r, "signature", csr.is_signed ? "good" : "not good");
	put_extensions(d, &csr.asked);
	describe_problem_of(d, "it can't be signed: ", why);
	if (why == NULL && csr.asked.basic.is_ca) {
		describe_problem(d, "it asks to be a CA, which it will not be");
	}
	if (why == NULL) {
		describe_problem_of(d, "it asks for names that can't be signed: ",
			san_check(csr.asked.names));
	}
	return true;
}
