/* Keys as words, and back. */
#include "aggregate.h"

#include <math.h>

#include "kind.h"
#include "pick.h"

uint32_t sl_type_words(uint32_t type) {
    switch (type & 0xff) {
    case SL_AGG_ADDRESS:
    case SL_AGG_PREFIX:
        return 2;
    case SL_AGG_STRING:
        return SL_TEXT_WORDS;
    default:
        return 1;
    }
}

double sl_word_to_number(uint64_t word) {
    uint64_t bits = word ^ (word >> 63 ? UINT64_C(1) << 63 : UINT64_MAX);
    double number;

    memcpy(&number, &bits, sizeof number);
    return number;
}

static uint64_t high_bits(uint32_t n) {
    return n >= 64 ? UINT64_MAX : n ? UINT64_MAX << (64 - n) : 0;
}

void sl_words_to_prefix(uint32_t type, uint64_t word[2]) {
    uint32_t v4 = type >> 8 & 0xff, v6 = type >> 16;

    if (word[0] == 0 && word[1] >> 32 == 0xffff)
        v6 = 96 + v4;
    word[0] &= high_bits(v6);
    word[1] &= v6 > 64 ? high_bits(v6 - 64) : 0;
}

/* ---- staging ---- */

/* Where the words of the next part go, which is of that type; NULL: no such part comes next. */
static uint64_t *next_part(struct sl_agg *a, uint32_t type) {
    struct sl_staged *s = &a->staged;
    uint64_t *words = s->words + s->n;

    if (s->fields >= a->spec.parts + a->spec.of_parts ||
        sl_type_words(a->spec.type[s->fields]) != sl_type_words(type)) {
        s->bad = 1;
        return NULL;
    }
    s->n += sl_type_words(type);
    s->fields++;
    return words;
}

void sl_agg_key_n(struct sl_agg *a, double part) {
    uint64_t *words = next_part(a, SL_AGG_NUMBER);

    if (!isfinite(part))
        a->staged.bad = 1;
    if (words)
        *words = sl_number_to_word(part);
}

void sl_agg_key_a(struct sl_agg *a, const struct sl_addr *part) {
    uint64_t *words = next_part(a, SL_AGG_ADDRESS);

    if (!words)
        return;
    sl_addr_to_words(part, words);
    if ((a->spec.type[a->staged.fields - 1] & 0xff) == SL_AGG_PREFIX)
        sl_words_to_prefix(a->spec.type[a->staged.fields - 1], words);
}

void sl_agg_key_s(struct sl_agg *a, const char *part, size_t size) {
    uint64_t *words = next_part(a, SL_AGG_STRING);

    if (!words)
        return;
    if (size > SL_TEXT_LIMIT) {
        size = SL_TEXT_LIMIT;
        a->counters.cut_texts++;
    }
    sl_text_words(part, size, words);
    a->staged.texts[a->staged.fields - 1] = (struct sl_text){part, size};
}

/* ---- texts ---- */

static const char *text_of(const struct sl_agg *a, uint32_t field, const uint64_t *words,
                           size_t *size) {
    if (a->from)
        return sl_texts_get(&a->from->texts, words, size);
    *size = a->staged.texts[field].size;
    return a->staged.texts[field].bytes;
}

int sl_keep_texts(struct sl_agg *a, const uint64_t *words, uint32_t first, uint32_t end) {
    for (uint32_t i = first; a->has_texts && i < end; i++) {
        if (a->spec.type[i] == SL_AGG_STRING) {
            size_t size = 0;
            const char *text = text_of(a, i, words, &size);
            if (!text || sl_texts_put(&a->texts, words, text, size))
                return -1;
        }
        words += sl_type_words(a->spec.type[i]);
    }
    return 0;
}

static int visit_fields(const struct sl_agg *a, const uint64_t *words, uint32_t first, uint32_t end,
                        int (*visit)(void *, const uint64_t *), void *context) {
    for (uint32_t i = first; i < end; i++) {
        if (a->spec.type[i] == SL_AGG_STRING && visit(context, words))
            return -1;
        words += sl_type_words(a->spec.type[i]);
    }
    return 0;
}

