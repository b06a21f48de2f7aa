#pragma once

// JSON for the typed messages: a bounded parser, and functions that write single values.

#include "common/base/payload_error.hpp"
#include "common/base/result.hpp"

#include <nlohmann/json.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace pulsewire {

// Any JSON value; also a field type of messages. A number without fraction or exponent is kept as a 64-bit
// integer if it fits, every other number as a double.
using json_value = nlohmann::json;

// The deepest nesting of arrays and objects. A deeper payload is refused when its 33rd level opens.
inline constexpr std::size_t payload_depth_max = 32;

// Parses exactly one JSON text (RFC 8259); time and memory grow linearly with its length. In an object the
// last of equal keys wins. Strings hold valid UTF-8: bytes that are not, and escapes of lone surrogates, are
// malformed. So are a byte order mark and a NUL byte, as for JSON.parse. `json` is not kept.
//
// Errors, all with empty type and pointer:
//   expected "JSON"                            found "malformed JSON at byte 17"
//   expected "numbers that fit a double"       found "a larger one at byte 9"      (1e999)
//   expected "JSON at most 32 levels deep"     found "a deeper level"
// Bytes are counted from 1; a text that ends too early is malformed at the byte after its end.
result<json_value, payload_error> parse_json(std::string_view json);

// The name of the value's kind in error texts: null, boolean, number, string, array or object.
std::string kind_of(const json_value& value);

// These append the compact JSON text of a value, which never contains a raw newline. Invalid UTF-8 is written
// as U+FFFD; values without a JSON form (NaN, infinities, a discarded json_value) are written as null.
void append_json_string(std::string& out, std::string_view text);
void append_json_number(std::string& out, double number);
void append_json_number(std::string& out, std::int64_t number);
void append_json_number(std::string& out, std::uint64_t number);
void append_json_value(std::string& out, const json_value& value);

}  // namespace pulsewire
