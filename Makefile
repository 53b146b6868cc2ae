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
asan: SANITIZERS = address,undefined
tsan: SANITIZERS = thread
asan tsan:
	cmake -S . -B build/$@ -DBITSENSE_CPP_TESTS=ON -DBITSENSE_SANITIZE=$(SANITIZERS) -DCMAKE_CXX_FLAGS='-O1 -g1' && cmake --build build/$@ -j && ctest --test-dir build/$@ --output-on-failure
fuzz:
	cmake -S . -B build/fuzz -DCMAKE_CXX_COMPILER=clang++ -DBITSENSE_CPP_TESTS=ON -DCMAKE_BUILD_TYPE=Release && cmake --build build/fuzz -j && cd build/fuzz/tests/cpp && ./make_corpus corpus && ./fuzz_format -max_total_time=60 corpus
