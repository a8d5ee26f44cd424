#include "curl_late.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>

#define LIBRARY "libcurl.so.4" /* its ABI since 2006 */

/* A process has a library once, whoever asks. */
static struct sl_curl functions;
static char why_not[512];

/* ISO C has no way from the pointer that dlsym gives to one to a function, POSIX has. */
static int find(void *library, const char *name, void *function) {
    void *found = dlsym(library, name);

    if (found)
        *(void **)function = found;
    else
        (void)snprintf(why_not, sizeof why_not, "it has no %s", name);
    return found ? 0 : -1;
}

static void load(void) {
    void *library = dlopen(LIBRARY, RTLD_LAZY | RTLD_LOCAL);

    if (!library) {
        const char *why = dlerror();
        (void)snprintf(why_not, sizeof why_not, "%s", why ? why : "no reason is given");
        return;
    }
#define FIND(name)                                                                                 \
    if (find(library, "curl_" #name, (void *)&functions.name) < 0)                                 \
        return;
    SL_CURL_FUNCTIONS(FIND)
#undef FIND
}

const struct sl_curl *sl_curl(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    (void)pthread_once(&once, load);
    return &functions;
}

int sl_curl_load(struct sl_error *err) {
    (void)sl_curl();
    if (!why_not[0])
        return 0;
    return sl_error_set(err, SL_EXIT_INPUT, "URLs cannot be read without " LIBRARY ": %s", why_not);
}
