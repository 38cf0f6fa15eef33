/* SPDX-License-Identifier: MIT */
/*
 * Passphrases: see secret.h. Signals that end or stop the program are held back from the moment
 * the terminal goes silent until it is as before; they come through only while it waits for a
 * key, are noted there, and are raised again afterwards.
 */
#include "secret.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "plain.h"
#include "tell.h"

#define TERMINAL  "/dev/tty"
#define SHOWN_MAX 16384  /* bytes of a prompt, or of a path: four digits for each of the longest */

static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP };

#define SIGNALS (sizeof signals / sizeof signals[0])

/* A terminal that shows nothing, and what it was before. */
struct silence {
	int fd;
	struct termios before;
	struct sigaction action[SIGNALS];
	sigset_t mask;
};

static volatile sig_atomic_t caught;

static void
note(int number)
{
	caught = number;
}

/* Text on the terminal, as well as it can be. */
static void
show(int fd, const char *text)
{
	size_t len = strlen(text);

	while (len > 0) {
		ssize_t n = write(fd, text, len);

		if (n < 0 && errno != EINTR) {
			return;
		}
		if (n > 0) {
			text += n;
			len -= (size_t)n;
		}
	}
}

static bool
begin_silence(struct silence *s, int fd)
{
	struct sigaction noting = { .sa_handler = &note };
	struct termios silent;
	sigset_t held;

	s->fd = fd;
	if (tcgetattr(fd, &s->before) != 0) {
		return false;
	}
	(void)sigemptyset(&held);
	for (size_t i = 0; i < SIGNALS; i++) {
		(void)sigaddset(&held, signals[i]);
	}
	caught = 0;
	(void)sigprocmask(SIG_BLOCK, &held, &s->mask);
	for (size_t i = 0; i < SIGNALS; i++) {
		(void)sigaction(signals[i], NULL, &s->action[i]);
		/* What is ignored, as under nohup(1), stays so. */
		if (s->action[i].sa_handler != SIG_IGN) {
			(void)sigaction(signals[i], &noting, NULL);
		}
	}
	silent = s->before;
	silent.c_lflag &= ~(tcflag_t)(ECHO | ECHONL);
	silent.c_lflag |= ICANON;
	(void)tcsetattr(fd, TCSAFLUSH, &silent);
	return true;
}

/* The terminal first, then the signals: from here on they do again what they did before. */
static void
end_silence(const struct silence *s)
{
	sigset_t stop;

	/* Also from the background: where this signal is held back, it may. */
	(void)sigemptyset(&stop);
	(void)sigaddset(&stop, SIGTTOU);
	(void)sigprocmask(SIG_BLOCK, &stop, NULL);
	(void)tcsetattr(s->fd, TCSAFLUSH, &s->before);
	for (size_t i = 0; i < SIGNALS; i++) {
		(void)sigaction(signals[i], &s->action[i], NULL);
	}
	(void)sigprocmask(SIG_SETMASK, &s->mask, NULL);
}

/* One more byte of a line. False: it has ended. */
static bool
take(struct secret *s, char c, bool *is_long)
{
	if (c == '\n') {
		return false;
	}
	if (s->len < sizeof s->at - 1) {
		s->at[s->len++] = c;
	} else {
		*is_long = true;
	}
	return true;
}

/*
 * Read up to the end of the line and no further. On a terminal (`mask` is not null) signals
 * break it off. Returns 0, or what errno says.
 */
static int
read_line(int fd, const sigset_t *mask, struct secret *s, bool *is_long)
{
	struct pollfd waiting = { .fd = fd, .events = POLLIN };
	ssize_t n;
	char c;

	*is_long = false;
	s->len = 0;
	do {
		do {
			n = mask != NULL ? ppoll(&waiting, 1, NULL, mask) : 1;
			n = n > 0 ? read(fd, &c, 1) : n;
		} while (n < 0 && errno == EINTR && (mask == NULL || caught == 0));
	} while (n > 0 && take(s, c, is_long));
	s->at[s->len] = '\0';
	wipe(&c, sizeof c);
	return n < 0 ? errno : 0;
}

/* What is wrong with a secret; `it` is what it is called. */
static bool
judge(const struct secret *s, bool is_long, const char *it, struct out *why)
{
	bool is_text = memchr(s->at, '\0', s->len) == NULL;

	if (!is_long && s->len > 0 && is_text) {
		return true;
	}
	out_string(why, it);
	if (is_long) {
		out_string(why, " is longer than ");
		out_number(why, SECRET_MAX - 1);
		return tell(why, " bytes");
	}
	return tell(why, is_text ? " is empty" : " is no text");
}

/* Ask once. */
static bool
ask(int fd, const char *prompt, const char *ending, struct secret *s, struct out *why)
{
	struct silence silence;
	bool is_long;
	int error, number;

	do {
		if (!begin_silence(&silence, fd)) {
			return tell(why, strerror(errno));
		}
		show(fd, prompt);
		show(fd, ending);
		error = read_line(fd, &silence.mask, s, &is_long);
		number = caught;
		end_silence(&silence);
		show(fd, "\n");
		if (number != 0) {
			secret_wipe(s);
			(void)raise(number);
		}
	} while (number == SIGTSTP);
	if (error != 0 || number != 0) {
		return tell(why, strerror(number != 0 ? EINTR : error));
	}
	return judge(s, is_long, "what was typed", why);
}

