/* The layer between sources and the libraries that unpack. The same bytes are unpacked twice, in
 * pieces of different sizes: what comes out and how it ends may not depend on them. Reading stops
 * where small input claims to be gigabytes. */
#include <stdlib.h>
#include <string.h>

#include "../../src/source/decompress.h"

enum { ENOUGH = 1 << 20, PIECE = 64 * 1024 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int truth) {
    if (!truth)
        abort();
}

struct result {
    uint8_t *bytes;
    size_t n;
    ssize_t end;
};

static struct result unpack(const uint8_t *data, size_t size, size_t chunk, size_t cap) {
    struct result r = {malloc(ENOUGH), 0, 1};
    struct sl_error err = {0};
    struct sl_source *memory = sl_source_memory_open(data, size, chunk, &err);
    must(r.bytes && memory && memory->ops->seek(memory, SL_COMPRESSION_BYTES, &err) == 0);
    struct sl_source *source = sl_source_decompress_open(memory, data, SL_COMPRESSION_BYTES, &err);

    must(source != NULL);
    while (r.end > 0 && r.n + cap <= ENOUGH) {
        r.end = source->ops->read(source, r.bytes + r.n, cap, -1, &err);
        must(r.end <= (ssize_t)cap && r.end >= -1);
        must(source->packed <= size);
        r.n += r.end > 0 ? (size_t)r.end : 0;
    }
    must(r.end != 0 || source->packed == size);
    must(r.end != -1 || (err.code == SL_EXIT_INPUT && err.message[0]));
    sl_source_close(source);
    sl_source_close(memory);
    return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const char *format = sl_compression_name(data, size);

    if (!format)
        return 0;
    struct result whole = unpack(data, size, 0, PIECE);
    struct result pieces = unpack(data, size, 1 + size % 61, 1 + size % 4099);
    size_t both = whole.n < pieces.n ? whole.n : pieces.n;

    must(memcmp(whole.bytes, pieces.bytes, both) == 0);
    if (whole.end < 1 && pieces.end < 1) { /* both came to an end */
        must(whole.end == pieces.end);
        /* How much of a damaged block the other libraries give depends on the pieces. */
        must(whole.n == pieces.n || (whole.end == -1 && strcmp(format, "gzip") != 0));
    }
    free(whole.bytes);
    free(pieces.bytes);
    return 0;
}
