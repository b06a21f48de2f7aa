#include "server/log.hpp"

#include <spdlog/async.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <memory>
#include <optional>

namespace pulsewire::log {
namespace {

std::atomic<const listener*> listening = nullptr;

constexpr std::size_t waiting_lines_max = 8'192;

// Made at the first use and kept until the process ends, because objects that log in
// their destructors may outlive main().
spdlog::logger& logger() {
    static const std::shared_ptr<spdlog::logger> made = [] {
        spdlog::init_thread_pool(waiting_lines_max, 1);
        auto sink = std::make_shared<spdlog::sinks::stderr_color_sink_mt>();
        auto l = std::make_shared<spdlog::async_logger>(
            "pulsewire", sink, spdlog::thread_pool(), spdlog::async_overflow_policy::overrun_oldest
        );
        l->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %^%l%$ %v");
        l->flush_on(spdlog::level::info);
        return l;
    }();
    return *made;
}

spdlog::level::level_enum to_spdlog(level l) {
    switch (l) {
        case level::debug:
            return spdlog::level::debug;
        case level::info:
            return spdlog::level::info;
        case level::warning:
            return spdlog::level::warn;
        case level::error:
            return spdlog::level::err;
        case level::off:
            return spdlog::level::off;
    }
    return spdlog::level::info;
}

std::optional<level> level_named(std::string_view name) {
    static constexpr std::pair<std::string_view, level> names[] = {
        {"debug", level::debug}, {"info", level::info}, {"warning", level::warning},
        {"error", level::error}, {"off", level::off},
    };
    for (const auto& [known, l] : names)
        if (known == name) return l;
    return std::nullopt;
}

}  // namespace

bool is_level(std::string_view name) {
    return level_named(name).has_value();
}

void set_level(std::string_view name) {
    logger().set_level(to_spdlog(level_named(name).value()));
}

bool enabled(level l) {
    return logger().should_log(to_spdlog(l));
}

void listen(const listener* listener) {
    listening = listener;
}

void write(level l, std::string_view line) {
    if (const listener* instead = listening) return (*instead)(l, line);
    logger().log(to_spdlog(l), spdlog::string_view_t(line.data(), line.size()));
}

void flush() {
    // This only queues a request; the destructor of the pool writes the waiting lines.
    logger().flush();
}

std::string printable(std::string_view text) {
    constexpr std::size_t shown_max = 80;
    std::string out;
    for (const char c : text.substr(0, shown_max)) out.push_back(c >= 0x20 && c < 0x7f ? c : '?');
    if (text.size() > shown_max) out += "...";
    return out;
}

}  // namespace pulsewire::log
