/* The part of an input that --from and --to want: its packets with from <= time < to.
 *
 * Every packet that is read is looked at, so their order does not matter where all is read: pipes,
 * compressed captures, small ones. Where the input can seek, and the times at several places of it
 * are in order, reading begins near the window (seek.h) and stops SL_WINDOW_MARGIN_BYTES behind the
 * last packet before `to`, unless time has gone back by more than SL_WINDOW_DISORDER_S until then.
 * A pcapng that describes an interface in what was passed over is gone back to for that, once a
 * packet or another interface asks for it.
 * So packets up to SL_WINDOW_MARGIN_BYTES from their place in time are found: capture programs that
 * drain several queues or interfaces are out of order by less.
 */
#ifndef SL_RUN_WINDOW_H
#define SL_RUN_WINDOW_H

#include "../capture/reader.h"

enum { SL_WINDOW_MARGIN_BYTES = 512 * 1024, SL_WINDOW_DISORDER_S = 1 };

struct sl_window {
    struct sl_time from, to;
    struct sl_time latest; /* of the packets that were read */
    uint64_t edge;         /* offset of the last packet before `to`, or where reading began */
    int trusted;           /* the input is in order as far as it was looked at: reading may stop */
    int sought;            /* and began in the middle */
    uint64_t known; /* where reading began in the middle: offset behind the input's first packet */
    int back;       /* what was passed over is read, for the interfaces that it describes */
    int begun;      /* latest and edge are set */
    int disorder;   /* time has gone back too far */
    char note[400]; /* how it was read, for -v; "": nothing to say */
};

/* Either end may be open: INT64_MIN, INT64_MAX seconds. */
void sl_window_init(struct sl_window *, struct sl_time from, struct sl_time to);

int sl_window_holds(const struct sl_window *, struct sl_time);

/* As sl_reader_next, but only packets of the window come; SL_READ_END also where reading stops
 * behind it, and SL_READ_WAIT also when much has been read without a packet for the caller. */
int sl_window_next(struct sl_window *, struct sl_reader *, struct sl_packet *packets, uint32_t max,
                   int timeout_ms, struct sl_error *) SL_USED;

#endif
