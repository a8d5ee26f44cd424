/* A HyperLogLog: how many different things there were, from 2^precision registers of a byte
 * (Flajolet et al., AofA 2007). Few things are kept as a list of 32-bit codes, as HyperLogLog++
 * does (Heule et al., EDBT 2013): nearly exact, and small for the many keys that have few. The
 * estimate is Ertl's improved one (arXiv 1702.01284), which needs no tables against bias. Its
 * standard error is 1.04 / sqrt(2^precision): 0.8 % with 14, 1.6 % with 12.
 *
 * What it is depends only on the set of hashes that were added: the list turns into registers when
 * the codes of all of them are more than fit, in whatever order and parts they came. */
#ifndef SL_HLL_H
#define SL_HLL_H

#include "../types.h"

enum { SL_HLL_MIN_PRECISION = 6, SL_HLL_MAX_PRECISION = 16 };

struct sl_hll {
    uint32_t n;       /* codes in the list */
    uint32_t places;  /* of the list, a power of 2; 0: registers */
    uint32_t codes[]; /* places of them, 0: free; or 2^precision registers, a byte each */
};

static inline uint8_t *sl_hll_registers(struct sl_hll *h) {
    return (uint8_t *)h->codes;
}

static inline const uint8_t *sl_hll_registers_of(const struct sl_hll *h) {
    return (const uint8_t *)h->codes;
}

/* Adds a hash; *h NULL is an empty one. 0, or -1 without memory and nothing changed. */
int sl_hll_add(struct sl_hll **h, uint32_t precision, uint64_t hash) SL_USED;
int sl_hll_merge(struct sl_hll **to, const struct sl_hll *from, uint32_t precision) SL_USED;
double sl_hll_estimate(const struct sl_hll *, uint32_t precision);
size_t sl_hll_bytes(const struct sl_hll *, uint32_t precision);

/* Codes may be at most that many; one more makes registers. */
uint32_t sl_hll_codes_max(uint32_t precision);

/* For the byte form: the codes in ascending order, room for n of them; and back. */
void sl_hll_codes(const struct sl_hll *, uint32_t *codes);
int sl_hll_code_possible(uint32_t code);
int sl_hll_add_code(struct sl_hll **h, uint32_t precision, uint32_t code) SL_USED;
struct sl_hll *sl_hll_with_registers(uint32_t precision);
uint32_t sl_hll_register_max(uint32_t precision);

/* Few bits must not be enough to tell what was added, so hashes are mixed well (the finaliser of
 * MurmurHash3). There is no seed: parts of a result must fit together. */
uint64_t sl_hll_hash(const uint64_t *words, uint32_t n);

#endif
