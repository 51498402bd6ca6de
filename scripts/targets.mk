# targets.mk -- set-up, demo, tests, installation: what is run rather than built.

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
run-check: all tests
	@BUILD=$(BUILD) CC='$(CC)' scripts/run-tests $(TESTS) $(CHECKKERN) $(CLI_TESTS) \
	    scripts/check-includes

.PHONY: check-includes
check-includes:
	@scripts/check-includes
