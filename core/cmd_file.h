/* SPDX-License-Identifier: MIT */
/* Handlers of the commands on files and directories (RFC 959 section 4.1.3, RFC 3659). */
#ifndef CMD_FILE_H
#define CMD_FILE_H

#include "state.h"

int cmd_cwd(struct session *s, struct out *o);
int cmd_cdup(struct session *s, struct out *o);
int cmd_pwd(struct session *s, struct out *o);
int cmd_mkd(struct session *s, struct out *o);
int cmd_rmd(struct session *s, struct out *o);
int cmd_dele(struct session *s, struct out *o);
int cmd_rnfr(struct session *s, struct out *o);
int cmd_rnto(struct session *s, struct out *o);
int cmd_size(struct session *s, struct out *o);
int cmd_mdtm(struct session *s, struct out *o);
int cmd_mlst(struct session *s, struct out *o);
int cmd_mfmt(struct session *s, struct out *o);

/* SITE */
int cmd_chmod(struct session *s, struct out *o);
int cmd_umask(struct session *s, struct out *o);

#endif
