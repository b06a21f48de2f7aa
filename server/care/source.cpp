#include "server/care/source.hpp"

#include "server/care/backup_socket.hpp"
#include "server/care/examination.hpp"
#include "server/care/files.hpp"
#include "server/storage/log_store.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace pulsewire::care {
namespace {

int connect_to_server(const std::string& folder) {
    const int made = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    // As backup_socket does, because the address has little room.
    const int place = ::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
    sockaddr_un to{};
    to.sun_family = AF_UNIX;
    const std::string path = "/proc/self/fd/" + std::to_string(place) + "/" + socket_name;
    path.copy(to.sun_path, sizeof to.sun_path - 1);
    const bool connected =
        made >= 0 && place >= 0 && ::connect(made, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0;
    const int error = errno;
    if (place >= 0) ::close(place);
    if (connected) return made;
    if (made >= 0) ::close(made);
    throw std::runtime_error(
        "a server uses the folder " + folder + " and cannot be asked for a copy (" + folder + "/" +
        socket_name + ": " + std::strerror(error) + "). Stop it, or wait until it has started."
    );
}

// The line that the server answers, without its end.
std::string read_answer(int connection) {
    std::string answer;
    constexpr std::size_t answer_bytes_max = 4'096;
    char next = 0;
    while (answer.size() < answer_bytes_max && ::read(connection, &next, 1) == 1 && next != '\n')
        answer.push_back(next);
    return answer;
}

}  // namespace

std::optional<shell::folder_lock> lock_existing(const std::string& folder) {
    if (!std::filesystem::is_directory(folder)) throw std::runtime_error("there is no folder " + folder);
    auto lock = shell::folder_lock::try_to_take(folder);
    // It was made just now if there was none.
    if (lock) give_to_owner_of(folder, folder + "/pulsewire.lock");
    return lock;
}

source::source(const std::string& folder) : folder_(folder), lock_(lock_existing(folder)) {
    if (lock_) {
        if (!has_database(folder)) throw std::runtime_error("no server ever used the folder " + folder);
        if (std::filesystem::exists(folder + "/" + shell::log_store::unfinished_repair + "/plan"))
            throw std::runtime_error(
                "the repair of " + folder + " was interrupted: let pulsewired repair finish it"
            );
        return;
    }
    connection_ = connect_to_server(folder);
    const std::string answer = read_answer(connection_);
    if (std::string_view(answer).starts_with(ready_word)) {
        folder_ = folder + "/" + answer.substr(ready_word.size());
        return;
    }
    ::close(connection_);
    throw std::runtime_error(
        "the server that uses the folder " + folder + " makes no copy of it: " +
        (answer.starts_with(failed_word) ? answer.substr(failed_word.size()) : "it ended meanwhile")
    );
}

source::~source() {
    if (connection_ >= 0) ::close(connection_);
}

}  // namespace pulsewire::care
