/* SPDX-License-Identifier: MIT */
/* One data connection: see transfer.h for its states. */
#include "transfer.h"

#include <string.h>

#include "addr.h"
#include "wait.h"

#define DRAIN_MS 5000

/* Asked in this way, what follows is left out of a build without conversion. */
#define IS_TEXT(t) (CONFIG_CUBFTPD_ASCII && (t)->is_text)

void
transfer_start(struct transfer *t)
{
	t->state = TRANSFER_IDLE;
	t->is_running = false;
	t->opening = PORT_NONE;
	t->draining = PORT_NONE;
	t->file = PORT_NONE;
	t->upload.file = PORT_NONE;
	t->listing.state = LISTING_CLOSED;
	t->data.sock = PORT_NONE;
}

static void
stop_opening(struct transfer *t)
{
	if (t->opening != PORT_NONE) {
		port_sock_close(t->opening);
		t->opening = PORT_NONE;
	}
}

void
transfer_close_file(struct transfer *t)
{
	if (t->file != PORT_NONE) {
		(void)port_file_close(t->file);
		t->file = PORT_NONE;
	}
}

/* Close all that belongs to the transfer itself. */
static void
release(struct transfer *t)
{
	stop_opening(t);
	chan_close(&t->data);
	transfer_close_file(t);
	listing_close(&t->listing);
	/* Nothing of one transfer must ever be seen in the next. */
	wipe(t->buffer, sizeof t->buffer);
	t->state = TRANSFER_IDLE;
	t->is_running = false;
}

/* It has moved on: its time limit begins anew. */
static void
renew(struct transfer *t)
{
	t->deadline_ms = t->now_ms + t->terms.timeout_ms;
}

/* There is a way to the data connection from now on, whenever it is taken. */
static void
offer(struct transfer *t, enum transfer_state state)
{
	t->state = state;
	t->error = CUB_OK;
	t->deadline_ms = UINT64_MAX;
}

int
transfer_listen(struct transfer *t, uint16_t *tcp_port)
{
	uint32_t span = (uint32_t)(t->terms.passive_high - t->terms.passive_low) + 1;
	struct port_addr at = *t->terms.local;
	uint32_t pick;

	release(t);
	port_random(&pick, sizeof pick);
	pick = (uint32_t)((uint64_t)pick * span >> 32);
	for (uint32_t i = 0; i < span; i++) {
		int err;

		at.tcp_port = (uint16_t)(t->terms.passive_low + pick);
		pick = pick + 1 < span ? pick + 1 : 0;
		err = port_listen(&at, 2, &t->opening);
		if (err == CUB_OK) {
			*tcp_port = at.tcp_port;
			offer(t, TRANSFER_LISTENING);
			return CUB_OK;
		}
		t->opening = PORT_NONE;
		if (err != CUB_E_BUSY && err != CUB_E_DENIED) {
			break;  /* another port won't be better */
		}
	}
	return CUB_E_BUSY;
}

void
transfer_call(struct transfer *t, const struct port_addr *client)
{
	release(t);
	t->called = *client;
	offer(t, TRANSFER_CALLING);
}

int
transfer_open(struct transfer *t, const char *path, struct port_stat *stat)
{
	int err = port_file_open(t->terms.root, path_in_root(path), PORT_OPEN_READ, 0, &t->file);

	if (err == CUB_OK) {
		err = port_file_stat(t->file, stat);
		if (err < 0) {
			transfer_close_file(t);
		}
	}
	return err;
}

void
transfer_begin(struct transfer *t, enum transfer_kind kind)
{
	CUB_ASSERT(t->state != TRANSFER_IDLE && !t->is_running);
	t->kind = kind;
	t->is_running = true;
	t->has_ended = false;
	t->has_cr = false;
	t->bytes = 0;
	t->start_ms = t->now_ms;
	renew(t);
}

void
transfer_pace(struct transfer *t, uint64_t now_ms)
{
	const struct service *sv = t->terms.service;

	if (t->pause_ms > 0) {
		t->deadline_ms += now_ms - t->now_ms;
	}
	t->now_ms = now_ms;
	t->pause_ms = 0;
	if (t->state == TRANSFER_MOVING && t->kind != TRANSFER_LIST) {
		t->pause_ms = bucket_wait_ms(&t->rate, now_ms);
		t->pause_ms = t->pause_ms > sv->rate_wait_ms ? t->pause_ms : sv->rate_wait_ms;
	}
}

