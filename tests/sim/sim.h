/* SPDX-License-Identifier: MIT */
/*
 * The simulated port, as tests see it: the platform of include/cubftpd_port.h in memory,
 * with faults on demand. One seed decides all that is random, so that a run can be
 * replayed. Nothing here takes real time, and nothing leaves the process.
 *
 * Four kinds of faults, each by counter or by seed:
 *
 * - a call fails: sim_net_fail_at(), sim_file_fail_at(), sim_flash_fail_at();
 * - streams come in pieces, or not just now: sim_net_split(), sim_file_split();
 * - something is full, in use, forbidden or damaged: the setters below;
 * - the power goes: sim_power_cut(), sim_flash_cut_after(), sim_file_cut_at().
 *
 * What breaks the port's contract (a handle used after its close, a bit programmed from
 * 0 to 1, a path with "..") is a mistake of the core and panics. Mistakes of the test
 * itself end in sim_fail(). Both say the seed.
 *
 * Handles are never 0 and never come twice, so that a forgotten one is noticed.
 */
#ifndef SIM_H
#define SIM_H

#include "cubftpd_port.h"

/* Begin anew: no sockets, an empty "/srv", blank flash, no faults, the clocks at their start. */
void sim_reset(uint64_t seed);
uint64_t sim_seed(void);

/* The seed that the environment gives as SEED, or else `usual`. */
uint64_t sim_seed_or(uint64_t usual);

/* The test's own random numbers. Drawing from them shifts no other stream. */
uint64_t sim_random(void);

/* From 0 to `below` - 1. */
uint32_t sim_random_below(uint32_t below);

/*
 * End the test: its claim does not hold, or it uses the simulator wrongly. The hook, if
 * there is one, gets the text first and may leave by a jump (cmocka's fail()); otherwise
 * the text goes to stderr and the program aborts. The text is valid during the call.
 */
_Noreturn void sim_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
extern void (*sim_fail_hook)(const char *why);

/*
 * Run `what(arg)` and tell whether it panicked. What it had begun stays half done: only
 * sim_reset() may follow, as far as the simulator is concerned.
 */
bool sim_expect_panic(void (*what)(void *arg), void *arg);

/* Why the simulator panicked the last time; empty where the core did by itself. */
const char *sim_panic_text(void);

/*
 * Power. At a cut, sockets and handles are gone, and of what was not yet durable some is
 * kept and some is lost, by the seed. While the power is off, every call of the port that
 * can fail returns CUB_E_IO, and handles may be closed or forgotten.
 */
void sim_power_cut(void);

/*
 * The device starts again: the power is on, no cut is armed, and all handles from before
 * are gone, as if the program had ended. (They may still be closed, to spare tests a
 * distinction.) Without a cut before it, nothing that was written is lost.
 */
void sim_power_on(void);
bool sim_power_is_off(void);

/* How streams come: in one go, in single bytes, or in pieces by the seed. */
enum sim_split { SIM_WHOLE, SIM_BYTES, SIM_RANDOM };

/* Time, log, randomness and secrets: sys.c */

void sim_clock_advance(uint64_t ms);

/*
 * How often port_wait() may still move the clock to a deadline; negative: without limit,
 * as after sim_reset(). Returns the previous number.
 */
int sim_clock_budget(int moves);

/* What port_time() says now; it goes on with the clock. At first it is 2030-01-01. */
void sim_time_set(int64_t seconds);

/* Log lines since sim_reset() or sim_log_clear(). The last 256 are kept, up to 255 bytes each. */
bool sim_log_has(const char *part);
unsigned sim_log_count(void);
unsigned sim_log_count_of(enum port_log_level level);

/* The line that came `back` lines before the last one; empty where there is none. */
const char *sim_log_line(unsigned back);
void sim_log_clear(void);

/*
 * Put a file with a secret at a path that port_secret() knows, for its owner alone; or another
 * in its place. Up to 4 of them, of up to 512 bytes. Power cuts leave them alone.
 */
void sim_secret_put(const char *path, const void *bytes, size_t len);

/* From now on port_secret() returns this error; CUB_OK: no more. */
void sim_secret_fail(int error);

/*
 * The program that port_hook_start() runs: it goes on until sim_hook_done(), or until it is
 * killed. What it was given: "PROGRAM FIRST SECOND".
 */
bool sim_hook_runs(void);
const char *sim_hook_words(void);
unsigned sim_hook_count(void);    /* of starts since sim_reset() */
void sim_hook_done(bool is_well);

/* From now on the program can't be started, for this reason; CUB_OK: it can. */
void sim_hook_fail(int error);

/* Sockets: net.c */

/* The far end of a connection. */
typedef int32_t sim_peer;

