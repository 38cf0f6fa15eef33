/* SPDX-License-Identifier: MIT */
/*
 * `cubsign ca`: a new CA, self-signed or signed by another one. Its files are made beside their
 * places and then put there, the certificate last: without it there is no CA. Its index is there
 * and locked from the beginning, so that nobody signs with a CA that is about to be replaced.
 *
 * A kill leaves at worst an empty index and BASE.key.new and BASE.crt.new, which the next run
 * overwrites, and a new key without a certificate. Where another CA is replaced, its key stands
 * aside as BASE.key.old until all is in place; a run that finds that refuses, so that the key is
 * never lost while the certificate may still be the old one.
 */
#include "command.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "authority.h"
#include "describe.h"
#include "disk.h"
#include "keyfile.h"
#include "keygen.h"
#include "load.h"
#include "tell.h"

#define ROOT_DAYS         7300
#define INTERMEDIATE_DAYS 5475

/* Where its files are to be, and where they are made. */
struct paths {
	char base[DISK_PATH_MAX];
	char key[DISK_PATH_MAX], cert[DISK_PATH_MAX], index[DISK_PATH_MAX];
	char new_key[DISK_PATH_MAX], new_cert[DISK_PATH_MAX], old_key[DISK_PATH_MAX];
};

static bool
find_paths(struct paths *p, const char *name, struct out *why)
{
	struct text base = { name, options_base_length(name) };

	if (!text_copy(base, p->base, sizeof p->base)) {
		return tell_about(why, name, "its name is too long");
	}
	return disk_path(p->key, p->base, ".key", why) && disk_path(p->cert, p->base, ".crt", why)
		&& disk_path(p->index, p->base, ".index", why)
		&& disk_path(p->new_key, p->base, ".key.new", why)
		&& disk_path(p->new_cert, p->base, ".crt.new", why)
		&& disk_path(p->old_key, p->base, ".key.old", why);
}

/* Is nothing in the way? An empty index alone is not: it is what a run that was killed leaves. */
static bool
check_free(const struct paths *p, bool force, struct out *why)
{
	const char *path[] = { p->key, p->cert };
	char text[DISK_PATH_MAX + 64];

	if (disk_exists(p->old_key)) {
		return tell_about(why, p->old_key, "a run that was killed has left this older key: move it "
			"back where the key is missing or does not fit the certificate, or else remove it");
	}
	for (size_t i = 0; i < sizeof path / sizeof path[0]; i++) {
		struct out reason = OUT(text);

		if (!disk_can_write(path[i], force, &reason)) {
			return tell_about(why, path[i], out_finish(&reason));
		}
	}
	return true;
}

/* Unlock the index; one that this run has made is removed where there is no CA for it. */
static void
leave(struct index *index, bool is_done)
{
	if (!is_done && index->is_new) {
		(void)unlink(index->path);
	}
	index_close(index);
}

/* Open the index, and lock it; then nothing is in the way, and nothing comes. */
static bool
enter(struct index *index, const struct paths *p, bool force, struct out *why)
{
	bool is_free;

	if (!check_free(p, force, why) || !index_open(index, p->base, true, why)) {
		return false;
	}
	if (!index->is_new) {
		index_warn(index);
	}
	is_free = index->count == 0 || tell_about(why, p->index, "this CA has signed, and is not "
		"overwritten: move its files away yourself");
	/* What this run has waited for may have made a CA. */
	is_free = is_free && check_free(p, force, why);
	if (!is_free) {
		leave(index, false);
	}
	return is_free;
}

/* The CA that signs the new one. */
static bool
open_parent(struct authority *parent, const struct paths *p, const struct options *o,
	struct out *why)
{
	const char *base = o->value[OPT_PARENT];
	char cert[DISK_PATH_MAX], index[DISK_PATH_MAX];
	enum option from = options_has(o, OPT_PARENT_PASSPHRASE_FILE) ? OPT_PARENT_PASSPHRASE_FILE
		: OPT_PASSPHRASE_FILE;

