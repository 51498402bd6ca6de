# targets.mk -- set-up, demo, tests, installation: what is run rather than built.

# ---- set-up, demo, tests ----
TEST_PACKAGES := cmocka
# A make without -j still uses all processors for what `demo` and `check` build.
JOBS = $(if $(findstring jobserver,$(MAKEFLAGS)),,-j$(shell getconf _NPROCESSORS_ONLN || echo 1))

# What is missing is installed first; the second make then finds it.
.PHONY: demo check run-demo run-check
demo:
	@scripts/install-deps $(PACKAGES)
	@$(MAKE) --no-print-directory $(JOBS) run-demo
check:
	@scripts/install-deps $(PACKAGES) $(TEST_PACKAGES)
	@$(MAKE) --no-print-directory $(JOBS) run-check

run-demo: $(BUILD)/lq
	@BUILD=$(BUILD) scripts/demo

CLI_TESTS := $(filter-out %/lib.sh,$(sort $(wildcard tests/cli/*.sh)))
CLI_HELPERS := $(addprefix $(BUILD)/tests/cli/,json_valid forge forge_keyless)
run-check: all tests fuzzers $(CLI_HELPERS)
	@BUILD=$(BUILD) CC='$(CC)' scripts/run-tests $(CLI_TESTS) $(CHECKKERN) $(TESTS) \
	    $(if $(FUZZERS),scripts/replay-fuzz) scripts/check-includes

$(BUILD)/tests/cli/%: $(BUILD)/obj/tests/cli/%.o $(BUILD)/libquant-internal.a
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) -o $@ $^ $(LQ_LDFLAGS) $(LQ_LDLIBS)

.PHONY: check-includes
check-includes:
	@scripts/check-includes

# ---- beside other programs: docs/ci.md ----
# These install what they compare with, below build/peers.
.PHONY: interop bench bench-quick bench-eval nightly
interop: $(BUILD)/lq
	@scripts/interop
bench: $(BUILD)/lq
	@scripts/bench
bench-quick: $(BUILD)/lq
	@scripts/bench --quick
bench-eval: $(BUILD)/lq
	@scripts/bench-eval
nightly: all tests
	@scripts/nightly

# ---- installation ----
BINDIR ?= $(PREFIX)/bin
LIBDIR ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
DATADIR ?= $(PREFIX)/share

# Manual pages are made of docs/lq.md and of the page of each command.
MAN_DOCS := $(wildcard docs/lq.md $(patsubst tools/cmd_%.c,docs/%.md,$(filter tools/cmd_%.c,$(TOOL_SRC))))
MAN_PAGES := $(patsubst docs/%.md,$(BUILD)/man/lq-%.1,$(filter-out docs/lq.md,$(MAN_DOCS))) \
    $(if $(filter docs/lq.md,$(MAN_DOCS)),$(BUILD)/man/lq.1)

$(BUILD)/man/lq-%.1: docs/%.md scripts/man-page
	@mkdir -p $(@D)
	$(Q)scripts/man-page $(VERSION) $< >$@
$(BUILD)/man/lq.1: docs/lq.md scripts/man-page
	@mkdir -p $(@D)
	$(Q)scripts/man-page $(VERSION) $< >$@

COMPLETIONS := $(foreach s,bash zsh fish,$(BUILD)/completion/lq.$(s))
$(BUILD)/completion/lq.%: $(BUILD)/lq
	@mkdir -p $(@D)
	$(Q)$(BUILD)/lq help --completion $* >$@

define PC_FILE
prefix=$(PREFIX)
libdir=$(LIBDIR)
includedir=$(INCLUDEDIR)

Name: libquant
Description: Reads, converts and quantizes open model files
Version: $(VERSION)
Cflags: -I$${includedir}
Libs: -L$${libdir} -lquant
Requires.private: $(PACKAGES)
Libs.private: -fopenmp -lm -lpthread
endef
export PC_FILE

# What is installed, below DESTDIR.
INSTALLED = $(BINDIR)/lq $(INCLUDEDIR)/libquant/quant.h $(LIBDIR)/libquant.a \
    $(LIBDIR)/libquant.so.$(VERSION) $(LIBDIR)/libquant.so.$(SO_VERSION) $(LIBDIR)/libquant.so \
    $(LIBDIR)/pkgconfig/libquant.pc $(patsubst $(BUILD)/man/%,$(DATADIR)/man/man1/%,$(MAN_PAGES)) \
    $(DATADIR)/bash-completion/completions/lq $(DATADIR)/zsh/site-functions/_lq \
    $(DATADIR)/fish/vendor_completions.d/lq.fish

.PHONY: install uninstall
install: all $(MAN_PAGES) $(COMPLETIONS)
	install -d $(sort $(dir $(addprefix $(DESTDIR),$(INSTALLED))))
	install -m 755 $(BUILD)/lq $(DESTDIR)$(BINDIR)/lq
	install -m 644 libquant/quant.h $(DESTDIR)$(INCLUDEDIR)/libquant/quant.h
	install -m 644 $(BUILD)/libquant.a $(DESTDIR)$(LIBDIR)/libquant.a
	install -m 755 $(BUILD)/libquant.so.$(VERSION) $(DESTDIR)$(LIBDIR)/libquant.so.$(VERSION)
	ln -sf libquant.so.$(VERSION) $(DESTDIR)$(LIBDIR)/libquant.so.$(SO_VERSION)
	ln -sf libquant.so.$(VERSION) $(DESTDIR)$(LIBDIR)/libquant.so
	printf '%s\n' "$$PC_FILE" >$(DESTDIR)$(LIBDIR)/pkgconfig/libquant.pc
	$(if $(MAN_PAGES),install -m 644 $(MAN_PAGES) $(DESTDIR)$(DATADIR)/man/man1)
	install -m 644 $(BUILD)/completion/lq.bash $(DESTDIR)$(DATADIR)/bash-completion/completions/lq
	install -m 644 $(BUILD)/completion/lq.zsh $(DESTDIR)$(DATADIR)/zsh/site-functions/_lq
	install -m 644 $(BUILD)/completion/lq.fish $(DESTDIR)$(DATADIR)/fish/vendor_completions.d/lq.fish

uninstall:
	rm -f $(addprefix $(DESTDIR),$(INSTALLED))
