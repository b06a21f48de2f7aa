#include "common/base/decimal.hpp"

#include "common/base/random.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>

namespace pulsewire {
namespace {

std::string text_of(std::uint64_t number) {
    std::string text(decimal_digits(number), '?');
    write_decimal(text.data() + text.size(), number);
    return text;
}

TEST(decimal, numbers_around_every_power_of_ten_and_of_two) {
    for (std::uint64_t ten = 1;; ten *= 10) {
        for (const std::uint64_t number : {ten - 1, ten, ten + 1})
            EXPECT_EQ(text_of(number), std::to_string(number));
        if (ten > std::numeric_limits<std::uint64_t>::max() / 10) break;
    }
    for (int bit = 0; bit < 64; ++bit)
        for (const std::uint64_t number :
             {(std::uint64_t{1} << bit) - 1, std::uint64_t{1} << bit, ~std::uint64_t{0} >> bit})
            EXPECT_EQ(text_of(number), std::to_string(number));
}

TEST(decimal, every_number_of_four_digits_and_random_ones) {
    for (std::uint64_t number = 0; number < 10'000; ++number)
        ASSERT_EQ(text_of(number), std::to_string(number));
    std::uint64_t dice = 3;
    for (int i = 0; i < 10'000; ++i) {
        const std::uint64_t number = next_random(dice) >> next_random(dice, 64);
        ASSERT_EQ(text_of(number), std::to_string(number));
    }
}

}  // namespace
}  // namespace pulsewire
