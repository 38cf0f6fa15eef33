/* SPDX-License-Identifier: MIT */
/*
 * The client's side of the control socket against its contract: a tiny server in a process
 * of its own answers well, too little, nonsense or not at all. What the client asks is read
 * by that server, and what it says is caught from its stdout and stderr.
 *
 * Three functions of the C library are replaced: recv(), to come in small pieces and be
 * interrupted by signals that need not be sent; setsockopt(), to see how long the client
 * would wait, and to wait less; sigprocmask(), to know the moment before the client writes.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../port/linux/control.h"
#include "cubftpd.h"

#define LEN(array) (sizeof (array) / sizeof (array)[0])

#define NOBODY 65534

/* What the server does with its one client. */
enum manner {
	ANSWERS,       /* read the request, answer, close */
	ANSWERS_EARLY, /* answer and close without reading */
	IS_SILENT,     /* the same, but don't close */
	GOES_AWAY,     /* close before the client has written */
};

static struct {
	char folder[64];
	char path[96];
	int  fds_before;
} world;

/* What the client did, as far as it can be seen from outside. */
static struct {
	char    out[70000];
	char    err[1024];
	uint8_t request[8 + CUBFTPD_CONTROL_ARGS + CUB_INPUT_MAX];
	size_t  out_len;
	size_t  err_len;
	size_t  request_len;
} said;

static struct {
	bool in_bytes;    /* recv() gives one at a time */
	bool interrupts;  /* every other recv() is */
	int  calls;
	long patience_s[2];  /* for sending and receiving, as it was asked for */
	bool is_short;       /* wait some milliseconds only */
	int  gate;           /* sigprocmask() waits until all of its writers have closed it; or -1 */
} wire = { .gate = -1 };

ssize_t
recv(int sock, void *dst, size_t len, int flags)
{
	wire.calls++;
	if (wire.interrupts && wire.calls % 2 == 1) {
		errno = EINTR;
		return -1;
	}
	return syscall(SYS_recvfrom, sock, dst, wire.in_bytes && len > 1 ? 1 : len, flags, NULL, NULL);
}

int
setsockopt(int sock, int level, int option, const void *value, socklen_t len)
{
	struct timeval patience;

	if (level == SOL_SOCKET && (option == SO_SNDTIMEO || option == SO_RCVTIMEO)) {
		assert_int_equal(len, sizeof patience);
		assert_true(fcntl(sock, F_GETFD) & FD_CLOEXEC);
		memcpy(&patience, value, sizeof patience);
		wire.patience_s[option == SO_RCVTIMEO] = (long)patience.tv_sec;
		if (wire.is_short) {
			patience = (struct timeval){ .tv_usec = 20000 };
		}
		value = &patience;
	}
	return (int)syscall(SYS_setsockopt, sock, level, option, value, len);
}

int
sigprocmask(int how, const sigset_t *set, sigset_t *before)
{
	char byte;

	if (wire.gate >= 0) {
		assert_int_equal(read(wire.gate, &byte, 1), 0);
	}
	return (int)syscall(SYS_rt_sigprocmask, how, set, before, _NSIG / 8);
}

static int
fds_open(void)
{
	int count = 0;

	for (int fd = 0; fd < 256; fd++) {
		count += fcntl(fd, F_GETFD) != -1;
	}
	return count;
}

static int
world_open(void **state)
{
	const char *tmp = getenv("TMPDIR");
	sigset_t none;

	(void)state;
	memset(&said, 0, sizeof said);
	memset(&wire, 0, sizeof wire);
	wire.gate = -1;
	/* As a program begins; what an earlier test has left waiting goes. */
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	world.fds_before = fds_open();
	snprintf(world.folder, sizeof world.folder, "%s/cubftpd-XXXXXX", tmp != NULL ? tmp : "/tmp");
	assert_non_null(mkdtemp(world.folder));
	assert_int_equal(chmod(world.folder, 0755), 0);
	snprintf(world.path, sizeof world.path, "%s/sock", world.folder);
	return 0;
}

static int
world_close(void **state)
{
	(void)state;
	unlink(world.path);
	rmdir(world.folder);
	if (fds_open() != world.fds_before) {
		print_error("descriptors: %d before, %d after\n", world.fds_before, fds_open());
		return -1;
	}
	return 0;
}

/* The server */

static int
listen_there(int backlog)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(at.sun_path, sizeof at.sun_path, "%s", world.path);
	unlink(world.path);
	assert_true(sock >= 0);
	assert_int_equal(bind(sock, (struct sockaddr *)&at, sizeof at), 0);
	assert_int_equal(listen(sock, backlog), 0);
	return sock;
}

