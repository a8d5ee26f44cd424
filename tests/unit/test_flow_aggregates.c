/* Aggregates of whole flows, hosts and the largest: merging gives the same bytes in any order and
 * grouping, past the bound what is stated holds, and no bytes from a stranger are believed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <zlib.h>

#include "aggregate/hosts.h"
#include "aggregate/largest.h"
#include "aggregate_util.h"

enum { FLOWS = 600, PARTS = 5, ROUNDS = 30 };

/* ---- one shape for both ---- */

struct kind {
    const char *name;
    uint32_t bound; /* that is never reached */
    void *(*create)(uint32_t, struct sl_error *);
    void (*free)(void *);
    void (*add)(void *, const struct sl_flow *);
    int (*merge)(void *, const void *, struct sl_error *);
    int (*to_bytes)(void *, uint8_t **, size_t *, struct sl_error *);
    void *(*from_bytes)(const uint8_t *, size_t, struct sl_error *);
};

static void *hosts_new(uint32_t n, struct sl_error *err) {
    return sl_hosts_new(n, err);
}

static void hosts_free(void *h) {
    sl_hosts_free(h);
}

static void hosts_add(void *h, const struct sl_flow *f) {
    sl_hosts_add(h, f);
}

static int hosts_merge(void *to, const void *from, struct sl_error *err) {
    return sl_hosts_merge(to, from, err);
}

static int hosts_to_bytes(void *h, uint8_t **bytes, size_t *size, struct sl_error *err) {
    return sl_hosts_to_bytes(h, bytes, size, err);
}

static void *hosts_from_bytes(const uint8_t *bytes, size_t size, struct sl_error *err) {
    return sl_hosts_from_bytes(bytes, size, err);
}

static void *largest_new(uint32_t n, struct sl_error *err) {
    return sl_largest_new(n, err);
}

static void largest_free(void *l) {
    sl_largest_free(l);
}

static void largest_add(void *l, const struct sl_flow *f) {
    sl_largest_add(l, f);
}

static int largest_merge(void *to, const void *from, struct sl_error *err) {
    return sl_largest_merge(to, from, 0, err);
}

static int largest_to_bytes(void *l, uint8_t **bytes, size_t *size, struct sl_error *err) {
    return sl_largest_to_bytes(l, bytes, size, err);
}

static void *largest_from_bytes(const uint8_t *bytes, size_t size, struct sl_error *err) {
    return sl_largest_from_bytes(bytes, size, err);
}

static const struct kind kinds[] = {
    {"hosts", 5000, hosts_new, hosts_free, hosts_add, hosts_merge, hosts_to_bytes,
     hosts_from_bytes},
    {"largest", 40, largest_new, largest_free, largest_add, largest_merge, largest_to_bytes,
     largest_from_bytes},
};
enum { KINDS = sizeof kinds / sizeof *kinds };

/* ---- flows ---- */

/* few: hosts, ports and sizes to choose from, so that many are equal. */
static struct sl_flow random_flow(uint64_t *random, uint32_t few, uint64_t number) {
    static const int64_t spans[] = {1, 1000, 100000, INT64_C(1) << 40};
    struct sl_flow f = {.src = {{0, 0, 0xffff, (uint32_t)random_below(random, few)}},
                        .dst = {{(uint32_t)random_below(random, 2), 0, 0xffff, 7}},
                        .sport = (uint16_t)random_below(random, few),
                        .proto = 17,
                        .ip_version = 4,
                        .letters = "Dd",
                        .rtt_ns = {-1, 5},
                        .number64 = number,
                        .duration = (double)random_below(random, 100) / 8};
    int64_t span = spans[random_below(random, random_below(random, 20) ? 3 : 4)];

    f.n_bytes[0] = random_below(random, few);
    f.n_bytes[1] = random_below(random, few);
    f.n_packets[0] = 1;
    f.first.s = (int64_t)random_below(random, 2 * (uint64_t)span) - span;
    f.first.nsec = (uint32_t)random_below(random, 1000000000);
    f.last = f.decided = (struct sl_time){f.first.s + 3, f.first.nsec};
    return f;
}

static void *make_one(const struct kind *k, uint32_t bound) {
    struct sl_error err;
    void *a = k->create(bound, &err);

    assert_non_null(a);
    return a;
}

static struct form form_one(const struct kind *k, void *a) {
    struct sl_error err;
    struct form f;

    assert_int_equal(k->to_bytes(a, &f.bytes, &f.size, &err), 0);
    return f;
}

static void assert_same_form(struct form a, struct form b) {
    assert_int_equal(a.size, b.size);
    assert_memory_equal(a.bytes, b.bytes, a.size);
}

