/* SPDX-License-Identifier: MIT */
/* CWD, CDUP, PWD, MKD, RMD, DELE, RNFR, RNTO, SIZE, MDTM, MLST, MFMT, SITE CHMOD and UMASK. */
#include "cmd_file.h"

#include <string.h>

#include "clock.h"
#include "date.h"
#include "path.h"
#include "reply.h"

/* Look what an argument names, and get its path of CUB_PATH_MAX bytes; false: it is answered. */
static bool
look(struct session *s, struct text arg, char *path, struct port_stat *stat, struct out *o)
{
	struct provision_place place;
	int err = state_resolve(s, arg, path);

	if (err == CUB_OK && provision_holds(path)) {
		err = provision_find(s->service, path, &place);
		err = err < 0 ? err : provision_stat(s->service, &place, stat);
	} else if (err == CUB_OK) {
		err = port_stat(s->root, path_in_root(path), stat);
	}
	if (err < 0) {
		reply_error(o, err);
	}
	return err == CUB_OK;
}

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

/* One line in the log for a change that was made. */
static void
log_change(struct session *s, const char *event, const char *path)
{
	struct log l;

	state_log(s, &l, event);
	log_string(&l, "path", path);
	log_end(&l, PORT_LOG_INFO);
}

/* May a directory be entered? On the medium only opening it tells. */
static int
enter(struct session *s, const char *path)
{
	struct provision_place place;
	port_root entered;
	int err;

	if (provision_holds(path)) {
		err = provision_find(s->service, path, &place);
		return err < 0 ? err : provision_is_dir(&place) ? CUB_OK : CUB_E_NOTDIR;
	}
	err = port_root_open(s->root, path_in_root(path), &entered);
	if (err == CUB_OK) {
		port_root_close(entered);
	}
	return err;
}

void
cmd_cwd(struct session *s, struct text arg, struct out *o)
{
	char path[CUB_PATH_MAX];
	int err = state_resolve(s, arg, path);

	if (err == CUB_OK) {
		err = enter(s, path);
	}
	if (err < 0) {
		reply_error(o, err);
		return;
	}
	memcpy(s->cwd, path, sizeof path);
	reply(o, 250, "Directory changed");
}

void
cmd_cdup(struct session *s, struct text arg, struct out *o)
{
	(void)arg;
	cmd_cwd(s, text_of(".."), o);
}

void
cmd_pwd(struct session *s, struct text arg, struct out *o)
{
	(void)arg;
	reply_start(o, 257, "");
	put_quoted(o, s->cwd);
	reply_end(o, " is the current directory");
}

void
cmd_mkd(struct session *s, struct text arg, struct out *o)
{
	char path[CUB_PATH_MAX];
	int err = state_resolve(s, arg, path);

	if (err == CUB_OK) {
		err = provision_holds(path) ? CUB_E_DENIED : path[1] == '\0' ? CUB_E_EXIST
			: port_dir_make(s->root, path_in_root(path), (uint16_t)(0777 & ~s->umask));
	}
	if (err == CUB_E_EXIST) {
		reply(o, 550, "Directory already exists");  /* clients look for this text */
	} else if (err < 0) {
		reply_error(o, err);
	} else {
		reply_start(o, 257, "");
		put_quoted(o, path);
		reply_end(o, " created");
		log_change(s, "mkdir", path);
	}
}

static int
remove_file(port_root root, const char *path)
{
	return port_remove(root, path_in_root(path));
}

/* What follows from a change in /.provision: its reason, where it is refused. */
static void
reply_change(struct out *o, int err, const char *done, struct out *why)
{
	if (err < 0) {
		reply_reason(o, err, out_finish(why));
	} else {
		reply(o, 250, done);
	}
}

static void
remove_place(struct session *s, const char *path, struct out *o)
{
	struct out why = OUT(s->service->why);

	reply_change(o, provision_remove(s->service, path, &why), "Removed", &why);
}

/* DELE and RMD differ only in what they take away. */
static void
take_away(struct session *s, struct text arg, struct out *o, const char *event,
	int (*remove)(port_root, const char *))
{
	char path[CUB_PATH_MAX];
	int err = state_resolve_entry(s, arg, path);

	if (err == CUB_E_DENIED && provision_holds(path) && remove == remove_file) {
		remove_place(s, path, o);
		return;
	}
	if (err == CUB_OK) {
		err = remove(s->root, path);
	}
	if (err < 0) {
		reply_error(o, err);
		return;
	}
	reply(o, 250, "Removed");
	log_change(s, event, path);
}

static int
remove_dir(port_root root, const char *path)
{
	return port_dir_remove(root, path_in_root(path));
}

void
cmd_rmd(struct session *s, struct text arg, struct out *o)
{
	take_away(s, arg, o, "rmdir", remove_dir);
}

void
cmd_dele(struct session *s, struct text arg, struct out *o)
{
	take_away(s, arg, o, "delete", remove_file);
}

