#include "server/feed/mapping.hpp"

#include "common/protocol/names.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <utility>

namespace pulsewire::shell::feed {
namespace {

constexpr std::uint32_t payload_bytes_max = 100;

consume_settings orders(std::string channel = "orders:{/id}") {
    consume_settings of;
    of.name = "shop";
    of.from = "orders";
    of.channel = std::move(channel);
    of.type = "order.changed";
    return of;
}

record with(std::string value) {
    record one;
    one.position = "17-3";
    one.value = std::move(value);
    return one;
}

publication of(const consume_settings& settings, const record& one) {
    const auto made = mapping::read(settings, payload_bytes_max);
    EXPECT_TRUE(made) << (made ? "" : made.error());
    auto what = made->publication_of(one);
    EXPECT_TRUE(what) << (what ? "" : what.error());
    return what ? std::move(*what) : publication{};
}

std::string fault_of(const consume_settings& settings, const record& one) {
    const auto made = mapping::read(settings, payload_bytes_max);
    EXPECT_TRUE(made) << (made ? "" : made.error());
    const auto what = made->publication_of(one);
    return what ? "" : what.error();
}

std::string fault_of(const consume_settings& settings) {
    const auto made = mapping::read(settings, payload_bytes_max);
    return made ? "" : made.error();
}

bool has(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

TEST(mapping, a_record_becomes_a_publication) {
    const publication made = of(orders(), with(R"({"id": 42, "sum": 1.50})"));
    EXPECT_EQ(made.channel, "orders:42");
    EXPECT_EQ(made.type, "order.changed");
    EXPECT_EQ(made.key, "shop:17-3");
    EXPECT_EQ(made.payload, R"({"id": 42, "sum": 1.50})");
}

TEST(mapping, every_part_may_come_from_the_record) {
    consume_settings settings = orders("orders:{header:tenant}:{key}");
    settings.type = "{/type}";
    settings.payload = "/data";
    settings.key = "{/event}";
    record one = with("{\"type\": \"order.paid\",\n \"event\": \"e-1\",\n \"data\": {\n\"n\": 1}}");
    one.key = "k";
    one.headers = {{"tenant", "acme"}};
    const publication made = of(settings, one);
    EXPECT_EQ(made.channel, "orders:acme:k");
    EXPECT_EQ(made.type, "order.paid");
    EXPECT_EQ(made.key, "e-1");
    EXPECT_EQ(made.payload, "{ \"n\": 1}") << "no line end may break the lines that carry it";
}

// No value may name another namespace, and no two values the same channel.
TEST(mapping, values_are_escaped_in_the_name_of_a_channel) {
    std::set<std::string> names;
    const std::string hostile[] = {
        "a:b", "a=3Ab", "a/b", "a b", "a*",   "**",   "../x", "\xc3\xa4", "A", "a", std::string("a\0b", 3),
        "=",   "==",    "$x",  "a@b", "a\nb", "{key}"};
    for (const std::string& value : hostile) {
        record one = with("{}");
        one.key = value;
        const publication made = of(orders("orders:{key}"), one);
        EXPECT_EQ(namespace_of(made.channel), "orders");
        EXPECT_TRUE(is_channel(made.channel)) << made.channel;
        EXPECT_EQ(made.channel.find(':', 7), std::string::npos) << made.channel;
        EXPECT_TRUE(names.insert(made.channel).second) << made.channel;
        one.key = value;
        EXPECT_EQ(namespace_of(of(orders("{key}"), one).channel), "") << "without a namespace there is none";
    }
}

TEST(mapping, what_cannot_be_a_message_says_why) {
    const auto fault = [](const std::string& value) { return fault_of(orders(), with(value)); };
    EXPECT_TRUE(has(fault("not JSON"), "not JSON"));
    EXPECT_TRUE(has(fault(""), "not JSON"));
    EXPECT_TRUE(has(fault("{\"id\": \"\xff\"}"), "not JSON"));
    EXPECT_TRUE(has(fault("{}"), "nothing at /id"));
    EXPECT_TRUE(has(fault(R"({"id": ""})"), "empty"));
    EXPECT_TRUE(has(fault(R"({"id": null})"), "neither text nor a number"));
    EXPECT_TRUE(has(fault(R"({"id": [1]})"), "neither text nor a number"));
    EXPECT_TRUE(has(fault(R"({"id": ")" + std::string(255, 'x') + "\"}"), "no channel"));
    EXPECT_TRUE(has(fault(R"({"id": 1, "x": ")" + std::string(100, 'x') + "\"}"), "message_bytes_max"));
    EXPECT_TRUE(has(fault(R"({"id": 1, "x": 1e999})"), "cannot be read everywhere"));
    consume_settings settings = orders("orders:{key}");
    EXPECT_TRUE(has(fault_of(settings, with("{}")), "no key"));
    settings = orders("orders:{header:a}");
    EXPECT_TRUE(has(fault_of(settings, with("{}")), "no header a"));
    settings = orders("orders:all");
    settings.type = "{/t}";
    EXPECT_TRUE(has(fault_of(settings, with(R"({"t": "pulsewire.x"})")), "no type"));
    settings.type = "t";
    settings.payload = "/data";
    EXPECT_TRUE(has(fault_of(settings, with("{}")), "nothing at /data"));
    record unread = with("");
    unread.fault = "it was removed";
    EXPECT_EQ(fault_of(orders(), unread), "it was removed");
}

TEST(mapping, keys_of_any_text_are_keys_and_stay_different) {
    consume_settings settings = orders("orders:all");
    settings.key = "{/k}";
    const std::string plain = of(settings, with(R"({"k": "e_1.2:3-4"})")).key;
    EXPECT_EQ(plain, "e_1.2:3-4");
    const std::string one = of(settings, with(R"({"k": "a b"})")).key;
    const std::string other = of(settings, with(R"({"k": "a  b"})")).key;
    EXPECT_TRUE(is_key(one));
    EXPECT_NE(one, other);
    EXPECT_EQ(one, of(settings, with(R"({"k": "a b", "x": 1})")).key);
    EXPECT_TRUE(is_key(of(settings, with("{\"k\": \"" + std::string(80, 'x') + "\"}")).key));
}

TEST(mapping, settings_that_are_wrong_say_what_is_right) {
    EXPECT_TRUE(has(fault_of(orders("{key}:orders")), "namespace"));
    EXPECT_TRUE(has(fault_of(orders("or{key}ders:x")), "namespace"));
    EXPECT_TRUE(has(fault_of(orders("orders:{id}")), "none of {key}, {header:name} and {/json/pointer}"));
    EXPECT_TRUE(has(fault_of(orders("orders:{/a~2}")), "none of"));
    EXPECT_TRUE(has(fault_of(orders("orders:{key")), "without its '}'"));
    EXPECT_TRUE(has(fault_of(orders("orders:key}")), "without its '{'"));
    EXPECT_TRUE(has(fault_of(orders("")), "missing"));
    EXPECT_TRUE(has(fault_of(orders("or ders")), "not the name of a channel"));
    EXPECT_EQ(fault_of(orders("{key}")), "");
    consume_settings of = orders();
    of.type = "";
    EXPECT_TRUE(has(fault_of(of), "type is missing"));
    of.type = "pulsewire.x";
    EXPECT_TRUE(has(fault_of(of), "not the name of a type"));
    of = orders();
    of.payload = "data";
    EXPECT_TRUE(has(fault_of(of), "JSON pointer"));
    of = orders();
    of.name = "a:b";
    EXPECT_TRUE(has(fault_of(of), "name must be"));
    of = orders();
    of.from = "";
    EXPECT_TRUE(has(fault_of(of), "from must name"));
    of = orders();
    of.key = "}";
    EXPECT_TRUE(has(fault_of(of), "consume \"shop\": key has a '}'"));
}

}  // namespace
}  // namespace pulsewire::shell::feed
