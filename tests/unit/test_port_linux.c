/* SPDX-License-Identifier: MIT */
/*
 * The Linux port against its contract, on the real system: files and Unix sockets beneath
 * a temporary folder, sockets of the loopback interface. Nothing here needs root, a network or an
 * MTD device, and what the system lacks (IPv6, openat2, seccomp) is skipped.
 *
 * The tests of paths run twice, with the kernel's resolution and name by name. Every
 * test also claims that no descriptor is left open: see world_close().
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#if defined __has_include
#if __has_include(<linux/seccomp.h>) && __has_include(<linux/filter.h>) && defined SYS_openat2
#include <linux/filter.h>
#include <linux/seccomp.h>
#define HAVE_SECCOMP 1
#endif
#endif
#ifndef HAVE_SECCOMP
#define HAVE_SECCOMP 0
#endif

#include "../../port/linux/file.h"
#include "../../port/linux/sys.h"

#define LEN(array) (sizeof (array) / sizeof (array)[0])

#define GIB (UINT64_C(1) << 30)

/* How long a test waits for what should happen at once. */
#define SOON_MS 5000

/* A user that is nobody in particular, for tests of permissions that run as root. */
#define NOBODY 65534

/* Where the tests are: a folder with a root in it, and what must not be reached beside. */
static struct world {
	char      folder[64];
	int       folder_fd;
	port_root root;
	int       fds_before;
	bool      by_steps;
} world;

static bool kernel_way = false;
static bool steps_way = true;

static int
fds_open(void)
{
	int count = 0;

	for (int fd = 0; fd < 256; fd++) {
		count += fcntl(fd, F_GETFD) != -1;
	}
	return count;
}

