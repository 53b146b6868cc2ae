#include "kernels/dispatch.hpp"

#include <cstdlib>

#include "core/errors.hpp"

namespace bitsense {

// CMake says which levels are built.
#if defined(BITSENSE_HAS_avx512)
#define BITSENSE_FOR_EACH_LEVEL(X) X(baseline) X(avx2) X(avx512)
#elif defined(BITSENSE_HAS_avx2)
#define BITSENSE_FOR_EACH_LEVEL(X) X(baseline) X(avx2)
#else
#define BITSENSE_FOR_EACH_LEVEL(X) X(baseline)
#endif

#define BITSENSE_DECLARE(level)                      \
  extern const FloatKernels float_kernels_##level;   \
  extern const CodeKernels code_kernels_##level;     \
  extern const WordKernels word_kernels_##level;     \
  extern const TextKernels text_kernels_##level;     \
  extern const ScoreKernels score_kernels_##level;   \
  extern const FilterKernels filter_kernels_##level; \
  extern const GraphKernels graph_kernels_##level;   \
  extern const ChecksumKernels checksum_kernels_##level;
BITSENSE_FOR_EACH_LEVEL(BITSENSE_DECLARE)
#undef BITSENSE_DECLARE

namespace {

bool runs_baseline() { return true; }

#if defined(BITSENSE_HAS_avx2)
bool runs_avx2() {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
         __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2") &&
         __builtin_cpu_supports("popcnt") && __builtin_cpu_supports("f16c") &&
         __builtin_cpu_supports("pclmul");
}
#endif

#if defined(BITSENSE_HAS_avx512)
bool runs_avx512() {
  return runs_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512vpopcntdq") &&
         __builtin_cpu_supports("avx512bitalg") && __builtin_cpu_supports("avx512vnni");
}
#endif

std::vector<Kernels> detect() {
  std::vector<Kernels> found;
#define BITSENSE_ADD(level)                                                                        \
  if (runs_##level())                                                                              \
    found.push_back({#level, &float_kernels_##level, &code_kernels_##level, &word_kernels_##level, \
                     &text_kernels_##level, &score_kernels_##level, &filter_kernels_##level,       \
                     &graph_kernels_##level, &checksum_kernels_##level});
  BITSENSE_FOR_EACH_LEVEL(BITSENSE_ADD)
#undef BITSENSE_ADD
  return found;
}

const Kernels& choose() {
  const char* wanted = std::getenv("BITSENSE_LEVEL");
  if (wanted == nullptr || *wanted == '\0') return available_kernels().back();
  return kernels(wanted);
}

}  // namespace

const std::vector<Kernels>& available_kernels() {
  static const std::vector<Kernels> found = detect();
  return found;
}

const Kernels& kernels() {
  static const Kernels& chosen = choose();
  return chosen;
}

const Kernels& kernels(const std::string& level) {
  std::string names;
  for (const Kernels& candidate : available_kernels()) {
    if (level == candidate.level) return candidate;
    names += names.empty() ? "" : ", ";
    names += candidate.level;
  }
  throw std::invalid_argument(
      text("level (BITSENSE_LEVEL) must be one of ", names, " on this machine, got ", level));
}

}  // namespace bitsense
