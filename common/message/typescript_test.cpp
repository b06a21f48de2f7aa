#include "common/message/typescript.hpp"

#include "common/message/message.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace demo {

enum class colour { red, green };
PULSEWIRE_ENUM(colour, red, green)

struct point {
    double x, y;
};
PULSEWIRE_FIELDS(point, x, y)

struct user_id {
    std::uint64_t number = 0;
};
PULSEWIRE_VALUE(user_id, number)

struct chat_message {
    std::string user;
    std::string text;
    std::optional<std::string> reply_to;
};
PULSEWIRE_MESSAGE(chat_message, "chat.message", user, text, reply_to)

struct text_line {
    std::string text;
};
PULSEWIRE_VALUE_MESSAGE(text_line, "message", text)

struct ping {};
PULSEWIRE_MESSAGE(ping, "ping")

struct everything {
    bool yes = false;
    std::int32_t small = 0;
    std::int64_t big = 0;
    double real = 0;
    std::optional<colour> fill;
    std::vector<point> corners;
    std::vector<std::optional<int>> holes;
    std::array<double, 2> pair{};
    std::array<double, 9> nine{};
    std::map<std::string, std::vector<std::uint64_t>> counters;
    user_id owner;
    std::vector<everything> children;
    std::optional<pulsewire::json_value> extra;
};
PULSEWIRE_MESSAGE(
    everything, "every/thing:1", yes, small, big, real, fill, corners, holes, pair, nine, counters, owner,
    children, extra
)

struct add {
    int a = 0, b = 0;
};
PULSEWIRE_MESSAGE(add, "sum.add", a, b)

struct sum {
    int value = 0;
};
PULSEWIRE_FIELDS(sum, value)

}  // namespace demo

namespace other {

struct point {
    double x, y;
};
PULSEWIRE_FIELDS(point, x, y)

struct chat_message {
    std::string body;
};
PULSEWIRE_MESSAGE(chat_message, "other.message", body)

struct same_name {};
PULSEWIRE_MESSAGE(same_name, "chat.message")

struct messages {};
PULSEWIRE_FIELDS(messages)

struct _1 {};
PULSEWIRE_FIELDS(_1)

struct outer {
    struct innerPart_2D {};
};
PULSEWIRE_FIELDS(outer::innerPart_2D)

}  // namespace other

namespace {

using namespace pulsewire;

constexpr std::string_view golden =
    R"(// Generated from the C++ message declarations. Do not edit: change the C++ struct and generate again.

export interface Add {
  a: number;
  b: number;
}

export interface ChatMessage {
  user: string;
  text: string;
  reply_to?: string | null;
}

export type Colour = "red" | "green";

export interface Everything {
  yes: boolean;
  small: number;
  /** Holds 64-bit integers: JavaScript keeps them exact only up to 2^53. */
  big: number;
  real: number;
  fill?: Colour | null;
  corners: Point[];
  holes: (number | null)[];
  pair: [number, number];
  nine: number[];
  /** Holds 64-bit integers: JavaScript keeps them exact only up to 2^53. */
  counters: Record<string, number[]>;
  owner: UserId;
  children: Everything[];
  extra?: unknown;
}

export type Ping = Record<string, never>;

export interface Point {
  x: number;
  y: number;
}

export interface Sum {
  value: number;
}

export type TextLine = string;

/** Holds 64-bit integers: JavaScript keeps them exact only up to 2^53. */
export type UserId = number;

export interface Messages {
  "chat.message": ChatMessage;
  "every/thing:1": Everything;
  "message": TextLine;
  "ping": Ping;
}

export interface Requests {
  "sum.add": { request: Add; response: Sum };
}
)";

TEST(typescript, one_module_holds_every_declaration_once_sorted_by_name) {
    typescript_writer writer;
    writer.message<demo::chat_message>().message<demo::everything>().message<demo::text_line>();
    writer.message<demo::ping>().request<demo::add, demo::sum>();
    EXPECT_EQ(writer.str().value(), golden);
}

TEST(typescript, neither_order_nor_repetition_changes_the_module) {
    typescript_writer writer;
    writer.request<demo::add, demo::sum>().message<demo::ping>().message<demo::ping>();
    writer.message<demo::text_line>().message<demo::everything>().message<demo::chat_message>();
    writer.request<demo::add, demo::sum>();
    EXPECT_EQ(writer.str().value(), golden);
}

