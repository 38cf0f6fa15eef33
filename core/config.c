/* SPDX-License-Identifier: MIT */
/*
 * The configuration keys: one table of names, meanings and limits. The contract is in
 * cubftpd.h; what each key means to users is in cubftpd.conf(5). A key of a feature that
 * this build lacks is known and refused, unless its value turns the feature off.
 */
#include "config.h"

#include <string.h>

#include "addr.h"
#include "bucket.h"

/* What fits into a Unix socket's address. */
#define CONTROL_PATH_MAX 107

struct key {
	const char *name;
	bool      (*set)(struct cubftpd_config *, const struct key *, struct text);
	uint16_t    offset;  /* of the field in struct cubftpd_config */
	uint16_t    size;    /* of the field */
	const char *want;    /* what a value must be, for the message; or the choices */
};

static bool
set_string(struct cubftpd_config *config, const struct key *key, struct text value)
{
	return value.len > 0 && text_is_printable(value)
		&& text_copy(value, (char *)config + key->offset, key->size);
}

static bool
set_path(struct cubftpd_config *config, const struct key *key, struct text value)
{
	return value.len > 0 && value.at[0] == '/' && set_string(config, key, value);
}

#if CONFIG_CUBFTPD_ADMIN || CONFIG_CUBFTPD_HOOK
static bool
set_path_or_none(struct cubftpd_config *config, const struct key *key, struct text value)
{
	if (value.len == 0) {
		*((char *)config + key->offset) = '\0';
		return true;
	}
	return set_path(config, key, value);
}
#endif

#if CONFIG_CUBFTPD_ADMIN
static bool
set_control(struct cubftpd_config *config, const struct key *key, struct text value)
{
	bool is_good = set_path_or_none(config, key, value);

	config->control_is_given = config->control_is_given || is_good;
	return is_good;
}
#endif

static bool
set_number(struct cubftpd_config *config, const struct key *key, struct text value)
{
	uint64_t n;
	uint32_t number;

	if (!text_number(value, UINT32_MAX, &n)) {
		return false;
	}
	number = (uint32_t)n;
	memcpy((char *)config + key->offset, &number, sizeof number);
	return true;
}

/* Numbers with commas between them, as many as the field has at most; what is not given is 0. */
static bool
set_numbers(struct cubftpd_config *config, const struct key *key, struct text value)
{
	uint32_t numbers[2] = { 0, 0 };
	uint64_t n;

	for (unsigned i = 0; value.at != NULL; i++) {
		if (i == key->size / sizeof numbers[0]
			|| !text_number(text_cut(&value, ','), BUCKET_RATE_MAX, &n)) {
			return false;
		}
		numbers[i] = (uint32_t)n;
	}
	memcpy((char *)config + key->offset, numbers, key->size);
	return true;
}

static bool
set_seconds(struct cubftpd_config *config, const struct key *key, struct text value)
{
	uint64_t n;

	return text_number(value, 86400, &n) && n > 0 && set_number(config, key, value);
}

static bool
set_umask(struct cubftpd_config *config, const struct key *key, struct text value)
{
	(void)key;
	return text_mode(value, &config->umask);
}

_Static_assert(sizeof(enum cubftpd_reuse) == sizeof(unsigned),
	"choices are written as numbers: no -fshort-enums");

/* `want` is "first, second or third": the field becomes the number of the choice. */
static bool
set_choice(struct cubftpd_config *config, const struct key *key, struct text value)
{
	struct text rest = text_of(key->want);

	for (unsigned n = 0; rest.len > 0; n++) {
		struct text word = text_cut(&rest, ' ');

		if (text_is(word, "or")) {
			n--;
			continue;
		}
		if (word.at[word.len - 1] == ',') {
			word.len--;
		}
		if (word.len == value.len && memcmp(word.at, value.at, word.len) == 0) {
			memcpy((char *)config + key->offset, &n, sizeof n);
			return true;
		}
	}
	return false;
}

/* Does a listener stay when one of a kind is given? */
static bool
stays(const struct cubftpd_config *config, unsigned i, bool implicit)
{
	return !config->listen_is_default
		&& (config->listen[i].implicit != implicit || config->listen_given[implicit]);
}

static bool
add_listener(struct cubftpd_config *config, struct text value, bool implicit)
{
	struct port_addr addr;
	uint8_t kept = 0;

	for (unsigned i = 0; i < config->listen_count; i++) {
		kept = (uint8_t)(kept + stays(config, i, implicit));
	}
	if (!addr_parse(value, &addr) || (addr.family == 6 && !CONFIG_CUBFTPD_IPV6)
		|| kept == CUB_LISTENERS) {
		return false;
	}
	kept = 0;
	for (unsigned i = 0; i < config->listen_count; i++) {
		if (stays(config, i, implicit)) {
			config->listen[kept++] = config->listen[i];
		}
	}
	config->listen[kept].addr = addr;
	config->listen[kept].implicit = implicit;
	config->listen_count = (uint8_t)(kept + 1);
	config->listen_is_default = false;
	config->listen_given[implicit] = true;
	return true;
}

