#include "live.h"

#include <errno.h>
#include <grp.h>
#include <pcap/pcap.h>
#include <poll.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../packet/names.h"
#include "../source/name.h"
#include "encode.h"

enum { SNAPLEN = 262144, KERNEL_BUFFER_BYTES = 16 * 1024 * 1024, WAIT_MS = 100 };

struct live {
    struct sl_source base;
    pcap_t *pcap;
    int nsec;
    double until_s; /* on the monotonic clock; 0: for ever */
    uint8_t *bytes; /* made and not read: [at, n) */
    size_t at, n, room;
    int no_memory;
};

static double now_s(void) {
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static uint8_t *make_room(struct live *l, size_t size) {
    if (l->room - l->n < size) {
        size_t room = 2 * l->room + size;
        uint8_t *grown = realloc(l->bytes, room);
        if (!grown)
            return NULL;
        l->bytes = grown;
        l->room = room;
    }
    return l->bytes + l->n;
}

static void take_packet(u_char *user, const struct pcap_pkthdr *h, const u_char *data) {
    struct live *l = (struct live *)(void *)user;
    struct sl_packet p = {
        .ts = {h->ts.tv_sec, (uint32_t)(l->nsec ? h->ts.tv_usec : h->ts.tv_usec * 1000)},
        .caplen = h->caplen,
        .len = h->len};
    uint8_t *to = make_room(l, SL_PCAP_RECORD_BYTES + h->caplen);

    if (!to) {
        l->no_memory = 1;
        return;
    }
    sl_pcap_put_record(to, &p, l->nsec);
    memcpy(to + SL_PCAP_RECORD_BYTES, data, h->caplen);
    l->n += SL_PCAP_RECORD_BYTES + h->caplen;
}

/* Waits for packets and takes those that are there. A signal ends the wait as a timeout does. */
static int fill(struct live *l, int timeout_ms, struct sl_error *err) {
    struct pollfd wanted = {.fd = pcap_get_selectable_fd(l->pcap), .events = POLLIN};
    int n;

    if (timeout_ms < 0 || timeout_ms > WAIT_MS)
        timeout_ms = WAIT_MS;
    l->at = l->n = 0;
    if (poll(&wanted, 1, timeout_ms) < 0 && errno != EINTR)
        return sl_error_set(err, SL_EXIT_INPUT, "%s: %s", l->base.name, strerror(errno));
    n = pcap_dispatch(l->pcap, -1, take_packet, (u_char *)l);
    if (n < 0)
        return sl_error_set(err, SL_EXIT_INPUT, "%s: %s", l->base.name, pcap_geterr(l->pcap));
    if (l->no_memory)
        return sl_error_set(err, SL_EXIT_INPUT, "%s: out of memory for packets", l->base.name);
    return 0;
}

static ssize_t live_read(struct sl_source *source, void *buf, size_t cap, int timeout_ms,
                         struct sl_error *err) {
    struct live *l = (struct live *)source;

    if (l->at == l->n) {
        if (l->until_s > 0 && now_s() >= l->until_s)
            return 0;
        if (fill(l, timeout_ms, err) < 0)
            return -1;
        if (l->at == l->n)
            return SL_SOURCE_WAIT;
    }
    if (cap > l->n - l->at)
        cap = l->n - l->at;
    memcpy(buf, l->bytes + l->at, cap);
    l->at += cap;
    return (ssize_t)cap;
}

static void live_close(struct sl_source *source) {
    struct live *l = (struct live *)source;

    if (l->pcap)
        pcap_close(l->pcap);
    free(l->bytes);
    free(source->name);
    free(l);
}

static const struct sl_source_ops live_ops = {live_read, NULL, live_close, NULL};

static int activate(struct live *l, const struct sl_live_options *o, struct sl_error *err) {
    char why[PCAP_ERRBUF_SIZE] = "";
    int result;

    if (!(l->pcap = pcap_create(o->interface, why)))
        return sl_error_set(err, SL_EXIT_INPUT, "-i %s: %s", l->base.name, why);
    (void)pcap_set_snaplen(l->pcap, o->snaplen ? (int)o->snaplen : SNAPLEN);
    (void)pcap_set_promisc(l->pcap, !o->not_promiscuous);
    (void)pcap_set_timeout(l->pcap, WAIT_MS);
    (void)pcap_set_buffer_size(l->pcap, KERNEL_BUFFER_BYTES);
    l->nsec = pcap_set_tstamp_precision(l->pcap, PCAP_TSTAMP_PRECISION_NANO) == 0;
    result = pcap_activate(l->pcap);
    if (result < 0)
        return sl_error_set(err, SL_EXIT_INPUT, "-i %s: %s", l->base.name,
                            *pcap_geterr(l->pcap) ? pcap_geterr(l->pcap)
                                                  : pcap_statustostr(result));
    if (pcap_setnonblock(l->pcap, 1, why) < 0)
        return sl_error_set(err, SL_EXIT_INPUT, "-i %s: %s", l->base.name, why);
    return 0;
}

static int set_filter(struct live *l, const char *bpf, struct sl_error *err) {
    struct bpf_program code;
    int result = 0;

    if (pcap_compile(l->pcap, &code, bpf, 1, PCAP_NETMASK_UNKNOWN) < 0)
        return sl_error_set(err, SL_EXIT_USAGE, "-f '%s': %s", bpf, pcap_geterr(l->pcap));
    if (pcap_setfilter(l->pcap, &code) < 0)
        result = sl_error_set(err, SL_EXIT_INPUT, "-f '%s': %s", bpf, pcap_geterr(l->pcap));
    pcap_freecode(&code);
    return result;
}

/* What the reader sees first: a pcap's header. */
static int put_header(struct live *l, struct sl_error *err) {
    struct sl_interface iface = {.link_type = sl_link_of_dlt(pcap_datalink(l->pcap)),
                                 .snaplen = (uint32_t)pcap_snapshot(l->pcap)};
    uint8_t *to = make_room(l, SL_PCAP_HEADER_BYTES);

    if (!to)
        return sl_error_set(err, SL_EXIT_INPUT, "-i %s: out of memory", l->base.name);
    sl_pcap_put_header(to, &iface, l->nsec);
    l->n = SL_PCAP_HEADER_BYTES;
    return 0;
}

struct sl_source *sl_live_open(const struct sl_live_options *o, const char *bpf,
                               struct sl_error *err) {
    struct live *l = calloc(1, sizeof *l);
    char *name = sl_source_name_copy(o->interface);

    if (!l || !name) {
        sl_error_set(err, SL_EXIT_INPUT, "out of memory");
        free(l);
        free(name);
        return NULL;
    }
    l->base = (struct sl_source){.ops = &live_ops, .name = name, .size = -1};
    if (activate(l, o, err) < 0 || (bpf && set_filter(l, bpf, err) < 0) || put_header(l, err) < 0) {
        live_close(&l->base);
        return NULL;
    }
    if (o->duration_s > 0)
        l->until_s = now_s() + o->duration_s;
    return &l->base;
}

void sl_live_counters(struct sl_source *source, struct sl_live_counters *to) {
    struct pcap_stat stat = {0};

    (void)pcap_stats(((struct live *)source)->pcap, &stat);
    to->received = stat.ps_recv;
    to->dropped = stat.ps_drop;
    to->dropped_by_interface = stat.ps_ifdrop;
}

int sl_live_list(struct sl_out *out, struct sl_error *err) {
    char why[PCAP_ERRBUF_SIZE] = "";
    pcap_if_t *all, *i;
    int n = 0;

    if (pcap_findalldevs(&all, why) < 0)
        return sl_error_set(err, SL_EXIT_INPUT, "-D: %s", why);
    for (i = all; i; i = i->next) {
        char line[512];
        int size = snprintf(line, sizeof line, "%d. %s%s%s%s%s\n", ++n, i->name,
                            i->description ? " (" : "", i->description ? i->description : "",
                            i->description ? ")" : "", i->flags & PCAP_IF_UP ? "" : " [down]");
        (void)sl_out_write(out, line,
                           (size_t)(size < (int)sizeof line ? size : (int)sizeof line - 1));
    }
    pcap_freealldevs(all);
    return 0;
}

/* ---- privileges ---- */

static int become(uid_t uid, gid_t gid, const char *who, struct sl_error *err) {
    if (setgroups(0, NULL) != 0 || setgid(gid) != 0 || setuid(uid) != 0)
        return sl_error_set(err, SL_EXIT_USAGE, "cannot become %s: %s", who, strerror(errno));
    if (setuid(0) == 0) /* it must not be possible to come back */
        return sl_error_set(err, SL_EXIT_USAGE, "cannot give up root's rights");
    return 0;
}

/* The number in an environment variable; 0: there is none above 0. */
static uint32_t number_in(const char *variable) {
    const char *text = getenv(variable);
    char *end = NULL;
    unsigned long n = text ? strtoul(text, &end, 10) : 0;

    return text && *text && !*end && n < UINT32_MAX ? (uint32_t)n : 0;
}

int sl_drop_privileges(const char *user, struct sl_error *err) {
    uint32_t uid = number_in("SUDO_UID"), gid = number_in("SUDO_GID");

    if (geteuid() != 0)
        return 0;
    if (!user && uid && gid)
        return become((uid_t)uid, (gid_t)gid, "the user of sudo", err);
    const struct passwd *entry = getpwnam(user ? user : "nobody");
    if (!entry)
        return sl_error_set(err, SL_EXIT_USAGE, "-Z %s: there is no such user",
                            user ? user : "nobody");
    return entry->pw_uid ? become(entry->pw_uid, entry->pw_gid, entry->pw_name, err) : 0;
}
