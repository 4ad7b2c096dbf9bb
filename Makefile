# Everything a person does with this project. `make` alone lists it.
SWIFT ?= swift
BUILD := .build
# One test after the other: on two cores hundreds at once only wait for each other. TEST_FLAGS= runs them in parallel.
TEST_FLAGS ?= --no-parallel

PACKAGES := pkg-config make tzdata libseccomp-dev libcap-dev libnl-3-dev libnl-route-3-dev libsqlite3-dev libgnutls28-dev \
  libmicrohttpd-dev libcurl4-gnutls-dev libarchive-dev libyaml-dev libcrypt-dev zlib1g-dev iproute2 iptables curl python3 \
  zsh default-jre-headless gcc libc6-dev libcap2-bin stress-ng

.DEFAULT_GOAL := help

help: ## this list
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

setup: ## install what is missing from Debian's packages
	@missing=""; for p in $(PACKAGES); do dpkg -s $$p >/dev/null 2>&1 || missing="$$missing $$p"; done; \
	if [ -n "$$missing" ]; then echo "installing:$$missing"; \
	  [ $$(id -u) = 0 ] || { echo "run 'make setup' as root, or install these packages:$$missing"; exit 1; }; \
	  apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -yq --no-install-recommends $$missing; fi

build: setup ## debug build of everything
	$(SWIFT) build

test: setup ## install what is missing, build, run every test; as root also those that need root
	$(SWIFT) build --build-tests
	$(SWIFT) test --skip-build $(TEST_FLAGS)

unit: setup ## tests that need neither root nor a running agent
	$(SWIFT) build --build-tests
	$(SWIFT) test --skip-build $(TEST_FLAGS) --skip IntegrationTests --skip SupervisorTests --skip ClientTests

sim: setup ## 2,000 simulated groups of servers and 500 whole clusters, with faults; what fails is printed shrunk, to replay
	$(SWIFT) build -c release --product serai-sim
	$(BUILD)/release/serai-sim --seeds 1..2000
	$(BUILD)/release/serai-sim --cluster --seeds 1..500

sim-bugs: setup ## proof that the simulator can fail: every deliberate mistake, and the seeds until it is caught
	$(SWIFT) build -c release --product serai-sim --scratch-path $(BUILD)/bugs -Xswiftc -DDELIBERATE_BUGS
	$(BUILD)/bugs/release/serai-sim --bugs --seeds 1..5000

failover: setup ## kill the leader of three and of five servers 50 times each; print how long nobody could write
	$(SWIFT) build --build-tests
	SERAI_FAILOVER_ROUNDS=50 $(SWIFT) test --skip-build --no-parallel --filter FailoverTests

run: setup ## build, start a development agent, run the example job, show its status and log, stop
	$(SWIFT) build --product serai
	$(SWIFT) build --product serai-supervisor
	./Tests/run-example.sh $(BUILD)/debug

# A position-dependent program needs no relocation of its 44,000 pointers at every start, and so no private copy of the
# pages they are in; nobody looks its symbols up.
RELEASE_FLAGS := -c release --static-swift-stdlib -Xlinker -no-pie -Xlinker --no-export-dynamic

release: setup ## optimised serai (Swift library linked statically) and serai-supervisor (fully static) in .build/dist
	$(SWIFT) build $(RELEASE_FLAGS) --product serai
	$(SWIFT) build -c release --product serai-supervisor -Xswiftc -static-executable --scratch-path $(BUILD)/static
	mkdir -p $(BUILD)/dist
	install $(BUILD)/release/serai $(BUILD)/static/release/serai-supervisor $(BUILD)/dist/

format: ## rewrite the sources in the project's format
	$(SWIFT) format format --in-place --recursive --parallel Package.swift Sources Tests

lint: ## fail where the sources leave the project's format or a public declaration says nothing of itself
	$(SWIFT) format lint --strict --recursive --parallel Package.swift Sources Tests

bench-isolation: ## time from a start request to a task's first instruction, as root
	$(SWIFT) build -c release --product isolation-bench
	$(SWIFT) build -c release --product serai-supervisor -Xswiftc -static-executable --scratch-path $(BUILD)/static
	cc -O2 -static -nostdlib -fno-stack-protector -o $(BUILD)/stamp Tests/isolation-bench/stamp.c
	$(BUILD)/release/isolation-bench $(CURDIR)/$(BUILD)/static/release/serai-supervisor $(BUILD)/stamp

clean: ## remove what was built
	rm -rf $(BUILD)

.PHONY: help setup build test unit sim sim-bugs failover run release format lint clean bench-isolation

include Tests/IsolationProbes/isolation.mk
include Tests/V2/v2.mk
include Tests/Fuzz/hcl.mk
include Tests/Benchmarks/bench.mk
include Tests/Fuzz/gossip.mk
include Tests/Benchmarks/scheduler.mk
include Tests/Fuzz/supervisor.mk
include Tests/Fuzz/text.mk
