/* Flows as rows of text by the million (abi.h: sl_rows). */
#include "conn_log.h"
#include "digits.h"
#include "flow_columns.h"
#include "out.h"

#include <stdlib.h>

enum { ROW_MAX = SL_CONN_LOG_MAX };

struct sl_rows {
    struct sl_out *out;
    struct sl_flow_columns columns;
    int form;
    uint64_t n;
    struct sl_conn_log conn_log; /* with SL_ROWS_ZEEK */
};

static int is_json(int form) {
    return form == SL_ROWS_JSON || form == SL_ROWS_JSONL;
}

struct sl_rows *sl_rows_new(struct sl_out *out, struct sl_geo *geo,
                            const struct sl_services *services, int form) {
    struct sl_rows *r = calloc(1, sizeof *r);

    if (r)
        *r = (struct sl_rows){.out = out,
                              .columns = {geo, services, is_json(form)},
                              .form = form,
                              .conn_log.services = services};
    return r;
}

void sl_rows_free(struct sl_rows *r) {
    free(r);
}

static int is_table(const struct sl_rows *r) {
    return r->form == SL_ROWS_CSV || r->form == SL_ROWS_TSV;
}

int sl_rows_begin(struct sl_rows *r) {
    char *to = sl_out_reserve(r->out, ROW_MAX);

    if (r->form == SL_ROWS_JSON)
        *to++ = '[';
    for (size_t i = 0; is_table(r) && i < SL_FLOW_COLUMN_COUNT; i++) {
        to = sl_put_text(to, sl_flow_columns[i].name);
        *to++ = i + 1 == SL_FLOW_COLUMN_COUNT ? '\n' : r->form == SL_ROWS_CSV ? ',' : '\t';
    }
    sl_out_advance(r->out, to);
    return sl_out_error(r->out)->code ? -1 : 0;
}

void sl_rows_continue(struct sl_rows *r, uint64_t n) {
    r->n = n;
}

uint64_t sl_rows_count(const struct sl_rows *r) {
    return r->n;
}

static char *put_object(const struct sl_rows *r, const struct sl_flow *f, char *to) {
    for (size_t i = 0; i < SL_FLOW_COLUMN_COUNT; i++) {
        *to++ = i ? ',' : '{';
        *to++ = '"';
        to = sl_put_text(to, sl_flow_columns[i].name);
        *to++ = '"';
        *to++ = ':';
        if (sl_flow_columns[i].kind == SL_COLUMN_TEXT)
            *to++ = '"';
        to = sl_flow_columns[i].put(&r->columns, f, to);
        if (sl_flow_columns[i].kind == SL_COLUMN_TEXT)
            *to++ = '"';
    }
    *to++ = '}';
    return to;
}

static char *put_line(const struct sl_rows *r, const struct sl_flow *f, char *to) {
    for (size_t i = 0; i < SL_FLOW_COLUMN_COUNT; i++) {
        if (i)
            *to++ = r->form == SL_ROWS_CSV ? ',' : '\t';
        to = sl_flow_columns[i].put(&r->columns, f, to);
    }
    return to;
}

static char *put_row(struct sl_rows *r, const struct sl_flow *f, char *to) {
    switch (r->form) {
    case SL_ROWS_ZEEK:
        return sl_conn_log_flow(&r->conn_log, f, to);
    case SL_ROWS_JSON:
        return put_object(r, f, sl_put_text(to, r->n ? ",\n " : "\n "));
    case SL_ROWS_JSONL:
        to = put_object(r, f, to);
        break;
    default:
        to = put_line(r, f, to);
    }
    *to++ = '\n';
    return to;
}

int sl_rows_flows(struct sl_rows *r, struct sl_flow *const *flows, uint32_t n) {
    for (uint32_t i = 0; i < n; i++) {
        sl_out_advance(r->out, put_row(r, flows[i], sl_out_reserve(r->out, ROW_MAX)));
        r->n++;
    }
    return sl_out_error(r->out)->code ? -1 : 0;
}

int sl_rows_end(struct sl_rows *r) {
    if (r->form == SL_ROWS_ZEEK) {
        sl_out_advance(r->out, sl_conn_log_end(&r->conn_log, sl_out_reserve(r->out, ROW_MAX)));
        return sl_out_error(r->out)->code ? -1 : 0;
    }
    return r->form == SL_ROWS_JSON ? sl_out_write(r->out, "\n]\n", 3) : 0;
}
