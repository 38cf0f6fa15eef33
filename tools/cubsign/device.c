/* SPDX-License-Identifier: MIT */
/* A device, opened as its administrator: see device.h. */
#include "device.h"

#include <string.h>

#include "account.h"
#include "keyfile.h"
#include "load.h"
#include "tell.h"

/* ---- How to log in ---- */

/* The certificates as BearSSL wants them. */
static bool
take_client(struct tunnel_client *client, const char *path, struct bytes chain, struct out *why)
{
	struct bytes rest = chain;
	struct bytes der;
	struct x509_cert cert;
	const char *problem = NULL;

	client->count = 0;
	while (x509_chain_next(&rest, &der) == CUB_OK) {
		if (client->count == TUNNEL_CERTS) {
			return tell_about(why, path, "there are too many certificates in it");
		}
		if (client->count == 0) {
			problem = x509_read(der, &cert);
			client->public = cert.key;
		}
		/* BearSSL's type has no const, and it writes nothing. */
		client->cert[client->count++] = (br_x509_certificate){
			client->der + (der.at - client->der), der.len,
		};
	}
	return problem == NULL || tell_about(why, path, problem);
}

static bool
load_client(struct tunnel_client *client, const struct options *o, struct out *why)
{
	const char *path = o->value[OPT_CERT];
	const char *key = o->value[OPT_KEY];
	char text[256];
	struct out reason = OUT(text);
	struct bytes chain;

	if (!load_chain(path, client->der, sizeof client->der, &chain, &reason)) {
		return tell_about(why, path, out_finish(&reason));
	}
	if (!take_client(client, path, chain, why)) {
		return false;
	}
	if (!keyfile_read(&client->key, key, options_secret(o, OPT_KEY_PASSPHRASE_FILE), &reason)) {
		return tell_about(why, key, out_finish(&reason));
	}
	if (!key_fits(&client->key, &client->public)) {
		wipe(&client->key, sizeof client->key);
		return tell_about(why, key, "it is not the key of the certificate of --cert");
	}
	return true;
}

bool
login_start(struct login *l, const struct options *o, struct out *why)
{
	const char *account = options_has(o, OPT_ACCOUNT) ? o->value[OPT_ACCOUNT] : "admin";

	l->account = account;
	l->password_from = options_secret(o, OPT_PASSWORD_FILE);
	l->has_password = false;
	l->has_client = options_has(o, OPT_CERT);
	if (!account_name_is_good(text_of(account))) {
		return tell_about(why, "--account", "names have 1 to 32 letters, digits or ._@-");
	}
	if (options_has(o, OPT_CERT) != options_has(o, OPT_KEY)) {
		return tell_about(why, options_name(l->has_client ? OPT_CERT : OPT_KEY),
			l->has_client ? "it wants --key, too" : "it wants --cert, too");
	}
	return !l->has_client || load_client(&l->client, o, why);
}

void
login_end(struct login *l)
{
	secret_wipe(&l->password);
	wipe(&l->client.key, sizeof l->client.key);
}

/* Ask for the password, the first time. */
static bool
need_password(struct login *l, struct out *why)
{
	char text[96];
	struct out prompt = OUT(text);

	out_string(&prompt, "Password of ");
	out_string(&prompt, l->account);
	if (!l->has_password) {
		l->has_password = secret_get(&l->password, l->password_from, out_finish(&prompt), false,
			why);
	}
	return l->has_password;
}

bool
device_login(struct ftps *f, struct login *l, struct out *why)
{
	int code;

	code = ftps_command(f, "USER", l->account, why);
	if (code == 331) {
		char password[SECRET_MAX];

		if (!need_password(l, why)) {
			return false;
		}
		if (!text_copy((struct text){ l->password.at, l->password.len }, password,
			sizeof password) || strlen(password) != l->password.len) {
			wipe(password, sizeof password);
			return tell(why, "the password is too long, or holds a zero byte");
		}
		code = ftps_command(f, "PASS", password, why);
		wipe(password, sizeof password);
	}
	if (code < 0 || code == 230 || code == 232) {
		return code > 0 && ftps_protect(f, why);
	}
	out_string(why, "it refuses the login: ");
	out_text(why, answer_words(&f->answer));
	return false;
}

/* ---- Who it is ---- */

bool
device_parse_pin(struct text t, char pin[TRUST_DIGITS], struct out *why)
{
	if (trust_parse(t, pin) == TRUST_DIGITS - 1) {
		return true;
	}
	return tell(why, "the fingerprint of a device's certificate has 64 digits: all are wanted");
}

/* Behind one address, the port may be what tells devices apart. */
static void
put_address(struct out *o, const struct dial *to)
{
	bool is_v6 = strchr(to->host, ':') != NULL;

	out_string(o, is_v6 ? "[" : "");
	out_string(o, to->host);
	out_string(o, is_v6 ? "]:" : ":");
	out_string(o, to->port);
}

static bool
is_confirmed(const struct ftps *f, const char *fingerprint, struct out *why)
{
	char text[512];
	struct out question = OUT(text);

	if (!secret_can_ask()) {
		out_string(why, "it shows ");
		return tell_about(why, fingerprint, "compare that with what `cubftpd fingerprint` says on "
			"the device, and pin it");
	}
	put_address(&question, &f->to);
	out_string(&question, " shows ");
	out_string(&question, fingerprint);
	out_string(&question, "\nIs that what `cubftpd fingerprint` says on the device?");
	if (!secret_confirm(out_finish(&question))) {
		return tell(why, "its fingerprint was not confirmed");
	}
	return true;
}

bool
device_connect(struct ftps *f, const struct dial *to, const char *pin, const struct login *l,
	struct out *why)
{
	char text[80];
	struct out fingerprint = OUT(text);

	if (!ftps_open(f, to, l->has_client ? &l->client : NULL, why)) {
		return false;
	}
	x509_put_fingerprint(&fingerprint, f->leaf);
	(void)out_finish(&fingerprint);
	if (pin == NULL || pin[0] == '\0') {
		return is_confirmed(f, text, why);
	}
	if (!trust_begins(f->leaf, pin)) {
		out_string(why, "it shows ");
		out_string(why, text);
		return tell(why, ", which is not the fingerprint that is pinned: nothing was sent to it");
	}
	return true;
}

/* ---- Its folder ---- */

bool
device_path(char path[DEVICE_PATH_MAX], const char *folder, struct text name, const char *ending,
	struct out *why)
{
	struct out o = { .at = path, .cap = DEVICE_PATH_MAX };

	out_string(&o, DEVICE_FOLDER "/");
	out_string(&o, folder);
	out_text(&o, name);
	out_string(&o, ending);
	out_char(&o, '\0');
	if (o.cut) {
		out_string(why, "a name on the device is too long");
	}
	return !o.cut;
}

bool
device_next(struct text *rest, struct text *name)
{
	do {
		struct text path = text_cut(rest, '\n');

		while (path.at != NULL) {
			*name = text_cut(&path, '/');
		}
		if (name->len > 0 && name->at[name->len - 1] == '\r') {
			name->len--;
		}
	} while (name->len == 0 && rest->at != NULL);
	return name->len > 0;
}
