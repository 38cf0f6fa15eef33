/* SPDX-License-Identifier: MIT */
/*
 * What the unit tests share: cmocka with the includes that it wants, a fresh simulated
 * port for each test, and claims about many values that tell with which one they failed.
 */
#ifndef UNIT_H
#define UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sim.h"
#include "text.h"

#define LEN(array) (sizeof (array) / sizeof (array)[0])

/* A claim within a loop; what follows it, as for printf(), says where the loop is. */
#define CLAIM(claim, ...) \
	((claim) ? (void)0 : unit_refute(__FILE__, __LINE__, #claim, __VA_ARGS__))

/* The text of a literal that may hold NULs; the second form is for tables. */
#define TEXT(literal)    ((struct text)TEXT_IN(literal))
#define TEXT_IN(literal) { (literal), sizeof(literal) - 1 }

/* Is what was written to `o` exactly this? */
#define SAYS(o, string) text_same(out_so_far(o), (string))

__attribute__((noreturn, format(printf, 4, 5))) static inline void
unit_refute(const char *file, int line, const char *claim, const char *format, ...)
{
	char where[160];
	va_list args;

	va_start(args, format);
	vsnprintf(where, sizeof where, format, args);
	va_end(args);
	sim_fail("%s:%d: not true that %s, for %s", file, line, claim, where);
}

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

/* How often to do something; less often where everything is slow (under valgrind). */
static inline uint32_t
unit_rounds(uint32_t rounds)
{
	return getenv("TEST_SHORT") != NULL ? rounds / 20 + 1 : rounds;
}

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
