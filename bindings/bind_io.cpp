// The file format: plans are written to a path or to bytes, images are read from either.
#include <pybind11/stl.h>

#include <cstdio>

#include "arrays.hpp"
#include "io/reader.hpp"
#include "io/writer.hpp"
#include "register.hpp"

namespace io_bindings {

using bitsense::Bytes;

void save(const std::string& path, const std::string& header,
          const std::vector<Array<std::uint8_t>>& sections, std::size_t threads) {
  std::vector<Bytes> bytes = all_bytes_of(sections);
  py::gil_scoped_release release;
  const bitsense::Poll poll = python_poll();
  write_file(bitsense::FilePlan(header, std::move(bytes), threads, poll), path, poll);
}

py::bytes dump(const std::string& header, const std::vector<Array<std::uint8_t>>& sections,
               std::size_t threads) {
  std::vector<Bytes> bytes = all_bytes_of(sections);
  const bitsense::FilePlan plan = [&] {
    py::gil_scoped_release release;
    return bitsense::FilePlan(header, std::move(bytes), threads, python_poll());
  }();
  py::bytes result(nullptr, plan.size());
  auto* out = reinterpret_cast<std::uint8_t*>(PyBytes_AS_STRING(result.ptr()));
  py::gil_scoped_release release;
  plan.emit([&](Bytes run) { out = std::copy(run.begin(), run.end(), out); });
  return result;
}

// An image and its parts, which Python views through the buffer protocol.
struct Reader {
  Reader(bitsense::FileImage image_, bitsense::Check check, std::size_t threads)
      : image(std::move(image_)), parts(parse_file(image.bytes(), check, threads, python_poll())) {}

  bitsense::FileImage image;
  bitsense::FileParts parts;
};

Reader map(const std::string& path, bool check_sections, std::size_t threads, std::size_t part) {
  py::gil_scoped_release release;
  const auto check = check_sections ? bitsense::Check::kAll : bitsense::Check::kMetadata;
  const bitsense::FileImage image = bitsense::FileImage::map(path);
  const auto sizes = bitsense::part_sizes(image.bytes());
  bitsense::require(part < sizes.size(), "`part` must be below ", sizes.size(), ", got ", part);
  std::size_t first = 0;
  for (std::size_t i = 0; i < part; ++i) first += sizes[i];
  return {image.part(first, sizes[part]), check, threads};
}

std::vector<std::size_t> parts(const std::string& path) {
  py::gil_scoped_release release;
  return bitsense::part_sizes(bitsense::FileImage::map(path).bytes());
}

Bytes bytes_of(const py::buffer_info& info) {
  bitsense::require(info.itemsize == 1 && info.ndim == 1 && info.strides[0] == 1,
                    "`data` must be contiguous bytes");
  return {static_cast<const std::uint8_t*>(info.ptr), static_cast<std::size_t>(info.size)};
}

std::uint64_t checksum(const py::buffer& data) {
  const py::buffer_info info = data.request();
  const Bytes bytes = bytes_of(info);
  py::gil_scoped_release release;
  return bitsense::crc64(bytes);
}

Reader parse(const py::buffer& data, std::size_t threads) {
  const py::buffer_info info = data.request();
  const Bytes bytes = bytes_of(info);
  py::gil_scoped_release release;
  return {bitsense::FileImage::copy(bytes), bitsense::Check::kAll, threads};
}

std::vector<std::tuple<std::size_t, std::size_t, std::uint64_t>> sections_of(const Reader& reader) {
  std::vector<std::tuple<std::size_t, std::size_t, std::uint64_t>> sections;
  for (const bitsense::Section& section : reader.parts.sections) {
    const auto offset =
        static_cast<std::size_t>(section.bytes.data() - reader.image.bytes().data());
    sections.emplace_back(offset, section.bytes.size(), section.crc);
  }
  return sections;
}

std::string checksum_digits(Bytes file) {
  char digits[17];
  std::snprintf(digits, sizeof digits, "%016llx",
                static_cast<unsigned long long>(bitsense::read_prelude(file).crc));
  return digits;
}

py::buffer_info buffer_of(Reader& reader) {
  const Bytes bytes = reader.image.bytes();
  return {const_cast<std::uint8_t*>(bytes.data()), static_cast<py::ssize_t>(bytes.size()), true};
}

}  // namespace io_bindings

void register_io(py::module_& m) {
  using namespace io_bindings;
  m.def("crc64", &checksum, py::arg("data"));
  m.def("format_save", &save, py::arg("path"), py::arg("header"), py::arg("sections"),
        py::arg("threads"));
  m.def("format_dump", &dump, py::arg("header"), py::arg("sections"), py::arg("threads"));
  m.def("format_map", &map, py::arg("path"), py::arg("check_sections"), py::arg("threads"),
        py::arg("part") = 0);
  m.def("format_parts", &parts, py::arg("path"));
  m.def("format_parse", &parse, py::arg("data"), py::arg("threads"));
  py::class_<Reader>(m, "FormatReader", py::buffer_protocol())
      .def_property_readonly("header",
                             [](const Reader& self) { return py::bytes(self.parts.header); })
      .def_property_readonly("checksum",
                             [](const Reader& self) { return checksum_digits(self.image.bytes()); })
      .def_property_readonly("sections", &sections_of)
      .def_property_readonly("size", [](const Reader& self) { return self.image.bytes().size(); })
      .def_buffer(&buffer_of);
}
