#pragma once

// The TypeScript types of the messages, written from their C++ descriptions, so that the two cannot drift.
//
//   typescript_writer writer;
//   writer.message<chat_message>().request<add, sum>();
//   auto module = writer.str();                          // result<std::string, typescript_error>
//
//   export interface Add { a: number; b: number; }       (each field on a line of its own)
//   export interface ChatMessage { user: string; text: string; reply_to?: string | null; }
//   export interface Sum { value: number; }
//   export interface Messages { "chat.message": ChatMessage; }
//   export interface Requests { "sum.add": { request: Add; response: Sum }; }
//
// Messages has the types of a channel's messages, Requests those of requests and answers. Both
// are always present, even if empty.
//
// C++                                      TypeScript
//   struct chat_message                    interface ChatMessage; of outer::inner, Inner
//   a message without fields               type Ping = Record<string, never>
//   PULSEWIRE_VALUE text_line              type TextLine = string
//   enum colour { red, green }             type Colour = "red" | "green"
//   std::optional<T>                       as a field: name?: T | null; elsewhere: T | null
//   std::vector<T>, std::array<T, N>       T[]; [T, T, T] for up to 8 elements
//   std::map<std::string, T>               Record<string, T>
//   integers, float, double                number; where 64-bit integers are inside, a comment warns that
//                                          JavaScript keeps them exact only up to 2^53 (send ids as strings)
//   json_value                             unknown
//   a type with a wire_form of its own     what its `typescript` member says
//
// Fields keep their names on the wire. The text depends only on the declarations and not on their order:
// everything is sorted by name. It differs between platforms where integer types do (long).

#include "common/base/result.hpp"
#include "common/message/describe.hpp"
#include "common/message/payload.hpp"

#include <array>
#include <concepts>
#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace pulsewire {

// Declarations that cannot be in one module, in the order in which they were found.
struct typescript_error {
    // One sentence for each collision and its remedy, followed by the two declarations if they differ.
    std::vector<std::string> conflicts;

    // All conflicts, each on a line of its own.
    std::string message() const;
};

// A type expression, as it is written after "name: ".
struct typescript_type {
    std::string text;
    bool holds_64_bit_integers = false;
    bool is_union = false;  // needs parentheses before []
};

// Collects message types and all types inside them. Declaring a type again changes nothing. Two structs may
// share an interface name only if their TypeScript is the same; otherwise, and when two types have one
// message name, str() is an error.
class typescript_writer {
public:
    template <message_type T>
    typescript_writer& message();

    // The answer to a request needs no message name: any wire type will do.
    template <message_type Request, wire_type Response>
    typescript_writer& request();

    // A message whose type is declared elsewhere, by a schema: the expression for its payload, and the
    // declarations that it needs, as names with their texts.
    typescript_writer& message(
        std::string_view name, const std::string& type,
        const std::vector<std::pair<std::string, std::string>>& declarations
    );

    // A message whose payload is bytes (docs/protocol.md 2.5).
    typescript_writer& bytes(std::string_view name);

    // The expression for a T where it is used. Declares the interfaces that the expression names.
    template <wire_type T>
    typescript_type type();

    // The module, or the conflicts that prevent it.
    result<std::string, typescript_error> str() const;

private:
    struct field {
        std::string_view name;
        typescript_type type;
        bool optional;
    };
    // The address of this identifies T without RTTI.
    template <class T>
    static constexpr char identity_of = 0;

    template <described T>
    std::string declare();
    template <class Member>
    field field_of(std::string_view name);

    static std::string subject_of(std::string_view type_name);
    static std::string interface_name(std::string_view type_name);
    static std::string interface_text(const std::string& name, const std::vector<field>& fields);
    static std::string alias_text(const std::string& name, const typescript_type& type);
    static typescript_type nullable(typescript_type type);
    static typescript_type array_of(const typescript_type& element);
    static typescript_type tuple_of(const typescript_type& element, std::size_t count);
    static typescript_type record_of(const typescript_type& value);

    void add_declaration(const std::string& name, const std::string& subject, const std::string& text);
    void add_entry(
        std::map<std::string, std::string>& entries, std::string_view kind, std::string_view name,
        const std::string& text
    );

    std::set<const void*> declared_;                   // the types, by identity; ends recursion
    std::map<std::string, std::string> declarations_;  // interface name -> its text
    std::map<std::string, std::string> messages_;      // message name -> type expression
    std::map<std::string, std::string> requests_;      // message name -> { request: ...; response: ... }
    std::vector<std::string> conflicts_;
    bool has_schemas_ = false;
};

template <message_type T>
typescript_writer& typescript_writer::message() {
    add_entry(messages_, "message", message_name<T>, type<T>().text);
    return *this;
}

template <message_type Request, wire_type Response>
typescript_writer& typescript_writer::request() {
    std::string text = "{ request: " + type<Request>().text + "; response: " + type<Response>().text + " }";
    add_entry(requests_, "request", message_name<Request>, text);
    return *this;
}

namespace detail {
template <class T>
inline constexpr std::size_t array_size = 0;
template <class T, std::size_t Count>
inline constexpr std::size_t array_size<std::array<T, Count>> = Count;

template <class T>
concept string_map = requires {
    typename T::mapped_type;
}
&&std::same_as<typename T::key_type, std::string>;
}  // namespace detail

template <wire_type T>
typescript_type typescript_writer::type() {
    if constexpr (requires { wire_form<T>::typescript; }) {
        std::string_view text = wire_form<T>::typescript;
        return {
            std::string(text), wire_integer<T> && sizeof(T) == 8, text.find('|') != std::string_view::npos};
    } else if constexpr (described<T>) {
        return {declare<T>(), false, false};
    } else if constexpr (is_optional<T>) {
        return nullable(type<typename T::value_type>());
    } else if constexpr (detail::array_size<T> > 0 && detail::array_size<T> <= 8) {
        return tuple_of(type<typename T::value_type>(), detail::array_size<T>);
    } else if constexpr (detail::string_map<T>) {
        return record_of(type<typename T::mapped_type>());
    } else {
        return array_of(type<typename T::value_type>());
    }
}

template <described T>
std::string typescript_writer::declare() {
    std::string_view type_name = description_of<T>.type_name;
    std::string name = interface_name(type_name);
    if (!declared_.insert(&identity_of<T>).second) return name;
    if constexpr (described_enum<T>) {
        typescript_type names;
        for (const auto& enumerator : description_of<T>.enumerators) {
            if (!names.text.empty()) names.text += " | ";
            append_json_string(names.text, enumerator.name);
        }
        add_declaration(name, subject_of(type_name), alias_text(name, names));
    } else if constexpr (described_value<T>) {
        add_declaration(
            name, subject_of(type_name), alias_text(name, type<typename wire_form<T>::member_type>())
        );
    } else {
        auto fields = std::apply(
            [&](const auto&... each) {
                return std::vector<field>{
                    field_of<typename std::decay_t<decltype(each)>::member_type>(each.name)...};
            },
            description_of<T>.fields
        );
        add_declaration(name, subject_of(type_name), interface_text(name, fields));
    }
    return name;
}

template <class Member>
typescript_writer::field typescript_writer::field_of(std::string_view name) {
    return {name, type<Member>(), is_optional<Member>};
}

}  // namespace pulsewire
