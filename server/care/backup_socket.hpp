#pragma once

// How a running server is asked for a copy of its data folder: by a socket in the folder, so that whoever may
// enter the folder may have the copy, and needs neither a key nor the server's address. The server makes a
// checkpoint inside the folder, which takes moments, and keeps it until the connection ends; the one who
// asked copies it to wherever it likes, which the server's own user may be forbidden to write.
//
// The answer is one line, "ready <name of a folder in the data folder>" or "failed <why>".

#include <boost/asio/io_context.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace pulsewire::care {

inline constexpr const char* socket_name = "pulsewire.socket";
inline constexpr std::string_view ready_word = "ready ", failed_word = "failed ";

class backup_socket {
public:
    using outcome = std::function<void(std::optional<std::string> fault)>;
    // Makes a checkpoint in a folder that is not there yet; `done` is called once, from any thread.
    using checkpoint = std::function<void(std::string folder, outcome done)>;

    // Belongs to the thread of `control`. Removes what a server left that was killed. Where no socket can be
    // made, that is logged, and nobody can ask.
    backup_socket(boost::asio::io_context& control, const std::string& folder, checkpoint make);
    // Closes the socket and removes the checkpoint. `make` is not called any more.
    ~backup_socket();

private:
    class state;
    // Shared: with the handlers that wait, and with the checkpoint that is being made.
    std::shared_ptr<state> state_;
};

}  // namespace pulsewire::care
