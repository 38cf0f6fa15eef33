/* SPDX-License-Identifier: MIT */
/* Directory listings: see listing.h. */
#include "listing.h"

#include "account.h"
#include "date.h"
#include "path.h"

/* How many entries one call looks at: their status may have to come from a slow medium. */
#define ENTRIES_MAX 32

static const char *const fact_names[] = { "type", "size", "modify", "perm", "unique", "UNIX.mode" };

#define FACT_COUNT (sizeof fact_names / sizeof fact_names[0])

static bool
is_folder(const struct port_stat *stat)
{
	return stat->kind == PORT_DIR && !stat->is_link;
}

static void
put_mode(struct out *o, const struct port_stat *stat)
{
	static const char letters[] = "rwxrwxrwx";

	out_char(o, is_folder(stat) ? 'd' : stat->kind == PORT_FILE ? '-' : 'l');
	for (unsigned i = 0; i < 9; i++) {
		out_char(o, (stat->mode >> (8 - i) & 1) != 0 ? letters[i] : '-');
	}
}

static void
put_long(struct out *o, const struct listing_style *style, const char *name,
	const struct port_stat *stat)
{
	put_mode(o, stat);
	out_string(o, " 1 ftp ftp ");
	out_number(o, stat->kind == PORT_FILE ? stat->size : 0);
	out_char(o, ' ');
	date_put_list(o, stat->mtime_s, style->now_s);
	out_char(o, ' ');
	out_string(o, name);
}

/* RFC 3659 section 7.5.5: what the account may do with the entry. */
static void
put_perm(struct out *o, uint8_t rights, bool is_dir)
{
	static const struct {
		uint8_t right;
		char of_dir[5], of_file[4];
	} letters[] = {
		{ RIGHT_READ,   "",    "r" },
		{ RIGHT_LIST,   "l",   "" },
		{ RIGHT_WRITE,  "cmf", "awf" },
		{ RIGHT_DELETE, "dp",  "d" },
	};

	out_string(o, is_dir ? "e" : "");
	for (size_t i = 0; i < sizeof letters / sizeof letters[0]; i++) {
		if ((rights & letters[i].right) != 0) {
			out_string(o, is_dir ? letters[i].of_dir : letters[i].of_file);
		}
	}
}

static void
put_hex_number(struct out *o, uint64_t n)
{
	uint8_t bytes[8];

	for (int i = 0; i < 8; i++) {
		bytes[i] = (uint8_t)(n >> (56 - 8 * i));
	}
	out_hex(o, bytes, sizeof bytes);
}

void
listing_put_mode(struct out *o, uint16_t mode)
{
	for (int shift = 9; shift >= 0; shift -= 3) {
		out_number(o, mode >> shift & 7);
	}
}

static void
put_fact(struct out *o, const struct listing_style *style, unsigned fact,
	const struct port_stat *stat)
{
	bool is_dir = stat->kind == PORT_DIR;

	switch (fact) {
	case FACT_TYPE:
		out_string(o, is_folder(stat) ? "dir" : stat->kind == PORT_FILE ? "file"
			: stat->is_link ? "OS.unix=symlink" : "OS.unix=other");
		break;
	case FACT_SIZE:
		out_number(o, stat->size);  /* asked for files only */
		break;
	case FACT_MODIFY:
		date_put(o, stat->mtime_s);
		break;
	case FACT_PERM:
		put_perm(o, style->rights, is_dir);
		break;
	case FACT_UNIQUE:
		put_hex_number(o, stat->device);
		out_char(o, 'g');
		put_hex_number(o, stat->inode);
		break;
	default:
		listing_put_mode(o, stat->mode);
	}
}

static void
put_facts(struct out *o, const struct listing_style *style, const char *name,
	const struct port_stat *stat)
{
	for (unsigned i = 0; i < FACT_COUNT; i++) {
		unsigned fact = 1u << i;

		/* Only files have a size that means something to clients. */
		if ((style->facts & fact) == 0 || (fact == FACT_SIZE && stat->kind != PORT_FILE)) {
			continue;
		}
		out_string(o, fact_names[i]);
		out_char(o, '=');
		put_fact(o, style, fact, stat);
		out_char(o, ';');
	}
	out_char(o, ' ');
	out_string(o, name);
}

void
listing_put(struct out *o, const struct listing_style *style, const char *name,
	const struct port_stat *stat)
{
	if (style->format == LISTING_LONG) {
		put_long(o, style, name, stat);
	} else if (style->format == LISTING_FACTS) {
		put_facts(o, style, name, stat);
	} else {
		if (style->within != NULL) {
			out_string(o, style->within);
			out_string(o, name[0] != '\0' ? "/" : "");
		}
		out_string(o, name);
	}
	out_string(o, "\r\n");
}

