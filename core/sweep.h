/* SPDX-License-Identifier: MIT */
/*
 * Cleaning up after a power cut: a walk over all that is below the server's root, which removes
 * the temporary files that an earlier run left (upload_is_stale()) and nothing else, nor what
 * another server writes just now. It follows
 * no links, goes as deep as SWEEP_DEPTH folders, and is stepped while there is nothing else to
 * do, so that it holds up nobody.
 */
#ifndef SWEEP_H
#define SWEEP_H

#include "cubftpd_port.h"

#define SWEEP_DEPTH 64

/* Begin; the root must stay open. */
void sweep_start(port_root root);

/* Don't wait while there is something to do. Changes nothing. */
void sweep_want(struct port_wait *set);

/* Look at some entries of one folder, unless something that was waited for is ready. */
void sweep_step(const struct port_wait *set);

/* End, as the root is about to be closed. */
void sweep_stop(void);

#endif
