# Makefile -- builds libquant and lq. GNU make, C17, gcc or clang.
#
#   make            build/lq, build/libquant.a, build/libquant.so
#   make demo       set up, build, and run the main job on the embedded model
#   make check      set up, build, and run every test that needs no download
#   make install    PREFIX=/usr/local DESTDIR=
#
# Variables: CC, CFLAGS (added last), BUILD (folder of the results), SANITIZE=address,undefined,
# WERROR=1 (as CI builds), V=1 (show whole commands). Sources are found by wildcard. A file's suffix gives its instruction set
# (_avx2, _avx512, _neon): nothing here changes when a file is added.

CC ?= cc
BUILD ?= build
PREFIX ?= /usr/local
DESTDIR ?=
OPT ?= -O3
# Of the same target as the compiler.
ifeq ($(origin LD),default)
LD := $(shell $(CC) -print-prog-name=ld)
endif
OBJCOPY ?= $(shell $(CC) -print-prog-name=objcopy)
.DEFAULT_GOAL := all

# ---- dependencies (see scripts/install-deps) ----
PACKAGES := zlib libarchive libcrypto libcjson yaml-0.1 libpcre2-8
PKG_CONFIG ?= pkg-config
PKG_CFLAGS := $(shell $(PKG_CONFIG) --cflags $(PACKAGES) 2>/dev/null)
PKG_LIBS := $(shell $(PKG_CONFIG) --libs $(PACKAGES) 2>/dev/null)

# ---- flags ----
# -ffp-contract=off is part of the definition of every codec: a fused multiply-add gives other bytes.
WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith \
    -Wundef -Wvla -Wwrite-strings
LQ_CFLAGS = -std=c17 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 $(OPT) -g -ffp-contract=off \
    -fno-math-errno -fvisibility=hidden -fPIC -fopenmp $(WARNINGS) $(if $(WERROR),-Werror) -I.
LQ_LDLIBS = $(PKG_LIBS) -lm -lpthread
ifdef SANITIZE
LQ_CFLAGS += -fsanitize=$(SANITIZE) -fno-omit-frame-pointer
LQ_LDFLAGS += -fsanitize=$(SANITIZE)
endif
ifdef FUZZ
LQ_CFLAGS += -fsanitize=fuzzer-no-link
endif
LQ_LDFLAGS += -fopenmp

MACHINE := $(shell $(CC) -dumpmachine)
FLAGS_avx2 := -mavx2 -mfma -mf16c -mbmi2
FLAGS_avx512 := $(FLAGS_avx2) -mavx512f -mavx512bw -mavx512dq -mavx512vl -mprefer-vector-width=512
FLAGS_neon :=
ifneq ($(filter x86_64-%,$(MACHINE)),)
SKIP_ISA := %_neon.c
else ifneq ($(filter aarch64-%,$(MACHINE)),)
SKIP_ISA := %_avx2.c %_avx512.c %_x86.c
else
SKIP_ISA := %_avx2.c %_avx512.c %_neon.c %_x86.c
endif

# ---- files ----
LIB_SRC := $(filter-out $(SKIP_ISA),$(sort $(wildcard libquant/*.c libquant/*/*.c formats/*.c)))
TOOL_SRC := $(sort $(wildcard tools/*.c))
TEST_SRC := $(sort $(wildcard tests/unit/test_*.c))
FUZZ_SRC := $(sort $(wildcard tests/fuzz/fuzz_*.c))
obj = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))
LIB_OBJ := $(call obj,$(LIB_SRC))
TOOL_OBJ := $(call obj,$(TOOL_SRC))
TESTS := $(patsubst tests/unit/%.c,$(BUILD)/tests/%,$(TEST_SRC))
FUZZERS := $(patsubst tests/fuzz/%.c,$(BUILD)/fuzz/%,$(FUZZ_SRC))

CHECKKERN := $(if $(wildcard tests/checkkern.c),$(BUILD)/tests/checkkern)

SO_VERSION := 0
VERSION := $(shell sed -n 's/^\#define LQ_VERSION "\(.*\)"/\1/p' libquant/quant.h)

.PHONY: all lib tests fuzzers
all: $(BUILD)/lq lib
lib: $(BUILD)/libquant.a $(BUILD)/libquant.so
tests: $(TESTS) $(CHECKKERN)
fuzzers: $(FUZZERS)

# ---- rules ----
Q := $(if $(V),,@)
say = @$(if $(V),:,printf '  %-4s %s\n' $(1) $@)

$(BUILD)/obj/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(LQ_CFLAGS) $(PKG_CFLAGS) $(FLAGS_$(lastword $(subst _, ,$(basename $(<F))))) $(CFLAGS) \
	    -MMD -MP -c $< -o $@

$(BUILD)/obj/libquant/license/index_data.o: libquant/license/index.bin libquant/license/texts.bin

# Rebuilds everything when the flags change. The first thing to be made, so it also says what is missing.
FLAGS_NOW := $(CC) $(LQ_CFLAGS) $(CFLAGS)
$(BUILD)/flags: FORCE
	@$(if $(PKG_LIBS),,scripts/install-deps --hint $(PACKAGES))
	@mkdir -p $(@D)
	@echo '$(FLAGS_NOW)' | cmp -s - $@ || echo '$(FLAGS_NOW)' >$@
.PHONY: FORCE
FORCE:

# What tools and tests link: every function of the library.
$(BUILD)/libquant-internal.a: $(LIB_OBJ)
	@rm -f $@
	$(call say,AR)
	$(Q)$(AR) rcs $@ $^

# What others link: the same objects as one, in which only the public names are global.
$(BUILD)/libquant.a: $(LIB_OBJ)
	@rm -f $@
	$(call say,AR)
	$(Q)$(LD) -r -o $(BUILD)/libquant.o $^
	$(Q)$(OBJCOPY) --localize-hidden $(BUILD)/libquant.o
	$(Q)$(AR) rcs $@ $(BUILD)/libquant.o

$(BUILD)/libquant.so: $(LIB_OBJ)
	$(call say,LD)
	$(Q)$(CC) -shared -Wl,-soname,libquant.so.$(SO_VERSION) -o $@.$(VERSION) $^ $(LQ_LDFLAGS) $(LQ_LDLIBS)
	$(Q)ln -sf libquant.so.$(VERSION) $@.$(SO_VERSION)
	$(Q)ln -sf libquant.so.$(VERSION) $@

$(BUILD)/lq: $(TOOL_OBJ) $(BUILD)/libquant-internal.a
	$(call say,LD)
	$(Q)$(CC) -o $@ $^ $(LQ_LDFLAGS) $(LQ_LDLIBS)

$(BUILD)/tests/%: $(BUILD)/obj/tests/unit/%.o $(BUILD)/libquant-internal.a
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) -o $@ $^ $(LQ_LDFLAGS) -lcmocka $(LQ_LDLIBS)

$(BUILD)/tests/checkkern: $(BUILD)/obj/tests/checkkern.o $(BUILD)/libquant-internal.a
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) -o $@ $^ $(LQ_LDFLAGS) $(LQ_LDLIBS)

# With clang and FUZZ=1, libFuzzer drives; otherwise replay.c runs the files given as arguments.
$(BUILD)/fuzz/%: $(BUILD)/obj/tests/fuzz/%.o $(if $(FUZZ),,$(BUILD)/obj/tests/fuzz/replay.o) \
    $(BUILD)/libquant-internal.a
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) -o $@ $^ $(LQ_LDFLAGS) $(if $(FUZZ),-fsanitize=fuzzer) $(LQ_LDLIBS)

.SECONDARY:
-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)

include scripts/targets.mk
