# make fuzz-hcl [FUZZ_SECONDS=600]: feeds the HCL module random text until something crashes, hangs or eats memory.
# The corpus stays in .build/fuzz-hcl/corpus; a find is written beside it and replayed with .build/fuzz-hcl/fuzz FILE.

FUZZ_SECONDS ?= 600
FUZZ_HCL := .build/fuzz-hcl
FUZZ_SWIFT := swiftc -swift-version 6 -package-name serai -O -wmo -sanitize=fuzzer -parse-as-library -I $(FUZZ_HCL) \
  -enable-upcoming-feature ExistentialAny -enable-upcoming-feature InternalImportsByDefault \
  -enable-upcoming-feature MemberImportVisibility

.PHONY: fuzz-hcl fuzz-hcl-build
fuzz-hcl-build: ## builds the fuzzer of the HCL module
	mkdir -p $(FUZZ_HCL)/corpus
	$(FUZZ_SWIFT) -module-name RegularExpression -emit-module -emit-module-path $(FUZZ_HCL)/RegularExpression.swiftmodule \
	  -c $$(find Sources/RegularExpression -name '*.swift') -o $(FUZZ_HCL)/RegularExpression.o
	$(FUZZ_SWIFT) -module-name HCL -emit-module -emit-module-path $(FUZZ_HCL)/HCL.swiftmodule \
	  -c $$(find Sources/HCL -name '*.swift') -o $(FUZZ_HCL)/HCL.o
	$(FUZZ_SWIFT) -module-name FuzzHCL Tests/Fuzz/HCL/FuzzHCL.swift $(FUZZ_HCL)/HCL.o $(FUZZ_HCL)/RegularExpression.o -o $(FUZZ_HCL)/fuzz

fuzz-hcl: fuzz-hcl-build ## fuzzes the HCL module for FUZZ_SECONDS
	SWIFT_BACKTRACE=enable=no $(FUZZ_HCL)/fuzz -max_total_time=$(FUZZ_SECONDS) -max_len=4096 -timeout=10 -rss_limit_mb=2048 \
	  -artifact_prefix=$(FUZZ_HCL)/ $(FUZZ_HCL)/corpus
