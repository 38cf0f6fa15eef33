/* SPDX-License-Identifier: MIT */
/* account add, list, passwd, remove. */
#include "sub_account.h"

#include <string.h>

#include "manage.h"
#include "path.h"

/*
 * The root of an account lies beneath the server's. It may be given as it is there, or as a
 * path of the host that leads there.
 */
static int
resolve_root(struct request *rq, const char *given, char *root)
{
	char path[CUB_PATH_MAX];
	struct text t = text_of(given == NULL ? "/" : given);
	size_t len = strlen(rq->service->config.root);

	while (len > 0 && rq->service->config.root[len - 1] == '/') {
		len--;
	}
	if (t.len >= len && memcmp(t.at, rq->service->config.root, len) == 0
		&& (t.len == len || t.at[len] == '/')) {
		t = (struct text){ t.at + len, t.len - len };
	}
	if (path_resolve("/", t, path) < 0 || !text_copy(text_of(path), root, CUB_ACCOUNT_ROOT)) {
		return request_complain(rq, CUB_E_BAD,
			"--root wants a path beneath the root, of at most 95 bytes: ", given);
	}
	return CUB_OK;
}

/* The new password from the input: one line. */
static int
take_password(struct request *rq, struct account *account)
{
	struct bytes input = request_input(rq);
	struct text password = { (const char *)input.at, input.len };

	password = text_cut(&password, '\n');
	if (password.len > 0 && password.at[password.len - 1] == '\r') {
		password.len--;
	}
	if (password.len == 0 || password.len > ACCOUNT_PASSWORD || !text_is_printable(password)) {
		return request_complain(rq, CUB_E_BAD,
			"a password is one line of 1 to 128 printable bytes", "");
	}
	account_set_password(account, password);
	return CUB_OK;
}

static int
save(struct request *rq, struct account *account, int err)
{
	if (err == CUB_OK) {
		err = manage_finish(rq->service, PORT_AREA_TRUST,
			account_save(&rq->service->store[PORT_AREA_TRUST], account), rq->why);
	}
	wipe(account, sizeof *account);
	return err;
}

int
sub_account_add(struct request *rq)
{
	struct account account = { .rights = RIGHT_READ | RIGHT_WRITE | RIGHT_DELETE | RIGHT_LIST };
	const struct account_table *accounts = &rq->service->accounts;
	struct text name = text_of(rq->word);
	const char *rights = rq->option[OPTION_RIGHTS];
	int err;

	if (!account_name_is_good(name)) {
		return request_complain(rq, CUB_E_BAD,
			"a name is 1 to 32 letters, digits or any of . _ @ -, not ", rq->word);
	}
	if (rights != NULL && !account_parse_rights(text_of(rights), &account.rights)) {
		return request_complain(rq, CUB_E_BAD, "--rights wants letters of rwdl, not ", rights);
	}
	err = resolve_root(rq, rq->option[OPTION_ROOT], account.root);
	if (err == CUB_OK) {
		err = service_open(rq->service, PORT_AREA_TRUST, true, rq->why);
	}
	if (err < 0) {
		return err;
	}
	(void)text_copy(name, account.name, sizeof account.name);
	account.is_admin = rq->option[OPTION_ADMIN] != NULL;
	account.iterations = CONFIG_CUBFTPD_PBKDF2_ITERATIONS;
	if (account_find(accounts, name) != NULL) {
		err = request_complain(rq, CUB_E_EXIST, "there is an account already of the name ",
			rq->word);
	} else if (accounts->count == CUB_ACCOUNTS) {
		err = request_complain(rq, CUB_E_FULL,
			"the table of accounts is full: remove one before adding ", rq->word);
	} else if (rq->option[OPTION_PASSWORD_STDIN] != NULL) {
		err = take_password(rq, &account);
	}
	return save(rq, &account, err);
}

/* Find the account that is to be changed. */
static int
find(struct request *rq, struct account *account)
{
	const struct account *found = account_find(&rq->service->accounts, text_of(rq->word));

	if (found == NULL) {
		return request_complain(rq, CUB_E_NOENT, "there is no account of the name ", rq->word);
	}
	*account = *found;
	return CUB_OK;
}

int
sub_account_passwd(struct request *rq)
{
	struct account account;
	int err = find(rq, &account);

	return err < 0 ? err : save(rq, &account, take_password(rq, &account));
}

int
sub_account_remove(struct request *rq)
{
	struct account account;
	int err = find(rq, &account);

	if (err == CUB_OK) {
		err = manage_remove_account(rq->service, &account, rq->why);
		wipe(&account, sizeof account);
	}
	return err;
}

/* People get it in a line. */
static void
put_account(struct out *o, const struct account *a)
{
	out_string(o, a->name);
	out_char(o, ' ');
	account_put_rights(o, a->rights);
	out_char(o, ' ');
	out_string(o, a->root);
	out_string(o, a->is_admin ? " admin" : "");
	out_string(o, a->has_password ? "\n" : " no-password\n");
}

int
sub_account_list(struct request *rq)
{
	const struct account_table *accounts = &rq->service->accounts;

	if (request_is_json(rq)) {
		request_list(rq, &report_account, accounts->item, accounts->count);
		return CUB_OK;
	}
	for (unsigned i = 0; i < accounts->count; i++) {
		put_account(rq->out, &accounts->item[i]);
	}
	return CUB_OK;
}
