/* SPDX-License-Identifier: MIT */
/* The server as a whole: what it starts, waits for, steps and stops. See cubftpd.h. */
#include "server.h"

#include <string.h>

#include "addr.h"
#include "control.h"
#include "hook.h"
#include "pool.h"
#include "reply.h"
#include "sweep.h"
#include "upload.h"
#include "wait.h"

/* Clients open many connections at once, and one that finds no room here waits for a second. */
#define BACKLOG 16

/* How long transfers may still run once the server is told to stop. */
#define STOP_MS UINT64_C(10000)

#define ACCEPT_AGAIN_MS UINT64_C(1000)

static port_sock listeners[CUB_LISTENERS];
static uint64_t stop_deadline_ms;
static uint64_t accept_from_ms;  /* 0, or when to look at the listeners again */

/* ---- Starting ---- */

/* Make an identity where there has never been one. */
static int
make_identity(struct service *sv, struct out *why)
{
	struct text name = service_device_name(sv);
	uint8_t room[IDENTITY_SECRET_MAX];
	struct bytes secret;
	struct log l;
	int err = service_secret(&sv->config, room, &secret, why);

	if (err < 0) {
		return err;
	}
	log_start(&l, "identity-made");
	log_text(&l, "name", name);
	log_end(&l, PORT_LOG_INFO);
	err = identity_make(service_identity(sv), &sv->store[PORT_AREA_IDENTITY], name, secret);
	wipe(room, sizeof room);
	if (err < 0) {
		service_explain(why, sv->config.identity_store, err);
	}
	return err;
}

static int
start_identity(struct service *sv, struct out *why)
{
	int err = service_open(sv, PORT_AREA_IDENTITY, true, why);

	return err == CUB_OK && sv->store[PORT_AREA_IDENTITY].blank ? make_identity(sv, why) : err;
}

static void
log_damaged(const struct service *sv)
{
	struct log l;

	if (sv->trust_error < 0) {
		log_start(&l, "trust-store");
		log_string(&l, "state", log_error_name(sv->trust_error));
		log_string(&l, "effect", "nobody can log in");
		log_end(&l, PORT_LOG_ERROR);
	}
}

/*
 * A trust store that is damaged, or holds more than this build has room for, does not keep the
 * server from telling everybody so. One that could not even be made does.
 */
static int
start_trust(struct service *sv, struct out *why)
{
	size_t before = why->len;
	int err = service_open(sv, PORT_AREA_TRUST, true, why);

	if (err == CUB_E_CORRUPT || (err == CUB_E_FULL && sv->store[PORT_AREA_TRUST].unit > 0)) {
		why->len = before;
		err = CUB_OK;
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
		int err = port_listen(&config->listen[i].addr, BACKLOG, &listeners[i]);

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
		service_explain(why, config->root, err);
	}
	return err;
}

static void
log_start_up(struct service *sv)
{
	struct port_addr told = { .family = 4 };
	char text[16];
	struct out o = OUT(text);
	struct log l;

	log_start(&l, "start");
	log_string(&l, "version", CUBFTPD_VERSION);
	log_number(&l, "sessions", CUB_SESSIONS);
	log_number(&l, "accounts", sv->accounts.count);
	log_number(&l, "trusted", sv->trust.count);
	log_number(&l, "passive_low", sv->config.passive_low);
	log_number(&l, "passive_high", sv->config.passive_high);
	if (sv->config.passive_address[0] != 0) {
		memcpy(told.ip, sv->config.passive_address, sizeof sv->config.passive_address);
		addr_put_ip(&o, &told);
		log_string(&l, "passive_address", out_finish(&o));
	}
	log_fingerprint(&l, "certificate", service_identity(sv)->fingerprint);
	log_end(&l, PORT_LOG_INFO);
	if (sv->config.client_certificate == CLIENT_SIGNED && sv->cas.count == 0) {
		log_start(&l, "no-ca");
		log_string(&l, "effect", "nobody can log in");
		log_end(&l, PORT_LOG_WARNING);
	}
	log_damaged(sv);
}

static void
close_all(struct service *sv)
{
	stop_listening();
	control_stop(sv);
	service_close(sv);
	if (sv->is_running) {
		sweep_stop();
	}
	if (sv->root != PORT_NONE) {
		port_root_close(sv->root);
		sv->root = PORT_NONE;
	}
	sv->is_running = false;
}

int
cubftpd_start(const struct cubftpd_config *config, struct out *why)
{
	struct service *sv = &service;
	int err = cubftpd_config_check(config, why);

	memset(sv, 0, sizeof *sv);
	sv->config = *config;
	sv->root = PORT_NONE;
	sv->now_ms = sv->start_ms = port_clock_ms();
	for (unsigned i = 0; i < CUB_LISTENERS; i++) {
		listeners[i] = PORT_NONE;
	}
	blame_init(&sv->failures, 60, BLAME_FAILURES);
	blame_init(&sv->handshakes, 4, BLAME_HANDSHAKES);
	pool_init(sv);
	if (err == CUB_OK) {
		err = open_root(config, &sv->root, why);
	}
	if (err == CUB_OK) {
		err = start_listening(config, why);
	}
	/* Late, since these may make new stores: nothing is made by a start that can't succeed. */
	if (err == CUB_OK) {
		err = start_identity(sv, why);
	}
	if (err == CUB_OK) {
		err = start_trust(sv, why);
	}
	/* After the stores: their locks keep two servers from taking one socket at a time. */
	if (err == CUB_OK) {
		err = control_start(sv, why);
	}
	if (err < 0) {
		close_all(sv);
		return err;
	}
	sv->is_running = true;
	upload_init();
	hook_init();
	sweep_start(sv->root);
	log_start_up(sv);
	return CUB_OK;
}

