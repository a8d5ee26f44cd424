/* Sources that unpack, and the one that reads ahead: the same bytes however they come in, members
 * behind one another, cuts, damage, and an end that does not hang. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "packed_util.h"
#include "source/ahead.h"
#include "source/decompress.h"

/* ---- unpacking ---- */

struct result {
    struct bytes got;
    ssize_t end; /* what the last read gave */
    uint64_t packed;
    struct sl_error err;
};

static struct sl_source *open_over(struct sl_source *memory, struct bytes packed, int ahead) {
    struct sl_error err;
    uint8_t first[SL_COMPRESSION_BYTES];
    size_t n = 0;
    struct sl_source *source;

    assert_true(packed.size >= sizeof first);
    while (n < sizeof first) {
        ssize_t more = memory->ops->read(memory, first + n, sizeof first - n, -1, &err);
        assert_true(more > 0);
        n += (size_t)more;
    }
    assert_non_null(sl_compression_name(first, n));
    source = sl_source_decompress_open(memory, first, n, &err);
    assert_non_null(source);
    if (ahead)
        source = sl_source_ahead_open(source, &err);
    assert_non_null(source);
    return source;
}

/* Input in pieces of `chunk`, output in pieces of `cap`. The caller frees got.data. */
static struct result read_all(struct bytes packed, size_t chunk, size_t cap, int ahead) {
    struct result r = {.got = {malloc(GOT_MAX), 0}};
    struct sl_source *memory = sl_source_memory_open(packed.data, packed.size, chunk, &r.err);
    struct sl_source *source = open_over(memory, packed, ahead);

    assert_non_null(r.got.data);
    while ((r.end = source->ops->read(source, r.got.data + r.got.size, cap, -1, &r.err)) > 0) {
        assert_true((size_t)r.end <= cap);
        r.got.size += (size_t)r.end;
        assert_true(r.got.size + cap <= GOT_MAX);
    }
    r.packed = source->packed;
    /* The end stays the end. */
    assert_int_equal(source->ops->read(source, r.got.data + r.got.size, cap, -1, &r.err), r.end);
    sl_source_close(source);
    sl_source_close(memory);
    return r;
}

static void assert_whole(struct result *r, struct bytes plain, struct bytes packed) {
    if (r->end)
        print_error("%s\n", r->err.message);
    assert_int_equal(r->end, 0);
    assert_int_equal(r->got.size, plain.size);
    assert_memory_equal(r->got.data, plain.data, plain.size);
    assert_int_equal(r->packed, packed.size);
    free(r->got.data);
}

static void assert_failed(struct result *r, struct bytes plain, const char *words) {
    assert_int_equal(r->end, -1);
    assert_int_equal(r->err.code, SL_EXIT_INPUT);
    if (!strstr(r->err.message, words))
        print_error("%s\n", r->err.message);
    assert_non_null(strstr(r->err.message, words));
    assert_true(r->got.size <= plain.size);
    assert_memory_equal(r->got.data, plain.data, r->got.size);
    free(r->got.data);
}

static void formats_are_told_by_magic(void **state) {
    (void)state;
    assert_null(sl_compression_name("", 0));
    assert_null(sl_compression_name("\x1f\x8b\x08", 3));
    assert_null(sl_compression_name("\x1f\x8b\x07\x00", 4)); /* a method that is not deflate */
    assert_null(sl_compression_name("\xd4\xc3\xb2\xa1", 4));
    assert_string_equal(sl_compression_name("\x5d\x2a\x4d\x18", 4), "zstd");
    for (int f = 0; f < FORMATS; f++) {
        struct bytes plain = make_plain(SMALL), packed = pack(&formats[f], plain);
        assert_string_equal(sl_compression_name(packed.data, packed.size), formats[f].name);
        free(plain.data);
        free(packed.data);
    }
}

static void pieces_make_no_difference(void **state) {
    static const size_t caps[] = {1, 7, 64, 4096};

    (void)state;
    for (int f = 0; f < FORMATS; f++) {
        struct bytes plain = make_plain(SMALL), packed = pack(&formats[f], plain);
        for (size_t chunk = 0; chunk <= packed.size; chunk += chunk < 40 ? 1 : 23)
            for (size_t c = 0; c < sizeof caps / sizeof *caps; c++) {
                struct result r = read_all(packed, chunk, caps[c], 0);
                assert_whole(&r, plain, packed);
            }
        free(plain.data);
        free(packed.data);
    }
}

