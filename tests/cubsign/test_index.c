/* SPDX-License-Identifier: MIT */
/*
 * The index of a CA, in a folder of its own on the real disk: what a crash can leave of it, what
 * hands can do to it, and what happens where it can't be written.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host.h"
#include "index.h"
#include "issue.h"

static char base[80], file[96];
static char reason[2048];
static struct out why;
static struct index x;

static int
setup(void **state)
{
	(void)state;
	host_make_folder();
	(void)snprintf(base, sizeof base, "%s/ca", host_folder);
	(void)snprintf(file, sizeof file, "%s.index", base);
	why = OUT(reason);
	x = (struct index){ .fd = -1 };
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	index_close(&x);
	return host_remove_folder(state);
}

static bool
open_index(bool to_write)
{
	index_close(&x);
	why = OUT(reason);
	return index_open(&x, base, to_write, &why);
}

static const char *
told(void)
{
	return out_finish(&why);
}

static void
assert_told(const char *part)
{
	if (strstr(told(), part) == NULL) {
		fail_msg("\"%s\" does not say \"%s\"", told(), part);
	}
}

/* The entry number `n`, the same for the same number. */
static struct index_entry
make_entry(unsigned n)
{
	struct index_entry e = {
		.signed_s = 1893456000 + n, .until_s = 2208988800 + n,
		.profile = issue_profile_name((enum profile)(n % 3)), .is_renewal = n % 2 == 1,
	};

	memset(e.fingerprint, (int)(n * 7 & 0xFF), sizeof e.fingerprint);
	memset(e.key, (int)(n * 13 & 0xFF), sizeof e.key);
	memcpy(e.key, &n, sizeof n);
	(void)snprintf(e.serial, sizeof e.serial, "01%032x", n);
	(void)snprintf(e.file, sizeof e.file, "out/router-%u.crt", n);
	(void)snprintf(e.subject, sizeof e.subject, "CN=router-%u, O=Acme", n);
	return e;
}

static void
add(unsigned n)
{
	struct index_entry e = make_entry(n);

	if (!index_add(&x, &e, &why)) {
		fail_msg("%u: %s", n, told());
	}
}

static void
assert_same(const struct index_entry *a, const struct index_entry *b)
{
	assert_int_equal(a->signed_s, b->signed_s);
	assert_int_equal(a->until_s, b->until_s);
	assert_string_equal(a->profile, b->profile);
	assert_int_equal(a->is_renewal, b->is_renewal);
	assert_memory_equal(a->fingerprint, b->fingerprint, 32);
	assert_memory_equal(a->key, b->key, 32);
	assert_string_equal(a->serial, b->serial);
	assert_string_equal(a->file, b->file);
	assert_string_equal(a->subject, b->subject);
}

static void
assert_entries(unsigned count)
{
	assert_int_equal(x.count, count);
	for (unsigned i = 0; i < count; i++) {
		struct index_entry e = make_entry(i);

		assert_same(&x.entry[i], &e);
	}
}

static size_t
read_file(char *dst, size_t cap)
{
	FILE *f = fopen(file, "rb");
	size_t len;

	assert_non_null(f);
	len = fread(dst, 1, cap, f);
	(void)fclose(f);
	return len;
}