/* Read a whole request. Returns its length, 0 if it is none. */
static size_t
read_request(int client, uint8_t *dst, size_t cap)
{
	size_t have = 0;
	size_t len = 8;

	while (have < len) {
		ssize_t n = read(client, dst + have, len - have);

		if (n <= 0) {
			return 0;
		}
		have += (size_t)n;
		if (have == 8) {
			len += (size_t)dst[4] + dst[6] + ((size_t)dst[5] + dst[7]) * 256;
			if (len > cap) {
				return 0;
			}
		}
	}
	return have;
}

static void
write_whole(int fd, const void *src, size_t len)
{
	const char *at = src;

	while (len > 0) {
		ssize_t n = write(fd, at, len);

		if (n <= 0) {
			_exit(3);
		}
		at += n;
		len -= (size_t)n;
	}
}

/* Serve one client. The process ends with 0 where all went as it should. */
static _Noreturn void
serve(int listener, enum manner how, const char *answer, size_t len, int notes)
{
	int client = accept(listener, NULL, NULL);
	size_t request_len;
	char byte;

	if (client < 0) {
		_exit(1);
	}
	if (how == GOES_AWAY) {
		close(client);
		_exit(0);  /* and `notes` closes, which is the gate */
	}
	if (how != ANSWERS_EARLY) {
		request_len = read_request(client, said.request, sizeof said.request);
		write_whole(notes, said.request, request_len);
	}
	write_whole(client, answer, len);
	_exit(how == IS_SILENT && read(client, &byte, 1) != 0 ? 2 : 0);
}

/* The client, with its stdout and stderr in files */

static int
scratch_file(void)
{
	char name[96];
	int fd;

	snprintf(name, sizeof name, "%s/XXXXXX", world.folder);
	fd = mkostemp(name, O_CLOEXEC);
	assert_true(fd >= 0);
	unlink(name);
	return fd;
}

static size_t
take_file(int fd, char *dst, size_t cap)
{
	size_t have = 0;
	ssize_t n;

	while ((n = pread(fd, dst + have, cap - 1 - have, (off_t)have)) > 0) {
		have += (size_t)n;
	}
	dst[have] = '\0';
	close(fd);
	return have;
}

/* Ask whoever is there, or nobody. */
static int
ask(int argc, char *const argv[], const void *input, size_t input_len)
{
	int out = scratch_file();
	int err = scratch_file();
	int out_before = dup(STDOUT_FILENO);
	int err_before = dup(STDERR_FILENO);
	int result;

	fflush(stdout);
	dup2(out, STDOUT_FILENO);
	dup2(err, STDERR_FILENO);
	result = control_ask(world.path, argc, argv, input, input_len);
	dup2(out_before, STDOUT_FILENO);
	dup2(err_before, STDERR_FILENO);
	close(out_before);
	close(err_before);
	said.out_len = take_file(out, said.out, sizeof said.out);
	said.err_len = take_file(err, said.err, sizeof said.err);
	return result;
}

/* Ask a server that has only one answer. */
static int
ask_server(enum manner how, const char *answer, size_t len, int argc, char *const argv[],
	const void *input, size_t input_len)
{
	int listener = listen_there(1);
	int notes[2];
	int status;
	int result;
	pid_t child;

	assert_int_equal(pipe2(notes, O_CLOEXEC), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		close(notes[0]);
		serve(listener, how, answer, len, notes[1]);
	}
	close(listener);
	close(notes[1]);
	wire.gate = how == GOES_AWAY ? notes[0] : -1;
	result = ask(argc, argv, input, input_len);
	wire.gate = -1;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	said.request_len = 0;
	for (;;) {
		ssize_t n = read(notes[0], said.request + said.request_len,
			sizeof said.request - said.request_len);

		if (n <= 0) {
			break;
		}
		said.request_len += (size_t)n;
	}
	close(notes[0]);
	return result;
}

static char *const status_command[] = { (char[]){ "status" }, (char[]){ "--json" }, NULL };

static int
ask_status(enum manner how, const char *answer, size_t len)
{
	return ask_server(how, answer, len, 2, status_command, NULL, 0);
}

/* Exactly one line on stderr, from the program, with this in it. */
static bool
complains(const char *about)
{
	return said.err_len > 10 && memcmp(said.err, "cubftpd: ", 9) == 0
		&& strchr(said.err, '\n') == said.err + said.err_len - 1
		&& strstr(said.err, about) != NULL;
}

