/* The byte form: it comes back the same, and what is damaged or made up is refused. */
#include <zlib.h>

#include "aggregate_util.h"

enum { /* offsets in the form of a keyless aggregate named "test", see bytes.h */
       VERSION_AT = 4,
       KIND_AT = 6,
       ADDITIONS_AT = 60,
       ENTRIES_AT = 192,
       VALUE_AT = 200
};

static struct sl_agg *sample(uint32_t kind, const char *types, int n) {
    struct sl_agg_spec spec = spec_of(kind, types);
    uint32_t numbers[SL_AGG_MAX_FIELDS];
    struct sl_agg *a;
    uint64_t random = 42;

    spec.max_keys = 20;
    spec.keep = kind == SL_AGG_SAMPLE ? 5 : 0;
    spec.precision = kind == SL_AGG_DISTINCT ? 6 : 0;
    a = make(spec);
    for (int i = 0; i < n; i++) {
        for (uint32_t k = 0; k < SL_AGG_MAX_FIELDS; k++)
            numbers[k] = (uint32_t)random_below(&random, k < spec.parts ? 8 : 100);
        add_any(a, &spec, numbers, (struct sl_time){1700000000 + i, 0}, i);
    }
    return a;
}

static void seal(struct form f) {
    uint32_t crc = (uint32_t)crc32_z(0, f.bytes, f.size - 4);

    for (unsigned i = 0; i < 4; i++)
        f.bytes[f.size - 4 + i] = (uint8_t)(crc >> 8 * i);
}

/* Refused with a message, or read as exactly what the bytes say: nothing in between. */
static int accepted(struct form f) {
    struct sl_error err = {0};
    struct sl_agg *a = sl_agg_from_bytes(f.bytes, f.size, &err);
    struct form again;

    if (!a) {
        assert_true(err.message[0] != '\0');
        return 0;
    }
    again = form_of(a);
    assert_int_equal(again.size, f.size);
    assert_memory_equal(again.bytes, f.bytes, f.size);
    sl_agg_bytes_free(again.bytes);
    sl_agg_free(a);
    return 1;
}

static void refused_as(struct form f, const char *what) {
    struct sl_error err = {0};

    seal(f);
    assert_null(sl_agg_from_bytes(f.bytes, f.size, &err));
    if (!strstr(err.message, what))
        fail_msg("not \"%s\": %s", what, err.message);
}

static const struct {
    uint32_t kind;
    const char *types;
    int n;
} samples[] = {
    {SL_AGG_COUNT, "", 3},        {SL_AGG_SUM, "n", 30},       {SL_AGG_MIN, "a", 30},
    {SL_AGG_MAX, "nan", 99},      {SL_AGG_TOP, "nn", 300},     {SL_AGG_SERIES, "", 20},
    {SL_AGG_SERIES, "n", 9},      {SL_AGG_SUM, "aa", 0},       {SL_AGG_SERIES, "nn", 99},
    {SL_AGG_SUM, "s", 40},        {SL_AGG_MEAN, "", 0},        {SL_AGG_MEAN, "pc", 40},
    {SL_AGG_TOP, "sn", 90},       {SL_AGG_MEAN, "n", 9},       {SL_AGG_QUANTILE, "", 30},
    {SL_AGG_QUANTILE, "nn", 60},  {SL_AGG_HISTOGRAM, "s", 20}, {SL_AGG_HISTOGRAM, "nn", 70},
    {SL_AGG_DISTINCT, "n:a", 60}, {SL_AGG_DISTINCT, ":s", 5},  {SL_AGG_DISTINCT, "nn:n", 300},
    {SL_AGG_SAMPLE, ":sn", 9},    {SL_AGG_SAMPLE, "s:a", 40},  {SL_AGG_SAMPLE, "nn", 50},
    {SL_AGG_SERIES, "s", 9},
};
enum { SAMPLES = sizeof samples / sizeof *samples };

static void round_trip(void **state) {
    (void)state;
    for (size_t i = 0; i < SAMPLES; i++) {
        struct sl_agg *a = sample(samples[i].kind, samples[i].types, samples[i].n);
        struct form f = form_of(a);
        assert_int_equal(accepted(f), 1);
        sl_agg_bytes_free(f.bytes);
        sl_agg_free(a);
    }
}

