#include "http_error.h"

#include <stdlib.h>
#include <string.h>

#include "../error.h"

/* One character reference at body[i] ("&amp;", "&#43;", "&#x2B;"): stores the character in *c and
 * returns the reference's length; 0 when it is none, or not of ASCII. */
static size_t read_entity(const char *body, size_t size, char *c) {
    static const struct {
        const char *text;
        char c;
    } named[] = {{"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}};
    char digits[10] = "";
    size_t n = 2;
    long value;

    for (size_t i = 0; i < sizeof named / sizeof *named; i++) {
        size_t length = strlen(named[i].text);

        if (size >= length && memcmp(body, named[i].text, length) == 0) {
            *c = named[i].c;
            return length;
        }
    }
    if (size < 4 || body[0] != '&' || body[1] != '#')
        return 0;
    while (n < size && n - 2 < sizeof digits - 1 && body[n] != ';') {
        digits[n - 2] = body[n];
        n++;
    }
    if (n == size || body[n] != ';')
        return 0;
    value = digits[0] == 'x' || digits[0] == 'X' ? strtol(digits + 1, NULL, 16)
                                                 : strtol(digits, NULL, 10);
    if (value < 1 || value > 126)
        return 0;
    *c = (char)value;
    return n + 1;
}

/* Copies the element's text up to its first line's end. */
static void copy_text(const char *text, size_t size, char *out, size_t cap) {
    size_t n = 0;

    while (size && (*text == ' ' || *text == '\t' || *text == '\r' || *text == '\n'))
        text++, size--;
    while (size && n < cap - 1 && *text && *text != '<' && *text != '\r' && *text != '\n') {
        char c = *text;
        size_t used = c == '&' ? read_entity(text, size, &c) : 0;

        out[n++] = c;
        used = used ? used : 1;
        text += used;
        size -= used;
    }
    if (n == cap - 1) /* do not end inside a UTF-8 character */
        while (n && ((unsigned char)out[n - 1] & 0x80))
            n--;
    out[n] = 0;
    sl_text_defuse(out, 0);
}

/* Gives the first element of this name (without attributes, as both services write it). */
static void read_element(const char *body, size_t size, const char *name, char *out, size_t cap) {
    size_t length = strlen(name);

    out[0] = 0;
    for (size_t i = 0; i + length + 2 <= size; i++) {
        if (body[i] != '<' || memcmp(body + i + 1, name, length) != 0 ||
            body[i + 1 + length] != '>')
            continue;
        i += length + 2;
        copy_text(body + i, size - i, out, cap);
        return;
    }
}

void sl_http_error_read(const char *body, size_t size, struct sl_http_error *error) {
    read_element(body, size, "Code", error->code, sizeof error->code);
    read_element(body, size, "Message", error->message, sizeof error->message);
    read_element(body, size, "AuthenticationErrorDetail", error->detail, sizeof error->detail);
}
