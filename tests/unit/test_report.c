/* SPDX-License-Identifier: MIT */
/*
 * What is told of things: word for word, to people and to programs; JSON that stays JSON
 * whatever the names hold; and the same text whether it is made at once or in windows.
 */
#include "unit.h"

#include "report.h"

#include "tests/data/keys.h"

/* 2030-01-01 */
#define NOW INT64_C(1893456000)

#define STRING(x)  STRING_(x)
#define STRING_(x) #x

static struct service sv;
static char whole[8192], part[8192];

static const struct port_addr peer = { .family = 4, .ip = { 192, 0, 2, 7 } };

static struct pending
a_pending(void)
{
	return (struct pending){
		.cert = { 0xAB }, .key = { 0xCD }, .subject = "CN=Technician 7, O=Acme",
		.issuer = "CN=Acme", .account = "anna", .from_s = 0, .until_s = NOW, .peer = peer,
		.first_s = NOW, .last_s = NOW + 59, .count = 3,
	};
}

static struct trusted
a_trusted(void)
{
	return (struct trusted){
		.cert = { 0xAB }, .key = { 0xCD }, .account = "anna", .label = "tech", .is_admin = true,
		.knows_key = true, .until_s = NOW, .added_s = NOW,
	};
}

static struct ca
a_ca(void)
{
	return (struct ca){
		.name = "Acme", .account = "anna", .fingerprint = { 0xAB }, .until_s = NOW,
		.subject = "CN=Acme",
	};
}

#define ZEROS "00000000000000000000000000000000000000000000000000000000000000"
#define CERT  "sha256:ab" ZEROS
#define KEY   "sha256:cd" ZEROS

static const char *
text_of_pending(const struct pending *p, bool json)
{
	struct out o = OUT(whole);

	report_put(&o, &report_pending, p, json);
	assert_false(o.cut);
	return out_finish(&o);
}

static const char *
text_of_trusted(const struct trusted *t, bool json)
{
	struct out o = OUT(whole);

	report_put(&o, &report_trusted, t, json);
	assert_false(o.cut);
	return out_finish(&o);
}

static const char *
text_of_ca(const struct ca *ca, bool json)
{
	struct out o = OUT(whole);

	report_put(&o, &report_ca, ca, json);
	assert_false(o.cut);
	return out_finish(&o);
}

static const char *
text_of_status(bool json)
{
	struct out o = OUT(whole);

	report_status(&o, &sv, json);
	assert_false(o.cut);
	return out_finish(&o);
}

static void
people_read_a_line_for_each_field(void **state)
{
	struct pending p = a_pending();
	struct trusted t = a_trusted();
	struct ca ca = a_ca();

	(void)state;
	assert_string_equal(text_of_pending(&p, false),
		"fingerprint             " CERT "\n"
		"    key                 " KEY "\n"
		"    subject             CN=Technician 7, O=Acme\n"
		"    issuer              CN=Acme\n"
		"    not_before          1970-01-01T00:00:00Z\n"
		"    not_after           2030-01-01T00:00:00Z\n"
		"    address             192.0.2.7\n"
		"    account             anna\n"
		"    first               2030-01-01T00:00:00Z\n"
		"    last                2030-01-01T00:00:59Z\n"
		"    count               3\n");
	assert_string_equal(text_of_trusted(&t, false),
		"fingerprint             " CERT "\n"
		"    key                 " KEY "\n"
		"    label               tech\n"
		"    account             anna\n"
		"    exact               no\n"
		"    admin               yes\n"
		"    not_after           2030-01-01T00:00:00Z\n"
		"    added               2030-01-01T00:00:00Z\n");
	assert_string_equal(text_of_ca(&ca, false),
		"fingerprint             " CERT "\n"
		"    name                Acme\n"
		"    subject             CN=Acme\n"
		"    not_after           2030-01-01T00:00:00Z\n"
		"    account             anna\n");
}

static void
programs_read_the_same_as_json(void **state)
{
	struct pending p = a_pending();
	struct trusted t = a_trusted();
	struct ca ca = a_ca();

	(void)state;
	assert_string_equal(text_of_pending(&p, true), "{\"fingerprint\":\"" CERT "\",\"key\":\"" KEY
		"\",\"subject\":\"CN=Technician 7, O=Acme\",\"issuer\":\"CN=Acme\","
		"\"not_before\":\"1970-01-01T00:00:00Z\",\"not_after\":\"2030-01-01T00:00:00Z\","
		"\"address\":\"192.0.2.7\",\"account\":\"anna\",\"first\":\"2030-01-01T00:00:00Z\","
		"\"last\":\"2030-01-01T00:00:59Z\",\"count\":3}");
	assert_string_equal(text_of_trusted(&t, true), "{\"fingerprint\":\"" CERT "\",\"key\":\"" KEY
		"\",\"label\":\"tech\",\"account\":\"anna\",\"exact\":false,\"admin\":true,"
		"\"not_after\":\"2030-01-01T00:00:00Z\",\"added\":\"2030-01-01T00:00:00Z\"}");
	assert_string_equal(text_of_ca(&ca, true), "{\"fingerprint\":\"" CERT "\",\"name\":\"Acme\","
		"\"subject\":\"CN=Acme\",\"not_after\":\"2030-01-01T00:00:00Z\",\"account\":\"anna\"}");
}

