/* The last 64 KiB that were handed out of a blob, to see whether it still holds them. */
#ifndef SL_SOURCE_HTTP_TAIL_H
#define SL_SOURCE_HTTP_TAIL_H

#include <stdbool.h>

#include "http_answer.h"

enum { SL_HTTP_TAIL_BYTES = 64 * 1024 };

struct sl_http_tail {
    uint64_t end; /* offset behind the last byte */
    size_t size;
    unsigned char ring[SL_HTTP_TAIL_BYTES]; /* byte n of the blob at n % SL_HTTP_TAIL_BYTES */
};

/* n bytes at this offset were handed out. Only bytes without a gap before the last are kept. */
void sl_http_tail_add(struct sl_http_tail *, uint64_t offset, const void *data, size_t n);

/* Where they lie. There must be some. */
struct sl_http_ask sl_http_tail_place(const struct sl_http_tail *);

/* Whether data, size bytes from the tail's place, is what was handed out. */
bool sl_http_tail_is(const struct sl_http_tail *, const void *data, size_t n);

#endif
