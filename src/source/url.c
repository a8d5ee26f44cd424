#include "url.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "../error.h"

enum {
    SECRET_MIN = 4, /* shorter values would hide half of any text and protect nothing */
    SECRET_PART = 8 /* so much of a secret is masked even where the rest was cut off */
};

/* A piece of a string, not terminated. */
struct span {
    const char *at, *end;
};

struct url_parts {
    struct span scheme, user, host, path, query; /* user, query: at is NULL where absent */
};

static struct url_parts split_url(const char *url) {
    struct url_parts parts = {0};
    const char *mark = strstr(url, "://");
    const char *authority = mark ? mark + 3 : url;
    const char *path = authority + strcspn(authority, "/?#");
    const char *at = memrchr(authority, '@', (size_t)(path - authority));
    const char *path_end = path + strcspn(path, "?#");

    parts.scheme = (struct span){url, authority};
    if (at)
        parts.user = (struct span){authority, at};
    parts.host = (struct span){at ? at + 1 : authority, path};
    parts.path = (struct span){path, path_end};
    if (*path_end == '?')
        parts.query = (struct span){path_end + 1, path_end + strcspn(path_end, "#")};
    return parts;
}

/* A password with a raw '/' or '?' ends up where host and port belong; those look different. */
static bool is_host_and_port(struct span host) {
    const char *c = host.at;

    if (c < host.end && *c == '[')
        while (c < host.end && *c != ']')
            c++;
    while (c < host.end && *c != ':')
        c++;
    if (c < host.end)
        c++;
    while (c < host.end && isdigit((unsigned char)*c))
        c++;
    return host.at < host.end && c == host.end;
}

char *sl_url_redact(const char *url) {
    struct url_parts p = split_url(url);
    char *name = NULL;
    int n;

    if (is_host_and_port(p.host))
        n = asprintf(&name, "%.*s%s%.*s%.*s%s", (int)(p.scheme.end - p.scheme.at), p.scheme.at,
                     p.user.at ? "<redacted>@" : "", (int)(p.host.end - p.host.at), p.host.at,
                     (int)(p.path.end - p.path.at), p.path.at, p.query.at ? "?<redacted>" : "");
    else
        n = asprintf(&name, "%.*s<redacted>", (int)(p.scheme.end - p.scheme.at), p.scheme.at);
    if (n < 0)
        return NULL;
    sl_text_defuse(name, 0);
    return name;
}

/* The next parameter of a query; false at its end. */
static bool next_parameter(struct span *query, struct span *name, struct span *value) {
    const char *end, *equals;

    while (query->at && query->at < query->end && (*query->at == '&' || *query->at == ';'))
        query->at++;
    if (!query->at || query->at == query->end)
        return false;
    for (end = query->at; end < query->end && *end != '&' && *end != ';';)
        end++;
    equals = memchr(query->at, '=', (size_t)(end - query->at));
    *name = (struct span){query->at, equals ? equals : end};
    *value = (struct span){equals ? equals + 1 : end, end};
    query->at = end;
    return true;
}

static bool span_is(struct span span, const char *word) {
    size_t n = (size_t)(span.end - span.at);

    return strlen(word) == n && strncasecmp(span.at, word, n) == 0;
}

