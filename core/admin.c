/* SPDX-License-Identifier: MIT */
/* The table of administrative commands, and what is given with them: see cubftpd.h. */
#include "admin.h"

#include "manage.h"
#include "sub_account.h"
#include "sub_check.h"
#include "sub_device.h"
#include "sub_server.h"
#include "sub_trust.h"

/* What a command needs: first of all a store, which is opened for it. */
enum need {
	TRUST         = 1,
	IDENTITY      = 2,
	MAY_LACK      = 4,    /* no such store: then there is nothing in it */
	DEVICE        = 8,    /* the identity store, and an identity in it */
	READS_LINE    = 16,   /* a password */
	READS_FILE    = 32,   /* its word names a file of certificates */
	READS_SUBJECT = 64,   /* the same, unless the word is a fingerprint */
	READS_LABEL   = 128,  /* or a label: then there is no such file */
	READS_INPUT   = 256,  /* without a word: standard input */
};

#define JSON TAKES(OPTION_JSON)

struct command {
	const char *name;
	const char *verb;   /* which follows the name; null: none */
	const char *word;   /* see request_parse() */
	uint16_t    takes;
	uint16_t    needs;
	int       (*run)(struct request *);
};

static const struct command commands[] = {
	{ "account", "add", "an account's name", TAKES(OPTION_ROOT) | TAKES(OPTION_RIGHTS)
		| TAKES(OPTION_PASSWORD_STDIN) | TAKES(OPTION_ADMIN), 0, sub_account_add },
	{ "account", "list", NULL, JSON, TRUST | MAY_LACK, sub_account_list },
	{ "account", "passwd", "an account's name", TAKES(OPTION_PASSWORD_STDIN), TRUST | READS_LINE,
		sub_account_passwd },
	{ "account", "remove", "an account's name", 0, TRUST, sub_account_remove },
	{ "ca", "add", "the file of a CA's certificate", TAKES(OPTION_NAME) | TAKES(OPTION_ACCOUNT),
		IDENTITY | READS_FILE, sub_ca_add },
	{ "ca", "list", NULL, JSON, IDENTITY | MAY_LACK, sub_ca_list },
	{ "ca", "remove", "a CA's name or fingerprint", 0, IDENTITY, sub_ca_remove },
	{ "cert", NULL, "", 0, DEVICE | READS_FILE | READS_INPUT, sub_cert },
	{ "check", NULL, NULL, 0, 0, sub_check },
	{ "csr", NULL, NULL, TAKES(OPTION_NAME), DEVICE, sub_csr },
	{ "distrust", NULL, "a label, a fingerprint or a certificate's file", 0,
		TRUST | READS_FILE | READS_SUBJECT | READS_LABEL, sub_distrust },
	{ "fingerprint", NULL, NULL, 0, DEVICE, sub_fingerprint },
	{ "init", NULL, NULL, TAKES(OPTION_NAME) | TAKES(OPTION_KEY) | TAKES(OPTION_CERT), 0,
		sub_init },
	{ "kick", NULL, "the number of a session", 0, 0, sub_kick },
	{ "pending", NULL, NULL, JSON, 0, sub_pending },
	{ "reload", NULL, NULL, 0, 0, sub_reload },
	{ "sessions", NULL, NULL, JSON, 0, sub_sessions },
	{ "status", NULL, NULL, JSON, 0, sub_status },
	{ "trust", NULL, "a fingerprint or a certificate's file", TAKES(OPTION_ACCOUNT)
		| TAKES(OPTION_LABEL) | TAKES(OPTION_EXACT) | TAKES(OPTION_ADMIN),
		TRUST | READS_FILE | READS_SUBJECT, sub_trust },
	{ "trusted", NULL, NULL, JSON, TRUST | MAY_LACK, sub_trusted },
};

#define COMMANDS (sizeof commands / sizeof commands[0])

static const struct command *
look_up(const char *name, const char *verb)
{
	for (const struct command *c = commands; c < commands + COMMANDS; c++) {
		if (string_same(name, c->name)
			&& (c->verb == NULL || string_same(verb, c->verb))) {
			return c;
		}
	}
	return NULL;
}

/* There is no such command: say what there is of that name. */
static void
tell_verbs(struct out *why, const char *name)
{
	const char *before = " wants ";

	for (const struct command *c = commands; c < commands + COMMANDS; c++) {
		if (string_same(name, c->name)) {
			out_string(why, why->len == 0 ? name : "");
			out_string(why, before);
			out_string(why, c->verb);
			before = " or ";
		}
	}
}

/* The command of these arguments, parsed; null: there is none, or not with them, told. */
static const struct command *
find(struct request *rq, int argc, char *const argv[])
{
	const char *name = argc > 0 ? argv[0] : "";
	const struct command *c = look_up(name, argc > 1 ? argv[1] : "");
	int words = c == NULL || c->verb == NULL ? 1 : 2;

	if (c != NULL) {
		return request_parse(rq, argc - words, argv + words, c->takes, c->word) < 0 ? NULL : c;
	}
	tell_verbs(rq->why, name);
	if (rq->why->len == 0) {
		(void)request_complain(rq, CUB_E_BAD, "unknown command ", name);
	}
	return NULL;
}

