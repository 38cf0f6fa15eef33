/* SPDX-License-Identifier: MIT */
/*
 * Simulated stream sockets. A connection is two bounded pipes between a far end, which
 * the test holds, and a socket, which the server gets when it accepts.
 *
 * It behaves as TCP does where that decides something: who closes with unread bytes
 * before it resets the connection; what is written to a far end that has closed is taken
 * once, and then the connection is reset; a listener that is closed resets what it had
 * not accepted. Not modelled: delay, loss of the way between, TIME_WAIT.
 */
#include <string.h>

#include "sim.h"

#define SOCKS 64
#define CONNECTIONS 64
#define PIPE_MAX 65536
#define FAR_LISTENERS 8

#define FIRST_EPHEMERAL 32768

/* Of a Unix socket: the longest path, with its NUL, and how many may wait there. */
#define LOCAL_PATH    108
#define LOCAL_BACKLOG 4

struct pipe {
	size_t cap;
	size_t start;
	size_t len;
	bool   ended;  /* the writer has said that no more comes */
};

enum side { TO_SERVER, TO_PEER };

/* In use while `peer`, `sock` or `waiting` is set. */
static struct connection {
	sim_peer  peer;      /* 0: the far end has closed */
	port_sock sock;      /* 0: the server has closed, or has not accepted */
	port_sock waiting;   /* the listener that has to accept it, or 0 */
	uint64_t  order;
	struct port_addr server_addr;
	struct port_addr peer_addr;
	bool      reset;
	bool      fresh;     /* the server has called, and the far end has not accepted */
	bool      quickack;  /* the server acknowledges at once */
	struct pipe pipe[2];
} connections[CONNECTIONS];
static uint8_t bytes[CONNECTIONS][2][PIPE_MAX];

/* Free while `handle` is 0. */
static struct sock {
	port_sock handle;
	struct connection *connection;  /* null: it listens, or is connecting */
	struct port_addr local;
	struct port_addr called;  /* of `family` 0, unless it is connecting */
	int  backlog;
	bool shut;
	bool lost;      /* CUB_E_IO was returned: only closing may follow */
	bool moved[2];  /* SIM_BYTES: the next read or write comes to nothing */
} socks[SOCKS];

/* Where far hosts listen. */
static struct far_listener {
	struct port_addr at;  /* of `family` 0: free */
	bool silent;
} far_listeners[FAR_LISTENERS];

static struct sim_fault fault;
static enum sim_split   split;
static enum sim_waited  waited;
static size_t   buffer_size;
static unsigned socks_max;
static bool     reset_drops;
static uint64_t connection_order;
static uint64_t activity;
static uint64_t digest;
static uint16_t ephemeral;
static char     local_name[LOCAL_PATH];
static uint8_t  occupied[65536 / 8];
static uint8_t  denied[65536 / 8];

void
sim_net_reset(void)
{
	memset(connections, 0, sizeof connections);
	memset(socks, 0, sizeof socks);
	memset(far_listeners, 0, sizeof far_listeners);
	memset(occupied, 0, sizeof occupied);
	memset(denied, 0, sizeof denied);
	sim_net_fail_at(0, false);
	split = SIM_WHOLE;
	waited = SIM_WAITED_READY;
	buffer_size = PIPE_MAX;
	socks_max = SOCKS;
	reset_drops = false;
	connection_order = 0;
	activity = 0;
	digest = UINT64_C(0xCBF29CE484222325);
	ephemeral = FIRST_EPHEMERAL;
	local_name[0] = '\0';
}

/* The program has ended, or the device. The far ends notice. */
void
sim_net_power_cut(void)
{
	for (unsigned i = 0; i < CONNECTIONS; i++) {
		struct connection *c = &connections[i];

		if (c->sock != 0 || c->waiting != 0) {
			c->sock = 0;
			c->waiting = 0;
			c->reset = true;
			activity++;
		}
	}
	memset(socks, 0, sizeof socks);
}

void
sim_net_split(enum sim_split how)
{
	split = how;
}

void
sim_net_buffer(size_t size)
{
	if (size < 1 || size > PIPE_MAX) {
		sim_fail("sim_net_buffer: from 1 to %d bytes", PIPE_MAX);
	}
	buffer_size = size;
}

void
sim_net_fail_at(uint64_t n, bool forever)
{
	sim_fault_set(&fault, n, forever, CUB_E_IO);
}

