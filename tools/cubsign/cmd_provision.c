/* SPDX-License-Identifier: MIT */
/*
 * cubsign provision: sign the certificate of devices, over FTPS. For each of them:
 *
 *	connected   it shows the certificate that is pinned, and we are logged in
 *	signed      its request is for the key of that certificate, and is signed
 *	installed   it has said that the new certificate is stored
 *	verified    it serves the new certificate, with its chain
 *
 * The device installs a chain as a whole or not at all. Where the connection is lost on the
 * way, what it serves afterwards tells which; until then, it is as before.
 *
 * Nothing is changed on a device before all questions are answered. From there on until it is
 * known to be provisioned or as before, signals that would end the run are held back.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "authority.h"
#include "command.h"
#include "device.h"
#include "hosts.h"
#include "load.h"
#include "report.h"
#include "tell.h"

#define LOOKS 4  /* how often we look what a device serves, with more and more patience */

struct run {
	struct authority ca;
	struct order  order;
	struct login  login;
	bool          adds_ca;
	char          ca_name[CUB_LABEL];
	/* Of the device at hand: */
	struct ftps   ftps;
	struct issued issued;
	bool          is_logged_in;
	bool          has_added_ca;   /* or perhaps */
	char          steps[256];     /* what has been done */
	size_t        steps_len;
	bool          is_holding;     /* signals: `unheld` is what was blocked before */
	sigset_t      unheld;
	uint8_t       request[FTPS_FILE_MAX];
	uint8_t       file[FTPS_FILE_MAX];
	uint8_t       der[FTPS_FILE_MAX];
};

static void
note(struct run *run, const char *what)
{
	struct out o = { .at = run->steps, .cap = sizeof run->steps, .len = run->steps_len };

	out_string(&o, o.len > 0 ? ", " : "");
	out_string(&o, what);
	run->steps_len = o.len;
}

/* ---- Signals ---- */

/* Hold back those that end the run. What is ignored, as under nohup(1), stays so. */
static void
hold_signals(struct run *run)
{
	static const int ending[] = { SIGINT, SIGTERM, SIGHUP };
	sigset_t held;

	(void)sigemptyset(&held);
	for (size_t i = 0; i < sizeof ending / sizeof ending[0]; i++) {
		struct sigaction action;

		if (sigaction(ending[i], NULL, &action) == 0 && action.sa_handler != SIG_IGN) {
			(void)sigaddset(&held, ending[i]);
		}
	}
	run->is_holding = sigprocmask(SIG_BLOCK, &held, &run->unheld) == 0;
}

/* Has one of them come while they were held back? */
static bool
is_ended(const struct run *run)
{
	sigset_t waiting;

	return run->is_holding && sigpending(&waiting) == 0 && (sigismember(&waiting, SIGINT) == 1
		|| sigismember(&waiting, SIGTERM) == 1 || sigismember(&waiting, SIGHUP) == 1);
}

/* Those that have come end the run here. */
static void
release_signals(struct run *run)
{
	if (run->is_holding) {
		run->is_holding = false;
		(void)sigprocmask(SIG_SETMASK, &run->unheld, NULL);
	}
}

/* ---- The steps ---- */

static bool
log_in(struct run *run, struct host *host, struct out *why)
{
	if (!device_connect(&run->ftps, &host->to, host->pin, &run->login, why)) {
		return false;
	}
	memcpy(host->fingerprint, run->ftps.leaf, sizeof host->fingerprint);
	host->until_s = ftps_cert(&run->ftps)->until_s;
	host->is_known = true;
	run->is_logged_in = device_login(&run->ftps, &run->login, why);
	if (run->is_logged_in) {
		note(run, "connected");
	}
	return run->is_logged_in;
}

/* The device's request: checked, and for the key that the device has shown to hold. */
static bool
fetch_request(struct run *run, struct csr *csr, struct out *why)
{
	struct bytes file = { run->file, 0 };
	struct bytes der;
	const char *wrong;

	if (!ftps_get(&run->ftps, DEVICE_FOLDER "/device.csr", run->file, sizeof run->file, &file.len,
		why)) {
		return false;
	}
	out_string(why, "its request: ");
	if (!load_request_from(file, run->request, sizeof run->request, &der, why)) {
		return false;
	}
	wrong = csr_read(der, csr);
	if (wrong == NULL && !bytes_equal(csr->public_key, ftps_cert(&run->ftps)->public_key)) {
		wrong = "it is for another key than that of the certificate that the device shows";
	}
	if (wrong != NULL) {
		return tell(why, wrong);
	}
	why->len -= sizeof "its request: " - 1;
	return true;
}

