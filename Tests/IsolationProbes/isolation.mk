# make test-isolation: every check of what a task can see, reach and use up, from inside real tasks. The lines that begin
# with "isolation:" are its figures. make race and make leak are the long versions of two of them.

ISOLATION_TESTS := AttemptTests|ViewTests|HogTests|RaceTests|CycleTests|IsolationChecks|SeccompChecks|UserNamespaceChecks|OptionChecks|HandedOverChecks|SpareTests

.PHONY: test-isolation race leak
test-isolation: setup ## what tasks cannot do, tried from inside real tasks, each wall alone too; as root
	$(SWIFT) build --build-tests
	$(SWIFT) test --skip-build $(TEST_FLAGS) --filter '$(ISOLATION_TESTS)'

race: setup ## 10,000 starts while a neighbour swaps symbolic links in the task's directory
	$(SWIFT) build --build-tests
	SERAI_RACE_ROUNDS=10000 $(SWIFT) test --skip-build $(TEST_FLAGS) --filter RaceTests

leak: setup ## 5,000 starts and stops with the supervisor killed at random; nothing may be left
	$(SWIFT) build --build-tests
	SERAI_LEAK_CYCLES=5000 $(SWIFT) test --skip-build $(TEST_FLAGS) --filter CycleTests
