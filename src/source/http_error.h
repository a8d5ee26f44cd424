/* The XML that Azure Blob Storage and S3 send with a refusal:
 * <Error><Code>…</Code><Message>…</Message>…</Error>, in any order, perhaps after a BOM. */
#ifndef SL_SOURCE_HTTP_ERROR_H
#define SL_SOURCE_HTTP_ERROR_H

#include "../types.h"

/* First lines only, entities resolved, control characters '?', bounded; "" where absent.
 * These are a stranger's words: mask secrets in them (url.h) before they are shown. */
struct sl_http_error {
    char code[64];     /* <Code> */
    char message[512]; /* <Message> */
    char detail[512];  /* <AuthenticationErrorDetail>: what Azure found wrong with a signature */
};

void sl_http_error_read(const char *body, size_t size, struct sl_http_error *);

#endif
