/* SPDX-License-Identifier: MIT */
/* PASV, EPSV, PORT, EPRT, RETR, STOR, APPE, STOU, ALLO, AVBL, LIST, NLST, MLSD, ABOR. */
#include "cmd_data.h"

#include <string.h>

#include "addr.h"
#include "clock.h"
#include "hook.h"
#include "path.h"
#include "reply.h"

/* After EPSV ALL (RFC 2428 section 4), refuse all other ways. */
static bool
refuse_other(const struct session *s, struct out *o)
{
	if (s->is_epsv_only) {
		reply(o, 503, "EPSV ALL was given");
	}
	return s->is_epsv_only;
}

/* As the client's own address must be that of the control connection, so must its family. */
static void
refuse_family(const struct session *s, struct out *o)
{
	reply_start(o, 522, "Network protocol not supported, use (");
	out_char(o, s->local.family == 4 ? '1' : '2');
	reply_end(o, ")");
}

#if CONFIG_CUBFTPD_ACTIVE
void
cmd_port(struct session *s, struct text arg, struct out *o)
{
	struct port_addr at;

	if (refuse_other(s, o)) {
		return;
	}
	addr_parse_port(arg, &at);
	/* A link-local address has no scope of its own: it can only be that of the connection. */
	at.scope = s->peer.scope;
	if (s->service->config.active == 0) {
		reply(o, 502, "Command not implemented");
	} else if (at.family == 0) {
		reply(o, 501, "Not an address");
	} else if (at.family != s->peer.family) {
		refuse_family(s, o);
	} else if (!addr_same_host(&at, &s->peer) || at.tcp_port < 1024) {
		/* FTP must not be used to reach others (RFC 2577 section 3). */
		reply(o, 504, "Want your own address and a port from 1024 up");
	} else {
		transfer_call(&s->transfer, &at);
		reply(o, 200, "Ready to connect");
	}
}
#endif

/* Open a passive port, or say why not. */
static bool
listen_for_data(struct session *s, struct out *o, uint16_t *tcp_port)
{
	if (transfer_listen(&s->transfer, tcp_port) < 0) {
		reply(o, 425, "No passive port is free");
		return false;
	}
	return true;
}

void
cmd_pasv(struct session *s, struct text arg, struct out *o)
{
	const uint8_t *ip = s->local.ip;
	uint16_t tcp_port;

	(void)arg;
	if (refuse_other(s, o)) {
		return;
	}
	if (s->local.family != 4) {
		reply(o, 522, "Network protocol not supported, use EPSV");
		return;
	}
	if (!listen_for_data(s, o, &tcp_port)) {
		return;
	}
	if (s->service->config.passive_address[0] != 0 && !port_is_near(&s->local, &s->peer)) {
		ip = s->service->config.passive_address;
	}
	reply_start(o, 227, "Entering Passive Mode (");
	for (int i = 0; i < 4; i++) {
		out_number(o, ip[i]);
		out_char(o, ',');
	}
	out_number(o, tcp_port >> 8);
	out_char(o, ',');
	out_number(o, tcp_port & 255);
	reply_end(o, ").");
}

void
cmd_epsv(struct session *s, struct text arg, struct out *o)
{
	const char *ours = s->local.family == 4 ? "1" : "2";  /* RFC 2428 section 2 */
	uint16_t tcp_port;

	if (text_is(arg, "ALL")) {
		s->is_epsv_only = true;
		reply(o, 200, "EPSV only from now on");
		return;
	}
	if (arg.len > 0 && !text_is(arg, ours)) {
		refuse_family(s, o);
		return;
	}
	if (!listen_for_data(s, o, &tcp_port)) {
		return;
	}
	reply_start(o, 229, "Entering Extended Passive Mode (|||");
	out_number(o, tcp_port);
	reply_end(o, "|)");
}

/* The data connection may come: 150 leaves first. */
static void
begin(struct session *s, struct out *o)
{
	s->transfer.is_text = !s->is_image;
	if (s->transfer.kind == TRANSFER_RECEIVE && s->transfer.upload.mode == UPLOAD_NEW) {
		reply_start(o, 150, "FILE: ");  /* RFC 1123 section 4.1.2.9 */
		reply_end(o, s->transfer.path);
	} else {
		reply(o, 150, "Ready for the data connection");
	}
	state_enter(s, SESSION_TRANSFER);
}

