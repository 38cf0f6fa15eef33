/* SPDX-License-Identifier: MIT */
/*
 * The walk: see sweep.h. What it keeps of the folders above the one that is open is where to go
 * on in each of them.
 */
#include "sweep.h"

#include <string.h>

#include "log.h"
#include "path.h"
#include "upload.h"
#include "wait.h"

/* Entries that one step looks at. */
#define SLICE 16

static struct {
	bool     is_walking;       /* `dir` is open */
	unsigned depth;            /* of the folder that is open; 0: the root */
	port_root root;
	struct out at;             /* its path, without a NUL: "", "/a", "/a/b" */
	uint64_t next[SWEEP_DEPTH];
	struct port_dir dir;
	char     path[CUB_PATH_MAX + CUB_NAME_MAX];
} walk;

/* The folder's path, or that of an entry, in the port's form. */
static const char *
name_entry(const char *name)
{
	size_t len = walk.at.len;
	const char *path;

	if (name[0] != '\0' || len == 0) {
		out_char(&walk.at, '/');
		out_string(&walk.at, name);
	}
	path = path_in_root(out_finish(&walk.at));
	walk.at.len = len;
	return path;
}

static bool
open_dir(void)
{
	walk.is_walking = port_dir_open(walk.root, name_entry(""), &walk.dir) == CUB_OK;
	return walk.is_walking;
}

void
sweep_stop(void)
{
	if (walk.is_walking) {
		port_dir_close(&walk.dir);
		walk.is_walking = false;
	}
}

/* Go on in the folder above; if that can't be, in the one above that. */
static void
leave(void)
{
	sweep_stop();
	while (!walk.is_walking && walk.depth > 0) {
		walk.depth--;
		walk.at.len = (size_t)(path_last(out_finish(&walk.at)) - walk.path) - 1;
		if (open_dir() && port_dir_seek(&walk.dir, walk.next[walk.depth]) < 0) {
			sweep_stop();  /* from its beginning, it would come here again, for ever */
		}
	}
}

static void
enter(const struct port_entry *entry)
{
	if (walk.depth == SWEEP_DEPTH || walk.at.len + 1 + strlen(entry->name) >= CUB_PATH_MAX) {
		return;
	}
	walk.next[walk.depth++] = entry->next;
	out_char(&walk.at, '/');
	out_string(&walk.at, entry->name);
	sweep_stop();
	if (!open_dir()) {
		leave();
	}
}

static void
remove_stale(const char *name)
{
	const char *path = name_entry(name);
	port_file file;
	int err = port_file_open(walk.root, path, PORT_OPEN_UPDATE, 0, &file);
	struct log l;

	if (err == CUB_E_BUSY) {
		return;  /* another server of the same folder writes it */
	}
	if (err == CUB_OK) {
		(void)port_file_close(file);
	}
	log_start(&l, "stale");
	log_string(&l, "result", log_error_name(port_remove(walk.root, path)));
	log_string(&l, "path", path);
	log_end(&l, PORT_LOG_INFO);
}

void
sweep_start(port_root root)
{
	walk.root = root;
	walk.at = OUT(walk.path);
	walk.depth = 0;
	(void)open_dir();
}

void
sweep_want(struct port_wait *set)
{
	if (walk.is_walking) {
		wait_until(set, 0);
	}
}

void
sweep_step(const struct port_wait *set)
{
	for (unsigned i = 0; i < set->count; i++) {
		if (set->item[i].ready != 0) {
			return;
		}
	}
	for (unsigned i = 0; i < SLICE && walk.is_walking; i++) {
		struct port_entry entry;

		if (port_dir_next(&walk.dir, &entry) < 0) {
			leave();
		} else if (entry.stat.is_link) {
			continue;
		} else if (entry.stat.kind == PORT_DIR) {
			enter(&entry);
		} else if (entry.stat.kind == PORT_FILE && upload_is_stale(entry.name)) {
			remove_stale(entry.name);
		}
	}
}
