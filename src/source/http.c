/* A blob behind HTTP(S), read by ranges of which several are in flight (http_flight.h). read()
 * drives libcurl's multi handle itself: no thread, and never more in memory than the buffers of the
 * ranges. What is asked for next: http_ask.c. */
#include "source.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "http_explain.h"
#include "http_source.h"
#include "url.h"

enum {
    FIRST_BYTES = 1 << 20,
    RANGE_BYTES = 13 << 17, /* twelve, libcurl, its libraries and TLS stay within 32 MiB */
    SEEK_BYTES = 128 << 10,
    IN_FLIGHT = 8,
    POLL_MS = 1000,
    NEGLECTED_MS = 5000, /* without a read: what breaks then is not the server's fault */
    RESTARTS_MAX = 3
};

static const struct sl_http_blob unknown_blob = {.size = -1};

static int64_t now_ms(void) {
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* The first good answer says what blob it is. */
static void learn_blob(struct http_source *http) {
    struct sl_http_range *head = sl_http_flight_head(&http->flight);

    if (sl_http_is_known(http) || !head || head->outcome == SL_HTTP_PENDING ||
        sl_http_failed(head->outcome))
        return;
    sl_http_blob_learn(&http->blob, &head->answer, head->outcome);
    http->base.size = http->end = http->blob.size;
    http->base.in_order = http->blob.whole;
    if (http->blob.whole)
        head->span.last = UINT64_MAX;
    else if (head->outcome == SL_HTTP_RANGE && head->span.last > (uint64_t)head->answer.last)
        head->span.last = (uint64_t)head->answer.last;
    http->next = http->planned = head->span.last + 1;
}

static bool at_end(const struct http_source *http) {
    const struct sl_http_range *head = sl_http_flight_head(&http->flight);

    if (http->blob.whole)
        return head->state == SL_HTTP_DONE && head->taken >= head->fill;
    return http->end >= 0 && http->offset >= (uint64_t)http->end;
}

/* ---- a blob that is no longer what it was ---- */

/* Nothing was handed out yet: it does not matter what the blob was. */
static int start_again(struct http_source *http) {
    while (sl_http_flight_head(&http->flight))
        sl_http_flight_pop(&http->flight);
    http->blob.whole = false;
    http->blob.size = http->end = -1;
    http->next = http->planned = http->from = http->offset;
    http->restarts++;
    return 0;
}

/* Asks for what was read last, to see whether it still stands there. */
static int begin_check(struct http_source *http, struct sl_error *err) {
    if (!http->tail.size && http->restarts < RESTARTS_MAX)
        return start_again(http);
    if (!http->tail.size)
        return sl_http_explain(sl_http_flight_head(&http->flight), http->base.name, http->url, err);
    sl_http_flight_pause(&http->flight);
    http->checking = true;
    return sl_http_range_want(http->flight.check, sl_http_tail_place(&http->tail), &unknown_blob,
                              err);
}

static bool has_grown(const struct http_source *http) {
    const struct sl_http_range *check = http->flight.check;

    return check->state == SL_HTTP_DONE && check->outcome == SL_HTTP_RANGE &&
           check->answer.total >= http->end &&
           sl_http_tail_is(&http->tail, check->buf, check->fill);
}

/* It grew: its first bytes are the ones that were there, and are read on under its new tag. */
static int end_check(struct http_source *http, struct sl_error *err) {
    struct sl_http_range *check = http->flight.check;
    struct sl_http_range *head = sl_http_flight_head(&http->flight);
    bool grown = has_grown(http);

    http->checking = false;
    if (grown)
        sl_http_blob_learn(&http->blob, &check->answer, check->outcome);
    sl_http_range_drop(check, http->flight.multi);
    if (grown && sl_http_flight_resume(&http->flight, now_ms()))
        return 0;
    head->why = grown ? "is written to faster than it can be read" : NULL;
    return sl_http_explain(head, http->base.name, http->url, err);
}

/* The head's request failed for good. 0: it may go on after all. */
static int head_failed(struct http_source *http, struct sl_error *err) {
    const struct sl_http_range *head = sl_http_flight_head(&http->flight);

    if (head->outcome == SL_HTTP_CHANGED && !http->blob.whole)
        return begin_check(http, err);
    return sl_http_explain(head, http->base.name, http->url, err);
}

/* ---- reading ---- */

/* Hands out what the head has, and frees it when it is empty. */
static size_t take(struct http_source *http, void *buf, size_t cap) {
    struct sl_http_range *head = sl_http_flight_head(&http->flight);
    size_t n = 0;

    if (head && head->span.first <= http->offset) { /* else it is of a stretch that comes later */
        head->taken = (size_t)(http->offset - head->span.first);
        n = sl_http_range_take(head, buf, cap);
    }

    if (n)
        sl_http_tail_add(&http->tail, http->offset, buf, n);
    http->offset += n;
    if (head && http->offset > head->span.last)
        sl_http_flight_pop(&http->flight);
    return n;
}

/* The time now; where the last look at it was long ago, what is under way was neglected. */
static int64_t look_at_clock(struct http_source *http) {
    int64_t now = now_ms();

    if (http->driven_ms && now - http->driven_ms > NEGLECTED_MS)
        sl_http_flight_neglected(&http->flight);
    http->driven_ms = now;
    return now;
}

static int drive(struct http_source *http, struct sl_error *err) {
    if (sl_http_flight_drive(&http->flight, look_at_clock(http), err) != 0)
        return -1;
    /* Again: a process may be stopped (Ctrl-Z) inside libcurl just as well. */
    sl_http_flight_settle(&http->flight, look_at_clock(http));
    learn_blob(http);
    return 0;
}

/* Lets libcurl work until something happened: 0; SL_SOURCE_WAIT when deadline_ms is over; -1. */
static int wait_a_while(struct http_source *http, int64_t deadline_ms, struct sl_error *err) {
    int64_t left_ms = deadline_ms - http->driven_ms;
    int idle_ms;

    if (left_ms <= 0 || (deadline_ms == INT64_MAX && http->interrupted && http->interrupted()))
        return SL_SOURCE_WAIT;
    idle_ms = sl_http_flight_idle_ms(&http->flight, http->driven_ms,
                                     left_ms < POLL_MS ? (int)left_ms : POLL_MS);
    if (sl_curl()->multi_poll(http->flight.multi, NULL, 0, idle_ms, NULL) != CURLM_OK)
        return sl_error_set(err, SL_EXIT_INPUT, "%s: libcurl cannot wait", http->base.name);
    return 0;
}

/* What the head and the check have come to: 1: the input has ended; -1; 0: read on. */
static int look(struct http_source *http, struct sl_error *err) {
    const struct sl_http_range *head = sl_http_flight_head(&http->flight);
    enum sl_http_state check = http->flight.check->state;

    if (http->checking)
        return check == SL_HTTP_DONE || check == SL_HTTP_GIVEN_UP ? end_check(http, err) : 0;
    if (head && head->state == SL_HTTP_GIVEN_UP)
        return head_failed(http, err);
    return at_end(http);
}

static ssize_t http_read(struct sl_source *source, void *buf, size_t cap, int timeout_ms,
                         struct sl_error *err) {
    struct http_source *http = (struct http_source *)source;
    int64_t deadline_ms = timeout_ms < 0 ? INT64_MAX : now_ms() + timeout_ms;

    for (;;) {
        size_t n;
        int state;

        if (drive(http, err) != 0)
            return -1;
        n = take(http, buf, cap);
        if (sl_http_ask_more(http, n == 0, err) != 0)
            return -1;
        if (n)
            return (ssize_t)n;
        state = look(http, err);
        if (state > 0)
            sl_http_flight_rest(&http->flight); /* others may be read behind it, one by one */
        if (state != 0)
            return state > 0 ? 0 : -1;
        state = wait_a_while(http, deadline_ms, err);
        if (state != 0)
            return state;
    }
}

/* Reads through what is on its way; else reading begins anew, with small requests. */
static void jump(struct http_source *http, uint64_t offset) {
    if (http->checking) /* its outcome would be that of ranges which nobody wants any more */
        sl_http_forget_all(http);
    if (sl_http_stays_before_planned(http, offset))
        return;
    if (sl_http_flight_seek(&http->flight, offset)) {
        http->from += offset - http->offset; /* what is passed over is no reason to fetch more */
        if (http->from > offset)
            http->from = offset;
        http->next = sl_http_flight_reach(&http->flight);
    } else {
        http->next = http->planned = http->from = offset;
        http->unit = SEEK_BYTES < http->range_bytes ? SEEK_BYTES : http->range_bytes;
    }
    http->offset = offset;
}

/* A server without ranges cannot be sent back; that is known only after the first answer. */
static int http_seek(struct sl_source *source, uint64_t offset, struct sl_error *err) {
    struct http_source *http = (struct http_source *)source;

    if (http->blob.whole && offset < http->offset)
        return sl_error_set(err, SL_EXIT_INPUT,
                            "%s: the server does not serve ranges, so that the capture can only be "
                            "read from its start to its end",
                            source->name);
    if (offset != http->offset)
        jump(http, offset);
    return 0;
}

static void http_close(struct sl_source *source) {
    struct http_source *http = (struct http_source *)source;

    sl_http_flight_free(&http->flight);
    sl_curl()->global_cleanup();
    free(http->url);
    free(source->name);
    free(http);
}

static const struct sl_source_ops http_ops = {http_read, http_seek, http_close, NULL};

/* ---- opening ---- */

static int check_url(const char *url, struct sl_error *err) {
    for (const unsigned char *c = (const unsigned char *)url; *c; c++)
        if (*c <= 0x20 || *c == 0x7f)
            return sl_error_set(err, SL_EXIT_USAGE,
                                "the URL holds a space or a control character at its character "
                                "%zu; spaces are written as %%20",
                                (size_t)(c - (const unsigned char *)url) + 1);
    return 0;
}

static uint32_t or_default(uint32_t given, uint32_t otherwise) {
    return given ? given : otherwise;
}

static int set_up(struct http_source *http, const char *url, const struct sl_source_options *o,
                  struct sl_error *err) {
    uint32_t in_flight = or_default(o->http_in_flight, IN_FLIGHT);
    struct sl_http_retry retry;

    http->base.name = sl_url_redact(url);
    http->url = strdup(url);
    if (!http->base.name || !http->url)
        return sl_error_set(err, SL_EXIT_INPUT, "out of memory");
    if (sl_http_retry_read(&retry, getenv(SL_HTTP_RETRY_VARIABLE), err) != 0)
        return -1;
    http->unit = or_default(o->http_first_bytes, FIRST_BYTES);
    http->range_bytes = or_default(o->http_range_bytes, RANGE_BYTES);
    if (http->range_bytes < http->unit)
        http->range_bytes = http->unit;
    return sl_http_flight_init(&http->flight, &http->base, url, &retry, in_flight,
                               http->range_bytes, err);
}

struct sl_source *sl_source_http_open(const char *url, const struct sl_source_options *options,
                                      struct sl_error *err) {
    static const struct sl_source_options none;
    struct http_source *http;

    if (check_url(url, err) != 0)
        return NULL;
    if (sl_curl_load(err) != 0)
        return NULL;
    http = calloc(1, sizeof *http);
    if (!http || sl_curl()->global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        sl_error_set(err, SL_EXIT_INPUT, "out of memory");
        free(http);
        return NULL;
    }
    http->base.ops = &http_ops;
    http->base.size = http->end = -1;
    http->base.etag = http->blob.etag;
    http->blob = unknown_blob;
    http->blob.no_ranges = options && options->http_no_ranges;
    http->interrupted = options ? options->interrupted : NULL;
    if (set_up(http, url, options ? options : &none, err) != 0) {
        http_close(&http->base);
        return NULL;
    }
    return &http->base;
}
