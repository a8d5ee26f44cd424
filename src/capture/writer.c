#include "writer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "../output/pack.h"
#include "flow_files.h"

enum { NAME_EXTRA = 64 }; /* of a row's names: number and time */

struct sl_writer {
    struct sl_write_options options;
    char *path, *folder; /* NULL: not wanted */
    struct sl_form *form;
    struct sl_flow_files *flows;

    struct sl_pack *file; /* the one that is open */
    char *name;           /* of it, in a row */
    uint64_t bytes, packets;
    struct sl_time first;
    uint32_t section; /* what of the form's head it has */
    size_t n_head;

    char **names; /* the last keep_files of a row, in a ring */
    uint64_t files;
    int left;
    struct sl_error error;
};

static int is_row(const struct sl_writer *w) {
    return w->options.split_bytes || w->options.split_packets || w->options.split_s > 0;
}

static int ends_with(const char *text, size_t n, const char *ending) {
    size_t size = strlen(ending);

    return n > size && !strncasecmp(text + n - size, ending, size);
}

static int wants_pcapng(const char *path, const struct sl_form_input *first) {
    size_t n = path ? sl_pack_stem(path) : 0;

    if (path && ends_with(path, n, ".pcapng"))
        return 1;
    if (path && (ends_with(path, n, ".pcap") || ends_with(path, n, ".cap")))
        return 0;
    return first->pcapng;
}

static int out_of_memory(struct sl_writer *w) {
    return sl_error_set(&w->error, SL_EXIT_USAGE, "-w: out of memory");
}

/* ---- files ---- */

static int open_file(struct sl_writer *w, const char *path) {
    w->file = sl_pack_open(path, &w->error);
    if (!w->file)
        return -1;
    w->bytes = w->packets = 0;
    w->n_head = 0;
    w->section = 0;
    w->files++;
    return 0;
}

/* "name_00001_20240501101500.pcap.gz" of "name.pcap.gz". */
static int name_in_row(struct sl_writer *w, struct sl_time t) {
    size_t size = strlen(w->path) + NAME_EXTRA, stem = sl_pack_stem(w->path), dot = stem;
    const char *slash = strrchr(w->path, '/');
    size_t start = slash ? (size_t)(slash - w->path) + 1 : 0;
    time_t seconds = (time_t)t.s;
    struct tm tm = {0};
    char stamp[32];

    while (dot > start && w->path[dot - 1] != '.')
        dot--;
    dot = dot > start + 1 ? dot - 1 : stem;
    if (!gmtime_r(&seconds, &tm) || !strftime(stamp, sizeof stamp, "%Y%m%d%H%M%S", &tm))
        (void)snprintf(stamp, sizeof stamp, "%lld", (long long)t.s);
    free(w->name);
    if (!(w->name = malloc(size)))
        return out_of_memory(w);
    (void)snprintf(w->name, size, "%.*s_%05llu_%s%s", (int)dot, w->path,
                   (unsigned long long)w->files + 1, stamp, w->path + dot);
    return 0;
}

/* Opens the next file of a row. Its name takes a place in the ring of the newest ones; the file
 * that had the place is deleted. */
static int next_in_row(struct sl_writer *w, struct sl_time t) {
    char **slot;

    if (name_in_row(w, t) < 0 || open_file(w, w->name) < 0)
        return -1;
    if (!w->options.keep_files)
        return 0;
    slot = &w->names[(w->files - 1) % w->options.keep_files];
    if (*slot && unlink(*slot) < 0 && errno != ENOENT)
        return sl_error_set(&w->error, SL_EXIT_USAGE, "%s: cannot delete: %s", *slot,
                            strerror(errno));
    free(*slot);
    *slot = strdup(w->name);
    return *slot ? 0 : out_of_memory(w);
}

static int put(struct sl_writer *w, const void *data, size_t n) {
    w->bytes += n;
    return sl_pack_write(w->file, data, n, &w->error);
}

/* Gives the open file what it lacks of the head, and blocks that stand between packets. */
static int catch_up(struct sl_writer *w, const struct sl_packet *p) {
    const struct sl_bytes *head = sl_form_head(w->form, p, &w->error);
    struct sl_bytes *loose = sl_form_loose(w->form);

    if (!head)
        return -1;
    if (w->section != sl_form_section(w->form)) {
        w->section = sl_form_section(w->form);
        w->n_head = 0;
    }
    if (head->n > w->n_head && put(w, head->at + w->n_head, head->n - w->n_head) < 0)
        return -1;
    w->n_head = head->n;
    if (loose->n && put(w, loose->at, loose->n) < 0)
        return -1;
    loose->n = 0;
    return 0;
}

/* What went wrong first is what is told. */
static int close_file(struct sl_writer *w, int keep) {
    struct sl_error err;
    int result = sl_pack_close(w->file, keep, &err);

    w->file = NULL;
    if (result < 0 && !w->error.code)
        w->error = err;
    return result;
}

static int is_full(const struct sl_writer *w, const struct sl_packet *p) {
    const struct sl_write_options *o = &w->options;

    return (o->split_packets && w->packets >= o->split_packets) ||
           (o->split_bytes && w->packets && w->bytes >= o->split_bytes) ||
           (o->split_s > 0 && w->packets &&
            (double)(p->ts.s - w->first.s) + ((double)p->ts.nsec - w->first.nsec) * 1e-9 >=
                o->split_s);
}

