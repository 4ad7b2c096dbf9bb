bench-scheduler: ## the scheduler on simulated clusters: placements a second, latency, preemption, failures, packing
	$(SWIFT) build -c release --product serai-scheduler-bench
	$(BUILD)/release/serai-scheduler-bench b c d e f packing
	$(BUILD)/release/serai-scheduler-bench a
	$(BUILD)/release/serai-scheduler-bench a2

.PHONY: bench-scheduler
