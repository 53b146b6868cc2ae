// Continuous bag of words with negative sampling (Mikolov et al. 2013, arXiv:1301.3781, 1310.4546).
//
//   h = mean of the input rows of the context words       target: the centre
//   dloss/d(row) = dloss/dh / C                           C: rows of the context
//
// Deviations: kRun consecutive centres share one set of noise words. The gradient of a row is
// divided by C, as the mean demands (Irsoy, Benton and Stratos 2021, arXiv:2012.15332); word2vec.c
// and gensim leave that out, so the learning rate is larger here.
#pragma once

#include <cstddef>

namespace bitsense {

struct Cbow {
  static constexpr const char* name = "cbow";
  static constexpr std::size_t kRun = 4;
};

}  // namespace bitsense
