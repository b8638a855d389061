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
MAKEFLAGS += -rR
AR      := $(if $(filter default undefined,$(origin AR)),ar,$(AR))
CC      := $(if $(filter default undefined,$(origin CC)),cc,$(CC))
OPT     ?= -O3 -g
WARN    := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror
SANITIZE ?=
CFLAGS  ?=
LDFLAGS ?=

JOBS := $(shell nproc 2>/dev/null || echo 2)

# V=1 shows the commands; else one short line for each
Q := $(if $(V),,@)
say = $(if $(V),,@echo '  $(1) $(patsubst $(BUILD)/%,%,$@)')

VERSION := $(shell cat VERSION)
GRAPHVIZ := $(shell pkg-config --exists libgvc 2>/dev/null && echo yes)
# clang also warns of fields that a designated initialiser leaves out on purpose
WARN += $(if $(findstring clang,$(CC)),-Wno-missing-field-initializers)
SW_CFLAGS := -std=c17 -D_GNU_SOURCE -DSPILLWAY_VERSION='"$(VERSION)"' -I. $(WARN) $(OPT) $(SANITIZE) -pthread
SW_LIBS := -lzstd -llz4 -lsnappy -lz -lcjson -lpcre2-8 -lm -pthread
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

.PHONY: all help deps deps-test demo test check tsan fuzz bench interop fmt includes \
        install uninstall clean dist man

all: spillway

help:
	@echo 'make            build ./spillway'
	@echo 'make demo       install what is missing, build, run a sample and analyse it'
	@echo 'make test       install what is missing, build, run all tests'
	@echo 'make check      unit and rule tests under ASan and UBSan'
	@echo 'make tsan       the threaded tests under TSan'
	@echo 'make fuzz       each fuzz target for FUZZ_SECONDS (default 20)'
	@echo 'make bench      measured comparisons (see bench/README.md)'
	@echo 'make interop    compare with real Spark History Servers'
	@echo 'make fmt        clang-format over all sources'
	@echo 'make install    into $$(DESTDIR)$$(PREFIX); uninstall takes it away again'

spillway: $(BIN)
	@cp $(BIN) $@.new && mv $@.new $@

$(BIN): $(BUILD)/ui/main.o $(LIB)
	$(call say,ld)
	$(Q)$(CC) $(SANITIZE) $(OPT) $(LDFLAGS) -o $@ $^ $(SW_LIBS)

$(LIB): $(OBJ) $(ISAOBJ)
	$(call say,ar)
	@rm -f $@
	$(Q)$(AR) rcs $@ $^

