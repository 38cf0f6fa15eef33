/* SPDX-License-Identifier: MIT */
/* The trust manager as a folder: see provision.h. */
#include "provision.h"

#include <string.h>

#include "clock.h"
#include "log.h"
#include "path.h"
#include "report.h"

/* What its top holds. */
static const struct {
	const char *name;
	enum page   page;
} top[] = {
	{ "device.csr", PAGE_REQUEST },
	{ "device.crt", PAGE_CHAIN },
	{ "device.json", PAGE_STATUS },
	{ "log.txt", PAGE_LOG },
	{ "ca", PAGE_CAS },
	{ "pending", PAGE_PENDING },
	{ "trusted", PAGE_TRUSTED },
};

/* Of device.json, and of a piece that is put out at once. */
#define STATUS_LEN 1024
#define PIECE      128

#define TOP_COUNT (sizeof top / sizeof top[0])

static int
complain(struct out *why, int err, const char *text)
{
	out_string(why, text);
	return err;
}

/* ---- Names ---- */

#if CONFIG_CUBFTPD_PROVISION
bool
provision_holds(const char *path)
{
	size_t len = sizeof PROVISION_PATH - 1;

	return strlen(path) >= len && memcmp(path, PROVISION_PATH, len) == 0
		&& (path[len] == '\0' || path[len] == '/');
}
#endif

/* What stands behind the folder's name, cut at the first slash: `rest` is what follows that. */
static struct text
first_name(const char *path, struct text *rest)
{
	*rest = text_of(path + sizeof PROVISION_PATH - 1);
	(void)text_cut(rest, '/');
	return text_cut(rest, '/');
}

/* Without ".crt" or what else certificates are called. */
static struct text
without_ending(struct text name)
{
	static const char endings[][5] = { ".crt", ".pem", ".cer", ".der" };

	for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
		if (name.len > 4
			&& text_is((struct text){ name.at + name.len - 4, 4 }, endings[i])) {
			name.len -= 4;
			break;
		}
	}
	return name;
}

/*
 * A folder's entry: its name without the ending, and what it stands for. Returns false behind
 * the last one.
 */
static bool
entry_of(const struct service *sv, enum page dir, unsigned index, struct out *name,
	uint8_t cert[32])
{
	const uint8_t *from;

	if (dir == PAGE_CAS && index < sv->cas.count) {
		from = sv->cas.item[index].fingerprint;
		out_string(name, sv->cas.item[index].name);
	} else if (dir == PAGE_PENDING && index < sv->pending.count) {
		from = sv->pending.item[index].cert;
		out_hex(name, from, 32);
	} else if (dir == PAGE_TRUSTED && index < sv->trust.count) {
		from = sv->trust.item[index].cert;
		out_string(name, sv->trust.item[index].label);
	} else {
		return false;
	}
	memcpy(cert, from, 32);
	return true;
}

/* One of the files of the folder that `place` is: it is that one's then. */
static int
find_in_folder(const struct service *sv, struct text name, struct provision_place *place)
{
	enum page dir = place->page;
	char digits[TRUST_DIGITS];
	char bytes[TRUST_DIGITS];
	struct out o = OUT(bytes);

	name = without_ending(name);
	if (dir == PAGE_PENDING && trust_parse(name, digits) > 0) {
		name = text_of(digits);
	}
	place->page = dir + (PAGE_CA - PAGE_CAS);
	for (unsigned i = 0; entry_of(sv, dir, i, &o, place->cert); i++) {
		if (text_same(name, out_finish(&o))) {
			return CUB_OK;
		}
		o.len = 0;
	}
	return CUB_E_NOENT;
}

/* A page of the top, as it is now. */
static void
open_page(const struct service *sv, enum page page, struct provision_place *place)
{
	*place = (struct provision_place){
		.page = page, .from = log_ring_start(), .to = log_ring_end(),
	};
	if (page == PAGE_REQUEST || page == PAGE_CHAIN) {
		memcpy(place->cert, sv->identity[sv->identity_now].fingerprint, sizeof place->cert);
	}
}

static bool
is_dir(const struct provision_place *place)
{
	return place->page == PAGE_TOP || place->page == PAGE_CAS || place->page == PAGE_PENDING
		|| place->page == PAGE_TRUSTED;
}

