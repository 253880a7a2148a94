// Owns files on disk: whole or not there at all when written, bounded and checked when read.
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>

namespace trainer {

/// FNV-1a, 64 bits: tells a damaged or foreign file from the right one. Not a defence against an attacker.
class Hash64 {
 public:
  void add(const void * data, size_t bytes);
  uint64_t value() const { return value_; }

 private:
  uint64_t value_ = 0xcbf29ce484222325ull;
};

/// Writes `path` under another name in the same folder; `commit` brings it to the disk and gives it its name in one step, so that a kill or a full
/// disk at any moment leaves the old file as it was. Throws DISK_FULL or OUTPUT_NOT_WRITABLE.
class AtomicFile {
 public:
  explicit AtomicFile(std::string path);
  AtomicFile(const AtomicFile &) = delete;
  AtomicFile & operator=(const AtomicFile &) = delete;
  ~AtomicFile();

  void write(const void * data, size_t bytes);
  /// The hash of all that was written through `write`.
  uint64_t hash() const { return hash_.value(); }
  /// For ggml's GGUF writer; what it writes is not in `hash`.
  std::FILE * stream() const { return file_; }
  /// Keeps the file that `path` names now as `keep_as`, unless that is empty.
  void commit(const std::string & keep_as = {});
  [[noreturn]] void failed(int error) const;

 private:
  std::string path_, temporary_;
  std::FILE * file_ = nullptr;
  Hash64 hash_;
};

/// Reads front to back. Throws FILE_UNREADABLE when the file cannot be opened; `read` says false at a short file.
class InputFile {
 public:
  explicit InputFile(const std::string & path);
  InputFile(const InputFile &) = delete;
  InputFile & operator=(const InputFile &) = delete;
  ~InputFile();

  bool read(void * into, size_t bytes);
  void seek(uint64_t offset);
  uint64_t size() const { return size_; }
  uint64_t hash() const { return hash_.value(); }

 private:
  std::string path_;
  std::FILE * file_ = nullptr;
  uint64_t size_ = 0;
  Hash64 hash_;
};

/// The whole file. Throws FILE_UNREADABLE.
std::string read_text(const std::string & path);

bool file_exists(const std::string & path);

}  // namespace trainer
