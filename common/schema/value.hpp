#pragma once

// A JSON value as a tree: schemas are read into it, once, when a server starts. Payloads are never.

#include "common/base/payload_error.hpp"
#include "common/base/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pulsewire::schema {

enum class kind : std::uint8_t { null, boolean, number, string, array, object };

// "null", "boolean", ...: the names in error texts, as those of common/message/json.hpp.
std::string_view name_of(kind k);

// The kind of the value that begins with this character.
kind kind_of(char first);

struct value {
    struct member;

    kind is = kind::null;
    bool truth = false;  // of a boolean
    std::string text;    // a string without its escapes, or a number as it is written
    std::vector<value> elements;
    std::vector<member> members;  // in their order
};

struct value::member {
    std::string name;
    value content;
};

// Reads one JSON text that every reader understands in the same way: at most `depth_max` levels deep, without
// two members of one name in an object, half surrogate pairs, or numbers that no double holds. The type of
// the error is empty.
result<value, payload_error> read_value(std::string_view json, int depth_max);

// Appends the value as compact JSON.
void append_value(std::string& out, const value& v);
// The same for a string, with its quotes.
void append_string(std::string& out, std::string_view text);

// Whether a string's text as it stands in JSON, between its quotes, is `plain` without its escapes.
bool is_text(std::string_view inner, std::string_view plain);

// Whether the value is that of a JSON text, which is valid. Numbers are compared by their value and objects
// regardless of the order of their members; an object with two members of one name equals none.
bool equals(std::string_view json, const value& v);

}  // namespace pulsewire::schema
