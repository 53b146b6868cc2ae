#pragma once
#include <cstddef>
namespace bitsense {
struct FloatKernels { int placeholder; };
}
