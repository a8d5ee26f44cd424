/* What decompress.c asks of a compression library: bytes in, bytes out, one member at a time. A
 * member is what the library takes for a whole (gzip: member, zstd and lz4: frame, xz: stream); a
 * file may hold many, one behind the other.
 */
#ifndef SL_SOURCE_CODEC_H
#define SL_SOURCE_CODEC_H

#include "../types.h"

/* Data that want to look back further than this are refused: it is memory that the input asks for.
 * It is also what zstd's own tools allow without being asked. */
enum { SL_CODEC_WINDOW_LOG = 27, SL_CODEC_WINDOW_MIB = 128 };

enum { SL_CODEC_MAGIC_BYTES = 4 };

/* A step moves the pointers on and counts the sizes down. */
struct sl_codec_io {
    const uint8_t *in;
    size_t in_n;
    uint8_t *out;
    size_t out_n;
};

enum sl_codec_result {
    SL_CODEC_ERROR = -1,
    SL_CODEC_OK = 0,
    SL_CODEC_MEMBER_END = 1, /* the next step starts another member */
    SL_CODEC_WINDOW = 2      /* wants a window above SL_CODEC_WINDOW_MIB */
};

struct sl_codec {
    const char *name;   /* as the program is called that makes it and, with -t, tests it */
    const char *unpack; /* a command that also unpacks what is refused for its window */
    /* First bytes of a member, as a little-endian number, under a mask; {0, 0}: no second one. */
    struct sl_codec_magic {
        uint32_t value, mask;
    } magic[2];
    void *(*open)(void); /* the state of steps; NULL: out of memory */
    /* Unpacks some; with no input at hand it gives what it still holds. Neither input taken nor
     * output given: it needs more input. SL_CODEC_ERROR: *why says what is wrong (good until
     * close), and what was unpacked before that place has been given; no step may follow. */
    enum sl_codec_result (*step)(void *state, struct sl_codec_io *, const char **why);
    void (*close)(void *state); /* NULL is allowed */
};

extern const struct sl_codec sl_codec_gzip, sl_codec_zstd, sl_codec_lz4, sl_codec_xz;

static inline void sl_codec_moved(struct sl_codec_io *io, size_t in, size_t out) {
    io->in += in;
    io->in_n -= in;
    io->out += out;
    io->out_n -= out;
}

#endif
