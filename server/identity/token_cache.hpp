#pragma once

// Tokens that were found good. They belong to one set of keys: with other keys begins another cache, so
// nothing of it outlives a key that was taken away.

#include "server/identity/verdict.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace pulsewire::identity {

// All functions may be called from any thread.
class token_cache {
public:
    using digest = std::array<unsigned char, 32>;  // SHA-256; the tokens themselves are not kept

    // Beyond: the oldest makes room.
    static constexpr std::size_t entries_max = 20'000;

    // Nothing when OpenSSL has none, which must not make all tokens equal.
    static std::optional<digest> digest_of(std::string_view token);

    // Nothing when it is unknown, or not good at that time.
    std::optional<accepted> find(const digest& token, std::int64_t wall_ms) const;
    // Good from `from_ms` until before `until_ms`.
    void keep(const digest& token, accepted as, std::int64_t from_ms, std::int64_t until_ms);
    std::size_t size() const;

private:
    struct entry {
        accepted as;
        std::int64_t from_ms;
        std::int64_t until_ms;
    };
    struct first_bytes {
        std::size_t operator()(const digest& d) const;
    };

    mutable std::mutex mutex_;
    std::unordered_map<digest, entry, first_bytes> entries_;
    // The keys of `entries_` in the order of their arrival, as a ring.
    std::vector<digest> arrived_;
    std::size_t oldest_ = 0;
};

}  // namespace pulsewire::identity
