#pragma once

// The conversion of a typed payload to its JSON text and back.

#include "common/base/result.hpp"
#include "common/message/describe.hpp"
#include "common/message/wire_described.hpp"

#include <string>
#include <string_view>
#include <utility>

namespace pulsewire {

// The name of T in errors: the message name, else the C++ name of a described type, else nothing.
template <wire_type T>
constexpr std::string_view payload_name() {
    if constexpr (message_type<T>) {
        return message_name<T>;
    } else if constexpr (described<T>) {
        return description_of<T>.type_name;
    } else {
        return {};
    }
}

// Appends compact JSON: one line, no spaces, fields in the order of the description. It takes every wire
// type, so that the answer to a request can be a plain std::vector<int>. It cannot fail: bytes that are not
// UTF-8 are replaced by U+FFFD, and NaN, infinities and nameless enum values by null. Nesting is not limited
// here, but the receiver refuses more than payload_depth_max levels.
template <wire_type T>
void append_payload(std::string& out, const T& value) {
    wire_form<T>::write(out, value);
}

template <wire_type T>
std::string encode_payload(const T& value) {
    std::string json;
    append_payload(json, value);
    return json;
}

// Reads a value that is parsed already, such as the content of a json_value
// field or a part of a configuration.
template <wire_type T>
result<T, payload_error> decode_value(json_value json) {
    T value{};
    payload_error error;
    if (wire_form<T>::read(json, value, error)) return value;
    error.type = payload_name<T>();
    return failure{std::move(error)};
}

// Reads one JSON text. The first value that does not fit, in the order of the description, is the error. The
// result owns everything; `json` is not kept. Memory: some 25 bytes for each byte of `json`, and one struct
// for each element: "[{},{},...]" fills a vector of a struct with only optional fields at three bytes each.
template <wire_type T>
result<T, payload_error> decode_payload(std::string_view json) {
    auto parsed = parse_json(json);
    if (parsed) return decode_value<T>(std::move(*parsed));
    auto error = std::move(parsed).error();
    error.type = payload_name<T>();
    return failure{std::move(error)};
}

}  // namespace pulsewire
