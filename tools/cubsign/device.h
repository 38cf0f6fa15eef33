/* SPDX-License-Identifier: MIT */
/* A device, opened as its administrator: nobody gets a secret before it has shown who it is. */
#ifndef DEVICE_H
#define DEVICE_H

#include "ftps.h"
#include "options.h"
#include "trust.h"

#define DEVICE_FOLDER "/.provision"

/* How to log in: for all devices of a run, so that everything is asked for once. */
struct login {
	const char *account;
	struct secret_source password_from;
	bool has_password;          /* it has been asked for */
	bool has_client;
	struct secret password;
	struct tunnel_client client;
};

/* From --account, --password-file, --cert and --key. False: told; nothing is to be ended. */
bool login_start(struct login *l, const struct options *o, struct out *why);
void login_end(struct login *l);

/* What people give for a pin: a whole fingerprint, 64 digits. False: told. */
bool device_parse_pin(struct text t, char pin[TRUST_DIGITS], struct out *why);

/*
 * Connect, and demand that the certificate shown has the fingerprint `pin`; where that is null
 * or empty, it is shown and confirmed on the terminal. As ftps_open() in all else.
 */
bool device_connect(struct ftps *f, const struct dial *to, const char *pin, const struct login *l,
	struct out *why);

/* Log in to a device that is connected. */
bool device_login(struct ftps *f, struct login *l, struct out *why);

/* A path in its folder, of three pieces; false, told: it is too long. */
#define DEVICE_PATH_MAX 512
bool device_path(char path[DEVICE_PATH_MAX], const char *folder, struct text name,
	const char *ending, struct out *why);

/* The next name of a list (ftps_list()), without the folders before it; false at its end. */
bool device_next(struct text *rest, struct text *name);

#endif
