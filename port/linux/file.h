/* SPDX-License-Identifier: MIT */
/*
 * What the Linux port's file.c offers besides the port's contract.
 */
#ifndef CUBFTPD_LINUX_FILE_H
#define CUBFTPD_LINUX_FILE_H

#include <stdbool.h>

/*
 * Resolve paths name by name, as on a kernel without openat2(2), from now on; with
 * false the kernel is asked again what it can do. For tests.
 */
void file_resolve_by_steps(bool force);

#endif