static int
reload(struct service *sv, struct cubftpd_config *next, struct out *why)
{
	port_root root = PORT_NONE;
	bool is_other;
	int err;

	/* What has been opened once stays as it is. */
	memcpy(next->listen, sv->config.listen, sizeof next->listen);
	next->listen_count = sv->config.listen_count;
	memcpy(next->control_socket, sv->config.control_socket, sizeof next->control_socket);
	err = cubftpd_config_check(next, why);
	if (err == CUB_OK) {
		err = open_root(next, &root, why);
	}
	if (err < 0) {
		return err;
	}
	is_other = !string_same(sv->config.root, next->root);
	err = service_reload(sv, next, why);
	if (err < 0) {
		port_root_close(root);
		log_damaged(sv);
		return err;
	}
	sweep_stop();
	sweep_start(root);
	port_root_close(sv->root);
	sv->root = root;
	sv->roots += is_other;
	log_start_up(sv);
	return CUB_OK;
}

int
cubftpd_reload(struct cubftpd_config *config, struct out *why)
{
	int err = config == NULL ? CUB_E_BAD : reload(&service, config, why);

	control_reloaded(err, why);
	return err;
}

bool
cubftpd_wants_reload(void)
{
	return control_wants_reload();
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
	control_want(set);
	hook_want(set);
	sweep_want(set);
	pool_want(set);
}

/* There is no session for it. With implicit TLS nothing can be said without an engine. */
static void
turn_away(port_sock sock, const struct port_addr *peer, bool is_implicit, const char *why)
{
	char room[80];
	struct out o = OUT(room);
	struct log l;

	reply(&o, 421, why);
	if (!is_implicit && port_sock_write(sock, room, o.len) > 0) {
		port_sock_shutdown(sock);
	}
	port_sock_close(sock);
	service.status.sessions_refused++;
	log_start(&l, "turned-away");
	log_addr(&l, "peer", peer);
	log_string(&l, "cause", why);
	log_end(&l, PORT_LOG_WARNING);
}

static void
accept_clients(unsigned i)
{
	bool is_implicit = service.config.listen[i].implicit;
	struct port_addr peer;
	port_sock sock;
	int err = CUB_OK;

	for (int n = 0; n <= CUB_SESSIONS; n++) {
		struct session *s;
		const char *why;

		err = port_accept(listeners[i], &sock, &peer);
		if (err < 0) {
			break;
		}
		s = pool_take(&peer, &why);
		if (s == NULL) {
			turn_away(sock, &peer, is_implicit, why);
		} else {
			session_start(s, sock, &peer, is_implicit);
		}
	}
	if (err == CUB_E_LIMIT) {
		/* No handle is left: the client waits, and would wake us all the time. */
		accept_from_ms = service.now_ms + ACCEPT_AGAIN_MS;
	}
}

/* While the server stops: whoever has no transfer any more is told to go. */
static void
step_stop(void)
{
	bool is_late = service.now_ms >= stop_deadline_ms;

	pool_dismiss(is_late, "The server is going down");
	if (is_late) {
		stop_deadline_ms = UINT64_MAX;  /* everybody has been told */
	}
	if (cubftpd_stopped()) {
		close_all(&service);
	}
}

void
cubftpd_step(const struct port_wait *set, uint64_t now_ms)
{
	service.now_ms = now_ms;
	/* Asked once for all, so that whoever comes first doesn't keep the others waiting. */
	service.rate_wait_ms = bucket_wait_ms(&service.rate, now_ms);
	pool_step(set);
	if (now_ms >= accept_from_ms) {
		accept_from_ms = 0;
	}
	for (unsigned i = 0; i < CUB_LISTENERS; i++) {
		if (listeners[i] != PORT_NONE && wait_is_ready(set, listeners[i])) {
			accept_clients(i);
		}
	}
	control_step(&service, set);
	hook_step(&service);
	sweep_step(set);
	if (service.is_stopping) {
		step_stop();
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
	control_stop(&service);
	service.is_stopping = true;
	service.now_ms = now_ms;
	stop_deadline_ms = now_ms + STOP_MS;
	step_stop();
}

bool
cubftpd_stopped(void)
{
	return service.is_stopping && pool_is_empty();
}

void
cubftpd_status(struct cubftpd_status *out)
{
	*out = service.status;
	memcpy(out->fingerprint, service_identity(&service)->fingerprint, sizeof out->fingerprint);
}