void
transfer_want(const struct transfer *t, bool is_held, struct port_wait *set)
{
	if (t->draining != PORT_NONE) {
		wait_add(set, t->draining, PORT_READ);
		wait_until(set, t->drain_deadline_ms);
	}
	if (t->state == TRANSFER_IDLE || is_held) {
		return;
	}
	if (t->pause_ms > 0) {
		wait_until(set, t->now_ms + t->pause_ms);
		return;
	}
	wait_until(set, t->deadline_ms);
	if (t->opening != PORT_NONE) {
		wait_add(set, t->opening, t->state == TRANSFER_LISTENING ? PORT_READ : PORT_WRITE);
	} else if (t->state == TRANSFER_CALLING || t->state == TRANSFER_SETTLED) {
		wait_until(set, t->is_running ? 0 : UINT64_MAX);
	} else {
		chan_want(&t->data, t->state != TRANSFER_MOVING ? 0
			: t->kind == TRANSFER_RECEIVE ? CHAN_RECEIVE : CHAN_SEND, set);
	}
}

void
transfer_abort(struct transfer *t)
{
	/* What arrived of a new file stays, to be resumed; not where it filled the disk. */
	upload_abandon(&t->upload, t->error != CUB_E_FULL);
	release(t);
}

static void
stop_draining(struct transfer *t)
{
	if (t->draining != PORT_NONE) {
		port_sock_close(t->draining);
		t->draining = PORT_NONE;
	}
}

void
transfer_close(struct transfer *t)
{
	transfer_abort(t);
	stop_draining(t);
}

static bool
fail(struct transfer *t, int err)
{
	t->error = err;
	transfer_abort(t);
	return true;
}

void
transfer_drain(struct transfer *t)
{
	if (t->draining != PORT_NONE
		&& (chan_drain(t->draining) != CUB_AGAIN || t->now_ms >= t->drain_deadline_ms)) {
		stop_draining(t);
	}
}

/* Leave the socket of a transfer that is over to be drained. */
static void
start_draining(struct transfer *t)
{
	transfer_drain(t);
	stop_draining(t);
	t->draining = t->data.sock;
	t->drain_deadline_ms = t->now_ms + DRAIN_MS;
	t->data.sock = PORT_NONE;
}

/* Connected: TLS comes, and we are its server, whoever has called (RFC 4217 section 7). */
static int
start_tls(struct transfer *t, port_sock sock)
{
	struct tls_request request = { NULL, t->terms.names, t->terms.name_count };
	int err;

	if (t->terms.client != NULL) {
		peercert_compare(&t->cert, t->terms.client);
		request.cert = &t->cert;
	}
	err = tls_start_data(&t->data.tls, t->terms.identity, &request, t->buffer, sizeof t->buffer,
		&t->tie, t->terms.control);
	chan_start_data(&t->data, sock);
	t->state = TRANSFER_HANDSHAKE;
	return err;
}

/*
 * Take the connection. Strangers are turned away and don't use up the one that counts:
 * else anybody could spoil a transfer by connecting first.
 */
static int
step_listening(struct transfer *t)
{
	struct port_addr peer;
	port_sock sock;
	int err = port_accept(t->opening, &sock, &peer);

	if (err < 0) {
		return err;
	}
	if (!addr_same_host(&peer, t->terms.peer)) {
		port_sock_close(sock);
		return CUB_AGAIN;
	}
	stop_opening(t);
	return start_tls(t, sock);
}

#if CONFIG_CUBFTPD_ACTIVE
static int
step_calling(struct transfer *t)
{
	port_sock sock;
	int err = port_connect(&t->opening, t->terms.local, &t->called);

	if (err < 0) {
		return err == CUB_E_IO ? CUB_E_TIMEOUT : err;
	}
	sock = t->opening;
	t->opening = PORT_NONE;
	return start_tls(t, sock);
}
#endif

/* The port says CUB_E_IO of files and of sockets; the client is told which. */
static int
of_medium(int err)
{
	return err == CUB_E_IO ? CUB_E_MEDIUM : err;
}

/* Does the connection belong to its control connection, by the rule that is in force? */
static bool
is_tied(const struct transfer *t)
{
	return t->terms.reuse == REUSE_ADDRESS || tls_is_resumed(&t->data.tls, t->terms.control)
		|| (t->terms.client != NULL && t->cert.is_same);
}

