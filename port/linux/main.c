/* SPDX-License-Identifier: MIT */
/*
 * The program: arguments, configuration, then either one administrative command or the
 * server's loop. No stdio, nothing allocated.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/utsname.h>
#include <termios.h>
#include <unistd.h>

#include "cubftpd.h"
#include "sys.h"
#include "user.h"

#define DEFAULT_FILE "/etc/cubftpd.conf"
#define ARGS_MAX     32
#define LINE_MAX_LEN 512
#define CTRL_C       3

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

static const char usage[] =
	"cubftpd " CUBFTPD_VERSION ", a small FTPS server\n"
	"\n"
	"  cubftpd [run]                     serve in the foreground\n"
	"  cubftpd check                     look whether it would serve, and what clients see\n"
	"  cubftpd init [--name NAME]        make the device's key and certificate\n"
	"  cubftpd fingerprint               of the device's certificate\n"
	"  cubftpd account add NAME [--root PATH] [--rights rwdl] [--password-stdin] [--admin]\n"
	"  cubftpd account list [--json]\n"
	"  cubftpd account passwd NAME       read the new password from the terminal or stdin\n"
	"  cubftpd account remove NAME\n"
	"\n"
	"Everywhere: -c FILE (" DEFAULT_FILE "), -o KEY=VALUE in place of a line of it.\n";

/* The command line, and what it leaves of itself for cubftpd_admin(). */
struct command_line {
	const char *file;
	const char *option[ARGS_MAX];  /* of -o */
	int   options;
	char *rest[ARGS_MAX];          /* the command and its own arguments */
	int   rest_count;
};

static volatile sig_atomic_t saw_stop, saw_reload;

/* ---- Saying things ---- */

static void
put(int fd, const char *text, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, text, len);

		if (n < 0 && errno != EINTR) {
			return;
		}
		text += n > 0 ? n : 0;
		len -= n > 0 ? (size_t)n : 0;
	}
}

static void
put_string(int fd, const char *text)
{
	put(fd, text, strlen(text));
}

/* One line on stderr; the parts may be empty. */
static void
complain(const char *a, const char *b, const struct out *why)
{
	put_string(2, "cubftpd: ");
	put_string(2, a);
	put_string(2, b);
	if (why != NULL) {
		put(2, why->at, why->len);
	}
	put_string(2, "\n");
}

static int
fail_usage(const char *a, const char *b)
{
	complain(a, b, NULL);
	put_string(2, "cubftpd: `cubftpd --help` shows what it takes\n");
	return EXIT_USAGE;
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
		} else if (strchr(argv[i], '=') == NULL) {
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

/* FILE:LINE: why */
static void
complain_at(const char *file, unsigned number, const struct out *why)
{
	char digits[12];
	size_t at = sizeof digits;

	digits[--at] = '\0';
	digits[--at] = ' ';
	digits[--at] = ':';
	do {
		digits[--at] = (char)('0' + number % 10);
		number /= 10;
	} while (number > 0);
	put_string(2, "cubftpd: ");
	put_string(2, file);
	put_string(2, ":");
	put_string(2, digits + at);
	put(2, why->at, why->len);
	put_string(2, "\n");
}

/* Take the lines of an open file. Returns CUB_OK, or an error that has been told. */
static int
read_lines(int fd, const char *file, struct cubftpd_config *config)
{
	static char line[LINE_MAX_LEN];
	char text[160];
	struct out why = { .at = text, .cap = sizeof text };
	unsigned number = 1;
	size_t len = 0;
	ssize_t n;

	do {
		n = read(fd, line + len, 1);
		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n < 0) {
			complain(file, ": can't be read", NULL);
			return CUB_E_IO;
		}
		if (n == 1 && line[len] != '\n') {
			if (++len < sizeof line) {
				continue;
			}
			why = (struct out){ .at = line, .cap = sizeof line };
			memcpy(line, "line too long", 13);
			why.len = 13;
			complain_at(file, number, &why);
			return CUB_E_BAD;
		}
		if (cubftpd_config_line(config, line, len, &why) < 0) {
			complain_at(file, number, &why);
			return CUB_E_BAD;
		}
		number++;
		len = 0;
	} while (n > 0);
	return CUB_OK;
}

/* The file, then the options, then what the host knows. Errors have been told on return. */
static int
load_config(const struct command_line *line, struct cubftpd_config *config)
{
	const char *file = line->file != NULL ? line->file : DEFAULT_FILE;
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	char text[160];
	struct out why = { .at = text, .cap = sizeof text };
	struct utsname host;
	int err = CUB_OK;

	cubftpd_config_default(config);
	if (fd >= 0) {
		err = read_lines(fd, file, config);
		(void)close(fd);
	} else if (line->file != NULL || errno != ENOENT) {
		complain(file, ": can't be opened", NULL);
		err = CUB_E_IO;
	}
	cubftpd_config_override(config);
	for (int i = 0; err == CUB_OK && i < line->options; i++) {
		err = cubftpd_config_line(config, line->option[i], strlen(line->option[i]), &why);
		if (err < 0) {
			complain("-o ", "", &why);
		}
	}
	if (err == CUB_OK && config->device_name[0] == '\0' && uname(&host) == 0) {
		/* A name that can't be used leaves the default. */
		(void)cubftpd_config_set(config, "device_name", 11, host.nodename,
			strlen(host.nodename), &why);
	}
	return err;
}

/* ---- One administrative command ---- */

/* Does it read a password? */
static bool
wants_input(const struct command_line *line)
{
	if (line->rest_count > 1 && strcmp(line->rest[1], "passwd") == 0) {
		return true;
	}
	for (int i = 0; i < line->rest_count; i++) {
		if (strcmp(line->rest[i], "--password-stdin") == 0) {
			return true;
		}
	}
	return false;
}

