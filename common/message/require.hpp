#pragma once

// The sentence of the compiler about a type that cannot be what a program makes of it, before anything is
// instantiated that would bury it. Where a function here returns false the sentence has been shown, and the
// caller leaves the rest of its body out by `if constexpr`.

#include "common/message/describe.hpp"
#include "common/message/wire_containers.hpp"
#include "common/message/wire_described.hpp"
#include "common/message/wire_form.hpp"

#include <tuple>
#include <type_traits>
#include <utility>

namespace pulsewire::detail {

template <class T, class... Above>
constexpr bool require_travels();

template <class... Above, class... Fields>
constexpr bool require_fields_travel(const struct_description<Fields...>*) {
    return (require_travels<typename Fields::member_type, Above...>() && ...);
}

// Whether T has a JSON form, with all that it consists of. `Above` are the types that T is a part of; a type
// that is a part of itself, through a container, is looked at once.
template <class T, class... Above>
constexpr bool require_travels() {
    using element = typename wire_element<T>::type;
    if constexpr ((std::is_same_v<T, Above> || ...) || std::is_same_v<T, no_such_field>) {
        return !std::is_same_v<T, no_such_field>;
    } else if constexpr (!std::is_void_v<element>) {
        return require_travels<element, T, Above...>();
    } else {
        constexpr bool has_json_form = wire_type<T>;
        static_assert(
            has_json_form,
            "a field of this type cannot travel: describe a struct of yours by PULSEWIRE_FIELDS(type, "
            "fields...) "
            "after it, an enum by PULSEWIRE_ENUM; common/message/message.hpp lists the types that can"
        );
        if constexpr (!has_json_form) {
            return false;
        } else if constexpr (described_struct<T>) {
            return require_fields_travel<T, Above...>(
                static_cast<decltype(pulsewire_describe(describing<T>{}))*>(nullptr)
            );
        } else if constexpr (described_value<T>) {
            return require_travels<
                typename decltype(pulsewire_describe(describing<T>{}))::member_type, T, Above...>();
        } else {
            return true;
        }
    }
}

template <class M>
constexpr bool require_message() {
    constexpr bool is_message = message_type<M>;
    static_assert(
        is_message,
        "this type is no message: write PULSEWIRE_MESSAGE(type, \"name.on.the.wire\", fields...) after the "
        "struct, in "
        "its namespace"
    );
    if constexpr (is_message) {
        return require_travels<M>();
    } else {
        return false;
    }
}

}  // namespace pulsewire::detail
