#include "server/http/token.hpp"

#include "server/http/authorization.hpp"
#include "server/http/text.hpp"
#include "server/text.hpp"

namespace pulsewire::shell {
namespace {

// Calls `item(text)` for each item of the request's fields of that name, which are lists; stops when it
// returns true.
template <class Item>
bool any_item(const request& r, std::string_view field, char separator, Item&& item) {
    for (const auto& [name, value] : r.fields) {
        if (!same_ignoring_case(name, field)) continue;
        for (std::string_view rest = value; !rest.empty();) {
            const std::size_t end = rest.find(separator);
            if (item(trimmed(rest.substr(0, end)))) return true;
            rest.remove_prefix(end == rest.npos ? rest.size() : end + 1);
        }
    }
    return false;
}

std::string_view offered(const request& r, std::string_view prefix) {
    std::string_view found;
    any_item(r, "Sec-WebSocket-Protocol", ',', [&](std::string_view one) {
        if (one.starts_with(prefix)) found = one;
        return !found.empty();
    });
    return found;
}

}  // namespace

std::optional<std::string_view> cookie_of(const request& r, std::string_view name) {
    std::optional<std::string_view> found;
    const bool several = any_item(r, "Cookie", ';', [&](std::string_view one) {
        const std::size_t equals = one.find('=');
        if (equals == one.npos || one.substr(0, equals) != name) return false;
        if (found) return true;
        found = one.substr(equals + 1);
        return false;
    });
    return several ? std::nullopt : found;
}

std::optional<std::string> token_of(const request& r, bool cookies, bool in_query) {
    if (const auto bearer = key_of(r)) return std::string(*bearer);
    if (const auto protocol = offered(r, token_subprotocol); !protocol.empty())
        return std::string(protocol.substr(token_subprotocol.size()));
    if (cookies)
        if (const auto cookie = cookie_of(r, token_cookie); cookie && !cookie->empty())
            return std::string(*cookie);
    if (in_query)
        if (std::string parameter = r.parameter("token"); !parameter.empty()) return parameter;
    return std::nullopt;
}

std::string answered_subprotocol(const request& r) {
    const std::string_view token = offered(r, token_subprotocol);
    if (token.empty()) return {};
    // A browser gives up where none of those that it offered comes back.
    const std::string_view plain = offered(r, plain_subprotocol);
    return std::string(plain == plain_subprotocol ? plain : token);
}

}  // namespace pulsewire::shell
