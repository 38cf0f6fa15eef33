/* SPDX-License-Identifier: MIT */
/* Handlers of the commands about data connections (RFC 959, RFC 2428, RFC 3659). */
#ifndef CMD_DATA_H
#define CMD_DATA_H

#include "state.h"

void cmd_pasv(struct session *s, struct text arg, struct out *o);
void cmd_port(struct session *s, struct text arg, struct out *o);
void cmd_epsv(struct session *s, struct text arg, struct out *o);
void cmd_retr(struct session *s, struct text arg, struct out *o);
void cmd_stor(struct session *s, struct text arg, struct out *o);
void cmd_appe(struct session *s, struct text arg, struct out *o);
void cmd_stou(struct session *s, struct text arg, struct out *o);
void cmd_allo(struct session *s, struct text arg, struct out *o);
void cmd_avbl(struct session *s, struct text arg, struct out *o);
void cmd_list(struct session *s, struct text arg, struct out *o);
void cmd_nlst(struct session *s, struct text arg, struct out *o);
void cmd_mlsd(struct session *s, struct text arg, struct out *o);
void cmd_abor(struct session *s, struct text arg, struct out *o);

/* The transfer has ended by itself: its final reply, its log line, and READY. */
void cmd_transfer_end(struct session *s, enum transfer_result result, struct out *o);

/* One line in the log about the transfer that ended, or is about to be cut off. */
void cmd_transfer_log(struct session *s, int err);

/* Without the leading -options of LIST and STAT, which are skipped, not parsed. */
struct text cmd_skip_options(struct text arg);

#endif
