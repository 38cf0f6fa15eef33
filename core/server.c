/* SPDX-License-Identifier: MIT */
/* The fixed array of sessions, the listeners, and what they share: see cubftpd.h. */
#include "server.h"

#include <string.h>

#include "addr.h"
#include "session.h"
#include "wait.h"

/* How long transfers may still run once the server is told to stop. */
#define STOP_MS UINT64_C(10000)

#define ACCEPT_AGAIN_MS UINT64_C(1000)

static struct session sessions[CUB_SESSIONS];
static struct service service;
static port_sock listeners[CUB_LISTENERS];
static uint64_t stop_deadline_ms;
static uint64_t accept_from_ms;  /* 0, or when to look at the listeners again */

/* ---- Starting ---- */

void
server_explain(struct out *why, const char *where, int err)
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

/* The slot that a new identity is loaded into. */
static struct identity *
spare_identity(void)
{
	return &service.identity[!service.identity_now];
}

/* Does a session still use the identity before the one in use? */
static bool
is_spare_in_use(void)
{
	for (unsigned i = 0; i < CUB_SESSIONS; i++) {
		if (sessions[i].state != SESSION_FREE && sessions[i].identity == spare_identity()) {
			return true;
		}
	}
	return false;
}

static int
make_identity(const struct cubftpd_config *config, struct identity *id, struct store *store)
{
	struct text name = text_of(config->device_name[0] == '\0' ? "cubftpd" : config->device_name);
	struct log l;

	log_start(&l, "identity-made");
	log_text(&l, "name", name);
	log_end(&l, PORT_LOG_INFO);
	return identity_make(id, store, name);
}

/* At the start: load the identity, or make one where there has never been one. */
static int
start_identity(const struct cubftpd_config *config, struct out *why)
{
	struct identity *id = &service.identity[0];
	struct store store;
	int err = store_open(&store, PORT_AREA_IDENTITY, config->identity_store, true);

	service.identity_now = 0;
	if (err == CUB_OK) {
		err = store.blank ? make_identity(config, id, &store) : identity_load(id, &store);
		store_close(&store);
	}
	if (err < 0) {
		server_explain(why, config->identity_store, err);
	}
	return err;
}

/*
 * Later: if the store holds another identity than the one in use, load it into the spare
 * slot (`*is_new`). None at all is an error: its medium may just not be there.
 */
static int
reload_identity(const struct cubftpd_config *config, bool *is_new, struct out *why)
{
	struct store store;
	int err = store_open(&store, PORT_AREA_IDENTITY, config->identity_store, false);

	*is_new = false;
	if (err == CUB_OK) {
		err = identity_is_stored(&service.identity[service.identity_now], &store);
		*is_new = err == CUB_E_NOENT;
		if (*is_new) {
			err = is_spare_in_use() ? CUB_E_BUSY : identity_load(spare_identity(), &store);
		}
		store_close(&store);
	}
	if (*is_new && err == CUB_E_BUSY) {
		out_string(why, "the identity changed twice, and a client still uses the first: "
			"try again when it has gone");
	} else if (err < 0) {
		server_explain(why, config->identity_store, err);
	}
	return err;
}

static int
load_accounts(const struct cubftpd_config *config, bool is_first, struct account_table *accounts,
	struct out *why)
{
	struct store store;
	int err = store_open(&store, PORT_AREA_TRUST, config->trust_store, is_first);

	if (err == CUB_OK) {
		err = account_load(accounts, &store);
		store_close(&store);
	}
	if (err < 0) {
		server_explain(why, config->trust_store, err);
	}
	return err;
}

static void
stop_listening(void)
{
	for (unsigned i = 0; i < CUB_LISTENERS; i++) {
		if (listeners[i] != PORT_NONE) {
			port_sock_close(listeners[i]);
			listeners[i] = PORT_NONE;
		}
	}
}

