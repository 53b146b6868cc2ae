// What every *_kernels.cpp begins with: the name of its table at this level, and the intrinsics of
// x86, of which a level uses those it has.
#pragma once

#if defined(__x86_64__)
#if defined(__GNUC__) && !defined(__clang__)  // its own header warns: GCC bug 105593
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <immintrin.h>
#endif

// BITSENSE_TABLE(code_kernels_) is code_kernels_avx2 in the objects of that level.
#define BITSENSE_JOIN_(a, b) a##b
#define BITSENSE_JOIN(a, b) BITSENSE_JOIN_(a, b)
#define BITSENSE_TABLE(prefix) BITSENSE_JOIN(prefix, BITSENSE_LEVEL_NAME)
