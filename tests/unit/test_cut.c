/* Every capture of ../shared/captures, cut at each byte of its first 4 KiB and at 200 places behind
 * that random numbers chose (the same ones each time), in blocks of several sizes: all packets that
 * are whole before the cut come out as they do from the whole file, and none after; where the cut
 * is inside a record, the message says where that starts, or where the file ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>

#include "../../src/capture/reader.h"

enum { BATCH = 64, EVERY_BYTE = 4096, RANDOM_CUTS = 200, SMALL = 16 * 1024 };

struct seen {
    uint64_t offset;
    struct sl_time ts;
    uint32_t caplen, len;
};

struct capture {
    const uint8_t *data;
    size_t size;
    int compressed;
    struct seen *packets, *got; /* room for as many packets as there are bytes / 16 */
    size_t n;
};

/* Reads size bytes; returns the number of packets, -1 where not even the header could be read. */
static int64_t read_packets(const struct capture *c, size_t size, size_t chunk, struct seen *out,
                            struct sl_error *err) {
    struct sl_packet packets[BATCH];
    struct sl_source *source = sl_source_memory_open(c->data, size, chunk, err);
    assert_non_null(source);
    struct sl_reader *reader = sl_reader_open(source, err);
    int n = SL_READ_ERROR;
    int64_t total = reader ? 0 : -1;

    err->code = reader ? 0 : err->code;
    while (reader && (n = sl_reader_next(reader, packets, BATCH, -1, err)) > 0)
        for (int i = 0; i < n; i++)
            out[total++] = (struct seen){packets[i].offset64, packets[i].ts, packets[i].caplen,
                                         packets[i].len};
    assert_true(n == SL_READ_END || (n == SL_READ_ERROR && err->message[0]));
    sl_reader_close(reader);
    sl_source_close(source);
    return total;
}

/* One of the message's numbers lies from the last packet to the cut. */
static int names_a_place(const char *message, uint64_t from, uint64_t to) {
    for (const char *c = message; *c; c++) {
        char *end;
        if (*c < '0' || *c > '9')
            continue;
        uint64_t number = strtoull(c, &end, 10);
        if (number >= from && number <= to)
            return 1;
        c = end - 1;
    }
    return 0;
}

static void check_cut(const struct capture *whole, size_t cut, size_t chunk) {
    struct sl_error err = {0};

    if (!whole->packets || !whole->got)
        exit(1);
    int64_t n = read_packets(whole, cut, chunk, whole->got, &err);

    for (int64_t i = 0; i < n; i++) {
        const struct seen *want = &whole->packets[i], *got = &whole->got[i];
        assert_true(got->offset == want->offset && got->caplen == want->caplen &&
                    got->len == want->len);
        assert_true(got->ts.s == want->ts.s && got->ts.nsec == want->ts.nsec);
    }
    if (whole->compressed)
        return;
    uint64_t from = n > 0 ? whole->got[n - 1].offset + whole->got[n - 1].caplen : 0;
    assert_true(from < cut || n <= 0);
    assert_true(!err.code || n <= 0 || names_a_place(err.message, from, cut));
    /* A packet whose successor has begun is whole. */
    assert_true((size_t)(n > 0 ? n : 0) + 1 >= whole->n ||
                whole->packets[n > 0 ? n + 1 : 1].offset > cut);
}

static uint8_t *load(const char *path, size_t *size) {
    FILE *file = fopen(path, "rb");

    assert_non_null(file);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    long length = ftell(file);
    assert_true(length >= 0);
    rewind(file);
    uint8_t *data = malloc((size_t)length + 1);
    assert_non_null(data);
    *size = fread(data, 1, (size_t)length, file);
    assert_int_equal(*size, length);
    assert_int_equal(fclose(file), 0);
    return data;
}

/* Unpacking starts a thread, so compressed captures are cut at fewer places. */
static void cut_everywhere(const char *path) {
    static const size_t chunks[] = {0, 1, 13};
    struct capture whole = {0};
    struct sl_error err = {0};
    uint64_t random = 1;
    uint8_t *data = load(path, &whole.size);

    whole.data = data;
    whole.compressed = whole.size > 2 && data[0] == 0x1f && data[1] == 0x8b;
    size_t room = whole.compressed ? 1u << 20 : whole.size / 16 + 1;
    whole.packets = calloc(room, sizeof *whole.packets);
    whole.got = calloc(room, sizeof *whole.got);
    assert_true(whole.packets && whole.got);
    int64_t n = read_packets(&whole, whole.size, 0, whole.packets, &err);
    whole.n = n > 0 ? (size_t)n : 0;
    size_t step = whole.compressed ? 61 : 1;
    for (size_t cut = 0; cut < whole.size && cut < EVERY_BYTE; cut += step)
        check_cut(&whole, cut, chunks[cut % 3]);
    for (size_t i = 0; i < RANDOM_CUTS / step && whole.size > EVERY_BYTE; i++) {
        random = random * 6364136223846793005 + 1442695040888963407;
        size_t cut = EVERY_BYTE + (size_t)(random >> 33) % (whole.size - EVERY_BYTE);
        check_cut(&whole, cut, cut < SMALL ? chunks[i % 3] : 0);
    }
    free(whole.packets);
    free(whole.got);
    free(data);
}

static void test_every_cut(void **state) {
    const char *shared = getenv("SLUICE_SHARED");
    char pattern[4096];
    glob_t files;
    int tried = 0;

    (void)state;
    (void)snprintf(pattern, sizeof pattern, "%s/captures/{*.pcap*,malformed/*}",
                   shared ? shared : "../shared");
    if (glob(pattern, GLOB_BRACE, NULL, &files) != 0)
        skip();
    for (size_t i = 0; i < files.gl_pathc; i++, tried++)
        cut_everywhere(files.gl_pathv[i]);
    globfree(&files);
    assert_true(tried > 10);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_cut)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
