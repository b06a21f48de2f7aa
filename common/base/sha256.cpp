#include "common/base/sha256.hpp"

#include <cstddef>

namespace pulsewire {
namespace {

using state = std::array<std::uint32_t, 8>;
using block = std::array<std::uint8_t, 64>;

// FIPS 180-4, 4.2.2: the first 32 bits of the fractional parts of the cube roots of the first 64 primes.
constexpr std::array<std::uint32_t, 64> round_constants = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

constexpr std::uint32_t rotated(std::uint32_t x, int by) {
    return x >> by | x << (32 - by);
}

// FIPS 180-4, 6.2.2.
void add(state& h, const block& b) {
    std::array<std::uint32_t, 64> w;
    for (std::size_t t = 0; t < 16; ++t)
        w[t] = std::uint32_t{b[4 * t]} << 24 | std::uint32_t{b[4 * t + 1]} << 16 |
               std::uint32_t{b[4 * t + 2]} << 8 | b[4 * t + 3];
    for (std::size_t t = 16; t < 64; ++t) {
        const std::uint32_t near = w[t - 15], far = w[t - 2];
        w[t] = (rotated(far, 17) ^ rotated(far, 19) ^ far >> 10) + w[t - 7] +
               (rotated(near, 7) ^ rotated(near, 18) ^ near >> 3) + w[t - 16];
    }
    state v = h;
    auto& [a, bb, c, d, e, f, g, hh] = v;
    for (std::size_t t = 0; t < 64; ++t) {
        const std::uint32_t one = hh + (rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25)) +
                                  ((e & f) ^ (~e & g)) + round_constants[t] + w[t];
        const std::uint32_t two =
            (rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22)) + ((a & bb) ^ (a & c) ^ (bb & c));
        hh = g;
        g = f;
        f = e;
        e = d + one;
        d = c;
        c = bb;
        bb = a;
        a = one + two;
    }
    for (std::size_t i = 0; i < h.size(); ++i) h[i] += v[i];
}

}  // namespace

std::array<std::uint8_t, 32> sha256(std::string_view text) {
    state h = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
               0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    block b{};
    std::size_t filled = 0;
    const auto put = [&](std::uint8_t byte) {
        b[filled++] = byte;
        if (filled < b.size()) return;
        add(h, b);
        filled = 0;
    };
    for (const char c : text) put(static_cast<std::uint8_t>(c));
    // Padding (5.1.1): a bit, zeros, and the length in bits at the end of a block.
    put(0x80);
    while (filled != b.size() - 8) put(0);
    const std::uint64_t bits = std::uint64_t{text.size()} * 8;
    for (int shift = 56; shift >= 0; shift -= 8) put(static_cast<std::uint8_t>(bits >> shift));

    std::array<std::uint8_t, 32> digest;
    for (std::size_t i = 0; i < digest.size(); ++i)
        digest[i] = static_cast<std::uint8_t>(h[i / 4] >> (24 - 8 * (i % 4)));
    return digest;
}

}  // namespace pulsewire
