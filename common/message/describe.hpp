#pragma once

// One line describes a type to Pulsewire. It follows the type directly, in the same namespace.
//
//   struct chat_message { std::string user; std::string text; std::optional<std::string> reply_to; };
//   PULSEWIRE_MESSAGE(chat_message, "chat.message", user, text, reply_to)
//
//   PULSEWIRE_MESSAGE(struct, "name", fields...)     a message; its payload is an object with these fields
//   PULSEWIRE_FIELDS(struct, fields...)              an object in messages, or the answer to a request
//   PULSEWIRE_VALUE_MESSAGE(struct, "name", member)  a message; its payload is that member alone, no object
//   PULSEWIRE_VALUE(struct, member)                  the same in messages: a type of its own around a value
//   PULSEWIRE_ENUM(enum, enumerators...)             the enumerators' names, as strings
//
// At most 64 fields or enumerators. A field has the same name on the wire as in C++, so it cannot be a C++
// keyword. A message without fields has the payload {}. A type nested in a class is described at namespace
// scope as outer::inner. The lines need no semicolon. A description is not inherited: each derived struct has
// one of its own, which may name the fields of the base.

#include "common/message/describe_macros.hpp"
#include "common/message/message_name.hpp"

#include <array>
#include <cstddef>
#include <string_view>
#include <tuple>
#include <type_traits>

namespace pulsewire {

// The parameter type on which the functions of the macros are overloaded. It brings T's namespace into
// argument-dependent lookup. Unlike a pointer to T it does not convert, so a derived struct never uses the
// description of its base unnoticed.
template <class T>
struct describing {};

template <class Owner, class Member>
struct described_field {
    using member_type = Member;
    std::string_view name;
    Member Owner::*member;
};

template <class Enum>
struct described_enumerator {
    std::string_view name;
    Enum value;
};

enum class description_kind { structure, value, enumeration };

// The three descriptions. `type_name` is the C++ name as written in the
// macro; views refer to string literals.
template <class... Fields>
struct struct_description {
    static constexpr description_kind kind = description_kind::structure;
    std::string_view type_name;
    std::tuple<Fields...> fields;
};
template <class Owner, class Member>
struct value_description {
    static constexpr description_kind kind = description_kind::value;
    using member_type = Member;
    std::string_view type_name;
    Member Owner::*member;
};
template <class Enum, std::size_t Count>
struct enum_description {
    static constexpr description_kind kind = description_kind::enumeration;
    std::string_view type_name;
    std::array<described_enumerator<Enum>, Count> enumerators;
};

template <class T>
concept described = requires {
    pulsewire_describe(describing<T>{});
};

template <described T>
inline constexpr auto description_of = pulsewire_describe(describing<T>{});

template <class T>
concept described_struct =
    described<T> && decltype(pulsewire_describe(describing<T>{}))::kind == description_kind::structure;
template <class T>
concept described_value =
    described<T> && decltype(pulsewire_describe(describing<T>{}))::kind == description_kind::value;
template <class T>
concept described_enum =
    described<T> && decltype(pulsewire_describe(describing<T>{}))::kind == description_kind::enumeration;

// A type that can be published, received and requested: it has a description and a message name.
template <class T>
concept message_type = described<T> && requires {
    pulsewire_message_name(describing<T>{});
};

template <message_type T>
inline constexpr std::string_view message_name = pulsewire_message_name(describing<T>{});

// Functions and not constructors, because clang 14 does not deduce an aggregate's template arguments.
namespace detail {
template <class Owner, class Member>
constexpr described_field<Owner, Member> describe_field(std::string_view name, Member Owner::*member) {
    return {name, member};
}
template <class... Fields>
constexpr struct_description<Fields...> describe_struct(std::string_view type_name, Fields... fields) {
    return {type_name, {fields...}};
}
template <class Owner, class Member>
constexpr value_description<Owner, Member> describe_value(
    std::string_view type_name, described_field<Owner, Member> only
) {
    return {type_name, only.member};
}
template <class Enum>
constexpr described_enumerator<Enum> describe_enumerator(std::string_view name, Enum value) {
    return {name, value};
}
// Stands in for a field that the struct does not have, after the macro has reported it: what follows would
// hide the report.
struct no_such_field {};
template <class Owner>
constexpr described_field<Owner, no_such_field> describe_missing_field(std::string_view name) {
    return {name, nullptr};
}
template <class Enum, class... Enumerators>
constexpr enum_description<Enum, sizeof...(Enumerators)> describe_enum(
    std::string_view type_name, Enumerators... values
) {
    static_assert(std::is_enum_v<Enum>, "PULSEWIRE_ENUM describes an enum");
    static_assert(sizeof...(Enumerators) > 0, "PULSEWIRE_ENUM needs the enumerators");
    return {type_name, {values...}};
}
}  // namespace detail

}  // namespace pulsewire
