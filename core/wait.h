/* SPDX-License-Identifier: MIT */
/* Filling and reading the set of what is waited for (struct port_wait). */
#ifndef WAIT_H
#define WAIT_H

#include "cubftpd_port.h"

/* Wait for events (PORT_READ, PORT_WRITE) of a socket. */
void wait_add(struct port_wait *set, port_sock sock, unsigned events);

/* Wait no longer than until a moment; 0: don't wait, there is something to do. */
void wait_until(struct port_wait *set, uint64_t deadline_ms);

/* Has something that was waited for happened on a socket? */
bool wait_is_ready(const struct port_wait *set, port_sock sock);

#endif
