/* SPDX-License-Identifier: MIT */
/*
 * The configuration: each key takes good values into its field, refuses bad ones with a
 * message that says what it wants, and changes nothing then.
 */
#include "unit.h"

#include "config.h"

static struct cubftpd_config config;
static char why_bytes[256];
static struct out why;

static int
setup(void **state)
{
	unit_setup(state);
	memset(&config, 0x5A, sizeof config);
	cubftpd_config_default(&config);
	return 0;
}

/* Setting a key; `why` says what came of it. A failure must change nothing and say one line. */
static int
set(const char *key, const char *value)
{
	struct cubftpd_config before = config;
	int err;

	why = OUT(why_bytes);
	err = cubftpd_config_set(&config, key, strlen(key), value, strlen(value), &why);
	CLAIM(err == CUB_OK || err == CUB_E_BAD, "%s = %s", key, value);
	CLAIM((err == CUB_OK) == (why.len == 0), "%s = %s: a message goes with a failure", key, value);
	CLAIM(err == CUB_OK || memcmp(&config, &before, sizeof config) == 0, "%s = %s", key, value);
	CLAIM(!why.cut && text_is_printable(out_so_far(&why)), "%s = %s", key, value);
	out_finish(&why);
	return err;
}

static int
line(const char *text)
{
	struct cubftpd_config before = config;
	int err;

	why = OUT(why_bytes);
	err = cubftpd_config_line(&config, text, strlen(text), &why);
	CLAIM((err == CUB_OK) == (why.len == 0), "%s", text);
	CLAIM(err == CUB_OK || memcmp(&config, &before, sizeof config) == 0, "%s", text);
	out_finish(&why);
	return err;
}

static void
the_defaults_are_those_of_the_documentation(void **state)
{
	(void)state;
	assert_int_equal(config.listen_count, 1);
	assert_int_equal(config.listen[0].addr.family, CONFIG_CUBFTPD_IPV6 ? 6 : 4);
	assert_int_equal(config.listen[0].addr.tcp_port, 21);
	assert_false(config.listen[0].implicit);
	assert_string_equal(config.root, "/srv/ftp");
	assert_string_equal(config.identity_store, "/var/lib/cubftpd/identity");
	assert_string_equal(config.trust_store, "/var/lib/cubftpd/trust");
	assert_string_equal(config.device_name, "");
	assert_string_equal(config.user, "");
	assert_string_equal(config.greeting, "cubftpd ready");
	assert_string_equal(config.control_socket, "");
	assert_string_equal(config.key_secret, "");
	assert_int_equal(config.client_certificate, CLIENT_NONE);
	assert_int_equal(config.signed_trust, SIGNED_ASK);
	assert_int_equal(config.password, PASSWORD_OPTIONAL);
	assert_int_equal(config.data_reuse, REUSE_REQUIRE);
	assert_int_equal(config.passive_low, 50000);
	assert_int_equal(config.passive_high, 50015);
	assert_int_equal(config.login_timeout, 30);
	assert_int_equal(config.idle_timeout, 300);
	assert_int_equal(config.data_timeout, 60);
	assert_int_equal(config.log_level, PORT_LOG_INFO);
	why = OUT(why_bytes);
	assert_int_equal(cubftpd_config_check(&config, &why), CUB_OK);
	assert_int_equal(why.len, 0);
}

/* A text key: what it takes, how long it may be, and what it wants otherwise. */
static void
try_text(const char *key, const char *field, size_t size, bool is_path)
{
	char value[CUB_HOST_PATH + 8];

	memset(value, 'x', sizeof value);
	value[0] = is_path ? '/' : 'x';
	value[size - 1] = '\0';
	CLAIM(set(key, value) == CUB_OK && strcmp(field, value) == 0, "%s", key);
	value[size - 1] = 'x';
	value[size] = '\0';
	CLAIM(set(key, value) == CUB_E_BAD && strstr(why_bytes, ": want ") != NULL, "%s", key);
	CLAIM(strncmp(why_bytes, key, strlen(key)) == 0, "%s: the message names it", key);
	CLAIM(set(key, "") == CUB_E_BAD, "%s", key);
	CLAIM(set(key, is_path ? "/a\x1B" : "a\x1B") == CUB_E_BAD, "%s: a control", key);
	CLAIM(set(key, is_path ? "/\xE4" : "\xE4") == CUB_E_BAD, "%s: not UTF-8", key);
	CLAIM(!is_path || set(key, "relative/path") == CUB_E_BAD, "%s", key);
	CLAIM(set(key, is_path ? "/\xC3\xA4 b" : "\xC3\xA4 b") == CUB_OK, "%s", key);
}

