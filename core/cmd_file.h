/* SPDX-License-Identifier: MIT */
/* Handlers of the commands on files and directories (RFC 959 section 4.1.3, RFC 3659). */
#ifndef CMD_FILE_H
#define CMD_FILE_H

#include "state.h"

void cmd_cwd(struct session *s, struct text arg, struct out *o);
void cmd_cdup(struct session *s, struct text arg, struct out *o);
void cmd_pwd(struct session *s, struct text arg, struct out *o);
void cmd_mkd(struct session *s, struct text arg, struct out *o);
void cmd_rmd(struct session *s, struct text arg, struct out *o);
void cmd_dele(struct session *s, struct text arg, struct out *o);
void cmd_rnfr(struct session *s, struct text arg, struct out *o);
void cmd_rnto(struct session *s, struct text arg, struct out *o);
void cmd_size(struct session *s, struct text arg, struct out *o);
void cmd_mdtm(struct session *s, struct text arg, struct out *o);
void cmd_mlst(struct session *s, struct text arg, struct out *o);
void cmd_mfmt(struct session *s, struct text arg, struct out *o);

/* SITE */
void cmd_chmod(struct session *s, struct text arg, struct out *o);
void cmd_umask(struct session *s, struct text arg, struct out *o);

#endif
