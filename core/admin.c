/* SPDX-License-Identifier: MIT */
/*
 * The administrative commands: a table of names, each with its handler. All of them are
 * texts in and texts out, on stores that are opened for one command and closed again.
 */
#include "admin.h"

#include <string.h>

#include "clock.h"
#include "date.h"
#include "path.h"
#include "server.h"
#include "x509.h"

struct request {
	const struct cubftpd_config *config;
	int          argc;   /* of what follows the command's name */
	char *const *argv;
	struct text  input;
	struct out  *out;
	struct out  *why;
};

static int
complain(struct request *rq, int err, const char *why, const char *about)
{
	out_string(rq->why, why);
	out_escaped(rq->why, text_of(about));
	return err;
}

/* ---- Arguments: one name at most, and options ---- */

struct arguments {
	const char *name;      /* null if none was given */
	const char *option;    /* of --name, --root, --rights: see `options` */
	const char *root;
	const char *rights;
	bool        json;
	bool        admin;
	bool        password;  /* --password-stdin */
};

/* `allowed` holds the options' names, each with a space behind it. */
static bool
is_allowed(const char *allowed, const char *option)
{
	struct text rest = text_of(allowed);

	while (rest.len > 0) {
		if (text_same(text_cut(&rest, ' '), option)) {
			return true;
		}
	}
	return false;
}

static const char **
value_of(struct arguments *a, const char *option)
{
	struct text t = text_of(option);

	return text_same(t, "--root") ? &a->root : text_same(t, "--rights") ? &a->rights
		: text_same(t, "--name") ? &a->option : NULL;
}

static int
parse_arguments(struct request *rq, const char *allowed, struct arguments *a)
{
	*a = (struct arguments){ .name = NULL };
	for (int i = 0; i < rq->argc; i++) {
		const char *arg = rq->argv[i];
		const char **value;

		if (arg[0] != '-') {
			if (a->name != NULL) {
				return complain(rq, CUB_E_BAD, "too many arguments: ", arg);
			}
			a->name = arg;
			continue;
		}
		if (!is_allowed(allowed, arg)) {
			return complain(rq, CUB_E_BAD, "unknown option ", arg);
		}
		value = value_of(a, arg);
		if (value != NULL && i + 1 == rq->argc) {
			return complain(rq, CUB_E_BAD, "a value must follow ", arg);
		}
		if (value != NULL) {
			*value = rq->argv[++i];
		} else {
			a->json = a->json || text_same(text_of(arg), "--json");
			a->admin = a->admin || text_same(text_of(arg), "--admin");
			a->password = a->password || text_same(text_of(arg), "--password-stdin");
		}
	}
	return CUB_OK;
}

/* ---- Stores ---- */

static const char *
store_name(const struct request *rq, enum port_area area)
{
	return area == PORT_AREA_IDENTITY ? rq->config->identity_store : rq->config->trust_store;
}

static int
open_store(struct request *rq, struct store *s, enum port_area area, bool create)
{
	int err = store_open(s, area, store_name(rq, area), create);

	if (err < 0) {
		server_explain(rq->why, store_name(rq, area), err);
	}
	return err;
}

/* Close after a change, and say what went wrong with it. */
static int
close_store(struct request *rq, struct store *s, int err)
{
	store_close(s);
	if (err < 0) {
		server_explain(rq->why, store_name(rq, s->area), err);
	}
	return err;
}

/* ---- init, fingerprint ---- */

static struct identity identity;

static void
put_fingerprint(struct request *rq)
{
	x509_put_fingerprint(rq->out, identity.fingerprint);
	out_char(rq->out, '\n');
}

static int
do_init(struct request *rq)
{
	struct arguments a;
	struct store s;
	struct text name;
	int err = parse_arguments(rq, "--name ", &a);

	if (err < 0) {
		return err;
	}
	if (a.name != NULL) {
		return complain(rq, CUB_E_BAD, "too many arguments: ", a.name);
	}
	name = text_of(a.option != NULL ? a.option
		: rq->config->device_name[0] != '\0' ? rq->config->device_name : "cubftpd");
	if (name.len == 0 || name.len > 64 || !text_is_printable(name)) {
		return complain(rq, CUB_E_BAD, "--name wants a printable name of 1 to 64 bytes", "");
	}
	err = open_store(rq, &s, PORT_AREA_IDENTITY, true);
	if (err < 0) {
		return err;
	}
	if (!s.blank) {
		store_close(&s);
		return complain(rq, CUB_E_EXIST, "there is an identity already in ",
			rq->config->identity_store);
	}
	err = close_store(rq, &s, identity_make(&identity, &s, name));
	if (err == CUB_OK) {
		put_fingerprint(rq);
	}
	wipe(&identity, sizeof identity);
	return err;
}