/* Trusted by its fingerprint alone, before it ever came. */
static void
what_is_not_known_is_left_out(void **state)
{
	struct trusted t = a_trusted();
	struct ca ca = a_ca();
	struct pending p = a_pending();

	(void)state;
	t.knows_key = false;
	t.is_exact = true;
	t.until_s = TRUST_UNKNOWN;
	ca.account[0] = p.account[0] = '\0';
	assert_string_equal(text_of_trusted(&t, true), "{\"fingerprint\":\"" CERT "\","
		"\"label\":\"tech\",\"account\":\"anna\",\"exact\":true,\"admin\":true,"
		"\"added\":\"2030-01-01T00:00:00Z\"}");
	assert_null(strstr(text_of_ca(&ca, false), "account"));
	assert_null(strstr(text_of_pending(&p, false), "account"));
}

/* ---- JSON that stays JSON ---- */

static const char *skip_value(const char *at);

static const char *
skip_string(const char *at)
{
	if (*at++ != '"') {
		return NULL;
	}
	while (*at != '"') {
		if ((unsigned char)*at < ' ') {
			return NULL;
		}
		if (*at == '\\') {
			size_t digits = at[1] == 'u' ? strspn(at + 2, "0123456789abcdefABCDEF") : 4;

			if (strchr("\"\\/bfnrtu", at[1]) == NULL || digits < 4) {
				return NULL;
			}
			at++;
		}
		at++;
	}
	return at + 1;
}

static const char *
skip_object(const char *at)
{
	do {
		at = skip_string(at + 1);
		at = at != NULL && *at == ':' ? skip_value(at + 1) : NULL;
	} while (at != NULL && *at == ',');
	return at != NULL && *at == '}' ? at + 1 : NULL;
}

/* What follows a value of JSON; null where it is none. */
static const char *
skip_value(const char *at)
{
	static const char *const words[] = { "true", "false" };

	for (size_t i = 0; i < LEN(words); i++) {
		if (strncmp(at, words[i], strlen(words[i])) == 0) {
			return at + strlen(words[i]);
		}
	}
	return *at == '{' ? skip_object(at) : *at == '"' ? skip_string(at)
		: strspn(at, "0123456789") > 0 ? at + strspn(at, "0123456789") : NULL;
}

static bool
is_json(const char *text)
{
	const char *end = skip_value(text);

	return end != NULL && (*end == '\0' || strcmp(end, "\n") == 0);
}

static void
json_stays_json_whatever_the_names_hold(void **state)
{
	static const char *const names[] = {
		"\"", "\\", "a\"b", "a\\", "\\\"", "\x01\x1F", "\r\n", "\"}\n{\"admin\":true,\"x\":\"",
		"Grüße \xE2\x82\xAC", "", "\\u0041", "a\tb",
	};

	(void)state;
	assert_true(is_json("{\"a\":\"b\",\"c\":1}") && !is_json("{\"a\":\"b\"c\"}"));
	for (size_t i = 0; i < LEN(names); i++) {
		struct pending p = a_pending();
		struct trusted t = a_trusted();
		struct ca ca = a_ca();

		snprintf(p.subject, sizeof p.subject, "%s", names[i]);
		snprintf(p.issuer, sizeof p.issuer, "%s", names[i]);
		snprintf(t.label, sizeof t.label, "%s", names[i]);
		snprintf(ca.name, sizeof ca.name, "%s", names[i]);
		snprintf(ca.subject, sizeof ca.subject, "%s", names[i]);
		snprintf(sv.config.device_name, sizeof sv.config.device_name, "%s", names[i]);
		CLAIM(is_json(text_of_pending(&p, true)), "%s", whole);
		CLAIM(is_json(text_of_trusted(&t, true)), "%s", whole);
		CLAIM(is_json(text_of_ca(&ca, true)), "%s", whole);
		CLAIM(is_json(text_of_status(true)), "%s", whole);
		CLAIM(strstr(text_of_trusted(&t, true), "\"admin\":true,\"x\"") == NULL, "%s", whole);
	}
}

