/* Numbers in byte forms: little endian, written twice (counted, then put) and read without belief.
 */
#ifndef SL_WIRE_H
#define SL_WIRE_H

#include <stddef.h>
#include <string.h>

#include "../types.h"

/* Counts while bytes is NULL, writes in a second pass. */
struct sl_wire_out {
    uint8_t *bytes;
    size_t n;
};

struct sl_wire_in {
    const uint8_t *at, *end;
    const char *bad; /* what is wrong, the first thing found; NULL: nothing yet */
};

static inline void sl_wire_put(struct sl_wire_out *w, uint64_t value, unsigned size) {
    for (unsigned i = 0; i < size; i++, w->n++)
        if (w->bytes)
            w->bytes[w->n] = (uint8_t)(value >> 8 * i);
}

static inline void sl_wire_put_raw(struct sl_wire_out *w, const void *bytes, size_t n) {
    if (w->bytes && n)
        memcpy(w->bytes + w->n, bytes, n);
    w->n += n;
}

static inline void sl_wire_refuse(struct sl_wire_in *r, int condition, const char *what) {
    if (condition && !r->bad)
        r->bad = what;
}

/* 0 where too few bytes are left, which is refused. */
static inline uint64_t sl_wire_get(struct sl_wire_in *r, unsigned size) {
    uint64_t value = 0;

    if ((size_t)(r->end - r->at) < size) {
        sl_wire_refuse(r, 1, "it ends too early");
        r->at = r->end;
        return 0;
    }
    for (unsigned i = 0; i < size; i++)
        value |= (uint64_t)*r->at++ << 8 * i;
    return value;
}

static inline void sl_wire_put_addr(struct sl_wire_out *w, const struct sl_addr *a) {
    for (int i = 0; i < 4; i++)
        sl_wire_put(w, a->w[i], 4);
}

static inline struct sl_addr sl_wire_get_addr(struct sl_wire_in *r) {
    struct sl_addr a;

    for (int i = 0; i < 4; i++)
        a.w[i] = (uint32_t)sl_wire_get(r, 4);
    return a;
}

static inline void sl_wire_put_time(struct sl_wire_out *w, struct sl_time t) {
    sl_wire_put(w, (uint64_t)t.s, 8);
    sl_wire_put(w, t.nsec, 4);
}

static inline struct sl_time sl_wire_get_time(struct sl_wire_in *r) {
    struct sl_time t;

    t.s = (int64_t)sl_wire_get(r, 8);
    t.nsec = (uint32_t)sl_wire_get(r, 4);
    sl_wire_refuse(r, t.nsec > 999999999, "a time is out of range");
    return t;
}

static inline void sl_wire_put_head(struct sl_wire_out *w, const char magic[4], unsigned version) {
    sl_wire_put_raw(w, magic, 4);
    sl_wire_put(w, version, 2);
}

/* Behind it all: the CRC-32 of everything before. */
void sl_wire_seal(struct sl_wire_out *);
/* What is between head and checksum, both of which are compared. */
struct sl_wire_in sl_wire_open(const uint8_t *bytes, size_t size, const char magic[4],
                               unsigned version);

#endif