/* Load the identity for a look at it; `identity` must be wiped afterwards. */
static int
load_identity(struct request *rq)
{
	struct store s;
	int err = open_store(rq, &s, PORT_AREA_IDENTITY, false);

	if (err < 0) {
		return err;
	}
	if (s.blank) {
		store_close(&s);
		return complain(rq, CUB_E_NOENT, "there is no identity yet, make one with `init`: ",
			rq->config->identity_store);
	}
	err = identity_load(&identity, &s);
	return close_store(rq, &s, err == CUB_E_NOENT ? CUB_E_CORRUPT : err);
}

static int
do_fingerprint(struct request *rq)
{
	struct arguments a;
	int err = parse_arguments(rq, "", &a);

	if (err == CUB_OK && a.name != NULL) {
		err = complain(rq, CUB_E_BAD, "too many arguments: ", a.name);
	}
	if (err == CUB_OK) {
		err = load_identity(rq);
	}
	if (err == CUB_OK) {
		put_fingerprint(rq);
	}
	wipe(&identity, sizeof identity);
	return err;
}

/* ---- account ---- */

static struct account_table accounts;

static int
load_accounts(struct request *rq, struct store *s, bool create)
{
	int err = open_store(rq, s, PORT_AREA_TRUST, create);

	if (err == CUB_OK) {
		err = account_load(&accounts, s);
		if (err < 0) {
			(void)close_store(rq, s, err);
		}
	}
	return err;
}

/*
 * The root of an account lies beneath the server's. It may be given as it is there, or as a
 * path of the host that leads there.
 */
static int
resolve_root(struct request *rq, const char *given, char *root)
{
	char path[CUB_PATH_MAX];
	struct text t = text_of(given == NULL ? "/" : given);
	size_t len = strlen(rq->config->root);

	while (len > 0 && rq->config->root[len - 1] == '/') {
		len--;
	}
	if (t.len >= len && memcmp(t.at, rq->config->root, len) == 0
		&& (t.len == len || t.at[len] == '/')) {
		t = (struct text){ t.at + len, t.len - len };
	}
	if (path_resolve("/", t, path) < 0 || !text_copy(text_of(path), root, CUB_ACCOUNT_ROOT)) {
		return complain(rq, CUB_E_BAD,
			"--root wants a path beneath the root, of at most 95 bytes: ", given);
	}
	return CUB_OK;
}

/* The new password from the input: one line. */
static int
take_password(struct request *rq, struct account *account)
{
	struct text password = rq->input;

	password = text_cut(&password, '\n');
	if (password.len > 0 && password.at[password.len - 1] == '\r') {
		password.len--;
	}
	if (password.len == 0 || password.len > ACCOUNT_PASSWORD || !text_is_printable(password)) {
		return complain(rq, CUB_E_BAD, "a password is one line of 1 to 128 printable bytes", "");
	}
	account_set_password(account, password);
	return CUB_OK;
}

static int
save(struct request *rq, struct store *s, struct account *account, int err)
{
	if (err == CUB_OK) {
		err = close_store(rq, s, account_save(s, account));
	} else {
		store_close(s);
	}
	wipe(account, sizeof *account);
	return err;
}

static int
account_add(struct request *rq, const struct arguments *a)
{
	struct account account = { .rights = RIGHT_READ | RIGHT_WRITE | RIGHT_DELETE | RIGHT_LIST };
	struct store s;
	int err;

	if (!account_name_is_good(text_of(a->name))) {
		return complain(rq, CUB_E_BAD, "a name is 1 to 32 letters, digits or any of . _ @ -, not ",
			a->name);
	}
	if (a->rights != NULL && !account_parse_rights(text_of(a->rights), &account.rights)) {
		return complain(rq, CUB_E_BAD, "--rights wants letters of rwdl, not ", a->rights);
	}
	err = resolve_root(rq, a->root, account.root);
	if (err == CUB_OK) {
		err = load_accounts(rq, &s, true);
	}
	if (err < 0) {
		return err;
	}
	(void)text_copy(text_of(a->name), account.name, sizeof account.name);
	account.is_admin = a->admin;
	account.iterations = CONFIG_CUBFTPD_PBKDF2_ITERATIONS;
	if (account_find(&accounts, text_of(a->name)) != NULL) {
		err = complain(rq, CUB_E_EXIST, "there is an account already of the name ", a->name);
	} else if (accounts.count == CUB_ACCOUNTS) {
		err = complain(rq, CUB_E_FULL, "the table of accounts is full: remove one before adding ",
			a->name);
	} else if (a->password) {
		err = take_password(rq, &account);
	}
	return save(rq, &s, &account, err);
}

