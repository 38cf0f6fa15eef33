/* SPDX-License-Identifier: MIT */
/*
 * What a CA has signed: see index.h. A line is read by taking its fields apart and writing them
 * again: it is good where that gives the same line.
 */
#include "index.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "date.h"
#include "hex.h"
#include "isodate.h"
#include "issue.h"
#include "tell.h"

static void
put_quoted(struct out *o, const char *name, const char *value)
{
	out_string(o, name);
	out_char(o, '"');
	out_escaped(o, text_of(value));
	out_char(o, '"');
}

/* An entry as a line, with its end. */
static void
put_entry(struct out *o, const struct index_entry *e)
{
	out_string(o, "signed=");
	date_put_iso(o, e->signed_s);
	out_string(o, " until=");
	date_put_iso(o, e->until_s);
	out_string(o, " serial=");
	out_string(o, e->serial);
	out_string(o, " profile=");
	out_string(o, e->profile);
	out_string(o, e->is_renewal ? " renewal=yes" : " renewal=no");
	out_string(o, " fingerprint=");
	out_hex(o, e->fingerprint, sizeof e->fingerprint);
	out_string(o, " key=");
	out_hex(o, e->key, sizeof e->key);
	put_quoted(o, " file=", e->file);
	put_quoted(o, " subject=", e->subject);
	out_char(o, '\n');
}

/* The next word of a line: what follows "NAME=". Empty where it is another one. */
static struct text
take_value(struct text *line, const char *name)
{
	struct text word = text_cut(line, ' ');
	size_t len = strlen(name);

	if (word.len < len || memcmp(word.at, name, len) != 0) {
		return (struct text){ "", 0 };
	}
	return (struct text){ word.at + len, word.len - len };
}

/* One that is none becomes one that is written in another way. */
static int64_t
take_time(struct text *line, const char *name)
{
	int64_t time_s = 0;

	(void)isodate_read(take_value(line, name), &time_s);
	return time_s;
}

/* Where it is none, the line will not be the same again. */
static void
take_hash(struct text *line, const char *name, uint8_t hash[32])
{
	(void)hex_read(take_value(line, name), hash, 32);
}

/* Without quotes and escapes; empty where it is too long. */
static void
take_quoted(struct text *line, const char *name, char *dst, size_t cap)
{
	struct text t = take_value(line, name);
	struct out o = { .at = dst, .cap = cap };
	uint8_t c;

	for (size_t i = 1; i + 1 < t.len; i++) {
		if (t.at[i] == '\\' && i + 4 < t.len && hex_read((struct text){ t.at + i + 2, 2 }, &c, 1)) {
			out_char(&o, (char)c);
			i += 3;
		} else {
			out_char(&o, t.at[i]);
		}
	}
	out_char(&o, '\0');
	if (o.cut) {
		dst[0] = '\0';
	}
}

static const char *
take_profile(struct text *line)
{
	struct text t = take_value(line, "profile=");
	enum profile p = PROFILE_DEVICE;

	while (p < PROFILE_CA && !text_same(t, issue_profile_name(p))) {
		p++;
	}
	return issue_profile_name(p);
}

/* Read a line, without its end. */
static bool
read_entry(struct text line, struct index_entry *e)
{
	char again[INDEX_LINE_MAX];
	struct out o = OUT(again);
	struct text rest = line;

	e->signed_s = take_time(&rest, "signed=");
	e->until_s = take_time(&rest, "until=");
	if (!text_copy(take_value(&rest, "serial="), e->serial, sizeof e->serial)) {
		e->serial[0] = '\0';
	}
	e->profile = take_profile(&rest);
	e->is_renewal = text_same(take_value(&rest, "renewal="), "yes");
	take_hash(&rest, "fingerprint=", e->fingerprint);
	take_hash(&rest, "key=", e->key);
	take_quoted(&rest, "file=", e->file, sizeof e->file);
	take_quoted(&rest, "subject=", e->subject, sizeof e->subject);
	put_entry(&o, e);
	return o.len == line.len + 1 && memcmp(again, line.at, line.len) == 0
		&& e->serial[0] != '\0' && strspn(e->serial, "0123456789abcdef") == strlen(e->serial);
}

/* Room for one more. */
static bool
grow(struct index *x, struct out *why)
{
	size_t room = x->room == 0 ? 64 : 2 * x->room;
	struct index_entry *entry;

	if (x->count < x->room) {
		return true;
	}
	entry = realloc(x->entry, room * sizeof *entry);
	if (entry == NULL) {
		return tell(why, "there is not enough memory");
	}
	x->entry = entry;
	x->room = room;
	return true;
}