TEST(typescript, both_maps_are_there_even_when_empty) {
    EXPECT_EQ(
        typescript_writer{}.str().value(),
        "// Generated from the C++ message declarations. Do not edit: change the C++ struct and generate "
        "again.\n"
        "\nexport interface Messages {\n}\n\nexport interface Requests {\n}\n"
    );
}

TEST(typescript, an_expression_names_any_wire_type) {
    typescript_writer writer;
    EXPECT_EQ(writer.type<bool>().text, "boolean");
    EXPECT_EQ(writer.type<demo::point>().text, "Point");
    EXPECT_EQ(writer.type<std::optional<int>>().text, "number | null");
    EXPECT_EQ(
        (writer.type<std::vector<std::vector<std::optional<demo::point>>>>().text), "(Point | null)[][]"
    );
    EXPECT_EQ(
        (writer.type<std::vector<std::map<std::string, std::optional<int>>>>().text),
        "Record<string, number | null>[]"
    );
    EXPECT_EQ((writer.type<std::array<std::optional<int>, 2>>().text), "[number | null, number | null]");
    EXPECT_EQ(writer.type<std::vector<std::optional<json_value>>>().text, "unknown[]");
    EXPECT_EQ(writer.type<other::outer::innerPart_2D>().text, "InnerPart2D");
}

TEST(typescript, an_answer_may_be_any_expression) {
    typescript_writer writer;
    writer.request<demo::add, std::vector<std::optional<demo::sum>>>();
    EXPECT_NE(
        writer.str()->find(R"("sum.add": { request: Add; response: (Sum | null)[] };)"), std::string::npos
    );
}

TEST(typescript, two_structs_of_one_name_and_one_shape_are_one_interface) {
    typescript_writer writer;
    writer.type<demo::point>();
    writer.type<other::point>();
    EXPECT_TRUE(writer.str());
}

TEST(typescript, two_structs_of_one_name_and_different_shapes_are_an_error) {
    typescript_writer writer;
    writer.message<demo::chat_message>().message<other::chat_message>();
    auto module = writer.str();
    ASSERT_FALSE(module);
    EXPECT_EQ(
        module.error().message(),
        "Two C++ types become the TypeScript type ChatMessage but differ: rename one of them or make them "
        "one.\n"
        "export interface ChatMessage {\n  user: string;\n  text: string;\n  reply_to?: string | null;\n}\n"
        "export interface ChatMessage {\n  body: string;\n}\n"
    );
}

TEST(typescript, one_message_name_for_two_types_is_an_error) {
    typescript_writer writer;
    writer.message<demo::chat_message>().message<other::same_name>();
    ASSERT_FALSE(writer.str());
    EXPECT_EQ(
        writer.str().error().message(),
        "The message \"chat.message\" is declared twice, as ChatMessage and as SameName: give one of them "
        "another name."
    );
}

TEST(typescript, one_request_with_two_answers_is_an_error) {
    typescript_writer writer;
    writer.request<demo::add, demo::sum>().request<demo::add, int>();
    ASSERT_FALSE(writer.str());
    EXPECT_EQ(
        writer.str().error().message(),
        "The request \"sum.add\" is declared twice, as { request: Add; response: Sum } and as "
        "{ request: Add; response: number }: give one of them another name."
    );
}

TEST(typescript, names_that_typescript_cannot_have_are_errors_and_all_are_told) {
    typescript_writer writer;
    writer.type<other::messages>();
    writer.type<other::_1>();
    ASSERT_FALSE(writer.str());
    EXPECT_EQ(
        writer.str().error().message(),
        "The C++ type messages would become Messages, which the generated module needs itself: rename the "
        "type.\n"
        "The C++ type _1 has no TypeScript name (it would be \"1\"): rename it."
    );
}

TEST(typescript, bytes_are_a_uint8array) {
    typescript_writer writer;
    const auto module = writer.bytes("file.part").bytes("file.part").str();
    ASSERT_TRUE(module);
    EXPECT_NE(module->find("\"file.part\": Uint8Array;"), std::string::npos) << *module;
}

}  // namespace
