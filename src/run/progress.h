/* The progress line: how far the reading is, on standard error and only on a terminal. */
#ifndef SL_RUN_PROGRESS_H
#define SL_RUN_PROGRESS_H

#include "../types.h"

struct sl_progress {
    int shown; /* 0: no line is wanted */
    int drawn; /* a line stands on the terminal */
    int64_t size;
    double started_s, last_s;
};

/* size: bytes of all inputs, or -1. */
void sl_progress_start(struct sl_progress *, int wanted, int64_t size);
/* Whether to draw now: twice a second at most. */
int sl_progress_due(struct sl_progress *);
void sl_progress_draw(struct sl_progress *, uint64_t bytes, uint64_t packets,
                      const struct sl_traffic *);
void sl_progress_clear(struct sl_progress *);

#endif
