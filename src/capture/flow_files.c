#include "flow_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BUFFER_BYTES = 16 * 1024, NAME_MAX_BYTES = 160, OPEN_LEAST = 4, OPEN_MOST = 4096 };
static const char PART[] = ".part";

struct flow_file {
    char *name; /* in the folder, without .part; NULL: no flow has this place */
    struct flow_file *newer, *older; /* of those that are open, by their last packet */
    int fd;                          /* -1: closed for now */
    uint32_t section;                /* what of the form's head it has */
    size_t n_head, used;
    uint8_t *buffer; /* while it is open */
};

struct sl_flow_files {
    char *folder, *ending;
    int folder_fd;
    uint32_t most, open;
    struct flow_file *newest, *oldest;
    struct flow_file **flows; /* by the flow's index */
    uint32_t n_flows;
    struct flow_file other; /* packets without a flow */
};

static int fail(const struct sl_flow_files *s, const char *name, struct sl_error *err) {
    return sl_error_set(err, SL_EXIT_USAGE, "%s/%s: cannot write: %s", s->folder, name ? name : "",
                        strerror(errno));
}

static int out_of_memory(struct sl_error *err) {
    return sl_error_set(err, SL_EXIT_USAGE, "--per-flow: out of memory");
}

static uint32_t open_limit(void) {
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur > 2 * OPEN_MOST)
        return OPEN_MOST;
    return limit.rlim_cur / 2 < OPEN_LEAST ? OPEN_LEAST : (uint32_t)limit.rlim_cur / 2;
}

static int is_empty(DIR *folder) {
    const struct dirent *entry;

    while ((entry = readdir(folder)))
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            return 0;
    return 1;
}

/* Old files among the new ones would be taken for flows of this capture. */
static int open_folder(struct sl_flow_files *s, struct sl_error *err) {
    DIR *folder;
    int empty;

    if (mkdir(s->folder, 0777) < 0 && errno != EEXIST)
        return fail(s, NULL, err);
    if (!(folder = opendir(s->folder)))
        return fail(s, NULL, err);
    empty = is_empty(folder);
    s->folder_fd = empty ? fcntl(dirfd(folder), F_DUPFD_CLOEXEC, 0) : -1;
    closedir(folder);
    if (!empty)
        return sl_error_set(err, SL_EXIT_USAGE,
                            "--per-flow %s: the folder holds files already: name a new one",
                            s->folder);
    return s->folder_fd < 0 ? fail(s, NULL, err) : 0;
}

struct sl_flow_files *sl_flow_files_new(const char *folder, const char *ending, uint32_t most,
                                        struct sl_error *err) {
    struct sl_flow_files *s = calloc(1, sizeof *s);

    if (!s) {
        out_of_memory(err);
        return NULL;
    }
    s->folder_fd = s->other.fd = -1;
    s->most = most ? most : open_limit();
    s->folder = strdup(folder);
    s->ending = strdup(ending);
    if (!s->folder || !s->ending ? out_of_memory(err) < 0 : open_folder(s, err) < 0) {
        sl_flow_files_free(s);
        return NULL;
    }
    return s;
}

/* ---- open files ---- */

static void unlink_open(struct sl_flow_files *s, struct flow_file *f) {
    if (f->newer)
        f->newer->older = f->older;
    else
        s->newest = f->older;
    if (f->older)
        f->older->newer = f->newer;
    else
        s->oldest = f->newer;
}

static void link_newest(struct sl_flow_files *s, struct flow_file *f) {
    f->newer = NULL;
    f->older = s->newest;
    if (s->newest)
        s->newest->newer = f;
    else
        s->oldest = f;
    s->newest = f;
}

static int write_buffer(struct sl_flow_files *s, struct flow_file *f, struct sl_error *err) {
    size_t done = 0;

    while (done < f->used) {
        ssize_t n = write(f->fd, f->buffer + done, f->used - done);
        if (n < 0 && errno != EINTR)
            return fail(s, f->name, err);
        done += n > 0 ? (size_t)n : 0;
    }
    f->used = 0;
    return 0;
}

