#include "http_range.h"

#include "../options.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    REFUSAL_MAX = 16 * 1024, /* of a failed answer's body; the XML of a refusal is below 2 KiB */
    BUFFER_MIN = 64 * 1024,  /* libcurl hands out up to 16 KiB at once, refusals need room too */
    CONNECT_TIMEOUT_S = 30,
    STALL_S = 60, /* without a single byte: the connection is given up */
    REDIRECTS_MAX = 5,
    SOCKET_READ = 256 * 1024
};

static size_t on_header(char *line, size_t one, size_t size, void *user) {
    struct sl_http_range *range = user;

    sl_http_answer_header(&range->answer, line, one * size);
    return one * size;
}

/* Keeps the start of a body that explains a refusal; its rest is not worth the transfer. */
static size_t keep_refusal(struct sl_http_range *range, const char *data, size_t size) {
    size_t room = REFUSAL_MAX - range->refusal;

    if (size > room)
        size = room;
    memcpy(range->buf + range->fill + range->refusal, data, size);
    range->refusal += size;
    return size;
}

/* The body length that the Content-Range of a good answer promises. */
static uint64_t promised(const struct sl_http_range *range) {
    return (uint64_t)(range->answer.last - range->answer.first) + 1;
}

static size_t on_body(char *data, size_t one, size_t size, void *user) {
    struct sl_http_range *range = user;

    size *= one;
    if (range->outcome == SL_HTTP_PENDING)
        range->outcome = sl_http_judge(&range->answer, &range->ask, range->blob, &range->why);
    if (range->outcome == SL_HTTP_UNFIT)
        return CURL_WRITEFUNC_ERROR;
    if (range->outcome != SL_HTTP_RANGE && range->outcome != SL_HTTP_WHOLE)
        return keep_refusal(range, data, size);
    if (range->outcome == SL_HTTP_RANGE && size > promised(range) - range->received) {
        range->outcome = SL_HTTP_UNFIT;
        range->why = "has a longer body than its Content-Range";
        return CURL_WRITEFUNC_ERROR;
    }
    if (size > range->cap - range->fill) {
        range->paused = true; /* only the body of a server without ranges comes here */
        return CURL_WRITEFUNC_PAUSE;
    }
    memcpy(range->buf + range->fill, data, size);
    range->fill += size;
    range->received += size;
    return size;
}

/* What every request has in common. HTTP/1.1, because over HTTP/2 libcurl puts all requests on one
 * connection, which a server may limit. No Accept-Encoding, and nothing is decoded: offsets are
 * those of the blob. Proxy variables and the CA bundle are libcurl's own business. */
static int set_options(struct sl_http_range *range, const char *url) {
    CURL *easy = range->easy;
    char agent[128];
    int bad = 0;

    snprintf(agent, sizeof agent, "sluice/%s", sl_version());
    bad |= (int)curl_easy_setopt(easy, CURLOPT_URL, url);
    bad |= (int)curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
    bad |= (int)curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L); /* it may run beside other threads */
    bad |= (int)curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    bad |= (int)curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    bad |= (int)curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 1L);
    bad |= (int)curl_easy_setopt(easy, CURLOPT_MAXREDIRS, (long)REDIRECTS_MAX);
    bad |= (int)curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    bad |= (int)curl_easy_setopt(easy, CURLOPT_HTTP_CONTENT_DECODING, 0L);
    bad |= (int)curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    bad |= (int)curl_easy_setopt(easy, CURLOPT_USERAGENT, agent); /* libcurl keeps a copy */
    bad |= (int)curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_TIMEOUT_S);
    bad |= (int)curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
    bad |= (int)curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, (long)STALL_S);
    bad |= (int)curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, (long)SOCKET_READ);
    /* so that Ctrl-C does not wait for a name server that does not answer */
    bad |= (int)curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
    bad |= (int)curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, range->curl_text);
    bad |= (int)curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    bad |= (int)curl_easy_setopt(easy, CURLOPT_HEADERDATA, range);
    bad |= (int)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    bad |= (int)curl_easy_setopt(easy, CURLOPT_WRITEDATA, range);
    bad |= (int)curl_easy_setopt(easy, CURLOPT_PRIVATE, range);
    return bad;
}

