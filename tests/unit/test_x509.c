/* SPDX-License-Identifier: MIT */
/*
 * Certificates. What the device writes is judged by others: by a small reader of DER for its
 * form, and by BearSSL's validation, with the certificate as its own authority, for its
 * signature and its names. (That OpenSSL and GnuTLS take it is for the live tests.) What is
 * read comes from OpenSSL, or is put together here, piece by piece, with each piece wrong once.
 */
#include "unit.h"

#include "x509.h"

#include "tests/data/certificates.h"
#include "tests/data/chains.h"

/* 2030-01-01, and 2055-06-17 12:00:00: one for each of X.509's kinds of time. */
#define FROM  INT64_C(1893456000)
#define LATER INT64_C(2696846400)

static uint8_t der[2048];
static size_t der_len;

static struct key key;

static void
make(struct text name, int64_t from_s)
{
	int len = x509_self_signed(der, sizeof der, &key, name, from_s);

	CLAIM(len > 0, "%d", len);
	der_len = (size_t)len;
}

static int
setup(void **state)
{
	unit_setup(state);
	key_make(&key);
	return 0;
}

/* Elements within elements, each length in its shortest form, and nothing left over. */
static bool
is_sound_der(const uint8_t *at, size_t len)
{
	while (len > 0) {
		size_t header = 2, contents;

		if (len < 2) {
			return false;
		}
		contents = at[1];
		if (contents == 0x81 && len > 2 && at[2] >= 0x80) {
			header = 3;
			contents = at[2];
		} else if (contents == 0x82 && len > 3 && at[2] > 0) {
			header = 4;
			contents = (size_t)(at[2] << 8 | at[3]);
		} else if (contents >= 0x80) {
			return false;
		}
		if (contents > len - header
			|| ((at[0] & 0x20) != 0 && !is_sound_der(at + header, contents))) {
			return false;
		}
		at += header + contents;
		len -= header + contents;
	}
	return true;
}

static void
take_name(void *to, const void *bytes, size_t len)
{
	out_put(to, bytes, len);
}

/*
 * Validate the certificate with itself as the authority, for a server's name (or null). The
 * common name goes to `common`, and the DNS name to `dns`, of 128 bytes each. Returns 0 where
 * it is valid, or BearSSL's error.
 */
static unsigned
validate_for(const char *server, char *common, char *dns)
{
	static const unsigned char common_oid[] = { 3, 0x55, 0x04, 0x03 }, dns_oid[] = { 0, 2 };
	br_name_element names[] = {
		{ .oid = common_oid, .buf = common, .len = 128 }, { .oid = dns_oid, .buf = dns,
			.len = 128 },
	};
	br_x509_minimal_context minimal;
	br_x509_decoder_context decoder;
	br_x509_trust_anchor anchor = { .flags = BR_X509_TA_CA };
	char subject[512];
	struct out dn = OUT(subject);
	unsigned err;

	br_x509_decoder_init(&decoder, take_name, &dn);
	br_x509_decoder_push(&decoder, der, der_len);
	if (br_x509_decoder_get_pkey(&decoder) == NULL) {
		return BR_ERR_X509_UNEXPECTED;
	}
	anchor.dn = (br_x500_name){ (unsigned char *)subject, dn.len };
	anchor.pkey = *br_x509_decoder_get_pkey(&decoder);
	br_x509_minimal_init(&minimal, &br_sha256_vtable, &anchor, 1);
	br_x509_minimal_set_hash(&minimal, br_sha256_ID, &br_sha256_vtable);
	br_x509_minimal_set_ecdsa(&minimal, &br_ec_p256_m31, br_ecdsa_i31_vrfy_asn1);
	br_x509_minimal_set_rsa(&minimal, br_rsa_i31_pkcs1_vrfy);
	br_x509_minimal_set_time(&minimal, (uint32_t)(LATER / 86400) + 719528, 43200);
	br_x509_minimal_set_name_elements(&minimal, names, LEN(names));
	minimal.vtable->start_chain(&minimal.vtable, server);
	minimal.vtable->start_cert(&minimal.vtable, (uint32_t)der_len);
	minimal.vtable->append(&minimal.vtable, der, der_len);
	minimal.vtable->end_cert(&minimal.vtable);
	err = minimal.vtable->end_chain(&minimal.vtable);
	common[names[0].status == 1 ? 127 : 0] = '\0';
	dns[names[1].status == 1 ? 127 : 0] = '\0';
	return err;
}

static unsigned
validate(void)
{
	char common[128], dns[128];

	return validate_for(NULL, common, dns);
}

static void
what_is_written_is_der_and_signed_by_its_own_key(void **state)
{
	(void)state;
	for (uint32_t round = 0; round < claim_rounds(40); round++) {
		key_make(&key);
		make(TEXT("router-17"), round % 2 == 0 ? FROM : LATER);
		CLAIM(is_sound_der(der, der_len), "round %u", (unsigned)round);
		CLAIM(validate() == 0, "round %u: %u", (unsigned)round, validate());
	}
}

/* So that the test above is known to look at the signature. */
static void
a_change_of_any_byte_breaks_the_signature_or_the_form(void **state)
{
	(void)state;
	make(TEXT("router-17"), FROM);
	for (size_t at = 0; at < der_len; at++) {
		der[at] ^= 0x01;
		CLAIM(validate() != 0, "byte %zu", at);
		der[at] ^= 0x01;
	}
	assert_int_equal(validate(), 0);
}

static struct bytes
written(void)
{
	return (struct bytes){ der, der_len };
}

static void
it_says_the_key_and_the_dates_that_it_was_made_for(void **state)
{
	const int64_t dates[] = { 0, FROM, LATER, INT64_C(2524607999), INT64_C(2524608000) };

	(void)state;
	for (size_t i = 0; i < LEN(dates); i++) {
		struct x509_cert cert;

		make(TEXT("a"), dates[i]);
		assert_null(x509_read(written(), &cert));
		assert_true(key_fits(&key, &cert.key));
		assert_true(cert.from_s == dates[i]);
		assert_true(cert.until_s == X509_FOREVER);
		assert_true(bytes_equal(cert.issuer, cert.subject));
		assert_false(cert.extensions.is_ca);
	}
}