void
cubftpd_config_override(struct cubftpd_config *config)
{
	config->listen_given[false] = false;
	config->listen_given[true] = false;
}

static bool
set_listen(struct cubftpd_config *config, const struct key *key, struct text value)
{
	(void)key;
	return add_listener(config, value, false);
}

#if CONFIG_CUBFTPD_IMPLICIT
static bool
set_listen_implicit(struct cubftpd_config *config, const struct key *key, struct text value)
{
	(void)key;
	return add_listener(config, value, true);
}
#endif

static bool
set_passive_ports(struct cubftpd_config *config, const struct key *key, struct text value)
{
	uint64_t low, high;

	(void)key;
	if (!text_number(text_trim(text_cut(&value, '-')), 65535, &low)
		|| !text_number(text_trim(value), 65535, &high) || low < 1024 || high < low) {
		return false;
	}
	config->passive_low = (uint16_t)low;
	config->passive_high = (uint16_t)high;
	return true;
}

/* One that clients can reach: neither nothing, nor a group's. */
static bool
set_passive_address(struct cubftpd_config *config, const struct key *key, struct text value)
{
	struct port_addr addr = { .family = 4 };

	(void)key;
	if (value.len > 0 && (!addr_parse_ip(value, &addr) || addr.family != 4
		|| addr.ip[0] == 0 || addr.ip[0] >= 224)) {
		return false;
	}
	memcpy(config->passive_address, addr.ip, sizeof config->passive_address);
	return true;
}

/* For features that this build lacks: `want` is the one value that asks for nothing. */
static bool
set_absent(struct cubftpd_config *config, const struct key *key, struct text value)
{
	(void)config;
	return text_same(value, key->want);
}

#define FIELD(field) offsetof(struct cubftpd_config, field), \
	sizeof ((struct cubftpd_config *)0)->field

#define WANT_PATH_OR_NONE "an absolute path, or nothing"
#define WANT_LISTEN \
	"ADDRESS:PORT, an IPv6 address in brackets, and no more of them than the build has"

static const struct key keys[] = {
	{ "listen", set_listen, 0, 0, WANT_LISTEN },
#if CONFIG_CUBFTPD_IMPLICIT
	{ "listen_implicit", set_listen_implicit, 0, 0, WANT_LISTEN },
#else
	{ "listen_implicit", set_absent, 0, 0, "" },
#endif
	{ "root", set_path, FIELD(root), "an absolute path" },
	{ "identity_store", set_path, FIELD(identity_store), "an absolute path" },
	{ "trust_store", set_path, FIELD(trust_store), "an absolute path" },
#if CONFIG_CUBFTPD_ADMIN
	{ "control_socket", set_control, FIELD(control_socket), WANT_PATH_OR_NONE },
#else
	{ "control_socket", set_absent, 0, 0, "" },
#endif
	{ "key_secret", set_path, FIELD(key_secret), "an absolute path" },
	{ "client_certificate", set_choice, FIELD(client_certificate),
		"none, optional, pinned or signed" },
	{ "signed_trust", set_choice, FIELD(signed_trust), "ask or auto" },
	{ "password", set_choice, FIELD(password), "with-certificate-optional or always" },
	{ "device_name", set_string, FIELD(device_name), "a name of at most 64 bytes" },
	{ "user", set_string, FIELD(user), "a user's name of at most 32 bytes" },
	{ "greeting", set_string, FIELD(greeting), "a line of at most 80 bytes" },
	{ "data_reuse", set_choice, FIELD(data_reuse), "require, certificate or address" },
	{ "passive_ports", set_passive_ports, 0, 0, "LOW-HIGH, from 1024 to 65535" },
	{ "login_timeout", set_seconds, FIELD(login_timeout), "seconds, from 1 to 86400" },
	{ "idle_timeout", set_seconds, FIELD(idle_timeout), "seconds, from 1 to 86400" },
	{ "data_timeout", set_seconds, FIELD(data_timeout), "seconds, from 1 to 86400" },
	{ "log_level", set_choice, FIELD(log_level), "error, warning, info or debug" },
#if CONFIG_CUBFTPD_SYSLOG
	{ "log", set_choice, FIELD(log), "stderr or syslog" },
#else
	{ "log", set_absent, 0, 0, "stderr" },
#endif
	{ "passive_address", set_passive_address, 0, 0, "an IPv4 address, or nothing" },
#if CONFIG_CUBFTPD_ACTIVE
	{ "active", set_choice, FIELD(active), "no or yes" },
#else
	{ "active", set_absent, 0, 0, "no" },
#endif
	{ "sessions_per_address", set_numbers, FIELD(sessions_per_address), "a number" },
	{ "rate_limit", set_numbers, FIELD(rate_limit),
		"SESSION or SESSION,TOTAL, bytes a second" },
	{ "min_free", set_number, FIELD(min_free), "a number of KiB" },
	{ "umask", set_umask, 0, 0, "a mode such as 022" },
	{ "upload_eof", set_choice, FIELD(upload_eof), "strict or lenient" },
	{ "partial_uploads", set_choice, FIELD(partial_uploads), "keep or discard" },
#if CONFIG_CUBFTPD_HOOK
	{ "upload_hook", set_path_or_none, FIELD(upload_hook), WANT_PATH_OR_NONE },
#else
	{ "upload_hook", set_absent, 0, 0, "" },
#endif
	{ "sandbox", set_absent, 0, 0, "no" },
};

