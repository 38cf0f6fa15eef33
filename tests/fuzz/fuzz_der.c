/* SPDX-License-Identifier: MIT */
/*
 * Whatever reads DER or PEM gets arbitrary bytes: nothing of it may crash, read or write out of
 * bounds, or take what it should refuse. For libFuzzer (`make fuzz`), and for test_fuzz.c.
 */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "csr.h"
#include "describe.h"
#include "keyfile.h"
#include "load.h"
#include "pbes2.h"
#include "san.h"
#include "signature.h"
#include "verify.h"

/* What must never be. */
static void
claim(bool claim)
{
	if (!claim) {
		abort();
	}
}

/* A reason is a text in one line. */
static void
claim_reason(const char *why)
{
	claim(why == NULL || (why[0] != '\0' && strchr(why, '\n') == NULL));
}

/* All elements, into those that are constructed. */
static void
walk(struct bytes b, unsigned nest)
{
	struct der_in d = der_open(b);

	while (der_peek(&d) != 0) {
		unsigned tag = der_peek(&d);
		struct bytes inside = der_take(&d, tag);

		claim(inside.at >= b.at && inside.at + inside.len <= b.at + b.len);
		if ((tag & 0x20) != 0 && nest > 0) {
			walk(inside, nest - 1);
		}
	}
}

/* Each kind of element in turn, of what is left. */
static void
take_each(struct bytes b)
{
	struct der_in d;

	d = der_open(b);
	(void)der_take_unsigned(&d);
	d = der_open(b);
	(void)der_take_number(&d, 1000);
	d = der_open(b);
	(void)der_take_boolean(&d);
	d = der_open(b);
	(void)der_take_bits(&d);
	d = der_open(b);
	(void)der_take_time(&d);
}

static void
try_names(struct bytes names)
{
	static char text[4 * FUZZ_MAX + 64], again[SAN_MAX + 64];
	struct out o = OUT(text), reason = OUT(again);
	uint8_t der[SAN_MAX];
	struct der d;

	san_put(&o, names);
	claim(text_is_printable(out_so_far(&o)));
	claim_reason(san_check(names));
	if (san_check(names) == NULL) {
		/* What could be signed comes back as the same, but for what was there twice. */
		der_start(&d, der, sizeof der);
		claim(san_parse(&d, text_of("request"), names, &reason));
		claim((size_t)(d.end - d.at) <= names.len);
	}
	o = OUT(text);
	if (names.len > 0) {
		der_start(&d, der, sizeof der);
		(void)san_parse(&d, (struct text){ (const char *)names.at, names.len }, names, &o);
	}
}

static void
try_certificate(struct bytes der)
{
	uint8_t chain[FUZZ_MAX + 2];
	char text[1024];
	struct out o = OUT(text);
	struct signature signature;
	struct extensions e;
	struct x509_cert cert;
	bool is_off;
	size_t which;

	claim_reason(x509_read(der, &cert));
	claim_reason(extension_read(cert.extensions.list, &e));
	x509_put_name(&o, cert.subject, sizeof text);
	claim(!o.cut && text_is_printable(out_so_far(&o)));
	try_names(e.names);
	if (signature_open(der, &signature) && cert.key.type != 0) {
		claim_reason(signature_check(&signature, &cert.key));
	}
	chain[0] = (uint8_t)der.len;
	chain[1] = (uint8_t)(der.len >> 8);
	memcpy(chain + 2, der.at, der.len);
	claim_reason(verify_order((struct bytes){ chain, der.len + 2 }));
	claim(verify_chain((struct bytes){ chain, der.len + 2 }, X509_FOR_CLIENTS, NULL, 0, 0, false,
		&is_off, &which) != NULL);
}

static void
try_request(struct bytes der)
{
	struct csr csr;
	const char *why = csr_read(der, &csr);

	claim_reason(why);
	claim(why != NULL || (csr.is_signed && csr.key.type != 0
		&& csr_check_name(csr.subject) == NULL));
	claim_reason(csr_check_name(der));
	try_names(csr.asked.names);
}

static void
try_key(struct bytes der)
{
	char text[1024];
	struct out o = OUT(text);
	struct pbes2 p;
	struct key key;
	const char *why;

	claim((key_import(&key, der, &why) == CUB_OK) == (why == NULL));
	claim_reason(why);
	(void)keyfile_put_protection(&o, der);
	claim(text_is_printable(out_so_far(&o)));
	if (pbes2_is_likely(der)) {
		claim_reason(pbes2_read(der, &p));
	}
}

/* What is said of it, in both forms, is text. */
static void
try_describe(struct bytes der, bool json)
{
	static char text[65536];
	struct out o = OUT(text);
	struct description d;
	struct text rest;

	describe_start(&d, &o, json, "file", "certificate");
	(void)describe_certificate(&d, der, 0);
	describe_end(&d);
	describe_start(&d, &o, json, "file", "request");
	(void)describe_request(&d, der);
	describe_end(&d);
	claim(!o.cut);
	rest = out_so_far(&o);
	while (rest.len > 0) {
		claim(text_is_printable(text_cut(&rest, '\n')));
	}
}

static void
try_pem(struct bytes file)
{
	static uint8_t objects[FUZZ_MAX + 64];
	char text[512];
	struct out why = OUT(text);
	struct bytes chain, der;

	if (load_chain_from(file, objects, sizeof objects, &chain, &why)) {
		while (x509_chain_next(&chain, &der) == CUB_OK) {
			walk(der, 4);
		}
		claim(chain.len == 0);
	}
	why = OUT(text);
	if (!load_request_from(file, objects, sizeof objects, &der, &why)) {
		claim(why.len > 0);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct extensions e;
	struct bytes b = { data, size };

	if (size > 0 && size <= FUZZ_MAX) {
		walk(b, 16);
		take_each(b);
		try_certificate(b);
		try_request(b);
		claim_reason(extension_read(b, &e));
		try_names(e.names);
		try_names(b);
		try_key(b);
		try_describe(b, true);
		try_describe(b, false);
		try_pem(b);
	}
	return 0;
}
