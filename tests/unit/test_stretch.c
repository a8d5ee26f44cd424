/* Stretches of a pcap file, read ahead by others: what is cut is the same as if nobody did, and no
 * byte of the file is read twice. */
#include "records_util.h"

#include <unistd.h>

#include "../../src/capture/stretch.h"

enum { RECORDS = 4000, SPLIT = 16 * 1024, LOADS = 3, HUGE_BYTES = 100 * 1024 };

struct piece {
    uint64_t offset, before, bytes, packets;
};

/* Records of up to 2,000 bytes; every so many a huge one, none where huge is 0. */
static void make(struct bytes *b, uint32_t huge) {
    static const uint8_t content[HUGE_BYTES];
    uint32_t random = 1;

    pcap_header(b, 0);
    for (uint32_t i = 0; i < RECORDS; i++) {
        random = random * 1664525 + 1013904223;
        uint32_t size = huge && i % huge == huge - 1 ? HUGE_BYTES : random >> 8 & 2047;
        pcap_record(b, 0, 1000 + i, i, content, size);
    }
}

/* Loads what comes next into `loads` stretches, if they may be loaded, and cuts them; adds what was
 * cut to pieces. Returns how many these are. */
static uint32_t cut_some(struct sl_reader *r, struct sl_stretch *stretches, uint32_t loads,
                         struct piece *pieces) {
    uint64_t at = loads ? sl_reader_load_from(r) : 0;
    uint32_t ahead = at ? loads : 1, n = 0;
    struct sl_error err;

    for (uint32_t i = 0; at && i < ahead; i++, at = sl_stretch_end(at, SPLIT))
        sl_stretch_load(&stretches[i], r, at, SPLIT);
    for (int cut = 1; n < ahead; n++) {
        struct sl_stretch *s = &stretches[n];
        if ((cut = sl_reader_cut(r, s, SPLIT, -1, &err)) == SL_READ_END)
            break;
        assert_true(cut > 0);
        assert_int_equal(cut, s->packets);
        pieces[n] = (struct piece){s->offset, s->before, s->end - s->start, s->packets};
    }
    return n;
}

/* Cuts all of the file. Returns how many pieces these are, and how many bytes were read. */
static uint32_t cut_all(const char *path, uint32_t loads, struct piece *pieces, uint64_t *fetched) {
    struct sl_stretch stretches[LOADS] = {{0}};
    struct sl_error err;
    struct sl_source *source = sl_source_open(path, NULL, &err);
    assert_non_null(source);
    struct sl_reader *r = sl_reader_open(source, &err);
    uint32_t n = 0, some = 1;

    assert_non_null(r);
    for (; some > 0; n += some)
        some = cut_some(r, stretches, loads, pieces + n);
    *fetched = source->traffic.fetched;
    for (uint32_t i = 0; i < LOADS; i++)
        sl_stretch_free(&stretches[i]);
    sl_reader_close(r);
    sl_source_close(source);
    return n;
}

static void check(uint32_t huge, int reads_twice) {
    static struct piece alone[RECORDS], ahead[RECORDS];
    char path[] = "/tmp/sluice-unit-XXXXXX";
    struct bytes b = {0};
    uint64_t fetched, packets = 0;
    int fd = mkstemp(path);

    make(&b, huge);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, b.data, b.size), b.size);
    uint32_t n = cut_all(path, 0, alone, &fetched);
    assert_int_equal(fetched, b.size);
    for (uint32_t i = 0; i < n; i++) {
        assert_int_equal(alone[i].before, packets);
        packets += alone[i].packets;
    }
    assert_int_equal(packets, RECORDS);
    for (uint32_t loads = 1; loads <= LOADS; loads++) {
        assert_int_equal(cut_all(path, loads, ahead, &fetched), n);
        assert_memory_equal(ahead, alone, n * sizeof *alone);
        assert_true(reads_twice ? fetched >= b.size : fetched == b.size);
    }
    assert_int_equal(unlink(path), 0);
    assert_int_equal(close(fd), 0);
    free(b.data);
}

/* Records end where they like, and what a stretch leaves of them must not grow from one to the
 * next until it has no room. */
static void test_ordinary_records(void **state) {
    (void)state;
    check(0, 0);
}

/* They have no room before what was read ahead, which is read again then. */
static void test_huge_records(void **state) {
    (void)state;
    check(50, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ordinary_records),
        cmocka_unit_test(test_huge_records),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
