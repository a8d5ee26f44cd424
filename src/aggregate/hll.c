#include "hll.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "int128.h"

/* A code is the first INDEX_BITS of the hash and, in six bits, how many zeros follow, plus 1. */
enum { INDEX_BITS = 26, RANK_BITS = 6, FIRST_PLACES = 4 };

uint64_t sl_hll_hash(const uint64_t *words, uint32_t n) {
    uint64_t h = UINT64_C(0x9e3779b97f4a7c15) + n;

    for (uint32_t i = 0; i < n; i++) {
        sl_u128 product = (sl_u128)(h ^ words[i]) * UINT64_C(0xa0761d6478bd642f);
        h = (uint64_t)product ^ (uint64_t)(product >> 64) ^ words[i] * UINT64_C(0xe7037ed1a0b428db);
        h ^= h >> 33;
        h *= UINT64_C(0xff51afd7ed558ccd);
        h ^= h >> 33;
        h *= UINT64_C(0xc4ceb9fe1a85ec53);
        h ^= h >> 33;
    }
    return h;
}

/* Zeros at the front of the lowest width bits, plus 1. */
static uint32_t rank_of(uint64_t bits, uint32_t width) {
    bits = width < 64 ? bits & ((UINT64_C(1) << width) - 1) : bits;
    return bits ? (uint32_t)__builtin_clzll(bits) - (64 - width) + 1 : width + 1;
}

static uint32_t code_of(uint64_t hash) {
    return (uint32_t)(hash >> (64 - INDEX_BITS)) << RANK_BITS | rank_of(hash, 64 - INDEX_BITS);
}

int sl_hll_code_possible(uint32_t code) {
    uint32_t rank = code & ((1 << RANK_BITS) - 1);

    return rank >= 1 && rank <= 64 - INDEX_BITS + 1;
}

uint32_t sl_hll_codes_max(uint32_t precision) {
    return 3u << (precision - 4); /* 3/4 of the places that the registers' memory would hold */
}

uint32_t sl_hll_register_max(uint32_t precision) {
    return 64 - precision + 1;
}

size_t sl_hll_bytes(const struct sl_hll *h, uint32_t precision) {
    return sizeof(struct sl_hll) +
           (h->places ? h->places * sizeof *h->codes : (size_t)1 << precision);
}

static struct sl_hll *list_new(uint32_t places) {
    struct sl_hll *h = calloc(1, sizeof(struct sl_hll) + places * sizeof *h->codes);

    if (h)
        h->places = places;
    return h;
}

struct sl_hll *sl_hll_with_registers(uint32_t precision) {
    return calloc(1, sizeof(struct sl_hll) + ((size_t)1 << precision));
}

/* What a code says about the registers: the first bits of the index choose one, and the others,
 * if one of them is set, say how many zeros follow. */
static void raise(struct sl_hll *h, uint32_t precision, uint32_t code) {
    uint32_t index = code >> RANK_BITS, rest = INDEX_BITS - precision;
    uint32_t low = index & ((1u << rest) - 1);
    uint32_t rank = low ? rank_of(low, rest) : rest + (code & ((1 << RANK_BITS) - 1));
    uint8_t *at = &sl_hll_registers(h)[index >> rest];

    if (rank > *at)
        *at = (uint8_t)rank;
}

/* The place of the code with that index, or the free one where it would go. */
static uint32_t *place_of(struct sl_hll *h, uint32_t code) {
    uint32_t index = code >> RANK_BITS;
    uint32_t i = (index * UINT32_C(0x9e3779b1)) >> 8;

    for (;; i++) {
        uint32_t *at = &h->codes[i & (h->places - 1)];
        if (!*at || *at >> RANK_BITS == index)
            return at;
    }
}

/* Room for one more code: a longer list, or registers. */
static int grow(struct sl_hll **h, uint32_t precision) {
    struct sl_hll *old = *h, *new;

    if (old->n >= sl_hll_codes_max(precision))
        new = sl_hll_with_registers(precision);
    else
        new = list_new(old->places * 2);
    if (!new)
        return -1;
    for (uint32_t i = 0; i < old->places; i++) {
        if (!old->codes[i])
            continue;
        if (!new->places)
            raise(new, precision, old->codes[i]);
        else
            *place_of(new, old->codes[i]) = old->codes[i];
    }
    new->n = new->places ? old->n : 0;
    free(old);
    *h = new;
    return 0;
}

