/* SPDX-License-Identifier: MIT */
/* Reasons: see tell.h. */
#include "tell.h"

bool
tell(struct out *why, const char *what)
{
	out_string(why, what);
	return false;
}

bool
tell_about(struct out *why, const char *about, const char *what)
{
	out_string(why, about);
	out_string(why, ": ");
	return tell(why, what);
}
