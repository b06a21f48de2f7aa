#include "common/access/pattern.hpp"

#include "common/protocol/names.hpp"

namespace pulsewire::access {
namespace {

constexpr std::string_view any_one = "*";
constexpr std::string_view any_rest = "**";

bool is_literal(std::string_view segment) {
    for (const char c : segment)
        if (!channel_characters.has(c)) return false;
    return true;
}

}  // namespace

std::string_view take_segment(std::string_view& name) {
    const std::size_t colon = name.find(':');
    const std::string_view segment = name.substr(0, colon);
    name.remove_prefix(colon == std::string_view::npos ? name.size() : colon + 1);
    return segment;
}

std::string_view fault_of_pattern(std::string_view pattern) {
    if (pattern.empty()) return "is empty";
    if (pattern.size() > pattern_bytes_max) return "is longer than 255 bytes";
    while (true) {
        const bool last = pattern.find(':') == std::string_view::npos;
        const std::string_view segment = take_segment(pattern);
        if (segment == any_rest && !last) return "has \"**\" before its last segment";
        const bool stands_for_others = segment == any_one || segment == any_rest || segment == own_name;
        if (!stands_for_others && !is_literal(segment))
            return "has a segment that is neither a part of a channel's name nor \"*\", \"**\" or \"{user}\"";
        if (last) return {};
    }
}

bool matches(std::string_view pattern, std::string_view channel, std::string_view user) {
    while (true) {
        const bool last_of_pattern = pattern.find(':') == std::string_view::npos;
        const bool last_of_channel = channel.find(':') == std::string_view::npos;
        const std::string_view wanted = take_segment(pattern);
        const std::string_view given = take_segment(channel);
        if (wanted == any_rest) return true;
        if (wanted == own_name ? user.empty() || given != user : wanted != any_one && given != wanted)
            return false;
        if (last_of_pattern || last_of_channel) return last_of_pattern && last_of_channel;
    }
}

}  // namespace pulsewire::access