static void
the_request_has_the_arguments_and_then_the_input(void **state)
{
	static const char expected[] =
		"cub\1\x18\0\x05\0account\0passwd\0\0" "anna b\xff\0se\0\n.";
	char *const argv[] = { (char[]){ "account" }, (char[]){ "passwd" }, (char[]){ "" },
		(char[]){ "anna b\xff" }, NULL };

	(void)state;
	assert_int_equal(ask_server(ANSWERS, "\0\0\0", 3, 4, argv, "se\0\n.", 5), 0);
	assert_int_equal(said.request_len, sizeof expected - 1);
	assert_memory_equal(said.request, expected, sizeof expected - 1);
	assert_int_equal(ask_server(ANSWERS, "\0\0\0", 3, 1, status_command, NULL, 0), 0);
	assert_int_equal(said.request_len, 15);
	assert_memory_equal(said.request, "cub\1\x07\0\0\0status\0", 15);
	assert_int_equal(said.out_len + said.err_len, 0);
	assert_int_equal(wire.patience_s[0], 30);
	assert_int_equal(wire.patience_s[1], 30);
}

static void
the_answer_is_copied_and_its_status_returned(void **state)
{
	static const char both[] = "\1\5\0wrongall\0of\nit";
	static const char only_out[] = "\0\0\0line\n";
	static const char only_err[] = "\2\3\0bad";

	(void)state;
	for (int way = 0; way < 4; way++) {
		wire.in_bytes = (way & 1) != 0;
		wire.interrupts = (way & 2) != 0;
		assert_int_equal(ask_status(ANSWERS, both, sizeof both - 1), 1);
		assert_string_equal(said.err, "cubftpd: wrong\n");
		assert_int_equal(said.out_len, 9);
		assert_memory_equal(said.out, "all\0of\nit", 9);
		assert_int_equal(ask_status(ANSWERS, only_out, sizeof only_out - 1), 0);
		assert_string_equal(said.err, "");
		assert_string_equal(said.out, "line\n");
		assert_int_equal(ask_status(ANSWERS, only_err, sizeof only_err - 1), 2);
		assert_string_equal(said.err, "cubftpd: bad\n");
		assert_string_equal(said.out, "");
	}
}

static void
long_texts_come_whole_and_to_their_own_places(void **state)
{
	static char answer[3 + 700 + 66000] = { 1, (char)(700 & 0xFF), 700 >> 8 };

	(void)state;
	memset(answer + 3, 'e', 700);
	for (size_t i = 703; i < sizeof answer; i++) {
		answer[i] = (char)(i * 7);
	}
	assert_int_equal(ask_status(ANSWERS, answer, sizeof answer), 1);
	assert_int_equal(said.err_len, 9 + 700 + 1);
	assert_memory_equal(said.err + 9, answer + 3, 700);
	assert_int_equal(said.out_len, 66000);
	assert_memory_equal(said.out, answer + 703, 66000);
}

/* The server waits for the first part to come out before it says the second. */
static void
the_answer_is_copied_as_it_comes(void **state)
{
	int listener = listen_there(1);
	int out_before = dup(STDOUT_FILENO);
	int out[2];
	int status, result;
	char buf[8];
	pid_t child;

	(void)state;
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	fflush(stdout);
	child = fork();
	if (child == 0) {
		int client = accept(listener, NULL, NULL);

		alarm(20);
		write_whole(client, "\0\0\0first", 8);
		if (read(out[0], buf, 5) != 5 || memcmp(buf, "first", 5) != 0) {
			_exit(1);
		}
		read_request(client, said.request, sizeof said.request);
		write_whole(client, "second", 6);
		_exit(0);
	}
	close(listener);
	dup2(out[1], STDOUT_FILENO);
	close(out[1]);
	result = control_ask(world.path, 2, status_command, NULL, 0);
	dup2(out_before, STDOUT_FILENO);
	close(out_before);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_int_equal(result, 0);
	assert_int_equal(read(out[0], buf, sizeof buf), 6);
	assert_memory_equal(buf, "second", 6);
	close(out[0]);
}

