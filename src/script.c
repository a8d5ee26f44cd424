#include "script.h"

#include "abi_text.h"
#include "options.h"
#include "run/crew.h"
#include "run/interrupt.h"
#include "source/curl_late.h"

#include <lauxlib.h>
#include <lua.h>
#include <luajit.h>
#include <lualib.h>
#include <maxminddb.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* What Lua's objects take: a recipe that fills tables without end must be told, not the machine be
 * brought down. C's own memory (flows, aggregates) is bounded elsewhere.
 *
 * The allocator must not say no: LuaJIT 2.1 of 2022 crashes where compiled code meets that.
 * Reaching the limit raises an error at the next interpreted instruction instead; code that stays
 * compiled and goes on past the last limit ends the process. */
struct memory {
    size_t used, limit, last; /* bytes; last: 0 until the limit was reached */
    lua_State *L;
};

enum { LUA_MEMORY_MIB = 1024, ROOM_TO_TELL = 8 << 20 };

static void not_enough(lua_State *L, lua_Debug *at) {
    (void)at;
    lua_sethook(L, NULL, 0, 0);
    lua_pushliteral(L, "not enough memory");
    lua_error(L);
}

static void reach(struct memory *m, size_t wanted) {
    if (m->last && wanted > m->last)
        sl_interrupt_end("not enough memory: Lua's tables and texts went past --lua-memory in a "
                         "compiled loop; totals belong into aggregates, which live outside and "
                         "are bounded: its result is lost",
                         SL_EXIT_USAGE);
    if (m->last)
        return;
    m->last = 2 * (wanted > m->limit ? wanted : m->limit) + ROOM_TO_TELL;
    lua_sethook(m->L, not_enough, LUA_MASKCOUNT, 1);
}

static void *allocate(void *data, void *block, size_t old_size, size_t size) {
    struct memory *m = data;

    if (size == 0) {
        free(block);
        m->used -= old_size;
        return NULL;
    }
    if (m->L && size > old_size && m->used + (size - old_size) > m->limit)
        reach(m, m->used + (size - old_size));
    void *grown = realloc(block, size);
    if (grown)
        m->used += size - old_size;
    return grown;
}

/* limit_memory(bytes), for main.lua. */
static int limit_memory(lua_State *L) {
    struct memory *m = lua_touserdata(L, lua_upvalueindex(1));

    m->limit = (size_t)luaL_checknumber(L, 1);
    return 0;
}

/* Adds the traceback to errors that Lua code of sluice's own should have met. Errors of recipes
 * are caught and told by lua/sluice/recipe.lua and never get here. */
static int traceback(lua_State *L) {
    luaL_traceback(L, L, lua_tostring(L, 1), 1);
    return 1;
}

static void push_sizes(lua_State *L) {
    lua_newtable(L);
    for (const struct sl_abi_size *s = sl_abi_sizes; s->name; s++) {
        lua_pushnumber(L, (lua_Number)s->size);
        lua_setfield(L, -2, s->name);
    }
}

/* libraries(), for main.lua: their versions. libcurl asks libraries of its own, which load plugins
 * to answer. */
static int libraries(lua_State *L) {
    struct sl_error err;
    int fetches = sl_curl_load(&err) == 0;

    lua_pushfstring(L, "%s, %s, libmaxminddb %s, %s", pcap_lib_version(),
                    fetches ? sl_curl()->version() : err.message, MMDB_lib_version(),
                    LUAJIT_VERSION);
    return 1;
}

static void push_arguments(lua_State *L, int argc, char **argv) {
    lua_newtable(L);
    for (int i = 1; i < argc; i++) {
        lua_pushstring(L, argv[i]);
        lua_rawseti(L, -2, i);
    }
}

static int is_older(const struct stat *a, const struct stat *b) {
    return a->st_mtim.tv_sec < b->st_mtim.tv_sec ||
           (a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec < b->st_mtim.tv_nsec);
}

/* Pushes sluice/NAME as make has compiled it, unless that is older than its source, or of another
 * LuaJIT. 0: then nothing is pushed. Reading source takes half of a short run. */
static int load_compiled(lua_State *L, const char *folder, const char *name) {
    char source[SL_PATH_MAX + 64], compiled[SL_PATH_MAX + 64];
    struct stat of_source, of_compiled;

    (void)snprintf(source, sizeof source, "%s/sluice/%s.lua", folder, name);
    (void)snprintf(compiled, sizeof compiled, "%s/compiled/sluice/%s.luac", folder, name);
    if (stat(compiled, &of_compiled) < 0 || stat(source, &of_source) < 0 ||
        is_older(&of_compiled, &of_source))
        return 0;
    if (luaL_loadfile(L, compiled) == 0)
        return 1;
    lua_pop(L, 1);
    return 0;
}

