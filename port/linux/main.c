/* SPDX-License-Identifier: MIT */
/*
 * The program: arguments, configuration, then either one administrative command or the
 * server's loop. No stdio, nothing allocated.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

/* The kernel's `struct termios`. Where its headers are absent, that of musl is the same. */
#if defined __has_include
#if __has_include(<asm/termbits.h>)
#include <asm/termbits.h>
#endif
#endif
#ifndef ECHO
#include <termios.h>
#endif

#include "control.h"
#include "cubftpd.h"
#include "sys.h"
#include "user.h"

#define DEFAULT_FILE "/etc/cubftpd.conf"
#define ARGS_MAX     32
#define LINE_MAX_LEN 512
#define WRONG_MAX    512  /* what is wrong, in one line */
#define CTRL_C       3

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

static const char usage[] =
	"cubftpd " CUBFTPD_VERSION ", a small FTPS server: cubftpd [COMMAND], see cubftpd(8)\n"
	"\n"
	"run\n"
#if CONFIG_CUBFTPD_ADMIN
	"check\n"
	"status\n"
	"sessions\n"
	"kick ID\n"
	"reload\n"
	"\n"
	"init [--name NAME] [--key FILE [--cert FILE]]\n"
	"fingerprint\n"
	"csr [--name NAME]\n"
	"cert [FILE]\n"
	"\n"
	"account add NAME [--root PATH] [--rights rwdl] [--password-stdin] [--admin]\n"
	"account list\n"
	"account passwd NAME\n"
	"account remove NAME\n"
	"\n"
	"pending\n"
	"trust FINGERPRINT|FILE --account NAME [--label TEXT] [--exact] [--admin]\n"
	"trusted\n"
	"distrust FINGERPRINT|LABEL|FILE\n"
	"ca add FILE [--name NAME] [--account NAME]\n"
	"ca list\n"
	"ca remove NAME|FINGERPRINT\n"
	"\n"
	"Status and lists: --json."
#endif
	"\n"
	"Everywhere: -c FILE (" DEFAULT_FILE "), -o KEY=VALUE.\n";

/* The command line, and what it leaves of itself for cubftpd_admin(). */
struct command_line {
	const char *file;
	const char *option[ARGS_MAX];  /* of -o */
	int   options;
	char *rest[ARGS_MAX];          /* the command and its own arguments */
	int   rest_count;
};

/* ---- Saying things ---- */

/* What is wrong. It is empty as long as nothing is. */
static char wrong[WRONG_MAX];
static struct out why = { .at = wrong, .cap = sizeof wrong };

/* One line on stderr: two parts that may be empty, and what is wrong. */
static int
fail(const char *a, const char *b)
{
	sys_complain(a, b, why.at, why.len);
	return EXIT_FAILED;
}

static int
fail_usage(const char *a, const char *b)
{
	(void)fail(a, b);
	sys_put_string(2, "cubftpd: `cubftpd --help` shows what it takes\n");
	return EXIT_USAGE;
}

/* Add to what is wrong, as far as there is room. */
static void
add(const char *text)
{
	size_t len = strlen(text);

	len = len < why.cap - why.len ? len : why.cap - why.len;
	memcpy(why.at + why.len, text, len);
	why.len += len;
}

/* A file can't be used, and why. Returns CUB_E_IO. */
static int
add_file(const char *file, const char *problem)
{
	add(file);
	add(problem);
	return CUB_E_IO;
}

/* ---- Arguments ---- */

static int
parse_arguments(int argc, char **argv, struct command_line *line)
{
	*line = (struct command_line){ .file = NULL };
	for (int i = 1; i < argc; i++) {
		bool is_file = strcmp(argv[i], "-c") == 0;

		if (!is_file && strcmp(argv[i], "-o") != 0) {
			if (line->rest_count == ARGS_MAX - 1) {
				return fail_usage("too many arguments", "");
			}
			line->rest[line->rest_count++] = argv[i];
			continue;
		}
		if (i + 1 == argc) {
			return fail_usage(is_file ? "-c wants a file" : "-o wants KEY=VALUE", "");
		}
		i++;
		if (is_file) {
			line->file = argv[i];
		} else if (memchr(argv[i], '=', strlen(argv[i])) == NULL) {
			return fail_usage("-o wants KEY=VALUE, not ", argv[i]);
		} else if (line->options == ARGS_MAX) {
			return fail_usage("too many -o", "");
		} else {
			line->option[line->options++] = argv[i];
		}
	}
	return EXIT_DONE;
}

/* ---- Configuration ---- */

/* Take the lines of an open file. Returns CUB_OK, or an error, told. */
static int
read_lines(int fd, const char *file, struct cubftpd_config *config)
{
	static char line[LINE_MAX_LEN];
	char digits[SYS_NUMBER];
	int number = 1, err;
	size_t len = 0;
	ssize_t n;

	do {
		n = read(fd, line + len, 1);
		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n < 0) {
			return add_file(file, ": can't be read");
		}
		if (n == 1 && line[len] != '\n' && ++len < sizeof line) {
			continue;
		}
		(void)add_file(file, ":");
		add(sys_number(number++, digits));
		add(": ");
		if (len == sizeof line) {
			add("line too long");
			return CUB_E_BAD;
		}
		err = cubftpd_config_line(config, line, len, &why);
		if (err < 0) {
			return err;
		}
		why.len = 0;
		len = 0;
	} while (n != 0);
	return CUB_OK;
}