uint64_t
sim_net_calls(void)
{
	return fault.calls;
}

bool
sim_net_failed(void)
{
	return fault.struck;
}

static uint8_t
port_bit(uint16_t tcp_port)
{
	return (uint8_t)(1u << (tcp_port & 7));
}

void
sim_net_occupy(uint16_t tcp_port)
{
	occupied[tcp_port >> 3] |= port_bit(tcp_port);
}

void
sim_net_release(uint16_t tcp_port)
{
	occupied[tcp_port >> 3] &= (uint8_t)~port_bit(tcp_port);
}

void
sim_net_deny(uint16_t tcp_port)
{
	denied[tcp_port >> 3] |= port_bit(tcp_port);
}

void
sim_net_limit(unsigned n)
{
	socks_max = n < SOCKS ? n : SOCKS;
}

void
sim_net_reset_drops(bool drops)
{
	reset_drops = drops;
}

unsigned
sim_net_open_count(void)
{
	unsigned count = 0;

	for (unsigned i = 0; i < SOCKS; i++) {
		count += socks[i].handle != 0;
	}
	return count;
}

static bool
listens(const struct sock *s)
{
	return s->handle != 0 && s->connection == NULL && s->called.family == 0;
}

bool
sim_net_listens(uint16_t tcp_port)
{
	for (unsigned i = 0; i < SOCKS; i++) {
		if (listens(&socks[i])
			&& socks[i].local.tcp_port == tcp_port) {
			return true;
		}
	}
	return false;
}

uint64_t
sim_net_activity(void)
{
	return activity;
}

uint64_t
sim_net_digest(void)
{
	return digest;
}

enum sim_waited
sim_waited(void)
{
	return waited;
}

/* Addresses */

struct port_addr
sim_ipv4(uint8_t a, uint8_t b, uint8_t c, uint8_t d, uint16_t tcp_port)
{
	return (struct port_addr){ .family = 4, .ip = { a, b, c, d }, .tcp_port = tcp_port };
}

struct port_addr
sim_ipv6(uint8_t last, uint16_t tcp_port)
{
	return (struct port_addr){
		.family = 6,
		.ip = { 0x20, 0x01, 0x0d, 0xb8, [15] = last },
		.tcp_port = tcp_port,
	};
}

static size_t
ip_len(const struct port_addr *a)
{
	return a->family == 4 ? 4 : 16;
}

static bool
same_ip(const struct port_addr *a, const struct port_addr *b)
{
	return a->family == b->family && memcmp(a->ip, b->ip, ip_len(a)) == 0;
}

static bool
is_any(const struct port_addr *a)
{
	static const uint8_t zeros[16];

	return memcmp(a->ip, zeros, ip_len(a)) == 0;
}

static bool
is_ours(const struct port_addr *a)
{
	const struct port_addr ipv4 = sim_ipv4(192, 0, 2, 1, 0);
	const struct port_addr ipv6 = sim_ipv6(1, 0);
	const struct port_addr loopback = { .family = 6, .ip = { [15] = 1 } };

	if (a->family == 4) {
		return is_any(a) || same_ip(a, &ipv4) || a->ip[0] == 127;
	}
	return is_any(a) || same_ip(a, &ipv6) || same_ip(a, &loopback)
		|| (a->ip[0] == 0xFE && (a->ip[1] & 0xC0) == 0x80 && a->scope != 0);
}

/* Whether a listener at `at` takes clients of a family: `::` takes both. */
static bool
takes_family(const struct port_addr *at, uint8_t family)
{
	return at->family == family || (at->family == 6 && is_any(at));
}

static bool
takes_address(const struct port_addr *at, const struct port_addr *to)
{
	return at->tcp_port == to->tcp_port && takes_family(at, to->family)
		&& (is_any(at) || same_ip(at, to));
}

static bool
in_use(const struct port_addr *at)
{
	if (occupied[at->tcp_port >> 3] & port_bit(at->tcp_port)) {
		return true;
	}
	for (unsigned i = 0; i < SOCKS; i++) {
		const struct sock *s = &socks[i];

		if (listens(s)
			&& (takes_address(&s->local, at) || takes_address(at, &s->local))) {
			return true;
		}
	}
	return false;
}

/* Pipes */

