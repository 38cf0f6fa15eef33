/* SPDX-License-Identifier: MIT */
/*
 * The simulated platform's clocks, randomness, secrets, log and panic.
 *
 * With SIM_LOG in the environment, log lines go to stderr as well.
 */
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim.h"

#define LINES 256
#define LINE_LEN 256
#define SECRETS 4
#define SECRET_LEN 512

/* Not 0, and far from the start of everything, so that "0" shows as the mistake it is. */
#define CLOCK_START 1000000

/* 2030-01-01, later than the date of any build for a while. */
#define TIME_START 1893456000

static uint64_t clock_ms;
static uint64_t time_set_ms;
static int64_t  time_set_s;
static int      clock_moves;

static char     lines[LINES][LINE_LEN];
static unsigned line_count;
static unsigned line_count_of[PORT_LOG_DEBUG + 1];

/* Free while `path` is empty. */
static struct secret {
	char    path[CUB_HOST_PATH];
	uint8_t bytes[SECRET_LEN];
	size_t  len;
} secrets[SECRETS];
static int secret_error;

static bool     hook_runs, hook_is_well;
static unsigned hook_count;
static int      hook_error;
static char     hook_words[2048];

static jmp_buf     panic_jump;
static bool        panic_expected;
static const char *panic_text = "";

void
sim_sys_reset(void)
{
	clock_ms = CLOCK_START;
	clock_moves = -1;
	sim_time_set(TIME_START);
	sim_log_clear();
	memset(secrets, 0, sizeof secrets);
	secret_error = CUB_OK;
	hook_runs = false;
	hook_is_well = true;
	hook_count = 0;
	hook_error = CUB_OK;
	hook_words[0] = '\0';
	panic_text = "";
}

int
port_hook_check(const char *program)
{
	SIM_RULE(program[0] == '/', "hook: a relative path");
	return hook_error;
}

int
port_hook_start(const char *program, const char *first, const char *second)
{
	SIM_RULE(!hook_runs, "hook: another one runs");
	SIM_RULE(program[0] == '/', "hook: a relative path");
	if (sim_power_is_off()) {
		return CUB_E_IO;
	}
	if (hook_error != CUB_OK) {
		return hook_error;
	}
	snprintf(hook_words, sizeof hook_words, "%s %s %s", program, first, second);
	hook_runs = true;
	hook_count++;
	return CUB_OK;
}

int
port_hook_end(bool kill)
{
	if (kill) {
		sim_hook_done(false);
	}
	return hook_runs ? CUB_AGAIN : hook_is_well ? CUB_OK : CUB_E_ABORTED;
}

void
sim_hook_done(bool is_well)
{
	hook_runs = false;
	hook_is_well = is_well;
}

bool
sim_hook_runs(void)
{
	return hook_runs;
}

const char *
sim_hook_words(void)
{
	return hook_words;
}

unsigned
sim_hook_count(void)
{
	return hook_count;
}

void
sim_hook_fail(int error)
{
	hook_error = error;
}

uint64_t
port_clock_ms(void)
{
	return clock_ms;
}

void
sim_clock_to(uint64_t ms)
{
	if (ms > clock_ms) {
		clock_ms = ms;
	}
}

void
sim_clock_advance(uint64_t ms)
{
	clock_ms += ms;
}

int
sim_clock_budget(int moves)
{
	int previous = clock_moves;

	clock_moves = moves;
	return previous;
}

void
sim_clock_wait(uint64_t deadline_ms)
{
	if (clock_moves == 0) {
		return;
	}
	if (clock_moves > 0) {
		clock_moves--;
	}
	sim_clock_to(deadline_ms);
}

void
sim_time_set(int64_t seconds)
{
	time_set_s = seconds;
	time_set_ms = clock_ms;
}

int64_t
port_time(void)
{
	return time_set_s + (int64_t)((clock_ms - time_set_ms) / 1000);
}