/* Find an account that is to be changed; the store stays open. */
static int
find_account(struct request *rq, const char *name, struct store *s, struct account *account)
{
	const struct account *found;
	int err = load_accounts(rq, s, false);

	if (err < 0) {
		return err;
	}
	found = account_find(&accounts, text_of(name));
	if (found == NULL) {
		store_close(s);
		return complain(rq, CUB_E_NOENT, "there is no account of the name ", name);
	}
	*account = *found;
	return CUB_OK;
}

static int
account_passwd(struct request *rq, const struct arguments *a)
{
	struct account account;
	struct store s;
	int err = find_account(rq, a->name, &s, &account);

	return err < 0 ? err : save(rq, &s, &account, take_password(rq, &account));
}

static int
account_take_away(struct request *rq, const struct arguments *a)
{
	struct account account;
	struct store s;
	int err = find_account(rq, a->name, &s, &account);

	return err < 0 ? err : close_store(rq, &s, account_remove(&s, &account));
}

static void
put_account(struct out *o, const struct account *a, bool json)
{
	out_string(o, json ? "{\"name\":\"" : "");
	out_string(o, a->name);
	out_string(o, json ? "\",\"rights\":\"" : " ");
	account_put_rights(o, a->rights);
	out_string(o, json ? "\",\"root\":\"" : " ");
	if (json) {
		out_json(o, text_of(a->root));
	} else {
		out_string(o, a->root);
	}
	out_string(o, json ? "\",\"admin\":" : "");
	if (json) {
		out_string(o, a->is_admin ? "true" : "false");
		out_string(o, ",\"password\":");
		out_string(o, a->has_password ? "true}" : "false}");
	} else {
		out_string(o, a->is_admin ? " admin" : "");
		out_string(o, a->has_password ? "\n" : " no-password\n");
	}
}

static int
account_list(struct request *rq, const struct arguments *a)
{
	struct store s;
	int err = load_accounts(rq, &s, false);

	if (err == CUB_OK) {
		store_close(&s);
	} else if (err != CUB_E_NOENT) {
		return err;
	} else {
		accounts.count = 0;  /* no store: nobody has been added yet */
		rq->why->len = 0;
	}
	out_string(rq->out, a->json ? "[" : "");
	for (unsigned i = 0; i < accounts.count; i++) {
		out_string(rq->out, a->json && i > 0 ? "," : "");
		put_account(rq->out, &accounts.item[i], a->json);
	}
	out_string(rq->out, a->json ? "]\n" : "");
	return CUB_OK;
}

static int
do_account(struct request *rq)
{
	static const struct {
		const char *name, *options;
		bool wants_name;
		int (*run)(struct request *, const struct arguments *);
	} verbs[] = {
		{ "add", "--root --rights --password-stdin --admin ", true, account_add },
		{ "list", "--json ", false, account_list },
		{ "passwd", "--password-stdin ", true, account_passwd },
		{ "remove", "", true, account_take_away },
	};
	struct text verb = text_of(rq->argc > 0 ? rq->argv[0] : "");

	for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
		struct arguments a;
		int err;

		if (!text_same(verb, verbs[i].name)) {
			continue;
		}
		rq->argc--;
		rq->argv++;
		err = parse_arguments(rq, verbs[i].options, &a);
		if (err == CUB_OK && verbs[i].wants_name != (a.name != NULL)) {
			err = complain(rq, CUB_E_BAD, a.name == NULL ? "an account's name is missing"
				: "too many arguments: ", a.name == NULL ? "" : a.name);
		}
		err = err == CUB_OK ? verbs[i].run(rq, &a) : err;
		wipe(&accounts, sizeof accounts);
		return err;
	}
	return complain(rq, CUB_E_BAD, "account wants add, list, passwd or remove", "");
}

/* ---- check ---- */

/* One line of the report. Returns true if it is good. */
static bool
put_finding(struct request *rq, bool good, const char *what, const char *detail)
{
	out_string(rq->out, good ? "ok    " : "FAIL  ");
	out_string(rq->out, what);
	out_string(rq->out, detail);
	out_char(rq->out, '\n');
	return good;
}

static void
put_date(struct out *o, int64_t time_s)
{
	struct date d = date_of(time_s);

	out_digits(o, (uint64_t)d.year, 4);
	out_char(o, '-');
	out_digits(o, d.month, 2);
	out_char(o, '-');
	out_digits(o, d.day, 2);
}

