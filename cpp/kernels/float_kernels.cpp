#include "kernels/float_kernels.hpp"
#define BITSENSE_JOIN_(a, b) a##b
#define BITSENSE_JOIN(a, b) BITSENSE_JOIN_(a, b)
namespace bitsense {
extern const FloatKernels BITSENSE_JOIN(float_kernels_, BITSENSE_LEVEL_NAME);
const FloatKernels BITSENSE_JOIN(float_kernels_, BITSENSE_LEVEL_NAME) = {0};
}