#if CONFIG_CUBFTPD_RSA
static void
it_can_be_made_for_an_rsa_key(void **state)
{
	struct x509_cert cert;
	const char *why;

	(void)state;
	assert_int_equal(key_import(&key, (struct bytes){ private_rsa, sizeof private_rsa }, &why),
		CUB_OK);
	make(TEXT("router-17"), FROM);
	assert_true(is_sound_der(der, der_len));
	assert_int_equal(validate(), 0);
	assert_null(x509_read(written(), &cert));
	assert_true(key_fits(&key, &cert.key));
	der[der_len - 1] ^= 1;
	assert_int_not_equal(validate(), 0);
}
#endif

static bool
holds(const void *part, size_t len)
{
	for (size_t at = 0; at + len <= der_len; at++) {
		if (memcmp(der + at, part, len) == 0) {
			return true;
		}
	}
	return false;
}

/* Modern clients look at these: it is version 3, no CA, for signing as a TLS server. */
static void
it_is_for_a_server_and_no_authority(void **state)
{
	(void)state;
	make(TEXT("router-17"), FROM);
	assert_true(holds("\xA0\x03\x02\x01\x02", 5));
	assert_true(holds("\x06\x03\x55\x1D\x13\x01\x01\xFF\x04\x02\x30\x00", 12));
	assert_true(holds("\x06\x03\x55\x1D\x0F\x01\x01\xFF\x04\x04\x03\x02\x07\x80", 14));
	assert_true(holds("\x06\x03\x55\x1D\x25\x04\x0C\x30\x0A"
		"\x06\x08\x2B\x06\x01\x05\x05\x07\x03\x01", 19));
	assert_true(holds("\x06\x03\x55\x1D\x0E\x04\x16\x04\x14", 9));
}

static void
serial_numbers_are_positive_long_and_never_the_same(void **state)
{
	uint8_t serials[20][17];

	(void)state;
	for (unsigned i = 0; i < LEN(serials); i++) {
		const uint8_t *at = der;

		make(TEXT("a"), FROM);
		/* SEQUENCE, SEQUENCE, [0] version, INTEGER of 17 bytes that begins with 1. */
		while (memcmp(at, "\xA0\x03\x02\x01\x02\x02\x11\x01", 8) != 0) {
			at++;
			assert_true(at < der + 20);
		}
		memcpy(serials[i], at + 7, 17);
		for (unsigned j = 0; j < i; j++) {
			CLAIM(memcmp(serials[i], serials[j], 17) != 0, "%u and %u", i, j);
		}
	}
}

static void
the_common_name_is_the_name_byte_for_byte(void **state)
{
	static const char *const names[] = {
		"a", "router-17", "Gl\xC3\xBC" "ck & S\xC3\xB6hne", "\xE2\x82\xAC\xF0\x9F\x94\x91",
		"a=b,c+d\"e\\f<g>", " x ", "*",
			"64 bytes: 0123456789012345678901234567890123456789012345678901",
		"abcdefghijklmnopqrstuvwxyz-0123456789.abcdefghijklmnopqrstuvwxyz",
	};

	(void)state;
	for (size_t i = 0; i < LEN(names); i++) {
		char common[128] = { 0 }, dns[128] = { 0 };

		make(text_of(names[i]), FROM);
		CLAIM(validate_for(NULL, common, dns) == 0, "%s", names[i]);
		CLAIM(strcmp(common, names[i]) == 0, "%s: %s", names[i], common);
		CLAIM(is_sound_der(der, der_len), "%s", names[i]);
	}
}

static void
a_name_that_can_be_one_is_also_a_dns_name(void **state)
{
	static const char *const names[] = {
		"a", "router-17", "Router.Example.COM", "1and1.example",
		"abcdefghijklmnopqrstuvwxyz-0123456789.abcdefghijklmnopqrstuvwxyz",
	};

	(void)state;
	for (size_t i = 0; i < LEN(names); i++) {
		char common[128] = { 0 }, dns[128] = { 0 };

		make(text_of(names[i]), FROM);
		CLAIM(validate_for(names[i], common, dns) == 0, "%s", names[i]);
		CLAIM(strcmp(dns, names[i]) == 0, "%s: %s", names[i], dns);
		CLAIM(validate_for("other.example", common, dns) == BR_ERR_X509_BAD_SERVER_NAME, "%s",
			names[i]);
	}
}

/* RFC 1123 section 2.1, RFC 1035 section 2.3.4: labels of 1 to 63 bytes, no "-" at their ends. */
static void
what_cannot_be_a_hosts_name_is_no_dns_name(void **state)
{
	static const char *const names[] = {
		"a b", "a_b", "\xC3\xA4", "-a", "a-", ".a", "a.", "*", "*.example", "a..b", "a-.b", "a.-b",
		"a123456789012345678901234567890123456789012345678901234567890123",
	};

	(void)state;
	for (size_t i = 0; i < LEN(names); i++) {
		make(text_of(names[i]), FROM);
		CLAIM(!holds("\x06\x03\x55\x1D\x11", 5), "%s", names[i]);
	}
}

static void
a_buffer_that_is_too_small_is_told_and_never_overrun(void **state)
{
	size_t whole;

	(void)state;
	sim_reset(sim_seed());
	make(TEXT("router-17"), FROM);
	whole = der_len;
	for (size_t cap = 0; cap <= whole + 1; cap++) {
		uint8_t *small = malloc(cap);  /* of exactly this size: the sanitizer watches */
		int len;

		sim_reset(sim_seed());  /* the same serial number, and so the same length */
		len = x509_self_signed(small, cap, &key, TEXT("router-17"), FROM);
		CLAIM(len == (cap < whole ? CUB_E_LIMIT : (int)whole), "a capacity of %zu: %d", cap, len);
		CLAIM(len < 0 || memcmp(small, der, whole) == 0, "a capacity of %zu", cap);
		free(small);
	}
}

