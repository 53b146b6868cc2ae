// The inner loops of the engine, chosen once for this processor (dispatch.hpp). The sources named
// *_kernels.cpp are compiled once per level; everything in them has internal linkage but for one
// table, and they use no std:: template, no exception and no allocation (tests/test_symbols.py).
//
// n is a number of floats, a multiple of kRowQuantum; float rows are zero-padded to it.
// Sums are taken in an order that the source fixes: the levels with fused multiply-add (avx2,
// avx512) give the same bits, baseline rounds each product and differs in the last place.
#pragma once

#include <cstddef>
#include <cstdint>

namespace bitsense {

struct FloatKernels;
struct CodeKernels;
struct WordKernels;
struct TextKernels;
struct ScoreKernels;
struct FilterKernels;
struct GraphKernels;
struct ChecksumKernels;

struct Kernels {
  const char* level;  // "baseline", "avx2", "avx512"
  const FloatKernels* floats;
  const CodeKernels* codes;
  const WordKernels* words;
  const TextKernels* text;
  const ScoreKernels* scores;
  const FilterKernels* filters;
  const GraphKernels* graph;
  const ChecksumKernels* checksums;
};

}  // namespace bitsense
