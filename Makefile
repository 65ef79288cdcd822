# Thin front of CMake: what people type. `make help` lists it.
PRESET ?= release
BUILD := build/$(PRESET)
STORE ?= out/quick
JOBS ?= $(shell nproc)
SECONDS ?= 20
prefix ?= /usr/local

.PHONY: all build program bench test install package asan asan-core tsan machines fuzz lint valgrind instructions fmt fmt-check results peers peers-short peers-spectra peers-spectra-short waits scale holdout clean help deps

all: build

deps:
	@ci/deps

$(BUILD)/build.ninja: | deps
	@cmake --preset $(PRESET) --log-level=WARNING

build: $(BUILD)/build.ninja ## build the program and the tests
	@cmake --build --preset $(PRESET) -- --quiet

program: $(BUILD)/build.ninja ## build the program alone
	@cmake --build --preset $(PRESET) --target unibench -- --quiet

bench: program ## run the quick suite; print the summary and the report's path
	@$(BUILD)/unibench run quick --out $(STORE) --jobs $(JOBS)
	@$(BUILD)/unibench report $(STORE) --summary

test: build ## run all tests
	@ctest --preset $(PRESET) -j $(JOBS)
	@ci/rates $(BUILD)
	@ci/oracles $(BUILD)

asan: ## run all tests under the address and undefined-behavior sanitizers
	@$(MAKE) --no-print-directory PRESET=asan test

asan-core: ## run the core's tests (label core) under the same
	@[ -e build/asan/build.ninja ] || cmake --preset asan --log-level=WARNING
	@cmake --build --preset asan -- --quiet core
	@UNIBENCH_FAULT_STRIDE=8 ctest --preset asan -j $(JOBS) -L '^core$$'

tsan: ## run the tests of threads under ThreadSanitizer, and races planted to be found by it
	@ci/deps --check tsan
	@[ -e build/tsan/build.ninja ] || cmake --preset tsan --log-level=WARNING
	@cmake --build --preset tsan -- --quiet races test_team test_threads test_program test_totals
	@ctest --preset tsan -j $(JOBS)

machines: build ## run the tests as on other CPUs: each kernel set of the libraries that this one can run
	@ci/machines $(BUILD)

fuzz: ## fuzz every reader for SECONDS (20) each, or those in TARGETS (needs clang)
	@ci/deps --check fuzz
	@[ -e build/fuzz/build.ninja ] || cmake --preset fuzz --log-level=WARNING
	@cmake --build --preset fuzz -- --quiet
	@ci/fuzz build/fuzz $(SECONDS) $(TARGETS)

lint: $(BUILD)/build.ninja ## static analysis by clang-tidy
	@ci/deps --check lint
	@cmake --build --preset $(PRESET) -- --quiet ub_build_info
	@ci/lint $(BUILD)

valgrind: build ## run the core's tests and a sweep under valgrind
	@ci/deps --check valgrind
	@ci/valgrind $(BUILD)

instructions: build ## count instructions of pieces of work under valgrind, against bench/perf/instructions.csv
	@ci/deps --check valgrind
	@ci/instructions $(BUILD)

peers: build ## time unibench and PyTorch side by side, into results/speed.md (needs python3-torch)
	@ci/peers $(BUILD) --out results/speed.md

peers-short: build ## the same at a short setting: small models, one round, one thread; prints the table
	@ci/peers $(BUILD) --short

peers-spectra: build ## time spectra of Hessians beside PyHessian's algorithm and eigsh, into results/speed-spectra.md
	@ci/peers-spectra $(BUILD) --out results/speed-spectra.md

peers-spectra-short: build ## the same at a short setting: two systems, fewer steps and eigenpairs; prints the table
	@ci/peers-spectra $(BUILD) --short

waits: program ## time what a user waits for beside runs (start-up, preflight, report, compare), against its limits
	@cmake --build --preset $(PRESET) --target unibench-perf -- --quiet
	@ci/waits $(BUILD) --store $(STORE)

scale: build ## time comparing and reporting stores of 1,000 to 10,000 runs, and hold it to 10 s and 400 MiB each
	@$(BUILD)/unibench-perf scale $(BUILD)/unibench $(BUILD)

install: $(BUILD)/build.ninja ## install into prefix (/usr/local), below DESTDIR: program, suites, data, man pages, completions
	@ci/deps package
	@cmake --build --preset $(PRESET) --target unibench completions man -- --quiet
	@DESTDIR=$(DESTDIR) cmake --install $(BUILD) --prefix $(prefix)

package: $(BUILD)/build.ninja ## a Debian package, into BUILD/package
	@ci/deps package
	@cmake --build --preset $(PRESET) --target unibench completions man -- --quiet
	@cd $(BUILD) && cpack -G DEB -B package

holdout: build ## run systems that no published suite has, and count the laws whose verdicts are as published
	@ci/holdout $(BUILD)

results: build ## publish all suites, or those in SUITES, into results/
	@ci/deps results
	@ci/results $(BUILD) $(SUITES)

fmt: ## format the sources
	@git ls-files '*.c' '*.h' | xargs clang-format -i

fmt-check: ## fail when a source is not formatted
	@ci/deps --check fmt
	@git ls-files '*.c' '*.h' | xargs clang-format --dry-run --Werror

clean: ## remove what was built (never results)
	@rm -rf build

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1 - \2/p' $(MAKEFILE_LIST)