static void
put_file(const char *path, const char *text)
{
	int fd = openat(world.folder_fd, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

/* Whether a file is there and holds exactly this text. */
static bool
holds(const char *path, const char *text)
{
	char buf[64];
	int fd = openat(world.folder_fd, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	ssize_t n;

	if (fd < 0) {
		return false;
	}
	n = read(fd, buf, sizeof buf);
	close(fd);
	return n == (ssize_t)strlen(text) && memcmp(buf, text, strlen(text)) == 0;
}

static bool
is_there(const char *path)
{
	struct stat st;

	return fstatat(world.folder_fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static void
put_dir(const char *path)
{
	assert_int_equal(mkdirat(world.folder_fd, path, 0755), 0);
}

static void
put_link(const char *path, const char *target)
{
	assert_int_equal(symlinkat(target, world.folder_fd, path), 0);
}

/* A link with an absolute target below the folder. */
static void
put_absolute_link(const char *path, const char *target)
{
	char absolute[128];

	snprintf(absolute, sizeof absolute, "%s/%s", world.folder, target);
	put_link(path, absolute);
}

static void
put_everything(void)
{
	put_dir("outside");
	put_file("outside/secret", "secret");
	put_dir("root");
	put_dir("root/dir");
	put_file("root/file", "hello");
	put_file("root/dir/inner", "inner");
	put_dir("root/deep");
	put_dir("root/deep/er");
	put_dir("root/deep/er/est");
	put_file("root/deep/er/est/file", "found");
	put_absolute_link("root/out_absolute", "outside/secret");
	put_absolute_link("root/in_absolute", "root/file");
	put_link("root/out_file", "../outside/secret");
	put_link("root/out_dir", "../outside");
	put_link("root/out_new", "../outside/new");
	put_link("root/out_chain", "out_chain2");
	put_link("root/out_chain2", "dir/out_chain3");
	put_link("root/dir/out_chain3", "../out_file");
	put_link("root/out_magic", "/proc/self/root/etc/passwd");
	put_link("root/in_file", "file");
	put_link("root/in_dir", "dir");
	put_link("root/in_chain", "in_chain2");
	put_link("root/in_chain2", "in_dir/back");
	put_link("root/dir/back", "../file");
	put_link("root/dangling", "nowhere");
	put_link("root/circle", "circle");
	assert_int_equal(mkfifoat(world.folder_fd, "root/fifo", 0600), 0);
}

static bool
kernel_resolves(void)
{
#ifdef SYS_openat2
	/* A size of 0 is EINVAL to any kernel that has the call. */
	return syscall(SYS_openat2, AT_FDCWD, ".", NULL, (size_t)0) != 0 && errno == EINVAL;
#else
	return false;
#endif
}

static int
world_open(void **state)
{
	char root[80];
	const char *tmp = getenv("TMPDIR");

	world.by_steps = *state != NULL && *(bool *)*state;
	world.fds_before = fds_open();
	snprintf(world.folder, sizeof world.folder, "%s/cubftpd-XXXXXX",
		tmp != NULL ? tmp : "/tmp");
	assert_non_null(mkdtemp(world.folder));
	assert_int_equal(chmod(world.folder, 0755), 0);
	world.folder_fd = open(world.folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_true(world.folder_fd >= 0);
	put_everything();
	file_resolve_by_steps(world.by_steps);
	snprintf(root, sizeof root, "%s/root", world.folder);
	assert_int_equal(port_root_open(PORT_NONE, root, &world.root), CUB_OK);
	return 0;
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

static int
world_close(void **state)
{
	(void)state;
	port_root_close(world.root);
	close(world.folder_fd);
	nftw(world.folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	if (fds_open() != world.fds_before) {
		print_error("descriptors: %d before, %d after\n", world.fds_before, fds_open());
		return -1;
	}
	return 0;
}

static void
skip_without_openat2(void)
{
	if (!world.by_steps && !kernel_resolves()) {
		skip();
	}
}

/* Open and close. Returns what the open answered. */
static int
try_open(const char *path, enum port_open how)
{
	port_file file;
	int result = port_file_open(world.root, path, how, 0644, &file);

	if (result == CUB_OK) {
		assert_int_equal(port_file_close(file), CUB_OK);
	}
	return result;
}

static int
try_root(const char *path)
{
	port_root root;
	int result = port_root_open(world.root, path, &root);

	if (result == CUB_OK) {
		port_root_close(root);
	}
	return result;
}

static int
try_dir(const char *path)
{
	struct port_dir dir;
	int result = port_dir_open(world.root, path, &dir);

	if (result == CUB_OK) {
		port_dir_close(&dir);
	}
	return result;
}

static int
try_stat(const char *path)
{
	struct port_stat st;

	return port_stat(world.root, path, &st);
}

/* Paths */

static const char *const ways_out[] = {
	"out_absolute", "in_absolute", "out_file", "out_dir/secret", "out_chain", "out_magic",
	"dir/out_chain3", "in_dir/out_chain3", "../outside/secret", "/etc/passwd",
	"out_dir/../../outside/secret",
};

static void
a_link_that_leads_out_of_the_root_is_denied(void **state)
{
	(void)state;
	skip_without_openat2();
	for (size_t i = 0; i < LEN(ways_out); i++) {
		assert_int_equal(try_stat(ways_out[i]), CUB_E_DENIED);
		assert_int_equal(try_open(ways_out[i], PORT_OPEN_READ), CUB_E_DENIED);
		assert_int_equal(try_open(ways_out[i], PORT_OPEN_UPDATE), CUB_E_DENIED);
	}
	assert_int_equal(try_root("out_dir"), CUB_E_DENIED);
	assert_int_equal(try_dir("out_dir"), CUB_E_DENIED);
	assert_int_equal(try_stat("out_dir"), CUB_E_DENIED);
}

static void
nothing_is_made_or_changed_behind_a_link_out(void **state)
{
	(void)state;
	skip_without_openat2();
	assert_int_equal(try_open("out_new", PORT_OPEN_UPDATE), CUB_E_DENIED);
	assert_int_equal(try_open("out_new", PORT_OPEN_CREATE), CUB_E_EXIST);
	assert_int_equal(try_open("out_dir/new", PORT_OPEN_UPDATE), CUB_E_DENIED);
	assert_int_equal(try_open("out_dir/new", PORT_OPEN_CREATE), CUB_E_DENIED);
	assert_int_equal(port_dir_make(world.root, "out_dir/new", 0755), CUB_E_DENIED);
	assert_int_equal(port_rename(world.root, "file", "out_dir/new"), CUB_E_DENIED);
	assert_int_equal(port_rename(world.root, "out_dir/secret", "mine"), CUB_E_DENIED);
	assert_int_equal(port_remove(world.root, "out_dir/secret"), CUB_E_DENIED);
	assert_int_equal(port_remove(world.root, "../outside/secret"), CUB_E_DENIED);
	assert_int_equal(port_dir_remove(world.root, "../outside"), CUB_E_DENIED);
	assert_int_equal(port_dir_remove(world.root, "out_dir/dir"), CUB_E_DENIED);
	assert_false(is_there("outside/new"));
	assert_true(holds("outside/secret", "secret"));
	assert_true(holds("root/file", "hello"));
}

static void
a_link_inside_the_root_is_followed_by_the_kernel(void **state)
{
	static const char *const files[] = {
		"in_file", "in_dir/inner", "in_chain", "dir/back", "in_dir/back",
	};
	struct port_stat st;

	(void)state;
	skip_without_openat2();
	for (size_t i = 0; i < LEN(files); i++) {
		assert_int_equal(try_open(files[i], PORT_OPEN_READ), CUB_OK);
		assert_int_equal(port_stat(world.root, files[i], &st), CUB_OK);
		assert_int_equal(st.kind, PORT_FILE);
		assert_int_equal(st.size, 5);
	}
	assert_int_equal(try_dir("in_dir"), CUB_OK);
	assert_int_equal(try_root("in_dir"), CUB_OK);
	assert_int_equal(port_remove(world.root, "in_dir/inner"), CUB_OK);
	assert_false(is_there("root/dir/inner"));
}

static void
every_link_is_denied_where_names_are_resolved_by_steps(void **state)
{
	static const char *const links[] = {
		"in_file", "in_dir/inner", "in_chain", "dir/back", "dangling", "circle", "in_dir",
	};

	(void)state;
	for (size_t i = 0; i < LEN(links); i++) {
		assert_int_equal(try_open(links[i], PORT_OPEN_READ), CUB_E_DENIED);
		assert_int_equal(try_open(links[i], PORT_OPEN_UPDATE), CUB_E_DENIED);
		assert_int_equal(try_stat(links[i]), CUB_E_DENIED);
	}
	assert_int_equal(try_dir("in_dir"), CUB_E_DENIED);
	assert_int_equal(try_root("in_dir"), CUB_E_DENIED);
	assert_int_equal(port_remove(world.root, "in_dir/inner"), CUB_E_DENIED);
	assert_false(is_there("root/nowhere"));
}

static void
a_dangling_link_can_not_be_read_but_keeps_its_name(void **state)
{
	(void)state;
	skip_without_openat2();
	assert_int_equal(try_open("dangling", PORT_OPEN_READ),
		world.by_steps ? CUB_E_DENIED : CUB_E_NOENT);
	assert_int_equal(try_open("dangling", PORT_OPEN_CREATE), CUB_E_EXIST);
	assert_false(is_there("root/nowhere"));
	assert_int_equal(try_open("circle", PORT_OPEN_READ), CUB_E_DENIED);
	assert_int_equal(try_stat("circle"), CUB_E_DENIED);
}

static void
a_fifo_is_denied_and_does_not_block(void **state)
{
	struct port_stat st;

	(void)state;
	skip_without_openat2();
	alarm(SOON_MS / 1000);
	assert_int_equal(try_open("fifo", PORT_OPEN_READ), CUB_E_DENIED);
	assert_int_equal(try_open("fifo", PORT_OPEN_UPDATE), CUB_E_DENIED);
	assert_int_equal(try_open("fifo", PORT_OPEN_CREATE), CUB_E_EXIST);
	assert_int_equal(port_stat(world.root, "fifo", &st), CUB_OK);
	assert_int_equal(st.kind, PORT_OTHER);
	alarm(0);
}

static void
a_directory_is_not_opened_as_a_file_nor_a_file_as_a_directory(void **state)
{
	(void)state;
	skip_without_openat2();
	assert_int_equal(try_open("dir", PORT_OPEN_READ), CUB_E_ISDIR);
	assert_int_equal(try_open("dir", PORT_OPEN_UPDATE), CUB_E_ISDIR);
	assert_int_equal(try_open("dir", PORT_OPEN_CREATE), CUB_E_EXIST);
	assert_int_equal(try_open(".", PORT_OPEN_READ), CUB_E_ISDIR);
	assert_int_equal(try_dir("file"), CUB_E_NOTDIR);
	assert_int_equal(try_root("file"), CUB_E_NOTDIR);
	assert_int_equal(try_open("file/x", PORT_OPEN_READ), CUB_E_NOTDIR);
	assert_int_equal(try_open("file/x/y", PORT_OPEN_READ), CUB_E_NOTDIR);
	assert_int_equal(port_remove(world.root, "file/x"), CUB_E_NOTDIR);
}

static void
what_is_not_there_is_told_as_such(void **state)
{
	char longest[CUB_NAME_MAX];
	char path[CUB_NAME_MAX + 8];

	(void)state;
	skip_without_openat2();
	assert_int_equal(try_open("none", PORT_OPEN_READ), CUB_E_NOENT);
	assert_int_equal(try_open("dir/none", PORT_OPEN_READ), CUB_E_NOENT);
	assert_int_equal(try_open("none/file", PORT_OPEN_UPDATE), CUB_E_NOENT);
	assert_int_equal(try_dir("none"), CUB_E_NOENT);
	assert_int_equal(try_stat("none"), CUB_E_NOENT);
	assert_int_equal(port_remove(world.root, "none"), CUB_E_NOENT);
	assert_int_equal(port_remove(world.root, "none/file"), CUB_E_NOENT);
	memset(longest, 'n', sizeof longest);
	longest[sizeof longest - 1] = '\0';
	assert_int_equal(try_open(longest, PORT_OPEN_CREATE), CUB_OK);
	snprintf(path, sizeof path, "%sn", longest);
	assert_int_equal(try_open(path, PORT_OPEN_CREATE), CUB_E_NAME);
	snprintf(path, sizeof path, "%sn/x", longest);
	assert_int_equal(try_open(path, PORT_OPEN_CREATE), CUB_E_NAME);
}

static void
a_deep_path_leads_to_its_end(void **state)
{
	(void)state;
	skip_without_openat2();
	assert_int_equal(try_open("deep/er/est/file", PORT_OPEN_READ), CUB_OK);
	assert_int_equal(try_open("deep/er/est/none", PORT_OPEN_READ), CUB_E_NOENT);
	assert_int_equal(try_open("deep/er/file/x", PORT_OPEN_READ), CUB_E_NOENT);
	assert_int_equal(try_dir("deep/er/est"), CUB_OK);
	assert_int_equal(try_root("deep/er/est"), CUB_OK);
	assert_int_equal(port_rename(world.root, "deep/er/est/file", "file"), CUB_OK);
	assert_true(holds("root/file", "found"));
}

static void
a_dot_alone_is_the_root(void **state)
{
	struct port_stat st;
	struct port_stat same;

	(void)state;
	skip_without_openat2();
	assert_int_equal(port_stat(world.root, ".", &st), CUB_OK);
	assert_int_equal(st.kind, PORT_DIR);
	assert_int_equal(port_file_stat(world.root, &same), CUB_OK);
	assert_int_equal(st.inode, same.inode);
	assert_int_equal(st.device, same.device);
	assert_int_equal(try_dir("."), CUB_OK);
	assert_int_equal(try_root("."), CUB_OK);
	assert_int_equal(port_remove(world.root, "."), CUB_E_NAME);
	assert_int_equal(port_dir_remove(world.root, "dir/.."), CUB_E_NAME);
	assert_int_equal(port_dir_make(world.root, "", 0755), CUB_E_NAME);
}

/* Names */

static void
create_refuses_a_name_that_is_taken(void **state)
{
	port_file file;

	(void)state;
	skip_without_openat2();
	assert_int_equal(try_open("file", PORT_OPEN_CREATE), CUB_E_EXIST);
	assert_true(holds("root/file", "hello"));
	assert_int_equal(port_file_open(world.root, "dir/new", PORT_OPEN_CREATE, 0644, &file), CUB_OK);
	assert_int_equal(try_open("dir/new", PORT_OPEN_CREATE), CUB_E_EXIST);
	assert_int_equal(try_open("dir/new", PORT_OPEN_UPDATE), CUB_E_BUSY);
	assert_int_equal(port_file_close(file), CUB_OK);
}

static void
update_keeps_what_a_file_holds(void **state)
{
	port_file file;

	(void)state;
	skip_without_openat2();
	assert_int_equal(port_file_open(world.root, "file", PORT_OPEN_UPDATE, 0644, &file), CUB_OK);
	assert_int_equal(port_file_write(file, 4, "p!", 2), 2);
	assert_int_equal(port_file_close(file), CUB_OK);
	assert_true(holds("root/file", "hellp!"));
	assert_int_equal(try_open("fresh", PORT_OPEN_UPDATE), CUB_E_NOENT);
	assert_false(is_there("root/fresh"));
}

static void
a_file_is_updated_by_one_at_a_time(void **state)
{
	port_file file;

	(void)state;
	assert_int_equal(port_file_open(world.root, "file", PORT_OPEN_UPDATE, 0, &file), CUB_OK);
	assert_int_equal(try_open("file", PORT_OPEN_UPDATE), CUB_E_BUSY);
	assert_int_equal(try_open("file", PORT_OPEN_READ), CUB_OK);
	assert_int_equal(try_open("dir/inner", PORT_OPEN_UPDATE), CUB_OK);
	assert_int_equal(port_file_close(file), CUB_OK);
	assert_int_equal(try_open("file", PORT_OPEN_UPDATE), CUB_OK);
}

static void
what_is_made_has_exactly_the_mode_that_was_asked_for(void **state)
{
	static const uint16_t modes[] = { 0644, 0666, 0600, 0200, 0755, 0777, 0 };
	mode_t mask = umask(0);

	(void)state;
	for (size_t i = 0; i < LEN(modes); i++) {
		struct port_stat st;
		port_file file;

		assert_int_equal(port_file_open(world.root, "m", PORT_OPEN_CREATE, modes[i], &file),
			CUB_OK);
		assert_int_equal(port_file_stat(file, &st), CUB_OK);
		assert_int_equal(st.mode, modes[i]);
		assert_int_equal(port_file_close(file), CUB_OK);
		assert_int_equal(port_remove(world.root, "m"), CUB_OK);
		assert_int_equal(port_dir_make(world.root, "m", modes[i]), CUB_OK);
		assert_int_equal(port_stat(world.root, "m", &st), CUB_OK);
		assert_int_equal(st.mode, modes[i]);
		assert_int_equal(port_dir_remove(world.root, "m"), CUB_OK);
	}
	umask(mask);
}

static void
rename_replaces_a_file(void **state)
{
	(void)state;
	skip_without_openat2();
	assert_int_equal(port_rename(world.root, "file", "dir/inner"), CUB_OK);
	assert_true(holds("root/dir/inner", "hello"));
	assert_false(is_there("root/file"));
	assert_int_equal(port_rename(world.root, "dir/inner", "dir/new"), CUB_OK);
	assert_int_equal(port_rename(world.root, "dir/new", "dir/new"), CUB_OK);
	assert_true(holds("root/dir/new", "hello"));
	assert_int_equal(port_rename(world.root, "none", "dir/new"), CUB_E_NOENT);
	assert_true(holds("root/dir/new", "hello"));
}

static void
a_rename_to_a_new_name_replaces_nothing(void **state)
{
	(void)state;
	skip_without_openat2();
	assert_int_equal(port_rename_new(world.root, "file", "dir/inner"), CUB_E_EXIST);
	assert_int_equal(port_rename_new(world.root, "file", "dir"), CUB_E_EXIST);
	assert_int_equal(port_rename_new(world.root, "file", "dangling"), CUB_E_EXIST);
	assert_int_equal(port_rename_new(world.root, "file", "file"), CUB_E_EXIST);
	assert_int_equal(port_rename_new(world.root, "none", "new"), CUB_E_NOENT);
	assert_true(holds("root/file", "hello") && holds("root/dir/inner", "inner"));
	assert_int_equal(port_rename_new(world.root, "file", "dir/new"), CUB_OK);
	assert_true(holds("root/dir/new", "hello"));
	assert_false(is_there("root/file"));
}

static void
rename_never_replaces_a_directory(void **state)
{
	(void)state;
	skip_without_openat2();
	assert_int_equal(port_dir_make(world.root, "empty", 0755), CUB_OK);
	assert_int_equal(port_rename(world.root, "file", "empty"), CUB_E_EXIST);
	assert_int_equal(port_rename(world.root, "dir", "empty"), CUB_E_EXIST);
	assert_int_equal(port_rename(world.root, "empty", "dir"), CUB_E_EXIST);
	assert_int_equal(port_rename(world.root, "in_file", "empty"), CUB_E_EXIST);
	assert_int_equal(port_rename(world.root, "dir", "file"), CUB_E_EXIST);
	assert_true(holds("root/file", "hello"));
	assert_true(holds("root/dir/inner", "inner"));
	assert_int_equal(port_rename(world.root, "dir", "empty/dir"), CUB_OK);
	assert_true(holds("root/empty/dir/inner", "inner"));
	assert_int_equal(port_rename(world.root, "empty", "empty/dir/x"), CUB_E_NAME);
}

static void
a_link_itself_is_renamed_and_removed(void **state)
{
	(void)state;
	skip_without_openat2();
	assert_int_equal(port_rename(world.root, "out_file", "dir/moved"), CUB_OK);
	assert_true(is_there("root/dir/moved"));
	assert_int_equal(port_remove(world.root, "dir/moved"), CUB_OK);
	assert_int_equal(port_remove(world.root, "out_dir"), CUB_OK);
	assert_int_equal(port_remove(world.root, "dangling"), CUB_OK);
	assert_int_equal(port_rename(world.root, "file", "in_chain"), CUB_OK);
	assert_true(holds("root/in_chain", "hello"));
	assert_true(holds("outside/secret", "secret"));
}

/* What the file system says of a path beneath the folder. */
static struct stat
look_at(const char *path)
{
	struct stat st;

	assert_int_equal(fstatat(world.folder_fd, path, &st, AT_SYMLINK_NOFOLLOW), 0);
	return st;
}

static void
modes_and_times_of_files_and_directories_are_changed(void **state)
{
	static const int64_t times[] = { 0, 1, 981173106, 2147483647, INT64_C(4102444800) };

	(void)state;
	skip_without_openat2();
	for (size_t i = 0; i < LEN(times); i++) {
		struct stat before = look_at("root/file");

		assert_int_equal(port_change(world.root, "file", PORT_MTIME, times[i]), CUB_OK);
		assert_int_equal(look_at("root/file").st_mtim.tv_sec, times[i]);
		assert_int_equal(look_at("root/file").st_mtim.tv_nsec, 0);
		assert_int_equal(look_at("root/file").st_atim.tv_sec, before.st_atim.tv_sec);
		assert_int_equal(port_change(world.root, "deep/er", PORT_MTIME, times[i]), CUB_OK);
		assert_int_equal(look_at("root/deep/er").st_mtim.tv_sec, times[i]);
	}
	assert_int_equal(port_change(world.root, "file", PORT_MODE, 0640), CUB_OK);
	assert_int_equal(look_at("root/file").st_mode & 07777, 0640);
	assert_int_equal(port_change(world.root, "file", PORT_MODE, 0777), CUB_OK);
	assert_int_equal(look_at("root/file").st_mode & 07777, 0777);
	assert_int_equal(port_change(world.root, "dir", PORT_MODE, 0750), CUB_OK);
	assert_int_equal(look_at("root/dir").st_mode & 07777, 0750);
	assert_int_equal(port_change(world.root, "none", PORT_MODE, 0600), CUB_E_NOENT);
	assert_true(holds("root/file", "hello"));
}

static void
modes_and_times_are_not_changed_outside_of_the_root_nor_of_other_things(void **state)
{
	struct stat before = look_at("outside/secret");

	(void)state;
	skip_without_openat2();
	for (size_t i = 0; i < LEN(ways_out); i++) {
		assert_int_equal(port_change(world.root, ways_out[i], PORT_MODE, 0777), CUB_E_DENIED);
		assert_int_equal(port_change(world.root, ways_out[i], PORT_MTIME, 1), CUB_E_DENIED);
	}
	assert_int_equal(port_change(world.root, "out_dir", PORT_MODE, 0777), CUB_E_DENIED);
	assert_int_equal(port_change(world.root, "fifo", PORT_MODE, 0777), CUB_E_DENIED);
	assert_int_equal(look_at("root/fifo").st_mode & 07777, 0600);
	assert_int_equal(look_at("outside/secret").st_mode, before.st_mode);
	assert_int_equal(look_at("outside/secret").st_mtim.tv_sec, before.st_mtim.tv_sec);
}

static void
directories_are_made_and_removed_as_directories_only(void **state)
{
	(void)state;
	skip_without_openat2();
	assert_int_equal(port_dir_make(world.root, "dir", 0755), CUB_E_EXIST);
	assert_int_equal(port_dir_make(world.root, "file", 0755), CUB_E_EXIST);
	assert_int_equal(port_dir_make(world.root, "dir/sub", 0755), CUB_OK);
	assert_int_equal(port_remove(world.root, "dir/sub"), CUB_E_ISDIR);
	assert_int_equal(port_dir_remove(world.root, "dir"), CUB_E_NOTEMPTY);
	assert_int_equal(port_dir_remove(world.root, "file"), CUB_E_NOTDIR);
	assert_int_equal(port_dir_remove(world.root, "in_dir"), CUB_E_NOTDIR);
	assert_int_equal(port_dir_remove(world.root, "dir/sub"), CUB_OK);
	assert_false(is_there("root/dir/sub"));
}

static void
names_can_be_changed_in_a_directory_that_may_not_be_read(void **state)
{
	bool is_root = geteuid() == 0;

	(void)state;
	skip_without_openat2();
	put_dir("root/box");
	if (is_root) {
		assert_int_equal(fchownat(world.folder_fd, "root/box", NOBODY, NOBODY, 0), 0);
		assert_int_equal(seteuid(NOBODY), 0);
	}
	assert_int_equal(fchmodat(world.folder_fd, "root/box", 0300, 0), 0);
	assert_int_equal(try_open("box/a", PORT_OPEN_CREATE), CUB_OK);
	assert_int_equal(port_rename(world.root, "box/a", "box/b"), CUB_OK);
	assert_int_equal(port_remove(world.root, "box/b"), CUB_OK);
	assert_int_equal(try_dir("box"), CUB_E_DENIED);
	assert_int_equal(fchmodat(world.folder_fd, "root/box", 0700, 0), 0);
	if (is_root) {
		assert_int_equal(seteuid(0), 0);
	}
}

/* With one more descriptor at each turn, a rename fails whole or succeeds whole. */
static void
a_lack_of_descriptors_changes_nothing_and_loses_none(void **state)
{
	struct rlimit before;
	int result = CUB_E_LIMIT;

	(void)state;
	skip_without_openat2();
	assert_int_equal(try_stat("."), CUB_OK);
	getrlimit(RLIMIT_NOFILE, &before);
	for (rlim_t limit = 3; result == CUB_E_LIMIT; limit++) {
		struct rlimit now = { .rlim_cur = limit, .rlim_max = before.rlim_max };
		int fds = fds_open();

		assert_true(limit < 256);
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &now), 0);
		result = port_rename(world.root, "dir/inner", "file");
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
		assert_int_equal(fds_open(), fds);
		assert_true(holds("root/file", result == CUB_OK ? "inner" : "hello"));
	}
	assert_int_equal(result, CUB_OK);
}

/* Data */

static void
offsets_beyond_4_gib_are_kept(void **state)
{
	char buf[8];
	struct port_stat st;
	port_file file;

	(void)state;
	assert_int_equal(port_file_open(world.root, "big", PORT_OPEN_CREATE, 0644, &file), CUB_OK);
	assert_int_equal(port_file_write(file, 5 * GIB + 3, "far", 3), 3);
	assert_int_equal(port_file_sync(file), CUB_OK);
	assert_int_equal(port_file_stat(file, &st), CUB_OK);
	assert_true(st.size == 5 * GIB + 6);
	assert_int_equal(port_file_close(file), CUB_OK);

	assert_int_equal(port_file_open(world.root, "big", PORT_OPEN_READ, 0644, &file), CUB_OK);
	assert_int_equal(port_file_read(file, 5 * GIB + 2, buf, sizeof buf), 4);
	assert_memory_equal(buf, "\0far", 4);
	assert_int_equal(port_file_read(file, GIB + 3, buf, 1), 1);
	assert_int_equal(buf[0], 0);
	assert_int_equal(port_file_read(file, 5 * GIB + 6, buf, sizeof buf), CUB_EOF);
	assert_int_equal(port_file_read(file, UINT64_MAX, buf, sizeof buf), CUB_EOF);
	assert_int_equal(port_file_close(file), CUB_OK);

	assert_int_equal(port_file_open(world.root, "big", PORT_OPEN_UPDATE, 0644, &file), CUB_OK);
	assert_int_equal(port_file_truncate(file, 4 * GIB + 1), CUB_OK);
	assert_int_equal(port_file_stat(file, &st), CUB_OK);
	assert_true(st.size == 4 * GIB + 1);
	assert_int_equal(port_file_truncate(file, UINT64_MAX), CUB_E_FULL);
	assert_int_equal(port_file_write(file, UINT64_MAX, "x", 1), CUB_E_FULL);
	assert_int_equal(port_file_close(file), CUB_OK);
}

static void
a_file_that_may_not_grow_further_is_full(void **state)
{
	struct rlimit before;
	struct rlimit now;
	port_file file;

	(void)state;
	getrlimit(RLIMIT_FSIZE, &before);
	now = (struct rlimit){ .rlim_cur = 4, .rlim_max = before.rlim_max };
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(port_file_open(world.root, "small", PORT_OPEN_CREATE, 0644, &file), CUB_OK);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &now), 0);
	assert_int_equal(port_file_write(file, 0, "abcdef", 6), 4);
	assert_int_equal(port_file_write(file, 4, "ef", 2), CUB_E_FULL);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	signal(SIGXFSZ, SIG_DFL);
	assert_int_equal(port_file_close(file), CUB_OK);
}

static void
two_names_of_one_file_share_their_inode(void **state)
{
	struct port_stat a;
	struct port_stat b;

	(void)state;
	assert_int_equal(linkat(world.folder_fd, "root/file", world.folder_fd, "root/twin", 0), 0);
	assert_int_equal(port_stat(world.root, "file", &a), CUB_OK);
	assert_int_equal(port_stat(world.root, "twin", &b), CUB_OK);
	assert_true(a.inode == b.inode && a.device == b.device);
	assert_int_equal(a.mode, 0600);
	assert_true(a.mtime_s <= port_time() && a.mtime_s > port_time() - 3600);
	assert_int_equal(port_stat(world.root, "dir/inner", &b), CUB_OK);
	assert_true(a.inode != b.inode);
}

static void
a_root_knows_how_much_may_be_written(void **state)
{
	uint64_t bytes = UINT64_MAX;

	(void)state;
	assert_int_equal(port_root_free(world.root, &bytes), CUB_OK);
	assert_true(bytes > 0 && bytes < UINT64_MAX);
}

/* Listings */

#define MANY 1000

static void
a_listing_has_every_entry_exactly_once(void **state)
{
	static uint8_t seen[MANY];
	struct port_dir dir;
	struct port_entry entry;
	char name[CUB_NAME_MAX] = "";
	int count = 0;
	int result;

	(void)state;
	memset(seen, 0, sizeof seen);
	put_dir("root/many");
	for (int i = 0; i < MANY; i++) {
		/* Names of all lengths, so that entries end at any place of the buffer. */
		snprintf(name, sizeof name, "root/many/%04d", i);
		memset(name + strlen(name), 'n', (size_t)(i % 240) + 1);
		name[strlen("root/many/0000") + (size_t)(i % 240)] = '\0';
		put_file(name, i % 2 ? "x" : "");
	}
	assert_int_equal(port_dir_open(world.root, "many", &dir), CUB_OK);
	while ((result = port_dir_next(&dir, &entry)) == CUB_OK) {
		int i = atoi(entry.name);

		assert_in_range(i, 0, MANY - 1);
		assert_int_equal(seen[i], 0);
		assert_int_equal(strlen(entry.name), 4 + i % 240);
		assert_int_equal(entry.stat.kind, PORT_FILE);
		assert_int_equal(entry.stat.size, i % 2);
		seen[i] = 1;
		count++;
	}
	assert_int_equal(result, CUB_EOF);
	assert_int_equal(count, MANY);
	assert_int_equal(port_dir_next(&dir, &entry), CUB_EOF);
	port_dir_close(&dir);
}

/* Close and open again before each entry; also once it is removed, which is what a sweep does. */
static void
a_listing_goes_on_where_it_was_left(void **state)
{
	struct port_dir dir;
	struct port_entry entry;
	char name[40];
	int count = 0;

	(void)state;
	put_dir("root/many");
	for (int i = 0; i < MANY; i++) {
		snprintf(name, sizeof name, "root/many/%04d", i);
		put_file(name, "");
	}
	assert_int_equal(port_dir_open(world.root, "many", &dir), CUB_OK);
	while (port_dir_next(&dir, &entry) == CUB_OK) {
		uint64_t next = entry.next;

		count++;
		port_dir_close(&dir);
		assert_int_equal(port_dir_open(world.root, "many", &dir), CUB_OK);
		port_dir_seek(&dir, next);
	}
	port_dir_close(&dir);
	assert_int_equal(count, MANY);
}

static void
an_entry_tells_that_it_is_a_link(void **state)
{
	struct port_dir dir;
	struct port_entry entry;
	int links = 0;

	(void)state;
	assert_int_equal(port_dir_open(world.root, ".", &dir), CUB_OK);
	while (port_dir_next(&dir, &entry) == CUB_OK) {
		struct stat st;
		char path[CUB_NAME_MAX + 8];

		snprintf(path, sizeof path, "root/%s", entry.name);
		assert_int_equal(fstatat(world.folder_fd, path, &st, AT_SYMLINK_NOFOLLOW), 0);
		assert_int_equal(entry.stat.is_link, S_ISLNK(st.st_mode));
		links += entry.stat.is_link;
	}
	port_dir_close(&dir);
	assert_true(links > 5);
}

/* The kind that a listing tells of one name; fails where the name is missing. */
static enum port_kind
kind_listed(const char *path, const char *name)
{
	struct port_dir dir;
	struct port_entry entry;
	enum port_kind kind = PORT_OTHER;
	bool found = false;

	assert_int_equal(port_dir_open(world.root, path, &dir), CUB_OK);
	while (port_dir_next(&dir, &entry) == CUB_OK) {
		assert_true(strcmp(entry.name, ".") != 0 && strcmp(entry.name, "..") != 0);
		if (strcmp(entry.name, name) == 0) {
			assert_false(found);
			found = true;
			kind = entry.stat.kind;
		}
	}
	port_dir_close(&dir);
	assert_true(found);
	return kind;
}

static void
a_listing_shows_what_a_link_leads_to_where_it_may_be_followed(void **state)
{
	(void)state;
	skip_without_openat2();
	assert_int_equal(kind_listed(".", "file"), PORT_FILE);
	assert_int_equal(kind_listed(".", "dir"), PORT_DIR);
	assert_int_equal(kind_listed(".", "fifo"), PORT_OTHER);
	assert_int_equal(kind_listed(".", "in_file"), world.by_steps ? PORT_OTHER : PORT_FILE);
	assert_int_equal(kind_listed(".", "in_dir"), world.by_steps ? PORT_OTHER : PORT_DIR);
	assert_int_equal(kind_listed(".", "in_chain"), world.by_steps ? PORT_OTHER : PORT_FILE);
	assert_int_equal(kind_listed(".", "out_file"), PORT_OTHER);
	assert_int_equal(kind_listed(".", "out_dir"), PORT_OTHER);
	assert_int_equal(kind_listed(".", "in_absolute"), PORT_OTHER);
	assert_int_equal(kind_listed(".", "dangling"), PORT_OTHER);
	assert_int_equal(kind_listed(".", "circle"), PORT_OTHER);
	/* It stays in the root, but the port can't know that: see file.c. */
	assert_int_equal(kind_listed("dir", "back"), PORT_OTHER);
}

static void
an_entry_that_vanished_is_left_out(void **state)
{
	struct port_dir dir;
	struct port_entry entry;
	char other[32];

	(void)state;
	put_dir("root/few");
	put_file("root/few/a", "");
	put_file("root/few/b", "");
	assert_int_equal(port_dir_open(world.root, "few", &dir), CUB_OK);
	assert_int_equal(port_dir_next(&dir, &entry), CUB_OK);
	snprintf(other, sizeof other, "few/%c", entry.name[0] == 'a' ? 'b' : 'a');
	assert_int_equal(port_remove(world.root, other), CUB_OK);
	assert_int_equal(port_dir_next(&dir, &entry), CUB_EOF);
	port_dir_close(&dir);
}

static void
a_directory_that_was_removed_has_ended(void **state)
{
	struct port_dir dir;
	struct port_entry entry;

	(void)state;
	put_dir("root/gone");
	assert_int_equal(port_dir_open(world.root, "gone", &dir), CUB_OK);
	assert_int_equal(port_dir_remove(world.root, "gone"), CUB_OK);
	assert_int_equal(port_dir_next(&dir, &entry), CUB_EOF);
	port_dir_close(&dir);
}

/* Systems that refuse openat2: tried in a child, since a filter can't be taken back. */

#if HAVE_SECCOMP
/* `at`: an argument that must not be 0 for it to be refused; -1: none. */
static bool
refuse_call(unsigned number, int at, int error)
{
	unsigned low = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? 4 : 0;
	unsigned argument = at < 0 ? offsetof(struct seccomp_data, nr)
		: (unsigned)(offsetof(struct seccomp_data, args) + 8 * (unsigned)at) + low;
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, argument),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)error),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { .len = LEN(code), .filter = code };

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
		&& prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

static void
check_refusing_system(int error, int file_expected, int link_expected)
{
	int status;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		if (!refuse_call(SYS_openat2, -1, error)) {
			_exit(77);
		}
		_exit((try_stat("file") != file_expected)
			| (try_stat("in_file") != link_expected) << 1
			| (try_stat("out_file") != link_expected) << 2);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77) {
		skip();
	}
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void
a_system_without_openat2_resolves_by_steps(void **state)
{
	(void)state;
	check_refusing_system(ENOSYS, CUB_OK, CUB_E_DENIED);
	check_refusing_system(EPERM, CUB_OK, CUB_E_DENIED);
}

static void
a_path_that_is_renamed_for_ever_is_given_up(void **state)
{
	(void)state;
	if (!kernel_resolves()) {
		skip();
	}
	check_refusing_system(EAGAIN, CUB_E_IO, CUB_E_IO);
}

/* As vfat before Linux 4.9, and NFS: EINVAL for RENAME_NOREPLACE. */
static void
a_file_system_that_cannot_promise_not_to_replace_is_looked_at_first(void **state)
{
	int status;
	pid_t child = fork();

	(void)state;
	assert_true(child >= 0);
	if (child == 0) {
		if (!refuse_call(SYS_renameat2, 4, EINVAL)) {
			_exit(77);
		}
		_exit(!(port_rename_new(world.root, "file", "dir/inner") == CUB_E_EXIST
			&& port_rename_new(world.root, "file", "dangling") == CUB_E_EXIST
			&& port_rename_new(world.root, "file", "dir/new") == CUB_OK
			&& port_rename(world.root, "dir", "other") == CUB_OK));
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77) {
		skip();
	}
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_true(holds("root/other/new", "hello") && holds("root/other/inner", "inner"));
}
#endif

/* Flash */

#define AREA_LEN 32768

static char flash_path[96];

static int
flash_world_open(void **state)
{
	world_open(state);
	snprintf(flash_path, sizeof flash_path, "%s/store", world.folder);
	return 0;
}

static struct port_flash
open_area(bool create)
{
	struct port_flash flash;

	assert_int_equal(port_flash_open(PORT_AREA_TRUST, flash_path, create ? AREA_LEN : 0, &flash),
		CUB_OK);
	return flash;
}

static void
check_cells(uint32_t at, const char *expected, uint32_t len)
{
	char cells[64];

	assert_true(len <= sizeof cells);
	assert_int_equal(port_flash_read(PORT_AREA_TRUST, at, cells, len), CUB_OK);
	assert_memory_equal(cells, expected, len);
}

static void
a_new_store_is_made_for_its_owner_alone_and_reads_as_erased(void **state)
{
	struct port_flash flash;
	struct stat st;
	mode_t mask = umask(0);

	(void)state;
	assert_int_equal(port_flash_open(PORT_AREA_TRUST, flash_path, 0, &flash), CUB_E_NOENT);
	flash = open_area(true);
	umask(mask);
	assert_int_equal(flash.size, AREA_LEN);
	assert_true(flash.is_file);
	assert_int_equal(flash.erase_size, 4096);
	assert_int_equal(flash.write_size, 1);
	assert_int_equal(stat(flash_path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	check_cells(0, "\xff\xff\xff", 3);
	check_cells(AREA_LEN - 3, "\xff\xff\xff", 3);
	assert_int_equal(st.st_size, AREA_LEN);
	assert_int_equal(port_flash_sync(PORT_AREA_TRUST), CUB_OK);
	port_flash_close(PORT_AREA_TRUST);
	open_area(true);
	port_flash_close(PORT_AREA_TRUST);
}

static void
programming_only_clears_bits(void **state)
{
	(void)state;
	open_area(true);
	assert_int_equal(port_flash_program(PORT_AREA_TRUST, 2, "\x0f\xf0\xff", 3), CUB_OK);
	assert_int_equal(port_flash_program(PORT_AREA_TRUST, 2, "\xf1\xff\x55", 3), CUB_OK);
	check_cells(0, "\xff\xff\x01\xf0\x55\xff", 6);
	port_flash_close(PORT_AREA_TRUST);
	open_area(false);
	check_cells(0, "\xff\xff\x01\xf0\x55\xff", 6);
	port_flash_close(PORT_AREA_TRUST);
}

static void
what_lies_between_two_programmed_places_stays_erased(void **state)
{
	char cells[700];

	(void)state;
	open_area(true);
	assert_int_equal(port_flash_program(PORT_AREA_TRUST, 0, "a", 1), CUB_OK);
	assert_int_equal(port_flash_program(PORT_AREA_TRUST, 9000, "z", 1), CUB_OK);
	for (uint32_t at = 1; at + sizeof cells <= 9000; at += sizeof cells) {
		assert_int_equal(port_flash_read(PORT_AREA_TRUST, at, cells, sizeof cells), CUB_OK);
		for (size_t i = 0; i < sizeof cells; i++) {
			assert_int_equal((uint8_t)cells[i], 0xFF);
		}
	}
	/* Longer than the port's own steps. */
	memset(cells, 0x5A, sizeof cells);
	assert_int_equal(port_flash_program(PORT_AREA_TRUST, 9000, cells, sizeof cells), CUB_OK);
	check_cells(9000, "\x5a\x5a", 2);
	check_cells(9000 + sizeof cells - 1, "\x5a\xff", 2);
	port_flash_close(PORT_AREA_TRUST);
}

static void
an_erase_sets_its_blocks_and_no_others(void **state)
{
	(void)state;
	open_area(true);
	for (uint32_t at = 4095; at < 5 * 4096; at += 4096) {
		assert_int_equal(port_flash_program(PORT_AREA_TRUST, at, "ab", 2), CUB_OK);
	}
	assert_int_equal(port_flash_erase(PORT_AREA_TRUST, 4096, 8192), CUB_OK);
	check_cells(4095, "a\xff", 2);
	check_cells(8191, "\xff\xff", 2);
	check_cells(3 * 4096 - 1, "\xff" "b", 2);
	assert_int_equal(port_flash_erase(PORT_AREA_TRUST, AREA_LEN - 4096, 8192), CUB_E_BAD);
	assert_int_equal(port_flash_erase(PORT_AREA_TRUST, 4096, AREA_LEN - 4096), CUB_OK);
	check_cells(4095, "a\xff", 2);
	check_cells(3 * 4096 - 1, "\xff\xff", 2);
	port_flash_close(PORT_AREA_TRUST);
	assert_int_equal(open_area(false).size, AREA_LEN);
	assert_int_equal(port_flash_erase(PORT_AREA_TRUST, 0, 4096), CUB_OK);
	check_cells(4095, "\xff\xff", 2);
	port_flash_close(PORT_AREA_TRUST);
}

static void
an_erase_off_the_blocks_is_refused(void **state)
{
	(void)state;
	open_area(true);
	assert_int_equal(port_flash_program(PORT_AREA_TRUST, 0, "abc", 3), CUB_OK);
	assert_int_equal(port_flash_erase(PORT_AREA_TRUST, 1, 4096), CUB_E_BAD);
	assert_int_equal(port_flash_erase(PORT_AREA_TRUST, 0, 4095), CUB_E_BAD);
	assert_int_equal(port_flash_program(PORT_AREA_TRUST, UINT32_MAX, "abc", 3), CUB_E_BAD);
	check_cells(0, "abc", 3);
	port_flash_close(PORT_AREA_TRUST);
}

static void
a_store_that_another_has_open_is_busy(void **state)
{
	struct port_flash flash;

	(void)state;
	open_area(true);
	assert_int_equal(port_flash_open(PORT_AREA_IDENTITY, flash_path, 0, &flash),
		CUB_E_BUSY);
	port_flash_close(PORT_AREA_TRUST);
	assert_int_equal(port_flash_open(PORT_AREA_IDENTITY, flash_path, 0, &flash), CUB_OK);
	port_flash_close(PORT_AREA_IDENTITY);
}

static void
a_store_that_others_may_read_or_write_is_denied(void **state)
{
	static const mode_t modes[] = { 0640, 0604, 0620, 0602, 0610, 0666 };
	struct port_flash flash;

	(void)state;
	put_file("store", "");
	for (size_t i = 0; i < LEN(modes); i++) {
		assert_int_equal(chmod(flash_path, modes[i]), 0);
		assert_int_equal(port_flash_open(PORT_AREA_TRUST, flash_path, AREA_LEN, &flash),
			CUB_E_DENIED);
	}
	assert_int_equal(chmod(flash_path, 0600), 0);
	open_area(false);
	port_flash_close(PORT_AREA_TRUST);
}

static void
what_is_neither_a_file_nor_flash_is_denied(void **state)
{
	char path[128];
	struct port_flash flash;

	(void)state;
	put_file("target", "");
	put_link("store", "target");
	assert_int_equal(port_flash_open(PORT_AREA_TRUST, flash_path, AREA_LEN, &flash), CUB_E_DENIED);
	snprintf(path, sizeof path, "%s/root", world.folder);
	assert_int_equal(port_flash_open(PORT_AREA_TRUST, path, 0, &flash), CUB_E_DENIED);
	assert_int_equal(port_flash_open(PORT_AREA_TRUST, path, AREA_LEN, &flash), CUB_E_DENIED);
	snprintf(path, sizeof path, "%s/root/fifo", world.folder);
	assert_int_equal(port_flash_open(PORT_AREA_TRUST, path, AREA_LEN, &flash), CUB_E_DENIED);
	assert_int_equal(port_flash_open(PORT_AREA_TRUST, "/dev/null", AREA_LEN, &flash), CUB_E_DENIED);
	snprintf(path, sizeof path, "%s/target/store", world.folder);
	assert_int_equal(port_flash_open(PORT_AREA_TRUST, path, AREA_LEN, &flash), CUB_E_NOENT);
}

static void
a_missing_device_is_not_replaced_by_a_file(void **state)
{
	static const char device[] = "/dev/cubftpd-no-such-device";
	struct port_flash flash;

	(void)state;
	assert_int_equal(port_flash_open(PORT_AREA_TRUST, device, AREA_LEN, &flash), CUB_E_NOENT);
	assert_int_equal(access(device, F_OK), -1);
}

/* Sockets */

static const struct port_addr loopback4 = { .family = 4, .ip = { 127, 0, 0, 1 } };
static const struct port_addr loopback6 = { .family = 6, .ip = { [15] = 1 } };
static const struct port_addr any6 = { .family = 6 };

/* Two ends of a connection: `ours` by the port, `theirs` a plain blocking socket. */
struct pair {
	port_sock        listener;
	port_sock        ours;
	int              theirs;
	struct port_addr peer;
};

/* Wait for one socket. Returns what became ready, 0 at the deadline. */
static uint8_t
wait_for(port_sock sock, uint8_t events, uint64_t limit_ms)
{
	struct port_wait set = { .count = 1, .deadline_ms = port_clock_ms() + limit_ms };

	set.item[0].sock = sock;
	set.item[0].events = events;
	port_wait(&set);
	return set.item[0].ready;
}

static int
client_connect(const struct port_addr *to)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(to->tcp_port) };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(to->tcp_port) };
	bool is_v4 = to->family == 4;
	int sock = socket(is_v4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);

	memcpy(&v4.sin_addr, to->ip, sizeof v4.sin_addr);
	memcpy(&v6.sin6_addr, to->ip, sizeof v6.sin6_addr);
	assert_true(sock >= 0);
	assert_int_equal(is_v4 ? connect(sock, (struct sockaddr *)&v4, sizeof v4)
		: connect(sock, (struct sockaddr *)&v6, sizeof v6), 0);
	return sock;
}

/* Skips the test where the system has no IPv6. */
static port_sock
listen_at(const struct port_addr *at, struct port_addr *local)
{
	port_sock listener;
	int result = port_listen(at, 4, &listener);

	if (result == CUB_E_IO && at->family == 6) {
		skip();
	}
	assert_int_equal(result, CUB_OK);
	assert_int_equal(port_sock_local(listener, local), CUB_OK);
	assert_int_equal(local->family, at->family);
	assert_memory_equal(local->ip, at->ip, sizeof local->ip);
	assert_true(local->tcp_port != 0);
	return listener;
}

static struct pair
pair_open(const struct port_addr *at, const struct port_addr *via)
{
	struct pair p;
	struct port_addr to;

	p.listener = listen_at(at, &to);
	assert_int_equal(port_accept(p.listener, &p.ours, &p.peer), CUB_AGAIN);
	to.family = via->family;
	memcpy(to.ip, via->ip, sizeof to.ip);
	p.theirs = client_connect(&to);
	assert_int_equal(wait_for(p.listener, PORT_READ, SOON_MS), PORT_READ);
	assert_int_equal(port_accept(p.listener, &p.ours, &p.peer), CUB_OK);
	return p;
}

static void
pair_close(struct pair *p)
{
	if (p->theirs >= 0) {
		close(p->theirs);
	}
	port_sock_close(p->ours);
	port_sock_close(p->listener);
}

static void
an_ipv4_client_of_an_ipv6_socket_is_an_ipv4_peer(void **state)
{
	struct pair p = pair_open(&any6, &loopback4);
	struct port_addr local;

	(void)state;
	assert_int_equal(p.peer.family, 4);
	assert_memory_equal(p.peer.ip, loopback4.ip, sizeof p.peer.ip);
	assert_true(p.peer.tcp_port != 0);
	assert_int_equal(p.peer.scope, 0);
	assert_int_equal(port_sock_local(p.ours, &local), CUB_OK);
	assert_int_equal(local.family, 4);
	assert_memory_equal(local.ip, loopback4.ip, sizeof local.ip);
	pair_close(&p);
}

static void
an_ipv6_client_is_an_ipv6_peer(void **state)
{
	struct pair p = pair_open(&loopback6, &loopback6);
	struct port_addr local;

	(void)state;
	assert_int_equal(p.peer.family, 6);
	assert_memory_equal(p.peer.ip, loopback6.ip, sizeof p.peer.ip);
	assert_int_equal(port_sock_local(p.ours, &local), CUB_OK);
	assert_int_equal(local.family, 6);
	pair_close(&p);
}

/* Call until it is over. */
static int
connect_out(port_sock *sock, const struct port_addr *from, const struct port_addr *to)
{
	int result;

	*sock = PORT_NONE;
	while ((result = port_connect(sock, from, to)) == CUB_AGAIN) {
		assert_int_equal(wait_for(*sock, PORT_WRITE, SOON_MS), PORT_WRITE);
	}
	return result;
}

static void
a_connection_is_made_from_the_address_that_is_given(void **state)
{
	struct port_addr from = loopback4, to, peer, local;
	port_sock listener = listen_at(&loopback4, &to);
	port_sock sock, theirs;
	char got[2];

	(void)state;
	from.ip[3] = 2;
	from.tcp_port = to.tcp_port;  /* is not looked at */
	assert_int_equal(connect_out(&sock, &from, &to), CUB_OK);
	assert_int_equal(port_accept(listener, &theirs, &peer), CUB_OK);
	assert_memory_equal(peer.ip, from.ip, 4);
	assert_int_equal(port_sock_local(sock, &local), CUB_OK);
	assert_int_equal(local.tcp_port, peer.tcp_port);
	assert_int_equal(port_sock_write(sock, "hi", 2), 2);
	assert_int_equal(wait_for(theirs, PORT_READ, SOON_MS), PORT_READ);
	assert_int_equal(port_sock_read(theirs, got, 2), 2);
	port_sock_close(sock);
	port_sock_close(theirs);
	port_sock_close(listener);
	assert_int_equal(connect_out(&sock, &loopback4, &to), CUB_E_IO);  /* refused */
	port_sock_close(sock);
	from.ip[0] = 192;
	assert_int_equal(connect_out(&sock, &from, &to), CUB_E_IO);  /* not ours */
	port_sock_close(sock);
	listener = listen_at(&loopback6, &to);
	assert_int_equal(connect_out(&sock, &loopback6, &to), CUB_OK);
	port_sock_close(sock);
	port_sock_close(listener);
}

static void
loopback_is_near_itself_and_far_from_the_rest(void **state)
{
	struct port_addr other = loopback4, far = { .family = 4, .ip = { 198, 51, 100, 7 } };

	(void)state;
	other.ip[3] = 77;
	assert_true(port_is_near(&loopback4, &loopback4));
	assert_true(port_is_near(&loopback4, &other));
	assert_true(port_is_near(&other, &loopback4));
	assert_false(port_is_near(&loopback4, &far));
	assert_false(port_is_near(&far, &loopback4));
	assert_false(port_is_near(&far, &far));
}

static void
an_ipv6_listener_leaves_the_ipv4_port_alone_unless_it_listens_on_all(void **state)
{
	struct port_addr local;
	struct port_addr v4 = loopback4;
	port_sock six = listen_at(&loopback6, &local);
	port_sock four;
	int only = 0;
	socklen_t len = sizeof only;

	(void)state;
	assert_int_equal(getsockopt(six, IPPROTO_IPV6, IPV6_V6ONLY, &only, &len), 0);
	assert_int_equal(only, 1);
	v4.tcp_port = local.tcp_port;
	assert_int_equal(port_listen(&v4, 1, &four), CUB_OK);
	port_sock_close(four);
	port_sock_close(six);
	six = listen_at(&any6, &local);
	v4.tcp_port = local.tcp_port;
	assert_int_equal(port_listen(&v4, 1, &four), CUB_E_BUSY);
	port_sock_close(six);
}

static void
an_address_that_is_taken_is_busy_and_a_foreign_one_fails(void **state)
{
	/* TEST-NET-1 of RFC 5737: nobody has it. */
	struct port_addr foreign = { .family = 4, .ip = { 192, 0, 2, 1 } };
	struct port_addr unknown = { .family = 5 };
	struct port_addr local;
	port_sock listener = listen_at(&loopback4, &local);
	port_sock second;

	(void)state;
	assert_int_equal(port_listen(&local, 1, &second), CUB_E_BUSY);
	assert_int_equal(port_listen(&foreign, 1, &second), CUB_E_IO);
	assert_int_equal(port_listen(&unknown, 1, &second), CUB_E_IO);
	port_sock_close(listener);
}

static int
option_of(int sock, int level, int option)
{
	int value = -1;
	socklen_t len = sizeof value;

	assert_int_equal(getsockopt(sock, level, option, &value, &len), 0);
	return value;
}

static void
a_socket_that_listens_only_acknowledges_at_once(void **state)
{
	struct pair p = pair_open(&loopback4, &loopback4);
	char byte = 'x';

	(void)state;
	/* The kernel takes it for a dialogue, and delays what it could send with an answer. */
	for (int i = 0; i < 10; i++) {
		assert_int_equal(write(p.theirs, &byte, 1), 1);
		assert_int_equal(wait_for(p.ours, PORT_READ, SOON_MS), PORT_READ);
		assert_int_equal(port_sock_read(p.ours, &byte, 1), 1);
		assert_int_equal(port_sock_write(p.ours, &byte, 1), 1);
	}
	assert_int_equal(option_of(p.ours, IPPROTO_TCP, TCP_QUICKACK), 0);
	port_sock_quickack(p.ours);
	assert_int_equal(option_of(p.ours, IPPROTO_TCP, TCP_QUICKACK), 1);
	pair_close(&p);
}

static void
an_accepted_socket_is_set_up_as_promised(void **state)
{
	struct pair p = pair_open(&loopback4, &loopback4);

	(void)state;
	assert_true(option_of(p.ours, IPPROTO_TCP, TCP_NODELAY) != 0);
	assert_true(option_of(p.ours, SOL_SOCKET, SO_KEEPALIVE) != 0);
	assert_int_equal(option_of(p.ours, IPPROTO_TCP, TCP_KEEPIDLE), 30);
	assert_int_equal(option_of(p.ours, IPPROTO_TCP, TCP_KEEPINTVL), 10);
	assert_int_equal(option_of(p.ours, IPPROTO_TCP, TCP_KEEPCNT), 6);
	assert_true(fcntl(p.ours, F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(p.ours, F_GETFD) & FD_CLOEXEC);
	assert_true(fcntl(p.listener, F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(p.listener, F_GETFD) & FD_CLOEXEC);
	pair_close(&p);
}

static void
nothing_yet_and_the_end_are_told_apart(void **state)
{
	struct pair p = pair_open(&loopback4, &loopback4);
	char buf[8];

	(void)state;
	assert_int_equal(port_sock_read(p.ours, buf, sizeof buf), CUB_AGAIN);
	assert_int_equal(send(p.theirs, "abc", 3, 0), 3);
	assert_int_equal(wait_for(p.ours, PORT_READ, SOON_MS), PORT_READ);
	assert_int_equal(port_sock_read(p.ours, buf, 2), 2);
	assert_int_equal(port_sock_read(p.ours, buf + 2, sizeof buf), 1);
	assert_memory_equal(buf, "abc", 3);
	assert_int_equal(port_sock_read(p.ours, buf, sizeof buf), CUB_AGAIN);
	assert_int_equal(shutdown(p.theirs, SHUT_WR), 0);
	assert_int_equal(wait_for(p.ours, PORT_READ, SOON_MS), PORT_READ);
	assert_int_equal(port_sock_read(p.ours, buf, sizeof buf), CUB_EOF);
	assert_int_equal(port_sock_read(p.ours, buf, sizeof buf), CUB_EOF);
	pair_close(&p);
}

static void
what_was_written_arrives_before_the_shutdown(void **state)
{
	struct pair p = pair_open(&loopback4, &loopback4);
	char buf[8];

	(void)state;
	assert_int_equal(port_sock_write(p.ours, "bye", 3), 3);
	port_sock_shutdown(p.ours);
	assert_int_equal(recv(p.theirs, buf, sizeof buf, MSG_WAITALL), 3);
	assert_int_equal(recv(p.theirs, buf, sizeof buf, 0), 0);
	pair_close(&p);
}

static void
a_full_socket_says_again(void **state)
{
	static char block[65536];
	struct pair p = pair_open(&loopback4, &loopback4);
	int n;

	(void)state;
	assert_int_equal(wait_for(p.ours, PORT_WRITE, SOON_MS), PORT_WRITE);
	do {
		n = port_sock_write(p.ours, block, sizeof block);
		assert_true(n > 0 || n == CUB_AGAIN);
	} while (n > 0);
	assert_int_equal(wait_for(p.ours, PORT_WRITE, 20), 0);
	pair_close(&p);
}

/* SIGPIPE has its deadly default here. */
static void
a_write_to_a_closed_peer_fails_without_a_signal(void **state)
{
	struct pair p = pair_open(&loopback4, &loopback4);
	struct linger at_once = { .l_onoff = 1, .l_linger = 0 };
	char byte;

	(void)state;
	signal(SIGPIPE, SIG_DFL);
	assert_int_equal(setsockopt(p.theirs, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), 0);
	close(p.theirs);
	p.theirs = -1;
	/* The hang-up is told also to somebody who only wants to write. */
	assert_int_equal(wait_for(p.ours, PORT_WRITE, SOON_MS), PORT_WRITE);
	assert_int_equal(port_sock_read(p.ours, &byte, 1), CUB_E_IO);
	assert_int_equal(port_sock_write(p.ours, "x", 1), CUB_E_IO);
	assert_int_equal(port_sock_write(p.ours, "x", 1), CUB_E_IO);
	pair_close(&p);
}

static void
an_accept_without_a_descriptor_left_is_a_limit(void **state)
{
	struct rlimit before;
	struct rlimit now;
	struct pair p = pair_open(&loopback4, &loopback4);
	struct port_addr local;
	struct port_addr peer;
	port_sock sock;
	int second;

	(void)state;
	assert_int_equal(port_sock_local(p.listener, &local), CUB_OK);
	second = client_connect(&local);
	assert_int_equal(wait_for(p.listener, PORT_READ, SOON_MS), PORT_READ);
	getrlimit(RLIMIT_NOFILE, &before);
	now = (struct rlimit){ .rlim_cur = 3, .rlim_max = before.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &now), 0);
	assert_int_equal(port_accept(p.listener, &sock, &peer), CUB_E_LIMIT);
	assert_int_equal(port_listen(&loopback4, 1, &sock), CUB_E_LIMIT);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	close(second);
	pair_close(&p);
}

/* Unix sockets */

static char local_path[96];

static int
local_world_open(void **state)
{
	world_open(state);
	snprintf(local_path, sizeof local_path, "%s/sock", world.folder);
	return 0;
}

/* The mode that a Unix socket has just before anybody can connect: see listen() below. */
static mode_t mode_at_listen;

int
listen(int sock, int backlog)
{
	struct stat st;

	if (lstat(local_path, &st) == 0) {
		mode_at_listen = st.st_mode & 07777;
	}
	return (int)syscall(SYS_listen, sock, backlog);
}

static struct sockaddr_un
local_address(const char *path)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };

	snprintf(at.sun_path, sizeof at.sun_path, "%s", path);
	return at;
}