static void
put_string(char *field, const char *string)
{
	memcpy(field, string, strlen(string) + 1);
}

void
cubftpd_config_default(struct cubftpd_config *config)
{
	static const struct cubftpd_config preset = {
#if CONFIG_CUBFTPD_IPV6
		.listen = { { .addr = { .family = 6, .tcp_port = 21 } } },
#else
		.listen = { { .addr = { .family = 4, .tcp_port = 21 } } },
#endif
		.listen_count = 1,
		.listen_is_default = true,
		.data_reuse = REUSE_REQUIRE,
		.passive_low = 50000,
		.passive_high = 50015,
		.umask = 022,
		.login_timeout = 30,
		.idle_timeout = 300,
		.data_timeout = 60,
		.log_level = PORT_LOG_INFO,
	};

	*config = preset;
	put_string(config->root, "/srv/ftp");
	put_string(config->identity_store, "/var/lib/cubftpd/identity");
	put_string(config->trust_store, "/var/lib/cubftpd/trust");
	put_string(config->greeting, "cubftpd ready");
}

int
cubftpd_config_set(struct cubftpd_config *config, const char *key, size_t key_len,
	const char *value, size_t value_len, struct out *why)
{
	struct text name = { key, key_len };

	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
		if (!text_same(name, keys[i].name)) {
			continue;
		}
		if (keys[i].set(config, &keys[i], (struct text){ value, value_len })) {
			return CUB_OK;
		}
		out_string(why, keys[i].name);
		out_string(why, keys[i].set == set_absent ? ": not built in" : ": want ");
		out_string(why, keys[i].set == set_absent ? "" : keys[i].want);
		return CUB_E_BAD;
	}
	out_string(why, "unknown key \"");
	out_escaped(why, name);
	out_string(why, "\"");
	return CUB_E_BAD;
}

/* Without the comment at its end. */
static struct text
without_comment(struct text line)
{
	for (size_t i = 0; i < line.len; i++) {
		if (line.at[i] == '#' && (i == 0 || line.at[i - 1] == ' ' || line.at[i - 1] == '\t')) {
			line.len = i;
		}
	}
	return text_trim(line);
}

int
cubftpd_config_line(struct cubftpd_config *config, const char *at, size_t len, struct out *why)
{
	struct text value = without_comment((struct text){ at, len });
	struct text key;

	if (value.len == 0) {
		return CUB_OK;
	}
	key = text_trim(text_cut(&value, '='));
	if (value.at == NULL) {
		out_string(why, "want key = value");
		return CUB_E_BAD;
	}
	value = text_trim(value);
	return cubftpd_config_set(config, key.at, key.len, value.at, value.len, why);
}

void
cubftpd_config_finish(struct cubftpd_config *config)
{
	struct out o = OUT(config->control_socket);

	if (CONFIG_CUBFTPD_ADMIN && !config->control_is_given) {
		/* Beside the store, so that each server has one of its own. */
		out_string(&o, config->trust_store);
		out_string(&o, ".sock");
		out_char(&o, '\0');
		if (o.cut || o.len > CONTROL_PATH_MAX + 1) {
			config->control_socket[0] = '\0';
		}
	}
}

int
cubftpd_config_check(const struct cubftpd_config *config, struct out *why)
{
	for (unsigned i = 0; i < config->listen_count; i++) {
		const struct port_addr *addr = &config->listen[i].addr;

		if (addr->tcp_port >= config->passive_low && addr->tcp_port <= config->passive_high) {
			out_string(why, "passive_ports: the range holds the listener ");
			addr_put(why, addr);
			return CUB_E_BAD;
		}
	}
	if (string_same(config->identity_store, config->trust_store)) {
		out_string(why, "identity_store and trust_store must be two different files");
		return CUB_E_BAD;
	}
	if (config->control_is_given && strlen(config->control_socket) > CONTROL_PATH_MAX) {
		out_string(why, "control_socket: a socket's path has at most 107 bytes");
		return CUB_E_BAD;
	}
#if CONFIG_CUBFTPD_HOOK
	if (config->upload_hook[0] != '\0' && port_hook_check(config->upload_hook) < 0) {
		out_string(why, "upload_hook: not a program that can be run: ");
		out_string(why, config->upload_hook);
		return CUB_E_BAD;
	}
#endif
	return CUB_OK;
}