	if (!disk_path(cert, base, ".crt", why) || !disk_path(index, base, ".index", why)) {
		return false;
	}
	/* Nor would it ever get the lock. */
	if (disk_is_same(cert, p->cert) || disk_is_same(index, p->index)) {
		return tell_about(why, cert, "a CA is not its own parent");
	}
	return authority_open(parent, base, options_secret(o, from), why);
}

/* What is to be signed, as if it had been asked for. Null, or what is wrong with it. */
static const char *
describe(struct csr *csr, struct der *d, const struct key *key, struct text name)
{
	const char *wrong;
	const uint8_t *until = d->at;

	*csr = (struct csr){ .is_signed = true };
	key_put_public(d, key);
	csr->public_key = (struct bytes){ d->at, (size_t)(until - d->at) };
	until = d->at;
	x509_write_name(d, name);
	csr->subject = (struct bytes){ d->at, (size_t)(until - d->at) };
	wrong = key_read_public(csr->public_key, &csr->key);
	return wrong != NULL ? wrong : csr_check_name(csr->subject);
}

static bool
certify(const struct options *o, const struct paths *p, const struct order *order,
	struct authority *parent, const struct key *key, struct issued *issued, struct out *why)
{
	uint8_t buffer[1024];
	const char *wrong;
	struct csr csr;
	struct der d;

	der_start(&d, buffer, sizeof buffer);
	wrong = describe(&csr, &d, key, text_of(o->value[OPT_NAME]));
	if (wrong != NULL) {
		return tell(why, wrong);
	}
	return parent == NULL ? authority_sign_itself(&csr, order, key, issued, why)
		: authority_sign(parent, &csr, order, p->cert, issued, why);
}

/* Put a file in its place. */
static bool
place(const char *from, const char *to, bool force, struct out *why)
{
	char text[256];
	struct out reason = OUT(text);

	return disk_move(from, to, force, &reason) || tell_about(why, to, out_finish(&reason));
}

/* Make the files beside their places. */
static bool
write_beside(const struct paths *p, const struct key *key, const struct secret *passphrase,
	struct bytes chain, struct out *why)
{
	char pem[2 * AUTHORITY_CHAIN_MAX], text[256];
	struct out o = OUT(pem), reason = OUT(text);

	load_put_chain(&o, chain);
	if (o.cut) {
		return tell_about(why, p->cert, "it would be too long");
	}
	if (!disk_write(p->new_cert, pem, o.len, 0644, true, &reason)) {
		return tell_about(why, p->new_cert, out_finish(&reason));
	}
	return keyfile_write(p->new_key, key, passphrase, true, &reason)
		|| tell_about(why, p->new_key, out_finish(&reason));
}

/* Put them there; or all is as it was before. */
static bool
put_in_place(const struct paths *p, bool force, struct out *why)
{
	bool has_old = force && disk_exists(p->key);
	bool is_key_there, is_done;

	if (has_old && !place(p->key, p->old_key, false, why)) {
		return false;
	}
	is_key_there = place(p->new_key, p->key, false, why);
	is_done = is_key_there && (disk_sync_folder(p->key) || tell_about(why, p->key, strerror(errno)))
		&& place(p->new_cert, p->cert, force, why);
	if (is_key_there && !is_done) {
		(void)unlink(p->key);
	}
	if (has_old && !is_done && !disk_move(p->old_key, p->key, false, why)) {
		out_string(why, ": the key of the CA is now ");
		out_string(why, p->old_key);
	}
	if (!is_done) {
		return false;
	}
	if (!disk_sync_folder(p->cert)) {
		return tell_about(why, p->cert, strerror(errno));
	}
	return !has_old || unlink(p->old_key) == 0 || tell_about(why, p->old_key, strerror(errno));
}

static bool
write_files(const struct paths *p, bool force, const struct key *key,
	const struct secret *passphrase, const struct issued *issued, struct out *why)
{
	bool is_done = write_beside(p, key, passphrase, issued->chain, why)
		&& put_in_place(p, force, why);

	(void)unlink(p->new_key);
	(void)unlink(p->new_cert);
	return is_done;
}

static void
report_name(struct report *r, const char *field, struct bytes name)
{
	char text[512];
	struct out o = OUT(text);

	x509_put_name(&o, name, sizeof text - 1);
	report_text(r, field, out_finish(&o));
}

