/* The bytes of a blob from span.first to span.last: a buffer for them, and one ranged GET at a time
 * that fetches what is still missing.
 *
 *     span.first                                                       span.last
 *         |  handed out  |  arrived, not yet handed out  |  still to come  |
 *      buf[0]        buf[taken]                      buf[fill] = ask.first
 *
 * A request never asks for more than the buffer holds, so it is never paused. The body of a server
 * without ranges has no bound: there the buffer starts again whenever it has been emptied,
 * span.first moves on, and the transfer pauses while it is full. */
#ifndef SL_SOURCE_HTTP_RANGE_H
#define SL_SOURCE_HTTP_RANGE_H

#include <stdatomic.h>

#include "http_answer.h"
#include "http_easy.h"

enum sl_http_state {
    SL_HTTP_FREE,     /* nothing is asked of it */
    SL_HTTP_ACTIVE,   /* its request is on the multi handle */
    SL_HTTP_WAITING,  /* for another request, at again_ms */
    SL_HTTP_DONE,     /* all has arrived, or the body of a server without ranges has ended */
    SL_HTTP_GIVEN_UP, /* outcome says why */
    SL_HTTP_DRAINING  /* as ACTIVE, but nobody wants the bytes: it saves the connection */
};

struct sl_http_range {
    enum sl_http_state state;
    struct sl_http_ask span;
    struct sl_http_ask ask;          /* of the latest request */
    const struct sl_http_blob *blob; /* what answers are compared with; borrowed */
    struct sl_http_answer answer;
    enum sl_http_outcome outcome; /* of the headers; once not ACTIVE: of the whole request */
    const char *why;              /* sl_http_judge's */
    bool paused;                  /* body of unknown length, buffer full */
    bool stale;        /* nobody looked after it for a while: that it fails says nothing */
    uint64_t received; /* body bytes of the latest request's good answer */
    uint64_t skip;     /* of them, at its start: not wanted, because handed out before */

    struct sl_http_failures failures;
    uint64_t fetched, fetched_before; /* body bytes in all, and when the latest failure happened */
    atomic_ullong *total;             /* body bytes of all ranges of the source */
    int64_t again_ms;

    unsigned char *buf; /* from malloc at the first request; NULL before */
    size_t cap, taken, fill;
    size_t refusal; /* bytes of a failed answer's body at buf[fill], for its message */

    CURL *easy;                 /* keeps its connection from request to request */
    struct curl_slist *headers; /* If-Match */
    char curl_text[CURL_ERROR_SIZE];
};

/* Prepares for requests to url, sent as it stands. Body bytes are added to *total (borrowed). cap
 * is the most bytes that a span may have. On failure too, free the range with sl_http_range_free.
 */
int sl_http_range_init(struct sl_http_range *, const char *url, const struct sl_http_retry *,
                       atomic_ullong *total, size_t cap, struct sl_error *) SL_USED;
void sl_http_range_free(struct sl_http_range *, CURLM *);

/* Makes a FREE range WAITING for its first request, at once. */
int sl_http_range_want(struct sl_http_range *, struct sl_http_ask span, const struct sl_http_blob *,
                       struct sl_error *) SL_USED;

/* Asks for what is missing of the span, under If-Match where the blob has a strong entity tag. */
int sl_http_range_start(struct sl_http_range *, CURLM *, struct sl_error *) SL_USED;

/* To be called when libcurl reports the transfer as done: settles the outcome, and takes the
 * request off the multi handle. The state is DONE, FREE if it was DRAINING, or GIVEN_UP. */
void sl_http_range_done(struct sl_http_range *, CURLM *, CURLcode);

/* Gives up the request, if there is one; what has arrived stays. WAITING afterwards. */
void sl_http_range_stop(struct sl_http_range *, CURLM *);

/* FREE afterwards. A request that is nearly done is left to end, DRAINING, for its connection. */
void sl_http_range_drop(struct sl_http_range *, CURLM *);

/* Hands out up to cap bytes that have arrived; 0: none now. Resumes a paused transfer. */
size_t sl_http_range_take(struct sl_http_range *, void *buf, size_t cap);

/* Offset of the first byte that has not arrived. */
uint64_t sl_http_range_reached(const struct sl_http_range *);

#endif
