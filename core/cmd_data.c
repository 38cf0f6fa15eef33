/* SPDX-License-Identifier: MIT */
/* PASV, EPSV, PORT, EPRT, RETR, STOR, APPE, STOU, ALLO, AVBL, LIST, NLST, MLSD, ABOR. */
#include "cmd_data.h"

#include <string.h>

#include "addr.h"
#include "clock.h"
#include "hook.h"
#include "reply.h"

/* After EPSV ALL (RFC 2428 section 4), refuse all other ways. */
static int
refuse_other(struct out *o)
{
	return reply(o, 503, "EPSV ALL was given");
}

/* As the client's own address must be that of the control connection, so must its family. */
static int
refuse_family(const struct session *s, struct out *o)
{
	reply_start(o, 522, "Network protocol not supported, use (");
	out_char(o, s->local.family == 4 ? '1' : '2');
	return reply_end(o, ")");
}

#if CONFIG_CUBFTPD_ACTIVE
int
cmd_port(struct session *s, struct out *o)
{
	struct port_addr at;

	if (s->is_epsv_only) {
		return refuse_other(o);
	}
	addr_parse_port(s->arg, &at);
	if (at.family == 0) {
		return reply(o, 501, "Not an address");
	}
	if (at.family != s->peer.family) {
		return refuse_family(s, o);
	}
	/* A link-local address has no scope of its own: it can only be that of the connection. */
	at.scope = s->peer.scope;
	/* FTP must not be used to reach others (RFC 2577 section 3). */
	if (!addr_same_host(&at, &s->peer) || at.tcp_port < 1024) {
		return reply(o, 504, "Want your own address and a port from 1024 up");
	}
	transfer_call(&s->transfer, &at);
	return reply(o, 200, "Ready to connect");
}
#endif

static int
refuse_passive(struct out *o)
{
	return reply(o, 425, "No passive port is free");
}