static void
write_file(const char *src, size_t len)
{
	FILE *f = fopen(file, "wb");

	assert_non_null(f);
	assert_int_equal(fwrite(src, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

/* An index of so many entries, as a file; returns its length. */
static size_t
make_file(unsigned count, char *dst, size_t cap)
{
	assert_true(open_index(true));
	for (unsigned i = 0; i < count; i++) {
		add(i);
	}
	index_close(&x);
	return read_file(dst, cap);
}

static void
what_was_added_is_read_again(void **state)
{
	char text[16384];
	size_t len = make_file(5, text, sizeof text);
	const char *expected = "signed=2030-01-01T00:00:00Z until=2040-01-01T00:00:00Z "
		"serial=0100000000000000000000000000000000 profile=device renewal=no fingerprint=0000";

	(void)state;
	assert_true(len > strlen(expected));
	assert_memory_equal(text, expected, strlen(expected));
	assert_true(open_index(false));
	assert_entries(5);
	assert_null(x.warning);
	assert_int_equal(x.fd, -1);
	assert_true(open_index(true));
	assert_entries(5);
	add(5);
	assert_entries(6);
	assert_true(open_index(false));
	assert_entries(6);
}

static void
an_index_that_is_missing_is_empty_and_only_made_to_be_written(void **state)
{
	(void)state;
	assert_true(open_index(false));
	assert_int_equal(x.count, 0);
	assert_int_not_equal(access(file, F_OK), 0);
	assert_null(x.warning);
	assert_true(open_index(true));
	assert_int_equal(x.count, 0);
	assert_int_equal(access(file, F_OK), 0);
	assert_true(x.is_new);
	assert_non_null(x.warning);
	assert_true(open_index(true));
	assert_false(x.is_new);
	assert_null(x.warning);
	index_close(&x);
	/* A link to nowhere is not followed for ever. */
	assert_int_equal(unlink(file), 0);
	assert_int_equal(symlink("nowhere", file), 0);
	assert_false(open_index(true));
}

static void
texts_of_any_bytes_come_back_and_stay_within_their_line(void **state)
{
	struct index_entry e = make_entry(1);
	char text[8192];
	size_t len;

	(void)state;
	for (int i = 0; i < 255; i++) {
		e.subject[i] = (char)(i + 1);
		e.file[i] = (char)(255 - i);
	}
	e.subject[255] = e.file[255] = '\0';
	assert_true(open_index(true));
	assert_true(index_add(&x, &e, &why));
	e.file[0] = e.subject[0] = '\0';
	assert_true(index_add(&x, &e, &why));
	(void)snprintf(e.file, sizeof e.file, "a\" subject=\"CN=x\"\nsigned=");
	assert_true(index_add(&x, &e, &why));
	assert_true(open_index(false));
	assert_int_equal(x.count, 3);
	assert_same(&x.entry[2], &e);
	for (int i = 0; i < 255; i++) {
		assert_int_equal((unsigned char)x.entry[0].subject[i], i + 1);
		assert_int_equal((unsigned char)x.entry[0].file[i], 255 - i);
	}
	len = read_file(text, sizeof text);
	for (size_t i = 0; i < len; i++) {
		assert_true(text[i] == '\n' || (text[i] >= ' ' && text[i] < 0x7F));
	}
}

static void
a_last_line_that_is_torn_at_any_byte_is_cut_off_by_the_next_writer_only(void **state)
{
	char text[16384], after[16384];
	size_t two = make_file(2, text, sizeof text);
	size_t three = make_file(0, text, sizeof text);

	(void)state;
	assert_int_equal(two, three);
	assert_true(open_index(true));
	add(2);
	three = read_file(text, sizeof text);
	for (size_t len = two + 1; len < three - 1; len++) {
		write_file(text, len);
		assert_true(open_index(false));
		assert_entries(2);
		assert_non_null(x.warning);
		assert_int_equal(read_file(after, sizeof after), len);

		assert_true(open_index(true));
		assert_entries(2);
		assert_non_null(x.warning);
		assert_int_equal(read_file(after, sizeof after), two);
		add(2);
		assert_int_equal(read_file(after, sizeof after), three);
		assert_memory_equal(after, text, three);
	}
}

static void
a_last_line_that_lacks_only_its_end_is_an_entry_and_gets_one(void **state)
{
	char text[16384], after[16384];
	size_t three = make_file(3, text, sizeof text);

	(void)state;
	write_file(text, three - 1);
	assert_true(open_index(false));
	assert_entries(3);
	assert_null(x.warning);
	assert_int_equal(read_file(after, sizeof after), three - 1);

	assert_true(open_index(true));
	assert_entries(3);
	assert_non_null(x.warning);
	assert_int_equal(read_file(after, sizeof after), three);
	assert_memory_equal(after, text, three);
	add(3);
	assert_true(open_index(true));
	assert_entries(4);
	assert_null(x.warning);
}

static void
a_tail_of_zeros_is_torn_too(void **state)
{
	char text[16384];
	size_t two = make_file(2, text, sizeof text);

	(void)state;
	memset(text + two, 0, 4096);
	write_file(text, two + 4096);
	assert_true(open_index(true));
	assert_entries(2);
	assert_non_null(x.warning);
	assert_int_equal(read_file(text, sizeof text), two);
}

static void
a_line_with_any_byte_changed_is_an_error_that_names_it(void **state)
{
	char text[16384], changed[16384], after[16384];
	size_t len = make_file(3, text, sizeof text);
	size_t first = (size_t)((char *)memchr(text, '\n', len) + 1 - text);
	size_t second = (size_t)((char *)memchr(text + first, '\n', len - first) + 1 - text);
	char says[160];

	(void)state;
	(void)snprintf(says, sizeof says, "%s: line 2 is broken", file);
	for (size_t i = first; i < second; i++) {
		/* In the middle of values there are other good ones; these bytes are never good. */
		memcpy(changed, text, len);
		changed[i] = i % 2 == 0 ? '\0' : '\x7F';
		write_file(changed, len);
		assert_false(open_index(true));
		assert_told(says);
		assert_int_equal(x.fd, -1);
		assert_false(open_index(false));
		assert_told(says);
		assert_int_equal(read_file(after, sizeof after), len);
		assert_memory_equal(after, changed, len);
	}
}

/* `line` as the second of three. */
static void
assert_broken(const char *line)
{
	char text[16384], all[32768];
	size_t len = make_file(2, text, sizeof text);
	size_t first = (size_t)((char *)memchr(text, '\n', len) + 1 - text);
	size_t middle = strlen(line);

	memcpy(all, text, first);
	memcpy(all + first, line, middle);
	memcpy(all + first + middle, text + first, len - first);
	write_file(all, len + middle);
	if (open_index(true)) {
		fail_msg("taken: %s", line);
	}
	assert_told("line 2 is broken");
	assert_int_equal(unlink(file), 0);
}

static void
lines_that_are_not_as_they_would_be_written_are_broken(void **state)
{
#define DATES "signed=2030-01-01T00:00:00Z until=2040-01-01T00:00:00Z"
#define HASH  "0000000000000000000000000000000000000000000000000000000000000000"
#define HASHES " fingerprint=" HASH " key=" HASH
#define TEXTS " file=\"a\" subject=\"b\""
	static const char *const lines[] = {
		"\n", " \n", "# a comment\n", "signed\n", "signed=\n",
		DATES " serial=01 profile=device renewal=no" HASHES TEXTS "\r\n",
		DATES " serial=01 profile=device renewal=no" HASHES TEXTS " \n",
		DATES " serial=01 profile=device renewal=no" HASHES TEXTS " more=1\n",
		" " DATES " serial=01 profile=device renewal=no" HASHES TEXTS "\n",
		DATES "  serial=01 profile=device renewal=no" HASHES TEXTS "\n",
		DATES " serial= profile=device renewal=no" HASHES TEXTS "\n",
		DATES " serial=0G profile=device renewal=no" HASHES TEXTS "\n",
		DATES " serial=01 profile=server renewal=no" HASHES TEXTS "\n",
		DATES " serial=01 profile= renewal=no" HASHES TEXTS "\n",
		DATES " serial=01 profile=device renewal=maybe" HASHES TEXTS "\n",
		DATES " serial=01 profile=device" HASHES TEXTS "\n",
		DATES " serial=01 profile=device renewal=no key=" HASH " fingerprint=" HASH TEXTS "\n",
		DATES " serial=01 profile=device renewal=no" HASHES " file=a subject=\"b\"\n",
		DATES " serial=01 profile=device renewal=no" HASHES " file=\"a\" subject=\"b\n",
		DATES " serial=01 profile=device renewal=no" HASHES " file=\"\\x61\" subject=\"b\"\n",
		DATES " serial=01 profile=device renewal=no" HASHES " file=\"\\x00\" subject=\"b\"\n",
		DATES " serial=01 profile=device renewal=no" HASHES " file=\"\\x0A\" subject=\"b\"\n",
		DATES " serial=01 profile=device renewal=no" HASHES " file=\"\\\" subject=\"b\"\n",
		DATES " serial=01 profile=device renewal=no fingerprint=00 key=" HASH TEXTS "\n",
		"signed=2030-02-30T00:00:00Z until=2040-01-01T00:00:00Z serial=01 profile=device "
			"renewal=no" HASHES TEXTS "\n",
		"signed=2030-00-00T00:00:00Z until=2040-01-01T00:00:00Z serial=01 profile=device "
			"renewal=no" HASHES TEXTS "\n",
		"signed=2030-01-01T00:00:60Z until=2040-01-01T00:00:00Z serial=01 profile=device "
			"renewal=no" HASHES TEXTS "\n",
		"signed=2030-01-01 until=2040-01-01T00:00:00Z serial=01 profile=device "
			"renewal=no" HASHES TEXTS "\n",
	};
	char text[INDEX_LINE_MAX * 3];

	(void)state;
	for (size_t i = 0; i < LEN(lines); i++) {
		assert_broken(lines[i]);
	}
	memset(text, 'a', sizeof text);
	text[sizeof text - 2] = '\n';
	text[sizeof text - 1] = '\0';
	assert_broken(text);
	/* One that is good, so that the others are broken for what they say. */
	assert_true(open_index(true));
	(void)snprintf(text, sizeof text, "%s\n",
		DATES " serial=01 profile=device renewal=no" HASHES TEXTS);
	write_file(text, strlen(text));
	assert_true(open_index(true));
	assert_int_equal(x.count, 1);
}

static void
a_full_disk_leaves_the_index_as_it_was_and_room_later_is_used(void **state)
{
	char text[16384], after[16384];
	size_t two = make_file(2, text, sizeof text);
	struct rlimit usual, tight;

	(void)state;
	assert_true(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &usual), 0);
	assert_true(open_index(true));
	/* Nothing of the line fits, or some of it does. */
	for (size_t room = 0; room < 300; room += 100) {
		struct index_entry e = make_entry(2);

		tight = (struct rlimit){ two + room, usual.rlim_max };
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
		why = OUT(reason);
		assert_false(index_add(&x, &e, &why));
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &usual), 0);
		assert_told("the index can't be written: ");
		assert_entries(2);
		assert_int_equal(read_file(after, sizeof after), two);
		assert_memory_equal(after, text, two);
	}
	add(2);
	assert_entries(3);
	assert_true(open_index(false));
	assert_entries(3);
}

