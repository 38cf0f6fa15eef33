/* SPDX-License-Identifier: MIT */
/*
 * Directory listings, streamed: constant memory for a directory of any size. Times are UTC.
 * Names that clients can't use (path_is_visible()) are left out, and counted. A link to a
 * directory is a link: who deletes a tree must not go on behind it.
 */
#ifndef LISTING_H
#define LISTING_H

#include "provision.h"

enum listing_format {
	LISTING_LONG,   /* LIST, STAT: as `ls -l` */
	LISTING_NAMES,  /* NLST */
	LISTING_FACTS,  /* MLSD, MLST: RFC 3659 section 7 */
};

/* The facts of MLSD, a bit each, in the order of their output. */
enum listing_fact {
	FACT_TYPE      = 1,
	FACT_SIZE      = 2,
	FACT_MODIFY    = 4,
	FACT_PERM      = 8,
	FACT_UNIQUE    = 16,
	FACT_UNIX_MODE = 32,
	FACT_ALL       = 63,
};

/* No line is longer than this: names of NLST have their folder before them. */
#define LISTING_LINE_MAX (CUB_PATH_MAX + CUB_NAME_MAX + 160)

/* How entries shall look. */
struct listing_style {
	enum listing_format format;
	uint8_t facts;
	uint8_t rights;  /* of the account: enum account_right, for the fact "perm" */
	int64_t now_s;
	const char *within;  /* NLST: what leads to the listed folder or file; null: nothing */
};

struct listing {
	struct listing_style style;
	enum { LISTING_CLOSED, LISTING_DIR, LISTING_ONE, LISTING_PROVISION } state;
	bool     is_root;       /* where an entry of the name /.provision is not the medium's */
	struct service *service;  /* of an administrator; null: there is no /.provision */
	unsigned hidden;        /* entries that were left out */
	unsigned index;         /* of the next entry, in /.provision; 0 in the root: it comes first */
	union {
		struct port_dir dir;
		struct provision_place place;
		struct {
			struct port_stat stat;
			char name[CUB_NAME_MAX];
		} one;  /* LIST of a single file */
	};
};

/*
 * Open what `path` (as in path.h) names. `sv` is null but for an administrator, who sees
 * /.provision.
 * Returns CUB_OK, CUB_E_NOTDIR (a file, where the format has only directories), or the
 * port's errors.
 */
int listing_open(struct listing *l, const struct listing_style *style, struct service *sv,
	port_root root, const char *path);
void listing_close(struct listing *l);

/* One entry's line; `name` as the client shall see it. The line ends in CR LF. */
void listing_put(struct out *o, const struct listing_style *style, const char *name,
	const struct port_stat *stat);

/*
 * Fill `o`, which is empty, with the next lines, as many as fit, but of a bounded number of
 * entries. One that would not even fit alone is left out, and counted.
 *
 * Returns CUB_OK, CUB_EOF when there are no more (`o` may still hold lines), CUB_E_IO.
 */
int listing_fill(struct listing *l, struct out *o);

/* The names of some facts, each followed by `mark` where it is `on`, and a semicolon. */
void listing_put_facts(struct out *o, uint8_t facts, uint8_t on, const char *mark);

/* Four octal digits. */
void listing_put_mode(struct out *o, uint16_t mode);

/* "type;size;" to bits; unknown ones are left out (RFC 3659 section 7.9). */
uint8_t listing_parse_facts(struct text names);

#endif
