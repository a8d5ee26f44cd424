/* Errors and the text in them: one line, and nothing that drives a terminal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../../src/error.h"

static void text_is_defused(void **state) {
    static const struct {
        const char *text, *one_line, *lines;
    } cases[] = {
        {"plain text, 100 %", "plain text, 100 %", "plain text, 100 %"},
        {"a\nb\tc\x7f", "a?b?c?", "a\nb?c?"},
        {"\x1b[31mred", "?[31mred", "?[31mred"},
        {"\xc2\x9b"
         "31m\xc2\xa0x",
         "??31m\xc2\xa0x", "??31m\xc2\xa0x"}, /* CSI as one character; a hard space */
        {"\x9b 31m", "? 31m", "? 31m"},       /* the same for terminals of 8 bits */
        {"\xe2\x82\xac \xe6\x97\xa5",
         "\xe2\x82\xac \xe6\x97\xa5", /* whose bytes are 82, 97 as well */
         "\xe2\x82\xac \xe6\x97\xa5"},
        {"exe.\xe2\x80\xaegpj", "exe.???gpj", "exe.???gpj"}, /* right to left from there on */
        {"\xe2\x81\xa6\xe2\x80\x8f", "??????", "??????"},
        {"\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80"},
        {"M\xfcller", "M\xfcller", "M\xfcller"}, /* Latin-1 */
        {"cut \xe2\x82", "cut \xe2?", "cut \xe2?"},
        {"cut \xc2", "cut \xc2", "cut \xc2"},
    };
    char text[64];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        strcpy(text, cases[i].text);
        sl_text_defuse(text, 0);
        assert_string_equal(text, cases[i].one_line);
        strcpy(text, cases[i].text);
        sl_text_defuse(text, 1);
        assert_string_equal(text, cases[i].lines);
    }
}

static void an_error_is_one_line(void **state) {
    struct sl_error err;
    char long_text[2000];

    (void)state;
    assert_int_equal(sl_error_set(&err, SL_EXIT_INPUT, "%s: %d\n", "a\xc2\x9b", 7), -1);
    assert_int_equal(err.code, SL_EXIT_INPUT);
    assert_string_equal(err.message, "a??: 7?");
    memset(long_text, 'x', sizeof long_text);
    long_text[sizeof long_text - 1] = '\0';
    assert_int_equal(sl_error_set(&err, SL_EXIT_USAGE, "%s", long_text), -1);
    assert_int_equal(strlen(err.message), sizeof err.message - 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_defused),
        cmocka_unit_test(an_error_is_one_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
