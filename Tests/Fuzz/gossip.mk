# make fuzz-gossip [FUZZ_SECONDS=600]: feeds the gossip core random packets and frames until something crashes, hangs or
# eats memory. The corpus stays in .build/fuzz-gossip/corpus; a find is replayed with .build/fuzz-gossip/fuzz FILE.

FUZZ_SECONDS ?= 600
FUZZ_GOSSIP := .build/fuzz-gossip

.PHONY: fuzz-gossip
fuzz-gossip: ## fuzzes the gossip core for FUZZ_SECONDS
	mkdir -p $(FUZZ_GOSSIP)/corpus
	swiftc -swift-version 6 -O -wmo -sanitize=fuzzer -parse-as-library -module-name Gossip -emit-module \
	  -enable-upcoming-feature InternalImportsByDefault -emit-module-path $(FUZZ_GOSSIP)/Gossip.swiftmodule \
	  -c $$(find Sources/Gossip -name '*.swift') -o $(FUZZ_GOSSIP)/Gossip.o
	swiftc -swift-version 6 -O -wmo -sanitize=fuzzer -parse-as-library -I $(FUZZ_GOSSIP) -module-name FuzzGossip \
	  Tests/Fuzz/Gossip/FuzzGossip.swift $(FUZZ_GOSSIP)/Gossip.o -o $(FUZZ_GOSSIP)/fuzz
	SWIFT_BACKTRACE=enable=no $(FUZZ_GOSSIP)/fuzz -max_total_time=$(FUZZ_SECONDS) -max_len=4096 -timeout=10 \
	  -rss_limit_mb=1024 -artifact_prefix=$(FUZZ_GOSSIP)/ $(FUZZ_GOSSIP)/corpus
