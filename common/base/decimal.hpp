#pragma once

// Decimal digits of numbers, counted without a loop and written two at a time, because
// every publication has two numbers.

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

// The number of digits, 1 to 20.
constexpr std::size_t decimal_digits(std::uint64_t number) {
    number |= 1;  // 0 also has one digit; no other number gets more digits by this
    // 1233 / 4096 is about the decimal logarithm of 2, exact enough for 64 bits;
    // the estimate may be one too high.
    const auto most = static_cast<std::size_t>(std::bit_width(number) * 1233 >> 12);
    return number < detail::powers_of_ten[most] ? most : most + 1;
}

// Writes the digits so that they end before `end`. Precondition: there is room for decimal_digits(number).
void write_decimal(char* end, std::uint64_t number);

}  // namespace pulsewire
