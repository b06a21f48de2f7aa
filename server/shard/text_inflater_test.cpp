#include "server/shard/text_inflater.hpp"

#include <gtest/gtest.h>

#include <string>

namespace pulsewire::shell {
namespace {

TEST(text_inflater, a_compressed_text_comes_out_whole) {
    deflater compress;
    text_inflater inflater;
    const auto got = inflater.inflate(compress.compress("hello hello hello"), 100);
    EXPECT_EQ(got.how, inflater::outcome::whole);
    EXPECT_EQ(got.text, "hello hello hello");
}

TEST(text_inflater, a_small_message_that_becomes_an_immense_one_is_cut) {
    deflater compress;
    text_inflater inflater;
    const auto got = inflater.inflate(compress.compress(std::string(1'000'000, 'x')), 100);
    EXPECT_EQ(got.how, inflater::outcome::too_large);
    EXPECT_EQ(got.text, std::string(100, 'x'));
}

TEST(text_inflater, a_broken_message_does_not_spoil_the_next_one) {
    deflater compress;
    text_inflater inflater;
    EXPECT_EQ(inflater.inflate("\xff\xff\xff\xff", 100).how, inflater::outcome::broken);
    EXPECT_EQ(inflater.inflate(compress.compress("next"), 100).text, "next");
}

}  // namespace
}  // namespace pulsewire::shell
