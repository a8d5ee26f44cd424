#include "store.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { HUGE_PAGE = 2 * 1024 * 1024 };

void *sl_huge_alloc(size_t size) {
    if (size < HUGE_PAGE) {
        void *small = aligned_alloc(64, size);
        return small ? memset(small, 0, size) : NULL;
    }
    /* Mapped with room to spare, so that the part that is kept can start on a huge page. */
    size_t room = size + HUGE_PAGE;
    uint8_t *p = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        return NULL;
    size_t before = (HUGE_PAGE - (uintptr_t)p % HUGE_PAGE) % HUGE_PAGE;
    if (before)
        munmap(p, before);
    munmap(p + before + size, room - before - size);
    (void)madvise(p + before, size, MADV_HUGEPAGE); /* a wish: refused is as good */
    return p + before;
}

void sl_huge_free(void *p, size_t size) {
    if (size < HUGE_PAGE)
        free(p);
    else if (p)
        munmap(p, size);
}

_Static_assert(sizeof(struct sl_chunk) == 3 * 64 * (size_t)SL_STORE_CHUNK, "one line each");

void sl_store_init(struct sl_store *s) {
    *s = (struct sl_store){0};
}

void sl_store_free(struct sl_store *s) {
    for (uint32_t i = 0; i < s->n_chunks; i++)
        sl_huge_free(s->chunks[i], sizeof(struct sl_chunk));
    free(s->chunks);
    free(s->freed);
    sl_store_init(s);
}

static int add_chunk(struct sl_store *s) {
    struct sl_chunk **grown = realloc(s->chunks, (s->n_chunks + 1) * sizeof *grown);

    if (!grown)
        return -1;
    s->chunks = grown;
    s->chunks[s->n_chunks] = sl_huge_alloc(sizeof(struct sl_chunk));
    if (!s->chunks[s->n_chunks])
        return -1;
    s->n_chunks++;
    return 0;
}

/* The place that was freed last but a few comes next: its memory is asked for early. */
static void prefetch_freed(const struct sl_store *s) {
    enum { AHEAD = 8 };

    if (s->n_freed < AHEAD)
        return;
    uint32_t next = s->freed[s->n_freed - AHEAD];
    sl_prefetch(sl_store_hot(s, next));
    sl_prefetch(sl_store_cold(s, next));
}

struct sl_hot *sl_store_get(struct sl_store *s) {
    if (s->n_freed) {
        struct sl_hot *h = sl_store_hot(s, s->freed[--s->n_freed]);
        prefetch_freed(s);
        return h;
    }
    if (s->used == s->n_chunks * SL_STORE_CHUNK && add_chunk(s) < 0)
        return NULL;
    struct sl_hot *h = sl_store_hot(s, s->used);
    h->index = s->used++;
    return h;
}

int sl_store_put(struct sl_store *s, uint32_t index) {
    if (s->n_freed == s->room) {
        uint32_t room = s->room ? 2 * s->room : 1024;
        uint32_t *grown = realloc(s->freed, room * sizeof *grown);
        if (!grown)
            return -1;
        s->freed = grown;
        s->room = room;
    }
    s->freed[s->n_freed++] = index;
    return 0;
}