/* A plain socket with a name, of a server that is not ours. */
static int
foreign_bind(const char *path, int type)
{
	struct sockaddr_un at = local_address(path);
	int sock = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	assert_true(sock >= 0);
	assert_int_equal(bind(sock, (struct sockaddr *)&at, sizeof at), 0);
	return sock;
}

static int
local_connect(const char *path, int flags)
{
	struct sockaddr_un at = local_address(path);
	int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);

	assert_true(sock >= 0);
	if (connect(sock, (struct sockaddr *)&at, sizeof at) != 0) {
		close(sock);
		return -1;
	}
	return sock;
}

/* Listen and close, the name stays. Returns what the listening answered. */
static int
try_listen_local(const char *path)
{
	port_sock listener;
	int result = port_listen_local(path, &listener);

	if (result == CUB_OK) {
		port_sock_close(listener);
	}
	return result;
}

static struct pair
local_pair_open(void)
{
	struct pair p;

	assert_int_equal(port_listen_local(local_path, &p.listener), CUB_OK);
	assert_int_equal(port_accept(p.listener, &p.ours, &p.peer), CUB_AGAIN);
	p.theirs = local_connect(local_path, 0);
	assert_true(p.theirs >= 0);
	assert_int_equal(wait_for(p.listener, PORT_READ, SOON_MS), PORT_READ);
	memset(&p.peer, 0xFF, sizeof p.peer);
	assert_int_equal(port_accept(p.listener, &p.ours, &p.peer), CUB_OK);
	return p;
}