static void
a_line_that_can_neither_be_written_nor_taken_back_stops_all_others(void **state)
{
	struct index_entry e = make_entry(0);

	(void)state;
	assert_true(open_index(true));
	add(0);
	(void)close(x.fd);
	x.fd = open(file, O_RDONLY);
	assert_false(index_add(&x, &e, &why));
	(void)close(x.fd);
	x.fd = open(file, O_RDWR | O_APPEND);
	why = OUT(reason);
	assert_false(index_add(&x, &e, &why));
	assert_told("could not be taken back");
	assert_true(open_index(false));
	assert_entries(1);
}

/*
 * One writer of several: in each of the rounds a key that the others sign, too. Every second one
 * opens the index anew each time, the others keep it open.
 */
static bool
write_rounds(unsigned writer, unsigned writers, unsigned rounds)
{
	bool is_good = freopen("/dev/null", "w", stderr) != NULL && open_index(true);

	for (unsigned i = 0; i < rounds && is_good; i++) {
		struct index_entry e = make_entry(writer + i * writers);

		memset(e.key, (int)i, sizeof e.key);
		index_unlock(&x);
		is_good = writer % 2 == 0 ? open_index(true) : index_lock(&x, &why);
		e.is_renewal = is_good && index_has_key(&x, e.key);
		(void)usleep(1000);  /* in which the others would come, if they could */
		is_good = is_good && index_add(&x, &e, &why);
	}
	return is_good;
}