/*
 * Connect to whoever listens on a TCP port for clients of `from`'s family; sim_connect_to()
 * names the address as well. The connection stands before it is accepted.
 *
 * Returns CUB_OK     `*out` is connected: sim_peer_close() ends it;
 *         CUB_AGAIN  the listener's backlog is full;
 *         CUB_E_IO   refused, as nobody listens there.
 */
int sim_connect(const struct port_addr *from, uint16_t to_tcp_port, sim_peer *out);
int sim_connect_to(const struct port_addr *from, const struct port_addr *to, sim_peer *out);

/*
 * The same for the Unix socket: connect to whoever listens at its name. There is one such
 * name in the simulated host.
 */
int sim_connect_local(sim_peer *out);

/*
 * The name that port_listen_local() made and port_forget_local() has not yet removed, empty
 * where there is none. As in reality it stays where its server ended without removing it.
 */
const char *sim_local_name(void);

/*
 * The other way round: a far host listens for the server's port_connect(), or is silent: what
 * connects there waits for ever. Anywhere else it is refused.
 */
void sim_far_listen(const struct port_addr *at, bool silent);

/* No far host listens any more. */
void sim_far_unlisten(void);

/* Take a connection that the server has made there. Returns CUB_OK or CUB_AGAIN. */
int sim_far_accept(const struct port_addr *at, sim_peer *out);

/* An address from numbers: sim_ipv4(192, 0, 2, 7, 40000). */
struct port_addr sim_ipv4(uint8_t a, uint8_t b, uint8_t c, uint8_t d, uint16_t tcp_port);

/* 2001:db8::`last`. */
struct port_addr sim_ipv6(uint8_t last, uint16_t tcp_port);

/* The device's own addresses: 192.0.2.1, 2001:db8::1, 127.0.0.0/8, ::1, and what is
 * link-local and has a scope. */

/* Returns the number of bytes taken; CUB_AGAIN: no room; CUB_E_IO: the connection is lost. */
int sim_peer_write(sim_peer peer, const void *src, size_t len);

/* Returns the number of bytes read; CUB_AGAIN; CUB_EOF: no more will come; CUB_E_IO: lost. */
int sim_peer_read(sim_peer peer, void *dst, size_t cap);

/* Write no more (FIN), break the connection (RST), or close it, as a program's end does. */
void sim_peer_shutdown(sim_peer peer);
void sim_peer_reset(sim_peer peer);
void sim_peer_close(sim_peer peer);

/* The server has shut down or closed its side, or reset it; bytes may still be unread. */
bool sim_peer_eof(sim_peer peer);
bool sim_peer_lost(sim_peer peer);

/* The server has accepted it, and has not closed it since. */
bool sim_peer_held(sim_peer peer);

/* The server has asked that what the peer sends is acknowledged at once. */
bool sim_peer_quickack(sim_peer peer);

/* Bytes that sim_peer_read() would give, and bytes that the server has not read yet. */
size_t sim_peer_pending(sim_peer peer);
size_t sim_peer_unread(sim_peer peer);

/* The peer's own address; of `family` 0 for one of a Unix socket. */
struct port_addr sim_peer_local(sim_peer peer);

/*
 * SIM_BYTES moves one byte a call, and every other read or write says CUB_AGAIN;
 * SIM_RANDOM does both by the seed, and lets port_wait() come back early or overlook
 * something now and then. Peers are not split.
 */
void sim_net_split(enum sim_split how);

/* Bytes that each direction of a connection holds, from 1 to 64 KiB (at first), from now on. */
void sim_net_buffer(size_t bytes);

/*
 * Let the n-th of the next calls fail with CUB_E_IO (n is 1 for the next one), or that and
 * all after it; 0: none. Listen, accept, connect, local, read and write are
 * counted. A connection
 * whose accept, read or write fails is lost for its peer too. port_accept() with nothing
 * to accept counts as well.
 */
void sim_net_fail_at(uint64_t n, bool forever);

/* Calls since the last sim_net_fail_at(), and whether its fault has struck. */
uint64_t sim_net_calls(void);
bool sim_net_failed(void);

/* Somebody else uses a port (CUB_E_BUSY), or it is not for us (CUB_E_DENIED). */
void sim_net_occupy(uint16_t tcp_port);
void sim_net_release(uint16_t tcp_port);
void sim_net_deny(uint16_t tcp_port);

/* So many sockets may be open; at first 64. Beyond, CUB_E_LIMIT. */
void sim_net_limit(unsigned sockets);

/* A reset also takes away what had arrived; at first it does not. */
void sim_net_reset_drops(bool drops);

/* Sockets that the server has open, listening ones among them. */
unsigned sim_net_open_count(void);

/* Whether somebody listens on a port, for any address. */
bool sim_net_listens(uint16_t tcp_port);