static void
a_local_socket_is_its_owners_alone_before_anybody_can_connect(void **state)
{
	static const mode_t masks[] = { 0, 022, 077, 0777 };

	(void)state;
	for (size_t i = 0; i < LEN(masks); i++) {
		mode_t before = umask(masks[i]);
		int result = try_listen_local(local_path);

		assert_int_equal(umask(before), masks[i]);
		assert_int_equal(result, CUB_OK);
		assert_int_equal(mode_at_listen, 0600);
	}
}

static void
a_local_client_has_no_address_and_is_served_like_others(void **state)
{
	static const struct port_addr none;
	struct pair p = local_pair_open();
	struct port_addr local = loopback4;
	char buf[8];

	(void)state;
	assert_int_equal(p.peer.family, 0);
	assert_memory_equal(p.peer.ip, none.ip, sizeof none.ip);
	assert_int_equal(p.peer.tcp_port, 0);
	assert_int_equal(port_sock_local(p.ours, &local), CUB_OK);
	assert_int_equal(local.family, 0);
	assert_int_equal(option_of(p.ours, SOL_SOCKET, SO_KEEPALIVE), 0);
	assert_true(fcntl(p.ours, F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(p.ours, F_GETFD) & FD_CLOEXEC);
	assert_true(fcntl(p.listener, F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(p.listener, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(port_sock_read(p.ours, buf, sizeof buf), CUB_AGAIN);
	assert_int_equal(send(p.theirs, "ask", 3, 0), 3);
	assert_int_equal(port_sock_read(p.ours, buf, sizeof buf), 3);
	assert_int_equal(shutdown(p.theirs, SHUT_WR), 0);
	assert_int_equal(port_sock_read(p.ours, buf, sizeof buf), CUB_EOF);
	assert_int_equal(port_sock_write(p.ours, "answer", 6), 6);
	port_sock_shutdown(p.ours);
	assert_int_equal(recv(p.theirs, buf, sizeof buf, 0), 6);
	assert_int_equal(recv(p.theirs, buf, sizeof buf, 0), 0);
	pair_close(&p);

	signal(SIGPIPE, SIG_DFL);
	p = local_pair_open();
	close(p.theirs);
	p.theirs = -1;
	assert_int_equal(port_sock_write(p.ours, "x", 1), CUB_E_IO);
	pair_close(&p);
}

static void
a_local_socket_that_nobody_listens_at_is_replaced(void **state)
{
	struct pair p;

	(void)state;
	close(foreign_bind(local_path, SOCK_STREAM));
	assert_int_equal(chmod(local_path, 0777), 0);
	p = local_pair_open();
	assert_int_equal(mode_at_listen, 0600);
	pair_close(&p);
	assert_true(is_there("sock"));
	p = local_pair_open();
	pair_close(&p);
}

static void
a_local_socket_in_use_is_busy_and_stays(void **state)
{
	struct pair p = local_pair_open();
	int foreign, fill, again;

	(void)state;
	assert_int_equal(try_listen_local(local_path), CUB_E_BUSY);
	again = local_connect(local_path, 0);
	assert_true(again >= 0);
	close(again);
	pair_close(&p);
	port_forget_local(local_path);

	/* Also where its queue is full: the look must not wait. */
	foreign = foreign_bind(local_path, SOCK_STREAM);
	assert_int_equal(listen(foreign, 0), 0);
	fill = local_connect(local_path, 0);
	assert_int_equal(local_connect(local_path, SOCK_NONBLOCK), -1);
	assert_int_equal(errno, EAGAIN);
	alarm(SOON_MS / 1000);
	assert_int_equal(try_listen_local(local_path), CUB_E_BUSY);
	alarm(0);
	close(fill);
	close(foreign);
	port_forget_local(local_path);

	foreign = foreign_bind(local_path, SOCK_DGRAM);
	assert_int_equal(try_listen_local(local_path), CUB_E_BUSY);
	close(foreign);
	assert_true(is_there("sock"));
}

static void
what_is_no_socket_is_neither_replaced_nor_followed_nor_removed(void **state)
{
	static const char *const names[] = {
		"root/file", "root/dir", "root/fifo", "root/dangling", "root/circle", "root/in_file",
		"link",
	};
	struct stat st;
	char path[96];

	(void)state;
	close(foreign_bind(local_path, SOCK_STREAM));
	put_link("link", "sock");
	for (size_t i = 0; i < LEN(names); i++) {
		snprintf(path, sizeof path, "%s/%s", world.folder, names[i]);
		assert_int_equal(try_listen_local(path), CUB_E_EXIST);
		port_forget_local(path);
		assert_true(is_there(names[i]));
	}
	assert_int_equal(fstatat(world.folder_fd, "sock", &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_true(S_ISSOCK(st.st_mode));
	assert_int_equal(fstatat(world.folder_fd, "link", &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_true(holds("root/file", "hello"));
	assert_false(is_there("root/nowhere"));
	port_forget_local(local_path);
	assert_false(is_there("sock"));
	port_forget_local(local_path);
}

static void
a_path_that_can_have_no_local_socket_is_refused(void **state)
{
	struct rlimit before;
	struct rlimit now;
	char path[160];
	int len;

	(void)state;
	assert_int_equal(try_listen_local(""), CUB_E_NAME);
	len = snprintf(path, sizeof path, "%s/", world.folder);
	memset(path + len, 'x', sizeof path - (size_t)len);
	path[108] = '\0';
	assert_int_equal(try_listen_local(path), CUB_E_NAME);
	path[107] = '\0';
	assert_int_equal(try_listen_local(path), CUB_OK);
	assert_true(is_there(path + len));
	snprintf(path, sizeof path, "%s/none/sock", world.folder);
	assert_int_equal(try_listen_local(path), CUB_E_NOENT);
	snprintf(path, sizeof path, "%s/root/file/sock", world.folder);
	assert_int_equal(try_listen_local(path), CUB_E_NOENT);
	getrlimit(RLIMIT_NOFILE, &before);
	now = (struct rlimit){ .rlim_cur = 3, .rlim_max = before.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &now), 0);
	assert_int_equal(try_listen_local(local_path), CUB_E_LIMIT);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_false(is_there("sock"));
}

static void
a_local_socket_that_may_not_be_made_or_asked_is_denied(void **state)
{
	bool is_root = geteuid() == 0;
	char path[96];

	(void)state;
	put_dir("box");
	snprintf(path, sizeof path, "%s/box/sock", world.folder);
	if (is_root) {
		assert_int_equal(fchownat(world.folder_fd, "box", NOBODY, NOBODY, 0), 0);
		assert_int_equal(seteuid(NOBODY), 0);
	}
	close(foreign_bind(path, SOCK_STREAM));
	assert_int_equal(chmod(path, 0), 0);
	assert_int_equal(try_listen_local(path), CUB_E_DENIED);
	assert_int_equal(chmod(path, 0600), 0);
	assert_int_equal(fchmodat(world.folder_fd, "box", 0500, 0), 0);
	assert_int_equal(try_listen_local(path), CUB_E_DENIED);
	port_forget_local(path);
	assert_true(is_there("box/sock"));
	assert_int_equal(fchmodat(world.folder_fd, "box", 0700, 0), 0);
	port_forget_local(path);
	assert_false(is_there("box/sock"));
	assert_int_equal(fchmodat(world.folder_fd, "box", 0500, 0), 0);
	assert_int_equal(try_listen_local(path), CUB_E_DENIED);
	assert_int_equal(fchmodat(world.folder_fd, "box", 0700, 0), 0);
	if (is_root) {
		assert_int_equal(seteuid(0), 0);
	}
}

/* Secrets */

#define SECRET_CAP 6

static uint8_t secret[SECRET_CAP + 1];

/* At a path below the folder, or an absolute one. What lies behind the room stays. */
static int
try_secret(const char *name, size_t cap)
{
	char path[128];
	int result;

	snprintf(path, sizeof path, "%s%s%s", name[0] == '/' ? "" : world.folder,
		name[0] == '/' ? "" : "/", name);
	memset(secret, 0xA5, sizeof secret);
	result = port_secret(path, secret, cap);
	assert_int_equal(secret[cap], 0xA5);
	for (size_t i = 0; result < 0 && i < cap; i++) {
		assert_true(secret[i] == 0 || secret[i] == 0xA5);
	}
	return result;
}

static void
a_secret_is_a_file_without_the_end_of_its_line(void **state)
{
	static const struct {
		const char *file;
		int result;
	} cases[] = {
		{ "s", 1 }, { "s\n", 1 }, { "s\r\n", 1 }, { "secret", 6 }, { "secret\n", 6 },
		{ "secret\r\n", 6 }, { "secre\n\n", 6 }, { "secre\r\r\n", 6 }, { "secre\n\r\n", 6 },
		{ "secre\r", 6 }, { "se\ncr", 5 }, { " s ", 3 }, { "secre\n", 5 }, { "secr\r\n", 4 },
		{ "", CUB_E_BAD }, { "\n", CUB_E_BAD }, { "\r\n", CUB_E_BAD }, { "\r", 1 },
		{ "secrets", CUB_E_LIMIT }, { "secret\r", CUB_E_LIMIT }, { "secrets\n", CUB_E_LIMIT },
		{ "secret\n\n", CUB_E_LIMIT }, { "secret\n\r\n", CUB_E_LIMIT },
		{ "secret\n.", CUB_E_LIMIT }, { "secret\r\n.", CUB_E_LIMIT },
		{ "secret \r\n", CUB_E_LIMIT }, { "much longer than it may be\n", CUB_E_LIMIT },
	};

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		put_file("secret", cases[i].file);
		assert_int_equal(try_secret("secret", SECRET_CAP), cases[i].result);
		if (cases[i].result > 0) {
			assert_memory_equal(secret, cases[i].file, (size_t)cases[i].result);
		}
		assert_int_equal(unlinkat(world.folder_fd, "secret", 0), 0);
	}
	put_file("secret", "s\n");
	assert_int_equal(try_secret("secret", 1), 1);
}

static void
a_secret_that_others_may_use_is_denied(void **state)
{
	static const mode_t refused[] = { 0640, 0604, 0620, 0602, 0610, 0601, 0644, 0777 };
	static const mode_t taken[] = { 0600, 0400, 0700 };

	(void)state;
	put_file("secret", "secret");
	for (size_t i = 0; i < LEN(refused); i++) {
		assert_int_equal(fchmodat(world.folder_fd, "secret", refused[i], 0), 0);
		assert_int_equal(try_secret("secret", SECRET_CAP), CUB_E_DENIED);
	}
	for (size_t i = 0; i < LEN(taken); i++) {
		assert_int_equal(fchmodat(world.folder_fd, "secret", taken[i], 0), 0);
		assert_int_equal(try_secret("secret", SECRET_CAP), 6);
	}
	if (geteuid() == 0) {
		assert_int_equal(seteuid(NOBODY), 0);
		assert_int_equal(try_secret("secret", SECRET_CAP), CUB_E_DENIED);
		assert_int_equal(seteuid(0), 0);
	} else {
		assert_int_equal(fchmodat(world.folder_fd, "secret", 0, 0), 0);
		assert_int_equal(try_secret("secret", SECRET_CAP), CUB_E_DENIED);
	}
}

static void
a_secret_is_found_through_links_and_only_in_files_and_devices(void **state)
{
	struct rlimit before;
	struct rlimit now;

	(void)state;
	put_file("secret", "secret");
	put_link("link", "secret");
	put_link("link_to_link", "link");
	assert_int_equal(try_secret("link_to_link", SECRET_CAP), 6);
	assert_memory_equal(secret, "secret", 6);
	assert_int_equal(try_secret("root/dangling", SECRET_CAP), CUB_E_NOENT);
	assert_int_equal(try_secret("root/circle", SECRET_CAP), CUB_E_DENIED);
	assert_int_equal(try_secret("none", SECRET_CAP), CUB_E_NOENT);
	assert_int_equal(try_secret("secret/none", SECRET_CAP), CUB_E_NOENT);
	assert_int_equal(try_secret("root/dir", SECRET_CAP), CUB_E_DENIED);
	close(foreign_bind(local_path, SOCK_STREAM));
	assert_int_equal(try_secret("sock", SECRET_CAP), CUB_E_DENIED);
	alarm(SOON_MS / 1000);
	assert_int_equal(try_secret("root/fifo", SECRET_CAP), CUB_E_DENIED);
	alarm(0);
	/* A file of mode 0600 whose first byte can't be read. */
	assert_int_equal(try_secret("/proc/self/mem", SECRET_CAP), CUB_E_IO);
	getrlimit(RLIMIT_NOFILE, &before);
	now = (struct rlimit){ .rlim_cur = 3, .rlim_max = before.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &now), 0);
	assert_int_equal(try_secret("secret", SECRET_CAP), CUB_E_IO);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
}

static void
of_a_device_as_much_is_taken_as_there_is_room(void **state)
{
	(void)state;
	assert_int_equal(try_secret("/dev/zero", SECRET_CAP), SECRET_CAP);
	assert_memory_equal(secret, "\0\0\0\0\0", SECRET_CAP);
	assert_int_equal(try_secret("/dev/null", SECRET_CAP), CUB_E_BAD);
}

/* A terminal stands for a device that gives what looks like the end of a line. */
static void
the_bytes_of_a_device_are_taken_as_they_are(void **state)
{
	int terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	char name[64];

	(void)state;
	if (terminal < 0 || grantpt(terminal) != 0 || unlockpt(terminal) != 0
		|| ptsname_r(terminal, name, sizeof name) != 0) {
		close(terminal);
		skip();
	}
	assert_int_equal(write(terminal, "12345\n", 6), 6);
	assert_int_equal(try_secret(name, SECRET_CAP), 6);
	assert_memory_equal(secret, "12345\n", 6);
	close(terminal);
}

/* The wait */

static void
a_wait_marks_what_was_asked_for_and_nothing_else(void **state)
{
	struct pair p = pair_open(&loopback4, &loopback4);
	static const uint8_t events[] = {
		PORT_READ, PORT_WRITE, PORT_READ | PORT_WRITE, PORT_READ,
	};
	struct port_wait set = { .count = 4, .deadline_ms = port_clock_ms() + SOON_MS };
	uint64_t before_ms;

	(void)state;
	assert_int_equal(send(p.theirs, "x", 1, 0), 1);
	assert_int_equal(wait_for(p.ours, PORT_READ, SOON_MS), PORT_READ);
	memset(set.item, 0xFF, sizeof set.item);
	for (int i = 0; i < 4; i++) {
		set.item[i].sock = i < 3 ? p.ours : p.listener;
		set.item[i].events = events[i];
	}
	port_wait(&set);
	assert_int_equal(set.item[0].ready, PORT_READ);
	assert_int_equal(set.item[1].ready, PORT_WRITE);
	assert_int_equal(set.item[2].ready, PORT_READ | PORT_WRITE);
	assert_int_equal(set.item[3].ready, 0);

	/* A connection that ended wakes nobody who waits for nothing. */
	close(p.theirs);
	p.theirs = -1;
	assert_int_equal(wait_for(p.ours, PORT_READ, SOON_MS), PORT_READ);
	before_ms = port_clock_ms();
	assert_int_equal(wait_for(p.ours, 0, 30), 0);
	assert_true(port_clock_ms() - before_ms >= 29);
	pair_close(&p);
}

static void
a_wait_ends_at_its_deadline(void **state)
{
	struct port_wait set = { .count = 0 };
	uint64_t before_ms = port_clock_ms();

	(void)state;
	set.deadline_ms = before_ms + 40;
	port_wait(&set);
	assert_in_range(port_clock_ms() - before_ms, 40, SOON_MS);
	before_ms = port_clock_ms();
	set.deadline_ms = before_ms - 1;
	port_wait(&set);
	assert_in_range(port_clock_ms() - before_ms, 0, SOON_MS);
}

/* In a process of its own: what was blocked is blocked for good. */
static void
child_meets_signals(void)
{
	struct port_wait set = { .count = 1, .deadline_ms = UINT64_MAX };

	set.item[0].sock = STDIN_FILENO;
	set.item[0].events = 0;
	set.item[0].ready = PORT_READ;
	assert_int_equal(sys_signal_next(), 0);
	sys_signals_take();
	assert_int_equal(sys_signal_next(), 0);
	raise(SIGPIPE);
	raise(SIGXFSZ);
	assert_int_equal(sys_signal_next(), 0);
	raise(SIGHUP);
	raise(SIGTERM);
	alarm(SOON_MS / 1000);
	port_wait(&set);
	assert_int_equal(set.item[0].ready, 0);
	assert_int_equal(sys_signal_next(), SIGHUP);
	port_wait(&set);
	assert_int_equal(sys_signal_next(), SIGTERM);
	assert_int_equal(sys_signal_next(), 0);
	/* None is left, so nothing but the deadline ends the next one. */
	set.deadline_ms = port_clock_ms() + 20;
	port_wait(&set);
	assert_true(port_clock_ms() >= set.deadline_ms);
}

static void
a_signal_that_came_before_the_wait_still_ends_it(void **state)
{
	int status;
	pid_t child;

	(void)state;
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		child_meets_signals();
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

/* The program that is run after an upload */

#define NONE ""

/* Write a program for sh, run it, and wait for its end by port_wait(). */
static int
run_script(const char *script, const char *first, const char *second)
{
	struct port_wait set = { .count = 0, .deadline_ms = UINT64_MAX };
	char program[100], text[600];
	int fd, err, turns = 0;

	snprintf(program, sizeof program, "%s/script", world.folder);
	snprintf(text, sizeof text, "#!/bin/sh\ncd %s\n%s\n", world.folder, script);
	(void)unlink(program);
	put_file("script", text);
	assert_int_equal(chmod(program, 0755), 0);
	fd = dup2(world.folder_fd, 200);  /* something that is not closed by exec */
	err = port_hook_start(program, first, second);
	close(fd);
	if (err < 0) {
		return err;
	}
	while ((err = port_hook_end(false)) == CUB_AGAIN) {
		alarm(20);
		port_wait(&set);
		(void)sys_signal_next();
		assert_true(turns++ < 5);
	}
	alarm(0);
	return err;
}

/* In a process of its own, as its signals are blocked for good. */
static void
in_child(void (*what)(void))
{
	int status;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		sys_signals_take();
		what();
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void
child_runs_programs(void)
{
	char word[] = "it's \"$HOME\"; `x` \n*";

	assert_int_equal(run_script("printf '%s|%s|%s' $# \"$1\" \"$2\" > said", word, NONE), CUB_OK);
	assert_true(holds("said", "2|it's \"$HOME\"; `x` \n*|"));
	assert_int_equal(run_script("exit 3", NONE, NONE), CUB_E_ABORTED);
	assert_int_equal(run_script("kill -9 $$", NONE, NONE), CUB_E_ABORTED);
}

static void
a_program_gets_its_words_as_they_are_and_its_end_is_told(void **state)
{
	(void)state;
	in_child(child_runs_programs);
}

static void
child_looks_around(void)
{
	setenv("SECRET", "x", 1);
	assert_int_equal(run_script("env > said; ls /proc/$$/fd > fds; cat > input; umask > mask;"
		" grep SigBlk /proc/self/status > signals", NONE, NONE), CUB_OK);
	assert_true(!holds("said", ""));
	assert_int_equal(run_script("! grep SECRET said && grep -q ^PATH=/ said", NONE, NONE), CUB_OK);
	assert_int_equal(run_script("! grep 200 fds", NONE, NONE), CUB_OK);
	assert_int_equal(run_script("grep -q 0000000000000000 signals", NONE, NONE), CUB_OK);
	assert_true(holds("input", ""));
	assert_true(holds("mask", "0022\n"));
}

static void
a_program_finds_nothing_of_the_server(void **state)
{
	(void)state;
	in_child(child_looks_around);
}

static void
child_ends_one(void)
{
	char program[100];

	snprintf(program, sizeof program, "%s/script", world.folder);
	put_file("script", "#!/bin/sh\nsleep 100 & sleep 100\n");
	assert_int_equal(chmod(program, 0755), 0);
	assert_int_equal(port_hook_start(program, NONE, NONE), CUB_OK);
	assert_int_equal(port_hook_end(false), CUB_AGAIN);
	while (port_hook_end(true) == CUB_AGAIN) {
		continue;
	}
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

static void
a_program_that_takes_too_long_is_ended(void **state)
{
	(void)state;
	in_child(child_ends_one);
}

/* Not under valgrind: there the server learns only at its end that a program can't be run. */
static bool
vfork_shares_memory(void)
{
	volatile bool is_shared = false;
	pid_t child = vfork();

	if (child == 0) {
		is_shared = true;
		_exit(0);
	}
	(void)waitpid(child, NULL, 0);
	return is_shared;
}

static void
a_program_that_cannot_be_run_is_told_at_once(void **state)
{
	char program[100];

	(void)state;
	if (!vfork_shares_memory()) {
		skip();
	}
	assert_int_equal(port_hook_start("/none/such", NONE, NONE), CUB_E_NOENT);
	assert_int_equal(port_hook_start("/tmp", NONE, NONE), CUB_E_DENIED);
	put_file("script", "#!/bin/sh\n");
	snprintf(program, sizeof program, "%s/script", world.folder);
	assert_int_equal(port_hook_start(program, NONE, NONE), CUB_E_DENIED);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

/* The rest of the system */

/* What stderr got since, as text. */
struct capture {
	int stderr_before;
	int reader;
};

static struct capture
capture_start(void)
{
	struct capture c;
	int ends[2];

	assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
	c.stderr_before = dup(STDERR_FILENO);
	c.reader = ends[0];
	dup2(ends[1], STDERR_FILENO);
	close(ends[1]);
	return c;
}

static void
capture_end(struct capture *c, char *text, size_t size)
{
	ssize_t n = read(c->reader, text, size - 1);

	dup2(c->stderr_before, STDERR_FILENO);
	close(c->stderr_before);
	close(c->reader);
	text[n > 0 ? n : 0] = '\0';
}

static void
an_event_is_one_line_with_its_level(void **state)
{
	char text[256];
	struct capture c = capture_start();

	(void)state;
	port_log(PORT_LOG_INFO, "event=start and more", 11);
	port_log(PORT_LOG_DEBUG, "event=dropped", 13);
	port_log(PORT_LOG_ERROR, "event=bad", 9);
	sys_log_level_set(PORT_LOG_DEBUG);
	port_log(PORT_LOG_DEBUG, "event=detail", 12);
	sys_log_level_set(PORT_LOG_ERROR);
	port_log(PORT_LOG_WARNING, "event=dropped", 13);
	sys_log_level_set(PORT_LOG_INFO);
	capture_end(&c, text, sizeof text);
	assert_string_equal(text, "info event=start\nerror event=bad\ndebug event=detail\n");
}

#if CONFIG_CUBFTPD_SYSLOG

/* A syslog daemon that reads one message at a time. */
static int
syslog_daemon(const char *path)
{
	struct sockaddr_un at;
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(sys_local_address(path, &at), CUB_OK);
	assert_int_equal(bind(fd, (const struct sockaddr *)&at, sizeof at), 0);
	return fd;
}

static void
check_message(int daemon, const char *start, const char *event)
{
	char text[512], pid[40];
	ssize_t n = read(daemon, text, sizeof text - 1);

	assert_true(n > 0);
	text[n] = '\0';
	assert_int_equal(strncmp(text, start, strlen(start)), 0);
	snprintf(pid, sizeof pid, " cubftpd %d ", (int)getpid());
	assert_non_null(strstr(text, pid));
	assert_string_equal(text + strlen(text) - strlen(event), event);
}

static void
events_go_to_a_syslog_daemon_and_to_stderr_while_there_is_none(void **state)
{
	static const char wanted[] = "info event=before\nwarning event=between\n"
		"warning event=nowhere\ninfo event=full\n";
	char text[1024], path[64];
	struct capture c;
	int daemon;

	(void)state;
	snprintf(path, sizeof path, "/tmp/cubftpd-syslog-%d", (int)getpid());
	(void)unlink(path);
	c = capture_start();
	sys_log_to(path);
	port_log(PORT_LOG_INFO, "event=before", 12);
	daemon = syslog_daemon(path);
	port_log(PORT_LOG_INFO, "event=first", 11);
	port_log(PORT_LOG_DEBUG, "event=dropped", 13);
	check_message(daemon, "<94>1 2", " first - event=first");
	assert_true(read(daemon, text, sizeof text) < 0);
	/* It ends, with and without its name. */
	close(daemon);
	port_log(PORT_LOG_WARNING, "event=between", 13);
	(void)unlink(path);
	port_log(PORT_LOG_WARNING, "event=nowhere", 13);
	daemon = syslog_daemon(path);
	port_log(PORT_LOG_ERROR, "event=again n=1", 15);
	check_message(daemon, "<91>1 2", " again - event=again n=1");
	/* It reads nothing: that never makes the server wait. */
	for (int i = 0; i < 2000; i++) {
		port_log(PORT_LOG_INFO, "event=full", 10);
		if (i == 0) {
			check_message(daemon, "<94>1 2", " full - event=full");
		}
	}
	sys_log_to(NULL);
	port_log(PORT_LOG_INFO, "event=after", 11);
	capture_end(&c, text, sizeof text);
	assert_int_equal(strncmp(text, wanted, strlen(wanted)), 0);
	close(daemon);
	(void)unlink(path);
}

static void
a_path_that_no_socket_can_have_leaves_the_log_on_stderr(void **state)
{
	char text[256], path[300];
	struct capture c = capture_start();

	(void)state;
	memset(path, 'x', sizeof path - 1);
	path[sizeof path - 1] = '\0';
	sys_log_to(path);
	port_log(PORT_LOG_INFO, "event=here", 10);
	sys_log_to(NULL);
	capture_end(&c, text, sizeof text);
	assert_string_equal(text, "info event=here\n");
}

#endif

static void
a_panic_says_where_and_ends_the_program(void **state)
{
	char text[256];
	struct capture c = capture_start();
	pid_t child = fork();
	int status;

	(void)state;
	if (child == 0) {
		port_panic("core/some.c", 1207);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	capture_end(&c, text, sizeof text);
	assert_string_equal(text, "error event=panic at=core/some.c:1207\n");
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 70);
}

/* The kernel's random pool, as a test wants it: this replaces the C library's function. */
static struct {
	bool not_ready;
	int  interrupts;
	int  calls;
} pool;

ssize_t
getrandom(void *dst, size_t len, unsigned flags)
{
	pool.calls++;
	if (pool.not_ready && (flags & GRND_NONBLOCK) != 0) {
		errno = EAGAIN;
		return -1;
	}
	pool.not_ready = false;
	if (pool.interrupts > 0) {
		pool.interrupts--;
		errno = EINTR;
		return -1;
	}
	return syscall(SYS_getrandom, dst, len < 256 ? len : 256, flags);
}

static void
random_bytes_fill_all_that_was_asked_for(void **state)
{
	static uint8_t bytes[1002];
	unsigned seen[256] = { 0 };
	unsigned kinds = 0;

	(void)state;
	bytes[0] = bytes[1001] = 0x42;
	/* On a machine that has just booted, the first call may find the real pool not ready. */
	port_random(bytes + 1, 1);
	pool.calls = 0;
	pool.interrupts = 2;
	port_random(bytes + 1, 1000);
	assert_int_equal(pool.calls, 2 + 4);
	assert_int_equal(bytes[0], 0x42);
	assert_int_equal(bytes[1001], 0x42);
	for (int i = 751; i < 1001; i++) {
		kinds += seen[bytes[i]]++ == 0;
	}
	assert_true(kinds > 100);
}

/* Row 4.33 of the checklist. */
static void
a_random_pool_that_is_not_ready_is_waited_for_and_told_once(void **state)
{
	char text[256];
	uint8_t key[32];
	struct capture c = capture_start();

	(void)state;
	pool.not_ready = true;
	pool.interrupts = 3;
	port_random(key, sizeof key);
	port_random(key, sizeof key);
	capture_end(&c, text, sizeof text);
	assert_string_equal(text,
		"warning event=random msg=\"waiting for the kernel's random pool\"\n");
}

static void
error_numbers_have_one_meaning(void **state)
{
	static const struct {
		int error;
		int meaning;
	} cases[] = {
		{ EAGAIN, CUB_AGAIN }, { ENOENT, CUB_E_NOENT }, { EEXIST, CUB_E_EXIST },
		{ EACCES, CUB_E_DENIED }, { EPERM, CUB_E_DENIED }, { EROFS, CUB_E_DENIED },
		{ EXDEV, CUB_E_DENIED }, { ELOOP, CUB_E_DENIED }, { ENXIO, CUB_E_DENIED },
		{ EISDIR, CUB_E_ISDIR }, { ENOTDIR, CUB_E_NOTDIR }, { ENOTEMPTY, CUB_E_NOTEMPTY },
		{ ENOSPC, CUB_E_FULL }, { EDQUOT, CUB_E_FULL }, { ENAMETOOLONG, CUB_E_NAME },
		{ EMFILE, CUB_E_LIMIT }, { ENFILE, CUB_E_LIMIT }, { EFBIG, CUB_E_FULL },
		{ EBUSY, CUB_E_BUSY }, { EADDRINUSE, CUB_E_BUSY }, { EIO, CUB_E_IO },
		{ ECONNRESET, CUB_E_IO }, { ENOSYS, CUB_E_IO }, { 0, CUB_E_IO },
	};

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		errno = cases[i].error;
		assert_int_equal(sys_error(), cases[i].meaning);
	}
	errno = ENOSPC;
	assert_int_equal(sys_medium_error(), CUB_E_FULL);
	errno = EINVAL;
	assert_int_equal(sys_medium_error(), CUB_E_IO);
}

static void
the_clock_never_steps_back(void **state)
{
	uint64_t last_ms = port_clock_ms();

	(void)state;
	for (int i = 0; i < 10000; i++) {
		uint64_t now_ms = port_clock_ms();

		assert_true(now_ms >= last_ms);
		last_ms = now_ms;
	}
	/* Right or wrong, as on a device without a clock: it is the system's. */
	assert_in_range(port_time() - (int64_t)time(NULL) + 1, 0, 2);
}

#define WITH(test, way) \
	{ #test " [" #way "]", test, world_open, world_close, &way }
#define BOTH(test) WITH(test, kernel_way), WITH(test, steps_way)
#define FLASH(test) cmocka_unit_test_setup_teardown(test, flash_world_open, world_close)
#define LOCAL(test) cmocka_unit_test_setup_teardown(test, local_world_open, world_close)
#define PLAIN(test) cmocka_unit_test_setup_teardown(test, world_open, world_close)

static const struct CMUnitTest tests[] = {
	BOTH(a_link_that_leads_out_of_the_root_is_denied),
	BOTH(nothing_is_made_or_changed_behind_a_link_out),
	WITH(a_link_inside_the_root_is_followed_by_the_kernel, kernel_way),
	WITH(every_link_is_denied_where_names_are_resolved_by_steps, steps_way),
	BOTH(a_dangling_link_can_not_be_read_but_keeps_its_name),
	BOTH(a_fifo_is_denied_and_does_not_block),
	BOTH(a_directory_is_not_opened_as_a_file_nor_a_file_as_a_directory),
	BOTH(what_is_not_there_is_told_as_such),
	BOTH(a_deep_path_leads_to_its_end),
	BOTH(a_dot_alone_is_the_root),
	BOTH(create_refuses_a_name_that_is_taken),
	BOTH(update_keeps_what_a_file_holds),
	PLAIN(a_file_is_updated_by_one_at_a_time),
	PLAIN(what_is_made_has_exactly_the_mode_that_was_asked_for),
	BOTH(rename_replaces_a_file),
	BOTH(a_rename_to_a_new_name_replaces_nothing),
	BOTH(rename_never_replaces_a_directory),
	BOTH(a_link_itself_is_renamed_and_removed),
	BOTH(modes_and_times_of_files_and_directories_are_changed),
	BOTH(modes_and_times_are_not_changed_outside_of_the_root_nor_of_other_things),
	BOTH(directories_are_made_and_removed_as_directories_only),
	BOTH(names_can_be_changed_in_a_directory_that_may_not_be_read),
	BOTH(a_lack_of_descriptors_changes_nothing_and_loses_none),
	BOTH(a_listing_shows_what_a_link_leads_to_where_it_may_be_followed),
	PLAIN(offsets_beyond_4_gib_are_kept),
	PLAIN(a_file_that_may_not_grow_further_is_full),
	PLAIN(two_names_of_one_file_share_their_inode),
	PLAIN(a_root_knows_how_much_may_be_written),
	PLAIN(a_listing_has_every_entry_exactly_once),
	PLAIN(a_listing_goes_on_where_it_was_left),
	PLAIN(an_entry_tells_that_it_is_a_link),
	PLAIN(an_entry_that_vanished_is_left_out),
	PLAIN(a_directory_that_was_removed_has_ended),
#if HAVE_SECCOMP
	PLAIN(a_system_without_openat2_resolves_by_steps),
	PLAIN(a_path_that_is_renamed_for_ever_is_given_up),
	PLAIN(a_file_system_that_cannot_promise_not_to_replace_is_looked_at_first),
#endif
	FLASH(a_new_store_is_made_for_its_owner_alone_and_reads_as_erased),
	FLASH(programming_only_clears_bits),
	FLASH(what_lies_between_two_programmed_places_stays_erased),
	FLASH(an_erase_sets_its_blocks_and_no_others),
	FLASH(an_erase_off_the_blocks_is_refused),
	FLASH(a_store_that_another_has_open_is_busy),
	FLASH(a_store_that_others_may_read_or_write_is_denied),
	FLASH(what_is_neither_a_file_nor_flash_is_denied),
	FLASH(a_missing_device_is_not_replaced_by_a_file),
	PLAIN(an_ipv4_client_of_an_ipv6_socket_is_an_ipv4_peer),
	PLAIN(an_ipv6_client_is_an_ipv6_peer),
	PLAIN(a_connection_is_made_from_the_address_that_is_given),
	PLAIN(loopback_is_near_itself_and_far_from_the_rest),
	PLAIN(an_ipv6_listener_leaves_the_ipv4_port_alone_unless_it_listens_on_all),
	PLAIN(an_address_that_is_taken_is_busy_and_a_foreign_one_fails),
	PLAIN(an_accepted_socket_is_set_up_as_promised),
	PLAIN(a_socket_that_listens_only_acknowledges_at_once),
	PLAIN(nothing_yet_and_the_end_are_told_apart),
	PLAIN(what_was_written_arrives_before_the_shutdown),
	PLAIN(a_full_socket_says_again),
	PLAIN(a_write_to_a_closed_peer_fails_without_a_signal),
	PLAIN(an_accept_without_a_descriptor_left_is_a_limit),
	LOCAL(a_local_socket_is_its_owners_alone_before_anybody_can_connect),
	LOCAL(a_local_client_has_no_address_and_is_served_like_others),
	LOCAL(a_local_socket_that_nobody_listens_at_is_replaced),
	LOCAL(a_local_socket_in_use_is_busy_and_stays),
	LOCAL(what_is_no_socket_is_neither_replaced_nor_followed_nor_removed),
	LOCAL(a_path_that_can_have_no_local_socket_is_refused),
	LOCAL(a_local_socket_that_may_not_be_made_or_asked_is_denied),
	PLAIN(a_secret_is_a_file_without_the_end_of_its_line),
	PLAIN(a_secret_that_others_may_use_is_denied),
	LOCAL(a_secret_is_found_through_links_and_only_in_files_and_devices),
	PLAIN(of_a_device_as_much_is_taken_as_there_is_room),
	PLAIN(the_bytes_of_a_device_are_taken_as_they_are),
	PLAIN(a_wait_marks_what_was_asked_for_and_nothing_else),
	PLAIN(a_wait_ends_at_its_deadline),
	PLAIN(a_signal_that_came_before_the_wait_still_ends_it),
	PLAIN(a_program_gets_its_words_as_they_are_and_its_end_is_told),
	PLAIN(a_program_finds_nothing_of_the_server),
	PLAIN(a_program_that_takes_too_long_is_ended),
	PLAIN(a_program_that_cannot_be_run_is_told_at_once),
	PLAIN(an_event_is_one_line_with_its_level),
#if CONFIG_CUBFTPD_SYSLOG
	PLAIN(events_go_to_a_syslog_daemon_and_to_stderr_while_there_is_none),
	PLAIN(a_path_that_no_socket_can_have_leaves_the_log_on_stderr),
#endif
	PLAIN(a_panic_says_where_and_ends_the_program),
	PLAIN(random_bytes_fill_all_that_was_asked_for),
	PLAIN(a_random_pool_that_is_not_ready_is_waited_for_and_told_once),
	PLAIN(error_numbers_have_one_meaning),
	PLAIN(the_clock_never_steps_back),
};

int
main(void)
{
	return cmocka_run_group_tests_name("port_linux", tests, NULL, NULL);
}
