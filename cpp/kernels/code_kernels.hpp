#pragma once
namespace bitsense {
struct CodeKernels {
  int placeholder;
};
}  // namespace bitsense
