#pragma once

// Several keys at once: the text of a file or of an address.

#include "common/base/result.hpp"
#include "server/identity/issuer_settings.hpp"
#include "server/identity/key.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace pulsewire::identity {

inline constexpr std::size_t keys_max = 32;  // of one issuer; beyond: refused
inline constexpr std::size_t key_text_bytes_max = 64 * 1024;

struct key_set {
    std::vector<key> keys;
    // Sentences about the keys that are left out, for the log.
    std::vector<std::string> left_out;
};

enum class key_kind : std::uint8_t { secrets, public_keys };

// A JWK or JWKS (RFC 7517). Of a JWKS, keys that cannot be used are left out, as those of real providers have
// keys for other purposes; a single JWK must be usable. Keys of the other kind than `wanted` are refused: a
// secret that stands in a public list is none. Two keys with the same "kid" are both left out, since nobody
// could tell which is meant. Errors are ends of sentences.
result<key_set, std::string> parse_jwk_set(std::string_view text, key_kind wanted);

// A JWK, a JWKS, or PEM with one public key or certificate after the other.
result<key_set, std::string> parse_public_keys(std::string_view text);

// A JWK or JWKS of secrets, or one secret a line; lines that begin with '#' and empty ones are skipped.
result<key_set, std::string> parse_secrets(std::string_view text);

// All keys that the settings name: the secret and both files, which are read now. Errors are whole sentences.
result<key_set, std::string> configured_keys(const token_issuer& settings);

// The text of a file of keys; an error is the end of a sentence.
result<std::string, std::string> text_of_key_file(const std::string& path);

// The first secret of the settings, for signing. An error is the end of a sentence.
struct shared_secret {
    std::string bytes;
    std::string key_id;  // empty: none
};
result<shared_secret, std::string> first_secret(const token_issuer& settings);

}  // namespace pulsewire::identity