/* Grows with all that happens on any connection, from either side. */
uint64_t sim_net_activity(void);

/* A hash over all bytes that went either way, in their order. */
uint64_t sim_net_digest(void);

/* How the last port_wait() went. */
enum sim_waited {
	SIM_WAITED_READY,   /* something was ready */
	SIM_WAITED_DUE,     /* nothing was, and the deadline had passed */
	SIM_WAITED_TIME,    /* nothing was: the clock went to the deadline, if it may move */
	SIM_WAITED_NEVER,   /* nothing was, and there is no deadline */
	SIM_WAITED_SIGNAL,  /* it came back early */
};

enum sim_waited sim_waited(void);

/*
 * Files: file.c
 *
 * One tree of directories and files, named here by host paths ("/srv/a/b"; the leading
 * slash may be left out). Listings come in the order of creation. Content lives in
 * blocks of 4 KiB, of which there are 1,024, and holes take none, so that sizes beyond
 * 4 GiB are no problem. There are 512 nodes.
 *
 * Durable on return: rename, remove, making and removing of directories. Content and
 * length are so after port_file_sync(), and the name of a new file after that or after
 * a rename. At a power cut each 512 bytes that were not synced are kept or lost
 * on their own, as are the length and the name of a new file.
 *
 * Where the contract leaves a choice: a rename onto a directory is CUB_E_ISDIR for a
 * file and CUB_E_EXIST for a directory, of a directory onto a file CUB_E_NOTDIR, of a
 * directory into itself CUB_E_BAD; the root itself is CUB_E_BUSY to rename and remove;
 * port_file_truncate() beyond the end makes a hole.
 */

/* Put a file or a directory there, durably, with the directories above it. */
void sim_file_put(const char *path, const void *data, size_t len);
void sim_dir_put(const char *path);

/* Something that is neither, such as a device or a broken link. */
void sim_other_put(const char *path);

/* Whether a file of exactly this content is there. Holes read as zeros. */
bool sim_file_is(const char *path, const void *data, size_t len);
bool sim_file_exists(const char *path);
bool sim_dir_exists(const char *path);

/* The size of a file that must be there. */
uint64_t sim_file_size(const char *path);

/* Read from a file as it is now: the number of bytes, 0 at its end. */
size_t sim_file_peek(const char *path, uint64_t offset, void *dst, size_t len);

/* The permission bits of a file or a directory that must be there. */
uint16_t sim_mode(const char *path);

/* Entries of a directory that must be there. */
unsigned sim_dir_count(const char *path);

void sim_file_mtime_set(const char *path, int64_t seconds);

/* Opening it, or going through it, is CUB_E_DENIED. */
void sim_file_deny(const char *path, bool deny);

/* Reading or writing the byte at `offset` fails with CUB_E_IO; UINT64_MAX: no more. */
void sim_file_read_error_at(const char *path, uint64_t offset);
void sim_file_write_error_at(const char *path, uint64_t offset);

/* The medium holds so many bytes, in whole blocks; beyond, CUB_E_FULL. */
void sim_disk_limit(uint64_t bytes);

/* Files can be so large; beyond, CUB_E_FULL. At first 2^63 - 1. */
void sim_file_size_max(uint64_t bytes);

/* So many files, roots and directories may be open at a time; at first 64. */
void sim_file_limit(unsigned handles);

/* Reads and writes move all, one byte, or a piece by the seed. */
void sim_file_split(enum sim_split how);

/* As for sockets, with an error of choice. All calls but the closing of roots and
 * directories are counted. A file whose close fails is closed all the same. */
void sim_file_fail_at(uint64_t n, bool forever, int error);
uint64_t sim_file_calls(void);
bool sim_file_failed(void);

/*
 * Cut the power at the n-th of the next calls; 0: don't. By the seed, the call has done
 * nothing yet or all of its work; it returns CUB_E_IO. A write may have done a part.
 */
void sim_file_cut_at(uint64_t n);

/* Files, roots and directories that are open. */
unsigned sim_file_open_count(void);

/*
 * Flash: flash.c
 *
 * At first, both areas are blank, do not exist yet, have two banks of CUB_STORE_BANK,
 * erase blocks of 4,096 bytes, and take single bytes.
 */

/* The largest area. */
#define SIM_FLASH_MAX (256u * 1024u)

/* Blank and never created, both; the geometry stays. The power is on. */
void sim_flash_reset(void);

/*
 * `size` 0: the area is in a file, which gets its length when it is made, at once and for
 * good. The area becomes blank.
 */
void sim_flash_geometry(enum port_area area, uint32_t size, uint32_t erase, uint32_t write);

