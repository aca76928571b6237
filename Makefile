# Front-end of development.  "make" alone prints what there is.

B       := build
# the sources of an installed nginx that is not Debian's
NGINX_SOURCE ?=
export NGINX_SOURCE
MODULE  := $(B)/ngx_http_registry_module.so
SRC     := $(wildcard src/*.c)
GLUE    := $(wildcard ngx_registry_module/*.c)
HDR     := $(wildcard src/*.h ngx_registry_module/*.h)
UNITS   := $(patsubst t/unit/%.c,$(B)/unit/%,$(wildcard t/unit/test_*.c))
FUZZERS := $(patsubst fuzz/%.c,$(B)/fuzz/%,$(wildcard fuzz/fuzz_*.c))
LIBS    := -lyajl -lexpat -lcrypto

WARN    := -W -Wall -Wextra -Werror -Wpointer-arith -Wshadow \
           -Wmissing-prototypes -Wstrict-prototypes -Wold-style-definition \
           -Wvla -Wdeclaration-after-statement -Wimplicit-fallthrough \
           -Wformat=2 -Wcast-align -Wdate-time
WARNGCC := -Wlogical-op -Wduplicated-cond -Wduplicated-branches
WARNLIB := $(WARN) -std=gnu99 -pedantic -Wconversion -Wsign-conversion \
           -Wcast-qual -Wwrite-strings -Wundef -Wnull-dereference
SAN     := -fsanitize=address,undefined -fno-sanitize-recover=undefined \
           -fno-omit-frame-pointer

FUZZ_TIME ?= 60

help:           ## this text
	@sed -n 's/^\([a-z-]*\):.*## /  make \1@/p' $(MAKEFILE_LIST) | expand -t 1 | awk -F@ '{ printf "%-18s %s\n", $$1, $$2 }'

deps:           ## installs the packages that building needs (root, Debian)
	@util/deps build

test-deps: deps ## installs or unpacks what the tests need
	@util/deps test

build: deps     ## the module for the installed nginx, in build/
	@$(MAKE) -s $(MODULE)

module: build   ## the same

$(MODULE): $(SRC) $(GLUE) $(HDR) config util/build-module
	@util/build-module $(B) $@

run:            ## a registry for REGISTRY_BUCKET, in the foreground
	@util/run --check && $(MAKE) -s build && exec util/run

$(B)/unit/%: t/unit/%.c $(SRC) $(HDR) $(wildcard t/unit/*.h)
	@mkdir -p $(@D)
	gcc -g -O1 -std=gnu99 -Wall -Wextra -Werror $(SAN) -Isrc -It/unit -DUNIT_DATA='"t/unit/data"' -o $@ $< $(SRC) $(LIBS)

unit: deps      ## unit tests of src/, with sanitizers
	@$(MAKE) --no-print-directory unit-run

unit-run: $(UNITS)
	@prove -e '' $(UNITS)

test: test-deps ## all tests
	@$(MAKE) --no-print-directory $(MODULE) $(UNITS)
	@util/test $(B)

deb: deps       ## the Debian package for the installed nginx, in build/deb/
	@util/deps deb
	@util/deb $(B)/deb

test-deb: test-deps ## lintian, and the life of the package, in clean roots
	@util/test-deb $(SUITES)

matrix: test-deps ## all tests, on each nginx of Debian: 1.22, 1.26, 1.30
	@util/matrix $(SUITES)

check: deps     ## style, layers, warnings, analysers, documentation, fuzz targets
	@util/deps check
	@util/check $(B)

warnings: $(B)/nginx/ngx_auto_config.h
	@for f in $(SRC); do gcc -O2 -c $(WARNLIB) $(WARNGCC) -Isrc -o /dev/null $$f || exit 1; done
	@for f in $(SRC); do clang -fsyntax-only $(WARNLIB) -Isrc $$f || exit 1; done
	@for f in $(GLUE); do gcc -O2 -c $(WARN) $(WARNGCC) -Wno-unused-parameter $$(cat $(B)/nginx/incs) -o /dev/null $$f || exit 1; done
	@for f in $(GLUE); do clang -fsyntax-only $(WARN) -Wno-cast-align -Wconditional-uninitialized -Wno-unused-parameter $$(cat $(B)/nginx/incs) $$f || exit 1; done

analyzer: $(B)/nginx/ngx_auto_config.h
	@for f in $(GLUE); do gcc -O1 -fanalyzer -c -w -Wanalyzer-possible-null-dereference -include util/ngx_annotate.h -Wno-analyzer-malloc-leak -Werror=analyzer-possible-null-dereference -Werror=analyzer-null-dereference -Werror=analyzer-use-after-free -Werror=analyzer-double-free $$(cat $(B)/nginx/incs) -o /dev/null $$f || exit 1; done
	@cppcheck -q --error-exitcode=1 --enable=warning,portability,performance --std=c99 --max-configs=1 --inline-suppr --suppress=nullPointerRedundantCheck -Isrc src ngx_registry_module

tidy: deps      ## clang-tidy
	@util/deps check
	@$(MAKE) -s tidy-run

tidy-run: $(B)/nginx/ngx_auto_config.h
	@printf '%s\n' $(SRC) | xargs -P "$$(nproc)" -I@ clang-tidy --quiet @ -- -std=gnu99 -Isrc 2>/dev/null
	@printf '%s\n' $(GLUE) | xargs -P "$$(nproc)" -I@ clang-tidy --quiet @ -- $$(cat $(B)/nginx/incs) 2>/dev/null

$(B)/nginx/ngx_auto_config.h: util/build-module config
	@util/build-module $(B)

asan: test-deps ## all tests (or TESTS="t/…") on an nginx with sanitizers
	@util/deps asan
	@util/build-asan $(B)
	@$(MAKE) --no-print-directory $(UNITS)
	@ASAN_OPTIONS=detect_stack_use_after_return=1 LSAN_OPTIONS=suppressions=$(CURDIR)/util/asan.supp:print_suppressions=0 TEST_NGINX_BINARY=$(CURDIR)/$(B)/asan/nginx TEST_REGISTRY_MODULE= util/test $(B) $(TESTS)

FUZZ := clang -g -O1 -std=gnu99 -Wall -Wextra -Werror -fno-sanitize-recover=undefined -Isrc

$(B)/fuzz/src/%.o: src/%.c $(HDR)
	@mkdir -p $(@D)
	$(FUZZ) -fsanitize=fuzzer-no-link,address,undefined -c -o $@ $<

$(B)/fuzz/%: fuzz/%.c fuzz/fuzz.h $(SRC:%.c=$(B)/fuzz/%.o)
	@mkdir -p $(@D)
	$(FUZZ) -fsanitize=fuzzer,address,undefined -o $@ $< $(SRC:%.c=$(B)/fuzz/%.o) $(LIBS)

fuzzers: $(FUZZERS)

fuzz: $(FUZZERS) ## each fuzz target for FUZZ_TIME seconds
	@for f in $(FUZZERS); do mkdir -p $(B)/corpus/$$(basename $$f); echo "== $$f"; \
	 $$f -max_total_time=$(FUZZ_TIME) -timeout=10 -verbosity=0 -artifact_prefix=$(B)/corpus/ $(B)/corpus/$$(basename $$f) $$(ls -d fuzz/corpus/$$(basename $$f) 2>/dev/null) || exit 1; done

conformance: test-deps ## the suite of the OCI against a node that is pushed to
	@$(MAKE) --no-print-directory $(MODULE)
	@util/test $(B) t/conformance.t

bench: test-deps ## beside distribution and plain nginx (BENCH="--quick")
	@util/deps bench
	@util/deps engine || true
	@$(MAKE) --no-print-directory $(MODULE)
	@TEST_REGISTRY_MODULE=$(CURDIR)/$(MODULE) TEST_REGISTRY_TOOLS=$(CURDIR)/$(B)/tools/bin bench/run $(BENCH)

bench-push:     ## pushes beside distribution and aws s3 cp
	@$(MAKE) --no-print-directory bench BENCH="--only push $(BENCH)"

bench-fanout:   ## many hosts at the same moment, each with its registry
	@$(MAKE) --no-print-directory bench BENCH="--only fanout $(BENCH)"

bench-credentials: test-deps ## latency while the source of credentials hangs
	@$(MAKE) --no-print-directory $(MODULE)
	@env -u AWS_CA_BUNDLE TEST_REGISTRY_MODULE=$(CURDIR)/$(MODULE) TEST_REGISTRY_TOOLS=$(CURDIR)/$(B)/tools/bin perl bench/credentials.pl

clean:          ## removes build/
	rm -rf $(B)

.PHONY: help deps test-deps build module run unit unit-run test deb test-deb matrix check warnings analyzer tidy tidy-run asan fuzzers fuzz conformance bench bench-push bench-fanout bench-credentials clean
