/* SPDX-License-Identifier: MIT */
/* The devices of a run: from the command line and a file, each once; and what became of them. */
#ifndef HOSTS_H
#define HOSTS_H

#include "dial.h"
#include "trust.h"

enum outcome { HOST_AS_BEFORE, HOST_PROVISIONED, HOST_UNKNOWN };

struct host {
	char name[DIAL_HOST_MAX + 8];  /* as it was written */
	struct dial to;
	char pin[TRUST_DIGITS];        /* empty: none */
	enum outcome outcome;
	bool     is_known;             /* what it serves: */
	uint8_t  fingerprint[32];
	int64_t  until_s;
	char     reason[512];          /* why it is not provisioned */
};

struct hosts {
	struct host *item;  /* by malloc(3) */
	size_t count, room;
};

/* Add one, with a pin (or null). False: told, also where it is there already. */
bool hosts_add(struct hosts *h, struct text name, const char *pin, struct out *why);

/*
 * Add those of a file: lines of HOST[:PORT] and, where it is known, the FINGERPRINT of its
 * certificate; empty ones, and comments behind "#". False: told, with the line's number.
 */
bool hosts_read(struct hosts *h, const char *path, struct out *why);

/* "provisioned" */
const char *hosts_outcome(const struct host *host);

/*
 * A line of the table for people, in HOSTS_ROW bytes: the heads of its columns where `number`
 * is 0, else the device of that number, counted from 1.
 */
#define HOSTS_ROW 1024
void hosts_put_row(const struct hosts *h, size_t number, struct out *o);

void hosts_free(struct hosts *h);

#endif