/*
 * Cut the power after `steps` more steps, counted over both areas. A step is one byte
 * programmed, 1/64 of an erase block erased (at least a byte; from the block's start or
 * from its end, by the seed), or one sync. So with a cut after 0, 1, 2, ... steps, power
 * goes at each moment once.
 */
void sim_flash_cut_after(uint64_t steps);

/*
 * As behind a page cache: what was programmed or erased since the last sync reaches the
 * medium in any order. At a cut each aligned unit of 16 bytes has taken, of what
 * happened to it, the first so many steps, by the seed.
 */
void sim_flash_cached(bool cached);

/* Writing units can be programmed only once between erases, as where the chip has ECC. */
void sim_flash_once(bool once);

/*
 * An erase takes units of 16 bytes of its block in any order, by the seed: a cut leaves some
 * of them, whichever. (Not where a file becomes longer.)
 */
void sim_flash_scattered(bool scattered);

void sim_flash_lock_elsewhere(enum port_area area, bool locked);

/* As for sockets; all calls but closing are counted. A failing program or erase has
 * happened in part. */
void sim_flash_fail_at(uint64_t n, bool forever, int error);
uint64_t sim_flash_calls(void);
bool sim_flash_failed(void);

struct sim_flash_counts {
	uint64_t erases;    /* blocks */
	uint64_t programs;  /* calls */
	uint64_t bytes;     /* programmed */
	uint64_t syncs;
};

/* Since sim_reset(), sim_flash_reset() or a new geometry. */
struct sim_flash_counts sim_flash_counts(enum port_area area);

/* All SIM_FLASH_MAX cells as they are now, for comparing with a golden image. */
const uint8_t *sim_flash_bytes(enum port_area area);

/* Put an image there, durably; what follows it is blank, and a file ends there. The area
 * then exists. */
void sim_flash_image(enum port_area area, const void *image, uint32_t len);

/*
 * The same while the area may be open: as where another file, or another medium, has taken the
 * name of the one that a program still holds. What is open stays what it was, and the image is
 * what the next port_flash_open() finds.
 */
void sim_flash_replace(enum port_area area, const void *image, uint32_t len);

/* Invert the bits of `mask` in one byte, durably. */
void sim_flash_flip(enum port_area area, uint32_t offset, uint8_t mask);

/* The size of the area; of a file its present length. */
uint32_t sim_flash_size(enum port_area area);

bool sim_flash_is_open(enum port_area area);

/* The name that it was opened by the last time. There is one area of a kind, by any name. */
const char *sim_flash_where(enum port_area area);

/*
 * What follows is among the simulator's own files.
 */

/* Independent streams of random numbers from the one seed. */
enum sim_stream { SIM_TEST, SIM_PORT, SIM_NET, SIM_FILE, SIM_FLASH, SIM_PEER, SIM_STREAMS };

uint64_t sim_draw(enum sim_stream stream);
uint32_t sim_draw_below(enum sim_stream stream, uint32_t below);
bool sim_coin(enum sim_stream stream);

/* A call's contract. `text` says what was broken. */
#define SIM_RULE(claim, text) \
	((claim) ? (void)0 : sim_broken(__FILE__, __LINE__, (text)))

_Noreturn void sim_broken(const char *file, int line, const char *text);

/* Calls that are counted, and the one that fails. */
struct sim_fault {
	uint64_t calls;
	uint64_t at;  /* 0: none */
	bool     forever;
	bool     struck;
	int      error;
};

void sim_fault_set(struct sim_fault *f, uint64_t n, bool forever, int error);

/* Count a call. Returns CUB_OK or the error that it has to return. */
int sim_fault_count(struct sim_fault *f);

/*
 * Handles: a kind, a number that never comes twice, and a slot below 256. A handle that
 * does not fit its slot panics in sim_handle_stale(), unless it is from before the last
 * power cut: then the call has to do nothing.
 */
enum sim_kind { SIM_SOCK = 1, SIM_FAR_END, SIM_ROOT, SIM_OPEN_FILE, SIM_OPEN_DIR };

int32_t sim_handle_make(enum sim_kind kind, unsigned slot);
unsigned sim_handle_slot(int32_t handle);
void sim_handle_stale(enum sim_kind kind, int32_t handle);

void sim_clock_to(uint64_t ms);

/* Move the clock to a deadline if the budget allows. */
void sim_clock_wait(uint64_t deadline_ms);

void sim_sys_reset(void);
void sim_net_reset(void);
void sim_file_reset(void);

/* All handles are gone; what is not durable is kept or lost. */
void sim_net_power_cut(void);
void sim_file_power_cut(void);
void sim_flash_power_cut(void);

/* All handles are gone, and nothing else. */
void sim_file_restart(void);
void sim_flash_restart(void);

#endif
