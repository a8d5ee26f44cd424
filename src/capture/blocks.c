#include "blocks.h"

#include <stdlib.h>
#include <string.h>

struct kept {
    struct kept *next;
    struct sl_block block; /* its bytes follow */
};

struct sl_blocks {
    struct kept *first, *last;
};

struct sl_blocks *sl_blocks_new(void) {
    return calloc(1, sizeof(struct sl_blocks));
}

void sl_blocks_free(struct sl_blocks *b) {
    if (!b)
        return;
    while (b->first)
        sl_blocks_drop(b);
    free(b);
}

int sl_blocks_add(struct sl_blocks *b, const struct sl_block *block, struct sl_error *err) {
    struct kept *k = malloc(sizeof *k + block->size);

    if (!k)
        return sl_error_set(err, SL_EXIT_INPUT, "out of memory for the blocks of a capture");
    k->next = NULL;
    k->block = *block;
    k->block.bytes = (uint8_t *)(k + 1);
    if (block->size)
        memcpy(k + 1, block->bytes, block->size);
    if (b->last)
        b->last->next = k;
    else
        b->first = k;
    b->last = k;
    return 0;
}

const struct sl_block *sl_blocks_before(const struct sl_blocks *b, uint64_t offset) {
    return b->first && b->first->block.offset < offset ? &b->first->block : NULL;
}

void sl_blocks_drop(struct sl_blocks *b) {
    struct kept *k = b->first;

    b->first = k->next;
    if (!b->first)
        b->last = NULL;
    free(k);
}
