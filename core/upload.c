/* SPDX-License-Identifier: MIT */
/* The file side of an upload: see upload.h. */
#include "upload.h"

#include <string.h>

/* While an upload runs, what is free is looked at each time that so much has arrived. */
#define LOOK_EVERY (1u << 20)

/* What temporary names have behind PATH_RESERVED: digits of this run, then of an upload. */
#define DIGITS 8

static struct {
	char     digits[DIGITS];
	uint32_t count;
} run;

void
upload_init(void)
{
	struct out o = OUT(run.digits);
	uint32_t number;

	port_random(&number, sizeof number);
	out_hex(&o, (const uint8_t *)&number, sizeof number);
}

void
upload_put_unique(struct out *o)
{
	run.count++;
	out_put(o, run.digits, sizeof run.digits);
	out_hex(o, (const uint8_t *)&run.count, sizeof run.count);
	out_char(o, '\0');
}

/* One that no other upload has. */
static void
make_temporary(struct upload *u)
{
	struct out o = OUT(u->temporary);

	out_string(&o, PATH_RESERVED);
	upload_put_unique(&o);
	CUB_ASSERT(!o.cut);
}

bool
upload_is_stale(const char *name)
{
	struct text t = text_of(name);

	return path_is_reserved(t) && t.len == sizeof PATH_RESERVED - 1 + 2 * DIGITS
		&& memcmp(name + sizeof PATH_RESERVED - 1, run.digits, DIGITS) != 0;
}

int
upload_room(const struct service *sv, port_root folder, uint64_t *bytes)
{
	uint64_t floor = (uint64_t)sv->config.min_free << 10;
	int err = port_root_free(folder, bytes);

	if (err == CUB_OK) {
		*bytes -= *bytes < floor ? *bytes : floor;
	}
	return err;
}

/* Is more free than must stay free? */
static int
check_room(struct upload *u)
{
	uint64_t bytes;
	int err = upload_room(u->service, u->folder, &bytes);

	u->look_at = u->offset + LOOK_EVERY;
	return err < 0 ? err : bytes == 0 ? CUB_E_FULL : CUB_OK;
}

int
upload_open_folder(port_root root, const char *path, port_root *folder)
{
	char parent[CUB_PATH_MAX];
	int err = path_resolve(path, (struct text){ "..", 2 }, parent);

	return err < 0 ? err : port_root_open(root, path_in_root(parent), folder);
}

int
upload_prepare(struct upload *u, const char *path, enum upload_mode mode, uint64_t offset)
{
	struct port_stat stat;
	int err;

	u->file = PORT_NONE;
	u->mode = mode;
	u->offset = offset;
	u->target = path;
	err = upload_open_folder(u->root, path, &u->folder);
	if (err == CUB_OK) {
		err = check_room(u);
		port_root_close(u->folder);
	}
	if (err < 0) {
		return err;
	}
	u->look_at = 0;
	err = port_stat(u->root, path_in_root(path), &stat);
	if (err == CUB_E_NOENT) {
		if (mode == UPLOAD_RESUME && offset > 0) {
			return CUB_E_BAD;
		}
		/* What is new gets its name in the end: only that makes the name durable. */
		u->mode = mode == UPLOAD_APPEND ? UPLOAD_NEW : mode;
		u->offset = 0;
		return CUB_OK;
	}
	if (err < 0) {
		return err;
	}
	if (stat.kind != PORT_FILE) {
		return stat.kind == PORT_DIR ? CUB_E_ISDIR : CUB_E_DENIED;
	}
	u->permissions = stat.mode;  /* who could not read it shall not be able to now */
	return mode == UPLOAD_NEW ? CUB_E_EXIST
		: mode == UPLOAD_RESUME && offset > stat.size ? CUB_E_BAD : CUB_OK;
}

int
upload_prepare_provision(struct upload *u, const char *path)
{
	struct out why = OUT(u->service->why);
	int err;

	u->file = PORT_NONE;
	u->mode = UPLOAD_PROVISION;
	u->offset = 0;
	u->target = path;
	err = provision_upload_start(u->service, path, u, &why);
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

static bool
is_in_place(const struct upload *u)
{
	return u->mode == UPLOAD_RESUME || u->mode == UPLOAD_APPEND;
}

/* What others did since it was prepared must not make a hole, nor be written over. */
static int
open_in_place(struct upload *u)
{
	struct port_stat stat;
	int err = port_file_open(u->root, path_in_root(u->target), PORT_OPEN_UPDATE, 0, &u->file);

	if (err == CUB_OK) {
		err = port_file_stat(u->file, &stat);
	}
	if (err == CUB_OK && u->mode == UPLOAD_APPEND) {
		u->offset = stat.size;
	}
	return err == CUB_OK && u->offset > stat.size ? CUB_E_BAD : err;
}

int
upload_open(struct upload *u)
{
	int err;

	if (UPLOAD_IS_PROVISION(u)) {
		return CUB_OK;
	}
	err = upload_open_folder(u->root, u->target, &u->folder);
	if (err < 0) {
		return err;
	}
	if (is_in_place(u)) {
		err = open_in_place(u);
	} else {
		make_temporary(u);
		err = port_file_open(u->folder, u->temporary, PORT_OPEN_CREATE, u->permissions,
			&u->file);
	}
	if (u->file == PORT_NONE) {
		port_root_close(u->folder);
	}
	return err;
}

int
upload_write(struct upload *u, const unsigned char *src, size_t len)
{
	if (UPLOAD_IS_PROVISION(u)) {
		provision_upload_feed(u->service, src, len);
		return CUB_OK;
	}
	if (u->offset >= u->look_at) {
		int err = check_room(u);

		if (err < 0) {
			return err;
		}
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

bool
upload_is_whole(struct upload *u, uint64_t bytes)
{
	u->is_unproven = u->service->config.upload_eof == EOF_LENIENT && bytes > 0
		&& bytes == u->announced && !UPLOAD_IS_PROVISION(u);
	return u->is_unproven;
}

/* Make it durable and close it; then a temporary gets its name, or is removed if that failed. */
static int
settle(struct upload *u, int err, bool is_new)
{
	const char *name = path_last(u->target);
	int closed;

	if (err == CUB_OK) {
		err = port_file_sync(u->file);
	}
	closed = port_file_close(u->file);
	u->file = PORT_NONE;
	err = err < 0 ? err : closed;
	if (!is_in_place(u)) {
		if (err == CUB_OK) {
			err = is_new ? port_rename_new(u->folder, u->temporary, name)
				: port_rename(u->folder, u->temporary, name);
		}
		if (err < 0) {
			(void)port_remove(u->folder, u->temporary);
		}
	}
	port_root_close(u->folder);
	return err;
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
	return settle(u, err, u->mode != UPLOAD_REPLACE);
}

void
upload_abandon(struct upload *u, bool keep)
{
	struct port_stat stat;

	if (UPLOAD_IS_PROVISION(u)) {
		provision_upload_abandon(u->service, u);
	}
	if (u->file == PORT_NONE) {
		return;
	}
	keep = keep && u->offset > 0 && u->service->config.partial_uploads == PARTIAL_KEEP
		&& port_stat(u->folder, path_last(u->target), &stat) == CUB_E_NOENT;
	/* Durable, too: else a power cut could put zeros before what a client resumes with. */
	(void)settle(u, keep || is_in_place(u) ? CUB_OK : CUB_E_ABORTED, true);
}
