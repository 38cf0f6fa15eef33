/* SPDX-License-Identifier: MIT */
/* One administrative command: see request.h. */
#include "request.h"

static const char *const names[] = {
	[OPTION_NAME] = "--name",
	[OPTION_ROOT] = "--root",
	[OPTION_RIGHTS] = "--rights",
	[OPTION_ACCOUNT] = "--account",
	[OPTION_LABEL] = "--label",
	[OPTION_KEY] = "--key",
	[OPTION_CERT] = "--cert",
	[OPTION_JSON] = "--json",
	[OPTION_ADMIN] = "--admin",
	[OPTION_EXACT] = "--exact",
	[OPTION_PASSWORD_STDIN] = "--password-stdin",
};

int
request_complain(struct request *rq, int err, const char *why, const char *about)
{
	return service_complain(rq->why, err, why, about);
}

/* The number of an option, OPTIONS if there is none of the name. */
static unsigned
option_of(const char *arg)
{
	unsigned i = 0;

	while (i < OPTIONS && !string_same(arg, names[i])) {
		i++;
	}
	return i;
}

int
request_parse(struct request *rq, int argc, char *const argv[], unsigned takes,
	const char *word)
{
	for (int i = 0; i < argc; i++) {
		const char *arg = argv[i];
		unsigned option = option_of(arg);

		if (arg[0] != '-') {
			if (word == NULL || rq->word != NULL) {
				return request_complain(rq, CUB_E_BAD, "too many arguments: ", arg);
			}
			rq->word = arg;
		} else if (option == OPTIONS || (takes & TAKES(option)) == 0) {
			return request_complain(rq, CUB_E_BAD, "unknown option ", arg);
		} else if (option >= OPTION_JSON) {
			rq->option[option] = "";
		} else if (i + 1 == argc) {
			return request_complain(rq, CUB_E_BAD, "a value must follow ", arg);
		} else {
			rq->option[option] = argv[++i];
		}
	}
	if (word != NULL && word[0] != '\0' && rq->word == NULL) {
		out_string(rq->why, word);
		return request_complain(rq, CUB_E_BAD, " is missing", "");
	}
	return CUB_OK;
}

int
request_refusal(int err)
{
	return err == CUB_E_BAD ? CUB_E_DENIED : err;
}

struct bytes
request_input(const struct request *rq)
{
	return (struct bytes){ rq->service->inbox.at, rq->service->inbox.len };
}

bool
request_is_json(const struct request *rq)
{
	return rq->option[OPTION_JSON] != NULL;
}

void
request_list_start(struct request *rq)
{
	out_string(rq->out, request_is_json(rq) ? "[" : "");
}

void
request_list_next(struct request *rq)
{
	out_string(rq->out, request_is_json(rq) && rq->is_in_list ? "," : "");
	rq->is_in_list = true;
}

void
request_list_end(struct request *rq)
{
	out_string(rq->out, request_is_json(rq) ? "]\n" : "");
}

void
request_list(struct request *rq, const struct report_kind *kind, const void *first, unsigned count)
{
	const char *thing = first;

	request_list_start(rq);
	for (; count > 0; count--, thing += kind->size) {
		request_list_next(rq);
		report_put(rq->out, kind, thing, request_is_json(rq));
	}
	request_list_end(rq);
}
