/* Finds where a record begins, from any byte of a capture.
 *
 * A place is believed when a chain of plausible headers starts there, each where the record before
 * it ends, and spans more than the largest packet: what lies inside one packet cannot do that. A
 * payload that holds a capture of its own can still mislead any such check, where its records
 * happen to lead on to headers of the outer file; so can a damaged file. So this only ever
 * proposes: whoever needs to be right compares with where the reader to the left came to
 * (state.h). Short chains are good enough as hints, to look at the time somewhere.
 */
#ifndef SL_CAPTURE_RESYNC_H
#define SL_CAPTURE_RESYNC_H

#include "state.h"

enum sl_resync_chain {
    SL_RESYNC_HINT = 64 * 1024,          /* bytes that the chain spans */
    SL_RESYNC_SURE = SL_MAX_CAPLEN + 256 /* more than the largest packet with its headers */
};

/* Looks for the first record that begins in [from, to) of a source that can seek, as the state says
 * records look. 1: *found; 0: none is believed; -1 with *err: the source cannot be read. A chain
 * that is shorter counts where it ends exactly with the source. Gives up after SL_RESYNC_SCAN
 * bytes: only damage, or a pcapng block larger than that, is so long without a record. */
enum { SL_RESYNC_SCAN = 512 * 1024 };
int sl_resync(struct sl_source *, const struct sl_reader_state *, uint64_t from, uint64_t to,
              enum sl_resync_chain, uint64_t *found, struct sl_error *) SL_USED;

/* The same for a reader (sl_reader_can_seek), which is moved to the record and goes on from there
 * in the state that it is in, counting packets on. Unless 1 comes back it stands nowhere: move it
 * again, or close it. */
int sl_reader_resync(struct sl_reader *, uint64_t from, uint64_t to, enum sl_resync_chain,
                     struct sl_error *) SL_USED;

#endif
