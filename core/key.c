/* SPDX-License-Identifier: MIT */
/* Private keys and public ones: see key.h. What is written stands in reverse order: see der.h. */
#include "key.h"

#include <string.h>

#include "curves.h"

#define CURVE       BR_EC_secp256r1  /* of the device's own keys */
#define RSA_PARTS   6
#define FACTOR_MAX  256
#define PUBLIC_MAX  (CONFIG_CUBFTPD_RSA ? 2 * FACTOR_MAX : 97)
#define HASH_MAX    64
#define UNEVEN_MAX  8   /* bytes that one prime may be longer than the other */

/* AlgorithmIdentifiers as they are written: of our keys, and of our signatures. */
static const uint8_t ec_key[] = { DER_SEQUENCE, 19, DER_OID, 7, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 2, 1,
	DER_OID, 8, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 3, 1, 7 };  /* P-256 */
static const uint8_t rsa_key[] = { DER_SEQUENCE, 13, DER_OID, 9,
	0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 1, 1, DER_NULL, 0 };
static const uint8_t ecdsa_sha256[] = { DER_SEQUENCE, 10, DER_OID, 8,
	0x2A, 0x86, 0x48, 0xCE, 0x3D, 4, 3, 2 };  /* RFC 5758 section 3.2: no parameters */
static const uint8_t rsa_sha256[] = { DER_SEQUENCE, 13, DER_OID, 9,
	0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 1, 11, DER_NULL, 0 };

/* The two parts of such a one; parameters have their header with them. */
#define OID_OF(a)        ((struct bytes){ (a) + 4, (a)[3] })
#define PARAMETERS_OF(a) ((struct bytes){ (a) + 4 + (a)[3], sizeof(a) - 4 - (a)[3] })

/* How long a private number is; and is it a curve that a private key may have here? */
#if CONFIG_CUBFTPD_P384
static const uint8_t ec_key_p384[] = { DER_SEQUENCE, 16, DER_OID, 7,
	0x2A, 0x86, 0x48, 0xCE, 0x3D, 2, 1, DER_OID, 5, 0x2B, 0x81, 4, 0, 34 };
#define CURVES          "P-256 or P-384"
#define SCALAR(curve)   ((curve) == BR_EC_secp384r1 ? 48u : 32u)
#define IS_CURVE(curve) ((curve) == CURVE || (curve) == BR_EC_secp384r1)
#else
#define CURVES          "P-256"
#define SCALAR(curve)   32u
#define IS_CURVE(curve) ((curve) == CURVE)
#endif
#if CONFIG_CUBFTPD_RSA
#define KINDS CURVES " or RSA"
#else
#define KINDS CURVES
#endif

static const char broken[] = "the key is broken: it is not well-formed";
static const char wrong_kind[] =
	"only " KINDS " keys can be used here, not Ed25519, DSA or others";
static const char wrong_curve[] = "the key's curve is not " CURVES;
static const char torn_apart[] = "the key is broken: its parts do not fit each other";

/* Without zeros before it. */
static struct bytes
trim(struct bytes number)
{
	while (number.len > 0 && number.at[0] == 0) {
		number.at++;
		number.len--;
	}
	return number;
}

static uint32_t
bits_of(struct bytes number)
{
	uint32_t bits;

	number = trim(number);
	bits = (uint32_t)number.len * 8;
	for (unsigned mask = 0x80; number.len > 0 && (number.at[0] & mask) == 0; mask >>= 1) {
		bits--;
	}
	return bits;
}

/* p times q into `n`, which has FACTOR_MAX bytes for each. */
static struct bytes
multiply(const br_rsa_private_key *rsa, uint8_t *n)
{
	/* Not by br_rsa_i31_compute_modulus(): that of BearSSL 0.6 stops at 4080 bits. */
	memset(n, 0, rsa->plen + rsa->qlen);
	for (size_t i = rsa->plen; i-- > 0;) {
		unsigned carry = 0;

		for (size_t j = rsa->qlen; j-- > 0; carry >>= 8) {
			carry += n[i + j + 1] + (unsigned)rsa->p[i] * rsa->q[j];
			n[i + j + 1] = (uint8_t)carry;
		}
		n[i] = (uint8_t)carry;
	}
	return trim((struct bytes){ n, rsa->plen + rsa->qlen });
}

