// Writes a few small files for fuzz_format to begin with: make_corpus FOLDER
#include <filesystem>
#include <iostream>
#include <vector>

#include "core/errors.hpp"
#include "io/writer.hpp"

int main(int count, char** arguments) {
  using namespace bitsense;
  if (count != 2) {
    std::cerr << "usage: make_corpus FOLDER\n";
    return 2;
  }
  const std::filesystem::path folder = arguments[1];
  std::filesystem::create_directories(folder);
  const std::vector<std::uint8_t> data(300, 7);
  const std::vector<std::vector<std::size_t>> lengths = {
      {}, {0}, {1}, {64}, {65, 0, 63}, {300}, {1, 2, 3, 4, 5, 6, 7, 8}};
  for (const std::size_t header : {0U, 1U, 62U, 63U, 64U, 200U}) {
    for (std::size_t i = 0; i < lengths.size(); ++i) {
      std::vector<Bytes> sections;
      for (const std::size_t length : lengths[i]) sections.emplace_back(data.data(), length);
      const FilePlan plan(std::string(header, 'h'), sections, 1, {});
      write_file(plan, (folder / text("seed-", header, "-", i)).string(), {});
    }
  }
  return 0;
}
