/* SPDX-License-Identifier: MIT */
/* check. */
#include "sub_check.h"

#include "clock.h"
#include "sub_device.h"
#include "verify.h"

struct check {
	struct request *rq;
	struct service *sv;
	struct out *out;
	bool has_failed;     /* something has */
};

/* A line of the report begins. */
static void
start(struct check *c, bool good, const char *what)
{
	c->has_failed = c->has_failed || !good;
	out_string(c->out, good ? "ok    " : "FAIL  ");
	out_string(c->out, what);
}

static void
put_finding(struct check *c, bool good, const char *what, const char *detail)
{
	start(c, good, what);
	out_string(c->out, detail);
	out_char(c->out, '\n');
}

/* What went wrong stands in `why`, and belongs into the report. */
static void
put_error(struct check *c, const char *what)
{
	put_finding(c, false, what, out_finish(c->rq->why));
	c->rq->why->len = 0;
}

/* The chain holds in itself, and the device's certificate is of these days. */
static void
check_chain(struct check *c, const struct identity *id)
{
	struct bytes chain = { id->der, id->der_len };
	struct x509_cert cert;
	const char *problem = verify_order(chain);
	int64_t now_s = clock_now();

	(void)service_read_own(c->sv, &cert);
	out_string(c->out, "      valid from ");
	x509_put_day(c->out, cert.from_s);
	out_string(c->out, " until ");
	x509_put_day(c->out, cert.until_s);
	out_char(c->out, '\n');
	put_finding(c, problem == NULL, "chain: ", problem == NULL
		? "each certificate is signed by the next" : problem);
	problem = now_s > cert.until_s ? "the certificate has expired"
		: now_s < cert.from_s ? "the certificate is not valid yet" : NULL;
	put_finding(c, problem == NULL || !clock_is_plausible(), "dates: ", problem == NULL
		? "the certificate is valid" : problem);
}

static void
check_identity(struct check *c)
{
	const struct identity *id = service_identity(c->sv);

	if (sub_device_open(c->rq) < 0) {
		put_error(c, "identity: ");
		return;
	}
	put_finding(c, true, "identity: ", "the key matches the certificate");
	out_string(c->out, "      clients will see ");
	(void)sub_fingerprint(c->rq);
	check_chain(c, id);
	put_finding(c, true, "clock: ", clock_is_plausible()
		? "at or after the latest known date"
		: "before the latest known date, which is used in its place");
}

static void
check_accounts(struct check *c)
{
	unsigned count;

	if (service_open(c->sv, PORT_AREA_TRUST, false, c->rq->why) < 0) {
		put_error(c, "accounts: ");
		return;
	}
	count = c->sv->accounts.count;
	start(c, count > 0, "accounts: ");
	out_number(c->out, count);
	out_string(c->out, count > 0 ? "\n"
		: ", so nobody can log in; add one with `account add`\n");
}

/* What is demanded of clients, and whether any can meet it. */
static void
check_clients(struct check *c)
{
	static const char *const demands[] = {
		[CLIENT_NONE] = "no certificate is asked for",
		[CLIENT_OPTIONAL] = "a trusted certificate or a password",
		[CLIENT_PINNED] = "a trusted certificate is demanded",
		[CLIENT_SIGNED] = "a certificate signed by a CA of the device is demanded",
	};
	enum cubftpd_client_certificate level = c->sv->config.client_certificate;
	bool lacks_ca = level == CLIENT_SIGNED && c->sv->cas.count == 0;

	put_finding(c, !lacks_ca, "clients: ", lacks_ca
		? "must be signed by a CA, and there is none; add one with `ca add`" : demands[level]);
}

static void
check_root(struct check *c)
{
	const char *where = c->sv->config.root;
	port_root root;
	uint64_t bytes = 0;
	int err = port_root_open(PORT_NONE, where, &root);

	if (err == CUB_OK) {
		err = port_root_free(root, &bytes);
		port_root_close(root);
	}
	if (err < 0) {
		service_explain(c->rq->why, where, err);
		put_error(c, "root: ");
		return;
	}
	start(c, true, "root: ");
	out_string(c->out, where);
	out_string(c->out, ", KiB free: ");
	out_number(c->out, bytes / 1024);
	out_char(c->out, '\n');
}

/* A port that is in use is no failure: the server may be running. */
static void
check_ports(struct check *c)
{
	unsigned count = c->sv->config.passive_high - c->sv->config.passive_low + 1u;

	start(c, count >= CUB_SESSIONS, "passive ports: ");
	out_number(c->out, count);
	out_string(c->out, " for ");
	out_number(c->out, CUB_SESSIONS);
	out_string(c->out, " sessions\n");
}

int
sub_check(struct request *rq)
{
	struct check c = { .rq = rq, .sv = rq->service, .out = rq->out };
	uint8_t seed[16];

	if (cubftpd_config_check(&c.sv->config, rq->why) == CUB_OK) {
		put_finding(&c, true, "configuration", "");
	} else {
		put_error(&c, "configuration: ");
	}
	check_identity(&c);
	check_accounts(&c);
	check_clients(&c);
	check_root(&c);
	check_ports(&c);
	port_random(seed, sizeof seed);
	put_finding(&c, true, "entropy: ", "the random pool is ready");
	return c.has_failed
		? request_complain(rq, CUB_E_NOENT, "not all is well: see above", "") : CUB_OK;
}