/* A file of /.provision. */
static int
send_place(struct session *s, const char *path)
{
	struct provision_place place;
	struct port_stat stat;
	int err = provision_find(s->service, path, &place);

	if (err == CUB_OK) {
		err = provision_is_dir(&place) ? CUB_E_ISDIR : provision_stat(s->service, &place, &stat);
	}
	if (err == CUB_OK && s->restart_at > stat.size) {
		err = CUB_E_BAD;
	}
	if (err == CUB_OK) {
		transfer_send_place(&s->transfer, &place, s->restart_at, s->now_ms);
	}
	return err;
}

void
cmd_retr(struct session *s, struct text arg, struct out *o)
{
	char path[CUB_PATH_MAX];
	struct port_stat stat;
	port_file file;
	int err = state_resolve(s, arg, path);

	if (err == CUB_OK && provision_holds(path)) {
		err = send_place(s, path);
		if (err < 0) {
			reply_error(o, err);
		} else {
			(void)text_copy(text_of(path), s->transfer.path, sizeof s->transfer.path);
			begin(s, o);
		}
		return;
	}
	if (err == CUB_OK) {
		err = port_file_open(s->root, path_in_root(path), PORT_OPEN_READ, 0, &file);
	}
	if (err < 0) {
		reply_error(o, err);
		return;
	}
	err = port_file_stat(file, &stat);
	if (err == CUB_OK && s->restart_at > stat.size) {
		err = CUB_E_BAD;
	}
	if (err < 0) {
		(void)port_file_close(file);
		reply_error(o, err);
		return;
	}
	(void)text_copy(text_of(path), s->transfer.path, sizeof s->transfer.path);
	transfer_send(&s->transfer, file, s->restart_at, s->now_ms);
	begin(s, o);
}

/* To what `path` of the transfer names. */
static int
prepare(struct session *s, enum upload_mode mode, struct out *o)
{
	struct upload *u = &s->transfer.upload;
	const char *path = s->transfer.path;
	int err;

	u->service = s->service;
	u->root = s->root;
	u->umask = s->umask;
	u->announced = s->announced;
	u->is_unproven = false;
	if (!provision_holds(path)) {
		err = upload_prepare(u, path, mode, s->restart_at);
	} else if (mode != UPLOAD_REPLACE) {
		err = CUB_E_DENIED;
	} else {
		err = upload_prepare_provision(u, path);
		if (err < 0) {
			reply_reason(o, err, s->service->why);
			return err;
		}
	}
	if (err < 0) {
		reply_error(o, err);
	}
	return err;
}

static void
receive(struct session *s, struct text arg, struct out *o, enum upload_mode mode)
{
	struct out path = OUT(s->transfer.path);
	int err = state_resolve(s, arg, path.at);

	if (err == CUB_OK && mode == UPLOAD_NEW) {
		/* Always with digits, so that two at a time can't want the same name. */
		path.len = strlen(path.at);
		out_char(&path, '.');
		upload_put_unique(&path);
		err = path.cut ? CUB_E_NAME : CUB_OK;
	}
	if (err < 0) {
		reply_error(o, err);
	} else if (prepare(s, mode, o) == CUB_OK) {
		transfer_receive(&s->transfer, s->now_ms);
		begin(s, o);
	}
}

void
cmd_stor(struct session *s, struct text arg, struct out *o)
{
	receive(s, arg, o, s->restart_at > 0 ? UPLOAD_RESUME : UPLOAD_REPLACE);
}

void
cmd_appe(struct session *s, struct text arg, struct out *o)
{
	receive(s, arg, o, UPLOAD_APPEND);
}

void
cmd_stou(struct session *s, struct text arg, struct out *o)
{
	s->restart_at = 0;
	receive(s, arg.len > 0 ? arg : text_of("stou"), o, UPLOAD_NEW);
}

/* What stands behind the size (` R` and another one) is about records, which there are none of. */
void
cmd_allo(struct session *s, struct text arg, struct out *o)
{
	uint64_t bytes, room;
	int err;

	if (!text_number(text_cut(&arg, ' '), INT64_MAX, &bytes)) {
		reply(o, 501, "Want a size in bytes");
		return;
	}
	err = upload_room(s->service, s->root, &room);
	if (err < 0) {
		reply_error(o, err);
	} else if (bytes > room) {
		reply(o, 452, "Disk full");
	} else {
		s->announced = bytes;
		reply(o, 200, "There is room");
	}
}