/* One line, without echo where it is a terminal. Returns false if Ctrl-C was typed there. */
static bool
read_password(char *dst, size_t cap)
{
	struct termios before, silent;
	bool is_terminal = tcgetattr(0, &before) == 0;
	bool is_interrupted;
	size_t len = 0;

	if (is_terminal) {
		put_string(2, "New password: ");
		silent = before;
		silent.c_lflag &= ~(tcflag_t)(ECHO | ISIG);  /* no signal may leave it silent */
		(void)tcsetattr(0, TCSAFLUSH, &silent);
	}
	while (len < cap - 1 && read(0, dst + len, 1) == 1 && dst[len] != '\n'
		&& !(is_terminal && dst[len] == CTRL_C)) {
		len++;
	}
	is_interrupted = is_terminal && dst[len] == CTRL_C;
	dst[len] = '\0';
	if (is_terminal) {
		(void)tcsetattr(0, TCSAFLUSH, &before);
		put_string(2, "\n");
	}
	return !is_interrupted;
}

static int
run_admin(const struct command_line *line, const struct cubftpd_config *config)
{
	static char said[CUBFTPD_ADMIN_OUT], wrong[256];
	char input[256] = "";
	struct out out = { .at = said, .cap = sizeof said };
	struct out why = { .at = wrong, .cap = sizeof wrong };
	int err;

	if (wants_input(line) && !read_password(input, sizeof input)) {
		return EXIT_FAILED;
	}
	err = cubftpd_admin(config, line->rest_count, line->rest, input, &out, &why);
	explicit_bzero(input, sizeof input);
	put(1, said, out.len);
	if (err == CUB_E_BAD) {
		complain("", "", &why);
		return EXIT_USAGE;
	}
	if (err < 0) {
		complain("", "", &why);
		return EXIT_FAILED;
	}
	return EXIT_DONE;
}

/* ---- The server ---- */

static void
on_signal(int number)
{
	if (number == SIGHUP) {
		saw_reload = 1;
	} else {
		saw_stop = 1;
	}
}

/* Blocked everywhere but in port_wait(), so that none is missed just before it. */
static void
catch_signals(void)
{
	static sigset_t outside;
	struct sigaction action;
	sigset_t ours;

	memset(&action, 0, sizeof action);
	action.sa_handler = SIG_IGN;
	(void)sigaction(SIGPIPE, &action, NULL);
	(void)sigaction(SIGXFSZ, &action, NULL);  /* a file too large is an error, not the end */
	(void)sigemptyset(&ours);
	(void)sigaddset(&ours, SIGHUP);
	(void)sigaddset(&ours, SIGINT);
	(void)sigaddset(&ours, SIGTERM);
	(void)sigprocmask(SIG_BLOCK, &ours, &outside);
	(void)sigdelset(&outside, SIGHUP);
	(void)sigdelset(&outside, SIGINT);
	(void)sigdelset(&outside, SIGTERM);
	action.sa_handler = on_signal;
	(void)sigaction(SIGHUP, &action, NULL);
	(void)sigaction(SIGINT, &action, NULL);
	(void)sigaction(SIGTERM, &action, NULL);
	sys_wait_mask_set(&outside);
}

static void
reload(const struct command_line *line)
{
	static struct cubftpd_config config;
	char wrong[256];
	struct out why = { .at = wrong, .cap = sizeof wrong };

	saw_reload = 0;
	if (load_config(line, &config) < 0) {
		return;  /* it has been told; the server goes on as before */
	}
	if (cubftpd_reload(&config, &why) < 0) {
		complain("not reloaded: ", "", &why);
		return;
	}
	sys_log_level_set(config.log_level);
}

static int
run_server(const struct command_line *line, const struct cubftpd_config *config)
{
	static struct port_wait set;
	char wrong[256];
	struct out why = { .at = wrong, .cap = sizeof wrong };
	uint8_t entropy;

	sys_log_level_set(config->log_level);
	port_random(&entropy, sizeof entropy);  /* it may wait, and then signals must still end us */
	catch_signals();
	if (cubftpd_start(config, &why) < 0) {
		complain("", "", &why);
		return EXIT_FAILED;
	}
	if (config->user[0] != '\0' && (user_own(config->user, config->identity_store) < 0
		|| user_own(config->user, config->trust_store) < 0 || user_become(config->user) < 0)) {
		complain("user: can't become ", config->user, NULL);
		return EXIT_FAILED;
	}
	while (!cubftpd_stopped()) {
		cubftpd_want(&set);
		port_wait(&set);
		if (saw_stop) {
			cubftpd_stop(port_clock_ms());
		}
		if (saw_reload) {
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
		fd = open("/dev/null", O_RDWR);
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
	int status;

	fill_standard_files();
	status = parse_arguments(argc, argv, &line);
	if (status != EXIT_DONE) {
		return status;
	}
	if (line.rest_count > 0 && (strcmp(line.rest[0], "--help") == 0
		|| strcmp(line.rest[0], "-h") == 0 || strcmp(line.rest[0], "help") == 0)) {
		put_string(1, usage);
		return EXIT_DONE;
	}
	if (line.rest_count > 0 && strcmp(line.rest[0], "--version") == 0) {
		put_string(1, CUBFTPD_VERSION "\n");
		return EXIT_DONE;
	}
	if (load_config(&line, &config) < 0) {
		return EXIT_FAILED;
	}
	if (line.rest_count == 0) {
		return run_server(&line, &config);
	}
	if (strcmp(line.rest[0], "run") == 0) {
		return line.rest_count == 1 ? run_server(&line, &config)
			: fail_usage("run takes no ", line.rest[1]);
	}
	return run_admin(&line, &config);
}
