#pragma once

// The version of the program, as the build knows it.

#include <string_view>

namespace pulsewire {

extern const std::string_view version;

}  // namespace pulsewire
