/* SPDX-License-Identifier: MIT */
/* Log lines: see log.h. */
#include "log.h"

#include <string.h>

#include "addr.h"
#include "clock.h"
#include "date.h"
#include "x509.h"

/* Where its name stands in each line. */
#define EVENT_AT (sizeof "event=" - 1)

_Static_assert(CONFIG_CUBFTPD_LOG_RING >= LOG_RING_LINE, "the ring must hold the longest line");

/* Lines move up when the oldest ones go: that happens once a line, and needs no wrapping. */
static struct {
	char     bytes[CONFIG_CUBFTPD_LOG_RING];
	size_t   len;
	uint64_t gone;  /* bytes that stood before them */
} ring;

void
log_start(struct log *l, const char *event)
{
	l->out = OUT(l->line);
	out_string(&l->out, "event=");
	out_string(&l->out, event);
}

static void
put_key(struct log *l, const char *key)
{
	out_char(&l->out, ' ');
	out_string(&l->out, key);
	out_char(&l->out, '=');
}

void
log_text(struct log *l, const char *key, struct text value)
{
	put_key(l, key);
	out_escaped(&l->out, value);
}

void
log_string(struct log *l, const char *key, const char *value)
{
	log_text(l, key, text_of(value));
}

void
log_number(struct log *l, const char *key, uint64_t value)
{
	put_key(l, key);
	out_number(&l->out, value);
}

void
log_addr(struct log *l, const char *key, const struct port_addr *addr)
{
	put_key(l, key);
	addr_put(&l->out, addr);
}

void
log_fingerprint(struct log *l, const char *key, const uint8_t fingerprint[32])
{
	put_key(l, key);
	x509_put_fingerprint(&l->out, fingerprint);
}

static void
ring_put(const struct log *l, enum port_log_level level)
{
	static const char *const words[] = { " error ", " warning ", " info " };
	char digits[14];
	struct out date = OUT(digits);
	struct out line = { .at = ring.bytes, .cap = sizeof ring.bytes };
	size_t len = 16 + strlen(words[level]) + l->out.len + 1;
	size_t drop = 0;

	while (ring.len - drop + len > sizeof ring.bytes) {
		drop = (size_t)((char *)memchr(ring.bytes + drop, '\n', ring.len - drop) + 1 - ring.bytes);
	}
	ring.gone += drop;
	ring.len -= drop;
	memmove(ring.bytes, ring.bytes + drop, ring.len);

	line.len = ring.len;
	date_put(&date, clock_now());
	out_put(&line, digits, 8);
	out_char(&line, 'T');
	out_put(&line, digits + 8, 6);
	out_char(&line, 'Z');
	out_string(&line, words[level]);
	out_text(&line, out_so_far(&l->out));
	out_char(&line, '\n');
	ring.len = line.len;
}

void
log_end(struct log *l, enum port_log_level level)
{
	port_log(level, l->line, l->out.len);
	if (level <= PORT_LOG_INFO) {
		ring_put(l, level);
	}
}

#if CONFIG_CUBFTPD_SYSLOG
void
cubftpd_put_syslog(struct out *o, enum port_log_level level, const char *host,
	uint32_t process, const char *line, size_t len)
{
	struct text rest = { line + EVENT_AT, len - EVENT_AT };
	unsigned severity = 3u + level + level / 2;  /* 3, 4, 6, 7 */

	out_char(o, '<');
	out_number(o, 11 * 8 + severity);
	out_string(o, ">1 ");
	date_put_iso(o, clock_now());
	out_char(o, ' ');
	out_escaped(o, text_of(host[0] != '\0' ? host : "-"));
	out_string(o, " cubftpd ");
	out_number(o, process);
	out_char(o, ' ');
	out_text(o, text_cut(&rest, ' '));
	out_string(o, " - ");
	out_put(o, line, len);
}
#endif

uint64_t
log_ring_start(void)
{
	return ring.gone;
}

uint64_t
log_ring_end(void)
{
	return ring.gone + ring.len;
}

size_t
log_ring_read(uint64_t *from, char *dst, size_t cap)
{
	size_t at, len, whole;

	if (*from < ring.gone) {
		*from = ring.gone;
	}
	if (*from >= log_ring_end()) {
		return 0;
	}
	at = (size_t)(*from - ring.gone);
	len = ring.len - at < cap ? ring.len - at : cap;
	for (whole = len; whole > 0 && ring.bytes[at + whole - 1] != '\n';) {
		whole--;
	}
	len = whole > 0 ? whole : len;
	memcpy(dst, ring.bytes + at, len);
	*from += len;
	return len;
}

const char *
log_error_name(int err)
{
	static const char *const names[] = {
		[-CUB_OK] = "ok", [-CUB_AGAIN] = "again", [-CUB_EOF] = "ended",
		[-CUB_E_IO] = "lost", [-CUB_E_NOENT] = "missing", [-CUB_E_EXIST] = "exists",
		[-CUB_E_DENIED] = "denied", [-CUB_E_ISDIR] = "directory",
		[-CUB_E_NOTDIR] = "not-directory", [-CUB_E_NOTEMPTY] = "not-empty",
		[-CUB_E_FULL] = "full", [-CUB_E_NAME] = "name", [-CUB_E_LIMIT] = "limit",
		[-CUB_E_BUSY] = "busy", [-CUB_E_CORRUPT] = "damaged", [-CUB_E_PEER] = "protocol",
		[-CUB_E_TLS] = "tls", [-CUB_E_REUSE] = "not-resumed", [-CUB_E_TIMEOUT] = "timeout",
		[-CUB_E_ABORTED] = "aborted", [-CUB_E_BAD] = "bad", [-CUB_E_MEDIUM] = "medium",
	};

	return names[-err];
}
