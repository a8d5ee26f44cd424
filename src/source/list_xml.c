#include "list_xml.h"

#include <expat.h>
#include <stdlib.h>
#include <string.h>

#include "percent.h"

/* A blob's name has 1,024 characters at most, a marker seldom more. */
enum { TEXT_MAX = 8192, DEPTH_MAX = 32 };

/* EnumerationResults / Blobs / Blob / Name | Properties / Content-Length | ResourceType
 *                    / NextMarker */
enum { AT_ROOT = 1, AT_MARKER = 2, AT_BLOB = 3, AT_NAME = 4, AT_PROPERTY = 5 };

struct reading {
    XML_Parser parser;
    struct sl_strings *names;
    int depth;
    bool in_blob, empty, escaped;
    char *name, *marker;
    char text[TEXT_MAX]; /* of the element that began last */
    size_t n;
    const char *wrong; /* static; NULL: nothing so far */
};

static void stop(struct reading *r, const char *why) {
    if (!r->wrong)
        r->wrong = why;
    (void)XML_StopParser(r->parser, XML_FALSE);
}

static void on_start(void *user, const XML_Char *element, const XML_Char **attributes) {
    struct reading *r = user;

    r->n = 0;
    if (++r->depth == AT_ROOT && strcmp(element, "EnumerationResults") != 0)
        stop(r, "is none of blobs");
    if (r->depth > DEPTH_MAX)
        stop(r, "is nested too deeply");
    if (r->depth == AT_BLOB) {
        r->in_blob = strcmp(element, "Blob") == 0; /* there is BlobPrefix too */
        r->empty = r->escaped = false;
    }
    if (r->depth == AT_NAME && *attributes)
        r->escaped = strcmp(attributes[0], "Encoded") == 0 && strcmp(attributes[1], "true") == 0;
}

static void on_text(void *user, const XML_Char *text, int length) {
    struct reading *r = user;
    size_t size = (size_t)length;

    if (size >= sizeof r->text - r->n) {
        stop(r, "holds a text that is too long");
        return;
    }
    memcpy(r->text + r->n, text, size);
    r->n += size;
}

/* A copy of the text in place of what *to had. */
static void set(struct reading *r, char **to, bool escaped) {
    free(*to);
    *to = escaped ? sl_percent_decode(r->text, r->n) : strndup(r->text, r->n);
    if (!*to)
        stop(r, "does not fit into memory");
}

static void end_blob(struct reading *r) {
    char *name = r->name;

    r->name = NULL;
    r->in_blob = false;
    if (!name || !*name || r->empty)
        free(name);
    else if (sl_strings_take(r->names, name) != 0)
        stop(r, "does not fit into memory");
}

static bool is_text(const struct reading *r, const char *text) {
    return r->n == strlen(text) && memcmp(r->text, text, r->n) == 0;
}

static void on_end(void *user, const XML_Char *element) {
    struct reading *r = user;
    int depth = r->depth--;

    if (depth == AT_MARKER && strcmp(element, "NextMarker") == 0)
        set(r, &r->marker, false);
    else if (depth == AT_BLOB && r->in_blob)
        end_blob(r);
    else if (depth == AT_NAME && r->in_blob && strcmp(element, "Name") == 0)
        set(r, &r->name, r->escaped);
    else if (depth == AT_PROPERTY && strcmp(element, "Content-Length") == 0)
        r->empty |= is_text(r, "0");
    else if (depth == AT_PROPERTY && strcmp(element, "ResourceType") == 0)
        r->empty |= is_text(r, "directory"); /* accounts with directories list them too */
    r->n = 0;
}

static void on_doctype(void *user, const XML_Char *name, const XML_Char *sysid,
                       const XML_Char *pubid, int has_internal) {
    (void)name, (void)sysid, (void)pubid, (void)has_internal;
    stop(user, "has a document type");
}

static int parse(struct reading *r, const char *body, size_t size) {
    XML_SetUserData(r->parser, r);
    XML_SetElementHandler(r->parser, on_start, on_end);
    XML_SetCharacterDataHandler(r->parser, on_text);
    XML_SetStartDoctypeDeclHandler(r->parser, on_doctype);
    if (size > INT32_MAX)
        r->wrong = "is too large";
    else if (XML_Parse(r->parser, body, (int)size, XML_TRUE) != XML_STATUS_OK && !r->wrong)
        r->wrong = XML_ErrorString(XML_GetErrorCode(r->parser));
    return r->wrong ? -1 : 0;
}

int sl_list_xml_read(const char *body, size_t size, struct sl_strings *names, char **marker,
                     struct sl_error *err) {
    struct reading *r = calloc(1, sizeof *r);
    int result = -1;

    *marker = NULL;
    if (!r || !(r->parser = XML_ParserCreate(NULL)) || !(r->marker = strdup(""))) {
        sl_error_set(err, SL_EXIT_INPUT, "out of memory");
    } else {
        r->names = names;
        result = parse(r, body, size);
        if (result != 0)
            sl_error_set(err, SL_EXIT_INPUT, "the listing that the server sent %s", r->wrong);
    }
    if (result == 0) {
        *marker = r->marker;
        r->marker = NULL;
    }
    if (r) {
        if (r->parser)
            XML_ParserFree(r->parser);
        free(r->marker);
        free(r->name);
    }
    free(r);
    return result;
}
