// Files that are written are read; files with any byte changed or cut off are refused.
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <memory>

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

std::size_t files_in(const Folder& folder) {
  std::size_t files = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder / ""))
    ++files;
  return files;
}

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
  BITSENSE_CHECK(files_in(folder) == 1);
}

// Its first section is made where it lies, of every second byte that was appended, or of all.
void a_growing_file_is_that_of_a_plan() {
  const Folder folder;
  const std::string path = folder / "file";
  for (const std::size_t size : {0U, 1U, 64U, 100'000U}) {
    for (const std::size_t step : {1U, 2U}) {
      const auto appended = random_bytes(size, size);
      const auto other = random_bytes(77, 6);
      std::vector<std::uint8_t> kept;
      for (std::size_t i = 0; i < size; i += step) kept.push_back(appended[i]);
      GrowingFile file(path, 300, 3);
      for (std::size_t i = 0; i < size; i += 999)
        file.append(Bytes(appended).subspan(i, std::min<std::size_t>(999, size - i)));
      file.begin(std::string(200, 'h'));
      for (std::size_t place = 0; place < size;) {
        std::vector<std::uint8_t> run(
            std::min<std::size_t>(size % 10 == 4 ? 10 : 1100, size - place));
        file.read(run);
        std::vector<std::uint8_t> next;
        for (std::size_t i = 0; i < run.size(); ++i)
          if ((place + i) % step == 0) next.push_back(run[i]);
        place += run.size();
        file.put(next);
      }
      file.finish(std::vector<Bytes>{{}, other}, 2, {});
      const FileImage image = FileImage::map(path);
      const std::vector<std::uint8_t> expected =
          bytes_of(FilePlan(std::string(200, 'h'), {kept, {}, other}, 1, {}));
      BITSENSE_CHECK(std::ranges::equal(image.bytes(), expected));
    }
  }
  BITSENSE_CHECK(files_in(folder) == 1);
}

void a_growing_file_that_is_not_finished_leaves_nothing() {
  const Folder folder;
  const auto bytes = random_bytes(5000, 8);
  {
    GrowingFile file(folder / "file", 100, 1);
    file.append(bytes);
    error_of<std::invalid_argument>([&] { file.begin(std::string(300, 'h')); });
    error_of<std::invalid_argument>([&] { file.begin("two\nlines"); });
    file.begin("{}");
    error_of<std::invalid_argument>([&] { file.put(bytes); });  // nothing was read
    std::vector<std::uint8_t> all(5000);
    file.read(all);
    file.put(all);
    error_of<std::invalid_argument>([&] { file.finish(std::vector<Bytes>{bytes}, 1, {}); });
    std::vector<std::uint8_t> beyond(2);
    error_of<FileError>([&] { file.read(beyond); });
    error_of<std::invalid_argument>([&] { file.append(bytes); });
    error_of<std::invalid_argument>([&] { file.begin("{}"); });
    BITSENSE_CHECK(files_in(folder) == 1);
  }
  BITSENSE_CHECK(files_in(folder) == 0);
  error_of<FileError>([&] { GrowingFile(folder / "absent/file", 100, 1); });
  error_of<FileError>([&] { GrowingFile("/dev/null", 100, 1); });
}

void a_fork_does_not_remove_the_file_of_its_parent() {
  const Folder folder;
  auto file = std::make_unique<TemporaryFile>(folder / "file");
  const pid_t child = ::fork();
  if (child == 0) {
    file.reset();
    ::_exit(0);
  }
  int status = 1;
  BITSENSE_CHECK(::waitpid(child, &status, 0) == child && status == 0);
  BITSENSE_CHECK(files_in(folder) == 1);
  file->finish();
  BITSENSE_CHECK(std::filesystem::exists(folder / "file"));
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
  test("a growing file is that of a plan", a_growing_file_is_that_of_a_plan);
  test("a growing file that is not finished leaves nothing",
       a_growing_file_that_is_not_finished_leaves_nothing);
  test("a fork does not remove the file of its parent",
       a_fork_does_not_remove_the_file_of_its_parent);
  test("changed and cut files are refused", changed_and_cut_files_are_refused);
  test("a failed write leaves the old file", a_failed_write_leaves_the_old_file);
  test("checksums are those of the standard", checksums_are_those_of_the_standard);
}

}  // namespace bitsense
