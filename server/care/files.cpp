#include "server/care/files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <system_error>

namespace pulsewire::care {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const std::string& what, const std::string& path, int error) {
    throw std::runtime_error(what + " " + path + ": " + std::strerror(error));
}

class descriptor {
public:
    explicit descriptor(int number) : number_(number) {}
    ~descriptor() {
        if (number_ >= 0) ::close(number_);
    }
    descriptor(const descriptor&) = delete;
    descriptor& operator=(const descriptor&) = delete;
    int number() const { return number_; }
    bool is_open() const { return number_ >= 0; }

private:
    int number_;
};

void write_all(int file, const char* data, std::size_t size, const std::string& path) {
    while (size > 0) {
        const ssize_t wrote = ::write(file, data, size);
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote < 0) fail("cannot write", path, errno);
        data += wrote;
        size -= static_cast<std::size_t>(wrote);
    }
}

void copy_file(const std::string& from, const std::string& to, progress& on) {
    constexpr std::size_t piece_bytes = 256 * 1024;
    const descriptor in(::open(from.c_str(), O_RDONLY | O_CLOEXEC));
    if (!in.is_open()) fail("cannot read", from, errno);
    const descriptor out(::open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR));
    if (!out.is_open()) fail("cannot make", to, errno);
    std::string piece(piece_bytes, '\0');
    while (true) {
        const ssize_t read = ::read(in.number(), piece.data(), piece.size());
        if (read < 0 && errno == EINTR) continue;
        if (read < 0) fail("cannot read", from, errno);
        if (read == 0) break;
        write_all(out.number(), piece.data(), static_cast<std::size_t>(read), to);
        on.add(static_cast<std::uint64_t>(read));
    }
    if (::fsync(out.number()) != 0) fail("cannot write", to, errno);
}

}  // namespace

std::vector<std::string> data_files(const std::string& folder) {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder)) {
        const std::string name = entry.path().filename().string();
        if (entry.is_regular_file() && name != "LOCK" && name != "pulsewire.lock") names.push_back(name);
    }
    std::sort(names.begin(), names.end());
    return names;
}

std::uint64_t bytes_of(const std::string& folder, const std::vector<std::string>& names) {
    std::uint64_t sum = 0;
    std::error_code gone;
    for (const std::string& name : names) {
        const std::uintmax_t size = fs::file_size(folder + "/" + name, gone);
        if (!gone) sum += size;
    }
    return sum;
}

void copy_files(
    const std::string& from, const std::vector<std::string>& names, const std::string& to, progress& on
) {
    on.begin("copied", bytes_of(from, names));
    for (const std::string& name : names) copy_file(from + "/" + name, to + "/" + name, on);
    sync_folder(to);
}

void make_empty_folder(const std::string& path) {
    if (::mkdir(path.c_str(), S_IRWXU) == 0) return;
    const int error = errno;
    std::error_code ignored;
    if (error != EEXIST) fail("cannot make the folder", path, error);
    if (!fs::is_directory(path, ignored) || !fs::is_empty(path, ignored))
        throw std::runtime_error(
            path + " is there already and not empty: name a folder that is not there yet"
        );
}

void move(const std::string& from, const std::string& to) {
    if (std::rename(from.c_str(), to.c_str()) != 0) fail("cannot move " + from + " to", to, errno);
}

void give_to_owner_of(const std::string& folder, const std::string& path) {
    struct stat about {};
    if (::geteuid() != 0 || ::stat(folder.c_str(), &about) != 0 || about.st_uid == 0) return;
    const auto give = [&about](const std::string& one) {
        if (::lchown(one.c_str(), about.st_uid, about.st_gid) != 0)
            fail("cannot change the owner of", one, errno);
    };
    give(path);
    if (!fs::is_directory(path)) return;
    for (const auto& entry : fs::recursive_directory_iterator(path)) give(entry.path().string());
}

void sync_folder(const std::string& path) {
    const descriptor folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!folder.is_open() || ::fsync(folder.number()) != 0) fail("cannot write", path, errno);
}

}  // namespace pulsewire::care
