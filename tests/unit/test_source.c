/* Sources without a network: memory, file, pipe; what is shown and hidden of a URL. The HTTP source
 * itself is tested against servers in tests/e2e. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "source/http_answer.h"
#include "source/http_error.h"
#include "source/source.h"
#include "source/url.h"

static void memory_gives_chunks(void **state) {
    struct sl_error err;
    struct sl_source *source = sl_source_memory_open("abcdefgh", 8, 3, &err);
    char buf[8];

    (void)state;
    assert_non_null(source);
    assert_int_equal(source->size, 8);
    assert_int_equal(source->ops->read(source, buf, sizeof buf, -1, &err), 3);
    assert_memory_equal(buf, "abc", 3);
    assert_int_equal(source->ops->read(source, buf, 2, -1, &err), 2);
    assert_memory_equal(buf, "de", 2);
    assert_int_equal(source->ops->seek(source, 7, &err), 0);
    assert_int_equal(source->ops->read(source, buf, sizeof buf, -1, &err), 1);
    assert_int_equal(buf[0], 'h');
    assert_int_equal(source->ops->seek(source, 99, &err), 0);
    assert_int_equal(source->ops->read(source, buf, sizeof buf, -1, &err), 0);
    sl_source_close(source);
}

static void memory_may_be_empty(void **state) {
    struct sl_error err;
    struct sl_source *source = sl_source_memory_open(NULL, 0, 0, &err);
    char buf[8];

    (void)state;
    assert_non_null(source);
    assert_int_equal(source->ops->read(source, buf, sizeof buf, -1, &err), 0);
    sl_source_close(source);
}

/* A new file with this content; the caller unlinks it. */
static void make_file(char path[32], const char *content) {
    int fd;

    memcpy(path, "/tmp/sluice-unit-XXXXXX", 24);
    fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, content, strlen(content)), strlen(content));
    assert_int_equal(close(fd), 0);
}

static void file_reads_and_seeks(void **state) {
    struct sl_error err;
    struct sl_source *source;
    char path[32], buf[16];

    (void)state;
    make_file(path, "0123456789");
    source = sl_source_open(path, NULL, &err);
    assert_non_null(source);
    assert_string_equal(source->name, path);
    assert_int_equal(source->size, 10);
    assert_int_equal(source->ops->read(source, buf, 4, -1, &err), 4);
    assert_memory_equal(buf, "0123", 4);
    assert_int_equal(source->ops->seek(source, 8, &err), 0);
    assert_int_equal(source->ops->read(source, buf, sizeof buf, -1, &err), 2);
    assert_memory_equal(buf, "89", 2);
    assert_int_equal(source->ops->read(source, buf, sizeof buf, -1, &err), 0);
    sl_source_close(source);
    unlink(path);
}

static void open_names_what_is_wrong(void **state) {
    struct sl_error err;

    (void)state;
    assert_null(sl_source_open("/no/such\033[31mfile", NULL, &err));
    assert_int_equal(err.code, SL_EXIT_INPUT);
    assert_string_equal(err.message,
                        "/no/such?[31mfile: cannot be opened: No such file or directory");
    assert_null(sl_source_open("/tmp", NULL, &err));
    assert_non_null(strstr(err.message, "is a directory"));
    assert_null(sl_source_open("http://host/a b", NULL, &err));
    assert_int_equal(err.code, SL_EXIT_USAGE);
}

static void pipe_waits_no_longer_than_told(void **state) {
    struct sl_error err;
    struct sl_source *source;
    int fds[2];
    char buf[8];

    (void)state;
    assert_int_equal(pipe(fds), 0);
    source = sl_source_pipe_open(fds[0], "pipe", &err);
    assert_non_null(source);
    assert_int_equal(source->size, -1);
    assert_null(source->ops->seek);
    assert_int_equal(source->ops->read(source, buf, sizeof buf, 10, &err), SL_SOURCE_WAIT);
    assert_int_equal(write(fds[1], "xy", 2), 2);
    assert_int_equal(source->ops->read(source, buf, sizeof buf, 10, &err), 2);
    assert_memory_equal(buf, "xy", 2);
    assert_int_equal(close(fds[1]), 0);
    assert_int_equal(source->ops->read(source, buf, sizeof buf, -1, &err), 0);
    sl_source_close(source);
}

