#include "texts.h"

#include <stdlib.h>

int sl_texts_init(struct sl_texts *t, const uint64_t seed[2]) {
    *t = (struct sl_texts){.bytes = NULL};
    return sl_table_init(&t->index, SL_TEXT_WORDS, 0, 0, seed);
}

void sl_texts_free(struct sl_texts *t) {
    sl_table_free(&t->index);
    free(t->bytes);
    *t = (struct sl_texts){.bytes = NULL};
}

static uint64_t load(const char *bytes, size_t n) {
    uint64_t word = 0;

    for (size_t i = 0; i < n; i++)
        word |= (uint64_t)(unsigned char)bytes[i] << 8 * i;
    return word;
}

static uint64_t rotate(uint64_t x, unsigned n) {
    return x << n | x >> (64 - n);
}

static void rounds(uint64_t v[4], int n) {
    for (int i = 0; i < n; i++) {
        v[0] += v[1];
        v[1] = rotate(v[1], 13) ^ v[0];
        v[0] = rotate(v[0], 32);
        v[2] += v[3];
        v[3] = rotate(v[3], 16) ^ v[2];
        v[0] += v[3];
        v[3] = rotate(v[3], 21) ^ v[0];
        v[2] += v[1];
        v[1] = rotate(v[1], 17) ^ v[2];
        v[2] = rotate(v[2], 32);
    }
}

void sl_text_words(const char *text, size_t size, uint64_t words[SL_TEXT_WORDS]) {
    uint64_t v[4] = {UINT64_C(0x736f6d6570736575), UINT64_C(0x646f72616e646f6d) ^ 0xee,
                     UINT64_C(0x6c7967656e657261), UINT64_C(0x7465646279746573)};
    size_t whole = size / 8 * 8;

    for (size_t i = 0; i <= whole; i += 8) {
        uint64_t m = i < whole ? load(text + i, 8)
                               : load(text + i, size - whole) | (uint64_t)(size & 0xff) << 56;
        v[3] ^= m;
        rounds(v, 2);
        v[0] ^= m;
    }
    v[2] ^= 0xee;
    rounds(v, 4);
    words[1] = v[0] ^ v[1] ^ v[2] ^ v[3];
    v[1] ^= 0xdd;
    rounds(v, 4);
    words[2] = v[0] ^ v[1] ^ v[2] ^ v[3];
    words[0] = __builtin_bswap64(load(text, size < 8 ? size : 8));
}

static int reserve(struct sl_texts *t, size_t size) {
    size_t capacity = t->capacity ? t->capacity : 1024;
    char *bytes;

    while (capacity < t->used + size)
        capacity *= 2;
    if (capacity == t->capacity)
        return 0;
    bytes = realloc(t->bytes, capacity);
    if (!bytes)
        return -1;
    t->bytes = bytes;
    t->capacity = capacity;
    return 0;
}

int sl_texts_put(struct sl_texts *t, const uint64_t words[SL_TEXT_WORDS], const char *text,
                 size_t size) {
    uint64_t *slot = sl_table_find(&t->index, words, SL_TEXT_WORDS);

    if (!sl_slot_empty(slot))
        return 0;
    if (reserve(t, size) || !(slot = sl_table_insert(&t->index, words)))
        return -1;
    sl_i128_store(slot, (sl_i128)t->used << 16 | (sl_i128)size);
    if (size)
        memcpy(t->bytes + t->used, text, size);
    t->used += size;
    return 0;
}

const char *sl_texts_get(const struct sl_texts *t, const uint64_t words[SL_TEXT_WORDS],
                         size_t *size) {
    const uint64_t *slot = sl_table_find(&t->index, words, SL_TEXT_WORDS);
    sl_i128 place;

    if (sl_slot_empty(slot))
        return NULL;
    place = sl_i128_load(slot);
    *size = (size_t)(place & 0xffff);
    return t->bytes ? t->bytes + (size_t)(place >> 16) : "";
}

size_t sl_texts_bytes(const struct sl_texts *t) {
    return t->capacity + (t->index.slots ? sl_table_bytes(&t->index) : 0);
}
