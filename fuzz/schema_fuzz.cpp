// Schemas and payloads, held against the plainest check that can be written over trees of nlohmann_json. The
// input is a schema, and after a zero byte a payload.

#include "common/protocol/json_scan.hpp"
#include "common/protocol/limits.hpp"
#include "common/schema/checker.hpp"
#include "common/schema/number.hpp"
#include "common/schema/value.hpp"
#include "fuzz/fuzz.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <string>

namespace pulsewire::fuzz {
namespace {

using nlohmann::json;

bool is_type(const json& v, const std::string& name) {
    if (name == "integer") return v.is_number() && v.get<double>() == std::floor(v.get<double>());
    return name == v.type_name();
}

std::size_t code_points(const std::string& text) {
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
        return (c & 0xC0) != 0x80;
    }));
}

// Follows a pointer without escapes of its own; the compiled schema has shown that it leads somewhere.
const json& target(const json& root, const std::string& reference) {
    return root.at(json::json_pointer(reference.substr(1)));
}

bool fits(const json& root, const json& rules, const json& v);

bool members_fit(const json& root, const json& rules, const json& v) {
    for (const auto& [name, content] : v.items()) {
        if (rules.contains("properties") && rules["properties"].contains(name)) {
            if (!fits(root, rules["properties"][name], content)) return false;
        } else if (rules.contains("additionalProperties") && !fits(root, rules["additionalProperties"], content)) {
            return false;
        }
    }
    if (rules.contains("required"))
        for (const json& name : rules["required"])
            if (!v.contains(name.get<std::string>())) return false;
    return true;
}

bool is_within(const json& rules, const char* min, const char* max, double number) {
    return (!rules.contains(min) || number >= rules[min].get<double>()) &&
           (!rules.contains(max) || number <= rules[max].get<double>());
}

bool fits(const json& root, const json& rules, const json& v) {
    if (rules.is_boolean()) return rules.get<bool>();
    if (rules.contains("$ref")) return fits(root, target(root, rules["$ref"]), v);
    if (rules.contains("type")) {
        const json& type = rules["type"];
        const bool any =
            type.is_array()
                ? std::any_of(type.begin(), type.end(), [&](const json& t) { return is_type(v, t); })
                : is_type(v, type);
        if (!any) return false;
    }
    if (rules.contains("const") && rules["const"] != v) return false;
    if (rules.contains("enum") &&
        std::find(rules["enum"].begin(), rules["enum"].end(), v) == rules["enum"].end())
        return false;
    if (v.is_object())
        return members_fit(root, rules, v) &&
               is_within(rules, "minProperties", "maxProperties", static_cast<double>(v.size()));
    if (v.is_array()) {
        if (rules.contains("items"))
            for (const json& one : v)
                if (!fits(root, rules["items"], one)) return false;
        return is_within(rules, "minItems", "maxItems", static_cast<double>(v.size()));
    }
    if (v.is_string())
        return is_within(
            rules, "minLength", "maxLength", static_cast<double>(code_points(v.get<std::string>()))
        );
    if (!v.is_number()) return true;
    const double number = v.get<double>();
    return is_within(rules, "minimum", "maximum", number) &&
           (!rules.contains("exclusiveMinimum") || number > rules["exclusiveMinimum"].get<double>()) &&
           (!rules.contains("exclusiveMaximum") || number < rules["exclusiveMaximum"].get<double>());
}

// Whether doubles tell the numbers of the text apart as their digits do.
bool has_short_numbers(std::string_view text) {
    std::size_t digits = 0;
    for (const char c : text) {
        if (digits != 0 && (c == 'e' || c == 'E')) return false;
        digits = c >= '0' && c <= '9' ? digits + 1 : c == '.' ? digits : 0;
        if (digits > 15) return false;
    }
    return true;
}

void same_order(std::string_view a, std::string_view b) {
    const int order = schema::compare_numbers(a, b);
    require(schema::compare_numbers(b, a) == -order, "the order of two numbers has two sides");
    const double of_a = std::stod(std::string(a)), of_b = std::stod(std::string(b));
    require(of_a == of_b || (order > 0) == (of_a > of_b), "doubles have the order of their digits");
}

bool is_number(std::string_view text) {
    std::size_t stopped_at = 0;
    return !text.empty() && (text[0] == '-' || (text[0] >= '0' && text[0] <= '9')) &&
           is_json(text, 0, stopped_at) && text.find_first_of(" \t\r\n") == text.npos &&
           text.find_first_of("eE") == text.npos && text.size() < 300;
}

}  // namespace

void test_one_input(std::string_view input) {
    const std::string_view text = take_until(input, '\0');
    if (is_number(text) && is_number(input)) same_order(text, input);
    const auto rules = schema::checker::compile(text);
    if (!rules) return require(!rules.error().message().empty(), "what is wrong with a schema is said");

    const auto why = rules->check(input);
    std::size_t stopped_at = 0;
    if (!is_json(input, json_depth_max, stopped_at))
        return require(why.has_value(), "what is no JSON does not fit");
    if (why) {
        const std::string line = why->message();
        require(
            !why->expected.empty() && !why->found.empty(),
            "a refusal says what was expected and what was found"
        );
        require(line.find_first_of("\r\n") == line.npos, "on one line");
    }
    // Members of one name, and values that no reader takes, are our own rules.
    if (!schema::read_value(input, json_depth_max) || !has_short_numbers(input) || !has_short_numbers(text))
        return;
    if (text.find('%') != text.npos) return;
    const json root = json::parse(text, nullptr, false), payload = json::parse(input, nullptr, false);
    if (root.is_discarded() || payload.is_discarded()) return;
    require(fits(root, root, payload) == !why.has_value(), "the plain check says the same");
}

}  // namespace pulsewire::fuzz
