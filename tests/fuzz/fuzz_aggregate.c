/* The byte form of aggregates, which a stranger's file may hold. The checksum is made right first,
 * or nothing behind it would ever be reached. What is accepted must be exactly what those bytes
 * say, and must bear reading, adding and merging. */
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "../../src/aggregate/aggregate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int truth) {
    if (!truth)
        abort();
}

static void read_rows(const struct sl_agg *a, int order, uint64_t limit) {
    struct sl_error err;
    struct sl_agg_rows *rows = sl_agg_rows_new(a, order, limit, &err);
    struct sl_agg_row row;

    must(rows != NULL);
    for (uint64_t i = 0; i < rows->n && i < 1000; i++)
        sl_agg_row(rows, i, &row);
    sl_agg_rows_free(rows);
}

static void add_some(struct sl_agg *a) {
    struct sl_agg_stats stats;

    sl_agg_stats(a, &stats);
    for (int64_t n = 0; n < 50; n++) {
        struct sl_time ts = {n * 100000, 0};
        struct sl_addr address = {{0, 0, 0xffff, (uint32_t)n}};
        for (uint32_t i = 0; i < stats.spec.parts; i++) {
            if (stats.spec.type[i] == SL_AGG_NUMBER)
                sl_agg_key_n(a, (double)n);
            else
                sl_agg_key_a(a, &address);
        }
        if (stats.spec.kind == SL_AGG_SERIES)
            sl_agg_add_t(a, &ts, (double)n);
        else
            sl_agg_add(a, (double)n);
    }
}

static void same_bytes(const struct sl_agg *a, const uint8_t *data, size_t size) {
    struct sl_error err;
    uint8_t *again;
    size_t n;

    must(!sl_agg_to_bytes(a, &again, &n, &err));
    must(n == size && !memcmp(again, data, size));
    sl_agg_bytes_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    uint8_t *bytes = malloc(size + 1);
    struct sl_error err;
    struct sl_agg *a, *b;

    must(bytes != NULL);
    memcpy(bytes, data, size);
    for (unsigned i = 0; i < 4 && size > 4; i++)
        bytes[size - 4 + i] = (uint8_t)(crc32_z(0, bytes, size - 4) >> 8 * i);
    a = sl_agg_from_bytes(bytes, size, &err);
    b = sl_agg_from_bytes(bytes, size, &err);
    must((a == NULL) == (b == NULL));
    if (a) {
        same_bytes(a, bytes, size);
        read_rows(a, SL_AGG_BY_KEY, 0);
        read_rows(a, SL_AGG_BY_VALUE, 3);
        add_some(b);
        (void)sl_agg_merge(a, b, &err); /* may refuse: additions are bounded */
        read_rows(a, SL_AGG_BY_KEY, 0);
    }
    sl_agg_free(a);
    sl_agg_free(b);
    free(bytes);
    return 0;
}
