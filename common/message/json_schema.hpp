#pragma once

// The messages as JSON Schema, written from their C++ descriptions: for programs in other languages, and for
// servers without C++, where they may stand in the setting "types" (docs/schemas.md).
//
//   schema_writer().message<chat_message>().str()
//
//   {
//     "chat.message":
//     {"type":"object","properties":{"user":{"type":"string"},"reply_to":{"type":["string","null"]}},
//                      "required":["user"]}
//   }
//
// A payload fits such a schema where decode_payload() takes it. Two things differ: of several members of one
// name every one must fit and not only the last, and a type with a wire_form of its own is anything, unless
// the form has a member `json_schema` with its schema as text.
//
// C++                                      JSON Schema
//   bool, std::string                      boolean, string
//   integers                               integer, with the least and the greatest
//   float, double                          number; a float with its bounds
//   std::optional<T>                       T or null; as a field not required
//   std::vector<T>, std::array<T, N>       array of T; of exactly N
//   std::map<std::string, T>               object with T for every member
//   PULSEWIRE_FIELDS, PULSEWIRE_MESSAGE    object; a type inside another one is in "$defs"
//   PULSEWIRE_VALUE, PULSEWIRE_VALUE_MESSAGE   the schema of the member
//   PULSEWIRE_ENUM                         the enumerators' names
//   json_value                             true

#include "common/message/describe.hpp"
#include "common/message/typescript.hpp"
#include "common/message/wire_described.hpp"

#include <array>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>

namespace pulsewire {

// The schema of one type, with those that it refers to.
class schema_of_type {
public:
    // The text of a schema document for T.
    template <wire_type T>
    static std::string document() {
        schema_of_type all;
        std::string text;
        if constexpr (described_struct<T>) {
            text = all.object<T>("\"object\"");
        } else {
            text = all.schema<T>(false);
        }
        if (all.definitions_.empty()) return text;
        // Every schema here but `true` is an object, and one with definitions is no `true`.
        text.pop_back();
        text += text.back() == '{' ? "" : ",";
        text += "\"$defs\":{";
        for (std::string_view between; const auto& [name, definition] : all.definitions_) {
            text += between;
            between = ",";
            append_json_string(text, name);
            text += ':' + definition;
        }
        return text + "}}";
    }

private:
    // The address of this identifies T without RTTI.
    template <class T>
    static constexpr char identity_of = 0;

    // The schema of a T where it is used; `nullable` adds null.
    template <wire_type T>
    std::string schema(bool nullable) {
        if constexpr (is_optional<T>) {
            return schema<typename T::value_type>(true);
        } else if constexpr (described_struct<T>) {
            return reference<T>(nullable);
        } else if constexpr (described_value<T>) {
            return schema<typename wire_form<T>::member_type>(nullable);
        } else if constexpr (described_enum<T>) {
            return choices<T>(nullable);
        } else if constexpr (std::is_same_v<T, json_value>) {
            return "true";
        } else if constexpr (requires { wire_form<T>::json_schema; }) {
            return std::string(wire_form<T>::json_schema);
        } else if constexpr (std::is_same_v<T, bool>) {
            return of_type("boolean", nullable) + "}";
        } else if constexpr (std::is_same_v<T, std::string>) {
            return of_type("string", nullable) + "}";
        } else if constexpr (wire_integer<T>) {
            return of_type("integer", nullable) +
                   ",\"minimum\":" + std::to_string(std::numeric_limits<T>::min()) +
                   ",\"maximum\":" + std::to_string(std::numeric_limits<T>::max()) + "}";
        } else if constexpr (std::is_floating_point_v<T>) {
            return of_type("number", nullable) + bounds_of_number<T>() + "}";
        } else if constexpr (detail::array_size<T> > 0) {
            const std::string count = std::to_string(detail::array_size<T>);
            return of_type("array", nullable) + ",\"items\":" + schema<typename T::value_type>(false) +
                   ",\"minItems\":" + count + ",\"maxItems\":" + count + "}";
        } else if constexpr (detail::string_map<T>) {
            return of_type("object", nullable) +
                   ",\"additionalProperties\":" + schema<typename T::mapped_type>(false) + "}";
        } else if constexpr (!std::is_void_v<typename wire_element<T>::type>) {
            return of_type("array", nullable) + ",\"items\":" + schema<typename T::value_type>(false) + "}";
        } else {
            return "true";
        }
    }

