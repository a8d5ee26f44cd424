/* LZ4 frames (github.com/lz4/lz4, doc/lz4_Frame_format.md) through liblz4. A block is at most 4
 * MiB, and looks back 64 KiB. */
#include "codec.h"

#include <lz4frame.h>
#include <stdlib.h>

enum { BLOCK_HEADER_BYTES = 4 };

struct lz4 {
    LZ4F_dctx *context;
    size_t hint; /* input that liblz4 would like next; 0: that of a new frame */
};

static void lz4_close(void *state) {
    struct lz4 *z = state;

    if (z)
        (void)LZ4F_freeDecompressionContext(z->context);
    free(z);
}

static void *lz4_open(void) {
    struct lz4 *z = calloc(1, sizeof *z);

    if (!z || LZ4F_isError(LZ4F_createDecompressionContext(&z->context, LZ4F_VERSION))) {
        lz4_close(z);
        return NULL;
    }
    return z;
}

/* One block a step, for the same reason as in codec_zstd.c. */
static size_t to_end_of_block(const struct lz4 *z, size_t n) {
    size_t hint = z->hint ? z->hint : LZ4F_MIN_SIZE_TO_KNOW_HEADER_LENGTH;
    size_t want = hint > BLOCK_HEADER_BYTES ? hint - BLOCK_HEADER_BYTES : hint;

    return want < n ? want : n;
}

static enum sl_codec_result lz4_step(void *state, struct sl_codec_io *io, const char **why) {
    struct lz4 *z = state;
    size_t in = to_end_of_block(z, io->in_n), out = io->out_n;
    size_t result = LZ4F_decompress(z->context, io->out, &out, io->in, &in, NULL);

    if (LZ4F_isError(result)) {
        *why = LZ4F_getErrorName(result);
        return SL_CODEC_ERROR;
    }
    sl_codec_moved(io, in, out);
    z->hint = result;
    return result ? SL_CODEC_OK : SL_CODEC_MEMBER_END;
}

const struct sl_codec sl_codec_lz4 = {
    .name = "lz4",
    .unpack = "lz4cat",
    .magic = {{0x184d2204, 0xffffffff}, {0x184d2a50, 0xfffffff0}},
    .open = lz4_open,
    .step = lz4_step,
    .close = lz4_close,
};
