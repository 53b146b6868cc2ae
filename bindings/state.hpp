// The tables of a training of documents as an object that Python holds: it is filled before the
// training, and saved while it runs.
#pragma once

#include <atomic>
#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include "arrays.hpp"
#include "models/inputs.hpp"
#include "train/position.hpp"
#include "train/state.hpp"
#include "training.hpp"

struct StateOfTraining {
  std::string model;
  bitsense::Shape shape;
  std::size_t documents = 0;
  bitsense::Optimizer optimizer = bitsense::Optimizer::kAdaGrad;
  bitsense::Parameters parameters;
  bitsense::TrainState state{};
  bitsense::Position position;
  std::vector<float> idf;
  std::atomic<int> views{0};  // arrays of the tables that live
};

inline std::shared_ptr<StateOfTraining> make_state(const std::string& model, std::size_t documents,
                                                   std::span<const std::uint64_t> counts,
                                                   const bitsense::Shape& shape,
                                                   const bitsense::InitOptions& init,
                                                   const bitsense::TrainOptions& options) {
  auto made = std::make_shared<StateOfTraining>();
  made->model = model;
  made->shape = shape;
  made->documents = documents;
  made->optimizer = options.optimizer;
  made->parameters = bitsense::make_parameters(model, documents, counts, shape, init, options.seed);
  made->state = {
      &made->parameters, bitsense::first_squares(made->parameters, options.optimizer), {}};
  return made;
}

// Takes a table out; copies it where Python still looks at it.
inline Array<float> taken(StateOfTraining& from, bitsense::Matrix& table) {
  if (from.views.load() == 0) return to_array(std::exchange(table, {}));
  bitsense::Matrix copy(table.rows(), table.dim());
  if (table.rows() > 0)
    std::memcpy(copy.row(0), table.row(0), table.rows() * table.stride() * sizeof(float));
  return to_array(std::move(copy));
}