    static std::string of_type(std::string_view name, bool nullable) {
        const std::string quoted = '"' + std::string(name) + '"';
        return "{\"type\":" + (nullable ? "[" + quoted + ",\"null\"]" : quoted);
    }

    template <class T>
    static std::string bounds_of_number() {
        if constexpr (std::is_same_v<T, double>) return {};
        std::string max;
        append_json_number(max, static_cast<double>(std::numeric_limits<T>::max()));
        return ",\"minimum\":-" + max + ",\"maximum\":" + max;
    }

    template <described_enum T>
    static std::string choices(bool nullable) {
        std::string text = "{\"enum\":[";
        for (std::string_view between; const auto& one : description_of<T>.enumerators) {
            text += between;
            between = ",";
            append_json_string(text, one.name);
        }
        return text + (nullable ? ",null]}" : "]}");
    }

    // A struct that may be null too is a definition of its own, since nothing stands beside a reference.
    template <described_struct T>
    std::string reference(bool nullable) {
        const std::string type_name(description_of<T>.type_name);
        const auto identity = std::pair<const void*, bool>(&identity_of<T>, nullable);
        auto known = names_.find(identity);
        if (known == names_.end()) {
            std::string name = type_name + (nullable ? " or null" : "");
            for (int number = 2; definitions_.count(name) != 0; ++number)
                name = type_name + (nullable ? " or null " : " ") + std::to_string(number);
            known = names_.emplace(identity, name).first;
            definitions_[name];  // taken before the fields are read, because they may refer to it
            definitions_[name] = object<T>(nullable ? "[\"object\",\"null\"]" : "\"object\"");
        }
        std::string text = "{\"$ref\":";
        append_json_string(text, "#/$defs/" + in_fragment(known->second));
        return text + "}";
    }

    // Of the characters in names of C++ types and above, only a space needs an escape in a URI.
    static std::string in_fragment(std::string_view name) {
        std::string text;
        for (const char c : name) text += c == ' ' ? std::string("%20") : std::string(1, c);
        return text;
    }

    template <described_struct T>
    std::string object(std::string_view type) {
        std::string properties, required;
        std::apply(
            [&](const auto&... field) {
                (add_field<typename std::decay_t<decltype(field)>::member_type>(
                     field.name, properties, required
                 ),
                 ...);
            },
            description_of<T>.fields
        );
        std::string text = "{\"type\":" + std::string(type);
        if (!properties.empty()) text += ",\"properties\":{" + properties + "}";
        if (!required.empty()) text += ",\"required\":[" + required + "]";
        return text + "}";
    }

    template <wire_type Member>
    void add_field(std::string_view name, std::string& properties, std::string& required) {
        std::string quoted;
        append_json_string(quoted, name);
        properties += (properties.empty() ? "" : ",") + quoted + ":" + schema<Member>(false);
        if constexpr (!is_optional<Member>) required += (required.empty() ? "" : ",") + quoted;
    }

    std::map<std::string, std::string> definitions_;
    std::map<std::pair<const void*, bool>, std::string> names_;
};

// Collects the schemas of messages.
class schema_writer {
public:
    template <message_type T>
    schema_writer& message() {
        schemas_[std::string(message_name<T>)] = schema_of_type::document<T>();
        return *this;
    }

    // A message whose payload is bytes (docs/protocol.md 2.5), as the setting "types" says it.
    schema_writer& bytes(std::string_view name) {
        schemas_[std::string(name)] = "\"binary\"";
        return *this;
    }

    // One JSON object, a message on each line, sorted by name.
    std::string str() const {
        std::string text = "{";
        for (std::string_view between = "\n"; const auto& [name, schema] : schemas_) {
            text += between;
            between = ",\n";
            text += "  \"" + name + "\": " + schema;  // names need no escape (message_name.hpp)
        }
        return text + "\n}\n";
    }

private:
    std::map<std::string, std::string> schemas_;
};

}  // namespace pulsewire