/* The public half of a key, in `buffer` and in the key itself. */
static struct key_public
public_of(const struct key *k, uint8_t buffer[PUBLIC_MAX])
{
	struct key_public public = { .type = k->type };

	if (CONFIG_CUBFTPD_RSA && k->type == BR_KEYTYPE_RSA) {
		public.n = multiply(&k->rsa, buffer);
		public.e.at = k->rsa.iq + k->rsa.iqlen + 2;
		public.e.len = (size_t)(k->packed + k->packed_len - public.e.at);
	} else {
		public.point.len = br_ec_compute_pub(&curves, NULL, buffer, &k->ec);
		public.point.at = buffer;
	}
	return public;
}

static const char *
check_rsa(const struct key_public *public)
{
	struct bytes n = public->n, e = public->e;
	uint32_t bits = bits_of(n);

	if (bits < 2048 || bits > 4096) {
		return "the key has another size than 2048 to 4096 bits, which RSA needs here";
	}
	if (e.len < 1 || e.len > 4 || (e.at[e.len - 1] & 1) == 0 || (e.len == 1 && e.at[0] < 3)) {
		return "the key's public exponent is not an odd number from 3 to 4294967295";
	}
	return (n.at[n.len - 1] & 1) == 0 ? torn_apart : NULL;
}

/* Cut a packed RSA key into its parts, and look whether there can be such a key. */
static const char *
unpack_rsa(struct key *k)
{
	uint8_t *at = k->packed + 1, *part[RSA_PARTS], n[PUBLIC_MAX];
	size_t left = k->packed_len - 1u, len[RSA_PARTS];
	struct key_public public;

	for (unsigned i = 0; i < RSA_PARTS; i++) {
		if (left < 3) {
			return broken;
		}
		len[i] = (size_t)(at[0] | at[1] << 8);
		at += 2;
		left -= 2;
		if (len[i] == 0 || len[i] > FACTOR_MAX || len[i] > left || at[0] == 0) {
			return broken;
		}
		part[i] = at;
		at += len[i];
		left -= len[i];
	}
	if (left > 0) {
		return broken;
	}
	k->type = BR_KEYTYPE_RSA;
	k->rsa = (br_rsa_private_key){ 0, part[0], len[0], part[1], len[1], part[2], len[2],
		part[3], len[3], part[4], len[4] };
	if (len[0] > len[1] + UNEVEN_MAX || len[1] > len[0] + UNEVEN_MAX) {
		return "the key's primes are not of about the same size";
	}
	public = public_of(k, n);
	k->rsa.n_bitlen = bits_of(public.n);
	return check_rsa(&public);
}

/* The scalar is from 1 to the curve's order, less 1. Its value takes no influence on the time. */
static const char *
unpack_ec(struct key *k)
{
	uint8_t *scalar = k->packed + 1;
	const int curve = k->packed[0];
	const uint8_t *order;
	unsigned borrow = 0, any = 0;
	size_t len;

	if (k->packed_len != 1 + SCALAR(curve)) {
		return broken;
	}
	order = curves.order(curve, &len);
	for (size_t i = SCALAR(curve); i-- > 0;) {
		borrow = ((unsigned)scalar[i] - order[i] - borrow) >> 8 & 1;
		any |= scalar[i];
	}
	k->type = BR_KEYTYPE_EC;
	k->ec = (br_ec_private_key){ curve, scalar, SCALAR(curve) };
	return any == 0 || borrow == 0 ? "the key's private number is out of range" : NULL;
}

static const char *
unpack(struct key *k)
{
	if (k->packed_len > 0 && k->packed_len <= sizeof k->packed) {
		if (IS_CURVE(k->packed[0])) {
			return unpack_ec(k);
		}
		if (CONFIG_CUBFTPD_RSA && k->packed[0] == 0) {
			return unpack_rsa(k);
		}
	}
	return broken;
}

