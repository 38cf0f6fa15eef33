/* SPDX-License-Identifier: MIT */
/*
 * What there is to say of one certificate, request or key: fields, and what speaks against it.
 */
#ifndef DESCRIBE_H
#define DESCRIBE_H

#include "report.h"

struct description {
	struct report r;
	struct out problems;       /* one a line */
	char problem_text[4096];
};

/* A field that names a file: plain_put(). */
void describe_file(struct report *r, const char *field, const char *path);

/* Begin: of which file, and what it is ("certificate"). */
void describe_start(struct description *d, struct out *o, bool json, const char *path,
	const char *kind);

/* Something speaks against it; null: nothing. */
void describe_problem(struct description *d, const char *why);

/* The same, behind another text. */
void describe_problem_of(struct description *d, const char *what, const char *why);

/* End: with what speaks against it. */
void describe_end(struct description *d);

/* All there is to say. False: it is damaged, and no field was put. */
bool describe_certificate(struct description *d, struct bytes der, int64_t now_s);
bool describe_request(struct description *d, struct bytes der);

/* "P-256", and the hash of a SubjectPublicKeyInfo that can be read. */
void describe_public(struct description *d, struct bytes spki);

#endif
