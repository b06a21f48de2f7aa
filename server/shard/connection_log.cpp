#include "server/shard/connection_log.hpp"

#include "common/protocol/codes.hpp"
#include "server/log.hpp"

#include <cstdio>

namespace pulsewire::shell {
namespace {

log::level level_of_ends() {
    return log::used_format() == log::format::json ? log::level::info : log::level::debug;
}

// For programs: one word.
std::string_view word_of(ended_by who) {
    switch (who) {
        case ended_by::nobody:
            return "nobody";
        case ended_by::peer:
            return "peer";
        case ended_by::server:
            return "server";
        case ended_by::hub:
            return "hub";
        case ended_by::timeout:
            return "timeout";
    }
    return {};
}

// "ended by the hub with code 4001 (no_pong)"
std::string sentence_of(const ending& end) {
    std::string text("ended by ");
    text.append(name_of(end.who));
    if (end.code == 0) return text;
    text.append(" with code ").append(std::to_string(end.code));
    const std::string_view name = pulsewire::name_of(static_cast<close_code>(end.code));
    if (!name.empty()) text.append(" (").append(name).append(")");
    return text;
}

std::string tenths(double seconds) {
    char text[64];
    std::snprintf(text, sizeof text, "%.1f", seconds);
    return text;
}

}  // namespace

bool logs_ends() {
    return log::enabled(level_of_ends());
}

bool bounds_ends() {
    return !log::enabled(log::level::debug);
}

void log_ended(const ended_connection& c) {
    const double seconds = static_cast<double>(c.milliseconds) / 1'000;
    const std::string from = c.owner.client.str();
    const std::string why = sentence_of(c.end);
    const std::string_view kind = name_of(c.kind);
    std::string line("connection ");
    line.append(c.name).append(" (").append(kind).append(") ").append(why);
    line.append(" after ").append(tenths(seconds)).append(" s, ").append(std::to_string(c.bytes_in));
    line.append(" bytes in, ").append(std::to_string(c.bytes_out)).append(" out; ").append(from);
    if (!c.owner.user.empty()) line.append(", ").append(log::printable(c.owner.user));
    log::fields facts = {{"event", "connection_ended"}, {"connection", c.name},
                         {"transport", kind},           {"ended_by", word_of(c.end.who)},
                         {"seconds", seconds},          {"bytes_in", c.bytes_in},
                         {"bytes_out", c.bytes_out},    {"address", std::string_view(from)}};
    const auto add = [&facts](log::field f) { facts.push_back(f); };
    if (c.end.code != 0) add({"code", std::uint64_t{c.end.code}});
    if (const auto name = pulsewire::name_of(static_cast<close_code>(c.end.code)); !name.empty())
        add({"why", name});
    if (!c.owner.user.empty()) add({"user", std::string_view(c.owner.user)});
    if (c.left_out > 0) add({"left_out", c.left_out});
    log::write(level_of_ends(), line, facts);
}

}  // namespace pulsewire::shell