static bool
print(const struct paths *p, const struct issued *issued, const struct order *order, bool json)
{
	char text[8 * DISK_PATH_MAX], kind[32];
	struct out o = OUT(text), k = OUT(kind);
	struct report r = report_start(&o, json);
	struct x509_cert cert;
	const char *wrong = x509_read(issued->own, &cert);

	if (wrong != NULL) {
		out_string(&o, wrong);
		(void)command_fail(EXIT_REFUSED, p->cert, &o);
		return false;
	}
	report_name(&r, "subject", cert.subject);
	if (!bytes_equal(cert.subject, cert.issuer)) {
		report_name(&r, "issuer", cert.issuer);
	}
	report_hash(&r, "fingerprint", issued->fingerprint);
	key_put_kind(&k, &cert.key);
	report_text(&r, "key_kind", out_finish(&k));
	if (order->path_length >= 0) {
		report_number(&r, "path_length", (uint32_t)order->path_length);
	}
	report_time(&r, "not_before", cert.from_s);
	report_time(&r, "not_after", cert.until_s);
	describe_file(&r, "key_file", p->key);
	describe_file(&r, "certificate_file", p->cert);
	describe_file(&r, "index_file", p->index);
	report_end(&r);
	out_string(&o, json ? "\n" : "");
	return command_print(&o);
}

/* All that follows when the options are good; the key lives in here, and is wiped. */
static bool
make(const struct options *o, const struct paths *p, const struct order *order,
	struct authority *parent, struct issued *issued, struct out *why)
{
	struct secret_source from = options_secret(o, OPT_PASSPHRASE_FILE);
	char text[DISK_PATH_MAX + 32];
	struct out prompt = OUT(text);
	struct secret passphrase;
	struct key key;
	bool is_done;

	out_string(&prompt, "New passphrase of ");
	out_string(&prompt, p->key);
	is_done = secret_get(&passphrase, from, out_finish(&prompt), true, why)
		&& keygen_make(&key, o, why)
		&& certify(o, p, order, parent, &key, issued, why)
		&& write_files(p, options_has(o, OPT_FORCE), &key, &passphrase, issued, why);
	secret_wipe(&passphrase);
	wipe(&key, sizeof key);
	return is_done;
}

/* The same with the index of the CA locked. */
static bool
make_locked(const struct options *o, const struct paths *p, const struct order *order,
	struct issued *issued, struct out *why)
{
	bool has_parent = options_has(o, OPT_PARENT), is_done = false;
	struct authority parent;
	struct index index;

	if (!enter(&index, p, options_has(o, OPT_FORCE), why)) {
		return false;
	}
	if (!has_parent) {
		is_done = make(o, p, order, NULL, issued, why);
	} else if (open_parent(&parent, p, o, why)) {
		is_done = make(o, p, order, &parent, issued, why);
		authority_close(&parent);
	}
	leave(&index, is_done);
	return is_done;
}

int
command_ca(const struct options *o)
{
	char text[512 + DISK_PATH_MAX];
	struct out why = OUT(text);
	bool has_parent = options_has(o, OPT_PARENT);
	struct text name = text_of(o->value[OPT_NAME]);
	struct issued issued;
	struct order order;
	struct paths p;

	if (name.len > X509_NAME_MAX || !text_is_plain(name)) {
		out_string(&why, "--name wants 1 to 64 bytes of printable UTF-8");
		return command_fail(EXIT_USAGE, "ca", &why);
	}
	if (!keygen_check(o, &why)
		|| !order_parse_ca(&order, o, has_parent ? INTERMEDIATE_DAYS : ROOT_DAYS, &why)) {
		return command_fail(EXIT_USAGE, "ca", &why);
	}
	if (has_parent && order.path_length < 0) {
		order.path_length = 0;
	}
	if (!find_paths(&p, o->value[OPT_OUT], &why) || !make_locked(o, &p, &order, &issued, &why)) {
		return command_fail(EXIT_REFUSED, NULL, &why);
	}
	return print(&p, &issued, &order, options_has(o, OPT_JSON)) ? EXIT_DONE : EXIT_REFUSED;
}
