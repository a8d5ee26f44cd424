#include "format.h"

#include "../source/ahead.h"
#include "../source/decompress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAGIC_BYTES = 8, OPEN_TIMEOUT_MS = -1 };

/* Formats that people hand in by mistake: named, so that the message can say what to do. */
static const struct foreign {
    const char *magic;
    size_t size;
    const char *what;
} foreign[] = {
    {"snoop\0\0\0", 8, "a Solaris snoop file; convert it: editcap -F pcap IN OUT"},
    {"GMBU", 4, "a Microsoft Network Monitor file; convert it: editcap -F pcapng IN OUT"},
    {"RTSS", 4, "a Network Monitor 1 file; convert it: editcap -F pcapng IN OUT"},
    {"TRSNIFF ", 8, "a Sniffer file; convert it: editcap -F pcap IN OUT"},
    {"BZh", 3, "bzip2 data; unpack it into a pipe: bzcat IN | sluice … -"},
    {"\x02\x21\x4c\x18", 4,
     "lz4 data of the legacy form; unpack it into a pipe: lz4cat IN | sluice … -"},
    {"PK\3\4", 4, "a zip archive; unpack it into a pipe: unzip -p IN | sluice … -"},
    {"<?xml", 5, "an XML document, perhaps a server's error page"},
    {"<!DOCTY", 7, "an HTML page, perhaps a server's error page"},
};

/* Errors name bytes. Of a compressed capture they are others than those of its file. */
static int in_unpacked(const struct sl_reader *r, struct sl_error *err) {
    size_t n = strlen(err->message);

    if (r->unpacked)
        snprintf(err->message + n, sizeof err->message - n, " (in the unpacked %s data)",
                 r->compression);
    return -1;
}

static int refuse(const struct sl_reader *r, struct sl_error *err) {
    const uint8_t *p = sl_buffer_at(&r->buffer);
    size_t n = sl_buffer_size(&r->buffer);
    const char *name = r->buffer.source->name;

    if (!n)
        return sl_error_set(err, SL_EXIT_INPUT, "%s: empty: no capture header at byte 0", name);
    for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++)
        if (n >= foreign[i].size && !memcmp(p, foreign[i].magic, foreign[i].size))
            return sl_error_set(err, SL_EXIT_INPUT, "%s: this is %s", name, foreign[i].what);
    char hex[3 * 4 + 1] = "";
    for (size_t i = 0; i < n && i < 4; i++)
        snprintf(hex + 3 * i, 4, "%02x ", p[i]);
    return sl_error_set(err, SL_EXIT_INPUT,
                        "%s: not a pcap or pcapng capture: it starts with the bytes %s", name, hex);
}

/* The wait for ever ends early for a signal only. */
static int first_bytes(struct sl_reader *r, struct sl_error *err) {
    switch (sl_buffer_more(&r->buffer, MAGIC_BYTES, OPEN_TIMEOUT_MS, err)) {
    case SL_MORE_ERROR:
        return -1;
    case SL_MORE_WAIT:
        return sl_error_set(err, SL_EXIT_INTERRUPTED, "%s: interrupted before its first bytes came",
                            r->buffer.source->name);
    default:
        return 0;
    }
}

static const char *compression_of(const struct sl_buffer *b) {
    return sl_compression_name(sl_buffer_at(b), sl_buffer_size(b));
}

/* Puts the unpacker between the source and the buffer, whose bytes it starts with. */
static int unpack(struct sl_reader *r, struct sl_error *err) {
    struct sl_buffer *b = &r->buffer;
    const char *compression = compression_of(b), *inside;
    struct sl_source *unpacking =
        sl_source_decompress_open(b->source, sl_buffer_at(b), sl_buffer_size(b), err);

    if (!unpacking || !(r->unpacked = sl_source_ahead_open(unpacking, err)))
        return -1;
    r->compression = compression;
    b->source = r->unpacked;
    b->end = 0;
    if (first_bytes(r, err) < 0)
        return -1;
    inside = compression_of(b);
    if (inside)
        return sl_error_set(err, SL_EXIT_INPUT,
                            "%s: this is %s data inside %s data, and only the outer ones are "
                            "unpacked here; do that into a pipe: %s -dc IN | sluice … -",
                            b->source->name, inside, compression, compression);
    return 0;
}

static int open_format(struct sl_reader *r, struct sl_error *err) {
    if (sl_buffer_size(&r->buffer) < 4)
        return refuse(r, err);
    switch (sl_load32(sl_buffer_at(&r->buffer), 0)) {
    case 0xa1b2c3d4:
    case 0xd4c3b2a1:
    case 0xa1b23c4d:
    case 0x4d3cb2a1:
    case 0xa1b2cd34:
    case 0x34cdb2a1:
        return sl_pcap_open(r, err);
    case 0x0a0d0d0a:
        return sl_pcapng_open(r, err);
    default:
        return refuse(r, err);
    }
}

static int open_source(struct sl_reader *r, struct sl_source *source, struct sl_error *err) {
    if (sl_buffer_init(&r->buffer, source, err) < 0 || first_bytes(r, err) < 0)
        return -1;
    r->size = source->size;
    if (compression_of(&r->buffer) && unpack(r, err) < 0)
        return -1;
    return open_format(r, err) < 0 ? in_unpacked(r, err) : 0;
}

struct sl_reader *sl_reader_open(struct sl_source *source, struct sl_error *err) {
    struct sl_reader *r = calloc(1, sizeof *r);

    if (!r) {
        sl_error_set(err, SL_EXIT_INPUT, "%s: out of memory", source->name);
        return NULL;
    }
    r->limit = UINT64_MAX;
    if (open_source(r, source, err) < 0) {
        sl_reader_close(r);
        return NULL;
    }
    return r;
}