static bool
tell_broken(size_t number, struct out *why)
{
	out_string(why, "line ");
	out_number(why, number);
	return tell(why, " is broken: put it right, or restore the file from a backup");
}

/* Take the whole lines of a buffer; `*len` becomes what is left of it, moved to its start. */
static bool
take_lines(struct index *x, char *buffer, size_t *len, struct out *why)
{
	char *at = buffer;
	char *end;

	while ((end = memchr(at, '\n', *len)) != NULL) {
		if (!grow(x, why)) {
			return false;
		}
		if (!read_entry((struct text){ at, (size_t)(end - at) }, &x->entry[x->count])) {
			return tell_broken(x->count + 1, why);
		}
		x->count++;
		*len -= (size_t)(end + 1 - at);
		at = end + 1;
	}
	memmove(buffer, at, *len);
	return true;
}

/* Take back what stands behind `end`; from there on it will be read again. */
static bool
cut_off(const struct index *x, off_t end)
{
	return ftruncate(x->fd, end) == 0 && lseek(x->fd, end, SEEK_SET) == end && fsync(x->fd) == 0;
}

/* Take what follows the last line end: an editor may have dropped that, or a crash the rest. */
static bool
take_tail(struct index *x, struct text tail, bool to_write, struct out *why)
{
	off_t end;

	if (tail.len == 0) {
		return true;
	}
	if (!grow(x, why)) {
		return false;
	}
	if (read_entry(tail, &x->entry[x->count])) {
		x->count++;
		if (to_write) {
			x->warning = "its last line had no end, and got one";
		}
		return !to_write || (write(x->fd, "\n", 1) == 1 && fsync(x->fd) == 0)
			|| tell(why, strerror(errno));
	}
	x->warning = to_write ? "it ended in a torn line, which was cut off"
		: "it ends in a torn line, which was left out";
	if (!to_write) {
		return true;
	}
	end = lseek(x->fd, 0, SEEK_CUR);
	return (end >= 0 && cut_off(x, end - (off_t)tail.len)) || tell(why, strerror(errno));
}

/* Read all of it. */
static bool
read_lines(struct index *x, bool to_write, struct out *why)
{
	char buffer[2 * INDEX_LINE_MAX];
	size_t len = 0;
	ssize_t n;

	for (;;) {
		n = read(x->fd, buffer + len, sizeof buffer - len);
		if (n == 0) {
			return take_tail(x, (struct text){ buffer, len }, to_write, why);
		}
		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n < 0) {
			return tell(why, strerror(errno));
		}
		len += (size_t)n;
		if (!take_lines(x, buffer, &len, why)) {
			return false;
		}
		if (len == sizeof buffer) {
			return tell_broken(x->count + 1, why);
		}
	}
}

/* Wait for the lock, and say so where that takes time. */
static bool
wait_for_lock(const struct index *x)
{
	int err = flock(x->fd, LOCK_EX | LOCK_NB);

	if (err != 0 && errno == EWOULDBLOCK) {
		(void)fprintf(stderr, "cubsign: %s: another run signs with this CA: waiting for it\n",
			x->path);
		do {
			err = flock(x->fd, LOCK_EX);
		} while (err != 0 && errno == EINTR);
	}
	return err == 0;
}

/* Is the file that is open the one that has the name? A lock on any other keeps nobody out. */
static bool
is_in_place(const struct index *x)
{
	struct stat here, there;

	return fstat(x->fd, &here) == 0 && stat(x->path, &there) == 0
		&& here.st_dev == there.st_dev && here.st_ino == there.st_ino;
}

/* Open the file, and make it where there is none and it is to be written. */
static bool
open_file(struct index *x, bool to_write)
{
	/* Not to wait where it is a FIFO. */
	int flags = (to_write ? O_RDWR | O_APPEND : O_RDONLY) | O_CLOEXEC | O_NONBLOCK;

	x->is_new = false;
	x->fd = open(x->path, flags);
	if (x->fd < 0 && errno == ENOENT && to_write) {
		x->fd = open(x->path, flags | O_CREAT | O_EXCL, 0644);
		x->is_new = x->fd >= 0;
	}
	return x->fd >= 0;
}

/* Open and lock it. */
static bool
open_to_write(struct index *x)
{
	struct stat st;

	for (;;) {
		/* Another run may make it at the same moment, and it may be a link to nowhere. */
		if (!open_file(x, true) && (errno != EEXIST || !open_file(x, true))) {
			return false;
		}
		if (fstat(x->fd, &st) == 0 && !S_ISREG(st.st_mode)) {
			return true;
		}
		if (!wait_for_lock(x)) {
			return false;
		}
		if (is_in_place(x)) {
			return true;
		}
		(void)close(x->fd);
	}
}

