#include "common/base/decimal.hpp"

#include <cstring>

namespace pulsewire {
namespace {

// "00" to "99".
constexpr std::array<char, 200> digit_pairs = [] {
    std::array<char, 200> pairs{};
    for (std::size_t i = 0; i < pairs.size(); ++i)
        pairs[i] = static_cast<char>('0' + (i % 2 == 0 ? i / 20 : i / 2 % 10));
    return pairs;
}();

}  // namespace

void write_decimal(char* end, std::uint64_t number) {
    while (number >= 100) {
        const std::uint64_t rest = number / 100;
        end -= 2;
        std::memcpy(end, &digit_pairs[(number - rest * 100) * 2], 2);
        number = rest;
    }
    if (number < 10) {
        *--end = static_cast<char>('0' + number);
    } else {
        std::memcpy(end - 2, &digit_pairs[number * 2], 2);
    }
}

}  // namespace pulsewire
