/* SPDX-License-Identifier: MIT */
/*
 * One program of the host at a time. The child of vfork(2) shares the server's memory until the
 * program begins, so it does nothing but system calls; what it changes of descriptors and
 * signals is its own. The end is told by SIGCHLD: see sys_signals_take().
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys.h"

/* The server's own descriptors are closed by exec; these are what it was started with. */
#define INHERITED_MAX 1024

static pid_t running;

/* execve(2) only reads what it is given, though its type doesn't say so. */
union strings {
	const char *const *reads;
	char *const *takes;
};

/* In the child: returns only where the program can't be run. */
static void
become(const char *program, union strings argv, union strings env)
{
	sigset_t none;
	int null = sys_open("/dev/null", O_RDONLY);

	(void)setpgid(0, 0);
	(void)umask(S_IWGRP | S_IWOTH);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(STDERR_FILENO, STDOUT_FILENO) < 0) {
		return;
	}
	for (int fd = STDERR_FILENO + 1; fd < INHERITED_MAX; fd++) {
		(void)close(fd);
	}
	(void)execve(program, argv.takes, env.takes);
}

int
port_hook_check(const char *program)
{
	struct stat st;

	if (stat(program, &st) != 0 || access(program, X_OK) != 0) {
		return sys_error();
	}
	return S_ISREG(st.st_mode) ? CUB_OK : CUB_E_DENIED;
}

int
port_hook_start(const char *program, const char *first, const char *second)
{
	static const char *const path[] = { "PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL };
	const char *const argv[] = { program, first, second, NULL };
	volatile int error = 0;
	pid_t child;

	child = vfork();
	if (child == 0) {
		become(program, (union strings){ argv }, (union strings){ path });
		error = errno;
		_exit(127);
	}
	if (child < 0) {
		return CUB_E_LIMIT;
	}
	if (error != 0) {
		(void)waitpid(child, NULL, 0);
		errno = error;
		return sys_error();
	}
	running = child;
	return CUB_OK;
}

int
port_hook_end(bool end)
{
	int status = -1;

	if (end) {
		(void)kill(-running, SIGKILL);
	}
	/* An error means that there is none: then it is over, whatever came of it. */
	if (waitpid(running, &status, WNOHANG) == 0) {
		return CUB_AGAIN;
	}
	return status == 0 ? CUB_OK : CUB_E_ABORTED;
}
