/* Finds the place where a time window begins by looking at the time at some places of the input. */
#ifndef SL_RUN_SEEK_H
#define SL_RUN_SEEK_H

#include "window.h"

/* Moves the reader, which has read nothing but the input's first packet, to a record not far before
 * the window (SL_WINDOW_MARGIN_BYTES before the last place found with an earlier time), and hints
 * to the source where the window ends. 1: done; 0: the reader is where it was, and the whole input
 * is to be read: because it cannot seek, is small, or cannot be trusted (times are not in order
 * where they were looked at, or sections or interfaces of a pcapng are unknown). window->note says
 * which. -1 with *err: the input cannot be read.
 *
 * A pcapng section that lies between places looked at, and begins after the input's first packet,
 * goes unnoticed if its interfaces have the numbers and clocks of the first one. */
int sl_seek(struct sl_reader *, struct sl_source *, const struct sl_packet *first,
            struct sl_window *, struct sl_error *) SL_USED;

#endif
