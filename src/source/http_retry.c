#include "http_retry.h"

#include "curl_late.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* Waits of 0.5, 1, 2 … 30 s: about a minute and a half in all, at most two. */
static const struct sl_http_retry defaults = {
    .tries = 10, .first_ms = 500, .most_ms = 30000, .total_s = 120, .stall_s = 30};

enum { SETTING_MAX = 86400000, WORD_MAX = 16 };

static uint32_t *setting(struct sl_http_retry *retry, const char *name, size_t n) {
    const struct {
        const char *name;
        uint32_t *value;
    } known[] = {{"tries", &retry->tries},
                 {"first_ms", &retry->first_ms},
                 {"most_ms", &retry->most_ms},
                 {"total_s", &retry->total_s},
                 {"stall_s", &retry->stall_s}};

    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strlen(known[i].name) == n && memcmp(known[i].name, name, n) == 0)
            return known[i].value;
    return NULL;
}

int sl_http_retry_read(struct sl_http_retry *retry, const char *settings, struct sl_error *err) {
    const char *at = settings ? settings : "";

    *retry = defaults;
    for (at += strspn(at, " "); *at; at += strspn(at, " ")) {
        size_t n = strcspn(at, " ="), digits = at[n] ? strspn(at + n + 1, "0123456789") : 0;
        uint32_t *value = setting(retry, at, n);
        unsigned long number = digits && digits < WORD_MAX ? strtoul(at + n + 1, NULL, 10) : 0;

        if (!value || at[n] != '=' || !number || number > SETTING_MAX ||
            (at[n + 1 + digits] && at[n + 1 + digits] != ' '))
            return sl_error_set(err, SL_EXIT_USAGE,
                                SL_HTTP_RETRY_VARIABLE
                                ": '%.40s' is not understood; it takes tries, first_ms, most_ms, "
                                "total_s and stall_s, as in tries=3 first_ms=20",
                                at);
        *value = (uint32_t)number;
        at += n + 1 + digits;
    }
    return 0;
}

int64_t sl_http_retry_wait_ms(const struct sl_http_retry *retry, struct sl_http_failures *failures,
                              int64_t now_ms, int64_t after_s, uint32_t dice) {
    int64_t wait_ms = retry->first_ms;

    if (failures->n == 0)
        failures->since_ms = now_ms;
    if (++failures->n >= retry->tries)
        return -1;
    for (uint32_t i = 1; i < failures->n && wait_ms < retry->most_ms; i++)
        wait_ms *= 2;
    if (wait_ms > retry->most_ms)
        wait_ms = retry->most_ms;
    wait_ms -= dice % (wait_ms / 2 + 1);
    if (after_s >= 0 && after_s <= SETTING_MAX && wait_ms < after_s * 1000)
        wait_ms = after_s * 1000;
    if (after_s > SETTING_MAX ||
        now_ms + wait_ms > failures->since_ms + (int64_t)retry->total_s * 1000)
        return -1;
    return wait_ms;
}

int64_t sl_http_retry_after_s(const char *value, int64_t now_s) {
    size_t digits = strspn(value, "0123456789");
    time_t date;

    if (digits && !value[digits])
        return digits < WORD_MAX ? (int64_t)strtoll(value, NULL, 10) : INT64_MAX;
    if (!isalpha((unsigned char)*value)) /* dates begin with the day; curl_getdate takes more */
        return -1;
    date = sl_curl()->getdate(value, NULL);
    if (date == -1)
        return -1;
    return date > now_s ? (int64_t)date - now_s : 0;
}
