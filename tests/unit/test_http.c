/* The parts of the HTTP source that need no network: when to try again, the tail of what was read,
 * listings and their URLs. Answers and error bodies are in test_source.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "source/http_retry.h"
#include "source/http_tail.h"
#include "source/list_url.h"
#include "source/list_xml.h"
#include "source/percent.h"

/* ---- when to try again ---- */

static void waits_double_up_to_a_bound(void **state) {
    const struct sl_http_retry retry = {
        .tries = 8, .first_ms = 100, .most_ms = 1000, .total_s = 60, .stall_s = 1};
    const int64_t most[] = {100, 200, 400, 800, 1000, 1000, 1000};
    struct sl_http_failures failures = {0};

    (void)state;
    for (size_t i = 0; i < 7; i++) {
        struct sl_http_failures before = failures;

        assert_int_equal(sl_http_retry_wait_ms(&retry, &failures, 5, -1, 0), most[i]);
        for (uint32_t dice = 1; dice < 5000; dice += 7) { /* by chance: half of it at least */
            struct sl_http_failures copy = before;
            assert_in_range(sl_http_retry_wait_ms(&retry, &copy, 5, -1, dice), most[i] / 2,
                            most[i]);
        }
    }
    assert_int_equal(sl_http_retry_wait_ms(&retry, &failures, 5, -1, 0), -1);
    assert_int_equal(failures.n, 8);
}

static void no_try_begins_after_the_total_time(void **state) {
    const struct sl_http_retry retry = {
        .tries = 100, .first_ms = 1000, .most_ms = 1000, .total_s = 10, .stall_s = 1};
    struct sl_http_failures failures = {0};

    (void)state;
    assert_int_equal(sl_http_retry_wait_ms(&retry, &failures, 1000000, -1, 0), 1000);
    assert_int_equal(sl_http_retry_wait_ms(&retry, &failures, 1009000, -1, 0), 1000);
    assert_int_equal(sl_http_retry_wait_ms(&retry, &failures, 1009001, -1, 0), -1);
}

static void retry_after_is_not_undercut(void **state) {
    const struct sl_http_retry retry = {
        .tries = 100, .first_ms = 100, .most_ms = 100, .total_s = 60, .stall_s = 1};
    struct sl_http_failures failures = {0};

    (void)state;
    assert_int_equal(sl_http_retry_wait_ms(&retry, &failures, 0, 7, 3), 7000);
    assert_int_equal(sl_http_retry_wait_ms(&retry, &failures, 0, 0, 0), 100);
    assert_int_equal(sl_http_retry_wait_ms(&retry, &failures, 0, 61, 0), -1);
    assert_int_equal(sl_http_retry_wait_ms(&retry, &failures, 0, INT64_MAX, 0), -1);
}

static void retry_after_is_seconds_or_a_date(void **state) {
    const int64_t now = 1704067200; /* Mon, 01 Jan 2024 00:00:00 GMT */

    (void)state;
    assert_int_equal(sl_http_retry_after_s("120", now), 120);
    assert_int_equal(sl_http_retry_after_s("0", now), 0);
    assert_int_equal(sl_http_retry_after_s("Mon, 01 Jan 2024 00:01:30 GMT", now), 90);
    assert_int_equal(sl_http_retry_after_s("Sun, 31 Dec 2023 23:00:00 GMT", now), 0);
    assert_true(sl_http_retry_after_s("99999999999999999999", now) > 1000000);
    assert_int_equal(sl_http_retry_after_s("", now), -1);
    assert_int_equal(sl_http_retry_after_s("-5", now), -1);
    assert_int_equal(sl_http_retry_after_s("1.5", now), -1);
    assert_int_equal(sl_http_retry_after_s("soon", now), -1);
}

