/* One line for somebody whose remote capture could not be read. */
#ifndef SL_SOURCE_HTTP_EXPLAIN_H
#define SL_SOURCE_HTTP_EXPLAIN_H

#include "http_range.h"

/* Fills *err for a range whose outcome failed: what the server or libcurl said with every secret of
 * url masked, the byte that was reached, what to do next. name is the redacted url. Returns -1. */
int sl_http_explain(const struct sl_http_range *, const char *name, const char *url,
                    struct sl_error *err);

#endif
