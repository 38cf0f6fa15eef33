/* SPDX-License-Identifier: MIT */
/* `cubsign key` and `cubsign csr`: a client's key, and a request for it. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "command.h"
#include "disk.h"
#include "keyfile.h"
#include "keygen.h"
#include "pem.h"
#include "tell.h"
#include "x509.h"

#define KEY_ENDING ".key"
#define PROMPT_MAX (DISK_PATH_MAX + 32)

/* "tech.key: P-256, sha256:..." */
static bool
print_key(const char *path, const struct key *k)
{
	char text[DISK_PATH_MAX + 128];
	uint8_t buffer[1024], hash[32];
	struct out o = OUT(text);
	struct key_public public;
	struct bytes spki;
	struct der d;

	der_start(&d, buffer, sizeof buffer);
	key_put_public(&d, k);
	spki = (struct bytes){ d.at, (size_t)(d.end - d.at) };
	(void)key_read_public(spki, &public);
	x509_hash(spki, hash);
	out_string(&o, path);
	out_string(&o, ": ");
	key_put_kind(&o, &public);
	out_string(&o, ", ");
	x509_put_fingerprint(&o, hash);
	out_char(&o, '\n');
	return command_print(&o);
}

/* The passphrase of a new key; null where it shall have none. */
static bool
get_passphrase(struct secret *passphrase, const struct options *o, const char *path,
	struct out *why)
{
	char text[PROMPT_MAX];
	struct out prompt = OUT(text);

	out_string(&prompt, "New passphrase of ");
	out_string(&prompt, path);
	return secret_get(passphrase, options_secret(o, OPT_PASSPHRASE_FILE), out_finish(&prompt),
		true, why);
}

static bool
make_key(const struct options *o, const char *path, struct key *k, struct out *why)
{
	bool is_open = options_has(o, OPT_NO_PASSPHRASE), force = options_has(o, OPT_FORCE);
	struct secret passphrase;
	bool is_made;

	/* Also seen when it is written; but nobody shall think of a passphrase in vain. */
	if (!disk_is_free(path, force, why)) {
		return false;
	}
	is_made = (is_open || get_passphrase(&passphrase, o, path, why)) && keygen_make(k, o, why)
		&& keyfile_write(path, k, is_open ? NULL : &passphrase, force, why);
	secret_wipe(&passphrase);
	return is_made;
}

int
command_key(const struct options *o)
{
	char text[DISK_PATH_MAX + 128], path[DISK_PATH_MAX];
	struct out why = OUT(text);
	struct key k;
	int code = EXIT_DONE;

	if (!keygen_check(o, &why)) {
		return command_fail(EXIT_USAGE, "key", &why);
	}
	if (options_has(o, OPT_NO_PASSPHRASE) && options_has(o, OPT_PASSPHRASE_FILE)) {
		out_string(&why, "--passphrase-file and --no-passphrase exclude each other");
		return command_fail(EXIT_USAGE, "key", &why);
	}
	if (!disk_path(path, o->value[OPT_OUT], KEY_ENDING, &why)) {
		return command_fail(EXIT_REFUSED, o->value[OPT_OUT], &why);
	}
	if (!make_key(o, path, &k, &why)) {
		code = command_fail(EXIT_REFUSED, path, &why);
	} else if (!print_key(path, &k)) {
		code = EXIT_REFUSED;
	}
	wipe(&k, sizeof k);
	return code;
}

/* The request of a key as PEM. */
static bool
make_request(const struct options *o, struct out *pem, struct out *why)
{
	uint8_t der[X509_REQUEST_MAX];
	const char *path = o->value[OPT_KEY];
	struct key k;
	int len;

	if (!keyfile_read(&k, path, options_secret(o, OPT_PASSPHRASE_FILE), why)) {
		return false;
	}
	len = x509_request(der, sizeof der, &k, text_of(o->value[OPT_NAME]));
	wipe(&k, sizeof k);
	if (len < 0) {
		return tell(why, "the request is too long");
	}
	pem_put(pem, PEM_REQUEST, der, (size_t)len);
	return true;
}

/* Does this name the file that standard output goes to? */
static bool
is_standard_output(const struct stat *file)
{
	struct stat out;

	return fstat(STDOUT_FILENO, &out) == 0 && out.st_dev == file->st_dev
		&& out.st_ino == file->st_ino;
}

/* Keep a request beside its key, where that takes nothing away. It is no failure if it can't be. */
static void
keep(const char *key, const struct out *pem, bool force)
{
	char text[128], path[DISK_PATH_MAX], base[DISK_PATH_MAX];
	struct text name = text_of(key);
	struct out why = OUT(text);
	struct stat st;
	size_t ending = sizeof KEY_ENDING - 1;

	if (name.len > ending && memcmp(name.at + name.len - ending, KEY_ENDING, ending) == 0) {
		name.len -= ending;
	}
	if (!text_copy(name, base, sizeof base) || !disk_path(path, base, ".csr", &why)) {
		return;
	}
	if (stat(path, &st) == 0 && is_standard_output(&st)) {
		return;
	}
	if (!force && disk_exists(path)) {
		/* An empty one is most likely made just now, for what stands on the other end of a pipe. */
		if (stat(path, &st) != 0 || st.st_size > 0) {
			out_string(&why, "it exists already and was left alone: --force overwrites it");
			(void)command_fail(EXIT_DONE, path, &why);
		}
	} else if (!disk_write(path, pem->at, pem->len, 0644, force, &why)) {
		(void)command_fail(EXIT_DONE, path, &why);
	}
}

int
command_csr(const struct options *o)
{
	char text[DISK_PATH_MAX + 128], request[2 * X509_REQUEST_MAX];
	const char *to = o->value[OPT_OUT];
	struct text name = text_of(o->value[OPT_NAME]);
	struct out why = OUT(text), pem = OUT(request);
	bool force = options_has(o, OPT_FORCE), is_to_file = to != NULL && strcmp(to, "-") != 0;

	if (name.len == 0 || name.len > X509_NAME_MAX || !text_is_plain(name)) {
		out_string(&why, "--name wants 1 to 64 bytes of printable UTF-8");
		return command_fail(EXIT_USAGE, "csr", &why);
	}
	if (is_to_file && !disk_is_free(to, force, &why)) {
		return command_fail(EXIT_REFUSED, to, &why);
	}
	if (!make_request(o, &pem, &why)) {
		return command_fail(EXIT_REFUSED, o->value[OPT_KEY], &why);
	}
	if (is_to_file) {
		return disk_write(to, pem.at, pem.len, 0644, force, &why) ? EXIT_DONE
			: command_fail(EXIT_REFUSED, to, &why);
	}
	if (!command_print(&pem)) {
		return EXIT_REFUSED;
	}
	if (to == NULL) {
		keep(o->value[OPT_KEY], &pem, force);
	}
	return EXIT_DONE;
}