static void
writers_wait_for_each_other_and_know_of_each_other(void **state)
{
	enum { WRITERS = 4, ROUNDS = 25 };
	unsigned firsts[ROUNDS] = { 0 };
	bool seen[WRITERS * ROUNDS] = { false };

	(void)state;
	for (unsigned w = 0; w < WRITERS; w++) {
		pid_t child = fork();

		assert_true(child >= 0);
		if (child == 0) {
			_exit(write_rounds(w, WRITERS, ROUNDS) ? 0 : 1);
		}
	}
	for (unsigned w = 0; w < WRITERS; w++) {
		int status;

		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	assert_true(open_index(false));
	assert_int_equal(x.count, WRITERS * ROUNDS);
	for (size_t i = 0; i < x.count; i++) {
		unsigned long n = strtoul(x.entry[i].serial + 2, NULL, 16);

		assert_true(n < WRITERS * ROUNDS && !seen[n]);
		seen[n] = true;
		assert_true(x.entry[i].key[0] < ROUNDS);
		firsts[x.entry[i].key[0]] += !x.entry[i].is_renewal;
	}
	for (size_t i = 0; i < ROUNDS; i++) {
		assert_int_equal(firsts[i], 1);
	}
}

static void
add_to(struct index *other, unsigned n)
{
	struct index_entry e = make_entry(n);

	assert_true(index_lock(other, &why));
	assert_true(index_add(other, &e, &why));
	index_unlock(other);
}

static void
who_keeps_it_open_reads_what_others_add_and_mends_what_they_tear(void **state)
{
	char text[16384], after[16384];
	struct index other;
	size_t len;

	(void)state;
	assert_true(open_index(true));
	index_unlock(&x);
	assert_true(index_open(&other, base, true, &why));
	index_unlock(&other);
	add_to(&other, 0);
	add_to(&x, 1);
	add_to(&other, 2);
	len = read_file(text, sizeof text);
	write_file(text, len);  /* as an editor does that saves in place */
	assert_int_equal(truncate(file, (off_t)len + 9), 0);
	assert_true(index_lock(&x, &why));
	assert_entries(3);
	assert_non_null(x.warning);
	assert_int_equal(read_file(after, sizeof after), len);
	index_unlock(&x);
	add_to(&other, 3);
	assert_true(index_lock(&x, &why));
	assert_entries(4);
	assert_null(x.warning);
	index_close(&other);
}

static void
an_index_that_has_become_shorter_is_not_written_to(void **state)
{
	char text[16384];
	size_t len = make_file(2, text, sizeof text);

	(void)state;
	assert_true(open_index(true));
	index_unlock(&x);
	write_file(text, len - 1);
	assert_false(index_lock(&x, &why));
	assert_told(": it has become shorter while it was in use");
	assert_true(open_index(true));
	assert_entries(2);
}

static void
a_line_of_others_that_is_broken_is_told_and_keeps_nobody_out(void **state)
{
	char text[16384];
	size_t len = make_file(2, text, sizeof text);
	int fd;

	(void)state;
	assert_true(open_index(true));
	index_unlock(&x);
	memcpy(text + len, "signed=\n", 8);
	write_file(text, len + 8);
	assert_false(index_lock(&x, &why));
	assert_told(".index: line 3 is broken");
	fd = open(file, O_RDONLY);
	assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), 0);
	(void)close(fd);
}

