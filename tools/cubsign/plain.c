/* SPDX-License-Identifier: MIT */
/* Texts of others for people's terminals: see plain.h. */
#include "plain.h"

void
plain_put(struct out *o, struct text t)
{
	if (text_is_plain(t)) {
		out_text(o, t);
	} else {
		out_escaped(o, t);
	}
}

void
plain_put_words(struct out *o, struct text t)
{
	while (t.at != NULL) {
		plain_put(o, text_cut(&t, ' '));
		out_string(o, t.at != NULL ? " " : "");
	}
}
