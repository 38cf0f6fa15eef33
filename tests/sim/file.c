/* SPDX-License-Identifier: MIT */
/*
 * Simulated files: one tree of nodes, content in blocks by number, and of both a second
 * copy, which is what the medium holds. Synchronizing copies the one to the other; a
 * power cut mixes them by the seed.
 *
 * States of a block. now: as the program sees it; kept: as the medium has it.
 *
 *        now   kept   sync makes     a cut makes, for each sector of its own
 *   S1   yes   no     both the same  new data, or zeros
 *   S2   yes   yes    both the same  new data, or old
 *   S3   no    yes    it free        zeros, or old data (it was truncated)
 */
#include <string.h>

#include "sim.h"

#define NODES 512
#define BLOCKS 1024
#define BLOCK 4096
#define SECTOR 512
#define HASHES 1024
#define HANDLES 64
#define HOST_PATH_MAX 1024

#define ROOT 0
#define NOWHERE (-1)

static struct node {
	bool     used;
	bool     linked;  /* has a name; otherwise it lives until its last close */
	bool     kept;    /* its name is durable */
	bool     denied;
	bool     dirty;   /* a file whose content or length is not durable */
	enum port_kind kind;
	int      parent;
	unsigned opens;
	char     name[CUB_NAME_MAX];
	uint16_t mode;
	int64_t  mtime_s;
	uint64_t inode;   /* also the order of creation */
	uint64_t size;
	uint64_t size_kept;
	uint64_t read_error_at;
	uint64_t write_error_at;
} nodes[NODES];

/* Free while `node` is NOWHERE; then `next` links the free ones, else those of one hash. */
static struct block {
	int      node;
	int      next;
	uint64_t number;
	bool     now;
	bool     kept;
	uint8_t  data[BLOCK];
	uint8_t  data_kept[BLOCK];
} blocks[BLOCKS];
static int      hashes[HASHES];
static int      free_block;
static uint64_t blocks_now;

/* Files, roots and directories that are open. Free while `handle` is 0. */
static struct opened {
	int32_t handle;
	enum sim_kind kind;
	int     node;
	enum port_open how;
} opened[HANDLES];

static struct sim_fault fault;
static enum sim_split   split;
static uint64_t cut_at;     /* the call that the power goes at, counted like the fault's */
static uint64_t cut_calls;
static bool     cut_after;  /* the power goes when this call has done its work */
static uint64_t disk_blocks;
static uint64_t file_size_max;
static unsigned opened_max;
static uint64_t inode_next;

/* Blocks */

static unsigned
hash_of(int node, uint64_t number)
{
	return (unsigned)((number * 31 + (uint64_t)node * 7919) % HASHES);
}

/* The block that has a number in a file, or null. */
static struct block *
block_find(int node, uint64_t number)
{
	for (int i = hashes[hash_of(node, number)]; i != NOWHERE; i = blocks[i].next) {
		if (blocks[i].node == node && blocks[i].number == number) {
			return &blocks[i];
		}
	}
	return NULL;
}

/* The block for writing, or null where the medium is full. */
static struct block *
block_take(int node, uint64_t number)
{
	struct block *b = block_find(node, number);
	unsigned hash = hash_of(node, number);

	if (b != NULL && b->now) {
		return b;
	}
	if (blocks_now >= disk_blocks || (b == NULL && free_block == NOWHERE)) {
		return NULL;
	}
	if (b == NULL) {
		int i = free_block;

		b = &blocks[i];
		free_block = b->next;
		b->node = node;
		b->number = number;
		b->kept = false;
		b->next = hashes[hash];
		hashes[hash] = i;
	}
	b->now = true;
	blocks_now++;
	memset(b->data, 0, BLOCK);
	return b;
}

static void
block_drop_now(struct block *b)
{
	if (b->now) {
		b->now = false;
		blocks_now--;
	}
}

static void
block_free(struct block *b)
{
	int *link = &hashes[hash_of(b->node, b->number)];

	while (&blocks[*link] != b) {
		link = &blocks[*link].next;
	}
	*link = b->next;
	block_drop_now(b);
	b->node = NOWHERE;
	b->next = free_block;
	free_block = (int)(b - blocks);
}

/* Make what the program sees durable. */
static void
block_keep(struct block *b)
{
	if (!b->now) {
		block_free(b);
		return;
	}
	memcpy(b->data_kept, b->data, BLOCK);
	b->kept = true;
}

/* Keep or lose each sector of a block on its own. */
static void
block_settle(struct block *b)
{
	if (!b->now) {
		b->now = true;
		blocks_now++;
		memset(b->data, 0, BLOCK);
	}
	if (!b->kept) {
		memset(b->data_kept, 0, BLOCK);
	}
	for (size_t at = 0; at < BLOCK; at += SECTOR) {
		if (sim_coin(SIM_FILE)) {
			memcpy(b->data + at, b->data_kept + at, SECTOR);
		}
	}
	block_keep(b);
}

