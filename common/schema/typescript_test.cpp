#include "common/schema/typescript.hpp"

#include "common/schema/checker.hpp"

#include <gtest/gtest.h>

#include <string>

namespace {

using namespace pulsewire;

// All declarations of a schema for "chat.message".
std::string declared(std::string_view text, std::string_view type = "chat.message") {
    EXPECT_TRUE(schema::checker::compile(text)) << schema::checker::compile(text).error().message();
    std::string all;
    for (const auto& [name, declaration] :
         schema::typescript_of(type, *schema::read_value(text, 64)).declarations)
        all += declaration;
    return all;
}

// The expression for a schema.
std::string expression(std::string_view text) {
    const std::string all = declared(text);
    constexpr std::string_view before = "export type ChatMessage = ";
    EXPECT_EQ(all.substr(0, before.size()), before);
    return all.substr(before.size(), all.find(";\n") - before.size());
}

TEST(schema_typescript, an_object_is_an_interface) {
    EXPECT_EQ(
        declared(R"({"type":"object","required":["user","odd name","2nd"],"properties":{
            "user":{"type":"string","maxLength":5},"size":{"type":"integer"},
            "reply_to":{"type":["string","null"]},"odd name":{"type":"boolean"}}})"),
        "export interface ChatMessage {\n"
        "  user: string;\n"
        "  size?: number;\n"
        "  reply_to?: string | null;\n"
        "  \"odd name\": boolean;\n"
        "  \"2nd\": unknown;\n"
        "}\n"
    );
    EXPECT_EQ(declared(R"({"type":"null"})", "2/x_y:z"), "export type Type2XYZ = null;\n");
}

TEST(schema_typescript, each_kind_has_its_expression) {
    EXPECT_EQ(expression("{}"), "unknown");
    EXPECT_EQ(expression("true"), "unknown");
    EXPECT_EQ(expression("false"), "never");
    EXPECT_EQ(expression(R"({"minimum":1})"), "unknown");
    EXPECT_EQ(expression(R"({"type":["integer","number","null"]})"), "number | null");
    EXPECT_EQ(
        expression(R"({"enum":["a\"",1,null,[true,{"b":2}]]})"), R"("a\"" | 1 | null | [true,{"b":2}])"
    );
    EXPECT_EQ(expression(R"({"type":"string","const":"a"})"), R"("a")");
    EXPECT_EQ(expression(R"({"type":"array"})"), "unknown[]");
    EXPECT_EQ(expression(R"({"type":"array","items":{"type":["string","null"]}})"), "(string | null)[]");
    EXPECT_EQ(
        expression(R"({"type":"array","items":{"type":"number"},"minItems":2,"maxItems":2})"),
        "[number, number]"
    );
    EXPECT_EQ(
        expression(R"({"type":"array","items":{"type":"number"},"minItems":9,"maxItems":9})"), "number[]"
    );
    EXPECT_EQ(expression(R"({"type":"object"})"), "Record<string, unknown>");
    EXPECT_EQ(expression(R"({"type":"object","additionalProperties":false})"), "Record<string, never>");
    EXPECT_EQ(
        expression(R"({"type":"object","additionalProperties":{"type":"string"}})"), "Record<string, string>"
    );
    EXPECT_EQ(
        expression(
            R"({"type":"array","items":{"type":"object","required":["a"],"properties":{"a":{"type":"null"}},
            "additionalProperties":{"type":"string"}}})"
        ),
        "{ a: null; [name: string]: unknown }[]"
    );
}

TEST(schema_typescript, what_is_referred_to_is_declared_once) {
    EXPECT_EQ(
        declared(
            R"({"type":"object","properties":{"tree":{"$ref":"#/$defs/tree"},"other":{"$ref":"#/$defs/tree"},
            "self":{"$ref":"#"},"same":{"$ref":"#/definitions/tree"}},
            "$defs":{"tree":{"type":"object","properties":{"in":{"type":"array","items":{"$ref":"#/$defs/tree"}}}}},
            "definitions":{"tree":{"type":"string"}}})"
        ),
        "export interface ChatMessage {\n"
        "  tree?: ChatMessageTree;\n"
        "  other?: ChatMessageTree;\n"
        "  self?: ChatMessage;\n"
        "  same?: ChatMessageTree2;\n"
        "}\n"
        "export interface ChatMessageTree {\n"
        "  in?: ChatMessageTree[];\n"
        "}\n"
        "export type ChatMessageTree2 = string;\n"
    );
}

}  // namespace
