#include "pack.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

enum { PACK_CHUNK = 128 * 1024, ZSTD_LEVEL = 3 };
enum pack_step { PACK_MORE, PACK_FLUSH, PACK_END };

/* A compression. code: takes size bytes, gives what it made of them to give(), and after PACK_FLUSH
 * or PACK_END holds nothing back. */
struct codec {
    const char *ending;
    int (*open)(struct sl_pack *);
    int (*code)(struct sl_pack *, const void *data, size_t size, enum pack_step);
    void (*close)(struct sl_pack *);
};

struct sl_pack {
    struct sl_out *out;
    const struct codec *codec; /* NULL: plain */
    z_stream gzip;
    ZSTD_CCtx *zstd;
    size_t used; /* of in */
    uint8_t *in, *made;
};

static int gzip_open(struct sl_pack *p) {
    return deflateInit2(&p->gzip, Z_DEFAULT_COMPRESSION, Z_DEFLATED, MAX_WBITS + 16, 8,
                        Z_DEFAULT_STRATEGY) == Z_OK
               ? 0
               : -1;
}

static int gzip_code(struct sl_pack *p, const void *data, size_t size, enum pack_step step) {
    static const int modes[] = {Z_NO_FLUSH, Z_SYNC_FLUSH, Z_FINISH};

    p->gzip.next_in = (Bytef *)(uintptr_t)data;
    p->gzip.avail_in = (uInt)size;
    do {
        p->gzip.next_out = p->made;
        p->gzip.avail_out = PACK_CHUNK;
        if (deflate(&p->gzip, modes[step]) == Z_STREAM_ERROR)
            return -1;
        if (sl_out_write(p->out, (const char *)p->made, PACK_CHUNK - p->gzip.avail_out) < 0)
            return -1;
    } while (!p->gzip.avail_out); /* room was left: nothing is held back */
    return 0;
}

static void gzip_close(struct sl_pack *p) {
    (void)deflateEnd(&p->gzip);
}

static int zstd_open(struct sl_pack *p) {
    p->zstd = ZSTD_createCCtx();
    if (!p->zstd)
        return -1;
    (void)ZSTD_CCtx_setParameter(p->zstd, ZSTD_c_compressionLevel, ZSTD_LEVEL);
    (void)ZSTD_CCtx_setParameter(p->zstd, ZSTD_c_checksumFlag, 1);
    return 0;
}

static int zstd_code(struct sl_pack *p, const void *data, size_t size, enum pack_step step) {
    static const ZSTD_EndDirective modes[] = {ZSTD_e_continue, ZSTD_e_flush, ZSTD_e_end};
    ZSTD_inBuffer in = {data, size, 0};
    size_t left;

    do {
        ZSTD_outBuffer made = {p->made, PACK_CHUNK, 0};
        left = ZSTD_compressStream2(p->zstd, &made, &in, modes[step]);
        if (ZSTD_isError(left) || sl_out_write(p->out, (const char *)p->made, made.pos) < 0)
            return -1;
    } while (step == PACK_MORE ? in.pos < in.size : left > 0);
    return 0;
}

static void zstd_close(struct sl_pack *p) {
    ZSTD_freeCCtx(p->zstd);
}

static const struct codec codecs[] = {{".gz", gzip_open, gzip_code, gzip_close},
                                      {".zst", zstd_open, zstd_code, zstd_close}};

static const struct codec *codec_of(const char *path) {
    size_t n = strlen(path);

    for (size_t i = 0; i < sizeof codecs / sizeof *codecs; i++) {
        size_t ending = strlen(codecs[i].ending);
        if (n > ending && !strcmp(path + n - ending, codecs[i].ending))
            return &codecs[i];
    }
    return NULL;
}

size_t sl_pack_stem(const char *path) {
    const struct codec *codec = codec_of(path);

    return strlen(path) - (codec ? strlen(codec->ending) : 0);
}

static int open_codec(struct sl_pack *p, const char *path, struct sl_error *err) {
    p->in = malloc(PACK_CHUNK);
    p->made = malloc(PACK_CHUNK);
    if (!p->in || !p->made || p->codec->open(p) < 0) {
        p->codec = NULL;
        return sl_error_set(err, SL_EXIT_USAGE, "%s: out of memory", path);
    }
    return 0;
}

struct sl_pack *sl_pack_open(const char *path, struct sl_error *err) {
    int to_stdout = !strcmp(path, "-");
    struct sl_pack *p = calloc(1, sizeof *p);
    struct sl_error closing;

    if (!p) {
        sl_error_set(err, SL_EXIT_USAGE, "%s: out of memory", path);
        return NULL;
    }
    p->codec = codec_of(path);
    p->out = sl_out_open(to_stdout ? NULL : path, err);
    if (!p->out) {
        free(p);
        return NULL;
    }
    if (p->codec && open_codec(p, path, err) < 0) {
        (void)sl_pack_close(p, 0, &closing);
        return NULL;
    }
    return p;
}

static int failed(const struct sl_pack *p, struct sl_error *err) {
    const struct sl_error *why = sl_out_error(p->out);

    if (!why->code)
        return sl_error_set(err, SL_EXIT_USAGE, "the output cannot be compressed: out of memory");
    *err = *why;
    return -1;
}

/* Hands the gathered bytes to the compression. */
static int code(struct sl_pack *p, enum pack_step step, struct sl_error *err) {
    size_t size = p->used;

    p->used = 0;
    return p->codec->code(p, p->in, size, step) < 0 ? failed(p, err) : 0;
}

int sl_pack_write(struct sl_pack *p, const void *data, size_t size, struct sl_error *err) {
    const uint8_t *from = data;

    if (!p->codec)
        return sl_out_write(p->out, data, size) < 0 ? failed(p, err) : 0;
    while (size) {
        size_t n = PACK_CHUNK - p->used < size ? PACK_CHUNK - p->used : size;
        memcpy(p->in + p->used, from, n);
        p->used += n;
        from += n;
        size -= n;
        if (p->used == PACK_CHUNK && code(p, PACK_MORE, err) < 0)
            return -1;
    }
    return 0;
}

int sl_pack_flush(struct sl_pack *p, struct sl_error *err) {
    if (p->codec && code(p, PACK_FLUSH, err) < 0)
        return -1;
    return sl_out_flush(p->out) < 0 ? failed(p, err) : 0;
}

int sl_pack_close(struct sl_pack *p, int keep, struct sl_error *err) {
    struct sl_error closing;
    int result = 0;

    if (!p)
        return 0;
    if (p->codec) {
        if (keep)
            result = code(p, PACK_END, err);
        p->codec->close(p);
    }
    (void)sl_out_flush(p->out); /* a failure is told by sl_out_close */
    int reader_left = sl_out_closed(p->out);
    if (sl_out_close(p->out, keep && !result, result ? &closing : err) < 0)
        result = -1;
    free(p->in);
    free(p->made);
    free(p);
    return reader_left ? 0 : result;
}

int sl_pack_reader_left(const struct sl_pack *p) {
    return sl_out_closed(p->out);
}
