/* Readers that start anywhere: the places that resync proposes, and splits that are stitched. A
 * wrong place is allowed only where the stitching finds it out: reading in splits, as a run does
 * it, must give the packets of the whole. */
#include "records_util.h"

#include <glob.h>

enum { FILE_MAX = 4 * 1024 * 1024, EVERY_BYTE = 24 * 1024, TRIES = 700, JOINED_MAX = 2000 };

static const char *const real[] = {"*.pcap", "*.pcapng", NULL};
static const char *const any[] = {"*.pcap", "*.pcapng", "malformed/*", NULL};

/* Runs a test over the captures of ../shared that match; skips where there are none. */
static void each_capture(const char *const *patterns,
                         void (*test)(const struct bytes *, const char *path)) {
    const char *shared = getenv("SLUICE_SHARED");
    uint8_t *buffer = malloc(FILE_MAX);
    size_t tried = 0;

    assert_non_null(buffer);
    for (; *patterns; patterns++) {
        char pattern[4096];
        glob_t files;
        (void)snprintf(pattern, sizeof pattern, "%s/captures/%s", shared ? shared : "../shared",
                       *patterns);
        if (glob(pattern, 0, NULL, &files) != 0)
            continue;
        for (size_t i = 0; i < files.gl_pathc; i++, tried++) {
            FILE *file = fopen(files.gl_pathv[i], "rb");
            assert_non_null(file);
            struct bytes b = {.data = buffer, .size = fread(buffer, 1, FILE_MAX, file)};
            assert_int_equal(fclose(file), 0);
            test(&b, files.gl_pathv[i]);
        }
        globfree(&files);
    }
    free(buffer);
    if (!tried)
        skip();
    assert_true(tried > 30);
}

/* ---- where records begin, told by a second reader that trusts its input ---- */

static uint32_t number_at(const struct bytes *b, size_t at, int swap) {
    uint32_t v;

    if (at + 4 > b->size)
        return 0;
    memcpy(&v, b->data + at, 4);
    return swap ? __builtin_bswap32(v) : v;
}

static size_t record_size(const struct bytes *b, size_t at, int *swap) {
    static const uint32_t magics[] = {0xa1b2c3d4, 0xa1b23c4d, 0xa1b2cd34};

    for (int i = 0; i < 6; i++)
        if (number_at(b, 0, i % 2) == magics[i / 2])
            return (i / 2 == 2 ? 24 : 16) + (size_t)number_at(b, at + 8, i % 2);
    if (number_at(b, at, 0) == 0x0a0d0d0a)
        *swap = number_at(b, at + 8, 0) != 0x1a2b3c4d;
    return number_at(b, at + 4, *swap);
}

/* A byte for each byte of the capture: 1 where a record begins. */
static uint8_t *boundaries(const struct bytes *b) {
    uint8_t *is = calloc(b->size + 1, 1);
    int swap = 0;

    assert_non_null(is);
    for (size_t at = number_at(b, 0, 0) == 0x0a0d0d0a ? 0 : 24; at < b->size;) {
        size_t size = record_size(b, at, &swap);
        if (size < 12 || size > b->size - at)
            break;
        is[at] = 1;
        at += size;
    }
    return is;
}

/* ---- proposals ---- */

enum proposal { RIGHT, NONE, LATE, FALSE };

static enum proposal propose(const struct bytes *b, const struct sl_reader_state *state,
                             size_t from, enum sl_resync_chain chain, const uint8_t *is) {
    struct sl_error err = {0};
    struct sl_source *source = source_of(b);
    uint64_t found = 0;
    size_t truth = from;
    int result = sl_resync(source, state, from, b->size, chain, &found, &err);

    sl_source_close(source);
    while (truth < b->size && !is[truth])
        truth++;
    if (result == 0)
        return truth == b->size ? RIGHT : NONE;
    assert_int_equal(result, 1);
    assert_true(found >= from && found < b->size);
    if (found == truth)
        return RIGHT;
    return is[found] ? LATE : FALSE;
}

/* Late is what comes of packets whose times are a day from their neighbours', and of sections and
 * interfaces that the state does not know; false, where all times are 0, of zeros in a payload. */
