/* The byte form of aggregates, which a stranger's file may hold. The checksum is made right first,
 * or nothing behind it would ever be reached. What is accepted must be exactly what those bytes
 * say, and must bear reading, adding and merging. */
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "../../src/aggregate/aggregate.h"
#include "../../src/aggregate/hosts.h"
#include "../../src/aggregate/largest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int truth) {
    if (!truth)
        abort();
}

static void read_rows(struct sl_agg *a, int order, uint64_t limit) {
    struct sl_error err;
    struct sl_agg_rows *rows = sl_agg_rows_new(a, order, limit, &err);
    struct sl_agg_row row;

    must(rows != NULL);
    for (uint64_t i = 0; i < rows->n && i < 1000; i++)
        sl_agg_row(rows, i, &row);
    for (uint64_t i = 0; i < rows->n && i < 10; i++)
        (void)sl_agg_row_quantile(rows, i, 0.5);
    sl_agg_rows_free(rows);
}

static void stage(struct sl_agg *a, const struct sl_agg_spec *spec, int64_t n) {
    struct sl_addr address = {{0, 0, 0xffff, (uint32_t)n}};

    for (uint32_t i = 0; i < spec->parts + spec->of_parts; i++) {
        uint32_t type = spec->type[i] & 0xff;
        if (type == SL_AGG_ADDRESS || type == SL_AGG_PREFIX)
            sl_agg_key_a(a, &address);
        else if (type == SL_AGG_STRING)
            sl_agg_key_s(a, "texts of many lengths: 0123456789 0123456789 0123", (size_t)n);
        else
            sl_agg_key_n(a, (double)n);
    }
}

static void add_some(struct sl_agg *a) {
    struct sl_agg_stats stats;

    sl_agg_stats(a, &stats);
    for (int64_t n = 0; n < 50; n++) {
        struct sl_time ts = {n * 100000, 0};
        struct sl_packet p = {.ts = ts, .offset64 = (uint64_t)n};
        stage(a, &stats.spec, n);
        if (stats.spec.kind == SL_AGG_SERIES)
            sl_agg_add_t(a, &ts, (double)n);
        else if (stats.spec.kind == SL_AGG_DISTINCT)
            sl_agg_add_d(a);
        else if (stats.spec.kind == SL_AGG_SAMPLE)
            sl_agg_add_p(a, &p);
        else
            sl_agg_add(a, (double)n);
    }
}

/* Those of whole flows have forms of their own. */
static void try_hosts(const uint8_t *data, size_t size) {
    struct sl_error err;
    struct sl_hosts *a = sl_hosts_from_bytes(data, size, &err), *b;
    uint8_t *again;
    size_t n;

    if (!a)
        return;
    must(!sl_hosts_to_bytes(a, &again, &n, &err));
    must(n == size && !memcmp(again, data, size));
    sl_agg_bytes_free(again);
    b = sl_hosts_from_bytes(data, size, &err);
    for (uint32_t i = 0; b && i < 50; i++) {
        struct sl_flow f = {.src = {{0, 0, 0xffff, i}}, .first = {i * INT64_C(1000000), 0}};
        sl_hosts_add(b, &f);
    }
    if (b)
        (void)sl_hosts_merge(a, b, &err);
    for (uint32_t i = sl_hosts_rank(a, SL_HOSTS_BY_BYTES, 10); i > 0; i--)
        for (uint32_t k = 0; k < sl_hosts_bins(a); k++)
            (void)sl_hosts_flows_in(a, sl_hosts_at(a, i - 1), k);
    sl_hosts_free(a);
    sl_hosts_free(b);
}

static void try_largest(const uint8_t *data, size_t size) {
    struct sl_error err;
    struct sl_largest *a = sl_largest_from_bytes(data, size, &err), *b;
    uint8_t *again;
    size_t n;

    if (!a)
        return;
    must(!sl_largest_to_bytes(a, &again, &n, &err));
    must(n == size && !memcmp(again, data, size));
    sl_agg_bytes_free(again);
    b = sl_largest_from_bytes(data, size, &err);
    if (b)
        (void)sl_largest_merge(a, b, UINT64_MAX / 2, &err);
    (void)sl_largest_sort(a);
    sl_largest_free(a);
    sl_largest_free(b);
}

static void same_bytes(struct sl_agg *a, const uint8_t *data, size_t size) {
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
    try_hosts(bytes, size);
    try_largest(bytes, size);
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