static void
text_keys_take_text_that_fits(void **state)
{
	(void)state;
	try_text("root", config.root, sizeof config.root, true);
	try_text("identity_store", config.identity_store, sizeof config.identity_store, true);
	try_text("trust_store", config.trust_store, sizeof config.trust_store, true);
	try_text("key_secret", config.key_secret, sizeof config.key_secret, true);
	try_text("device_name", config.device_name, 65, false);
	try_text("user", config.user, 33, false);
	try_text("greeting", config.greeting, 81, false);
}

static void
try_seconds(const char *key, const uint32_t *field)
{
	static const char *const bad[] = {
		"", "0", "00", "86401", "-1", "1.5", "5m", "0x10", "4294967297", "18446744073709551617",
	};

	assert_int_equal(set(key, "1"), CUB_OK);
	assert_int_equal(*field, 1);
	assert_int_equal(set(key, "86400"), CUB_OK);
	assert_int_equal(*field, 86400);
	for (size_t i = 0; i < LEN(bad); i++) {
		CLAIM(set(key, bad[i]) == CUB_E_BAD, "%s = %s", key, bad[i]);
		CLAIM(strstr(why_bytes, "seconds, from 1 to 86400") != NULL, "%s", why_bytes);
	}
}

static void
limits_are_numbers_and_zero_is_none(void **state)
{
	static const char *const bad[] = {
		"", ",", "1,", ",1", "-1", "1 ", "1000000001", "4294967296", "1,1000000001", "1,2,3", "1k",
	};

	(void)state;
	assert_int_equal(config.sessions_per_address, 0);
	assert_int_equal(config.rate_limit[0], 0);
	assert_int_equal(config.rate_limit[1], 0);
	assert_int_equal(set("sessions_per_address", "3"), CUB_OK);
	assert_int_equal(config.sessions_per_address, 3);
	assert_int_equal(set("sessions_per_address", "3,4"), CUB_E_BAD);
	assert_int_equal(config.sessions_per_address, 3);
	assert_int_equal(set("rate_limit", "1000,20000"), CUB_OK);
	assert_int_equal(config.rate_limit[0], 1000);
	assert_int_equal(config.rate_limit[1], 20000);
	for (size_t i = 0; i < LEN(bad); i++) {
		CLAIM(set("rate_limit", bad[i]) == CUB_E_BAD, "%s", bad[i]);
		CLAIM(config.rate_limit[0] == 1000 && config.rate_limit[1] == 20000, "%s", bad[i]);
	}
	assert_int_equal(set("rate_limit", "1000000000"), CUB_OK);
	assert_int_equal(config.rate_limit[0], 1000000000);
	assert_int_equal(config.rate_limit[1], 0);
	assert_int_equal(set("rate_limit", "0"), CUB_OK);
	assert_int_equal(config.rate_limit[0], 0);
	/* What stands behind them is as it was. */
	assert_int_equal(config.client_certificate, CLIENT_NONE);
	assert_int_equal(config.data_timeout, 60);
}

static void
events_go_to_stderr_or_to_syslog(void **state)
{
	(void)state;
	assert_int_equal(config.log, LOG_TO_STDERR);
	assert_int_equal(set("log", "syslog"), CONFIG_CUBFTPD_SYSLOG ? CUB_OK : CUB_E_BAD);
	assert_int_equal(config.log, CONFIG_CUBFTPD_SYSLOG ? LOG_TO_SYSLOG : LOG_TO_STDERR);
	assert_int_equal(set("log", "stderr"), CUB_OK);
	assert_int_equal(config.log, LOG_TO_STDERR);
	assert_int_equal(set("log", "/var/log/ftp"), CUB_E_BAD);
}

static void
timeouts_are_whole_seconds_of_up_to_a_day(void **state)
{
	(void)state;
	try_seconds("login_timeout", &config.login_timeout);
	try_seconds("idle_timeout", &config.idle_timeout);
	try_seconds("data_timeout", &config.data_timeout);
}

