/* The parts of a URL that stands for blobs, and the URLs made of them. The query is a signature: it
 * is never decoded, encoded or put in order. */
#ifndef SL_SOURCE_LIST_URL_H
#define SL_SOURCE_LIST_URL_H

#include <stdbool.h>

#include "../types.h"

struct sl_list_url {
    char *container; /* "https://account.blob.core.windows.net/container", as it was given */
    char *query;     /* without its ?; "" when there is none */
    char *pattern;   /* decoded; * stands for any characters but /; NULL: all below prefix */
    char *prefix;    /* decoded: what the names of all blobs wanted begin with */
};

/* Whether a URL stands for blobs: its path ends with /, or has a * in its last part. */
bool sl_list_url_is(const char *url);

/* 0; -1: no memory; -2: the path names no container. Where the host is an address or localhost the
 * account is the first part of the path, as Azure's emulators have it. */
int sl_list_url_split(const char *url, struct sl_list_url *) SL_USED;
void sl_list_url_free(struct sl_list_url *);

/* The request for a page of the listing; marker: "" for the first one. NULL: no memory. */
char *sl_list_url_page(const struct sl_list_url *, const char *marker) SL_USED;

/* Of the blob with this name. NULL: no memory. */
char *sl_list_url_blob(const struct sl_list_url *, const char *name) SL_USED;

bool sl_list_url_wants(const struct sl_list_url *, const char *name);

#endif
