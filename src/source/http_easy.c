#include "http_easy.h"

#include "../options.h"

#include <stdio.h>
#include <stdlib.h>

enum { CONNECT_TIMEOUT_S = 30, REDIRECTS_MAX = 5, SOCKET_READ = 128 * 1024 };

/* The variables that the curl tool knows beside libcurl's own (http_proxy, no_proxy …); libcurl
 * itself looks at none of them once it was built with a bundle, as Debian's was. */
static int set_certificates(CURL *easy) {
    const char *bundle = getenv("CURL_CA_BUNDLE");
    const char *folder = getenv("SSL_CERT_DIR");
    int bad = 0;

    if (!bundle || !*bundle)
        bundle = getenv("SSL_CERT_FILE");
    if (bundle && *bundle)
        bad |= (int)sl_curl()->easy_setopt(easy, CURLOPT_CAINFO, bundle);
    if (folder && *folder)
        bad |= (int)sl_curl()->easy_setopt(easy, CURLOPT_CAPATH, folder);
    return bad;
}

/* Redirects: libcurl sends user and password to the host of the URL only, and the query never goes
 * along. A netrc entry counts only for its own host, and only where the URL has no user. */
static int set_limits(CURL *easy, const struct sl_http_retry *retry) {
    int bad = 0;

    bad |= (int)sl_curl()->easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    bad |= (int)sl_curl()->easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    bad |= (int)sl_curl()->easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 1L);
    bad |= (int)sl_curl()->easy_setopt(easy, CURLOPT_MAXREDIRS, (long)REDIRECTS_MAX);
    bad |= (int)sl_curl()->easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_OPTIONAL);
    bad |= (int)sl_curl()->easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_TIMEOUT_S);
    bad |= (int)sl_curl()->easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, (long)SL_HTTP_STALL_BYTES);
    bad |= (int)sl_curl()->easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, (long)retry->stall_s);
    return bad;
}

/* HTTP/1.1, because over HTTP/2 libcurl puts all requests on one connection, which a server may
 * limit. No Accept-Encoding, and nothing is decoded: offsets are those of the blob. */
static int set_form(CURL *easy, const char *url) {
    char agent[128];
    int bad = 0;

    (void)snprintf(agent, sizeof agent, "sluice/%s", sl_version());
    bad |= (int)sl_curl()->easy_setopt(easy, CURLOPT_URL, url);
    bad |= (int)sl_curl()->easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
    bad |= (int)sl_curl()->easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    bad |= (int)sl_curl()->easy_setopt(easy, CURLOPT_HTTP_CONTENT_DECODING, 0L);
    bad |= (int)sl_curl()->easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    bad |= (int)sl_curl()->easy_setopt(easy, CURLOPT_USERAGENT, agent); /* libcurl keeps a copy */
    bad |= (int)sl_curl()->easy_setopt(easy, CURLOPT_BUFFERSIZE, (long)SOCKET_READ);
    bad |= (int)sl_curl()->easy_setopt(easy, CURLOPT_NOSIGNAL,
                                       1L); /* it may run beside other threads */
    /* so that Ctrl-C does not wait for a name server that does not answer */
    bad |= (int)sl_curl()->easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
    return bad;
}

CURL *sl_http_easy_new(const char *url, const struct sl_http_retry *retry, char *text,
                       struct sl_error *err) {
    CURL *easy = sl_curl()->easy_init();

    if (!easy) {
        sl_error_set(err, SL_EXIT_INPUT, "out of memory for a request");
        return NULL;
    }
    text[0] = 0;
    if (set_form(easy, url) != 0 || set_limits(easy, retry) != 0 || set_certificates(easy) != 0 ||
        sl_curl()->easy_setopt(easy, CURLOPT_ERRORBUFFER, text) != CURLE_OK) {
        sl_error_set(err, SL_EXIT_INPUT, "libcurl lacks something that sluice needs");
        sl_curl()->easy_cleanup(easy);
        return NULL;
    }
    return easy;
}
