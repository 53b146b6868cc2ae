// NumPy arrays as a table of the Arrow C data interface, without a copy and without Arrow.
//
// https://arrow.apache.org/docs/format/CDataInterface.html says what the structures mean. A
// consumer may release them on any thread, without the GIL, after everything in Python that made
// them is gone, or when the interpreter itself is; it may also take a child out of its parent. So
// every structure owns what its own release frees, and shares the arrays.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <cerrno>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "arrays.hpp"
#include "arrow_abi.hpp"
#include "core/errors.hpp"
#include "register.hpp"

namespace py = pybind11;
using namespace py::literals;

namespace arrow_bindings {

constexpr std::int64_t nullable = 2;

// A column, or a table with its columns as children. No value is null, so the first buffer, which
// would say which ones are, is always absent.
struct Column {
  std::string format, name, metadata;
  std::int64_t length = 0;
  std::vector<const void*> buffers = {nullptr};
  std::vector<std::shared_ptr<Column>> children;
  std::vector<std::shared_ptr<void>> arrays;  // what the buffers point into
};

using Shared = std::shared_ptr<Column>;

// A reference to a Python object that may be dropped anywhere. At the end of the interpreter it is
// not dropped: the memory of the process goes anyway.
std::shared_ptr<void> kept(py::object object) {
  return {object.release().ptr(), [](void* held) {
            if (!Py_IsInitialized()) return;
            const PyGILState_STATE state = PyGILState_Ensure();
            Py_DECREF(static_cast<PyObject*>(held));
            PyGILState_Release(state);
          }};
}

void add_buffer(Column& column, const py::array& array) {
  column.buffers.push_back(array.data());
  column.arrays.push_back(kept(array));
}

Shared new_column(std::string format, std::string name, std::string metadata, py::ssize_t length) {
  auto column = std::make_shared<Column>();
  column->format = std::move(format);
  column->name = std::move(name);
  column->metadata = std::move(metadata);
  column->length = length;
  return column;
}

Shared codes_column(const std::string& name, const py::bytes& metadata,
                    const Array<std::uint8_t>& codes) {
  require_dimensions(codes, 2, "codes");
  auto column = new_column("w:" + std::to_string(codes.shape(1)), name, metadata, codes.shape(0));
  add_buffer(*column, codes);
  return column;
}

Shared vectors_column(const std::string& name, const py::bytes& metadata,
                      const Array<float>& vectors) {
  require_dimensions(vectors, 2, "vectors");
  auto items = new_column("f", "item", "", vectors.size());
  add_buffer(*items, vectors);
  auto column =
      new_column("+w:" + std::to_string(vectors.shape(1)), name, metadata, vectors.shape(0));
  column->children = {items};
  return column;
}

Shared numbers_column(const std::string& name, const Array<std::int64_t>& numbers) {
  require_dimensions(numbers, 1, "numbers");
  auto column = new_column("l", name, "", numbers.shape(0));
  add_buffer(*column, numbers);
  return column;
}

// Text i is from ends[i] to ends[i + 1].
Shared texts_column(const std::string& name, const Array<std::int64_t>& ends,
                    const Array<std::uint8_t>& bytes) {
  require_dimensions(ends, 1, "ends");
  bitsense::require(ends.size() > 0 && ends.at(0) == 0, "`ends` must start with 0");
  for (py::ssize_t i = 1; i < ends.size(); ++i)
    bitsense::require(ends.at(i) >= ends.at(i - 1), "`ends` must not fall");
  bitsense::require(ends.at(ends.size() - 1) <= bytes.size(), "`ends` must end in `bytes`");
  auto column = new_column("U", name, "", ends.size() - 1);
  add_buffer(*column, ends);
  add_buffer(*column, bytes);
  return column;
}

Shared table_of(const std::vector<Shared>& columns) {
  bitsense::require(!columns.empty(), "`columns` must not be empty");
  auto table = new_column("+s", "", "", columns.front()->length);
  for (const Shared& column : columns)
    bitsense::require(column->length == table->length, "`columns` must be equally long");
  table->children = columns;
  return table;
}

// What a structure owns. Children that nobody took are released with it.
template <class Structure>
struct Private {
  Shared column;
  std::vector<Structure> children;
  std::vector<Structure*> places;

