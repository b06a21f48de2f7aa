#include "server/broker/redis/address.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

namespace pulsewire::shell::redis {
namespace {

constexpr std::uint16_t server_port = 6379;
constexpr std::uint16_t sentinel_port = 26379;

struct known_scheme {
    std::string_view name;
    address::kind how;
    bool tls;
};
constexpr known_scheme schemes[] = {
    {"redis", address::kind::single, false},
    {"rediss", address::kind::single, true},
    {"redis-sentinel", address::kind::sentinel, false},
    {"rediss-sentinel", address::kind::sentinel, true},
    {"redis-cluster", address::kind::cluster, false},
    {"rediss-cluster", address::kind::cluster, true},
};

failure<std::string> wrong(std::string_view what) {
    return failure(std::string("the broker's address ").append(what));
}

int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

// Nothing where a % is not followed by two hexadecimal digits.
std::optional<std::string> unescaped(std::string_view text) {
    std::string plain;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            plain += text[i];
            continue;
        }
        const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
        const int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
        if (high < 0 || low < 0) return std::nullopt;
        plain += static_cast<char>(high * 16 + low);
        i += 2;
    }
    return plain;
}

std::optional<std::uint16_t> port_of(std::string_view text) {
    std::uint16_t port = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    if (error != std::errc{} || end != text.data() + text.size() || port == 0) return std::nullopt;
    return port;
}

result<endpoint, std::string> read_host(std::string_view text, std::uint16_t usual_port) {
    std::string_view host = text;
    std::string_view port;
    if (text.starts_with('[')) {
        const auto end = text.find(']');
        if (end == text.npos) return wrong("has a '[' without its ']'");
        host = text.substr(1, end - 1);
        port = text.substr(end + 1);
    } else if (const auto colon = text.find(':'); colon != text.npos) {
        host = text.substr(0, colon);
        port = text.substr(colon);
    }
    const bool is_bare_v6 = !text.starts_with('[') && text.find(':') != text.rfind(':');
    if (is_bare_v6) return wrong("has an IPv6 address without brackets: write [::1]:6379");
    if (host.empty()) return wrong("names no host where one belongs: write scheme://host:port");
    if (port.empty()) return endpoint{std::string(host), usual_port};
    const auto number = port.starts_with(':') ? port_of(port.substr(1)) : std::nullopt;
    if (!number) {
        return wrong("has a port that is no number from 1 to 65535");
    }
    return endpoint{std::string(host), *number};
}

// Takes "user:password@" from the front of `rest`.
result<address, std::string> read_credentials(address found, std::string_view& rest) {
    const auto at = rest.rfind('@');
    if (at == rest.npos) return found;
    const std::string_view credentials = rest.substr(0, at);
    rest.remove_prefix(at + 1);
    if (credentials.find_first_of("/@") != credentials.npos) {
        return wrong("has a '/' or '@' in its user or password: write them as %2F and %40");
    }
    const auto colon = credentials.find(':');
    if (colon == credentials.npos) {
        return wrong("has something before its '@' that is not user:password, nor :password without a user");
    }
    const auto user = unescaped(credentials.substr(0, colon));
    const auto password = unescaped(credentials.substr(colon + 1));
    if (!user || !password) {
        return wrong(
            "has a '%' in its user or password without two hexadecimal digits: write a '%' itself as %25"
        );
    }
    found.user = *user;
    found.password = *password;
    return found;
}

result<address, std::string> with_path(address found, std::string_view path) {
    if (found.how == address::kind::sentinel) {
        if (path.empty()) {
            return wrong(
                "does not say which master the sentinels shall name: write redis-sentinel://hosts/mymaster"
            );
        }
        found.master_name = path;
    } else if (!path.empty()) {
        return wrong(
            "has a path, but logs are in database 0: two clusters with one broker differ by their prefix"
        );
    }
    return found;
}

}  // namespace

std::string text_of(const endpoint& e) {
    const bool is_v6 = e.host.find(':') != e.host.npos;
    std::string text = is_v6 ? "[" : "";
    return text.append(e.host).append(is_v6 ? "]:" : ":").append(std::to_string(e.port));
}

result<address, std::string> read_address(std::string_view url) {
    address found;
    const auto scheme_end = url.find("://");
    const std::string_view scheme = url.substr(0, scheme_end);
    const known_scheme* known = nullptr;
    for (const auto& each : schemes)
        if (scheme_end != url.npos && each.name == scheme) known = &each;
    if (known == nullptr) return wrong("begins with none of the schemes of a Redis: redis:// and its kin");
    found.how = known->how;
    found.tls = known->tls;

    std::string_view rest = url.substr(scheme_end + 3);
    auto with_credentials = read_credentials(std::move(found), rest);
    if (!with_credentials) return with_credentials;
    found = std::move(*with_credentials);

    const auto slash = rest.find('/');
    const std::string_view path = slash == rest.npos ? std::string_view{} : rest.substr(slash + 1);
    rest = rest.substr(0, slash);
    const auto usual_port = found.how == address::kind::sentinel ? sentinel_port : server_port;
    for (std::size_t begin = 0; begin <= rest.size();) {
        const auto end = std::min(rest.find(',', begin), rest.size());
        auto host = read_host(rest.substr(begin, end - begin), usual_port);
        if (!host) return failure(host.error());
        found.hosts.push_back(std::move(*host));
        begin = end + 1;
    }
    if (found.how == address::kind::single && found.hosts.size() > 1) {
        return wrong("names several hosts: that is for redis-sentinel:// and redis-cluster://");
    }
    return with_path(std::move(found), path);
}

}  // namespace pulsewire::shell::redis