static void
choices_are_taken_by_their_exact_word(void **state)
{
	static const char *const bad[] = {
		"", "or", "Require", "require,", "requir", "requires", "require, certificate", "0",
	};

	(void)state;
	assert_int_equal(set("data_reuse", "certificate"), CUB_OK);
	assert_int_equal(config.data_reuse, REUSE_CERTIFICATE);
	assert_int_equal(set("data_reuse", "address"), CUB_OK);
	assert_int_equal(config.data_reuse, REUSE_ADDRESS);
	assert_int_equal(set("data_reuse", "require"), CUB_OK);
	assert_int_equal(config.data_reuse, REUSE_REQUIRE);
	for (size_t i = 0; i < LEN(bad); i++) {
		CLAIM(set("data_reuse", bad[i]) == CUB_E_BAD, "%s", bad[i]);
	}
	assert_string_equal(why_bytes, "data_reuse: want require, certificate or address");
	assert_int_equal(set("log_level", "error"), CUB_OK);
	assert_int_equal(config.log_level, PORT_LOG_ERROR);
	assert_int_equal(set("log_level", "warning"), CUB_OK);
	assert_int_equal(config.log_level, PORT_LOG_WARNING);
	assert_int_equal(set("log_level", "debug"), CUB_OK);
	assert_int_equal(config.log_level, PORT_LOG_DEBUG);
	assert_int_equal(set("log_level", "info"), CUB_OK);
	assert_int_equal(config.log_level, PORT_LOG_INFO);
	assert_int_equal(set("log_level", "verbose"), CUB_E_BAD);
}

/* The enums count as the words do: a level that is one off would let strangers in. */
static void
levels_are_taken_by_their_word(void **state)
{
	(void)state;
	assert_int_equal(set("client_certificate", "signed"), CUB_OK);
	assert_int_equal(config.client_certificate, CLIENT_SIGNED);
	assert_int_equal(set("client_certificate", "optional"), CUB_OK);
	assert_int_equal(config.client_certificate, CLIENT_OPTIONAL);
	assert_int_equal(set("client_certificate", "none"), CUB_OK);
	assert_int_equal(config.client_certificate, CLIENT_NONE);
	assert_int_equal(set("client_certificate", "pinned"), CUB_OK);
	assert_int_equal(config.client_certificate, CLIENT_PINNED);
	assert_int_equal(set("client_certificate", "required"), CUB_E_BAD);
	assert_string_equal(why_bytes, "client_certificate: want none, optional, pinned or signed");
	assert_int_equal(config.client_certificate, CLIENT_PINNED);
	assert_int_equal(set("signed_trust", "auto"), CUB_OK);
	assert_int_equal(config.signed_trust, SIGNED_AUTO);
	assert_int_equal(set("signed_trust", "ask"), CUB_OK);
	assert_int_equal(config.signed_trust, SIGNED_ASK);
	assert_int_equal(set("signed_trust", "yes"), CUB_E_BAD);
	assert_int_equal(set("password", "always"), CUB_OK);
	assert_int_equal(config.password, PASSWORD_ALWAYS);
	assert_int_equal(set("password", "with-certificate-optional"), CUB_OK);
	assert_int_equal(config.password, PASSWORD_OPTIONAL);
	assert_int_equal(set("password", "never"), CUB_E_BAD);
}