/* What there is to list, on the medium or in /.provision. */
static int
look(struct listing *l, port_root root, const char *path, struct port_stat *stat)
{
	int err;

	if (!provision_holds(path)) {
		return port_stat(root, path_in_root(path), stat);
	}
	err = l->service == NULL ? CUB_E_NOENT : provision_find(l->service, path, &l->place);
	return err < 0 ? err : provision_stat(l->service, &l->place, stat);
}

int
listing_open(struct listing *l, const struct listing_style *style, struct service *sv,
	port_root root, const char *path)
{
	struct port_stat stat;
	int err;

	l->style = *style;
	l->service = sv;
	l->hidden = 0;
	l->index = 0;
	l->is_root = path[1] == '\0';
	err = look(l, root, path, &stat);
	if (err < 0) {
		return err;
	}
	if (stat.kind == PORT_DIR && provision_holds(path)) {
		l->state = LISTING_PROVISION;
		return CUB_OK;
	}
	if (stat.kind == PORT_DIR) {
		err = port_dir_open(root, path_in_root(path), &l->dir);
		l->state = err == CUB_OK ? LISTING_DIR : LISTING_CLOSED;
		return err;
	}
	if (style->format == LISTING_FACTS) {
		return CUB_E_NOTDIR;
	}
	l->state = LISTING_ONE;
	l->one.stat = stat;
	(void)text_copy(text_of(style->format == LISTING_NAMES ? "" : path_last(path)),
		l->one.name, sizeof l->one.name);
	return CUB_OK;
}

void
listing_close(struct listing *l)
{
	if (l->state == LISTING_DIR) {
		port_dir_close(&l->dir);
	}
	l->state = LISTING_CLOSED;
}

/* The entry that the root has for administrators only. */
static void
put_provision(struct listing *l, struct out *o)
{
	struct provision_place top = { .page = PAGE_TOP };
	struct port_stat stat;

	if (provision_stat(l->service, &top, &stat) == CUB_OK) {
		listing_put(o, &l->style, &PROVISION_PATH[1], &stat);
	}
}

/* The next entry, of which there may be nothing to be seen. */
static int
put_next(struct listing *l, struct out *o)
{
	char name[CUB_NAME_MAX];
	struct port_stat stat;
	struct port_entry entry;
	int err;

	if (CONFIG_CUBFTPD_PROVISION && l->state == LISTING_PROVISION) {
		err = provision_entry(l->service, &l->place, l->index++, name, &stat);
		if (err == CUB_OK) {
			listing_put(o, &l->style, name, &stat);
		}
		return err == CUB_E_NOENT ? CUB_OK : err;
	}
	if (CONFIG_CUBFTPD_PROVISION && l->is_root && l->index++ == 0 && l->service != NULL) {
		put_provision(l, o);
		return CUB_OK;
	}
	err = port_dir_next(&l->dir, &entry);
	if (err < 0) {
		return err;
	}
	if (path_is_visible(text_of(entry.name)) && !(CONFIG_CUBFTPD_PROVISION
		&& l->is_root && text_same(text_of(entry.name), &PROVISION_PATH[1]))) {
		listing_put(o, &l->style, entry.name, &entry.stat);
	} else {
		l->hidden++;
	}
	return CUB_OK;
}

int
listing_fill(struct listing *l, struct out *o)
{
	int err = CUB_OK;

	if (l->state == LISTING_ONE) {
		listing_put(o, &l->style, l->one.name, &l->one.stat);
		return CUB_EOF;
	}
	/* The first line is tried in any room: clients may want records as short as 512 bytes. */
	for (int i = 0; i < ENTRIES_MAX && err == CUB_OK
		&& (o->len == 0 || o->cap - o->len >= LISTING_LINE_MAX); i++) {
		err = put_next(l, o);
		if (o->cut) {
			o->len = 0;
			o->cut = false;
			l->hidden++;
		}
	}
	return err;
}

void
listing_put_facts(struct out *o, uint8_t facts, uint8_t on, const char *mark)
{
	for (unsigned i = 0; i < FACT_COUNT; i++) {
		if ((facts >> i & 1) != 0) {
			out_string(o, fact_names[i]);
			out_string(o, (on >> i & 1) != 0 ? mark : "");
			out_char(o, ';');
		}
	}
}

uint8_t
listing_parse_facts(struct text names)
{
	uint8_t facts = 0;

	while (names.len > 0) {
		struct text name = text_cut(&names, ';');

		for (unsigned i = 0; i < FACT_COUNT; i++) {
			if (text_is(name, fact_names[i])) {
				facts = (uint8_t)(facts | 1u << i);
			}
		}
	}
	return facts;
}
