/* The ABI as Lua gets it: that all of its structs are compared. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../../src/abi_text.h"

static int is_compared(const char *name) {
    for (const struct sl_abi_size *s = sl_abi_sizes; s->name; s++)
        if (strcmp(s->name, name) == 0)
            return 1;
    return 0;
}

static void every_struct_is_compared(void **state) {
    static const char begin[] = "\nstruct ";
    int n = 0;

    (void)state;
    for (const char *at = strstr(sl_abi_text, begin); at; at = strstr(at + 1, begin)) {
        const char *word = at + sizeof begin - 1;
        size_t size = strcspn(word, " ;*\n");
        char name[64];

        if (strncmp(word + size, " {", 2) != 0)
            continue;
        (void)snprintf(name, sizeof name, "struct %.*s", (int)size, word);
        if (!is_compared(name))
            fail_msg("src/abi.c does not list %s", name);
        n++;
    }
    for (const struct sl_abi_size *s = sl_abi_sizes; s->name; s++)
        n--;
    assert_int_equal(n, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_struct_is_compared),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
