/* SPDX-License-Identifier: MIT */
/* Internet addresses as people write them, and compared. */
#ifndef ADDR_H
#define ADDR_H

#include "text.h"

/*
 * Read ADDRESS:PORT, with an IPv6 address in brackets (RFC 3986 section 3.2.2) and no
 * names of hosts. Returns false where it is anything else.
 */
bool addr_parse(struct text t, struct port_addr *out);

/* Read an address of either family, without brackets. Returns false, as above. */
bool addr_parse_ip(struct text t, struct port_addr *out);

/*
 * Read the argument of PORT (RFC 959), which begins with a digit, or of EPRT (RFC 2428), which
 * does not: `family` is 0 where it is anything else, and neither 4 nor 6 where it is another
 * network's.
 */
void addr_parse_port(struct text t, struct port_addr *out);

/* 192.0.2.1 or 2001:db8::1 (RFC 5952, but for the choice among equally long gaps). */
void addr_put_ip(struct out *o, const struct port_addr *addr);

/* The same with its port: 192.0.2.1:21 or [2001:db8::1]:21. */
void addr_put(struct out *o, const struct port_addr *addr);

/* The same host: family, address and scope, not the port. */
bool addr_same_host(const struct port_addr *a, const struct port_addr *b);

/*
 * Do they count as one client's? Of IPv6, whoever has one address has the whole /64, but for
 * link-local ones, which all share it.
 */
bool addr_same_net(const struct port_addr *a, const struct port_addr *b);

#endif
