/* SPDX-License-Identifier: MIT */
#include "hex.h"
#include "host.h"

static void
digits_of_either_case_are_read(void **state)
{
	static const uint8_t expected[] = { 0x00, 0x9A, 0xBC, 0xDE, 0xF1, 0xFF };
	uint8_t bytes[sizeof expected];

	(void)state;
	assert_true(hex_read(TEXT("009abcDEF1fF"), bytes, sizeof bytes));
	assert_memory_equal(bytes, expected, sizeof bytes);
	assert_true(hex_read(TEXT(""), bytes, 0));
}

static void
anything_else_is_refused(void **state)
{
	uint8_t bytes[2];

	(void)state;
	for (int c = 0; c < 256; c++) {
		char digits[] = "0000";
		bool is_digit = c != 0 && strchr("0123456789abcdefABCDEF", c) != NULL;

		for (size_t i = 0; i < 4; i++) {
			digits[i] = (char)c;
			CLAIM(hex_read(TEXT(digits), bytes, 2) == is_digit, "%d at %zu", c, i);
			digits[i] = '0';
		}
	}
	assert_false(hex_read(TEXT("000"), bytes, 2));
	assert_false(hex_read(TEXT("00000"), bytes, 2));
	assert_false(hex_read(TEXT("0000"), bytes, 1));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(digits_of_either_case_are_read),
		TEST(anything_else_is_refused),
	};

	return cmocka_run_group_tests_name("hex", tests, NULL, NULL);
}
