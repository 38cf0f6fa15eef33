/* SPDX-License-Identifier: MIT */
/*
 * What the tests in C share: cmocka with the includes that it wants, and claims about many values
 * that tell with which one they failed. CLAIM_FAIL is what fails a test, by a text as for
 * printf(): whoever includes this has defined it.
 */
#ifndef CLAIM_H
#define CLAIM_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "text.h"

#define LEN(array) (sizeof (array) / sizeof (array)[0])

/* A claim within a loop; what follows it, as for printf(), says where the loop is. */
#define CLAIM(claim, ...) \
	((claim) ? (void)0 : claim_refute(__FILE__, __LINE__, #claim, __VA_ARGS__))

/* The text of a literal that may hold NULs; the second form is for tables. */
#define TEXT(literal)    ((struct text)TEXT_IN(literal))
#define TEXT_IN(literal) { (literal), sizeof(literal) - 1 }

/* Is what was written to `o` exactly this? */
#define SAYS(o, string) text_same(out_so_far(o), (string))

__attribute__((format(printf, 4, 5))) static inline void
claim_refute(const char *file, int line, const char *claim, const char *format, ...)
{
	char where[256];
	va_list args;

	va_start(args, format);
	vsnprintf(where, sizeof where, format, args);
	va_end(args);
	CLAIM_FAIL("%s:%d: not true that %s, for %s", file, line, claim, where);
}

/* How often to do something; less often where everything is slow (under valgrind). */
static inline uint32_t
claim_rounds(uint32_t rounds)
{
	return getenv("TEST_SHORT") != NULL ? rounds / 20 + 1 : rounds;
}

#endif