/*
 * The request's own signature is right; then what stands in it: a name that is the same as in a
 * certificate, the key, and the attributes.
 */
static void
check_request(const char *name, struct bytes *attributes)
{
	struct der_in all, outer, info;
	struct bytes whole, signature;
	struct key_public public;
	br_x509_pkey pkey;
	struct out o;
	char shown[128], want[128];
	uint8_t hash[32];
	int len = x509_request(der, sizeof der, &key, text_of(name));

	CLAIM(len > 0 && is_sound_der(der, (size_t)len), "%s", name);
	all = der_open((struct bytes){ der, (size_t)len });
	outer = der_enter(&all, DER_SEQUENCE);
	whole = der_take_whole(&outer, DER_SEQUENCE);
	(void)der_take(&outer, DER_SEQUENCE);
	signature = der_take_bits(&outer);
	der_leave(&all, &outer);
	CLAIM(der_is_done(&all), "%s", name);

	all = der_open(whole);
	info = der_enter(&all, DER_SEQUENCE);
	CLAIM(der_take_number(&info, 0) == 0, "%s", name);
	o = OUT(shown);
	x509_put_name(&o, der_take_whole(&info, DER_SEQUENCE), sizeof shown);
	snprintf(want, sizeof want, "CN=%s", name);
	CLAIM(SAYS(&o, want), "%s", name);
	CLAIM(key_read_public(der_take_whole(&info, DER_SEQUENCE), &public) == NULL, "%s", name);
	CLAIM(key_fits(&key, &public), "%s", name);
	*attributes = der_take_whole(&info, DER_CONSTRUCTED(0));
	der_leave(&all, &info);
	CLAIM(der_is_done(&all), "%s", name);

	x509_hash(whole, hash);
	pkey = key_for_bearssl(&public);
	CLAIM(br_ecdsa_i31_vrfy_asn1(&br_ec_p256_m31, hash, sizeof hash, &pkey.key.ec, signature.at,
		signature.len) == 1, "%s", name);
}

static void
a_request_is_signed_and_asks_for_the_dns_name(void **state)
{
	static const uint8_t want[] = "\xA0\x25\x30\x23\x06\x09\x2A\x86\x48\x86\xF7\x0D\x01\x09\x0E"
		"\x31\x16\x30\x14\x30\x12\x06\x03\x55\x1D\x11\x04\x0B\x30\x09\x82\x07" "a.b-c.d";
	struct bytes attributes;

	(void)state;
	check_request("a.b-c.d", &attributes);
	assert_true(bytes_equal(attributes, (struct bytes){ want, sizeof want - 1 }));
	/* RFC 2986 section 4.1: the attributes are there also where there are none. */
	check_request("no host", &attributes);
	assert_true(bytes_equal(attributes, (struct bytes){ (const uint8_t *)"\xA0\0", 2 }));
}

static void
a_request_that_does_not_fit_is_told_and_never_overruns(void **state)
{
	int whole;

	(void)state;
	sim_reset(sim_seed());
	whole = x509_request(der, sizeof der, &key, TEXT("router-17"));
	for (size_t cap = 0; cap <= (size_t)whole + 1; cap++) {
		uint8_t *small = malloc(cap);
		int len;

		sim_reset(sim_seed());
		len = x509_request(small, cap, &key, TEXT("router-17"));
		CLAIM(len == (cap < (size_t)whole ? CUB_E_LIMIT : whole), "%zu bytes: %d", cap, len);
		free(small);
	}
}

#define CERT(name) ((struct bytes){ certificate_##name, sizeof certificate_##name })
#define CHAIN(name) ((struct bytes){ chain_##name, sizeof chain_##name })

static void
what_others_made_is_read(void **state)
{
	static const struct {
		const uint8_t *at;
		size_t len;
		const char *subject, *issuer, *from, *until, *kind;
		bool is_ca;
	} table[] = {
		{ chain_root, sizeof chain_root, "CN=Root", "CN=Root", "2020-01-01", "2060-01-01", "P-256",
			true },
		{ chain_leaf, sizeof chain_leaf, "CN=Leaf", "CN=Middle", "2020-01-01", "2060-01-01",
			"P-256", false },
		{ chain_expired, sizeof chain_expired, "CN=Expired", "CN=Root", "2001-01-01",
			"2002-01-01", "P-256", false },
		{ chain_critical, sizeof chain_critical, "CN=Critical", "CN=Root", "2020-01-01",
			"2060-01-01", "P-256", false },
#if CONFIG_CUBFTPD_RSA
		{ chain_rsa_root, sizeof chain_rsa_root, "CN=RSA Root", "CN=RSA Root", "2020-01-01",
			"2060-01-01", "RSA 2048", true },
#endif
#if CONFIG_CUBFTPD_P384
		{ chain_p384_root, sizeof chain_p384_root, "CN=P-384 Root", "CN=P-384 Root",
			"2020-01-01", "2060-01-01", "P-384", true },
#endif
	};

	(void)state;
	for (size_t i = 0; i < LEN(table); i++) {
		char text[5][64];
		struct out o[5];
		struct x509_cert cert;
		const char *why = x509_read((struct bytes){ table[i].at, table[i].len }, &cert);

		CLAIM(why == NULL, "%s: %s", table[i].subject, why);
		for (size_t k = 0; k < LEN(o); k++) {
			o[k] = OUT(text[k]);
		}
		x509_put_name(&o[0], cert.subject, 64);
		x509_put_name(&o[1], cert.issuer, 64);
		x509_put_day(&o[2], cert.from_s);
		x509_put_day(&o[3], cert.until_s);
		key_put_kind(&o[4], &cert.key);
		CLAIM(SAYS(&o[0], table[i].subject), "%s", table[i].subject);
		CLAIM(SAYS(&o[1], table[i].issuer), "%s", table[i].subject);
		CLAIM(SAYS(&o[2], table[i].from) && SAYS(&o[3], table[i].until), "%s", table[i].subject);
		CLAIM(SAYS(&o[4], table[i].kind), "%s", table[i].subject);
		CLAIM(cert.extensions.is_ca == table[i].is_ca, "%s", table[i].subject);
		CLAIM(cert.serial.len >= 8, "%s", table[i].subject);
	}
}

