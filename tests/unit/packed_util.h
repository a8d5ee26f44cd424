/* Packed data for tests of what unpacks: each format through its own library, with checksums
 * wherever the format has them. */
#ifndef SL_TEST_PACKED_UTIL_H
#define SL_TEST_PACKED_UTIL_H

#include <lz4frame.h>
#include <lzma.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

enum { PACKED_MAX = 1 << 20, SMALL = 700, LARGE = 700 * 1024, GOT_MAX = 3 * LARGE };

struct bytes {
    uint8_t *data;
    size_t size;
};

static inline size_t pack_gzip(uint8_t *to, const uint8_t *from, size_t n) {
    z_stream z = {0};

    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    z.next_in = (Bytef *)(uintptr_t)from;
    z.avail_in = (uInt)n;
    z.next_out = to;
    z.avail_out = PACKED_MAX;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    assert_int_equal(deflateEnd(&z), Z_OK);
    return PACKED_MAX - z.avail_out;
}

static inline size_t pack_zstd(uint8_t *to, const uint8_t *from, size_t n) {
    ZSTD_CCtx *c = ZSTD_createCCtx();
    size_t size;

    assert_false(ZSTD_isError(ZSTD_CCtx_setParameter(c, ZSTD_c_checksumFlag, 1)));
    size = ZSTD_compress2(c, to, PACKED_MAX, from, n);
    assert_false(ZSTD_isError(size));
    (void)ZSTD_freeCCtx(c);
    return size;
}

static inline size_t pack_lz4(uint8_t *to, const uint8_t *from, size_t n) {
    LZ4F_preferences_t how = {.frameInfo = {.blockSizeID = LZ4F_max64KB,
                                            .contentChecksumFlag = LZ4F_contentChecksumEnabled,
                                            .blockChecksumFlag = LZ4F_blockChecksumEnabled}};
    size_t size = LZ4F_compressFrame(to, PACKED_MAX, from, n, &how);

    assert_false(LZ4F_isError(size));
    return size;
}

static inline size_t pack_xz(uint8_t *to, const uint8_t *from, size_t n) {
    size_t size = 0;

    assert_int_equal(
        lzma_easy_buffer_encode(1, LZMA_CHECK_CRC64, NULL, from, n, to, &size, PACKED_MAX),
        LZMA_OK);
    return size;
}

static const struct format {
    const char *name;
    size_t (*pack)(uint8_t *to, const uint8_t *from, size_t n);
} formats[] = {{"gzip", pack_gzip}, {"zstd", pack_zstd}, {"lz4", pack_lz4}, {"xz", pack_xz}};

enum { FORMATS = sizeof formats / sizeof *formats };

/* Half noise, half text: some of it packs and some does not. */
static inline struct bytes make_plain(size_t size) {
    struct bytes plain = {malloc(size ? size : 1), size};
    uint32_t random = 1;

    assert_non_null(plain.data);
    for (size_t i = 0; i < size; i++) {
        random = random * 1664525 + 1013904223;
        plain.data[i] = i / 97 % 2 ? (uint8_t)(random >> 24) : (uint8_t)('a' + i % 7);
    }
    return plain;
}

static inline struct bytes pack(const struct format *format, struct bytes plain) {
    struct bytes packed = {malloc(PACKED_MAX), 0};

    assert_non_null(packed.data);
    packed.size = format->pack(packed.data, plain.data, plain.size);
    return packed;
}

static inline struct bytes join(struct bytes a, struct bytes b) {
    struct bytes both = {malloc(a.size + b.size + 1), a.size + b.size};

    assert_non_null(both.data);
    memcpy(both.data, a.data, a.size);
    memcpy(both.data + a.size, b.data, b.size);
    return both;
}

#endif