/* Put another file in the place of the index, one of `count` entries. */
static void
replace_file(unsigned count)
{
	struct index other;
	char other_base[sizeof base + 8], from[sizeof file + 8];

	(void)snprintf(other_base, sizeof other_base, "%s-other", base);
	(void)snprintf(from, sizeof from, "%s.index", other_base);
	assert_true(index_open(&other, other_base, true, &why));
	for (unsigned i = 0; i < count; i++) {
		struct index_entry e = make_entry(i);

		assert_true(index_add(&other, &e, &why));
	}
	index_close(&other);
	assert_int_equal(rename(from, file), 0);
}

/* A process that waits for the lock and adds the entry number 1; returns when it waits. */
static pid_t
start_waiting(void)
{
	int ends[2];
	char byte;
	pid_t child;

	assert_int_equal(pipe(ends), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		struct index_entry e = make_entry(1);
		struct index mine;

		/* Nor may it keep the lock of its parent. */
		(void)close(x.fd);
		(void)dup2(ends[1], STDERR_FILENO);
		(void)close(ends[1]);
		_exit(index_open(&mine, base, true, &why) && index_add(&mine, &e, &why) ? 0 : 1);
	}
	(void)close(ends[1]);
	assert_int_equal(read(ends[0], &byte, 1), 1);
	(void)close(ends[0]);
	return child;
}