static int
start_listening(const struct cubftpd_config *config, struct out *why)
{
	struct log l;

	for (unsigned i = 0; i < config->listen_count; i++) {
		int err = port_listen(&config->listen[i].addr, CUB_SESSIONS, &listeners[i]);

		if (err < 0) {
			listeners[i] = PORT_NONE;
			out_string(why, "listen ");
			addr_put(why, &config->listen[i].addr);
			out_string(why, err == CUB_E_BUSY ? ": the port is in use"
				: err == CUB_E_DENIED ? ": not permitted" : ": no such address here");
			stop_listening();
			return err;
		}
		log_start(&l, "listen");
		log_addr(&l, "at", &config->listen[i].addr);
		log_string(&l, "tls", config->listen[i].implicit ? "implicit" : "explicit");
		log_end(&l, PORT_LOG_INFO);
	}
	return CUB_OK;
}

static int
open_root(const struct cubftpd_config *config, port_root *root, struct out *why)
{
	int err = port_root_open(PORT_NONE, config->root, root);

	if (err < 0) {
		*root = PORT_NONE;
		out_string(why, "root ");
		server_explain(why, config->root, err);
	}
	return err;
}

static void
log_start_up(void)
{
	struct log l;

	log_start(&l, "start");
	log_string(&l, "version", CUBFTPD_VERSION);
	log_number(&l, "sessions", CUB_SESSIONS);
	log_number(&l, "accounts", service.accounts.count);
	log_number(&l, "passive_low", service.config.passive_low);
	log_number(&l, "passive_high", service.config.passive_high);
	log_fingerprint(&l, "certificate", service.identity[service.identity_now].fingerprint);
	log_end(&l, PORT_LOG_INFO);
}

int
cubftpd_start(const struct cubftpd_config *config, struct out *why)
{
	int err = cubftpd_config_check(config, why);

	service.config = *config;
	service.root = PORT_NONE;
	service.is_stopping = false;
	service.status = (struct cubftpd_status){ .sessions = 0 };
	for (unsigned i = 0; i < CUB_LISTENERS; i++) {
		listeners[i] = PORT_NONE;
	}
	for (unsigned i = 0; i < CUB_SESSIONS; i++) {
		session_init(&sessions[i], (uint8_t)(i + 1), &service);
	}
	if (err == CUB_OK) {
		err = open_root(config, &service.root, why);
	}
	if (err == CUB_OK) {
		err = start_listening(config, why);
	}
	/* Last, since these may make new stores: nothing is made by a start that can't succeed. */
	if (err == CUB_OK) {
		err = start_identity(config, why);
	}
	if (err == CUB_OK) {
		err = load_accounts(config, true, &service.accounts, why);
	}
	if (err < 0) {
		stop_listening();
		if (service.root != PORT_NONE) {
			port_root_close(service.root);
			service.root = PORT_NONE;
		}
		return err;
	}
	log_start_up();
	return CUB_OK;
}

int
cubftpd_reload(const struct cubftpd_config *config, struct out *why)
{
	static struct account_table accounts;
	static struct cubftpd_config next;
	port_root root = PORT_NONE;
	bool is_new = false;
	int err;

	next = *config;
	memcpy(next.listen, service.config.listen, sizeof next.listen);
	next.listen_count = service.config.listen_count;
	err = cubftpd_config_check(&next, why);
	if (err == CUB_OK) {
		err = reload_identity(&next, &is_new, why);
	}
	if (err == CUB_OK) {
		err = load_accounts(&next, false, &accounts, why);
	}
	if (err == CUB_OK) {
		err = open_root(&next, &root, why);
	}
	if (err < 0) {
		return err;
	}
	port_root_close(service.root);
	service.root = root;
	service.config = next;
	service.accounts = accounts;
	if (is_new) {
		service.identity_now = !service.identity_now;
	}
	wipe(&accounts, sizeof accounts);
	log_start_up();
	return CUB_OK;
}

/* ---- Running ---- */

void
cubftpd_want(struct port_wait *set)
{
	set->count = 0;
	set->deadline_ms = service.is_stopping ? stop_deadline_ms : UINT64_MAX;
	for (unsigned i = 0; i < CUB_LISTENERS; i++) {
		if (listeners[i] != PORT_NONE && accept_from_ms == 0) {
			wait_add(set, listeners[i], PORT_READ);
		}
	}
	wait_until(set, accept_from_ms > 0 ? accept_from_ms : UINT64_MAX);
	for (unsigned i = 0; i < CUB_SESSIONS; i++) {
		session_want(&sessions[i], set);
	}
}

