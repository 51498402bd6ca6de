# targets.mk -- set-up, demo, tests, benchmarks, installation: what is run rather than built.
.PHONY: check-includes
check-includes:
	@scripts/check-includes