static void
of_a_key_that_cannot_be_used_the_rest_is_read(void **state)
{
	struct x509_cert cert;
	const char *why = x509_read(CERT(ed25519), &cert);

	(void)state;
	assert_true(why != NULL && strstr(why, "Ed25519") != NULL);
	assert_true(cert.subject.len > 0 && cert.public_key.len > 0 && cert.from_s > 1700000000);
	assert_true(cert.key.type == 0);
#if !CONFIG_CUBFTPD_P384
	why = x509_read(CERT(p384), &cert);
	assert_true(why != NULL && strstr(why, "P-256") != NULL);
	assert_true(cert.subject.len > 0 && cert.public_key.len > 0);
#endif
}

/* Each piece of a certificate, as DER. */
struct parts {
	struct text version, serial, inner_algorithm, issuer, validity, subject, public_key, ids,
		extensions, after_tbs, algorithm, signature, after_all;
};

#define ECDSA_SHA256 "\x30\x0A\x06\x08\x2A\x86\x48\xCE\x3D\x04\x03\x02"
#define NAME_X       "\x30\x0C\x31\x0A\x30\x08\x06\x03\x55\x04\x03\x0C\x01" "x"
#define TWO_TIMES    "\x17\x0D" "200101000000Z" "\x17\x0D" "300101000000Z"

static struct parts
good_parts(void)
{
	static char public_key[128];
	struct der d;

	der_start(&d, (uint8_t *)public_key, sizeof public_key);
	key_put_public(&d, &key);
	return (struct parts){
		.version = TEXT_IN("\xA0\x03\x02\x01\x02"),
		.serial = TEXT_IN("\x02\x01\x01"),
		.inner_algorithm = TEXT_IN(ECDSA_SHA256),
		.issuer = TEXT_IN(NAME_X),
		.validity = TEXT_IN("\x30\x1E" TWO_TIMES),
		.subject = TEXT_IN(NAME_X),
		.public_key = { (char *)d.at, (size_t)(d.end - d.at) },
		.extensions = TEXT_IN(""),
		.algorithm = TEXT_IN(ECDSA_SHA256),
		.signature = TEXT_IN("\x03\x03\x00" "ab"),
	};
}

static void
put(struct der *d, struct text t)
{
	der_put(d, t.at, t.len);
}

/* The certificate of these parts, in memory that ends with it. */
static struct bytes
assemble(const struct parts *p)
{
	struct der d;

	der_start(&d, der, sizeof der);
	put(&d, p->signature);
	put(&d, p->algorithm);
	put(&d, p->after_tbs);
	{
		const uint8_t *until = d.at;

		put(&d, p->extensions);
		put(&d, p->ids);
		put(&d, p->public_key);
		put(&d, p->subject);
		put(&d, p->validity);
		put(&d, p->issuer);
		put(&d, p->inner_algorithm);
		put(&d, p->serial);
		put(&d, p->version);
		der_wrap(&d, DER_SEQUENCE, until);
	}
	der_wrap(&d, DER_SEQUENCE, d.end);
	assert_false(d.cut);
	if (p->after_all.len > 0) {
		memmove(d.at - p->after_all.len, d.at, (size_t)(d.end - d.at));
		memcpy(d.end - p->after_all.len, p->after_all.at, p->after_all.len);
		d.at -= p->after_all.len;
	}
	return (struct bytes){ d.at, (size_t)(d.end - d.at) };
}

#define IS_CA(value) "\x06\x03\x55\x1D\x13\x04" value

static void
whatever_is_well_formed_is_read(void **state)
{
	struct x509_cert cert;
	struct parts p = good_parts();

	(void)state;
	assert_null(x509_read(assemble(&p), &cert));
	assert_true(key_fits(&key, &cert.key) && !cert.extensions.is_ca);
	p.version = TEXT("");  /* v1 */
	assert_null(x509_read(assemble(&p), &cert));
	p = good_parts();
	p.version = TEXT("\xA0\x03\x02\x01\x01");  /* v2 */
	p.ids = TEXT("\x81\x02\x00" "a" "\x82\x02\x00" "b");
	assert_null(x509_read(assemble(&p), &cert));
	p = good_parts();
	p.subject = TEXT("\x30\x00");
	assert_null(x509_read(assemble(&p), &cert));
	assert_int_equal(cert.subject.len, 2);
	p.serial = TEXT("\x02\x15\x00\xFF" "0123456789012345678");
	assert_null(x509_read(assemble(&p), &cert));
	assert_true(cert.serial.len == 20 && cert.serial.at[0] == 0xFF);
	p.validity = TEXT("\x30\x22\x18\x0F" "19000101000000Z" "\x18\x0F" "20200229000000Z");
	assert_null(x509_read(assemble(&p), &cert));
	assert_true(cert.from_s == INT64_C(-2208988800) && cert.until_s == INT64_C(1582934400));
	p.validity = TEXT("\x30\x20\x17\x0D" "200101000000Z" "\x18\x0F" "99991231235959Z");
	assert_null(x509_read(assemble(&p), &cert));
	assert_true(cert.from_s == INT64_C(1577836800) && cert.until_s == X509_FOREVER);
	/* Unknown extensions, critical or not, with anything in them. */
	p.extensions = TEXT("\xA3\x16\x30\x14" "\x30\x09\x06\x01\x2A\x01\x01\xFF\x04\x01\xFF"
		"\x30\x07\x06\x01\x2B\x04\x02\xFF\xFF");
	assert_null(x509_read(assemble(&p), &cert));
	assert_false(cert.extensions.is_ca);
}

