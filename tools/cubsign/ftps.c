/* SPDX-License-Identifier: MIT */
/* A client of FTPS: see ftps.h. */
#include "ftps.h"

#include <string.h>

#define COMMAND_MAX 1024

/* It is of no use any more. */
static bool
lose(struct ftps *f, const char *problem, struct out *why)
{
	out_string(why, problem);
	f->is_lost = true;
	tunnel_close(&f->control);
	return false;
}

static bool
refused(const struct ftps *f, const char *verb, struct out *why)
{
	out_string(why, "it answers ");
	out_string(why, verb);
	out_string(why, " with ");
	out_number(why, f->answer.code);
	out_char(why, ' ');
	out_text(why, answer_words(&f->answer));
	return false;
}

/* ---- Commands and answers ---- */

/* The next answer, or false, told. */
static bool
get_answer(struct ftps *f, struct out *why)
{
	enum answer_state state = ANSWER_MORE;
	int n;

	answer_start(&f->answer);
	tunnel_step(&f->control);
	while (state == ANSWER_MORE) {
		if (f->in_at == f->in_len) {
			n = tunnel_read(&f->control, f->in, sizeof f->in);
			if (n <= 0) {
				return lose(f, n == 0 ? "it ends the connection" : f->control.problem, why);
			}
			f->in_at = 0;
			f->in_len = (size_t)n;
		}
		state = answer_feed(&f->answer, (char)f->in[f->in_at++]);
	}
	return state == ANSWER_WHOLE || lose(f, "what it says is no reply of FTP", why);
}

/* It ends what it says, and refuses all else: the session is over. */
static bool
is_farewell(const struct ftps *f)
{
	return f->answer.code == 421;
}

int
ftps_command(struct ftps *f, const char *verb, const char *argument, struct out *why)
{
	char text[COMMAND_MAX];
	struct out line = OUT(text);
	bool is_sent;

	for (const char *at = argument; at != NULL && *at != '\0'; at++) {
		if ((unsigned char)*at < ' ' || *at == 0x7F) {
			out_string(why, "control characters can't be sent to it");
			return -1;
		}
	}
	out_string(&line, verb);
	if (argument != NULL) {
		out_char(&line, ' ');
		out_string(&line, argument);
	}
	out_string(&line, "\r\n");
	if (line.cut) {
		wipe(text, sizeof text);
		out_string(why, "what should be sent to it is too long");
		return -1;
	}
	if (f->in_at < f->in_len) {
		wipe(text, sizeof text);
		(void)lose(f, "it says more than it was asked", why);
		return -1;
	}
	tunnel_step(&f->control);
	is_sent = f->control.fd >= 0 && tunnel_write(&f->control, line.at, line.len);
	wipe(text, sizeof text);
	if (!is_sent) {
		(void)lose(f, f->control.problem[0] != '\0' ? f->control.problem
			: "the connection is closed", why);
		return -1;
	}
	if (!get_answer(f, why)) {
		return -1;
	}
	if (is_farewell(f)) {
		(void)refused(f, verb, why);
		(void)lose(f, "", why);
		return -1;
	}
	return (int)f->answer.code;
}

/* A command that must be answered with one of these codes. */
static bool
expect(struct ftps *f, const char *verb, const char *argument, int code, struct out *why)
{
	int got = ftps_command(f, verb, argument, why);

	return got == code || (got >= 0 && refused(f, verb, why));
}

/* The fingerprint of what was shown. False: nothing was. */
static bool
hash_leaf(const struct tunnel *t, uint8_t hash[32])
{
	struct bytes rest = tunnel_chain(t);
	struct bytes leaf;

	if (x509_chain_next(&rest, &leaf) != CUB_OK) {
		return false;
	}
	x509_hash(leaf, hash);
	return true;
}

bool
ftps_open(struct ftps *f, const struct dial *to, const struct tunnel_client *client,
	struct out *why)
{
	int fd;

	f->to = *to;
	f->client = client;
	f->is_lost = false;
	f->in_at = f->in_len = 0;
	tunnel_start(&f->data, -1);
	fd = dial_connect(to, why);
	tunnel_start(&f->control, fd);
	if (fd < 0 || !get_answer(f, why)) {
		f->is_lost = true;
		return false;
	}
	if (f->answer.code != 220) {
		(void)refused(f, "the connection", why);
		return lose(f, "", why);
	}
	if (!expect(f, "AUTH", "TLS", 234, why)) {
		return false;
	}
	/* What comes before TLS could be anybody's, and would count as said within it. */
	if (f->in_at < f->in_len) {
		return lose(f, "it says more than it was asked before TLS", why);
	}
	tunnel_step(&f->control);
	if (!tunnel_secure(&f->control, to->is_name ? to->host : NULL, client, NULL)) {
		return lose(f, f->control.problem, why);
	}
	f->in_at = f->in_len = 0;
	if (!hash_leaf(&f->control, f->leaf)) {
		return lose(f, "it shows no certificate", why);
	}
	return true;
}

const struct x509_cert *
ftps_cert(const struct ftps *f)
{
	return &f->control.showing.leaf;
}

struct bytes
ftps_chain(const struct ftps *f)
{
	return tunnel_chain(&f->control);
}

