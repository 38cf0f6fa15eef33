/* SPDX-License-Identifier: MIT */
/* What there is to say of things: see report.h. */
#include "report.h"

#include "addr.h"
#include "clock.h"
#include "date.h"

/* Where the values of people's lines begin. */
#define COLUMN 24

struct report
report_start(struct out *o, bool json)
{
	out_string(o, json ? "{" : "");
	return (struct report){ .o = o, .json = json };
}

void
report_end(const struct report *r)
{
	out_string(r->o, r->json ? "}" : "");
}

/* The first line of people's stands out; `mark` stands around the value, in JSON. */
static void
start_field(struct report *r, const char *name, const char *mark)
{
	if (r->json) {
		out_string(r->o, r->is_begun ? ",\"" : "\"");
		out_string(r->o, name);
		out_string(r->o, "\":");
		out_string(r->o, mark);
	} else {
		size_t width = text_of(name).len + (r->is_begun ? 4 : 0);

		out_string(r->o, r->is_begun ? "    " : "");
		out_string(r->o, name);
		do {
			out_char(r->o, ' ');
		} while (++width < COLUMN);
	}
	r->is_begun = true;
}

static void
end_field(const struct report *r, const char *mark)
{
	out_string(r->o, r->json ? mark : "\n");
}

void
report_text(struct report *r, const char *name, const char *value)
{
	if (r->json) {
		start_field(r, name, "\"");
		out_json(r->o, text_of(value));
		end_field(r, "\"");
	} else if (value[0] != '\0') {
		start_field(r, name, "");
		out_string(r->o, value);
		end_field(r, "");
	}
}

void
report_number(struct report *r, const char *name, uint64_t value)
{
	start_field(r, name, "");
	out_number(r->o, value);
	end_field(r, "");
}

void
report_flag(struct report *r, const char *name, bool value)
{
	start_field(r, name, "");
	out_string(r->o, r->json ? value ? "true" : "false" : value ? "yes" : "no");
	end_field(r, "");
}

void
report_hash(struct report *r, const char *name, const uint8_t value[32])
{
	start_field(r, name, "\"");
	x509_put_fingerprint(r->o, value);
	end_field(r, "\"");
}

void
report_address(struct report *r, const char *name, const struct port_addr *value)
{
	start_field(r, name, "\"");
	addr_put_ip(r->o, value);
	end_field(r, "\"");
}

void
report_time(struct report *r, const char *name, int64_t time_s)
{
	start_field(r, name, "\"");
	date_put_iso(r->o, time_s);
	end_field(r, "\"");
}

void
report_pending(struct out *o, const struct pending *p, bool json)
{
	struct report r = report_start(o, json);

	report_hash(&r, "fingerprint", p->cert);
	report_hash(&r, "key", p->key);
	report_text(&r, "subject", p->subject);
	report_text(&r, "issuer", p->issuer);
	report_time(&r, "not_before", p->from_s);
	report_time(&r, "not_after", p->until_s);
	report_address(&r, "address", &p->peer);
	report_text(&r, "account", p->account);
	report_time(&r, "first", p->first_s);
	report_time(&r, "last", p->last_s);
	report_number(&r, "count", p->count);
	report_end(&r);
}

void
report_trusted(struct out *o, const struct trusted *t, bool json)
{
	struct report r = report_start(o, json);

	report_hash(&r, "fingerprint", t->cert);
	if (t->knows_key) {
		report_hash(&r, "key", t->key);
	}
	report_text(&r, "label", t->label);
	report_text(&r, "account", t->account);
	report_flag(&r, "exact", t->is_exact);
	report_flag(&r, "admin", t->is_admin);
	if (t->until_s != TRUST_UNKNOWN) {
		report_time(&r, "not_after", t->until_s);
	}
	report_time(&r, "added", t->added_s);
	report_end(&r);
}

void
report_ca(struct out *o, const struct ca *ca, bool json)
{
	struct report r = report_start(o, json);

	report_hash(&r, "fingerprint", ca->fingerprint);
	report_text(&r, "name", ca->name);
	report_text(&r, "subject", ca->subject);
	report_time(&r, "not_after", ca->until_s);
	report_text(&r, "account", ca->account);
	report_end(&r);
}

/* What the server counts. */
static void
put_counters(struct report *r, const struct service *sv)
{
	const struct cubftpd_status *st = &sv->status;

	report_number(r, "uptime", (sv->now_ms - sv->start_ms) / 1000);
	report_number(r, "sessions", st->sessions);
	report_number(r, "sessions_max", CUB_SESSIONS);
	report_number(r, "transfers", st->transfers);
	report_number(r, "sessions_served", st->sessions_served);
	report_number(r, "sessions_refused", st->sessions_refused);
	report_number(r, "bytes_sent", st->bytes_sent);
	report_number(r, "bytes_received", st->bytes_received);
}

void
report_status(struct out *o, struct service *sv, bool json)
{
	static const char *const levels[] = { "none", "optional", "pinned", "signed" };
	struct report r = report_start(o, json);
	struct x509_cert cert;
	char name[X509_NAME_MAX + 1];

	report_text(&r, "version", CUBFTPD_VERSION);
	report_flag(&r, "running", sv->is_running);
	(void)text_copy(service_device_name(sv), name, sizeof name);
	report_text(&r, "device_name", name);
	if (service_read_own(sv, &cert)) {
		report_hash(&r, "fingerprint", service_identity(sv)->fingerprint);
		report_time(&r, "not_before", cert.from_s);
		report_time(&r, "not_after", cert.until_s);
	}
	report_text(&r, "client_certificate", levels[sv->config.client_certificate]);
	report_text(&r, "trust_store", sv->trust_error == CUB_OK ? "good"
		: sv->trust_error == CUB_E_CORRUPT ? "damaged"
		: sv->trust_error == CUB_E_NOENT ? "missing" : "can't be used");
	report_text(&r, "clock", clock_is_plausible() ? "plausible" : "wrong");
	report_time(&r, "time", clock_now());
	report_number(&r, "accounts", sv->accounts.count);
	report_number(&r, "trusted", sv->trust.count);
	report_number(&r, "pending", sv->pending.count);
	report_number(&r, "cas", sv->cas.count);
	if (sv->is_running) {
		put_counters(&r, sv);
	}
	report_end(&r);
	out_string(o, json ? "\n" : "");
}
