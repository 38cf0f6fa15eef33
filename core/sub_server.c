/* SPDX-License-Identifier: MIT */
/* status, sessions, kick, reload. */
#include "sub_server.h"

#include "pool.h"
#include "report.h"

int
sub_status(struct request *rq)
{
	struct service *sv = rq->service;

	/* What can't be opened is part of the answer. */
	for (unsigned area = 0; !sv->is_running && area < PORT_AREAS; area++) {
		rq->why->len = 0;
		(void)service_open(sv, (enum port_area)area, false, rq->why);
	}
	report_status(rq->out, sv, request_is_json(rq));
	return CUB_OK;
}

static void
put_session(struct out *o, const struct session *s, bool json)
{
	struct report r = report_start(o, json);

	report_number(&r, "id", s->number);
	report_address(&r, "address", &s->peer);
	report_text(&r, "state", state_name(s->state));
	report_text(&r, "account", state_is_in(s) ? s->account.name : "");
	report_flag(&r, "admin", s->is_admin);
	if (s->client.is_proven) {
		report_hash(&r, "certificate", s->client.cert);
	}
	if (s->state == SESSION_TRANSFER) {
		report_text(&r, "path", s->path);
		report_number(&r, "bytes", s->transfer.bytes);
	}
	report_end(&r);
}

int
sub_sessions(struct request *rq)
{
	if (!rq->service->is_running) {
		out_string(rq->why, "the server is not running, so there are no sessions");
	}
	request_list_start(rq);
	for (unsigned i = 0; rq->service->is_running && i < CUB_SESSIONS; i++) {
		if (pool_at(i)->state != SESSION_FREE) {
			request_list_next(rq);
			put_session(rq->out, pool_at(i), request_is_json(rq));
		}
	}
	request_list_end(rq);
	return CUB_OK;
}

static int
complain_not_running(struct request *rq)
{
	return request_complain(rq, CUB_E_NOENT, "the server is not running", "");
}

int
sub_kick(struct request *rq)
{
	struct session *s;
	uint64_t number;

	if (!text_number(text_of(rq->word), UINT32_MAX, &number)) {
		return request_complain(rq, CUB_E_BAD, "not the number of a session: ", rq->word);
	}
	if (!rq->service->is_running) {
		return complain_not_running(rq);
	}
	s = pool_find((uint32_t)number);
	if (s == NULL) {
		return request_complain(rq, CUB_E_NOENT, "there is no session ", rq->word);
	}
	session_dismiss(s, "An administrator ended this session");
	return CUB_OK;
}

int
sub_reload(struct request *rq)
{
	return rq->service->is_running ? CUB_AGAIN : complain_not_running(rq);
}
