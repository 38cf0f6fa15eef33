/* SPDX-License-Identifier: MIT */
/* Hexadecimal digits, read: see hex.h. */
#include "hex.h"

#include <string.h>

bool
hex_read(struct text t, uint8_t *dst, size_t len)
{
	static const char digits[] = "0123456789ABCDEF";

	memset(dst, 0, len);
	if (t.len != 2 * len) {
		return false;
	}
	for (size_t i = 0; i < t.len; i++) {
		const char *digit = memchr(digits, text_upper(t.at[i]), 16);

		if (digit == NULL) {
			return false;
		}
		dst[i / 2] = (uint8_t)(dst[i / 2] << 4 | (digit - digits));
	}
	return true;
}
