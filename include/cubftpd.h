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
enum cubftpd_client_certificate { CLIENT_NONE, CLIENT_OPTIONAL, CLIENT_PINNED, CLIENT_SIGNED };
enum cubftpd_signed_trust { SIGNED_ASK, SIGNED_AUTO };
enum cubftpd_password { PASSWORD_OPTIONAL, PASSWORD_ALWAYS };
enum cubftpd_log { LOG_TO_STDERR, LOG_TO_SYSLOG };
enum cubftpd_upload_eof { EOF_STRICT, EOF_LENIENT };
enum cubftpd_partial_uploads { PARTIAL_KEEP, PARTIAL_DISCARD };

/*
 * The configuration. Fields have the names of the keys in cubftpd.conf(5). Fill it
 * with the two functions below, which check what they are given.
 */
struct cubftpd_config {
	uint8_t  listen_count;
	bool     listen_is_default;     /* the first that is given replaces it */
	bool     listen_given[2];       /* explicit, implicit: another one is added to those */
	bool     control_is_given;      /* else control_socket follows from trust_store */
	uint16_t passive_low;
	uint16_t passive_high;
	uint8_t  passive_address[4];    /* what PASV tells peers beyond our network; 0: ours */
	unsigned active;                /* are PORT and EPRT answered? 0 or 1 */
	uint16_t umask;                 /* what new files and folders do not get of 0666 and 0777 */
	uint32_t min_free;              /* KiB that uploads leave free */
	uint32_t login_timeout;         /* seconds, from connecting to being logged in */
	uint32_t idle_timeout;          /* seconds without a command or a transfer */
	uint32_t data_timeout;          /* seconds that a data connection may stand still */
	uint32_t sessions_per_address;  /* 0: no limit */
	uint32_t rate_limit[2];         /* bytes a second, of a session and of all; 0: any number */
	enum cubftpd_client_certificate client_certificate;
	enum cubftpd_signed_trust signed_trust;
	enum cubftpd_password password;
	enum cubftpd_reuse data_reuse;
	enum cubftpd_log log;           /* for the program: the core only calls port_log() */
	enum cubftpd_upload_eof upload_eof;
	enum cubftpd_partial_uploads partial_uploads;
	enum port_log_level log_level;  /* this and what is graver */
	struct {
		struct port_addr addr;
		bool implicit;
	} listen[CUB_LISTENERS];
	char     device_name[65];       /* common name of a new identity; empty: "cubftpd" */
	char     user[33];              /* to drop to; empty: stay */
	char     greeting[81];
	char     root[CUB_HOST_PATH];
	char     identity_store[CUB_HOST_PATH];
	char     trust_store[CUB_HOST_PATH];
	char     control_socket[CUB_HOST_PATH];  /* empty: none */
	char     key_secret[CUB_HOST_PATH];      /* the file that seals the key; empty: none */
	char     upload_hook[CUB_HOST_PATH];     /* a program; empty: none */
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

/*
 * All has been set: fill in what follows from other keys (control_socket from trust_store,
 * where that is not too long for a socket's path; there is none then, nor in a build without
 * CONFIG_CUBFTPD_ADMIN).
 */
void cubftpd_config_finish(struct cubftpd_config *config);

/* Check what a single key or its text can't tell: CUB_OK or CUB_E_BAD, as above. */
int cubftpd_config_check(const struct cubftpd_config *config, struct out *why);

/*
 * Open the stores, make an identity where there is none, open the root and listen.
 * `config` is copied. With the port for Linux, set the umask of the process to 0 before: which
 * permissions files get is for the core to say.
 *
 * Returns CUB_OK, or the error of what failed, with nothing left open.
 */
int cubftpd_start(const struct cubftpd_config *config, struct out *why);

/*
 * Take over another configuration and what the stores hold now. Sessions that are open keep
 * what they have, unless their account or trust is gone; listeners stay as they are, and
 * `config` gets them, too. A null `config` could not be read, and `why` says why already.
 *
 * Returns CUB_OK, or an error, and then everything is as before; but a trust store that has
 * become damaged denies everybody.
 */
int cubftpd_reload(struct cubftpd_config *config, struct out *why);

/* Has the command `reload` been given? Then the program reads its configuration and reloads. */
bool cubftpd_wants_reload(void);

/* Fill the set with all that the server waits for. Changes nothing. */
void cubftpd_want(struct port_wait *set);

/*
 * Do what can be done now, at most one command and a few records for each session.
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
	uint64_t sessions_refused; /* because too many sessions were in use */
	uint64_t bytes_sent;       /* file data of transfers that have ended, not listings */
	uint64_t bytes_received;
	uint8_t  fingerprint[32];  /* SHA-256 of the device's certificate */
};

