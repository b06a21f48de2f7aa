#include "server/broker/redis/stream.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace pulsewire::shell::redis {
namespace {

using cluster::mark;
constexpr std::uint64_t largest = std::numeric_limits<std::uint64_t>::max();

TEST(redis_stream, ids_are_marks) {
    for (const mark at : {mark{}, mark{1, 0}, mark{1'700'000'000'000, 7}, mark{largest, largest}})
        EXPECT_EQ(mark_of(id_of(at)), at);
    EXPECT_EQ(id_of({12, 3}), "12-3");
    for (const auto wrong : {"", "-", "1", "1-", "-1", "1-x", "1-2 ", "18446744073709551616-0"})
        EXPECT_EQ(mark_of(wrong), mark{}) << wrong;
}

TEST(redis_stream, the_position_before_is_the_largest_smaller_one) {
    EXPECT_EQ(position_before({5, 3}), (mark{5, 2}));
    EXPECT_EQ(position_before({5, 0}), (mark{4, largest}));
    EXPECT_EQ(position_before({}), mark{});
}

TEST(redis_stream, an_entry_of_others_is_no_record) {
    const auto read = [](std::string_view bytes) {
        reply_reader reader;
        reader.feed(bytes);
        auto found = reader.next();
        EXPECT_TRUE(found);
        const auto record = record_of(**found);
        return record ? std::string(record->bytes) : "none";
    };
    EXPECT_EQ(read("*2\r\n$3\r\n1-2\r\n*2\r\n$1\r\nr\r\n$2\r\nab\r\n"), "ab");
    EXPECT_EQ(read("*2\r\n$3\r\n1-2\r\n*2\r\n$1\r\nx\r\n$2\r\nab\r\n"), "none");
    EXPECT_EQ(read("*2\r\n$3\r\n1-2\r\n*4\r\n$1\r\nr\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nb\r\n"), "none");
    EXPECT_EQ(read("*2\r\n$3\r\n1-2\r\n$-1\r\n"), "none");
    EXPECT_EQ(read("+OK\r\n"), "none");
}

}  // namespace
}  // namespace pulsewire::shell::redis
