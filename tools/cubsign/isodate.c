/* SPDX-License-Identifier: MIT */
/* Dates, read: see isodate.h. */
#include "isodate.h"

#include <string.h>

#include "date.h"

#define LENGTH (sizeof "YYYY-MM-DDTHH:MM:SSZ" - 1)

bool
isodate_read(struct text t, int64_t *time_s)
{
	static const uint8_t digit_at[] = { 0, 1, 2, 3, 5, 6, 8, 9, 11, 12, 14, 15, 17, 18 };
	char again[LENGTH];
	struct out o = OUT(again);
	uint8_t n[sizeof digit_at];
	struct date date;
	int64_t found_s;

	if (t.len != LENGTH) {
		return false;
	}
	for (size_t i = 0; i < sizeof n; i++) {
		n[i] = (uint8_t)((uint8_t)t.at[digit_at[i]] - '0');
		if (n[i] > 9) {
			return false;
		}
	}
	date = (struct date){
		.year = n[0] * 1000 + n[1] * 100 + n[2] * 10 + n[3],
		.month = (uint8_t)(n[4] * 10 + n[5]), .day = (uint8_t)(n[6] * 10 + n[7]),
		.hour = (uint8_t)(n[8] * 10 + n[9]), .minute = (uint8_t)(n[10] * 10 + n[11]),
		.second = (uint8_t)(n[12] * 10 + n[13]),
	};
	if (date.month < 1 || date.month > 12 || date.day < 1) {
		return false;
	}
	/* A date that does not exist becomes another one, and marks in wrong places other ones. */
	found_s = date_time(&date);
	date_put_iso(&o, found_s);
	if (o.cut || o.len != LENGTH || memcmp(t.at, again, LENGTH) != 0) {
		return false;
	}
	*time_s = found_s;
	return true;
}
