#include "server/shard/stream_names.hpp"

#include <gtest/gtest.h>

namespace pulsewire::shell {
namespace {

TEST(stream_names, a_name_finds_its_connection_until_it_is_removed) {
    stream_names names(3);
    const std::string name = names.add(17, "s3cret");
    EXPECT_EQ(names.find(name), 17u);
    names.remove(name);
    EXPECT_EQ(names.find(name), std::nullopt);
    EXPECT_EQ(names.size(), 0u);
}

TEST(stream_names, a_name_tells_its_shard) {
    EXPECT_EQ(stream_names::shard_of(stream_names(0).add(1, "a")), 0);
    EXPECT_EQ(stream_names::shard_of(stream_names(1023).add(1, "a")), 1023);
}

TEST(stream_names, what_was_never_a_name_has_no_shard) {
    for (const char* text : {"", ".", ".x", "x.1", "12", "-1.x", "65536.x", "1 .x", "1-x"})
        EXPECT_EQ(stream_names::shard_of(text), std::nullopt) << text;
}

TEST(stream_names, streams_do_not_answer_to_each_others_names) {
    stream_names names(0);
    const std::string a = names.add(1, "a"), b = names.add(2, "b");
    EXPECT_NE(a, b);
    EXPECT_EQ(names.find(a), 1u);
    EXPECT_EQ(names.find(b), 2u);
    names.remove("0.c");
    EXPECT_EQ(names.size(), 2u);
}

}  // namespace
}  // namespace pulsewire::shell
