#include "server/base/address.hpp"

#include "server/text.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>

namespace pulsewire::shell {
namespace {

constexpr unsigned v4_bits = 32, v6_bits = 128, mapped_bits = v6_bits - v4_bits;
constexpr std::array<unsigned char, 12> mapped_prefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

std::array<unsigned char, 16> mapped(const in_addr& v4) {
    std::array<unsigned char, 16> bytes;
    std::copy(mapped_prefix.begin(), mapped_prefix.end(), bytes.begin());
    std::memcpy(bytes.data() + mapped_prefix.size(), &v4, sizeof v4);
    return bytes;
}

}  // namespace

std::optional<address> address::parse(std::string_view text) {
    const std::string terminated(text);
    // inet_pton() would read only what is before a NUL.
    if (terminated.find('\0') != std::string::npos) return std::nullopt;
    address a;
    if (in_addr v4{}; ::inet_pton(AF_INET, terminated.c_str(), &v4) == 1) {
        a.bytes_ = mapped(v4);
        return a;
    }
    if (::inet_pton(AF_INET6, terminated.c_str(), a.bytes_.data()) == 1) return a;
    return std::nullopt;
}

std::optional<address> address::of(const sockaddr_storage& name) {
    address a;
    if (name.ss_family == AF_INET) {
        a.bytes_ = mapped(reinterpret_cast<const sockaddr_in&>(name).sin_addr);
        return a;
    }
    if (name.ss_family != AF_INET6) return std::nullopt;
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(name);
    std::memcpy(a.bytes_.data(), &v6.sin6_addr, sizeof v6.sin6_addr);
    return a;
}

bool address::is_v4() const {
    return std::equal(mapped_prefix.begin(), mapped_prefix.end(), bytes_.begin());
}

bool address::is_loopback() const {
    if (is_v4()) return bytes_[mapped_prefix.size()] == 127;
    return bytes_.back() == 1 &&
           std::all_of(bytes_.begin(), bytes_.end() - 1, [](unsigned char b) { return b == 0; });
}

std::string address::str() const {
    char text[INET6_ADDRSTRLEN];
    const char* written = is_v4()
                              ? ::inet_ntop(AF_INET, bytes_.data() + mapped_prefix.size(), text, sizeof text)
                              : ::inet_ntop(AF_INET6, bytes_.data(), text, sizeof text);
    return written != nullptr ? written : "unknown";
}

std::optional<network> network::parse(std::string_view text) {
    const std::size_t slash = text.find('/');
    const auto base = address::parse(text.substr(0, slash));
    if (!base) return std::nullopt;
    network n;
    n.base_ = *base;
    n.bits_ = v6_bits;
    if (slash == std::string_view::npos) return n;
    const auto bits = parse_number(text.substr(slash + 1));
    if (!bits || *bits > (base->is_v4() ? v4_bits : v6_bits)) return std::nullopt;
    n.bits_ = static_cast<unsigned>(*bits) + (base->is_v4() ? mapped_bits : 0);
    return n;
}

bool network::contains(const address& a) const {
    const std::size_t whole = bits_ / 8;
    const auto& mine = base_.bytes();
    const auto& other = a.bytes();
    if (!std::equal(mine.begin(), mine.begin() + whole, other.begin())) return false;
    const unsigned rest = bits_ % 8;
    if (rest == 0) return true;
    const auto mask = static_cast<unsigned char>(0xff << (8 - rest));
    return (mine[whole] & mask) == (other[whole] & mask);
}

}  // namespace pulsewire::shell
