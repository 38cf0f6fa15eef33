/* SPDX-License-Identifier: MIT */
/*
 * The platform, as cubftpd's core sees it. A port supplies these functions at link
 * time; port/linux/ is one, tests/sim/ another. Nothing else of the platform is
 * known to the core.
 *
 * Conventions
 *
 * - One thread. No function waits, except where it says so.
 * - Nothing is allocated. Handles are small integers; whoever opens, closes. A
 *   closed handle must not be used again.
 * - A pointer passed in stays the caller's; the port keeps none, except where it
 *   says so. No pointer may be null, except where it says so.
 * - Functions return 0 or a count on success and a negative `enum cub_err`
 *   otherwise. Reads and writes never return 0, so that "nothing yet", "ended" and
 *   "failed" can't be confused.
 * - Sizes are in bytes, file offsets are 64-bit on every target.
 */
#ifndef CUBFTPD_PORT_H
#define CUBFTPD_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cubftpd_config.h"

/*
 * What can come of a call. AGAIN and EOF are outcomes; the others are failures and
 * carry an E. The port maps its own error numbers to these in one place.
 */
enum cub_err {
	CUB_OK         = 0,
	CUB_AGAIN      = -1,   /* not yet: wait, then call again */
	CUB_EOF        = -2,   /* ended in order */
	CUB_E_IO       = -3,   /* the medium or the connection failed */
	CUB_E_NOENT    = -4,   /* no such file */
	CUB_E_EXIST    = -5,   /* it is there already */
	CUB_E_DENIED   = -6,   /* not permitted, or outside the root */
	CUB_E_ISDIR    = -7,   /* a directory where a file is needed */
	CUB_E_NOTDIR   = -8,   /* a file where a directory is needed */
	CUB_E_NOTEMPTY = -9,   /* the directory still has entries */
	CUB_E_FULL     = -10,  /* no space left: on the medium, or in a table of ours */
	CUB_E_NAME     = -11,  /* the name can't be used */
	CUB_E_LIMIT    = -12,  /* too many handles, or too large */
	CUB_E_BUSY     = -13,  /* in use by somebody else */
	CUB_E_CORRUPT  = -14,  /* stored data is damaged */
	CUB_E_PEER     = -15,  /* the peer broke the protocol */
	CUB_E_TLS      = -16,  /* the TLS engine failed; its own code tells why */
	CUB_E_REUSE    = -17,  /* the data connection is not tied to its control connection */
	CUB_E_TIMEOUT  = -18,  /* a deadline passed */
	CUB_E_ABORTED  = -19,  /* ended at our side's will */
	CUB_E_BAD      = -20,  /* an argument that makes no sense */
	CUB_E_MEDIUM   = -21,  /* a file can't be read or written: never from the port itself */
};

/* Sockets. All are stream sockets, non-blocking, without Nagle's delay. */

typedef int32_t port_sock;

#define PORT_NONE (-1)  /* no handle: of any kind below */

/* An address. An IPv4 peer of an IPv6 socket is given as IPv4. */
struct port_addr {
	uint8_t  family;    /* 4 or 6 */
	uint8_t  ip[16];    /* in network order; the first 4 bytes for IPv4 */
	uint32_t scope;     /* of a link-local IPv6 address, else 0 */
	uint16_t tcp_port;  /* in host order */
};

/*
 * Listen at an address; `tcp_port` 0 lets the platform choose. An IPv6 socket does
 * not take IPv4 clients, unless it listens on `::`.
 *
 * Returns CUB_OK        `*out` listens;
 *         CUB_E_BUSY    somebody else has that address;
 *         CUB_E_DENIED  not allowed to use it;
 *         CUB_E_LIMIT   no handle is left;
 *         CUB_E_IO      no such address here, or anything else.
 */
int port_listen(const struct port_addr *at, int backlog, port_sock *out);

/*
 * Listen for programs of this host, at a path of its file system (a Unix socket), with mode
 * 0600. A socket that an ended server left there is replaced.
 *
 * Returns CUB_OK        `*out` listens; port_accept() takes its connections, and their peers
 *                       have `family` 0;
 *         CUB_E_BUSY    somebody listens there already;
 *         CUB_E_NAME    the path is longer than the platform's sockets allow (107 bytes);
 *         CUB_E_EXIST   there is something else of that name;
 *         CUB_E_DENIED, CUB_E_NOENT (no such directory), CUB_E_LIMIT, CUB_E_IO.
 */
int port_listen_local(const char *path, port_sock *out);