static void
note_bytes(const uint8_t *src, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		digest = (digest ^ src[i]) * UINT64_C(0x100000001B3);
	}
	activity++;
}

static uint8_t *
pipe_bytes(const struct connection *c, enum side side)
{
	return bytes[c - connections][side];
}

static size_t
pipe_put(struct connection *c, enum side side, const void *src, size_t len)
{
	struct pipe *p = &c->pipe[side];
	const uint8_t *from = src;

	if (len > p->cap - p->len) {
		len = p->cap - p->len;
	}
	for (size_t i = 0; i < len; i++) {
		pipe_bytes(c, side)[(p->start + p->len + i) % p->cap] = from[i];
	}
	p->len += len;
	note_bytes(from, len);
	return len;
}

static size_t
pipe_get(struct connection *c, enum side side, void *dst, size_t len)
{
	struct pipe *p = &c->pipe[side];
	uint8_t *to = dst;

	if (len > p->len) {
		len = p->len;
	}
	for (size_t i = 0; i < len; i++) {
		to[i] = pipe_bytes(c, side)[(p->start + i) % p->cap];
	}
	p->start = (p->start + len) % p->cap;
	p->len -= len;
	activity++;
	return len;
}

static void
reset_connection(struct connection *c)
{
	c->reset = true;
	if (reset_drops) {
		c->pipe[TO_SERVER].len = 0;
		c->pipe[TO_PEER].len = 0;
	}
	activity++;
}

/* How much a read or write of `len` bytes moves now, or 0 for CUB_AGAIN. */
static size_t
piece(struct sock *s, enum side side, size_t len)
{
	switch (split) {
	case SIM_BYTES:
		s->moved[side] = !s->moved[side];
		return s->moved[side] ? 1 : 0;
	case SIM_RANDOM:
		switch (sim_draw_below(SIM_NET, 4)) {
		case 0:
			return 0;
		case 1:
			return len;
		case 2:
			len = len < 16 ? len : 16;
			break;
		}
		return 1 + sim_draw_below(SIM_NET, (uint32_t)len);
	case SIM_WHOLE:
		break;
	}
	return len;
}

/* The server's side */

/* The socket, or null for one of before a power cut. */
static struct sock *
sock_of(port_sock sock)
{
	struct sock *s = &socks[sim_handle_slot(sock) % SOCKS];

	if (sock <= 0 || s->handle != sock) {
		sim_handle_stale(SIM_SOCK, sock);
		return NULL;
	}
	return s;
}

static struct sock *
connected(port_sock sock)
{
	struct sock *s = sock_of(sock);

	if (s != NULL) {
		SIM_RULE(s->connection != NULL, "socket: one that is not connected can't do that");
		SIM_RULE(!s->lost, "socket: only closing may follow CUB_E_IO");
	}
	return s;
}

static int
new_sock(port_sock *out)
{
	if (sim_net_open_count() >= socks_max) {
		return CUB_E_LIMIT;
	}
	for (unsigned i = 0; i < SOCKS; i++) {
		if (socks[i].handle == 0) {
			*out = sim_handle_make(SIM_SOCK, i);
			socks[i] = (struct sock){ .handle = *out };
			return CUB_OK;
		}
	}
	return CUB_E_LIMIT;
}

static uint16_t
choose_port(const struct port_addr *at)
{
	struct port_addr tried = *at;

	do {
		tried.tcp_port = ephemeral;
		ephemeral = (uint16_t)(ephemeral == 65535 ? FIRST_EPHEMERAL : ephemeral + 1);
	} while (in_use(&tried));
	return tried.tcp_port;
}

int
port_listen(const struct port_addr *at, int backlog, port_sock *out)
{
	struct port_addr local = *at;
	int err = sim_fault_count(&fault);

	SIM_RULE(at->family == 4 || at->family == 6, "listen: an address of no family");
	SIM_RULE(backlog > 0, "listen: no backlog");
	if (err != CUB_OK || sim_power_is_off() || !is_ours(at)) {
		return CUB_E_IO;
	}
	if (local.tcp_port == 0) {
		local.tcp_port = choose_port(at);
	}
	if (denied[local.tcp_port >> 3] & port_bit(local.tcp_port)) {
		return CUB_E_DENIED;
	}
	if (in_use(&local)) {
		return CUB_E_BUSY;
	}
	err = new_sock(out);
	if (err != CUB_OK) {
		return err;
	}
	sock_of(*out)->local = local;
	sock_of(*out)->backlog = backlog;
	return CUB_OK;
}

