# make              build ./sluice
# make demo         install what is missing, build, analyse the example capture into demo/
# make test         install what is missing, build, run every test (SAN=1: under ASan and UBSan)
# make test-large   the cases that need gigabytes or minutes
# make lint | bench | fuzz | install | uninstall | clean

PREFIX ?= /usr/local
CC     ?= gcc
PKGS   := luajit libpcap libcurl libmaxminddb zlib libpcre2-8

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
LIBS     = -Wl,-E $(shell pkg-config --libs $(PKGS)) -lm -lpthread

SOURCES := $(sort $(wildcard src/*.c src/*/*.c))
OBJECTS := $(SOURCES:%.c=$(B)/%.o)
LIBOBJS := $(filter-out $(B)/src/main.o,$(OBJECTS))
UNITS   := $(sort $(wildcard tests/unit/test_*.c))
UNITBIN := $(UNITS:%.c=$(B)/%)

.PHONY: all demo test unit e2e test-large lint bench fuzz install uninstall clean
all: $(PROGRAM)

$(PROGRAM): $(OBJECTS)
	$(CC) $(OPT) $(SANFLAGS) -o $@ $^ $(LIBS)

$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALLCFLAGS) -MMD -MP -c -o $@ $<

$(B)/src/abi.o: src/abi.h
$(B)/src/options.o: ALLCFLAGS += -DSL_VERSION='"$(VERSION)"' -DSL_LUADIR='"$(PREFIX)/share/sluice/lua"'

$(B)/tests/unit/%: tests/unit/%.c $(LIBOBJS)
	@mkdir -p $(@D)
	$(CC) $(ALLCFLAGS) -MMD -MP -o $@ $< $(LIBOBJS) -lcmocka $(LIBS)

-include $(OBJECTS:.o=.d) $(UNITBIN:=.d)

unit: $(UNITBIN)
	@for t in $(UNITBIN); do $$t || exit 1; done

clean:
	rm -rf build sluice demo

# --- benchmarks: tests/bench/README.md ---------------------------------------------------------
BENCH_TOOLS := build/release/tests/bench/gen build/release/tests/bench/launch
BENCH_BUILD = $(CC) -std=c11 -D_GNU_SOURCE -O2 $(WARNINGS) $(CFLAGS) -o $@ $(filter %.c,$^)

build/release/tests/bench/gen: $(wildcard tests/bench/gen*.c tests/bench/gen*.h)
	@mkdir -p $(@D)
	$(BENCH_BUILD)

build/release/tests/bench/launch: tests/bench/launch.c
	@mkdir -p $(@D)
	$(BENCH_BUILD)

# BENCH=pattern selects cases by name.
bench: $(BENCH_TOOLS) $(PROGRAM)
	python3 tests/bench/bench.py $(if $(BENCH),--only '$(BENCH)')
# -------------------------------------------------------------------------------------------------
