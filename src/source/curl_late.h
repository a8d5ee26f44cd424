/* libcurl, loaded when something is fetched first: it brings thirty libraries, whose loading costs
 * a third of a run over a small file. Its functions are called as sl_curl()->easy_init() and so on.
 */
#ifndef SL_SOURCE_CURL_LATE_H
#define SL_SOURCE_CURL_LATE_H

#include <curl/curl.h>

#include "../error.h"

/* Those that sluice calls, without curl_. */
#define SL_CURL_FUNCTIONS(X)                                                                       \
    X(version)                                                                                     \
    X(getdate)                                                                                     \
    X(global_init)                                                                                 \
    X(global_cleanup)                                                                              \
    X(easy_init)                                                                                   \
    X(easy_cleanup)                                                                                \
    X(easy_setopt)                                                                                 \
    X(easy_getinfo)                                                                                \
    X(easy_pause)                                                                                  \
    X(easy_strerror)                                                                               \
    X(multi_init)                                                                                  \
    X(multi_cleanup)                                                                               \
    X(multi_add_handle)                                                                            \
    X(multi_remove_handle)                                                                         \
    X(multi_perform)                                                                               \
    X(multi_poll)                                                                                  \
    X(multi_info_read)                                                                             \
    X(slist_append)                                                                                \
    X(slist_free_all)

struct sl_curl {
#define SL_CURL_POINTER(name) __typeof__(curl_##name) *name;
    SL_CURL_FUNCTIONS(SL_CURL_POINTER)
#undef SL_CURL_POINTER
};

/* Loads it, once in a process. -1: it is not there, or lacks a function. */
int sl_curl_load(struct sl_error *) SL_USED;
/* What was loaded: for those who know that sl_curl_load has succeeded. */
const struct sl_curl *sl_curl(void);

#endif
