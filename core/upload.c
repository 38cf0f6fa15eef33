/* SPDX-License-Identifier: MIT */
/* The file side of an upload: see upload.h. */
#include "upload.h"

/* The temporary name: the target's directory, the reserved prefix and a random number. */
static void
make_temporary(struct upload *u)
{
	struct out o = OUT(u->temporary);
	uint8_t number[8];

	port_random(number, sizeof number);
	out_put(&o, u->target, (size_t)(path_last(u->target) - u->target));
	out_string(&o, PATH_RESERVED);
	out_hex(&o, number, sizeof number);
	out_char(&o, '\0');
	CUB_ASSERT(!o.cut);
}

/* Is the directory that the target lies in there? */
static int
check_parent(const struct upload *u)
{
	char parent[CUB_PATH_MAX];
	struct port_stat stat;
	int err = path_resolve(u->target, (struct text){ "..", 2 }, parent);

	if (err == CUB_OK) {
		err = port_stat(u->root, path_in_root(parent), &stat);
	}
	return err < 0 ? err : stat.kind == PORT_DIR ? CUB_OK : CUB_E_NOTDIR;
}

int
upload_prepare(struct upload *u, port_root root, const char *path, enum upload_mode mode,
	uint64_t offset)
{
	struct port_stat stat;
	int err;

	u->root = root;
	u->file = PORT_NONE;
	u->mode = mode;
	u->offset = offset;
	u->target = path;
	err = port_stat(root, path_in_root(path), &stat);
	if (err == CUB_E_NOENT) {
		if (mode == UPLOAD_RESUME && offset > 0) {
			return CUB_E_BAD;
		}
		/* What is new gets its name in the end: only that makes the name durable. */
		u->mode = UPLOAD_REPLACE;
		u->offset = 0;
		return check_parent(u);
	}
	if (err < 0) {
		return err;
	}
	if (stat.kind != PORT_FILE) {
		return stat.kind == PORT_DIR ? CUB_E_ISDIR : CUB_E_DENIED;
	}
	if (mode == UPLOAD_RESUME && offset > stat.size) {
		return CUB_E_BAD;
	}
	if (mode == UPLOAD_APPEND) {
		u->offset = stat.size;
	}
	return CUB_OK;
}

int
upload_prepare_provision(struct upload *u, struct service *sv, const char *path)
{
	struct out why = OUT(sv->why);
	int err;

	u->service = sv;
	u->file = PORT_NONE;
	u->mode = UPLOAD_PROVISION;
	u->offset = 0;
	u->target = path;
	err = provision_upload_start(sv, path, u, &why);
	(void)out_finish(&why);
	return err;
}

static int
finish_provision(struct upload *u)
{
	struct out why = OUT(u->service->why);
	int err = provision_upload_end(u->service, u->target, &why);

	(void)out_finish(&why);
	return err;
}

int
upload_open(struct upload *u)
{
	if (UPLOAD_IS_PROVISION(u)) {
		return CUB_OK;
	}
	if (u->mode != UPLOAD_REPLACE) {
		return port_file_open(u->root, path_in_root(u->target), PORT_OPEN_UPDATE, &u->file);
	}
	make_temporary(u);
	return port_file_open(u->root, path_in_root(u->temporary), PORT_OPEN_CREATE, &u->file);
}

int
upload_write(struct upload *u, const unsigned char *src, size_t len)
{
	if (UPLOAD_IS_PROVISION(u)) {
		provision_upload_feed(u->service, src, len);
		return CUB_OK;
	}
	while (len > 0) {
		int n = port_file_write(u->file, u->offset, src, len);

		if (n < 0) {
			return n;
		}
		u->offset += (uint64_t)n;
		src += n;
		len -= (size_t)n;
	}
	return CUB_OK;
}

static int
close_file(struct upload *u, int err)
{
	int closed = port_file_close(u->file);

	u->file = PORT_NONE;
	return err < 0 ? err : closed;
}

int
upload_finish(struct upload *u)
{
	int err = CUB_OK;

	if (UPLOAD_IS_PROVISION(u)) {
		return finish_provision(u);
	}
	if (u->mode == UPLOAD_RESUME) {
		err = port_file_truncate(u->file, u->offset);
	}
	if (err == CUB_OK) {
		err = port_file_sync(u->file);
	}
	err = close_file(u, err);
	if (u->mode != UPLOAD_REPLACE) {
		return err;
	}
	if (err == CUB_OK) {
		err = port_rename(u->root, path_in_root(u->temporary), path_in_root(u->target));
	}
	if (err < 0) {
		(void)port_remove(u->root, path_in_root(u->temporary));
	}
	return err;
}

void
upload_abandon(struct upload *u, bool keep)
{
	struct port_stat stat;
	bool is_new;

	if (UPLOAD_IS_PROVISION(u)) {
		provision_upload_abandon(u->service, u);
	}
	if (u->file == PORT_NONE) {
		return;
	}
	(void)close_file(u, CUB_OK);
	if (u->mode != UPLOAD_REPLACE) {
		return;
	}
	is_new = port_stat(u->root, path_in_root(u->target), &stat) == CUB_E_NOENT;
	if (!keep || !is_new || u->offset == 0
		|| port_rename(u->root, path_in_root(u->temporary), path_in_root(u->target)) < 0) {
		(void)port_remove(u->root, path_in_root(u->temporary));
	}
}

/*
 * Look through a directory for a temporary file; `found` gets its path.
 * Returns CUB_OK, CUB_EOF if there is none, CUB_E_NOTEMPTY if there is anything else.
 */
static int
find_temporary(port_root root, const char *path, char *found, size_t cap)
{
	struct out o = { .at = found, .cap = cap };
	struct port_dir dir;
	struct port_entry entry;
	int err = port_dir_open(root, path_in_root(path), &dir);

	if (err < 0) {
		return err;
	}
	while ((err = port_dir_next(&dir, &entry)) == CUB_OK) {
		if (!path_is_reserved(text_of(entry.name))) {
			err = CUB_E_NOTEMPTY;
			break;
		}
		o.len = 0;
		out_string(&o, path);
		out_char(&o, '/');
		out_string(&o, entry.name);
		out_char(&o, '\0');
	}
	port_dir_close(&dir);
	return err != CUB_EOF ? err : o.cut ? CUB_E_NAME : o.len > 0 ? CUB_OK : CUB_EOF;
}

int
upload_sweep(port_root root, const char *path)
{
	char found[CUB_PATH_MAX + CUB_NAME_MAX];
	int err;

	while ((err = find_temporary(root, path, found, sizeof found)) == CUB_OK) {
		err = port_remove(root, path_in_root(found));
		if (err < 0) {
			return err;
		}
	}
	return err == CUB_EOF ? CUB_OK : err;
}