int
provision_find(const struct service *sv, const char *path, struct provision_place *place)
{
	struct text rest;
	struct text name = first_name(path, &rest);

	open_page(sv, PAGE_TOP, place);
	if (name.len == 0) {
		return CUB_OK;
	}
	for (size_t i = 0; i < TOP_COUNT; i++) {
		if (text_same(name, top[i].name)) {
			open_page(sv, top[i].page, place);
			return rest.len == 0 ? CUB_OK
				: !is_dir(place) ? CUB_E_NOTDIR
				: memchr(rest.at, '/', rest.len) != NULL ? CUB_E_NOENT
				: find_in_folder(sv, rest, place);
		}
	}
	return CUB_E_NOENT;
}

/* ---- What they hold ---- */

static int
put_request(struct service *sv, struct out *o)
{
	uint8_t der[X509_REQUEST_MAX];
	int len = x509_request(der, sizeof der, &service_identity(sv)->key, service_device_name(sv));

	if (len > 0) {
		pem_put(o, PEM_REQUEST, der, (size_t)len);
	}
	return len < 0 ? len : CUB_OK;
}

static int
put_chain(struct service *sv, struct out *o)
{
	const struct identity *id = service_identity(sv);

	for (unsigned i = 0; i < id->chain_count; i++) {
		pem_put(o, PEM_CERTIFICATE, id->chain[i].data, id->chain[i].data_len);
	}
	return CUB_OK;
}

/*
 * What changes from moment to moment keeps its length, so that a client which asked for that
 * first does not take the file for a cut one: blanks fill it up.
 */
static void
put_blanks(struct out *o, size_t count)
{
	while (count-- > 0) {
		out_char(o, ' ');
	}
}

static int
put_status(struct service *sv, struct out *o)
{
	char page[STATUS_LEN];
	struct out p = OUT(page);

	report_status(&p, sv, true);
	p.len--;  /* the line end comes last */
	put_blanks(&p, sizeof page - 1 - p.len);
	out_char(&p, '\n');
	for (size_t at = 0; at < sizeof page; at += PIECE) {
		out_put(o, page + at, PIECE);
	}
	return CUB_OK;
}

/*
 * The blanks end the first line, so that the last events stand at the file's end. What goes
 * while the file is read leaves blanks, too: what follows it keeps its place.
 */
static int
put_log(const struct provision_place *place, struct out *o)
{
	static const char title[] = "# The last events";
	uint64_t at = log_ring_start() < place->to ? log_ring_start() : place->to;
	char piece[PIECE];
	size_t len;

	out_string(o, title);
	put_blanks(o, CONFIG_CUBFTPD_LOG_RING - (size_t)(place->to - place->from));
	out_char(o, '\n');
	if (at > place->from) {
		put_blanks(o, (size_t)(at - place->from) - 1);
		out_char(o, '\n');
	} else {
		at = place->from;
	}
	while (at < place->to) {
		len = place->to - at < sizeof piece ? (size_t)(place->to - at) : sizeof piece;
		len = log_ring_read(&at, piece, len);
		out_put(o, piece, len);
	}
	return CUB_OK;
}

static int
put_ca(struct service *sv, const uint8_t fingerprint[32], struct out *o)
{
	const struct ca *ca = ca_find_fingerprint(&sv->cas, fingerprint);
	uint8_t der[CUB_CA_MAX];
	int err = ca == NULL ? CUB_E_NOENT
		: ca_read(&sv->store[PORT_AREA_IDENTITY], ca, 0, der, ca->der_len);

	if (err == CUB_OK) {
		pem_put(o, PEM_CERTIFICATE, der, ca->der_len);
	}
	return err;
}

/* Text may stand before a certificate in PEM: tools skip it, and people read it. */
static int
put_pending(struct service *sv, const uint8_t cert[32], struct out *o)
{
	const struct pending *p = pending_find(&sv->pending, cert);

	if (p == NULL) {
		return CUB_E_NOENT;
	}
	report_put(o, &report_pending, p, false);
	if (p->der_len > 0) {
		pem_put(o, PEM_CERTIFICATE, p->der, p->der_len);
	}
	return CUB_OK;
}

int
provision_put(struct service *sv, const struct provision_place *place, struct out *o)
{
	const struct trusted *trusted;

	switch (place->page) {
	case PAGE_REQUEST:
	case PAGE_CHAIN:
		if (memcmp(place->cert, service_identity(sv)->fingerprint, sizeof place->cert) != 0) {
			return CUB_E_NOENT;  /* another one was installed meanwhile */
		}
		return place->page == PAGE_CHAIN ? put_chain(sv, o) : put_request(sv, o);
	case PAGE_STATUS:
		return put_status(sv, o);
	case PAGE_LOG:
		return put_log(place, o);
	case PAGE_CA:
		return put_ca(sv, place->cert, o);
	case PAGE_PENDING_ONE:
		return put_pending(sv, place->cert, o);
	case PAGE_TRUSTED_ONE:
		trusted = trust_find_cert(&sv->trust, place->cert);
		if (trusted == NULL) {
			return CUB_E_NOENT;
		}
		report_put(o, &report_trusted, trusted, false);
		return CUB_OK;
	default:
		return CUB_E_ISDIR;
	}
}