static void settings_are_read_or_refused(void **state) {
    static const char *const wrong[] = {
        "tries",        "tries=", "tries=0",  "tries=x",   "tries=3x",
        "unknown=3",    "=3",     "tries=-1", "tries=3,2", "first_ms=99999999999999999999",
        "tries=3 tri=1"};
    struct sl_http_retry retry, defaults;
    struct sl_error err;

    (void)state;
    assert_int_equal(sl_http_retry_read(&defaults, NULL, &err), 0);
    assert_true(defaults.tries > 2 && defaults.total_s >= 60 && defaults.stall_s >= 10);
    assert_int_equal(sl_http_retry_read(&retry, " stall_s=2  tries=3 first_ms=20", &err), 0);
    assert_int_equal(retry.tries, 3);
    assert_int_equal(retry.first_ms, 20);
    assert_int_equal(retry.stall_s, 2);
    assert_int_equal(retry.total_s, defaults.total_s);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_equal(sl_http_retry_read(&retry, wrong[i], &err), -1);
        assert_int_equal(err.code, SL_EXIT_USAGE);
    }
}

/* ---- the tail ---- */

/* Byte n of a blob. */
static unsigned char byte_at(uint64_t n) {
    return (unsigned char)(n * 31 + (n >> 8) * 7);
}

static void add(struct sl_http_tail *tail, uint64_t offset, size_t n) {
    unsigned char *data = malloc(n + 1);

    assert_non_null(data);
    for (size_t i = 0; i < n; i++)
        data[i] = byte_at(offset + i);
    sl_http_tail_add(tail, offset, data, n);
    free(data);
}

static void expect_tail(struct sl_http_tail *tail, uint64_t first, uint64_t end) {
    size_t n = (size_t)(end - first);
    struct sl_http_ask place = sl_http_tail_place(tail);
    unsigned char *data = malloc(n + 1);

    assert_non_null(data);
    assert_true(place.first == first && place.last == end - 1);
    for (size_t i = 0; i < n; i++)
        data[i] = byte_at(first + i);
    assert_true(sl_http_tail_is(tail, data, n));
    assert_false(sl_http_tail_is(tail, data, n - 1));
    for (size_t i = 0; i < n; i += n / 50 + 1) {
        data[i] ^= 1;
        assert_false(sl_http_tail_is(tail, data, n));
        data[i] ^= 1;
    }
    free(data);
}

static void the_tail_is_what_was_read_last(void **state) {
    struct sl_http_tail *tail = calloc(1, sizeof *tail);
    uint64_t at = 100;

    (void)state;
    assert_non_null(tail);
    add(tail, 100, 5);
    expect_tail(tail, 100, 105);
    add(tail, 105, 70000 - 5);
    expect_tail(tail, 70100 - SL_HTTP_TAIL_BYTES, 70100);
    add(tail, 1000, 3); /* after a seek */
    expect_tail(tail, 1000, 1003);
    add(tail, 5 << 20, 3 * SL_HTTP_TAIL_BYTES + 17);
    at = (5 << 20) + 3 * SL_HTTP_TAIL_BYTES + 17;
    for (size_t n = 1; n < 40000; n = n * 3 + 1, at += n) {
        expect_tail(tail, at - SL_HTTP_TAIL_BYTES, at);
        add(tail, at, n * 3 + 1);
    }
    free(tail);
}

/* ---- URLs of listings ---- */

static void listings_are_told_from_blobs(void **state) {
    static const char *const yes[] = {"https://a/c/?sig=x",  "https://a/c/p/",
                                      "http://a/c/x*.cap?s", "https://a/c/*",
                                      "https://a/c/*b?x=/y", "https://a/"};
    static const char *const no[] = {"https://a/c/b.cap?x=/",
                                     "https://a/c/b?*",
                                     "https://a",
                                     "https://a?/",
                                     "https://a/*/b.cap",
                                     "a/c/",
                                     "https://a/c/b.cap#frag/"};

    (void)state;
    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++)
        assert_true(sl_list_url_is(yes[i]));
    for (size_t i = 0; i < sizeof no / sizeof *no; i++)
        assert_false(sl_list_url_is(no[i]));
}

static void expect_text(char *made, const char *wanted) {
    assert_non_null(made);
    assert_string_equal(made, wanted);
    free(made);
}

