#include "server/supervision.hpp"

#include "server/text.hpp"

#include <boost/asio/post.hpp>

#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <limits>
#include <utility>

namespace pulsewire {
namespace {

// Longer than any data folder is read.
constexpr auto busy_max = std::chrono::hours(1);

std::string variable(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? std::string() : std::string(value);
}

std::string watchdog_line(std::chrono::microseconds time) {
    return "WATCHDOG_USEC=" + std::to_string(time.count());
}

}  // namespace

supervisor_wishes wishes_of_environment() {
    supervisor_wishes w;
    w.socket = variable("NOTIFY_SOCKET");
    const std::string process = variable("WATCHDOG_PID");
    const auto time = shell::parse_number(variable("WATCHDOG_USEC"));
    const bool is_ours = process.empty() || process == std::to_string(::getpid());
    if (is_ours && time && *time <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
        w.watchdog = std::chrono::microseconds(static_cast<std::int64_t>(*time));
    return w;
}

supervision::supervision(boost::asio::io_context& control, const supervisor_wishes& wishes)
    : control_(control), socket_(wishes.socket), watchdog_(wishes.watchdog), next_(control) {}

void supervision::stands_by() {
    ready_ = true;
    socket_.send("READY=1\nSTATUS=standing by: another server uses the data folder");
    watch();
}

// systemd arms the watchdog when it is told READY=1, so before that there is nothing to wait.
void supervision::is_busy() {
    if (ready_ && watchdog_.count() > 0) socket_.send(watchdog_line(busy_max));
}

void supervision::serves(const std::string& status, std::function<void(std::function<void()>)> ask_loops) {
    ask_loops_ = std::move(ask_loops);
    std::string told = "READY=1\nSTATUS=" + status;
    if (ready_ && watchdog_.count() > 0) told += "\n" + watchdog_line(watchdog_);
    socket_.send(told);
    ready_ = true;
    watch();
}

void supervision::ends() {
    socket_.send("STOPPING=1\nSTATUS=sending the clients away");
}

// Twice in the time that it has, as sd_watchdog_enabled(3) advises.
void supervision::watch() {
    if (!socket_.is_open() || watchdog_.count() == 0) return;
    next_.expires_after(watchdog_ / 2);
    next_.async_wait([this](const boost::system::error_code& error) {
        if (error) return;
        show_life();
        watch();
    });
}

void supervision::show_life() {
    if (!ask_loops_) return socket_.send("WATCHDOG=1");
    if (*asked_) return;
    *asked_ = true;
    ask_loops_([this, &control = control_, asked = asked_] {
        boost::asio::post(control, [this, asked] {
            *asked = false;
            socket_.send("WATCHDOG=1");
        });
    });
}

}  // namespace pulsewire