/* How long a file is: made, and counted. The request is signed each time, so it is remembered. */
static int
measure(struct service *sv, const struct provision_place *place, uint64_t *size)
{
	char none;
	struct out o = { .at = &none, .skip = SIZE_MAX };
	int err;

	if (place->page == PAGE_REQUEST && sv->request_len > 0) {
		*size = sv->request_len;
		return CUB_OK;
	}
	err = provision_put(sv, place, &o);
	*size = SIZE_MAX - o.skip;
	if (place->page == PAGE_REQUEST && err == CUB_OK) {
		sv->request_len = (uint16_t)*size;
	}
	return err;
}

int
provision_stat(struct service *sv, const struct provision_place *place, struct port_stat *stat)
{
	const struct trusted *trusted = trust_find_cert(&sv->trust, place->cert);
	const struct pending *pending = pending_find(&sv->pending, place->cert);

	*stat = (struct port_stat){
		.kind = PORT_FILE, .mode = 0600, .mtime_s = clock_now(), .inode = place->page + 1u,
	};
	if (is_dir(place)) {
		stat->kind = PORT_DIR;
		stat->mode = 0700;
		return CUB_OK;
	}
	if (place->page == PAGE_TRUSTED_ONE && trusted != NULL) {
		stat->mtime_s = trusted->added_s;
	} else if (place->page == PAGE_PENDING_ONE && pending != NULL) {
		stat->mtime_s = pending->last_s;
	}
	for (unsigned i = 0; i < 7; i++) {
		stat->inode = stat->inode << 8 | place->cert[i];
	}
	return measure(sv, place, &stat->size);
}

int
provision_entry(struct service *sv, const struct provision_place *dir, unsigned index,
	char *name, struct port_stat *stat)
{
	struct out o = { .at = name, .cap = CUB_NAME_MAX };
	struct provision_place place = { .page = dir->page + (PAGE_CA - PAGE_CAS) };

	if (dir->page != PAGE_TOP) {
		if (!entry_of(sv, dir->page, index, &o, place.cert)) {
			return CUB_EOF;
		}
		out_string(&o, ".crt");
	} else if (index < TOP_COUNT) {
		out_string(&o, top[index].name);
		open_page(sv, top[index].page, &place);
	} else {
		return CUB_EOF;
	}
	out_char(&o, '\0');
	return provision_stat(sv, &place, stat);
}

/* ---- Changes ---- */

int
provision_remove(struct service *sv, const char *path, struct out *why)
{
	struct provision_place place;
	int err = provision_find(sv, path, &place);

	if (err < 0) {
		return complain(why, err, "No such file or directory");
	}
	switch (place.page) {
	case PAGE_CA:
		return manage_remove_ca(sv, ca_find_fingerprint(&sv->cas, place.cert), why);
	case PAGE_TRUSTED_ONE:
		return manage_distrust(sv, trust_find_cert(&sv->trust, place.cert), why);
	case PAGE_PENDING_ONE:
		manage_reject(sv, pending_find(&sv->pending, place.cert));
		return CUB_OK;
	default:
		return complain(why, CUB_E_DENIED, "This can't be removed");
	}
}

/*
 * LABEL or LABEL+ACCOUNT of a name in trusted/. Without an account: the one that the client
 * asked for (`asked`, or empty), the one that is named as the label, the only one.
 */
static int
take_name(const struct service *sv, struct text name, const char *asked, struct trusted *entry,
	struct out *why)
{
	struct text account = without_ending(name);
	struct text label = text_cut(&account, '+');

	if (account.at == NULL) {
		account = text_of(asked);
		if (account.len == 0 && account_find(&sv->accounts, label) != NULL) {
			account = label;
		}
		if (account.len == 0 && sv->accounts.count == 1) {
			account = text_of(sv->accounts.item[0].name);
		}
		if (account.len == 0) {
			return complain(why, CUB_E_NAME, "Say which account it logs in to: name it "
				"LABEL+ACCOUNT.crt");
		}
	}
	if (!text_copy(label, entry->label, sizeof entry->label) || label.len == 0
		|| !text_copy(account, entry->account, sizeof entry->account)) {
		return manage_bad_name(why, name);
	}
	return CUB_OK;
}

