/* SPDX-License-Identifier: MIT */
/*
 * `cubsign verify`: would a device that holds a CA accept these certificates? It is asked by the
 * device's own code. What is the same for a client that connects to a device is looked at, too.
 */
#include <stdio.h>

#include "authority.h"
#include "ca.h"
#include "command.h"
#include "describe.h"
#include "load.h"
#include "peercert.h"
#include "plain.h"
#include "signature.h"
#include "verify.h"

/* Of one file. */
struct verdict {
	const char *why;           /* null: it is accepted */
	bool is_client;            /* at level 3 */
	bool is_device;            /* by clients that trust the CA */
	bool is_ca;
	bool needs_p384;           /* the device must have been built with it */
	int64_t until_s;
};

/* P-384, SHA-384 and SHA-512 come together in a device's build. */
static bool
needs_p384(struct bytes der)
{
	struct signature signature;
	struct x509_cert cert;

	return (x509_read(der, &cert) == NULL && cert.key.curve == BR_EC_secp384r1)
		|| (signature_open(der, &signature) && signature.kind.needs_p384);
}

/* Null, or why it is not good for a purpose, or at all (0). */
static const char *
judge(const struct authority *a, struct bytes chain, unsigned purpose)
{
	struct verify_anchor anchor = { a->cert.subject, key_for_bearssl(&a->cert.key),
		a->cert.extensions.path_length, a->cert.until_s };
	bool is_date_off;
	size_t which;

	return verify_chain(chain, purpose, &anchor, 1, port_time(), false, &is_date_off, &which);
}

static const char *
judge_chain(struct verdict *v, const struct authority *a, struct bytes chain)
{
	struct bytes rest = chain, der, own = { NULL, 0 };
	struct x509_cert cert;
	const char *why = judge(a, chain, X509_FOR_CLIENTS);
	size_t count = 0;

	v->needs_p384 = needs_p384(a->own);
	for (; x509_chain_next(&rest, &der) == CUB_OK; count++) {
		own = count == 0 ? der : own;
		v->needs_p384 = v->needs_p384 || needs_p384(der);
	}
	(void)x509_read(own, &cert);
	v->until_s = cert.until_s < a->cert.until_s ? cert.until_s : a->cert.until_s;
	v->is_ca = cert.extensions.is_ca;
	if (v->is_ca) {
		return judge(a, chain, 0);
	}
	v->is_client = why == NULL;
	v->is_device = judge(a, chain, X509_FOR_SERVERS) == NULL;
	if (!v->is_client && !v->is_device) {
		const char *at_all = judge(a, chain, 0);

		return at_all != NULL ? at_all : why;
	}
	v->is_client = v->is_client && count <= PEERCERT_COUNT_MAX && chain.len <= PEERCERT_CHAIN_MAX;
	v->is_device = v->is_device && count <= CUB_CHAIN_CERTS && chain.len <= CUB_CHAIN_MAX;
	return !v->is_client && !v->is_device ? "its chain is longer than a device has room for" : NULL;
}

static void
put_for_people(struct out *o, const char *path, const struct verdict *v)
{
	plain_put(o, text_of(path));
	if (v->why != NULL) {
		out_string(o, ": refused: ");
		out_string(o, v->why);
	} else if (v->is_ca) {
		out_string(o, ": accepted: a CA's, and devices go by it up to this one");
	} else {
		out_string(o, ": accepted: ");
		out_string(o, v->is_client ? "a client's, by devices at level 3" : "");
		out_string(o, v->is_client && v->is_device ? "; " : "");
		out_string(o, v->is_device ? "a device's, by clients that trust this CA" : "");
	}
	if (v->why == NULL) {
		out_string(o, "; until ");
		x509_put_day(o, v->until_s);
		out_string(o, v->needs_p384 ? "; only by devices that are built with P-384" : "");
	}
	out_char(o, '\n');
}

static void
put_for_programs(struct out *o, const char *path, const struct verdict *v)
{
	struct report r = report_start(o, true);

	describe_file(&r, "file", path);
	report_flag(&r, "accepted", v->why == NULL);
	if (v->why == NULL) {
		report_flag(&r, "client", v->is_client && !v->is_ca);
		report_flag(&r, "device", v->is_device && !v->is_ca);
		report_flag(&r, "ca", v->is_ca);
		report_flag(&r, "needs_p384", v->needs_p384);
		report_time(&r, "not_after", v->until_s);
	} else {
		report_text(&r, "reason", v->why);
	}
	report_end(&r);
}

/* Returns whether it is accepted. */
static bool
verify_file(const struct authority *a, const char *path, bool json, const char *between)
{
	static uint8_t buffer[LOAD_MAX];
	char text[4096], reason[256];
	struct out o = OUT(text), why = OUT(reason);
	struct verdict v = { .why = NULL };
	struct bytes chain;

	v.why = load_chain(path, buffer, sizeof buffer, &chain, &why)
		? judge_chain(&v, a, chain) : out_finish(&why);
	out_string(&o, between);
	(json ? put_for_programs : put_for_people)(&o, path, &v);
	return command_print(&o) && v.why == NULL;
}

int
command_verify(const struct options *o)
{
	static struct authority a;
	bool json = options_has(o, OPT_JSON);
	char text[512];
	struct out why = OUT(text);
	const char *problem;
	int code = EXIT_DONE;

	if (!authority_read(&a, o->value[OPT_CA], &why)) {
		return command_fail(EXIT_REFUSED, NULL, &why);
	}
	problem = ca_check(a.own, port_time());
	if (problem != NULL) {
		out_string(&why, "a device can't take this CA: ");
		out_string(&why, problem);
		return command_fail(EXIT_REFUSED, o->value[OPT_CA], &why);
	}
	(void)fputs(json ? "[" : "", stdout);
	for (int i = 0; i < o->word_count; i++) {
		if (!verify_file(&a, o->word[i], json, json && i > 0 ? "," : "")) {
			code = EXIT_REFUSED;
		}
	}
	(void)fputs(json ? "]\n" : "", stdout);
	return fflush(stdout) == 0 ? code : EXIT_REFUSED;
}
