/* SPDX-License-Identifier: MIT */
/*
 * Reasons: what "told in `why`" means everywhere. Whoever gets them last says them in one line
 * (command.h), so they begin in lower case and end without a full stop.
 */
#ifndef TELL_H
#define TELL_H

#include "text.h"

/* Put a reason behind what is there already. Gives false, for `return`. */
bool tell(struct out *why, const char *what);

/* The same with what it is about, such as a file: "ABOUT: WHAT". */
bool tell_about(struct out *why, const char *about, const char *what);

#endif