static void check_proposals(const struct bytes *b, const char *path) {
    struct sl_reader_state *state;
    struct packets whole = read_whole(b, &state);
    uint8_t *is = boundaries(b);
    size_t n[FALSE + 1] = {0}, step = b->size > EVERY_BYTE ? b->size / TRIES : 7;

    assert_non_null(state);
    for (size_t from = (size_t)whole.at[0].offset; from < b->size; from += step)
        n[propose(b, state, from, from % 2 ? SL_RESYNC_SURE : SL_RESYNC_HINT, is)]++;
    if (n[FALSE] * 200 > n[RIGHT])
        fail_msg("%s: %zu places where no record begins", path, n[FALSE]);
    if (b->size > 256 * 1024 && whole.n > 1)
        assert_true(n[RIGHT] * 50 >= 49 * (n[RIGHT] + n[LATE] + n[NONE]));
    free(is);
    free(whole.at);
    sl_reader_state_free(state);
}

static void test_proposals(void **state) {
    (void)state;
    each_capture(real, check_proposals);
}

/* ---- splits ---- */

static void append(struct packets *to, const struct packets *from) {
    for (size_t i = 0; i < from->n; i++) {
        if (to->n == to->room)
            to->at = realloc(to->at, (to->room = 2 * to->room + 64) * sizeof *to->at);
        assert_non_null(to->at);
        to->at[to->n++] = from->at[i];
    }
    to->state = from->state;
    to->err = from->err;
}

struct stitched {
    struct packets packets;
    uint64_t reached;
    struct sl_reader_state *truth;
    size_t splits, again; /* of them read again */
};

static void read_next_split(const struct bytes *b, const struct sl_reader_state *assumed,
                            uint64_t from, uint64_t to, struct stitched *x) {
    struct sl_error err = {0};
    struct sl_source *source = source_of(b);
    uint64_t found = x->reached;
    int is = from == 0 || sl_resync(source, assumed, from, to, SL_RESYNC_SURE, &found, &err);

    sl_source_close(source);
    x->splits++;
    if (!is && x->reached >= to)
        return; /* no record begins in it */
    struct split s = read_split(b, is ? found : to, to, assumed, x->packets.n);
    if (s.began != x->reached || s.packets.state == SL_READ_ERROR ||
        !sl_reader_state_joins(assumed, x->truth, &s.stats)) {
        free_split(&s);
        s = read_split(b, x->reached, to, x->truth, x->packets.n);
        x->again++;
    }
    append(&x->packets, &s.packets);
    x->reached = s.ended;
    sl_reader_state_free(x->truth);
    x->truth = s.state;
    free(s.packets.at);
}

/* Everything right of the first packet is read from a proposed place in an assumed state, and again
 * from the true one where they differ. */
static size_t check_in_splits(const struct bytes *b, size_t size, size_t *splits) {
    struct sl_error err = {0};
    struct sl_reader_state *assumed;
    struct packets whole = read_whole(b, &assumed);
    struct stitched x = {0};

    if (assumed) {
        x.truth = sl_reader_state_copy(assumed, &err);
        x.reached = whole.at[0].offset;
        for (uint64_t from = 0; from < b->size && x.packets.state == 0; from += size)
            read_next_split(b, assumed, from, from + size, &x);
        must_be_equal(&whole, &x.packets);
    }
    sl_reader_state_free(x.truth);
    sl_reader_state_free(assumed);
    free(x.packets.at);
    free(whole.at);
    *splits = x.splits;
    return x.again;
}

static void check_splits(const struct bytes *b, const char *path) {
    static const size_t sizes[] = {4096, 4099, 65536};
    size_t splits;

    for (int i = 0; i < 3; i++) {
        size_t again = check_in_splits(b, sizes[i], &splits);
        if (splits > 100 && again > 1 + splits / 50 && !strstr(path, "malformed"))
            fail_msg("%s: %zu of %zu splits were read again", path, again, splits);
    }
}

static void test_splits(void **state) {
    (void)state;
    each_capture(any, check_splits);
}

/* ---- cuts at every boundary ---- */

static void check_boundary(const struct bytes *b, const struct packets *whole,
                           const struct sl_reader_state *assumed, size_t cut) {
    struct packets joined = {0};
    struct split left = read_split(b, whole->at[0].offset, whole->at[cut].offset, assumed, 0);
    struct split right = read_split(b, left.ended, UINT64_MAX, left.state, left.packets.n);

    assert_int_equal(left.packets.n, cut);
    assert_int_equal(left.packets.state, SL_READ_END);
    append(&joined, &left.packets);
    append(&joined, &right.packets);
    must_be_equal(whole, &joined);
    free(joined.at);
    free_split(&left);
    free_split(&right);
}

