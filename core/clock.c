/* SPDX-License-Identifier: MIT */
/* The clock and its floor: see clock.h. CUB_BUILD_EPOCH comes from the Makefile. */
#include "clock.h"

#include "cubftpd_port.h"

static int64_t floor_s = CUB_BUILD_EPOCH;

void
clock_saw(int64_t time_s)
{
	if (time_s > floor_s) {
		floor_s = time_s;
	}
}

int64_t
clock_now(void)
{
	int64_t now_s = port_time();

	return now_s > floor_s ? now_s : floor_s;
}

bool
clock_is_plausible(void)
{
	return port_time() >= floor_s;
}