/* Blocks beyond a length are gone, and zeros follow it in its own. */
static void
blocks_cut(int node, uint64_t len)
{
	for (int i = 0; i < BLOCKS; i++) {
		struct block *b = &blocks[i];
		uint64_t start = b->number * BLOCK;

		if (b->node != node || start + BLOCK <= len) {
			continue;
		}
		if (start < len) {
			memset(b->data + (len - start), 0, BLOCK - (size_t)(len - start));
		} else {
			block_drop_now(b);
			if (!b->kept) {
				block_free(b);
			}
		}
	}
}

/* Nodes */

static void
node_keep(int node)
{
	struct node *n = &nodes[node];

	n->kept = true;
	if (!n->dirty) {
		return;
	}
	for (int i = 0; i < BLOCKS; i++) {
		if (blocks[i].node == node) {
			block_keep(&blocks[i]);
		}
	}
	n->size_kept = n->size;
	n->dirty = false;
}

static void
node_settle(int node)
{
	struct node *n = &nodes[node];

	if (!n->dirty) {
		return;
	}
	for (int i = 0; i < BLOCKS; i++) {
		if (blocks[i].node == node) {
			block_settle(&blocks[i]);
		}
	}
	if (sim_coin(SIM_FILE)) {
		n->size = n->size_kept;
	}
	blocks_cut(node, n->size);
	node_keep(node);
}

static void
node_free(int node)
{
	for (int i = 0; i < BLOCKS; i++) {
		if (blocks[i].node == node) {
			block_free(&blocks[i]);
		}
	}
	nodes[node].used = false;
}

static void
node_unlink(int node)
{
	nodes[node].linked = false;
	if (nodes[node].opens == 0) {
		node_free(node);
	}
}

static int
node_find(int parent, const char *name, size_t len)
{
	for (int i = 0; i < NODES; i++) {
		const struct node *n = &nodes[i];

		if (n->used && n->linked && i != ROOT && n->parent == parent
			&& strlen(n->name) == len && memcmp(n->name, name, len) == 0) {
			return i;
		}
	}
	return NOWHERE;
}

/* A new node, not yet durable; NOWHERE where there is no room. */
static int
node_make(int parent, const char *name, size_t len, enum port_kind kind)
{
	for (int i = 0; i < NODES; i++) {
		if (!nodes[i].used) {
			nodes[i] = (struct node){
				.used = true,
				.linked = true,
				.kind = kind,
				.parent = parent,
				.mode = kind == PORT_DIR ? 0755 : 0644,
				.mtime_s = port_time(),
				.inode = inode_next++,
				.read_error_at = UINT64_MAX,
				.write_error_at = UINT64_MAX,
			};
			memcpy(nodes[i].name, name, len);
			nodes[parent].mtime_s = port_time();
			return i;
		}
	}
	return NOWHERE;
}

static unsigned
node_entries(int dir)
{
	unsigned count = 0;

	for (int i = 0; i < NODES; i++) {
		count += nodes[i].used && nodes[i].linked && i != ROOT && nodes[i].parent == dir;
	}
	return count;
}

/* Paths */

/* What a path leads to: a node, or the place for a new one. */
struct place {
	int parent;
	int node;         /* NOWHERE: the name is free */
	const char *name;
	size_t len;
};

static void
check_path(const char *path)
{
	SIM_RULE(path[0] != '\0', "path: empty");
	if (strcmp(path, ".") == 0) {
		return;
	}
	for (const char *name = path;;) {
		size_t len = strcspn(name, "/");

		SIM_RULE(len > 0, "path: an empty name");
		SIM_RULE(len != 1 || name[0] != '.', "path: a name \".\"");
		SIM_RULE(len != 2 || memcmp(name, "..", 2) != 0, "path: a name \"..\"");
		if (name[len] == '\0') {
			return;
		}
		name += len + 1;
	}
}

/* Whether names can be looked up in a node. */
static int
check_dir(int node)
{
	if (nodes[node].kind != PORT_DIR) {
		return CUB_E_NOTDIR;
	}
	if (!nodes[node].linked) {
		return CUB_E_NOENT;
	}
	return nodes[node].denied ? CUB_E_DENIED : CUB_OK;
}

