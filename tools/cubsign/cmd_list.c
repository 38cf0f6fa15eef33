/* SPDX-License-Identifier: MIT */
/* `cubsign list`: what a CA has signed, and what of it ends soon. */
#include "command.h"

#include <stdlib.h>
#include <string.h>

#include "authority.h"
#include "clock.h"
#include "date.h"
#include "disk.h"
#include "plain.h"
#include "report.h"
#include "tell.h"

#define DAY_S         86400
#define EXPIRING_DAYS 30

/* In the table. */
#define SERIAL_SHOWN      12  /* digits of a serial number */
#define SUBJECT_WIDTH_MAX 40

enum state { STATE_VALID, STATE_EXPIRES, STATE_EXPIRED, STATE_RENEWED, STATES };

static const char *const state_name[STATES] = { "valid", "expires", "expired", "renewed" };

struct list {
	struct index index;
	enum state *state;    /* of each entry, by malloc(3) */
	unsigned count[STATES];
	uint32_t days;
};

/* By key and profile, and of the same ones in the order of signing. */
static int
compare(const void *x, const void *y)
{
	const struct index_entry *a = *(const struct index_entry *const *)x;
	const struct index_entry *b = *(const struct index_entry *const *)y;
	int order = memcmp(a->key, b->key, sizeof a->key);

	if (order == 0) {
		order = strcmp(a->profile, b->profile);
	}
	return order != 0 ? order : a < b ? -1 : a > b;
}

/* Those that a newer one has replaced. */
static bool
find_renewed(struct list *list, struct out *why)
{
	size_t count = list->index.count;
	const struct index_entry **by_key = malloc((count + 1) * sizeof *by_key);

	if (by_key == NULL) {
		return tell(why, "there is not enough memory");
	}
	for (size_t i = 0; i < count; i++) {
		by_key[i] = &list->index.entry[i];
	}
	qsort(by_key, count, sizeof *by_key, compare);
	for (size_t i = 0; i + 1 < count; i++) {
		if (memcmp(by_key[i]->key, by_key[i + 1]->key, sizeof by_key[i]->key) == 0
			&& by_key[i]->profile == by_key[i + 1]->profile) {
			list->state[by_key[i] - list->index.entry] = STATE_RENEWED;
		}
	}
	free(by_key);
	return true;
}

static bool
judge(struct list *list, int64_t now_s, struct out *why)
{
	list->state = calloc(list->index.count + 1, sizeof *list->state);
	if (list->state == NULL) {
		return tell(why, "there is not enough memory");
	}
	if (!find_renewed(list, why)) {
		return false;
	}
	for (size_t i = 0; i < list->index.count; i++) {
		int64_t left_s = list->index.entry[i].until_s - now_s;

		if (list->state[i] == STATE_VALID && left_s < (int64_t)list->days * DAY_S) {
			list->state[i] = left_s < 0 ? STATE_EXPIRED : STATE_EXPIRES;
		}
		list->count[list->state[i]]++;
	}
	return true;
}

/* What the index has read back from its escapes may be anything. */
static const char *
shown(struct out *o, const char *text)
{
	plain_put(o, text_of(text));
	return out_finish(o);
}

static bool
print_objects(const struct list *list)
{
	for (size_t i = 0; i < list->index.count; i++) {
		const struct index_entry *e = &list->index.entry[i];
		char text[4096], file[1024], subject[1024];
		struct out o = OUT(text), f = OUT(file), s = OUT(subject);
		struct report r;

		out_string(&o, i == 0 ? "[" : ",\n");
		r = report_start(&o, true);
		report_time(&r, "signed", e->signed_s);
		report_time(&r, "not_after", e->until_s);
		report_text(&r, "state", state_name[list->state[i]]);
		report_text(&r, "serial", e->serial);
		report_text(&r, "profile", e->profile);
		report_flag(&r, "renewal", e->is_renewal);
		report_hash(&r, "fingerprint", e->fingerprint);
		report_hash(&r, "key", e->key);
		report_text(&r, "file", shown(&f, e->file));
		report_text(&r, "subject", shown(&s, e->subject));
		report_end(&r);
		if (!command_print(&o)) {
			return false;
		}
	}
	return true;
}

static size_t
count_characters(const char *text)
{
	size_t n = 0;

	for (; *text != '\0'; text++) {
		n += (*text & 0xC0) != 0x80;
	}
	return n;
}

enum { COLUMN_SUBJECT = 5, COLUMN_FILE, COLUMNS };

