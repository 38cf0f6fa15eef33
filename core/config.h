/* SPDX-License-Identifier: MIT */
/*
 * The configuration: its contract is public, in cubftpd.h (struct cubftpd_config,
 * cubftpd_config_default(), _set() and _check()).
 */
#ifndef CONFIG_H
#define CONFIG_H

#include "cubftpd.h"

#endif