/* Follow a path to its last name, which may be free. */
static int
walk(int start, const char *path, struct place *out)
{
	*out = (struct place){ .parent = start, .node = start };
	if (strlen(path) >= 4096) {
		return CUB_E_NAME;
	}
	if (strcmp(path, ".") == 0) {
		return nodes[start].linked ? CUB_OK : CUB_E_NOENT;
	}
	for (const char *name = path;;) {
		size_t len = strcspn(name, "/");
		int err = out->node == NOWHERE ? CUB_E_NOENT : check_dir(out->node);

		if (err != CUB_OK) {
			return err;
		}
		if (len >= CUB_NAME_MAX) {
			return CUB_E_NAME;
		}
		out->parent = out->node;
		out->node = node_find(out->parent, name, len);
		out->name = name;
		out->len = len;
		if (name[len] == '\0') {
			return CUB_OK;
		}
		name += len + 1;
	}
}

/* Follow a path to something that is there. */
static int
walk_to(int start, const char *path, int *node)
{
	struct place place;
	int err = walk(start, path, &place);

	*node = place.node;
	return err == CUB_OK && place.node == NOWHERE ? CUB_E_NOENT : err;
}

/* Make the form of a path that walk() takes of one that a person may write. */
static int
host_path(const char *path, char out[HOST_PATH_MAX])
{
	size_t used = 0;

	while (*path != '\0') {
		size_t len = strcspn(path, "/");

		if (len == 2 && memcmp(path, "..", 2) == 0) {
			return CUB_E_DENIED;
		}
		if (len > 0 && (len != 1 || path[0] != '.')) {
			if (used + len + 2 > HOST_PATH_MAX) {
				return CUB_E_NAME;
			}
			if (used > 0) {
				out[used++] = '/';
			}
			memcpy(out + used, path, len);
			used += len;
		}
		path += len + (path[len] == '/');
	}
	if (used == 0) {
		out[used++] = '.';
	}
	out[used] = '\0';
	return CUB_OK;
}

/* Handles */

static struct opened *
opened_of(enum sim_kind kind, int32_t handle)
{
	struct opened *o = &opened[sim_handle_slot(handle) % HANDLES];

	if (handle <= 0 || o->handle != handle || o->kind != kind) {
		sim_handle_stale(kind, handle);
		return NULL;
	}
	return o;
}

static int
open_node(enum sim_kind kind, int node, enum port_open how, int32_t *out)
{
	if (sim_file_open_count() >= opened_max) {
		return CUB_E_LIMIT;
	}
	for (unsigned i = 0; i < HANDLES; i++) {
		if (opened[i].handle == 0) {
			*out = sim_handle_make(kind, i);
			opened[i] = (struct opened){ .handle = *out, .kind = kind, .node = node, .how = how };
			nodes[node].opens++;
			return CUB_OK;
		}
	}
	return CUB_E_LIMIT;
}

static void
close_node(struct opened *o)
{
	struct node *n = &nodes[o->node];

	o->handle = 0;
	n->opens--;
	if (n->opens == 0 && !n->linked) {
		node_free(o->node);
	}
}

/* Every call begins with this and, if it is CUB_OK, ends with call_done(). */
static int
call_begin(void)
{
	int err;

	if (sim_power_is_off()) {
		return CUB_E_IO;
	}
	err = sim_fault_count(&fault);
	cut_calls++;
	if (err == CUB_OK && cut_at != 0 && cut_calls == cut_at) {
		cut_after = sim_coin(SIM_FILE);
		if (!cut_after) {
			sim_power_cut();
			return CUB_E_IO;
		}
	}
	return err;
}

static int
call_done(int result)
{
	if (cut_after) {
		cut_after = false;
		sim_power_cut();
		return CUB_E_IO;
	}
	return result;
}

/* Begin a call on a handle; the result is null with `*err` set, or what is open. */
static struct opened *
call_on(enum sim_kind kind, int32_t handle, int *err)
{
	struct opened *o = opened_of(kind, handle);

	*err = o == NULL ? CUB_E_IO : call_begin();
	return *err == CUB_OK ? o : NULL;
}

/* Begin a call on a path below a root, with the root's node in `*start`. */
static int
call_at(port_root root, const char *path, int *start)
{
	int err;
	const struct opened *o = call_on(SIM_ROOT, root, &err);

	check_path(path);
	*start = o != NULL ? o->node : ROOT;
	return err;
}

static void
fill_stat(int node, struct port_stat *out)
{
	const struct node *n = &nodes[node];

	*out = (struct port_stat){
		.kind = n->kind,
		.mode = n->mode,
		.size = n->size,
		.mtime_s = n->mtime_s,
		.device = 1,
		.inode = n->inode,
	};
}

/* The port: roots and names */

static int
root_open(int start, const char *path, port_root *out)
{
	int node;
	int err = walk_to(start, path, &node);

	if (err == CUB_OK) {
		err = check_dir(node);
	}
	return err == CUB_OK ? open_node(SIM_ROOT, node, PORT_OPEN_READ, out) : err;
}