void
cmd_rnfr(struct session *s, struct text arg, struct out *o)
{
	char path[CUB_PATH_MAX];
	struct port_stat stat;

	if (!look(s, arg, path, &stat, o)) {
		return;
	}
	if (path[1] == '\0') {
		reply_error(o, CUB_E_DENIED);
		return;
	}
	memcpy(s->rename_from, path, sizeof path);
	reply(o, 350, "Now RNTO");
}

void
cmd_rnto(struct session *s, struct text arg, struct out *o)
{
	char path[CUB_PATH_MAX];
	int err;

	if (s->rename_from[0] == '\0') {
		reply(o, 503, "RNFR first");
		return;
	}
	err = state_resolve(s, arg, path);
	if (err == CUB_OK && (provision_holds(path) || provision_holds(s->rename_from))) {
		struct out why = OUT(s->service->why);

		err = provision_rename(s->service, s->rename_from, path, &why);
		reply_change(o, err, "Renamed", &why);
		return;
	}
	if (err == CUB_OK) {
		err = path[1] == '\0' ? CUB_E_DENIED
			: port_rename(s->root, path_in_root(s->rename_from), path_in_root(path));
	}
	if (err < 0) {
		reply_error(o, err);
		return;
	}
	reply(o, 250, "Renamed");
	log_change(s, "rename", path);
}

void
cmd_size(struct session *s, struct text arg, struct out *o)
{
	char path[CUB_PATH_MAX];
	struct port_stat stat;

	if (!s->is_image) {
		/* RFC 3659 section 4: the size as transferred, and in ASCII that isn't known. */
		reply(o, 550, "SIZE only in TYPE I");
		return;
	}
	if (!look(s, arg, path, &stat, o)) {
		return;
	}
	if (stat.kind != PORT_FILE) {
		reply_error(o, stat.kind == PORT_DIR ? CUB_E_ISDIR : CUB_E_DENIED);
		return;
	}
	reply_start(o, 213, "");
	out_number(o, stat.size);
	reply_end(o, "");
}

void
cmd_mdtm(struct session *s, struct text arg, struct out *o)
{
	char path[CUB_PATH_MAX];
	struct port_stat stat;

	if (look(s, arg, path, &stat, o)) {
		reply_start(o, 213, "");
		date_put(o, stat.mtime_s);
		reply_end(o, "");
	}
}

void
cmd_mlst(struct session *s, struct text arg, struct out *o)
{
	char path[CUB_PATH_MAX];
	struct port_stat stat;
	struct listing_style style = { LISTING_FACTS, s->facts, s->account.rights, 0 };

	if (look(s, arg, path, &stat, o)) {
		out_string(o, "250-Entry\r\n ");
		listing_put(o, &style, path, &stat);
		reply(o, 250, "End");
	}
}

/* Change what is known about an entry, whose path the transfer has then; false: it is answered. */
static bool
change(struct session *s, struct text arg, enum port_attribute what, int64_t value, struct out *o)
{
	char *path = s->transfer.path;
	int err = state_resolve_entry(s, arg, path);

	if (err == CUB_OK) {
		err = port_change(s->root, path_in_root(path), what, value);
	}
	if (err < 0) {
		reply_error(o, err);
		return false;
	}
	log_change(s, "change", path);
	return true;
}

/* draft-somers-ftp-mfxx section 3. */
void
cmd_mfmt(struct session *s, struct text arg, struct out *o)
{
	struct text when = text_cut(&arg, ' ');
	int64_t mtime_s;

	if (arg.len == 0 || !date_parse(when, &mtime_s)) {
		reply(o, 501, "Want YYYYMMDDHHMMSS and a path");
		return;
	}
	if (change(s, arg, PORT_MTIME, mtime_s, o)) {
		reply_start(o, 213, "Modify=");
		date_put(o, mtime_s);
		out_string(o, "; ");
		reply_end(o, s->transfer.path);
	}
}

/* A mode of text; false: it is none, and that is answered. */
static bool
take_mode(struct text t, uint16_t *mode, struct out *o)
{
	bool is_good = text_mode(t, mode);

	if (!is_good) {
		reply(o, 501, "Want a mode such as 644");
	}
	return is_good;
}

void
cmd_chmod(struct session *s, struct text arg, struct out *o)
{
	struct text digits = text_cut(&arg, ' ');
	uint16_t mode;

	if (take_mode(arg.len > 0 ? digits : arg, &mode, o)
		&& change(s, arg, PORT_MODE, mode, o)) {
		reply(o, 200, "Mode changed");
	}
}

void
cmd_umask(struct session *s, struct text arg, struct out *o)
{
	if (arg.len > 0 && !take_mode(arg, &s->umask, o)) {
		return;
	}
	reply_start(o, 200, "UMASK is ");
	listing_put_mode(o, s->umask);
	reply_end(o, "");
}
