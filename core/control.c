/* SPDX-License-Identifier: MIT */
/* The control socket: see control.h. */
#include "control.h"

#include <string.h>

#include "admin.h"
#include "wait.h"

#if CONFIG_CUBFTPD_ADMIN

#define HEAD        8
#define ARGS_MAX    24
#define READING_MS  UINT64_C(5000)
#define WHY_MAX     512

enum control_state {
	CONTROL_OFF,        /* there is no control socket */
	CONTROL_IDLE,       /* no client */
	CONTROL_READING,
	CONTROL_RELOADING,
};

static struct {
	enum control_state state;
	port_sock listener;          /* but not when OFF */
	port_sock sock;              /* of the client, if there is one */
	uint64_t  deadline_ms;
	size_t    have;              /* bytes of the request so far */
	uint8_t   head[HEAD];
	char      args[CUBFTPD_CONTROL_ARGS];
} control;

static size_t
args_len(void)
{
	return (size_t)control.head[4] | (size_t)control.head[5] << 8;
}

static size_t
input_len(void)
{
	return (size_t)control.head[6] | (size_t)control.head[7] << 8;
}

int
control_start(struct service *sv, struct out *why)
{
	const char *where = sv->config.control_socket;
	int err;

	control.state = CONTROL_OFF;
	if (where[0] == '\0') {
		return CUB_OK;
	}
	err = port_listen_local(where, &control.listener);
	if (err == CUB_OK) {
		control.state = CONTROL_IDLE;
	} else {
		out_string(why, "control_socket ");
		if (err == CUB_E_EXIST || err == CUB_E_NAME) {
			out_string(why, where);
			out_string(why, err == CUB_E_EXIST ? ": something else has that name"
				: ": a socket's path has at most 107 bytes");
		} else {
			service_explain(why, where, err);
		}
	}
	return err;
}

/* The client is served, or gone. */
static void
hang_up(struct service *sv)
{
	port_sock_close(control.sock);
	control.state = CONTROL_IDLE;
	wipe(control.args, sizeof control.args);
	if (sv->inbox.owner == &control) {
		wipe(&sv->inbox, sizeof sv->inbox);  /* it may have been a password */
	}
}

void
control_stop(struct service *sv)
{
	if (control.state > CONTROL_IDLE) {
		hang_up(sv);
	}
	if (control.state != CONTROL_OFF) {
		port_sock_close(control.listener);
		port_forget_local(sv->config.control_socket);
		control.state = CONTROL_OFF;
	}
}

void
control_want(struct port_wait *set)
{
	if (control.state == CONTROL_IDLE) {
		wait_add(set, control.listener, PORT_READ);
	} else if (control.state == CONTROL_READING) {
		wait_add(set, control.sock, PORT_READ);
		wait_until(set, control.deadline_ms);
	} else if (control.state == CONTROL_RELOADING) {
		wait_until(set, 0);  /* it is the program's turn */
	}
}

static bool
write_all(const void *src, size_t len)
{
	const uint8_t *at = src;

	while (len > 0) {
		int n = port_sock_write(control.sock, at, len);

		if (n < 0) {
			return false;
		}
		at += n;
		len -= (size_t)n;
	}
	return true;
}

/* What comes first in an answer. */
static bool
write_head(int err, const struct out *why)
{
	uint8_t head[3] = {
		err == CUB_OK ? 0 : err == CUB_E_BAD ? 2 : 1,
		(uint8_t)why->len, (uint8_t)(why->len >> 8),
	};

	return write_all(head, sizeof head) && (why->len == 0 || write_all(why->at, why->len));
}

/* Cut the arguments apart; false if they are not well-formed. */
static bool
split_args(int *argc, char *argv[ARGS_MAX])
{
	size_t len = args_len();

	*argc = 0;
	if (len == 0 || control.args[len - 1] != '\0') {
		return false;
	}
	for (size_t at = 0; at < len; at += strlen(control.args + at) + 1) {
		if (*argc == ARGS_MAX - 1) {
			return false;
		}
		argv[(*argc)++] = control.args + at;
	}
	argv[*argc] = NULL;
	return true;
}

