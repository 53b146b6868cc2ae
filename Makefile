# The tasks of a developer, one line each; CONTRIBUTING.md explains them.
BIN = .venv/bin
.PHONY: build test check bench soak soak-asan soak-tsan asan tsan fuzz

build:
	test -d .venv || python3 -m venv .venv; $(BIN)/pip install '.[test]'
test: build
	$(BIN)/pytest
check:
	.ci/run
bench: build
	for script in $$(grep -l '^def main' benchmarks/*.py); do $(BIN)/python $$script --quick || exit 1; done
soak: build
	$(BIN)/python benchmarks/soak.py
soak-asan: SANITIZERS = address,undefined
soak-asan: LIBRARY = libasan.so
soak-tsan: SANITIZERS = thread
soak-tsan: LIBRARY = libtsan.so
soak-tsan: ALIKE = setarch $(shell uname -m) -R
soak-asan soak-tsan:
	CXXFLAGS='-O1 -g1' $(BIN)/pip install --no-deps --upgrade --target build/$@/package --config-settings=build-dir=build/$@/build --config-settings=cmake.build-type=None --config-settings=install.strip=false --config-settings=cmake.define.BITSENSE_SANITIZE=$(SANITIZERS) .
	$(ALIKE) env ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=print_stacktrace=1 OPENBLAS_NUM_THREADS=1 PYTHONPATH=build/$@/package LD_PRELOAD="$$(g++ -print-file-name=$(LIBRARY)) $$(g++ -print-file-name=libstdc++.so)" $(BIN)/python benchmarks/soak.py
asan: SANITIZERS = address,undefined
tsan: SANITIZERS = thread
asan tsan:
	cmake -S . -B build/$@ -DBITSENSE_CPP_TESTS=ON -DBITSENSE_SANITIZE=$(SANITIZERS) -DCMAKE_CXX_FLAGS='-O1 -g1' && cmake --build build/$@ -j && ctest --test-dir build/$@ --output-on-failure
fuzz:
	cmake -S . -B build/fuzz -DCMAKE_CXX_COMPILER=clang++ -DBITSENSE_CPP_TESTS=ON -DCMAKE_BUILD_TYPE=Release && cmake --build build/fuzz -j && cd build/fuzz/tests/cpp && ./make_corpus corpus && ./fuzz_format -max_total_time=60 corpus