static void large_ones_too(void **state) {
    static const size_t chunks[] = {0, 1000, 65537}, caps[] = {517, 512 * 1024};

    (void)state;
    for (int f = 0; f < FORMATS; f++) {
        struct bytes plain = make_plain(LARGE), packed = pack(&formats[f], plain);
        for (int i = 0; i < 12; i++) {
            struct result r = read_all(packed, chunks[i / 4], caps[i / 2 % 2], i % 2);
            assert_whole(&r, plain, packed);
        }
        free(plain.data);
        free(packed.data);
    }
}

static void empty_ones(void **state) {
    (void)state;
    for (int f = 0; f < FORMATS; f++) {
        struct bytes plain = make_plain(0), packed = pack(&formats[f], plain);
        for (size_t chunk = 0; chunk < 4; chunk++) {
            struct result r = read_all(packed, chunk, 10, chunk % 2);
            assert_whole(&r, plain, packed);
        }
        free(plain.data);
        free(packed.data);
    }
}

/* Member, empty member, member, zeros, member, zeros: as zcat and xzcat have it. */
static void members_follow_one_another(void **state) {
    uint8_t zeros[8] = {0};

    (void)state;
    for (int f = 0; f < FORMATS; f++) {
        struct bytes plain = make_plain(SMALL), none = {plain.data, 0}, padding = {zeros, 8};
        struct bytes a = pack(&formats[f], plain), b = pack(&formats[f], none);
        struct bytes parts[] = {a, b, a, padding, a, padding};
        struct bytes all = {malloc(1), 0}, all_plain = {malloc(3 * SMALL), 3 * SMALL};
        for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
            struct bytes longer = join(all, parts[i]);
            free(all.data);
            all = longer;
        }
        for (size_t i = 0; i < 3; i++)
            memcpy(all_plain.data + i * SMALL, plain.data, SMALL);
        for (size_t chunk = 0; chunk < 9; chunk++) {
            struct result r = read_all(all, chunk, 500, 0);
            assert_whole(&r, all_plain, all);
        }
        free(a.data);
        free(b.data);
        free(plain.data);
        free(all.data);
        free(all_plain.data);
    }
}

static void skippable_frames_are_skipped(void **state) {
    uint8_t skippable[] = {0x53, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 'x', 'y', 'z'};

    (void)state;
    for (int f = 1; f <= 2; f++) { /* zstd and lz4 have them, lz4 not as the first one */
        struct bytes plain = make_plain(SMALL), packed = pack(&formats[f], plain);
        struct bytes skip = {skippable, sizeof skippable}, behind = join(packed, skip);
        struct bytes all = f == 1 ? join(skip, behind) : join(behind, skip);
        for (size_t chunk = 0; chunk < 9; chunk++) {
            struct result r = read_all(all, chunk, 500, 0);
            assert_whole(&r, plain, all);
        }
        free(plain.data);
        free(packed.data);
        free(behind.data);
        free(all.data);
    }
}

static void a_cut_names_its_byte(void **state) {
    (void)state;
    for (int f = 0; f < FORMATS; f++) {
        struct bytes plain = make_plain(SMALL), packed = pack(&formats[f], plain);
        for (size_t at = SL_COMPRESSION_BYTES; at < packed.size; at++) {
            struct bytes cut = {packed.data, at};
            char words[64];
            (void)snprintf(words, sizeof words, "ends at its byte %zu, inside %s data", at,
                           formats[f].name);
            for (size_t chunk = 0; chunk < 2; chunk++) {
                struct result r = read_all(cut, chunk, 4096, 0);
                assert_failed(&r, plain, words);
            }
        }
        free(plain.data);
        free(packed.data);
    }
}

/* Damage in the second member: the first is there in full. Behind damage a format may give wrong
 * bytes until its checksum comes, so these are not looked at. */
