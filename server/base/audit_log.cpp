#include "server/base/audit_log.hpp"

#include "common/protocol/line_writer.hpp"
#include "server/log.hpp"
#include "server/text.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <stdexcept>

namespace pulsewire::shell {
namespace {

std::atomic<bool> failing{false};

}  // namespace

std::string audit_text(const audit_entry& e, std::int64_t wall_ms) {
    std::string text;
    line_writer json(text);
    json.name("time", utc_time(wall_ms));
    const auto add = [&](std::string_view name, std::string_view value) {
        if (!value.empty()) json.text(name, log::printable(value));
    };
    add("event", e.event);
    add("reason", e.reason);
    add("address", e.client);
    add("method", e.method);
    add("path", e.path);
    add("named", e.named);
    add("key", e.key);
    add("user", e.user);
    add("operation", e.operation);
    add("channel", e.channel);
    add("setting", e.setting);
    if (e.left_out > 0) json.number("left_out", e.left_out);
    json.end();
    return text;
}

audit_log::audit_log(const std::string& path) : path_(path) {
    if (path == "-") return;
    file_ = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, S_IRUSR | S_IWUSR);
    if (file_ >= 0) return;
    throw std::runtime_error(
        "audit_log " + path + " cannot be written: " + std::strerror(errno) +
        ". Does its folder exist, and may the server's user write there?"
    );
}

audit_log::~audit_log() {
    if (file_ >= 0) ::close(file_);
}

// One call each, so that lines of several threads never mix.
void audit_log::write(std::string_view line) {
    if (file_ < 0) return log::info("audit ", line);
    const std::string whole = std::string(line) + '\n';
    if (::write(file_, whole.data(), whole.size()) == static_cast<ssize_t>(whole.size())) {
        failing = false;
    } else if (!failing.exchange(true)) {
        log::error("audit_log ", path_, " cannot be written: ", std::strerror(errno));
    }
}

}  // namespace pulsewire::shell
