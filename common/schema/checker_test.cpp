#include "common/schema/checker.hpp"

#include "common/message/message.hpp"

#include <gtest/gtest.h>

#include <string>

namespace {

using namespace pulsewire;
using schema::checker;

// The message of the error; "" where the payload fits, and "schema: ..." where the schema does not compile.
std::string refusal(std::string_view text, std::string_view payload) {
    const auto compiled = checker::compile(text);
    if (!compiled) return "schema: " + compiled.error().message();
    const auto why = compiled->check(payload);
    return why ? why->message() : "";
}

std::string fault_of(std::string_view text) {
    const auto compiled = checker::compile(text);
    return compiled ? "" : compiled.error().message();
}

// The place of the fault; "none" where the schema compiles.
std::string place_of(std::string_view text) {
    const auto compiled = checker::compile(text);
    return compiled ? "none" : compiled.error().pointer;
}

constexpr std::string_view chat = R"({
    "$schema": "https://json-schema.org/draft/2020-12/schema", "title": "A line of chat",
    "type": "object", "required": ["user", "text"], "additionalProperties": false,
    "properties": {
        "user": {"type": "string", "minLength": 1, "maxLength": 5},
        "text": {"type": "string"},
        "lines": {"type": "array", "items": {"$ref": "#/$defs/line"}, "maxItems": 2},
        "size": {"type": "integer", "minimum": 0, "maximum": 255},
        "ratio": {"type": "number", "exclusiveMinimum": 0, "maximum": 1},
        "colour": {"enum": ["red", "green", 3]},
        "version": {"const": 1},
        "reply_to": {"type": ["string", "null"]}
    },
    "$defs": {"line": {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}}
})";

std::string chat_with(std::string_view more) {
    return R"({"user":"ada","text":"hello")" + std::string(more.empty() ? "" : ",") + std::string(more) + "}";
}

std::string refused_chat(std::string_view more) {
    return refusal(chat, chat_with(more));
}

TEST(schema_checker, a_payload_that_fits_is_no_error) {
    EXPECT_EQ(refused_chat(""), "");
    EXPECT_EQ(
        refused_chat(
            R"("lines":[{"text":"a"}, {"text":"b","more":1}],"size":255,"ratio":1,"colour":3.0,"version":1.0,"reply_to":null)"
        ),
        ""
    );
    EXPECT_EQ(refusal(chat, " { \"text\" : \"\" , \"user\" : \"ada\" } "), "");
}

TEST(schema_checker, the_place_and_the_kinds_are_named) {
    EXPECT_EQ(refusal(chat, "[]"), "expected object, found array");
    EXPECT_EQ(refusal(chat, R"({"user":"ada"})"), "/text: expected string, found nothing");
    EXPECT_EQ(refusal(chat, R"({"user":"ada","text":1})"), "/text: expected string, found number");
    EXPECT_EQ(
        refused_chat(R"("lines":[{"text":"a"},{"text":{}}])"), "/lines/1/text: expected string, found object"
    );
    EXPECT_EQ(refused_chat(R"("lines":[{"text":"a"},{}])"), "/lines/1/text: expected string, found nothing");
    EXPECT_EQ(refused_chat(R"("reply_to":false)"), "/reply_to: expected string or null, found boolean");
    EXPECT_EQ(refused_chat(R"("a/b~":1)"), "/a~1b~0: expected nothing, found number");
}

TEST(schema_checker, bounds_are_told_and_values_are_not) {
    EXPECT_EQ(refused_chat(R"("size":256)"), "/size: expected integer from 0 to 255, found a larger one");
    EXPECT_EQ(refused_chat(R"("size":-7)"), "/size: expected integer from 0 to 255, found a smaller one");
    EXPECT_EQ(refused_chat(R"("size":1.5)"), "/size: expected integer, found number with a fraction");
    EXPECT_EQ(
        refused_chat(R"("ratio":0)"),
        "/ratio: expected number greater than 0 and of at most 1, found a smaller one"
    );
    EXPECT_EQ(
        refused_chat(R"("colour":"blue")"),
        R"(/colour: expected one of "red", "green", 3, found another string)"
    );
    EXPECT_EQ(refused_chat(R"("colour":null)"), R"(/colour: expected one of "red", "green", 3, found null)");
    EXPECT_EQ(refused_chat(R"("version":2)"), "/version: expected 1, found another number");
    EXPECT_EQ(
        refusal(chat, R"({"user":"secret","text":""})"),
        "/user: expected string of 1 to 5 characters, found string of 6 characters"
    );
    EXPECT_EQ(
        refused_chat(R"("lines":[{"text":""},{"text":""},{"text":""}])"),
        "/lines: expected array of at most 2 elements, found array of 3 elements"
    );
    EXPECT_EQ(
        refusal(R"({"minProperties":2})", R"({"a":1})"),
        "expected object with at least 2 members, found object with 1 member"
    );
    EXPECT_EQ(
        refusal(R"({"type":"array","minItems":3,"maxItems":3})", "[1]"),
        "expected array of 3, found array of 1"
    );
    EXPECT_EQ(refusal("false", "1"), "expected nothing, found number");
}

