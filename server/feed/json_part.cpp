#include "server/feed/json_part.hpp"

#include "common/protocol/json_scan.hpp"
#include "common/protocol/limits.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <string>

namespace pulsewire::shell::feed {
namespace {

std::string unescaped_token(std::string_view token) {
    std::string plain;
    for (std::size_t i = 0; i < token.size(); ++i) {
        if (token[i] == '~')
            plain += token[++i] == '0' ? '~' : '/';
        else
            plain += token[i];
    }
    return plain;
}

std::optional<std::string_view> member_of(std::string_view object, std::string_view name) {
    std::optional<std::string_view> found;
    json_scan scan(object);
    for_each_member(scan, json_depth_max, [&](std::string_view key, std::string_view value) {
        // Escapes make a name longer, never shorter.
        if (key == name || (key.size() > name.size() && unescaped(key) == name)) found = value;
        return true;
    });
    return found;
}

// Only digits without a leading zero are an index (section 4); "-" is the place after the last element.
std::optional<std::string_view> element_of(std::string_view array, std::string_view token) {
    std::size_t index = 0;
    const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), index);
    const bool leading_zero = token.size() > 1 && token.front() == '0';
    if (error != std::errc{} || end != token.data() + token.size() || leading_zero) return std::nullopt;
    json_scan scan(array);
    scan.take('[');
    if (scan.peek(']')) return std::nullopt;
    for (std::size_t i = 0;; ++i) {
        std::string_view element;
        if (!scan.take_value(element, json_depth_max)) return std::nullopt;
        if (i == index) return element;
        if (!scan.take(',')) return std::nullopt;
    }
}

}  // namespace

bool is_json_pointer(std::string_view text) {
    if (!text.empty() && text.front() != '/') return false;
    for (std::size_t i = 0; i < text.size(); ++i)
        if (text[i] == '~' && (i + 1 == text.size() || (text[i + 1] != '0' && text[i + 1] != '1')))
            return false;
    return true;
}

std::optional<std::string_view> part_of(std::string_view json, std::string_view pointer) {
    std::string_view found;
    json_scan scan(json);
    if (!scan.take_value(found, json_depth_max)) return std::nullopt;
    while (!pointer.empty()) {
        const std::size_t end = std::min(pointer.find('/', 1), pointer.size());
        const std::string token = unescaped_token(pointer.substr(1, end - 1));
        pointer.remove_prefix(end);
        std::optional<std::string_view> next;
        if (found.front() == '{') next = member_of(found, token);
        if (found.front() == '[') next = element_of(found, token);
        if (!next) return std::nullopt;
        found = *next;
    }
    return found;
}

}  // namespace pulsewire::shell::feed
