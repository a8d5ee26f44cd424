#include "http_answer.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

bool sl_http_failed(enum sl_http_outcome outcome) {
    return outcome >= SL_HTTP_CHANGED;
}

bool sl_http_can_heal(enum sl_http_outcome outcome) {
    return outcome == SL_HTTP_BUSY || outcome == SL_HTTP_BROKEN;
}

bool sl_http_etag_is_strong(const char *etag) {
    size_t n = strlen(etag);

    return n >= 2 && etag[0] == '"' && etag[n - 1] == '"';
}

void sl_http_answer_clear(struct sl_http_answer *answer) {
    *answer = (struct sl_http_answer){.first = -1, .last = -1, .total = -1, .length = -1};
}

/* Reads digits at *at; -1 without any, or when they are more than any blob's size (10^18). */
static int64_t read_number(const char **at) {
    int64_t value = 0;
    int digits = 0;

    for (; isdigit((unsigned char)**at); (*at)++, digits++)
        if (digits < 18)
            value = value * 10 + (**at - '0');
    return digits && digits <= 18 ? value : -1;
}

/* "bytes 0-99/1000", "bytes 0-99/" and a star, "bytes " and a star, "/1000" (RFC 9110, 14.4). */
static void read_content_range(struct sl_http_answer *answer, const char *value) {
    int64_t first = -1, last = -1;

    answer->first = answer->last = answer->total = -1;
    if (strncasecmp(value, "bytes ", 6) != 0)
        return;
    value += 6;
    if (*value == '*') {
        value++;
    } else {
        first = read_number(&value);
        if (*value++ != '-')
            return;
        last = read_number(&value);
        if (first < 0 || last < first)
            return;
    }
    if (*value++ != '/')
        return;
    answer->total = read_number(&value);
    if (*value && !(answer->total < 0 && value[0] == '*' && value[1] == 0)) {
        answer->total = -1;
        return;
    }
    answer->first = first;
    answer->last = last;
}

/* A value that does not fit or holds other than visible ASCII and spaces counts as absent. */
static void keep(char *out, size_t cap, const char *value) {
    size_t n = strlen(value);

    out[0] = 0;
    for (const char *c = value; *c; c++)
        if (*c < 0x20 || *c > 0x7e)
            return;
    if (n < cap)
        memcpy(out, value, n + 1);
}

/* An encoding that cannot be kept must not pass for none. */
static void keep_encoding(struct sl_http_answer *answer, const char *value) {
    keep(answer->encoding, sizeof answer->encoding, value);
    if (*value && !answer->encoding[0])
        keep(answer->encoding, sizeof answer->encoding, "unknown");
}

static void take_header(struct sl_http_answer *answer, const char *name, const char *value) {
    if (strcasecmp(name, "Content-Range") == 0)
        read_content_range(answer, value);
    else if (strcasecmp(name, "Content-Length") == 0)
        answer->length = read_number(&value);
    else if (strcasecmp(name, "ETag") == 0)
        keep(answer->etag, sizeof answer->etag, value);
    else if (strcasecmp(name, "Last-Modified") == 0)
        keep(answer->last_modified, sizeof answer->last_modified, value);
    else if (strcasecmp(name, "Content-Encoding") == 0)
        keep_encoding(answer, value);
    else if (strcasecmp(name, "x-ms-error-code") == 0)
        keep(answer->code, sizeof answer->code, value);
    else if (strcasecmp(name, "Retry-After") == 0)
        keep(answer->retry_after, sizeof answer->retry_after, value);
}

/* "HTTP/1.1 206 Partial Content" */
static void take_status_line(struct sl_http_answer *answer, const char *line) {
    const char *space = strchr(line, ' ');

    sl_http_answer_clear(answer);
    answer->pending_status = 0;
    for (int i = 1; space && i <= 3 && isdigit((unsigned char)space[i]); i++)
        answer->pending_status = answer->pending_status * 10 + (space[i] - '0');
}

void sl_http_answer_header(struct sl_http_answer *answer, const char *line, size_t size) {
    char text[512], *colon, *value;

    while (size && isspace((unsigned char)line[size - 1]))
        size--;
    if (size == 0) { /* interim responses are followed by another one */
        answer->status = answer->pending_status >= 200 ? answer->pending_status : 0;
        return;
    }
    if (size >= sizeof text)
        size = sizeof text - 1; /* no header that is read here is that long when it is sane */
    memcpy(text, line, size);
    text[size] = 0;
    if (strncmp(text, "HTTP/", 5) == 0) {
        take_status_line(answer, text);
        return;
    }
    colon = strchr(text, ':');
    if (!colon)
        return;
    *colon = 0;
    value = colon + 1 + strspn(colon + 1, " \t");
    take_header(answer, text, value);
}

