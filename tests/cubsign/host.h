/* SPDX-License-Identifier: MIT */
/* What the tests of cubsign's parts share. */
#ifndef HOST_H
#define HOST_H

#include "der.h"

#define CLAIM_FAIL fail_msg
#include "tests/claim.h"

#define BYTES(array) ((struct bytes){ (const uint8_t *)(array), sizeof(array) })

#define TEST(name) cmocka_unit_test(name)

#endif
