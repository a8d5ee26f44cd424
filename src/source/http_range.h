/* One ranged GET: an easy handle (which keeps its connection), a buffer, and what came back.
 *
 *      ask.first                                                        ask.last
 *         |  handed out  |  arrived, not yet handed out  |  still to come  |
 *      buf[0]        buf[taken]                      buf[fill]
 *
 * A range never asks for more than its buffer holds, so it is never paused. The body of a server
 * without ranges has no bound: there the buffer starts again whenever it has been emptied, and the
 * transfer pauses while it is full. Several of these on one multi handle are several requests in
 * flight. */
#ifndef SL_SOURCE_HTTP_RANGE_H
#define SL_SOURCE_HTTP_RANGE_H

#include <curl/curl.h>

#include "../error.h"
#include "http_answer.h"

struct sl_http_range {
    struct sl_http_ask ask;
    const struct sl_http_blob
        *blob; /* what answers are compared with; borrowed from start to end */
    struct sl_http_answer answer;
    enum sl_http_outcome outcome; /* of the headers; once !active: of the whole request */
    const char *why;              /* sl_http_judge's */
    bool active;                  /* on the multi handle */
    bool paused;                  /* body of unknown length, buffer full */
    uint64_t received;            /* body bytes of a good answer */

    unsigned char *buf;
    size_t cap, taken, fill;
    size_t refusal; /* bytes of a failed answer's body at buf[fill], for its message */

    CURL *easy;
    struct curl_slist *headers; /* If-Match */
    char curl_text[CURL_ERROR_SIZE];
};

/* Prepares for requests to url, sent as it stands. cap is the most bytes one request may ask for.
 * On failure too, free the range with sl_http_range_free. */
int sl_http_range_init(struct sl_http_range *, const char *url, size_t cap,
                       struct sl_error *) SL_USED;
void sl_http_range_free(struct sl_http_range *, CURLM *);

/* Asks for the bytes, under If-Match where the blob has a strong entity tag. The buffer must have
 * been emptied. */
int sl_http_range_start(struct sl_http_range *, CURLM *, struct sl_http_ask,
                        const struct sl_http_blob *, struct sl_error *) SL_USED;

/* To be called when libcurl reports the transfer as done: settles the outcome. */
void sl_http_range_done(struct sl_http_range *, CURLM *, CURLcode);

/* Gives up the request and forgets what has arrived. */
void sl_http_range_stop(struct sl_http_range *, CURLM *);

/* Hands out up to cap bytes that have arrived; 0: none now. Resumes a paused transfer. */
size_t sl_http_range_take(struct sl_http_range *, void *buf, size_t cap);

#endif