static void
the_rules_of_uploads_are_taken_and_what_makes_no_sense_is_not(void **state)
{
	static const char *const bad[][2] = {
		{ "min_free", "-1" }, { "min_free", "" }, { "min_free", "1k" },
		{ "min_free", "4294967296" }, { "umask", "" }, { "umask", "22" }, { "umask", "1022" },
		{ "umask", "02222" }, { "umask", "028" }, { "umask", "u=rwx" },
		{ "upload_eof", "" }, { "upload_eof", "Strict" }, { "partial_uploads", "drop" },
	};

	(void)state;
	assert_int_equal(config.umask, 022);
	assert_int_equal(config.min_free, 0);
	assert_int_equal(config.upload_eof, EOF_STRICT);
	assert_int_equal(config.partial_uploads, PARTIAL_KEEP);
	assert_int_equal(set("min_free", "4294967295"), CUB_OK);
	assert_int_equal(config.min_free, UINT32_MAX);
	assert_int_equal(set("min_free", "0"), CUB_OK);
	assert_int_equal(set("umask", "0077"), CUB_OK);
	assert_int_equal(config.umask, 077);
	assert_int_equal(set("umask", "002"), CUB_OK);
	assert_int_equal(config.umask, 2);
	assert_int_equal(set("upload_eof", "lenient"), CUB_OK);
	assert_int_equal(config.upload_eof, EOF_LENIENT);
	assert_int_equal(set("upload_eof", "strict"), CUB_OK);
	assert_int_equal(config.upload_eof, EOF_STRICT);
	assert_int_equal(set("partial_uploads", "discard"), CUB_OK);
	assert_int_equal(config.partial_uploads, PARTIAL_DISCARD);
	assert_int_equal(set("partial_uploads", "keep"), CUB_OK);
	assert_int_equal(config.partial_uploads, PARTIAL_KEEP);
	for (size_t i = 0; i < LEN(bad); i++) {
		CLAIM(set(bad[i][0], bad[i][1]) == CUB_E_BAD, "%s = %s", bad[i][0], bad[i][1]);
	}
#if CONFIG_CUBFTPD_HOOK
	assert_string_equal(config.upload_hook, "");
	assert_int_equal(set("upload_hook", "/usr/bin/hook"), CUB_OK);
	assert_string_equal(config.upload_hook, "/usr/bin/hook");
	assert_int_equal(set("upload_hook", "hook"), CUB_E_BAD);
	assert_string_equal(config.upload_hook, "/usr/bin/hook");
	assert_int_equal(set("upload_hook", ""), CUB_OK);
	assert_string_equal(config.upload_hook, "");
#endif
}

#if CONFIG_CUBFTPD_ADMIN
static void
the_control_socket_stands_beside_the_trust_store_unless_it_is_said(void **state)
{
	char path[CUB_HOST_PATH];

	(void)state;
	cubftpd_config_finish(&config);
	assert_string_equal(config.control_socket, "/var/lib/cubftpd/trust.sock");
	assert_int_equal(set("trust_store", "/data/trust"), CUB_OK);
	cubftpd_config_finish(&config);
	assert_string_equal(config.control_socket, "/data/trust.sock");
	assert_int_equal(set("control_socket", "relative"), CUB_E_BAD);
	assert_string_equal(why_bytes, "control_socket: want an absolute path, or nothing");
	assert_int_equal(set("control_socket", "/run/cub.sock"), CUB_OK);
	cubftpd_config_finish(&config);
	assert_string_equal(config.control_socket, "/run/cub.sock");
	assert_int_equal(set("control_socket", ""), CUB_OK);
	cubftpd_config_finish(&config);
	assert_string_equal(config.control_socket, "");

	/* What no socket can be called is refused; what only follows is left out. */
	memset(path, 'x', sizeof path);
	path[0] = '/';
	path[108] = '\0';
	assert_int_equal(set("control_socket", path), CUB_OK);
	why = OUT(why_bytes);
	assert_int_equal(cubftpd_config_check(&config, &why), CUB_E_BAD);
	path[107] = '\0';
	assert_int_equal(set("control_socket", path), CUB_OK);
	assert_int_equal(cubftpd_config_check(&config, &why), CUB_OK);
	cubftpd_config_default(&config);
	for (size_t len = 101; len < sizeof path; len++) {
		memset(path + 1, 'x', len - 1);
		path[len] = '\0';
		assert_int_equal(set("trust_store", path), CUB_OK);
		cubftpd_config_finish(&config);
		CLAIM(strlen(config.control_socket) == (len + 5 <= 107 ? len + 5 : 0), "%zu", len);
	}
}
#endif

