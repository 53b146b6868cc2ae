#include "kernels/code_kernels.hpp"
#define BITSENSE_JOIN_(a, b) a##b
#define BITSENSE_JOIN(a, b) BITSENSE_JOIN_(a, b)
namespace bitsense {
extern const CodeKernels BITSENSE_JOIN(code_kernels_, BITSENSE_LEVEL_NAME);
const CodeKernels BITSENSE_JOIN(code_kernels_, BITSENSE_LEVEL_NAME) = {0};
}  // namespace bitsense
