# make test-v2: the cgroup, limits, supervisor and isolation tests in a virtual machine whose only cgroup hierarchy is v2,
# under Debian's kernel. Needs no KVM (V2_ACCEL=kvm uses it); nothing of the kernel package is installed on this machine.

V2_PACKAGES := qemu-system-x86 busybox-static kmod cpio dpkg
V2_BUNDLE ?= $(BUILD)/debug/seraiPackageTests.xctest
V2_FILTER ?= IsolationTests|SupervisorTests|LinuxTests
V2_SKIP ?=
V2_ACCEL ?= tcg,thread=multi
V2_SECONDS ?= 1800

.PHONY: test-v2 test-v2-run v2-setup
v2-setup:
	@missing=""; for p in $(V2_PACKAGES); do dpkg -s $$p >/dev/null 2>&1 || missing="$$missing $$p"; done; \
	if [ -n "$$missing" ]; then echo "installing:$$missing"; \
	  [ $$(id -u) = 0 ] || { echo "run 'make v2-setup' as root, or install these packages:$$missing"; exit 1; }; \
	  apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -yq --no-install-recommends $$missing; fi

test-v2: setup v2-setup ## the cgroup, limits, supervisor and isolation tests in a virtual machine with pure cgroup v2
	$(SWIFT) build --build-tests
	$(MAKE) test-v2-run

# Without building, for those who have: V2_BUNDLE names the test bundle.
test-v2-run: v2-setup
	ACCEL=$(V2_ACCEL) SECONDS_AT_MOST=$(V2_SECONDS) FILTER='$(V2_FILTER)' SKIP='$(V2_SKIP)' \
	  ./Tests/V2/run.sh $(BUILD)/v2 $(V2_BUNDLE)