static int
prepare(struct request *rq, const struct command *c)
{
	enum port_area area = (c->needs & TRUST) != 0 ? PORT_AREA_TRUST : PORT_AREA_IDENTITY;
	int err;

	if ((c->needs & DEVICE) != 0) {
		return sub_device_open(rq);
	}
	if ((c->needs & (TRUST | IDENTITY)) == 0) {
		return CUB_OK;
	}
	err = service_open(rq->service, area, false, rq->why);
	if (err == CUB_E_NOENT && (c->needs & MAY_LACK) != 0) {
		rq->why->len = 0;
		return CUB_OK;
	}
	return err < 0 ? err : manage_is_open(rq->service, area, rq->why);
}

int
admin_run(struct service *sv, int argc, char *const argv[], struct out *out, struct out *why)
{
	struct request rq = { .service = sv, .out = out, .why = why };
	const struct command *c = find(&rq, argc, argv);
	int err = c == NULL ? CUB_E_BAD : prepare(&rq, c);

	return err < 0 ? err : c->run(&rq);
}

/* What was given with a command is for that command alone. */
static void
forget_input(struct service *sv)
{
	if (sv->inbox.owner == NULL) {
		wipe(&sv->inbox, sizeof sv->inbox);  /* it may have been a password */
	}
}

int
cubftpd_admin(const struct cubftpd_config *config, int argc, char *const argv[],
	struct out *out, struct out *why)
{
	struct service *sv = &service;
	int err;

	why->len = 0;
	if (sv->is_running) {
		err = admin_run(sv, argc, argv, out, why);
		if (!out->cut) {
			forget_input(sv);
		}
		return err;
	}
	sv->config = *config;
	err = admin_run(sv, argc, argv, out, why);
	service_close(sv);
	return err;
}

/* ---- What is given with a command ---- */

static enum cubftpd_input input_kind;

/* Why there is no room for it now; null: there is. */
static const char *input_problem;

void
cubftpd_admin_reads(int argc, char *const argv[], struct cubftpd_reads *reads)
{
	char digits[TRUST_DIGITS];
	struct out none = { .cap = 0 };
	struct request rq = { .why = &none };
	const struct command *c = find(&rq, argc, argv);

	*reads = (struct cubftpd_reads){ .password = false };
	if (c == NULL) {
		return;  /* it will be refused */
	}
	reads->password = (c->needs & READS_LINE) != 0 || rq.option[OPTION_PASSWORD_STDIN] != NULL;
	reads->key_file = rq.option[OPTION_KEY];
	reads->file = rq.option[OPTION_CERT];
	reads->file_may_lack = (c->needs & READS_LABEL) != 0;
	reads->standard_input = (c->needs & READS_INPUT) != 0 && rq.word == NULL;
	if ((c->needs & READS_FILE) != 0 && ((c->needs & READS_SUBJECT) == 0
		|| trust_parse(text_of(rq.word), digits) == 0)) {
		reads->file = rq.word;
	}
}

void
cubftpd_input_start(enum cubftpd_input kind)
{
	struct inbox *inbox = &service.inbox;
	struct identity *spare = &service.identity[!service.identity_now];

	input_kind = kind;
	input_problem = inbox->owner != NULL ? SERVICE_UPLOADING
		: kind == INPUT_KEY && service_spare_identity(&service) == NULL
		? SERVICE_NO_SPARE : NULL;
	if (input_problem != NULL) {
		return;
	}
	if (kind == INPUT_PASSWORD) {
		inbox->len = 0;
	} else if (kind == INPUT_KEY) {
		pem_start(&inbox->pem, PEM_PRIVATE_KEY, spare->der, sizeof spare->der);
	} else {
		pem_start(&inbox->pem, PEM_CERTIFICATE, inbox->at, sizeof inbox->at);
	}
}

void
cubftpd_input_feed(const void *src, size_t len)
{
	struct inbox *inbox = &service.inbox;
	struct out o = { .at = (char *)inbox->at, .cap = sizeof inbox->at, .len = inbox->len };

	if (input_problem != NULL) {
		return;
	}
	if (input_kind == INPUT_PASSWORD) {
		out_put(&o, src, len);
		inbox->len = o.len;
	} else {
		pem_feed(&inbox->pem, src, len);
	}
}

int
cubftpd_input_end(struct out *why)
{
	struct inbox *inbox = &service.inbox;
	struct identity *spare = &service.identity[!service.identity_now];
	int err;

	if (input_problem != NULL) {
		out_string(why, input_problem);
		return CUB_E_BUSY;
	}
	if (input_kind == INPUT_PASSWORD) {
		return CUB_OK;
	}
	err = pem_end(&inbox->pem);
	if (err < 0) {
		out_string(why, err == CUB_E_DENIED
			? "the key is encrypted: decrypt it first, as with `openssl pkey`"
			: err == CUB_E_LIMIT ? "what it holds is too long"
			: err != CUB_E_NOENT ? "it is broken: neither PEM nor DER"
			: input_kind == INPUT_KEY ? "there is no private key in it"
			: "there is no certificate in it");
		return err;
	}
	if (input_kind == INPUT_KEY) {
		spare->der_len = (uint32_t)inbox->pem.len;
	} else {
		inbox->len = inbox->pem.len;
	}
	return CUB_OK;
}

const void *
cubftpd_input_bytes(size_t *len)
{
	*len = service.inbox.len;
	return service.inbox.at;
}