int
key_unpack(struct key *k)
{
	if (unpack(k) != NULL) {
		wipe(k, sizeof *k);
		return CUB_E_CORRUPT;
	}
	return CUB_OK;
}

static void
make(struct key *k, int curve)
{
	br_hmac_drbg_context drbg;
	uint8_t seed[32];

	port_random(seed, sizeof seed);
	br_hmac_drbg_init(&drbg, &br_sha256_vtable, seed, sizeof seed);
	k->packed_len = (uint16_t)(1 + SCALAR(curve));
	k->packed[0] = (uint8_t)curve;
	br_ec_keygen(&drbg.vtable, &curves, NULL, k->packed + 1, curve);
	(void)unpack_ec(k);
	wipe(seed, sizeof seed);
	wipe(&drbg, sizeof drbg);
}

void
key_make(struct key *k)
{
	make(k, CURVE);
}

#if CONFIG_CUBFTPD_P384
void
key_make_p384(struct key *k)
{
	make(k, BR_EC_secp384r1);
}
#endif

static int
curve_of(struct bytes parameters)
{
#if CONFIG_CUBFTPD_P384
	if (bytes_equal(parameters, PARAMETERS_OF(ec_key_p384))) {
		return BR_EC_secp384r1;
	}
#endif
	return bytes_equal(parameters, PARAMETERS_OF(ec_key)) ? BR_EC_secp256r1 : 0;
}

/* AlgorithmIdentifier of a key: RFC 5480 section 2.1, RFC 8017 appendix A.1. */
static const char *
read_algorithm(struct der_in *d, struct key_public *public)
{
	struct der_in in = der_enter(d, DER_SEQUENCE);
	struct bytes oid = der_take(&in, DER_OID);
	struct bytes parameters = { NULL, 0 };

	if (!der_is_done(&in)) {
		parameters = der_take_whole(&in, der_peek(&in));
	}
	der_leave(d, &in);
	if (d->bad) {
		return broken;
	}
	if (bytes_equal(oid, OID_OF(ec_key))) {
		public->type = BR_KEYTYPE_EC;
		public->curve = curve_of(parameters);
		return public->curve == 0 ? wrong_curve : NULL;
	}
	if (CONFIG_CUBFTPD_RSA && bytes_equal(oid, OID_OF(rsa_key))) {
		public->type = BR_KEYTYPE_RSA;
		return parameters.len > 0 && !bytes_equal(parameters, PARAMETERS_OF(rsa_key))
			? broken : NULL;
	}
	return wrong_kind;
}

/* What an algorithm signs with: a type of key, and BearSSL's number of a hash; 0: unknown. */
static unsigned
read_signature_algorithm(struct bytes algorithm, uint8_t *key_type)
{
	/* They differ from that for SHA-256 in the byte that follows the same beginning. */
	bool is_ec = algorithm.len == sizeof ecdsa_sha256;
	const uint8_t *like = is_ec ? ecdsa_sha256 : rsa_sha256;
	size_t same = is_ec ? sizeof ecdsa_sha256 - 1 : sizeof rsa_sha256 - 3;
	unsigned more;

	*key_type = is_ec ? BR_KEYTYPE_EC : BR_KEYTYPE_RSA;
	if ((!is_ec && (!CONFIG_CUBFTPD_RSA || algorithm.len != sizeof rsa_sha256
		|| memcmp(algorithm.at + same + 1, like + same + 1, 2) != 0))
		|| memcmp(algorithm.at, like, same) != 0) {
		return 0;
	}
	more = (unsigned)algorithm.at[same] - like[same];
	return more <= (CONFIG_CUBFTPD_P384 ? 2 : 0) ? br_sha256_ID + more : 0;
}

/* The hash of some data, and how long it is. */
static size_t
hash_of(unsigned id, struct bytes data, uint8_t out[HASH_MAX])
{
#if CONFIG_CUBFTPD_P384
	static const br_hash_class *const classes[] = { &br_sha256_vtable, &br_sha384_vtable,
		&br_sha512_vtable };
	const br_hash_class *hash = classes[id - br_sha256_ID];
#else
	const br_hash_class *hash = &br_sha256_vtable;
#endif
	br_hash_compat_context context;

	(void)id;
	hash->init(&context.vtable);
	hash->update(&context.vtable, data.at, data.len);
	hash->out(&context.vtable, out);
	return hash->desc >> BR_HASHDESC_OUT_OFF & BR_HASHDESC_OUT_MASK;
}

