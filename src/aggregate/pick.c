#include "pick.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_ROOM = 8 };

int sl_pick_compare(const uint64_t *a, const uint64_t *b, uint32_t row_words) {
    for (uint32_t i = 0; i < row_words; i++)
        if (a[i] != b[i])
            return a[i] < b[i] ? -1 : 1;
    return 0;
}

int sl_pick_open(const struct sl_pick *p, uint32_t keep, uint32_t row_words, uint64_t hash) {
    return !p || p->n < keep || hash <= p->words[(size_t)(p->n - 1) * row_words];
}

size_t sl_pick_bytes(const struct sl_pick *p, uint32_t row_words) {
    return sizeof *p + (size_t)p->room * row_words * sizeof *p->words;
}

static int reserve(struct sl_pick **p, uint32_t keep, uint32_t row_words) {
    uint32_t n = *p ? (*p)->n : 0, room = *p ? (*p)->room * 2 : FIRST_ROOM;
    struct sl_pick *larger;

    if (*p && (*p)->n < (*p)->room)
        return 0;
    room = room < keep ? room : keep;
    larger = realloc(*p, sizeof *larger + (size_t)room * row_words * sizeof *larger->words);
    if (!larger)
        return -1;
    larger->n = n;
    larger->room = room;
    *p = larger;
    return 0;
}

int sl_pick_add(struct sl_pick **p, uint32_t keep, uint32_t row_words, const uint64_t *row) {
    uint32_t low = 0, high = *p ? (*p)->n : 0;
    size_t bytes = row_words * sizeof *row;
    uint64_t *at;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (sl_pick_compare((*p)->words + (size_t)middle * row_words, row, row_words) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == keep)
        return 0;
    if (*p && (*p)->n == keep)
        (*p)->n--;
    else if (reserve(p, keep, row_words))
        return -1;
    at = (*p)->words + (size_t)low * row_words;
    memmove(at + row_words, at, ((*p)->n - low) * bytes);
    memcpy(at, row, bytes);
    (*p)->n++;
    return 0;
}
