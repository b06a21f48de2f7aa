#pragma once

// Decimal digits of numbers, without a loop to count them and two at a time: every publication has two
// numbers.

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace pulsewire {
namespace detail {

inline constexpr std::array<std::uint64_t, 20> powers_of_ten = [] {
    std::array<std::uint64_t, 20> powers{1};
    for (std::size_t i = 1; i < powers.size(); ++i) powers[i] = powers[i - 1] * 10;
    return powers;
}();

}  // namespace detail

// How many digits it has, 1 to 20.
constexpr std::size_t decimal_digits(std::uint64_t number) {
    number |= 1;  // 0 has one, too, and no other gets more by it
    // 1233 / 4096 is the logarithm of 2, and right for 64 bits; it may be one too many.
    const auto most = static_cast<std::size_t>(std::bit_width(number) * 1233 >> 12);
    return number < detail::powers_of_ten[most] ? most : most + 1;
}

// Writes its digits so that they end before `end`. Precondition: there is room for decimal_digits(number).
void write_decimal(char* end, std::uint64_t number);

}  // namespace pulsewire