/* The file, then the options, then what the host knows. Returns CUB_OK, or an error, told. */
static int
load_config(const struct command_line *line, struct cubftpd_config *config)
{
	const char *file = line->file != NULL ? line->file : DEFAULT_FILE;
	int fd = sys_open(file, O_RDONLY);
	struct utsname host;
	int err = CUB_OK;

	why.len = 0;
	why.cut = false;
	cubftpd_config_default(config);
	if (fd >= 0) {
		err = read_lines(fd, file, config);
		(void)close(fd);
	} else if (line->file != NULL || errno != ENOENT) {
		err = add_file(file, ": can't be opened");
	}
	cubftpd_config_override(config);
	for (int i = 0; err == CUB_OK && i < line->options; i++) {
		add("-o ");
		err = cubftpd_config_line(config, line->option[i], strlen(line->option[i]), &why);
		why.len = err < 0 ? why.len : 0;
	}
	if (err == CUB_OK && config->device_name[0] == '\0' && uname(&host) == 0) {
		/* A name that can't be used leaves the default. */
		(void)cubftpd_config_set(config, "device_name", 11, host.nodename,
			strlen(host.nodename), &why);
		why.len = 0;
	}
	cubftpd_config_finish(config);
	return err;
}

/* ---- One administrative command ---- */

/*
 * One line, without echo where it is a terminal. No signal may leave that silent: they wait
 * until the line has ended. CUB_E_ABORTED if it did not, such as by Ctrl-C.
 */
static int
give_password(void)
{
	struct termios before, silent;
	sigset_t all, blocked;
	/* The C libraries' tcgetattr() and tcsetattr() bring in all that their ioctl() knows. */
	bool is_terminal = syscall(SYS_ioctl, 0, TCGETS, &before) == 0;
	char c = '\0';

	if (is_terminal) {
		(void)sigfillset(&all);
		(void)sigprocmask(SIG_SETMASK, &all, &blocked);
		sys_put_string(2, "New password: ");
		silent = before;
		silent.c_lflag &= ~(tcflag_t)(ECHO | ISIG);
		silent.c_cc[VEOL] = CTRL_C;  /* it ends a line, or would wait for the end of one */
		(void)syscall(SYS_ioctl, 0, TCSETSF, &silent);
	}
	cubftpd_input_start(INPUT_PASSWORD);
	while (read(0, &c, 1) == 1 && c != '\n' && !(is_terminal && c == CTRL_C)) {
		cubftpd_input_feed(&c, 1);
	}
	if (is_terminal) {
		(void)syscall(SYS_ioctl, 0, TCSETSF, &before);
		sys_put_string(2, "\n");
		(void)sigprocmask(SIG_SETMASK, &blocked, NULL);
	}
	return is_terminal && c != '\n' ? CUB_E_ABORTED : cubftpd_input_end(&why);
}

/* Give a command what it reads from a file, or from standard input. */
static int
give_file(int fd, const char *name, enum cubftpd_input kind)
{
	char piece[512];
	ssize_t n;
	int err;

	cubftpd_input_start(kind);
	do {
		n = read(fd, piece, sizeof piece);
		if (n > 0) {
			cubftpd_input_feed(piece, (size_t)n);
		}
	} while (n > 0 || (n < 0 && errno == EINTR));
	explicit_bzero(piece, sizeof piece);
	err = n < 0 ? add_file("", "can't be read") : cubftpd_input_end(&why);
	if (err < 0) {
		(void)fail(name, ": ");
	}
	return err;
}

static int
give_named(const char *name, enum cubftpd_input kind, bool may_lack)
{
	int fd = name == NULL ? -1 : sys_open(name, O_RDONLY);
	int err;

	if (name == NULL || (fd < 0 && may_lack && errno == ENOENT)) {
		return CUB_OK;
	}
	if (fd < 0) {
		(void)fail(name, ": can't be opened");
		return CUB_E_IO;
	}
	err = give_file(fd, name, kind);
	(void)close(fd);
	return err;
}

/* All that the command reads. Returns CUB_OK, or an error, told. */
static int
give_input(const struct command_line *line)
{
	struct cubftpd_reads reads;
	int err = CUB_OK;

	cubftpd_admin_reads(line->rest_count, line->rest, &reads);
	if (reads.password) {
		err = give_password();
	}
	if (err == CUB_OK) {
		err = give_named(reads.key_file, INPUT_KEY, false);
	}
	if (err == CUB_OK) {
		err = give_named(reads.file, INPUT_CERTIFICATES, reads.file_may_lack);
	}
	if (err == CUB_OK && reads.standard_input) {
		err = give_file(0, "standard input", INPUT_CERTIFICATES);
	}
	return err;
}