int
provision_rename(struct service *sv, const char *from, const char *to, struct out *why)
{
	struct provision_place place, target;
	struct text folder, name;
	struct pending *pending;
	struct trusted entry;
	int err;

	if (!provision_holds(from) || !provision_holds(to)) {
		return complain(why, CUB_E_DENIED, "Nothing can be moved into or out of " PROVISION_PATH);
	}
	err = provision_find(sv, from, &place);
	if (err < 0) {
		return complain(why, err, "No such file or directory");
	}
	folder = first_name(to, &name);
	if (!text_same(folder, "trusted") || name.len == 0
		|| (place.page != PAGE_PENDING_ONE && place.page != PAGE_TRUSTED_ONE)) {
		return complain(why, CUB_E_DENIED, "Only pending and trusted certificates can be renamed, "
			"to trusted/NAME");
	}
	if (provision_find(sv, to, &target) == CUB_OK
		&& memcmp(target.cert, place.cert, sizeof target.cert) != 0) {
		return complain(why, CUB_E_EXIST, "Another certificate has this name");
	}
	if (place.page == PAGE_TRUSTED_ONE) {
		const struct trusted *now = trust_find_cert(&sv->trust, place.cert);

		entry = *now;
		err = take_name(sv, name, now->account, &entry, why);
		return err < 0 ? err : manage_relabel(sv, now, &entry, why);
	}
	pending = pending_find(&sv->pending, place.cert);
	manage_describe_pending(pending, &entry);
	err = take_name(sv, name, pending->account, &entry, why);
	return err < 0 ? err : manage_trust(sv, &entry, why);
}

/* ---- Uploads ---- */

int
provision_upload_start(struct service *sv, const char *path, const void *owner, struct out *why)
{
	struct inbox *inbox = &sv->inbox;
	struct provision_place place;
	int err = provision_find(sv, path, &place);

	if ((err < 0 && err != CUB_E_NOENT) || (place.page != PAGE_CHAIN && place.page != PAGE_CA
		&& place.page != PAGE_TRUSTED_ONE)) {
		return complain(why, CUB_E_DENIED, "Only device.crt and files in ca and trusted can be "
			"written");
	}
	if (inbox->owner != NULL) {
		return complain(why, CUB_E_BUSY, "Busy: " SERVICE_UPLOADING);
	}
	inbox->owner = owner;
	inbox->len = 0;
	pem_start(&inbox->pem, PEM_CERTIFICATE, inbox->at, sizeof inbox->at);
	return CUB_OK;
}

void
provision_upload_feed(struct service *sv, const void *src, size_t len)
{
	pem_feed(&sv->inbox.pem, src, len);
}

void
provision_upload_abandon(struct service *sv, const void *owner)
{
	if (sv->inbox.owner == owner) {
		wipe(&sv->inbox, sizeof sv->inbox);
	}
}

/* The certificate of an upload to ca/ or trusted/. */
static int
apply_one(struct service *sv, enum page page, struct bytes der, struct text name,
	struct out *why)
{
	const struct pending *pending;
	struct trusted entry;
	int err;

	if (page == PAGE_CA) {
		return manage_add_ca(sv, without_ending(name), (struct text){ "", 0 }, der, why);
	}
	err = manage_describe(der, &entry, why);
	if (err == CUB_OK) {
		pending = pending_find(&sv->pending, entry.cert);
		err = take_name(sv, name, pending != NULL ? pending->account : "", &entry, why);
	}
	return err < 0 ? err : manage_trust(sv, &entry, why);
}

int
provision_upload_end(struct service *sv, const char *path, struct out *why)
{
	struct inbox *inbox = &sv->inbox;
	struct provision_place place;
	struct text name;
	struct bytes rest, der;
	int err = pem_end(&inbox->pem);

	rest = (struct bytes){ inbox->at, inbox->pem.len };
	(void)provision_find(sv, path, &place);
	(void)first_name(path, &name);
	if (err < 0) {
		err = complain(why, err == CUB_E_LIMIT ? CUB_E_FULL : CUB_E_BAD, err == CUB_E_LIMIT
			? "It is too long" : "There is no certificate in it, neither as PEM nor as DER");
	} else if (place.page == PAGE_CHAIN) {
		err = manage_install(sv, rest, why);
	} else if (x509_chain_next(&rest, &der) < 0 || rest.len > 0) {
		err = complain(why, CUB_E_BAD, "One certificate is wanted, not several");
	} else {
		err = apply_one(sv, place.page, der, name, why);
	}
	provision_upload_abandon(sv, inbox->owner);
	return err;
}
