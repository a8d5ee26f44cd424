# make              build ./sluice
# make demo         install what is missing, build, analyse the example capture into demo/
# make test         install what is missing, build, run every test (SAN=1: under ASan and UBSan)
# make test-large   the cases that need gigabytes or minutes
# make unit | e2e | jit    one part of the tests, nothing installed
# make deb          a Debian package, in build/
# make lint | bench | install | uninstall | clean
# make damage       every fuzz target on COPIES=100000 damaged captures, under ASan and UBSan
# make fuzz         every fuzz target for SECONDS=60 each; FUZZ=name: that one

PREFIX ?= /usr/local
CC     ?= gcc
PKGS   := luajit libpcap libcurl expat libmaxminddb sqlite3 zlib libzstd liblz4 liblzma libpcre2-8

ifeq ($(SAN),1)
B       := build/san
PROGRAM := $(B)/sluice
SANFLAGS := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
OPT     := -O1
else
B       := build/release
PROGRAM := sluice
OPT     := -O2
endif

VERSION  := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
WARNINGS := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes \
            -Wpointer-arith -Wcast-qual -Wformat=2 -Wvla -Werror
PKGFLAGS = $(shell pkg-config --cflags $(PKGS))
CFLAGS  ?= -g
ALLCFLAGS = -std=c11 -D_GNU_SOURCE $(OPT) $(WARNINGS) $(SANFLAGS) $(CFLAGS) -Isrc $(PKGFLAGS)
# -E: LuaJIT's FFI finds sl_… functions in the program itself.
# libcurl is loaded where something is fetched (src/source/curl_late.h).
LIBS     = -Wl,-E $(shell pkg-config --libs $(filter-out libcurl,$(PKGS))) -ldl -lm -lpthread

SOURCES := $(sort $(wildcard src/*.c src/*/*.c))
OBJECTS := $(SOURCES:%.c=$(B)/%.o)
MODULES  := $(shell find lua/sluice -name '*.lua')
COMPILED := $(MODULES:lua/%.lua=lua/compiled/%.luac)
LIBOBJS := $(filter-out $(B)/src/main.o,$(OBJECTS))
UNITS   := $(sort $(wildcard tests/unit/test_*.c))
UNITBIN := $(UNITS:%.c=$(B)/%)
# A fuzz target is replayed over its corpus by every test run (gcc), and searches with make fuzz (clang).
FUZZES  := $(patsubst tests/fuzz/fuzz_%.c,%,$(sort $(wildcard tests/fuzz/fuzz_*.c)))
REPLAYS := $(FUZZES:%=$(B)/tests/fuzz/replay_%)
MUTATES := $(FUZZES:%=$(B)/tests/fuzz/mutate_%)

PYTHON  ?= /usr/bin/python3
TESTS    = SLUICE=$(PROGRAM) BUILD=$(B) $(PYTHON) tests/run.py

.PHONY: all demo test unit e2e jit test-large lint bench fuzz install uninstall clean FORCE
all: $(PROGRAM)

$(PROGRAM): $(OBJECTS) | $(COMPILED)
	$(CC) $(OPT) $(SANFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

# Modules as LuaJIT keeps them, with lines for its messages: a third of the time of reading source
# (src/script.c: load_compiled).
lua/compiled/%.luac: lua/%.lua
	@mkdir -p $(@D)
	@cd lua && luajit -bg -t raw $*.lua compiled/$*.luac

$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALLCFLAGS) -MMD -MP -c -o $@ $<

$(B)/src/abi.o: src/abi.h

# What options.c has from here; written anew only when it changes, so that PREFIX can change.
$(B)/built-as: FORCE
	@mkdir -p $(@D)
	@echo '$(VERSION) $(PREFIX)' | cmp -s - $@ || echo '$(VERSION) $(PREFIX)' >$@
$(B)/src/options.o: $(B)/built-as
$(B)/src/options.o: ALLCFLAGS += -DSL_VERSION='"$(VERSION)"' -DSL_LUADIR='"$(PREFIX)/share/sluice/lua"'

$(B)/tests/unit/%: tests/unit/%.c $(LIBOBJS)
	@mkdir -p $(@D)
	$(CC) $(ALLCFLAGS) -MMD -MP -o $@ $< $(LIBOBJS) -lcmocka $(LIBS)

$(B)/tests/fuzz/replay_%: tests/fuzz/fuzz_%.c tests/fuzz/replay.c $(LIBOBJS)
	@mkdir -p $(@D)
	$(CC) $(ALLCFLAGS) -o $@ $< tests/fuzz/replay.c $(LIBOBJS) $(LIBS)

$(B)/tests/fuzz/mutate_%: tests/fuzz/fuzz_%.c tests/fuzz/mutate.c $(LIBOBJS)
	@mkdir -p $(@D)
	$(CC) $(ALLCFLAGS) -o $@ $< tests/fuzz/mutate.c $(LIBOBJS) $(LIBS)