static void check_boundaries(const struct bytes *b, const char *path) {
    struct sl_reader_state *assumed;
    struct packets whole = read_whole(b, &assumed);

    (void)path;
    for (size_t cut = 0; cut < whole.n && whole.n < JOINED_MAX; cut++)
        check_boundary(b, &whole, assumed, cut);
    sl_reader_state_free(assumed);
    free(whole.at);
}

static void test_every_boundary(void **state) {
    (void)state;
    each_capture(any, check_boundaries);
}

/* ---- made captures ---- */

static void random_bytes(uint8_t *data, size_t n, uint64_t *seed) {
    for (size_t i = 0; i < n; i++)
        data[i] = (uint8_t)lots(seed);
}

/* Frames that end in zeros, of numbers, and of anything. */
static struct bytes ordinary_pcap(int swap, size_t packets) {
    struct bytes b = {0};
    uint8_t data[1500];
    uint64_t seed = 7;

    pcap_header(&b, swap);
    for (uint32_t i = 0; i < packets; i++) {
        uint32_t n = 14 + lots(&seed) % 1486;
        random_bytes(data, sizeof data, &seed);
        if (i % 3 == 0)
            memset(data + 14, 0, n - 14);
        for (uint32_t at = 0; i % 3 == 1 && at + 4 < n; at += 4)
            memcpy(data + at, (uint32_t[]){at / 4 % 99}, 4);
        pcap_record(&b, swap, 1600000000 + i / 7, i % 7 * 100000, data, n);
    }
    return b;
}

static void check_every_byte(const struct bytes *b) {
    struct sl_reader_state *state;
    struct packets whole = read_whole(b, &state);
    uint8_t *is = boundaries(b);

    for (size_t from = (size_t)whole.at[0].offset; from < b->size; from++)
        assert_int_equal(propose(b, state, from, SL_RESYNC_SURE, is), RIGHT);
    free(is);
    free(whole.at);
    sl_reader_state_free(state);
}

static void test_every_byte(void **state) {
    (void)state;
    for (int swap = 0; swap < 2; swap++) {
        struct bytes b = ordinary_pcap(swap, 30);
        check_every_byte(&b);
        free(b.data);
    }
}

/* A packet of 200 KiB holds a capture and then something else: chains end inside it. */
static void test_capture_in_a_packet(void **state) {
    (void)state;
    for (int swap = 0; swap < 2; swap++) {
        struct bytes inner = ordinary_pcap(swap, 270), outer = {0};
        struct sl_reader_state *assumed;
        size_t splits;
        assert_true(inner.size > 150000 && inner.size < SL_MAX_CAPLEN);
        put(&inner, "trailer", 7);
        pcap_header(&outer, swap);
        for (uint32_t i = 0; i < 8; i++)
            pcap_record(&outer, swap, 1600000000 + i, 0, inner.data, (uint32_t)inner.size);
        struct packets whole = read_whole(&outer, &assumed);
        uint8_t *is = boundaries(&outer);
        /* Not in the last packet: what ends exactly with the file may be short. */
        for (size_t from = 24; from < whole.at[7].offset; from += 997)
            assert_int_equal(propose(&outer, assumed, from, SL_RESYNC_SURE, is), RIGHT);
        (void)check_in_splits(&outer, 4096, &splits);
        free(is);
        free(whole.at);
        sl_reader_state_free(assumed);
        free(inner.data);
        free(outer.data);
    }
}

/* A TCP stream that carries a capture whose records leap over the headers of the outer one: a chain
 * of them is as long as the file, and only the stitching can tell. */
static void test_capture_that_fools(void **state) {
    struct bytes b = {0};
    uint8_t data[1000] = {0};
    size_t splits;

    (void)state;
    pcap_header(&b, 0);
    /* At 500 of each packet a header that leads to the same place of the next one. */
    memcpy(data + 500, (uint32_t[]){1600000000, 0, sizeof data, sizeof data}, 16);
    for (uint32_t i = 0; i < 1000; i++)
        pcap_record(&b, 0, 1600000000 + i, 0, data, sizeof data);
    assert_true(check_in_splits(&b, 4096, &splits) > splits / 4);
    free(b.data);
}

/* Interfaces with clocks and link types of their own, described late; sections of both byte orders;
 * blocks that are skipped; packets without time. */
static struct bytes odd_pcapng(void) {
    struct bytes b = {0};
    uint8_t data[800], *large = calloc(1, 700000);
    uint64_t seed = 3;