static bool
check_identity(struct request *rq)
{
	struct x509_info info;
	bool good;

	if (load_identity(rq) < 0) {
		return put_finding(rq, false, "identity: ", out_finish(rq->why));
	}
	out_string(rq->out, "ok    identity: the key matches the certificate\n      clients will see ");
	put_fingerprint(rq);
	good = x509_look(identity.chain[0].data, identity.chain[0].data_len, &info) == CUB_OK;
	out_string(rq->out, "      valid from ");
	put_date(rq->out, info.from_s);
	out_string(rq->out, " until ");
	put_date(rq->out, info.until_s);
	out_char(rq->out, '\n');
	good = put_finding(rq, good && clock_now() <= info.until_s, "dates",
		": the certificate is valid");
	(void)put_finding(rq, true, "clock: ", clock_is_plausible()
		? "at or after the latest known date"
		: "before the latest known date, which is used in its place");
	wipe(&identity, sizeof identity);
	return good;
}

static bool
check_accounts(struct request *rq)
{
	struct store s;

	if (load_accounts(rq, &s, false) < 0) {
		return put_finding(rq, false, "accounts: ", out_finish(rq->why));
	}
	store_close(&s);
	out_string(rq->out, accounts.count > 0 ? "ok    accounts: " : "FAIL  accounts: ");
	out_number(rq->out, accounts.count);
	out_string(rq->out, accounts.count > 0 ? "\n"
		: ", so nobody can log in; add one with `account add`\n");
	return accounts.count > 0;
}

static bool
check_root(struct request *rq)
{
	port_root root;
	uint64_t bytes = 0;
	int err = port_root_open(PORT_NONE, rq->config->root, &root);

	if (err == CUB_OK) {
		err = port_root_free(root, &bytes);
		port_root_close(root);
	}
	if (err < 0) {
		rq->why->len = 0;
		server_explain(rq->why, rq->config->root, err);
		return put_finding(rq, false, "root: ", out_finish(rq->why));
	}
	out_string(rq->out, "ok    root: ");
	out_string(rq->out, rq->config->root);
	out_string(rq->out, ", KiB free: ");
	out_number(rq->out, bytes / 1024);
	out_char(rq->out, '\n');
	return true;
}

/* A port that is in use is no failure: the server may be running. */
static bool
check_ports(struct request *rq)
{
	unsigned count = rq->config->passive_high - rq->config->passive_low + 1u;

	out_string(rq->out, count >= CUB_SESSIONS ? "ok    " : "FAIL  ");
	out_string(rq->out, "passive ports: ");
	out_number(rq->out, count);
	out_string(rq->out, " for ");
	out_number(rq->out, CUB_SESSIONS);
	out_string(rq->out, " sessions\n");
	return count >= CUB_SESSIONS;
}

static int
do_check(struct request *rq)
{
	struct arguments a;
	uint8_t seed[16];
	bool good;
	int err = parse_arguments(rq, "", &a);

	if (err < 0 || a.name != NULL) {
		return err < 0 ? err : complain(rq, CUB_E_BAD, "too many arguments: ", a.name);
	}
	err = cubftpd_config_check(rq->config, rq->why);
	good = put_finding(rq, err == CUB_OK, "configuration",
		err == CUB_OK ? "" : out_finish(rq->why));
	rq->why->len = 0;
	good = check_identity(rq) && good;
	rq->why->len = 0;
	good = check_accounts(rq) && good;
	good = check_root(rq) && good;
	good = check_ports(rq) && good;
	port_random(seed, sizeof seed);
	(void)put_finding(rq, true, "entropy: ", "the random pool is ready");
	rq->why->len = 0;
	wipe(&accounts, sizeof accounts);
	return good ? CUB_OK : complain(rq, CUB_E_NOENT, "the server would not serve: see above", "");
}

int
cubftpd_admin(const struct cubftpd_config *config, int argc, char *const argv[],
	const char *input, struct out *out, struct out *why)
{
	static const struct {
		const char *name;
		int (*run)(struct request *);
	} commands[] = {
		{ "init", do_init },
		{ "fingerprint", do_fingerprint },
		{ "account", do_account },
		{ "check", do_check },
	};
	struct request rq = { config, argc - 1, argv + 1, text_of(input), out, why };

	for (size_t i = 0; argc > 0 && i < sizeof commands / sizeof commands[0]; i++) {
		if (text_same(text_of(argv[0]), commands[i].name)) {
			int err = commands[i].run(&rq);

			CUB_ASSERT(!out->cut);
			return err;
		}
	}
	return complain(&rq, CUB_E_BAD, "unknown command ", argc > 0 ? argv[0] : "");
}
