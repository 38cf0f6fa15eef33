/* SPDX-License-Identifier: MIT */
/*
 * What all stories (tests/story/) share: a world with stores, accounts and a running
 * server, the turns of that server, and the steps that every session takes.
 *
 *	static struct peer p;
 *
 *	story_new();
 *	story_login(&p);
 *	CHECK(story_store(&p, "STOR a", text, len) == 226);
 *	peer_quit(&p);
 *	story_end();
 *
 * Accounts, all with the password "secret": anna may do all, below /srv/home; gast may
 * only read and list there; otto has another folder, /srv/other. Their records ask for one
 * round of PBKDF2, so that a login takes one pass.
 */
#ifndef STORY_H
#define STORY_H

#include "cubftpd.h"
#include "peer.h"

/* A claim about the story. What fails is told with the seed and the last reply of `p`. */
#define CHECK(claim) \
	((claim) ? (void)0 : sim_fail("%s:%d: %s", __FILE__, __LINE__, #claim))

/* A reply's code, or the negative result of what should have brought one. */
#define CHECK_CODE(p, call, code) story_check_code(__FILE__, __LINE__, #call, (p), (call), (code))

void story_check_code(const char *file, int line, const char *call, const struct peer *p,
	int got, int wanted);

/* For cmocka: failures of the simulator become those of the test. */
int story_setup(void **state);

/* The configuration that story_start() starts with: ports 21 and, implicit, 990. */
extern struct cubftpd_config story_config;

/* Set one key of it. */
void story_set(const char *key, const char *value);

/* A new world by a seed, with the accounts and /srv/home; nothing runs yet. */
void story_begin(uint64_t seed);
void story_start(void);

/* A store as story_begin() puts it there. Returns its length. */
uint32_t story_image(enum port_area area, const uint8_t **bytes);

/* Both, by SEED or 1. */
void story_new(void);

/* Stop the server, wait for its end, and check that nothing is left open. */
void story_end(void);

/*
 * An administrative command, as words with single blanks between them. What it reads besides
 * is given before it, in the form of cubftpd_input_start(). Its whole answer is in story_said
 * then, and what went wrong in story_wrong.
 * Returns as cubftpd_admin().
 */
int story_admin(const char *format, ...) __attribute__((format(printf, 1, 2)));
void story_give(enum cubftpd_input kind, const void *src, size_t len);

extern char story_said[16384];
extern char story_wrong[512];

/* Take over story_config and the stores anew. Returns as cubftpd_reload(), with story_wrong. */
int story_reload(void);

/* Tell a story whole, one byte at a time, and at random cuts (or one, by SEED). */
void story_each_way(void (*tell)(void));

/* Under valgrind, with TEST_SHORT set, a story tries less. */
unsigned story_times(unsigned usual, unsigned brief);

/* Passes of the server until it waits; fails where it spins. What sim_pump is set to. */
void story_pump(void);

/* One pass of the server. The clock stays. */
void story_pass(void);

/* Passes until it waits, without the clock, without any peer. */
void story_settle(void);

/* The clock goes on, and the server sees each of its deadlines on the way. */
void story_wait_ms(uint64_t ms);

/* How many passes there have been. */
extern uint64_t story_passes;

/* Is called before each pass, unless null: may leave the story by a jump. */
extern void (*story_before_pass)(void);

/*
 * All clients are gone: wait until no session is left, and check that sockets and handles
 * are those of a server without clients, and that it sleeps.
 */
void story_check_quiet(void);

/* Connect, AUTH TLS, log in as anna, PBSZ, PROT and TYPE I; also as somebody else. */
void story_login(struct peer *p);
void story_login_as(struct peer *p, const char *user);

/* EPSV and a data connection. */
void story_data(struct peer *p);

/*
 * A whole transfer: EPSV, data, `command`, 150, the bytes, their end.
 * Returns the last code, or the one that came in place of 150, or below 0.
 */
int story_fetch(struct peer *p, const char *command, void *dst, size_t cap, size_t *len);
int story_store(struct peer *p, const char *command, const void *src, size_t len);

/* A download that must be answered 226 and bring just these bytes. */
#define CHECK_FETCH(p, command, want, len) \
	story_check_fetch(__FILE__, __LINE__, (p), (command), (want), (len))

void story_check_fetch(const char *file, int line, struct peer *p, const char *command,
	const void *want, size_t len);

/* The same in parts: up to 150 and the data handshake; returns 150 and data is ready. */
int story_open(struct peer *p, const char *command);

/* QUIT, as the last client; then the end. */
void story_leave(struct peer *p);

/* Bytes that look like nothing else, `len` of them. */
void story_fill(void *dst, size_t len, uint32_t salt);

#endif