/* Merges parts by way of their bytes, in a random order and grouping; frees them. */
static void *merge_anyhow(const struct kind *k, void **parts, uint32_t n, uint64_t *random) {
    struct sl_error err;

    while (n > 1) {
        uint32_t i = (uint32_t)random_below(random, n), j = (uint32_t)random_below(random, n - 1);
        j += j >= i;
        struct form f = form_one(k, parts[j]);
        void *again = k->from_bytes(f.bytes, f.size, &err);
        assert_non_null(again);
        assert_int_equal(k->merge(parts[i], again, &err), 0);
        k->free(again);
        k->free(parts[j]);
        sl_agg_bytes_free(f.bytes);
        parts[j] = parts[--n];
    }
    return parts[0];
}

static void any_order_gives_the_same_bytes(void **state) {
    (void)state;

    for (uint32_t round = 0; round < KINDS * ROUNDS; round++) {
        const struct kind *k = &kinds[round % KINDS];
        uint64_t random = round;
        void *whole = make_one(k, k->bound), *parts[PARTS];
        for (int i = 0; i < PARTS; i++)
            parts[i] = make_one(k, k->bound);
        for (uint32_t i = 0; i < FLOWS; i++) {
            struct sl_flow f = random_flow(&random, round % 3 ? 50 : 1000, i);
            k->add(whole, &f);
            k->add(parts[random_below(&random, PARTS - round % 2)], &f); /* one may stay empty */
        }
        void *merged = merge_anyhow(k, parts, PARTS, &random);
        struct form a = form_one(k, whole), b = form_one(k, merged);
        assert_same_form(a, b);
        sl_agg_bytes_free(a.bytes);
        sl_agg_bytes_free(b.bytes);
        k->free(whole);
        k->free(merged);
    }
}

static void another_bound_or_itself_is_refused(void **state) {
    (void)state;

    for (uint32_t i = 0; i < KINDS; i++) {
        const struct kind *k = &kinds[i];
        void *a = make_one(k, 10), *b = make_one(k, 11);
        struct sl_error err = {0};
        assert_int_equal(k->merge(a, b, &err), -1);
        assert_non_null(strstr(err.message, "differ"));
        assert_int_equal(k->merge(a, a, &err), -1);
        assert_non_null(strstr(err.message, "the same one"));
        k->free(a);
        k->free(b);
    }
}

/* ---- hosts past their bound ---- */

static struct sl_hosts *past_bound(uint64_t seed, uint64_t true_bytes[8]) {
    struct sl_error err;
    struct sl_hosts *h = sl_hosts_new(64, &err);
    uint64_t random = seed;

    assert_non_null(h);
    for (uint32_t i = 0; i < 3000; i++) {
        struct sl_flow f = random_flow(&random, 50, i);
        uint32_t large = i % 8;
        f.src.w[3] = 1000 + (uint32_t)random_below(&random, 100000);
        f.dst = (struct sl_addr){{0, 0, 0xffff, large}};
        sl_hosts_add(h, &f);
        true_bytes[large] += f.n_bytes[0] + f.n_bytes[1];
    }
    return h;
}

static void past_the_bound_either_way_and_within_the_error(void **state) {
    uint64_t true_bytes[8] = {0}, again[8] = {0};
    struct sl_hosts *a = past_bound(1, true_bytes), *b = past_bound(2, true_bytes);
    struct sl_hosts *c = past_bound(2, again), *d = past_bound(1, again);
    struct sl_error err;
    (void)state;

    assert_int_equal(sl_hosts_merge(a, b, &err), 0);
    assert_int_equal(sl_hosts_merge(c, d, &err), 0);
    struct form f = form_one(&kinds[0], a), g = form_one(&kinds[0], c);
    assert_same_form(f, g);
    assert_true(sl_hosts_dropped(a) > 0 && sl_hosts_count(a, SL_HOSTS_BY_BYTES) <= 64);
    assert_int_equal(sl_hosts_rank(a, SL_HOSTS_BY_BYTES, 8), 8);
    for (uint32_t i = 0; i < 8; i++) {
        const struct sl_host *x = sl_hosts_at(a, i);
        assert_true(x->addr.w[3] < 8);
        double bytes = (double)(x->n_sent[1] + x->n_received[1]);
        assert_true(bytes <= (double)true_bytes[x->addr.w[3]]);
        assert_true(bytes + sl_hosts_error(a) >= (double)true_bytes[x->addr.w[3]]);
    }
    sl_agg_bytes_free(f.bytes);
    sl_agg_bytes_free(g.bytes);
    sl_hosts_free(a);
    sl_hosts_free(b);
    sl_hosts_free(c);
    sl_hosts_free(d);
}

