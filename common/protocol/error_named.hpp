#pragma once

// The way back from an error's name on the wire.

#include "common/protocol/codes.hpp"

#include <cstdint>
#include <string_view>

namespace pulsewire {

// `none` where no error has this name.
constexpr error_code error_named(std::string_view name) {
    for (std::uint8_t n = 1; n != UINT8_MAX; ++n)
        if (const auto code = static_cast<error_code>(n); !name.empty() && name_of(code) == name) return code;
    return error_code::none;
}

}  // namespace pulsewire
