/* Results as an SQLite database (abi.h: sl_db). Written beside its place without a journal, in one
 * transaction, and renamed at the end: what can be lost is the temporary file. Text of captures
 * goes in as bound values only, names of tables and columns as quoted identifiers. */
#include "../error.h"
#include "flow_columns.h"
#include "outfile.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

struct sl_db {
    char *path;
    struct sl_outfile *file;
    sqlite3 *handle;
    sqlite3_stmt *insert; /* into the last table */
    struct sl_flow_columns columns;
    struct sl_error error; /* the first one; code 0: none */
};

static const char *const types[] = {
    [SL_DB_ANY] = "", [SL_DB_TEXT] = " TEXT", [SL_DB_INTEGER] = " INTEGER", [SL_DB_REAL] = " REAL"};

static int fail(struct sl_db *db, const char *why) {
    if (!db->error.code)
        sl_error_set(&db->error, SL_EXIT_USAGE, "%s: cannot write: %s", db->path, why);
    return -1;
}

static int fail_sql(struct sl_db *db) {
    return fail(db, sqlite3_errmsg(db->handle));
}

static int execute(struct sl_db *db, const char *sql) {
    return sqlite3_exec(db->handle, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : fail_sql(db);
}

static int open_file(struct sl_db *db) {
    db->file = sl_outfile_open(db->path);
    if (!db->file)
        return fail(db, "out of memory");
    if (sl_outfile_error(db->file))
        return sl_error_set(&db->error, SL_EXIT_USAGE, "%s", sl_outfile_error(db->file));
    if (sqlite3_open(sl_outfile_temp(db->file), &db->handle) != SQLITE_OK)
        return db->handle ? fail_sql(db) : fail(db, "out of memory");
    return execute(db, "PRAGMA page_size = 16384; PRAGMA journal_mode = OFF;"
                       "PRAGMA synchronous = OFF; BEGIN");
}

struct sl_db *sl_db_open(const char *path, struct sl_error *err) {
    struct sl_db *db = calloc(1, sizeof *db);

    if (!db || !(db->path = strdup(path))) {
        free(db);
        sl_error_set(err, SL_EXIT_USAGE, "%s: out of memory", path);
        return NULL;
    }
    if (open_file(db) == 0)
        return db;
    (void)sl_db_close(db, 0, err);
    return NULL;
}

/* Both statements, of "name type, …" and "?, …". */
static int make_table(struct sl_db *db, const char *table, const char *columns, const char *marks) {
    char *create = sqlite3_mprintf("CREATE TABLE \"%w\" (%s)", table, columns);
    char *insert = sqlite3_mprintf("INSERT INTO \"%w\" VALUES (%s)", table, marks);
    int result = create && insert ? execute(db, create) : fail(db, "out of memory");

    if (result == 0 && sqlite3_prepare_v2(db->handle, insert, -1, &db->insert, NULL) != SQLITE_OK)
        result = fail_sql(db);
    sqlite3_free(create);
    sqlite3_free(insert);
    return result;
}

int sl_db_table(struct sl_db *db, const char *name, const struct sl_db_column *columns,
                uint32_t n) {
    sqlite3_str *list = sqlite3_str_new(db->handle), *marks = sqlite3_str_new(db->handle);

    sqlite3_finalize(db->insert);
    db->insert = NULL;
    for (uint32_t i = 0; i < n; i++) {
        sqlite3_str_appendf(list, "%s\"%w\"%s", i ? ", " : "", columns[i].name,
                            types[columns[i].type]);
        sqlite3_str_appendall(marks, i ? ", ?" : "?");
    }
    char *list_text = sqlite3_str_finish(list), *marks_text = sqlite3_str_finish(marks);
    int result = list_text && marks_text ? make_table(db, name, list_text, marks_text)
                                         : fail(db, "out of memory");
    sqlite3_free(list_text);
    sqlite3_free(marks_text);
    return result;
}

static void bound(struct sl_db *db, int result) {
    if (result != SQLITE_OK)
        (void)fail_sql(db);
}

void sl_db_text(struct sl_db *db, uint32_t column, const char *text, size_t size) {
    bound(db,
          sqlite3_bind_text64(db->insert, (int)column, text, size, SQLITE_TRANSIENT, SQLITE_UTF8));
}

void sl_db_integer(struct sl_db *db, uint32_t column, int64_t n) {
    bound(db, sqlite3_bind_int64(db->insert, (int)column, n));
}

void sl_db_real(struct sl_db *db, uint32_t column, double n) {
    bound(db, sqlite3_bind_double(db->insert, (int)column, n));
}

int sl_db_row(struct sl_db *db) {
    if (db->error.code)
        return -1;
    if (sqlite3_step(db->insert) != SQLITE_DONE)
        return fail_sql(db);
    sqlite3_reset(db->insert);
    sqlite3_clear_bindings(db->insert);
    return 0;
}

/* ---- flows ---- */

static enum sl_db_type type_of(enum sl_column_kind kind) {
    switch (kind) {
    case SL_COLUMN_INTEGER:
        return SL_DB_INTEGER;
    case SL_COLUMN_REAL:
        return SL_DB_REAL;
    default:
        return SL_DB_TEXT;
    }
}

int sl_db_flow_table(struct sl_db *db, const char *name, struct sl_geo *geo,
                     const struct sl_services *services) {
    struct sl_db_column columns[SL_FLOW_COLUMN_COUNT];

    db->columns = (struct sl_flow_columns){geo, services, 0};
    for (uint32_t i = 0; i < SL_FLOW_COLUMN_COUNT; i++)
        columns[i] =
            (struct sl_db_column){sl_flow_columns[i].name, type_of(sl_flow_columns[i].kind)};
    return sl_db_table(db, name, columns, SL_FLOW_COLUMN_COUNT);
}

static void put_flow(struct sl_db *db, const struct sl_flow *f) {
    char text[SL_FLOW_COLUMN_MAX];

    for (uint32_t i = 0; i < SL_FLOW_COLUMN_COUNT; i++) {
        const struct sl_flow_column *column = &sl_flow_columns[i];
        char *end = column->put(&db->columns, f, text);
        *end = '\0';
        if (end == text && column->kind != SL_COLUMN_TEXT)
            continue;
        if (column->kind == SL_COLUMN_INTEGER)
            sl_db_integer(db, i + 1, (int64_t)strtoull(text, NULL, 10));
        else if (column->kind == SL_COLUMN_REAL)
            sl_db_real(db, i + 1, strtod(text, NULL));
        else
            sl_db_text(db, i + 1, text, (size_t)(end - text));
    }
}

int sl_db_flows(struct sl_db *db, struct sl_flow *const *flows, uint32_t n) {
    for (uint32_t i = 0; i < n && !db->error.code; i++) {
        put_flow(db, flows[i]);
        (void)sl_db_row(db);
    }
    return db->error.code ? -1 : 0;
}

/* ---- the end ---- */

const struct sl_error *sl_db_error(const struct sl_db *db) {
    return &db->error;
}

int sl_db_close(struct sl_db *db, int keep, struct sl_error *err) {
    sqlite3_finalize(db->insert);
    if (keep && !db->error.code)
        (void)execute(db, "COMMIT");
    if (db->handle && sqlite3_close(db->handle) != SQLITE_OK)
        (void)fail(db, "it could not be closed");
    if (keep && !db->error.code && sl_outfile_commit(db->file) < 0)
        sl_error_set(&db->error, SL_EXIT_USAGE, "%s", sl_outfile_error(db->file));
    *err = db->error;
    sl_outfile_free(db->file);
    free(db->path);
    free(db);
    return err->code ? -1 : 0;
}