int sl_hll_add_code(struct sl_hll **h, uint32_t precision, uint32_t code) {
    uint32_t *at;

    if (!*h && !(*h = list_new(FIRST_PLACES)))
        return -1;
    if ((*h)->places) {
        at = place_of(*h, code);
        if (*at) {
            *at = code > *at ? code : *at;
            return 0;
        }
        if ((*h)->n < (*h)->places / 4 * 3 && (*h)->n < sl_hll_codes_max(precision)) {
            *at = code;
            (*h)->n++;
            return 0;
        }
        if (grow(h, precision))
            return -1;
        return sl_hll_add_code(h, precision, code);
    }
    raise(*h, precision, code);
    return 0;
}

int sl_hll_add(struct sl_hll **h, uint32_t precision, uint64_t hash) {
    uint8_t *at;
    uint32_t rank;

    if (!*h || (*h)->places)
        return sl_hll_add_code(h, precision, code_of(hash));
    at = &sl_hll_registers(*h)[hash >> (64 - precision)];
    rank = rank_of(hash, 64 - precision);
    if (rank > *at)
        *at = (uint8_t)rank;
    return 0;
}

static void raise_all(uint8_t *to, const uint8_t *from, uint32_t precision) {
    for (size_t i = 0; i < (size_t)1 << precision; i++)
        if (from[i] > to[i])
            to[i] = from[i];
}

int sl_hll_merge(struct sl_hll **to, const struct sl_hll *from, uint32_t precision) {
    struct sl_hll *registers;

    if (from->places) {
        for (uint32_t i = 0; i < from->places; i++)
            if (from->codes[i] && sl_hll_add_code(to, precision, from->codes[i]))
                return -1;
        return 0;
    }
    if (!*to || (*to)->places) { /* registers win: all that is in the list goes into them */
        registers = sl_hll_with_registers(precision);
        if (!registers)
            return -1;
        for (uint32_t i = 0; *to && i < (*to)->places; i++)
            if ((*to)->codes[i])
                raise(registers, precision, (*to)->codes[i]);
        free(*to);
        *to = registers;
    }
    raise_all(sl_hll_registers(*to), sl_hll_registers_of(from), precision);
    return 0;
}

static int by_size(const void *a, const void *b) {
    uint32_t x, y;

    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return (x > y) - (x < y);
}

void sl_hll_codes(const struct sl_hll *h, uint32_t *codes) {
    uint32_t n = 0;

    for (uint32_t i = 0; i < h->places; i++)
        if (h->codes[i])
            codes[n++] = h->codes[i];
    qsort(codes, n, sizeof *codes, by_size);
}

/* Ertl's sigma and tau: the sums that stand for empty and for full registers. */
static double sigma(double x) {
    double y = 1, z = x, before;

    if (x == 1)
        return INFINITY;
    do {
        x *= x;
        before = z;
        z += x * y;
        y += y;
    } while (z != before);
    return z;
}

static double tau(double x) {
    double y = 1, z = 1 - x, before;

    if (x == 0 || x == 1)
        return 0;
    do {
        x = sqrt(x);
        before = z;
        y *= 0.5;
        z -= (1 - x) * (1 - x) * y;
    } while (z != before);
    return z / 3;
}

static double registers_estimate(const struct sl_hll *h, uint32_t precision) {
    uint32_t counts[64] = {0}, q = 64 - precision;
    double m = (double)((size_t)1 << precision), z;

    for (size_t i = 0; i < (size_t)1 << precision; i++)
        counts[sl_hll_registers_of(h)[i] & 63]++;
    z = m * tau(1 - (double)counts[q + 1] / m);
    for (uint32_t k = q; k >= 1; k--)
        z = 0.5 * (z + (double)counts[k]);
    z += m * sigma((double)counts[0] / m);
    return m / (2 * log(2)) * m / z;
}

double sl_hll_estimate(const struct sl_hll *h, uint32_t precision) {
    double places = (double)(UINT32_C(1) << INDEX_BITS);

    if (!h)
        return 0;
    if (h->places) /* linear counting, which only makes up for the few that share an index */
        return round(places * log(places / (places - h->n)));
    return round(registers_estimate(h, precision));
}
