/* SPDX-License-Identifier: MIT */
/* The upload hook: see hook.h. */
#include "hook.h"

#if CONFIG_CUBFTPD_HOOK

#include "log.h"
#include "wait.h"

#define QUEUE    8
#define LIMIT_MS UINT64_C(60000)  /* then it is ended */

static struct event {
	char account[CUB_ACCOUNT_NAME];
	char path[CUB_HOST_PATH + CUB_ACCOUNT_ROOT + CUB_PATH_MAX];  /* of the host */
} queue[QUEUE];

/* Of the queue: the oldest, which stays in it while the program runs, and how many there are. */
static unsigned first, count;
static bool is_running;
static uint64_t deadline_ms;

/* The event after the oldest, or the oldest itself, is over. */
static void
finish(unsigned n, int err)
{
	unsigned next = (first + 1) % QUEUE;
	struct log l;

	log_start(&l, "hook");
	log_string(&l, "result", log_error_name(err));
	log_string(&l, "path", queue[n].path);
	log_end(&l, err < 0 ? PORT_LOG_WARNING : PORT_LOG_INFO);
	if (n == next) {
		queue[next] = queue[first];
	}
	first = next;
	count--;
}

void
hook_init(void)
{
	count = 0;
	is_running = false;
}

void
hook_add(const struct service *sv, const struct account *account, const char *path)
{
	struct event *e;
	struct out o;

	if (sv->config.upload_hook[0] == '\0') {
		return;
	}
	if (count == QUEUE) {
		finish((first + 1) % QUEUE, CUB_E_FULL);  /* the program may run for the oldest */
	}
	e = &queue[(first + count++) % QUEUE];
	(void)text_copy(text_of(account->name), e->account, sizeof e->account);
	o = OUT(e->path);
	out_string(&o, sv->config.root);
	out_string(&o, account->root[1] == '\0' ? "" : account->root);
	out_string(&o, path);
	(void)out_finish(&o);
}

void
hook_want(struct port_wait *set)
{
	if (count > 0) {
		wait_until(set, is_running ? deadline_ms : 0);
	}
}

void
hook_step(const struct service *sv)
{
	int err;

	if (is_running) {
		bool is_late = sv->now_ms >= deadline_ms;

		err = port_hook_end(is_late);
		if (err == CUB_AGAIN) {
			deadline_ms = is_late ? UINT64_MAX : deadline_ms;
			return;
		}
		is_running = false;
		finish(first, err);
	}
	if (count > 0) {
		err = port_hook_start(sv->config.upload_hook, queue[first].path, queue[first].account);
		is_running = err == CUB_OK;
		deadline_ms = sv->now_ms + LIMIT_MS;
		if (err < 0) {
			finish(first, err);
		}
	}
}

#else

void
hook_init(void)
{
}

void
hook_add(const struct service *sv, const struct account *account, const char *path)
{
	(void)sv, (void)account, (void)path;
}

void
hook_want(struct port_wait *set)
{
	(void)set;
}

void
hook_step(const struct service *sv)
{
	(void)sv;
}

#endif