static void
an_answer_cut_short_is_told_at_every_byte(void **state)
{
	static const char answer[] = "\0\5\0wrongout";

	(void)state;
	for (size_t cut = 0; cut <= sizeof answer - 1; cut++) {
		int result = ask_status(ANSWERS, answer, cut);
		char expected[16];

		if (cut >= 8) {
			assert_int_equal(result, 0);
			assert_string_equal(said.err, "cubftpd: wrong\n");
			assert_int_equal(said.out_len, cut - 8);
			assert_memory_equal(said.out, answer + 8, cut - 8);
			continue;
		}
		assert_int_equal(result, 1);
		assert_int_equal(said.out_len, 0);
		if (cut > 3) {
			int len = snprintf(expected, sizeof expected, "cubftpd: %.*s\n", (int)cut - 3,
				answer + 3);

			assert_memory_equal(said.err, expected, (size_t)len);
			said.err_len -= (size_t)len;
			memmove(said.err, said.err + len, said.err_len + 1);
		}
		assert_true(complains("the answer broke off"));
		assert_true(complains(world.path));
	}
}

static void
what_is_no_answer_is_not_shown(void **state)
{
	static const char *const nonsense[] = {
		"HTTP/1.1 400 Bad Request\r\n\r\n", "220 Ready\r\n", "\3\0\0out", "\xff\xff\xff\xff", "\n",
	};

	(void)state;
	for (size_t i = 0; i < LEN(nonsense); i++) {
		size_t len = strlen(nonsense[i]) > 0 ? strlen(nonsense[i]) : 1;

		assert_int_equal(ask_status(ANSWERS, nonsense[i], len), 1);
		assert_int_equal(said.out_len, 0);
		assert_true(complains("no cubftpd"));
	}
	/* A valid head, and then less than it promises. */
	assert_int_equal(ask_status(ANSWERS, "\1\xff\xffgarbage", 10), 1);
	assert_string_not_equal(said.err, "");
	assert_int_equal(said.out_len, 0);
}

static void
a_server_that_says_nothing_is_given_up(void **state)
{
	(void)state;
	wire.is_short = true;
	assert_int_equal(ask_status(IS_SILENT, "", 0), 1);
	assert_int_equal(wire.patience_s[1], 30);
	assert_true(complains("no answer for 30 seconds"));
	assert_int_equal(said.out_len, 0);
	assert_int_equal(ask_status(IS_SILENT, "\0\0\0begun", 8), 1);
	assert_true(complains("no answer for 30 seconds"));
	assert_string_equal(said.out, "begun");
}

/* SIGPIPE has its deadly default when the client begins. */
static void
a_server_that_goes_away_does_not_end_the_client(void **state)
{
	(void)state;
	assert_int_equal(ask_status(GOES_AWAY, "", 0), 1);
	assert_true(complains("the answer broke off"));
}

static void
a_reader_that_goes_away_does_not_end_the_client(void **state)
{
	int out_before = dup(STDOUT_FILENO);
	int listener = listen_there(1);
	int err = scratch_file();
	int err_before = dup(STDERR_FILENO);
	int out[2];
	int status, result;
	pid_t child = fork();

	(void)state;
	if (child == 0) {
		serve(listener, ANSWERS, "\0\0\0text", 7, open("/dev/null", O_WRONLY));
	}
	close(listener);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	close(out[0]);
	fflush(stdout);
	dup2(out[1], STDOUT_FILENO);
	dup2(err, STDERR_FILENO);
	result = control_ask(world.path, 2, status_command, NULL, 0);
	dup2(out_before, STDOUT_FILENO);
	dup2(err_before, STDERR_FILENO);
	close(out_before);
	close(err_before);
	close(out[1]);
	said.err_len = take_file(err, said.err, sizeof said.err);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(result, 1);
	assert_true(complains("stdout"));
}

static void
a_refusal_counts_although_the_request_was_not_read(void **state)
{
	static const char answer[] = "\1\4\0busy";

	(void)state;
	assert_int_equal(ask_status(ANSWERS_EARLY, answer, sizeof answer - 1), 1);
	assert_string_equal(said.err, "cubftpd: busy\n");
}