int
port_root_open(port_root base, const char *path, port_root *out)
{
	char host[HOST_PATH_MAX];
	int start = ROOT;
	int err;

	if (base != PORT_NONE) {
		err = call_at(base, path, &start);
	} else {
		err = call_begin();
		if (err == CUB_OK) {
			int named = host_path(path, host);

			path = host;
			if (named != CUB_OK) {
				return call_done(named);
			}
		}
	}
	return err == CUB_OK ? call_done(root_open(start, path, out)) : err;
}

void
port_root_close(port_root root)
{
	struct opened *o = opened_of(SIM_ROOT, root);

	if (o != NULL) {
		close_node(o);
	}
}

int
port_root_free(port_root root, uint64_t *free_bytes)
{
	int err;

	if (call_on(SIM_ROOT, root, &err) == NULL) {
		return err;
	}
	*free_bytes = (disk_blocks > blocks_now ? disk_blocks - blocks_now : 0) * BLOCK;
	return call_done(CUB_OK);
}

int
port_stat(port_root root, const char *path, struct port_stat *out)
{
	int start, node;
	int err = call_at(root, path, &start);

	if (err != CUB_OK) {
		return err;
	}
	err = walk_to(start, path, &node);
	if (err == CUB_OK) {
		fill_stat(node, out);
	}
	return call_done(err);
}

/* Whether one node is another or lies below it. */
static bool
is_below(int node, int above)
{
	while (node != above && node != ROOT) {
		node = nodes[node].parent;
	}
	return node == above;
}

static int
rename_node(const struct place *from, const struct place *to, bool is_new)
{
	struct node *n;

	if (from->node == NOWHERE) {
		return CUB_E_NOENT;
	}
	if (from->name == NULL || to->name == NULL) {
		return CUB_E_BUSY;  /* the root */
	}
	n = &nodes[from->node];
	if (n->kind == PORT_DIR && is_below(to->parent, from->node)) {
		return CUB_E_BAD;
	}
	if (to->node == from->node) {
		return is_new ? CUB_E_EXIST : CUB_OK;
	}
	if (to->node != NOWHERE) {
		if (nodes[to->node].kind == PORT_DIR) {
			return n->kind == PORT_DIR ? CUB_E_EXIST : CUB_E_ISDIR;
		}
		if (n->kind == PORT_DIR) {
			return CUB_E_NOTDIR;
		}
		if (is_new) {
			return CUB_E_EXIST;
		}
		node_unlink(to->node);
	}
	nodes[n->parent].mtime_s = port_time();
	nodes[to->parent].mtime_s = port_time();
	n->parent = to->parent;
	memset(n->name, 0, sizeof n->name);
	memcpy(n->name, to->name, to->len);
	n->kept = true;
	return CUB_OK;
}

static int
rename_at(port_root root, const char *from, const char *to, bool is_new)
{
	struct place source, target;
	int start;
	int err = call_at(root, from, &start);

	check_path(to);
	if (err != CUB_OK) {
		return err;
	}
	err = walk(start, from, &source);
	if (err == CUB_OK) {
		err = walk(start, to, &target);
	}
	return call_done(err == CUB_OK ? rename_node(&source, &target, is_new) : err);
}

int
port_rename(port_root root, const char *from, const char *to)
{
	return rename_at(root, from, to, false);
}

int
port_rename_new(port_root root, const char *from, const char *to)
{
	return rename_at(root, from, to, true);
}

static int
remove_node(int start, const char *path, bool dir)
{
	struct place place;
	int err = walk(start, path, &place);

	if (err != CUB_OK) {
		return err;
	}
	if (place.node == NOWHERE) {
		return CUB_E_NOENT;
	}
	if (place.name == NULL) {
		return dir ? CUB_E_BUSY : CUB_E_ISDIR;
	}
	if (dir != (nodes[place.node].kind == PORT_DIR)) {
		return dir ? CUB_E_NOTDIR : CUB_E_ISDIR;
	}
	if (dir && node_entries(place.node) > 0) {
		return CUB_E_NOTEMPTY;
	}
	nodes[place.parent].mtime_s = port_time();
	node_unlink(place.node);
	return CUB_OK;
}

int
port_remove(port_root root, const char *path)
{
	int start;
	int err = call_at(root, path, &start);

	return err == CUB_OK ? call_done(remove_node(start, path, false)) : err;
}

int
port_dir_remove(port_root root, const char *path)
{
	int start;
	int err = call_at(root, path, &start);

	return err == CUB_OK ? call_done(remove_node(start, path, true)) : err;
}

