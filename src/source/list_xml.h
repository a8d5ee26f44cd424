/* The XML of Azure's List Blobs, a page of it. */
#ifndef SL_SOURCE_LIST_XML_H
#define SL_SOURCE_LIST_XML_H

#include "../error.h"
#include "string_list.h"

/* Appends the names of the blobs that hold something to names; *marker: where the next page begins,
 * "" behind the last one, to be freed by the caller. -1 with *err ("…: the listing …"): it is no
 * such XML, is cut, or has a document type, with which XML can be made to explode. */
int sl_list_xml_read(const char *body, size_t size, struct sl_strings *names, char **marker,
                     struct sl_error *) SL_USED;

#endif
