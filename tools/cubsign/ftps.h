/* SPDX-License-Identifier: MIT */
/*
 * A client of FTPS (RFC 4217), for the few files of /.provision. Whoever opens a connection
 * looks at `leaf` before anything secret is sent. Each data connection resumes the TLS session
 * of the control connection, or shows the same certificate.
 *
 * What returns false tells why in `why`: where the device refuses, in its own words. Then
 * nothing has been changed there, unless `is_lost`: the connection is gone, and whether the
 * device has done it is not known.
 */
#ifndef FTPS_H
#define FTPS_H

#include "answer.h"
#include "dial.h"
#include "tunnel.h"

#define FTPS_FILE_MAX 65536  /* bytes of a file, or of a list */

struct ftps {
	struct dial   to;
	const struct tunnel_client *client;  /* null: none */
	bool          is_lost;
	uint8_t       leaf[32];              /* SHA-256 of the certificate that is served */
	struct tunnel control;
	struct tunnel data;
	struct answer answer;                /* the last one */
	size_t        in_at, in_len;         /* what has come of the next one */
	uint8_t       in[1024];
};

/* Connect and go over to TLS. Whether it fails or not, ftps_close() must follow. */
bool ftps_open(struct ftps *f, const struct dial *to, const struct tunnel_client *client,
	struct out *why);

/* The certificate that is served, and the chain. */
const struct x509_cert *ftps_cert(const struct ftps *f);
struct bytes ftps_chain(const struct ftps *f);

/*
 * A command and its answer. The argument (or null) is for the device alone, and is wiped.
 * Returns the code; -1, told: it is lost, or the argument can't be sent.
 */
int ftps_command(struct ftps *f, const char *verb, const char *argument, struct out *why);

/* Protect the data connections: once, before the first of what follows. */
bool ftps_protect(struct ftps *f, struct out *why);

/* Download a file. One that is longer than `cap` is refused. */
bool ftps_get(struct ftps *f, const char *path, void *dst, size_t cap, size_t *len,
	struct out *why);

/* The names in a folder, each with LF or CR LF behind it. */
bool ftps_list(struct ftps *f, const char *path, void *dst, size_t cap, size_t *len,
	struct out *why);

/* Upload a file: done when the device says that it has taken effect. */
bool ftps_put(struct ftps *f, const char *path, const void *src, size_t len, struct out *why);

bool ftps_rename(struct ftps *f, const char *from, const char *to, struct out *why);
bool ftps_remove(struct ftps *f, const char *path, struct out *why);

/* Take leave, close and wipe. May be called again. */
void ftps_close(struct ftps *f);

#endif