static struct session *
free_session(void)
{
	for (unsigned i = 0; i < CUB_SESSIONS; i++) {
		if (sessions[i].state == SESSION_FREE) {
			return &sessions[i];
		}
	}
	return NULL;
}

/* All sessions are in use. With implicit TLS nothing can be said without an engine. */
static void
turn_away(port_sock sock, const struct port_addr *peer, bool is_implicit)
{
	static const char full[] = "421 Too many connections, try again later\r\n";
	struct log l;

	if (!is_implicit && port_sock_write(sock, full, sizeof full - 1) > 0) {
		port_sock_shutdown(sock);
	}
	port_sock_close(sock);
	service.status.sessions_refused++;
	log_start(&l, "full");
	log_addr(&l, "peer", peer);
	log_end(&l, PORT_LOG_WARNING);
}

static void
accept_clients(unsigned i, uint64_t now_ms)
{
	bool is_implicit = service.config.listen[i].implicit;
	struct port_addr peer;
	port_sock sock;
	int err = CUB_OK;

	for (int n = 0; n <= CUB_SESSIONS; n++) {
		struct session *s = free_session();

		err = port_accept(listeners[i], &sock, &peer);
		if (err < 0) {
			break;
		}
		if (s == NULL) {
			turn_away(sock, &peer, is_implicit);
		} else {
			service.status.sessions_served++;
			session_start(s, sock, &peer, is_implicit, now_ms);
		}
	}
	if (err == CUB_E_LIMIT) {
		/* No handle is left: the client waits, and would wake us all the time. */
		accept_from_ms = now_ms + ACCEPT_AGAIN_MS;
	}
}

/* While the server stops: whoever has no transfer any more is told to go. */
static void
step_stop(uint64_t now_ms)
{
	for (unsigned i = 0; i < CUB_SESSIONS; i++) {
		if (sessions[i].state != SESSION_TRANSFER || now_ms >= stop_deadline_ms) {
			session_dismiss(&sessions[i], "The server is going down", now_ms);
		}
	}
	if (now_ms >= stop_deadline_ms) {
		stop_deadline_ms = UINT64_MAX;  /* everybody has been told */
	}
	if (cubftpd_stopped() && service.root != PORT_NONE) {
		port_root_close(service.root);
		service.root = PORT_NONE;
		wipe(service.identity, sizeof service.identity);
		wipe(&service.accounts, sizeof service.accounts);
	}
}

void
cubftpd_step(const struct port_wait *set, uint64_t now_ms)
{
	for (unsigned i = 0; i < CUB_SESSIONS; i++) {
		session_step(&sessions[i], set, now_ms);
	}
	if (now_ms >= accept_from_ms) {
		accept_from_ms = 0;
	}
	for (unsigned i = 0; i < CUB_LISTENERS; i++) {
		if (listeners[i] != PORT_NONE && wait_is_ready(set, listeners[i])) {
			accept_clients(i, now_ms);
		}
	}
	if (service.is_stopping) {
		step_stop(now_ms);
	}
}

/* ---- Stopping ---- */

void
cubftpd_stop(uint64_t now_ms)
{
	struct log l;

	if (service.is_stopping) {
		return;
	}
	log_start(&l, "stop");
	log_end(&l, PORT_LOG_INFO);
	stop_listening();
	service.is_stopping = true;
	stop_deadline_ms = now_ms + STOP_MS;
	step_stop(now_ms);
}

bool
cubftpd_stopped(void)
{
	for (unsigned i = 0; i < CUB_SESSIONS; i++) {
		if (sessions[i].state != SESSION_FREE) {
			return false;
		}
	}
	return service.is_stopping;
}

void
cubftpd_status(struct cubftpd_status *out)
{
	*out = service.status;
	for (unsigned i = 0; i < CUB_SESSIONS; i++) {
		out->sessions += sessions[i].state != SESSION_FREE;
		out->transfers += sessions[i].state == SESSION_TRANSFER;
	}
	for (unsigned i = 0; i < sizeof out->fingerprint; i++) {
		out->fingerprint[i] = service.identity[service.identity_now].fingerprint[i];
	}
}