static int hex_digit(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)tolower((unsigned char)c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool is_escape(const char *c, const char *end) {
    return end - c >= 3 && *c == '%' && hex_digit(c[1]) >= 0 && hex_digit(c[2]) >= 0;
}

/* One byte of a text in which any byte may be percent-encoded, once or more; -1 at the end. */
static int next_byte(struct span *text) {
    const char *c = text->at;

    if (c == text->end)
        return -1;
    if (!is_escape(c, text->end)) {
        text->at = c + 1;
        return (unsigned char)*c;
    }
    while (c[1] == '2' && c[2] == '5' && text->end - c >= 5 && hex_digit(c[3]) >= 0 &&
           hex_digit(c[4]) >= 0)
        c += 2; /* %252B: the % itself was encoded */
    text->at = c + 3;
    return hex_digit(c[1]) * 16 + hex_digit(c[2]);
}

/* As servers may echo it: in another case, '+' read as the space of a form. */
static int fold(int byte) {
    return byte == '+' ? ' ' : tolower(byte);
}

static size_t decoded_length(struct span text) {
    size_t n = 0;

    while (next_byte(&text) >= 0)
        n++;
    return n;
}

/* Where in text the match of at least `need` decoded bytes of word ends; NULL without one. */
static const char *match(struct span text, struct span word, size_t need) {
    const char *end = NULL;
    size_t matched = 0;

    for (;;) {
        int want = next_byte(&word);

        if (want < 0 || fold(want) != fold(next_byte(&text)))
            return end;
        if (++matched >= need)
            end = text.at;
    }
}

/* text[from..to) becomes "***", which is never longer than what it replaces. */
static void blot(char *text, size_t from, size_t to) {
    memset(text + from, '*', 3);
    memmove(text + from + 3, text + to, strlen(text + to) + 1);
}

static void mask_word(char *text, struct span secret) {
    size_t length = decoded_length(secret);

    if (length < SECRET_MIN)
        return;
    for (size_t i = 0; text[i]; i++) {
        struct span rest = {text + i, text + strlen(text)};
        const char *end = match(rest, secret, length < SECRET_PART ? length : SECRET_PART);

        if (end)
            blot(text, i, (size_t)(end - text));
    }
}

/* The value after a label such as "sig=", up to what cannot belong to it. */
static void mask_after(char *text, const char *label) {
    struct span word = {label, label + strlen(label)};

    for (size_t i = 0; text[i]; i++) {
        struct span rest = {text + i, text + strlen(text)};
        const char *value = match(rest, word, strlen(label));
        size_t n = value ? strcspn(value, "& \t\r\n\"'<>;,)]") : 0;

        if (n > 3)
            blot(text, (size_t)(value - text), (size_t)(value - text) + n);
    }
}

/* Parameters that say what is allowed and how it is signed; whoever reads them can do nothing. */
static bool is_public(struct span name) {
    static const char *const names[] = {"sv",
                                        "ss",
                                        "sr",
                                        "srt",
                                        "sp",
                                        "st",
                                        "se",
                                        "sip",
                                        "spr",
                                        "si",
                                        "sdd",
                                        "ses",
                                        "skt",
                                        "ske",
                                        "sks",
                                        "skv",
                                        "rscc",
                                        "rscd",
                                        "rsce",
                                        "rscl",
                                        "rsct",
                                        "comp",
                                        "restype",
                                        "snapshot",
                                        "versionid",
                                        "X-Amz-Date",
                                        "X-Amz-Expires",
                                        "X-Amz-Algorithm",
                                        "X-Amz-SignedHeaders",
                                        "Expires"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (span_is(name, names[i]))
            return true;
    return false;
}

void sl_url_mask(char *text, const char *url) {
    struct url_parts p = split_url(url);
    struct span name, value;

    while (next_parameter(&p.query, &name, &value))
        if (!is_public(name))
            mask_word(text, value);
    if (p.user.at) {
        const char *colon = memchr(p.user.at, ':', (size_t)(p.user.end - p.user.at));

        mask_word(text, (struct span){p.user.at, colon ? colon : p.user.end});
        if (colon)
            mask_word(text, (struct span){colon + 1, p.user.end});
    }
    mask_after(text, "sig=");
    mask_after(text, "signature=");
}

/* The value as a word of a message: decoded, of harmless characters, bounded. */
static void plain_value(struct span value, char out[48]) {
    size_t n = 0;

    for (int byte; n < 47 && (byte = next_byte(&value)) >= 0; n++)
        out[n] = isalnum(byte) || (byte && strchr(":-+.,/", byte)) ? (char)byte : '?';
    out[n] = 0;
}

/* Both are UTC in ISO 8601, so that comparing characters compares times; a SAS may leave out the
 * seconds or the time of day, which then counts from its start. */
static const char *time_note(struct span name, const char *time, const char *now) {
    size_t n = strspn(time, "0123456789-T:");

    if (n < 10 || n > 19)
        return "";
    if (span_is(name, "se") && strncmp(time, now, n) <= 0)
        return " (expired)";
    if (span_is(name, "st") && strncmp(time, now, n) > 0)
        return " (not yet valid)";
    return "";
}

void sl_url_sas_text(const char *url, int64_t now_s, char text[SL_URL_SAS_TEXT]) {
    static const char *const shown[] = {"st",  "se", "sp",         "sip",
                                        "spr", "sr", "X-Amz-Date", "X-Amz-Expires"};
    struct url_parts p = split_url(url);
    struct span name, value;
    struct tm tm;
    time_t seconds = (time_t)now_s;
    char now[32], word[48];
    size_t n = 0;

    text[0] = 0;
    if (!gmtime_r(&seconds, &tm) || !strftime(now, sizeof now, "%Y-%m-%dT%H:%M:%S", &tm))
        now[0] = 0;
    while (next_parameter(&p.query, &name, &value)) {
        for (size_t i = 0; i < sizeof shown / sizeof *shown; i++) {
            if (!span_is(name, shown[i]) || n > SL_URL_SAS_TEXT - 90)
                continue;
            plain_value(value, word);
            n += (size_t)snprintf(text + n, SL_URL_SAS_TEXT - n, "%s%s=%s%s", n ? " " : "",
                                  shown[i], word, time_note(name, word, now));
        }
    }
}
