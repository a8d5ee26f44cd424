#include "http_range.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    REFUSAL_MAX = 16 * 1024, /* of a failed answer's body; the XML of a refusal is below 2 KiB */
    BUFFER_MIN = 64 * 1024,  /* libcurl hands out up to 16 KiB at once, refusals need room too */
    DRAIN_MAX = 256 * 1024   /* fetching so much costs less than another connection */
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

/* Stores what is wanted of a good answer's piece. */
static size_t keep_body(struct sl_http_range *range, const char *data, size_t size) {
    size_t unwanted = range->skip > range->received ? range->skip - range->received : 0;

    if (unwanted > size)
        unwanted = size;
    if (range->outcome == SL_HTTP_WHOLE && size - unwanted > range->cap - range->fill) {
        range->paused = true;
        return CURL_WRITEFUNC_PAUSE;
    }
    if (range->state != SL_HTTP_DRAINING) {
        memcpy(range->buf + range->fill, data + unwanted, size - unwanted);
        range->fill += size - unwanted;
    }
    range->received += size;
    range->fetched += size;
    atomic_fetch_add(range->total, size);
    return size;
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
    return keep_body(range, data, size);
}

int sl_http_range_init(struct sl_http_range *range, const char *url,
                       const struct sl_http_retry *retry, atomic_ullong *total, size_t cap,
                       struct sl_error *err) {
    int bad = 0;

    *range = (struct sl_http_range){.cap = cap > BUFFER_MIN ? cap : BUFFER_MIN, .total = total};
    range->easy = sl_http_easy_new(url, retry, range->curl_text, err);
    if (!range->easy)
        return -1;
    bad |= (int)sl_curl()->easy_setopt(range->easy, CURLOPT_HEADERFUNCTION, on_header);
    bad |= (int)sl_curl()->easy_setopt(range->easy, CURLOPT_HEADERDATA, range);
    bad |= (int)sl_curl()->easy_setopt(range->easy, CURLOPT_WRITEFUNCTION, on_body);
    bad |= (int)sl_curl()->easy_setopt(range->easy, CURLOPT_WRITEDATA, range);
    bad |= (int)sl_curl()->easy_setopt(range->easy, CURLOPT_PRIVATE, range);
    if (bad)
        return sl_error_set(err, SL_EXIT_INPUT, "libcurl lacks something that sluice needs");
    return 0;
}

static bool on_multi(const struct sl_http_range *range) {
    return range->state == SL_HTTP_ACTIVE || range->state == SL_HTTP_DRAINING;
}

static void take_off(struct sl_http_range *range, CURLM *multi) {
    if (on_multi(range))
        (void)sl_curl()->multi_remove_handle(multi, range->easy);
    range->paused = range->stale = false;
}

void sl_http_range_free(struct sl_http_range *range, CURLM *multi) {
    take_off(range, multi);
    sl_curl()->easy_cleanup(range->easy);
    sl_curl()->slist_free_all(range->headers);
    free(range->buf);
}

int sl_http_range_want(struct sl_http_range *range, struct sl_http_ask span,
                       const struct sl_http_blob *blob, struct sl_error *err) {
    if (!range->buf && !(range->buf = malloc(range->cap + REFUSAL_MAX)))
        return sl_error_set(err, SL_EXIT_INPUT, "out of memory for a range request");
    range->span = span;
    range->blob = blob;
    range->taken = range->fill = 0;
    range->fetched = range->fetched_before = 0;
    range->failures = (struct sl_http_failures){0};
    range->again_ms = 0;
    range->state = SL_HTTP_WAITING;
    range->outcome = SL_HTTP_PENDING;
    return 0;
}

static int set_condition(struct sl_http_range *range) {
    char line[sizeof range->blob->etag + 16];

    sl_curl()->slist_free_all(range->headers);
    range->headers = NULL;
    if (sl_http_etag_is_strong(range->blob->etag)) {
        (void)snprintf(line, sizeof line, "If-Match: %s", range->blob->etag);
        range->headers = sl_curl()->slist_append(NULL, line);
        if (!range->headers)
            return -1;
    }
    return sl_curl()->easy_setopt(range->easy, CURLOPT_HTTPHEADER, range->headers) == CURLE_OK ? 0
                                                                                               : -1;
}

