# `make bench`: the figures of the design beside those of other programs and of what the kernel cannot do without.
#   ROUNDS=50 for a shorter run; PARTS="starts commands" for some of: starts commands density logs evaluations heartbeats million encoding.
BENCH_PACKAGES := crun
BENCH_PRODUCTS := serai-bench codec-bench
BENCH := $(BUILD)/bench
BENCH_SOURCES := Tests/Benchmarks/programs
# The Swift toolchain brings it.
BENCH_CC ?= clang
ROUNDS ?= 200
PARTS ?=

bench: PACKAGES += $(BENCH_PACKAGES)
bench: release ## release build, then every figure beside its peer, its floor and its budget
	mkdir -p $(BENCH)
	for program in stamp pause flood hello; do \
	  $(BENCH_CC) -O2 -static -nostdlib -ffreestanding -fno-stack-protector \
	    -o $(BENCH)/$$program $(BENCH_SOURCES)/$$program.c || exit 1; done
	for program in floor launch place; do \
	  $(BENCH_CC) -O2 -Wall -o $(BENCH)/$$program $(BENCH_SOURCES)/$$program.c -lm || exit 1; done
	for product in $(BENCH_PRODUCTS); do \
	  $(SWIFT) build $(RELEASE_FLAGS) --product $$product \
	    && install $(BUILD)/release/$$product $(BENCH)/ || exit 1; done
	$(BENCH)/serai-bench $(abspath $(BUILD)/dist) $(abspath $(BENCH)) $(ROUNDS) $(PARTS)

.PHONY: bench
