#include "common/base/keyed_hash.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace pulsewire {
namespace {

// The key and the text of the vectors that come with SipHash: the bytes 0, 1, 2, …
constexpr hash_key counting_key{0x0706050403020100u, 0x0f0e0d0c0b0a0908u};

std::string counting(int size) {
    std::string text;
    for (int i = 0; i < size; ++i) text.push_back(static_cast<char>(i));
    return text;
}

TEST(keyed_hash, gives_the_published_vectors_of_siphash_2_4) {
    EXPECT_EQ((sip_hasher<2, 4>(counting_key).bytes("").end()), 0x726fdb47dd0e0e31u);
    EXPECT_EQ((sip_hasher<2, 4>(counting_key).bytes(counting(1)).end()), 0x74f839c593dc67fdu);
    EXPECT_EQ((sip_hasher<2, 4>(counting_key).bytes(counting(8)).end()), 0x93f5f5799a932462u);
    EXPECT_EQ((sip_hasher<2, 4>(counting_key).bytes(counting(15)).end()), 0xa129ca6149be45e5u);
}

TEST(keyed_hash, gives_the_published_vector_of_128_bits) {
    const fingerprint f = sip_hasher<2, 4>(counting_key, true).bytes("").end_wide();
    EXPECT_EQ(f.first, 0xe6a825ba047f81a3u);
    EXPECT_EQ(f.second, 0x930255c71472f66du);
}

TEST(keyed_hash, depends_on_each_half_of_the_key) {
    const std::uint64_t hash = keyed_hash({1, 2}, "chat:42");
    EXPECT_EQ(keyed_hash({1, 2}, "chat:42"), hash);
    EXPECT_NE(keyed_hash({2, 2}, "chat:42"), hash);
    EXPECT_NE(keyed_hash({1, 3}, "chat:42"), hash);
}

TEST(keyed_hash, tells_pieces_from_their_sum) {
    const auto two = [](std::string_view a, std::string_view b) {
        return sip_hasher<>({1, 2}).piece(a).piece(b).end();
    };
    std::set<std::uint64_t> all;
    for (const auto& [a, b] : {std::pair("ab", "c"), {"a", "bc"}, {"abc", ""}, {"", "abc"}})
        all.insert(two(a, b));
    EXPECT_EQ(all.size(), 4u);
}

}  // namespace
}  // namespace pulsewire
