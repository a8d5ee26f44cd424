#include "format.h"

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
    {"\x1f\x8b", 2, "gzip data; unpack it into a pipe: zcat IN | sluice … -"},
    {"\x28\xb5\x2f\xfd", 4, "zstd data; unpack it into a pipe: zstdcat IN | sluice … -"},
    {"\x04\x22\x4d\x18", 4, "lz4 data; unpack it into a pipe: lz4cat IN | sluice … -"},
    {"\xfd\x37zXZ", 5, "xz data; unpack it into a pipe: xzcat IN | sluice … -"},
    {"PK\3\4", 4, "a zip archive; unpack it into a pipe: unzip -p IN | sluice … -"},
    {"<?xml", 5, "an XML document, perhaps a server's error page"},
    {"<!DOCTY", 7, "an HTML page, perhaps a server's error page"},
};

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

static int open_format(struct sl_reader *r, struct sl_error *err) {
    if (sl_buffer_more(&r->buffer, MAGIC_BYTES, OPEN_TIMEOUT_MS, err) == SL_MORE_ERROR)
        return -1;
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

struct sl_reader *sl_reader_open(struct sl_source *source, struct sl_error *err) {
    struct sl_reader *r = calloc(1, sizeof *r);

    if (!r) {
        sl_error_set(err, SL_EXIT_INPUT, "%s: out of memory", source->name);
        return NULL;
    }
    if (sl_buffer_init(&r->buffer, source, err) < 0 || open_format(r, err) < 0) {
        sl_reader_close(r);
        return NULL;
    }
    return r;
}

void sl_reader_close(struct sl_reader *r) {
    if (!r)
        return;
    if (r->format)
        r->format->free(r);
    sl_buffer_free(&r->buffer);
    free(r);
}

/* The input ended. That is well between two records, and a cut inside one. */
static int at_end(const struct sl_reader *r, struct sl_error *err) {
    size_t have = sl_buffer_size(&r->buffer);

    if (!have && !r->skip)
        return SL_READ_END;
    return sl_error_set(
        err, SL_EXIT_INPUT,
        "%s: the file ends at byte %llu, in the middle of the record that starts at "
        "byte %llu; the %llu packets before it were read",
        r->buffer.source->name, (unsigned long long)(r->buffer.offset + have),
        (unsigned long long)r->record, (unsigned long long)r->packets);
}

int sl_reader_next(struct sl_reader *r, struct sl_packet *packets, uint32_t max, int timeout_ms,
                   struct sl_error *err) {
    for (;;) {
        enum sl_more more;

        if (r->skip) {
            more = sl_buffer_skip(&r->buffer, &r->skip, timeout_ms, err);
        } else {
            int n = r->format->parse(r, packets, max, err);
            if (n) {
                r->packets += n > 0 ? (uint64_t)n : 0;
                return n;
            }
            r->record = r->buffer.offset; /* parse may have passed blocks without packets */
            if (r->skip)
                continue;
            more = sl_buffer_more(&r->buffer, r->want, timeout_ms, err);
        }
        switch (more) {
        case SL_MORE_OK:
            break;
        case SL_MORE_WAIT:
            return SL_READ_WAIT;
        case SL_MORE_END:
            return at_end(r, err);
        default:
            return SL_READ_ERROR;
        }
    }
}

const struct sl_reader_stats *sl_reader_stats(const struct sl_reader *r) {
    return &r->stats;
}
