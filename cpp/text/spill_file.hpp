// Numbers that do not stay in memory: a file without a name, which the system removes when it is
// closed, whatever ends the process.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace bitsense {

class SpillFile {
 public:
  // In this folder, where there must be room for what is written. Throws FileError.
  explicit SpillFile(const std::string& folder);
  ~SpillFile();
  SpillFile(const SpillFile&) = delete;
  SpillFile& operator=(const SpillFile&) = delete;

  std::size_t size() const noexcept { return size_; }
  void append(std::span<const std::uint32_t> numbers);

  // The numbers from place `first` on, and the other way round.
  void read(std::size_t first, std::span<std::uint32_t> numbers) const;
  void write(std::size_t first, std::span<const std::uint32_t> numbers);

  // The first `size` numbers, mapped read-only for as long as a copy of the pointer lives. The file
  // must not be changed afterwards.
  std::shared_ptr<const std::uint32_t[]> map(std::size_t size) const;

 private:
  std::string folder_;  // for errors
  int descriptor_ = -1;
  std::size_t size_ = 0;
};

}  // namespace bitsense
