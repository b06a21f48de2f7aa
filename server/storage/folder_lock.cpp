#include "server/storage/folder_lock.hpp"

#include "server/log.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace pulsewire::shell {
namespace {

[[noreturn]] void refuse(const std::string& folder, int error) {
    throw std::runtime_error(
        "the data folder " + folder + " cannot be used: " + std::strerror(error) +
        ". Check that the folder exists or can be made, that the server's user may write there, and that the "
        "disk works."
    );
}

// Messages are nobody's business but the server's. A folder that was made by hand or by an older version may
// be open to others.
void keep_to_ourselves(const std::string& folder) {
    constexpr mode_t others = S_IRWXG | S_IRWXO;
    struct stat about {};
    if (::stat(folder.c_str(), &about) != 0 || (about.st_mode & others) == 0) return;
    if (::chmod(folder.c_str(), S_IRWXU) == 0) {
        log::info("the data folder ", folder, " is for the server's user alone now (mode 0700)");
    } else {
        log::warning(
            "other users of this machine may reach the data folder ", folder,
            ", and its mode cannot be changed: ", std::strerror(errno),
            ". Give it to the server's user, or use: chmod 700"
        );
    }
}

}  // namespace

// Not RocksDB's own LOCK: to try it, a waiting server would have to open the database, which
// touches files of the serving one.
std::optional<folder_lock> folder_lock::try_to_take(const std::string& folder) {
    std::error_code ignored;  // open() reports the fault
    std::filesystem::create_directories(folder, ignored);
    keep_to_ourselves(folder);
    const int descriptor =
        ::open((folder + "/pulsewire.lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (descriptor < 0) refuse(folder, errno);
    folder_lock taken(descriptor);
    if (::flock(descriptor, LOCK_EX | LOCK_NB) == 0) return taken;
    if (errno != EWOULDBLOCK) refuse(folder, errno);
    return std::nullopt;
}

folder_lock::folder_lock(folder_lock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

folder_lock& folder_lock::operator=(folder_lock&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
}

folder_lock::~folder_lock() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace pulsewire::shell
