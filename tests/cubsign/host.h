/* SPDX-License-Identifier: MIT */
/*
 * What the tests of cubsign's parts share: cmocka with the includes that it wants, and claims
 * within loops that tell where the loop is.
 */
#ifndef HOST_H
#define HOST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "der.h"

#define LEN(array) (sizeof (array) / sizeof (array)[0])

#define CLAIM(claim, ...) \
	((claim) ? (void)0 : host_refute(__FILE__, __LINE__, #claim, __VA_ARGS__))

/* A literal as a text, and an array as bytes. */
#define TEXT(literal) ((struct text){ (literal), sizeof(literal) - 1 })
#define BYTES(array)  ((struct bytes){ (const uint8_t *)(array), sizeof(array) })

/* Is what was written to `o` exactly this? */
#define SAYS(o, string) text_same(out_so_far(o), (string))

#define TEST(name) cmocka_unit_test(name)

__attribute__((format(printf, 4, 5))) static inline void
host_refute(const char *file, int line, const char *claim, const char *format, ...)
{
	char where[256];
	va_list args;

	va_start(args, format);
	vsnprintf(where, sizeof where, format, args);
	va_end(args);
	fail_msg("%s:%d: not true that %s, for %s", file, line, claim, where);
}

/* How often to do something; less often where everything is slow (under valgrind). */
static inline uint32_t
host_rounds(uint32_t rounds)
{
	return getenv("TEST_SHORT") != NULL ? rounds / 20 + 1 : rounds;
}

#endif
