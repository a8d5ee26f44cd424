/* Several inputs as one capture: packets in the order of their time stamps, as mergecap has it, so
 * that rotated files stand one behind the other and overlapping ones are merged. Equal stamps: the
 * input that was named first. One input is passed through in its own order.
 *
 * With a time window only its packets come, numbered from 1: as in the file that editcap -A -B
 * would write. With a sample, which takes one input, only those of its blocks. */
#ifndef SL_RUN_FEED_H
#define SL_RUN_FEED_H

#include "sample.h"
#include "window.h"

struct sl_feed;

struct sl_feed_options {
    uint32_t in_flight;       /* requests at once to where an input lies; 0: the default */
    struct sl_when from, to;  /* the window */
    int follow;               /* the one input is still being written: wait for more */
    double sample;            /* the part of the one input that is read by chance; 0: all */
    uint64_t seed;            /* of the sample */
    uint64_t begin, end;      /* of the one input only what begins at these bytes; end 0: all */
    uint64_t before;          /* packets before begin */
    struct sl_source *opened; /* of the one input, taken over whatever comes of it; NULL: none */
};

struct sl_feed *sl_feed_open(const char *const *inputs, uint32_t n, const struct sl_feed_options *,
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
/* The time of the capture's first packet, in the window or not; first: one that came. */
struct sl_time sl_feed_origin(const struct sl_feed *, const struct sl_packet *first);
/* NULL: there is no window, or no such input. */
const struct sl_window *sl_feed_window(const struct sl_feed *, uint32_t input);

/* NULL: there is none. */
const struct sl_sample *sl_feed_sample(const struct sl_feed *);
/* Of the one input, see abi.h. 0: not known. */
int sl_feed_edges(const struct sl_feed *, struct sl_edges *);

uint32_t sl_feed_inputs(const struct sl_feed *);
const char *sl_feed_name(const struct sl_feed *, uint32_t input);
const char *sl_feed_etag(const struct sl_feed *, uint32_t input); /* "": there is none */
/* Bytes consumed of all inputs as they lie, compressed or not (where a window was sought: bytes
 * read; of a sample: how far it has come), and the sum of their sizes (-1: not known). */
uint64_t sl_feed_bytes(const struct sl_feed *);
int64_t sl_feed_size(const struct sl_feed *);
void sl_feed_traffic(const struct sl_feed *, struct sl_traffic *);

#endif