static void
passive_ports_are_a_range_above_1023(void **state)
{
	static const char *const bad[] = {
		"", "-", "50000", "50000-", "-50000", "1023-2000", "21-22", "50001-50000", "50000-65536",
		"50000-50001-50002", "50000,50001", "a-b", "0-0",
	};

	(void)state;
	assert_int_equal(set("passive_ports", "1024-65535"), CUB_OK);
	assert_true(config.passive_low == 1024 && config.passive_high == 65535);
	assert_int_equal(set("passive_ports", "2000-2000"), CUB_OK);
	assert_true(config.passive_low == 2000 && config.passive_high == 2000);
	assert_int_equal(set("passive_ports", "3000 - 3001"), CUB_OK);
	assert_true(config.passive_low == 3000 && config.passive_high == 3001);
	for (size_t i = 0; i < LEN(bad); i++) {
		CLAIM(set("passive_ports", bad[i]) == CUB_E_BAD, "%s", bad[i]);
	}
	assert_string_equal(why_bytes, "passive_ports: want LOW-HIGH, from 1024 to 65535");
}

static void
the_first_listener_replaces_the_default_and_others_are_added(void **state)
{
	(void)state;
	assert_int_equal(set("listen", "nonsense"), CUB_E_BAD);
	assert_int_equal(config.listen_count, 1);
	assert_int_equal(set("listen", "192.0.2.1:2121"), CUB_OK);
	assert_int_equal(config.listen_count, 1);
	assert_int_equal(config.listen[0].addr.family, 4);
	assert_int_equal(config.listen[0].addr.tcp_port, 2121);
	assert_false(config.listen[0].implicit);
	for (unsigned i = 1; i < CUB_LISTENERS; i++) {
		assert_int_equal(set("listen", "127.0.0.1:21"), CUB_OK);
	}
	assert_int_equal(config.listen_count, CUB_LISTENERS);
	assert_int_equal(config.listen[0].addr.tcp_port, 2121);
	assert_int_equal(set("listen", "127.0.0.1:22"), CUB_E_BAD);
	assert_non_null(strstr(why_bytes, "no more of them than the build has"));
}

/* The listeners as text: "21 990i", where "i" stands for implicit. */
static const char *
listeners(void)
{
	static char bytes[64];
	struct out o = OUT(bytes);

	for (unsigned i = 0; i < config.listen_count; i++) {
		out_string(&o, i > 0 ? " " : "");
		out_number(&o, config.listen[i].addr.tcp_port);
		out_string(&o, config.listen[i].implicit ? "i" : "");
	}
	return out_finish(&o);
}

/* -o on the command line is for "this instead", also where a key may be given several times. */
static void
what_overrides_replaces_the_listeners_of_its_kind_only(void **state)
{
	(void)state;
	if (!CONFIG_CUBFTPD_IMPLICIT || CUB_LISTENERS < 3) {
		skip();
	}
	assert_int_equal(set("listen_implicit", "127.0.0.1:990"), CUB_OK);
	assert_string_equal(listeners(), "990i");
	assert_int_equal(set("listen", "127.0.0.1:21"), CUB_OK);
	assert_int_equal(set("listen", "127.0.0.1:22"), CUB_OK);
	assert_string_equal(listeners(), "990i 21 22");
	cubftpd_config_override(&config);
	assert_string_equal(listeners(), "990i 21 22");
	assert_int_equal(set("listen", "nonsense"), CUB_E_BAD);
	assert_int_equal(set("listen", "127.0.0.1:2121"), CUB_OK);
	assert_string_equal(listeners(), "990i 2121");
	assert_int_equal(set("listen", "127.0.0.1:2122"), CUB_OK);
	assert_string_equal(listeners(), "990i 2121 2122");
	assert_int_equal(set("listen_implicit", "127.0.0.1:9990"), CUB_OK);
	assert_string_equal(listeners(), "2121 2122 9990i");
	/* Where nothing was set before, the default still has to go. */
	cubftpd_config_default(&config);
	cubftpd_config_override(&config);
	assert_int_equal(set("listen", "127.0.0.1:2121"), CUB_OK);
	assert_string_equal(listeners(), "2121");
}

static void
a_full_list_of_listeners_can_still_be_overridden(void **state)
{
	(void)state;
	for (unsigned i = 0; i < CUB_LISTENERS; i++) {
		assert_int_equal(set("listen", "127.0.0.1:21"), CUB_OK);
	}
	cubftpd_config_override(&config);
	assert_int_equal(set("listen", "127.0.0.1:2121"), CUB_OK);
	assert_string_equal(listeners(), "2121");
}

