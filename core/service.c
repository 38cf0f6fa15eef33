/* SPDX-License-Identifier: MIT */
/* What all sessions share: see service.h. */
#include "service.h"

#include <string.h>

#include "log.h"

struct service service;

int
service_complain(struct out *why, int err, const char *text, const char *about)
{
	out_string(why, text);
	out_json(why, text_of(about));
	return err;
}

void
service_explain(struct out *why, const char *where, int err)
{
	static const struct {
		int         err;
		const char *text;
	} texts[] = {
		{ CUB_E_NOENT, "does not exist" },
		{ CUB_E_DENIED, "permission denied, or others than its owner may use it" },
		{ CUB_E_NOTDIR, "is not a directory" },
		{ CUB_E_BUSY, "is in use by another program" },
		{ CUB_E_CORRUPT, "is damaged: restore it, or remove it to begin anew" },
		{ CUB_E_FULL, "is full" },
		{ CUB_E_LIMIT, "is too small for a store of this build" },
		{ CUB_E_IO, "can't be read or written" },
	};

	out_string(why, where);
	out_string(why, ": ");
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		if (texts[i].err == err) {
			out_string(why, texts[i].text);
			return;
		}
	}
	out_string(why, log_error_name(err));
}

const char *
service_store_name(const struct service *sv, enum port_area area)
{
	return area == PORT_AREA_IDENTITY ? sv->config.identity_store : sv->config.trust_store;
}

struct identity *
service_identity(struct service *sv)
{
	return &sv->identity[sv->identity_now];
}

bool
service_read_own(struct service *sv, struct x509_cert *cert)
{
	const br_x509_certificate *own = &service_identity(sv)->chain[0];

	return service_identity(sv)->chain_count > 0
		&& x509_read((struct bytes){ own->data, own->data_len }, cert) == NULL;
}

struct text
service_device_name(struct service *sv)
{
	struct text name = { NULL, 0 };
	struct x509_cert cert;

	if (service_read_own(sv, &cert)) {
		name = x509_common_name(cert.subject);
	}
	return name.len > 0 && name.len <= X509_NAME_MAX ? name
		: text_of(sv->config.device_name[0] != '\0' ? sv->config.device_name : "cubftpd");
}

struct identity *
service_spare_identity(struct service *sv)
{
	return sv->identity_users[!sv->identity_now] > 0 ? NULL : &sv->identity[!sv->identity_now];
}

int
service_secret(const struct cubftpd_config *config, uint8_t room[IDENTITY_SECRET_MAX],
	struct bytes *secret, struct out *why)
{
	const char *where = config->key_secret;
	int len = 0;

	if (where[0] != '\0') {
		len = port_secret(where, room, IDENTITY_SECRET_MAX);
	}
	*secret = (struct bytes){ room, len > 0 ? (size_t)len : 0 };
	if (len < 0) {
		wipe(room, IDENTITY_SECRET_MAX);  /* it may have begun */
		out_string(why, "key_secret ");
		if (len == CUB_E_BAD || len == CUB_E_LIMIT) {
			out_string(why, where);
			out_string(why, len == CUB_E_BAD ? ": is empty" : ": is longer than 256 bytes");
		} else {
			service_explain(why, where, len);
		}
	}
	return len == CUB_E_BAD ? CUB_E_DENIED : len < 0 ? len : CUB_OK;
}

/* The identity and the CAs of an open store. */
static int
load_identity(struct service *sv, struct out *why)
{
	struct store *store = &sv->store[PORT_AREA_IDENTITY];
	uint8_t room[IDENTITY_SECRET_MAX];
	struct bytes secret = { NULL, 0 };
	int err = CUB_OK;

	if (!store->blank) {
		err = service_secret(&sv->config, room, &secret, why);
		if (err < 0) {
			return err;
		}
		err = identity_load(service_identity(sv), store, secret);
		wipe(room, sizeof room);
		/* A store that was written and has no key has lost it. */
		err = err == CUB_E_NOENT ? CUB_E_CORRUPT : err;
	}
	if (err == CUB_OK) {
		err = ca_load(&sv->cas, store);
	}
	if (err == CUB_E_DENIED) {
		out_string(why, sv->config.identity_store);
		out_string(why, secret.len > 0 ? ": key_secret does not open the sealed key"
			: ": the key is sealed, and key_secret is not set");
	} else if (err < 0) {
		service_explain(why, sv->config.identity_store, err);
	}
	return err;
}

/* The trust store can't be used: then nobody is trusted. */
static void
deny_all(struct service *sv, int err)
{
	sv->accounts.count = 0;
	sv->trust.count = 0;
	sv->trust_error = err;
	sv->changes++;
}

static void
close_store(struct service *sv, enum port_area area)
{
	if (sv->is_open[area]) {
		store_close(&sv->store[area]);
		sv->is_open[area] = false;
	}
}

/* The tables of an open trust store; it is closed where they can't be used. */
static int
load_trust(struct service *sv)
{
	struct store *store = &sv->store[PORT_AREA_TRUST];
	int err = account_load(&sv->accounts, store);

	if (err == CUB_OK) {
		err = trust_load(&sv->trust, store);
	}
	if (err < 0) {
		close_store(sv, PORT_AREA_TRUST);
		deny_all(sv, err);
		return err;
	}
	sv->trust_error = CUB_OK;
	sv->changes++;
	return CUB_OK;
}

