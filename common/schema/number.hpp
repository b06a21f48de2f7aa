#pragma once

// JSON numbers by their decimal digits (RFC 8259, section 6). Nothing is rounded, so a bound of 2^53 and one
// more than that are different numbers, and 1e400 has its place above both. No allocation.

#include <cstdint>
#include <optional>
#include <string_view>

namespace pulsewire::schema {

// -1, 0 or 1: how `a` compares with `b`. Both are valid JSON numbers; 1, 1.0 and 10e-1 are equal, and so are
// 0 and -0.
int compare_numbers(std::string_view a, std::string_view b);

// Whether the fraction is zero: 2, 2.0 and 2e3 are whole, 2.5 and 2e-1 are not.
bool is_whole(std::string_view number);

// The value of a whole number that is not negative; the largest 64-bit integer where it does not fit.
std::optional<std::uint64_t> size_of_number(std::string_view number);

}  // namespace pulsewire::schema