int
key_check(const br_x509_pkey *key, struct bytes algorithm, struct bytes data,
	struct bytes signature)
{
	uint8_t hash[HASH_MAX], key_type;
	unsigned id = read_signature_algorithm(algorithm, &key_type);
	size_t len;

	if (id == 0) {
		return CUB_E_BAD;
	}
	if (key->key_type != key_type) {
		return CUB_E_DENIED;
	}
	len = hash_of(id, data, hash);
#if CONFIG_CUBFTPD_RSA
	if (key_type == BR_KEYTYPE_RSA) {
		static const uint8_t *const oids[] = { BR_HASH_OID_SHA256, BR_HASH_OID_SHA384,
			BR_HASH_OID_SHA512 };
		uint8_t found[HASH_MAX];

		return br_rsa_i31_pkcs1_vrfy(signature.at, signature.len, oids[id - br_sha256_ID], len,
			&key->key.rsa, found) == 1 && memcmp(hash, found, len) == 0 ? CUB_OK : CUB_E_DENIED;
	}
#endif
	return br_ecdsa_i31_vrfy_asn1(&curves, hash, len, &key->key.ec, signature.at, signature.len)
		== 1 ? CUB_OK : CUB_E_DENIED;
}

static bool
signs_well(const struct key *k, const struct key_public *public)
{
	br_x509_pkey pkey = key_for_bearssl(public);
	uint8_t signature[KEY_SIGNATURE_MAX], hash[HASH_MAX];
	struct bytes data = { (const uint8_t *)KINDS, sizeof KINDS - 1 };

	(void)hash_of(br_sha256_ID, data, hash);
	return key_check(&pkey, (struct bytes){ rsa_sha256, sizeof rsa_sha256 }, data,
		(struct bytes){ signature, key_sign(k, hash, signature) }) == CUB_OK;
}

/* RSAPrivateKey from its modulus on: RFC 8017 appendix A.1.2. */
static const char *
import_rsa(struct key *k, struct der_in *d)
{
	struct key_public public = { .type = BR_KEYTYPE_RSA };
	struct bytes part[RSA_PARTS];
	const char *why;

	public.n = der_take_unsigned(d);
	public.e = part[RSA_PARTS - 1] = der_take_unsigned(d);
	(void)der_take_unsigned(d);
	for (unsigned i = 0; i < RSA_PARTS - 1; i++) {
		part[i] = der_take_unsigned(d);
	}
	if (!der_is_done(d)) {
		return broken;
	}
	why = check_rsa(&public);
	k->packed[0] = 0;
	k->packed_len = 1;
	for (unsigned i = 0; why == NULL && i < RSA_PARTS; i++) {
		uint8_t *at = k->packed + k->packed_len;

		if (part[i].len > FACTOR_MAX) {
			return torn_apart;
		}
		at[0] = (uint8_t)part[i].len;
		at[1] = (uint8_t)(part[i].len >> 8);
		memcpy(at + 2, part[i].at, part[i].len);
		k->packed_len = (uint16_t)(k->packed_len + 2 + part[i].len);
	}
	if (why == NULL) {
		why = unpack_rsa(k);
	}
	if (why == NULL && (!key_fits(k, &public) || !signs_well(k, &public))) {
		why = torn_apart;
	}
	return why;
}

