/* SPDX-License-Identifier: MIT */
/*
 * The file side of an upload. A file that is stored as a whole goes to a hidden temporary
 * name in the same directory and takes its real name only when it is complete and would
 * survive a power cut. APPE and REST with STOR write in place, one at a time to a file.
 *
 * States of the names, with T the temporary and F the real one (+ exists, - not, ? either):
 *
 *	           T  F
 *	prepared   -  ?   nothing has been touched
 *	open       +  ?   F is what it was
 *	finished   -  +   F is the upload, durable
 *	abandoned  -  ?   F is what it was; or, where there was none, what has arrived so far
 *
 * A power cut while it is open leaves T behind, and F as it was. T is stale then: its name
 * tells that an earlier run of the server made it, and sweep.h removes it.
 */
#ifndef UPLOAD_H
#define UPLOAD_H

#include "path.h"
#include "provision.h"

enum upload_mode {
	UPLOAD_REPLACE,  /* STOR */
	UPLOAD_NEW,      /* STOU, and APPE where there is no file: never replaces one */
	UPLOAD_RESUME,   /* REST n, STOR: from n on; what lay behind is cut off at the end */
	UPLOAD_APPEND,   /* APPE */
	UPLOAD_PROVISION,  /* into /.provision: nothing of it goes to the medium */
};

/* Asked in this way, what follows is left out of a build without that folder. */
#define UPLOAD_IS_PROVISION(u) (CONFIG_CUBFTPD_PROVISION && (u)->mode == UPLOAD_PROVISION)

struct upload {
	port_root root;
	struct service *service;
	port_root folder;    /* while the file is open: where it is, also if that is renamed */
	port_file file;      /* PORT_NONE: not open */
	enum upload_mode mode;
	uint16_t  permissions;  /* of a file that is made: a new one's, or those of the old one */
	bool      is_unproven;  /* taken as whole without close_notify */
	uint64_t  announced; /* by ALLO: the bytes to come; 0: not known */
	uint64_t  offset;    /* where the next byte goes */
	uint64_t  look_at;   /* the offset from which on to look what is free */
	const char *target;  /* as in path.h */
	char      temporary[32];  /* a name in `folder` */
};

/* The server starts: temporary files from before are stale. */
void upload_init(void);

/* Digits that no other name has, and a NUL. */
void upload_put_unique(struct out *o);

/*
 * Bytes that may still be written to a folder, which may be another medium than that of the
 * account's root: what is free over `min_free`.
 */
int upload_room(const struct service *sv, port_root folder, uint64_t *bytes);

/* Open the folder that a path (as in path.h) lies in. Returns as port_root_open(). */
int upload_open_folder(port_root root, const char *path, port_root *folder);

/*
 * Look whether an upload to `path` (as in path.h; it must stay valid) can be begun; touches
 * nothing. `offset` is for UPLOAD_RESUME. The caller has set service, root, announced,
 * and the permissions of a new file.
 *
 * Returns CUB_OK; CUB_E_ISDIR; CUB_E_BAD: the offset is beyond the file's end;
 *         CUB_E_FULL: no more is free than `min_free`; CUB_E_EXIST (UPLOAD_NEW);
 *         CUB_E_NOENT, CUB_E_NOTDIR: its directory isn't there; CUB_E_DENIED, CUB_E_IO.
 */
int upload_prepare(struct upload *u, const char *path, enum upload_mode mode, uint64_t offset);

/* Likewise for a path in /.provision: an error's reason is in the service's `why`. */
int upload_prepare_provision(struct upload *u, const char *path);

/*
 * Create or open the file. Returns CUB_OK or what port_root_open() or port_file_open() returned;
 * CUB_E_BAD where the offset is beyond the file's end by now.
 */
int upload_open(struct upload *u);

/* Write all of it. Returns CUB_OK, CUB_E_FULL, CUB_E_LIMIT or CUB_E_IO. */
int upload_write(struct upload *u, const unsigned char *src, size_t len);

/*
 * The connection ended without close_notify: may what has arrived, `bytes`, count as whole?
 * Only with `upload_eof = lenient`, and where just as much was announced.
 */
bool upload_is_whole(struct upload *u, uint64_t bytes);

/*
 * All has arrived: make it durable, then give it its name. An error leaves the old file; of one
 * into /.provision the reason is in the service's `why`.
 */
int upload_finish(struct upload *u);

/* Is this the name of a temporary file that an earlier run of the server left? */
bool upload_is_stale(const char *name);

/* It broke off: see the table. `keep` what has arrived of a new file, unless it shall vanish. */
void upload_abandon(struct upload *u, bool keep);

#endif
