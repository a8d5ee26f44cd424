/* Names of services by registered port (abi.h). The list is lua/data/services.tsv: IP protocol
 * number, port and name a line, ascending, as scripts/services.py makes it from IANA's registry. */
#include "../error.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SYSTEM_PORTS = 1024, NAME_MAX_LENGTH = 31 };

struct service {
    uint32_t key; /* protocol << 16 | port */
    char name[NAME_MAX_LENGTH + 1];
};

struct sl_services {
    struct service *list; /* by key */
    size_t n, room;
};

static int add(struct sl_services *s, uint32_t key, const char *name) {
    if (s->n == s->room) {
        size_t room = s->room ? 2 * s->room : 4096;
        struct service *grown = realloc(s->list, room * sizeof *grown);
        if (!grown)
            return -1;
        s->list = grown;
        s->room = room;
    }
    struct service *x = &s->list[s->n++];
    x->key = key;
    (void)snprintf(x->name, sizeof x->name, "%s", name);
    return 0;
}

/* A number of at most `most`, then a tab; *text moves behind it. -1: there is none. */
static long number(char **text, long most) {
    char *end;
    long n = strtol(*text, &end, 10);

    if (end == *text || *end != '\t' || n < 0 || n > most)
        return -1;
    *text = end + 1;
    return n;
}

/* Only these characters: names go into JSON and CSV as they are. */
static int is_name(const char *name) {
    size_t n = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._+-");

    return n > 0 && n <= NAME_MAX_LENGTH && !name[n];
}

static int read_line(struct sl_services *s, char *line) {
    long proto = number(&line, UINT8_MAX), port = proto < 0 ? -1 : number(&line, UINT16_MAX);
    uint32_t key = (uint32_t)proto << 16 | (uint32_t)port;

    line[strcspn(line, "\n")] = '\0';
    if (port < 0 || !is_name(line) || (s->n && s->list[s->n - 1].key >= key))
        return -1;
    return add(s, key, line);
}

static int read_list(struct sl_services *s, FILE *file, const char *path, struct sl_error *err) {
    char line[128];

    for (unsigned n = 1; fgets(line, sizeof line, file); n++)
        if (read_line(s, line) < 0)
            return sl_error_set(err, SL_EXIT_USAGE, "%s: line %u is no service, or out of order",
                                path, n);
    return 0;
}

struct sl_services *sl_services_open(const char *path, struct sl_error *err) {
    FILE *file = fopen(path, "re");
    struct sl_services *s;

    if (!file) {
        sl_error_set(err, SL_EXIT_USAGE, "%s: %s", path, strerror(errno));
        return NULL;
    }
    s = calloc(1, sizeof *s);
    if (!s)
        sl_error_set(err, SL_EXIT_USAGE, "%s: out of memory", path);
    else if (read_list(s, file, path, err) < 0) {
        sl_services_close(s);
        s = NULL;
    }
    fclose(file);
    return s;
}

void sl_services_close(struct sl_services *s) {
    if (!s)
        return;
    free(s->list);
    free(s);
}

static int by_key(const void *key, const void *element) {
    uint32_t a = *(const uint32_t *)key, b = ((const struct service *)element)->key;

    return a < b ? -1 : a > b;
}

const char *sl_service_name(const struct sl_services *s, uint32_t proto, uint32_t port) {
    uint32_t key = proto << 16 | port;
    const struct service *x = bsearch(&key, s->list, s->n, sizeof *s->list, by_key);

    return x ? x->name : NULL;
}

const char *sl_flow_service(const struct sl_services *s, const struct sl_flow *f) {
    const char *name = sl_service_name(s, f->proto, f->dport);

    if (!name && f->sport < SYSTEM_PORTS)
        name = sl_service_name(s, f->proto, f->sport);
    return name;
}
