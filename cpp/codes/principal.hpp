// The directions in which rows differ most: orthonormal axes that hold a share of the variance.
//
// Block power iteration (Halko, Martinsson and Tropp, SIAM Review 53, 2011): a block of axes begins
// at random and is multiplied by R'R a few times, R being the rows without their mean and without
// what the axes before hold. The axes hold little less than the first principal components. Each
// product is rounded before it is added and sums run in one order, so nothing depends on the
// threads or the level.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/parallel.hpp"
#include "core/vectors.hpp"

namespace bitsense {

// Returns the fewest axes, of the ascending `counts`, that hold `share` of the variance of `others`
// about the mean of `rows`, which is written: dim x count floats, none if the most do not.
std::vector<float> principal_axes(const VectorsView& rows, const VectorsView& others,
                                  std::span<const std::size_t> counts, double share,
                                  std::size_t threads, const Poll& poll, float* mean);

}  // namespace bitsense