static void fifo_is_read_as_a_pipe(void **state) {
    struct sl_error err;
    struct sl_source *source;
    char path[32], buf[8];
    FILE *writer;

    (void)state;
    make_file(path, "");
    unlink(path);
    assert_int_equal(mkfifo(path, 0600), 0);
    writer = fopen(path, "r+"); /* both ends, so that no open waits for the other */
    assert_non_null(writer);
    source = sl_source_open(path, NULL, &err);
    assert_non_null(source);
    assert_null(source->ops->seek);
    assert_int_equal(fputs("z", writer), 1);
    assert_int_equal(fflush(writer), 0);
    assert_int_equal(source->ops->read(source, buf, sizeof buf, -1, &err), 1);
    sl_source_close(source);
    (void)fclose(writer);
    unlink(path);
}

static void url_is_redacted(void **state) {
    static const char *const cases[][2] = {
        {"https://h/p/x.cap", "https://h/p/x.cap"},
        {"https://h/p?sig=abc&se=1", "https://h/p?<redacted>"},
        {"https://h?sig=abc", "https://h?<redacted>"},
        {"https://u:pw@h:8443/p", "https://<redacted>@h:8443/p"},
        {"https://u:p@w@[::1]:80/p?q#sig=abc", "https://<redacted>@[::1]:80/p?<redacted>"},
        {"https://h/p#token", "https://h/p"},
        {"https://user:pass/word@h/p", "https://<redacted>"},
        {"https://h/a\x1b[2J\xc2\x9b", "https://h/a?[2J??"},
        {"http://", "http://<redacted>"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *name = sl_url_redact(cases[i][0]);

        assert_string_equal(name, cases[i][1]);
        free(name);
    }
}

static void expect_masked(const char *url, const char *text, const char *expected) {
    char copy[512];

    (void)snprintf(copy, sizeof copy, "%s", text);
    sl_url_mask(copy, url);
    assert_string_equal(copy, expected);
}

static void secrets_are_masked_in_any_form(void **state) {
    const char *url = "https://h/p?sp=r&se=2030-01-01&sig=Ab%2BcD/ef%3Dgh0123456789";

    (void)state;
    expect_masked(url, "got Ab%2BcD/ef%3Dgh0123456789.", "got ***.");
    expect_masked(url, "got Ab+cD/ef=gh0123456789.", "got ***.");
    expect_masked(url, "got ab%2bcd%2Fef%3dgh0123456789.", "got ***.");
    expect_masked(url, "got Ab%252BcD/ef%253Dgh0123456789.", "got ***.");
    expect_masked(url, "got Ab cD/ef=gh0123456789.", "got ***.");
    expect_masked(url, "cut Ab+cD/ef=g", "cut ***");
    expect_masked(url, "twice Ab+cD/ef=gh0123456789 Ab+cD/ef=gh0123456789", "twice *** ***");
    expect_masked(url, "valid till 2030-01-01 for r", "valid till 2030-01-01 for r");
    expect_masked(url, "other ?SIG=someoneElses&x=1", "other ?SIG=***&x=1");
    expect_masked(url, "other sig%3DsomeoneElses", "other sig%3D***");
    expect_masked("https://bob:hunter22@h/p", "bob hunter22", "bob ***");
    expect_masked("https://h/p?X-Amz-Credential=AKIA%2Fx&X-Amz-Security-Token=tok3n",
                  "AKIA/x and tok3n", "*** and ***");
    expect_masked("https://h/p", "", "");
}

static void sas_is_told_without_its_signature(void **state) {
    const int64_t year_2024 = 1704067200; /* 2024-01-01T00:00:00Z */
    char text[SL_URL_SAS_TEXT];

    (void)state;
    sl_url_sas_text("https://h/p?sv=2021&sig=secret&se=2024-01-01T00%3A10%3A00Z&st=2024-01-01"
                    "&sp=r&sip=1.2.3.4-1.2.3.9&spr=https",
                    year_2024, text);
    assert_string_equal(text, "se=2024-01-01T00:10:00Z st=2024-01-01 sp=r sip=1.2.3.4-1.2.3.9 "
                              "spr=https");
    sl_url_sas_text("https://h/p?se=2023-12-31T23:59Z&sig=secret", year_2024, text);
    assert_string_equal(text, "se=2023-12-31T23:59Z (expired)");
    sl_url_sas_text("https://h/p?st=2024-01-02&sig=secret", year_2024, text);
    assert_string_equal(text, "st=2024-01-02 (not yet valid)");
    sl_url_sas_text("https://h/p?sp=r%26sig%3Dsecret%1b[2J", year_2024, text);
    assert_string_equal(text, "sp=r?sig?secret??2J");
    sl_url_sas_text("https://h/p", year_2024, text);
    assert_string_equal(text, "");
}

static void sas_text_is_bounded(void **state) {
    static const char parameter[] = "&se=2000-01-01T00:00:00Z0123456789012345678901234567890";
    char url[4096] = "https://h/p?", text[SL_URL_SAS_TEXT];

    (void)state;
    for (size_t i = 0, n = strlen(url); i < 60; i++, n += sizeof parameter - 1)
        memcpy(url + n, parameter, sizeof parameter);
    sl_url_sas_text(url, 0, text);
    assert_in_range(strlen(text), 100, SL_URL_SAS_TEXT - 1);
}

static void error_xml_is_read_in_any_order(void **state) {
    const char *body =
        "\xef\xbb\xbf<?xml version=\"1.0\"?>\n<Error><AuthenticationErrorDetail>Signature"
        " &quot;a&#x2B;b&#43;c&quot;\nnext</AuthenticationErrorDetail><Message>\r\n "
        "Server said &lt;no&gt; &amp; left\x1b[1m.\nRequestId:1</Message>"
        "<Code>AuthenticationFailed</Code></Error>";
    struct sl_http_error error;

    (void)state;
    sl_http_error_read(body, strlen(body), &error);
    assert_string_equal(error.code, "AuthenticationFailed");
    assert_string_equal(error.message, "Server said <no> & left?[1m.");
    assert_string_equal(error.detail, "Signature \"a+b+c\"");
}

static void error_body_may_be_anything(void **state) {
    static const char *const bodies[] = {
        "", "<", "<Code", "<Code>", "<Codes>x</Codes>", "<Code></Code>", "&", "<html>"};
    char longest[2000] = "<Message>";
    struct sl_http_error error;

    (void)state;
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        char *exact = malloc(strlen(bodies[i]) + 1); /* so that ASan sees a read past the end */

        assert_non_null(exact);
        memcpy(exact, bodies[i], strlen(bodies[i]) + 1);
        sl_http_error_read(exact, strlen(exact), &error);
        assert_string_equal(error.code, "");
        free(exact);
    }
    memset(longest + 9, 'x', sizeof longest - 9);
    sl_http_error_read(longest, sizeof longest, &error);
    assert_int_equal(strlen(error.message), sizeof error.message - 1);
    sl_http_error_read("<Code>&#43", 10, &error);
    assert_string_equal(error.code, "&#43");
}

