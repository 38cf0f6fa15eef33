/* SPDX-License-Identifier: MIT */
/*
 * What the files of the Linux port share, and what its main decides for them: the one
 * map of error numbers, how much is logged, and the program's signals. The core
 * doesn't know this header; it sees include/cubftpd_port.h only.
 */
#ifndef CUBFTPD_LINUX_SYS_H
#define CUBFTPD_LINUX_SYS_H

#include <sys/un.h>

#include "cubftpd_port.h"

/*
 * What errno means to the core. EINVAL is taken as a name that the file system
 * refuses, since that is what it says of one; where no name is involved, the caller
 * must not pass the answer on.
 *
 * Returns a negative `enum cub_err`, CUB_E_IO for all that has no closer meaning.
 */
int sys_error(void);

/* The same for reading and writing: CUB_E_FULL, CUB_E_LIMIT, and CUB_E_IO for the rest. */
int sys_medium_error(void);

/*
 * open(2), where a file is made by O_CREAT for its owner alone, and no other program inherits
 * the descriptor.
 */
int sys_open(const char *path, int flags);

/*
 * Wait until what was written would survive a power cut. `may_lack`: it is no error where `fd`
 * has nothing of the kind. Returns CUB_OK, or as sys_medium_error().
 */
int sys_sync(int fd, bool may_lack);

/* The end of opening something: give it to the caller, or close it where `result` is an error. */
int sys_hand_over(int fd, int result, int32_t *out);

/* How much to read or write in one go, where the count is returned as an int. */
size_t sys_at_most_int(size_t len);

/*
 * Write all of it, waiting where that is needed. Returns false where it can't be written:
 * errno says why.
 */
bool sys_put(int fd, const void *src, size_t len);
bool sys_put_string(int fd, const char *text);

/* One line on stderr: the program's name, and three parts that may be empty. */
void sys_complain(const char *a, const char *b, const char *c, size_t c_len);

/* A number from 0 up as a string, in `digits`. */
#define SYS_NUMBER 12
const char *sys_number(int n, char digits[SYS_NUMBER]);

/*
 * The address of a Unix socket. Returns CUB_OK; CUB_E_NAME: the path is empty, which would
 * mean no file at all to the kernel, or too long.
 */
int sys_local_address(const char *path, struct sockaddr_un *out);

/* Drop events that are less grave than `level`. The start is PORT_LOG_INFO. */
void sys_log_level_set(enum port_log_level level);

/*
 * Send events as datagrams to the Unix socket of a syslog daemon at `path`; null: to stderr, as
 * at first. What the daemon doesn't take goes to stderr.
 */
void sys_log_to(const char *path);

/*
 * Let the signals wait for ever by which the system complains of a write, SIGPIPE and SIGXFSZ:
 * the write itself tells it, too.
 */
void sys_signals_block(void);

/*
 * The same; and SIGCHLD, SIGHUP, SIGINT and SIGTERM are read from now on instead of
 * interrupting the program: they end port_wait(), at once where they came before it.
 */
void sys_signals_take(void);

/* The next signal that has come, 0 if there is none. */
int sys_signal_next(void);

/* What can be read when there is one; -1 before sys_signals_take(). */
int sys_signal_fd(void);

#endif