static void
features_that_the_build_lacks_are_refused(void **state)
{
	(void)state;
	assert_int_equal(set("listen", "[::1]:21"), CONFIG_CUBFTPD_IPV6 ? CUB_OK : CUB_E_BAD);
	assert_int_equal(set("listen_implicit", "127.0.0.1:990"),
		CONFIG_CUBFTPD_IMPLICIT ? CUB_OK : CUB_E_BAD);
	if (CONFIG_CUBFTPD_IMPLICIT) {
		assert_true(config.listen[config.listen_count - 1].implicit);
		assert_int_equal(config.listen[config.listen_count - 1].addr.tcp_port, 990);
	} else {
		assert_string_equal(why_bytes, "listen_implicit: not built in");
	}
}

static void
passive_address_is_one_ipv4_address_or_nothing(void **state)
{
	static const char *const bad[] = {
		"\"192.0.2.1\"", "'192.0.2.1'", "192.0.2", "192.0.2.1.", "192.0.2.256", "192.0.2.01",
		"192.0.2.1:21", "192.0.2.1 ", "::1", "2001:db8::1", "::ffff:192.0.2.1", "example.org",
		"0.0.0.0", "0.0.0.1", "224.0.0.1", "255.255.255.255", "-", "192.0.2.1,192.0.2.2",
	};
	static const uint8_t given[4] = { 192, 0, 2, 1 }, none[4];

	(void)state;
	assert_memory_equal(config.passive_address, none, 4);
	assert_int_equal(set("passive_address", "192.0.2.1"), CUB_OK);
	for (size_t i = 0; i < LEN(bad); i++) {
		CLAIM(set("passive_address", bad[i]) == CUB_E_BAD, "%s", bad[i]);
		CLAIM(strcmp(why_bytes, "passive_address: want an IPv4 address, or nothing") == 0, "%s",
			why_bytes);
		assert_memory_equal(config.passive_address, given, 4);
	}
	assert_int_equal(set("passive_address", ""), CUB_OK);
	assert_memory_equal(config.passive_address, none, 4);
}

static void
active_mode_is_off_unless_it_is_asked_for(void **state)
{
	(void)state;
	assert_int_equal(config.active, 0);
	assert_int_equal(set("active", "yes"), CONFIG_CUBFTPD_ACTIVE ? CUB_OK : CUB_E_BAD);
	assert_int_equal(config.active, CONFIG_CUBFTPD_ACTIVE);
	assert_int_equal(set("active", "true"), CUB_E_BAD);
	assert_int_equal(set("active", "no"), CUB_OK);
	assert_int_equal(config.active, 0);
}

/* They are known, so that one configuration file suits several builds. */
static void
keys_of_absent_features_take_only_the_value_that_asks_for_nothing(void **state)
{
	static const char *const table[][3] = {
#if !CONFIG_CUBFTPD_SYSLOG
		{ "log", "stderr", "syslog" },
#endif
#if !CONFIG_CUBFTPD_ADMIN
		{ "control_socket", "", "/run/cub.sock" },
#endif
		{ "sandbox", "no", "yes" },
	};

	(void)state;
	for (size_t i = 0; i < LEN(table); i++) {
		char want[64];

		snprintf(want, sizeof want, "%s: not built in", table[i][0]);
		CLAIM(set(table[i][0], table[i][1]) == CUB_OK, "%s", table[i][0]);
		CLAIM(set(table[i][0], table[i][2]) == CUB_E_BAD, "%s", table[i][0]);
		CLAIM(strcmp(why_bytes, want) == 0, "%s", why_bytes);
	}
}

static void
unknown_keys_are_named_and_cannot_forge_a_message(void **state)
{
	(void)state;
	assert_int_equal(set("rooot", "/srv"), CUB_E_BAD);
	assert_string_equal(why_bytes, "unknown key \"rooot\"");
	assert_int_equal(set("", "x"), CUB_E_BAD);
	assert_int_equal(set("ROOT", "/srv"), CUB_E_BAD);
	assert_int_equal(set("root ", "/srv"), CUB_E_BAD);
	assert_int_equal(set("a\" b\x1B", "x"), CUB_E_BAD);
	assert_string_equal(why_bytes, "unknown key \"a\\x22\\x20b\\x1b\"");
}