/* In a row: the file that the packet belongs to. */
static int choose_file(struct sl_writer *w, const struct sl_packet *p) {
    if (w->file && !is_full(w, p))
        return 0;
    if (w->file && close_file(w, 1) < 0)
        return -1;
    return next_in_row(w, p->ts);
}

/* ---- packets ---- */

static int take_blocks(struct sl_writer *w, const struct sl_packet *p) {
    int more;

    do {
        if (w->file && sl_form_write_first(w->form, p) && catch_up(w, NULL) < 0)
            return -1;
        more = sl_form_take(w->form, p, &w->error);
    } while (more > 0);
    return more;
}

static int put_packet(struct sl_writer *w, const struct sl_packet *p) {
    struct sl_piece piece;

    if (is_row(w) && choose_file(w, p) < 0)
        return -1;
    if (catch_up(w, p) < 0 || sl_form_packet(w->form, p, &piece, &w->error) < 0)
        return -1;
    if (!w->packets++)
        w->first = p->ts;
    if (piece.n_head && put(w, piece.head, piece.n_head) < 0)
        return -1;
    if (put(w, piece.body, piece.n_body) < 0)
        return -1;
    return piece.n_tail ? put(w, piece.tail, piece.n_tail) : 0;
}

static int add(struct sl_writer *w, const struct sl_packet *packets, const uint32_t *sel,
               uint32_t n) {
    for (uint32_t i = 0; i < n; i++) {
        const struct sl_packet *p = &packets[sel[i]];
        if (take_blocks(w, p) < 0)
            return -1;
        if (w->path && put_packet(w, p) < 0)
            return -1;
        if (w->flows && sl_flow_files_put(w->flows, w->form, p, &w->error) < 0)
            return -1;
    }
    return w->options.flush ? sl_writer_flush(w) : 0;
}

int sl_writer_add(struct sl_writer *w, const struct sl_packet *packets, const uint32_t *sel,
                  uint32_t n) {
    if (w->error.code)
        return -1;
    if (add(w, packets, sel, n) == 0)
        return 0;
    w->left = w->file && sl_pack_reader_left(w->file);
    return -1;
}

int sl_writer_flush(struct sl_writer *w) {
    if (w->error.code)
        return -1;
    if (w->flows && sl_flow_files_flush(w->flows, &w->error) < 0)
        return -1;
    if (!w->file)
        return 0;
    if (sl_pack_flush(w->file, &w->error) == 0)
        return 0;
    w->left = sl_pack_reader_left(w->file);
    return -1;
}

/* ---- life ---- */

static int open_writer(struct sl_writer *w, const struct sl_write_options *o,
                       const struct sl_form_input *inputs, uint32_t n) {
    w->options = *o;
    if ((o->path && !(w->path = strdup(o->path))) ||
        (o->keep_files && !(w->names = calloc(o->keep_files, sizeof *w->names))))
        return out_of_memory(w);
    w->form = sl_form_new(wants_pcapng(o->path, inputs), inputs, n, &w->error);
    if (!w->form)
        return -1;
    if (o->per_flow &&
        !(w->flows = sl_flow_files_new(o->per_flow, sl_form_is_pcapng(w->form) ? "pcapng" : "pcap",
                                       o->open_files, &w->error)))
        return -1;
    return w->path && !is_row(w) ? open_file(w, w->path) : 0;
}

static void free_writer(struct sl_writer *w) {
    for (uint64_t i = 0; w->names && i < w->options.keep_files; i++)
        free(w->names[i]);
    free(w->names);
    free(w->name);
    free(w->path);
    sl_form_free(w->form);
    free(w);
}

struct sl_writer *sl_writer_open(const struct sl_write_options *options,
                                 const struct sl_form_input *inputs, uint32_t n,
                                 struct sl_error *err) {
    struct sl_writer *w = calloc(1, sizeof *w);
    struct sl_error closing;

    if (!w) {
        sl_error_set(err, SL_EXIT_USAGE, "-w: out of memory");
        return NULL;
    }
    if (open_writer(w, options, inputs, n) < 0) {
        *err = w->error;
        (void)sl_writer_close(w, 0, &closing);
        return NULL;
    }
    return w;
}

/* What stands behind the last packet; a capture without packets still is a capture. */
static int finish(struct sl_writer *w) {
    struct sl_time none = {0};

    if (is_row(w) && w->path && !w->file && next_in_row(w, none) < 0)
        return -1;
    if (take_blocks(w, NULL) < 0)
        return -1;
    if (w->file && catch_up(w, NULL) < 0)
        return -1;
    return w->flows ? sl_flow_files_finish(w->flows, &w->error) : 0;
}

int sl_writer_close(struct sl_writer *w, int keep, struct sl_error *err) {
    int result = w->error.code ? -1 : 0;

    if (keep && !result && finish(w) < 0)
        result = -1;
    if (w->file && close_file(w, keep && !result) < 0)
        result = -1;
    if (w->left)
        result = 0;
    sl_flow_files_free(w->flows);
    *err = w->error;
    free_writer(w);
    return result;
}

const struct sl_error *sl_writer_error(const struct sl_writer *w) {
    return &w->error;
}

int sl_writer_reader_left(const struct sl_writer *w) {
    return w->left;
}

uint64_t sl_writer_cut_times(const struct sl_writer *w) {
    return sl_form_cut_times(w->form);
}
