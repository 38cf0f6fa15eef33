/* SPDX-License-Identifier: MIT */
/* `cubsign show`: whatever a file holds, object after object. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "command.h"
#include "describe.h"
#include "disk.h"
#include "keyfile.h"
#include "load.h"
#include "pbes2.h"
#include "pem.h"
#include "signature.h"
#include "verify.h"

#define OUTPUT_MAX 65536  /* bytes of what is said of one object */

/* A file that is shown. */
struct shown {
	const struct options *o;
	const char *path;
	struct bytes file;
	unsigned *count;           /* objects that have been shown, of all files */
	struct description d;
	struct out out;
	char text[OUTPUT_MAX];
};

static void
begin(struct shown *s, const char *kind)
{
	bool json = options_has(s->o, OPT_JSON);

	s->out = OUT(s->text);
	out_string(&s->out, *s->count == 0 ? "" : json ? "," : "\n");
	describe_start(&s->d, &s->out, json, s->path, kind);
}

static bool
end(struct shown *s)
{
	describe_end(&s->d);
	++*s->count;
	return command_print(&s->out);
}

static bool
fail(const struct shown *s, const char *why)
{
	char text[256];
	struct out o = OUT(text);

	out_string(&o, why);
	(void)command_fail(EXIT_REFUSED, s->path, &o);
	return false;
}

/* Each of a chain; what is wrong with their order is a matter of the first. */
static bool
show_chain(struct shown *s, struct bytes chain)
{
	struct bytes rest = chain, der;

	while (x509_chain_next(&rest, &der) == CUB_OK) {
		bool is_first = der.at == chain.at + 2;

		begin(s, "certificate");
		if (!describe_certificate(&s->d, der, port_time())) {
			return fail(s, "a certificate in it is damaged");
		}
		if (is_first && rest.len > 0) {
			describe_problem_of(&s->d, "the file as a chain: ", verify_order(chain));
		}
		if (!end(s)) {
			return false;
		}
	}
	return true;
}

static bool
show_requests(struct shown *s, struct bytes chain)
{
	struct bytes der;

	while (x509_chain_next(&chain, &der) == CUB_OK) {
		begin(s, "request");
		if (!describe_request(&s->d, der)) {
			return fail(s, "a request in it is damaged");
		}
		if (!end(s)) {
			return false;
		}
	}
	return true;
}

/* Where a passphrase comes from without asking for it. */
static bool
has_passphrase(struct secret_source from)
{
	const char *value = from.variable != NULL ? getenv(from.variable) : NULL;

	return from.file != NULL || (value != NULL && value[0] != '\0');
}

static void
put_key(struct shown *s, const struct key *k)
{
	uint8_t spki[1024];
	struct der d;

	der_start(&d, spki, sizeof spki);
	key_put_public(&d, k);
	describe_public(&s->d, (struct bytes){ d.at, (size_t)(d.end - d.at) });
}

static void
judge_access(struct shown *s)
{
	struct stat st;

	if (strcmp(s->path, "-") != 0 && stat(s->path, &st) == 0 && (st.st_mode & 077) != 0) {
		describe_problem(&s->d,
			"others than its owner can use the file: `chmod 600` makes it private");
	}
}

static bool
show_encrypted(struct shown *s)
{
	struct secret_source from = options_secret(s->o, OPT_PASSPHRASE_FILE);
	char protection[256], text[512];
	struct out how = OUT(protection), why = OUT(text);
	struct key key;

	if (!keyfile_put_protection(&how, s->file)) {
		return fail(s, "it is no private key, or a damaged one");
	}
	begin(s, "private key");
	if (has_passphrase(from)) {
		if (keyfile_read(&key, s->path, from, &why)) {
			put_key(s, &key);
		} else {
			describe_problem_of(&s->d, "it can't be opened: ", out_finish(&why));
		}
		wipe(&key, sizeof key);
	}
	report_text(&s->d.r, "protection", out_finish(&how));
	judge_access(s);
	return end(s);
}

static bool
show_key(struct shown *s, struct bytes der)
{
	struct key key;
	const char *why;

	if (key_import(&key, der, &why) < 0) {
		return fail(s, why);
	}
	begin(s, "private key");
	put_key(s, &key);
	wipe(&key, sizeof key);
	report_text(&s->d.r, "protection", "not encrypted");
	describe_problem(&s->d, "it is not encrypted");
	judge_access(s);
	return end(s);
}

