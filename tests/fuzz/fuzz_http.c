/* What servers send: headers of an answer, refusals in XML, listings of blobs. The first byte says
 * which; for listings the URL is hostile too. A judgement that an answer is good must mean that it
 * is what was asked for, and no secret may stay in a text that was masked. */
#include <stdlib.h>
#include <string.h>

#include "../../src/source/http_answer.h"
#include "../../src/source/http_error.h"
#include "../../src/source/http_retry.h"
#include "../../src/source/list_url.h"
#include "../../src/source/list_xml.h"
#include "../../src/source/url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int truth) {
    if (!truth)
        abort();
}

/* Line by line, as libcurl gives them. */
static void read_headers(struct sl_http_answer *answer, const char *text, size_t size) {
    sl_http_answer_clear(answer);
    while (size) {
        const char *end = memchr(text, '\n', size);
        size_t n = end ? (size_t)(end - text) + 1 : size;

        sl_http_answer_header(answer, text, n);
        text += n;
        size -= n;
    }
    sl_http_answer_header(answer, "\r\n", 2);
}

static void headers(const char *text, size_t size) {
    const struct sl_http_ask ask = {100, 199};
    struct sl_http_blob blob = {.size = size % 2 ? 1000 : -1, .etag = "\"a\""};
    struct sl_http_answer answer;
    const char *why;

    read_headers(&answer, text, size);
    enum sl_http_outcome outcome = sl_http_judge(&answer, &ask, &blob, &why);
    must((outcome == SL_HTTP_UNFIT) == (why != NULL));
    if (outcome == SL_HTTP_RANGE) {
        must(answer.status == 206 && answer.first == 100 && answer.last >= 100 &&
             answer.last <= 199);
        must(answer.last < answer.total && (blob.size < 0 || answer.total == blob.size));
    }
    must(outcome != SL_HTTP_WHOLE); /* bytes from 100 on were asked for */
    must(sl_http_retry_after_s(answer.retry_after, 1700000000) >= -1);
}

static void refusal(const char *text, size_t size) {
    const char *url = "https://user:hunter22@host/p?sp=r&sig=S3cr3t%2Bsignature%3D";
    struct sl_http_error error;

    sl_http_error_read(text, size, &error);
    must(strlen(error.code) < sizeof error.code && strlen(error.message) < sizeof error.message);
    sl_url_mask(error.message, url);
    must(!strstr(error.message, "S3cr3t+s") && !strstr(error.message, "s3cr3t%2bs"));
    must(!strstr(error.message, "hunter22"));
}

static void listing(const char *text, size_t size) {
    struct sl_strings names = {0};
    struct sl_error err = {0};
    char *marker;
    int result = sl_list_xml_read(text, size, &names, &marker, &err);

    must((result == 0) == (marker != NULL));
    must(result == 0 || err.message[0]);
    for (uint32_t i = 0; i < names.n; i++)
        must(names.at[i][0] != 0);
    free(marker);
    sl_strings_free(&names);
}

static void url(const char *text, size_t size) {
    char *line = calloc(size + 1, 1), *shown, sas[SL_URL_SAS_TEXT];
    struct sl_list_url parts;

    must(line != NULL);
    memcpy(line, text, size);
    shown = sl_url_redact(line);
    must(shown != NULL);
    sl_url_sas_text(line, 1700000000, sas);
    sl_url_mask(shown, line);
    if (sl_list_url_is(line) && sl_list_url_split(line, &parts) == 0) {
        char *page = sl_list_url_page(&parts, line), *blob = sl_list_url_blob(&parts, line);

        must(page && blob && strstr(page, "comp=list"));
        must(strncmp(blob, parts.container, strlen(parts.container)) == 0);
        must(sl_list_url_wants(&parts, parts.pattern ? parts.pattern : parts.prefix));
        free(page);
        free(blob);
        sl_list_url_free(&parts);
    }
    free(shown);
    free(line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static void (*const kinds[])(const char *, size_t) = {headers, refusal, listing, url};

    if (size)
        kinds[data[0] % 4]((const char *)data + 1, size - 1);
    return 0;
}
