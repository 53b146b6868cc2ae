# The tasks of a developer, one line each; CONTRIBUTING.md explains them.
BIN = .venv/bin
.PHONY: build test check bench asan tsan fuzz

build:
	test -d .venv || python3 -m venv .venv; $(BIN)/pip install '.[test]'
test: build
	$(BIN)/pytest
check:
	.ci/run
bench: build
	for script in $$(grep -l '^def main' benchmarks/*.py); do $(BIN)/python $$script --quick || exit 1; done
asan tsan:
	cmake --preset $@ && cmake --build --preset $@ && ctest --preset $@
fuzz:
	cmake --preset fuzz && cmake --build --preset fuzz && cd build/fuzz/tests/cpp && ./make_corpus corpus && ./fuzz_format -max_total_time=60 corpus
