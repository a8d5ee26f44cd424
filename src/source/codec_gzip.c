/* gzip (RFC 1952) through zlib. */
#define ZLIB_CONST /* it does not write to its input, and says so */
#include "codec.h"

#include <stdlib.h>
#include <zlib.h>

enum { GZIP_ONLY = 16 }; /* added to the window bits: no zlib or raw deflate data */

static void *gzip_open(void) {
    z_stream *z = calloc(1, sizeof *z);

    if (z && inflateInit2(z, MAX_WBITS + GZIP_ONLY) != Z_OK) {
        free(z);
        return NULL;
    }
    return z;
}

static enum sl_codec_result gzip_step(void *state, struct sl_codec_io *io, const char **why) {
    z_stream *z = state;
    /* zlib counts in unsigned int; what does not fit comes with the next step. */
    uInt in = io->in_n < UINT32_MAX ? (uInt)io->in_n : UINT32_MAX;
    uInt out = io->out_n < UINT32_MAX ? (uInt)io->out_n : UINT32_MAX;
    int result;

    z->next_in = io->in;
    z->avail_in = in;
    z->next_out = io->out;
    z->avail_out = out;
    result = inflate(z, Z_NO_FLUSH);
    sl_codec_moved(io, in - z->avail_in, out - z->avail_out);
    switch (result) {
    case Z_OK:
    case Z_BUF_ERROR: /* no progress without more input: no error */
        return SL_CODEC_OK;
    case Z_STREAM_END:
        (void)inflateReset(z);
        return SL_CODEC_MEMBER_END;
    default:
        *why = z->msg ? z->msg : zError(result);
        return SL_CODEC_ERROR;
    }
}

static void gzip_close(void *state) {
    if (state)
        (void)inflateEnd(state);
    free(state);
}

/* The third byte is the method, of which deflate is the only one. */
const struct sl_codec sl_codec_gzip = {
    .name = "gzip",
    .unpack = "zcat",
    .magic = {{0x00088b1f, 0x00ffffff}},
    .open = gzip_open,
    .step = gzip_step,
    .close = gzip_close,
};
