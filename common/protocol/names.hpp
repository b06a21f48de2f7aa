#pragma once

// The rules for names (docs/protocol.md 1.2 to 1.5, 4.1, 4.9, 4.17). Valid names
// never need escapes in JSON or SSE.

#include "common/protocol/limits.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace pulsewire {

constexpr bool is_letter_or_digit(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

// A set of ASCII characters: letters, digits and `others`.
class name_characters {
public:
    consteval explicit name_characters(std::string_view others) {
        for (unsigned char c = 1; c != 127; ++c)
            has_[c] = is_letter_or_digit(static_cast<char>(c)) ||
                      others.find(static_cast<char>(c)) != std::string_view::npos;
    }
    constexpr bool has(char c) const { return has_[static_cast<unsigned char>(c)]; }

private:
    bool has_[256] = {};
};

// Whether `name` has `bytes_min` to `bytes_max` characters, all of the set.
constexpr bool is_name(
    std::string_view name, std::size_t bytes_min, std::size_t bytes_max, const name_characters& allowed
) {
    if (name.size() < bytes_min || name.size() > bytes_max) return false;
    for (const char c : name)
        if (!allowed.has(c)) return false;
    return true;
}

inline constexpr name_characters channel_characters("_-.:/@~=+$!");
inline constexpr name_characters type_characters("_-.:/");
inline constexpr name_characters key_characters("_-.:");
inline constexpr name_characters token_characters("_-");
inline constexpr name_characters user_characters("_-.=");

constexpr bool is_channel(std::string_view name) {
    return is_name(name, 1, channel_name_bytes_max, channel_characters);
}

constexpr std::string_view reserved_type_prefix = "pulsewire.";

constexpr bool is_type(std::string_view name) {
    return is_name(name, 1, type_name_bytes_max, type_characters) &&
           name.substr(0, reserved_type_prefix.size()) != reserved_type_prefix;
}

constexpr bool is_session(std::string_view name) {
    return is_name(name, session_bytes_min, session_bytes_max, token_characters);
}

constexpr bool is_key(std::string_view key) {
    return is_name(key, 1, key_bytes_max, key_characters);
}

constexpr bool is_user(std::string_view user) {
    return is_name(user, 1, user_bytes_max, user_characters);
}

constexpr bool is_epoch(std::string_view epoch) {
    return is_name(epoch, 1, epoch_bytes_max, token_characters);
}

// The part of a channel's name before its first ':'; empty when there is none.
constexpr std::string_view namespace_of(std::string_view channel) {
    const auto colon = channel.find(':');
    return colon == std::string_view::npos ? std::string_view{} : channel.substr(0, colon);
}

}  // namespace pulsewire
