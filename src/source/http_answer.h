/* What a server answered to one ranged GET, and whether that is what was asked for.
 * No input or output here: header lines go in, a judgement comes out. */
#ifndef SL_SOURCE_HTTP_ANSWER_H
#define SL_SOURCE_HTTP_ANSWER_H

#include <stdbool.h>

#include "../types.h"

/* The bytes asked for; both ends belong to them (RFC 9110, 14.1.2). */
struct sl_http_ask {
    uint64_t first, last;
};

/* The blob as an answer described it. Later answers must describe the same one. */
struct sl_http_blob {
    int64_t size;           /* -1: no answer yet, or a whole one that does not tell it */
    bool whole;             /* of a server without ranges: every answer is all of it */
    bool no_ranges;         /* none is asked for */
    char etag[256];         /* with its quotes; "" when there is none */
    char last_modified[64]; /* "" when there is none */
};

/* Headers of the last response; those of redirects and interim ones are forgotten. */
struct sl_http_answer {
    int status;                 /* 0: no complete header yet */
    int pending_status;         /* of the header that is still arriving */
    int64_t first, last, total; /* Content-Range; -1: absent, malformed or '*' */
    int64_t length;             /* Content-Length; -1: absent */
    char etag[256];
    char last_modified[64];
    char encoding[32]; /* Content-Encoding */
    char code[64];     /* x-ms-error-code */
    char retry_after[40];
};

enum sl_http_outcome {
    SL_HTTP_PENDING, /* not judged yet */
    SL_HTTP_RANGE,   /* 206, exactly what was asked for */
    SL_HTTP_WHOLE,   /* 200 from a server without ranges: the blob from its first byte */
    SL_HTTP_END,     /* 416: the blob ends at or before the first byte asked for */
    /* from here on: failures */
    SL_HTTP_CHANGED, /* another blob than at first: replaced, appended to, cut */
    SL_HTTP_REFUSED, /* the server says no, and will say so again */
    SL_HTTP_BUSY,    /* the server cannot now */
    SL_HTTP_UNFIT,   /* the answer is not what was asked for */
    SL_HTTP_BROKEN,  /* no connection, or it broke, or too slow, or the body is short */
    SL_HTTP_FAILED   /* libcurl gave up for another reason: certificate, redirects, … */
};

bool sl_http_failed(enum sl_http_outcome);

/* The one place that knows which failures may be gone when the same bytes are asked for again. */
bool sl_http_can_heal(enum sl_http_outcome);

void sl_http_answer_clear(struct sl_http_answer *);

/* Takes one line as libcurl gives it: a status line, a header, or the empty line after them. */
void sl_http_answer_header(struct sl_http_answer *, const char *line, size_t size);

/* Judges the headers. *why completes the sentence "the answer …" for SL_HTTP_UNFIT and is a static
 * text; NULL for the others. */
enum sl_http_outcome sl_http_judge(const struct sl_http_answer *, const struct sl_http_ask *,
                                   const struct sl_http_blob *, const char **why) SL_USED;

/* Takes over what a good answer says of the blob. */
void sl_http_blob_learn(struct sl_http_blob *, const struct sl_http_answer *, enum sl_http_outcome);

/* Whether a later answer could tell another blob from this one. */
bool sl_http_blob_is_marked(const struct sl_http_blob *);

/* An entity tag that If-Match can use: If-Match never matches a weak one (RFC 9110, 13.1.1). */
bool sl_http_etag_is_strong(const char *etag);

#endif