static bool
show_keys(struct shown *s, struct bytes chain)
{
	struct bytes der;

	while (x509_chain_next(&chain, &der) == CUB_OK) {
		if (!show_key(s, der)) {
			return false;
		}
	}
	return true;
}

/* Every private key begins with its version. */
static bool
is_private_key(struct bytes der)
{
	struct der_in all = der_open(der);
	struct der_in d = der_enter(&all, DER_SEQUENCE);

	return all.at == all.end && der_peek(&d) == DER_INTEGER;
}

/* Does what is signed begin as a request does (version, Name, key, attributes), and so end? */
static bool
is_request(struct bytes content)
{
	struct der_in all = der_open(content);
	struct der_in d = der_enter(&all, DER_SEQUENCE);

	(void)der_take(&d, DER_INTEGER);
	(void)der_take(&d, DER_SEQUENCE);
	(void)der_take(&d, DER_SEQUENCE);
	return !d.bad && der_peek(&d) != DER_SEQUENCE;
}

/* A file that is one object of DER, `chain` with its length in front. */
static bool
show_der(struct shown *s, struct bytes chain)
{
	struct signature signature;

	if (pbes2_is_likely(s->file)) {
		return show_encrypted(s);
	}
	if (signature_open(s->file, &signature)) {
		return is_request(signature.content) ? show_requests(s, chain) : show_chain(s, chain);
	}
	return is_private_key(s->file) ? show_key(s, s->file)
		: fail(s, "it is damaged, or no certificate, request or private key");
}

/* What each kind of object in a file of PEM is shown by. */
static const struct kind {
	const char *label;
	bool (*show)(struct shown *s, struct bytes chain);
} kinds[] = {
	{ PEM_CERTIFICATE, show_chain },
	{ PEM_REQUEST, show_requests },
	{ "NEW " PEM_REQUEST, show_requests },
	{ PEM_PRIVATE_KEY, show_keys },
};

static bool
show_all(struct shown *s)
{
	static uint8_t objects[LOAD_MAX];
	bool is_good = true, has_any = false;

	for (size_t i = 0; is_good && i < sizeof kinds / sizeof kinds[0]; i++) {
		struct pem pem;
		struct bytes chain = { objects, 0 };
		int err;

		pem_start(&pem, kinds[i].label, objects, sizeof objects);
		pem_feed(&pem, s->file.at, s->file.len);
		err = pem_end(&pem);
		chain.len = pem.len;
		if (err == CUB_OK && pem.is_der) {
			return show_der(s, chain);
		}
		has_any = has_any || err != CUB_E_NOENT;
		if (err == CUB_E_DENIED) {
			is_good = show_encrypted(s);
		} else if (err == CUB_OK) {
			is_good = kinds[i].show(s, chain);
		} else if (err != CUB_E_NOENT) {
			is_good = fail(s, err == CUB_E_LIMIT ? "it holds too much"
				: "it is broken: neither PEM nor DER");
		}
	}
	wipe(objects, sizeof objects);
	return has_any ? is_good
		: fail(s, "there is no certificate, request or private key in it");
}

int
command_show(const struct options *o)
{
	static uint8_t file[LOAD_MAX];
	static struct shown s;
	unsigned count = 0;
	int code = EXIT_DONE;

	(void)fputs(options_has(o, OPT_JSON) ? "[" : "", stdout);
	for (int i = 0; i < o->word_count; i++) {
		char text[256];
		struct out why = OUT(text);

		s.o = o;
		s.path = o->word[i];
		s.count = &count;
		s.file.at = file;
		if (!disk_read(s.path, file, sizeof file, &s.file.len, &why)) {
			code = command_fail(EXIT_REFUSED, s.path, &why);
		} else if (!show_all(&s)) {
			code = EXIT_REFUSED;
		}
		wipe(file, sizeof file);
	}
	(void)fputs(options_has(o, OPT_JSON) ? "]\n" : "", stdout);
	return fflush(stdout) == 0 ? code : EXIT_REFUSED;
}
