#include "http_tail.h"

#include <string.h>

void sl_http_tail_add(struct sl_http_tail *tail, uint64_t offset, const void *data, size_t n) {
    const unsigned char *bytes = data;

    if (offset != tail->end)
        tail->size = 0;
    tail->end = offset + n;
    tail->size = n < sizeof tail->ring - tail->size ? tail->size + n : sizeof tail->ring;
    if (n > sizeof tail->ring) {
        bytes += n - sizeof tail->ring;
        n = sizeof tail->ring;
    }
    for (uint64_t to = tail->end - n; n;) {
        size_t at = to % sizeof tail->ring, room = sizeof tail->ring - at;
        size_t piece = n < room ? n : room;

        memcpy(tail->ring + at, bytes, piece);
        bytes += piece;
        to += piece;
        n -= piece;
    }
}

struct sl_http_ask sl_http_tail_place(const struct sl_http_tail *tail) {
    return (struct sl_http_ask){tail->end - tail->size, tail->end - 1};
}

bool sl_http_tail_is(const struct sl_http_tail *tail, const void *data, size_t n) {
    size_t at = (tail->end - tail->size) % sizeof tail->ring;
    size_t piece = sizeof tail->ring - at < n ? sizeof tail->ring - at : n;

    return n == tail->size && memcmp(tail->ring + at, data, piece) == 0 &&
           memcmp(tail->ring, (const unsigned char *)data + piece, n - piece) == 0;
}
