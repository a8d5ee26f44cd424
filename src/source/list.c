#include "list.h"

#include <stdlib.h>
#include <string.h>

#include "list_url.h"
#include "list_xml.h"
#include "url.h"

enum { PAGE_MAX = 64 << 20, PAGE_PIECE = 256 << 10, BLOBS_MAX = 50000 };

struct page {
    char *data;
    size_t n, room;
};

bool sl_list_is(const char *input) {
    return sl_source_is_url(input) && sl_list_url_is(input);
}

/* Reads a source to its end into memory. */
static int read_all(struct sl_source *source, struct page *page, struct sl_error *err) {
    for (;;) {
        ssize_t n;

        if (page->room - page->n < PAGE_PIECE) {
            char *grown =
                page->n < PAGE_MAX ? realloc(page->data, 2 * page->room + PAGE_PIECE) : NULL;

            if (!grown)
                return sl_error_set(err, SL_EXIT_INPUT, "%s: the listing is too large",
                                    source->name);
            page->data = grown;
            page->room = 2 * page->room + PAGE_PIECE;
        }
        n = source->ops->read(source, page->data + page->n, page->room - page->n, -1, err);
        if (n == SL_SOURCE_WAIT)
            return sl_error_set(err, SL_EXIT_INTERRUPTED, "%s: interrupted while it was listed",
                                source->name);
        if (n <= 0)
            return (int)n;
        page->n += (size_t)n;
    }
}

/* One page of names; *marker as in sl_list_xml_read. */
static int read_page(const char *url, const struct sl_source_options *options,
                     struct sl_strings *names, char **marker, struct sl_error *err) {
    struct sl_source_options all = *options;
    struct sl_source *source;
    struct page page = {0};
    struct sl_error why;
    int result = -1;

    all.http_no_ranges = 1;
    all.http_in_flight = 1;
    source = sl_source_http_open(url, &all, err);
    if (source && read_all(source, &page, err) == 0) {
        result = sl_list_xml_read(page.data, page.n, names, marker, &why);
        if (result != 0)
            sl_error_set(err, SL_EXIT_INPUT,
                         "%s: %.200s; a URL that ends with / stands for the blobs of a container",
                         source->name, why.message);
    }
    sl_source_close(source);
    free(page.data);
    return result;
}

/* All names below the prefix, page by page. shown: the URL for messages. */
static int read_pages(const struct sl_list_url *parts, const char *shown,
                      const struct sl_source_options *options, struct sl_strings *names,
                      struct sl_error *err) {
    char *marker = strdup("");
    bool more = true;
    int result = 0;

    if (!marker)
        return sl_error_set(err, SL_EXIT_INPUT, "out of memory");
    while (more) {
        uint32_t before = names->n;
        char *url = sl_list_url_page(parts, marker), *next = NULL;

        result = url ? read_page(url, options, names, &next, err)
                     : sl_error_set(err, SL_EXIT_INPUT, "out of memory");
        if (result == 0 && names->n > BLOBS_MAX)
            result = sl_error_set(err, SL_EXIT_INPUT,
                                  "%s: more than %d blobs; name a longer prefix", shown, BLOBS_MAX);
        /* a server that says the same marker again would be asked for ever */
        more = result == 0 && next && *next && (names->n > before || strcmp(next, marker) != 0);
        free(url);
        free(marker);
        marker = next;
    }
    free(marker);
    return result;
}

/* Appends the URLs of the wanted ones of these blobs. */
static int add_wanted(struct sl_strings *inputs, const struct sl_list_url *parts,
                      const struct sl_strings *names, struct sl_error *err) {
    for (uint32_t i = 0; i < names->n; i++)
        if (sl_list_url_wants(parts, names->at[i]) &&
            sl_strings_take(inputs, sl_list_url_blob(parts, names->at[i])) != 0)
            return sl_error_set(err, SL_EXIT_INPUT, "out of memory");
    return 0;
}

static int add_listed(struct sl_strings *inputs, const char *url,
                      const struct sl_source_options *options, struct sl_error *err) {
    struct sl_list_url parts;
    struct sl_strings names = {0};
    uint32_t before = inputs->n;
    int split = sl_list_url_split(url, &parts), result;
    char *shown = sl_url_redact(url);

    if (split != 0 || !shown)
        result = sl_error_set(err, SL_EXIT_USAGE, "%s: %s", shown ? shown : "",
                              split == -2 ? "names no container; a URL that ends with / stands for "
                                            "the blobs of a container, below a prefix"
                                          : "out of memory");
    else if (read_pages(&parts, shown, options, &names, err) != 0)
        result = -1;
    else
        result = add_wanted(inputs, &parts, &names, err);
    if (result == 0 && inputs->n == before)
        result = sl_error_set(err, SL_EXIT_INPUT,
                              "%s: no blob there that holds anything; the capture may still be "
                              "running and its blob not yet written",
                              shown);
    sl_strings_free(&names);
    if (split == 0)
        sl_list_url_free(&parts);
    free(shown);
    return result;
}

int sl_list_add(struct sl_strings *inputs, const char *input,
                const struct sl_source_options *options, struct sl_error *err) {
    if (sl_list_is(input))
        return add_listed(inputs, input, options, err);
    if (sl_strings_take(inputs, strdup(input)) != 0)
        return sl_error_set(err, SL_EXIT_INPUT, "out of memory");
    return 0;
}
