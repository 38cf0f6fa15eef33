/* SPDX-License-Identifier: MIT */
/* check. */
#include "sub_check.h"

#include "clock.h"
#include "sub_device.h"
#include "verify.h"

/* A line of the report begins. Returns true if it is good. */
static bool
start(struct request *rq, bool good, const char *what)
{
	out_string(rq->out, good ? "ok    " : "FAIL  ");
	out_string(rq->out, what);
	return good;
}

static bool
put_finding(struct request *rq, bool good, const char *what, const char *detail)
{
	(void)start(rq, good, what);
	out_string(rq->out, detail);
	out_char(rq->out, '\n');
	return good;
}

/* What went wrong stands in `why`, and belongs into the report. */
static bool
put_error(struct request *rq, const char *what)
{
	(void)put_finding(rq, false, what, out_finish(rq->why));
	rq->why->len = 0;
	return false;
}

/* The chain holds in itself, and the device's certificate is of these days. */
static bool
check_chain(struct request *rq, const struct identity *id)
{
	struct bytes chain = { id->der, id->der_len };
	struct x509_cert cert;
	const char *problem = verify_order(chain);
	bool good;

	(void)x509_read((struct bytes){ id->chain[0].data, id->chain[0].data_len }, &cert);
	out_string(rq->out, "      valid from ");
	x509_put_day(rq->out, cert.from_s);
	out_string(rq->out, " until ");
	x509_put_day(rq->out, cert.until_s);
	out_char(rq->out, '\n');
	good = put_finding(rq, problem == NULL, "chain: ", problem == NULL
		? "each certificate is signed by the next" : problem);
	return put_finding(rq, !clock_is_plausible() || (clock_now() <= cert.until_s
		&& clock_now() >= cert.from_s), "dates: ", clock_now() > cert.until_s
		? "the certificate has expired" : clock_now() < cert.from_s
		? "the certificate is not valid yet" : "the certificate is valid") && good;
}

static bool
check_identity(struct request *rq)
{
	const struct identity *id = service_identity(rq->service);
	bool good;

	if (sub_device_open(rq) < 0) {
		return put_error(rq, "identity: ");
	}
	(void)put_finding(rq, true, "identity: ", "the key matches the certificate");
	out_string(rq->out, "      clients will see ");
	x509_put_fingerprint(rq->out, id->fingerprint);
	out_char(rq->out, '\n');
	good = check_chain(rq, id);
	(void)put_finding(rq, true, "clock: ", clock_is_plausible()
		? "at or after the latest known date"
		: "before the latest known date, which is used in its place");
	return good;
}

static bool
check_accounts(struct request *rq)
{
	unsigned count;

	if (service_open(rq->service, PORT_AREA_TRUST, false, rq->why) < 0) {
		return put_error(rq, "accounts: ");
	}
	count = rq->service->accounts.count;
	(void)start(rq, count > 0, "accounts: ");
	out_number(rq->out, count);
	out_string(rq->out, count > 0 ? "\n"
		: ", so nobody can log in; add one with `account add`\n");
	return count > 0;
}

/* What is demanded of clients, and whether any can meet it. */
static bool
check_clients(struct request *rq)
{
	static const char *const demands[] = {
		[CLIENT_NONE] = "no certificate is asked for",
		[CLIENT_OPTIONAL] = "a trusted certificate or a password",
		[CLIENT_PINNED] = "a trusted certificate is demanded",
		[CLIENT_SIGNED] = "a certificate signed by a CA of the device is demanded",
	};
	enum cubftpd_client_certificate level = rq->service->config.client_certificate;
	bool lacks_ca = level == CLIENT_SIGNED && rq->service->cas.count == 0;

	return put_finding(rq, !lacks_ca, "clients: ", lacks_ca
		? "must be signed by a CA, and there is none; add one with `ca add`" : demands[level]);
}

static bool
check_root(struct request *rq)
{
	port_root root;
	uint64_t bytes = 0;
	int err = port_root_open(PORT_NONE, rq->service->config.root, &root);

	if (err == CUB_OK) {
		err = port_root_free(root, &bytes);
		port_root_close(root);
	}
	if (err < 0) {
		service_explain(rq->why, rq->service->config.root, err);
		return put_error(rq, "root: ");
	}
	(void)start(rq, true, "root: ");
	out_string(rq->out, rq->service->config.root);
	out_string(rq->out, ", KiB free: ");
	out_number(rq->out, bytes / 1024);
	out_char(rq->out, '\n');
	return true;
}

/* A port that is in use is no failure: the server may be running. */
static bool
check_ports(struct request *rq)
{
	unsigned count = rq->service->config.passive_high - rq->service->config.passive_low + 1u;

	(void)start(rq, count >= CUB_SESSIONS, "passive ports: ");
	out_number(rq->out, count);
	out_string(rq->out, " for ");
	out_number(rq->out, CUB_SESSIONS);
	out_string(rq->out, " sessions\n");
	return count >= CUB_SESSIONS;
}

int
sub_check(struct request *rq)
{
	uint8_t seed[16];
	bool good = cubftpd_config_check(&rq->service->config, rq->why) == CUB_OK
		? put_finding(rq, true, "configuration", "") : put_error(rq, "configuration: ");

	good = check_identity(rq) && good;
	good = check_accounts(rq) && good;
	good = check_clients(rq) && good;
	good = check_root(rq) && good;
	good = check_ports(rq) && good;
	port_random(seed, sizeof seed);
	(void)put_finding(rq, true, "entropy: ", "the random pool is ready");
	return good ? CUB_OK
		: request_complain(rq, CUB_E_NOENT, "the server would not serve: see above", "");
}
