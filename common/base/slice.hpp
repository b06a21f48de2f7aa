#pragma once

// A part of a line, by its place: it stays right when the line moves, and is half as large as a view.

#include <cstdint>
#include <string_view>

namespace pulsewire {

// Size 0: not there.
struct slice {
    std::uint32_t at = 0;
    std::uint32_t size = 0;

    // `line` is the one that it was made for.
    std::string_view of(std::string_view line) const { return {line.data() + at, size}; }
};

}  // namespace pulsewire