  explicit Private(const Shared& exported) : column(exported), children(exported->children.size()) {
    for (Structure& child : children) places.push_back(&child);
  }
  ~Private() {
    for (Structure& child : children)
      if (child.release != nullptr) child.release(&child);
  }
};

template <class Structure>
void release(Structure* structure) {
  delete static_cast<Private<Structure>*>(structure->private_data);
  structure->release = nullptr;
}

void fill(ArrowSchema* schema, const Column& column) {
  schema->format = column.format.c_str();
  schema->name = column.name.c_str();
  schema->metadata = column.metadata.empty() ? nullptr : column.metadata.data();
  schema->flags = nullable;
}

void fill(ArrowArray* array, Column& column) {
  array->length = column.length;
  array->n_buffers = static_cast<std::int64_t>(column.buffers.size());
  array->buffers = column.buffers.data();
}

template <class Structure>
void export_column(const Shared& column, Structure* structure) {
  auto own = std::make_unique<Private<Structure>>(column);
  for (std::size_t i = 0; i < own->children.size(); ++i)
    export_column(column->children[i], &own->children[i]);
  *structure = {};
  fill(structure, *column);
  structure->n_children = static_cast<std::int64_t>(own->places.size());
  structure->children = own->places.empty() ? nullptr : own->places.data();
  structure->release = &release<Structure>;
  structure->private_data = own.release();
}

// A stream of one batch.

struct Batches {
  Shared table;
  bool given = false;
};

Batches* batches_of(ArrowArrayStream* stream) {
  return static_cast<Batches*>(stream->private_data);
}

// Nothing is thrown through a consumer's frames; only memory can be lacking.
template <class Structure>
int export_safely(const Shared& column, Structure* structure) {
  try {
    export_column(column, structure);
    return 0;
  } catch (...) {
    return ENOMEM;
  }
}

int get_schema(ArrowArrayStream* stream, ArrowSchema* schema) {
  return export_safely(batches_of(stream)->table, schema);
}

int get_next(ArrowArrayStream* stream, ArrowArray* array) {
  Batches* batches = batches_of(stream);
  if (batches->given) {
    *array = {};  // the end
    return 0;
  }
  const int error = export_safely(batches->table, array);
  batches->given = error == 0;
  return error;
}

const char* get_last_error(ArrowArrayStream*) { return nullptr; }

void release_stream(ArrowArrayStream* stream) {
  delete batches_of(stream);
  stream->release = nullptr;
}

// Capsules, by the names that the PyCapsule interface gives them.

template <class Structure>
constexpr const char* capsule_name = nullptr;
template <>
constexpr const char* capsule_name<ArrowSchema> = "arrow_schema";
template <>
constexpr const char* capsule_name<ArrowArrayStream> = "arrow_array_stream";

// A consumer moves the structure out and leaves a null `release`; otherwise it is released here.
template <class Structure>
py::object capsule(std::unique_ptr<Structure> structure) {
  const auto destroy = [](PyObject* object) {
    auto* held = static_cast<Structure*>(PyCapsule_GetPointer(object, capsule_name<Structure>));
    if (held->release != nullptr) held->release(held);
    delete held;
  };
  PyObject* made = PyCapsule_New(structure.get(), capsule_name<Structure>, destroy);
  if (made == nullptr) {
    structure->release(structure.get());
    throw py::error_already_set();
  }
  structure.release();
  return py::reinterpret_steal<py::object>(made);
}

py::object schema_capsule(const Shared& table) {
  auto schema = std::make_unique<ArrowSchema>();
  export_column(table, schema.get());
  return capsule(std::move(schema));
}

py::object stream_capsule(const Shared& table) {
  auto stream = std::make_unique<ArrowArrayStream>();
  *stream = {&get_schema, &get_next, &get_last_error, &release_stream, new Batches{table}};
  return capsule(std::move(stream));
}

}  // namespace arrow_bindings

void register_arrow(py::module_& m) {
  using namespace arrow_bindings;
  py::class_<Column, Shared>(m, "ArrowColumn");
  m.def("arrow_codes", &codes_column, "name"_a, "metadata"_a, "codes"_a.noconvert());
  m.def("arrow_vectors", &vectors_column, "name"_a, "metadata"_a, "vectors"_a.noconvert());
  m.def("arrow_numbers", &numbers_column, "name"_a, "numbers"_a.noconvert());
  m.def("arrow_texts", &texts_column, "name"_a, "ends"_a.noconvert(), "bytes"_a.noconvert());
  m.def("arrow_table", &table_of, "columns"_a);
  m.def("arrow_schema", &schema_capsule, "table"_a);
  m.def("arrow_stream", &stream_capsule, "table"_a);
}