/* Read and mend an index whose file is open. */
static bool
start(struct index *x, bool to_write, struct out *why)
{
	struct stat st;

	if (fstat(x->fd, &st) != 0) {
		return tell(why, strerror(errno));
	}
	if (!S_ISREG(st.st_mode)) {
		return tell(why, "it is no file");
	}
	if (!read_lines(x, to_write, why)) {
		return false;
	}
	if (x->is_new) {
		x->warning = "it is new: what this CA may have signed before is not in it";
	}
	/* While it is empty, a crash may have come between making it and syncing its folder. */
	return !to_write || x->count > 0 || disk_sync_folder(x->path)
		|| tell(why, strerror(errno));
}

bool
index_open(struct index *x, const char *base, bool to_write, struct out *why)
{
	char reason[256];
	struct out o = OUT(reason);
	bool is_open;

	*x = (struct index){ .fd = -1 };
	if (!disk_path(x->path, base, ".index", why)) {
		return false;
	}
	is_open = to_write ? open_to_write(x) : open_file(x, false);
	if (!is_open && errno == ENOENT && !to_write) {
		return true;
	}
	if (!is_open ? !tell(&o, strerror(errno)) : !start(x, to_write, &o)) {
		(void)tell_about(why, x->path, out_finish(&o));
		index_close(x);
		return false;
	}
	if (!to_write) {
		(void)close(x->fd);
		x->fd = -1;
	}
	return true;
}

void
index_unlock(struct index *x)
{
	(void)flock(x->fd, LOCK_UN);
}

/* What others have added. */
static bool
read_on(struct index *x, struct out *why)
{
	struct stat st;

	x->warning = NULL;
	if (fstat(x->fd, &st) != 0) {
		return tell(why, strerror(errno));
	}
	/* Where somebody has cut it, what is there now may not end like a line. */
	return st.st_size >= lseek(x->fd, 0, SEEK_CUR) ? read_lines(x, true, why)
		: tell(why, "it has become shorter while it was in use");
}

bool
index_lock(struct index *x, struct out *why)
{
	char reason[256];
	struct out o = OUT(reason);

	if (!wait_for_lock(x)) {
		return tell_about(why, x->path, strerror(errno));
	}
	if (!read_on(x, &o)) {
		index_unlock(x);
		return tell_about(why, x->path, out_finish(&o));
	}
	return true;
}

void
index_close(struct index *x)
{
	if (x->fd >= 0) {
		(void)close(x->fd);
	}
	free(x->entry);
	*x = (struct index){ .fd = -1 };
}

void
index_warn(const struct index *x)
{
	if (x->warning != NULL) {
		(void)fprintf(stderr, "cubsign: %s: %s\n", x->path, x->warning);
	}
}

/* Null, or why nothing can be added. */
static const char *
check_ready(const struct index *x, const struct out *line)
{
	return line->cut ? "the line is too long"
		: x->is_stuck ? "what a failed write has left there could not be taken back"
		: !is_in_place(x) ? "it was moved away or replaced while it was in use" : NULL;
}

bool
index_add(struct index *x, const struct index_entry *entry, struct out *why)
{
	char line[INDEX_LINE_MAX];
	struct out o = OUT(line);
	struct stat st;
	const char *reason;
	ssize_t n;

	put_entry(&o, entry);
	reason = check_ready(x, &o);
	if (reason != NULL) {
		return tell_about(why, "the index can't be written", reason);
	}
	if (!grow(x, why)) {
		return false;
	}
	if (fstat(x->fd, &st) != 0) {
		return tell_about(why, "the index can't be written", strerror(errno));
	}
	do {
		n = write(x->fd, line, o.len);
	} while (n < 0 && errno == EINTR);
	if (n == (ssize_t)o.len && fsync(x->fd) == 0) {
		x->entry[x->count++] = *entry;
		return true;
	}
	reason = n >= 0 && n < (ssize_t)o.len ? "the disk is full" : strerror(errno);
	x->is_stuck = !cut_off(x, st.st_size);
	return tell_about(why, "the index can't be written", reason);
}

bool
index_has_key(const struct index *x, const uint8_t key[32])
{
	for (size_t i = 0; i < x->count; i++) {
		if (memcmp(x->entry[i].key, key, sizeof x->entry[i].key) == 0) {
			return true;
		}
	}
	return false;
}