    assert_non_null(large);
    for (int part = 0; part < 6; part++) {
        int swap = part % 2;
        section(&b, swap);
        interface(&b, swap, 1, part % 3 ? 6 : 9);
        for (uint32_t i = 0; i < 60; i++) {
            uint32_t n = 20 + lots(&seed) % 780;
            random_bytes(data, n, &seed);
            if (i == 20)
                interface(&b, swap, 113, 3);
            if (i == 40 && part == 2)
                block(&b, swap, 0xbad, large, 700000);
            if (i % 9 == 8) {
                memcpy(data, (uint32_t[]){swap ? __builtin_bswap32(n - 4) : n - 4}, 4);
                block(&b, swap, 3, data, n);
            } else {
                enhanced(&b, swap, i > 20 && i % 2, 1600000000000 + i, data, n);
            }
        }
    }
    free(large);
    return b;
}

static void test_odd_pcapng(void **state) {
    static const size_t sizes[] = {512, 4096, 20001, 300000};
    struct bytes b = odd_pcapng();
    size_t splits;

    (void)state;
    for (int i = 0; i < 4; i++)
        (void)check_in_splits(&b, sizes[i], &splits);
    check_boundaries(&b, "");
    free(b.data);
}

/* ---- failure ---- */

static int broken_seek(struct sl_source *source, uint64_t offset, struct sl_error *err) {
    return sl_error_set(err, SL_EXIT_INPUT, "%s: no byte %llu", source->name,
                        (unsigned long long)offset);
}

static ssize_t broken_read(struct sl_source *source, void *buf, size_t cap, int timeout_ms,
                           struct sl_error *err) {
    (void)buf;
    (void)cap;
    (void)timeout_ms;
    return sl_error_set(err, SL_EXIT_INPUT, "%s: the line broke", source->name);
}

static int seek_well(struct sl_source *source, uint64_t offset, struct sl_error *err) {
    (void)source;
    (void)offset;
    (void)err;
    return 0;
}

static void test_sources_that_fail(void **state) {
    struct sl_source_ops no_seek = {broken_read, broken_seek, NULL, NULL};
    struct sl_source_ops no_read = {broken_read, seek_well, NULL, NULL};
    char name[] = "x";
    struct sl_source source = {.ops = &no_seek, .name = name, .size = -1};
    struct bytes b = ordinary_pcap(0, 3);
    struct sl_reader_state *assumed;
    struct packets whole = read_whole(&b, &assumed);
    struct sl_error err = {0};
    uint64_t found;

    (void)state;
    assert_int_equal(sl_resync(&source, assumed, 5, 99, SL_RESYNC_SURE, &found, &err), -1);
    assert_string_equal(err.message, "x: no byte 5");
    assert_null(sl_reader_open_at(&source, 7, assumed, &err));
    assert_string_equal(err.message, "x: no byte 7");
    source.ops = &no_read;
    assert_int_equal(sl_resync(&source, assumed, 5, 99, SL_RESYNC_SURE, &found, &err), -1);
    assert_string_equal(err.message, "x: the line broke");
    sl_reader_state_free(assumed);
    free(whole.at);
    free(b.data);
}

static void test_nothing_to_find(void **state) {
    struct bytes b = ordinary_pcap(0, 3);
    struct sl_reader_state *assumed;
    struct packets whole = read_whole(&b, &assumed);
    struct sl_source *source = source_of(&b);
    struct sl_error err = {0};
    uint64_t found;

    (void)state;
    assert_int_equal(sl_resync(source, assumed, 24, 24, SL_RESYNC_SURE, &found, &err), 0);
    assert_int_equal(sl_resync(source, assumed, b.size, b.size + 9, SL_RESYNC_SURE, &found, &err),
                     0);
    assert_int_equal(sl_resync(source, assumed, whole.at[1].offset + 1, whole.at[2].offset,
                               SL_RESYNC_SURE, &found, &err),
                     0);
    assert_int_equal(sl_resync(source, assumed, whole.at[1].offset + 1, whole.at[2].offset + 1,
                               SL_RESYNC_SURE, &found, &err),
                     1);
    assert_int_equal(found, whole.at[2].offset);
    sl_source_close(source);
    sl_reader_state_free(assumed);
    free(whole.at);
    free(b.data);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_proposals),           cmocka_unit_test(test_splits),
        cmocka_unit_test(test_every_boundary),      cmocka_unit_test(test_every_byte),
        cmocka_unit_test(test_capture_in_a_packet), cmocka_unit_test(test_capture_that_fools),
        cmocka_unit_test(test_odd_pcapng),          cmocka_unit_test(test_sources_that_fail),
        cmocka_unit_test(test_nothing_to_find),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
