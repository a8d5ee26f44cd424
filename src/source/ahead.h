/* A source that reads another one ahead, in a thread of its own, so that unpacking it and what the
 * caller does with the bytes go on side by side. */
#ifndef SL_SOURCE_AHEAD_H
#define SL_SOURCE_AHEAD_H

#include "source.h"

/* Takes inner over, also on failure: NULL with *err. Until close only the thread touches inner and
 * what inner reads from. The thread is at most 1 MiB ahead, hands over what it has
 * before it waits for more, and gets no signals: they interrupt the caller's waiting as before. */
struct sl_source *sl_source_ahead_open(struct sl_source *inner, struct sl_error *) SL_USED;

#endif