static void
a_ca_is_one_that_says_so(void **state)
{
	static const struct {
		struct text extensions;
		int want;  /* -1: malformed */
	} table[] = {
		{ TEXT_IN("\xA3\x10\x30\x0E\x30\x0C" IS_CA("\x05\x30\x03\x01\x01\xFF")), 1 },
		{ TEXT_IN("\xA3\x13\x30\x11\x30\x0F" IS_CA("\x08\x30\x06\x01\x01\xFF\x02\x01\x00")), 1 },
		{ TEXT_IN("\xA3\x0D\x30\x0B\x30\x09" IS_CA("\x02\x30\x00")), 0 },
		{ TEXT_IN("\xA3\x10\x30\x0E\x30\x0C" IS_CA("\x05\x30\x03\x01\x01\x00")), 0 },
		{ TEXT_IN("\xA3\x10\x30\x0E\x30\x0C" IS_CA("\x05\x30\x03\x02\x01\x00")), 0 },
		{ TEXT_IN("\xA3\x10\x30\x0E\x30\x0C" IS_CA("\x05\x30\x03\x01\x01\x01")), -1 },
		{ TEXT_IN("\xA3\x11\x30\x0F\x30\x0D" IS_CA("\x06\x30\x03\x01\x01\xFF" "a")), -1 },
		{ TEXT_IN("\xA3\x12\x30\x10\x30\x0E" IS_CA("\x07\x30\x05\x01\x01\xFF\x05\x00")), -1 },
		{ TEXT_IN("\xA3\x0B\x30\x09\x30\x07" IS_CA("\x00")), -1 },
		{ TEXT_IN("\xA3\x1E\x30\x1C\x30\x0C" IS_CA("\x05\x30\x03\x01\x01\xFF")
			"\x30\x0C" IS_CA("\x05\x30\x03\x01\x01\xFF")), -1 },
		{ TEXT_IN("\xA3\x1B\x30\x19\x30\x09" IS_CA("\x02\x30\x00")
			"\x30\x0C" IS_CA("\x05\x30\x03\x01\x01\xFF")), -1 },
	};

	(void)state;
	for (size_t i = 0; i < LEN(table); i++) {
		struct parts p = good_parts();
		struct x509_cert cert;
		const char *why;

		p.extensions = table[i].extensions;
		why = x509_read(assemble(&p), &cert);
		CLAIM((why != NULL) == (table[i].want < 0), "no. %zu: %s", i, why ? why : "well-formed");
		CLAIM(why != NULL || cert.extensions.is_ca == (table[i].want == 1), "no. %zu", i);
	}
}

static void
whatever_is_malformed_is_refused(void **state)
{
	static const struct {
		size_t part;
		struct text der;
	} table[] = {
#define PART(name) offsetof(struct parts, name)
#define USAGE "\x06\x03\x55\x1D\x0F\x04"
		{ PART(version), TEXT_IN("\xA0\x03\x02\x01\x03") },
		{ PART(version), TEXT_IN("\xA0\x00") },
		{ PART(version), TEXT_IN("\xA0\x05\x02\x01\x02\x05\x00") },
		{ PART(serial), TEXT_IN("") }, { PART(serial), TEXT_IN("\x02\x00") },
		{ PART(serial), TEXT_IN("\x02\x02\x00\x01") }, { PART(serial), TEXT_IN("\x02\x01\x80") },
		{ PART(inner_algorithm), TEXT_IN("") },
		{ PART(inner_algorithm), TEXT_IN("\x30\x0A\x06\x08\x2A\x86\x48\xCE\x3D\x04\x03\x03") },
		{ PART(inner_algorithm),
			TEXT_IN("\x30\x0C\x06\x08\x2A\x86\x48\xCE\x3D\x04\x03\x02\x05\x00") },
		{ PART(issuer), TEXT_IN("") }, { PART(issuer), TEXT_IN("\x31\x00") },
		{ PART(issuer), TEXT_IN("\x30\x02\x31\x00") },
		{ PART(issuer), TEXT_IN("\x30\x04\x31\x02\x30\x00") },
		{ PART(subject), TEXT_IN("\x30\x09\x31\x07\x30\x05\x06\x03\x55\x04\x03") },
		{ PART(subject), TEXT_IN("\x30\x0C\x31\x0A\x30\x08\x0C\x01" "x" "\x06\x03\x55\x04\x03") },
		{ PART(subject),
			TEXT_IN("\x30\x0E\x31\x0C\x30\x0A\x06\x03\x55\x04\x03\x0C\x01" "x\x05\x00") },
		{ PART(subject), TEXT_IN("\x30\x0C\x31\x0A\x30\x08\x06\x03\x55\x04\x03\x1F\x01" "x") },
		{ PART(subject),
			TEXT_IN("\x30\x0E\x31\x0A\x30\x08\x06\x03\x55\x04\x03\x0C\x01" "x\x05\x00") },
		{ PART(validity), TEXT_IN("\x30\x0F\x17\x0D" "200101000000Z") },
		{ PART(validity), TEXT_IN("\x30\x20" TWO_TIMES "\x05\x00") },
		{ PART(validity), TEXT_IN("\x30\x1E\x17\x0D" "200231000000Z" "\x17\x0D" "300101000000Z") },
		{ PART(public_key), TEXT_IN("") }, { PART(public_key), TEXT_IN("\x30\x00") },
		{ PART(public_key), TEXT_IN("\x30\x82\x00\x00") },
		{ PART(ids), TEXT_IN("\x82\x02\x00" "b" "\x81\x02\x00" "a") },
		{ PART(ids), TEXT_IN("\x05\x00") },
		{ PART(extensions), TEXT_IN("\xA3\x00") },
		{ PART(extensions), TEXT_IN("\xA3\x02\x30\x00\x05\x00") },
		{ PART(extensions), TEXT_IN("\xA3\x04\x30\x02\x30\x00") },
		{ PART(extensions), TEXT_IN("\xA3\x07\x30\x05\x30\x03\x06\x01\x2A") },
		{ PART(extensions), TEXT_IN("\xA3\x09\x30\x07\x30\x05\x06\x01\x2A\x05\x00") },
		{ PART(extensions), TEXT_IN("\xA3\x0B\x30\x09\x30\x07\x06\x01\x2A\x04\x00\x05\x00") },
		{ PART(extensions), TEXT_IN("\xA3\x0C\x30\x0A\x30\x08\x06\x01\x2A\x01\x01\x7F\x04\x00") },
		{ PART(extensions), TEXT_IN("\xA3\x80\x30\x00\x00\x00") },
		/* keyUsage: no bits at all, too many bytes, more unused bits than there are. */
		{ PART(extensions),
			TEXT_IN("\xA3\x0E\x30\x0C\x30\x0A" USAGE "\x03\x03\x01\x00") },
		{ PART(extensions),
			TEXT_IN("\xA3\x11\x30\x0F\x30\x0D" USAGE "\x06\x03\x04\x00\x80\x80\x80") },
		{ PART(extensions),
			TEXT_IN("\xA3\x0F\x30\x0D\x30\x0B" USAGE "\x04\x03\x02\x08\x80") },
		{ PART(extensions),
			TEXT_IN("\xA3\x11\x30\x0F\x30\x0D" USAGE "\x06\x03\x02\x07\x80\x05\x00") },
		{ PART(extensions), TEXT_IN("\xA3\x04\x30\x02\x00\x00") },
		{ PART(after_tbs), TEXT_IN("\x05\x00") },
		{ PART(algorithm), TEXT_IN("") },
		{ PART(signature), TEXT_IN("") }, { PART(signature), TEXT_IN("\x03\x00") },
		{ PART(signature), TEXT_IN("\x03\x02\x01\x02") },
		{ PART(signature), TEXT_IN("\x03\x03\x00" "ab\x05\x00") },
		{ PART(after_all), TEXT_IN("\x00") }, { PART(after_all), TEXT_IN("\x05\x00") },
	};

	(void)state;
	for (size_t i = 0; i < LEN(table); i++) {
		struct parts p = good_parts();
		struct x509_cert cert;

		memcpy((char *)&p + table[i].part, &table[i].der, sizeof table[i].der);
		CLAIM(x509_read(assemble(&p), &cert) != NULL, "no. %zu", i);
	}
}