/* Remove its name, so that nobody tries any more. The socket is closed apart from that. */
void port_forget_local(const char *path);

/*
 * Take the next connection of a listening socket, with keep-alive on.
 *
 * Returns CUB_OK  `*out` is connected to `*peer`;
 *         CUB_AGAIN, CUB_E_LIMIT, CUB_E_IO.
 */
int port_accept(port_sock listener, port_sock *out, struct port_addr *peer);

/*
 * Connect. `*sock` is PORT_NONE at first, and the socket then: call again, with the same
 * addresses, until it is not CUB_AGAIN; when that may be is told by PORT_WRITE. Close `*sock`
 * where it is not PORT_NONE, whatever came of it. `from` is an own address, whose port is not
 * looked at.
 *
 * Returns CUB_OK  `*sock` is connected, with keep-alive on;
 *         CUB_AGAIN;
 *         CUB_E_LIMIT no handle is left;
 *         CUB_E_IO    refused, not reached, or anything else.
 */
int port_connect(port_sock *sock, const struct port_addr *from, const struct port_addr *to);

/* Is an IPv4 peer in the network of an interface that has our address `local`? */
bool port_is_near(const struct port_addr *local, const struct port_addr *peer);

/* The own side's address of a connected or listening socket. Returns CUB_OK, CUB_E_IO. */
int port_sock_local(port_sock sock, struct port_addr *out);

/*
 * Read what has arrived. `len` is at least 1.
 *
 * Returns the number of bytes read, from 1 to `len`;
 *         CUB_AGAIN  nothing has arrived yet;
 *         CUB_EOF    the peer closed its side;
 *         CUB_E_IO   the connection is lost: only port_sock_close() may follow.
 */
int port_sock_read(port_sock sock, void *dst, size_t len);

/*
 * Write what the platform takes now. `len` is at least 1. Never raises a signal.
 *
 * Returns the number of bytes taken, from 1 to `len`;
 *         CUB_AGAIN, CUB_E_IO as above.
 */
int port_sock_write(port_sock sock, const void *src, size_t len);

/*
 * From now on we only listen: acknowledge what comes at once. A platform that delays that, for
 * something to send with it (RFC 1122 4.2.3.2), holds up peers with Nagle's algorithm (4.2.3.4).
 * One that does not has nothing to do here.
 */
void port_sock_quickack(port_sock sock);

/* Tell the peer that no more will be written; what was written still arrives. */
void port_sock_shutdown(port_sock sock);

void port_sock_close(port_sock sock);

/*
 * What to wait for. The set is made anew on each pass from the state of things
 * (cubftpd_want()), so that nothing has to be unregistered. The program's loop waits
 * for it, by port_wait() or by means of its own, and marks what is `ready`.
 */
#define PORT_READ  1u
#define PORT_WRITE 2u

struct port_wait {
	struct {
		port_sock sock;
		uint8_t   events;  /* PORT_READ, PORT_WRITE, or both */
		uint8_t   ready;   /* of these, what can be done now; set by the waiter */
	} item[CUB_WAIT_MAX];
	uint16_t count;
	uint64_t deadline_ms;  /* monotonic; return by then. UINT64_MAX: no deadline */
};

/*
 * Wait for the first of the set's events, for its deadline, or for an interruption
 * by the platform (a signal). The program's loop calls it, not the core.
 */
void port_wait(struct port_wait *set);

/*
 * Files. A root is an open directory. Paths are relative to it: NUL-terminated, with
 * "/" between names, no empty, "." or ".." name, no leading slash; "." alone is the
 * root itself. No path leads out of its root: a symbolic link that would is refused
 * with CUB_E_DENIED. (A port may refuse to follow links at all.)
 *
 * All of these may return CUB_E_NOENT, CUB_E_DENIED, CUB_E_NOTDIR, CUB_E_NAME,
 * CUB_E_LIMIT or CUB_E_IO; only what is particular is listed.
 */
typedef int32_t port_root;
typedef int32_t port_file;

enum port_kind {
	PORT_FILE,
	PORT_DIR,
	PORT_OTHER,  /* anything that is neither, a link that can't be followed among it */
};

struct port_stat {
	enum port_kind kind;
	uint16_t mode;     /* the nine permission bits */
	bool     is_link;  /* of a directory's entry: a link, and the rest is what it leads to */
	uint64_t size;     /* in bytes; meaningful for PORT_FILE */
	int64_t  mtime_s;  /* seconds since 1970, UTC */
	uint64_t device;   /* with `inode`: the same for two names of one file only */
	uint64_t inode;
};

