/* SPDX-License-Identifier: MIT */
/* Private keys in files: see keyfile.h. */
#include "keyfile.h"

#include <string.h>

#include "dekinfo.h"
#include "disk.h"
#include "pbes2.h"
#include "pem.h"
#include "pkcs8.h"
#include "tell.h"
#include "x509.h"

#define FILE_MAX  65536
#define DER_MAX   8192
#define PROMPT_MAX (DISK_PATH_MAX + 32)

#define ENCRYPTED "ENCRYPTED " PEM_PRIVATE_KEY

/* The one key of a file, as it stands there. */
struct found {
	struct bytes   der;         /* within the caller's buffer */
	bool           is_pbes2;
	bool           is_old;      /* encrypted as `info` says */
	struct dekinfo info;
};

/* The objects of one kind in the pieces of a file. Returns as pem_end(). */
static int
take(struct pem *pem, const char *label, struct text first, struct text second,
	uint8_t dst[DER_MAX])
{
	pem_start(pem, label, dst, DER_MAX);
	pem_feed(pem, first.at, first.len);
	pem_feed(pem, second.at, second.len);
	return pem_end(pem);
}

static bool
ends_in(struct text line, const char *ending)
{
	size_t len = strlen(ending);

	return line.len >= len && memcmp(line.at + line.len - len, ending, len) == 0;
}

/* How many keys a file of PEM has, of whatever kind. */
static unsigned
count(struct text file)
{
	static const char begin[] = "-----BEGIN ";
	unsigned keys = 0;

	while (file.at != NULL) {
		struct text line = text_cut(&file, '\n');

		if (line.len > 0 && line.at[line.len - 1] == '\r') {
			line.len--;
		}
		line = text_trim(line);
		if (line.len > sizeof begin && memcmp(line.at, begin, sizeof begin - 1) == 0
			&& ends_in(line, PEM_PRIVATE_KEY "-----")) {
			keys++;
		}
	}
	return keys;
}

/* Find the key of a file. Returns null, or what is wrong. */
static const char *
find(struct bytes file, uint8_t dst[DER_MAX], struct found *f)
{
	struct text text = { (const char *)file.at, file.len }, none = { "", 0 };
	struct pem pem;
	struct bytes rest;
	int err = take(&pem, PEM_PRIVATE_KEY, text, none, dst);

	*f = (struct found){ .is_old = false };
	if (!pem.is_der && count(text) > 1) {
		return "there is more than one key in it";
	}
	if (err == CUB_E_DENIED) {
		err = take(&pem, ENCRYPTED, text, none, dst);
		f->is_pbes2 = err == CUB_OK;
		if (err == CUB_E_NOENT) {
			if (!dekinfo_find(&f->info, text)) {
				return "it is broken: what says how it is encrypted makes no sense";
			}
			f->is_old = true;
			err = take(&pem, PEM_PRIVATE_KEY, f->info.before, f->info.after, dst);
		}
	}
	if (err != CUB_OK) {
		return err == CUB_E_NOENT ? "there is no private key in it"
			: err == CUB_E_LIMIT ? "it holds too much for a private key"
			: "it is broken: neither PEM nor DER";
	}
	rest = (struct bytes){ dst, pem.len };
	(void)x509_chain_next(&rest, &f->der);
	f->is_pbes2 = f->is_pbes2 || (pem.is_der && pbes2_is_likely(f->der));
	return NULL;
}

static bool
import(struct key *k, struct bytes der, struct out *why)
{
	const char *reason;

	return key_import(k, der, &reason) == CUB_OK ? true : tell(why, reason);
}

/* What a wrong passphrase leaves is no DER. */
static bool
import_decrypted(struct key *k, const uint8_t *at, int len, struct out *why)
{
	struct der_in d = der_open((struct bytes){ at, len > 0 ? (size_t)len : 0 });

	(void)der_take(&d, DER_SEQUENCE);
	if (!der_is_done(&d)) {
		return tell(why, "the passphrase is wrong, or the key is damaged");
	}
	return import(k, (struct bytes){ at, (size_t)len }, why);
}

/* Get the passphrase and decrypt what was found into `dst`. */
static bool
open_encrypted(struct key *k, const struct found *f, const char *path,
	struct secret_source from, uint8_t dst[DER_MAX], struct out *why)
{
	char text[PROMPT_MAX];
	struct out prompt = OUT(text);
	struct secret passphrase;
	struct pbes2 pbes2;
	const char *reason = NULL;
	bool is_read = false;
	int len;