#if CONFIG_CUBFTPD_RSA
static void
rsa_keys_of_2048_to_4096_bits_are_read_and_no_others(void **state)
{
	static const struct {
		size_t bytes;
		bool good;
	} table[] = {
		{ 0, false }, { 1, false }, { 64, false }, { 128, false }, { 255, false },
		{ 256, true }, { 384, true }, { 512, true }, { 513, false }, { 1024, false },
	};
	static uint8_t number[1024], spki[1200];

	(void)state;
	memset(number, 0xAB, sizeof number);
	for (size_t i = 0; i < LEN(table); i++) {
		struct parts p = good_parts();
		struct x509_cert cert;
		struct der d;
		const uint8_t *until;
		const char *why;

		der_start(&d, spki, sizeof spki);
		der_unsigned(&d, (const uint8_t *)"\x01\x00\x01", 3);
		der_unsigned(&d, number, table[i].bytes);
		der_wrap(&d, DER_SEQUENCE, d.end);
		der_put(&d, "", 1);
		der_wrap(&d, DER_BIT_STRING, d.end);
		until = d.at;
		der_element(&d, DER_NULL, NULL, 0);
		der_element(&d, DER_OID, "\x2A\x86\x48\x86\xF7\x0D\x01\x01\x01", 9);
		der_wrap(&d, DER_SEQUENCE, until);
		der_wrap(&d, DER_SEQUENCE, d.end);
		assert_false(d.cut);
		p.public_key = (struct text){ (char *)d.at, (size_t)(d.end - d.at) };
		why = x509_read(assemble(&p), &cert);
		CLAIM((why == NULL) == table[i].good, "%zu bytes: %s", table[i].bytes, why ? why : "read");
		CLAIM(why == NULL ? cert.key.n.len == table[i].bytes : strstr(why, "2048 to 4096") != NULL,
			"%zu bytes", table[i].bytes);
	}
}
#endif

static void
a_certificate_that_was_cut_anywhere_is_none(void **state)
{
	static const struct bytes table[] = {
		{ chain_leaf, sizeof chain_leaf }, { chain_root, sizeof chain_root },
		{ certificate_rsa, sizeof certificate_rsa },
	};

	(void)state;
	for (size_t i = 0; i < LEN(table); i++) {
		for (size_t len = 0; len < table[i].len; len++) {
			uint8_t *part = malloc(len);  /* of exactly this size: the sanitizer watches */
			struct x509_cert cert;

			memcpy(part, table[i].at, len);
			CLAIM(x509_read((struct bytes){ part, len }, &cert) != NULL, "%zu bytes", len);
			free(part);
		}
	}
}

static bool
is_within(struct bytes b, struct bytes whole)
{
	return b.len == 0 || (b.at >= whole.at && b.at + b.len <= whole.at + whole.len);
}

static void
is_all_within(const struct x509_cert *cert, struct bytes whole)
{
	CLAIM(is_within(cert->serial, whole) && is_within(cert->issuer, whole)
		&& is_within(cert->subject, whole) && is_within(cert->public_key, whole)
		&& is_within(cert->key.point, whole) && is_within(cert->key.n, whole)
		&& is_within(cert->key.e, whole), "%zu bytes", whole.len);
}

/* What is left of a name or a key is shown as well. */
static void
read_and_show(struct bytes whole)
{
	struct x509_cert cert;
	char text[CUB_NAME_SHOWN];
	struct out o = OUT(text);

	(void)x509_read(whole, &cert);
	is_all_within(&cert, whole);
	x509_put_name(&o, cert.subject, sizeof text);
	CLAIM(!o.cut && text_is_printable(out_so_far(&o)), "%zu bytes", whole.len);
	o = OUT(text);
	x509_put_name(&o, cert.issuer, sizeof text);
	CLAIM(!o.cut && text_is_printable(out_so_far(&o)), "%zu bytes", whole.len);
}