/* ---- Status ---- */

static int
setup(void **state)
{
	unit_setup(state);
	memset(&sv, 0, sizeof sv);
	cubftpd_config_default(&sv.config);
	return 0;
}

static void
the_status_tells_what_the_server_is_and_does(void **state)
{
	(void)state;
	sv.is_running = true;
	sv.start_ms = 1000;
	sv.now_ms = 61999;
	sv.accounts.count = 2;
	sv.pending.count = 1;
	sv.status.sessions_served = 7;
	sv.config.client_certificate = CLIENT_PINNED;
	assert_string_equal(text_of_status(true), "{\"version\":\"" CUBFTPD_VERSION "\","
		"\"running\":true,\"device_name\":\"cubftpd\",\"client_certificate\":\"pinned\","
		"\"trust_store\":\"good\",\"clock\":\"plausible\",\"time\":\"2030-01-01T00:00:00Z\","
		"\"accounts\":2,\"trusted\":0,\"pending\":1,\"cas\":0,\"uptime\":60,\"sessions\":0,"
		"\"sessions_max\":" STRING(CONFIG_CUBFTPD_SESSIONS) ",\"transfers\":0,"
		"\"sessions_served\":7,\"sessions_refused\":0,"
		"\"bytes_sent\":0,\"bytes_received\":0}\n");
	sv.is_running = false;
	assert_null(strstr(text_of_status(true), "uptime"));
	sv.trust_error = CUB_E_CORRUPT;
	assert_non_null(strstr(text_of_status(true), "\"trust_store\":\"damaged\""));
	sv.trust_error = CUB_E_IO;
	assert_non_null(strstr(text_of_status(true), "\"trust_store\":\"can't be used\""));
	sim_time_set(0);
	assert_non_null(strstr(text_of_status(true), "\"clock\":\"wrong\""));
	assert_non_null(strstr(text_of_status(false), "    clock               wrong\n"));
}

/* device.json has room for 1023 bytes, and must never be cut. */
static void
the_longest_status_fits_where_it_goes(void **state)
{
	(void)state;
	sv.identity[0].chain[0] = (br_x509_certificate){
		.data = (unsigned char *)(uintptr_t)cert_leaf, .data_len = sizeof cert_leaf,
	};
	sv.identity[0].chain_count = 1;
	sv.is_running = true;
	sv.now_ms = UINT64_MAX;
	sv.trust_error = CUB_E_IO;
	memset(&sv.status, 0xFF, sizeof sv.status);
	sv.accounts.count = sv.trust.count = sv.pending.count = sv.cas.count = UINT8_MAX;
	sv.config.client_certificate = CLIENT_OPTIONAL;
	assert_true(is_json(text_of_status(true)));
	/* The name in a certificate has up to 64 bytes, each of which may need an escape. */
	assert_in_range(strlen(whole) + 2 * X509_NAME_MAX, 700, 1000);
	assert_non_null(strstr(whole, "\"not_after\":\"2035-01-01T00:00:00Z\""));
}

/* ---- Windows ---- */

/* The same again, in pieces of `cap` bytes. */
static void
join(size_t cap, bool json)
{
	struct pending p = a_pending();
	size_t total = 0;
	struct out o;

	memset(p.subject, '"', sizeof p.subject - 1);
	for (unsigned n = 0; n < 1000; n++) {
		o = (struct out){ .at = part + total, .cap = cap, .skip = total };
		report_put(&o, &report_pending, &p, json);
		report_status(&o, &sv, json);
		total += o.len;
		if (!o.cut) {
			break;
		}
	}
	o = OUT(whole);
	report_put(&o, &report_pending, &p, json);
	report_status(&o, &sv, json);
	CLAIM(!o.cut && o.len == total && memcmp(whole, part, total) == 0, "windows of %zu", cap);
}

static void
windows_join_to_the_whole(void **state)
{
	(void)state;
	sv.is_running = true;
	for (size_t cap = 128; cap < 2000; cap++) {
		join(cap, false);
		join(cap, true);
	}
}

#undef TEST
#define TEST(name) cmocka_unit_test_setup(name, setup)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(people_read_a_line_for_each_field),
		TEST(programs_read_the_same_as_json),
		TEST(what_is_not_known_is_left_out),
		TEST(json_stays_json_whatever_the_names_hold),
		TEST(the_status_tells_what_the_server_is_and_does),
		TEST(the_longest_status_fits_where_it_goes),
		TEST(windows_join_to_the_whole),
	};

	return cmocka_run_group_tests_name("report", tests, NULL, NULL);
}
