/* What every HTTP request of sluice has in common, whatever it asks for. */
#ifndef SL_SOURCE_HTTP_EASY_H
#define SL_SOURCE_HTTP_EASY_H

#include "curl_late.h"

#include "http_retry.h"

/* A handle for GETs of url, which is sent as it stands. text (CURL_ERROR_SIZE bytes) takes
 * libcurl's words and must live as long as the handle. NULL with *err on failure; to be freed with
 * curl_easy_cleanup. */
CURL *sl_http_easy_new(const char *url, const struct sl_http_retry *, char *text,
                       struct sl_error *) SL_USED;

#endif
