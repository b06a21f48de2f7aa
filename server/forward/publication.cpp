#include "server/forward/publication.hpp"

#include "common/base/base64.hpp"
#include "common/protocol/json_scan.hpp"
#include "common/protocol/limits.hpp"

#include <charconv>
#include <utility>

namespace pulsewire::shell::forward {
namespace {

// A page is an array of objects, whose payloads may be as deep as payloads may be.
constexpr int depth_max = json_depth_max + 2;

template <class Number>
bool read_number(std::string_view text, Number& into) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), into);
    return error == std::errc{} && end == text.data() + text.size();
}

std::string text_in(std::string_view json) {
    return unescaped(json.substr(1, json.size() - 2));
}

std::optional<publication> read_one(std::string_view json) {
    publication made;
    json_scan scan(json);
    if (!scan.take('{')) return std::nullopt;
    do {
        std::string_view name, value;
        if (!scan.take_string(name) || !scan.take(':') || !scan.take_value(value, depth_max))
            return std::nullopt;
        bool is_good = true;
        if (name == "offset") is_good = read_number(value, made.offset);
        if (name == "time") is_good = read_number(value, made.time_ms);
        if (name == "type") made.type = text_in(value);
        if (name == "user") made.user = text_in(value);
        if (name == "payload") made.payload = value;
        if (name == "binary") made.is_bytes = value == "true";
        if (!is_good) return std::nullopt;
    } while (scan.take(','));
    if (!scan.take('}') || made.offset == 0) return std::nullopt;
    if (!made.is_bytes) return made;
    std::string bytes;
    if (!append_from_base64(bytes, text_in(made.payload))) return std::nullopt;
    made.payload = std::move(bytes);
    return made;
}

}  // namespace

std::optional<std::vector<publication>> read_publications(
    std::string_view json, std::string_view channel, std::string_view epoch
) {
    std::vector<publication> found;
    json_scan scan(json);
    if (!scan.take('[')) return std::nullopt;
    if (scan.peek(']')) return found;
    do {
        std::string_view one;
        if (!scan.take_value(one, depth_max)) return std::nullopt;
        auto read = read_one(one);
        if (!read) return std::nullopt;
        read->channel = channel;
        read->epoch = epoch;
        found.push_back(std::move(*read));
    } while (scan.take(','));
    return found;
}

}  // namespace pulsewire::shell::forward