static int
step_handshake(struct transfer *t)
{
	int err = chan_pump(&t->data, CHAN_SEND | CHAN_RECEIVE);

	if (err < 0) {
		return err == CUB_EOF || err == CUB_E_IO ? CUB_E_TLS : err;
	}
	t->state = TRANSFER_SETTLED;
	return CUB_OK;
}

/* A command is running: may it have this connection? */
static int
step_settled(struct transfer *t)
{
	int err = t->error;

	if (err == CUB_OK && !is_tied(t)) {
		t->error = CUB_E_REUSE;
		t->state = TRANSFER_ENDING;
		return CUB_OK;
	}
	if (err == CUB_OK && t->kind == TRANSFER_RECEIVE) {
		port_sock_quickack(t->data.sock);
		err = of_medium(upload_open(&t->upload));
	}
	t->state = TRANSFER_MOVING;
	return err;
}

/* The next window of a file of /.provision, which is made anew for each. */
static int
fill_from_place(struct transfer *t, struct out *o)
{
	int err;

	o->skip = (size_t)t->offset;
	err = provision_put(t->terms.service, &t->place, o);
	t->offset += o->len;
	t->has_ended = !o->cut;
	return err < 0 ? err : (int)o->len;
}

/* The next window of a file. */
static int
fill_from_file(struct transfer *t, unsigned char *room, size_t len)
{
	struct out o = { .at = (char *)room, .cap = len };
	int n;

	if (CONFIG_CUBFTPD_PROVISION && t->file == PORT_NONE) {
		return fill_from_place(t, &o);
	}
	n = port_file_read(t->file, t->offset, room, len);
	if (n == CUB_EOF) {
		t->has_ended = true;
		return 0;
	}
	t->offset += n > 0 ? (uint64_t)n : 0;
	return n;
}

/*
 * Give the lines of `len` bytes at `from` the ends CR LF, those that have them left alone.
 * What becomes of them goes to `to`; the one may overwrite the other where `from` lies at
 * least `len` bytes behind. Returns how many they are now.
 */
static int
put_text(struct transfer *t, unsigned char *to, const unsigned char *from, size_t len)
{
	unsigned char *at = to;

	for (; len > 0; len--) {
		unsigned char c = *from++;

		if (c == '\n' && !t->has_cr) {
			*at++ = '\r';
		}
		*at++ = c;
		t->has_cr = c == '\r';
	}
	return (int)(at - to);
}

/* Fill one record with what comes next of the file or the listing. */
static int
fill_record(struct transfer *t, unsigned char *room, size_t len)
{
	struct out o = { .at = (char *)room, .cap = len };
	size_t half = len - len / 2;
	int n;

	if (t->kind == TRANSFER_LIST) {
		n = listing_fill(&t->listing, &o);
		t->has_ended = n == CUB_EOF;
		return n < 0 && n != CUB_EOF ? n : (int)o.len;
	}
	if (!IS_TEXT(t)) {
		return fill_from_file(t, room, len);
	}
	/* In the worst case, each byte becomes two. */
	n = fill_from_file(t, room + half, len - half);
	return n > 0 ? put_text(t, room, room + half, (size_t)n) : n;
}

static int
step_sending(struct transfer *t)
{
	unsigned char *room;
	size_t len;
	int n = chan_pump(&t->data, CHAN_SEND);

	if (n < 0) {
		return n;
	}
	room = chan_room(&t->data, &len);
	n = fill_record(t, room, len);
	if (n < 0) {
		return of_medium(n);
	}
	if (n > 0) {
		chan_wrote(&t->data, (size_t)n);
		t->bytes += (uint64_t)n;
	}
	if (t->has_ended) {
		t->state = TRANSFER_ENDING;
		return CUB_OK;
	}
	/* Out with it now, so that the next pass has room. */
	n = chan_pump(&t->data, CHAN_SEND);
	return n == CUB_AGAIN ? CUB_OK : n;
}

/* A CR at the end of what came before belonged to no line end. */
static int
take_cr(struct transfer *t)
{
	bool has_cr = t->has_cr;

	t->has_cr = false;
	return has_cr ? upload_write(&t->upload, (const unsigned char *)"\r", 1) : CUB_OK;
}