static int put_away(struct sl_flow_files *s, struct flow_file *f, struct sl_error *err) {
    int result = f->fd >= 0 ? write_buffer(s, f, err) : 0;

    if (f->fd < 0)
        return 0;
    if (close(f->fd) != 0 && !result) /* network file systems report a full disk here */
        result = fail(s, f->name, err);
    unlink_open(s, f);
    s->open--;
    free(f->buffer);
    f->buffer = NULL;
    f->fd = -1;
    return result;
}

static void part_name(const struct flow_file *f, char name[NAME_MAX_BYTES + sizeof PART]) {
    (void)snprintf(name, NAME_MAX_BYTES + sizeof PART, "%s%s", f->name, PART);
}

/* Makes the file the newest of the open ones. */
static int open_again(struct sl_flow_files *s, struct flow_file *f, int create,
                      struct sl_error *err) {
    char name[NAME_MAX_BYTES + sizeof PART];

    if (f->fd >= 0) {
        if (f->newer) {
            unlink_open(s, f);
            link_newest(s, f);
        }
        return 0;
    }
    if (s->open >= s->most && put_away(s, s->oldest, err) < 0)
        return -1;
    if (!(f->buffer = malloc(BUFFER_BYTES)))
        return out_of_memory(err);
    part_name(f, name);
    f->fd = openat(s->folder_fd, name,
                   O_WRONLY | O_APPEND | O_CLOEXEC | (create ? O_CREAT | O_EXCL : 0), 0666);
    if (f->fd < 0)
        return fail(s, name, err);
    link_newest(s, f);
    s->open++;
    return 0;
}

static int put(struct sl_flow_files *s, struct flow_file *f, const void *data, size_t n,
               struct sl_error *err) {
    const uint8_t *from = data;

    while (n) {
        size_t room = BUFFER_BYTES - f->used, part = n < room ? n : room;
        memcpy(f->buffer + f->used, from, part);
        f->used += part;
        from += part;
        n -= part;
        if (f->used == BUFFER_BYTES && write_buffer(s, f, err) < 0)
            return -1;
    }
    return 0;
}

/* Gives a whole file its name. */
static int finish_file(struct sl_flow_files *s, struct flow_file *f, struct sl_error *err) {
    char part[NAME_MAX_BYTES + sizeof PART];

    if (!f->name)
        return 0;
    if (put_away(s, f, err) < 0)
        return -1;
    part_name(f, part);
    if (renameat(s->folder_fd, part, s->folder_fd, f->name) < 0)
        return fail(s, f->name, err);
    free(f->name);
    f->name = NULL;
    return 0;
}

/* ---- flows ---- */

static size_t address_name(const struct sl_addr *a, char text[SL_ADDR_TEXT]) {
    size_t n = (size_t)sl_addr_text(a, text);

    for (size_t i = 0; i < n; i++)
        if (text[i] == ':')
            text[i] = '_';
    return n;
}

static int name_flow(const struct sl_flow_files *s, struct flow_file *f, const struct sl_packet *p,
                     struct sl_error *err) {
    char src[SL_ADDR_TEXT], dst[SL_ADDR_TEXT], name[NAME_MAX_BYTES];
    int back = p->dir == 1; /* the capture began with an answer */
    unsigned sport = back ? p->dport : p->sport, dport = back ? p->sport : p->dport;
    const char *proto = sl_ip_proto_name(p->proto);

    (void)address_name(back ? &p->dst : &p->src, src);
    (void)address_name(back ? &p->src : &p->dst, dst);
    (void)snprintf(name, sizeof name, "%06llu-%s-%s-%u-%s-%u.%s", (unsigned long long)p->number64,
                   proto ? proto : "ip", src, sport, dst, dport, s->ending);
    f->name = strdup(name);
    return f->name ? 0 : out_of_memory(err);
}

static int begin(struct sl_flow_files *s, struct flow_file *f, struct sl_error *err) {
    f->section = 0;
    f->n_head = f->used = 0;
    return open_again(s, f, 1, err);
}

static int grow(struct sl_flow_files *s, uint32_t index, struct sl_error *err) {
    uint32_t n = s->n_flows ? s->n_flows : 1024;
    struct flow_file **grown;

    while (n <= index)
        n *= 2;
    if (!(grown = realloc(s->flows, n * sizeof *grown)))
        return out_of_memory(err);
    memset(grown + s->n_flows, 0, (n - s->n_flows) * sizeof *grown);
    s->flows = grown;
    s->n_flows = n;
    return 0;
}