struct reply {
    std::string text;
    std::optional<std::string> to;
    std::vector<int> sizes;
};
PULSEWIRE_MESSAGE(reply, "reply", text, to, sizes)

TEST(schema_checker, the_words_are_those_of_the_types_of_cpp) {
    constexpr std::string_view same = R"({"type":"object","required":["text","sizes"],"properties":{
        "text":{"type":"string"},"to":{"type":["string","null"]},"sizes":{"type":"array","items":{"type":"integer"}}}})";
    for (const char* payload :
         {"[]", "{}", R"({"text":1})", R"({"text":"","sizes":{}})", R"({"text":"","sizes":["a"]})",
          R"({"text":"","sizes":[0,null]})", R"({"text":"","to":"x"})", R"({"text":)",
          R"({"text":"","sizes":[1] x})"}) {
        auto of_cpp = decode_payload<reply>(payload);
        ASSERT_FALSE(of_cpp);
        payload_error untyped = of_cpp.error();
        untyped.type.clear();
        EXPECT_EQ(refusal(same, payload), untyped.message()) << payload;
    }
}

TEST(schema_checker, strings_are_counted_in_code_points_and_read_without_escapes) {
    constexpr std::string_view two = R"({"minLength":2,"maxLength":2})";
    for (const char* text : {R"("ab")", R"("é€")", R"("😀\ud83d\ude00")", R"("\u0061\n")", R"("\\\"")"})
        EXPECT_EQ(refusal(two, text), "") << text;
    EXPECT_NE(refusal(two, R"("\ud83d\ude00")"), "");
    EXPECT_NE(refusal(two, R"("abc")"), "");
    EXPECT_EQ(refusal(R"({"properties":{"a\u0062":{"type":"null"}}})", R"({"\u0061b":null})"), "");
    EXPECT_EQ(
        refusal(R"({"properties":{"a\u0062":{"type":"null"}}})", R"({"\u0061b":1})"),
        "/ab: expected null, found number"
    );
    EXPECT_EQ(refusal(R"({"required":["a\\b"]})", R"({"a\\b":1})"), "");
    EXPECT_NE(refusal(R"({"required":["a\\b"]})", R"({"a\b":1})"), "");
    EXPECT_EQ(refusal(R"({"const":"a\/b"})", R"("\u0061/b")"), "");
}

TEST(schema_checker, values_are_equal_by_what_they_say) {
    constexpr std::string_view one = R"({"const":{"a":[1,{"b":null}],"c":"\u0064"}})";
    EXPECT_EQ(refusal(one, R"({"c":"d","a":[1.0, {"b":null}]})"), "");
    for (const char* other :
         {R"({"c":"d","a":[1,{"b":null}],"e":0})", R"({"c":"d"})", R"({"c":"d","a":[1]})",
          R"({"c":"d","a":[1,{"b":null},2]})", R"({"c":"d","a":[1,{"b":false}]})",
          R"({"c":"e","a":[1,{"b":null}]})", "[]", "1", R"({"c":"d","c":"d","a":[1,{"b":null}]})",
          R"({"c":"d","c":"d"})"})
        EXPECT_NE(refusal(one, other), "") << other;
    EXPECT_NE(refusal(R"({"const":false})", "0"), "");
    EXPECT_NE(refusal(R"({"const":[]})", "[1]"), "");
    EXPECT_EQ(refusal(R"({"const":[]})", "[]"), "");
    // What stands in a chosen container must also fit the rest of the schema.
    EXPECT_EQ(
        refusal(R"({"enum":[[1],["a"]],"items":{"type":"string"}})", "[1]"),
        "/0: expected string, found number"
    );
}

TEST(schema_checker, every_one_of_several_members_of_one_name_must_fit) {
    constexpr std::string_view text = R"({"properties":{"a":{"type":"string"}},"required":["a"]})";
    EXPECT_EQ(refusal(text, R"({"a":"x","a":"y"})"), "");
    EXPECT_EQ(refusal(text, R"({"a":"x","a":1})"), "/a: expected string, found number");
    EXPECT_EQ(refusal(text, R"({"a":1,"a":"x"})"), "/a: expected string, found number");
}

TEST(schema_checker, a_required_member_may_be_undeclared) {
    constexpr std::string_view text = R"({"required":["a"],"additionalProperties":{"type":"integer"}})";
    EXPECT_EQ(refusal(text, R"({"a":1})"), "");
    EXPECT_EQ(refusal(text, R"({"a":"x"})"), "/a: expected integer, found string");
    EXPECT_EQ(refusal(text, "{}"), "/a: expected integer, found nothing");
}

TEST(schema_checker, an_object_may_have_more_rules_than_a_word_has_bits) {
    std::string properties, required, payload;
    for (int i = 0; i < 200; ++i) {
        const std::string name = "\"m" + std::to_string(i) + "\"";
        properties += (i == 0 ? "" : ",") + name + R"(:{"type":"integer"})";
        required += (i == 0 ? "" : ",") + name;
        if (i != 137) payload = name + ":" + std::to_string(i) + (payload.empty() ? "" : ",") + payload;
    }
    const std::string text = R"({"properties":{)" + properties + R"(},"required":[)" + required + "]}";
    EXPECT_EQ(refusal(text, "{" + payload + "}"), "/m137: expected integer, found nothing");
    EXPECT_EQ(refusal(text, "{" + payload + R"(,"m137":0})"), "");
}

TEST(schema_checker, recursion_goes_as_deep_as_a_payload_may) {
    constexpr std::string_view tree =
        R"({"type":"object","properties":{"in":{"$ref":"#"}},"additionalProperties":false})";
    std::string inner = "{}";
    for (int level = 1; level < 32; ++level) inner = R"({"in":)" + inner + "}";
    EXPECT_EQ(refusal(tree, inner), "");
    EXPECT_EQ(
        refusal(tree, R"({"in":)" + inner + "}"), "expected JSON at most 32 levels deep, found a deeper level"
    );
    EXPECT_EQ(
        refusal("true", std::string(33, '[') + std::string(33, ']')),
        "expected JSON at most 32 levels deep, found a deeper level"
    );
}

TEST(schema_checker, text_that_readers_refuse_does_not_fit) {
    EXPECT_EQ(refusal("true", "1 2"), "expected JSON, found malformed JSON at byte 3");
    EXPECT_EQ(refusal(R"({"type":"string"})", "nul"), "expected JSON, found malformed JSON at byte 1");
    EXPECT_EQ(
        refusal(R"({"items":{"type":"string"}})", R"(["a" "b"])"),
        "expected JSON, found malformed JSON at byte 6"
    );
    EXPECT_EQ(refusal("true", ""), "expected JSON, found malformed JSON at byte 1");
    EXPECT_NE(
        refusal("true", R"({"a":1e400})").find("/a: expected JSON that every reader takes"), std::string::npos
    );
    EXPECT_NE(refusal("true", R"("\ud800")"), "");
}

TEST(schema_compile, an_unknown_keyword_is_refused_with_its_place) {
    EXPECT_EQ(place_of(R"({"properties":{"a":{"items":{"pattern":"x"}}}})"), "/properties/a/items/pattern");
    for (const char* keyword :
         {"pattern",
          "format",
          "oneOf",
          "anyOf",
          "allOf",
          "not",
          "if",
          "patternProperties",
          "prefixItems",
          "uniqueItems",
          "multipleOf",
          "contains",
          "dependentRequired",
          "propertyNames",
          "$anchor",
          "$dynamicRef",
          "id",
          "additionalItems",
          "unevaluatedProperties",
          "tpye"})
        EXPECT_EQ(place_of("{\"" + std::string(keyword) + "\":{}}"), "/" + std::string(keyword));
    EXPECT_EQ(place_of(R"({"$defs":{"unused":{"format":"date"}}})"), "/$defs/unused/format");
    EXPECT_NE(fault_of(R"({"format":"date"})").find("remove it"), std::string::npos);
}

TEST(schema_compile, annotations_are_known_and_demand_nothing) {
    EXPECT_EQ(
        refusal(
            R"({"$schema":"http://json-schema.org/draft-07/schema#","$id":"https://example.com/a","title":"t",
                "description":"d","default":1,"examples":[2],"$comment":"c","deprecated":true})",
            "null"
        ),
        ""
    );
    EXPECT_EQ(place_of(R"({"$schema":"http://json-schema.org/draft-04/schema#"})"), "/$schema");
    EXPECT_EQ(place_of(R"({"items":{"$id":"https://example.com/b"}})"), "/items/$id");
    // A property may have the name of a keyword.
    EXPECT_EQ(
        refusal(R"({"properties":{"pattern":{"type":"null"},"$ref":{"type":"null"}}})", R"({"$ref":null})"),
        ""
    );
}

TEST(schema_compile, values_of_keywords_are_checked) {
    const std::pair<const char*, const char*> wrong[] = {
        {R"({"type":"text"})", "/type"},
        {R"({"type":[]})", "/type"},
        {R"({"type":["string",1]})", "/type"},
        {R"({"properties":[]})", "/properties"},
        {R"({"properties":{"a":1}})", "/properties/a"},
        {R"({"required":"a"})", "/required"},
        {R"({"required":[1]})", "/required"},
        {R"({"items":[{}]})", "/items"},
        {R"({"enum":[]})", "/enum"},
        {R"({"enum":1})", "/enum"},
        {R"({"minimum":"1"})", "/minimum"},
        {R"({"exclusiveMaximum":true})", "/exclusiveMaximum"},
        {R"({"minLength":-1})", "/minLength"},
        {R"({"maxItems":1.5})", "/maxItems"},
        {R"({"enum":[1],"const":1})", ""},
        {"1", ""},
        {"[]", ""},
        {"{", ""},
        {R"({"title":"a","title":"b"})", "/title"},
        {R"({"minimum":1e400})", "/minimum"},
    };
    for (const auto& [text, place] : wrong) EXPECT_EQ(place_of(text), place) << text;
    EXPECT_EQ(
        refusal(R"({"minLength":2.0})", R"("a")"),
        "expected string of at least 2 characters, found string of 1 character"
    );
    EXPECT_NE(fault_of(std::string(schema::schema_bytes_max, ' ') + "{}"), "");
    std::string deep = "true";
    for (int level = 0; level < 65; ++level) deep = R"({"items":)" + deep + "}";
    EXPECT_EQ(fault_of(deep), "expected JSON at most 64 levels deep, found a deeper level");
}

TEST(schema_compile, of_two_bounds_the_tighter_one_counts) {
    for (const char* text :
         {R"({"minimum":1,"exclusiveMinimum":1})", R"({"exclusiveMinimum":1,"minimum":1})",
          R"({"exclusiveMinimum":1,"minimum":0})", R"({"maximum":9,"exclusiveMinimum":1.0})"}) {
        EXPECT_NE(refusal(text, "1"), "") << text;
        EXPECT_EQ(refusal(text, "2"), "") << text;
    }
    EXPECT_NE(refusal(R"({"exclusiveMaximum":5,"maximum":3})", "4"), "");
}

TEST(schema_compile, references_lead_to_schemas_of_the_same_file) {
    constexpr std::string_view text =
        R"({"$ref":"#/$defs/a%25~1","$defs":{"a%/":{"$ref":"#/definitions/b"}},"definitions":{"b":{"type":"null"}}})";
    EXPECT_EQ(refusal(text, "null"), "");
    EXPECT_EQ(refusal(text, "1"), "expected null, found number");
    for (const char* wrong :
         {R"({"$ref":"#/$defs/none"})", R"({"$ref":"other.json"})", R"({"$ref":"#name"})",
          R"({"$ref":"#/$defs","$defs":{}})", R"({"$ref":"#/examples","examples":[{}]})",
          R"({"$ref":"#/%2"})", R"({"$ref":"#/%zz"})", R"({"$ref":1})", R"({"$ref":""})",
          R"({"$ref":"#/default","default":{}})", R"({"$ref":"#","type":"null"})"})
        EXPECT_EQ(place_of(wrong), "/$ref") << wrong;
    // Nothing of an annotation is a schema, even where it looks like one.
    EXPECT_EQ(
        place_of(R"({"$defs":{"a":{"default":{"type":"null"}}},"items":{"$ref":"#/$defs/a/default"}})"),
        "/items/$ref"
    );
}

TEST(schema_compile, references_in_a_circle_are_refused) {
    EXPECT_EQ(place_of(R"({"$ref":"#"})"), "/$ref");
    EXPECT_EQ(
        place_of(R"({"$defs":{"a":{"$ref":"#/$defs/b"},"b":{"$ref":"#/$defs/c"},"c":{"$ref":"#/$defs/a"}}})"),
        "/$defs/a/$ref"
    );
    EXPECT_EQ(
        place_of(R"({"$defs":{"in":{"$ref":"#/$defs/a"},"a":{"$ref":"#/$defs/a"}},"type":"null"})"),
        "/$defs/in/$ref"
    );
    EXPECT_EQ(place_of(R"({"items":{"$ref":"#"}})"), "none");
}

TEST(schema_compile, many_references_are_followed_quickly) {
    std::string text = R"({"$ref":"#/$defs/a0","$defs":{)";
    for (int i = 0; i < 5'000; ++i)
        text += "\"a" + std::to_string(i) + R"(":{"$ref":"#/$defs/a)" + std::to_string(i + 1) + "\"},";
    EXPECT_EQ(refusal(text + R"("a5000":{"type":"null"}}})", "1"), "expected null, found number");
}

}  // namespace
