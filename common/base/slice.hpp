#pragma once

// A part of a line given by its place. It stays valid when the line moves, and is half as large as a view.

#include <cstdint>
#include <string_view>

namespace pulsewire {

// Size 0 means that the part is missing.
struct slice {
    std::uint32_t at = 0;
    std::uint32_t size = 0;

    // `line` must be the line that the slice was made for.
    std::string_view of(std::string_view line) const { return {line.data() + at, size}; }
};

}  // namespace pulsewire
