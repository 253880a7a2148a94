// Owns the order of system calls that makes a written file survive a kill: write, flush, sync, rename, sync the folder.
#include "files.h"

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "failure.h"

#ifdef _WIN32
#include <io.h>
#else
#include <fcntl.h>
#include <unistd.h>
#endif

namespace trainer {

void Hash64::add(const void * data, size_t bytes) {
  const auto * at = static_cast<const unsigned char *>(data);
  for (size_t i = 0; i < bytes; i++) value_ = (value_ ^ at[i]) * 0x100000001b3ull;
}

AtomicFile::AtomicFile(std::string path) : path_(std::move(path)), temporary_(path_ + ".tmp") {
  file_ = std::fopen(temporary_.c_str(), "wb");
  if (!file_) failed(errno);
}

AtomicFile::~AtomicFile() {
  if (!file_) return;
  std::fclose(file_);
  std::remove(temporary_.c_str());
}

void AtomicFile::failed(int error) const {
  // a quota of the user, or a limit set on the process, is a full disk to whoever meets it
  bool full = error == ENOSPC || error == EFBIG;
#ifdef EDQUOT
  full = full || error == EDQUOT;
#endif
  if (full)
    throw Failure(code::disk_full, text("%s cannot be written: the disk is full. Free some space and resume.", path_.c_str()));
  throw Failure(code::output_not_writable, text("%s cannot be written: %s. Choose another folder.", path_.c_str(), std::strerror(error)));
}

void AtomicFile::write(const void * data, size_t bytes) {
  if (std::fwrite(data, 1, bytes, file_) != bytes) failed(errno);
  hash_.add(data, bytes);
}

void AtomicFile::commit(const std::string & keep_as) {
  if (std::fflush(file_) != 0) failed(errno);
#ifdef _WIN32
  if (_commit(_fileno(file_)) != 0) failed(errno);
#else
  if (fsync(fileno(file_)) != 0) failed(errno);
#endif
  std::FILE * closing = file_;
  file_ = nullptr;
  if (std::fclose(closing) != 0) failed(errno);
  std::error_code error;
  if (!keep_as.empty() && file_exists(path_)) std::filesystem::rename(path_, keep_as, error);
  if (!error) std::filesystem::rename(temporary_, path_, error);
  if (error) failed(error.value());
#ifndef _WIN32
  // without it the new name itself may be lost with the power
  const auto folder = std::filesystem::absolute(path_).parent_path();
  const int handle = open(folder.c_str(), O_RDONLY);
  if (handle >= 0) {
    fsync(handle);
    close(handle);
  }
#endif
}

InputFile::InputFile(const std::string & path) : path_(path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error))
    throw Failure(code::file_unreadable, text("%s is a folder. Name a file.", path.c_str())).in_file(path);
  file_ = std::fopen(path.c_str(), "rb");
  if (file_) size_ = std::filesystem::file_size(path, error);
  if (!file_ || error)
    throw Failure(code::file_unreadable, text("%s cannot be read: %s.", path.c_str(), std::strerror(file_ ? error.value() : errno))).in_file(path);
}

InputFile::~InputFile() {
  if (file_) std::fclose(file_);
}

bool InputFile::read(void * into, size_t bytes) {
  if (std::fread(into, 1, bytes, file_) != bytes) return false;
  hash_.add(into, bytes);
  return true;
}

void InputFile::seek(uint64_t offset) {
#ifdef _WIN32
  const int failed = _fseeki64(file_, static_cast<int64_t>(offset), SEEK_SET);
#else
  const int failed = fseeko(file_, static_cast<off_t>(offset), SEEK_SET);
#endif
  if (failed) throw Failure(code::file_unreadable, text("%s cannot be read: %s.", path_.c_str(), std::strerror(errno))).in_file(path_);
}

std::string read_text(const std::string & path) {
  InputFile file(path);
  std::string content(file.size(), '\0');
  if (!file.read(content.data(), content.size()))
    throw Failure(code::file_unreadable, text("%s changed while it was read. Try again.", path.c_str())).in_file(path);
  return content;
}

bool file_exists(const std::string & path) {
  std::error_code error;
  return std::filesystem::exists(path, error);
}

}  // namespace trainer
