/* SPDX-License-Identifier: MIT */
/* CRC-32 of IEEE 802.3 (reflected, polynomial 0x04C11DB7), as zlib and gzip have it. */
#ifndef CRC32_H
#define CRC32_H

#include <stddef.h>
#include <stdint.h>

/* The CRC of `len` more bytes, continued from `crc`; begin with 0. */
uint32_t crc32(uint32_t crc, const void *src, size_t len);

#endif
