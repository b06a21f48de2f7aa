#pragma once

// wire_form<T> defines the JSON of a T. Every field type has one, built from these parts. A program may
// specialise it for a type of its own, after the type and before its first use:
//
//   template <>
//   struct pulsewire::wire_form<user_id> {
//       // Its TypeScript type.
//       static constexpr std::string_view typescript = "string";
//       // Its name in errors.
//       static std::string expected() { return "user id"; }
//       // Appends JSON text.
//       static void write(std::string& out, const user_id& id);
//       // False after refuse(), which records the fault.
//       static bool read(json_value& json, user_id& out, payload_error& error);
//   };
//
// read() may move from `json`; when it fails, `out` is in any valid state. Only allocations may throw.

#include "common/base/payload_error.hpp"
#include "common/message/json.hpp"

#include <concepts>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace pulsewire {

template <class T>
struct wire_form;

template <class T>
concept wire_type = std::default_initializable<T> &&
    requires(std::string& text, const T& value, json_value& json, T& target, payload_error& error) {
    { wire_form<T>::expected() } -> std::same_as<std::string>;
    wire_form<T>::write(text, value);
    { wire_form<T>::read(json, target, error) } -> std::same_as<bool>;
};

// Used where a type in a description may have no form, so that the compiler shows this sentence first.
template <class T>
constexpr void require_wire_type() {
    static_assert(
        wire_type<T>, "this type cannot stand in a message: common/message/message.hpp lists those that can"
    );
}

template <>
struct wire_form<bool> {
    static constexpr std::string_view typescript = "boolean";
    static std::string expected() { return "boolean"; }
    static void write(std::string& out, bool value) { out += value ? "true" : "false"; }
    static bool read(json_value& json, bool& out, payload_error& error) {
        if (!json.is_boolean()) return refuse(error, expected(), kind_of(json));
        out = *json.get_ptr<bool*>();
        return true;
    }
};

template <>
struct wire_form<std::string> {
    static constexpr std::string_view typescript = "string";
    static std::string expected() { return "string"; }
    static void write(std::string& out, const std::string& value) { append_json_string(out, value); }
    static bool read(json_value& json, std::string& out, payload_error& error) {
        if (!json.is_string()) return refuse(error, expected(), kind_of(json));
        out = std::move(*json.get_ptr<std::string*>());
        return true;
    }
};

// Any value, including null. An absent field is still an error, unless the type is std::optional<json_value>.
template <>
struct wire_form<json_value> {
    static constexpr std::string_view typescript = "unknown";
    static std::string expected() { return "any value"; }
    static void write(std::string& out, const json_value& value) { append_json_value(out, value); }
    static bool read(json_value& json, json_value& out, payload_error&) {
        out = std::move(json);
        return true;
    }
};

// Not the character types: whether a char is a number or a letter would be a guess.
template <class T>
concept wire_integer =
    std::integral<T> && !std::same_as<T, bool> && !std::same_as<T, char> && !std::same_as<T, wchar_t> &&
    !std::same_as<T, char8_t> && !std::same_as<T, char16_t> && !std::same_as<T, char32_t>;

// The integer value of a JSON number: 2, 2.0 and 2e0 are the same. False when it is outside of T's range.
template <wire_integer T>
bool read_integer(const json_value& json, T& out) {
    auto fits = [&out](auto number) {
        if (!std::in_range<T>(number)) return false;
        out = static_cast<T>(number);
        return true;
    };
    if (json.is_number_unsigned()) return fits(*json.get_ptr<const std::uint64_t*>());
    if (json.is_number_integer()) return fits(*json.get_ptr<const std::int64_t*>());
    double number = *json.get_ptr<const double*>();
    if (number >= -0x1p63 && number < 0x1p63) return fits(static_cast<std::int64_t>(number));
    if (number >= 0x1p63 && number < 0x1p64) return fits(static_cast<std::uint64_t>(number));
    return false;
}

template <wire_integer T>
struct wire_form<T> {
    static constexpr std::string_view typescript = "number";
    static std::string expected() { return "integer"; }
    static void write(std::string& out, T value) {
        using widest = std::conditional_t<std::is_signed_v<T>, std::int64_t, std::uint64_t>;
        append_json_number(out, static_cast<widest>(value));
    }
    static bool read(json_value& json, T& out, payload_error& error) {
        if (!json.is_number()) return refuse(error, expected(), kind_of(json));
        if (has_fraction(json)) return refuse(error, expected(), json.dump());
        if (read_integer(json, out)) return true;
        std::string from = std::to_string(std::numeric_limits<T>::min());
        std::string to = std::to_string(std::numeric_limits<T>::max());
        return refuse(error, "integer from " + from + " to " + to, json.dump());
    }

private:
    static bool has_fraction(const json_value& json) {
        if (!json.is_number_float()) return false;
        double number = *json.get_ptr<const double*>();
        // Doubles from 2^53 on are whole numbers.
        return number > -0x1p53 && number < 0x1p53 &&
               static_cast<double>(static_cast<std::int64_t>(number)) != number;
    }
};

// float and double. NaN and the infinities have no JSON form: they are written as null, as JSON.stringify
// does, and a reader refuses null; a field that may lack a number is an std::optional<double>. Integers from
// 2^53 on are rounded.
template <class T>
requires std::same_as<T, float> || std::same_as<T, double>
struct wire_form<T> {
    static constexpr std::string_view typescript = "number";
    static std::string expected() { return "number"; }
    static void write(std::string& out, T value) { append_json_number(out, static_cast<double>(value)); }
    static bool read(json_value& json, T& out, payload_error& error) {
        if (!json.is_number()) return refuse(error, expected(), kind_of(json));
        double number = json.get<double>();
        if (number < std::numeric_limits<T>::lowest() || number > std::numeric_limits<T>::max()) {
            return refuse(error, "number that fits a float", json.dump());
        }
        out = static_cast<T>(number);
        return true;
    }
};

}  // namespace pulsewire
