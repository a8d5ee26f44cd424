/* Countries of addresses, and where a database has them cities and autonomous systems: special
 * ranges by the IANA registries (RFC 6890 and its successors), the rest from a MaxMind DB through
 * libmaxminddb. Answers are kept in a small direct-mapped cache, because captures ask for the same
 * hosts again and again. */
#include "../error.h"
#include "../packet/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <maxminddb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    CACHE_BITS = 14,
    CACHE_SLOTS = 1 << CACHE_BITS,
    CACHE_BITS_V4 = 15,
    CACHE_SLOTS_V4 = 1 << CACHE_BITS_V4
};

struct cached {
    struct sl_addr addr;
    uint32_t value, used;
};

/* IPv4 addresses are most of all: more of them fit near the processor. */
struct cached_v4 {
    uint32_t addr;
    uint16_t value, used;
};

struct sl_geo {
    MMDB_s db;
    uint32_t holds;                            /* a set of SL_GEO_COUNTRIES … */
    uint8_t v4[256], v6[256];                  /* first bytes with which a special range begins */
    struct cached_v4 cache_v4[CACHE_SLOTS_V4]; /* countries */
    struct cached cache[CACHE_SLOTS];          /* the same of other addresses */
    struct cached numbers[CACHE_SLOTS];        /* of the one other thing that it holds */
};

struct range {
    uint32_t prefix[4];
    int bits;
    uint32_t what;
};

