// Scanning JSON, held against simdjson. The first byte is how deep the text, the rest, may nest.

#include "common/protocol/json_scan.hpp"
#include "fuzz/fuzz.hpp"

#include <simdjson.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace pulsewire::fuzz {
namespace {

namespace dom = simdjson::dom;

int depth_of(dom::element value) {
    int inner = 0;
    if (dom::array array; value.get(array) == simdjson::SUCCESS) {
        for (const dom::element one : array) inner = std::max(inner, depth_of(one));
        return inner + 1;
    }
    if (dom::object object; value.get(object) == simdjson::SUCCESS) {
        for (const auto& [key, one] : object) inner = std::max(inner, depth_of(one));
        return inner + 1;
    }
    return 0;
}

// What RFC 8259 allows and simdjson does not read: numbers that are no double and no 64-bit integer, and lone
// surrogates. Later versions of it skip a byte order mark.
bool refused_by_simdjson_alone(std::string_view text, simdjson::error_code error) {
    switch (error) {
        case simdjson::STRING_ERROR:
            return text.find("\\ud") != text.npos || text.find("\\uD") != text.npos;
        case simdjson::NUMBER_ERROR:
            return true;
        default:
            return false;
    }
}

std::string unescaped(std::string_view inner) {
    std::string text;
    append_unescaped(text, inner);
    return text;
}

// The members are the same, in the same order, and so are their strings.
void same_members(std::string_view text, dom::object object) {
    auto expected = object.begin();
    json_scan scan(text);
    const bool read = for_each_member(scan, 64, [&](std::string_view key, std::string_view value) {
        require(expected != object.end(), "there are as many members");
        const auto [expected_key, expected_value] = *expected;
        require(unescaped(key) == expected_key, "a member has the same name");
        require(
            value.front() == '"'
                ? unescaped(value.substr(1, value.size() - 2)) == std::string_view(expected_value)
                : !expected_value.is_string(),
            "a string says the same"
        );
        ++expected;
        return true;
    });
    require(read && !(expected != object.end()), "all members are read");
}

}  // namespace

void test_one_input(std::string_view input) {
    const int depth_max = static_cast<int>(take_byte(input) % 65);
    std::size_t stopped_at = 0;
    const bool valid = is_json(input, depth_max, stopped_at);
    require(stopped_at <= input.size() && (!valid || stopped_at == input.size()), "it stops within the text");
    if (input.starts_with("\xef\xbb\xbf")) return require(!valid, "a byte order mark is no JSON");

    dom::parser parser;
    dom::element root;
    const auto error = parser.parse(simdjson::padded_string(input)).get(root);
    if (error != simdjson::SUCCESS)
        return require(!valid || refused_by_simdjson_alone(input, error), "what is accepted is JSON");
    require(valid == (depth_of(root) <= depth_max), "JSON is accepted, unless it nests too deep");
    if (dom::object object; valid && root.get(object) == simdjson::SUCCESS) same_members(input, object);
}

}  // namespace pulsewire::fuzz
