#include "common/message/describe.hpp"

#include "common/message/message.hpp"

#include <gtest/gtest.h>

#include <string>
#include <tuple>
#include <vector>

// Everything about where and how a description may be written. That this file compiles is half of the proof.

namespace chat {
struct said {
    std::string user;
    std::string text;
};
PULSEWIRE_MESSAGE(said, "chat.said", user, text)

class room {
public:
    struct member {
        std::string name;
    };
    enum class mood { calm, lively };
};
PULSEWIRE_FIELDS(room::member, name)
PULSEWIRE_ENUM(room::mood, calm, lively)

struct said_twice : said {
    int times = 0;
};
PULSEWIRE_MESSAGE(said_twice, "chat.said-twice", user, text, times)

struct said_unseen : said {};
}  // namespace chat

struct in_the_global_namespace {
    int n;
};
PULSEWIRE_MESSAGE(in_the_global_namespace, "global", n);  // with a semicolon, as people will write it

namespace {

using namespace pulsewire;

struct ping {};
PULSEWIRE_MESSAGE(ping, "ping")

struct nothing_inside {};
PULSEWIRE_FIELDS(nothing_inside)

template <class T>
struct page {
    std::vector<T> items;
    int next = 0;
};
using page_of_pings = page<ping>;
PULSEWIRE_MESSAGE(page_of_pings, "page", items, next)

enum traffic_light { red = 2, amber = 4, green = 6 };
PULSEWIRE_ENUM(traffic_light, red, amber, green)

struct text_line {
    std::string text;
};
PULSEWIRE_VALUE_MESSAGE(text_line, "message", text)

struct not_described {};

// clang-format off
struct sixty_four {
    int a0, a1, a2, a3, a4, a5, a6, a7, b0, b1, b2, b3, b4, b5, b6, b7, c0, c1, c2, c3, c4, c5, c6, c7,
        d0, d1, d2, d3, d4, d5, d6, d7, e0, e1, e2, e3, e4, e5, e6, e7, f0, f1, f2, f3, f4, f5, f6, f7,
        g0, g1, g2, g3, g4, g5, g6, g7, h0, h1, h2, h3, h4, h5, h6, h7;
};
PULSEWIRE_FIELDS(sixty_four,
    a0, a1, a2, a3, a4, a5, a6, a7, b0, b1, b2, b3, b4, b5, b6, b7, c0, c1, c2, c3, c4, c5, c6, c7,
    d0, d1, d2, d3, d4, d5, d6, d7, e0, e1, e2, e3, e4, e5, e6, e7, f0, f1, f2, f3, f4, f5, f6, f7,
    g0, g1, g2, g3, g4, g5, g6, g7, h0, h1, h2, h3, h4, h5, h6, h7)
// clang-format on

TEST(describe, a_message_has_its_name_at_compile_time) {
    static_assert(message_name<chat::said> == "chat.said");
    static_assert(message_name<text_line> == "message");
    static_assert(message_name<in_the_global_namespace> == "global");
    static_assert(message_name<page_of_pings> == "page");
}

TEST(describe, fields_are_known_by_name_and_in_order) {
    static_assert(description_of<chat::said>.type_name == "said");
    static_assert(std::get<0>(description_of<chat::said>.fields).name == "user");
    static_assert(std::get<1>(description_of<chat::said>.fields).name == "text");
    static_assert(std::get<1>(description_of<chat::said>.fields).member == &chat::said::text);
}

TEST(describe, only_what_has_a_name_is_a_message_type) {
    static_assert(message_type<chat::said>);
    static_assert(message_type<ping>);
    static_assert(message_type<text_line>);
    static_assert(!message_type<nothing_inside>);
    static_assert(!message_type<traffic_light>);
    static_assert(!message_type<not_described>);
    static_assert(!message_type<int>);
    static_assert(described_struct<nothing_inside>);
    static_assert(described_value<text_line> && !described_struct<text_line>);
    static_assert(described_enum<traffic_light> && !described_struct<traffic_light>);
    static_assert(!described<not_described>);
}

TEST(describe, a_derived_struct_does_not_borrow_the_description_of_its_base) {
    static_assert(!described<chat::said_unseen>);
    static_assert(!wire_type<chat::said_unseen>);
}

TEST(describe, a_derived_struct_may_describe_the_fields_of_its_base) {
    chat::said_twice value;
    value.user = "ada";
    value.text = "hello";
    value.times = 2;
    EXPECT_EQ(encode_payload(value), R"({"user":"ada","text":"hello","times":2})");
}

TEST(describe, types_nested_in_a_class_are_described_beside_it) {
    static_assert(description_of<chat::room::member>.type_name == "room::member");
    EXPECT_EQ(encode_payload(chat::room::member{"ada"}), R"({"name":"ada"})");
    EXPECT_EQ(encode_payload(chat::room::mood::lively), R"("lively")");
}

TEST(describe, a_template_is_described_through_an_alias) {
    EXPECT_EQ(encode_payload(page_of_pings{{ping{}, ping{}}, 3}), R"({"items":[{},{}],"next":3})");
}

TEST(describe, sixty_four_fields_fit_in_one_description) {
    static_assert(std::tuple_size_v<decltype(description_of<sixty_four>.fields)> == 64);
    sixty_four value{};
    value.a0 = 1;
    value.h7 = 64;
    auto back = decode_payload<sixty_four>(encode_payload(value));
    ASSERT_TRUE(back);
    EXPECT_EQ(back->a0, 1);
    EXPECT_EQ(back->h7, 64);
}

}  // namespace