/* A server that is known to have no ranges is asked for none: all comes, and its start is left. */
static int set_range(struct sl_http_range *range) {
    bool all = range->blob->whole || range->blob->no_ranges;
    char text[48];

    (void)snprintf(text, sizeof text, "%" PRIu64 "-%" PRIu64, range->ask.first, range->ask.last);
    return sl_curl()->easy_setopt(range->easy, CURLOPT_RANGE, all ? NULL : text) == CURLE_OK ? 0
                                                                                             : -1;
}

int sl_http_range_start(struct sl_http_range *range, CURLM *multi, struct sl_error *err) {
    range->ask = (struct sl_http_ask){sl_http_range_reached(range), range->span.last};
    range->outcome = SL_HTTP_PENDING;
    range->received = range->refusal = 0;
    range->skip = range->blob->whole ? range->ask.first : 0;
    range->paused = range->stale = false;
    range->curl_text[0] = 0;
    sl_http_answer_clear(&range->answer);
    if (set_condition(range) != 0 || set_range(range) != 0 ||
        sl_curl()->multi_add_handle(multi, range->easy) != CURLM_OK)
        return sl_error_set(err, SL_EXIT_INPUT, "out of memory for a range request");
    range->state = SL_HTTP_ACTIVE;
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

static void settle(struct sl_http_range *range, CURLcode result) {
    bool redirect_failed = result != CURLE_OK && range->answer.status / 100 == 3;

    if (result != CURLE_OK && !range->curl_text[0])
        (void)snprintf(range->curl_text, sizeof range->curl_text, "%s",
                       sl_curl()->easy_strerror(result));
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

void sl_http_range_done(struct sl_http_range *range, CURLM *multi, CURLcode result) {
    bool wanted = range->state != SL_HTTP_DRAINING;
    bool stale = range->stale;

    take_off(range, multi);
    range->stale = stale; /* whoever decides on another try wants to know */
    settle(range, result);
    if (!wanted)
        range->state = SL_HTTP_FREE;
    else
        range->state = sl_http_failed(range->outcome) ? SL_HTTP_GIVEN_UP : SL_HTTP_DONE;
}

void sl_http_range_stop(struct sl_http_range *range, CURLM *multi) {
    take_off(range, multi);
    range->state = SL_HTTP_WAITING;
    range->outcome = SL_HTTP_PENDING;
}

void sl_http_range_drop(struct sl_http_range *range, CURLM *multi) {
    bool good = range->outcome == SL_HTTP_PENDING || range->outcome == SL_HTTP_RANGE;

    if (range->state == SL_HTTP_ACTIVE && good && !range->blob->whole &&
        range->ask.last - range->ask.first - range->received < DRAIN_MAX) {
        range->state = SL_HTTP_DRAINING;
        return;
    }
    take_off(range, multi);
    range->state = SL_HTTP_FREE;
    range->outcome = SL_HTTP_PENDING;
}

uint64_t sl_http_range_reached(const struct sl_http_range *range) {
    return range->span.first + range->fill;
}

/* The emptied buffer of a body without bound starts again. What is to be passed over of what has
 * not arrived yet (taken > fill) stays to be passed over. */
static void restart(struct sl_http_range *range) {
    range->span.first += range->fill;
    range->taken -= range->fill;
    range->fill = 0;
    if (range->paused) {
        range->paused = false; /* first: libcurl may call on_body from inside this call */
        (void)sl_curl()->easy_pause(range->easy, CURLPAUSE_CONT);
    }
}

size_t sl_http_range_take(struct sl_http_range *range, void *buf, size_t cap) {
    size_t n = range->fill > range->taken ? range->fill - range->taken : 0;

    if (n > cap)
        n = cap;
    memcpy(buf, range->buf + range->taken, n);
    range->taken += n;
    if (range->taken >= range->fill && range->blob->whole)
        restart(range);
    return n;
}