static int
make_dir(int start, const char *path, uint16_t mode)
{
	struct place place;
	int err = walk(start, path, &place);
	int node;

	if (err != CUB_OK) {
		return err;
	}
	if (place.node != NOWHERE) {
		return CUB_E_EXIST;
	}
	node = node_make(place.parent, place.name, place.len, PORT_DIR);
	if (node == NOWHERE) {
		return CUB_E_FULL;
	}
	nodes[node].kept = true;
	nodes[node].mode = mode;
	return CUB_OK;
}

int
port_dir_make(port_root root, const char *path, uint16_t mode)
{
	int start;
	int err = call_at(root, path, &start);

	SIM_RULE((mode & ~0777u) == 0, "mkdir: more than nine bits of mode");
	return err == CUB_OK ? call_done(make_dir(start, path, mode)) : err;
}

/* As in reality an entry has to be opened to be changed, unlike for a look. */
int
port_change(port_root root, const char *path, enum port_attribute what, int64_t value)
{
	int start, node;
	int err = call_at(root, path, &start);

	SIM_RULE(what == PORT_MTIME || (value >= 0 && value <= 0777), "change: no permission bits");
	if (err != CUB_OK) {
		return err;
	}
	err = walk_to(start, path, &node);
	if (err == CUB_OK && (nodes[node].kind == PORT_OTHER || nodes[node].denied)) {
		err = CUB_E_DENIED;
	}
	if (err == CUB_OK && what == PORT_MODE) {
		nodes[node].mode = (uint16_t)value;
	} else if (err == CUB_OK) {
		nodes[node].mtime_s = value;
	}
	return call_done(err);
}

/* The port: files */

/* Is it open for writing? */
static bool
is_written(int node)
{
	for (unsigned i = 0; i < HANDLES; i++) {
		if (opened[i].handle != 0 && opened[i].kind == SIM_OPEN_FILE && opened[i].node == node
			&& opened[i].how != PORT_OPEN_READ) {
			return true;
		}
	}
	return false;
}

static int
file_open(int start, const char *path, enum port_open how, uint16_t mode, port_file *out)
{
	struct place place;
	int err = walk(start, path, &place);

	if (err != CUB_OK) {
		return err;
	}
	if (place.node == NOWHERE) {
		if (how != PORT_OPEN_CREATE) {
			return CUB_E_NOENT;
		}
		if (sim_file_open_count() >= opened_max) {
			return CUB_E_LIMIT;
		}
		place.node = node_make(place.parent, place.name, place.len, PORT_FILE);
		if (place.node == NOWHERE) {
			return CUB_E_FULL;
		}
		nodes[place.node].mode = mode;
		return open_node(SIM_OPEN_FILE, place.node, how, out);
	}
	if (how == PORT_OPEN_CREATE) {
		return CUB_E_EXIST;
	}
	if (nodes[place.node].kind == PORT_DIR) {
		return CUB_E_ISDIR;
	}
	if (nodes[place.node].kind == PORT_OTHER || nodes[place.node].denied) {
		return CUB_E_DENIED;
	}
	if (how == PORT_OPEN_UPDATE && is_written(place.node)) {
		return CUB_E_BUSY;
	}
	return open_node(SIM_OPEN_FILE, place.node, how, out);
}

int
port_file_open(port_root root, const char *path, enum port_open how, uint16_t mode,
	port_file *out)
{
	int start;
	int err = call_at(root, path, &start);

	SIM_RULE((mode & ~0777u) == 0, "file open: more than nine bits of mode");
	return err == CUB_OK ? call_done(file_open(start, path, how, mode, out)) : err;
}

int
port_file_stat(port_file file, struct port_stat *out)
{
	int err;
	const struct opened *o = call_on(SIM_OPEN_FILE, file, &err);

	if (o == NULL) {
		return err;
	}
	fill_stat(o->node, out);
	return call_done(CUB_OK);
}

static size_t
piece(size_t len)
{
	switch (split) {
	case SIM_BYTES:
		return 1;
	case SIM_RANDOM:
		return 1 + sim_draw_below(SIM_FILE, (uint32_t)len);
	case SIM_WHOLE:
		break;
	}
	return len;
}

/* How much of a range can be moved before the byte that fails. */
static size_t
before_error(uint64_t error_at, uint64_t offset, size_t len)
{
	return error_at >= offset && error_at - offset < len ? (size_t)(error_at - offset) : len;
}

