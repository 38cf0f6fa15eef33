/* SPDX-License-Identifier: MIT */
/*
 * The wall clock of a device that may have none. The floor is the latest date known to be
 * past: that of the build, and any that the stores have seen. A clock below it is wrong.
 */
#ifndef CLOCK_H
#define CLOCK_H

#include <stdbool.h>
#include <stdint.h>

/* A date that lies in the past for sure: the floor never sinks below it. */
void clock_saw(int64_t time_s);

/* Seconds since 1970: the platform's clock, or the floor where that is later. */
int64_t clock_now(void);

/* Is the platform's clock at or above the floor? */
bool clock_is_plausible(void);

#endif
