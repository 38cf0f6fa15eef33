/* SPDX-License-Identifier: MIT */
/*
 * Texts of others, such as names of files and what devices say, for people's terminals: nothing
 * in them moves the cursor, or turns or hides other characters.
 */
#ifndef PLAIN_H
#define PLAIN_H

#include "text.h"

/* As it is where it is plain, else all of it escaped, as in the log. */
void plain_put(struct out *o, struct text t);

/* A sentence: word by word. */
void plain_put_words(struct out *o, struct text t);

#endif