static size_t
copy_out(int node, uint64_t offset, uint8_t *to, size_t len)
{
	size_t done = 0;

	if (offset >= nodes[node].size) {
		return 0;
	}
	if (len > nodes[node].size - offset) {
		len = (size_t)(nodes[node].size - offset);
	}
	while (done < len) {
		const struct block *b = block_find(node, (offset + done) / BLOCK);
		size_t at = (size_t)((offset + done) % BLOCK);
		size_t n = len - done < BLOCK - at ? len - done : BLOCK - at;

		if (b != NULL && b->now) {
			memcpy(to + done, b->data + at, n);
		} else {
			memset(to + done, 0, n);
		}
		done += n;
	}
	return done;
}

/* Returns less than `len` where the medium is full. */
static size_t
copy_in(int node, uint64_t offset, const uint8_t *from, size_t len)
{
	struct node *file = &nodes[node];
	size_t done = 0;

	while (done < len) {
		struct block *b = block_take(node, (offset + done) / BLOCK);
		size_t at = (size_t)((offset + done) % BLOCK);
		size_t n = len - done < BLOCK - at ? len - done : BLOCK - at;

		if (b == NULL) {
			break;
		}
		memcpy(b->data + at, from + done, n);
		done += n;
	}
	if (done > 0) {
		file->dirty = true;
		file->mtime_s = port_time();
		if (offset + done > file->size) {
			file->size = offset + done;
		}
	}
	return done;
}

int
port_file_read(port_file file, uint64_t offset, void *dst, size_t len)
{
	int err;
	const struct opened *o = call_on(SIM_OPEN_FILE, file, &err);

	SIM_RULE(len > 0 && len <= INT32_MAX, "file read: a length of 0 or far too large");
	if (o == NULL) {
		return err;
	}
	SIM_RULE(o->how == PORT_OPEN_READ, "file read: it is open for writing");
	len = before_error(nodes[o->node].read_error_at, offset, len);
	if (len == 0) {
		return call_done(CUB_E_IO);
	}
	len = copy_out(o->node, offset, dst, piece(len));
	return call_done(len > 0 ? (int)len : CUB_EOF);
}

int
port_file_write(port_file file, uint64_t offset, const void *src, size_t len)
{
	int err;
	const struct opened *o = call_on(SIM_OPEN_FILE, file, &err);

	SIM_RULE(len > 0 && len <= INT32_MAX, "file write: a length of 0 or far too large");
	if (o == NULL) {
		return err;
	}
	SIM_RULE(o->how != PORT_OPEN_READ, "file write: it is open for reading");
	if (offset >= file_size_max) {
		return call_done(CUB_E_FULL);
	}
	if (len > file_size_max - offset) {
		len = (size_t)(file_size_max - offset);
	}
	len = before_error(nodes[o->node].write_error_at, offset, len);
	if (len == 0) {
		return call_done(CUB_E_IO);
	}
	len = cut_after ? 1 + sim_draw_below(SIM_FILE, (uint32_t)len) : piece(len);
	len = copy_in(o->node, offset, src, len);
	return call_done(len > 0 ? (int)len : CUB_E_FULL);
}

int
port_file_truncate(port_file file, uint64_t len)
{
	int err;
	const struct opened *o = call_on(SIM_OPEN_FILE, file, &err);

	if (o == NULL) {
		return err;
	}
	SIM_RULE(o->how != PORT_OPEN_READ, "file truncate: it is open for reading");
	if (len > file_size_max) {
		return call_done(CUB_E_FULL);
	}
	blocks_cut(o->node, len);
	nodes[o->node].size = len;
	nodes[o->node].dirty = true;
	nodes[o->node].mtime_s = port_time();
	return call_done(CUB_OK);
}

int
port_file_sync(port_file file)
{
	int err;
	const struct opened *o = call_on(SIM_OPEN_FILE, file, &err);

	if (o == NULL) {
		return err;
	}
	node_keep(o->node);
	return call_done(CUB_OK);
}

int
port_file_close(port_file file)
{
	struct opened *o = opened_of(SIM_OPEN_FILE, file);
	int err = call_begin();

	/* The begun call may have cut the power, and then it is closed. */
	if (o != NULL && o->handle == file) {
		close_node(o);
	}
	return err == CUB_OK ? call_done(CUB_OK) : err;
}

/* The port: directories. The buffer holds the last entry's number, then its name. */

_Static_assert(CONFIG_CUBFTPD_DIR_BUFFER >= 8 + CUB_NAME_MAX,
	"the simulator keeps a number and a name in a port_dir");

int
port_dir_open(port_root root, const char *path, struct port_dir *dir)
{
	int start, node;
	int err = call_at(root, path, &start);

	if (err != CUB_OK) {
		return err;
	}
	err = walk_to(start, path, &node);
	if (err == CUB_OK) {
		err = check_dir(node);
	}
	if (err == CUB_OK) {
		memset(dir, 0xA5, sizeof *dir);
		dir->buffer[0] = 0;
		err = open_node(SIM_OPEN_DIR, node, PORT_OPEN_READ, &dir->handle);
	}
	return call_done(err);
}

