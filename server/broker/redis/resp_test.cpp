#include "server/broker/redis/resp.hpp"

#include <gtest/gtest.h>

#include <string>

namespace pulsewire::shell::redis {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view answer =
    "*2\r\n$7\r\nab\0c\r\n\xff\r\n*3\r\n:42\r\n$-1\r\n-READONLY no\r\n+OK\r\n"sv;

TEST(redis_resp, replies_are_read_wherever_they_are_cut) {
    for (std::size_t cut = 0; cut <= answer.size(); ++cut) {
        reply_reader reader;
        std::vector<reply> found;
        for (const auto part : {answer.substr(0, cut), answer.substr(cut)}) {
            reader.feed(part);
            while (auto next = reader.next()) found.push_back(std::move(*next));
        }
        ASSERT_FALSE(reader.failed());
        ASSERT_EQ(found.size(), 2U) << cut;
        const reply_view first = *found[0];
        EXPECT_EQ(first[0].text(), "ab\0c\r\n\xff"sv);
        EXPECT_EQ(first[1][0].number(), 42);
        EXPECT_TRUE(first[1][1].is_nil());
        EXPECT_TRUE(first[1][2].is_error());
        EXPECT_EQ(first[1][2].text(), "READONLY no");
        EXPECT_EQ((*found[1]).text(), "OK");
    }
}

TEST(redis_resp, what_a_reply_lacks_reads_as_nothing) {
    reply_reader reader;
    reader.feed(answer);
    const auto found = reader.next();
    ASSERT_TRUE(found);
    EXPECT_TRUE((**found)[7][3][0].is_nil());
    EXPECT_EQ((**found)[0].number(), 0);
    EXPECT_EQ((**found)[1][0].text(), "");
    EXPECT_EQ((**found)[0].size(), 0U);
}

TEST(redis_resp, another_language_is_a_failure) {
    for (const auto other :
         {"HTTP/1.1 400 Bad Request\r\n\r\n"sv, "AMQP\0\0\x09\x01"sv, "\x15\x03\x03\0\x02\x02\x46"sv}) {
        reply_reader reader;
        reader.feed(other);
        EXPECT_FALSE(reader.next());
        EXPECT_TRUE(reader.failed());
        reader.feed("+OK\r\n"sv);
        EXPECT_FALSE(reader.next());
    }
}

TEST(redis_resp, commands_have_any_bytes) {
    std::string out = "before";
    const std::string_view words[] = {"XADD", "a\r\n", "\0\xff"sv, ""};
    append_command(out, words);
    EXPECT_EQ(out, "before*4\r\n$4\r\nXADD\r\n$3\r\na\r\n\r\n$2\r\n\0\xff\r\n$0\r\n\r\n"sv);
}

}  // namespace
}  // namespace pulsewire::shell::redis
