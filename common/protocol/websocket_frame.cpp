#include "common/protocol/websocket_frame.hpp"

#include <bit>
#include <cstring>

namespace pulsewire::websocket {

content apply_mask(std::span<char> bytes, masking_key key, std::size_t at) {
    // The key is turned so that its byte `at` comes first in memory, and repeated to fill eight bytes.
    std::uint32_t half;
    std::memcpy(&half, key.data(), 4);
    const int turn = static_cast<int>(at % 4) * 8;
    half = std::endian::native == std::endian::little ? std::rotr(half, turn) : std::rotl(half, turn);
    const std::uint64_t mask = std::uint64_t{half} << 32 | half;

    char* p = bytes.data();
    std::size_t left = bytes.size();
    std::uint64_t seen = 0;
    // Four words per turn, because g++ -O2 does not unroll by itself. Any byte order
    // works, since key and bytes share it.
    for (; left >= 32; left -= 32, p += 32) {
        std::uint64_t words[4];
        std::memcpy(words, p, 32);
        for (std::uint64_t& word : words) word ^= mask;
        std::memcpy(p, words, 32);
        seen |= (words[0] | words[1]) | (words[2] | words[3]);
    }
    for (; left >= 8; left -= 8, p += 8) {
        std::uint64_t word;
        std::memcpy(&word, p, 8);
        word ^= mask;
        std::memcpy(p, &word, 8);
        seen |= word;
    }
    if (left >= 4) {
        std::uint32_t word;
        std::memcpy(&word, p, 4);
        word ^= half;
        std::memcpy(p, &word, 4);
        seen |= word;
        left -= 4;
        p += 4;
    }
    std::memcpy(key.data(), &half, 4);
    for (std::size_t i = 0; i < left; ++i) {
        const auto byte = static_cast<unsigned char>(static_cast<unsigned char>(p[i]) ^ key[i]);
        p[i] = static_cast<char>(byte);
        seen |= byte;
    }
    return (seen & 0x8080808080808080u) == 0 ? content::ascii : content::other;
}

}  // namespace pulsewire::websocket