int
port_dir_next(struct port_dir *dir, struct port_entry *entry)
{
	int err;
	const struct opened *o = call_on(SIM_OPEN_DIR, dir->handle, &err);
	int next = NOWHERE;

	if (o == NULL) {
		return err;
	}
	for (int i = 0; i < NODES; i++) {
		const struct node *n = &nodes[i];

		if (n->used && n->linked && i != ROOT && n->parent == o->node
			&& n->inode > dir->buffer[0]
			&& (next == NOWHERE || n->inode < nodes[next].inode)) {
			next = i;
		}
	}
	/* A name that is still looked at after this must not look right. */
	memset(dir->buffer + 1, 0xA5, sizeof dir->buffer - 8);
	if (next == NOWHERE) {
		return call_done(CUB_EOF);
	}
	dir->buffer[0] = nodes[next].inode;
	memcpy(dir->buffer + 1, nodes[next].name, strlen(nodes[next].name) + 1);
	entry->name = (const char *)(dir->buffer + 1);
	fill_stat(next, &entry->stat);
	entry->next = nodes[next].inode;
	return call_done(CUB_OK);
}

int
port_dir_seek(struct port_dir *dir, uint64_t next)
{
	int err;

	(void)call_on(SIM_OPEN_DIR, dir->handle, &err);
	if (err == CUB_OK) {
		dir->buffer[0] = next;
	}
	return call_done(err);
}

void
port_dir_close(struct port_dir *dir)
{
	struct opened *o = opened_of(SIM_OPEN_DIR, dir->handle);

	if (o != NULL) {
		close_node(o);
	}
	memset(dir, 0xA5, sizeof *dir);
}

/* The whole */

void
sim_file_reset(void)
{
	memset(opened, 0, sizeof opened);
	for (int i = 0; i < NODES; i++) {
		nodes[i].used = false;
	}
	for (int i = 0; i < BLOCKS; i++) {
		blocks[i].node = NOWHERE;
		blocks[i].now = false;
		blocks[i].next = i + 1 < BLOCKS ? i + 1 : NOWHERE;
	}
	for (int i = 0; i < HASHES; i++) {
		hashes[i] = NOWHERE;
	}
	free_block = 0;
	blocks_now = 0;
	disk_blocks = BLOCKS;
	file_size_max = INT64_MAX;
	opened_max = HANDLES;
	split = SIM_WHOLE;
	inode_next = 1;
	sim_file_fail_at(0, false, CUB_E_IO);
	sim_file_cut_at(0);
	nodes[node_make(ROOT, "", 0, PORT_DIR)].kept = true;
	sim_dir_put("/srv");
}

static void
forget_opened(void)
{
	memset(opened, 0, sizeof opened);
	for (int i = 0; i < NODES; i++) {
		nodes[i].opens = 0;
		if (nodes[i].used && !nodes[i].linked) {
			node_free(i);
		}
	}
}

void
sim_file_power_cut(void)
{
	forget_opened();
	for (int i = 0; i < NODES; i++) {
		if (!nodes[i].used) {
			continue;
		}
		if (!nodes[i].kept && sim_coin(SIM_FILE)) {
			node_free(i);
		} else {
			nodes[i].kept = true;
			node_settle(i);
		}
	}
}

void
sim_file_restart(void)
{
	forget_opened();
	for (int i = 0; i < NODES; i++) {
		if (nodes[i].used) {
			node_keep(i);
		}
	}
}

void
sim_file_split(enum sim_split how)
{
	split = how;
}

void
sim_file_fail_at(uint64_t n, bool forever, int error)
{
	sim_fault_set(&fault, n, forever, error);
}

uint64_t
sim_file_calls(void)
{
	return fault.calls;
}

bool
sim_file_failed(void)
{
	return fault.struck;
}

void
sim_file_cut_at(uint64_t n)
{
	cut_at = n;
	cut_calls = 0;
	cut_after = false;
}

unsigned
sim_file_open_count(void)
{
	unsigned count = 0;

	for (unsigned i = 0; i < HANDLES; i++) {
		count += opened[i].handle != 0;
	}
	return count;
}

void
sim_file_limit(unsigned handles)
{
	opened_max = handles < HANDLES ? handles : HANDLES;
}

void
sim_disk_limit(uint64_t bytes)
{
	disk_blocks = bytes / BLOCK < BLOCKS ? bytes / BLOCK : BLOCKS;
}

void
sim_file_size_max(uint64_t bytes)
{
	file_size_max = bytes;
}

/* The test's view: no faults, no handles, no locks */