/* Is one of the device's CAs ours? False, with `*err`: it could not be told. */
static bool
has_ca(struct run *run, bool *err, struct out *why)
{
	struct ftps *f = &run->ftps;
	char path[DEVICE_PATH_MAX], names[4096];
	struct text rest = { names, 0 };
	struct text name;
	struct bytes file = { run->file, 0 };
	struct bytes chain, der;

	*err = !ftps_list(f, DEVICE_FOLDER "/ca", names, sizeof names, &rest.len, why);
	while (!*err && device_next(&rest, &name)) {
		if (!device_path(path, "ca/", name, "", why)
			|| !ftps_get(f, path, run->file, sizeof run->file, &file.len, why)
			|| !load_chain_from(file, run->der, sizeof run->der, &chain, why)) {
			*err = true;
		} else if (x509_chain_next(&chain, &der) == CUB_OK && bytes_equal(der, run->ca.own)) {
			return true;
		}
	}
	return false;
}

static bool
ca_path(const struct run *run, char path[DEVICE_PATH_MAX], struct out *why)
{
	return device_path(path, "ca/", text_of(run->ca_name), ".crt", why);
}

static struct out
as_pem(struct run *run, struct bytes chain)
{
	struct out pem = { .at = (char *)run->file, .cap = sizeof run->file };

	load_put_chain(&pem, chain);
	return pem;
}

/* Let the device trust what our CA signs. */
static bool
add_ca(struct run *run, struct out *why)
{
	uint8_t chain[2 + CUB_CA_MAX];
	char path[DEVICE_PATH_MAX];
	struct bytes own = run->ca.own;
	struct out pem;
	bool err;

	if (has_ca(run, &err, why)) {
		note(run, "CA there already");
		return true;
	}
	if (err || !ca_path(run, path, why)) {
		return false;
	}
	if (own.len > CUB_CA_MAX) {
		return tell(why, "the certificate of the CA is too long for devices");
	}
	chain[0] = (uint8_t)own.len;
	chain[1] = (uint8_t)(own.len >> 8);
	memcpy(chain + 2, own.at, own.len);
	pem = as_pem(run, (struct bytes){ chain, 2 + own.len });
	run->has_added_ca = ftps_put(&run->ftps, path, pem.at, pem.len, why);
	if (run->has_added_ca) {
		note(run, "CA added");
		return true;
	}
	run->has_added_ca = run->ftps.is_lost;
	return false;
}

/* Look what the device serves now. Sets outcome, fingerprint and end. */
static bool
look(struct run *run, struct host *host, struct out *why)
{
	struct ftps *f = &run->ftps;
	size_t len = why->len;
	bool is_open = false;

	host->outcome = HOST_UNKNOWN;
	run->is_logged_in = false;
	for (unsigned i = 0; i < LOOKS && !is_open; i++) {
		struct timespec pause = { .tv_sec = i };

		(void)nanosleep(&pause, NULL);
		why->len = len;
		ftps_close(f);
		is_open = ftps_open(f, &host->to, run->login.has_client ? &run->login.client : NULL, why);
	}
	if (!is_open) {
		return false;
	}
	if (memcmp(f->leaf, run->issued.fingerprint, sizeof f->leaf) == 0) {
		memcpy(host->fingerprint, f->leaf, sizeof host->fingerprint);
		host->until_s = run->issued.until_s;
		host->outcome = HOST_PROVISIONED;
		return bytes_equal(ftps_chain(f), run->issued.chain)
			|| tell(why, "it serves the new certificate, but another chain with it");
	}
	if (memcmp(f->leaf, host->fingerprint, sizeof f->leaf) == 0) {
		host->outcome = HOST_AS_BEFORE;
		return tell(why, "it serves the certificate that it had");
	}
	host->is_known = false;
	return tell(why, "it serves a certificate that is neither the old nor the new one");
}

