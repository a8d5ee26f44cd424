/* Strings in keys. Inside a key a string is three words: its first eight bytes, so that words sort
 * nearly as texts do, and a hash of 128 bits of all of it, which stands for the rest. The texts
 * themselves stand once, here, found by those words. The hash has no seed, or parts of a result
 * made by several machines would not fit together. */
#ifndef SL_TEXTS_H
#define SL_TEXTS_H

#include "table.h"

enum { SL_TEXT_WORDS = 3, SL_TEXT_LIMIT = 255 }; /* bytes of a text; longer ones are cut */

struct sl_texts {
    struct sl_table index; /* words -> where in bytes, and how long */
    char *bytes;
    size_t used, capacity;
};

int sl_texts_init(struct sl_texts *, const uint64_t seed[2]) SL_USED;
void sl_texts_free(struct sl_texts *); /* allowed on zeroed memory */

/* SipHash-2-4 with 128 bits (Aumasson and Bernstein, INDOCRYPT 2012, and its reference code). */
void sl_text_words(const char *text, size_t size, uint64_t words[SL_TEXT_WORDS]);

/* Remembers a text under its words. 0, or -1 without memory. */
int sl_texts_put(struct sl_texts *, const uint64_t words[SL_TEXT_WORDS], const char *text,
                 size_t size) SL_USED;

/* The text of those words, not ended by a zero; NULL: it was never put. */
const char *sl_texts_get(const struct sl_texts *, const uint64_t words[SL_TEXT_WORDS],
                         size_t *size);

size_t sl_texts_bytes(const struct sl_texts *);

#endif