/* ECPrivateKey from its private number on: RFC 5915 section 3. */
static const char *
import_ec(struct key *k, struct der_in *d, int curve)
{
	struct key_public public = { .type = BR_KEYTYPE_EC, .curve = curve };
	struct bytes scalar = der_take(d, DER_OCTET_STRING);
	struct der_in in;
	const char *why;

	if (der_peek(d) == DER_CONSTRUCTED(0)) {
		public.curve = curve_of(der_take(d, DER_CONSTRUCTED(0)));
	}
	if (der_peek(d) == DER_CONSTRUCTED(1)) {
		in = der_enter(d, DER_CONSTRUCTED(1));
		public.point = der_take_bits(&in);
		der_leave(d, &in);
	}
	if (!der_is_done(d)) {
		return broken;
	}
	if (!IS_CURVE(public.curve)) {
		return wrong_curve;
	}
	if (curve != 0 && curve != public.curve) {
		return torn_apart;
	}
	/* Some writers leave out the zeros at its beginning, GnuTLS adds one, though none should. */
	scalar = trim(scalar);
	if (scalar.len > SCALAR(public.curve)) {
		return broken;
	}
	k->packed_len = (uint16_t)(1 + SCALAR(public.curve));
	memset(k->packed, 0, k->packed_len);
	k->packed[0] = (uint8_t)public.curve;
	memcpy(k->packed + k->packed_len - scalar.len, scalar.at, scalar.len);
	why = unpack_ec(k);
	if (why == NULL && public.point.len > 0 && !key_fits(k, &public)) {
		why = torn_apart;
	}
	return why;
}

/*
 * A private key in PKCS#8 (RFC 5208 section 5; RFC 5958 section 2 in version 1) becomes the one
 * that is in it, of a kind that is then known.
 */
static const char *
unwrap(struct bytes *der, struct key_public *kind)
{
	struct der_in all = der_open(*der);
	struct der_in d = der_enter(&all, DER_SEQUENCE);
	const char *why;

	(void)der_take_number(&d, 1);
	if (der_peek(&d) != DER_SEQUENCE) {
		return NULL;
	}
	why = read_algorithm(&d, kind);
	*der = der_take(&d, DER_OCTET_STRING);
	der_skip(&d, DER_CONSTRUCTED(0));  /* attributes */
	der_skip(&d, DER_CONTEXT(1));      /* public key */
	der_leave(&all, &d);
	return why == NULL && !der_is_done(&all) ? broken : why;
}

static const char *
import(struct key *k, struct bytes der)
{
	struct key_public kind = { .type = 0 };
	const char *why = unwrap(&der, &kind);
	struct der_in all = der_open(der);
	struct der_in d = der_enter(&all, DER_SEQUENCE);
	uint32_t version = der_take_number(&d, 1);

	if (why != NULL) {
		return why;
	}
	if (all.at != all.end) {
		return broken;
	}
	if (der_peek(&d) == DER_OCTET_STRING && version == 1 && kind.type != BR_KEYTYPE_RSA) {
		return import_ec(k, &d, kind.curve);
	}
	if (der_peek(&d) == DER_INTEGER && kind.type != BR_KEYTYPE_EC) {
		if (!CONFIG_CUBFTPD_RSA) {
			return wrong_kind;
		}
		return version == 0 ? import_rsa(k, &d) : "the key has more than two primes";
	}
	return "it is no private key, or it is encrypted: decrypt it first, as with `openssl pkey`";
}

int
key_import(struct key *k, struct bytes der, const char **why)
{
	*why = import(k, der);
	if (*why != NULL) {
		wipe(k, sizeof *k);
		return CUB_E_BAD;
	}
	return CUB_OK;
}

bool
key_fits(const struct key *k, const struct key_public *public)
{
	uint8_t buffer[PUBLIC_MAX];
	struct key_public own;

	if (k->type == 0 || k->type != public->type) {
		return false;
	}
	own = public_of(k, buffer);
	return bytes_equal(own.point, public->point) && bytes_equal(own.n, public->n)
		&& bytes_equal(own.e, public->e);
}

void
key_put_public(struct der *d, const struct key *k)
{
	const uint8_t *all = d->at;
	uint8_t buffer[PUBLIC_MAX];
	struct key_public public = public_of(k, buffer);
	bool is_rsa = CONFIG_CUBFTPD_RSA && k->type == BR_KEYTYPE_RSA;

	if (is_rsa) {
		der_unsigned(d, public.e.at, public.e.len);
		der_unsigned(d, public.n.at, public.n.len);
		der_wrap(d, DER_SEQUENCE, all);
	} else {
		der_put(d, public.point.at, public.point.len);
	}
	der_put(d, "", 1);  /* no unused bits */
	der_wrap(d, DER_BIT_STRING, all);
	if (is_rsa) {
		der_put(d, rsa_key, sizeof rsa_key);
#if CONFIG_CUBFTPD_P384
	} else if (k->ec.curve == BR_EC_secp384r1) {
		der_put(d, ec_key_p384, sizeof ec_key_p384);
#endif
	} else {
		der_put(d, ec_key, sizeof ec_key);
	}
	der_wrap(d, DER_SEQUENCE, all);
}