	if (f->is_old) {
		reason = f->info.cipher == NULL ? pbes2_unknown : NULL;
	} else {
		reason = pbes2_read(f->der, &pbes2);
	}
	if (reason != NULL) {
		return tell(why, reason);
	}
	out_string(&prompt, "Passphrase of ");
	out_string(&prompt, path);
	if (secret_get(&passphrase, from, out_finish(&prompt), false, why)) {
		if (f->is_old) {
			memcpy(dst, f->der.at, f->der.len);
			len = dekinfo_decrypt(&f->info, &passphrase, dst, f->der.len);
		} else {
			len = pbes2_decrypt(&pbes2, &passphrase, dst);
		}
		is_read = import_decrypted(k, dst, len, why);
	}
	secret_wipe(&passphrase);
	return is_read;
}

bool
keyfile_read(struct key *k, const char *path, struct secret_source from, struct out *why)
{
	uint8_t buffer[FILE_MAX], der[DER_MAX], plain[DER_MAX];
	struct bytes file = { buffer, 0 };
	const char *reason;
	struct found f;
	bool is_read = false;

	if (disk_read_private(path, buffer, sizeof buffer, &file.len, why)) {
		reason = find(file, der, &f);
		is_read = reason != NULL ? tell(why, reason)
			: f.is_pbes2 || f.is_old ? open_encrypted(k, &f, path, from, plain, why)
			: import(k, f.der, why);
	}
	wipe(buffer, sizeof buffer);
	wipe(der, sizeof der);
	wipe(plain, sizeof plain);
	if (!is_read) {
		wipe(k, sizeof *k);
	}
	return is_read;
}

bool
keyfile_write(const char *path, const struct key *k, const struct secret *passphrase,
	bool force, struct out *why)
{
	uint8_t plain[PKCS8_MAX], encrypted[PKCS8_MAX + PBES2_EXTRA];
	char text[2 * sizeof encrypted];
	struct out pem = OUT(text);
	struct der d, e;
	bool is_written;

	der_start(&d, plain, sizeof plain);
	der_start(&e, encrypted, sizeof encrypted);
	pkcs8_write(&d, k);
	if (passphrase != NULL) {
		pbes2_write(&e, (struct bytes){ d.at, (size_t)(d.end - d.at) }, passphrase,
			KEYFILE_ITERATIONS);
		pem_put(&pem, ENCRYPTED, e.at, (size_t)(e.end - e.at));
	} else {
		pem_put(&pem, PEM_PRIVATE_KEY, d.at, (size_t)(d.end - d.at));
	}
	is_written = d.cut || e.cut || pem.cut ? tell(why, "the key can't be written as PKCS#8")
		: disk_write(path, text, pem.len, 0600, force, why);
	wipe(plain, sizeof plain);
	wipe(text, sizeof text);
	return is_written;
}

/* Does it begin as a private key does: PKCS#8, SEC 1 or PKCS#1? */
static bool
is_key_likely(struct bytes der)
{
	struct der_in all = der_open(der);
	struct der_in d = der_enter(&all, DER_SEQUENCE);
	unsigned next;

	(void)der_take_number(&d, 1);
	next = der_peek(&d);
	return all.at == all.end
		&& (next == DER_SEQUENCE || next == DER_OCTET_STRING || next == DER_INTEGER);
}

static void
put_pbes2(struct out *o, struct bytes der)
{
	struct pbes2 pbes2;

	if (pbes2_read(der, &pbes2) != NULL) {
		out_string(o, "encrypted in a way that is not known here");
		return;
	}
	out_string(o, "PBES2, ");
	out_string(o, pbes2.cipher->name);
	out_string(o, ", ");
	out_number(o, pbes2.iterations);
	out_string(o, " rounds of PBKDF2 with HMAC-");
	out_string(o, pbes2.hash_name);
}

bool
keyfile_put_protection(struct out *o, struct bytes file)
{
	uint8_t der[DER_MAX];
	struct found f;
	bool is_key = find(file, der, &f) == NULL;

	if (is_key && f.is_pbes2) {
		put_pbes2(o, f.der);
	} else if (is_key && f.is_old) {
		out_string(o, "weakly, by PEM of old: ");
		out_string(o, f.info.cipher != NULL ? f.info.cipher->name : "another cipher");
		out_string(o, ", one round of MD5");
	} else if (is_key && is_key_likely(f.der)) {
		out_string(o, "not encrypted");
	} else {
		is_key = false;
	}
	wipe(der, sizeof der);
	return is_key;
}