static bool
ask_new(int fd, const char *prompt, struct secret *s, struct out *why)
{
	struct secret again = { .len = 0 };
	bool is_same;

	if (!ask(fd, prompt, ": ", s, why) || !ask(fd, prompt, ", once more: ", &again, why)) {
		secret_wipe(&again);
		return false;
	}
	is_same = s->len == again.len && memcmp(s->at, again.at, s->len) == 0;
	secret_wipe(&again);
	return is_same ? true : tell(why, "they differ: what was typed first, and once more");
}

/* A file that others can read keeps no secret; told once for each option, not for each use. */
static void
judge_access(int fd, const char *path)
{
	static const char *told;
	char text[SHOWN_MAX];
	struct out shown = OUT(text);
	struct stat st;

	if (path == told || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || (st.st_mode & 044) == 0) {
		return;
	}
	told = path;
	plain_put(&shown, text_of(path));
	(void)fprintf(stderr, "cubsign: %s: others than its owner can read it: `chmod 600` makes it "
		"private\n", out_finish(&shown));
}

static bool
get_from_file(struct secret *s, const char *path, struct out *why)
{
	bool is_standard = strcmp(path, "-") == 0, is_long = false;
	int fd = is_standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	int error = fd < 0 ? errno : read_line(fd, NULL, s, &is_long);

	if (!is_standard && fd >= 0) {
		judge_access(fd, path);
		(void)close(fd);
	}
	plain_put(why, text_of(is_standard ? "standard input" : path));
	out_string(why, ": ");
	if (error != 0) {
		return tell(why, strerror(error));
	}
	if (s->len > 0 && s->at[s->len - 1] == '\r') {
		s->at[--s->len] = '\0';
	}
	return judge(s, is_long, "it", why);
}

static bool
get_from_variable(struct secret *s, const char *name, const char *value, struct out *why)
{
	size_t len = strlen(value);
	bool is_long = len >= sizeof s->at;

	s->len = is_long ? 0 : len;
	memcpy(s->at, value, s->len);
	s->at[s->len] = '\0';
	out_string(why, name);
	out_string(why, ": ");
	return judge(s, is_long, "it", why);
}

static bool
get_from_terminal(struct secret *s, struct secret_source from, const char *prompt, bool is_new,
	struct out *why)
{
	int fd = open(TERMINAL, O_RDWR | O_NOCTTY | O_CLOEXEC);
	char text[SHOWN_MAX];
	struct out shown = OUT(text);
	bool is_got;

	if (fd < 0) {
		out_string(why, "there is no terminal to ask on");
		out_string(why, from.option != NULL || from.variable != NULL ? ": " : "");
		out_string(why, from.option != NULL ? from.option : "");
		out_string(why, from.option != NULL ? " FILE" : "");
		out_string(why, from.option != NULL && from.variable != NULL ? " or " : "");
		return tell(why, from.variable != NULL ? from.variable : "");
	}
	plain_put_words(&shown, text_of(prompt));
	prompt = out_finish(&shown);
	is_got = is_new ? ask_new(fd, prompt, s, why) : ask(fd, prompt, ": ", s, why);
	(void)close(fd);
	return is_got;
}

bool
secret_get(struct secret *s, struct secret_source from, const char *prompt, bool is_new,
	struct out *why)
{
	const char *value = from.variable != NULL ? getenv(from.variable) : NULL;
	size_t before = why->len;
	bool is_got;

	s->len = 0;
	is_got = from.file != NULL ? get_from_file(s, from.file, why)
		: value != NULL ? get_from_variable(s, from.variable, value, why)
		: get_from_terminal(s, from, prompt, is_new, why);
	if (is_got) {
		why->len = before;
	} else {
		secret_wipe(s);
	}
	return is_got;
}

void
secret_wipe(struct secret *s)
{
	wipe(s, sizeof *s);
}

bool
secret_confirm(const char *question)
{
	int fd = open(TERMINAL, O_RDWR | O_NOCTTY | O_CLOEXEC);
	struct secret answer = { .len = 0 };
	struct text text;
	bool is_long, is_answered;

	if (fd < 0) {
		return false;
	}
	/* What was typed before the question is there is no answer to it. */
	(void)tcflush(fd, TCIFLUSH);
	show(fd, question);
	show(fd, " [y/N] ");
	is_answered = read_line(fd, NULL, &answer, &is_long) == 0;
	(void)close(fd);
	text = text_trim((struct text){ answer.at, answer.len });
	return is_answered && (text_is(text, "y") || text_is(text, "yes"));
}

bool
secret_can_ask(void)
{
	int fd = open(TERMINAL, O_RDWR | O_NOCTTY | O_CLOEXEC);

	if (fd >= 0) {
		(void)close(fd);
	}
	return fd >= 0;
}