static void
where_no_server_listens_nothing_is_said(void **state)
{
	char path[96];
	char *argv[] = { (char[]){ "status" }, NULL };
	int fd;

	(void)state;
	assert_int_equal(ask(1, argv, NULL, 0), -1);
	assert_int_equal(said.err_len + said.out_len, 0);
	close(listen_there(1));
	assert_int_equal(ask(1, argv, NULL, 0), -1);
	assert_int_equal(said.err_len + said.out_len, 0);
	unlink(world.path);
	fd = open(world.path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	close(fd);
	assert_int_equal(ask(1, argv, NULL, 0), -1);
	assert_int_equal(said.err_len + said.out_len, 0);
	memcpy(path, world.path, sizeof path);
	world.path[0] = '\0';
	assert_int_equal(ask(1, argv, NULL, 0), -1);
	assert_int_equal(said.err_len + said.out_len, 0);
	snprintf(world.path, sizeof world.path, "%s/none/sock", world.folder);
	assert_int_equal(ask(1, argv, NULL, 0), -1);
	assert_int_equal(said.err_len + said.out_len, 0);
	memcpy(world.path, path, sizeof path);
}

static void
a_server_that_may_not_be_asked_is_told(void **state)
{
	char *argv[] = { (char[]){ "status" }, NULL };
	char path[160];
	int listener = listen_there(1);
	int err_before = dup(STDERR_FILENO);
	int err = scratch_file();
	int result;

	(void)state;
	memset(path, 'x', sizeof path - 1);
	path[sizeof path - 1] = '\0';
	assert_int_equal(chmod(world.path, 0), 0);
	if (geteuid() == 0) {
		assert_int_equal(seteuid(NOBODY), 0);
	}
	dup2(err, STDERR_FILENO);
	result = control_ask(world.path, 1, argv, NULL, 0);
	dup2(err_before, STDERR_FILENO);
	if (getuid() == 0) {
		assert_int_equal(seteuid(0), 0);
	}
	said.err_len = take_file(err, said.err, sizeof said.err);
	assert_int_equal(result, 1);
	assert_true(complains("not permitted"));
	close(listener);

	err = scratch_file();
	dup2(err, STDERR_FILENO);
	result = control_ask(path, 1, argv, NULL, 0);
	dup2(err_before, STDERR_FILENO);
	close(err_before);
	said.err_len = take_file(err, said.err, sizeof said.err);
	assert_int_equal(result, 1);
	assert_true(complains("control_socket"));
}

static void
a_server_whose_queue_stays_full_is_given_up(void **state)
{
	char *argv[] = { (char[]){ "status" }, NULL };
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int listener = listen_there(0);
	int fill = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)state;
	snprintf(at.sun_path, sizeof at.sun_path, "%s", world.path);
	assert_int_equal(connect(fill, (struct sockaddr *)&at, sizeof at), 0);
	wire.is_short = true;
	assert_int_equal(ask(1, argv, NULL, 0), 1);
	assert_int_equal(wire.patience_s[0], 30);
	assert_true(complains("busy"));
	close(fill);
	close(listener);
}

static void
a_request_fits_or_is_not_sent(void **state)
{
	static char first[CUBFTPD_CONTROL_ARGS - 7 + 1];
	static char input[CUB_INPUT_MAX + 1];
	char *argv[] = { (char[]){ "status" }, first, (char[]){ "" }, NULL };
	int listener;

	(void)state;
	memset(input, 'i', sizeof input);
	memset(first, 'a', sizeof first - 2);
	assert_int_equal(ask_server(ANSWERS, "\0\0\0", 3, 2, argv, input, sizeof input - 1), 0);
	assert_int_equal(said.request_len, 8 + CUBFTPD_CONTROL_ARGS + CUB_INPUT_MAX);
	assert_memory_equal(said.request + 8 + 7, first, sizeof first - 1);
	assert_memory_equal(said.request + 8 + CUBFTPD_CONTROL_ARGS, input, CUB_INPUT_MAX);

	listener = listen_there(4);
	assert_int_equal(ask(2, argv, input, sizeof input), 1);
	assert_true(complains("status: "));
	assert_int_equal(ask(3, argv, NULL, 0), 1);
	assert_true(complains("shorter"));
	first[sizeof first - 2] = 'a';
	assert_int_equal(ask(2, argv, NULL, 0), 1);
	assert_true(complains("shorter"));
	close(listener);
	/* Nobody there: it is not this limit that counts. */
	assert_int_equal(ask(2, argv, NULL, 0), -1);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, world_open, world_close)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_request_has_the_arguments_and_then_the_input),
		TEST(the_answer_is_copied_and_its_status_returned),
		TEST(long_texts_come_whole_and_to_their_own_places),
		TEST(the_answer_is_copied_as_it_comes),
		TEST(an_answer_cut_short_is_told_at_every_byte),
		TEST(what_is_no_answer_is_not_shown),
		TEST(a_server_that_says_nothing_is_given_up),
		TEST(a_server_that_goes_away_does_not_end_the_client),
		TEST(a_reader_that_goes_away_does_not_end_the_client),
		TEST(a_refusal_counts_although_the_request_was_not_read),
		TEST(where_no_server_listens_nothing_is_said),
		TEST(a_server_that_may_not_be_asked_is_told),
		TEST(a_server_whose_queue_stays_full_is_given_up),
		TEST(a_request_fits_or_is_not_sent),
	};

	return cmocka_run_group_tests_name("port_control", tests, NULL, NULL);
}
