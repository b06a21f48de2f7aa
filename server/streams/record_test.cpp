#include "server/streams/record.hpp"

#include "common/exchange/message_text.hpp"

#include <gtest/gtest.h>

#include <string>

namespace pulsewire::shell::streams {
namespace {

hub::message_ptr published(std::string_view type, const written& w) {
    hub::publish_view p;
    p.channel = "stream:a";
    p.type = type;
    p.payload = w.payload;
    p.binary = w.binary;
    return hub::make_message(p, 1, 1, slow_consumer::disconnect);
}

TEST(records, are_read_as_they_were_written) {
    addition a;
    a.of = 7;
    a.by = producer{"an \"id\"", 3, 4};
    a.order = "0001";
    a.closed = true;
    for (const bool is_json : {true, false}) {
        const auto m =
            published(append_type, write(a, is_json ? "1,[2]" : std::string_view("\n\0\xff", 3), is_json));
        const auto r = read(*m);
        ASSERT_TRUE(r);
        EXPECT_EQ(r->kind, record_kind::append);
        EXPECT_EQ(r->added.of, 7u);
        ASSERT_TRUE(r->added.by);
        EXPECT_EQ(r->added.by->id, "an \"id\"");
        EXPECT_EQ(r->added.by->epoch, 3u);
        EXPECT_EQ(r->added.by->seq, 4u);
        EXPECT_EQ(r->added.order, "0001");
        EXPECT_TRUE(r->added.closed);
        EXPECT_EQ(r->data, is_json ? "1,[2]" : std::string_view("\n\0\xff", 3));
    }
}

TEST(records, a_creation_says_what_the_stream_is) {
    creation c;
    c.content_type = "text/plain; charset=\"utf-8\"";
    c.expires = "2027-01-31T12:00:00Z";
    c.expires_ms = 1'801'396'800'000;
    const auto r = read(*published(create_type, write(c, {}, false)));
    ASSERT_TRUE(r);
    EXPECT_EQ(r->kind, record_kind::create);
    EXPECT_EQ(r->made.content_type, c.content_type);
    EXPECT_EQ(r->made.expires, c.expires);
    EXPECT_EQ(r->made.expires_ms, c.expires_ms);
    EXPECT_FALSE(r->made.ttl_s);
    EXPECT_FALSE(r->made.closed);
    EXPECT_EQ(r->data, "");
}

TEST(json_bodies, are_one_value_or_the_values_of_an_array) {
    const auto values = [](std::string_view body) {
        const auto read = messages_of(body);
        return read ? std::to_string(read->many) + ": " + read->text : read.error();
    };
    EXPECT_EQ(values(R"({"a":1})"), R"(1: {"a":1})");
    EXPECT_EQ(values(" [ 1 , \"two\",[3] ] "), "3: 1,\"two\",[3]");
    EXPECT_EQ(values("[[1,2]]"), "1: [1,2]");
    EXPECT_EQ(values("[]"), "0: ");
    EXPECT_EQ(values("null"), "1: null");
    EXPECT_EQ(values("[{\n\"a\"\r\n:1}]"), "1: { \"a\"  :1}");
}

TEST(json_bodies, that_are_wrong_are_refused) {
    for (const std::string body :
         {"", " ", "[", "[1", "[1,]", "[,1]", "{", "1 2", "[1]]", "\"\n\"", "\xff", "{ bad }"})
        EXPECT_FALSE(messages_of(body)) << body;
    EXPECT_FALSE(messages_of(std::string(31, '[') + std::string(31, ']') + ","));
    EXPECT_TRUE(messages_of(std::string(31, '[') + std::string(31, ']')));
    EXPECT_FALSE(messages_of(std::string(32, '[') + std::string(32, ']')));
    EXPECT_FALSE(messages_of(R"(["\ud800"])"));
}

}  // namespace
}  // namespace pulsewire::shell::streams
