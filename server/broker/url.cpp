#include "server/broker/url.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

namespace pulsewire::shell {
namespace {

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
        if (end == text.npos) return wrong_address("has a '[' without its ']'");
        host = text.substr(1, end - 1);
        port = text.substr(end + 1);
    } else if (const auto colon = text.find(':'); colon != text.npos) {
        host = text.substr(0, colon);
        port = text.substr(colon);
    }
    const bool is_bare_v6 = !text.starts_with('[') && text.find(':') != text.rfind(':');
    if (is_bare_v6) {
        return wrong_address(
            "has an IPv6 address without brackets: write [::1]:" + std::to_string(usual_port)
        );
    }
    if (host.empty()) return wrong_address("names no host where one belongs: write scheme://host:port");
    if (port.empty()) return endpoint{std::string(host), usual_port};
    const auto number = port.starts_with(':') ? port_of(port.substr(1)) : std::nullopt;
    if (!number) return wrong_address("has a port that is no number from 1 to 65535");
    return endpoint{std::string(host), *number};
}

result<std::vector<endpoint>, std::string> read_hosts(std::string_view text, std::uint16_t usual_port) {
    std::vector<endpoint> hosts;
    for (std::size_t begin = 0; begin <= text.size();) {
        const auto end = std::min(text.find(',', begin), text.size());
        auto host = read_host(text.substr(begin, end - begin), usual_port);
        if (!host) return failure(host.error());
        hosts.push_back(std::move(*host));
        begin = end + 1;
    }
    return hosts;
}

// Takes "user:password@" from the front of `rest`.
result<broker_url, std::string> read_credentials(broker_url found, std::string_view& rest) {
    const auto at = rest.rfind('@');
    if (at == rest.npos) return found;
    const std::string_view credentials = rest.substr(0, at);
    rest.remove_prefix(at + 1);
    if (credentials.find_first_of("/@?") != credentials.npos) {
        return wrong_address("has a '/', '?' or '@' in its user or password: write them as %2F, %3F and %40");
    }
    const auto colon = credentials.find(':');
    if (colon == credentials.npos) {
        return wrong_address(
            "has something before its '@' that is not user:password, nor :password without a user"
        );
    }
    const auto user = unescaped(credentials.substr(0, colon));
    const auto password = unescaped(credentials.substr(colon + 1));
    if (!user || !password) {
        return wrong_address(
            "has a '%' in its user or password without two hexadecimal digits: write a '%' itself as %25"
        );
    }
    found.user = *user;
    found.password = *password;
    return found;
}

result<std::map<std::string, std::string>, std::string> read_options(std::string_view text) {
    std::map<std::string, std::string> options;
    for (std::size_t begin = 0; begin < text.size();) {
        const auto end = std::min(text.find('&', begin), text.size());
        const std::string_view one = text.substr(begin, end - begin);
        const auto equals = one.find('=');
        const auto value = equals == one.npos ? std::nullopt : unescaped(one.substr(equals + 1));
        if (!value || equals == 0)
            return wrong_address("has something behind its '?' that is not name=value&name=value");
        options.insert_or_assign(std::string(one.substr(0, equals)), *value);
        begin = end + 1;
    }
    return options;
}

}  // namespace

std::string text_of(const endpoint& e) {
    const bool is_v6 = e.host.find(':') != e.host.npos;
    std::string text = is_v6 ? "[" : "";
    return text.append(e.host).append(is_v6 ? "]:" : ":").append(std::to_string(e.port));
}

failure<std::string> wrong_address(std::string_view what) {
    return failure(std::string("the broker's address ").append(what));
}

std::string_view scheme_of(std::string_view url) {
    const auto end = url.find("://");
    if (end == url.npos) return {};
    const std::string_view scheme = url.substr(0, end);
    return scheme.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789+-.") == scheme.npos
               ? scheme
               : std::string_view{};
}

result<broker_url, std::string> read_broker_url(std::string_view url, std::uint16_t usual_port) {
    const std::string_view scheme = scheme_of(url);
    if (scheme.empty()) return wrong_address("has no scheme: write scheme://host:port");
    std::string_view rest = url.substr(scheme.size() + 3);
    broker_url begun;
    begun.scheme = scheme;
    auto with_credentials = read_credentials(std::move(begun), rest);
    if (!with_credentials) return with_credentials;
    broker_url found = std::move(*with_credentials);

    if (const auto question = rest.find('?'); question != rest.npos) {
        auto options = read_options(rest.substr(question + 1));
        if (!options) return failure(options.error());
        found.options = std::move(*options);
        rest = rest.substr(0, question);
    }
    if (const auto slash = rest.find('/'); slash != rest.npos) {
        const auto path = unescaped(rest.substr(slash + 1));
        if (!path) return wrong_address("has a '%' in its path without two hexadecimal digits");
        found.path = *path;
        rest = rest.substr(0, slash);
    }
    auto hosts = read_hosts(rest, usual_port);
    if (!hosts) return failure(hosts.error());
    found.hosts = std::move(*hosts);
    return found;
}

}  // namespace pulsewire::shell