$(BUILD)/%.o: %.c Makefile VERSION
	@mkdir -p $(@D)
	$(call say,cc)
	$(Q)$(CC) $(SW_CFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(ISAOBJ): $(BUILD)/analyzer/decode_isa_%.o: analyzer/decode_isa.c Makefile
	@mkdir -p $(@D)
	$(call say,cc)
	$(Q)$(CC) $(SW_CFLAGS) $(CFLAGS) $(ISA_$*) -DDECODE_ISA=$* -MMD -MP -c -o $@ $<

$(BUILD)/tests/unit/%: tests/unit/%.c $(LIB)
	@mkdir -p $(@D)
	$(call say,cc)
	$(Q)$(CC) $(SW_CFLAGS) $(CFLAGS) -MMD -MP $(LDFLAGS) -o $@ $< $(LIB) -lcmocka $(SW_LIBS)

# --- what is installed ---------------------------------------------------------

deps:
	@.ci/setup build

deps-test:
	@.ci/setup test

# --- checks of the house -------------------------------------------------------

$(BUILD)/includes.ok: tests/check_includes $(SRC) $(shell find $(FOLDERS) -name '*.h')
	@mkdir -p $(@D)
	@tests/check_includes && touch $@

includes: $(BUILD)/includes.ok

$(LIB): | $(BUILD)/includes.ok

# --- tests ---------------------------------------------------------------------

# One pass over everything; prints "N passed, N failed, N skipped" at the end.
test: deps-test
	@$(MAKE) --no-print-directory -j$(JOBS) test-now

.PHONY: test-now unit
unit: $(UNIT)

test-now: spillway unit
	tests/run $(BUILD)

ASAN := BUILD=build/asan OPT='-O1 -g -fno-omit-frame-pointer' \
        SANITIZE='-fsanitize=address,undefined -fno-sanitize-recover=all'
check:
	@$(MAKE) --no-print-directory -j$(JOBS) $(ASAN) check-now

.PHONY: check-now
check-now: $(BIN) unit
	tests/run $(BUILD)

tsan:
	@$(MAKE) --no-print-directory BUILD=build/tsan OPT='-O1 -g' SANITIZE='-fsanitize=thread' tsan-now

.PHONY: tsan-now
tsan-now: $(BIN) $(addprefix $(BUILD)/tests/unit/,logs_test engine_scheduler_test engine_statements_test)
	SPILLWAY_BIN=$(BIN) tests/run_tsan $(BUILD)

# --- fuzzing (clang) -------------------------------------------------------------

FUZZ_SECONDS ?= 20
fuzz:
	@$(MAKE) --no-print-directory BUILD=build/fuzz FOLDERS='base analyzer rules engine' CC=clang OPT='-O1 -g -fno-omit-frame-pointer' \
	    SANITIZE='-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all' fuzz-now

.PHONY: fuzz-now
fuzz-now: $(FUZZ)
	FUZZ_SECONDS=$(FUZZ_SECONDS) tests/run_fuzz $(FUZZ)

$(BUILD)/tests/fuzz/%: tests/fuzz/%.c $(LIB)
	@mkdir -p $(@D)
	$(call say,cc)
	$(Q)$(CC) $(SW_CFLAGS) $(CFLAGS) -MMD -MP $(if $(findstring clang,$(CC)),-fsanitize=fuzzer) $(LDFLAGS) -o $@ $< $(LIB) $(SW_LIBS)

# --- the slower company -------------------------------------------------------------

interop: spillway
	tests/interop/run.sh

bench: spillway
	bench/run

fmt:
	clang-format -i $(shell find $(FOLDERS) tests -name '*.c' -o -name '*.h' | grep -v /data/)

# --- demo ------------------------------------------------------------------------------

DEMO := samples/skewed-join.sql
DEMO_DIR := $(BUILD)/demo
demo: deps
	@$(MAKE) --no-print-directory -j$(JOBS) demo-now

.PHONY: demo-now
demo-now: spillway
	@rm -rf $(DEMO_DIR) && mkdir -p $(DEMO_DIR)/logs
	./spillway run $(DEMO) --event-log $(DEMO_DIR)/logs
	@./spillway analyze $(DEMO_DIR)/logs/* --format md -o $(DEMO_DIR)/report.md
	@./spillway graph $(DEMO_DIR)/logs/* -o $(DEMO_DIR)/stages.svg
	@echo
	@echo 'Written: $(DEMO_DIR)/report.md and $(DEMO_DIR)/stages.svg'
	@echo 'Its fixed twin: ./spillway run samples/skewed-join-fixed.sql'

# --- installation -----------------------------------------------------------------------

$(BUILD)/spillway.1: $(BIN)
	$(BIN) help --man > $@.new && mv $@.new $@

man: $(BUILD)/spillway.1

install: $(BIN) $(BUILD)/spillway.1
	install -d $(DESTDIR)$(BINDIR) $(DESTDIR)$(MANDIR)/man1 $(DESTDIR)$(BASHCOMPDIR) \
	    $(DESTDIR)$(ZSHCOMPDIR) $(DESTDIR)$(FISHCOMPDIR)
	install -m 755 $(BIN) $(DESTDIR)$(BINDIR)/spillway
	install -m 644 $(BUILD)/spillway.1 $(DESTDIR)$(MANDIR)/man1/spillway.1
	$(BIN) completion bash > $(DESTDIR)$(BASHCOMPDIR)/spillway
	$(BIN) completion zsh > $(DESTDIR)$(ZSHCOMPDIR)/_spillway
	$(BIN) completion fish > $(DESTDIR)$(FISHCOMPDIR)/spillway.fish

uninstall:
	rm -f $(DESTDIR)$(BINDIR)/spillway $(DESTDIR)$(MANDIR)/man1/spillway.1 \
	    $(DESTDIR)$(BASHCOMPDIR)/spillway $(DESTDIR)$(ZSHCOMPDIR)/_spillway \
	    $(DESTDIR)$(FISHCOMPDIR)/spillway.fish

clean:
	rm -rf build spillway

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
