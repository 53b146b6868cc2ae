// Files that are written are read; files with any byte changed or cut off are refused.
#include <filesystem>
#include <fstream>

#include "check.hpp"
#include "io/reader.hpp"
#include "io/writer.hpp"

namespace bitsense {

namespace {

// A folder of its own, removed at the end.
class Folder {
 public:
  Folder() : path_(std::filesystem::temp_directory_path() / text("bitsense-", this)) {
    std::filesystem::create_directories(path_);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { std::filesystem::remove_all(path_); }
  std::string operator/(const char* name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

std::vector<std::uint8_t> bytes_of(const FilePlan& plan) {
  std::vector<std::uint8_t> bytes;
  plan.emit([&](Bytes run) { bytes.insert(bytes.end(), run.begin(), run.end()); });
  return bytes;
}

void what_is_written_is_read() {
  const Folder folder;
  const auto large = random_bytes(3'000'000, 1);
  const auto small = random_bytes(5, 2);
  const FilePlan plan("{}", {large, {}, small}, 3, {});
  const std::string path = folder / "file";
  write_file(plan, path, {});
  write_file(plan, path, {});
  for (const Check check : {Check::kAll, Check::kMetadata}) {
    const FileImage image = FileImage::map(path);
    const FileParts parts = parse_file(image.bytes(), check, 4);
    BITSENSE_CHECK(parts.header == "{}" && parts.sections.size() == 3);
    BITSENSE_CHECK(std::equal(large.begin(), large.end(), parts.sections[0].bytes.begin()));
    BITSENSE_CHECK(parts.sections[1].bytes.empty() && parts.sections[2].bytes.size() == 5);
  }
}

// Each changed file has the size of its bytes on the heap, so that a read beyond them is seen.
void changed_and_cut_files_are_refused() {
  const auto section = random_bytes(70, 3);
  const std::vector<std::uint8_t> whole = bytes_of(FilePlan("header", {section, {}}, 1, {}));
  parse_file(FileImage::copy(whole).bytes(), Check::kAll);
  for (std::size_t i = 0; i < whole.size(); ++i) {
    for (const unsigned change : {0x01U, 0x80U, 0xffU}) {
      std::vector<std::uint8_t> changed = whole;
      changed[i] = static_cast<std::uint8_t>(changed[i] ^ change);
      error_of<FormatError>([&] { parse_file(changed, Check::kAll, 2); });
    }
    const std::vector<std::uint8_t> cut(whole.begin(), whole.begin() + static_cast<long>(i));
    error_of<FormatError>([&] { parse_file(cut, Check::kMetadata); });
  }
}

void a_failed_write_leaves_the_old_file() {
  const Folder folder;
  const auto section = random_bytes(100, 4);
  const std::string path = folder / "file";
  write_file(FilePlan("old", {section}, 1, {}), path, {});
  const FilePlan plan("new", {section}, 1, {});
  error_of<std::invalid_argument>([&] { write_file(plan, path, [] { require(false, "stop"); }); });
  BITSENSE_CHECK(parse_file(FileImage::map(path).bytes(), Check::kAll).header == "old");
  error_of<FileError>([&] { write_file(plan, folder / "absent/file", {}); });
  error_of<FileError>([&] { FileImage::map(folder / "absent"); });
  std::size_t files = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder / ""))
    ++files;
  BITSENSE_CHECK(files == 1);
}

void checksums_are_those_of_the_standard() {
  const std::string digits = "123456789";
  const Bytes bytes(reinterpret_cast<const std::uint8_t*>(digits.data()), digits.size());
  BITSENSE_CHECK(crc64(bytes) == 0x995dc9bbdf1939faULL);
  const auto large = random_bytes(5'000'001, 5);
  const std::vector<Bytes> pieces = {large, bytes};
  for (const std::size_t threads : {1U, 3U})
    BITSENSE_CHECK(crc64_each(pieces, threads, {}) == (std::vector{crc64(large), crc64(bytes)}));
  const Bytes all(large);
  BITSENSE_CHECK(crc64_joined(crc64(all.first(77)), crc64(all.subspan(77)), all.size() - 77) ==
                 crc64(all));
}

}  // namespace

void file_tests(Suite& test) {
  test("what is written is read", what_is_written_is_read);
  test("changed and cut files are refused", changed_and_cut_files_are_refused);
  test("a failed write leaves the old file", a_failed_write_leaves_the_old_file);
  test("checksums are those of the standard", checksums_are_those_of_the_standard);
}

}  // namespace bitsense
