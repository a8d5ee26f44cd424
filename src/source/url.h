/* URLs that carry secrets: what may be shown of them, and what must be hidden in other texts.
 * Nothing here changes a URL that is sent. */
#ifndef SL_SOURCE_URL_H
#define SL_SOURCE_URL_H

#include "../types.h"

enum { SL_URL_SAS_TEXT = 320 }; /* room that sl_url_sas_text needs */

/* "https://<redacted>@host:port/path?<redacted>", the redacted parts only where the URL has them;
 * a fragment is left out, and a host that cannot be told from a password is redacted with all that
 * follows. Control characters become '?'. NULL: no memory. The caller frees it. */
char *sl_url_redact(const char *url) SL_USED;

/* Overwrites in text, with "***", what is secret in url: user, password and the value of every
 * query parameter not known to be public; found in any case, percent-encoded, decoded, encoded
 * twice, or cut off after 8 characters. Also what follows "sig=" or "signature=" in text, whoever's
 * it is. */
void sl_url_mask(char *text, const char *url);

/* What somebody needs who was refused, from the query of a shared access signature or a presigned
 * URL: "st=… se=… (expired) sp=…"; "" when the URL is not signed. Never the signature. */
void sl_url_sas_text(const char *url, int64_t now_s, char text[SL_URL_SAS_TEXT]);

#endif
