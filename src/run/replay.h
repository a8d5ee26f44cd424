/* Takes the logs of pieces (log.h), one behind the other, into the flow tables of a run that has no
 * inputs: the same flows come out, in the same order, as if one run had read all of it. Clock and
 * sweeps are run here, by the numbers that packets have in the whole. Declared in abi.h:
 * sl_run_replay. */
#ifndef SL_RUN_REPLAY_H
#define SL_RUN_REPLAY_H

#include "log.h"
#include "run.h"

struct sl_replay;

/* n logs, borrowed until it is freed. NULL with *err: out of memory. */
struct sl_replay *sl_replay_new(const struct sl_log_part *, uint32_t n, struct sl_error *) SL_USED;
void sl_replay_free(struct sl_replay *); /* NULL is allowed */

/* For several workers (crew.h): fills a split with the next events and times. One at a time may do
 * so; the run's batch is used meanwhile. first: time of the split's first packet. 1: done, 0: the
 * logs have ended, -1 with *err: one of them cannot be taken. */
struct sl_split;
int sl_replay_fill(struct sl_run *, struct sl_split *, struct sl_time *first,
                   struct sl_error *) SL_USED;

#endif
