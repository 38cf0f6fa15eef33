/* SPDX-License-Identifier: MIT */
/*
 * cubftpd as a part of a program: the daemon's own main uses nothing else of the
 * core, and a firmware may do the same in a loop of its own:
 *
 *	struct cubftpd_config config;
 *	struct port_wait set;
 *
 *	cubftpd_config_default(&config);
 *	cubftpd_config_set(&config, "root", 4, "/srv", 4, &why);
 *	if (cubftpd_start(&config, &why) == CUB_OK) {
 *		while (!cubftpd_stopped()) {
 *			cubftpd_want(&set);
 *			port_wait(&set);
 *			cubftpd_step(&set, port_clock_ms());
 *		}
 *	}
 *
 * There is one server in a program, its memory is static, and all calls come from one
 * thread. `why` is a bounded text of the caller (see below); after a failure it holds
 * one line, without a line end, that says what is wrong and what to do about it.
 */
#ifndef CUBFTPD_H
#define CUBFTPD_H

#include "cubftpd_port.h"

#define CUBFTPD_VERSION "0.1.0"

/* Version of the format of the stores: apart from the program's, see core/store.h. */
#define CUBFTPD_STORE_FORMAT 1

/*
 * A bounded text under construction: from what does not fit on, all is left out (`cut`).
 * A text longer than that is made in several windows: the same again, with what there is
 * of it so far as `skip`, until nothing is cut.
 */
struct out {
	char  *at;
	size_t cap;
	size_t len;
	bool   cut;
	size_t skip;  /* so many bytes of what comes next are left out first */
};

enum cubftpd_reuse { REUSE_REQUIRE, REUSE_CERTIFICATE, REUSE_ADDRESS };

/*
 * The configuration. Fields have the names of the keys in cubftpd.conf(5). Fill it
 * with the two functions below, which check what they are given.
 */
struct cubftpd_config {
	struct {
		struct port_addr addr;
		bool implicit;
	} listen[CUB_LISTENERS];
	uint8_t  listen_count;
	bool     listen_is_default;     /* the first that is given replaces it */
	bool     listen_given[2];       /* explicit, implicit: another one is added to those */
	char     root[CUB_HOST_PATH];
	char     identity_store[CUB_HOST_PATH];
	char     trust_store[CUB_HOST_PATH];
	char     device_name[65];       /* common name of a new identity; empty: "cubftpd" */
	char     user[33];              /* to drop to; empty: stay */
	char     greeting[81];
	enum cubftpd_reuse data_reuse;
	uint16_t passive_low;
	uint16_t passive_high;
	uint32_t login_timeout;         /* seconds, from connecting to being logged in */
	uint32_t idle_timeout;          /* seconds without a command or a transfer */
	uint32_t data_timeout;          /* seconds that a data connection may stand still */
	enum port_log_level log_level;  /* this and what is graver */
};

void cubftpd_config_default(struct cubftpd_config *config);

/*
 * Set one key. `value` must not hold control characters.
 *
 * Returns CUB_OK; CUB_E_BAD: an unknown key, a bad value, or something that this
 * build does not have: `why` says it, and the configuration is as before.
 */
int cubftpd_config_set(struct cubftpd_config *config, const char *key, size_t key_len,
	const char *value, size_t value_len, struct out *why);

/*
 * Take one line of a configuration file, without its end: `key = value`; or nothing, or a
 * comment from a "#" on that begins the line or follows a blank. Returns as above.
 */
int cubftpd_config_line(struct cubftpd_config *config, const char *line, size_t len,
	struct out *why);

/*
 * What is set from now on overrides what was set before: also the keys that can be given
 * several times, of which the next one begins anew.
 */
void cubftpd_config_override(struct cubftpd_config *config);

/* Check what a single key can't: CUB_OK or CUB_E_BAD, as above. */
int cubftpd_config_check(const struct cubftpd_config *config, struct out *why);

/*
 * Open the stores, make an identity where there is none, open the root and listen.
 * `config` is copied.
 *
 * Returns CUB_OK, or the error of what failed, with nothing left open.
 */
int cubftpd_start(const struct cubftpd_config *config, struct out *why);

/*
 * Take over another configuration and what the stores hold now. Sessions that are
 * open keep what they have; listeners stay as they are.
 *
 * Returns CUB_OK, or an error, and then everything is as before.
 */
int cubftpd_reload(const struct cubftpd_config *config, struct out *why);

/* Fill the set with all that the server waits for. Changes nothing. */
void cubftpd_want(struct port_wait *set);

/*
 * Do what can be done now, at most one command and one record for each session.
 * `set` is the one of cubftpd_want(), with `ready` marked; `now_ms` is monotonic.
 */
void cubftpd_step(const struct port_wait *set, uint64_t now_ms);

/*
 * End in order: take no more clients, tell everybody 421, give running transfers
 * a moment. Go on with want and step until cubftpd_stopped().
 */
void cubftpd_stop(uint64_t now_ms);
bool cubftpd_stopped(void);

/* What the server is doing. */
struct cubftpd_status {
	uint32_t sessions;         /* open now */
	uint32_t transfers;        /* running now */
	uint64_t sessions_served;  /* since the start, refused ones not counted */
	uint64_t sessions_refused; /* because all sessions were in use */
	uint64_t bytes_sent;       /* file data, not listings */
	uint64_t bytes_received;
	uint8_t  fingerprint[32];  /* SHA-256 of the device's certificate */
};

void cubftpd_status(struct cubftpd_status *out);

/*
 * One administrative command on the stores, as the program's subcommands have it:
 * `argv[0]` is "init", "fingerprint", "account", ... `input` is what the command reads
 * (a new password), or empty. What it has to say goes to `out`, at most CUBFTPD_ADMIN_OUT
 * bytes; what went wrong to `why`.
 *
 * Returns CUB_OK    done;
 *         CUB_E_BAD wrong arguments: the program ends with 2;
 *         another error: refused or failed, nothing changed.
 */
#define CUBFTPD_ADMIN_OUT (1024 + CUB_ACCOUNTS * 256)

int cubftpd_admin(const struct cubftpd_config *config, int argc, char *const argv[],
	const char *input, struct out *out, struct out *why);

#endif