/* The whole request is there. */
static void
answer(struct service *sv)
{
	static char said[CUBFTPD_ADMIN_OUT];
	char wrong[WHY_MAX];
	struct out out = OUT(said);
	struct out why = OUT(wrong);
	char *argv[ARGS_MAX];
	size_t total = 0;
	int argc, err;

	if (!split_args(&argc, argv)) {
		out_string(&why, "arguments that make no sense");
		(void)write_head(CUB_E_BAD, &why);
		hang_up(sv);
		return;
	}
	err = admin_run(sv, argc, argv, &out, &why);
	if (err == CUB_AGAIN) {
		control.state = CONTROL_RELOADING;
		return;
	}
	if (write_head(err, &why) && write_all(said, out.len)) {
		while (out.cut) {
			total += out.len;
			out = OUT(said);
			out.skip = total;
			why.len = 0;
			(void)admin_run(sv, argc, argv, &out, &why);
			if (!write_all(said, out.len)) {
				break;
			}
		}
	}
	hang_up(sv);
}

/* Read what there is of the request. Returns CUB_OK once it is whole. */
static int
read_request(struct service *sv)
{
	for (;;) {
		size_t at = control.have;
		size_t end = HEAD;
		uint8_t *dst = control.head + at;
		int n;

		if (at >= HEAD) {
			end += args_len();
			dst = (uint8_t *)control.args + (at - HEAD);
		}
		if (at >= HEAD && at >= end) {
			dst = sv->inbox.at + (at - end);
			end += input_len();
		}
		if (at >= HEAD && at == end) {
			return CUB_OK;
		}
		n = port_sock_read(control.sock, dst, end - at);
		if (n < 0) {
			return n;
		}
		control.have += (size_t)n;
		if (control.have == HEAD && (memcmp(control.head, "cub", 3) != 0
			|| control.head[3] != CUBFTPD_CONTROL_FORMAT || args_len() > sizeof control.args
			|| input_len() > sizeof sv->inbox.at)) {
			return CUB_E_PEER;
		}
		if (control.have == HEAD && input_len() > 0) {
			if (sv->inbox.owner != NULL) {
				return CUB_E_BUSY;
			}
			sv->inbox.owner = &control;
		}
	}
}

static void
refuse_busy(struct service *sv)
{
	char wrong[64];
	struct out why = OUT(wrong);

	out_string(&why, SERVICE_UPLOADING);
	(void)write_head(CUB_E_BUSY, &why);
	hang_up(sv);
}

static void
take_client(struct service *sv)
{
	struct port_addr peer;

	if (port_accept(control.listener, &control.sock, &peer) == CUB_OK) {
		control.state = CONTROL_READING;
		control.have = 0;
		control.deadline_ms = sv->now_ms + READING_MS;
	}
}

void
control_step(struct service *sv, const struct port_wait *set)
{
	int err;

	if (control.state == CONTROL_IDLE && wait_is_ready(set, control.listener)) {
		take_client(sv);
	}
	if (control.state != CONTROL_READING) {
		return;
	}
	err = read_request(sv);
	if (err == CUB_OK) {
		sv->inbox.len = input_len();
		answer(sv);
	} else if (err == CUB_E_BUSY) {
		refuse_busy(sv);
	} else if (err != CUB_AGAIN || sv->now_ms >= control.deadline_ms) {
		hang_up(sv);
	}
}

bool
control_wants_reload(void)
{
	return control.state == CONTROL_RELOADING;
}

void
control_reloaded(int err, const struct out *why)
{
	if (control.state == CONTROL_RELOADING) {
		(void)write_head(err == CUB_E_BAD ? CUB_E_IO : err, why);
		hang_up(&service);
	}
}

#endif