/* Judges an answer of these header lines to a request for bytes first-last. */
static enum sl_http_outcome judge(const char *const *lines, uint64_t first, uint64_t last,
                                  const struct sl_http_blob *blob) {
    struct sl_http_ask ask = {first, last};
    struct sl_http_answer answer;
    const char *why;

    sl_http_answer_clear(&answer);
    for (; *lines; lines++)
        sl_http_answer_header(&answer, *lines, strlen(*lines));
    sl_http_answer_header(&answer, "\r\n", 2);
    return sl_http_judge(&answer, &ask, blob, &why);
}

static enum sl_http_outcome judge_range(const char *content_range, const char *etag,
                                        const struct sl_http_blob *blob) {
    char range[80], tag[80];
    const char *lines[] = {"HTTP/1.1 302 Found\r\n",
                           "Content-Range: bytes 7-7/7\r\n",
                           "\r\n",
                           "HTTP/1.1 206 Partial Content\r\n",
                           range,
                           tag,
                           NULL};

    (void)snprintf(range, sizeof range, "content-range: %s\r\n", content_range);
    (void)snprintf(tag, sizeof tag, "ETag: %s\r\n", etag);
    return judge(lines, 100, 199, blob);
}

static void answers_are_checked_against_the_request(void **state) {
    const struct sl_http_blob unknown = {.size = -1};
    const struct sl_http_blob known = {.size = 1000, .etag = "\"a\""};

    (void)state;
    assert_int_equal(judge_range("bytes 100-199/1000", "\"a\"", &known), SL_HTTP_RANGE);
    assert_int_equal(judge_range("bytes 100-149/150", "\"a\"", &unknown), SL_HTTP_RANGE);
    assert_int_equal(judge_range("bytes 100-199/1000", "W/\"a\"", &known), SL_HTTP_RANGE);
    assert_int_equal(judge_range("bytes 100-199/1000", "\"b\"", &known), SL_HTTP_CHANGED);
    assert_int_equal(judge_range("bytes 100-199/1001", "\"a\"", &known), SL_HTTP_CHANGED);
    assert_int_equal(judge_range("bytes 101-199/1000", "\"a\"", &known), SL_HTTP_UNFIT);
    assert_int_equal(judge_range("bytes 100-198/1000", "\"a\"", &known), SL_HTTP_UNFIT);
    assert_int_equal(judge_range("bytes 100-200/1000", "\"a\"", &known), SL_HTTP_UNFIT);
    assert_int_equal(judge_range("bytes 100-199/150", "\"a\"", &unknown), SL_HTTP_UNFIT);
    assert_int_equal(judge_range("bytes 100-199/*", "\"a\"", &unknown), SL_HTTP_UNFIT);
    assert_int_equal(judge_range("bytes 199-100/1000", "\"a\"", &known), SL_HTTP_UNFIT);
    assert_int_equal(judge_range("100-199/1000", "\"a\"", &known), SL_HTTP_UNFIT);
    assert_int_equal(judge_range("bytes 100-199/1000x", "\"a\"", &known), SL_HTTP_UNFIT);
    assert_int_equal(judge_range("bytes 100-199/99999999999999999999", "", &unknown),
                     SL_HTTP_UNFIT);
}