bool
ftps_protect(struct ftps *f, struct out *why)
{
	return expect(f, "PBSZ", "0", 200, why) && expect(f, "PROT", "P", 200, why)
		&& expect(f, "TYPE", "I", 200, why);
}

void
ftps_close(struct ftps *f)
{
	char text[64];
	struct out why = OUT(text);

	if (!f->is_lost && f->control.fd >= 0
		&& ftps_command(f, "QUIT", NULL, &why) >= 0) {
		(void)tunnel_end(&f->control);
	}
	tunnel_close(&f->data);
	tunnel_close(&f->control);
	wipe(f->in, sizeof f->in);
}

/* ---- Data connections ---- */

/* The port in "229 Entering Extended Passive Mode (|||6446|)" (RFC 2428 section 3); 0: none. */
static uint16_t
port_of(struct text words)
{
	struct text rest = words;
	uint64_t port = 0;

	(void)text_cut(&rest, '(');
	if (rest.len < 5 || memcmp(rest.at, "|||", 3) != 0) {
		return 0;
	}
	rest = (struct text){ rest.at + 3, rest.len - 3 };
	(void)text_number(text_cut(&rest, '|'), UINT16_MAX, &port);
	return (uint16_t)port;
}

/* Ask for a transfer and connect. False: refused, and the connection is as before, or lost. */
static bool
start_data(struct ftps *f, const char *verb, const char *path, struct out *why)
{
	uint16_t port;
	int fd, code;

	if (!expect(f, "EPSV", NULL, 229, why)) {
		return false;
	}
	port = port_of(answer_words(&f->answer));
	if (port == 0) {
		return lose(f, "its answer to EPSV names no port", why);
	}
	fd = dial_beside(f->control.fd, port, why);
	if (fd < 0) {
		return lose(f, "", why);
	}
	tunnel_start(&f->data, fd);
	code = ftps_command(f, verb, path, why);
	if (code != 150 && code != 125) {
		tunnel_close(&f->data);
		return code < 0 ? false : refused(f, verb, why);
	}
	return true;
}

/* TLS on it, with the same device as on the control connection: else `problem`. */
static bool
secure_data(struct ftps *f)
{
	uint8_t hash[32];

	if (!tunnel_secure(&f->data, f->to.is_name ? f->to.host : NULL, f->client, &f->control)) {
		return false;
	}
	/* Where nothing was shown, the session was resumed: only who has its secret can do that. */
	if (!hash_leaf(&f->data, hash) || memcmp(hash, f->leaf, sizeof hash) == 0) {
		return true;
	}
	(void)text_copy(text_of("another device answers on the data connection"), f->data.problem,
		sizeof f->data.problem);
	return false;
}

/*
 * The answer at the end of a transfer. Where the data connection failed, its own refusal says
 * more than that, and what it says else is not believed.
 */
static bool
end_data(struct ftps *f, const char *verb, bool is_done, struct out *why)
{
	size_t len = why->len;

	tunnel_close(&f->data);
	if (!get_answer(f, why)) {
		if (!is_done) {
			why->len = len;  /* it was this that came first */
			out_string(why, f->data.problem);
		}
		return false;
	}
	if (is_farewell(f)) {
		(void)refused(f, verb, why);
		return lose(f, "", why);
	}
	if (f->answer.code >= 400) {
		return refused(f, verb, why);
	}
	if (!is_done || f->answer.code != 226) {
		return lose(f, is_done ? "it does not say that the transfer is complete"
			: f->data.problem, why);
	}
	return true;
}

static bool
receive(struct ftps *f, const char *verb, const char *path, uint8_t *dst, size_t cap,
	size_t *len, struct out *why)
{
	uint8_t more;
	int n = 0;

	*len = 0;
	if (!start_data(f, verb, path, why)) {
		return false;
	}
	if (!secure_data(f)) {
		return end_data(f, verb, false, why);
	}
	do {
		n = tunnel_read(&f->data, *len < cap ? dst + *len : &more, *len < cap ? cap - *len : 1);
		if (n > 0 && *len == cap) {
			tunnel_close(&f->data);
			return lose(f, "what it sends is too long", why);
		}
		*len += n > 0 ? (size_t)n : 0;
	} while (n > 0);
	return end_data(f, verb, n == 0, why);
}

bool
ftps_get(struct ftps *f, const char *path, void *dst, size_t cap, size_t *len, struct out *why)
{
	return receive(f, "RETR", path, dst, cap, len, why);
}

bool
ftps_list(struct ftps *f, const char *path, void *dst, size_t cap, size_t *len, struct out *why)
{
	return receive(f, "NLST", path, dst, cap, len, why);
}

bool
ftps_put(struct ftps *f, const char *path, const void *src, size_t len, struct out *why)
{
	bool is_sent;

	if (!start_data(f, "STOR", path, why)) {
		return false;
	}
	is_sent = secure_data(f) && tunnel_write(&f->data, src, len);
	if (is_sent) {
		(void)tunnel_end(&f->data);  /* 226 tells whether it has arrived */
	}
	return end_data(f, "STOR", is_sent, why);
}

bool
ftps_rename(struct ftps *f, const char *from, const char *to, struct out *why)
{
	return expect(f, "RNFR", from, 350, why) && expect(f, "RNTO", to, 250, why);
}

bool
ftps_remove(struct ftps *f, const char *path, struct out *why)
{
	return expect(f, "DELE", path, 250, why);
}
