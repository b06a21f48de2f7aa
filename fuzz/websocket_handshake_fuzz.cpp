// The offers of a WebSocket handshake, held against a reading that takes the header apart step by step. The
// input is cut at newlines into a key, a list of protocols, the protocol that is looked for, and extensions.

#include "common/protocol/websocket_deflate.hpp"
#include "common/protocol/websocket_handshake.hpp"
#include "fuzz/fuzz.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <vector>

namespace pulsewire::fuzz {
namespace {

std::string stripped(std::string text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.erase(0, 1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.pop_back();
    return text;
}

std::vector<std::string> parts(std::string_view text, char separator) {
    std::vector<std::string> all(1);
    for (const char c : text)
        if (c == separator) {
            all.emplace_back();
        } else {
            all.back() += c;
        }
    for (std::string& one : all) one = stripped(one);
    return all;
}

bool one_of(const std::string& text, std::initializer_list<const char*> words) {
    return std::find(words.begin(), words.end(), text) != words.end();
}

// RFC 7692 7.1 for a server that keeps no context and a window of 15 bits.
bool acceptable(std::vector<std::string> offer) {
    if (offer.front() != "permessage-deflate") return false;
    // A ';' at the end is followed by nothing, not by an empty parameter.
    if (offer.size() > 1 && offer.back().empty()) offer.pop_back();
    std::map<std::string, int> times;
    for (std::size_t i = 1; i < offer.size(); ++i) {
        const std::size_t equals = offer[i].find('=');
        const std::string name = stripped(offer[i].substr(0, equals));
        std::string value = equals == std::string::npos ? "none" : stripped(offer[i].substr(equals + 1));
        if (value.size() >= 2 && value.front() == '"' && value.back() == '"')
            value = value.substr(1, value.size() - 2);
        if (++times[name] > 1) return false;
        const bool flag = one_of(name, {"server_no_context_takeover", "client_no_context_takeover"});
        const bool fits = flag ? equals == std::string::npos
                               : (name == "server_max_window_bits" && value == "15") ||
                                     (name == "client_max_window_bits" &&
                                      (equals == std::string::npos ||
                                       one_of(value, {"8", "9", "10", "11", "12", "13", "14", "15"})));
        if (!fits) return false;
    }
    return true;
}

bool is_key(std::string_view key) {
    if (key.size() != 24 || !key.ends_with("==")) return false;
    constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    return key.substr(0, 22).find_first_not_of(digits) == key.npos;
}

}  // namespace

void test_one_input(std::string_view input) {
    const std::string_view key = take_until(input, '\n');
    const std::string_view protocols = take_until(input, '\n');
    const std::string_view wanted = take_until(input, '\n');
    require(websocket::valid_handshake_key(key) == is_key(key), "a key is 16 bytes of base64");

    const std::string name = stripped(std::string(wanted));
    const auto offered = parts(protocols, ',');
    const bool has = !name.empty() && std::find(offered.begin(), offered.end(), name) != offered.end();
    require(websocket::offers_protocol(protocols, name) == has, "a protocol is offered or not");

    const auto offers = parts(input, ',');
    const bool any = std::any_of(offers.begin(), offers.end(), [](const std::string& offer) {
        return acceptable(parts(offer, ';'));
    });
    require(websocket::offers_deflate(input) == any, "compression is offered or not");
}

}  // namespace pulsewire::fuzz
