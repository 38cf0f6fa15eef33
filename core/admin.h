/* SPDX-License-Identifier: MIT */
/*
 * The administrative commands: the contract is public, cubftpd_admin() in cubftpd.h. What is
 * here serves the control socket.
 */
#ifndef ADMIN_H
#define ADMIN_H

#include "service.h"

/*
 * Run a command on the running server. Returns as cubftpd_admin(); CUB_AGAIN for `reload`,
 * which the program has to do.
 */
int admin_run(struct service *sv, int argc, char *const argv[], struct out *out,
	struct out *why);

#endif
