/* SPDX-License-Identifier: MIT */
/* The administrative commands: the contract is public, cubftpd_admin() in cubftpd.h. */
#ifndef ADMIN_H
#define ADMIN_H

#include "cubftpd.h"

#endif