/* A loader of package.loaders: of a module of sluice's own what is compiled of it. */
static int find_compiled(lua_State *L) {
    const char *folder = lua_tostring(L, lua_upvalueindex(1)), *name = luaL_checkstring(L, 1);

    if (strncmp(name, "sluice.", 7) != 0)
        return 0;
    return load_compiled(L, folder, luaL_gsub(L, name + 7, ".", "/"));
}

/* Puts it behind package.preload's. */
static void add_loader(lua_State *L, const char *folder) {
    lua_getglobal(L, "package");
    lua_getfield(L, -1, "loaders");
    for (int i = (int)lua_objlen(L, -1); i > 1; i--) {
        lua_rawgeti(L, -1, i);
        lua_rawseti(L, -2, i + 1);
    }
    lua_pushstring(L, folder);
    lua_pushcclosure(L, find_compiled, 1);
    lua_rawseti(L, -2, 2);
    lua_pop(L, 2);
}

/* package.path: sluice's own modules come first, so that a recipe's folder cannot shadow them. */
static void set_path(lua_State *L, const char *folder) {
    lua_getglobal(L, "package");
    lua_pushfstring(L, "%s/?.lua;%s/?/init.lua;", folder, folder);
    lua_getfield(L, -2, "path");
    lua_concat(L, 2);
    lua_setfield(L, -2, "path");
    lua_pop(L, 1);
}

/* main.lua gets: arguments, { text, sizes, folder, version, libraries, limit_memory, script, worker
 * }; it returns the exit status and a message or nil. */
static int call_main(lua_State *L, struct memory *memory, const struct sl_script *script,
                     struct sl_run *worker) {
    char file[SL_PATH_MAX + 32];

    (void)snprintf(file, sizeof file, "%s/sluice/main.lua", script->folder);
    lua_pushcfunction(L, traceback);
    if (!load_compiled(L, script->folder, "main") && luaL_loadfile(L, file))
        return -1;
    push_arguments(L, script->argc, script->argv);
    lua_newtable(L);
    lua_pushstring(L, sl_abi_text);
    lua_setfield(L, -2, "text");
    push_sizes(L);
    lua_setfield(L, -2, "sizes");
    lua_pushstring(L, script->folder);
    lua_setfield(L, -2, "folder");
    lua_pushstring(L, sl_version());
    lua_setfield(L, -2, "version");
    lua_pushcfunction(L, libraries);
    lua_setfield(L, -2, "libraries");
    lua_pushlightuserdata(L, memory);
    lua_pushcclosure(L, limit_memory, 1);
    lua_setfield(L, -2, "limit_memory");
    lua_pushlightuserdata(L, (void *)(uintptr_t)script);
    lua_setfield(L, -2, "script");
    if (worker) {
        lua_pushlightuserdata(L, worker);
        lua_setfield(L, -2, "worker");
    }
    return lua_pcall(L, 2, 2, -4) ? -1 : 0;
}

/* Messages from Lua may have several lines (a filter with a caret under the fault); what they quote
 * of the outside must still not drive the terminal. */
static void set_message(struct sl_error *err, const char *before, const char *text) {
    (void)snprintf(err->message, sizeof err->message, "%s%s", before, text ? text : "?");
    sl_text_defuse(err->message, 1);
}

/* Returns the exit status; the message, if there is one, is in *err. */
static int run(const struct sl_script *script, struct sl_run *worker, struct sl_error *err) {
    struct memory memory = {.limit = (size_t)LUA_MEMORY_MIB << 20};
    lua_State *L = lua_newstate(allocate, &memory);
    int status = SL_EXIT_USAGE;

    err->message[0] = '\0';
    if (!L) {
        sl_error_set(err, SL_EXIT_USAGE, "out of memory for LuaJIT");
        return SL_EXIT_USAGE;
    }
    memory.L = L;
    luaL_openlibs(L);
    set_path(L, script->folder);
    add_loader(L, script->folder);
    if (call_main(L, &memory, script, worker) < 0) {
        set_message(err, "internal error: ", lua_tostring(L, -1));
    } else {
        status = (int)lua_tointeger(L, -2);
        if (lua_isstring(L, -1))
            set_message(err, "", lua_tostring(L, -1));
    }
    lua_close(L);
    return status;
}

int sl_script_run(const struct sl_script *script, struct sl_error *err) {
    return run(script, NULL, err);
}

void sl_script_work(const struct sl_script *script, struct sl_run *worker) {
    struct sl_error err = {0};

    err.code = run(script, worker, &err);
    if (err.code)
        sl_crew_fail(worker, &err);
}