/* On the stores themselves: there is no server. */
static int
run_alone(const struct command_line *line, const struct cubftpd_config *config)
{
	static char said[CUBFTPD_ADMIN_OUT];
	struct out out;
	size_t total = 0;
	int err;

	do {
		out = (struct out){ .at = said, .cap = sizeof said, .skip = total };
		err = cubftpd_admin(config, line->rest_count, line->rest, &out, &why);
		if (!sys_put(1, said, out.len)) {
			why.len = 0;
			return fail("stdout", ": can't be written; the command itself may have been done");
		}
		total += out.len;
	} while (out.cut);
	if (why.len > 0) {
		(void)fail("", "");
	}
	return err == CUB_OK ? EXIT_DONE : err == CUB_E_BAD ? EXIT_USAGE : EXIT_FAILED;
}

static int
run_admin(const struct command_line *line, const struct cubftpd_config *config)
{
	const void *input;
	size_t input_len;
	int status = -1;

	sys_log_level_set(PORT_LOG_WARNING);  /* what a command does it says itself */
	if (give_input(line) < 0) {
		return EXIT_FAILED;
	}
	input = cubftpd_input_bytes(&input_len);
	if (config->control_socket[0] != '\0') {
		status = control_ask(config->control_socket, line->rest_count, line->rest,
			input, input_len);
	}
	return status >= 0 ? status : run_alone(line, config);
}

/* ---- The server ---- */

static void
take_log(const struct cubftpd_config *config)
{
	sys_log_level_set(config->log_level);
#if CONFIG_CUBFTPD_SYSLOG
	sys_log_to(config->log == LOG_TO_SYSLOG ? "/dev/log" : NULL);
#endif
}

static void
reload(const struct command_line *line)
{
	static struct cubftpd_config config;
	int err = load_config(line, &config);

	if (cubftpd_reload(err < 0 ? NULL : &config, &why) < 0) {
		(void)fail("not reloaded: ", "");
	} else {
		take_log(&config);
	}
}

/*
 * Whatever has been opened or made belongs to the user that the server becomes, and is there.
 * Returns EXIT_DONE, or what fail() does.
 */
static int
drop_rights(const struct cubftpd_config *config)
{
	const char *user = config->user;

	if (user[0] == '\0') {
		return EXIT_DONE;
	}
	if (user_own(user, config->identity_store) < 0 || user_own(user, config->trust_store) < 0
		|| (config->control_socket[0] != '\0' && user_own(user, config->control_socket) < 0)
		|| user_become(user) < 0) {
		return fail("user: can't become ", user);
	}
	/* A reload closes them and opens them again. */
	if (access(config->identity_store, R_OK | W_OK) != 0
		|| access(config->trust_store, R_OK | W_OK) != 0) {
		return fail("user: the folder of the stores is closed to ", user);
	}
	return EXIT_DONE;
}

static int
run_server(const struct command_line *line, const struct cubftpd_config *config)
{
	static struct port_wait set;
	uint8_t entropy;

	take_log(config);
	port_random(&entropy, sizeof entropy);  /* it may wait, and then signals must still end us */
	sys_signals_take();
	(void)umask(0);  /* see file.c */
	if (cubftpd_start(config, &why) < 0) {
		return fail("", "");
	}
	if (drop_rights(config) != EXIT_DONE) {
		return EXIT_FAILED;
	}
	while (!cubftpd_stopped()) {
		int number;

		cubftpd_want(&set);
		port_wait(&set);
		number = sys_signal_next();
		if (number == SIGINT || number == SIGTERM) {
			cubftpd_stop(port_clock_ms());
		}
		if (number == SIGHUP || cubftpd_wants_reload()) {
			reload(line);
		}
		cubftpd_step(&set, port_clock_ms());
	}
	return EXIT_DONE;
}

/* No socket or file may become number 0, 1 or 2: what is said there would end up in it. */
static void
fill_standard_files(void)
{
	int fd;

	do {
		fd = openat(AT_FDCWD, "/dev/null", O_RDWR);  /* also for programs that we start */
	} while (fd >= 0 && fd <= 2);
	if (fd > 2) {
		(void)close(fd);
	}
}

int
main(int argc, char **argv)
{
	static struct command_line line;
	static struct cubftpd_config config;
	const char *command;
	int status;

	fill_standard_files();
	status = parse_arguments(argc, argv, &line);
	if (status != EXIT_DONE) {
		return status;
	}
	command = line.rest_count > 0 ? line.rest[0] : "run";
	if (strcmp(command, "--help") == 0 || strcmp(command, "-h") == 0
		|| strcmp(command, "help") == 0) {
		sys_put_string(1, usage);
		return EXIT_DONE;
	}
	if (strcmp(command, "--version") == 0) {
		sys_put_string(1, CUBFTPD_VERSION "\n");
		return EXIT_DONE;
	}
	if (load_config(&line, &config) < 0) {
		return fail("", "");
	}
	if (strcmp(command, "run") == 0) {
		return line.rest_count <= 1 ? run_server(&line, &config)
			: fail_usage("run takes no ", line.rest[1]);
	}
	return CONFIG_CUBFTPD_ADMIN ? run_admin(&line, &config)
		: fail_usage("not built in: ", command);
}
