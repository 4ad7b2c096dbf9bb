# make fuzz-supervisor [FUZZ_SECONDS=600]: feeds random bytes to what the supervisor reads from others: its socket's
# protocol, sandboxes and their plans, /proc and cgroup files, passwd files, OCI seccomp profiles, reports of children.
# The corpus stays in .build/fuzz-supervisor/corpus; a find is written beside it and replayed with
# .build/fuzz-supervisor/fuzz FILE.

FUZZ_SUPERVISOR := .build/fuzz-supervisor
FUZZ_SUPERVISOR_SWIFT := swiftc -swift-version 6 -package-name serai -O -wmo -sanitize=fuzzer -parse-as-library \
  -enable-testing -I $(FUZZ_SUPERVISOR) -I CShims/CLinux/include -I CShims/CSeccomp -I CShims/CCap \
  -enable-upcoming-feature ExistentialAny -enable-upcoming-feature InternalImportsByDefault \
  -enable-upcoming-feature MemberImportVisibility

.PHONY: fuzz-supervisor fuzz-supervisor-build
fuzz-supervisor-build: ## builds the fuzzer of the supervisor's inputs
	mkdir -p $(FUZZ_SUPERVISOR)/corpus
	for f in CShims/CLinux/*.c; do \
	  $$(dirname $$(readlink -f $$(command -v swiftc)))/clang -O2 -ICShims/CLinux/include -c $$f \
	    -o $(FUZZ_SUPERVISOR)/$$(basename $$f .c).c.o || exit 1; done
	for m in Codec Linux Isolation Supervisor; do \
	  $(FUZZ_SUPERVISOR_SWIFT) -module-name $$m -emit-module -emit-module-path $(FUZZ_SUPERVISOR)/$$m.swiftmodule \
	    -c $$(find Sources/$$m -name '*.swift') -o $(FUZZ_SUPERVISOR)/$$m.o || exit 1; done
	$(FUZZ_SUPERVISOR_SWIFT) -module-name FuzzSupervisor Tests/Fuzz/Supervisor/FuzzSupervisor.swift \
	  $(FUZZ_SUPERVISOR)/*.o -lseccomp -lcap -o $(FUZZ_SUPERVISOR)/fuzz

fuzz-supervisor: fuzz-supervisor-build ## fuzzes the supervisor's inputs for FUZZ_SECONDS
	SWIFT_BACKTRACE=enable=no $(FUZZ_SUPERVISOR)/fuzz -max_total_time=$(FUZZ_SECONDS) -max_len=4096 -timeout=10 \
	  -rss_limit_mb=2048 -artifact_prefix=$(FUZZ_SUPERVISOR)/ $(FUZZ_SUPERVISOR)/corpus