void
port_random(void *dst, size_t len)
{
	uint8_t *at = dst;

	while (len > 0) {
		uint64_t bits = sim_draw(SIM_PORT);
		size_t n = len < sizeof bits ? len : sizeof bits;

		memcpy(at, &bits, n);
		at += n;
		len -= n;
	}
}

/* The one of a path, or with an empty path one that is free; or null. */
static struct secret *
secret_find(const char *path)
{
	for (unsigned i = 0; i < SECRETS; i++) {
		if (strcmp(secrets[i].path, path) == 0) {
			return &secrets[i];
		}
	}
	return NULL;
}

void
sim_secret_put(const char *path, const void *bytes, size_t len)
{
	struct secret *s = secret_find(path);

	if (s == NULL) {
		s = secret_find("");
	}
	if (s == NULL || path[0] == '\0' || strlen(path) >= sizeof s->path || len > SECRET_LEN) {
		sim_fail("sim_secret_put: no room for %zu bytes at \"%s\"", len, path);
	}
	memcpy(s->path, path, strlen(path) + 1);
	memcpy(s->bytes, bytes, len);
	s->len = len;
}

void
sim_secret_fail(int error)
{
	secret_error = error;
}

int
port_secret(const char *path, uint8_t *dst, size_t cap)
{
	const struct secret *s = path[0] != '\0' ? secret_find(path) : NULL;
	size_t len;

	SIM_RULE(cap > 0, "secret: no room for any");
	if (sim_power_is_off()) {
		return CUB_E_IO;
	}
	if (secret_error != CUB_OK) {
		return secret_error;
	}
	if (s == NULL) {
		return CUB_E_NOENT;
	}
	len = s->len;
	if (len > 0 && s->bytes[len - 1] == '\n') {
		len -= len > 1 && s->bytes[len - 2] == '\r' ? 2 : 1;
	}
	if (len > cap) {
		return CUB_E_LIMIT;
	}
	memcpy(dst, s->bytes, len);
	return len > 0 ? (int)len : CUB_E_BAD;
}

void
port_log(enum port_log_level level, const char *line, size_t len)
{
	char *text = lines[line_count % LINES];
	size_t kept = len < LINE_LEN - 1 ? len : LINE_LEN - 1;

	SIM_RULE(level <= PORT_LOG_DEBUG, "log: no such level");
	for (size_t i = 0; i < len; i++) {
		SIM_RULE((uint8_t)line[i] >= 0x20 && line[i] != 0x7F, "log: a control character");
	}
	memcpy(text, line, kept);
	text[kept] = '\0';
	line_count++;
	line_count_of[level]++;
	if (getenv("SIM_LOG") != NULL) {
		fprintf(stderr, "%d %s\n", (int)level, text);
	}
}

unsigned
sim_log_count(void)
{
	return line_count;
}

unsigned
sim_log_count_of(enum port_log_level level)
{
	return line_count_of[level];
}

const char *
sim_log_line(unsigned back)
{
	if (back >= line_count || back >= LINES) {
		return "";
	}
	return lines[(line_count - 1 - back) % LINES];
}

bool
sim_log_has(const char *part)
{
	for (unsigned back = 0; back < line_count && back < LINES; back++) {
		if (strstr(sim_log_line(back), part) != NULL) {
			return true;
		}
	}
	return false;
}

void
sim_log_clear(void)
{
	line_count = 0;
	memset(line_count_of, 0, sizeof line_count_of);
}

void
port_panic(const char *file, int line)
{
	if (panic_expected) {
		longjmp(panic_jump, 1);
	}
	sim_fail("%s:%d: panic%s%s", file, line, panic_text[0] != '\0' ? ": " : "", panic_text);
}

void
sim_broken(const char *file, int line, const char *text)
{
	panic_text = text;
	port_panic(file, line);
}

bool
sim_expect_panic(void (*what)(void *arg), void *arg)
{
	panic_text = "";
	panic_expected = true;
	if (setjmp(panic_jump) != 0) {
		panic_expected = false;
		return true;
	}
	what(arg);
	panic_expected = false;
	return false;
}

const char *
sim_panic_text(void)
{
	return panic_text;
}
