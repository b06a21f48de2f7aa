#pragma once

// SipHash (Aumasson and Bernstein, 2012): a hash with a secret key. Tables whose keys an outsider chooses use
// it, because with a hash that anybody can compute an outsider finds names that all fall into one bucket, and
// every look-up becomes a walk through them.

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace pulsewire {

// 128 secret bits. Anyone who knows them can find colliding names.
struct hash_key {
    std::uint64_t first = 0, second = 0;
};

// 128 bits of hash: texts with equal fingerprints are taken for the same text.
struct fingerprint {
    std::uint64_t first = 0, second = 0;
    friend bool operator==(const fingerprint&, const fingerprint&) = default;
};

// Hashes one text, or several pieces. Each piece is preceded by its length, so that different lists of pieces
// are never the same bytes. `CompressionRounds` and `FinalRounds` are SipHash's c and d: tables need 1 and 3,
// the published test vectors use 2 and 4.
template <int CompressionRounds = 1, int FinalRounds = 3>
class sip_hasher {
public:
    explicit constexpr sip_hasher(const hash_key& key, bool wide = false)
        : v0_(key.first ^ 0x736f6d6570736575u),
          v1_(key.second ^ 0x646f72616e646f6du ^ (wide ? 0xeeu : 0u)),
          v2_(key.first ^ 0x6c7967656e657261u),
          v3_(key.second ^ 0x7465646279746573u) {}

    // Hashes one text as a whole.
    constexpr sip_hasher& bytes(std::string_view text) {
        std::size_t at = 0;
        for (; at + 8 <= text.size(); at += 8) word(load_8(text.data() + at));
        word(std::uint64_t{text.size()} << 56 | load(text.data() + at, text.size() - at));
        return *this;
    }
    // Hashes one of several pieces.
    constexpr sip_hasher& piece(std::string_view text) { return number(text.size()).bytes(text); }
    constexpr sip_hasher& number(std::uint64_t n) {
        word(n);
        return *this;
    }

    // Precondition: not wide.
    constexpr std::uint64_t end() {
        v2_ ^= 0xff;
        rounds(FinalRounds);
        return v0_ ^ v1_ ^ v2_ ^ v3_;
    }
    // Precondition: wide.
    constexpr fingerprint end_wide() {
        v2_ ^= 0xee;
        rounds(FinalRounds);
        fingerprint f;
        f.first = v0_ ^ v1_ ^ v2_ ^ v3_;
        v1_ ^= 0xdd;
        rounds(FinalRounds);
        f.second = v0_ ^ v1_ ^ v2_ ^ v3_;
        return f;
    }

private:
    // Reads little-endian on every machine.
    static constexpr std::uint64_t load(const char* from, std::size_t count) {
        std::uint64_t word = 0;
        for (std::size_t i = 0; i < count; ++i)
            word |= std::uint64_t{static_cast<unsigned char>(from[i])} << (8 * i);
        return word;
    }
    // Without a loop, so that the compiler makes one load of it.
    static constexpr std::uint64_t load_8(const char* from) {
        const auto byte = [from](int i) {
            return std::uint64_t{static_cast<unsigned char>(from[i])} << (8 * i);
        };
        return byte(0) | byte(1) | byte(2) | byte(3) | byte(4) | byte(5) | byte(6) | byte(7);
    }
    static constexpr std::uint64_t rotated(std::uint64_t x, int by) { return x << by | x >> (64 - by); }
    constexpr void word(std::uint64_t m) {
        v3_ ^= m;
        rounds(CompressionRounds);
        v0_ ^= m;
    }
    constexpr void rounds(int count) {
        for (int i = 0; i < count; ++i) {
            v0_ += v1_;
            v1_ = rotated(v1_, 13) ^ v0_;
            v0_ = rotated(v0_, 32);
            v2_ += v3_;
            v3_ = rotated(v3_, 16) ^ v2_;
            v0_ += v3_;
            v3_ = rotated(v3_, 21) ^ v0_;
            v2_ += v1_;
            v1_ = rotated(v1_, 17) ^ v2_;
            v2_ = rotated(v2_, 32);
        }
    }

    std::uint64_t v0_, v1_, v2_, v3_;
};

constexpr std::uint64_t keyed_hash(const hash_key& key, std::string_view text) {
    return sip_hasher<>(key).bytes(text).end();
}

// The hash of an unordered_map<string, …> that can be searched by string_view without making a string.
class name_hash {
public:
    using is_transparent = void;
    explicit name_hash(const hash_key& key) : key_(key) {}
    std::size_t operator()(std::string_view name) const {
        return static_cast<std::size_t>(keyed_hash(key_, name));
    }

private:
    hash_key key_;
};

}  // namespace pulsewire