static void a_listing_keeps_its_query_as_it_is(void **state) {
    struct sl_list_url parts;

    (void)state;
    assert_int_equal(
        sl_list_url_split("https://u:p@a.blob.x/logs/y=1/a%20b/?sv=1&sig=a%2Bb+c%3d#f", &parts), 0);
    assert_string_equal(parts.container, "https://u:p@a.blob.x/logs");
    assert_string_equal(parts.prefix, "y=1/a b/");
    assert_null(parts.pattern);
    expect_text(sl_list_url_page(&parts, ""),
                "https://u:p@a.blob.x/logs?restype=container&comp=list"
                "&prefix=y%3D1%2Fa%20b%2F&sv=1&sig=a%2Bb+c%3d");
    expect_text(sl_list_url_page(&parts, "2!64!a/="),
                "https://u:p@a.blob.x/logs?restype=container&comp=list&prefix=y%3D1%2Fa%20b%2F"
                "&marker=2%2164%21a%2F%3D&sv=1&sig=a%2Bb+c%3d");
    expect_text(sl_list_url_blob(&parts, "y=1/a b/50%+\xc3\xa4.cap"),
                "https://u:p@a.blob.x/logs/y%3D1/a%20b/50%25%2B%C3%A4.cap?sv=1&sig=a%2Bb+c%3d");
    sl_list_url_free(&parts);
    assert_int_equal(sl_list_url_split("http://h.x/logs/", &parts), 0);
    expect_text(sl_list_url_page(&parts, ""), "http://h.x/logs?restype=container&comp=list");
    expect_text(sl_list_url_blob(&parts, "a"), "http://h.x/logs/a");
    sl_list_url_free(&parts);
}

static void emulators_have_the_account_in_the_path(void **state) {
    static const struct {
        const char *url, *container; /* NULL: none is named */
    } cases[] = {{"http://127.0.0.1:10000/acc/logs/p/", "http://127.0.0.1:10000/acc/logs"},
                 {"http://localhost/acc/logs/", "http://localhost/acc/logs"},
                 {"http://u@[::1]:1/acc/logs/x*", "http://u@[::1]:1/acc/logs"},
                 {"http://localhosts/acc/logs/", "http://localhosts/acc"},
                 {"http://127.0.0.1:10000/acc/", NULL},
                 {"http://127.0.0.1/acc//", NULL},
                 {"https://a.b/", NULL},
                 {"https://a.b/*", NULL}};
    struct sl_list_url parts;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int split = sl_list_url_split(cases[i].url, &parts);

        assert_int_equal(split, cases[i].container ? 0 : -2);
        if (split == 0) {
            assert_string_equal(parts.container, cases[i].container);
            sl_list_url_free(&parts);
        }
    }
}

static void a_star_stays_within_its_part_of_the_path(void **state) {
    static const struct {
        const char *url, *prefix, *name;
        bool wanted;
    } cases[] = {{"https://a.b/c/d/x*.cap", "d/x", "d/x.cap", true},
                 {"https://a.b/c/d/x*.cap", "d/x", "d/x1.cap.cap", true},
                 {"https://a.b/c/d/x*.cap", "d/x", "d/x1.cap.gz", false},
                 {"https://a.b/c/d/x*.cap", "d/x", "d/x1/2.cap", false},
                 {"https://a.b/c/d/*", "d/", "d/x/y", false},
                 {"https://a.b/c/d/*", "d/", "d/xy", true},
                 {"https://a.b/c/d/*a*b", "d/", "d/1ab2ab", true},
                 {"https://a.b/c/d/*a*b", "d/", "d/1b2a", false},
                 {"https://a.b/c/d/", "d/", "d/x/y", true},
                 {"https://a.b/c/d/", "d/", "e/x", false},
                 {"https://a.b/c/", "", "anything", true}};
    struct sl_list_url parts;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(sl_list_url_split(cases[i].url, &parts), 0);
        assert_string_equal(parts.prefix, cases[i].prefix);
        assert_int_equal(sl_list_url_wants(&parts, cases[i].name), cases[i].wanted);
        sl_list_url_free(&parts);
    }
}

static void percent_escapes_that_are_none_stay(void **state) {
    (void)state;
    expect_text(sl_percent_decode("a%2Fb%2fc%zz%4", 14), "a/b/c%zz%4");
    expect_text(sl_percent_decode("%41%4", 4), "A%");
    expect_text(sl_percent_encode("a/b c", false), "a%2Fb%20c");
    expect_text(sl_percent_encode("", true), "");
}

