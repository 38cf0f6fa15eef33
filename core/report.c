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

enum report_type {
	AS_TEXT,
	AS_RIGHTS,
	AS_FLAG,
	AS_COUNT_8,
	AS_COUNT_32,
	AS_COUNT_64,
	AS_HASH,
	AS_KEY,      /* of a trusted certificate: where it is known */
	AS_TIME,     /* but for TRUST_UNKNOWN */
	AS_ADDRESS,
};

#define FIELD(name, type, field, as) { (name), offsetof(struct type, field), (as) }
#define COUNT(array)                 (sizeof(array) / sizeof(array)[0])
#define KIND(type, fields)           { sizeof(struct type), COUNT(fields), (fields) }

static const struct report_field account_fields[] = {
	FIELD("name", account, name, AS_TEXT),
	FIELD("rights", account, rights, AS_RIGHTS),
	FIELD("root", account, root, AS_TEXT),
	FIELD("admin", account, is_admin, AS_FLAG),
	FIELD("password", account, has_password, AS_FLAG),
};

static const struct report_field ca_fields[] = {
	FIELD("fingerprint", ca, fingerprint, AS_HASH),
	FIELD("name", ca, name, AS_TEXT),
	FIELD("subject", ca, subject, AS_TEXT),
	FIELD("not_after", ca, until_s, AS_TIME),
	FIELD("account", ca, account, AS_TEXT),
};

static const struct report_field pending_fields[] = {
	FIELD("fingerprint", pending, cert, AS_HASH),
	FIELD("key", pending, key, AS_HASH),
	FIELD("subject", pending, subject, AS_TEXT),
	FIELD("issuer", pending, issuer, AS_TEXT),
	FIELD("not_before", pending, from_s, AS_TIME),
	FIELD("not_after", pending, until_s, AS_TIME),
	FIELD("address", pending, peer, AS_ADDRESS),
	FIELD("account", pending, account, AS_TEXT),
	FIELD("first", pending, first_s, AS_TIME),
	FIELD("last", pending, last_s, AS_TIME),
	FIELD("count", pending, count, AS_COUNT_32),
};

static const struct report_field trusted_fields[] = {
	FIELD("fingerprint", trusted, cert, AS_HASH),
	FIELD("key", trusted, key, AS_KEY),
	FIELD("label", trusted, label, AS_TEXT),
	FIELD("account", trusted, account, AS_TEXT),
	FIELD("exact", trusted, is_exact, AS_FLAG),
	FIELD("admin", trusted, is_admin, AS_FLAG),
	FIELD("not_after", trusted, until_s, AS_TIME),
	FIELD("added", trusted, added_s, AS_TIME),
};

/* What the service holds, and what the server counts. */
static const struct report_field held_fields[] = {
	FIELD("accounts", service, accounts.count, AS_COUNT_8),
	FIELD("trusted", service, trust.count, AS_COUNT_8),
	FIELD("pending", service, pending.count, AS_COUNT_8),
	FIELD("cas", service, cas.count, AS_COUNT_8),
};

static const struct report_field counter_fields[] = {
	FIELD("transfers", service, status.transfers, AS_COUNT_32),
	FIELD("sessions_served", service, status.sessions_served, AS_COUNT_64),
	FIELD("sessions_refused", service, status.sessions_refused, AS_COUNT_64),
	FIELD("bytes_sent", service, status.bytes_sent, AS_COUNT_64),
	FIELD("bytes_received", service, status.bytes_received, AS_COUNT_64),
};

const struct report_kind report_account = KIND(account, account_fields);
const struct report_kind report_ca = KIND(ca, ca_fields);
const struct report_kind report_pending = KIND(pending, pending_fields);
const struct report_kind report_trusted = KIND(trusted, trusted_fields);

static void
put_field(struct report *r, const struct report_field *f, const void *thing)
{
	const void *at = (const uint8_t *)thing + f->offset;
	const char *name = f->name;
	char letters[5];
	struct out rights = OUT(letters);

	switch (f->type) {
	case AS_TEXT:
		report_text(r, name, at);
		break;
	case AS_RIGHTS:
		account_put_rights(&rights, *(const uint8_t *)at);
		report_text(r, name, out_finish(&rights));
		break;
	case AS_FLAG:
		report_flag(r, name, *(const bool *)at);
		break;
	case AS_COUNT_8:
		report_number(r, name, *(const uint8_t *)at);
		break;
	case AS_COUNT_32:
		report_number(r, name, *(const uint32_t *)at);
		break;
	case AS_COUNT_64:
		report_number(r, name, *(const uint64_t *)at);
		break;
	case AS_HASH:
		report_hash(r, name, at);
		break;
	case AS_KEY:
		if (((const struct trusted *)thing)->knows_key) {
			report_hash(r, name, at);
		}
		break;
	case AS_TIME:
		if (*(const int64_t *)at != TRUST_UNKNOWN) {
			report_time(r, name, *(const int64_t *)at);
		}
		break;
	default:
		report_address(r, name, at);
	}
}

static void
put_fields(struct report *r, const struct report_field *fields, size_t count, const void *thing)
{
	for (size_t i = 0; i < count; i++) {
		put_field(r, &fields[i], thing);
	}
}

void
report_put(struct out *o, const struct report_kind *kind, const void *thing, bool json)
{
	struct report r = report_start(o, json);

	put_fields(&r, kind->fields, kind->count, thing);
	report_end(&r);
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
	put_fields(&r, held_fields, COUNT(held_fields), sv);
	if (sv->is_running) {
		report_number(&r, "uptime", (sv->now_ms - sv->start_ms) / 1000);
		report_number(&r, "sessions", sv->status.sessions);
		report_number(&r, "sessions_max", CUB_SESSIONS);
		put_fields(&r, counter_fields, COUNT(counter_fields), sv);
	}
	report_end(&r);
	out_string(o, json ? "\n" : "");
}
