/* Several inputs as one capture: packets in the order of their time stamps, as mergecap has it, so
 * that rotated files stand one behind the other and overlapping ones are merged. Equal stamps: the
 * input that was named first. One input is passed through in its own order. */
#ifndef SL_RUN_FEED_H
#define SL_RUN_FEED_H

#include "../capture/reader.h"

struct sl_feed;

/* in_flight: requests at once to where an input lies; 0: the default. */
struct sl_feed *sl_feed_open(const char *const *inputs, uint32_t n, uint32_t in_flight,
                             struct sl_error *) SL_USED;
/* A feed of one source, which it takes over. */
struct sl_feed *sl_feed_of(struct sl_source *, struct sl_error *) SL_USED;
void sl_feed_close(struct sl_feed *);

/* As sl_reader_next. An input that cannot be read further is left out from there on; the others
 * are read to their end, and then SL_READ_ERROR tells of the first one that failed. */
int sl_feed_next(struct sl_feed *, struct sl_packet *packets, uint32_t max, int timeout_ms,
                 struct sl_error *) SL_USED;

/* The reader of an input, for who writes packets on. */
struct sl_reader *sl_feed_reader(const struct sl_feed *, uint32_t input);

uint32_t sl_feed_inputs(const struct sl_feed *);
const char *sl_feed_name(const struct sl_feed *, uint32_t input);
/* Bytes consumed of all inputs as they lie, compressed or not, and their sizes' sum (-1: not
 * known). */
uint64_t sl_feed_bytes(const struct sl_feed *);
int64_t sl_feed_size(const struct sl_feed *);
void sl_feed_traffic(const struct sl_feed *, struct sl_traffic *);

#endif
