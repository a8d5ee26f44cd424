#include "list_url.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "percent.h"

/* Where the path begins, and how long it is. */
static const char *path_of(const char *url, size_t *length) {
    const char *mark = strstr(url, "://");
    const char *path;

    if (!mark)
        return NULL;
    path = mark + 3 + strcspn(mark + 3, "/?#");
    *length = strcspn(path, "?#");
    return path;
}

bool sl_list_url_is(const char *url) {
    size_t length = 0;
    const char *path = path_of(url, &length);

    if (!path || !length)
        return false;
    if (path[length - 1] == '/')
        return true;
    for (size_t i = length; i > 0 && path[i - 1] != '/'; i--)
        if (path[i - 1] == '*')
            return true;
    return false;
}

/* An address or localhost: emulators put the account into the path. */
static bool has_account_in_path(const char *url, const char *path) {
    const char *host = strstr(url, "://") + 3;
    const char *at = memrchr(host, '@', (size_t)(path - host));
    size_t length;

    if (at)
        host = at + 1;
    length = (size_t)(path - host);
    if (length && *host == '[')
        return true;
    if (length >= 9 && strncasecmp(host, "localhost", 9) == 0 && (host[9] == ':' || host[9] == '/'))
        return true;
    for (; length && *host != ':'; host++, length--)
        if (!isdigit((unsigned char)*host) && *host != '.')
            return false;
    return true;
}

/* How much of the path is the container's: one part, or two where the first is the account; 0 when
 * there are not so many. */
static size_t container_length(const char *path, size_t length, int parts) {
    size_t at = 0;

    for (; parts; parts--) {
        size_t start = ++at;

        while (at < length && path[at] != '/')
            at++;
        if (at == start || at >= length)
            return 0;
    }
    return at;
}

int sl_list_url_split(const char *url, struct sl_list_url *parts) {
    size_t length = 0, container;
    const char *path = path_of(url, &length), *star;

    *parts = (struct sl_list_url){0};
    container = container_length(path, length, has_account_in_path(url, path) ? 2 : 1);
    if (!container || memchr(path, '*', container))
        return -2;
    parts->container = strndup(url, (size_t)(path - url) + container);
    parts->prefix = sl_percent_decode(path + container + 1, length - container - 1);
    parts->query = path[length] == '?' ? strndup(path + length + 1, strcspn(path + length + 1, "#"))
                                       : strdup("");
    star = parts->prefix ? strchr(parts->prefix, '*') : NULL;
    if (star) {
        parts->pattern = parts->prefix;
        parts->prefix = strndup(parts->pattern, (size_t)(star - parts->pattern));
    }
    if (parts->container && parts->prefix && parts->query)
        return 0;
    sl_list_url_free(parts);
    return -1;
}

void sl_list_url_free(struct sl_list_url *parts) {
    free(parts->container);
    free(parts->query);
    free(parts->pattern);
    free(parts->prefix);
    *parts = (struct sl_list_url){0};
}

char *sl_list_url_page(const struct sl_list_url *parts, const char *marker) {
    char *prefix = sl_percent_encode(parts->prefix, false),
         *next = sl_percent_encode(marker, false), *url = NULL;

    if (prefix && next &&
        asprintf(&url, "%s?restype=container&comp=list%s%s%s%s%s%s", parts->container,
                 *prefix ? "&prefix=" : "", prefix, *next ? "&marker=" : "", next,
                 *parts->query ? "&" : "", parts->query) < 0)
        url = NULL;
    free(prefix);
    free(next);
    return url;
}

char *sl_list_url_blob(const struct sl_list_url *parts, const char *name) {
    char *path = sl_percent_encode(name, true), *url = NULL;

    if (path && asprintf(&url, "%s/%s%s%s", parts->container, path, *parts->query ? "?" : "",
                         parts->query) < 0)
        url = NULL;
    free(path);
    return url;
}

/* The text behind the last * so far is tried again one character on whenever it does not fit. */
static bool matches(const char *pattern, const char *text) {
    const char *star = NULL, *from = NULL;

    while (*text) {
        if (*pattern == '*') {
            star = ++pattern;
            from = text;
        } else if (*pattern == *text) {
            pattern++;
            text++;
        } else if (star && *from != '/') {
            pattern = star;
            text = ++from;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return !*pattern;
}

bool sl_list_url_wants(const struct sl_list_url *parts, const char *name) {
    if (parts->pattern)
        return matches(parts->pattern, name);
    return strncmp(name, parts->prefix, strlen(parts->prefix)) == 0;
}
