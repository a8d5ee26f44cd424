/* What rows say of a flow: one list of columns for every form (CSV, TSV, JSON, databases). No text
 * here needs escaping: it is all numbers, addresses and names of our own. */
#ifndef SL_OUTPUT_FLOW_COLUMNS_H
#define SL_OUTPUT_FLOW_COLUMNS_H

#include "../types.h"

struct sl_geo;
struct sl_services;

/* Where columns look things up; both borrowed. */
struct sl_flow_columns {
    struct sl_geo *geo;
    const struct sl_services *services;
    int json; /* what is not known is null, elsewhere it is nothing */
};

enum sl_column_kind {
    SL_COLUMN_TEXT,
    SL_COLUMN_TEXT_OR_NULL, /* in JSON with its own quotes */
    SL_COLUMN_INTEGER,
    SL_COLUMN_REAL /* seconds with nine digits, or nothing */
};

struct sl_flow_column {
    const char *name;
    enum sl_column_kind kind;
    /* Writes the text, at most SL_FLOW_COLUMN_MAX bytes and none of them 0; returns its end. */
    char *(*put)(const struct sl_flow_columns *, const struct sl_flow *, char *to);
};

enum { SL_FLOW_COLUMN_COUNT = 27, SL_FLOW_COLUMN_MAX = 256 };

extern const struct sl_flow_column sl_flow_columns[SL_FLOW_COLUMN_COUNT];

#endif
