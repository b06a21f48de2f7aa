#pragma once

// The wire forms of the standard containers: null or a value, arrays, and objects with any keys.

#include "common/base/base64.hpp"
#include "common/message/wire_form.hpp"

#include <array>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace pulsewire {

template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;

// Bytes inside JSON are a string of base64 (RFC 4648 section 4). A payload that is nothing but bytes travels
// without it: server::publish_bytes().
template <>
struct wire_form<std::vector<std::byte>> {
    static constexpr std::string_view typescript = "string";
    static constexpr std::string_view json_schema = R"({"type":"string"})";
    static std::string expected() { return "string of base64"; }
    static void write(std::string& out, const std::vector<std::byte>& value) {
        out += '"';
        out += to_base64({reinterpret_cast<const char*>(value.data()), value.size()});
        out += '"';
    }
    static bool read(json_value& json, std::vector<std::byte>& out, payload_error& error) {
        if (!json.is_string()) return refuse(error, expected(), kind_of(json));
        std::string bytes;
        if (!append_from_base64(bytes, *json.get_ptr<std::string*>()))
            return refuse(error, expected(), "another string");
        const auto* first = reinterpret_cast<const std::byte*>(bytes.data());
        out.assign(first, first + bytes.size());
        return true;
    }
};

// The type of the elements, where T is one of the containers below; otherwise void.
template <class T>
struct wire_element {
    using type = void;
};
template <class T>
struct wire_element<std::optional<T>> {
    using type = T;
};
template <class T>
struct wire_element<std::vector<T>> {
    using type = T;
};
template <class T, std::size_t Count>
struct wire_element<std::array<T, Count>> {
    using type = T;
};
template <class T>
struct wire_element<std::map<std::string, T>> {
    using type = T;
};
template <class T>
struct wire_element<std::unordered_map<std::string, T>> {
    using type = T;
};

// An empty optional is null. As a field of a struct it is left out when written, and an absent field is read
// as empty (wire_described.hpp).
template <class T>
struct wire_form<std::optional<T>> {
    static_assert(!is_optional<T>, "null cannot say which of the two optionals is empty");

    static std::string expected() { return wire_form<T>::expected() + " or null"; }
    static void write(std::string& out, const std::optional<T>& value) {
        require_wire_type<T>();
        if (value) {
            wire_form<T>::write(out, *value);
        } else {
            out += "null";
        }
    }
    static bool read(json_value& json, std::optional<T>& out, payload_error& error) {
        require_wire_type<T>();
        if (json.is_null()) {
            out.reset();
            return true;
        }
        T value{};
        if (!wire_form<T>::read(json, value, error)) return false;
        out = std::move(value);
        return true;
    }
};

// Appends '[', the elements and ']'. It takes any range, so that vector<bool> needs no case of its own.
template <class T, class Range>
void write_array(std::string& out, const Range& values) {
    require_wire_type<T>();
    out += '[';
    bool first = true;
    for (const auto& value : values) {
        if (!first) out += ',';
        first = false;
        wire_form<T>::write(out, value);
    }
    out += ']';
}

// Memory is not reserved but grows as elements are read. Otherwise a payload of 1 MB could claim a million
// large structs before its first element turns out to be wrong.
template <class T>
struct wire_form<std::vector<T>> {
    static std::string expected() { return "array"; }
    static void write(std::string& out, const std::vector<T>& values) { write_array<T>(out, values); }
    static bool read(json_value& json, std::vector<T>& out, payload_error& error) {
        require_wire_type<T>();
        if (!json.is_array()) return refuse(error, expected(), kind_of(json));
        out.clear();
        for (std::size_t index = 0; index < json.size(); ++index) {
            T element{};
            if (!wire_form<T>::read(json[index], element, error)) {
                within(error, index);
                return false;
            }
            out.push_back(std::move(element));
        }
        return true;
    }
};

// Exactly Count elements.
template <class T, std::size_t Count>
struct wire_form<std::array<T, Count>> {
    static std::string expected() { return "array of " + std::to_string(Count); }
    static void write(std::string& out, const std::array<T, Count>& values) { write_array<T>(out, values); }
    static bool read(json_value& json, std::array<T, Count>& out, payload_error& error) {
        require_wire_type<T>();
        if (!json.is_array()) return refuse(error, expected(), kind_of(json));
        if (json.size() != Count) return refuse(error, expected(), "array of " + std::to_string(json.size()));
        for (std::size_t index = 0; index < Count; ++index) {
            if (!wire_form<T>::read(json[index], out[index], error)) {
                within(error, index);
                return false;
            }
        }
        return true;
    }
};

// std::map and std::unordered_map with std::string keys. Written in the container's own order.
template <class Map, class T>
struct wire_map_form {
    static std::string expected() { return "object"; }
    static void write(std::string& out, const Map& entries) {
        require_wire_type<T>();
        out += '{';
        bool first = true;
        for (const auto& [key, value] : entries) {
            if (!first) out += ',';
            first = false;
            append_json_string(out, key);
            out += ':';
            wire_form<T>::write(out, value);
        }
        out += '}';
    }
    static bool read(json_value& json, Map& out, payload_error& error) {
        require_wire_type<T>();
        if (!json.is_object()) return refuse(error, expected(), kind_of(json));
        out.clear();
        for (auto& [key, value] : *json.get_ptr<json_value::object_t*>()) {
            if (!wire_form<T>::read(value, out[key], error)) {
                within(error, key);
                return false;
            }
        }
        return true;
    }
};
template <class T>
struct wire_form<std::map<std::string, T>> : wire_map_form<std::map<std::string, T>, T> {};
template <class T>
struct wire_form<std::unordered_map<std::string, T>> : wire_map_form<std::unordered_map<std::string, T>, T> {
};

}  // namespace pulsewire