int
service_open(struct service *sv, enum port_area area, bool create, struct out *why)
{
	int err;

	if (sv->is_open[area]) {
		return CUB_OK;
	}
	err = store_open(&sv->store[area], area, service_store_name(sv, area), create);
	if (err == CUB_OK) {
		sv->is_open[area] = true;
		if (area == PORT_AREA_IDENTITY) {
			err = load_identity(sv, why);
		} else {
			err = load_trust(sv);
			if (err < 0) {
				service_explain(why, sv->config.trust_store, err);
			}
		}
		if (err < 0) {
			close_store(sv, area);
		}
	} else {
		service_explain(why, service_store_name(sv, area), err);
	}
	if (err < 0 && area == PORT_AREA_TRUST) {
		deny_all(sv, err);
	}
	return err;
}

void
service_close(struct service *sv)
{
	for (unsigned area = 0; area < PORT_AREAS; area++) {
		close_store(sv, (enum port_area)area);
	}
	wipe(sv->identity, sizeof sv->identity);
	wipe(&sv->accounts, sizeof sv->accounts);
	wipe(&sv->inbox, sizeof sv->inbox);
	sv->trust.count = 0;
	sv->cas.count = 0;
	sv->pending.count = 0;
}

int
service_refresh(struct service *sv, enum port_area area)
{
	if (area == PORT_AREA_TRUST) {
		return load_trust(sv);
	}
	sv->changes++;
	return ca_load(&sv->cas, &sv->store[area]);
}

/* Later: if the store holds another identity than the one in use, load it into the spare slot. */
static int
reload_identity(struct service *sv, const struct cubftpd_config *next, bool *is_new,
	struct out *why)
{
	struct store *store = &sv->store[PORT_AREA_IDENTITY];
	struct identity *spare = service_spare_identity(sv);
	uint8_t room[IDENTITY_SECRET_MAX];
	struct bytes secret;
	int err = identity_is_stored(service_identity(sv), store);

	*is_new = err == CUB_E_NOENT;
	if (*is_new && spare == NULL) {
		out_string(why, SERVICE_NO_SPARE);
		return CUB_E_BUSY;
	}
	if (*is_new) {
		err = service_secret(next, room, &secret, why);
		if (err < 0) {
			return err;
		}
		/* None at all is an error: its medium may just not be there. */
		err = identity_load(spare, store, secret);
		wipe(room, sizeof room);
	}
	if (err < 0) {
		service_explain(why, next->identity_store, err);
	}
	return err;
}

/* Open a store at its new place, without loading; where that fails, the old one again. */
static int
reopen(struct service *sv, enum port_area area, const char *where, struct out *why)
{
	const char *before = service_store_name(sv, area);
	int err;

	close_store(sv, area);
	err = store_open(&sv->store[area], area, where, false);
	if (err < 0) {
		service_explain(why, where, err);
	}
	sv->is_open[area] = err == CUB_OK
		|| store_open(&sv->store[area], area, before, false) == CUB_OK;
	return err;
}

static int
reload_trust(struct service *sv, const struct cubftpd_config *next, struct out *why)
{
	int err = reopen(sv, PORT_AREA_TRUST, next->trust_store, why);

	if (err == CUB_OK) {
		err = load_trust(sv);
		if (err < 0) {
			service_explain(why, next->trust_store, err);
		}
	} else if (err == CUB_E_CORRUPT) {
		deny_all(sv, err);  /* it is where it should be, and what it says can't be known */
	}
	return err;
}

/*
 * What was opened in the place of the identity store is not taken over after all. And what
 * could not be read, but is not damaged, neither denies everybody nor makes CAs forgotten, if
 * what was there before can be read still.
 */
static void
step_back(struct service *sv, const struct cubftpd_config *next)
{
	char unused[CUB_HOST_PATH];
	struct out why = OUT(unused);
	bool is_damaged = sv->trust_error == CUB_E_CORRUPT || sv->trust_error == CUB_E_FULL;

	if (!string_same(next->identity_store, sv->config.identity_store)) {
		(void)reopen(sv, PORT_AREA_IDENTITY, sv->config.identity_store, &why);
	}
	if (sv->is_open[PORT_AREA_IDENTITY]) {
		(void)service_refresh(sv, PORT_AREA_IDENTITY);
	}
	if (sv->trust_error < 0 && !is_damaged
		&& reopen(sv, PORT_AREA_TRUST, sv->config.trust_store, &why) == CUB_OK) {
		(void)load_trust(sv);
	}
}

int
service_reload(struct service *sv, const struct cubftpd_config *next, struct out *why)
{
	bool is_new = false;
	int err = reopen(sv, PORT_AREA_IDENTITY, next->identity_store, why);

	if (err == CUB_OK) {
		err = reload_identity(sv, next, &is_new, why);
	}
	if (err == CUB_OK) {
		err = service_refresh(sv, PORT_AREA_IDENTITY);
		if (err < 0) {
			service_explain(why, next->identity_store, err);
		}
	}
	if (err == CUB_OK) {
		err = reload_trust(sv, next, why);
	}
	if (err < 0) {
		step_back(sv, next);
		return err;
	}
	if (is_new) {
		sv->identity_now = !sv->identity_now;
	}
	sv->config = *next;
	sv->request_len = 0;
	return CUB_OK;
}
