#include "http_explain.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "http_error.h"
#include "url.h"

enum { NAME_SHOWN = 300, WORDS = 600 };

/* The server's own words, or libcurl's, safe to show. A redirect has brought other secrets. */
static void mask(char *text, const struct sl_http_range *range, const char *url) {
    char *effective = NULL;

    sl_text_defuse(text, 0);
    sl_url_mask(text, url);
    if (sl_curl()->easy_getinfo(range->easy, CURLINFO_EFFECTIVE_URL, &effective) == CURLE_OK &&
        effective)
        sl_url_mask(text, effective);
}

/* "HTTP 403 AuthenticationFailed: Server failed to authenticate the request. (Signature did …)" */
static void servers_words(const struct sl_http_range *range, const char *url, char words[WORDS],
                          struct sl_http_error *error) {
    char code[sizeof range->answer.code];

    sl_http_error_read((const char *)range->buf + range->fill, range->refusal, error);
    (void)snprintf(code, sizeof code, "%s", error->code[0] ? error->code : range->answer.code);
    memcpy(error->code, code, sizeof code);
    mask(error->code, range, url);
    mask(error->message, range, url);
    mask(error->detail, range, url);
    (void)snprintf(words, WORDS, "HTTP %d%s%s%s%.240s%s%.240s%s", range->answer.status,
                   error->code[0] ? " " : "", error->code, error->message[0] ? ": " : "",
                   error->message, error->detail[0] ? " (" : "", error->detail,
                   error->detail[0] ? ")" : "");
}

static const char *advice(int status, const char *code, bool is_signed) {
    if ((status == 401 || status == 403) && is_signed)
        return "; check its times and permissions, or ask for a new one";
    if (status == 401 || status == 403)
        return "; the URL carries no signature, perhaps it needs one";
    if (status == 404 || status == 410)
        return "; check the URL; the capture may still be running and its blob not yet written";
    if (status == 409 && strcmp(code, "BlobArchived") == 0)
        return "; the blob is in the archive tier: rehydrate it first";
    return "";
}

/* "; tried 10 times in 93 s": also for whoever thinks that it gave up too early. */
static void tries_text(const struct sl_http_range *range, char text[64]) {
    struct timespec now;
    int64_t ms;

    text[0] = 0;
    if (range->failures.n < 2)
        return;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 - range->failures.since_ms;
    (void)snprintf(text, 64, "; tried %" PRIu32 " times in %" PRId64 " s", range->failures.n,
                   (ms + 500) / 1000);
}

static int explain_refusal(const struct sl_http_range *range, const char *name, const char *url,
                           struct sl_error *err) {
    struct sl_http_error error;
    char words[WORDS], sas[SL_URL_SAS_TEXT] = "";
    int status = range->answer.status;
    uint64_t byte = sl_http_range_reached(range);
    char tries[64];

    servers_words(range, url, words, &error);
    tries_text(range, tries);
    if (status == 401 || status == 403)
        sl_url_sas_text(url, (int64_t)time(NULL), sas);
    if (sl_http_can_heal(range->outcome))
        return sl_error_set(err, SL_EXIT_INPUT,
                            "%s: at byte %" PRIu64 ": %s; the server is busy%s; try again later",
                            name, byte, words, tries);
    return sl_error_set(err, SL_EXIT_INPUT, "%s: at byte %" PRIu64 ": %s%s%s%s", name, byte, words,
                        sas[0] ? "; the URL is signed with " : "", sas,
                        advice(status, error.code, sas[0] != 0));
}

static int explain_unfit(const struct sl_http_range *range, const char *name,
                         struct sl_error *err) {
    const struct sl_http_answer *answer = &range->answer;
    char got[80] = "";

    if (answer->first >= 0)
        (void)snprintf(got, sizeof got, ", bytes %" PRId64 "-%" PRId64 " of %" PRId64,
                       answer->first, answer->last, answer->total);
    return sl_error_set(err, SL_EXIT_INPUT,
                        "%s: at byte %" PRIu64 ": asked for bytes %" PRIu64 "-%" PRIu64
                        ", but the answer (HTTP %d%s) %s; the server or a proxy is at fault: copy "
                        "the capture by other means",
                        name, sl_http_range_reached(range), range->ask.first, range->ask.last,
                        answer->status, got, range->why);
}

static int explain_transfer(const struct sl_http_range *range, const char *name, const char *url,
                            struct sl_error *err) {
    char words[CURL_ERROR_SIZE], tries[64];
    uint64_t byte = sl_http_range_reached(range);

    memcpy(words, range->curl_text, sizeof words);
    mask(words, range, url);
    tries_text(range, tries);
    return sl_error_set(err, SL_EXIT_INPUT, "%s: %s at byte %" PRIu64 ": %s%s%s", name,
                        byte ? "the transfer ended" : "cannot be read", byte, words, tries,
                        sl_http_can_heal(range->outcome) ? "; try again" : "");
}

int sl_http_explain(const struct sl_http_range *range, const char *name, const char *url,
                    struct sl_error *err) {
    size_t n = strlen(name);
    char shown[NAME_SHOWN + 8];

    if (n <= NAME_SHOWN) /* or the reason would not fit behind it */
        (void)snprintf(shown, sizeof shown, "%s", name);
    else
        (void)snprintf(shown, sizeof shown, "%.*s...%s", NAME_SHOWN / 2, name,
                       name + n - NAME_SHOWN / 2);
    switch (range->outcome) {
    case SL_HTTP_CHANGED:
        return sl_error_set(err, SL_EXIT_INPUT,
                            "%s: the blob %s (HTTP %d); stopped at byte %" PRIu64
                            ", what was read before stands; read it again when it is complete",
                            shown, range->why ? range->why : "was replaced while it was read",
                            range->answer.status, sl_http_range_reached(range));
    case SL_HTTP_REFUSED:
    case SL_HTTP_BUSY:
        return explain_refusal(range, shown, url, err);
    case SL_HTTP_UNFIT:
        return explain_unfit(range, shown, err);
    default:
        return explain_transfer(range, shown, url, err);
    }
}
