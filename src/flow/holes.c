#include "holes.h"

#include <string.h>

static int32_t distance(uint32_t a, uint32_t b) {
    return (int32_t)(b - a);
}

static uint32_t lesser(uint32_t a, uint32_t b) {
    return distance(a, b) > 0 ? a : b;
}
static uint32_t greater(uint32_t a, uint32_t b) {
    return distance(a, b) > 0 ? b : a;
}

static void remove_at(struct sl_extra *x, int dir, int i) {
    struct sl_hole *list = x->holes[dir];

    x->n_holes[dir]--;
    memmove(list + i, list + i + 1, (size_t)(x->n_holes[dir] - i) * sizeof *list);
}

static void insert_at(struct sl_extra *x, int dir, int i, struct sl_hole hole) {
    struct sl_hole *list = x->holes[dir];

    if (x->n_holes[dir] == SL_HOLES) { /* the lowest one goes */
        if (i == 0)
            return;
        remove_at(x, dir, 0);
        i--;
    }
    memmove(list + i + 1, list + i, (size_t)(x->n_holes[dir] - i) * sizeof *list);
    list[i] = hole;
    x->n_holes[dir]++;
}

void sl_holes_add(struct sl_extra *x, int dir, uint32_t from, uint32_t to) {
    insert_at(x, dir, x->n_holes[dir], (struct sl_hole){from, to});
}

uint32_t sl_holes_fill(struct sl_extra *x, int dir, uint32_t from, uint32_t to) {
    uint32_t filled = 0;

    for (int i = x->n_holes[dir] - 1; i >= 0; i--) {
        struct sl_hole *hole = &x->holes[dir][i];
        uint32_t begin = greater(hole->from, from), end = lesser(hole->to, to);
        if (distance(begin, end) <= 0)
            continue;
        filled += end - begin;
        struct sl_hole below = {hole->from, begin}, above = {end, hole->to};
        remove_at(x, dir, i);
        if (distance(above.from, above.to) > 0)
            insert_at(x, dir, i, above);
        if (distance(below.from, below.to) > 0)
            insert_at(x, dir, i, below);
    }
    return filled;
}

uint32_t sl_holes_give_up(struct sl_extra *x, int dir, uint32_t until) {
    struct sl_hole *hole = &x->holes[dir][0];

    if (!x->n_holes[dir] || distance(hole->from, until) <= 0)
        return 0;
    uint32_t end = lesser(hole->to, until), bytes = end - hole->from;
    if (end == hole->to)
        remove_at(x, dir, 0);
    else
        hole->from = end;
    return bytes;
}