int
cmd_pasv(struct session *s, struct out *o)
{
	const uint8_t *ip = s->local.ip;
	uint16_t tcp_port;

	if (s->is_epsv_only) {
		return refuse_other(o);
	}
	if (s->local.family != 4) {
		return reply(o, 522, "Network protocol not supported, use EPSV");
	}
	if (transfer_listen(&s->transfer, &tcp_port) < 0) {
		return refuse_passive(o);
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
	return reply_end(o, ").");
}

int
cmd_epsv(struct session *s, struct out *o)
{
	const char *ours = s->local.family == 4 ? "1" : "2";  /* RFC 2428 section 2 */
	uint16_t tcp_port;

	if (text_is(s->arg, "ALL")) {
		s->is_epsv_only = true;
		return reply(o, 200, "EPSV only from now on");
	}
	if (s->arg.len > 0 && !text_is(s->arg, ours)) {
		return refuse_family(s, o);
	}
	if (transfer_listen(&s->transfer, &tcp_port) < 0) {
		return refuse_passive(o);
	}
	reply_start(o, 229, "Entering Extended Passive Mode (|||");
	out_number(o, tcp_port);
	return reply_end(o, "|)");
}

/* The data connection may come: 150 leaves first. */
static int
begin(struct session *s, enum transfer_kind kind, struct out *o)
{
	s->transfer.is_text = !s->is_image;
	transfer_begin(&s->transfer, kind);
	state_enter(s, SESSION_TRANSFER);
	if (kind == TRANSFER_RECEIVE && s->transfer.upload.mode == UPLOAD_NEW) {
		reply_start(o, 150, "FILE: ");  /* RFC 1123 section 4.1.2.9 */
		return reply_end(o, s->path);
	}
	return reply(o, 150, "Ready for the data connection");
}

int
cmd_retr(struct session *s, struct out *o)
{
	struct transfer *t = &s->transfer;
	struct port_stat stat;
	int err = state_resolve(s);

	if (err < 0) {
		return err;
	}
	if (provision_holds(s->path)) {
		err = state_look_at_place(s, &stat);
		err = err == CUB_OK && stat.kind == PORT_DIR ? CUB_E_ISDIR : err;
	} else {
		err = transfer_open(t, s->path, &stat);
	}
	t->offset = s->restart_at;
	if (err == CUB_OK && t->offset > stat.size) {
		transfer_close_file(t);
		err = CUB_E_BAD;
	}
	return err < 0 ? err : begin(s, TRANSFER_SEND, o);
}

/* What a client can do about it depends on how much is missing. */
static int
refuse_full(const struct session *s, struct out *o)
{
	port_root folder;
	uint64_t bytes = 0;

	if (upload_open_folder(s->root, s->path, &folder) == CUB_OK) {
		(void)upload_room(s->service, folder, &bytes);
		port_root_close(folder);
	}
	reply_start(o, 552, "Disk full, ");
	out_number(o, bytes >> 10);
	return reply_end(o, " KiB free");
}

static int
receive(struct session *s, enum upload_mode mode, struct out *o)
{
	struct upload *u = &s->transfer.upload;
	struct out path = OUT(s->path);
	int err = state_resolve(s);

	if (err == CUB_OK && mode == UPLOAD_NEW) {
		/* Always with digits, so that two at a time can't want the same name. */
		path.len = strlen(path.at);
		out_char(&path, '.');
		upload_put_unique(&path);
		err = path.cut || strlen(path_last(s->path)) >= CUB_NAME_MAX ? CUB_E_NAME : CUB_OK;
	}
	if (err < 0) {
		return err;
	}
	u->service = s->service;
	u->root = s->root;
	u->permissions = (uint16_t)(0666 & ~s->umask);
	u->announced = s->announced;
	u->is_unproven = false;
	if (!provision_holds(s->path)) {
		err = upload_prepare(u, s->path, mode, s->restart_at);
	} else if (mode != UPLOAD_REPLACE) {
		err = CUB_E_DENIED;
	} else {
		err = upload_prepare_provision(u, s->path);
		if (err < 0) {
			return reply_reason(o, err, s->service->why);
		}
	}
	return err == CUB_E_FULL ? refuse_full(s, o) : err < 0 ? err : begin(s, TRANSFER_RECEIVE, o);
}

int
cmd_stor(struct session *s, struct out *o)
{
	return receive(s, s->restart_at > 0 ? UPLOAD_RESUME : UPLOAD_REPLACE, o);
}

int
cmd_appe(struct session *s, struct out *o)
{
	return receive(s, UPLOAD_APPEND, o);
}

int
cmd_stou(struct session *s, struct out *o)
{
	s->restart_at = 0;
	if (s->arg.len == 0) {
		s->arg = text_of("stou");
	}
	return receive(s, UPLOAD_NEW, o);
}

/* What is free in the folder that the argument names. */
static int
look_at_room(struct session *s, uint64_t *bytes)
{
	port_root folder;
	int err = state_resolve(s);

	if (err == CUB_OK) {
		err = port_root_open(s->root, provision_holds(s->path) ? "." : path_in_root(s->path),
			&folder);
	}
	if (err == CUB_OK) {
		err = upload_room(s->service, folder, bytes);
		port_root_close(folder);
	}
	return err;
}

/* What stands behind the size (` R` and another one) is about records, which there are none of. */
int
cmd_allo(struct session *s, struct out *o)
{
	uint64_t bytes, room;
	int err;

	if (!text_number(text_cut(&s->arg, ' '), INT64_MAX, &bytes)) {
		return reply(o, 501, "Want a size in bytes");
	}
	s->arg.len = 0;  /* the working directory */
	err = look_at_room(s, &room);
	if (err < 0) {
		return err;
	}
	if (bytes > room) {
		return reply(o, 452, "Disk full");
	}
	s->announced = bytes;
	return reply(o, 200, "There is room");
}

int
cmd_avbl(struct session *s, struct out *o)
{
	uint64_t bytes;
	int err = look_at_room(s, &bytes);

	if (err < 0) {
		return err;
	}
	reply_start(o, 213, "");
	out_number(o, bytes);
	return reply_end(o, "");
}

/* Without the leading -options of LIST and STAT, which are skipped, not parsed. */
static void
skip_options(struct text *arg)
{
	while (arg->len > 0 && arg->at[0] == '-') {
		(void)text_cut(arg, ' ');
		while (arg->len > 0 && arg->at[0] == ' ') {
			arg->at++;
			arg->len--;
		}
	}
}

/*
 * RFC 1123 section 4.1.2.7: what NLST says can be used as it is. So, where it isn't about the
 * working directory, names have before them what leads there.
 */
static const char *
way_from(const char *cwd, const char *path)
{
	size_t len = strlen(cwd) - (cwd[1] == '\0');

	if (string_same(cwd, path)) {
		return NULL;
	}
	return path + (memcmp(cwd, path, len) == 0 && path[len] == '/' ? len + 1 : path[1] == '\0');
}

int
cmd_open_listing(struct session *s, enum listing_format format)
{
	struct listing_style style = { format, s->facts, s->account.rights, clock_now(), NULL };
	int err;

	if (format != LISTING_FACTS) {
		skip_options(&s->arg);
	}
	err = state_resolve(s);
	if (err < 0) {
		return err;
	}
	style.within = way_from(s->cwd, s->path);
	return listing_open(&s->transfer.listing, &style, s->is_admin ? s->service : NULL, s->root,
		s->path);
}

static int
list(struct session *s, enum listing_format format, struct out *o)
{
	int err = cmd_open_listing(s, format);

	return err < 0 ? err : begin(s, TRANSFER_LIST, o);
}

int
cmd_list(struct session *s, struct out *o)
{
	return list(s, LISTING_LONG, o);
}

int
cmd_nlst(struct session *s, struct out *o)
{
	return list(s, LISTING_NAMES, o);
}

int
cmd_mlsd(struct session *s, struct out *o)
{
	return list(s, LISTING_FACTS, o);
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
	if (s->transfer.kind == TRANSFER_LIST && s->transfer.listing.hidden > 0) {
		log_number(&l, "hidden", s->transfer.listing.hidden);
	}
	log_string(&l, "path", s->path);  /* last: it may be longer than the line */
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
cmd_transfer_end(struct session *s, struct out *o)
{
	int err = s->transfer.error;

	cmd_transfer_log(s, err);
	if (err == CUB_OK) {
		reply(o, 226, "Transfer complete");
		/* From before the root became another one, its path would name another file now. */
		if (s->transfer.kind == TRANSFER_RECEIVE && !provision_holds(s->path)
			&& s->roots == s->service->roots) {
			hook_add(s->service, &s->account, s->path);
		}
	} else if (is_refused(s)) {
		reply_reason(o, err, s->service->why);
	} else if (err == CUB_E_FULL) {
		refuse_full(s, o);
	} else {
		reply_transfer_error(o, err);
	}
	state_enter(s, SESSION_READY);
}

int
cmd_abor(struct session *s, struct out *o)
{
	transfer_abort(&s->transfer);
	if (s->state == SESSION_READY) {
		return reply(o, 226, "No transfer to abort");
	}
	if (s->state == SESSION_TRANSFER) {
		cmd_transfer_log(s, CUB_E_ABORTED);
	}
	state_enter(s, SESSION_READY);
	reply_transfer_error(o, CUB_E_ABORTED);
	return reply(o, 226, "Abort successful");
}