#define V4(a, b, c, d, n, what)                                                                    \
    { {0, 0, 0xffff, (a##u << 24) | (b << 16) | (c << 8) | d}, 96 + n, what }

static const struct range ranges[] = {
    V4(255, 255, 255, 255, 32, SL_GEO_BROADCAST),
    V4(0, 0, 0, 0, 32, SL_GEO_UNSPECIFIED),
    V4(10, 0, 0, 0, 8, SL_GEO_PRIVATE),         /* RFC 1918 */
    V4(172, 16, 0, 0, 12, SL_GEO_PRIVATE),      /* RFC 1918 */
    V4(192, 168, 0, 0, 16, SL_GEO_PRIVATE),     /* RFC 1918 */
    V4(100, 64, 0, 0, 10, SL_GEO_SHARED),       /* RFC 6598 */
    V4(127, 0, 0, 0, 8, SL_GEO_LOOPBACK),       /* RFC 1122 */
    V4(169, 254, 0, 0, 16, SL_GEO_LINK_LOCAL),  /* RFC 3927 */
    V4(224, 0, 0, 0, 4, SL_GEO_MULTICAST),      /* RFC 5771 */
    V4(192, 0, 2, 0, 24, SL_GEO_DOCUMENTATION), /* RFC 5737 */
    V4(198, 51, 100, 0, 24, SL_GEO_DOCUMENTATION),
    V4(203, 0, 113, 0, 24, SL_GEO_DOCUMENTATION),
    V4(0, 0, 0, 0, 8, SL_GEO_RESERVED),     /* RFC 1122 */
    V4(192, 0, 0, 0, 24, SL_GEO_RESERVED),  /* RFC 6890 */
    V4(198, 18, 0, 0, 15, SL_GEO_RESERVED), /* RFC 2544 */
    V4(240, 0, 0, 0, 4, SL_GEO_RESERVED),   /* RFC 1112 */
    {{0, 0, 0, 1}, 128, SL_GEO_LOOPBACK},   /* RFC 4291 */
    {{0, 0, 0, 0}, 128, SL_GEO_UNSPECIFIED},
    {{0xfc000000, 0, 0, 0}, 7, SL_GEO_PRIVATE}, /* RFC 4193 */
    {{0xfe800000, 0, 0, 0}, 10, SL_GEO_LINK_LOCAL},
    {{0xff000000, 0, 0, 0}, 8, SL_GEO_MULTICAST},
    {{0x20010db8, 0, 0, 0}, 32, SL_GEO_DOCUMENTATION}, /* RFC 3849 */
    {{0x3fff0000, 0, 0, 0}, 20, SL_GEO_DOCUMENTATION}, /* RFC 9637 */
    {{0x01000000, 0, 0, 0}, 64, SL_GEO_RESERVED},      /* RFC 6666: discard only */
};

static int within(const struct sl_addr *a, const struct range *r) {
    for (int i = 0, left = r->bits; left > 0; i++, left -= 32) {
        uint32_t mask = left >= 32 ? 0xffffffff : ~(0xffffffffu >> left);
        if ((a->w[i] ^ r->prefix[i]) & mask)
            return 0;
    }
    return 1;
}

/* Most addresses are in no special range, as their first byte says already. */
static void note_first_bytes(struct sl_geo *g) {
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++) {
        const struct range *r = &ranges[i];
        int v4 = !r->prefix[0] && !r->prefix[1] && r->prefix[2] == 0xffff;
        int bits = v4 ? r->bits - 96 : r->bits;
        uint32_t first = r->prefix[v4 ? 3 : 0] >> 24, n = bits < 8 ? 1u << (8 - bits) : 1;
        memset((v4 ? g->v4 : g->v6) + first, 1, n);
    }
}

/* By the name that its maker gave the type of database: "GeoLite2-City", "DBIP-ASN-Lite" … */
static uint32_t holds(const char *type) {
    if (strcasestr(type, "asn") && !strcasestr(type, "country"))
        return SL_GEO_NETWORKS;
    return strcasestr(type, "city") ? SL_GEO_CITIES | SL_GEO_COUNTRIES : SL_GEO_COUNTRIES;
}

struct sl_geo *sl_geo_open(const char *path, struct sl_error *err) {
    struct sl_geo *g = calloc(1, sizeof *g);

    if (!g) {
        sl_error_set(err, SL_EXIT_USAGE, "%s: out of memory", path);
        return NULL;
    }
    int status = MMDB_open(path, MMDB_MODE_MMAP, &g->db);
    if (status != MMDB_SUCCESS) {
        sl_error_set(err, SL_EXIT_USAGE, "%s: not readable as a MaxMind DB: %s", path,
                     status == MMDB_FILE_OPEN_ERROR ? strerror(errno) : MMDB_strerror(status));
        free(g);
        return NULL;
    }
    g->holds = holds(g->db.metadata.database_type);
    note_first_bytes(g);
    return g;
}

uint32_t sl_geo_holds(const struct sl_geo *g) {
    return g->holds;
}

int sl_geo_about(const struct sl_geo *g, char type[64], uint64_t *built) {
    const char *name = g->db.metadata.database_type;

    *built = g->db.metadata.build_epoch;
    if (!name)
        return -1;
    (void)snprintf(type, 64, "%s", name);
    return 0;
}

void sl_geo_close(struct sl_geo *g) {
    if (!g)
        return;
    MMDB_close(&g->db);
    free(g);
}

static MMDB_lookup_result_s lookup(const struct sl_geo *g, const struct sl_addr *a, int *error) {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } s = {0};

    if (sl_addr_is_ipv4(a)) {
        s.v4.sin_family = AF_INET;
        s.v4.sin_addr.s_addr = htonl(a->w[3]);
    } else {
        s.v6.sin6_family = AF_INET6;
        for (int i = 0; i < 4; i++)
            s.v6.sin6_addr.s6_addr32[i] = htonl(a->w[i]);
    }
    return MMDB_lookup_sockaddr(&g->db, &s.any, error);
}

/* The two forms that country databases have: MaxMind's and the flat one. */
static uint32_t country_of(MMDB_entry_s *entry) {
    static const char *const nested[] = {"country", "iso_code", NULL};
    static const char *const flat[] = {"country_code", NULL};
    MMDB_entry_data_s data;

    if ((MMDB_aget_value(entry, &data, flat) != MMDB_SUCCESS || !data.has_data) &&
        (MMDB_aget_value(entry, &data, nested) != MMDB_SUCCESS || !data.has_data))
        return SL_GEO_UNKNOWN;
    if (data.type != MMDB_DATA_TYPE_UTF8_STRING || data.data_size != 2)
        return SL_GEO_UNKNOWN;
    uint32_t first = (uint8_t)data.utf8_string[0], second = (uint8_t)data.utf8_string[1];
    if (first < 'A' || first > 'Z' || second < 'A' || second > 'Z')
        return SL_GEO_UNKNOWN;
    return first << 8 | second;
}

/* Which of the special ranges an address is in, or SL_GEO_N. */
static uint32_t special(const struct sl_geo *g, const struct sl_addr *a) {
    int v4 = sl_addr_is_ipv4(a);

    if (!(v4 ? g->v4[a->w[3] >> 24] : g->v6[a->w[0] >> 24]))
        return SL_GEO_N;
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
        if (within(a, &ranges[i]))
            return ranges[i].what;
    return SL_GEO_N;
}

/* The record of an ordinary address. 0: there is none. */
static int find(const struct sl_geo *g, const struct sl_addr *a, MMDB_entry_s *entry) {
    int error = 0;

    if (special(g, a) != SL_GEO_N)
        return 0;
    MMDB_lookup_result_s found = lookup(g, a, &error);
    *entry = found.entry;
    return error == MMDB_SUCCESS && found.found_entry;
}

static uint32_t find_country(const struct sl_geo *g, const struct sl_addr *a) {
    uint32_t range = special(g, a);
    MMDB_entry_s entry;

    if (range != SL_GEO_N)
        return range;
    return find(g, a, &entry) ? country_of(&entry) : SL_GEO_UNKNOWN;
}

/* The place for an address in a cache; used 0, or of another address: not there yet. */
static struct cached *cached(struct cached *cache, const struct sl_addr *a) {
    uint32_t h = (a->w[0] ^ a->w[1] * 0x85ebca6bu ^ a->w[2] * 0xc2b2ae35u ^ a->w[3]) * 0x9e3779b1u;

    return &cache[h >> (32 - CACHE_BITS)];
}

static uint32_t country_v4(struct sl_geo *g, const struct sl_addr *a) {
    struct cached_v4 *c = &g->cache_v4[a->w[3] * 0x9e3779b1u >> (32 - CACHE_BITS_V4)];

    if (!c->used || c->addr != a->w[3])
        *c = (struct cached_v4){a->w[3], (uint16_t)find_country(g, a), 1};
    return c->value;
}

uint32_t sl_geo_country(struct sl_geo *g, const struct sl_addr *a) {
    if (sl_addr_is_ipv4(a))
        return country_v4(g, a);
    struct cached *c = cached(g->cache, a);

    if (!c->used || !sl_addr_same(&c->addr, a))
        *c = (struct cached){.addr = *a, .value = find_country(g, a), .used = 1};
    return c->value;
}

/* ---- cities and autonomous systems ---- */

static int get(MMDB_entry_s *entry, const char *const *path, uint32_t type,
               MMDB_entry_data_s *data) {
    return MMDB_aget_value(entry, data, path) == MMDB_SUCCESS && data->has_data &&
           data->type == type;
}

static int text_of(MMDB_entry_s *entry, uint32_t what, MMDB_entry_data_s *data) {
    static const char *const city[] = {"city", "names", "en", NULL}, *const flat[] = {"city", NULL};
    static const char *const holder[] = {"autonomous_system_organization", NULL};

    if (what == SL_GEO_NETWORKS)
        return get(entry, holder, MMDB_DATA_TYPE_UTF8_STRING, data);
    return get(entry, city, MMDB_DATA_TYPE_UTF8_STRING, data) ||
           get(entry, flat, MMDB_DATA_TYPE_UTF8_STRING, data);
}

static uint32_t find_number(const struct sl_geo *g, const struct sl_addr *a, uint32_t what) {
    static const char *const number[] = {"autonomous_system_number", NULL};
    MMDB_entry_s entry;
    MMDB_entry_data_s data;

    if (!find(g, a, &entry))
        return 0;
    if (what == SL_GEO_CITIES)
        return text_of(&entry, what, &data) ? entry.offset + 1 : 0; /* an offset may be 0 */
    return get(&entry, number, MMDB_DATA_TYPE_UINT32, &data) ? data.uint32 : 0;
}

uint32_t sl_geo_number(struct sl_geo *g, const struct sl_addr *a, uint32_t what) {
    struct cached *c = cached(g->numbers, a);

    if (!(g->holds & what))
        return 0;
    if (!c->used || !sl_addr_same(&c->addr, a))
        *c = (struct cached){.addr = *a, .value = find_number(g, a, what), .used = 1};
    return c->value;
}

size_t sl_geo_text(const struct sl_geo *g, const struct sl_addr *a, uint32_t what, char *text,
                   size_t size) {
    MMDB_entry_s entry;
    MMDB_entry_data_s data;

    if (!(g->holds & what) || !find(g, a, &entry) || !text_of(&entry, what, &data))
        return 0;
    size_t n = data.data_size < size ? data.data_size : size;
    memcpy(text, data.utf8_string, n);
    return n;
}

int sl_geo_name(uint32_t country, char *text) {
    static const char *const names[SL_GEO_N] = {
        [SL_GEO_UNKNOWN] = "unknown",
        [SL_GEO_PRIVATE] = "private",
        [SL_GEO_SHARED] = "shared",
        [SL_GEO_LOOPBACK] = "loopback",
        [SL_GEO_LINK_LOCAL] = "link-local",
        [SL_GEO_MULTICAST] = "multicast",
        [SL_GEO_BROADCAST] = "broadcast",
        [SL_GEO_UNSPECIFIED] = "unspecified",
        [SL_GEO_DOCUMENTATION] = "documentation",
        [SL_GEO_RESERVED] = "reserved",
    };

    if (country < SL_GEO_N) {
        size_t n = strlen(names[country]);
        memcpy(text, names[country], n);
        return (int)n;
    }
    text[0] = (char)(country >> 8);
    text[1] = (char)country;
    return 2;
}