static int visit_pick(const struct sl_agg *a, const struct sl_pick *p,
                      int (*visit)(void *, const uint64_t *), void *context) {
    uint32_t row = sl_pick_words(a);

    for (uint32_t i = 0; p && i < p->n; i++)
        if (visit_fields(a, p->words + (size_t)i * row + SL_PICK_HEAD, a->spec.parts,
                         a->spec.parts + a->spec.of_parts, visit, context))
            return -1;
    return 0;
}

int sl_each_text(const struct sl_agg *a, int (*visit)(void *, const uint64_t *words),
                 void *context) {
    const struct sl_table *t = &a->table;
    uint32_t skip = a->spec.kind == SL_AGG_SERIES; /* the bin */

    for (const uint64_t *s = sl_table_next(t, NULL); a->has_texts && s; s = sl_table_next(t, s)) {
        if (visit_fields(a, sl_slot_key(s) + skip, 0, a->spec.parts, visit, context))
            return -1;
        if (a->spec.kind == SL_AGG_SAMPLE &&
            visit_pick(a, sl_sketch_load(sl_slot_extra_of(t, s)), visit, context))
            return -1;
    }
    if (a->has_texts && a->spec.kind == SL_AGG_SAMPLE)
        return visit_pick(a, sl_sketch_load(a->other_extra), visit, context);
    return 0;
}

struct sweep {
    const struct sl_texts *old;
    struct sl_texts kept;
};

static int keep(void *context, const uint64_t *words) {
    struct sweep *s = context;
    size_t size;
    const char *text = sl_texts_get(s->old, words, &size);

    return text ? sl_texts_put(&s->kept, words, text, size) : 0;
}

void sl_sweep_texts(struct sl_agg *a) {
    struct sweep s = {.old = &a->texts};

    if (!a->has_texts || sl_texts_init(&s.kept, a->texts.index.seed))
        return;
    if (sl_each_text(a, keep, &s)) {
        sl_texts_free(&s.kept);
        return;
    }
    sl_texts_free(&a->texts);
    a->texts = s.kept;
}

/* ---- reading ---- */

void sl_row_fields(const struct sl_agg *a, const uint64_t *words, uint32_t first, uint32_t end,
                   struct sl_agg_row *row) {
    for (uint32_t i = first; i < end; words += sl_type_words(a->spec.type[i]), i++) {
        size_t size = 0;
        switch (a->spec.type[i] & 0xff) {
        case SL_AGG_ADDRESS:
        case SL_AGG_PREFIX:
            row->address[i] = (struct sl_addr){{(uint32_t)(words[0] >> 32), (uint32_t)words[0],
                                                (uint32_t)(words[1] >> 32), (uint32_t)words[1]}};
            break;
        case SL_AGG_STRING:
            row->text[i] = sl_texts_get(&a->texts, words, &size);
            row->text_size[i] = (uint32_t)size;
            break;
        default:
            row->number[i] = sl_word_to_number(words[0]);
        }
    }
}

static int compare_texts(const struct sl_agg *a, const uint64_t *x, const uint64_t *y) {
    size_t nx = 0, ny = 0;
    const char *tx = sl_texts_get(&a->texts, x, &nx), *ty = sl_texts_get(&a->texts, y, &ny);
    int difference = tx && ty ? memcmp(tx, ty, nx < ny ? nx : ny) : 0;

    return difference ? difference : (nx > ny) - (nx < ny);
}

static int compare_keys(const void *context, const uint64_t *x, const uint64_t *y) {
    const struct sl_agg *a = context;

    for (uint32_t i = 0; i < a->spec.parts; i++) {
        uint32_t n = sl_type_words(a->spec.type[i]);
        int difference = a->spec.type[i] == SL_AGG_STRING ? compare_texts(a, x, y) : 0;
        for (uint32_t w = 0; !difference && w < n; w++)
            difference = (x[w] > y[w]) - (x[w] < y[w]);
        if (difference)
            return difference;
        x += n;
        y += n;
    }
    return 0;
}

sl_compare_keys *sl_key_order(const struct sl_agg *a) {
    for (uint32_t i = 0; i < a->spec.parts; i++)
        if (a->spec.type[i] == SL_AGG_STRING)
            return compare_keys;
    return NULL;
}