/* Upload the chain and see what comes of it. */
static bool
install(struct run *run, struct host *host, struct out *why)
{
	struct out pem = as_pem(run, run->issued.chain);
	char text[256];
	struct out seen = OUT(text);

	if (ftps_put(&run->ftps, DEVICE_FOLDER "/device.crt", pem.at, pem.len, why)) {
		note(run, "installed");
	} else if (!run->ftps.is_lost) {
		return false;
	}
	if (!look(run, host, &seen)) {
		out_string(why, why->len > 0 ? "; then: " : "");
		out_text(why, out_so_far(&seen));
		return false;
	}
	why->len = 0;
	note(run, "verified");
	return true;
}

static bool
sign(struct run *run, const struct host *host, const struct csr *csr, struct out *why)
{
	if (!authority_sign(&run->ca, csr, &run->order, host->name, &run->issued, why)) {
		return false;
	}
	note(run, run->issued.is_renewal ? "signed again" : "signed");
	if (run->issued.is_shortened) {
		note(run, "until the CA ends");
	}
	if (run->issued.leaves_names) {
		note(run, "without names that it asks for (--san)");
	}
	return true;
}

/* A device that was not provisioned shall not keep the CA that came for that. */
static void
withdraw_ca(struct run *run, struct host *host, struct out *why)
{
	char path[DEVICE_PATH_MAX], text[256];
	struct out reason = OUT(text);
	bool is_open = true, is_there, err = false;

	if (run->ftps.is_lost || !run->is_logged_in) {
		struct out pin = OUT(host->pin);

		ftps_close(&run->ftps);
		out_hex(&pin, host->fingerprint, sizeof host->fingerprint);
		(void)out_finish(&pin);
		is_open = device_connect(&run->ftps, &host->to, host->pin, &run->login, &reason)
			&& device_login(&run->ftps, &run->login, &reason);
	}
	is_there = is_open && has_ca(run, &err, &reason);
	if (is_there && ca_path(run, path, &reason) && ftps_remove(&run->ftps, path, &reason)) {
		note(run, "CA removed again");
		return;
	}
	if (is_open && !is_there && !err) {
		return;  /* it never arrived */
	}
	out_string(why, "; the CA may still be there, as ");
	out_string(why, run->ca_name);
	out_string(why, ": ");
	out_text(why, out_so_far(&reason));
}

/* ---- All of them ---- */

static void
provision(struct run *run, struct host *host)
{
	struct out why = OUT(host->reason);
	struct csr csr;
	bool is_done;

	run->is_logged_in = false;
	run->has_added_ca = false;
	run->steps_len = 0;
	is_done = log_in(run, host, &why) && fetch_request(run, &csr, &why)
		&& sign(run, host, &csr, &why);
	if (is_done) {
		hold_signals(run);
		is_done = (!run->adds_ca || add_ca(run, &why)) && install(run, host, &why);
	}
	if (run->has_added_ca && host->outcome == HOST_AS_BEFORE) {
		withdraw_ca(run, host, &why);
	} else if (run->has_added_ca && host->outcome == HOST_UNKNOWN) {
		out_string(&why, "; the CA is there, as ");
		out_string(&why, run->ca_name);
	}
	ftps_close(&run->ftps);
	(void)out_finish(&why);
	(void)fprintf(stderr, "%s: %.*s%s%s%s\n", host->name, (int)run->steps_len, run->steps,
		!is_done && run->steps_len > 0 ? ", " : "", is_done ? "" : "failed: ", host->reason);
	(void)fflush(stderr);
}

/* For programs. */
static void
put_object(struct out *o, const struct host *host)
{
	struct report r = report_start(o, true);

	report_text(&r, "host", host->name);
	report_text(&r, "outcome", hosts_outcome(host));
	report_text(&r, "reason", host->reason);
	if (host->is_known) {
		report_hash(&r, "fingerprint", host->fingerprint);
		report_time(&r, "not_after", host->until_s);
	}
	report_end(&r);
}

