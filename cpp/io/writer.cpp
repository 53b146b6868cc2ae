#include "io/writer.hpp"

#include <algorithm>
#include <utility>

#include "core/errors.hpp"

namespace bitsense {
namespace {

void append_word(std::string& out, std::uint64_t word) {
  for (int shift = 0; shift < 64; shift += 8) out.push_back(static_cast<char>(word >> shift));
}

void append_padding(std::string& out) { out.resize(section_aligned(out.size()), '\0'); }

// Calls sink(bytes) for sections and the padding behind each.
template <class Sink>
void emit_padded(std::span<const Bytes> sections, Sink&& sink) {
  static constexpr std::uint8_t kZeros[kSectionAlignment] = {};
  for (const Bytes& section : sections) {
    sink(section);
    sink(Bytes(kZeros, section_aligned(section.size()) - section.size()));
  }
}

// What the first line says of a file with this header, but for its CRC and size.
Prelude prelude_of(std::string_view header, std::size_t sections) {
  require(header.find('\n') == header.npos, "`header` must be one line");
  require(header.size() < kMaxHeaderBytes, "`header` must be at most ", kMaxHeaderBytes - 1,
          " bytes, got ", header.size());
  require(sections <= kMaxSections, "there must be at most ", kMaxSections, " sections, got ",
          sections);
  Prelude prelude;
  prelude.header = header.size() + 1;
  prelude.sections = sections;
  return prelude;
}

struct SectionEntry {
  std::uint64_t size;
  std::uint64_t crc;
};

// The bytes before the first section.
std::string metadata_of(std::string_view header, std::span<const SectionEntry> sections) {
  Prelude prelude = prelude_of(header, sections.size());
  prelude.size = prelude.first_section();
  for (const SectionEntry& section : sections) {
    require(section.size < kMaxFileBytes - prelude.size - kSectionAlignment,
            "a file must be at most ", kMaxFileBytes, " bytes");
    prelude.size += section_aligned(section.size);
  }
  std::string metadata = write_prelude(prelude).append(header).append("\n");
  append_padding(metadata);
  for (const SectionEntry& section : sections) {
    append_word(metadata, section.size);
    append_word(metadata, section.crc);
  }
  append_padding(metadata);
  const Bytes all = bytes_of(std::span(metadata));
  prelude.crc =
      crc64(all.subspan(kPreludeBytes), crc64(all.first(kPreludeBytes - kUncheckedBytes)));
  return metadata.replace(0, kPreludeBytes, write_prelude(prelude));
}

void append_entries(std::vector<SectionEntry>& entries, std::span<const Bytes> sections,
                    std::size_t threads, const Poll& poll) {
  const std::vector<std::uint64_t> crcs = crc64_each(sections, threads, poll);
  for (std::size_t i = 0; i < sections.size(); ++i)
    entries.push_back({sections[i].size(), crcs[i]});
}

}  // namespace

FilePlan::FilePlan(std::string_view header, std::vector<Bytes> sections, std::size_t threads,
                   const Poll& poll)
    : sections_(std::move(sections)) {
  prelude_of(header, sections_.size());  // before the work
  std::vector<SectionEntry> entries;
  append_entries(entries, sections_, threads, poll);
  metadata_ = metadata_of(header, entries);
}

std::size_t FilePlan::size() const noexcept {
  std::size_t size = metadata_.size();
  for (const Bytes& section : sections_) size += section_aligned(section.size());
  return size;
}

void FilePlan::emit(const std::function<void(Bytes)>& sink) const {
  sink(bytes_of(std::span(metadata_)));
  emit_padded(sections_, sink);
}

void write_file(const FilePlan& plan, const std::string& path, const Poll& poll) {
  TemporaryFile file(path);
  std::size_t place = 0;
  plan.emit([&](Bytes bytes) {
    file.write(place, bytes, poll);
    place += bytes.size();
  });
  file.finish();
}

GrowingFile::GrowingFile(const std::string& path, std::size_t header_bytes, std::size_t sections)
    : file_(path), sections_(sections) {
  require(sections >= 1, "`sections` must be at least 1, got ", sections);
  Prelude room;
  room.header = header_bytes + 1;
  room.sections = sections;
  append_at_ = room.first_section();
}

void GrowingFile::append(Bytes bytes) {
  require(section_at_ == 0, "nothing is appended after begin()");
  file_.write(append_at_ + appended_, bytes);
  appended_ += bytes.size();
}

void GrowingFile::begin(std::string_view header) {
  require(section_at_ == 0, "a section begins once");
  const std::size_t section = prelude_of(header, sections_).first_section();
  require(section <= append_at_, "`header` must be at most as long as it was said to be, got ",
          header.size(), " bytes");
  header_ = header;
  section_at_ = section;
}

void GrowingFile::read(std::span<std::uint8_t> bytes) {
  file_.read(append_at_ + read_, bytes);
  read_ += bytes.size();
}

void GrowingFile::put(Bytes bytes, const Poll& poll) {
  require(section_at_ > 0 && put_ + bytes.size() <= read_,
          "no more can be put than was read since begin()");
  file_.write(section_at_ + put_, bytes, poll);
  crc_ = crc64(bytes, crc_);
  put_ += bytes.size();
}

void GrowingFile::finish(std::span<const Bytes> others, std::size_t threads, const Poll& poll) {
  require(section_at_ > 0, "begin() comes before finish()");
  require(others.size() + 1 == sections_, "there must be ", sections_, " sections, got ",
          others.size() + 1);
  std::vector<SectionEntry> entries = {{put_, crc_}};
  append_entries(entries, others, threads, poll);
  const std::string metadata = metadata_of(header_, entries);
  file_.write(0, bytes_of(std::span(metadata)), poll);
  file_.resize(section_at_ + put_);  // longer again, the file has zeros there: the padding
  std::size_t end = section_at_ + section_aligned(put_);
  emit_padded(others, [&](Bytes bytes) {
    file_.write(end, bytes, poll);
    end += bytes.size();
  });
  file_.resize(end);
  file_.finish();
}

}  // namespace bitsense