-include $(OBJECTS:.o=.d) $(UNITBIN:=.d)

# --- Tests. What they need is installed first, in a make of its own, because pkg-config's answers
# --- are wanted when the build starts.
test:
	@scripts/install-deps.sh test
	@scripts/install-npm.sh
	@$(MAKE) --no-print-directory $(PROGRAM) tests-built
	@$(TESTS) unit fuzz damage e2e jit

.PHONY: tests-built
tests-built: $(UNITBIN) $(REPLAYS) $(MUTATES)

unit: $(UNITBIN)
	@$(TESTS) unit

e2e: $(PROGRAM)
	@$(TESTS) e2e

jit: $(PROGRAM)
	@$(TESTS) jit

test-large:
	@scripts/install-deps.sh engines
	@scripts/install-npm.sh
	@$(MAKE) --no-print-directory $(PROGRAM)
	@$(TESTS) large
	@$(MAKE) --no-print-directory damage

# 100,000 damaged copies for each fuzz target, under the sanitisers.
COPIES ?= 100000
.PHONY: damage mutates
damage:
	@$(MAKE) --no-print-directory SAN=1 mutates
	@SLUICE=$(PROGRAM) BUILD=build/san COPIES=$(COPIES) SECONDS=21600 $(PYTHON) tests/run.py damage
mutates: $(MUTATES)

lint:
	@scripts/install-deps.sh lint
	@CFLAGS="$(filter-out -g,$(ALLCFLAGS))" scripts/lint.sh

fuzz:
	@scripts/install-deps.sh fuzz
	@CFLAGS="$(ALLCFLAGS)" LIBS="$(LIBS)" scripts/fuzz.sh $(or $(SECONDS),60) $(or $(FUZZ),$(FUZZES))

# --- Benchmarks: tests/bench/README.md. BENCH=pattern selects cases by name.
BENCH_TOOLS := $(B)/tests/bench/gen $(B)/tests/bench/launch $(B)/tests/bench/delay $(B)/tests/bench/filter_c

$(B)/tests/bench/gen: $(wildcard tests/bench/gen*.c tests/bench/gen*.h)
	@mkdir -p $(@D)
	$(CC) -std=c11 -D_GNU_SOURCE -O2 $(WARNINGS) $(CFLAGS) -o $@ $(filter %.c,$^)

$(B)/tests/bench/delay: tests/bench/delay.c
	@mkdir -p $(@D)
	$(CC) -std=c11 -D_GNU_SOURCE -O2 $(WARNINGS) $(CFLAGS) -o $@ $< -lpthread

$(B)/tests/bench/launch: tests/bench/launch.c
	@mkdir -p $(@D)
	$(CC) -std=c11 -D_GNU_SOURCE -O2 $(WARNINGS) $(CFLAGS) -o $@ $<

# A filter in C behind the program's own core: the yardstick for filters in Lua.
$(B)/tests/bench/filter_c: tests/bench/filter_c.c $(LIBOBJS)
	@mkdir -p $(@D)
	$(CC) $(ALLCFLAGS) -MMD -MP -o $@ $< $(LIBOBJS) $(LIBS)

-include $(B)/tests/bench/filter_c.d

.PHONY: bench-built
bench-built: $(PROGRAM) $(BENCH_TOOLS)

bench:
	@scripts/install-deps.sh bench
	@$(MAKE) --no-print-directory bench-built
	@$(PYTHON) tests/bench/bench.py $(if $(BENCH),--only '$(BENCH)')

# --- People.
demo:
	@scripts/install-deps.sh build
	@$(MAKE) --no-print-directory $(PROGRAM)
	@scripts/demo.sh

install: $(PROGRAM)
	install -D -m 755 $(PROGRAM) $(DESTDIR)$(PREFIX)/bin/sluice
	cd lua && find . -type f ! -name '*.md' -exec install -D -p -m 644 {} $(DESTDIR)$(PREFIX)/share/sluice/lua/{} \;
	install -D -m 644 src/sluice.1 $(DESTDIR)$(PREFIX)/share/man/man1/sluice.1
	install -D -m 644 scripts/completion/sluice.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/sluice
	install -D -m 644 scripts/completion/_sluice $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_sluice
	install -D -m 644 scripts/completion/sluice.fish $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/sluice.fish

uninstall:
	rm -rf $(DESTDIR)$(PREFIX)/bin/sluice $(DESTDIR)$(PREFIX)/share/sluice $(DESTDIR)$(PREFIX)/share/man/man1/sluice.1
	rm -f $(DESTDIR)$(PREFIX)/share/bash-completion/completions/sluice $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_sluice
	rm -f $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/sluice.fish

# A Debian package in build/, with the program built for its place in the system.
.PHONY: deb
deb:
	@$(MAKE) --no-print-directory B=build/deb PROGRAM=build/deb/sluice PREFIX=/usr
	@scripts/make-deb.sh build/deb/sluice build

clean:
	rm -rf build sluice demo lua/compiled
