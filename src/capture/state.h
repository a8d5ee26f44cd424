/* What a reader knows where one record ends and the next may begin: format, byte order, time
 * resolution, link types, and of a pcapng section its interfaces. With it, a reader can start at
 * another place of the same capture (sl_reader_open_at).
 *
 * Splits: somebody who starts in the middle assumes the state that an earlier place had. That is
 * right unless the capture holds another section or more interfaces in between, so it is checked
 * afterwards (stitching). The reader to the left ends at an offset and in a state, both true; what
 * was read to the right stands if it began at that offset and its state joins that state. Otherwise
 * it is read again from the true offset in the true state.
 */
#ifndef SL_CAPTURE_STATE_H
#define SL_CAPTURE_STATE_H

#include "reader.h"

struct sl_reader_state;

/* The state at sl_reader_offset. Meaningful when sl_reader_next has just given packets or
 * SL_READ_END. Of pcapng, interfaces are described before their packets: the state to start
 * elsewhere with is that behind the first packet. NULL with *err: out of memory. */
struct sl_reader_state *sl_reader_state(const struct sl_reader *, struct sl_error *) SL_USED;
struct sl_reader_state *sl_reader_state_copy(const struct sl_reader_state *,
                                             struct sl_error *) SL_USED;
void sl_reader_state_free(struct sl_reader_state *); /* NULL is allowed */

/* Whether readers in these states read the same packets. Only the time that packets without time
 * get from the packet before them is not compared. */
int sl_reader_state_equal(const struct sl_reader_state *, const struct sl_reader_state *);

/* A checksum of what sl_reader_state_equal compares, and of the format: to be compared by another
 * program of this machine's byte order. */
uint32_t sl_reader_state_sum(const struct sl_reader_state *);

/* Whether a reader that was opened with `assumed`, and has these stats now, has read what one
 * opened with `truth` would have read, and has come to the same state. That takes in the time that
 * packets without time get, so a reader that met no packet is compared in that, too. */
int sl_reader_state_joins(const struct sl_reader_state *assumed,
                          const struct sl_reader_state *truth, const struct sl_reader_stats *);

#endif
