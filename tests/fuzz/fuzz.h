/* SPDX-License-Identifier: MIT */
/*
 * What libFuzzer calls, in its words: fuzz_der.c and fuzz_session.c have one each. Inputs that
 * are longer than FUZZ_MAX are left out.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>

#define FUZZ_MAX 16384

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
