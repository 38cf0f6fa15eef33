/* SPDX-License-Identifier: MIT */
/*
 * Files of the host where link(2) or renameat2(2) is missing, as on FAT and on old systems. Both
 * are replaced in here, so that they can fail.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "disk.h"
#include "host.h"

static char path[80], other[80], reason[2048];
static bool has_link, has_renameat2;
static unsigned links;

int
link(const char *from, const char *to)
{
	links++;
	if (!has_link) {
		errno = EPERM;
		return -1;
	}
	return linkat(AT_FDCWD, from, AT_FDCWD, to, 0);
}

long
syscall(long number, ...)
{
	long (*real)(long, ...);
	void *found = dlsym(RTLD_NEXT, "syscall");
	long a[6];
	va_list args;

	if (number == SYS_renameat2 && !has_renameat2) {
		errno = EINVAL;
		return -1;
	}
	memcpy(&real, &found, sizeof real);
	va_start(args, number);
	for (size_t i = 0; i < LEN(a); i++) {
		a[i] = va_arg(args, long);
	}
	va_end(args);
	return real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

static int
setup(void **state)
{
	(void)state;
	host_make_folder();
	(void)snprintf(path, sizeof path, "%s/a", host_folder);
	(void)snprintf(other, sizeof other, "%s/b", host_folder);
	has_link = has_renameat2 = true;
	links = 0;
	return 0;
}

static int files;

static int
count_one(const char *at, const struct stat *st, int type, struct FTW *ftw)
{
	(void)at;
	(void)st;
	(void)ftw;
	files += type == FTW_F;
	return 0;
}

static int
count_files(void)
{
	files = 0;
	assert_int_equal(nftw(host_folder, count_one, 8, FTW_PHYS), 0);
	return files;
}

static void
assert_content(const char *text)
{
	uint8_t content[64];
	struct out why = OUT(reason);
	size_t len;

	assert_true(disk_read(path, content, sizeof content, &len, &why));
	assert_int_equal(len, strlen(text));
	assert_memory_equal(content, text, len);
}

static void
a_new_file_needs_only_one_of_the_ways_and_replaces_nothing(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		struct out why = OUT(reason);

		has_renameat2 = i != 1;
		has_link = i != 0;
		CLAIM(disk_can_write(path, false, &why), "%u", i);
		assert_int_equal(count_files(), 0);
		CLAIM(disk_write(path, "one", 3, 0644, false, &why), "%u", i);
		assert_content("one");
		assert_false(disk_can_write(path, false, &why));
		assert_false(disk_write(path, "two", 3, 0644, false, &why));
		/* Also where somebody has made it only after it was looked for. */
		assert_true(disk_write(other, "two", 3, 0644, false, &why));
		why = OUT(reason);
		assert_false(disk_move(other, path, false, &why));
		CLAIM(SAYS(&why, "it exists already: --force overwrites it"), "%u", i);
		assert_content("one");
		assert_true(disk_move(other, path, true, &why));
		assert_content("two");
		assert_int_equal(count_files(), 1);
		assert_int_equal(links > 0, i > 0);
		assert_int_equal(unlink(path), 0);
	}
}

static void
where_both_are_missing_that_is_known_beforehand(void **state)
{
	struct out why = OUT(reason);

	(void)state;
	has_link = has_renameat2 = false;
	assert_false(disk_can_write(path, false, &why));
	assert_false(disk_write(path, "one", 3, 0644, false, &why));
	assert_int_equal(count_files(), 0);
	assert_true(disk_can_write(path, true, &why));
	assert_true(disk_write(path, "one", 3, 0644, true, &why));
	assert_content("one");
	assert_int_equal(count_files(), 1);
}

static void
a_folder_that_is_missing_is_named(void **state)
{
	static const char *const folders[] = { "none", "none/further", "\xFF" };
	static const char *const named[] = { "none", "none/further", "\\xff" };

	(void)state;
	for (size_t i = 0; i < LEN(folders); i++) {
		struct out why = OUT(reason);
		char expected[128];

		(void)snprintf(path, sizeof path, "%s/x", folders[i]);
		(void)snprintf(expected, sizeof expected, "there is no folder %s", named[i]);
		assert_false(disk_can_write(path, false, &why));
		CLAIM(SAYS(&why, expected), "%zu: %s", i, out_finish(&why));
	}
}

static void
files_are_the_same_by_any_name_and_before_they_are_there(void **state)
{
	char again[sizeof path + 8], linked[80];
	struct out why = OUT(reason);

	(void)state;
	(void)snprintf(again, sizeof again, "%s/./a", host_folder);
	(void)snprintf(linked, sizeof linked, "%s/link", host_folder);
	assert_true(disk_is_same(path, again));
	assert_false(disk_is_same(path, other));
	assert_true(disk_write(path, "one", 3, 0644, false, &why));
	assert_true(disk_is_same(path, again));
	assert_false(disk_is_same(path, other));
	assert_int_equal(symlink("a", linked), 0);
	assert_true(disk_is_same(path, linked));
	assert_true(disk_write(other, "one", 3, 0644, false, &why));
	assert_false(disk_is_same(path, other));
	assert_false(disk_is_same("none/a", path));
}

#define IN_FOLDER(name) cmocka_unit_test_setup_teardown(name, setup, host_remove_folder)

static const struct CMUnitTest tests[] = {
	IN_FOLDER(a_new_file_needs_only_one_of_the_ways_and_replaces_nothing),
	IN_FOLDER(where_both_are_missing_that_is_known_beforehand),
	IN_FOLDER(a_folder_that_is_missing_is_named),
	IN_FOLDER(files_are_the_same_by_any_name_and_before_they_are_there),
};

int
main(void)
{
	return cmocka_run_group_tests_name("disk", tests, NULL, NULL);
}
