/* SPDX-License-Identifier: MIT */
/* Certificates and requests in files: see load.h. */
#include "load.h"

#include "disk.h"
#include "pem.h"
#include "tell.h"

/* The objects of one kind. Returns as pem_end(). */
static int
take(const char *label, struct bytes file, uint8_t *dst, size_t cap, struct bytes *chain)
{
	struct pem pem;
	int err;

	pem_start(&pem, label, dst, cap);
	pem_feed(&pem, file.at, file.len);
	err = pem_end(&pem);
	*chain = (struct bytes){ dst, err == CUB_OK ? pem.len : 0 };
	return err;
}

static bool
judge(int err, const char *none, struct out *why)
{
	if (err != CUB_OK) {
		out_string(why, err == CUB_E_NOENT ? none : err == CUB_E_LIMIT ? "it holds too much"
			: "it is broken: neither PEM nor DER");
	}
	return err == CUB_OK;
}

bool
load_chain_from(struct bytes file, uint8_t *dst, size_t cap, struct bytes *chain, struct out *why)
{
	return judge(take(PEM_CERTIFICATE, file, dst, cap, chain), "there is no certificate in it",
		why);
}

bool
load_request_from(struct bytes file, uint8_t *dst, size_t cap, struct bytes *der, struct out *why)
{
	struct bytes rest;
	int err = take(PEM_REQUEST, file, dst, cap, &rest);

	if (err == CUB_E_NOENT) {
		err = take("NEW " PEM_REQUEST, file, dst, cap, &rest);
	}
	if (!judge(err, "there is no certificate request in it", why)) {
		return false;
	}
	(void)x509_chain_next(&rest, der);
	if (rest.len > 0) {
		return tell(why, "there is more than one request in it");
	}
	return true;
}

static bool
read_file(const char *path, uint8_t *dst, struct bytes *file, struct out *why)
{
	file->at = dst;
	return disk_read(path, dst, LOAD_MAX, &file->len, why);
}

bool
load_chain(const char *path, uint8_t *dst, size_t cap, struct bytes *chain, struct out *why)
{
	uint8_t buffer[LOAD_MAX];
	struct bytes file;

	return read_file(path, buffer, &file, why) && load_chain_from(file, dst, cap, chain, why);
}

bool
load_request(const char *path, uint8_t *dst, size_t cap, struct bytes *der, struct out *why)
{
	uint8_t buffer[LOAD_MAX];
	struct bytes file;

	return read_file(path, buffer, &file, why) && load_request_from(file, dst, cap, der, why);
}

void
load_put_chain(struct out *o, struct bytes chain)
{
	struct bytes der;

	while (x509_chain_next(&chain, &der) == CUB_OK) {
		pem_put(o, PEM_CERTIFICATE, der.at, der.len);
	}
}
