/* SPDX-License-Identifier: MIT */
/* Options and words: see options.h. */
#include "options.h"

#include <string.h>

#include "tell.h"

static const char *const names[OPTIONS] = {
	[OPT_ACCOUNT] = "--account",
	[OPT_CA] = "--ca",
	[OPT_CERT] = "--cert",
	[OPT_DAYS] = "--days",
	[OPT_EXPIRING] = "--expiring",
	[OPT_FOR] = "--for",
	[OPT_HOSTS] = "--hosts",
	[OPT_KEY] = "--key",
	[OPT_KEY_PASSPHRASE_FILE] = "--key-passphrase-file",
	[OPT_LABEL] = "--label",
	[OPT_NAME] = "--name",
	[OPT_OUT] = "--out",
	[OPT_PARENT] = "--parent",
	[OPT_PARENT_PASSPHRASE_FILE] = "--parent-passphrase-file",
	[OPT_PASSPHRASE_FILE] = "--passphrase-file",
	[OPT_PASSWORD_FILE] = "--password-file",
	[OPT_PATH_LENGTH] = "--path-length",
	[OPT_PIN] = "--pin",
	[OPT_PROFILE] = "--profile",
	[OPT_RSA] = "--rsa",
	[OPT_SAN] = "--san",
	[OPT_UNTIL] = "--until",
	[OPT_ADD_CA] = "--add-ca",
	[OPT_FORCE] = "--force",
	[OPT_JSON] = "--json",
	[OPT_NO_PASSPHRASE] = "--no-passphrase",
	[OPT_P384] = "--p384",
};

static bool
tell_of(struct out *why, enum option which, const char *what)
{
	out_string(why, names[which]);
	return tell(why, what);
}

/* The option that an argument names: up to its "=", if it has one. */
static enum option
find(const char *argument)
{
	size_t len = strcspn(argument, "=");
	unsigned i = 0;

	while (i < OPTIONS && (strlen(names[i]) != len || memcmp(names[i], argument, len) != 0)) {
		i++;
	}
	return (enum option)i;
}

size_t
options_base_length(const char *name)
{
	static const char *const endings[] = { ".crt", ".key", ".index" };
	size_t len = strlen(name);

	for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
		size_t ending = strlen(endings[i]);

		if (len > ending && name[len - ending - 1] != '/'
			&& strcmp(name + len - ending, endings[i]) == 0) {
			return len - ending;
		}
	}
	return len;
}

/* Keep the value of an option; null: it has none. */
static bool
keep(struct options *o, enum option which, char *value, struct out *why)
{
	if (value == NULL) {
		return tell_of(why, which, " wants a value");
	}
	if (value[0] == '\0') {
		return tell_of(why, which, " wants a value that is not empty");
	}
	if (which == OPT_CA || which == OPT_PARENT) {
		value[options_base_length(value)] = '\0';
	}
	o->value[which] = value;
	return true;
}

bool
options_parse(struct options *o, int argc, char **argv, uint32_t takes, struct out *why)
{
	bool is_ended = false;
	int words = 0;

	*o = (struct options){ .word = argv };
	for (int i = 0; i < argc; i++) {
		char *equals = strchr(argv[i], '=');
		enum option which;

		if (is_ended || argv[i][0] != '-' || argv[i][1] == '\0') {
			argv[words++] = argv[i];
			continue;
		}
		if (strcmp(argv[i], "--") == 0) {
			is_ended = true;
			continue;
		}
		which = find(argv[i]);
		if (which == OPTIONS || (takes & TAKES(which)) == 0) {
			out_string(why, "it takes no ");
			return tell(why, argv[i]);
		}
		if (o->value[which] != NULL) {
			return tell_of(why, which, " is given twice");
		}
		if (which >= OPT_ADD_CA) {
			if (equals != NULL) {
				return tell_of(why, which, " takes no value");
			}
			o->value[which] = "";
		} else if (!keep(o, which, equals != NULL ? equals + 1 : i + 1 < argc ? argv[++i] : NULL,
			why)) {
			return false;
		}
	}
	o->word_count = words;
	return true;
}

bool
options_has(const struct options *o, enum option which)
{
	return o->value[which] != NULL;
}

const char *
options_name(enum option which)
{
	return names[which];
}

bool
options_number(const struct options *o, enum option which, uint32_t min, uint32_t max,
	uint32_t otherwise, uint32_t *out, struct out *why)
{
	uint64_t n = otherwise;

	if (options_has(o, which)
		&& (!text_number(text_of(o->value[which]), max, &n) || n < min)) {
		(void)tell_of(why, which, " wants a number from ");
		out_number(why, min);
		out_string(why, " to ");
		out_number(why, max);
		return false;
	}
	*out = (uint32_t)n;
	return true;
}

struct secret_source
options_secret(const struct options *o, enum option which)
{
	return (struct secret_source){ o->value[which],
		which == OPT_PASSWORD_FILE ? "CUBSIGN_PASSWORD" : "CUBSIGN_PASSPHRASE",
		names[which] };
}
