/* SPDX-License-Identifier: MIT */
/*
 * The command line of one command: options with their values, and words. Which there are, and
 * which command takes them, is in main.c.
 */
#ifndef OPTIONS_H
#define OPTIONS_H

#include "secret.h"

enum option {
	OPT_ACCOUNT,
	OPT_CA,
	OPT_CERT,
	OPT_DAYS,
	OPT_EXPIRING,
	OPT_FOR,
	OPT_HOSTS,
	OPT_KEY,
	OPT_KEY_PASSPHRASE_FILE,
	OPT_LABEL,
	OPT_NAME,
	OPT_OUT,
	OPT_PARENT,
	OPT_PARENT_PASSPHRASE_FILE,
	OPT_PASSPHRASE_FILE,
	OPT_PASSWORD_FILE,
	OPT_PATH_LENGTH,
	OPT_PIN,
	OPT_PROFILE,
	OPT_RSA,
	OPT_SAN,
	OPT_UNTIL,
	OPT_ADD_CA,         /* from here on: without a value */
	OPT_FORCE,
	OPT_JSON,
	OPT_NO_PASSPHRASE,
	OPT_P384,
	OPTIONS,
};

#define TAKES(option) (UINT32_C(1) << (option))

struct options {
	const char *value[OPTIONS];  /* "" where it has none; null: not given */
	char *const *word;
	int   word_count;
};

/*
 * Parse the arguments behind the command's name; options may stand anywhere, "--" ends them,
 * `--name=VALUE` is the same as `--name VALUE`. argv[] is put into another order. Where a CA is
 * named by one of its files, the ending is cut off in place.
 * Returns false, told in `why`, where one is not among `takes`, comes twice or lacks its value.
 */
bool options_parse(struct options *o, int argc, char **argv, uint32_t takes, struct out *why);

/* The length of what a CA's files have in common: without .crt, .key or .index at the end. */
size_t options_base_length(const char *name);

/* Given? */
bool options_has(const struct options *o, enum option which);

/* Its spelling: "--ca". */
const char *options_name(enum option which);

/* A number from `min` to `max`; `otherwise` where it is not given. False: told in `why`. */
bool options_number(const struct options *o, enum option which, uint32_t min, uint32_t max,
	uint32_t otherwise, uint32_t *out, struct out *why);

/* Where the passphrase of a key comes from that this option names a file for. */
struct secret_source options_secret(const struct options *o, enum option which);

#endif
