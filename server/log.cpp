#include "server/log.hpp"

#include "server/text.hpp"

#include <nlohmann/json.hpp>
#include <spdlog/async.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>

namespace pulsewire::log {
namespace {

std::atomic<const listener*> listening = nullptr;
std::atomic<format> written_as = format::text;

constexpr std::size_t waiting_lines_max = 8'192;
constexpr const char* text_pattern = "%Y-%m-%dT%H:%M:%S.%e%z %^%l%$ %v";
constexpr const char* json_pattern = "%v";

// Made at the first use and kept until the process ends, because objects that log in
// their destructors may outlive main().
spdlog::logger& logger() {
    static const std::shared_ptr<spdlog::logger> made = [] {
        spdlog::init_thread_pool(waiting_lines_max, 1);
        auto sink = std::make_shared<spdlog::sinks::stderr_color_sink_mt>();
        auto l = std::make_shared<spdlog::async_logger>(
            "pulsewire", sink, spdlog::thread_pool(), spdlog::async_overflow_policy::overrun_oldest
        );
        l->set_pattern(text_pattern);
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

constexpr std::pair<std::string_view, level> level_names[] = {
    {"debug", level::debug}, {"info", level::info}, {"warning", level::warning},
    {"error", level::error}, {"off", level::off},
};

std::optional<level> level_named(std::string_view name) {
    for (const auto& [known, l] : level_names)
        if (known == name) return l;
    return std::nullopt;
}

std::string_view name_of(level l) {
    for (const auto& [name, known] : level_names)
        if (known == l) return name;
    return {};
}

// Views of a client's text may be no UTF-8; what is not becomes U+FFFD when it is written.
nlohmann::ordered_json value_of(const field& f) {
    if (const auto* text = std::get_if<std::string_view>(&f.value))
        return std::string(text->substr(0, field_bytes_max));
    if (const auto* number = std::get_if<std::uint64_t>(&f.value)) return *number;
    return std::get<double>(f.value);
}

std::int64_t wall_ms() {
    using namespace std::chrono;
    return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

}  // namespace

bool is_level(std::string_view name) {
    return level_named(name).has_value();
}

void set_level(std::string_view name) {
    logger().set_level(to_spdlog(level_named(name).value()));
}

bool is_format(std::string_view name) {
    return name == "text" || name == "json";
}

void set_format(std::string_view name) {
    written_as = name == "json" ? format::json : format::text;
    logger().set_pattern(written_as == format::json ? json_pattern : text_pattern);
}

format used_format() {
    return written_as;
}

bool enabled(level l) {
    return logger().should_log(to_spdlog(l));
}

void listen(const listener* listener) {
    listening = listener;
}

std::string json_line(level l, std::string_view line, const fields& facts, std::int64_t wall_ms) {
    nlohmann::ordered_json all = {
        {"time", shell::utc_time(wall_ms)}, {"level", name_of(l)}, {"message", std::string(line)}};
    for (const field& f : facts) all[std::string(f.name)] = value_of(f);
    return all.dump(-1, ' ', true, nlohmann::ordered_json::error_handler_t::replace);
}

void write(level l, std::string_view line, const fields& facts) {
    std::string whole;
    if (written_as == format::json) line = whole = json_line(l, line, facts, wall_ms());
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
