/* SPDX-License-Identifier: MIT */
/* CWD, CDUP, PWD, MKD, RMD, DELE, RNFR, RNTO, SIZE, MDTM, MLST, MFMT, SITE CHMOD and UMASK. */
#include "cmd_file.h"

#include <string.h>

#include "clock.h"
#include "date.h"
#include "path.h"
#include "reply.h"

/* `"path"` with its quotes doubled (RFC 959 appendix II). */
static void
put_quoted(struct out *o, const char *path)
{
	out_char(o, '"');
	for (; *path != '\0'; path++) {
		out_string(o, *path == '"' ? "\"" : "");
		out_char(o, *path);
	}
	out_char(o, '"');
}

/* One line in the log for a change that was made; null: it had no other name before. */
static void
log_change(struct session *s, const char *event, const char *from)
{
	struct log l;

	state_log(s, &l, event);
	if (from != NULL) {
		log_string(&l, "from", from);
	}
	log_string(&l, "path", s->path);
	log_end(&l, PORT_LOG_INFO);
}

/* May a directory be entered? On the medium only opening it tells. */
static int
enter(struct session *s)
{
	struct port_stat stat;
	port_root entered;
	int err;

	if (provision_holds(s->path)) {
		err = state_look_at_place(s, &stat);
		return err == CUB_OK && stat.kind != PORT_DIR ? CUB_E_NOTDIR : err;
	}
	err = port_root_open(s->root, path_in_root(s->path), &entered);
	if (err == CUB_OK) {
		port_root_close(entered);
	}
	return err;
}

int
cmd_cwd(struct session *s, struct out *o)
{
	int err = state_resolve(s);

	if (err == CUB_OK) {
		err = enter(s);
	}
	if (err < 0) {
		return err;
	}
	memcpy(s->cwd, s->path, sizeof s->cwd);
	return reply(o, 250, "Directory changed");
}

int
cmd_cdup(struct session *s, struct out *o)
{
	s->arg = text_of("..");
	return cmd_cwd(s, o);
}

int
cmd_pwd(struct session *s, struct out *o)
{
	reply_start(o, 257, "");
	put_quoted(o, s->cwd);
	return reply_end(o, " is the current directory");
}

int
cmd_mkd(struct session *s, struct out *o)
{
	int err = state_resolve(s);

	if (err == CUB_OK) {
		err = provision_holds(s->path) ? CUB_E_DENIED : s->path[1] == '\0' ? CUB_E_EXIST
			: port_dir_make(s->root, path_in_root(s->path), (uint16_t)(0777 & ~s->umask));
	}
	if (err == CUB_E_EXIST) {
		return reply(o, 550, "Directory already exists");  /* clients look for this text */
	}
	if (err < 0) {
		return err;
	}
	log_change(s, "mkdir", NULL);
	reply_start(o, 257, "");
	put_quoted(o, s->path);
	return reply_end(o, " created");
}

/* What follows from a change in /.provision: its reason, where it is refused. */
static int
reply_change(struct out *o, int err, const char *done, struct out *why)
{
	return err < 0 ? reply_reason(o, err, out_finish(why)) : reply(o, 250, done);
}

/* DELE and RMD differ only in what they take away, and from where. */
static int
take_away(struct session *s, struct out *o, const char *event,
	int (*remove)(port_root, const char *))
{
	struct out why = OUT(s->service->why);
	int err = state_resolve_entry(s);

	if (err == CUB_E_DENIED && provision_holds(s->path) && remove == port_remove) {
		return reply_change(o, provision_remove(s->service, s->path, &why), "Removed", &why);
	}
	if (err == CUB_OK) {
		err = remove(s->root, path_in_root(s->path));
	}
	if (err < 0) {
		return err;
	}
	log_change(s, event, NULL);
	return reply(o, 250, "Removed");
}

int
cmd_rmd(struct session *s, struct out *o)
{
	return take_away(s, o, "rmdir", port_dir_remove);
}

int
cmd_dele(struct session *s, struct out *o)
{
	return take_away(s, o, "delete", port_remove);
}

int
cmd_rnfr(struct session *s, struct out *o)
{
	struct port_stat stat;
	int err = state_look(s, &stat);

	if (err < 0) {
		return err;
	}
	if (s->path[1] == '\0') {
		return CUB_E_DENIED;
	}
	memcpy(s->rename_from, s->path, sizeof s->rename_from);
	return reply(o, 350, "Now RNTO");
}

