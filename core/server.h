/* SPDX-License-Identifier: MIT */
/*
 * The server: its contract is public, in cubftpd.h (cubftpd_start(), _want(), _step(), ...).
 */
#ifndef SERVER_H
#define SERVER_H

#include "cubftpd.h"

#endif
