/* Every small capture of ../shared/captures, cut at each byte of the
 * first 2 KiB and at every seventh behind, in blocks of several sizes: all
 * packets that are whole before the cut come out as they do from the whole file, and none after. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>

#include "../../src/capture/reader.h"

enum { BATCH = 64, PACKETS_MAX = 512, FILE_MAX = 12 * 1024, EVERY_BYTE = 2048 };

struct seen {
    uint64_t offset;
    struct sl_time ts;
    uint32_t caplen, len;
};

struct capture {
    const uint8_t *data;
    size_t size;
    struct seen packets[PACKETS_MAX];
    size_t n;
};

/* Reads size bytes; returns the number of packets, -1 where not even the header could be read. */
static int read_packets(const uint8_t *data, size_t size, size_t chunk, struct seen *out,
                        int *state) {
    struct sl_error err = {0};
    struct sl_packet packets[BATCH];
    struct sl_source *source = sl_source_memory_open(data, size, chunk, &err);
    assert_non_null(source);
    struct sl_reader *reader = sl_reader_open(source, &err);
    int n, total = reader ? 0 : -1;

    *state = SL_READ_ERROR;
    while (reader && (n = *state = sl_reader_next(reader, packets, BATCH, -1, &err)) > 0)
        for (int i = 0; i < n && total < PACKETS_MAX; i++)
            out[total++] = (struct seen){packets[i].offset64, packets[i].ts, packets[i].caplen,
                                         packets[i].len};
    assert_true(*state == SL_READ_END || (*state == SL_READ_ERROR && err.message[0]));
    sl_reader_close(reader);
    sl_source_close(source);
    return total;
}

static void check_cut(const struct capture *whole, size_t cut, size_t chunk) {
    struct seen got[PACKETS_MAX];
    int state, n = read_packets(whole->data, cut, chunk, got, &state);

    for (int i = 0; i < n; i++) {
        const struct seen *want = &whole->packets[i];
        assert_true(got[i].offset == want->offset && got[i].caplen == want->caplen &&
                    got[i].len == want->len);
        assert_true(got[i].ts.s == want->ts.s && got[i].ts.nsec == want->ts.nsec);
        assert_true(got[i].offset + got[i].caplen < cut);
    }
    /* A packet whose successor has begun is whole. */
    for (size_t i = 0; i + 1 < whole->n && whole->packets[i + 1].offset <= cut; i++)
        assert_true(n > (int)i);
}

static uint8_t *load(const char *path, size_t *size) {
    FILE *file = fopen(path, "rb");
    uint8_t *data = malloc(FILE_MAX + 1);

    assert_non_null(file);
    assert_non_null(data);
    *size = fread(data, 1, FILE_MAX + 1, file);
    assert_int_equal(fclose(file), 0);
    return data;
}

static int cut_everywhere(const char *path) {
    static const size_t chunks[] = {0, 1, 13};
    struct capture whole = {0};
    size_t size;
    int state;
    uint8_t *data = load(path, &size);

    whole.data = data;
    whole.size = size;
    int fits = size <= FILE_MAX;
    if (fits) {
        int n = read_packets(data, size, 0, whole.packets, &state);
        whole.n = n > 0 ? (size_t)n : 0;
        for (size_t cut = 0; cut < size; cut += cut < EVERY_BYTE ? 1 : 7)
            check_cut(&whole, cut, chunks[cut % 3]);
    }
    free(data);
    return fits;
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
    for (size_t i = 0; i < files.gl_pathc; i++)
        tried += cut_everywhere(files.gl_pathv[i]);
    globfree(&files);
    assert_true(tried > 10);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_cut)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
