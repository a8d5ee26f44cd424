#include "store.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { HUGE_PAGE = 2 * 1024 * 1024, MAPPED = 128 * 1024 };

void *sl_huge_alloc(size_t size) {
    if (size < MAPPED) {
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

void sl_huge_touch(void *p, size_t size) {
#ifdef MADV_POPULATE_WRITE
    if (size >= MAPPED)
        (void)madvise(p, size, MADV_POPULATE_WRITE); /* where it is refused, it comes bit by bit */
#else
    (void)p, (void)size;
#endif
}

void sl_huge_free(void *p, size_t size) {
    if (size < MAPPED)
        free(p);
    else if (p)
        munmap(p, size);
}

/* Pages are moved, not bytes: that is done in no time, and what was not touched stays so. */
void *sl_huge_grow(void *p, size_t size, size_t larger) {
    void *to = sl_huge_alloc(larger);

    if (!to || !p)
        return to;
    if (size >= MAPPED && mremap(p, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, to) != MAP_FAILED)
        return to;
    memcpy(to, p, size);
    sl_huge_free(p, size);
    return to;
}

void sl_store_free(struct sl_store *s) {
    sl_huge_free(s->places, s->size * sizeof *s->places);
    sl_huge_free(s->rare, s->size * sizeof *s->rare);
    sl_huge_free(s->extra, s->size_extra * sizeof *s->extra);
    free(s->pools[0].freed);
    free(s->pools[1].freed);
    *s = (struct sl_store){0};
}

/* The arrays grow one by one: where the second finds no memory, the first is merely longer. */
static int grow(struct sl_store *s) {
    uint32_t size = s->size ? 2 * s->size : 2 * SL_STORE_FIRST_BLOCK;
    void *places, *rare;

    if (!size)
        return -1;
    if (!(places = sl_huge_grow(s->places, s->size * sizeof *s->places, size * sizeof *s->places)))
        return -1;
    s->places = places;
    if (!(rare = sl_huge_grow(s->rare, s->size * sizeof *s->rare, size * sizeof *s->rare)))
        return -1;
    s->rare = rare;
    s->size = size;
    return 0;
}

int sl_store_init(struct sl_store *s) {
    *s = (struct sl_store){0};
    return grow(s);
}

/* The place that was freed last but a few comes next: its memory is asked for early. */
static void prefetch_freed(const struct sl_store *s, const struct sl_pool *pool) {
    enum { AHEAD = 8 };

    if (pool->n_freed < AHEAD)
        return;
    uint32_t next = pool->freed[pool->n_freed - AHEAD];
    sl_prefetch(sl_store_hot(s, next));
    sl_prefetch(sl_store_cold(s, next));
}

struct sl_hot *sl_store_get(struct sl_store *s, int v6) {
    struct sl_pool *pool = &s->pools[v6];

    if (pool->n_freed) {
        struct sl_hot *h = sl_store_hot(s, pool->freed[--pool->n_freed]);
        prefetch_freed(s, pool);
        return h;
    }
    if (pool->next == pool->end) {
        if (s->used == s->size && grow(s) < 0)
            return NULL;
        pool->next = s->used;
        pool->end = s->used += s->size / 2 < SL_STORE_BLOCK ? s->size / 2 : SL_STORE_BLOCK;
    }
    struct sl_hot *h = sl_store_hot(s, pool->next);
    h->index = pool->next++;
    return h;
}

static void put_extra(struct sl_store *s, uint32_t index) {
    struct sl_hot *h = sl_store_hot(s, index);

    if (!(h->flags & SL_FLOW_EXTRA))
        return;
    uint32_t extra = sl_store_cold(s, index)->extra;
    s->extra[extra].next_free = s->free_extra;
    s->free_extra = extra;
    h->flags &= (uint8_t)~SL_FLOW_EXTRA;
}

int sl_store_put(struct sl_store *s, uint32_t index) {
    struct sl_pool *pool = &s->pools[(sl_store_hot(s, index)->kind & SL_KEY_V6) != 0];

    if (pool->n_freed == pool->room) {
        uint32_t room = pool->room ? 2 * pool->room : 1024;
        uint32_t *grown = realloc(pool->freed, room * sizeof *grown);
        if (!grown)
            return -1;
        pool->freed = grown;
        pool->room = room;
    }
    pool->freed[pool->n_freed++] = index;
    put_extra(s, index);
    return 0;
}

/* Record 0 stays unused. */
static int grow_extra(struct sl_store *s) {
    uint32_t size = s->size_extra ? 2 * s->size_extra : SL_STORE_FIRST_EXTRA;
    void *extra =
        size ? sl_huge_grow(s->extra, s->size_extra * sizeof *s->extra, size * sizeof *s->extra)
             : NULL;

    if (!extra)
        return -1;
    s->extra = extra;
    s->size_extra = size;
    s->n_extra += !s->n_extra;
    return 0;
}

struct sl_extra *sl_store_extra(struct sl_store *s, uint32_t index) {
    struct sl_extra *had = sl_store_has_extra(s, index);
    struct sl_cold *c = sl_store_cold(s, index);

    if (had)
        return had;
    if (s->extra && s->free_extra) {
        c->extra = s->free_extra;
        s->free_extra = s->extra[c->extra].next_free;
    } else {
        if ((!s->extra || s->n_extra == s->size_extra) && grow_extra(s) < 0)
            return NULL;
        c->extra = s->n_extra++;
    }
    sl_store_hot(s, index)->flags |= SL_FLOW_EXTRA;
    return memset(&s->extra[c->extra].flow, 0, sizeof s->extra->flow);
}