void
cmd_avbl(struct session *s, struct text arg, struct out *o)
{
	uint64_t bytes;
	int err = upload_room(s->service, s->root, &bytes);

	(void)arg;
	if (err < 0) {
		reply_error(o, err);
		return;
	}
	reply_start(o, 213, "");
	out_number(o, bytes);
	reply_end(o, "");
}

struct text
cmd_skip_options(struct text arg)
{
	while (arg.len > 0 && arg.at[0] == '-') {
		(void)text_cut(&arg, ' ');
		while (arg.len > 0 && arg.at[0] == ' ') {
			arg.at++;
			arg.len--;
		}
	}
	return arg;
}

static void
list(struct session *s, struct text arg, struct out *o, enum listing_format format)
{
	struct listing_style style = { format, s->facts, s->account.rights, clock_now() };
	int err = state_resolve(s, arg, s->transfer.path);

	if (err == CUB_OK) {
		err = listing_open(&s->transfer.listing, &style, state_provision(s), s->root,
			s->transfer.path);
	}
	if (err < 0) {
		reply_error(o, err);
		return;
	}
	transfer_list(&s->transfer, s->now_ms);
	begin(s, o);
}

void
cmd_list(struct session *s, struct text arg, struct out *o)
{
	list(s, cmd_skip_options(arg), o, LISTING_LONG);
}

void
cmd_nlst(struct session *s, struct text arg, struct out *o)
{
	list(s, cmd_skip_options(arg), o, LISTING_NAMES);
}

void
cmd_mlsd(struct session *s, struct text arg, struct out *o)
{
	list(s, arg, o, LISTING_FACTS);
}

void
cmd_transfer_log(struct session *s, int err)
{
	static const char *const events[] = {
		[TRANSFER_SEND] = "download", [TRANSFER_RECEIVE] = "upload", [TRANSFER_LIST] = "list",
	};
	struct cubftpd_status *status = &s->service->status;
	bool is_unproven = s->transfer.kind == TRANSFER_RECEIVE && s->transfer.upload.is_unproven;
	struct log l;

	s->bytes += s->transfer.bytes;
	if (s->transfer.kind == TRANSFER_SEND) {
		status->bytes_sent += s->transfer.bytes;
	} else if (s->transfer.kind == TRANSFER_RECEIVE) {
		status->bytes_received += s->transfer.bytes;
	}
	state_log(s, &l, events[s->transfer.kind]);
	log_number(&l, "bytes", s->transfer.bytes);
	log_number(&l, "duration_ms", s->now_ms - s->transfer.start_ms);
	log_string(&l, "result", is_unproven && err == CUB_OK ? "no-close_notify"
		: log_error_name(err));
	log_string(&l, "path", s->transfer.path);  /* last: it may be longer than the line */
	log_end(&l, err < 0 || is_unproven ? PORT_LOG_WARNING : PORT_LOG_INFO);
}

/* Was it an upload to /.provision that arrived whole, and was refused in words? */
static bool
is_refused(const struct session *s)
{
	return s->transfer.kind == TRANSFER_RECEIVE && s->transfer.has_ended
		&& UPLOAD_IS_PROVISION(&s->transfer.upload);
}

void
cmd_transfer_end(struct session *s, enum transfer_result result, struct out *o)
{
	if (result == TRANSFER_DONE) {
		cmd_transfer_log(s, CUB_OK);
		reply(o, 226, "Transfer complete");
		if (s->transfer.kind == TRANSFER_RECEIVE && !provision_holds(s->transfer.path)) {
			hook_add(s->service, &s->account, s->transfer.path);
		}
	} else {
		cmd_transfer_log(s, s->transfer.error);
		if (is_refused(s)) {
			reply_reason(o, s->transfer.error, s->service->why);
		} else {
			reply_transfer_error(o, s->transfer.error);
		}
	}
	state_enter(s, SESSION_READY);
}

void
cmd_abor(struct session *s, struct text arg, struct out *o)
{
	(void)arg;
	transfer_abort(&s->transfer);
	if (s->state == SESSION_READY) {
		reply(o, 226, "No transfer to abort");
		return;
	}
	if (s->state == SESSION_TRANSFER) {
		cmd_transfer_log(s, CUB_E_ABORTED);
	}
	reply_transfer_error(o, CUB_E_ABORTED);
	reply(o, 226, "Abort successful");
	state_enter(s, SESSION_READY);
}
