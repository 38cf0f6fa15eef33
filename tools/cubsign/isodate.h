/* SPDX-License-Identifier: MIT */
/* Dates as people and the index write them (ISO 8601), read; core/date.h writes them. */
#ifndef ISODATE_H
#define ISODATE_H

#include "text.h"

/*
 * YYYY-MM-DDTHH:MM:SSZ, exactly as date_put_iso() writes it, of a date that exists.
 * Returns false where it is anything else; then `*time_s` is unchanged.
 */
bool isodate_read(struct text t, int64_t *time_s);

#endif
