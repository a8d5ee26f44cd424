#include "source.h"

#include <stdlib.h>
#include <string.h>

#include "name.h"

struct memory_source {
    struct sl_source base;
    const unsigned char *data; /* borrowed until close */
    size_t size;
    size_t chunk;  /* most bytes one read gives; 0: no limit */
    size_t offset; /* of the next byte; never beyond size */
};

static ssize_t memory_read(struct sl_source *source, void *buf, size_t cap, int timeout_ms,
                           struct sl_error *err) {
    struct memory_source *memory = (struct memory_source *)source;
    size_t n = memory->size - memory->offset;

    (void)timeout_ms;
    (void)err;
    if (n > cap)
        n = cap;
    if (memory->chunk && n > memory->chunk)
        n = memory->chunk;
    if (n) /* an empty source may have no data pointer */
        memcpy(buf, memory->data + memory->offset, n);
    memory->offset += n;
    return (ssize_t)n;
}

static int memory_seek(struct sl_source *source, uint64_t offset, struct sl_error *err) {
    struct memory_source *memory = (struct memory_source *)source;

    (void)err;
    memory->offset = offset < memory->size ? (size_t)offset : memory->size;
    return 0;
}

static void memory_close(struct sl_source *source) {
    free(source->name);
    free(source);
}

static const struct sl_source_ops memory_ops = {memory_read, memory_seek, memory_close, NULL};

struct sl_source *sl_source_memory_open(const void *data, size_t size, size_t chunk,
                                        struct sl_error *err) {
    struct memory_source *memory = calloc(1, sizeof *memory);
    char *name = sl_source_name_copy("memory");

    if (!memory || !name) {
        sl_error_set(err, SL_EXIT_INPUT, "out of memory");
        free(memory);
        free(name);
        return NULL;
    }
    memory->base = (struct sl_source){.ops = &memory_ops, .name = name, .size = (int64_t)size};
    memory->data = data;
    memory->size = size;
    memory->chunk = chunk;
    return &memory->base;
}