/* Who listens at the Unix socket, or null. Its address has no family. */
static const struct sock *
local_listener(void)
{
	for (unsigned i = 0; i < SOCKS; i++) {
		if (listens(&socks[i]) && socks[i].local.family == 0) {
			return &socks[i];
		}
	}
	return NULL;
}

int
port_listen_local(const char *path, port_sock *out)
{
	size_t len = strlen(path);
	int err = sim_fault_count(&fault);

	if (err != CUB_OK || sim_power_is_off()) {
		return CUB_E_IO;
	}
	if (len == 0 || len >= LOCAL_PATH) {
		return CUB_E_NAME;
	}
	if (sim_file_exists(path) || sim_dir_exists(path)) {
		return CUB_E_EXIST;
	}
	if (local_listener() != NULL) {
		if (strcmp(path, local_name) != 0) {
			sim_fail("sim: a second Unix socket is not simulated");
		}
		return CUB_E_BUSY;
	}
	err = new_sock(out);
	if (err == CUB_OK) {
		sock_of(*out)->backlog = LOCAL_BACKLOG;
		memcpy(local_name, path, len + 1);
	}
	return err;
}

void
port_forget_local(const char *path)
{
	if (strcmp(path, local_name) == 0) {
		local_name[0] = '\0';
	}
}

static struct connection *
next_waiting(port_sock listener)
{
	struct connection *next = NULL;

	for (unsigned i = 0; i < CONNECTIONS; i++) {
		struct connection *c = &connections[i];

		if (c->waiting == listener && (next == NULL || c->order < next->order)) {
			next = c;
		}
	}
	return next;
}

int
port_accept(port_sock listener, port_sock *out, struct port_addr *peer)
{
	struct sock *s = sock_of(listener);
	struct connection *c;
	int err = sim_fault_count(&fault);

	if (s == NULL) {
		return CUB_E_IO;
	}
	SIM_RULE(listens(s), "accept: the socket does not listen");
	c = next_waiting(listener);
	if (err != CUB_OK) {
		if (c != NULL) {
			c->waiting = 0;
			reset_connection(c);
		}
		return err;
	}
	if (c == NULL || (split == SIM_RANDOM && sim_draw_below(SIM_NET, 4) == 0)) {
		return CUB_AGAIN;
	}
	err = new_sock(out);
	if (err != CUB_OK) {
		return err;
	}
	c->waiting = 0;
	c->sock = *out;
	sock_of(*out)->connection = c;
	sock_of(*out)->local = c->server_addr;
	*peer = c->peer_addr;
	activity++;
	return CUB_OK;
}

/* A connection that has a slot, and pipes. */
static struct connection *
new_connection(const struct port_addr *server, const struct port_addr *peer)
{
	for (unsigned i = 0; i < CONNECTIONS; i++) {
		struct connection *c = &connections[i];

		if (c->peer == 0 && c->sock == 0 && c->waiting == 0) {
			*c = (struct connection){
				.peer = sim_handle_make(SIM_FAR_END, i),
				.order = connection_order++,
				.server_addr = *server,
				.peer_addr = *peer,
				.pipe = { { .cap = buffer_size }, { .cap = buffer_size } },
			};
			activity++;
			return c;
		}
	}
	sim_fail("sim: more than %d connections", CONNECTIONS);
}

static const struct far_listener *
far_listener_at(const struct port_addr *at)
{
	for (unsigned i = 0; i < FAR_LISTENERS; i++) {
		if (same_ip(&far_listeners[i].at, at) && far_listeners[i].at.tcp_port == at->tcp_port) {
			return &far_listeners[i];
		}
	}
	return NULL;
}

static bool
is_silent(const struct port_addr *at)
{
	const struct far_listener *far = far_listener_at(at);

	return far != NULL && far->silent;
}

/* The socket is there, and has begun to connect. */
static int
start_connecting(port_sock *sock, const struct port_addr *from, const struct port_addr *to)
{
	struct port_addr local = *from;
	int err = new_sock(sock);

	if (err != CUB_OK) {
		return err;
	}
	local.tcp_port = choose_port(from);
	sock_of(*sock)->local = local;
	sock_of(*sock)->called = *to;
	return is_ours(from) ? CUB_AGAIN : CUB_E_IO;
}

