/* What the parts of the HTTP source share: http.c, which reads, and http_ask.c, which says what is
 * asked for. */
#ifndef SL_SOURCE_HTTP_SOURCE_H
#define SL_SOURCE_HTTP_SOURCE_H

#include "http_flight.h"
#include "http_tail.h"
#include "source.h"

struct http_source {
    struct sl_source base;
    char *url;                /* as given, with its secrets */
    struct sl_http_blob blob; /* as it is now; size -1 and not whole before the first answer */
    struct sl_http_flight flight;
    struct sl_http_tail tail;
    int64_t end;      /* size that was first seen: no byte behind it is read; -1: not known */
    uint64_t offset;  /* of the next byte to hand out */
    uint64_t from;    /* where reading began, at the start or behind a seek */
    uint64_t next;    /* of the next byte to ask for */
    uint64_t planned; /* what lies behind it was not asked for because of the plan */
    uint32_t asked;   /* requests: which tells their sizes apart */
    uint32_t unit, range_bytes; /* of the first request, and of the largest ones */
    bool checking;              /* what the blob is now, because it is not what it was */
    uint32_t restarts;
    int64_t driven_ms; /* 0: never */
    int (*interrupted)(void);
};

static inline bool sl_http_is_known(const struct http_source *http) {
    return http->blob.whole || http->blob.size >= 0;
}

/* Begins requests for what comes next, as far as there is room and reason. waits: the reader can do
 * nothing until the next byte has come. */
int sl_http_ask_more(struct http_source *, bool waits, struct sl_error *) SL_USED;

/* Drops all requests. */
void sl_http_forget_all(struct http_source *);

/* Whether requests are on their way that were planned (struct sl_source_plan) and lie behind that
 * offset: then they stay there, and the next byte is that at the offset. */
bool sl_http_stays_before_planned(struct http_source *, uint64_t offset);

#endif
