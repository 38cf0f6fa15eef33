/* SPDX-License-Identifier: MIT */
/* Hexadecimal digits, read; core/text.h writes them. */
#ifndef HEX_H
#define HEX_H

#include "text.h"

/* `len` bytes, of which all of the text is the digits, in either case. False: it is not. */
bool hex_read(struct text t, uint8_t *dst, size_t len);

#endif