/* The file of the packet's flow, open. A flow's first packet completes the file of the flow that
 * had the index before. */
static struct flow_file *file_of(struct sl_flow_files *s, const struct sl_packet *p,
                                 struct sl_error *err) {
    struct flow_file *f;

    if (p->flow >= s->n_flows && grow(s, p->flow, err) < 0)
        return NULL;
    if (!(f = s->flows[p->flow])) {
        if (!(f = calloc(1, sizeof *f))) {
            out_of_memory(err);
            return NULL;
        }
        f->fd = -1;
        s->flows[p->flow] = f;
    }
    if (f->name && p->flow_pkt64 > 1)
        return open_again(s, f, 0, err) < 0 ? NULL : f;
    if (finish_file(s, f, err) < 0 || name_flow(s, f, p, err) < 0)
        return NULL;
    return begin(s, f, err) < 0 ? NULL : f;
}

static struct flow_file *file_of_rest(struct sl_flow_files *s, struct sl_error *err) {
    struct flow_file *f = &s->other;
    char name[NAME_MAX_BYTES];

    if (f->name)
        return open_again(s, f, 0, err) < 0 ? NULL : f;
    (void)snprintf(name, sizeof name, "no-flow.%s", s->ending);
    if (!(f->name = strdup(name))) {
        out_of_memory(err);
        return NULL;
    }
    return begin(s, f, err) < 0 ? NULL : f;
}

static int put_head(struct sl_flow_files *s, struct flow_file *f, struct sl_form *form,
                    const struct sl_packet *p, struct sl_error *err) {
    const struct sl_bytes *head = sl_form_head(form, p, err);

    if (!head)
        return -1;
    if (f->section != sl_form_section(form)) {
        f->section = sl_form_section(form);
        f->n_head = 0;
    }
    if (put(s, f, head->at + f->n_head, head->n - f->n_head, err) < 0)
        return -1;
    f->n_head = head->n;
    return 0;
}

int sl_flow_files_put(struct sl_flow_files *s, struct sl_form *form, const struct sl_packet *p,
                      struct sl_error *err) {
    struct flow_file *f = p->flow == SL_NO_FLOW ? file_of_rest(s, err) : file_of(s, p, err);
    struct sl_piece piece;

    if (!f || put_head(s, f, form, p, err) < 0 || sl_form_packet(form, p, &piece, err) < 0)
        return -1;
    if (put(s, f, piece.head, piece.n_head, err) < 0 ||
        put(s, f, piece.body, piece.n_body, err) < 0)
        return -1;
    return put(s, f, piece.tail, piece.n_tail, err);
}

int sl_flow_files_flush(struct sl_flow_files *s, struct sl_error *err) {
    for (struct flow_file *f = s->newest; f; f = f->older)
        if (write_buffer(s, f, err) < 0)
            return -1;
    return 0;
}

int sl_flow_files_finish(struct sl_flow_files *s, struct sl_error *err) {
    for (uint32_t i = 0; i < s->n_flows; i++)
        if (s->flows[i] && finish_file(s, s->flows[i], err) < 0)
            return -1;
    return finish_file(s, &s->other, err);
}

static void discard(const struct sl_flow_files *s, struct flow_file *f) {
    char part[NAME_MAX_BYTES + sizeof PART];

    if (f->fd >= 0)
        (void)close(f->fd);
    if (f->name) {
        part_name(f, part);
        (void)unlinkat(s->folder_fd, part, 0);
    }
    free(f->buffer);
    free(f->name);
}

void sl_flow_files_free(struct sl_flow_files *s) {
    if (!s)
        return;
    for (uint32_t i = 0; i < s->n_flows; i++) {
        if (s->flows[i])
            discard(s, s->flows[i]);
        free(s->flows[i]);
    }
    discard(s, &s->other);
    if (s->folder_fd >= 0)
        (void)close(s->folder_fd);
    free(s->flows);
    free(s->folder);
    free(s->ending);
    free(s);
}