static void
who_has_waited_gets_the_file_that_has_the_name_then(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		int status;
		pid_t child;

		(void)unlink(file);
		assert_true(open_index(true));
		child = start_waiting();
		if (i == 0) {
			replace_file(1);
		} else {
			assert_int_equal(unlink(file), 0);
		}
		index_close(&x);
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_int_equal(status, 0);
		assert_true(open_index(false));
		assert_int_equal(x.count, 2 - i);
		assert_string_equal(x.entry[1 - i].subject, make_entry(1).subject);
	}
}

static void
nothing_is_added_to_a_file_that_has_lost_its_name(void **state)
{
	struct index_entry e = make_entry(0);

	(void)state;
	assert_true(open_index(true));
	replace_file(0);
	assert_false(index_add(&x, &e, &why));
	assert_told("the index can't be written: it was moved away or replaced");
	assert_true(open_index(true));
	assert_int_equal(unlink(file), 0);
	why = OUT(reason);
	assert_false(index_add(&x, &e, &why));
	assert_told("moved away");
}

static void
a_key_is_found_among_others(void **state)
{
	struct index_entry e;

	(void)state;
	assert_true(open_index(true));
	for (unsigned i = 0; i < 200; i++) {
		e = make_entry(i);
		assert_false(index_has_key(&x, e.key));
		add(i);
		assert_true(index_has_key(&x, e.key));
	}
	assert_true(open_index(false));
	e = make_entry(77);
	assert_true(index_has_key(&x, e.key));
	e.key[31] ^= 1;
	assert_false(index_has_key(&x, e.key));
}

static void
what_is_no_file_is_no_index(void **state)
{
	(void)state;
	assert_int_equal(mkfifo(file, 0600), 0);
	assert_false(open_index(true));
	assert_told(": it is no file");
	assert_false(open_index(false));
	assert_int_equal(unlink(file), 0);
	assert_int_equal(mkdir(file, 0700), 0);
	assert_false(open_index(true));
	assert_told(file);
	assert_false(open_index(false));
	assert_int_equal(rmdir(file), 0);
	(void)snprintf(base, sizeof base, "%s/missing/ca", host_folder);
	assert_false(open_index(true));
	assert_told("No such file");
}

#undef TEST
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
	TEST(what_was_added_is_read_again),
	TEST(an_index_that_is_missing_is_empty_and_only_made_to_be_written),
	TEST(texts_of_any_bytes_come_back_and_stay_within_their_line),
	TEST(a_last_line_that_is_torn_at_any_byte_is_cut_off_by_the_next_writer_only),
	TEST(a_last_line_that_lacks_only_its_end_is_an_entry_and_gets_one),
	TEST(a_tail_of_zeros_is_torn_too),
	TEST(a_line_with_any_byte_changed_is_an_error_that_names_it),
	TEST(lines_that_are_not_as_they_would_be_written_are_broken),
	TEST(a_full_disk_leaves_the_index_as_it_was_and_room_later_is_used),
	TEST(a_line_that_can_neither_be_written_nor_taken_back_stops_all_others),
	TEST(writers_wait_for_each_other_and_know_of_each_other),
	TEST(who_keeps_it_open_reads_what_others_add_and_mends_what_they_tear),
	TEST(an_index_that_has_become_shorter_is_not_written_to),
	TEST(a_line_of_others_that_is_broken_is_told_and_keeps_nobody_out),
	TEST(who_has_waited_gets_the_file_that_has_the_name_then),
	TEST(nothing_is_added_to_a_file_that_has_lost_its_name),
	TEST(a_key_is_found_among_others),
	TEST(what_is_no_file_is_no_index),
};

int
main(void)
{
	return cmocka_run_group_tests_name("index", tests, NULL, NULL);
}