/*
 * Open a directory as a root: beneath `base`, or by a host's path if `base` is PORT_NONE.
 * CUB_E_DENIED where it may not be entered.
 */
int port_root_open(port_root base, const char *path, port_root *out);
void port_root_close(port_root root);

/* Bytes that may still be written to the medium below a root; INT64_MAX: it doesn't say. */
int port_root_free(port_root root, uint64_t *bytes);

int port_stat(port_root root, const char *path, struct port_stat *out);

enum port_open {
	PORT_OPEN_READ,    /* an existing file */
	PORT_OPEN_CREATE,  /* a new file for writing; CUB_E_EXIST where the name is taken */
	PORT_OPEN_UPDATE,  /* an existing file for writing, kept as it is; by one at a time */
};

/*
 * Only regular files are opened: CUB_E_ISDIR for a directory, CUB_E_DENIED for others,
 * CUB_E_BUSY for PORT_OPEN_UPDATE where it is open for writing already.
 * A file that is made gets exactly the permissions `mode`, and may give CUB_E_FULL. Its name
 * need not survive a power cut before port_rename() has given it another.
 */
int port_file_open(port_root root, const char *path, enum port_open how, uint16_t mode,
	port_file *out);
int port_file_stat(port_file file, struct port_stat *out);

/*
 * Read or write at an offset. May wait for the medium. `len` is at least 1.
 *
 * Returns the number of bytes moved, from 1 to `len`;
 *         CUB_EOF     nothing is stored from `offset` on (read);
 *         CUB_E_FULL  no space is left, or the file can't be larger (write);
 *         CUB_E_IO.
 */
int port_file_read(port_file file, uint64_t offset, void *dst, size_t len);
int port_file_write(port_file file, uint64_t offset, const void *src, size_t len);

/* Cut a file to a length. */
int port_file_truncate(port_file file, uint64_t len);

/* Return once the file's data and length would survive a power cut. Waits. */
int port_file_sync(port_file file);

/* Failures that a delayed write had are told here: CUB_OK, CUB_E_FULL or CUB_E_IO. */
int port_file_close(port_file file);

/*
 * Change names. Each returns once the change would survive a power cut. Waits.
 *
 * port_rename() replaces an existing file in one step; a directory is never
 * replaced. port_rename_new() replaces nothing: CUB_E_EXIST. port_remove() takes files
 * (and links themselves), not directories. port_dir_make() gives exactly `mode`.
 * Particular: CUB_E_EXIST, CUB_E_ISDIR, CUB_E_NOTEMPTY, CUB_E_FULL, CUB_E_BUSY.
 */
int port_rename(port_root root, const char *from, const char *to);
int port_rename_new(port_root root, const char *from, const char *to);
int port_remove(port_root root, const char *path);
int port_dir_make(port_root root, const char *path, uint16_t mode);
int port_dir_remove(port_root root, const char *path);

/*
 * Change what is known about a file or directory, as exactly as the medium stores it. Returns
 * once the change would survive a power cut. Waits. CUB_E_DENIED also for what is neither, and,
 * on some platforms, for what the server may not read.
 */
enum port_attribute {
	PORT_MODE,   /* the nine permission bits */
	PORT_MTIME,  /* seconds since 1970, UTC */
};

int port_change(port_root root, const char *path, enum port_attribute what, int64_t value);

/* A directory that is being read. The fields are the port's own. */
struct port_dir {
	port_root handle;
	uint16_t  at;
	uint16_t  len;
	uint64_t  buffer[CONFIG_CUBFTPD_DIR_BUFFER / 8];
};

struct port_entry {
	const char *name;  /* in the port_dir's buffer: valid until its next use */
	struct port_stat stat;
	uint64_t next;     /* where to go on behind it, for port_dir_seek() */
};

int port_dir_open(port_root root, const char *path, struct port_dir *dir);

/*
 * The next entry in the platform's order; never "." or "..". An entry that vanished
 * in between is left out.
 *
 * Returns CUB_OK, CUB_EOF, CUB_E_IO.
 */
int port_dir_next(struct port_dir *dir, struct port_entry *entry);

/*
 * Go on behind an entry that was seen when the same directory was open before.
 * Returns CUB_OK or CUB_E_IO: the file system can't; it is where it was.
 */
int port_dir_seek(struct port_dir *dir, uint64_t next);

void port_dir_close(struct port_dir *dir);

