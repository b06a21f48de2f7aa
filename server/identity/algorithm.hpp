#pragma once

// The signature algorithms of tokens (RFC 7518 section 3, RFC 8037). "none" is none of them.

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace pulsewire::identity {

enum class algorithm : std::uint8_t {
    hs256,
    hs384,
    hs512,
    rs256,
    rs384,
    rs512,
    ps256,
    ps384,
    ps512,
    es256,
    es384,
    es512,
    eddsa,
};

enum class family : std::uint8_t { hmac, rsa, rsa_pss, ecdsa, eddsa };

struct algorithm_facts {
    std::string_view name;
    family kind;
    const char* digest;  // null: the algorithm has its own
    // For HMAC the size of the digest, which is also the shortest secret (RFC 7518 section 3.2); for ECDSA
    // that of a coordinate. In bytes.
    std::size_t size;
};

inline constexpr std::array<algorithm_facts, 13> algorithms = {{
    {"HS256", family::hmac, "SHA256", 32},
    {"HS384", family::hmac, "SHA384", 48},
    {"HS512", family::hmac, "SHA512", 64},
    {"RS256", family::rsa, "SHA256", 0},
    {"RS384", family::rsa, "SHA384", 0},
    {"RS512", family::rsa, "SHA512", 0},
    {"PS256", family::rsa_pss, "SHA256", 0},
    {"PS384", family::rsa_pss, "SHA384", 0},
    {"PS512", family::rsa_pss, "SHA512", 0},
    {"ES256", family::ecdsa, "SHA256", 32},
    {"ES384", family::ecdsa, "SHA384", 48},
    {"ES512", family::ecdsa, "SHA512", 66},
    {"EdDSA", family::eddsa, nullptr, 0},
}};

constexpr const algorithm_facts& facts_of(algorithm a) {
    return algorithms[static_cast<std::size_t>(a)];
}

constexpr std::optional<algorithm> algorithm_named(std::string_view name) {
    for (std::size_t i = 0; i < algorithms.size(); ++i)
        if (algorithms[i].name == name) return static_cast<algorithm>(i);
    return std::nullopt;
}

}  // namespace pulsewire::identity
