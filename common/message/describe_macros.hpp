#pragma once

// The macros of describe.hpp, which has their documentation.
//
// A field that the struct does not have is reported by one sentence that names both, and then stands for a
// field without content, since every use of a description that is none would be an error of its own. For the
// compiler this is a header of the system: otherwise it would show some hundred steps of the macros below
// each error, and the sentence would be lost among them. It holds nothing but macros, so no warning about
// code is lost.
#pragma GCC system_header

#include "common/message/for_each_argument.hpp"

#define PULSEWIRE_FIELDS(Type, ...)                                                              \
    [[maybe_unused]] constexpr auto pulsewire_describe(::pulsewire::describing<Type>) {          \
        return ::pulsewire::detail::describe_struct(                                             \
            #Type __VA_OPT__(, ) PULSEWIRE_FOR_EACH(PULSEWIRE_DESCRIBE_FIELD, Type, __VA_ARGS__) \
        );                                                                                       \
    }

#define PULSEWIRE_VALUE(Type, member)                                                              \
    [[maybe_unused]] constexpr auto pulsewire_describe(::pulsewire::describing<Type>) {            \
        return ::pulsewire::detail::describe_value(#Type, PULSEWIRE_DESCRIBE_FIELD(Type, member)); \
    }

#define PULSEWIRE_ENUM(Type, ...)                                                       \
    [[maybe_unused]] constexpr auto pulsewire_describe(::pulsewire::describing<Type>) { \
        return ::pulsewire::detail::describe_enum<Type>(                                \
            #Type, PULSEWIRE_FOR_EACH(PULSEWIRE_DESCRIBE_ENUMERATOR, Type, __VA_ARGS__) \
        );                                                                              \
    }

#define PULSEWIRE_MESSAGE(Type, name, ...)            \
    PULSEWIRE_FIELDS(Type __VA_OPT__(, ) __VA_ARGS__) \
    PULSEWIRE_NAME_MESSAGE(Type, name)

#define PULSEWIRE_VALUE_MESSAGE(Type, name, member) \
    PULSEWIRE_VALUE(Type, member)                   \
    PULSEWIRE_NAME_MESSAGE(Type, name)

#define PULSEWIRE_NAME_MESSAGE(Type, name)                                                                \
    [[maybe_unused]] constexpr ::std::string_view pulsewire_message_name(::pulsewire::describing<Type>) { \
        static_assert(                                                                                    \
            ::pulsewire::is_message_name(name),                                                           \
            "a message name is 1 to 64 characters of A-Z a-z 0-9 _ - . : /"                               \
        );                                                                                                \
        return name;                                                                                      \
    }

// `PulsewireType` makes the checks depend on a template argument: only then is a missing name no error by
// itself.
#define PULSEWIRE_DESCRIBE_FIELD(Type, field)                                                    \
    []<class PulsewireType>(::pulsewire::describing<PulsewireType>) {                            \
        constexpr bool found = requires {                                                        \
            requires ::std::is_member_object_pointer_v<decltype(&PulsewireType::field)>;         \
        };                                                                                       \
        static_assert(found, #Type " has no field " #field ", which its PULSEWIRE_ line names"); \
        if constexpr (found) {                                                                   \
            return ::pulsewire::detail::describe_field(#field, &PulsewireType::field);           \
        } else {                                                                                 \
            return ::pulsewire::detail::describe_missing_field<PulsewireType>(#field);           \
        }                                                                                        \
    }(::pulsewire::describing<Type>{})

#define PULSEWIRE_DESCRIBE_ENUMERATOR(Type, enumerator)                                                   \
    []<class PulsewireType>(::pulsewire::describing<PulsewireType>) {                                     \
        constexpr bool found = requires {                                                                 \
            PulsewireType::enumerator;                                                                    \
        };                                                                                                \
        static_assert(found, #Type " has no enumerator " #enumerator ", which its PULSEWIRE_ENUM names"); \
        if constexpr (found) {                                                                            \
            return ::pulsewire::detail::describe_enumerator(#enumerator, PulsewireType::enumerator);      \
        } else {                                                                                          \
            return ::pulsewire::detail::describe_enumerator(#enumerator, PulsewireType());                \
        }                                                                                                 \
    }(::pulsewire::describing<Type>{})