static void what_stands_before_damage_is_read(void **state) {
    (void)state;
    for (int f = 0; f < FORMATS; f++) {
        struct bytes plain = make_plain(LARGE), packed = pack(&formats[f], plain);
        struct bytes both = join(packed, packed);
        both.data[packed.size + packed.size / 2] ^= 0x55;
        for (int i = 0; i < 4; i++) {
            struct result r = read_all(both, i % 2 ? 1000 : 0, 65536, i / 2);
            assert_true(r.got.size > LARGE && r.got.size <= 2 * LARGE);
            assert_true(r.packed > packed.size && r.packed <= both.size);
            r.got.size = LARGE;
            assert_failed(&r, plain, "cannot be unpacked behind byte ");
        }
        free(plain.data);
        free(packed.data);
        free(both.data);
    }
}

/* Checksums catch every change but those of fields that say nothing about the data. */
static void flipped_bytes_do_no_harm(void **state) {
    (void)state;
    for (int f = 0; f < FORMATS; f++) {
        struct bytes plain = make_plain(SMALL), packed = pack(&formats[f], plain);
        size_t failed = 0;
        for (size_t at = SL_COMPRESSION_BYTES; at < packed.size; at++) {
            struct result one, other;
            packed.data[at] ^= (uint8_t)(1 + at % 255);
            one = read_all(packed, 0, 4096, 0);
            other = read_all(packed, 3, 100, 0);
            packed.data[at] ^= (uint8_t)(1 + at % 255);
            assert_int_equal(one.end, other.end);
            if (formats[f].pack == pack_gzip) /* of the others' damaged block it depends */
                assert_int_equal(one.got.size, other.got.size);
            if (other.got.size < one.got.size)
                one.got.size = other.got.size;
            assert_memory_equal(one.got.data, other.got.data, one.got.size);
            failed += one.end < 0;
            free(one.got.data);
            free(other.got.data);
        }
        assert_true(failed >= packed.size - 16);
        free(plain.data);
        free(packed.data);
    }
}

static void other_bytes_behind_are_an_error(void **state) {
    (void)state;
    for (int f = 0; f < FORMATS; f++) {
        struct bytes plain = make_plain(SMALL), packed = pack(&formats[f], plain);
        uint8_t text[] = "no more";
        for (size_t n = 1; n < sizeof text; n++) {
            struct bytes all = join(packed, (struct bytes){text, n});
            struct result r = read_all(all, n % 3, 4096, 0);
            char words[64];
            (void)snprintf(words, sizeof words, ": byte %zu of the compressed input", packed.size);
            assert_int_equal(r.got.size, plain.size);
            assert_failed(&r, plain, words);
            free(all.data);
        }
        free(plain.data);
        free(packed.data);
    }
}

/* Frames that ask for windows of 256 MiB: refused before the memory is taken. */
static void large_windows_are_refused(void **state) {
    struct bytes plain = make_plain(SMALL), packed = {malloc(PACKED_MAX), 0};
    ZSTD_CCtx *c = ZSTD_createCCtx();
    ZSTD_inBuffer in = {plain.data, plain.size, 0};
    ZSTD_outBuffer out = {packed.data, PACKED_MAX, 0};
    struct result r;

    (void)state;
    (void)ZSTD_CCtx_setParameter(c, ZSTD_c_windowLog, 28);
    assert_false(ZSTD_isError(ZSTD_compressStream2(c, &out, &in, ZSTD_e_continue)));
    assert_int_equal(ZSTD_compressStream2(c, &out, &in, ZSTD_e_end), 0);
    packed.size = out.pos;
    (void)ZSTD_freeCCtx(c);
    r = read_all(packed, 0, 100, 0);
    assert_int_equal(r.got.size, 0);
    assert_failed(&r, plain, "more than 128 MiB; unpack them into a pipe: zstdcat --long=31");
    free(plain.data);
    free(packed.data);
}

/* ---- a pipe that gives little and then nothing ---- */

