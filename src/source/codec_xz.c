/* xz (tukaani.org/xz/xz-file-format.txt) through liblzma. Checks of blocks, index and stream are
 * all made there. */
#include "codec.h"

#include <lzma.h>
#include <stdlib.h>

/* The dictionary, and some KiB for the decoder's own tables. */
static const uint64_t MEMORY_LIMIT = ((uint64_t)SL_CODEC_WINDOW_MIB + 1) << 20;

struct xz {
    lzma_stream stream;
    int started; /* a stream is being decoded */
};

static void *xz_open(void) {
    return calloc(1, sizeof(struct xz)); /* which is LZMA_STREAM_INIT */
}

static const char *words(lzma_ret result) {
    switch (result) {
    case LZMA_FORMAT_ERROR:
        return "not the start of an xz stream";
    case LZMA_OPTIONS_ERROR:
        return "it uses an option or filter that liblzma does not know";
    case LZMA_DATA_ERROR:
        return "the data are corrupt";
    case LZMA_MEM_ERROR:
        return "out of memory";
    default:
        return "liblzma failed";
    }
}

static enum sl_codec_result xz_step(void *state, struct sl_codec_io *io, const char **why) {
    struct xz *z = state;
    lzma_ret result = LZMA_OK;

    if (!z->started) /* memory of the stream before is used again */
        result = lzma_stream_decoder(&z->stream, MEMORY_LIMIT, 0);
    z->started = 1;
    if (result == LZMA_OK) {
        z->stream.next_in = io->in;
        z->stream.avail_in = io->in_n;
        z->stream.next_out = io->out;
        z->stream.avail_out = io->out_n;
        result = lzma_code(&z->stream, LZMA_RUN);
        sl_codec_moved(io, io->in_n - z->stream.avail_in, io->out_n - z->stream.avail_out);
    }
    switch (result) {
    case LZMA_OK:
    case LZMA_BUF_ERROR: /* no progress without more input: no error */
        return SL_CODEC_OK;
    case LZMA_STREAM_END:
        z->started = 0;
        return SL_CODEC_MEMBER_END;
    case LZMA_MEMLIMIT_ERROR:
        return SL_CODEC_WINDOW;
    default:
        *why = words(result);
        return SL_CODEC_ERROR;
    }
}

static void xz_close(void *state) {
    struct xz *z = state;

    if (z)
        lzma_end(&z->stream);
    free(z);
}

const struct sl_codec sl_codec_xz = {
    .name = "xz",
    .unpack = "xzcat",
    .magic = {{0x587a37fd, 0xffffffff}},
    .open = xz_open,
    .step = xz_step,
    .close = xz_close,
};
