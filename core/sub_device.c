/* SPDX-License-Identifier: MIT */
/* init, fingerprint, csr, cert. */
#include "sub_device.h"

#include "manage.h"

int
sub_device_open(struct request *rq)
{
	struct service *sv = rq->service;
	int err = service_open(sv, PORT_AREA_IDENTITY, false, rq->why);

	if (err == CUB_OK && sv->store[PORT_AREA_IDENTITY].blank) {
		return request_complain(rq, CUB_E_NOENT,
			"there is no identity yet, make one with `init`: ", sv->config.identity_store);
	}
	return err;
}

/* The device's name, unless another one is wanted. */
static int
take_name(struct request *rq, struct text *name)
{
	const char *given = rq->option[OPTION_NAME];

	*name = given != NULL ? text_of(given) : service_device_name(rq->service);
	if (name->len == 0 || name->len > X509_NAME_MAX || !text_is_printable(*name)) {
		return request_complain(rq, CUB_E_BAD,
			"--name wants a printable name of 1 to 64 bytes", "");
	}
	return CUB_OK;
}

/* A key that was given with `init` stands in the spare slot (admin.c). */
static int
make_identity(struct request *rq, struct text name)
{
	struct service *sv = rq->service;
	const struct identity *spare = &sv->identity[!sv->identity_now];
	struct bytes given = { spare->der, spare->der_len };
	struct identity_parts parts = { .name = name };
	uint8_t room[IDENTITY_SECRET_MAX];
	const char *problem = "";
	int err = service_secret(&sv->config, room, &parts.secret, rq->why);

	if (err < 0) {
		return err;
	}
	if (rq->option[OPTION_KEY] != NULL) {
		parts.key.at = spare->der;  /* and if there is none in it, that is refused */
		(void)x509_chain_next(&given, &parts.key);
		parts.chain = request_input(rq);
	}
	err = identity_import(service_identity(sv), &sv->store[PORT_AREA_IDENTITY], &parts, &problem);
	wipe(room, sizeof room);
	if (err == CUB_E_BAD) {
		return request_complain(rq, request_refusal(err), problem, "");
	}
	if (err < 0) {
		service_explain(rq->why, sv->config.identity_store, err);
	}
	return err;
}

int
sub_init(struct request *rq)
{
	const struct cubftpd_config *config = &rq->service->config;
	struct text name;
	int err;

	if (rq->option[OPTION_CERT] != NULL && rq->option[OPTION_KEY] == NULL) {
		return request_complain(rq, CUB_E_BAD, "--cert wants the --key that belongs to it", "");
	}
	err = take_name(rq, &name);
	if (err == CUB_OK) {
		err = service_open(rq->service, PORT_AREA_IDENTITY, true, rq->why);
	}
	if (err < 0) {
		return err;
	}
	if (rq->service->is_running || !rq->service->store[PORT_AREA_IDENTITY].blank) {
		return request_complain(rq, CUB_E_EXIST, "there is an identity already in ",
			config->identity_store);
	}
	err = make_identity(rq, name);
	return err < 0 ? err : sub_fingerprint(rq);
}

int
sub_fingerprint(struct request *rq)
{
	x509_put_fingerprint(rq->out, service_identity(rq->service)->fingerprint);
	out_char(rq->out, '\n');
	return CUB_OK;
}

int
sub_csr(struct request *rq)
{
	struct text name;
	uint8_t der[X509_REQUEST_MAX];
	int len = take_name(rq, &name);

	if (len < 0) {
		return len;
	}
	len = x509_request(der, sizeof der, &service_identity(rq->service)->key, name);
	if (len < 0) {
		return request_complain(rq, len, "the request can't be made", "");
	}
	pem_put(rq->out, PEM_REQUEST, der, (size_t)len);
	return CUB_OK;
}

int
sub_cert(struct request *rq)
{
	int err = request_refusal(manage_install(rq->service, request_input(rq), rq->why));

	return err < 0 ? err : sub_fingerprint(rq);
}
