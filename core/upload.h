/* SPDX-License-Identifier: MIT */
/*
 * The file side of an upload. A file that is stored as a whole goes to a hidden temporary
 * name in the same directory and takes its real name only when it is complete and would
 * survive a power cut. APPE and REST with STOR write in place.
 *
 * States of the names, with T the temporary and F the real one (+ exists, - not, ? either):
 *
 *	           T  F
 *	prepared   -  ?   nothing has been touched
 *	open       +  ?   F is what it was
 *	finished   -  +   F is the upload, durable
 *	abandoned  -  ?   F is what it was; or, where there was none, what has arrived so far
 *
 * A power cut while it is open leaves T behind, and F as it was.
 */
#ifndef UPLOAD_H
#define UPLOAD_H

#include "path.h"
#include "provision.h"

enum upload_mode {
	UPLOAD_REPLACE,  /* STOR, STOU */
	UPLOAD_RESUME,   /* REST n, STOR: from n on; what lay behind is cut off at the end */
	UPLOAD_APPEND,   /* APPE */
	UPLOAD_PROVISION,  /* into /.provision: nothing of it goes to the medium */
};

/* Asked in this way, what follows is left out of a build without that folder. */
#define UPLOAD_IS_PROVISION(u) (CONFIG_CUBFTPD_PROVISION && (u)->mode == UPLOAD_PROVISION)

struct upload {
	port_root root;
	struct service *service;  /* of an UPLOAD_PROVISION */
	port_file file;      /* PORT_NONE: not open */
	enum upload_mode mode;
	uint64_t  offset;    /* where the next byte goes */
	const char *target;  /* as in path.h */
	char      temporary[CUB_PATH_MAX + 32];
};

/*
 * Look whether an upload to `path` (as in path.h; it must stay valid) can be begun; touches
 * nothing. `offset` is for UPLOAD_RESUME.
 *
 * Returns CUB_OK; CUB_E_ISDIR; CUB_E_BAD: the offset is beyond the file's end;
 *         CUB_E_NOENT, CUB_E_NOTDIR: its directory isn't there; CUB_E_DENIED, CUB_E_IO.
 */
int upload_prepare(struct upload *u, port_root root, const char *path, enum upload_mode mode,
	uint64_t offset);

/* Likewise for a path in /.provision: an error's reason is in the service's `why`. */
int upload_prepare_provision(struct upload *u, struct service *sv, const char *path);

/* Create or open the file. Returns CUB_OK or what port_file_open() returned. */
int upload_open(struct upload *u);

/* Write all of it. Returns CUB_OK, CUB_E_FULL, CUB_E_LIMIT or CUB_E_IO. */
int upload_write(struct upload *u, const unsigned char *src, size_t len);

/*
 * All has arrived: make it durable, then give it its name. An error leaves the old file; of one
 * into /.provision the reason is in the service's `why`.
 */
int upload_finish(struct upload *u);

/*
 * Remove the temporary files that a power cut left in a directory, if it has nothing else.
 * Returns CUB_OK, CUB_E_NOTEMPTY, or the port's errors.
 */
int upload_sweep(port_root root, const char *path);

/* It broke off: see the table. `keep` what has arrived of a new file. */
void upload_abandon(struct upload *u, bool keep);

#endif