static void
lines_are_keys_values_and_comments(void **state)
{
	(void)state;
	assert_int_equal(line(""), CUB_OK);
	assert_int_equal(line("  \t "), CUB_OK);
	assert_int_equal(line("# root = /elsewhere"), CUB_OK);
	assert_int_equal(line("  # root = /elsewhere"), CUB_OK);
	assert_string_equal(config.root, "/srv/ftp");
	assert_int_equal(line("root=/a"), CUB_OK);
	assert_string_equal(config.root, "/a");
	assert_int_equal(line(" \troot \t=\t /b c \t"), CUB_OK);
	assert_string_equal(config.root, "/b c");
	assert_int_equal(line("root = /d # the disk"), CUB_OK);
	assert_string_equal(config.root, "/d");
	assert_int_equal(line("root = /d\t# the disk # indeed"), CUB_OK);
	assert_string_equal(config.root, "/d");
	assert_int_equal(line("root = /d#1"), CUB_OK);
	assert_string_equal(config.root, "/d#1");
	assert_int_equal(line("root = /d#1 #2"), CUB_OK);
	assert_string_equal(config.root, "/d#1");
	assert_int_equal(line("greeting = a = b"), CUB_OK);
	assert_string_equal(config.greeting, "a = b");
	assert_int_equal(line("control_socket ="), CUB_OK);
	assert_int_equal(line("control_socket = # none"), CUB_OK);
}

static void
lines_that_are_none_of_these_are_refused(void **state)
{
	(void)state;
	assert_int_equal(line("root /srv"), CUB_E_BAD);
	assert_string_equal(why_bytes, "want key = value");
	assert_int_equal(line("root"), CUB_E_BAD);
	assert_int_equal(line("root # = /srv"), CUB_E_BAD);
	assert_int_equal(line("= /srv"), CUB_E_BAD);
	assert_int_equal(line("="), CUB_E_BAD);
	assert_int_equal(line("root ="), CUB_E_BAD);
	assert_int_equal(line("root = /a\r"), CUB_E_BAD);
	assert_int_equal(line("root : /a"), CUB_E_BAD);
	assert_int_equal(line("nonsense = 1"), CUB_E_BAD);
}

static void
nothing_that_comes_in_a_line_breaks_anything(void **state)
{
	static const char *const keys[] = {
		"listen", "root", "passive_ports", "greeting", "data_reuse", "idle_timeout", "umask", "log",
	};

	(void)state;
	for (uint32_t round = 0; round < claim_rounds(30000); round++) {
		char bytes[160];
		struct out o = OUT(bytes);
		char value[100];

		out_string(&o, keys[sim_random_below(LEN(keys))]);
		out_string(&o, sim_random_below(9) == 0 ? "" : "=");
		out_text(&o, unit_random_text(value, sizeof value, "/#  =-:[]0129,.or"));
		if (memchr(bytes, '\0', o.len) == NULL) {
			line(out_finish(&o));
		}
	}
}

static int
check(void)
{
	why = OUT(why_bytes);
	return cubftpd_config_check(&config, &why);
}

static void
a_listener_within_the_passive_ports_is_refused(void **state)
{
	(void)state;
	if (CUB_LISTENERS < 2) {
		skip();
	}
	assert_int_equal(set("listen", "127.0.0.1:2121"), CUB_OK);
	assert_int_equal(set("listen", "127.0.0.1:2199"), CUB_OK);
	assert_int_equal(set("passive_ports", "2122-2198"), CUB_OK);
	assert_int_equal(check(), CUB_OK);
	assert_int_equal(set("passive_ports", "2121-2130"), CUB_OK);
	assert_int_equal(check(), CUB_E_BAD);
	assert_string_equal(out_finish(&why),
		"passive_ports: the range holds the listener 127.0.0.1:2121");
	assert_int_equal(set("passive_ports", "2130-2199"), CUB_OK);
	assert_int_equal(check(), CUB_E_BAD);
}

static void
one_file_cannot_be_both_stores(void **state)
{
	(void)state;
	assert_int_equal(set("identity_store", "/dev/mtd3"), CUB_OK);
	assert_int_equal(set("trust_store", "/dev/mtd3"), CUB_OK);
	assert_int_equal(check(), CUB_E_BAD);
	assert_non_null(strstr(out_finish(&why), "two different files"));
	assert_int_equal(set("trust_store", "/dev/mtd4"), CUB_OK);
	assert_int_equal(check(), CUB_OK);
}