/*
 * Flash areas. An area is an array of cells that an erase sets to 0xFF; only bits of
 * erased cells may be programmed, and only to 0. Erasing works on whole erase blocks,
 * programming on whole write units. Both wait for the medium. What a power cut
 * interrupts has happened in part, up to any byte. The store above relies on that and
 * on nothing better.
 */
enum port_area {
	PORT_AREA_IDENTITY,
	PORT_AREA_TRUST,
	PORT_AREAS,
};

struct port_flash {
	uint32_t size;        /* bytes; of a file its length */
	bool     is_file;     /* else a device, which can't be cut off */
	uint32_t erase_size;  /* bytes; a power of two */
	uint32_t write_size;  /* bytes; a power of two, 1 where any byte can be programmed */
};

/*
 * Open an area and lock it against other programs until port_flash_close().
 * `where` is the platform's name for it (a file or an MTD character device). Where there is
 * no such file it is made, erased, with `create_len` bytes, and appears as a whole or not at
 * all; 0: don't.
 *
 * Returns CUB_OK       `*out` tells its geometry;
 *         CUB_E_NOENT  there is none, and `create_len` is 0;
 *         CUB_E_BUSY   another program has it open;
 *         CUB_E_DENIED not permitted, or not a file of the right kind;
 *         CUB_E_FULL   no room to make it;
 *         CUB_E_LIMIT, CUB_E_IO.
 */
int port_flash_open(enum port_area area, const char *where, uint32_t create_len,
	struct port_flash *out);
void port_flash_close(enum port_area area);

/* Read `len` bytes at `at`. */
int port_flash_read(enum port_area area, uint32_t at, void *dst, uint32_t len);

/*
 * Program and erase. `at` and `len` are multiples of write_size and of erase_size.
 * Return CUB_OK, CUB_E_FULL (a file's medium), CUB_E_IO, or CUB_E_BAD: not in the area.
 */
int port_flash_program(enum port_area area, uint32_t at, const void *src, uint32_t len);
int port_flash_erase(enum port_area area, uint32_t at, uint32_t len);

/* Return once all that was programmed or erased would survive a power cut. Waits. */
int port_flash_sync(enum port_area area);

/*
 * Read a secret: a file that nobody but its owner may use, or a device. At most `cap` bytes;
 * of a regular file, a line end at its end is left out.
 *
 * Returns the number of bytes, at least 1; CUB_E_NOENT; CUB_E_LIMIT: more than `cap`;
 *         CUB_E_DENIED: not permitted, or others may use it; CUB_E_BAD: empty; CUB_E_IO.
 */
int port_secret(const char *path, uint8_t *dst, size_t cap);

/*
 * May a program of the host be run, by its absolute path?
 *
 * Returns CUB_OK; CUB_E_NOENT; CUB_E_DENIED: not by us, or it is no program; ...
 */
int port_hook_check(const char *program);

/*
 * Run a program of the host, by its absolute path: with two arguments, without a shell, with
 * the rights of the server, no input, nothing in its environment but PATH, and its output where
 * the log's is. Nothing of the server is open in it. One at a time: port_hook_end() has told
 * the end of the one before. Does not wait; port_wait() returns when the program ends.
 *
 * Returns CUB_OK, or why it could not be started: CUB_E_NOENT, CUB_E_DENIED, CUB_E_LIMIT, ...
 */
int port_hook_start(const char *program, const char *first, const char *second);

/*
 * Has it ended? With `kill`, it is being ended, along with what it has started itself.
 *
 * Returns CUB_AGAIN: it still runs; CUB_OK: it ended with 0; CUB_E_ABORTED: otherwise.
 */
int port_hook_end(bool kill);

/* Milliseconds since some moment in the past; never steps back. */
uint64_t port_clock_ms(void);

/* Seconds since 1970, UTC, as far as the platform knows; may be wrong or step. */
int64_t port_time(void);

/*
 * Fill `dst` with bytes fit for keys. Waits until the platform's random pool is
 * ready (once, after boot), and panics where there is none.
 */
void port_random(void *dst, size_t len);

enum port_log_level { PORT_LOG_ERROR, PORT_LOG_WARNING, PORT_LOG_INFO, PORT_LOG_DEBUG };

/* Write one event: `len` printable bytes without a line end. */
void port_log(enum port_log_level level, const char *line, size_t len);

/* Our own mistake: say where and end the program. Never the answer to bad input. */
_Noreturn void port_panic(const char *file, int line);

#define CUB_ASSERT(claim) ((claim) ? (void)0 : port_panic(__FILE__, __LINE__))

#endif
