#pragma once

// The wire forms of the program's own types, made from their descriptions (describe.hpp).

#include "common/message/describe.hpp"
#include "common/message/wire_containers.hpp"
#include "common/message/wire_form.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

namespace pulsewire {

// An object with its fields in the order of the description. Fields are read in any order. Unknown fields are
// ignored, so that newer senders can add some. A missing field is an error unless it is a std::optional: use
// that for fields which older senders do not know.
template <described_struct T>
struct wire_form<T> {
    static std::string expected() { return "object"; }

    static void write(std::string& out, const T& value) {
        out += '{';
        std::apply(
            [&](const auto&... field) { (write_field(out, value.*field.member, field.name), ...); },
            description_of<T>.fields
        );
        out += '}';
    }

    static bool read(json_value& json, T& out, payload_error& error) {
        if (!json.is_object()) return refuse(error, expected(), kind_of(json));
        [[maybe_unused]] auto& object = *json.get_ptr<json_value::object_t*>();
        return std::apply(
            [&](const auto&... field) {
                return (read_field(object, out.*field.member, field.name, error) && ...);
            },
            description_of<T>.fields
        );
    }

private:
    template <class Member>
    static void write_field(std::string& out, const Member& member, std::string_view name) {
        require_wire_type<Member>();
        if constexpr (is_optional<Member>) {
            if (!member) return;
        }
        // No value's text ends with an opening brace, so a brace here is this object's
        // own and the field is its first.
        if (out.back() != '{') out += ',';
        out += '"';
        out += name;
        out += "\":";
        wire_form<Member>::write(out, member);
    }

    template <class Member>
    static bool read_field(
        json_value::object_t& object, Member& member, std::string_view name, payload_error& error
    ) {
        require_wire_type<Member>();
        auto found = object.find(name);
        bool fits = false;
        if (found != object.end()) {
            fits = wire_form<Member>::read(found->second, member, error);
        } else if constexpr (is_optional<Member>) {
            member.reset();
            fits = true;
        } else {
            refuse(error, wire_form<Member>::expected(), "nothing");
        }
        if (!fits) within(error, name);
        return fits;
    }
};

// The struct has the form of its only member.
template <described_value T>
struct wire_form<T> {
    using member_type = typename decltype(pulsewire_describe(describing<T>{}))::member_type;

    static std::string expected() {
        require_wire_type<member_type>();
        return wire_form<member_type>::expected();
    }
    static void write(std::string& out, const T& value) {
        wire_form<member_type>::write(out, value.*description_of<T>.member);
    }
    static bool read(json_value& json, T& out, payload_error& error) {
        return wire_form<member_type>::read(json, out.*description_of<T>.member, error);
    }
};

// The enumerator's name as a string. A value without a name (a cast integer)
// has no form and is written as null.
template <described_enum T>
struct wire_form<T> {
    static std::string expected() {
        std::string names;
        for (const auto& enumerator : description_of<T>.enumerators) {
            if (!names.empty()) names += ", ";
            append_json_string(names, enumerator.name);
        }
        return "one of " + names;
    }
    static void write(std::string& out, T value) {
        for (const auto& enumerator : description_of<T>.enumerators) {
            if (enumerator.value == value) return append_json_string(out, enumerator.name);
        }
        out += "null";
    }
    static bool read(json_value& json, T& out, payload_error& error) {
        if (!json.is_string()) return refuse(error, expected(), kind_of(json));
        const auto& name = *json.get_ptr<const std::string*>();
        for (const auto& enumerator : description_of<T>.enumerators) {
            if (enumerator.name == name) {
                out = enumerator.value;
                return true;
            }
        }
        return refuse(error, expected(), shown(name));
    }

private:
    // The text comes from the sender and goes into an error: quoted, and only where it is short.
    static std::string shown(const std::string& name) {
        constexpr std::size_t shown_bytes_max = 40;
        if (name.size() > shown_bytes_max) return "a string of " + std::to_string(name.size()) + " bytes";
        std::string quoted;
        append_json_string(quoted, name);
        return quoted;
    }
};

}  // namespace pulsewire
