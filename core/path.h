/* SPDX-License-Identifier: MIT */
/*
 * Paths as clients write them, made into the one form that the rest uses: absolute within
 * the account's root ("/", "/a/b"), NUL-terminated, no empty, "." or ".." name, no slash
 * at the end, each name printable UTF-8. What links on the medium do is the port's concern.
 */
#ifndef PATH_H
#define PATH_H

#include "text.h"

/* Names that begin so are the server's own temporary files; clients can't name or see them. */
#define PATH_RESERVED ".cubftpd-"

/*
 * Resolve what a client wrote against its working directory. ".." at the root stays there,
 * as in a chroot. An empty `arg` is the working directory.
 *
 * `out` has CUB_PATH_MAX bytes and must not be `cwd`.
 * Returns CUB_OK, or CUB_E_NAME for a path or name that is too long, holds control
 * characters, is no UTF-8 (RFC 2640 section 2.2), or is reserved.
 */
int path_resolve(const char *cwd, struct text arg, char *out);

/* Is it the name of a temporary file of the server's own? */
bool path_is_reserved(struct text name);

/* May a client see this name of a directory's entry? */
bool path_is_visible(struct text name);

/* The same path as the port wants it: without the leading slash, "." for the root. */
const char *path_in_root(const char *path);

/* The last name of a path; empty for the root. */
const char *path_last(const char *path);

#endif
