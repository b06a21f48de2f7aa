#include "common/protocol/json_number.hpp"

#include <cstddef>
#include <cstdint>
#include <string>

namespace pulsewire {
namespace {

// From here on a number is rounded to infinity: the digits of 2^1024 - 2^970, which is halfway between the
// largest double and the next power of two. It has 309 of them.
constexpr std::string_view first_infinite = "17976931348623158079372897140530341507993413271003";
constexpr std::int64_t first_infinite_size = 309;
// No exponent beyond this is told apart; a number has fewer digits.
constexpr std::int64_t exponent_max = std::int64_t{1} << 40;

}  // namespace

bool exceeds_double(std::string_view number) {
    std::string digits;     // from the first that is not 0; more than the bound has are of no interest
    std::int64_t size = 0;  // the digits before the point, as if it were written without an exponent
    bool fraction = false;
    std::size_t at = number.front() == '-' ? 1 : 0;
    for (; at < number.size() && (is_digit(number[at]) || number[at] == '.'); ++at) {
        if (number[at] == '.') {
            fraction = true;
            continue;
        }
        if (digits.empty() && number[at] == '0') {
            if (fraction) --size;
            continue;
        }
        if (digits.size() < first_infinite.size()) digits += number[at];
        if (!fraction) ++size;
    }
    if (digits.empty()) return false;  // zero, whatever the exponent
    if (at < number.size()) {
        ++at;
        const bool negative = number[at] == '-';
        if (!is_digit(number[at])) ++at;
        std::int64_t exponent = 0;
        for (; at < number.size(); ++at)
            if (exponent < exponent_max) exponent = exponent * 10 + (number[at] - '0');
        size += negative ? -exponent : exponent;
    }
    if (size != first_infinite_size) return size > first_infinite_size;
    return digits >= first_infinite;
}

}  // namespace pulsewire
