/* Stretches: whole records cut off the front of a reader, to be read by somebody else meanwhile.
 *
 * Cutting follows the records one by one, so it works for whatever a reader reads (a file, a pipe,
 * HTTP, compressed or not), and each knows where in the capture it lies and how many packets
 * lie before it. Packet bytes are not copied: the reader's window goes along with it.
 */
#ifndef SL_CAPTURE_STRETCH_H
#define SL_CAPTURE_STRETCH_H

#include "reader.h"

struct sl_stretch {
    struct sl_source *source; /* that it was read from, for messages; borrowed */
    uint8_t *memory;          /* of capacity bytes; owned by whoever owns the stretch */
    size_t capacity;
    size_t start, end; /* the records are [start, end) of memory, */
    uint64_t offset;   /* and lie there in the input */
    uint64_t before;   /* packets of the input that lie before it */
    uint32_t packets;
    size_t loaded;                 /* bytes that sl_stretch_load has read for it, of the input */
    uint64_t loaded_at;            /* from here */
    struct sl_time first;          /* stamp of the first of them */
    struct sl_reader_state *state; /* at its beginning; owned too */
};

void sl_stretch_free(struct sl_stretch *); /* what it owns; all zero is an empty one */

/* Where a stretch of about so many bytes ends that begins, or is read, from there: at the multiple
 * of `bytes` in the input that is nearest to so many bytes on. So reading and cutting keep step. */
uint64_t sl_stretch_end(uint64_t from, size_t bytes);

/* Cuts off the records that end by sl_stretch_end (one record at least, those in the window at
 * most), in place of what it held. Returns how many packets these are, or as sl_reader_next
 * one of SL_READ_…. */
int sl_reader_cut(struct sl_reader *, struct sl_stretch *, size_t bytes, int timeout_ms,
                  struct sl_error *) SL_USED;

/* Where a reader will read on, if somebody else may read that for it at the same time (of a pcap
 * that is a plain file, where it makes no difference to what is cut); 0: not. */
uint64_t sl_reader_load_from(const struct sl_reader *);
/* Reads the input from that offset to sl_stretch_end into the stretch, while others read and cut.
 * The next cut into it takes them, if they are what comes next, and else, or if less could be read,
 * goes on by itself. */
void sl_stretch_load(struct sl_stretch *, const struct sl_reader *, uint64_t at, size_t bytes);

/* A reader over stretches, one after the other: sl_reader_next gives the packets of the last one
 * that it was given, and then SL_READ_END. The stretch is borrowed, its state taken. */
struct sl_reader *sl_reader_of_stretches(struct sl_error *) SL_USED;
void sl_reader_give(struct sl_reader *, struct sl_stretch *);
void sl_reader_of_stretches_close(struct sl_reader *); /* NULL is allowed */

#endif