static void every_damaged_bit_and_cut(void **state) {
    (void)state;
    for (size_t i = 0; i < SAMPLES; i++) {
        struct sl_agg *a = sample(samples[i].kind, samples[i].types, samples[i].n);
        struct form f = form_of(a);
        for (size_t bit = 0; bit < f.size * 8; bit++) {
            f.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
            assert_int_equal(accepted(f), 0);
            f.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
        for (size_t size = 0; size < f.size; size++) {
            /* a copy of its own, so that ASan sees a read past its end */
            struct form cut = {malloc(size + 1), size};
            memcpy(cut.bytes, f.bytes, size);
            assert_int_equal(accepted(cut), 0);
            if (size > 12) {
                seal(cut);
                assert_int_equal(accepted(cut), 0);
            }
            free(cut.bytes);
        }
        sl_agg_bytes_free(f.bytes);
        sl_agg_free(a);
    }
}

/* Somebody who can compute a CRC: still no crash, and no reading of what was not written. */
static void made_up_with_good_checksum(void **state) {
    uint64_t random = 7, good = 0;

    (void)state;
    for (int round = 0; round < 40000; round++) {
        size_t i = random_below(&random, SAMPLES);
        struct sl_agg *a = sample(samples[i].kind, samples[i].types, samples[i].n);
        struct form f = form_of(a);
        for (uint64_t n = 1 + random_below(&random, 4); n > 0; n--) {
            size_t at = random_below(&random, f.size);
            uint64_t how = random_below(&random, 4);
            f.bytes[at] = how == 0   ? 0
                          : how == 1 ? 0xff
                          : how == 2 ? (uint8_t)(f.bytes[at] + 1)
                                     : (uint8_t)random_next(&random);
        }
        seal(f);
        good += (uint64_t)accepted(f);
        sl_agg_bytes_free(f.bytes);
        sl_agg_free(a);
    }
    assert_in_range(good, 100, 39000); /* both outcomes were tried */
}

static void swap_entries(uint8_t *x, uint8_t *y, size_t size) {
    for (size_t i = 0; i < size; i++) {
        uint8_t swap = x[i];
        x[i] = y[i];
        y[i] = swap;
    }
}

static void keys_out_of_order_or_twice(void **state) {
    struct sl_agg *a = sample(SL_AGG_SUM, "n", 30);
    struct form f = form_of(a);
    uint8_t *last = f.bytes + f.size - 4 - 24, *before = last - 24;

    (void)state;
    swap_entries(before, last, 24);
    refused_as(f, "not in order");
    memcpy(before, last, 24);
    refused_as(f, "not in order");
    sl_agg_bytes_free(f.bytes);
    sl_agg_free(a);
}

static void put(uint8_t *at, uint64_t value, unsigned size) {
    for (unsigned i = 0; i < size; i++)
        at[i] = (uint8_t)(value >> 8 * i);
}

static void other_versions_kinds_and_counts(void **state) {
    struct sl_agg *a = sample(SL_AGG_COUNT, "", 3);
    struct form f = form_of(a);

    (void)state;
    put(f.bytes + ENTRIES_AT, UINT64_MAX, 8);
    refused_as(f, "ends too early");
    put(f.bytes + ENTRIES_AT, 0, 8);
    refused_as(f, "follows its end");
    put(f.bytes + ENTRIES_AT, 1, 8);
    put(f.bytes + VALUE_AT, UINT64_MAX, 8);
    put(f.bytes + VALUE_AT + 8, UINT64_MAX, 8); /* -1 in a count */
    refused_as(f, "out of range");
    put(f.bytes + VALUE_AT, 3, 8);
    put(f.bytes + VALUE_AT + 8, 0, 8);
    f.bytes[KIND_AT] = 77;
    refused_as(f, "no kind 77");
    f.bytes[KIND_AT] = SL_AGG_COUNT;
    f.bytes[VERSION_AT] = 1;
    refused_as(f, "version");
    sl_agg_bytes_free(f.bytes);
    sl_agg_free(a);
}

/* The largest sums that bytes may claim still cannot be merged past 128 bits. */
static void sums_cannot_overflow(void **state) {
    struct sl_agg *a = sample(SL_AGG_SUM, "", 3), *huge, *half, *more;
    struct form f = form_of(a);
    struct sl_error err = {0};
    double value;

    (void)state;
    put(f.bytes + VALUE_AT + 8, UINT64_C(1) << 62, 8);
    refused_as(f, "out of range"); /* 2^126 by three additions */
    put(f.bytes + ADDITIONS_AT, (UINT64_C(1) << 62) + 1, 8);
    refused_as(f, "counter is out of range");
    put(f.bytes + ADDITIONS_AT, UINT64_C(1) << 61, 8);
    put(f.bytes + VALUE_AT, 0, 8);
    put(f.bytes + VALUE_AT + 8, UINT64_C(1) << 60, 8); /* 2^124 by 2^61 additions: the most */
    seal(f);
    half = sl_agg_from_bytes(f.bytes, f.size, &err);
    huge = sl_agg_from_bytes(f.bytes, f.size, &err);
    more = sl_agg_from_bytes(f.bytes, f.size, &err);
    assert_non_null(half);
    assert_non_null(huge);
    assert_non_null(more);
    merge(huge, half); /* 2^62 additions, 2^125 */
    assert_int_equal(sl_agg_get(huge, &value), 1);
    assert_true(value == 0x1p125);
    assert_int_equal(sl_agg_merge(huge, more, &err), -1);
    assert_non_null(strstr(err.message, "2^62"));
    assert_int_equal(sl_agg_get(huge, &value), 1);
    assert_true(value == 0x1p125);
    sl_agg_bytes_free(f.bytes);
    sl_agg_free(a);
    sl_agg_free(half);
    sl_agg_free(huge);
    sl_agg_free(more);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip),
        cmocka_unit_test(every_damaged_bit_and_cut),
        cmocka_unit_test(made_up_with_good_checksum),
        cmocka_unit_test(keys_out_of_order_or_twice),
        cmocka_unit_test(other_versions_kinds_and_counts),
        cmocka_unit_test(sums_cannot_overflow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
