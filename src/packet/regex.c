/* The C side of a display filter's "matches": PCRE2, compiled once, with its JIT where there is
 * one. Declared in abi.h. */
#include "../types.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdlib.h>

/* Bounds for one search. Wireshark has PCRE2's own limit of 10 million steps; on a payload of
 * hostile bytes that is a second, and there can be many packets. */
enum {
    MATCH_LIMIT = 200000,
    DEPTH_LIMIT = 2000,
    JIT_STACK_START = 32 * 1024,
    JIT_STACK_MAX = 512 * 1024
};

struct sl_regex {
    pcre2_code *code;
    pcre2_match_data *match;
    pcre2_match_context *context;
    pcre2_jit_stack *stack;
    uint64_t limited;
};

/* What a search needs beside the code; -1: out of memory. */
static int prepare(struct sl_regex *re) {
    re->match = pcre2_match_data_create(1, NULL);
    re->context = pcre2_match_context_create(NULL);
    if (!re->match || !re->context)
        return -1;
    pcre2_set_match_limit(re->context, MATCH_LIMIT);
    pcre2_set_depth_limit(re->context, DEPTH_LIMIT);
    if (pcre2_jit_compile(re->code, PCRE2_JIT_COMPLETE) == 0) {
        re->stack = pcre2_jit_stack_create(JIT_STACK_START, JIT_STACK_MAX, NULL);
        if (!re->stack)
            return -1;
        pcre2_jit_stack_assign(re->context, NULL, re->stack);
    }
    return 0;
}

struct sl_regex *sl_regex_compile(const char *pattern, size_t len, uint32_t *offset, char *message,
                                  size_t message_size) {
    int code = PCRE2_ERROR_NOMEMORY;
    size_t at = 0;
    struct sl_regex *re = calloc(1, sizeof *re);

    if (re) {
        re->code = pcre2_compile((PCRE2_SPTR)pattern, len, PCRE2_CASELESS | PCRE2_NEVER_UTF, &code,
                                 &at, NULL);
        if (re->code && prepare(re) == 0)
            return re;
        if (re->code)
            code = PCRE2_ERROR_NOMEMORY;
    }
    sl_regex_free(re);
    *offset = (uint32_t)at;
    pcre2_get_error_message(code, (PCRE2_UCHAR *)message, message_size);
    return NULL;
}

int sl_regex_match(struct sl_regex *re, const uint8_t *data, size_t len) {
    int rc = pcre2_match(re->code, data, len, 0, 0, re->match, re->context);

    if (rc < 0 && rc != PCRE2_ERROR_NOMATCH)
        re->limited++;
    return rc >= 0;
}

uint64_t sl_regex_limited(const struct sl_regex *re) {
    return re->limited;
}

void sl_regex_free(struct sl_regex *re) {
    if (!re)
        return;
    pcre2_code_free(re->code);
    pcre2_match_data_free(re->match);
    pcre2_match_context_free(re->context);
    pcre2_jit_stack_free(re->stack);
    free(re);
}
