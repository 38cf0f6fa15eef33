/* SPDX-License-Identifier: MIT */
/*
 * What the unit tests share: claims, which tell the seed where they fail, and a fresh simulated
 * port for each test.
 */
#ifndef UNIT_H
#define UNIT_H

#include "sim.h"

#define CLAIM_FAIL sim_fail
#include "tests/claim.h"

static inline void
unit_fail(const char *why)
{
	fail_msg("%s", why);
}

static inline int
unit_setup(void **state)
{
	(void)state;
	sim_fail_hook = unit_fail;
	sim_reset(sim_seed_or(1));
	return 0;
}

#define TEST(name) cmocka_unit_test_setup(name, unit_setup)

/* A text of random bytes, up to `max` of them, from a few kinds that often matter. */
static inline struct text
unit_random_text(char *dst, uint32_t max, const char *often)
{
	uint32_t len = sim_random_below(max + 1);
	uint32_t often_len = (uint32_t)strlen(often);

	for (uint32_t i = 0; i < len; i++) {
		bool any = sim_random_below(3) == 0;

		dst[i] = any ? (char)sim_random_below(256) : often[sim_random_below(often_len)];
	}
	return (struct text){ dst, len };
}

#endif