static void a_blob_without_strong_tag_is_told_by_its_date(void **state) {
    const struct sl_http_blob blob = {.size = 10, .etag = "W/\"a\"", .last_modified = "Monday"};
    const char *same[] = {"HTTP/1.1 206 P", "Content-Range: bytes 0-9/10", "Last-Modified: Monday",
                          NULL};
    const char *other[] = {"HTTP/1.1 206 P", "Content-Range: bytes 0-9/10",
                           "Last-Modified: Tuesday", NULL};

    (void)state;
    assert_int_equal(judge(same, 0, 99, &blob), SL_HTTP_RANGE);
    assert_int_equal(judge(other, 0, 99, &blob), SL_HTTP_CHANGED);
}

static void each_status_has_its_outcome(void **state) {
    static const struct {
        const char *status, *range;
        uint64_t first;
        int64_t size;
        enum sl_http_outcome outcome;
    } cases[] = {
        {"200 OK", "", 0, -1, SL_HTTP_WHOLE},
        {"200 OK", "", 5, -1, SL_HTTP_UNFIT},
        {"200 OK", "", 0, 10, SL_HTTP_UNFIT},
        {"206 Partial", "", 0, -1, SL_HTTP_UNFIT},
        {"416 No", "Content-Range: bytes */0", 0, -1, SL_HTTP_END},
        {"416 No", "", 0, -1, SL_HTTP_REFUSED},
        {"416 No", "Content-Range: bytes */3", 5, 10, SL_HTTP_CHANGED},
        {"412 No", "", 5, 10, SL_HTTP_CHANGED},
        {"403 No", "", 0, -1, SL_HTTP_REFUSED},
        {"404 No", "", 0, -1, SL_HTTP_REFUSED},
        {"204 Nothing", "", 0, -1, SL_HTTP_REFUSED},
        {"503 Busy", "", 0, -1, SL_HTTP_BUSY},
        {"429 Busy", "", 0, -1, SL_HTTP_BUSY},
        {"200 OK", "Content-Encoding: gzip", 0, -1, SL_HTTP_UNFIT},
        {"200 OK", "Content-Encoding: \xff\xfe", 0, -1, SL_HTTP_UNFIT},
        {"200 OK", "Content-Encoding: identity", 0, -1, SL_HTTP_WHOLE},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sl_http_blob blob = {.size = cases[i].size};
        char status[40];
        const char *lines[] = {status, cases[i].range[0] ? cases[i].range : NULL, NULL};

        (void)snprintf(status, sizeof status, "HTTP/1.1 %s\r\n", cases[i].status);
        assert_int_equal(judge(lines, cases[i].first, 999, &blob), cases[i].outcome);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_gives_chunks),
        cmocka_unit_test(memory_may_be_empty),
        cmocka_unit_test(file_reads_and_seeks),
        cmocka_unit_test(open_names_what_is_wrong),
        cmocka_unit_test(pipe_waits_no_longer_than_told),
        cmocka_unit_test(fifo_is_read_as_a_pipe),
        cmocka_unit_test(url_is_redacted),
        cmocka_unit_test(secrets_are_masked_in_any_form),
        cmocka_unit_test(sas_is_told_without_its_signature),
        cmocka_unit_test(sas_text_is_bounded),
        cmocka_unit_test(error_xml_is_read_in_any_order),
        cmocka_unit_test(error_body_may_be_anything),
        cmocka_unit_test(answers_are_checked_against_the_request),
        cmocka_unit_test(a_blob_without_strong_tag_is_told_by_its_date),
        cmocka_unit_test(each_status_has_its_outcome),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
