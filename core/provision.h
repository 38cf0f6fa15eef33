/* SPDX-License-Identifier: MIT */
/*
 * /.provision: the trust manager as a folder, for accounts with the admin right. Nothing of it
 * is on the medium; its files are made as they are read, and take effect as they are written.
 *
 *	device.csr  device.crt  device.json  log.txt
 *	ca/NAME.crt
 *	pending/FINGERPRINT.crt
 *	trusted/LABEL.crt
 *
 * device.crt is uploaded to install a signed chain. A file in ca/ is uploaded to add a CA,
 * deleted to remove it. pending/X is renamed to trusted/NAME to trust it, deleted to reject it.
 * A file in trusted/ is uploaded to trust a certificate, deleted to distrust it, renamed to
 * give it another label.
 *
 * The account that a certificate logs in to is, in this order: ACCOUNT of a name
 * LABEL+ACCOUNT.crt; the one that the client asked for while it was refused; the one that is
 * named as the label; the only one there is.
 */
#ifndef PROVISION_H
#define PROVISION_H

#include "manage.h"

#define PROVISION_PATH "/.provision"

enum page {
	PAGE_TOP,
	PAGE_REQUEST,
	PAGE_CHAIN,
	PAGE_STATUS,
	PAGE_LOG,
	PAGE_CAS,      /* the folders, and then, in the same order, what is in them */
	PAGE_PENDING,
	PAGE_TRUSTED,
	PAGE_CA,
	PAGE_PENDING_ONE,
	PAGE_TRUSTED_ONE,
};

/* A place in the folder. */
struct provision_place {
	enum page page;
	uint8_t   cert[32];  /* of what belongs to a certificate: to which */
	uint64_t  from;      /* of the log: where it began when it was opened, and ended */
	uint64_t  to;
};

/* Is it the folder, or in it? `path` is as in path.h. Without the folder nothing is. */
#if CONFIG_CUBFTPD_PROVISION
bool provision_holds(const char *path);
#else
#define provision_holds(path) ((void)(path), false)
#endif

/* Find what a path in the folder names. CUB_OK, CUB_E_NOENT, CUB_E_NOTDIR. */
int provision_find(const struct service *sv, const char *path, struct provision_place *place);

/* Returns CUB_OK or CUB_E_NOENT: it is gone. */
int provision_stat(struct service *sv, const struct provision_place *place,
	struct port_stat *stat);

/*
 * Entry `index` of a directory: its name goes to `name`, which has CUB_NAME_MAX bytes.
 * Returns CUB_OK, or CUB_EOF behind the last one.
 */
int provision_entry(struct service *sv, const struct provision_place *dir, unsigned index,
	char *name, struct port_stat *stat);

/* A file's contents, or a window of them (struct out). CUB_OK or CUB_E_NOENT: it is gone. */
int provision_put(struct service *sv, const struct provision_place *place, struct out *o);

/*
 * What follows returns CUB_OK, or an error with its reason in `why`; then nothing has changed.
 */
int provision_remove(struct service *sv, const char *path, struct out *why);
int provision_rename(struct service *sv, const char *from, const char *to, struct out *why);

/*
 * An upload: one at a time, in the service's inbox, which `owner` has from its start to its end
 * or until it is abandoned. `path` must stay valid.
 */
int provision_upload_start(struct service *sv, const char *path, const void *owner,
	struct out *why);
void provision_upload_feed(struct service *sv, const void *src, size_t len);
int provision_upload_end(struct service *sv, const char *path, struct out *why);
void provision_upload_abandon(struct service *sv, const void *owner);

#endif
