// libFuzzer target of the file reader. For any bytes, parse_file either throws FormatError or
// returns parts that give the same bytes when they are written again; anything else is a crash.
//
// Checksums would stop a fuzzer at the door, so the mutator makes them right again most of the
// time, and it knows where the numbers of the layout are.
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <random>
#include <vector>

#include "core/errors.hpp"
#include "io/layout.hpp"
#include "io/reader.hpp"
#include "io/writer.hpp"

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t most);

namespace {

using namespace bitsense;

struct Field {
  std::size_t offset;
  std::size_t width;
};
constexpr Field kSizeField{48, 16};
constexpr Field kHeaderField{73, 8};
constexpr Field kSectionsField{92, 8};
constexpr Field kCrcField{111, 16};

void write_field(std::uint8_t* data, Field field, std::uint64_t value, unsigned base) {
  for (std::size_t i = field.width; i-- > 0; value /= base) {
    data[field.offset + i] = static_cast<std::uint8_t>("0123456789abcdef"[value % base]);
  }
}

std::uint64_t read_word(const std::uint8_t* p) {
  std::uint64_t word;
  std::memcpy(&word, p, sizeof word);
  return word;
}

// What the first line says, if it says anything.
bool read_line(const std::uint8_t* data, std::size_t size, Prelude& prelude) {
  try {
    prelude = read_prelude({data, size});
    return true;
  } catch (const FormatError&) {
    return false;
  }
}

void repair_sections(std::uint8_t* data, std::size_t size, const Prelude& prelude) {
  std::uint64_t offset = prelude.first_section();
  for (std::uint64_t i = 0; i < prelude.sections && offset <= size; ++i) {
    std::uint8_t* entry = data + prelude.table() + i * kTableEntryBytes;
    const std::uint64_t length = read_word(entry);
    if (length > size - offset) return;
    const std::uint64_t crc = crc64({data + offset, length});
    std::memcpy(entry + 8, &crc, sizeof crc);
    offset = section_aligned(offset + length);
  }
}

void repair(std::uint8_t* data, std::size_t size, std::mt19937& random) {
  if (size < kPreludeBytes) return;
  if (random() % 8 != 0) write_field(data, kSizeField, size, 10);
  Prelude prelude;
  if (!read_line(data, size, prelude) || prelude.first_section() > size) return;
  if (random() % 8 != 0) repair_sections(data, size, prelude);
  const Bytes covered(data, prelude.first_section());
  write_field(
      data, kCrcField,
      crc64(covered.subspan(kPreludeBytes), crc64(covered.first(kPreludeBytes - kUncheckedBytes))),
      16);
}

// A number that is likely to be near a limit of something.
std::uint64_t interesting(std::size_t size, std::mt19937& random) {
  const std::uint64_t base[] = {0, 1, 64, size, size / 2, 1ULL << 32, 1ULL << 63, ~0ULL};
  return base[random() % std::size(base)] + random() % 130 - 65;
}

void change_layout(std::uint8_t* data, std::size_t size, std::mt19937& random) {
  Prelude prelude;
  if (!read_line(data, size, prelude)) return;
  switch (random() % 3) {
    case 0:
      write_field(data, kHeaderField, interesting(size, random), 10);
      break;
    case 1:
      write_field(data, kSectionsField, interesting(size, random) / 16, 10);
      break;
    default:
      if (prelude.sections == 0 || prelude.first_section() > size) return;
      const std::uint64_t length = interesting(size, random);
      std::memcpy(data + prelude.table() + random() % prelude.sections * kTableEntryBytes, &length,
                  sizeof length);
  }
}

}  // namespace

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t most, unsigned seed) {
  std::mt19937 random(seed);
  if (random() % 4 == 0) {
    change_layout(data, size, random);
  } else {
    size = LLVMFuzzerMutate(data, size, most);
  }
  if (random() % 8 != 0) repair(data, size, random);
  return size;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const FileImage image = FileImage::copy({data, size});
  FileParts parts;
  try {
    parse_file(image.bytes(), Check::kMetadata);
    parts = parse_file(image.bytes(), Check::kAll);
  } catch (const FormatError&) {
    return 0;
  }
  std::vector<Bytes> sections;
  for (const Section& section : parts.sections) {
    if (reinterpret_cast<std::uintptr_t>(section.bytes.data()) % kSectionAlignment != 0) abort();
    sections.push_back(section.bytes);
  }
  std::vector<std::uint8_t> again;
  FilePlan(parts.header, sections, 1, {}).emit([&](Bytes run) {
    again.insert(again.end(), run.begin(), run.end());
  });
  if (!std::equal(again.begin(), again.end(), data, data + size)) abort();
  return 0;
}
