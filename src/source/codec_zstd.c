/* Zstandard (RFC 8878) through libzstd. Skippable frames are passed over; a file may start with
 * one, as those of pzstd do. */
#include "codec.h"

#include <stdlib.h>
#include <zstd.h>
#include <zstd_errors.h>

enum { BLOCK_HEADER_BYTES = 3 };

struct zstd {
    ZSTD_DStream *stream;
    size_t first; /* input that starts a frame */
    size_t hint;  /* input that libzstd would like next: to the end of a block, and the header after
                     it */
};

static void zstd_close(void *state) {
    struct zstd *z = state;

    if (z)
        (void)ZSTD_freeDStream(z->stream);
    free(z);
}

static void *zstd_open(void) {
    struct zstd *z = calloc(1, sizeof *z);

    if (!z || !(z->stream = ZSTD_createDStream()) ||
        ZSTD_isError(z->first = ZSTD_initDStream(z->stream)) ||
        ZSTD_isError(ZSTD_DCtx_setParameter(z->stream, ZSTD_d_windowLogMax, SL_CODEC_WINDOW_LOG))) {
        zstd_close(z);
        return NULL;
    }
    z->hint = z->first;
    return z;
}

/* One block a step: a call that fails forgets what it gave before, so it shall not begin another
 * block, nor even meet that one's header. */
static size_t to_end_of_block(const struct zstd *z, size_t n) {
    size_t want = z->hint > BLOCK_HEADER_BYTES ? z->hint - BLOCK_HEADER_BYTES : z->hint;

    return want < n ? want : n;
}

static enum sl_codec_result zstd_step(void *state, struct sl_codec_io *io, const char **why) {
    struct zstd *z = state;
    ZSTD_inBuffer in = {io->in, to_end_of_block(z, io->in_n), 0};
    ZSTD_outBuffer out = {io->out, io->out_n, 0};
    size_t result = ZSTD_decompressStream(z->stream, &out, &in);

    sl_codec_moved(io, in.pos, out.pos);
    if (ZSTD_getErrorCode(result) == ZSTD_error_frameParameter_windowTooLarge)
        return SL_CODEC_WINDOW;
    if (ZSTD_isError(result)) {
        *why = ZSTD_getErrorName(result);
        return SL_CODEC_ERROR;
    }
    z->hint = result ? result : z->first;
    return result ? SL_CODEC_OK : SL_CODEC_MEMBER_END;
}

const struct sl_codec sl_codec_zstd = {
    .name = "zstd",
    .unpack = "zstdcat --long=31",
    .magic = {{0xfd2fb528, 0xffffffff}, {0x184d2a50, 0xfffffff0}},
    .open = zstd_open,
    .step = zstd_step,
    .close = zstd_close,
};