/* The node at a host path, or NOWHERE. What is denied to the server is not to the test. */
static int
node_at(const char *path)
{
	char host[HOST_PATH_MAX];
	int node = ROOT;

	if (host_path(path, host) != CUB_OK) {
		sim_fail("sim: a path that can't be: %s", path);
	}
	if (strcmp(host, ".") == 0) {
		return ROOT;
	}
	for (const char *name = host; node != NOWHERE; ) {
		size_t len = strcspn(name, "/");

		node = node_find(node, name, len);
		if (name[len] == '\0') {
			break;
		}
		name += len + 1;
	}
	return node;
}

static struct node *
must_be(const char *path, enum port_kind kind)
{
	int node = node_at(path);

	if (node == NOWHERE || nodes[node].kind != kind) {
		sim_fail("sim: no such %s: %s", kind == PORT_DIR ? "directory" : "file", path);
	}
	return &nodes[node];
}

/* Make a node at a host path, unless it is there, with the directories above it. */
static int
node_put(const char *path, enum port_kind kind)
{
	char host[HOST_PATH_MAX];
	int node = ROOT;

	if (host_path(path, host) != CUB_OK) {
		sim_fail("sim: a path that can't be: %s", path);
	}
	for (const char *name = host; strcmp(host, ".") != 0; ) {
		size_t len = strcspn(name, "/");
		int parent = node;

		if (nodes[parent].kind != PORT_DIR || len >= CUB_NAME_MAX) {
			sim_fail("sim: a path that can't be: %s", path);
		}
		node = node_find(parent, name, len);
		if (node == NOWHERE) {
			node = node_make(parent, name, len, name[len] == '/' ? PORT_DIR : kind);
		}
		if (node == NOWHERE) {
			sim_fail("sim: more than %d files and directories", NODES);
		}
		nodes[node].kept = true;
		if (name[len] == '\0') {
			break;
		}
		name += len + 1;
	}
	if (nodes[node].kind != kind) {
		sim_fail("sim: something else is there: %s", path);
	}
	return node;
}

void
sim_file_put(const char *path, const void *data, size_t len)
{
	int node = node_put(path, PORT_FILE);

	blocks_cut(node, 0);
	nodes[node].size = 0;
	nodes[node].dirty = true;
	if (copy_in(node, 0, data, len) < len) {
		sim_fail("sim: no space left for %s", path);
	}
	node_keep(node);
}

void
sim_dir_put(const char *path)
{
	node_put(path, PORT_DIR);
}

void
sim_other_put(const char *path)
{
	node_put(path, PORT_OTHER);
}

size_t
sim_file_peek(const char *path, uint64_t offset, void *dst, size_t len)
{
	return copy_out((int)(must_be(path, PORT_FILE) - nodes), offset, dst, len);
}

bool
sim_file_is(const char *path, const void *data, size_t len)
{
	const uint8_t *expected = data;
	uint8_t part[SECTOR];

	if (!sim_file_exists(path) || sim_file_size(path) != len) {
		return false;
	}
	for (size_t at = 0; at < len; ) {
		size_t n = sim_file_peek(path, at, part, sizeof part);

		if (memcmp(part, expected + at, n) != 0) {
			return false;
		}
		at += n;
	}
	return true;
}

bool
sim_file_exists(const char *path)
{
	int node = node_at(path);

	return node != NOWHERE && nodes[node].kind == PORT_FILE;
}

bool
sim_dir_exists(const char *path)
{
	int node = node_at(path);

	return node != NOWHERE && nodes[node].kind == PORT_DIR;
}

uint64_t
sim_file_size(const char *path)
{
	return must_be(path, PORT_FILE)->size;
}

uint16_t
sim_mode(const char *path)
{
	int node = node_at(path);

	if (node == NOWHERE) {
		sim_fail("sim: nothing there: %s", path);
	}
	return nodes[node].mode;
}

unsigned
sim_dir_count(const char *path)
{
	return node_entries((int)(must_be(path, PORT_DIR) - nodes));
}

void
sim_file_mtime_set(const char *path, int64_t seconds)
{
	int node = node_at(path);

	if (node == NOWHERE) {
		sim_fail("sim: no such file or directory: %s", path);
	}
	nodes[node].mtime_s = seconds;
}

void
sim_file_deny(const char *path, bool deny)
{
	int node = node_at(path);

	if (node == NOWHERE) {
		sim_fail("sim: no such file or directory: %s", path);
	}
	nodes[node].denied = deny;
}

void
sim_file_read_error_at(const char *path, uint64_t offset)
{
	must_be(path, PORT_FILE)->read_error_at = offset;
}

void
sim_file_write_error_at(const char *path, uint64_t offset)
{
	must_be(path, PORT_FILE)->write_error_at = offset;
}