int sl_reader_move(struct sl_reader *r, uint64_t offset, struct sl_error *err) {
    sl_buffer_restart(&r->buffer, offset);
    r->record = offset;
    r->skip = 0;
    r->passed_over = r->unknown = 0;
    return r->buffer.source->ops->seek(r->buffer.source, offset, err);
}

static int start_at(struct sl_reader *r, struct sl_source *source, uint64_t offset,
                    const struct sl_reader_state *state, struct sl_error *err) {
    if (!(r->state = state->format->copy(state->of_format)))
        return sl_error_set(err, SL_EXIT_INPUT, "%s: out of memory", source->name);
    r->format = state->format;
    r->limit = UINT64_MAX;
    r->size = source->size;
    if (sl_buffer_init(&r->buffer, source, err) < 0)
        return -1;
    return sl_reader_move(r, offset, err);
}

struct sl_reader *sl_reader_open_at(struct sl_source *source, uint64_t offset,
                                    const struct sl_reader_state *state, struct sl_error *err) {
    struct sl_reader *r = calloc(1, sizeof *r);

    if (!r) {
        sl_error_set(err, SL_EXIT_INPUT, "%s: out of memory", source->name);
        return NULL;
    }
    if (start_at(r, source, offset, state, err) < 0) {
        sl_reader_close(r);
        return NULL;
    }
    return r;
}

void sl_reader_passed_over(struct sl_reader *r) {
    r->passed_over = 1;
}

int sl_reader_go_back(struct sl_reader *r, uint64_t offset, struct sl_error *err) {
    r->queued = r->buffer.offset;
    sl_reader_limit(r, r->queued);
    return sl_reader_move(r, offset, err);
}

int sl_reader_can_seek(const struct sl_reader *r) {
    const struct sl_source *source = r->buffer.source;

    return !r->unpacked && source->ops->seek != NULL && !source->in_order;
}

void sl_reader_count_from(struct sl_reader *r, uint64_t packets) {
    r->packets = r->before = packets;
}

void sl_reader_limit(struct sl_reader *r, uint64_t end) {
    r->limit = r->buffer.enough = end;
}

uint64_t sl_reader_offset(const struct sl_reader *r) {
    return r->skip ? r->record : r->buffer.offset;
}

void sl_reader_close(struct sl_reader *r) {
    if (!r)
        return;
    if (r->format)
        r->format->free(r->state);
    sl_source_close(r->unpacked);
    sl_blocks_free(r->blocks);
    sl_buffer_free(&r->buffer);
    free(r);
}

/* The input ended. That is well between two records, and a cut inside one. */
static int at_end(const struct sl_reader *r, struct sl_error *err) {
    size_t have = sl_buffer_size(&r->buffer);

    if (!have && !r->skip)
        return SL_READ_END;
    sl_error_set(err, SL_EXIT_INPUT,
                 "%s: the file ends at byte %llu, in the middle of the record that starts at "
                 "byte %llu; packets read before it: %llu",
                 r->buffer.source->name, (unsigned long long)(r->buffer.offset + have),
                 (unsigned long long)r->record, (unsigned long long)r->packets);
    return in_unpacked(r, err);
}

int sl_reader_failed(const struct sl_reader *r, struct sl_error *err) {
    return in_unpacked(r, err);
}

int sl_reader_fetch(struct sl_reader *r, int timeout_ms, struct sl_error *err) {
    if (!r->skip) {
        r->record = r->buffer.offset; /* parse may have passed blocks without packets */
        if (sl_reader_at_limit(r))
            return SL_READ_END;
    }
    switch (r->skip ? sl_buffer_skip(&r->buffer, &r->skip, timeout_ms, err)
                    : sl_buffer_more(&r->buffer, r->want, timeout_ms, err)) {
    case SL_MORE_OK:
        return 1;
    case SL_MORE_WAIT:
        return SL_READ_WAIT;
    case SL_MORE_END:
        return at_end(r, err);
    default:
        return SL_READ_ERROR;
    }
}

int sl_reader_next(struct sl_reader *r, struct sl_packet *packets, uint32_t max, int timeout_ms,
                   struct sl_error *err) {
    for (;;) {
        int n = r->skip ? 0 : r->format->parse(r, packets, max, err);
        if (n < 0)
            return r->unknown ? SL_READ_UNKNOWN : sl_reader_failed(r, err);
        if (n) {
            if (r->packets == r->before)
                r->stats.own_time = !packets[0].no_time;
            r->packets += (uint64_t)n;
            return n;
        }
        n = sl_reader_fetch(r, timeout_ms, err);
        if (n <= 0)
            return n;
    }
}

int sl_reader_keep_blocks(struct sl_reader *r, struct sl_error *err) {
    struct sl_block only = {.kind = SL_BLOCK_INTERFACE};

    if (!(r->blocks = sl_blocks_new()))
        return sl_error_set(err, SL_EXIT_INPUT, "%s: out of memory", r->buffer.source->name);
    if (!r->format->describe)
        return 0;
    r->format->describe(r->state, &only.iface);
    return sl_blocks_add(r->blocks, &only, err);
}

struct sl_blocks *sl_reader_blocks(const struct sl_reader *r) {
    return r->blocks;
}

int sl_reader_is_pcapng(const struct sl_reader *r) {
    return !r->format->describe;
}

const struct sl_reader_stats *sl_reader_stats(const struct sl_reader *r) {
    return &r->stats;
}

uint64_t sl_reader_taken(const struct sl_reader *r) {
    return r->unpacked ? r->unpacked->packed : r->buffer.offset;
}

int64_t sl_reader_size(const struct sl_reader *r) {
    return r->size;
}
