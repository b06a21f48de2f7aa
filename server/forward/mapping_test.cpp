#include "server/forward/mapping.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace pulsewire::shell::forward {
namespace {

forward_settings usual() {
    forward_settings of;
    of.name = "out";
    of.from = "orders:**";
    of.broker = "kafka://127.0.0.1";
    of.to = "shop.{type}";
    return of;
}

publication one() {
    publication made;
    made.channel = "orders:anna";
    made.epoch = "x7Qa";
    made.offset = 7;
    made.time_ms = 1'764'000'000'000;
    made.type = "order.changed";
    made.user = "bob";
    made.payload = R"({"n": 1})";
    return made;
}

std::string header(const record& of, std::string_view name) {
    for (const auto& [each, value] : of.headers)
        if (each == name) return value;
    return "none";
}

std::string fault(const forward_settings& of) {
    const auto read = mapping::read(of);
    return read ? "" : read.error();
}

TEST(mapping_of_forwards, the_record_says_where_it_is_from) {
    const record made = mapping::read(usual())->record_of(one());
    EXPECT_EQ(made.to, "shop.order.changed");
    EXPECT_EQ(made.key, "orders:anna");
    EXPECT_EQ(made.id, "orders:anna@x7Qa:7");
    EXPECT_EQ(made.value, R"({"n": 1})") << "as it was written";
    EXPECT_EQ(made.content_type, "application/json");
    EXPECT_EQ(header(made, "pulsewire-channel"), "orders:anna");
    EXPECT_EQ(header(made, "pulsewire-epoch"), "x7Qa");
    EXPECT_EQ(header(made, "pulsewire-offset"), "7");
    EXPECT_EQ(header(made, "pulsewire-type"), "order.changed");
    EXPECT_EQ(header(made, "pulsewire-time"), "1764000000000");
    EXPECT_EQ(header(made, "pulsewire-user"), "bob");
    EXPECT_EQ(header(made, "pulsewire-lost"), "none");
}

TEST(mapping_of_forwards, bytes_go_as_they_are) {
    publication bytes = one();
    bytes.payload = std::string("\0\xff", 2);
    bytes.is_bytes = true;
    forward_settings of = usual();
    const record made = mapping::read(of)->record_of(publication(bytes));
    EXPECT_EQ(made.value, std::string("\0\xff", 2));
    EXPECT_EQ(made.content_type, "application/octet-stream");
    of.value = "message";
    const record whole = mapping::read(of)->record_of(publication(bytes));
    EXPECT_EQ(whole.content_type, "application/json");
    EXPECT_NE(whole.value.find(R"("binary":true,"payload":"AP8=")"), std::string::npos) << whole.value;
}

TEST(mapping_of_forwards, a_gap_says_how_much_is_missing_and_where) {
    publication gap;
    gap.channel = "orders:anna";
    gap.epoch = "x7Qa";
    gap.offset = 21;
    gap.lost = 20;
    const record made = mapping::read(usual())->record_of(std::move(gap));
    EXPECT_EQ(made.value, R"({"lost":20,"after":1,"before":22})");
    EXPECT_EQ(header(made, "pulsewire-lost"), "20");
    EXPECT_EQ(header(made, "pulsewire-type"), "pulsewire.gap");
    EXPECT_NE(made.id, "orders:anna@x7Qa:21");
}

TEST(mapping_of_forwards, names_have_what_their_broker_lets_them_have) {
    forward_settings of = usual();
    of.to = "{namespace}.{channel}";
    EXPECT_EQ(mapping::read(of)->record_of(one()).to, "orders.orders-anna");
    of.broker = "nats://127.0.0.1";
    EXPECT_EQ(mapping::read(of)->record_of(one()).to, "orders.orders:anna");
    publication odd = one();
    odd.channel = "orders:a..b";
    EXPECT_EQ(mapping::read(of)->record_of(std::move(odd)).to, "orders.orders:a.-b");
}

// RabbitMQ takes 255 bytes.
TEST(mapping_of_forwards, a_long_id_is_a_hash_of_it) {
    publication deep = one();
    deep.channel = "orders:" + std::string(248, 'x');
    const std::string id = mapping::read(usual())->record_of(publication(deep)).id;
    EXPECT_LE(id.size(), 255u);
    deep.offset = 8;
    EXPECT_NE(mapping::read(usual())->record_of(publication(deep)).id, id);
}

TEST(mapping_of_forwards, what_is_wrong_is_named) {
    const auto has = [](const std::string& text, std::string_view part) {
        return text.find(part) != std::string::npos;
    };
    forward_settings of = usual();
    EXPECT_EQ(fault(of), "");
    of.name = "a b";
    EXPECT_TRUE(has(fault(of), "name must be")) << fault(of);
    of = usual();
    of.from = "**";
    EXPECT_TRUE(has(fault(of), "from must begin with a namespace")) << fault(of);
    of.from = "orders:{user}";
    EXPECT_TRUE(has(fault(of), "has no {user}")) << fault(of);
    of = usual();
    of.to = "{what}";
    EXPECT_TRUE(has(fault(of), "none of {channel}")) << fault(of);
    of.to = "";
    EXPECT_TRUE(has(fault(of), "to must name")) << fault(of);
    of = usual();
    of.exchange = "x";
    EXPECT_TRUE(has(fault(of), "for RabbitMQ alone")) << fault(of);
    of = usual();
    of.stream_length_max = 1;
    EXPECT_TRUE(has(fault(of), "for Redis alone")) << fault(of);
    of = usual();
    of.broker = "redis-cluster://127.0.0.1";
    EXPECT_TRUE(has(fault(of), "one stream in a cluster")) << fault(of);
}

TEST(mapping_of_forwards, a_page_of_history_is_read_as_it_was_published) {
    const auto read = read_publications(
        R"([{"type":"t","channel":"c","offset":3,"time":5,"user":"u","payload":{"a": [1, 2]}},)"
        R"({"type":"b","channel":"c","offset":4,"time":6,"binary":true,"payload":"aGVsbG8="}])",
        "c", "e"
    );
    ASSERT_TRUE(read);
    ASSERT_EQ(read->size(), 2u);
    EXPECT_EQ(read->at(0).payload, R"({"a": [1, 2]})");
    EXPECT_EQ(read->at(0).user, "u");
    EXPECT_EQ(read->at(1).offset, 4u);
    EXPECT_EQ(read->at(1).payload, "hello");
    EXPECT_TRUE(read->at(1).is_bytes);
    EXPECT_TRUE(read_publications("[]", "c", "e")->empty());
    EXPECT_FALSE(read_publications("[{}]", "c", "e"));
    EXPECT_FALSE(read_publications("nothing", "c", "e"));
}

}  // namespace
}  // namespace pulsewire::shell::forward