/* The opaque parts (RFC 9110, 8.8.3.2: weak comparison): a server may send a young file's tag as
 * weak and the same tag as strong a second later. */
static bool same_etag(const char *a, const char *b) {
    a += strncmp(a, "W/", 2) == 0 ? 2 : 0;
    b += strncmp(b, "W/", 2) == 0 ? 2 : 0;
    return strcmp(a, b) == 0;
}

static bool same_blob(const struct sl_http_answer *answer, const struct sl_http_blob *blob) {
    if ((blob->whole ? answer->length : answer->total) != blob->size)
        return false;
    if (answer->etag[0] && blob->etag[0] && !same_etag(answer->etag, blob->etag))
        return false;
    return sl_http_etag_is_strong(blob->etag) ||
           strcmp(answer->last_modified, blob->last_modified) == 0;
}

void sl_http_blob_learn(struct sl_http_blob *blob, const struct sl_http_answer *answer,
                        enum sl_http_outcome outcome) {
    blob->whole = outcome == SL_HTTP_WHOLE;
    blob->size = blob->whole ? answer->length : answer->total;
    memcpy(blob->etag, answer->etag, sizeof answer->etag);
    memcpy(blob->last_modified, answer->last_modified, sizeof answer->last_modified);
}

bool sl_http_blob_is_marked(const struct sl_http_blob *blob) {
    return blob->etag[0] || blob->last_modified[0];
}

static enum sl_http_outcome unfit(const char **why, const char *reason) {
    *why = reason;
    return SL_HTTP_UNFIT;
}

static enum sl_http_outcome judge_part(const struct sl_http_answer *answer,
                                       const struct sl_http_ask *ask,
                                       const struct sl_http_blob *blob, const char **why) {
    int64_t last;

    if (answer->first < 0)
        return unfit(why, "has no usable Content-Range");
    if ((uint64_t)answer->first != ask->first)
        return unfit(why, "starts at another byte");
    if (answer->total < 0)
        return unfit(why, "does not tell the size of the blob");
    if (blob->size >= 0 && !same_blob(answer, blob))
        return SL_HTTP_CHANGED;
    last = ask->last < (uint64_t)answer->total ? (int64_t)ask->last : answer->total - 1;
    if (answer->last != last)
        return unfit(why, "ends at another byte");
    if (answer->length >= 0 && answer->length != answer->last - answer->first + 1)
        return unfit(why, "has a body of another length than its Content-Range");
    return SL_HTTP_RANGE;
}

static enum sl_http_outcome judge_past_end(const struct sl_http_answer *answer,
                                           const struct sl_http_ask *ask,
                                           const struct sl_http_blob *blob) {
    if (answer->total < 0 || (uint64_t)answer->total > ask->first)
        return SL_HTTP_REFUSED;
    return blob->size < 0 ? SL_HTTP_END : SL_HTTP_CHANGED; /* never asked past a known size */
}

static enum sl_http_outcome judge_whole(const struct sl_http_answer *answer,
                                        const struct sl_http_ask *ask,
                                        const struct sl_http_blob *blob, const char **why) {
    if (blob->whole)
        return same_blob(answer, blob) ? SL_HTTP_WHOLE : SL_HTTP_CHANGED;
    if (ask->first > 0 || blob->size >= 0)
        return unfit(why, "is the whole blob, not the range");
    return SL_HTTP_WHOLE;
}

enum sl_http_outcome sl_http_judge(const struct sl_http_answer *answer,
                                   const struct sl_http_ask *ask, const struct sl_http_blob *blob,
                                   const char **why) {
    bool encoded = answer->encoding[0] && strcasecmp(answer->encoding, "identity") != 0;

    *why = NULL;
    switch (answer->status) {
    case 200:
    case 206:
        if (encoded)
            return unfit(why, "is compressed (Content-Encoding), which was not asked for");
        if (answer->status == 200)
            return judge_whole(answer, ask, blob, why);
        if (blob->whole || blob->no_ranges)
            return unfit(why, "is a range, which was not asked for");
        return judge_part(answer, ask, blob, why);
    case 412:
        return SL_HTTP_CHANGED;
    case 416:
        return judge_past_end(answer, ask, blob);
    case 408:
    case 429:
    case 500:
    case 502:
    case 503:
    case 504:
        return SL_HTTP_BUSY;
    default:
        return SL_HTTP_REFUSED;
    }
}
