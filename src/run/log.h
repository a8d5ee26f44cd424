/* A log of events: what a run has to tell the flow tables, kept for another program
 * (flow/event_pack.h) that takes it later, behind the logs of the pieces of the capture before it
 * (replay.c).
 *
 *     blocks:  u32 bytes that follow; times; { 2 * (number of the tap + 1), events } ..., 0;
 *              u32 CRC-32 (that of zlib) of all blocks so far, without these four bytes
 *
 * A tap that keeps the first bytes of flows has 1 added to its number, and behind its events for
 * each: how many bytes of payload were captured, how many are here, and these (flow/head_sieve.h).
 *
 * A block is what one step of the run held: SL_BATCH packets at most, and the events of each tap
 * that keeps flows. All packets have their times in it, because the capture's clock (flow/clock.h)
 * counts all of them.
 */
#ifndef SL_RUN_LOG_H
#define SL_RUN_LOG_H

#include "../error.h"
#include "../flow/event_pack.h"
#include "../flow/head_sieve.h"
#include "../flow/time_pack.h"
#include "../output/outfile.h"

enum { SL_LOG_SIZE_BYTES = 4, SL_LOG_CRC_BYTES = 4 };

/* ---- writing ---- */

struct sl_log;

/* Logs the events of n_taps taps at the file's end; the file is borrowed. may_be_lost: when the
 * file cannot be written that is an error of sl_log_finish only. NULL: out of memory. */
struct sl_log *sl_log_new(struct sl_outfile *, uint32_t n_taps, int may_be_lost);
void sl_log_free(struct sl_log *); /* NULL is allowed */
/* Begins a block of n packets, which have times; then the events of taps come. -1 with *err: the
 * file cannot be written. */
int sl_log_packets(struct sl_log *, const struct sl_packet *, uint32_t n,
                   struct sl_error *) SL_USED;
void sl_log_events(struct sl_log *, uint32_t tap, const struct sl_event_batch *);
/* The same for a tap that keeps heads: of packets[sel[position of the event]]. */
int sl_log_events_and_heads(struct sl_log *, uint32_t tap, const struct sl_event_batch *,
                            const struct sl_packet *, const uint32_t *sel,
                            struct sl_error *) SL_USED;
/* Heads are wanted of that tap's flows. -1: no memory. */
int sl_log_keep_heads(struct sl_log *, uint32_t tap, uint32_t size, int64_t gap_s) SL_USED;
/* Writes what is left. */
int sl_log_finish(struct sl_log *, struct sl_error *) SL_USED;
uint64_t sl_log_size(const struct sl_log *); /* bytes, when it is finished, */
uint32_t sl_log_crc(const struct sl_log *);  /* and the last block's CRC-32; and */
uint64_t sl_log_sum(const struct sl_log *); /* a sum of what was logged, whatever blocks it is in */

/* ---- reading ---- */

struct sl_log_reader;

/* Reads a log. NULL with *err. */
struct sl_log_reader *sl_log_open(const struct sl_log_part *, struct sl_error *) SL_USED;
void sl_log_close(struct sl_log_reader *); /* NULL is allowed */
/* The next block, without its checksum, which is right; good until the next call. 1; 0: that was
 * all of the log; -1 with *err: it is damaged. */
int sl_log_next(struct sl_log_reader *, struct sl_cursor *block, struct sl_error *) SL_USED;

#endif
