/* Inputs that stand for several: a URL that ends with / or has a * in the last part of its path is
 * a prefix in a blob container, and stands for the blobs below it, in the order of their names.
 *
 *     https://account.blob.core.windows.net/container/2024/01/31/?SAS       all below
 *     https://account.blob.core.windows.net/container/2024/packet*.cap?SAS  those that match;
 *                                                                    * does not pass over a / */
#ifndef SL_SOURCE_LIST_H
#define SL_SOURCE_LIST_H

#include "source.h"
#include "string_list.h"

/* Whether an input is such a URL. */
bool sl_list_is(const char *input);

/* Appends to inputs what the input stands for: itself, or the URLs of the blobs, with its own
 * query. -1 with *err: the listing was refused or cannot be understood, or there is no such blob.
 */
int sl_list_add(struct sl_strings *inputs, const char *input, const struct sl_source_options *,
                struct sl_error *) SL_USED;

#endif
