/* SPDX-License-Identifier: MIT */
/*
 * The build's numbers. This is the only reader of autoconf.h, which the build
 * makes from Kconfig: here CONFIG_* options become derived sizes, and what must
 * hold between them is asserted. Sizes are in bytes unless the name says more.
 */
#ifndef CUBFTPD_CONFIG_H
#define CUBFTPD_CONFIG_H

#include "autoconf.h"

#define CUB_SESSIONS       CONFIG_CUBFTPD_SESSIONS
#define CUB_LISTENERS      CONFIG_CUBFTPD_LISTENERS
#define CUB_ACCOUNTS       CONFIG_CUBFTPD_ACCOUNTS
#define CUB_TRUSTED        CONFIG_CUBFTPD_TRUSTED
#define CUB_PENDING        CONFIG_CUBFTPD_PENDING
#define CUB_CAS            CONFIG_CUBFTPD_CAS

/* A path as clients see it, from its leading slash to its NUL. */
#define CUB_PATH_MAX       CONFIG_CUBFTPD_PATH_MAX

/* One name in a directory, with its NUL (NAME_MAX of Linux and one more). */
#define CUB_NAME_MAX       256

/* A command line without its CR LF: the longest verb, a space and a path. */
#define CUB_LINE_MAX       (CUB_PATH_MAX + 16)

/*
 * The longest reply that is made in one go: `257 "..."`, where each character of
 * the path may be a doubled quote, with room for the words around it; but room for
 * FEAT, HELP and two lines of a listing in any case.
 */
#define CUB_REPLY_MAX      (CUB_PATH_MAX < 480 ? 1024 : 2 * CUB_PATH_MAX + 64)

/*
 * Record buffers of the control connection. BearSSL needs 325 bytes over the
 * largest plaintext that a client may send in one record, and 85 over ours. Longer
 * replies leave in several records of ours.
 */
#define CUB_CONTROL_IN     (CONFIG_CUBFTPD_CONTROL_RECORD + 325)
#define CUB_CONTROL_OUT    (512 + 85)

/* Names and texts that the stores hold, each with its NUL. */
#define CUB_ACCOUNT_NAME   33
#define CUB_ACCOUNT_ROOT   96
#define CUB_LABEL          33  /* of a trusted certificate, of a CA */

/* A certificate's subject or issuer, as it is shown: the rest is left out. */
#define CUB_NAME_SHOWN     96

/* A CA's certificate, and its name (DER). */
#define CUB_CA_MAX         2048
#define CUB_DN_MAX         256

/* The device's certificate chain: DER bytes in all, and how many certificates. */
#define CUB_CHAIN_MAX      CONFIG_CUBFTPD_CHAIN_MAX
#define CUB_CHAIN_CERTS    4

/* What an administrative command may be given besides its arguments: certificates, as DER. */
#define CUB_INPUT_MAX      (CUB_CHAIN_MAX + 2 * CUB_CHAIN_CERTS)

/* Half of a store on a file. On an MTD device it is rounded up to erase blocks. */
#define CUB_STORE_BANK     CONFIG_CUBFTPD_STORE_BANK

/* Everything that can be waited for at once: listeners, the control socket, and three sockets
 * a session (control, data or its listener, and the data connection before it that drains). */
#define CUB_WAIT_MAX       (CUB_LISTENERS + 1 + 3 * CUB_SESSIONS)

/* Paths of the host (configuration keys that name a file), with the NUL. */
#define CUB_HOST_PATH      128

_Static_assert(CUB_LINE_MAX >= CUB_PATH_MAX + sizeof "RNFR ",
	"a command line must hold the longest path that a listing shows");
_Static_assert(CUB_PATH_MAX >= CUB_NAME_MAX / 2,
	"a path must hold at least a name of ordinary length");
_Static_assert(CUB_STORE_BANK % 4096 == 0, "a file's erase blocks have 4096 bytes");
_Static_assert(CUB_STORE_BANK >= CUB_CHAIN_MAX + 4096,
	"a bank must hold the certificate chain and what else an identity has");

#endif
