/* SPDX-License-Identifier: MIT */
/*
 * X.509 certificates (RFC 5280): read, and the device's own written; and its certificate
 * request (PKCS#10, RFC 2986). A certificate's names are for people's eyes only: identity is a
 * hash. Whether a chain of signatures holds is verify.h's business.
 */
#ifndef X509_H
#define X509_H

#include "key.h"

/* 9999-12-31 23:59:59 UTC: no well-defined end (RFC 5280 section 4.1.2.5). */
#define X509_FOREVER INT64_C(253402300799)

/* The longest common name, in bytes (RFC 5280 appendix A.1: ub-common-name). */
#define X509_NAME_MAX 64

/* keyUsage: what the key may do. Bit n of it (RFC 5280 section 4.2.1.3) is 0x8000 >> n here. */
#define X509_USAGE_SIGN       0x8000  /* digitalSignature, as in a TLS handshake */
#define X509_USAGE_CERT_SIGN  0x0400
#define X509_USAGE_CRL_SIGN   0x0200

/* What an extendedKeyUsage is for (section 4.2.1.12). */
#define X509_FOR_SERVERS 1
#define X509_FOR_CLIENTS 2
#define X509_FOR_OTHERS  4

/* What a list of extensions says. */
struct x509_extensions {
	struct bytes list;        /* the inside of it: see x509_take_extension() */
	bool    is_ca;            /* basicConstraints says so */
	int32_t path_length;      /* of a CA: how many more may stand below it; -1: any number */
	bool    has_usage;
	uint16_t usage;           /* all bits where there is no keyUsage */
	bool    has_purposes;
	uint8_t purposes;         /* all bits where there is no extendedKeyUsage, or it is for any */
	bool    has_unknown;      /* one that is critical, and not known here */
};

/* What a certificate says. The spans lie within its DER. */
struct x509_cert {
	struct bytes signed_part; /* TBSCertificate, whole */
	struct bytes algorithm;   /* of its signature: AlgorithmIdentifier, whole */
	struct bytes signature;
	struct bytes serial;
	struct bytes issuer;      /* Name, whole */
	struct bytes subject;     /* Name, whole */
	struct bytes public_key;  /* SubjectPublicKeyInfo, whole */
	struct key_public key;
	int64_t from_s;
	int64_t until_s;
	struct x509_extensions extensions;
};

/*
 * Read a certificate, with nothing before or after it. All of it must be well-formed DER; its
 * signature is not looked at.
 *
 * Returns null, or what is wrong with it, for people: also where this build can't use its
 * key. Then as much as could be read is in `cert`, and the rest of it is empty.
 */
const char *x509_read(struct bytes der, struct x509_cert *cert);

/*
 * A Name, bounded and printable: "CN=Technician 7, O=Acme". At most `max` bytes; from what
 * does not fit on, all is left out. Nobody can forge a field: in values, each of , + = " and \
 * has a \ before it. What is no printable UTF-8, and what only turns or hides other
 * characters, is shown as "?", and so are attributes other than CN, serialNumber, C, L, ST, O,
 * OU and emailAddress. Values that belong together have a "+" between them.
 */
void x509_put_name(struct out *o, struct bytes name, size_t max);

/* The first common name in a Name; empty where there is none that is printable UTF-8. */
struct text x509_common_name(struct bytes name);

/* SHA-256: of a certificate, its fingerprint; of a SubjectPublicKeyInfo, the key's. */
void x509_hash(struct bytes b, uint8_t out[32]);

/* sha256: and 64 lower-case digits. */
void x509_put_fingerprint(struct out *o, const uint8_t fingerprint[32]);

/* YYYY-MM-DD, and "without end" for X509_FOREVER. */
void x509_put_day(struct out *o, int64_t time_s);

/*
 * The next certificate of a chain: one after another, each as its length (2 bytes,
 * little-endian) and DER. Begin with all of it in `rest`.
 *
 * Returns CUB_OK, CUB_EOF at its end, CUB_E_BAD where it is cut short.
 */
int x509_chain_next(struct bytes *rest, struct bytes *cert);

/*
 * Write a self-signed v3 certificate of a TLS server for a key into `out`. `name` becomes its
 * common name, and a DNS name where it can be one. It is valid from `from_s` without end.
 *
 * Returns its length, or CUB_E_LIMIT where it is longer than `cap`.
 */
int x509_self_signed(uint8_t *out, size_t cap, const struct key *key, struct text name,
	int64_t from_s);

/*
 * Write a certificate request for a key likewise, with the DNS name as a requested extension.
 * X509_REQUEST_MAX bytes are enough for any.
 */
#define X509_REQUEST_MAX (CONFIG_CUBFTPD_RSA ? 1536 : 512)

int x509_request(uint8_t *out, size_t cap, const struct key *key, struct text name);

/*
 * ---- What certificates and requests are made of: for these and for those of others ----
 */

/* A Name that must be well-formed, whole. */
struct bytes x509_take_name(struct der_in *d);

/* One extension, of those in a certificate or asked for by a request. */
struct x509_extension {
	struct bytes oid;
	bool         is_critical;
	struct bytes value;
};

struct x509_extension x509_take_extension(struct der_in *list);

/* Read a list of extensions, by its inside. Returns whether it is well-formed. */
bool x509_read_extensions(struct bytes list, struct x509_extensions *e);

/* A Name of one common name. */
void x509_write_name(struct der *d, struct text name);

/* The extension, of those of RFC 5280 and not critical, whose value was written since `until`. */
void x509_wrap_extension(struct der *d, const uint8_t oid[3], const uint8_t *until);

/* Could it be a host's name (RFC 1123 section 2.1)? Labels begin and end with a letter or digit. */
bool x509_is_host_name(struct text name);

/*
 * Sign what `d` has written into `out`, and put algorithm and signature behind it.
 * Returns the length of the whole, which stands at `out`, or CUB_E_LIMIT.
 */
int x509_sign(uint8_t *out, size_t cap, struct der *d, const struct key *key);

#endif
