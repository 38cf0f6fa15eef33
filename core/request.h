/* SPDX-License-Identifier: MIT */
/*
 * One administrative command: its arguments, what was given with it, and where its answer
 * goes. What commands do is in the sub_ files, which command there is in admin.c.
 */
#ifndef REQUEST_H
#define REQUEST_H

#include "report.h"

/* The options that there are, of all commands. */
enum request_option {
	OPTION_NAME,
	OPTION_ROOT,
	OPTION_RIGHTS,
	OPTION_ACCOUNT,
	OPTION_LABEL,
	OPTION_KEY,
	OPTION_CERT,
	OPTION_JSON,  /* from here on: without a value */
	OPTION_ADMIN,
	OPTION_EXACT,
	OPTION_PASSWORD_STDIN,
	OPTIONS,
};

#define TAKES(option) (1u << (option))

struct request {
	struct service *service;
	struct out *out;
	struct out *why;
	const char *word;             /* the argument that is no option; null: not given */
	const char *option[OPTIONS];  /* the value of each, "" if it has none; null: not given */
	bool        is_in_list;       /* something stands before, in the answer's list */
};

/*
 * Parse the arguments of a command: `takes` says which options it TAKES(); `word` is what the
 * word is called where one is needed, null where there is none, and "" where it may be left
 * out. Returns CUB_OK, or CUB_E_BAD, told.
 */
int request_parse(struct request *rq, int argc, char *const argv[], unsigned takes,
	const char *word);

/* Say why not. Returns `err`. */
int request_complain(struct request *rq, int err, const char *why, const char *about);

/*
 * What the command was given is bad (CUB_E_BAD), such as a certificate, not the command
 * itself: then it is refused, not used wrongly. Returns the error that says so.
 */
int request_refusal(int err);

/* The inbox's certificates, in the form of x509_chain_next(); empty if none were given. */
struct bytes request_input(const struct request *rq);

/* Is the answer for programs? */
bool request_is_json(const struct request *rq);

/* A list in the answer: brackets and commas of JSON, or nothing. */
void request_list_start(struct request *rq);
void request_list_next(struct request *rq);
void request_list_end(struct request *rq);

/* A list of things of one kind, as they stand in a table. */
void request_list(struct request *rq, const struct report_kind *kind, const void *first,
	unsigned count);

#endif