int sl_http_range_init(struct sl_http_range *range, const char *url, size_t cap,
                       struct sl_error *err) {
    *range = (struct sl_http_range){.cap = cap > BUFFER_MIN ? cap : BUFFER_MIN};
    range->buf = malloc(range->cap + REFUSAL_MAX);
    range->easy = curl_easy_init();
    if (!range->buf || !range->easy)
        return sl_error_set(err, SL_EXIT_INPUT, "out of memory for a range request");
    if (set_options(range, url) != 0)
        return sl_error_set(err, SL_EXIT_INPUT, "libcurl lacks something that sluice needs");
    return 0;
}

void sl_http_range_free(struct sl_http_range *range, CURLM *multi) {
    sl_http_range_stop(range, multi);
    curl_easy_cleanup(range->easy);
    curl_slist_free_all(range->headers);
    free(range->buf);
}

static int set_condition(struct sl_http_range *range) {
    char line[sizeof range->blob->etag + 16];

    curl_slist_free_all(range->headers);
    range->headers = NULL;
    if (sl_http_etag_is_strong(range->blob->etag)) {
        (void)snprintf(line, sizeof line, "If-Match: %s", range->blob->etag);
        range->headers = curl_slist_append(NULL, line);
        if (!range->headers)
            return -1;
    }
    return curl_easy_setopt(range->easy, CURLOPT_HTTPHEADER, range->headers) == CURLE_OK ? 0 : -1;
}

int sl_http_range_start(struct sl_http_range *range, CURLM *multi, struct sl_http_ask ask,
                        const struct sl_http_blob *blob, struct sl_error *err) {
    char text[48];

    range->ask = ask;
    range->blob = blob;
    range->outcome = SL_HTTP_PENDING;
    range->paused = false;
    range->received = range->refusal = range->taken = range->fill = 0;
    range->curl_text[0] = 0;
    sl_http_answer_clear(&range->answer);
    (void)snprintf(text, sizeof text, "%" PRIu64 "-%" PRIu64, ask.first, ask.last);
    if (set_condition(range) != 0 ||
        curl_easy_setopt(range->easy, CURLOPT_RANGE, text) != CURLE_OK ||
        curl_multi_add_handle(multi, range->easy) != CURLM_OK)
        return sl_error_set(err, SL_EXIT_INPUT, "out of memory for a range request");
    range->active = true;
    return 0;
}

/* Without a judgement on headers: what libcurl's code says of the chances of another try. */
static enum sl_http_outcome outcome_of(CURLcode result) {
    switch (result) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
        return SL_HTTP_BROKEN;
    default:
        return SL_HTTP_FAILED;
    }
}

void sl_http_range_done(struct sl_http_range *range, CURLM *multi, CURLcode result) {
    bool redirect_failed = result != CURLE_OK && range->answer.status / 100 == 3;

    (void)curl_multi_remove_handle(multi, range->easy);
    range->active = range->paused = false;
    if (result != CURLE_OK && !range->curl_text[0])
        (void)snprintf(range->curl_text, sizeof range->curl_text, "%s", curl_easy_strerror(result));
    if (range->outcome == SL_HTTP_PENDING && range->answer.status && !redirect_failed)
        range->outcome = sl_http_judge(&range->answer, &range->ask, range->blob, &range->why);
    if (range->outcome == SL_HTTP_PENDING ||
        (result != CURLE_OK && !sl_http_failed(range->outcome))) {
        range->outcome = outcome_of(result);
    } else if (range->outcome == SL_HTTP_RANGE && range->received != promised(range)) {
        range->outcome = SL_HTTP_BROKEN;
        (void)snprintf(range->curl_text, sizeof range->curl_text,
                       "the body holds %" PRIu64 " bytes of %" PRIu64, range->received,
                       promised(range));
    }
}

void sl_http_range_stop(struct sl_http_range *range, CURLM *multi) {
    if (range->active)
        (void)curl_multi_remove_handle(multi, range->easy);
    range->active = range->paused = false;
    range->outcome = SL_HTTP_PENDING;
    range->taken = range->fill = 0;
}

size_t sl_http_range_take(struct sl_http_range *range, void *buf, size_t cap) {
    size_t n = range->fill - range->taken;

    if (n > cap)
        n = cap;
    memcpy(buf, range->buf + range->taken, n);
    range->taken += n;
    if (range->taken == range->fill && range->outcome == SL_HTTP_WHOLE) {
        range->taken = range->fill = 0;
        if (range->paused) {
            range->paused = false; /* first: libcurl may call on_body from inside this call */
            (void)curl_easy_pause(range->easy, CURLPAUSE_CONT);
        }
    }
    return n;
}
