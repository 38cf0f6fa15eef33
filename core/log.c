/* SPDX-License-Identifier: MIT */
/* Log lines: see log.h. */
#include "log.h"

#include "addr.h"
#include "x509.h"

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

void
log_end(struct log *l, enum port_log_level level)
{
	port_log(level, l->line, l->out.len);
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
