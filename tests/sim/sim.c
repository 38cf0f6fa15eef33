/* SPDX-License-Identifier: MIT */
/*
 * What the parts of the simulated port share: the seed and its streams, the reset, the
 * power, counted faults, handles, and the end of a test that failed.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim.h"

static uint64_t seed_now;
static uint64_t streams[SIM_STREAMS];
static bool power_off;

/* The next handle's number, and the last one of before the latest power cut. */
static int32_t handle_next;
static int32_t handle_gone;

void (*sim_fail_hook)(const char *why);

void
sim_reset(uint64_t seed)
{
	seed_now = seed;
	for (unsigned i = 0; i < SIM_STREAMS; i++) {
		streams[i] = seed + i * UINT64_C(0xD1342543DE82EF95);
	}
	power_off = false;
	handle_next = 1;
	handle_gone = 0;
	sim_sys_reset();
	sim_net_reset();
	sim_file_reset();
	for (unsigned area = 0; area < PORT_AREAS; area++) {
		sim_flash_geometry((enum port_area)area, 2 * CUB_STORE_BANK, 4096, 1);
		sim_flash_lock_elsewhere((enum port_area)area, false);
	}
	sim_flash_cached(false);
	sim_flash_once(false);
	sim_flash_scattered(false);
	sim_flash_reset();
}

uint64_t
sim_seed(void)
{
	return seed_now;
}

uint64_t
sim_seed_or(uint64_t usual)
{
	const char *given = getenv("SEED");

	return given != NULL && given[0] != '\0' ? strtoull(given, NULL, 0) : usual;
}

/* SplitMix64: any state is a good one, which suits seeds that people choose. */
uint64_t
sim_draw(enum sim_stream stream)
{
	uint64_t z = streams[stream] += UINT64_C(0x9E3779B97F4A7C15);

	z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
	return z ^ (z >> 31);
}

uint32_t
sim_draw_below(enum sim_stream stream, uint32_t below)
{
	if (below == 0) {
		sim_fail("sim: a random number below 0 was asked for");
	}
	return (uint32_t)((sim_draw(stream) >> 32) * below >> 32);
}

bool
sim_coin(enum sim_stream stream)
{
	return sim_draw_below(stream, 2) != 0;
}

uint64_t
sim_random(void)
{
	return sim_draw(SIM_TEST);
}

uint32_t
sim_random_below(uint32_t below)
{
	return sim_draw_below(SIM_TEST, below);
}

void
sim_fail(const char *format, ...)
{
	char why[512];
	size_t len;
	va_list args;

	va_start(args, format);
	vsnprintf(why, sizeof why, format, args);
	va_end(args);
	len = strlen(why);
	snprintf(why + len, sizeof why - len, " (SEED=%llu)", (unsigned long long)seed_now);
	if (sim_fail_hook != NULL) {
		sim_fail_hook(why);
	}
	fprintf(stderr, "%s\n", why);
	abort();
}

static void
forget_handles(void)
{
	handle_gone = handle_next - 1;
}

void
sim_power_cut(void)
{
	if (power_off) {
		return;
	}
	power_off = true;
	forget_handles();
	sim_net_power_cut();
	sim_file_power_cut();
	sim_flash_power_cut();
}

void
sim_power_on(void)
{
	if (!power_off) {
		forget_handles();
		sim_net_power_cut();
		sim_file_restart();
		sim_flash_restart();
	}
	sim_file_cut_at(0);
	sim_flash_cut_after(UINT64_MAX);
	power_off = false;
}

bool
sim_power_is_off(void)
{
	return power_off;
}

void
sim_fault_set(struct sim_fault *f, uint64_t n, bool forever, int error)
{
	*f = (struct sim_fault){ .at = n, .forever = forever, .error = error };
}

int
sim_fault_count(struct sim_fault *f)
{
	f->calls++;
	if (f->at == 0 || f->calls < f->at || (f->calls > f->at && !f->forever)) {
		return CUB_OK;
	}
	f->struck = true;
	return f->error;
}

/* From the lowest bit: slot, 8 bits; number, 20 bits; kind, 3 bits. */
int32_t
sim_handle_make(enum sim_kind kind, unsigned slot)
{
	int32_t number = handle_next++;

	if (number >> 20 != 0) {
		sim_fail("sim: a million handles were opened; reset now and then");
	}
	return (int32_t)kind << 28 | number << 8 | (int32_t)slot;
}

unsigned
sim_handle_slot(int32_t handle)
{
	return (unsigned)handle & 0xFF;
}

void
sim_handle_stale(enum sim_kind kind, int32_t handle)
{
	SIM_RULE(handle > 0, "no handle at all");
	SIM_RULE(handle >> 28 == (int32_t)kind, "a handle of another kind");
	SIM_RULE((handle >> 8 & 0xFFFFF) <= handle_gone, "a handle that was closed");
}
