# Spillway's build. `make help` lists what can be asked for.
#
# Sources are found, not listed: every .c under the product folders is part of
# libspillway.a but ui/main.c; every tests/unit/*_test.c is a program; every
# tests/fuzz/*_fuzz.c a fuzz target. BUILD is the folder for what is made.

PREFIX  ?= /usr/local
BINDIR  ?= $(PREFIX)/bin
MANDIR  ?= $(PREFIX)/share/man
BASHCOMPDIR ?= $(PREFIX)/share/bash-completion/completions
ZSHCOMPDIR  ?= $(PREFIX)/share/zsh/site-functions
FISHCOMPDIR ?= $(PREFIX)/share/fish/vendor_completions.d
DESTDIR ?=

BUILD   ?= build
CC      := $(if $(filter default,$(origin CC)),cc,$(CC))
OPT     ?= -O3 -g
WARN    := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror
SANITIZE ?=
CFLAGS  ?=
LDFLAGS ?=

VERSION := $(shell cat VERSION)
GRAPHVIZ := $(shell pkg-config --exists libgvc 2>/dev/null && echo yes)
SW_CFLAGS := -std=c17 -D_GNU_SOURCE -DSPILLWAY_VERSION='"$(VERSION)"' -I. $(WARN) $(OPT) $(SANITIZE) -pthread
SW_LIBS := -lzstd -llz4 -lsnappy -lz -lcjson -lm -pthread
ifeq ($(GRAPHVIZ),yes)
SW_CFLAGS += -DHAVE_GRAPHVIZ $(shell pkg-config --cflags libgvc)
SW_LIBS += $(shell pkg-config --libs libgvc)
endif

FOLDERS := base analyzer rules ui engine
SRC  := $(sort $(shell find $(FOLDERS) -name '*.c'))
LIBSRC := $(filter-out ui/main.c analyzer/decode_isa.c,$(SRC))
OBJ  := $(LIBSRC:%.c=$(BUILD)/%.o)

# decode_isa.c is built once for each instruction set; which of them runs is
# decided at run time (analyzer/event.c).
ARCH := $(shell $(CC) -dumpmachine | cut -d- -f1)
ISA_portable :=
ISAS := portable
ifeq ($(ARCH),x86_64)
ISAS += sse42 avx2 avx512
ISA_sse42  := -msse4.2 -mpopcnt
ISA_avx2   := -mavx2 -mbmi -mbmi2 -mlzcnt -mpopcnt
ISA_avx512 := -mavx512f -mavx512bw -mavx512vl -mavx2 -mbmi -mbmi2 -mlzcnt -mpopcnt
endif
ISAOBJ := $(ISAS:%=$(BUILD)/analyzer/decode_isa_%.o)

LIB  := $(BUILD)/libspillway.a
BIN  := $(BUILD)/spillway

UNIT := $(patsubst %.c,$(BUILD)/%,$(sort $(wildcard tests/unit/*_test.c)))
FUZZ := $(patsubst %.c,$(BUILD)/%,$(sort $(wildcard tests/fuzz/*_fuzz.c)))

.PHONY: all help
all: spillway

spillway: $(BIN)
	@cp $(BIN) $@.new && mv $@.new $@

$(BIN): $(BUILD)/ui/main.o $(LIB)
	$(CC) $(SANITIZE) $(OPT) $(LDFLAGS) -o $@ $^ $(SW_LIBS)

$(LIB): $(OBJ) $(ISAOBJ)
	@rm -f $@
	$(AR) rcs $@ $^

$(BUILD)/%.o: %.c Makefile VERSION
	@mkdir -p $(@D)
	$(CC) $(SW_CFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/analyzer/decode_isa_%.o: analyzer/decode_isa.c Makefile
	@mkdir -p $(@D)
	$(CC) $(SW_CFLAGS) $(CFLAGS) $(ISA_$*) -DDECODE_ISA=$* -MMD -MP -c -o $@ $<

$(BUILD)/tests/unit/%: tests/unit/%.c $(LIB)
	@mkdir -p $(@D)
	$(CC) $(SW_CFLAGS) $(CFLAGS) -MMD -MP $(LDFLAGS) -o $@ $< $(LIB) -lcmocka $(SW_LIBS)

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
