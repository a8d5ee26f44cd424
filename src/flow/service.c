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

static int add(struct sl_services *s, unsigned proto, unsigned port, const char *name) {
    if (s->n == s->room) {
        size_t room = s->room ? 2 * s->room : 4096;
        struct service *grown = realloc(s->list, room * sizeof *grown);
        if (!grown)
            return -1;
        s->list = grown;
        s->room = room;
    }
    struct service *x = &s->list[s->n++];
    x->key = proto << 16 | port;
    (void)snprintf(x->name, sizeof x->name, "%s", name);
    return 0;
}

static int read_list(struct sl_services *s, FILE *file, const char *path, struct sl_error *err) {
    char line[128], name[NAME_MAX_LENGTH + 1];
    unsigned proto, port, number = 0;

    while (fgets(line, sizeof line, file)) {
        number++;
        /* Only these characters: names go into JSON and CSV as they are. */
        if (sscanf(line, "%3u\t%5u\t%31[A-Za-z0-9._+-]", &proto, &port, name) != 3 || proto > 255 ||
            port > 65535 || (s->n && s->list[s->n - 1].key >= (proto << 16 | port)))
            return sl_error_set(err, SL_EXIT_USAGE, "%s: line %u is no service, or out of order",
                                path, number);
        if (add(s, proto, port, name) < 0)
            return sl_error_set(err, SL_EXIT_USAGE, "%s: out of memory", path);
    }
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
