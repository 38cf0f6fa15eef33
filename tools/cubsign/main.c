/* SPDX-License-Identifier: MIT */
/*
 * cubsign, the technician's tool: which commands there are, and what each takes.
 *
 * A file knows only the floors below its own, by the table in tools/tidy.sh:
 *
 *	4  this
 *	3  the commands; none knows another
 *	2  CAs and devices, as the options of a command say
 *	1  what is outside: files, the terminal, the network
 *	0  bytes: what certificates, requests, keys and replies look like
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "command.h"

static const char usage[] =
	"cubsign " CUBFTPD_VERSION ", signs certificates of devices and clients: cubsign COMMAND\n"
	"\n"
	"ca --name NAME --out BASE   make a CA: BASE.key and BASE.crt\n"
	"   [--rsa BITS|--p384] [--days N|--until DATE] [--path-length N] [--parent CA]\n"
	"key --out BASE              make a client's key: BASE.key\n"
	"   [--rsa BITS|--p384] [--no-passphrase]\n"
	"csr --key FILE --name NAME  make a request: beside the key, or --out FILE\n"
	"show FILE...                a request, certificate or key: fields, fingerprint, problems\n"
	"sign --ca CA FILE.csr...    sign requests: FILE.crt beside them, or --out FILE|FOLDER\n"
	"   [--profile device|client] [--days N|--until DATE] [--san DNS:NAME,IP:ADDRESS,request]\n"
	"verify --ca CA FILE.crt...  would a device that holds this CA accept it?\n"
	"list --ca CA                what it has signed, and what expires soon: --expiring DAYS\n"
	"\n"
	"provision HOST[:PORT]... --ca CA    sign the certificate of a device, over FTPS\n"
	"   [--account NAME] [--pin FINGERPRINT] [--hosts FILE] [--add-ca]\n"
	"   [--days N|--until DATE] [--san LIST]\n"
	"pending HOST[:PORT]                 the client certificates that a device has refused\n"
	"trust HOST[:PORT] FINGERPRINT|FILE  let it trust one: [--label TEXT] [--for ACCOUNT]\n"
	"   these three: [--cert FILE --key FILE] [--password-file FILE]\n"
	"\n"
	"Passphrases are asked for on the terminal, or come from --passphrase-file FILE, or from\n"
	"the variable CUBSIGN_PASSPHRASE. What exists is not overwritten without --force.\n"
	"For programs: --json. More in cubsign(1).\n";

#define KIND     (TAKES(OPT_RSA) | TAKES(OPT_P384))
#define VALIDITY (TAKES(OPT_DAYS) | TAKES(OPT_UNTIL))
#define SECRET   TAKES(OPT_PASSPHRASE_FILE)
#define REMOTE   (TAKES(OPT_ACCOUNT) | TAKES(OPT_PIN) | TAKES(OPT_PASSWORD_FILE) | TAKES(OPT_CERT) \
	| TAKES(OPT_KEY) | TAKES(OPT_KEY_PASSPHRASE_FILE) | TAKES(OPT_JSON))

static const struct command {
	const char *name;
	uint32_t    takes;
	uint32_t    needs;      /* options that must be given */
	int         words_min;
	int         words_max;
	const char *words;      /* what they are */
	int       (*run)(const struct options *);
} commands[] = {
	{ "ca", KIND | VALIDITY | SECRET | TAKES(OPT_NAME) | TAKES(OPT_OUT) | TAKES(OPT_PATH_LENGTH)
		| TAKES(OPT_PARENT) | TAKES(OPT_PARENT_PASSPHRASE_FILE) | TAKES(OPT_FORCE)
		| TAKES(OPT_JSON),
		TAKES(OPT_NAME) | TAKES(OPT_OUT), 0, 0, NULL, command_ca },
	{ "key", KIND | SECRET | TAKES(OPT_OUT) | TAKES(OPT_NO_PASSPHRASE) | TAKES(OPT_FORCE),
		TAKES(OPT_OUT), 0, 0, NULL, command_key },
	{ "csr", SECRET | TAKES(OPT_KEY) | TAKES(OPT_NAME) | TAKES(OPT_OUT) | TAKES(OPT_FORCE),
		TAKES(OPT_KEY) | TAKES(OPT_NAME), 0, 0, NULL, command_csr },
	{ "show", SECRET | TAKES(OPT_JSON), 0, 1, INT32_MAX, "a file", command_show },
	{ "sign", VALIDITY | SECRET | TAKES(OPT_CA) | TAKES(OPT_PROFILE) | TAKES(OPT_SAN)
		| TAKES(OPT_OUT) | TAKES(OPT_FORCE) | TAKES(OPT_JSON),
		TAKES(OPT_CA), 1, INT32_MAX, "a request's file", command_sign },
	{ "verify", TAKES(OPT_CA) | TAKES(OPT_JSON), TAKES(OPT_CA), 1, INT32_MAX,
		"a certificate's file", command_verify },
	{ "list", TAKES(OPT_CA) | TAKES(OPT_EXPIRING) | TAKES(OPT_JSON), TAKES(OPT_CA), 0, 0, NULL,
		command_list },
	{ "provision", REMOTE | VALIDITY | SECRET | TAKES(OPT_CA) | TAKES(OPT_SAN) | TAKES(OPT_HOSTS)
		| TAKES(OPT_ADD_CA), TAKES(OPT_CA), 0, INT32_MAX, "a device's host name or address",
		command_provision },
	{ "trust", REMOTE | TAKES(OPT_LABEL) | TAKES(OPT_FOR), 0, 2, 2,
		"a device's host name or address, and a fingerprint or a certificate's file",
		command_trust },
	{ "pending", REMOTE, 0, 1, 1, "a device's host name or address", command_pending },
};

/* A command that is used wrongly. */
static int
fail_usage(const char *about, const struct out *why)
{
	(void)command_fail(EXIT_USAGE, about, why);
	(void)fputs("cubsign: `cubsign --help` shows what it takes\n", stderr);
	return EXIT_USAGE;
}

static int
run(const struct command *c, int argc, char **argv)
{
	char text[512];
	struct out why = OUT(text);
	struct options o;

	if (!options_parse(&o, argc, argv, c->takes, &why)) {
		return fail_usage(c->name, &why);
	}
	for (unsigned i = 0; i < OPTIONS; i++) {
		if ((c->needs & TAKES(i)) != 0 && !options_has(&o, (enum option)i)) {
			out_string(&why, "it wants ");
			out_string(&why, options_name((enum option)i));
			return fail_usage(c->name, &why);
		}
	}
	if (o.word_count > c->words_max) {
		out_string(&why, "it takes no ");
		out_string(&why, o.word[c->words_max]);
		return fail_usage(c->name, &why);
	}
	if (o.word_count < c->words_min) {
		out_string(&why, "it wants ");
		out_string(&why, c->words);
		return fail_usage(c->name, &why);
	}
	return c->run(&o);
}

int
main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";
	char text[256];
	struct out why = OUT(text);

	(void)signal(SIGPIPE, SIG_IGN);  /* a device that hangs up, a pager that ends */
	if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0) {
		(void)fputs(usage, stdout);
		return EXIT_DONE;
	}
	if (strcmp(name, "--version") == 0) {
		(void)puts(CUBFTPD_VERSION);
		return EXIT_DONE;
	}
	for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
		if (strcmp(name, commands[i].name) == 0) {
			return run(&commands[i], argc - 2, argv + 2);
		}
	}
	out_string(&why, name[0] == '\0' ? "it wants a command" : "there is no command ");
	out_escaped(&why, text_of(name));
	return fail_usage(NULL, &why);
}
