/* The requests in flight: ranges of one blob, one behind the other, fetched side by side and handed
 * out in order. Gaps between them are somebody else's plan. A request begins only into a free
 * buffer; one that failed and can heal is repeated from the byte it had reached. Nothing here waits
 * or knows where to read on. */
#ifndef SL_SOURCE_HTTP_FLIGHT_H
#define SL_SOURCE_HTTP_FLIGHT_H

#include "http_range.h"
#include "source.h"

enum { SL_HTTP_CHECK_BYTES = 64 * 1024 };

struct sl_http_flight {
    CURLM *multi;
    const char *name; /* for messages; borrowed */
    struct sl_http_retry retry;
    struct sl_http_range *slots;  /* the buffers: n_slots, and the check's */
    struct sl_http_range **order; /* those that are in use, by offset: n_order */
    uint32_t n_slots, n_order;
    struct sl_http_range *check; /* a request of its own beside them, at most SL_HTTP_CHECK_BYTES */
    uint32_t most;               /* requests at once; fewer than buffers, so that a request that
                                  * ended is followed by another before its bytes are handed out */
    uint32_t limit;              /* of them now: fewer behind a busy answer */
    int64_t hold_until_ms;       /* a busy server asked for quiet: nothing begins before */
    bool answered;               /* the server has given a good answer */
    uint32_t dice;
    struct sl_source_traffic *traffic; /* borrowed: counted there */
};

/* For a source, whose name it borrows and whose traffic it counts. Buffers are made when they are
 * first used. On failure too, free it with sl_http_flight_free. */
int sl_http_flight_init(struct sl_http_flight *, struct sl_source *, const char *url,
                        const struct sl_http_retry *, uint32_t most, size_t range_bytes,
                        struct sl_error *) SL_USED;
void sl_http_flight_free(struct sl_http_flight *);

/* The range that the next byte belongs to; NULL: none is asked for. */
struct sl_http_range *sl_http_flight_head(const struct sl_http_flight *);

/* Buffers that are free for further ranges behind the last. */
uint32_t sl_http_flight_room(const struct sl_http_flight *);
int sl_http_flight_add(struct sl_http_flight *, struct sl_http_ask span,
                       const struct sl_http_blob *, struct sl_error *) SL_USED;

/* Puts the range that was added last in front of the others. */
void sl_http_flight_last_first(struct sl_http_flight *);

/* Frees the head's buffer for another range. */
void sl_http_flight_pop(struct sl_http_flight *);

/* Begins what is due at now_ms, and lets libcurl do what it can without waiting. */
int sl_http_flight_drive(struct sl_http_flight *, int64_t now_ms, struct sl_error *) SL_USED;
/* Decides about what has ended: DONE, WAITING for another try, or GIVEN_UP. */
void sl_http_flight_settle(struct sl_http_flight *, int64_t now_ms);

/* For how many ms at most nothing need be driven unless something arrives; max_ms: no longer. */
int sl_http_flight_idle_ms(const struct sl_http_flight *, int64_t now_ms, int max_ms);

/* Nobody has driven it for a while: requests that turn out to be broken are no failures. */
void sl_http_flight_neglected(struct sl_http_flight *);

/* Ends all requests of the order, for a look at what the blob is now. */
void sl_http_flight_pause(struct sl_http_flight *);
/* Repeats them from where they are, as a failure of the head. False: that happened too often. */
bool sl_http_flight_resume(struct sl_http_flight *, int64_t now_ms);

/* Gives the memory of free buffers back. */
void sl_http_flight_rest(struct sl_http_flight *);

/* Empties the order up to the range that holds offset, whose bytes before it are passed over;
 * false: no range of the order holds it, and the order is empty. */
bool sl_http_flight_seek(struct sl_http_flight *, uint64_t offset);

/* Frees the buffers of ranges that end before offset. */
void sl_http_flight_pass(struct sl_http_flight *, uint64_t offset);

/* How far the ranges reach from the head on without a gap. There is a head. */
uint64_t sl_http_flight_reach(const struct sl_http_flight *);

#endif
