#include "decompress.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "codec.h"
#include "name.h"

enum { INPUT_BYTES = 256 * 1024 };

_Static_assert((int)SL_COMPRESSION_BYTES == (int)SL_CODEC_MAGIC_BYTES,
               "one number for both layers");

/* A leading skippable frame is taken for zstd's, not lz4's: only pzstd starts files with one. */
static const struct sl_codec *const codecs[] = {&sl_codec_gzip, &sl_codec_zstd, &sl_codec_lz4,
                                                &sl_codec_xz};

struct decompress_source {
    struct sl_source base; /* its `packed`: offset of data[start] in the input */
    struct sl_source *input;
    const struct sl_codec *codec;
    void *state;
    uint8_t *data; /* [start, end): packed bytes that were read and not unpacked */
    size_t capacity, start, end;
    int between;           /* before the first member, or behind one */
    int input_ended;       /* the input has no byte behind data[end] */
    int dry;               /* the codec needs more input; it must not be asked without */
    int full;              /* the last step filled its output: the codec may hold more */
    struct sl_error error; /* code 0: none */
};

enum need { NEED_NOTHING, NEED_INPUT, ENDED, FAILED };

static int starts_member(const struct sl_codec *codec, const uint8_t *p, size_t n) {
    uint32_t start;

    if (n < SL_CODEC_MAGIC_BYTES)
        return 0;
    start = (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
    for (int i = 0; i < 2; i++)
        if (codec->magic[i].mask && (start & codec->magic[i].mask) == codec->magic[i].value)
            return 1;
    return 0;
}

static const struct sl_codec *find_codec(const void *first, size_t n) {
    for (size_t i = 0; i < sizeof codecs / sizeof *codecs; i++)
        if (starts_member(codecs[i], first, n))
            return codecs[i];
    return NULL;
}

const char *sl_compression_name(const void *first, size_t n) {
    const struct sl_codec *codec = find_codec(first, n);

    return codec ? codec->name : NULL;
}

/* ---- what can go wrong ---- */

static enum need cut_short(struct decompress_source *d) {
    (void)sl_error_set(&d->error, SL_EXIT_INPUT,
                       "%s: cut short: the compressed input ends at its byte %" PRIu64
                       ", inside %s data; what could be unpacked was read; get the rest of it",
                       d->base.name, d->base.packed, d->codec->name);
    return FAILED;
}

static enum need damaged(struct decompress_source *d, const char *why) {
    (void)sl_error_set(&d->error, SL_EXIT_INPUT,
                       "%s: the %s data cannot be unpacked behind byte %" PRIu64
                       " of the compressed input: %s; what stands before was read; %s -t tests it",
                       d->base.name, d->codec->name, d->base.packed, why, d->codec->name);
    return FAILED;
}

static enum need window_too_large(struct decompress_source *d) {
    (void)sl_error_set(&d->error, SL_EXIT_INPUT,
                       "%s: the %s data at byte %" PRIu64
                       " of the compressed input want a window of more than %d MiB; unpack them "
                       "into a pipe: %s IN | sluice … -",
                       d->base.name, d->codec->name, d->base.packed, SL_CODEC_WINDOW_MIB,
                       d->codec->unpack);
    return FAILED;
}

static enum need no_member(struct decompress_source *d) {
    (void)sl_error_set(&d->error, SL_EXIT_INPUT,
                       "%s: byte %" PRIu64
                       " of the compressed input, behind the end of %s data, starts no more of "
                       "them; everything before it was read; cut the input there",
                       d->base.name, d->base.packed, d->codec->name);
    return FAILED;
}

/* ---- reading ---- */

static enum need next_member(struct decompress_source *d) {
    while (d->start < d->end && !d->data[d->start]) {
        d->start++;
        d->base.packed++;
    }
    if (d->end - d->start < SL_CODEC_MAGIC_BYTES && !d->input_ended)
        return NEED_INPUT;
    if (d->start == d->end)
        return ENDED;
    if (!starts_member(d->codec, d->data + d->start, d->end - d->start))
        return no_member(d);
    d->between = d->dry = d->full = 0;
    return NEED_NOTHING;
}

/* One step of the codec. What it still holds is taken out first and without input, because
 * a step that meets damage may forget what it held. */
static enum sl_codec_result step(struct decompress_source *d, void *buf, size_t cap, size_t *gave,
                                 const char **why) {
    size_t have = d->full ? 0 : d->end - d->start;
    struct sl_codec_io io = {d->data + d->start, have, buf, cap};
    enum sl_codec_result result = d->codec->step(d->state, &io, why);

    d->start += have - io.in_n;
    d->base.packed += have - io.in_n;
    *gave = cap - io.out_n;
    if (result == SL_CODEC_OK && !d->full)
        d->dry = have == io.in_n && !*gave;
    d->full = !io.out_n;
    return result;
}

/* Fills buf as far as the bytes at hand go; *n: how many it gave, also before a failure. */
static enum need unpack(struct decompress_source *d, uint8_t *buf, size_t cap, size_t *n) {
    while (*n < cap && !d->dry) {
        const char *why = NULL;
        size_t gave;
        enum sl_codec_result result = step(d, buf + *n, cap - *n, &gave, &why);

        *n += gave;
        if (result == SL_CODEC_ERROR)
            return damaged(d, why);
        if (result == SL_CODEC_WINDOW)
            return window_too_large(d);
        if (result == SL_CODEC_MEMBER_END) {
            d->between = 1;
            return NEED_NOTHING;
        }
    }
    if (!d->dry)
        return NEED_NOTHING;
    return d->input_ended ? cut_short(d) : NEED_INPUT;
}

/* Reads on behind what is left, which is less than a magic. */
static ssize_t refill(struct decompress_source *d, int timeout_ms, struct sl_error *err) {
    size_t left = d->end - d->start;
    ssize_t n;

    memmove(d->data, d->data + d->start, left);
    d->start = 0;
    d->end = left;
    n = d->input->ops->read(d->input, d->data + left, d->capacity - left, timeout_ms, err);
    if (n > 0) {
        d->end += (size_t)n;
        d->dry = 0;
    } else if (n == 0) {
        d->input_ended = 1;
    }
    return n;
}

/* With a timeout it reads the input once at most: drops of input that give no output, for hours or
 * for gigabytes, must not keep the caller from looking whether it shall stop. */
static ssize_t decompress_read(struct sl_source *source, void *buf, size_t cap, int timeout_ms,
                               struct sl_error *err) {
    struct decompress_source *d = (struct decompress_source *)source;
    int waited = 0;

    for (;;) {
        size_t n = 0;
        enum need need = FAILED;

        if (!d->error.code)
            need = d->between ? next_member(d) : unpack(d, buf, cap, &n);
        if (n)
            return (ssize_t)n;
        if (need == FAILED) {
            *err = d->error;
            return -1;
        }
        if (need == ENDED)
            return 0;
        if (need == NEED_INPUT) {
            ssize_t got;
            if (waited && timeout_ms >= 0)
                return SL_SOURCE_WAIT;
            got = refill(d, timeout_ms, err);
            if (got < 0)
                return got;
            waited = 1;
        }
    }
}

static void decompress_close(struct sl_source *source) {
    struct decompress_source *d = (struct decompress_source *)source;

    d->codec->close(d->state);
    free(d->data);
    free(source->name);
    free(d);
}

static const struct sl_source_ops decompress_ops = {decompress_read, NULL, decompress_close, NULL};

struct sl_source *sl_source_decompress_open(struct sl_source *packed, const void *first, size_t n,
                                            struct sl_error *err) {
    struct decompress_source *d = calloc(1, sizeof *d);

    if (!d) {
        sl_error_set(err, SL_EXIT_INPUT, "%s: out of memory", packed->name);
        return NULL;
    }
    d->base = (struct sl_source){
        .ops = &decompress_ops, .name = sl_source_name_copy(packed->name), .size = -1};
    d->input = packed;
    d->codec = find_codec(first, n);
    d->state = d->codec->open();
    d->capacity = n > INPUT_BYTES ? n : INPUT_BYTES;
    d->data = malloc(d->capacity);
    if (!d->base.name || !d->state || !d->data) {
        sl_error_set(err, SL_EXIT_INPUT, "%s: out of memory", packed->name);
        decompress_close(&d->base);
        return NULL;
    }
    memcpy(d->data, first, n);
    d->end = n;
    d->between = 1;
    return &d->base;
}
