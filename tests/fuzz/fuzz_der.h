/* SPDX-License-Identifier: MIT */
/* The one entry of fuzz_der.c, in libFuzzer's words. Longer inputs than FUZZ_MAX are left out. */
#ifndef FUZZ_DER_H
#define FUZZ_DER_H

#include <stddef.h>
#include <stdint.h>

#define FUZZ_MAX 16384

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