int
port_connect(port_sock *sock, const struct port_addr *from, const struct port_addr *to)
{
	struct connection *c;
	struct sock *s;
	int err = sim_fault_count(&fault);

	SIM_RULE(from->family == to->family && (to->family == 4 || to->family == 6)
		&& to->tcp_port != 0, "connect: no such address");
	if (err != CUB_OK || sim_power_is_off()) {
		return CUB_E_IO;
	}
	if (*sock == PORT_NONE) {
		return start_connecting(sock, from, to);
	}
	s = sock_of(*sock);
	if (s == NULL) {
		return CUB_E_IO;
	}
	SIM_RULE(s->connection == NULL && same_ip(&s->called, to)
		&& s->called.tcp_port == to->tcp_port, "connect: another address, or once too often");
	if (is_silent(to) || (split == SIM_RANDOM && sim_draw_below(SIM_NET, 4) == 0)) {
		return CUB_AGAIN;
	}
	if (far_listener_at(to) == NULL) {
		return CUB_E_IO;
	}
	c = new_connection(&s->local, to);
	c->sock = *sock;
	c->fresh = true;
	s->connection = c;
	s->called.family = 0;
	return CUB_OK;
}

/* The network behind 192.0.2.1 is 192.0.2.0/24. */
bool
port_is_near(const struct port_addr *local, const struct port_addr *peer)
{
	SIM_RULE(local->family == 4 && peer->family == 4, "near: not IPv4");
	return memcmp(local->ip, peer->ip, local->ip[0] == 127 ? 1 : 3) == 0;
}

int
port_sock_local(port_sock sock, struct port_addr *out)
{
	struct sock *s = sock_of(sock);
	int err = sim_fault_count(&fault);

	if (s == NULL || err != CUB_OK) {
		return CUB_E_IO;
	}
	SIM_RULE(!s->lost, "socket: only closing may follow CUB_E_IO");
	*out = s->local;
	return CUB_OK;
}

static int
lose(struct sock *s)
{
	s->lost = true;
	if (!s->connection->reset) {
		reset_connection(s->connection);
	}
	return CUB_E_IO;
}

int
port_sock_read(port_sock sock, void *dst, size_t len)
{
	struct sock *s = connected(sock);
	struct pipe *p;
	int err = sim_fault_count(&fault);

	SIM_RULE(len > 0 && len <= INT32_MAX, "read: a length of 0 or far too large");
	if (s == NULL) {
		return CUB_E_IO;
	}
	p = &s->connection->pipe[TO_SERVER];
	if (err != CUB_OK || (s->connection->reset && p->len == 0)) {
		return lose(s);
	}
	if (p->len == 0) {
		return p->ended ? CUB_EOF : CUB_AGAIN;
	}
	len = piece(s, TO_SERVER, len < p->len ? len : p->len);
	return len == 0 ? CUB_AGAIN : (int)pipe_get(s->connection, TO_SERVER, dst, len);
}

int
port_sock_write(port_sock sock, const void *src, size_t len)
{
	struct sock *s = connected(sock);
	struct connection *c;
	size_t room;
	int err = sim_fault_count(&fault);

	SIM_RULE(len > 0 && len <= INT32_MAX, "write: a length of 0 or far too large");
	if (s == NULL) {
		return CUB_E_IO;
	}
	SIM_RULE(!s->shut, "write: after a shutdown");
	c = s->connection;
	if (err != CUB_OK || c->reset) {
		return lose(s);
	}
	if (c->peer == 0) {
		reset_connection(c);
		return (int)len;
	}
	room = c->pipe[TO_PEER].cap - c->pipe[TO_PEER].len;
	if (room == 0) {
		return CUB_AGAIN;
	}
	len = piece(s, TO_PEER, len < room ? len : room);
	return len == 0 ? CUB_AGAIN : (int)pipe_put(c, TO_PEER, src, len);
}

void
port_sock_quickack(port_sock sock)
{
	struct sock *s = connected(sock);

	if (s != NULL) {
		s->connection->quickack = true;
	}
}

void
port_sock_shutdown(port_sock sock)
{
	struct sock *s = connected(sock);

	if (s != NULL) {
		s->shut = true;
		s->connection->pipe[TO_PEER].ended = true;
		activity++;
	}
}