/* Store text: of each CR LF the LF, and all else as it is. It is changed where it lies. */
static int
take_text(struct transfer *t, unsigned char *at, size_t len)
{
	size_t kept = 0;
	int err = at[0] != '\n' ? take_cr(t) : CUB_OK;

	t->has_cr = at[len - 1] == '\r';  /* for the next record to decide */
	for (size_t i = 0; i < len; i++) {
		if (at[i] != '\r' || (i + 1 < len && at[i + 1] != '\n')) {
			at[kept++] = at[i];
		}
	}
	return err < 0 ? err : upload_write(&t->upload, at, kept);
}

static int
step_receiving(struct transfer *t)
{
	unsigned char *got;
	size_t len;
	int n = chan_pump(&t->data, CHAN_RECEIVE);

	if (n == CUB_EOF || (t->data.is_cut && upload_is_whole(&t->upload, t->bytes))) {
		/* close_notify came and was answered, or all that was announced is there. */
		n = take_cr(t);
		t->has_ended = true;
		t->state = TRANSFER_ENDING;
		return of_medium(n);
	}
	if (n < 0) {
		return n == CUB_E_TLS ? CUB_E_IO : n;
	}
	got = chan_received(&t->data, &len);
	n = IS_TEXT(t) ? take_text(t, got, len) : upload_write(&t->upload, got, len);
	if (n < 0) {
		return of_medium(n);
	}
	chan_took(&t->data, len);
	t->bytes += len;
	return CUB_OK;
}

/* Our side has nothing more to say. */
static bool
step_ending(struct transfer *t)
{
	int err = chan_end(&t->data);

	if (err == CUB_AGAIN && t->now_ms < t->deadline_ms) {
		return false;
	}
	if (err == CUB_OK) {
		start_draining(t);
	}
	if (t->error != CUB_OK) {
		err = t->error;  /* it was refused */
	} else if (t->kind == TRANSFER_RECEIVE) {
		/* The peer has its end: whether ours still reaches it changes nothing. */
		err = of_medium(upload_finish(&t->upload));
	}
	if (err < 0) {
		return fail(t, err == CUB_AGAIN ? CUB_E_IO : err);
	}
	release(t);
	return true;
}

/* One thing, where it can be done now. */
static int
step_state(struct transfer *t, const struct port_wait *set)
{
	switch (t->state) {
	case TRANSFER_LISTENING:
		return wait_is_ready(set, t->opening) ? step_listening(t) : CUB_AGAIN;
#if CONFIG_CUBFTPD_ACTIVE
	case TRANSFER_CALLING:
		return t->is_running ? step_calling(t) : CUB_AGAIN;
#endif
	case TRANSFER_SETTLED:
		return t->is_running ? step_settled(t) : CUB_AGAIN;
	case TRANSFER_HANDSHAKE:
	case TRANSFER_MOVING:
		return t->pause_ms > 0 || !wait_is_ready(set, t->data.sock) ? CUB_AGAIN
			: t->state == TRANSFER_HANDSHAKE ? step_handshake(t)
			: t->kind == TRANSFER_RECEIVE ? step_receiving(t) : step_sending(t);
	default:
		return CUB_OK;
	}
}

/* No connection comes about any more: the command that wants it will be told. */
static void
give_up(struct transfer *t, int err)
{
	release(t);
	offer(t, TRANSFER_SETTLED);
	t->error = err;
}

/* Some bytes of a file have been moved. */
static void
pay(struct transfer *t, uint32_t bytes)
{
	struct service *sv = t->terms.service;

	if (bytes > 0) {
		bucket_take(&t->rate, sv->config.rate_limit[0], bytes, t->now_ms);
		bucket_take(&sv->rate, sv->config.rate_limit[1], bytes, t->now_ms);
	}
}

bool
transfer_step(struct transfer *t, const struct port_wait *set)
{
	enum transfer_state before = t->state;
	uint64_t bytes = t->bytes;
	int err = step_state(t, set);

	if (t->state != before || t->bytes != bytes) {
		renew(t);
	}
	if (t->kind != TRANSFER_LIST) {
		pay(t, (uint32_t)(t->bytes - bytes));
	}
	if (t->state == TRANSFER_ENDING && err == CUB_OK) {
		return step_ending(t);
	}
	if (err == CUB_AGAIN && t->now_ms >= t->deadline_ms) {
		err = t->state == TRANSFER_MOVING ? CUB_E_IO : CUB_E_TIMEOUT;
	}
	if (err >= 0 || err == CUB_AGAIN) {
		return false;
	}
	if (t->is_running) {
		return fail(t, err);
	}
	give_up(t, err);
	return false;
}
