/* SPDX-License-Identifier: MIT */
/* The elliptic curves of this build: see curves.h. Each call goes to the curve's own code. */
#include "curves.h"

#include "cubftpd_config.h"

#if CONFIG_CUBFTPD_P384
#define P384 (UINT32_C(1) << BR_EC_secp384r1)
#else
#define P384 0
#endif

static const br_ec_impl *
impl_of(int curve)
{
#if CONFIG_CUBFTPD_P256_FAST
	if (curve == BR_EC_secp256r1) {
		return &br_ec_p256_m31;
	}
#endif
#if CONFIG_CUBFTPD_P384 || !CONFIG_CUBFTPD_P256_FAST
	if (curve != BR_EC_curve25519) {
		return &br_ec_prime_i31;
	}
#endif
	return &br_ec_c25519_m31;
}

static const unsigned char *
generator(int curve, size_t *len)
{
	return impl_of(curve)->generator(curve, len);
}

static const unsigned char *
order(int curve, size_t *len)
{
	return impl_of(curve)->order(curve, len);
}

static size_t
xoff(int curve, size_t *len)
{
	return impl_of(curve)->xoff(curve, len);
}

static uint32_t
mul(unsigned char *g, size_t g_len, const unsigned char *x, size_t x_len, int curve)
{
	return impl_of(curve)->mul(g, g_len, x, x_len, curve);
}

static size_t
mulgen(unsigned char *r, const unsigned char *x, size_t x_len, int curve)
{
	return impl_of(curve)->mulgen(r, x, x_len, curve);
}

static uint32_t
muladd(unsigned char *a, const unsigned char *b, size_t len, const unsigned char *x,
	size_t x_len, const unsigned char *y, size_t y_len, int curve)
{
	return impl_of(curve)->muladd(a, b, len, x, x_len, y, y_len, curve);
}

const br_ec_impl curves = {
	UINT32_C(1) << BR_EC_secp256r1 | P384 | UINT32_C(1) << BR_EC_curve25519,
	&generator, &order, &xoff, &mul, &mulgen, &muladd,
};
