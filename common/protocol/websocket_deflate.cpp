#include "common/protocol/websocket_deflate.hpp"

#include "common/protocol/websocket_handshake.hpp"

#include <cstddef>

namespace pulsewire::websocket {
namespace {

// Takes the text before the next `separator`. No valid value of an acceptable
// offer has a separator between quotes.
std::string_view take_part(std::string_view& text, char separator) {
    const std::size_t end = text.find(separator);
    const std::string_view part = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    return trimmed(part);
}

std::string_view unquoted(std::string_view value) {
    const bool quoted = value.size() >= 2 && value.front() == '"' && value.back() == '"';
    return quoted ? value.substr(1, value.size() - 2) : value;
}

// 8 to 15, without leading zeros (RFC 7692 7.1.2.1).
bool is_window_bits(std::string_view value) {
    if (value.size() == 1) return value == "8" || value == "9";
    return value.size() == 2 && value[0] == '1' && value[1] >= '0' && value[1] <= '5';
}

// Checks the parameters of one offer, without its name.
bool acceptable(std::string_view parameters) {
    bool server_context = false, client_context = false, server_window = false, client_window = false;
    const auto once = [](bool& seen) { return !seen && (seen = true); };
    while (!parameters.empty()) {
        std::string_view value = take_part(parameters, ';');
        const bool has_value = value.find('=') != std::string_view::npos;
        const std::string_view name = take_part(value, '=');
        value = unquoted(trimmed(value));
        if (name == "server_no_context_takeover") {
            if (has_value || !once(server_context)) return false;
        } else if (name == "client_no_context_takeover") {
            if (has_value || !once(client_context)) return false;
        } else if (name == "server_max_window_bits") {
            if (value != "15" || !once(server_window)) return false;
        } else if (name == "client_max_window_bits") {
            if ((has_value && !is_window_bits(value)) || !once(client_window)) return false;
        } else {
            return false;
        }
    }
    return true;
}

}  // namespace

bool offers_deflate(std::string_view header) {
    while (!header.empty()) {
        std::string_view offer = take_part(header, ',');
        if (take_part(offer, ';') == "permessage-deflate" && acceptable(offer)) return true;
    }
    return false;
}

}  // namespace pulsewire::websocket