static void
no_change_of_a_certificate_breaks_the_reader(void **state)
{
	static const struct bytes table[] = {
		{ chain_leaf, sizeof chain_leaf }, { certificate_rsa, sizeof certificate_rsa },
	};

	(void)state;
	for (size_t i = 0; i < LEN(table); i++) {
		uint8_t *copy = malloc(table[i].len);
		struct bytes whole = { copy, table[i].len };

		memcpy(copy, table[i].at, table[i].len);
		for (size_t at = 0; at < whole.len; at++) {
			static const uint8_t changes[] = { 0x01, 0x80, 0xFF, 0x20, 0x02 };

			for (size_t k = 0; k < LEN(changes); k++) {
				copy[at] ^= changes[k];
				read_and_show(whole);
				copy[at] ^= changes[k];
			}
		}
		for (uint32_t round = 0; round < claim_rounds(5000); round++) {
			copy[sim_random_below((uint32_t)whole.len)] = (uint8_t)sim_random();
			read_and_show(whole);
			if (round % 3 == 0) {
				memcpy(copy, table[i].at, whole.len);
			}
		}
		free(copy);
	}
}

/* One attribute of a Name; `joins` the one before it in the same set. */
struct attribute {
	struct text oid, value;
	unsigned tag;
	bool joins;
};

#define OID_OF(last) TEXT_IN("\x55\x04" last)

/* Up to 4 attributes as a Name, at the end of `der`. */
static struct bytes
name_of(const struct attribute *a)
{
	const uint8_t *set;
	struct der d;

	der_start(&d, der, sizeof der);
	set = d.at;
	for (size_t i = 4; i-- > 0;) {
		const uint8_t *until = d.at;

		if (a[i].oid.len > 0) {
			der_element(&d, a[i].tag != 0 ? a[i].tag : DER_UTF8_STRING, a[i].value.at,
				a[i].value.len);
			der_element(&d, DER_OID, a[i].oid.at, a[i].oid.len);
			der_wrap(&d, DER_SEQUENCE, until);
			if (!a[i].joins) {
				der_wrap(&d, DER_SET, set);
				set = d.at;
			}
		}
	}
	der_wrap(&d, DER_SEQUENCE, d.end);
	return (struct bytes){ d.at, (size_t)(d.end - d.at) };
}

static const struct {
	struct attribute attribute[4];
	const char *want;
} names[] = {
	{ { { .oid = { NULL, 0 } } }, "" },
	{ { { OID_OF("\x03"), TEXT_IN("Technician 7"), 0, false },
		{ OID_OF("\x0A"), TEXT_IN("Acme"), 0x13, false } }, "CN=Technician 7, O=Acme" },
	{ { { OID_OF("\x06"), TEXT_IN("DE"), 0x13, false },
		{ OID_OF("\x08"), TEXT_IN("S"), 0x16, false },
		{ OID_OF("\x07"), TEXT_IN("L"), 0x14, false },
		{ OID_OF("\x0B"), TEXT_IN("U"), 0, false } }, "C=DE, ST=S, L=L, OU=U" },
	{ { { OID_OF("\x05"), TEXT_IN("0815"), 0x13, false },
		{ TEXT_IN("\x2A\x86\x48\x86\xF7\x0D\x01\x09\x01"), TEXT_IN("a@b"), 0x16, true },
		{ OID_OF("\x03"), TEXT_IN("x"), 0, false } }, "serialNumber=0815+emailAddress=a@b, CN=x" },
	/* Unknown ones: also such as only begin or end like known ones. */
	{ { { OID_OF("\x0C"), TEXT_IN("boss"), 0, false }, { OID_OF("\x04"), TEXT_IN("y"), 0, false },
		{ TEXT_IN("\x55\x05\x03"), TEXT_IN("z"), 0, false },
		{ TEXT_IN("\x55\x04\x03\x01"), TEXT_IN("w"), 0, false } }, "?=boss, ?=y, ?=z, ?=w" },
	{ { { OID_OF("\xFF"), TEXT_IN("a"), 0, false }, { TEXT_IN("\x55\x04"), TEXT_IN("b"), 0, false },
		{ OID_OF(""), TEXT_IN(""), 0, false } }, "?=a, ?=b, ?=" },
	/* Nobody can forge a field. */
	{ { { OID_OF("\x03"), TEXT_IN("a, O=Acme+OU=\"x\"\\"), 0, false } },
		"CN=a\\, O\\=Acme\\+OU\\=\\\"x\\\"\\\\" },
	{ { { OID_OF("\x03"), TEXT_IN("a\nb\r\tc\x7F\0d\x1B[2J"), 0, false } }, "CN=a?b??c??d?[2J" },
	/* What is UTF-8 stays, in whatever kind of string; the rest does not. */
	{ { { OID_OF("\x03"), TEXT_IN("Gl\xC3\xBC" "ck \xE2\x82\xAC \xF0\x9F\x94\x91"), 0x13, false } },
		"CN=Gl\xC3\xBC" "ck \xE2\x82\xAC \xF0\x9F\x94\x91" },
	{ { { OID_OF("\x03"), TEXT_IN("M\xFCller \xC3"), 0x14, false } }, "CN=M?ller ?" },
	{ { { OID_OF("\x03"),
		TEXT_IN("\xC0\xAF\xED\xA0\x80\xC2\x85\xF4\x90\x80\x80\xE2\x82"), 0, false } },
		"CN=?????" "??" "????" "??" },
	{ { { OID_OF("\x03"), TEXT_IN("\0A\0B"), 0x1E, false } }, "CN=?A?B" },
	{ { { OID_OF("\x03"), TEXT_IN("\x0C\x01x"), 0x30, false } }, "CN=??x" },
	/* Right-to-left override, zero width space; but dashes and quotes are fine. */
	{ { { OID_OF("\x03"),
		TEXT_IN("a\xE2\x80\xAE" "b\xE2\x80\x8B" "c\xE2\x81\xA6" "d"), 0, false } },
		"CN=a???b???c???d" },
	/* A soft hyphen, Arabic letter mark, tag. */
	{ { { OID_OF("\x03"),
		TEXT_IN("a\xC2\xAD" "b\xD8\x9C" "c\xF3\xA0\x80\xA1"), 0, false } },
		"CN=a??" "b??" "c????" },
	{ { { OID_OF("\x03"), TEXT_IN("a \xE2\x80\x93 \xE2\x80\x9E" "b\xE2\x80\x9C"), 0, false } },
		"CN=a \xE2\x80\x93 \xE2\x80\x9E" "b\xE2\x80\x9C" },
};

