#pragma once

// JSON as the typed messages need it: a bounded parser, and the writing of single values.

#include "common/base/result.hpp"
#include "common/message/payload_error.hpp"

#include <nlohmann/json.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace pulsewire {

// "Anything": also a field type of messages. A number without fraction or exponent is kept as a 64-bit
// integer where it fits, every other number as a double.
using json_value = nlohmann::json;

// Arrays and objects inside each other. A deeper payload is refused as soon as the 33rd level opens.
inline constexpr std::size_t payload_depth_max = 32;

// Parses exactly one JSON text (RFC 8259); time and memory grow linearly with its length. In an object the
// last of equal keys wins. Strings hold valid UTF-8: bytes that are not, and escapes of lone surrogates, are
// malformed. So are a byte order mark and a NUL byte, as for JSON.parse. `json` is not kept.
//
// Errors, all with empty type and pointer:
//   expected "JSON"                            found "malformed JSON at byte 17"
//   expected "numbers that fit a double"       found "a larger one at byte 9"      (1e999)
//   expected "JSON at most 32 levels deep"     found "a deeper level"
// Bytes are counted from 1; a text that stops too early is malformed one byte behind its end.
result<json_value, payload_error> parse_json(std::string_view json);

// What error texts call the value: null, boolean, number, string, array or object.
std::string kind_of(const json_value& value);

// Append a value's compact JSON text, which never contains a raw newline. Invalid UTF-8 is written as U+FFFD;
// what has no JSON form (NaN, infinities, a discarded json_value) as null.
void append_json_string(std::string& out, std::string_view text);
void append_json_number(std::string& out, double number);
void append_json_number(std::string& out, std::int64_t number);
void append_json_number(std::string& out, std::uint64_t number);
void append_json_value(std::string& out, const json_value& value);

}  // namespace pulsewire
