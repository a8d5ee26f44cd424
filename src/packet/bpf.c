#include "bpf.h"

#include "decode.h"
#include "names.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PROGRAMS_MAX = 64, SNAPLEN = 262144 };

struct program {
    uint32_t link_type;
    struct bpf_program code;
};

struct sl_bpf {
    char *expression;
    struct program programs[PROGRAMS_MAX];
    uint32_t n, last; /* last: the program that the packet before used */
};

/* An empty capture file in memory: of a file libpcap knows that its IPv6 may be of another system's
 * number (24, 28 and 30 in BSD loopback headers), of pcap_open_dead(3) not. */
static pcap_t *open_empty(uint32_t link_type, struct sl_error *err) {
    uint32_t header[] = {0xa1b2c3d4, 2 | 4 << 16, 0, 0, SNAPLEN, link_type};
    char why[PCAP_ERRBUF_SIZE] = "";
    FILE *file = fmemopen(header, sizeof header, "r");
    pcap_t *p = file ? pcap_fopen_offline(file, why) : NULL;

    if (!p) {
        sl_error_set(err, SL_EXIT_USAGE, "-f: link type %u: %s", link_type,
                     file ? why : strerror(errno));
        if (file)
            fclose(file);
    }
    return p;
}

static int add_program(struct sl_bpf *b, uint32_t link_type, struct sl_error *err) {
    struct program *p = &b->programs[b->n];
    int result = 0;

    if (b->n == PROGRAMS_MAX)
        return sl_error_set(err, SL_EXIT_USAGE, "-f: more than %d link types in one run",
                            PROGRAMS_MAX);
    pcap_t *dead = open_empty(link_type, err);
    if (!dead)
        return -1;
    p->link_type = link_type;
    if (pcap_compile(dead, &p->code, b->expression, 1, PCAP_NETMASK_UNKNOWN) < 0)
        result = sl_error_set(err, SL_EXIT_USAGE, "-f '%s': %s (link type %s)", b->expression,
                              pcap_geterr(dead),
                              sl_link_name(link_type) ? sl_link_name(link_type) : "?");
    else
        b->last = b->n++;
    pcap_close(dead);
    return result;
}

struct sl_bpf *sl_bpf_new(const char *expression, struct sl_error *err) {
    struct sl_bpf *b = calloc(1, sizeof *b);

    if (!b || !(b->expression = strdup(expression))) {
        free(b);
        sl_error_set(err, SL_EXIT_USAGE, "-f: out of memory");
        return NULL;
    }
    if (add_program(b, SL_LINK_ETHERNET, err) < 0) {
        sl_bpf_free(b);
        return NULL;
    }
    return b;
}

struct sl_bpf *sl_bpf_copy(const struct sl_bpf *b, struct sl_error *err) {
    return sl_bpf_new(b->expression, err);
}

void sl_bpf_free(struct sl_bpf *b) {
    if (!b)
        return;
    for (uint32_t i = 0; i < b->n; i++)
        pcap_freecode(&b->programs[i].code);
    free(b->expression);
    free(b);
}

int sl_bpf_test(struct sl_bpf *b, const struct sl_packet *p, struct sl_error *err) {
    if (b->programs[b->last].link_type != p->link_type) {
        uint32_t i = 0;
        while (i < b->n && b->programs[i].link_type != p->link_type)
            i++;
        b->last = i;
        if (i == b->n && add_program(b, p->link_type, err) < 0) {
            b->last = 0;
            return -1;
        }
    }
    return bpf_filter(b->programs[b->last].code.bf_insns, p->data, p->len, p->caplen) != 0;
}
