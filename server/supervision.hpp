#pragma once

// What the server tells whoever started it, such as systemd (sd_notify(3)): that it is ready, that it stands
// by, that its loops turn, and that it ends. By datagrams to the socket that NOTIFY_SOCKET names; a server
// that nobody supervises sends nothing.

#include "server/base/notify_socket.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <string>

namespace pulsewire {

// What the supervisor has put into the environment; empty or 0: it did not.
struct supervisor_wishes {
    std::string socket;                     // NOTIFY_SOCKET
    std::chrono::microseconds watchdog{0};  // WATCHDOG_USEC: without a sign of life for so long it ends us
};
supervisor_wishes wishes_of_environment();

// Belongs to the thread that runs `control`.
class supervision {
public:
    supervision(boost::asio::io_context& control, const supervisor_wishes& wishes);

    // Another server has the folder; for the supervisor the start is done.
    void stands_by();
    // The thread of `control` is about to be busy for long: the watchdog must wait.
    void is_busy();
    // `status` says where it serves. From now on a sign of life is sent only when `ask_loops` has called
    // back, from any thread, which a loop that hangs prevents. `ask_loops` is called as long as this object
    // lives.
    void serves(const std::string& status, std::function<void(std::function<void()>)> ask_loops);
    void ends();

private:
    void watch();
    void show_life();

    boost::asio::io_context& control_;
    shell::notify_socket socket_;
    std::chrono::microseconds watchdog_;
    boost::asio::steady_timer next_;
    std::function<void(std::function<void()>)> ask_loops_;
    // Shared: with the answers of loops that may come after the end of this object.
    std::shared_ptr<bool> asked_ = std::make_shared<bool>(false);
    bool ready_ = false;
};

}  // namespace pulsewire