static void never_waits_while_it_has_bytes(void **state) {
    (void)state;
    for (int f = 0; f < FORMATS; f++)
        for (int ahead = 0; ahead < 2; ahead++) {
            struct bytes plain = make_plain(LARGE), packed = pack(&formats[f], plain);
            size_t half = packed.size / 2, got = 0;
            struct sl_error err;
            struct sl_source *pipe_source, *source;
            int fds[2], waits = 0;
            uint8_t buf[4096];
            assert_int_equal(pipe(fds), 0);
            assert_true(fcntl(fds[1], F_SETPIPE_SZ, PACKED_MAX) >= (int)half);
            pipe_source = sl_source_pipe_open(fds[0], "pipe", &err);
            assert_int_equal(write(fds[1], packed.data, half), half);
            source = open_over(pipe_source, packed, ahead);
            while (waits < 3) {
                ssize_t n = source->ops->read(source, buf, sizeof buf, 50, &err);
                assert_true(n > 0 || n == SL_SOURCE_WAIT);
                waits = n > 0 ? 0 : waits + 1;
                got += n > 0 ? (size_t)n : 0;
            }
            /* At least all blocks of 128 KiB but the one that is cut. */
            assert_true(got + 128 * 1024 > half && got > 40000);
            sl_source_close(source); /* the writer is still there: this must not hang */
            sl_source_close(pipe_source);
            assert_int_equal(close(fds[1]), 0);
            free(plain.data);
            free(packed.data);
        }
}

/* libzstd gives up on callers that ask many times without giving it anything. */
static void may_wait_for_long(void **state) {
    struct bytes plain = make_plain(SMALL), packed = pack(&formats[1], plain);
    struct sl_error err;
    struct sl_source *pipe_source, *source;
    int fds[2];
    uint8_t buf[2 * SMALL];

    (void)state;
    assert_int_equal(pipe(fds), 0);
    pipe_source = sl_source_pipe_open(fds[0], "pipe", &err);
    assert_int_equal(write(fds[1], packed.data, 20), 20);
    source = open_over(pipe_source, packed, 0);
    for (int i = 0; i < 100; i++)
        assert_int_equal(source->ops->read(source, buf, sizeof buf, 0, &err), SL_SOURCE_WAIT);
    assert_int_equal(write(fds[1], packed.data + 20, packed.size - 20), packed.size - 20);
    assert_int_equal(source->ops->read(source, buf, sizeof buf, -1, &err), SMALL);
    assert_memory_equal(buf, plain.data, SMALL);
    sl_source_close(source);
    sl_source_close(pipe_source);
    assert_int_equal(close(fds[1]), 0);
    free(plain.data);
    free(packed.data);
}

/* The thread stands before a full ring, in the middle of a member. */
static void close_does_not_wait_for_the_end(void **state) {
    struct bytes plain = make_plain(LARGE), packed = pack(&formats[1], plain), all = packed;
    struct sl_error err;
    uint8_t buf[10];

    (void)state;
    for (int i = 0; i < 5; i++) {
        struct bytes longer = join(all, packed);
        if (all.data != packed.data)
            free(all.data);
        all = longer;
    }
    for (int i = 0; i < 100; i++) {
        struct sl_source *memory = sl_source_memory_open(all.data, all.size, 0, &err);
        struct sl_source *source = open_over(memory, all, 1);
        if (i % 2)
            assert_int_equal(source->ops->read(source, buf, sizeof buf, -1, &err), sizeof buf);
        if (i % 10 == 0)
            (void)usleep(5000);
        sl_source_close(source);
        sl_source_close(memory);
    }
    free(plain.data);
    free(packed.data);
    free(all.data);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formats_are_told_by_magic),
        cmocka_unit_test(pieces_make_no_difference),
        cmocka_unit_test(large_ones_too),
        cmocka_unit_test(empty_ones),
        cmocka_unit_test(members_follow_one_another),
        cmocka_unit_test(skippable_frames_are_skipped),
        cmocka_unit_test(a_cut_names_its_byte),
        cmocka_unit_test(what_stands_before_damage_is_read),
        cmocka_unit_test(flipped_bytes_do_no_harm),
        cmocka_unit_test(other_bytes_behind_are_an_error),
        cmocka_unit_test(large_windows_are_refused),
        cmocka_unit_test(never_waits_while_it_has_bytes),
        cmocka_unit_test(may_wait_for_long),
        cmocka_unit_test(close_does_not_wait_for_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
