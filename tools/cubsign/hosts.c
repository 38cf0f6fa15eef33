/* SPDX-License-Identifier: MIT */
/* The devices of a run: see hosts.h. */
#include "hosts.h"

#include <stdlib.h>
#include <string.h>

#include "device.h"
#include "disk.h"
#include "plain.h"
#include "tell.h"

#define FILE_MAX (UINT32_C(1) << 20)

/* In the table. */
#define HOST_WIDTH_MAX    40
#define UNTIL_WIDTH       (sizeof "without end" - 1)
#define FINGERPRINT_WIDTH (sizeof "sha256:" - 1 + 64)

bool
hosts_add(struct hosts *h, struct text name, const char *pin, struct out *why)
{
	struct host host = { .outcome = HOST_AS_BEFORE };

	if (!dial_parse(name, &host.to, why)) {
		return false;
	}
	if (!text_copy(name, host.name, sizeof host.name)) {
		return tell(why, "its name is too long");
	}
	if (pin != NULL) {
		(void)text_copy(text_of(pin), host.pin, sizeof host.pin);
	}
	for (size_t i = 0; i < h->count; i++) {
		if (dial_is_same(&h->item[i].to, &host.to)) {
			out_string(why, host.name);
			return tell(why, " is given twice");
		}
	}
	if (h->count == h->room) {
		size_t room = h->room == 0 ? 16 : 2 * h->room;
		struct host *item = realloc(h->item, room * sizeof *item);

		if (item == NULL) {
			return tell(why, "there is no memory for so many");
		}
		h->item = item;
		h->room = room;
	}
	h->item[h->count++] = host;
	return true;
}

/* A word, ended by blanks; `line` goes on behind it. */
static struct text
take_word(struct text *line)
{
	struct text word = { line->at, 0 };

	while (word.len < line->len && line->at[word.len] != ' ' && line->at[word.len] != '\t') {
		word.len++;
	}
	*line = text_trim((struct text){ line->at + word.len, line->len - word.len });
	return word;
}

static bool
add_line(struct hosts *h, struct text line, struct out *why)
{
	char pin[TRUST_DIGITS] = "";
	struct text name;

	line = text_trim(text_cut(&line, '#'));
	if (line.len > 0 && line.at[line.len - 1] == '\r') {
		line = text_trim((struct text){ line.at, line.len - 1 });
	}
	if (line.len == 0) {
		return true;
	}
	name = take_word(&line);
	/* The rest is the fingerprint, as people copy it: also with blanks in its prefix. */
	return (line.len == 0 || device_parse_pin(line, pin, why)) && hosts_add(h, name, pin, why);
}

static bool
add_lines(struct hosts *h, struct text rest, const char *path, struct out *why)
{
	char text[256];
	struct out reason = OUT(text);

	for (unsigned number = 1; rest.len > 0; number++) {
		if (!add_line(h, text_cut(&rest, '\n'), &reason)) {
			plain_put(why, text_of(path));
			out_char(why, ':');
			out_number(why, number);
			out_string(why, ": ");
			return tell(why, out_finish(&reason));
		}
	}
	return true;
}

bool
hosts_read(struct hosts *h, const char *path, struct out *why)
{
	char text[256];
	struct out reason = OUT(text);
	uint8_t *file = malloc(FILE_MAX);
	size_t len;
	bool is_read;

	if (file == NULL) {
		return tell(why, "there is no memory");
	}
	is_read = disk_read(path, file, FILE_MAX, &len, &reason);
	if (is_read) {
		is_read = add_lines(h, (struct text){ (const char *)file, len }, path, why);
	} else {
		(void)tell_about(why, path, out_finish(&reason));
	}
	free(file);
	return is_read;
}

const char *
hosts_outcome(const struct host *host)
{
	static const char *const outcomes[] = {
		[HOST_AS_BEFORE] = "as before", [HOST_PROVISIONED] = "provisioned",
		[HOST_UNKNOWN] = "unknown",
	};

	return outcomes[host->outcome];
}

/* A field and, unless the line ends behind it, blanks up to the next one. */
static void
put_field(struct out *o, const char *text, size_t width)
{
	out_string(o, text);
	for (size_t n = strlen(text); n < width + 2; n++) {
		out_char(o, ' ');
	}
}

/* The widest name, unless that is very long; and whether there is any fingerprint. */
static size_t
find_width(const struct hosts *h, bool *is_any_known)
{
	size_t width = sizeof "HOST" - 1;

	*is_any_known = false;
	for (size_t i = 0; i < h->count; i++) {
		size_t n = strlen(h->item[i].name);

		width = n > width && n <= HOST_WIDTH_MAX ? n : width;
		*is_any_known = *is_any_known || h->item[i].is_known;
	}
	return width;
}

void
hosts_put_row(const struct hosts *h, size_t number, struct out *o)
{
	const struct host *host = number > 0 ? &h->item[number - 1] : NULL;
	char day[UNTIL_WIDTH + 1], hash[FINGERPRINT_WIDTH + 1];
	struct out until = OUT(day), fingerprint = OUT(hash);
	bool is_any_known;
	size_t width = find_width(h, &is_any_known);

	if (host != NULL && host->is_known) {
		x509_put_day(&until, host->until_s);
		x509_put_fingerprint(&fingerprint, host->fingerprint);
	}
	put_field(o, host == NULL ? "HOST" : host->name, width);
	put_field(o, host == NULL ? "OUTCOME" : hosts_outcome(host), sizeof "provisioned" - 1);
	put_field(o, host == NULL ? "UNTIL" : out_finish(&until), UNTIL_WIDTH);
	put_field(o, host == NULL ? "FINGERPRINT" : out_finish(&fingerprint),
		is_any_known ? FINGERPRINT_WIDTH : sizeof "FINGERPRINT" - 1);
	out_string(o, host == NULL ? "REASON" : host->reason);
	while (o->len > 0 && o->at[o->len - 1] == ' ') {
		o->len--;
	}
	out_char(o, '\n');
}

void
hosts_free(struct hosts *h)
{
	free(h->item);
	*h = (struct hosts){ .item = NULL };
}
