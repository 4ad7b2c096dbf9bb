# make fuzz-text [FUZZ_SECONDS=600]: feeds cron expressions, time zone files and filters random bytes until something
# crashes or hangs. The corpus stays in .build/fuzz-text/corpus.

FUZZ_TEXT := .build/fuzz-text

.PHONY: fuzz-text fuzz-text-build
fuzz-text-build: ## builds the fuzzer of the small parsers
	mkdir -p $(FUZZ_TEXT)/corpus
	for module in RegularExpression Codec Cron FilterExpression; do \
	  $(subst $(FUZZ_HCL),$(FUZZ_TEXT),$(FUZZ_SWIFT)) -module-name $$module -emit-module \
	    -emit-module-path $(FUZZ_TEXT)/$$module.swiftmodule \
	    -c $$(find Sources/$$module -name '*.swift') -o $(FUZZ_TEXT)/$$module.o || exit 1; \
	done
	$(subst $(FUZZ_HCL),$(FUZZ_TEXT),$(FUZZ_SWIFT)) -module-name FuzzText Tests/Fuzz/Text/FuzzText.swift $(FUZZ_TEXT)/*.o \
	  -o $(FUZZ_TEXT)/fuzz

fuzz-text: fuzz-text-build ## fuzzes the small parsers for FUZZ_SECONDS
	for zone in America/New_York Europe/Berlin Africa/Casablanca; do \
	  (printf '\001'; cat /usr/share/zoneinfo/$$zone) > $(FUZZ_TEXT)/corpus/$$(basename $$zone); done
	SWIFT_BACKTRACE=enable=no $(FUZZ_TEXT)/fuzz -max_total_time=$(FUZZ_SECONDS) -max_len=4096 -timeout=10 \
	  -rss_limit_mb=2048 -artifact_prefix=$(FUZZ_TEXT)/ $(FUZZ_TEXT)/corpus