static void
an_upload_hook_must_be_a_program(void **state)
{
	(void)state;
	if (!CONFIG_CUBFTPD_HOOK) {
		skip();
	}
	assert_int_equal(set("upload_hook", "/usr/bin/hook"), CUB_OK);
	assert_int_equal(check(), CUB_OK);
	sim_hook_fail(CUB_E_DENIED);
	assert_int_equal(check(), CUB_E_BAD);
	assert_string_equal(out_finish(&why),
		"upload_hook: not a program that can be run: /usr/bin/hook");
	assert_int_equal(set("upload_hook", ""), CUB_OK);
	assert_int_equal(check(), CUB_OK);
	sim_hook_fail(CUB_OK);
}

/* The example is what most people start from: its commented lines are the defaults. */
static void
the_example_file_is_accepted_and_shows_the_defaults(void **state)
{
	FILE *file = fopen("port/linux/cubftpd.conf", "r");
	struct cubftpd_config preset = config;
	char text[256];
	unsigned shown = 0;

	(void)state;
	if (file == NULL) {
		skip();  /* not run from the top of the sources */
	}
	while (fgets(text, sizeof text, file) != NULL) {
		struct cubftpd_config before = config;

		text[strcspn(text, "\n")] = '\0';
		CLAIM(line(text) == CUB_OK, "%s", text);
		CLAIM(memcmp(&config, &before, sizeof config) == 0, "%s", text);
		if (text[0] == '#' && text[1] >= 'a' && text[1] <= 'z' && strstr(text, " = ") != NULL) {
			CLAIM(line(text + 1) == CUB_OK || strstr(text, "[::]") != NULL
				|| (!CONFIG_CUBFTPD_ADMIN && strstr(text, "control_socket") != NULL), "%s", text);
			shown++;
		}
	}
	fclose(file);
	assert_in_range(shown, 10, 50);
	assert_string_equal(config.root, preset.root);
	assert_int_equal(config.idle_timeout, preset.idle_timeout);
	assert_int_equal(config.login_timeout, preset.login_timeout);
	assert_int_equal(config.data_timeout, preset.data_timeout);
	assert_string_equal(config.greeting, preset.greeting);
	assert_int_equal(config.passive_high, preset.passive_high);
	assert_int_equal(config.log_level, preset.log_level);
	assert_string_equal(config.trust_store, preset.trust_store);
}

#undef TEST
#define TEST(name) cmocka_unit_test_setup(name, setup)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(passive_address_is_one_ipv4_address_or_nothing),
		TEST(active_mode_is_off_unless_it_is_asked_for),
		TEST(the_defaults_are_those_of_the_documentation),
		TEST(text_keys_take_text_that_fits),
		TEST(timeouts_are_whole_seconds_of_up_to_a_day),
		TEST(limits_are_numbers_and_zero_is_none),
		TEST(events_go_to_stderr_or_to_syslog),
		TEST(choices_are_taken_by_their_exact_word),
		TEST(levels_are_taken_by_their_word),
		TEST(the_rules_of_uploads_are_taken_and_what_makes_no_sense_is_not),
#if CONFIG_CUBFTPD_ADMIN
		TEST(the_control_socket_stands_beside_the_trust_store_unless_it_is_said),
#endif
		TEST(passive_ports_are_a_range_above_1023),
		TEST(the_first_listener_replaces_the_default_and_others_are_added),
		TEST(what_overrides_replaces_the_listeners_of_its_kind_only),
		TEST(a_full_list_of_listeners_can_still_be_overridden),
		TEST(features_that_the_build_lacks_are_refused),
		TEST(keys_of_absent_features_take_only_the_value_that_asks_for_nothing),
		TEST(unknown_keys_are_named_and_cannot_forge_a_message),
		TEST(lines_are_keys_values_and_comments),
		TEST(lines_that_are_none_of_these_are_refused),
		TEST(nothing_that_comes_in_a_line_breaks_anything),
		TEST(a_listener_within_the_passive_ports_is_refused),
		TEST(one_file_cannot_be_both_stores),
		TEST(an_upload_hook_must_be_a_program),
		TEST(the_example_file_is_accepted_and_shows_the_defaults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
