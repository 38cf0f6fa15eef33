/* SPDX-License-Identifier: MIT */
/* Handlers of the commands about data connections (RFC 959, RFC 2428, RFC 3659). */
#ifndef CMD_DATA_H
#define CMD_DATA_H

#include "state.h"

int cmd_pasv(struct session *s, struct out *o);
int cmd_port(struct session *s, struct out *o);
int cmd_epsv(struct session *s, struct out *o);
int cmd_retr(struct session *s, struct out *o);
int cmd_stor(struct session *s, struct out *o);
int cmd_appe(struct session *s, struct out *o);
int cmd_stou(struct session *s, struct out *o);
int cmd_allo(struct session *s, struct out *o);
int cmd_avbl(struct session *s, struct out *o);
int cmd_list(struct session *s, struct out *o);
int cmd_nlst(struct session *s, struct out *o);
int cmd_mlsd(struct session *s, struct out *o);
int cmd_abor(struct session *s, struct out *o);

/* The transfer has ended by itself: its final reply, its log line, and READY. */
void cmd_transfer_end(struct session *s, struct out *o);

/* One line in the log about the transfer that ended, or is about to be cut off. */
void cmd_transfer_log(struct session *s, int err);

/* Open the listing of what the argument names. */
int cmd_open_listing(struct session *s, enum listing_format format);

#endif
