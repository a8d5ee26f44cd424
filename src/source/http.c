/* A blob behind HTTP(S), pulled in bounded ranges. read() drives libcurl's multi handle itself:
 * no thread, and never more in memory than one range. */
#include "source.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "http_explain.h"
#include "http_range.h"
#include "url.h"

enum { FIRST_BYTES = 1 << 20, RANGE_BYTES = 4 << 20, POLL_MS = 1000 };

struct http_source {
    struct sl_source base;
    char *url; /* as given, with its secrets */
    CURLM *multi;
    struct sl_http_blob blob;
    struct sl_http_range range;
    uint64_t offset; /* of the next byte to hand out */
    uint32_t first_bytes, range_bytes;
};

static int64_t now_ms(void) {
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* The first good answer says what blob it is. */
static void learn_blob(struct http_source *http) {
    const struct sl_http_answer *answer = &http->range.answer;

    if (http->blob.size >= 0)
        return;
    if (http->range.outcome == SL_HTTP_WHOLE) {
        http->base.size = answer->length; /* no later answer to compare: blob stays unknown */
    } else if (http->range.outcome == SL_HTTP_RANGE || http->range.outcome == SL_HTTP_END) {
        http->base.size = http->blob.size = answer->total;
        memcpy(http->blob.etag, answer->etag, sizeof answer->etag);
        memcpy(http->blob.last_modified, answer->last_modified, sizeof answer->last_modified);
    }
}

static bool at_end(const struct http_source *http) {
    if (http->range.outcome == SL_HTTP_WHOLE)
        return !http->range.active;
    return http->blob.size >= 0 && http->offset >= (uint64_t)http->blob.size;
}

static int start_next(struct http_source *http, struct sl_error *err) {
    bool known = http->blob.size >= 0;
    uint64_t bytes = known ? http->range_bytes : http->first_bytes;
    uint64_t left = known ? (uint64_t)http->blob.size - http->offset : bytes;
    struct sl_http_ask ask = {http->offset, http->offset + (bytes < left ? bytes : left) - 1};

    return sl_http_range_start(&http->range, http->multi, ask, &http->blob, err);
}

/* Lets libcurl do what it can do without waiting. */
static int drive(struct http_source *http, struct sl_error *err) {
    int running, queued;
    CURLMsg *message;

    if (curl_multi_perform(http->multi, &running) != CURLM_OK)
        return sl_error_set(err, SL_EXIT_INPUT, "%s: libcurl failed", http->base.name);
    while ((message = curl_multi_info_read(http->multi, &queued))) {
        struct sl_http_range *range = NULL;
        CURLcode result = message->data.result; /* gone once the handle is removed */

        if (message->msg == CURLMSG_DONE &&
            curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &range) == CURLE_OK)
            sl_http_range_done(range, http->multi, result);
    }
    learn_blob(http);
    return 0;
}

/* Makes the range either hold bytes or be done: 0; SL_SOURCE_WAIT after timeout_ms; -1. */
static int wait_for_bytes(struct http_source *http, int timeout_ms, struct sl_error *err) {
    int64_t deadline_ms = now_ms() + timeout_ms;

    for (;;) {
        int64_t left_ms = timeout_ms < 0 ? POLL_MS : deadline_ms - now_ms();

        if (drive(http, err) != 0)
            return -1;
        if (http->range.fill > http->range.taken || !http->range.active)
            return 0;
        if (left_ms <= 0)
            return SL_SOURCE_WAIT;
        if (curl_multi_poll(http->multi, NULL, 0, (int)(left_ms < POLL_MS ? left_ms : POLL_MS),
                            NULL) != CURLM_OK)
            return sl_error_set(err, SL_EXIT_INPUT, "%s: libcurl cannot wait", http->base.name);
    }
}

static ssize_t http_read(struct sl_source *source, void *buf, size_t cap, int timeout_ms,
                         struct sl_error *err) {
    struct http_source *http = (struct http_source *)source;
    struct sl_http_range *range = &http->range;

    for (;;) {
        size_t n = sl_http_range_take(range, buf, cap);
        int state;

        http->offset += n;
        if (n)
            return (ssize_t)n;
        if (!range->active && sl_http_failed(range->outcome))
            return sl_http_explain(range, source->name, http->url, err);
        if (at_end(http))
            return 0;
        if (!range->active && start_next(http, err) != 0)
            return -1;
        state = wait_for_bytes(http, timeout_ms, err);
        if (state != 0)
            return state;
    }
}

/* A server without ranges cannot be sent back; that is known only after the first answer. */
static int http_seek(struct sl_source *source, uint64_t offset, struct sl_error *err) {
    struct http_source *http = (struct http_source *)source;
    struct sl_http_range *range = &http->range;
    size_t ahead = range->fill - range->taken;

    if (offset >= http->offset && offset - http->offset <= ahead) {
        range->taken += (size_t)(offset - http->offset);
        http->offset = offset;
        return 0;
    }
    if (range->outcome == SL_HTTP_WHOLE)
        return sl_error_set(err, SL_EXIT_INPUT,
                            "%s: the server does not serve ranges, so that the capture can only be "
                            "read from its start to its end",
                            source->name);
    sl_http_range_stop(range, http->multi);
    http->offset = offset;
    return 0;
}

static void http_close(struct sl_source *source) {
    struct http_source *http = (struct http_source *)source;

    sl_http_range_free(&http->range, http->multi);
    (void)curl_multi_cleanup(http->multi);
    curl_global_cleanup();
    free(http->url);
    free(source->name);
    free(http);
}

static const struct sl_source_ops http_ops = {http_read, http_seek, http_close};

static int check_url(const char *url, struct sl_error *err) {
    for (const unsigned char *c = (const unsigned char *)url; *c; c++)
        if (*c <= 0x20 || *c == 0x7f)
            return sl_error_set(err, SL_EXIT_USAGE,
                                "the URL holds a space or a control character at its character "
                                "%zu; spaces are written as %%20",
                                (size_t)(c - (const unsigned char *)url) + 1);
    return 0;
}

static int set_up(struct http_source *http, const char *url,
                  const struct sl_source_options *options, struct sl_error *err) {
    uint32_t first = options ? options->http_first_bytes : 0;
    uint32_t later = options ? options->http_range_bytes : 0;

    http->base = (struct sl_source){.ops = &http_ops, .name = sl_url_redact(url), .size = -1};
    http->url = strdup(url);
    http->multi = curl_multi_init();
    http->blob.size = -1;
    http->first_bytes = first ? first : FIRST_BYTES;
    http->range_bytes = later ? later : RANGE_BYTES;
    if (!http->base.name || !http->url || !http->multi)
        return sl_error_set(err, SL_EXIT_INPUT, "out of memory");
    return sl_http_range_init(
        &http->range, url,
        http->first_bytes > http->range_bytes ? http->first_bytes : http->range_bytes, err);
}

struct sl_source *sl_source_http_open(const char *url, const struct sl_source_options *options,
                                      struct sl_error *err) {
    struct http_source *http;

    if (check_url(url, err) != 0)
        return NULL;
    http = calloc(1, sizeof *http);
    if (!http || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        sl_error_set(err, SL_EXIT_INPUT, "out of memory");
        free(http);
        return NULL;
    }
    if (set_up(http, url, options, err) != 0) {
        http_close(&http->base);
        return NULL;
    }
    return &http->base;
}