/* Row 4.10 of the checklist. */
static void
names_are_shown_and_nobody_can_forge_a_field(void **state)
{
	(void)state;
	for (size_t i = 0; i < LEN(names); i++) {
		char text[200];
		struct out o = OUT(text);

		x509_put_name(&o, name_of(names[i].attribute), sizeof text);
		CLAIM(SAYS(&o, names[i].want), "no. %zu: %s", i, out_finish(&o));
	}
}

static void
a_long_name_ends_between_characters(void **state)
{
	(void)state;
	for (size_t i = 0; i < LEN(names); i++) {
		size_t whole = strlen(names[i].want), last = 0;

		for (size_t max = 0; max <= whole + 1; max++) {
			char text[200] = "a";
			struct out o = OUT(text);

			o.len = 1;  /* behind something else */
			x509_put_name(&o, name_of(names[i].attribute), max);
			CLAIM(!o.cut && o.len - 1 <= max && o.len - 1 >= last, "no. %zu, %zu bytes", i, max);
			last = o.len - 1;
			CLAIM(memcmp(text + 1, names[i].want, last) == 0, "no. %zu, %zu bytes", i, max);
			CLAIM(max < whole || last == whole, "no. %zu, %zu bytes", i, max);
			CLAIM(text_is_printable(out_so_far(&o)), "no. %zu, %zu bytes", i, max);
			/* Nor between a backslash and what it is for. */
			CLAIM(last == 0 || text[last] != '\\' || (last > 1 && text[last - 1] == '\\'),
				"no. %zu, %zu bytes", i, max);
		}
	}
}

static void
days_are_written_as_people_do(void **state)
{
	static const struct {
		int64_t time_s;
		const char *want;
	} table[] = {
		{ 0, "1970-01-01" }, { FROM, "2030-01-01" }, { FROM - 1, "2029-12-31" },
		{ LATER, "2055-06-17" }, { X509_FOREVER - 1, "9999-12-31" },
		{ X509_FOREVER, "without end" }, { INT64_MAX, "without end" }, { INT64_MIN, "0001-01-01" },
	};

	(void)state;
	for (size_t i = 0; i < LEN(table); i++) {
		char text[16];
		struct out o = OUT(text);

		x509_put_day(&o, table[i].time_s);
		CLAIM(SAYS(&o, table[i].want), "%s", table[i].want);
	}
}

static void
a_chain_is_cut_into_its_certificates(void **state)
{
	static const uint8_t chain[] = "\x03\0abc" "\0\0" "\x02\x01" "258";
	struct bytes rest = { chain, 7 }, cert;

	(void)state;
	assert_int_equal(x509_chain_next(&rest, &cert), CUB_OK);
	assert_true(cert.len == 3 && cert.at == chain + 2);
	assert_int_equal(x509_chain_next(&rest, &cert), CUB_OK);
	assert_true(cert.len == 0);
	assert_int_equal(x509_chain_next(&rest, &cert), CUB_EOF);
	for (size_t len = 1; len < 6; len++) {
		rest = (struct bytes){ chain + 7, len };
		assert_int_equal(x509_chain_next(&rest, &cert), CUB_E_BAD);
	}
	for (size_t len = 1; len < 5; len++) {
		rest = (struct bytes){ chain, len };
		assert_int_equal(x509_chain_next(&rest, &cert), CUB_E_BAD);
	}
}

/* From openssl x509 -fingerprint -sha256 (SHA-256 of "abc" is in FIPS 180-2, appendix B.1). */
static void
a_fingerprint_is_sha_256_and_spelled_like_that_of_openssl(void **state)
{
	uint8_t fingerprint[32];
	char text[80];
	struct out o = OUT(text);

	(void)state;
	x509_hash((struct bytes){ (const uint8_t *)"abc", 3 }, fingerprint);
	x509_put_fingerprint(&o, fingerprint);
	assert_true(SAYS(&o,
		"sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
}

#undef TEST
#define TEST(name) cmocka_unit_test_setup(name, setup)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_written_is_der_and_signed_by_its_own_key),
		TEST(a_change_of_any_byte_breaks_the_signature_or_the_form),
		TEST(it_says_the_key_and_the_dates_that_it_was_made_for),
#if CONFIG_CUBFTPD_RSA
		TEST(it_can_be_made_for_an_rsa_key),
#endif
		TEST(it_is_for_a_server_and_no_authority),
		TEST(serial_numbers_are_positive_long_and_never_the_same),
		TEST(the_common_name_is_the_name_byte_for_byte),
		TEST(a_name_that_can_be_one_is_also_a_dns_name),
		TEST(what_cannot_be_a_hosts_name_is_no_dns_name),
		TEST(a_buffer_that_is_too_small_is_told_and_never_overrun),
		TEST(a_request_is_signed_and_asks_for_the_dns_name),
		TEST(a_request_that_does_not_fit_is_told_and_never_overruns),
		TEST(what_others_made_is_read),
		TEST(of_a_key_that_cannot_be_used_the_rest_is_read),
		TEST(whatever_is_well_formed_is_read),
		TEST(a_ca_is_one_that_says_so),
		TEST(whatever_is_malformed_is_refused),
#if CONFIG_CUBFTPD_RSA
		TEST(rsa_keys_of_2048_to_4096_bits_are_read_and_no_others),
#endif
		TEST(a_certificate_that_was_cut_anywhere_is_none),
		TEST(no_change_of_a_certificate_breaks_the_reader),
		TEST(names_are_shown_and_nobody_can_forge_a_field),
		TEST(a_long_name_ends_between_characters),
		TEST(days_are_written_as_people_do),
		TEST(a_chain_is_cut_into_its_certificates),
		TEST(a_fingerprint_is_sha_256_and_spelled_like_that_of_openssl),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