size_t
key_sign(const struct key *k, const uint8_t hash[32], uint8_t *signature)
{
	if (CONFIG_CUBFTPD_RSA && k->type == BR_KEYTYPE_RSA) {
		return br_rsa_i31_pkcs1_sign(BR_HASH_OID_SHA256, hash, 32, &k->rsa, signature) == 1
			? (k->rsa.n_bitlen + 7) / 8 : 0;
	}
	return br_ecdsa_i31_sign_asn1(&curves, &br_sha256_vtable, hash, &k->ec, signature);
}

void
key_put_algorithm(struct der *d, const struct key *k)
{
	if (CONFIG_CUBFTPD_RSA && k->type == BR_KEYTYPE_RSA) {
		der_put(d, rsa_sha256, sizeof rsa_sha256);
	} else {
		der_put(d, ecdsa_sha256, sizeof ecdsa_sha256);
	}
}

/* RSAPublicKey: RFC 8017 appendix A.1.1. */
static const char *
read_rsa(struct bytes bits, struct key_public *public)
{
	struct der_in all = der_open(bits);
	struct der_in d = der_enter(&all, DER_SEQUENCE);

	public->n = der_take_unsigned(&d);
	public->e = der_take_unsigned(&d);
	der_leave(&all, &d);
	return der_is_done(&all) ? check_rsa(public) : broken;
}

/* A point on its curve: multiplying it tells, and by 1 it is quick. */
static const char *
read_point(struct bytes bits, struct key_public *public)
{
	static const uint8_t one[] = { 1 };
	uint8_t point[97];
	size_t len = public->curve == BR_EC_secp256r1 ? 65 : 97;

	if (bits.len != len || bits.at[0] != 4) {
		return "the key's point is not there, or compressed";
	}
	memcpy(point, bits.at, len);
	public->point = bits;
	return curves.mul(point, len, one, sizeof one, public->curve) != 1
		? "the key's point is not on its curve" : NULL;
}

const char *
key_read_public(struct bytes spki, struct key_public *public)
{
	struct der_in all = der_open(spki);
	struct der_in d = der_enter(&all, DER_SEQUENCE);
	struct bytes bits;
	const char *why;

	*public = (struct key_public){ .type = 0 };
	why = read_algorithm(&d, public);
	bits = der_take_bits(&d);
	der_leave(&all, &d);
	if (why == NULL) {
		why = !der_is_done(&all) ? broken : public->type == BR_KEYTYPE_EC
			? read_point(bits, public) : read_rsa(bits, public);
	}
	if (why != NULL) {
		*public = (struct key_public){ .type = 0 };
	}
	return why;
}

/* BearSSL's structs can't say that they only read. */
static unsigned char *
unconst(struct bytes b)
{
	return (unsigned char *)(uintptr_t)b.at;
}

br_x509_pkey
key_for_bearssl(const struct key_public *public)
{
	br_x509_pkey pkey = { .key_type = public->type };

	if (public->type == BR_KEYTYPE_EC) {
		pkey.key.ec = (br_ec_public_key){ public->curve, unconst(public->point),
			public->point.len };
	} else {
		pkey.key.rsa = (br_rsa_public_key){ unconst(public->n), public->n.len,
			unconst(public->e), public->e.len };
	}
	return pkey;
}

void
key_put_kind(struct out *o, const struct key_public *public)
{
	if (public->type == BR_KEYTYPE_RSA) {
		out_string(o, "RSA ");
		out_number(o, bits_of(public->n));
	} else {
		out_string(o, public->curve == BR_EC_secp384r1 ? "P-384" : "P-256");
	}
}