void
port_sock_close(port_sock sock)
{
	struct sock *s = sock_of(sock);
	struct connection *c;

	if (s == NULL) {
		return;
	}
	c = s->connection;
	if (c != NULL) {
		c->sock = 0;
		c->pipe[TO_PEER].ended = true;
		if (c->pipe[TO_SERVER].len > 0 && !c->reset) {
			reset_connection(c);
		}
	} else {
		while ((c = next_waiting(sock)) != NULL) {
			c->waiting = 0;
			reset_connection(c);
		}
	}
	s->handle = 0;
	activity++;
}

/* Waiting */

static uint8_t
ready_events(const struct sock *s)
{
	const struct connection *c = s->connection;
	unsigned ready = 0;

	if (c == NULL && s->called.family != 0) {
		return is_silent(&s->called) ? 0 : PORT_WRITE;
	}
	if (c == NULL) {
		return next_waiting(s->handle) != NULL ? PORT_READ : 0;
	}
	if (c->pipe[TO_SERVER].len > 0 || c->pipe[TO_SERVER].ended || c->reset) {
		ready |= PORT_READ;
	}
	if (c->pipe[TO_PEER].len < c->pipe[TO_PEER].cap || c->reset || c->peer == 0) {
		ready |= PORT_WRITE;
	}
	return (uint8_t)ready;
}

static bool
mark_ready(struct port_wait *set)
{
	bool any = false;

	SIM_RULE(set->count <= CUB_WAIT_MAX, "wait: too many items");
	for (unsigned i = 0; i < set->count; i++) {
		const struct sock *s = sock_of(set->item[i].sock);
		uint8_t events = set->item[i].events;
		uint8_t ready = s != NULL ? ready_events(s) : PORT_READ | PORT_WRITE;

		SIM_RULE(events != 0 && (events & ~(PORT_READ | PORT_WRITE)) == 0, "wait: no such event");
		SIM_RULE(s == NULL || !s->lost, "wait: only closing may follow CUB_E_IO");
		set->item[i].ready = events & ready;
		any = any || set->item[i].ready != 0;
	}
	return any;
}

void
port_wait(struct port_wait *set)
{
	bool any = mark_ready(set);

	if (split == SIM_RANDOM && sim_draw_below(SIM_NET, 8) == 0) {
		bool none = sim_coin(SIM_NET);

		for (unsigned i = 0; i < set->count; i++) {
			if (none || sim_coin(SIM_NET)) {
				set->item[i].ready = 0;
			}
		}
		waited = SIM_WAITED_SIGNAL;
	} else if (any) {
		waited = SIM_WAITED_READY;
	} else if (set->deadline_ms <= port_clock_ms()) {
		waited = SIM_WAITED_DUE;
	} else if (set->deadline_ms == UINT64_MAX) {
		waited = SIM_WAITED_NEVER;
	} else {
		waited = SIM_WAITED_TIME;
		sim_clock_wait(set->deadline_ms);
	}
}

/* The far end */

static struct connection *
far_end(sim_peer peer)
{
	struct connection *c = &connections[sim_handle_slot(peer) % CONNECTIONS];

	if (peer <= 0 || c->peer != peer) {
		sim_fail("sim: no such peer, or it has closed already");
	}
	return c;
}

static unsigned
waiting_count(port_sock listener)
{
	unsigned count = 0;

	for (unsigned i = 0; i < CONNECTIONS; i++) {
		count += connections[i].waiting == listener;
	}
	return count;
}

static int
connect_listener(const struct sock *listener, const struct port_addr *from,
	const struct port_addr *to, sim_peer *out)
{
	struct connection *c;

	if (waiting_count(listener->handle) >= (unsigned)listener->backlog) {
		return CUB_AGAIN;
	}
	c = new_connection(to, from);
	c->waiting = listener->handle;
	*out = c->peer;
	return CUB_OK;
}

int
sim_connect_to(const struct port_addr *from, const struct port_addr *to, sim_peer *out)
{
	if (from->family != to->family) {
		sim_fail("sim_connect_to: addresses of two families");
	}
	for (unsigned i = 0; i < SOCKS; i++) {
		const struct sock *s = &socks[i];

		if (listens(s) && takes_address(&s->local, to)) {
			return connect_listener(s, from, to, out);
		}
	}
	return CUB_E_IO;
}

