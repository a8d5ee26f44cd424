/* Several workers at one capture, with the same result as one.
 *
 *     cut (one at a time)    decode (each worker its split)        flows (each shard, in order)
 *     reader -> blocks  ->   -f, decode, filters, handlers,   ->   flow tables of a tap, each
 *                            events by class of their hosts        taken by one worker at a time
 *                                                                       |
 *     main thread: decided flows in the order of one worker  <----------+
 *                         |
 *                         +-> flow handlers, each with all flows in that order (takers.h)
 *
 * A worker cuts the next block off the reader, decodes it, and puts its events into queues by
 * class (event.h), so that no two flow tables ever want the same flow. Any worker takes a split's
 * events into a shard's table when those of all splits before it are in. So every flow meets its
 * packets in capture order, and nothing needs to be joined. The capture's clock is run over each
 * split when all before it are decoded, so sweeps happen where one worker has them. What they let
 * out is merged by sweep, time of decision and number of the first packet: the order of one worker.
 *
 * The workers' statistics and aggregates are added up at the end.
 */
#ifndef SL_RUN_CREW_H
#define SL_RUN_CREW_H

#include "run.h"

struct sl_crew;

/* Runs `workers` of them over the feed's only input, or over the logs of a run without one that
 * keeps no heads (replay.h), for the taps of the run; script: struct sl_script, where they must run
 * Lua, else NULL. NULL: r->error. */
struct sl_crew *sl_crew_start(struct sl_run *, uint32_t workers, size_t split_bytes,
                              const struct sl_script *script) SL_USED;
/* Ends them wherever they are, and waits for that. */
void sl_crew_halt(struct sl_crew *);
/* Ends them, if they have not ended, and frees. What they counted goes to the run before. */
void sl_crew_end(struct sl_crew *);

/* For the main thread: waits for decided flows, 100 ms at most. An SL_STEP_…; SL_STEP_END and the
 * others that end a run come when everything has been handed out. */
uint32_t sl_crew_wait(struct sl_crew *);
/* The next decided flows of a tap, good until the next call for it. */
uint32_t sl_crew_decided(struct sl_crew *, uint32_t tap, struct sl_flow ***flows);
const struct sl_flow_stats *sl_crew_flow_stats(struct sl_crew *, uint32_t tap);
uint64_t sl_crew_bytes(struct sl_crew *);  /* as sl_feed_bytes */
uint64_t sl_crew_frames(struct sl_crew *); /* as sl_run_frames */

/* For a worker's run: the split that it was at is done; gets another one, or flows to take
 * (takers.h), which are taken when it calls again. SL_STEP_PACKETS, SL_STEP_FLOWS or SL_STEP_END.
 */
uint32_t sl_crew_turn(struct sl_run *worker);
/* For a worker: it cannot go on, because of its split, or of the flows that it took. Of several
 * failures that of the first flows counts, or of the first split. */
void sl_crew_fail(struct sl_run *worker, const struct sl_error *);
/* sl_crew_merge: see abi.h. */

#endif
