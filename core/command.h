/* SPDX-License-Identifier: MIT */
/*
 * The command table, and the gate before it: whether the session's state, the account's
 * rights and the argument allow a command is decided here, from its row, before its handler
 * runs. Handlers check none of it again.
 */
#ifndef COMMAND_H
#define COMMAND_H

#include "state.h"

/* Must the session's line wait until the running transfer is over? */
bool command_must_wait(const struct session *s);

/*
 * Run the session's line; its reply goes to `o`, which has room for CUB_REPLY_MAX bytes.
 * A command may leave `o` empty: its answer comes later.
 */
void command_run(struct session *s, struct out *o);

#endif