int
sim_connect(const struct port_addr *from, uint16_t to_tcp_port, sim_peer *out)
{
	for (unsigned i = 0; i < SOCKS; i++) {
		const struct sock *s = &socks[i];

		if (listens(s) && s->local.tcp_port == to_tcp_port
			&& takes_family(&s->local, from->family)) {
			struct port_addr to = s->local;

			if (is_any(&to)) {
				to = from->family == 4 ? sim_ipv4(192, 0, 2, 1, to_tcp_port)
					: sim_ipv6(1, to_tcp_port);
			}
			return connect_listener(s, from, &to, out);
		}
	}
	return CUB_E_IO;
}

void
sim_far_listen(const struct port_addr *at, bool silent)
{
	for (unsigned i = 0; i < FAR_LISTENERS; i++) {
		if (far_listeners[i].at.family == 0) {
			far_listeners[i] = (struct far_listener){ *at, silent };
			return;
		}
	}
	sim_fail("sim: more than %d far listeners", FAR_LISTENERS);
}

void
sim_far_unlisten(void)
{
	memset(far_listeners, 0, sizeof far_listeners);
}

int
sim_far_accept(const struct port_addr *at, sim_peer *out)
{
	for (unsigned i = 0; i < CONNECTIONS; i++) {
		struct connection *c = &connections[i];

		if (c->fresh && same_ip(&c->peer_addr, at) && c->peer_addr.tcp_port == at->tcp_port) {
			c->fresh = false;
			*out = c->peer;
			return CUB_OK;
		}
	}
	return CUB_AGAIN;
}

int
sim_connect_local(sim_peer *out)
{
	static const struct port_addr nowhere;
	const struct sock *listener = local_name[0] != '\0' ? local_listener() : NULL;

	return listener != NULL ? connect_listener(listener, &nowhere, &nowhere, out) : CUB_E_IO;
}

const char *
sim_local_name(void)
{
	return local_name;
}

int
sim_peer_write(sim_peer peer, const void *src, size_t len)
{
	struct connection *c = far_end(peer);

	if (c->pipe[TO_SERVER].ended) {
		sim_fail("sim_peer_write: after a shutdown");
	}
	if (c->reset) {
		return CUB_E_IO;
	}
	if (c->sock == 0 && c->waiting == 0) {
		reset_connection(c);
		return CUB_E_IO;
	}
	if (len == 0 || c->pipe[TO_SERVER].len == c->pipe[TO_SERVER].cap) {
		return CUB_AGAIN;
	}
	return (int)pipe_put(c, TO_SERVER, src, len);
}

int
sim_peer_read(sim_peer peer, void *dst, size_t cap)
{
	struct connection *c = far_end(peer);

	if (c->pipe[TO_PEER].len > 0 && cap > 0) {
		return (int)pipe_get(c, TO_PEER, dst, cap);
	}
	if (c->reset) {
		return CUB_E_IO;
	}
	return c->pipe[TO_PEER].ended ? CUB_EOF : CUB_AGAIN;
}

void
sim_peer_shutdown(sim_peer peer)
{
	far_end(peer)->pipe[TO_SERVER].ended = true;
	activity++;
}

void
sim_peer_reset(sim_peer peer)
{
	struct connection *c = far_end(peer);

	reset_connection(c);
	c->peer = 0;
}

void
sim_peer_close(sim_peer peer)
{
	struct connection *c = far_end(peer);

	c->pipe[TO_SERVER].ended = true;
	if (c->pipe[TO_PEER].len > 0) {
		reset_connection(c);
	}
	c->peer = 0;
	activity++;
}

bool
sim_peer_eof(sim_peer peer)
{
	const struct connection *c = far_end(peer);

	return c->pipe[TO_PEER].ended || c->reset;
}

bool
sim_peer_lost(sim_peer peer)
{
	return far_end(peer)->reset;
}

bool
sim_peer_quickack(sim_peer peer)
{
	return far_end(peer)->quickack;
}

bool
sim_peer_held(sim_peer peer)
{
	return far_end(peer)->sock != 0;
}

size_t
sim_peer_pending(sim_peer peer)
{
	return far_end(peer)->pipe[TO_PEER].len;
}

size_t
sim_peer_unread(sim_peer peer)
{
	return far_end(peer)->pipe[TO_SERVER].len;
}

struct port_addr
sim_peer_local(sim_peer peer)
{
	return far_end(peer)->peer_addr;
}
