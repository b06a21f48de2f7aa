#pragma once

// IP addresses and networks as values. An IPv4 address and its IPv6-mapped form are the same address.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

struct sockaddr_storage;

namespace pulsewire::shell {

class address {
public:
    // The unspecified address, "::".
    address() = default;
    // The text of an address alone: "192.0.2.1" or "2001:db8::1"; nothing for any other text. Shortened
    // forms ("127.1") are none.
    static std::optional<address> parse(std::string_view text);
    // Nothing for a family other than IPv4 and IPv6.
    static std::optional<address> of(const sockaddr_storage& name);

    bool is_v4() const;
    // Whether only this machine can have it.
    bool is_loopback() const;
    std::string str() const;
    // In network order, IPv4 as ::ffff:a.b.c.d.
    const std::array<unsigned char, 16>& bytes() const { return bytes_; }

    friend bool operator==(const address&, const address&) = default;

private:
    std::array<unsigned char, 16> bytes_{};
};

// An address and how many of its first bits count.
class network {
public:
    // "10.0.0.0/8", "2001:db8::/32", or an address alone; nothing for any other text.
    static std::optional<network> parse(std::string_view text);
    bool contains(const address& a) const;

private:
    address base_;
    unsigned bits_ = 0;  // of the 128
};

}  // namespace pulsewire::shell