/* The table; for programs, an array. */
static bool
show(const struct hosts *hosts, bool json)
{
	char text[4096];
	struct out o = OUT(text);
	bool is_shown = true;

	for (size_t i = 0; i <= hosts->count && is_shown; i++) {
		if (!json) {
			hosts_put_row(hosts, i, &o);
		} else if (i == 0) {
			out_string(&o, "[");
		} else {
			put_object(&o, &hosts->item[i - 1]);
			out_string(&o, i < hosts->count ? "," : "]\n");
		}
		is_shown = command_print(&o);
		o.len = 0;
	}
	return is_shown;
}

/* The last part of the CA's path, as its name on the device. */
static bool
name_ca(struct run *run, const char *base, struct out *why)
{
	const char *slash = strrchr(base, '/');
	struct text name = text_of(slash != NULL ? slash + 1 : base);

	if (!trust_label_is_good(name) || !text_copy(name, run->ca_name, sizeof run->ca_name)) {
		return tell(why, "--add-ca: the name of the CA's files can't be its name on a device: that "
			"has 1 to 32 printable bytes without / + and quotes, and begins with neither . nor -");
	}
	return true;
}

/* Which devices, before anything is done. Gives an exit status, told where it is not 0. */
static int
gather(struct hosts *hosts, const struct options *o)
{
	char pin[TRUST_DIGITS] = "", text[512];
	struct out why = OUT(text);

	if (options_has(o, OPT_PIN)) {
		if (o->word_count != 1 || options_has(o, OPT_HOSTS)) {
			out_string(&why, "--pin is for one device; a file of --hosts pins each");
			return command_fail(EXIT_USAGE, "provision", &why);
		}
		if (!device_parse_pin(text_of(o->value[OPT_PIN]), pin, &why)) {
			return command_fail(EXIT_USAGE, "--pin", &why);
		}
	}
	for (int i = 0; i < o->word_count; i++) {
		if (!hosts_add(hosts, text_of(o->word[i]), pin, &why)) {
			return command_fail(EXIT_USAGE, o->word[i], &why);
		}
	}
	if (options_has(o, OPT_HOSTS) && !hosts_read(hosts, o->value[OPT_HOSTS], &why)) {
		return command_fail(EXIT_REFUSED, NULL, &why);
	}
	if (hosts->count > 0) {
		return EXIT_DONE;
	}
	if (options_has(o, OPT_HOSTS)) {
		out_string(&why, "it names no device");
		return command_fail(EXIT_REFUSED, o->value[OPT_HOSTS], &why);
	}
	out_string(&why, "it wants a device's host name or address, or --hosts FILE");
	return command_fail(EXIT_USAGE, "provision", &why);
}

static int
provision_all(struct run *run, struct hosts *hosts, const struct options *o, struct out *why)
{
	int code = EXIT_DONE;

	run->adds_ca = options_has(o, OPT_ADD_CA);
	if ((run->adds_ca && !name_ca(run, o->value[OPT_CA], why))
		|| !order_parse(&run->order, o, why)) {
		return command_fail(EXIT_USAGE, "provision", why);
	}
	if (!login_start(&run->login, o, why)) {
		return command_fail(EXIT_REFUSED, NULL, why);
	}
	if (!authority_open(&run->ca, o->value[OPT_CA], options_secret(o, OPT_PASSPHRASE_FILE), why)) {
		login_end(&run->login);
		return command_fail(EXIT_REFUSED, NULL, why);
	}
	for (size_t i = 0; i < hosts->count; i++) {
		struct host *host = &hosts->item[i];

		if (is_ended(run)) {
			(void)text_copy(text_of("a signal has ended the run before"), host->reason,
				sizeof host->reason);
		} else {
			release_signals(run);
			provision(run, host);
		}
		if (host->reason[0] != '\0') {
			code = EXIT_REFUSED;
		}
	}
	authority_close(&run->ca);
	login_end(&run->login);
	return show(hosts, options_has(o, OPT_JSON)) ? code : EXIT_REFUSED;
}

int
command_provision(const struct options *o)
{
	static struct run run;
	char text[768];
	struct out why = OUT(text);
	struct hosts hosts = { .item = NULL };
	int code = gather(&hosts, o);

	if (code == EXIT_DONE) {
		code = provision_all(&run, &hosts, o, &why);
	}
	hosts_free(&hosts);
	release_signals(&run);
	return code;
}
