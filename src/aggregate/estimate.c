#include "estimate.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "kind.h"

/* What stands beside a key. The block that it was last seen in is not in the sums yet: its bytes
 * are known when it has been read to its end. */
struct moments {
    uint64_t block;
    double blocks; /* in the sums */
    double packets, bytes;
    struct sl_ratio_sums of_packets, of_bytes;
};

enum { MOMENT_WORDS = sizeof(struct moments) / sizeof(uint64_t) };

struct sl_estimate {
    struct sl_table table;
    uint32_t type; /* SL_AGG_NUMBER or SL_AGG_ADDRESS */
    const struct sl_blocks_read *read;
    struct sl_estimate_row *rows;
    uint64_t n, rare, lost;
};

/* ---- adding ---- */

struct sl_estimate *sl_estimate_new(uint32_t type, struct sl_error *err) {
    struct sl_estimate *e = calloc(1, sizeof *e);
    uint32_t words = type == SL_AGG_ADDRESS ? 2 : 1;
    uint64_t seed[2];

    if (e && getrandom(seed, sizeof seed, 0) == sizeof seed &&
        sl_table_init(&e->table, words, MOMENT_WORDS, SL_ESTIMATE_KEYS, seed) == 0) {
        e->type = type;
        return e;
    }
    free(e);
    sl_error_set(err, SL_EXIT_USAGE, "out of memory");
    return NULL;
}

void sl_estimate_free(struct sl_estimate *e) {
    if (!e)
        return;
    sl_table_free(&e->table);
    free(e->rows);
    free(e);
}

void sl_estimate_follow(struct sl_estimate *e, const struct sl_blocks_read *read) {
    e->read = read;
}

/* Puts the last block into the sums, if it was read to its end. */
static void settle(const struct sl_estimate *e, struct moments *m) {
    if (!m->packets || m->block >= e->read->n)
        return;
    sl_ratio_add(&m->of_packets, m->packets, e->read->bytes[m->block]);
    sl_ratio_add(&m->of_bytes, m->bytes, e->read->bytes[m->block]);
    m->blocks++;
    m->packets = m->bytes = 0;
}

/* words: of the key, the number that the table has. */
static void add(struct sl_estimate *e, uint64_t block, const uint64_t *key, uint32_t words,
                double packets, double bytes) {
    uint64_t *slot = sl_table_find(&e->table, key, words);
    struct moments m;

    if (sl_slot_empty(slot))
        slot = e->table.used < SL_ESTIMATE_KEYS ? sl_table_insert(&e->table, key) : NULL;
    if (!slot) {
        e->lost++;
        return;
    }
    memcpy(&m, sl_slot_extra(&e->table, slot), sizeof m);
    if (m.block != block) {
        settle(e, &m);
        m.block = block;
    }
    m.packets += packets;
    m.bytes += bytes;
    memcpy(sl_slot_extra(&e->table, slot), &m, sizeof m);
}

void sl_estimate_add_block(struct sl_estimate *e, uint32_t block, double key, double packets,
                           double bytes) {
    uint64_t word = sl_number_to_word(key);

    add(e, block, &word, 1, packets, bytes);
}

void sl_estimate_add_n(struct sl_estimate *e, double key, double bytes) {
    uint64_t word = sl_number_to_word(key);

    add(e, e->read->n, &word, 1, 1, bytes);
}

void sl_estimate_add_a(struct sl_estimate *e, const struct sl_addr *key, double bytes) {
    uint64_t words[2];

    sl_addr_to_words(key, words);
    add(e, e->read->n, words, 2, 1, bytes);
}

/* ---- reading ---- */

static void fill(const struct sl_estimate *e, const struct sl_ratio_base *base,
                 const uint64_t *slot, const struct moments *m, struct sl_estimate_row *row) {
    const uint64_t *key = sl_slot_key(slot);
    struct sl_interval packets = sl_ratio_estimate(base, &m->of_packets);
    struct sl_interval bytes = sl_ratio_estimate(base, &m->of_bytes);

    if (e->type == SL_AGG_ADDRESS)
        row->address = (struct sl_addr){{(uint32_t)(key[0] >> 32), (uint32_t)key[0],
                                         (uint32_t)(key[1] >> 32), (uint32_t)key[1]}};
    else
        row->number = sl_word_to_number(*key);
    row->blocks = m->blocks;
    row->packets = packets.value;
    row->packets_low = packets.low;
    row->packets_high = packets.high;
    row->bytes = bytes.value;
    row->bytes_low = bytes.low;
    row->bytes_high = bytes.high;
}

static int compare_rows(const void *a, const void *b) {
    const struct sl_estimate_row *x = a, *y = b;

    if (x->bytes != y->bytes)
        return x->bytes > y->bytes ? -1 : 1;
    if (x->number != y->number)
        return x->number < y->number ? -1 : 1;
    for (int i = 0; i < 4; i++)
        if (x->address.w[i] != y->address.w[i])
            return x->address.w[i] < y->address.w[i] ? -1 : 1;
    return 0;
}

/* Visits every key with its sums settled; with rows fills those that are estimated. */
static uint64_t visit(struct sl_estimate *e, struct sl_estimate_row *rows) {
    struct sl_ratio_base base = sl_ratio_base_of(e->read);
    const uint64_t *slot = NULL;
    struct moments m;
    uint64_t n = 0;

    e->rare = 0;
    while ((slot = sl_table_next(&e->table, slot))) {
        memcpy(&m, sl_slot_extra_of(&e->table, slot), sizeof m);
        settle(e, &m);
        if (m.blocks >= SL_RATIO_BLOCKS_MIN) {
            if (rows)
                fill(e, &base, slot, &m, &rows[n]);
            n++;
        } else if (m.blocks) {
            e->rare++;
        }
    }
    return n;
}

uint64_t sl_estimate_rank(struct sl_estimate *e) {
    free(e->rows);
    e->n = visit(e, NULL);
    e->rows = calloc(e->n ? e->n : 1, sizeof *e->rows);
    if (!e->rows)
        return e->n = 0;
    (void)visit(e, e->rows);
    qsort(e->rows, e->n, sizeof *e->rows, compare_rows);
    return e->n;
}

const struct sl_estimate_row *sl_estimate_at(const struct sl_estimate *e, uint64_t i) {
    return &e->rows[i];
}

uint64_t sl_estimate_rare(const struct sl_estimate *e) {
    return e->rare;
}

uint64_t sl_estimate_lost(const struct sl_estimate *e) {
    return e->lost;
}