int
cmd_rnto(struct session *s, struct out *o)
{
	struct out why = OUT(s->service->why);
	int err;

	if (s->rename_from[0] == '\0') {
		return reply(o, 503, "RNFR first");
	}
	err = state_resolve(s);
	if (err == CUB_OK && (provision_holds(s->path) || provision_holds(s->rename_from))) {
		err = provision_rename(s->service, s->rename_from, s->path, &why);
		return reply_change(o, err, "Renamed", &why);
	}
	if (err == CUB_OK) {
		err = s->path[1] == '\0' ? CUB_E_DENIED
			: port_rename(s->root, path_in_root(s->rename_from), path_in_root(s->path));
	}
	if (err < 0) {
		return err;
	}
	log_change(s, "rename", s->rename_from);
	return reply(o, 250, "Renamed");
}

int
cmd_size(struct session *s, struct out *o)
{
	struct port_stat stat;
	int err;

	if (!s->is_image) {
		/* RFC 3659 section 4: the size as transferred, and in ASCII that isn't known. */
		return reply(o, 550, "SIZE only in TYPE I");
	}
	err = state_look(s, &stat);
	if (err < 0) {
		return err;
	}
	if (stat.kind != PORT_FILE) {
		return stat.kind == PORT_DIR ? CUB_E_ISDIR : CUB_E_DENIED;
	}
	reply_start(o, 213, "");
	out_number(o, stat.size);
	return reply_end(o, "");
}

int
cmd_mdtm(struct session *s, struct out *o)
{
	struct port_stat stat;
	int err = state_look(s, &stat);

	if (err < 0) {
		return err;
	}
	reply_start(o, 213, "");
	date_put(o, stat.mtime_s);
	return reply_end(o, "");
}

int
cmd_mlst(struct session *s, struct out *o)
{
	struct port_stat stat;
	struct listing_style style = { LISTING_FACTS, s->facts, s->account.rights, 0, NULL };
	int err = state_look(s, &stat);

	if (err < 0) {
		return err;
	}
	out_string(o, "250-Entry\r\n ");
	listing_put(o, &style, s->path, &stat);
	return reply(o, 250, "End");
}

/* Change what is known about an entry. */
static int
change(struct session *s, enum port_attribute what, int64_t value)
{
	int err = state_resolve_entry(s);

	if (err == CUB_OK) {
		err = port_change(s->root, path_in_root(s->path), what, value);
	}
	if (err == CUB_OK) {
		log_change(s, "change", NULL);
	}
	return err;
}

/* draft-somers-ftp-mfxx section 3. */
int
cmd_mfmt(struct session *s, struct out *o)
{
	struct text when = text_cut(&s->arg, ' ');
	int64_t mtime_s;
	int err;

	/* Fractions of a second (RFC 3659 section 2.3) are not kept. */
	if (s->arg.len == 0 || !date_parse(text_cut(&when, '.'), &mtime_s)) {
		return reply(o, 501, "Want YYYYMMDDHHMMSS and a path");
	}
	err = change(s, PORT_MTIME, mtime_s);
	if (err < 0) {
		return err;
	}
	reply_start(o, 213, "Modify=");
	date_put(o, mtime_s);
	out_string(o, "; ");
	return reply_end(o, s->path);
}

static int
refuse_mode(struct out *o)
{
	return reply(o, 501, "Want a mode such as 644");
}

int
cmd_chmod(struct session *s, struct out *o)
{
	struct text digits = text_cut(&s->arg, ' ');
	uint16_t mode;
	int err;

	if (s->arg.len == 0 || !text_mode(digits, &mode)) {
		return refuse_mode(o);
	}
	err = change(s, PORT_MODE, mode);
	return err < 0 ? err : reply(o, 200, "Mode changed");
}

int
cmd_umask(struct session *s, struct out *o)
{
	if (s->arg.len > 0 && !text_mode(s->arg, &s->umask)) {
		return refuse_mode(o);
	}
	reply_start(o, 200, "UMASK is ");
	listing_put_mode(o, s->umask);
	return reply_end(o, "");
}
