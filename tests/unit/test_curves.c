/* SPDX-License-Identifier: MIT */
/* The curves of this build, held against code of BearSSL's that is in no build of ours. */
#include "unit.h"

#include "curves.h"

static const int all[] = { BR_EC_secp256r1, BR_EC_secp384r1, BR_EC_secp521r1, BR_EC_curve25519 };

static bool
is_here(int curve)
{
	return (curves.supported_curves >> curve & 1) != 0;
}

static void
the_curves_are_those_of_the_configuration(void **state)
{
	(void)state;
	assert_true(is_here(BR_EC_secp256r1) && is_here(BR_EC_curve25519));
	assert_true(is_here(BR_EC_secp384r1) == (CONFIG_CUBFTPD_P384 == 1));
	assert_false(is_here(BR_EC_secp521r1));
}

static void
each_curve_calculates_as_other_code_does(void **state)
{
	(void)state;
	for (size_t i = 0; i < LEN(all); i++) {
		const br_ec_impl *judge = &br_ec_all_m15;
		const int curve = all[i];
		unsigned char ours[BR_EC_KBUF_PUB_MAX_SIZE], theirs[BR_EC_KBUF_PUB_MAX_SIZE], k[66];
		size_t our_len, their_len;

		if (!is_here(curve)) {
			continue;
		}
		assert_ptr_not_equal(curves.order(curve, &our_len), NULL);
		CLAIM(memcmp(curves.order(curve, &our_len), judge->order(curve, &their_len),
			our_len) == 0 && our_len == their_len, "curve %d", curve);
		CLAIM(curves.xoff(curve, &our_len) == judge->xoff(curve, &their_len)
			&& our_len == their_len, "curve %d", curve);
		for (size_t at = 0; at < our_len; at++) {
			k[at] = (unsigned char)sim_random();
		}
		k[0] = curve == BR_EC_curve25519 ? 0x40 : 0x05;
		CLAIM(curves.mulgen(ours, k, our_len, curve)
			== judge->mulgen(theirs, k, our_len, curve), "curve %d", curve);
		(void)curves.generator(curve, &our_len);
		CLAIM(memcmp(ours, theirs, our_len) == 0, "curve %d", curve);
		memcpy(ours, curves.generator(curve, &our_len), our_len);
		CLAIM(curves.mul(ours, our_len, k, curve == BR_EC_secp384r1 ? 48 : 32, curve) == 1,
			"curve %d", curve);
		CLAIM(memcmp(ours, theirs, our_len) == 0, "curve %d", curve);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_curves_are_those_of_the_configuration),
		TEST(each_curve_calculates_as_other_code_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