struct row {
	const char *column[COLUMNS];
};

/* One line; the subjects take `width`, so that the files stand below each other. */
static bool
print_row(const struct row *row, size_t width)
{
	static const uint8_t widths[COLUMNS] = { 10, 10, 7, 7, SERIAL_SHOWN };
	char text[4096];
	struct out o = OUT(text);

	for (size_t i = 0; i < COLUMNS; i++) {
		size_t wanted = i == COLUMN_SUBJECT ? width : widths[i];

		out_string(&o, row->column[i]);
		for (size_t n = count_characters(row->column[i]); n < wanted; n++) {
			out_char(&o, ' ');
		}
		out_string(&o, i == COLUMN_FILE ? "\n" : "  ");
	}
	return command_print(&o);
}

static bool
print_entry(const struct index_entry *e, enum state state, size_t width)
{
	char from[16], until[16], serial[SERIAL_SHOWN + 1], subject[1024], file[1024];
	struct out f = OUT(from), u = OUT(until), n = OUT(serial), s = OUT(subject), at = OUT(file);

	x509_put_day(&f, e->signed_s);
	x509_put_day(&u, e->until_s);
	out_put(&n, e->serial, strnlen(e->serial, SERIAL_SHOWN));
	return print_row(&(struct row){ {
		out_finish(&f), out_finish(&u), state == STATE_VALID ? "" : state_name[state],
		e->profile, out_finish(&n), shown(&s, e->subject), shown(&at, e->file),
	} }, width);
}

/* The longest subject, unless that is very long. */
static size_t
find_width(const struct index *index)
{
	size_t width = sizeof "SUBJECT" - 1;

	for (size_t i = 0; i < index->count; i++) {
		size_t n = count_characters(index->entry[i].subject);

		width = n > width && n <= SUBJECT_WIDTH_MAX ? n : width;
	}
	return width;
}

static bool
print_table(const struct list *list)
{
	static const struct row head = { {
		"SIGNED", "UNTIL", "STATE", "PROFILE", "SERIAL", "SUBJECT", "FILE",
	} };
	size_t width = find_width(&list->index);
	bool is_printed = print_row(&head, width);

	for (size_t i = 0; i < list->index.count && is_printed; i++) {
		is_printed = print_entry(&list->index.entry[i], list->state[i], width);
	}
	return is_printed;
}

static bool
print_sum(const struct list *list)
{
	char text[128];
	struct out o = OUT(text);

	out_number(&o, list->index.count);
	out_string(&o, list->index.count == 1 ? " certificate, " : " certificates, ");
	out_number(&o, list->count[STATE_EXPIRED]);
	out_string(&o, " expired, ");
	out_number(&o, list->count[STATE_EXPIRES]);
	out_string(&o, list->count[STATE_EXPIRES] == 1 ? " expires" : " expire");
	out_string(&o, " within ");
	out_number(&o, list->days);
	out_string(&o, list->days == 1 ? " day\n" : " days\n");
	return command_print(&o);
}

static bool
print_all(const struct list *list, bool json)
{
	struct out end = { .at = NULL };
	char text[8];

	if (json) {
		end = OUT(text);
		out_string(&end, list->index.count == 0 ? "[]\n" : "]\n");
		return print_objects(list) && command_print(&end);
	}
	return (list->index.count == 0 || print_table(list)) && print_sum(list);
}

int
command_list(const struct options *o)
{
	char text[512 + DISK_PATH_MAX];
	struct out why = OUT(text);
	struct list list = { .days = 0 };
	struct authority authority;
	bool is_done;

	if (!options_number(o, OPT_EXPIRING, 0, 36500, EXPIRING_DAYS, &list.days, &why)) {
		return command_fail(EXIT_USAGE, "list", &why);
	}
	/* A CA that isn't there has signed nothing, but that is not what was asked. */
	if (!authority_read(&authority, o->value[OPT_CA], &why)
		|| !index_open(&list.index, o->value[OPT_CA], false, &why)) {
		return command_fail(EXIT_REFUSED, NULL, &why);
	}
	index_warn(&list.index);
	if (!judge(&list, clock_now(), &why)) {
		(void)command_fail(EXIT_REFUSED, NULL, &why);
		is_done = false;
	} else {
		is_done = print_all(&list, options_has(o, OPT_JSON));
	}
	free(list.state);
	index_close(&list.index);
	return is_done ? EXIT_DONE : EXIT_REFUSED;
}