void cubftpd_status(struct cubftpd_status *out);

/*
 * For port_log(): the message of RFC 5424 for an event, to be sent to a syslog daemon. Its
 * facility is 11 (FTP), its MSGID is the event's name.
 */
#define CUBFTPD_SYSLOG_MAX 768

void cubftpd_put_syslog(struct out *o, enum port_log_level level, const char *host,
	uint32_t process, const char *line, size_t len);

/*
 * The control socket. A client connects, writes one request, and reads the answer to its end.
 *
 *	request   0  "cub" and CUBFTPD_CONTROL_FORMAT
 *	          4  length of the arguments, 2 bytes, little-endian, at most CUBFTPD_CONTROL_ARGS
 *	          6  length of the input, 2 bytes, likewise, at most CUB_INPUT_MAX
 *	          8  the arguments, each with a NUL behind it; then the input
 *	answer    0  exit status of the command: 0, 1 or 2
 *	          1  length of what it has to say to stderr, 2 bytes, little-endian
 *	          3  that, without a line end; then what it has to say to stdout, to the end
 */
#define CUBFTPD_CONTROL_FORMAT 1
#define CUBFTPD_CONTROL_ARGS   512

/*
 * One administrative command, as the program's subcommands have it: `argv[0]` is "init",
 * "fingerprint", "account", ... Where the server runs in this program it acts on that;
 * else it opens the stores, which fails while another program has them open.
 *
 * What a command reads besides its arguments is told by cubftpd_admin_reads(), and given
 * before it, each in turn: start, feed, end. It is for that one command. cubftpd_input_end()
 * tells whether it could be taken: CUB_E_BUSY where a client uploads or uses what it would
 * replace, another error where it is not what it should be.
 *
 * What it has to say goes to `out`, what went wrong to `why`. A long answer comes in parts:
 * while `out->cut` is true, write out what there is, set `skip` to all that has been written
 * so far, `len` to 0, and call again at once. `out` must hold CUBFTPD_ADMIN_OUT bytes.
 *
 * Returns CUB_OK    done; `why` may hold a remark;
 *         CUB_E_BAD wrong arguments: the program ends with 2;
 *         another error: refused or failed, nothing changed.
 */
#define CUBFTPD_ADMIN_OUT 1024

enum cubftpd_input { INPUT_PASSWORD, INPUT_CERTIFICATES, INPUT_KEY };

struct cubftpd_reads {
	bool password;         /* one line, from the terminal or standard input */
	bool standard_input;   /* certificates, from there */
	const char *file;      /* certificates, from a file; null: none */
	bool file_may_lack;    /* where there is no such file, it is something else */
	const char *key_file;  /* a private key */
};

void cubftpd_admin_reads(int argc, char *const argv[], struct cubftpd_reads *reads);

void cubftpd_input_start(enum cubftpd_input kind);
void cubftpd_input_feed(const void *src, size_t len);
int cubftpd_input_end(struct out *why);

/* What has been given so far, in the form that goes over the control socket. */
const void *cubftpd_input_bytes(size_t *len);

int cubftpd_admin(const struct cubftpd_config *config, int argc, char *const argv[],
	struct out *out, struct out *why);

#endif