/* ---- the XML of listings ---- */

static int read_listing(const char *body, struct sl_strings *names, char **marker,
                        struct sl_error *err) {
    *names = (struct sl_strings){0};
    return sl_list_xml_read(body, strlen(body), names, marker, err);
}

static void a_listing_gives_names_and_the_next_page(void **state) {
    const char *body =
        "\xef\xbb\xbf<?xml version=\"1.0\" encoding=\"utf-8\"?><EnumerationResults "
        "ContainerName=\"c\"><Prefix>p</Prefix><Blobs>"
        "<BlobPrefix><Name>folder/</Name></BlobPrefix>"
        "<Blob><Name>a&amp;b &#x2B;.cap</Name><Properties><Etag>0x8</Etag><Content-Length>10"
        "</Content-Length></Properties><Metadata><Name>no</Name></Metadata></Blob>"
        "<Blob><Properties><Content-Length>1</Content-Length></Properties><Name Encoded=\"true\">"
        "x%EF%BF%BFy</Name></Blob>"
        "<Blob><Name>empty</Name><Properties><Content-Length>0</Content-Length></Properties></Blob>"
        "<Blob><Name>dir</Name><Properties><ResourceType>directory</ResourceType></Properties></"
        "Blob>"
        "</Blobs><NextMarker>2!64!x</NextMarker></EnumerationResults>";
    struct sl_strings names;
    struct sl_error err;
    char *marker;

    (void)state;
    assert_int_equal(read_listing(body, &names, &marker, &err), 0);
    assert_int_equal(names.n, 2);
    assert_string_equal(names.at[0], "a&b +.cap");
    assert_string_equal(names.at[1], "x\xef\xbf\xbfy");
    assert_string_equal(marker, "2!64!x");
    free(marker);
    sl_strings_free(&names);
    assert_int_equal(read_listing("<EnumerationResults><Blobs/><NextMarker/></EnumerationResults>",
                                  &names, &marker, &err),
                     0);
    assert_int_equal(names.n, 0);
    assert_string_equal(marker, "");
    free(marker);
    sl_strings_free(&names);
}

static void what_is_no_listing_is_refused(void **state) {
    static const char *const bodies[] = {"",
                                         "no XML",
                                         "<html><body/></html>",
                                         "<EnumerationResults><Blobs>",
                                         "<!DOCTYPE x [<!ENTITY a \"aaaa\">]><EnumerationResults/>",
                                         "<EnumerationResults><a><b></a></b></EnumerationResults>"};
    char deep[400] = "<EnumerationResults>";
    struct sl_strings names;
    struct sl_error err;
    char *marker;

    (void)state;
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        assert_int_equal(read_listing(bodies[i], &names, &marker, &err), -1);
        assert_null(marker);
        assert_non_null(strstr(err.message, "the listing that the server sent "));
        sl_strings_free(&names);
    }
    for (int i = 0; i < 100; i++)
        strcat(deep, "<a>");
    assert_int_equal(read_listing(deep, &names, &marker, &err), -1);
    assert_non_null(strstr(err.message, "nested"));
    sl_strings_free(&names);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waits_double_up_to_a_bound),
        cmocka_unit_test(no_try_begins_after_the_total_time),
        cmocka_unit_test(retry_after_is_not_undercut),
        cmocka_unit_test(retry_after_is_seconds_or_a_date),
        cmocka_unit_test(settings_are_read_or_refused),
        cmocka_unit_test(the_tail_is_what_was_read_last),
        cmocka_unit_test(listings_are_told_from_blobs),
        cmocka_unit_test(a_listing_keeps_its_query_as_it_is),
        cmocka_unit_test(emulators_have_the_account_in_the_path),
        cmocka_unit_test(a_star_stays_within_its_part_of_the_path),
        cmocka_unit_test(percent_escapes_that_are_none_stay),
        cmocka_unit_test(a_listing_gives_names_and_the_next_page),
        cmocka_unit_test(what_is_no_listing_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
