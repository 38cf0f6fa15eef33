/* SPDX-License-Identifier: MIT */
/* The client's side of the control socket: how a subcommand speaks to the server that runs. */
#ifndef CUBFTPD_LINUX_CONTROL_H
#define CUBFTPD_LINUX_CONTROL_H

#include <stddef.h>

/*
 * Have the server that listens at a path do an administrative command (its format is in
 * cubftpd.h). `argv[0]` is the command; `input` is what it reads, or empty, and then may be
 * null. What the server has to say goes to stdout as it comes, what went wrong to stderr as one
 * line. Waits; a server that says nothing for 30 seconds is given up. SIGPIPE is ignored from
 * then on, so that neither a server nor a reader that goes away ends the program.
 *
 * Returns 0 to 2  the command's exit status;
 *         1       also where the server can't be asked or its answer is no good: one line on
 *                 stderr says what to do;
 *         -1      no server listens there, and nothing was said: the caller may work on the
 *                 stores itself.
 */
int control_ask(const char *path, int argc, char *const argv[], const void *input,
	size_t input_len);

#endif