/* ---- the largest ---- */

static void largest_first_and_ties_by_time(void **state) {
    struct sl_error err;
    struct sl_largest *l = sl_largest_new(3, &err), *other = sl_largest_new(3, &err);
    uint64_t random = 7, last = UINT64_MAX;
    (void)state;

    for (uint32_t i = 0; i < 500; i++) {
        struct sl_flow f = random_flow(&random, 100, i);
        f.n_bytes[0] = i % 250;
        f.n_bytes[1] = 0;
        f.first = (struct sl_time){1000 - i, 0};
        f.head[0].size = 5;
        sl_largest_add(l, &f);
    }
    assert_int_equal(sl_largest_sort(l), 3);
    for (uint32_t i = 0; i < 3; i++) {
        const struct sl_flow *f = sl_largest_at(l, i);
        assert_true(f->n_bytes[0] <= last);
        last = f->n_bytes[0];
        assert_int_equal(f->head[0].size, 0);
    }
    assert_int_equal(sl_largest_at(l, 0)->n_bytes[0], 249);
    assert_int_equal(sl_largest_at(l, 0)->number64, 499); /* the later number, the earlier time */
    assert_int_equal(sl_largest_at(l, 1)->number64, 249);
    assert_int_equal(sl_largest_merge(other, l, 1000, &err), 0);
    assert_int_equal(sl_largest_sort(other), 3);
    assert_int_equal(sl_largest_at(other, 0)->number64, 1499);
    sl_largest_free(l);
    sl_largest_free(other);
}

/* ---- strangers' bytes ---- */

static void seal(struct form f) {
    uint32_t crc = (uint32_t)crc32_z(0, f.bytes, f.size - 4);

    for (unsigned i = 0; i < 4; i++)
        f.bytes[f.size - 4 + i] = (uint8_t)(crc >> 8 * i);
}

/* Refused with a message, or read as exactly what the bytes say. */
static int accepted(const struct kind *k, struct form f) {
    struct sl_error err = {0};
    void *a = k->from_bytes(f.bytes, f.size, &err);
    struct form again;

    if (!a) {
        assert_true(err.message[0] != '\0');
        return 0;
    }
    again = form_one(k, a);
    assert_same_form(again, f);
    sl_agg_bytes_free(again.bytes);
    k->free(a);
    return 1;
}

static struct form some(const struct kind *k) {
    void *a = make_one(k, k->bound);
    uint64_t random = 3;

    for (uint32_t i = 0; i < 60; i++) {
        struct sl_flow f = random_flow(&random, 20, i);
        k->add(a, &f);
    }
    struct form f = form_one(k, a);
    k->free(a);
    return f;
}

static void damage_is_refused(void **state) {
    (void)state;

    for (uint32_t i = 0; i < KINDS; i++) {
        struct form f = some(&kinds[i]);
        assert_true(accepted(&kinds[i], f));
        for (size_t at = 0; at < f.size; at += 1 + at / 50) {
            f.bytes[at] ^= 0x10;
            assert_false(accepted(&kinds[i], f));
            f.bytes[at] ^= 0x10;
            assert_false(accepted(&kinds[i], (struct form){f.bytes, at}));
        }
        sl_agg_bytes_free(f.bytes);
    }
}

static void made_up_with_a_good_checksum(void **state) {
    (void)state;

    for (uint32_t i = 0; i < KINDS; i++) {
        struct form f = some(&kinds[i]);
        uint32_t refused = 0, tried = 0;
        for (size_t at = 4; at < f.size - 4; at++) {
            for (int bit = 0; bit < 8; bit += 7) {
                f.bytes[at] ^= (uint8_t)(1 << bit);
                seal(f);
                refused += !accepted(&kinds[i], f);
                tried++;
                f.bytes[at] ^= (uint8_t)(1 << bit);
            }
        }
        assert_true(refused > 0 && refused < tried); /* a count may be another one */
        f.bytes[4] = 9;
        seal(f);
        struct sl_error err = {0};
        assert_null(kinds[i].from_bytes(f.bytes, f.size, &err));
        assert_non_null(strstr(err.message, "version"));
        sl_agg_bytes_free(f.bytes);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_order_gives_the_same_bytes),
        cmocka_unit_test(another_bound_or_itself_is_refused),
        cmocka_unit_test(past_the_bound_either_way_and_within_the_error),
        cmocka_unit_test(largest_first_and_ties_by_time),
        cmocka_unit_test(damage_is_refused),
        cmocka_unit_test(made_up_with_a_good_checksum),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
