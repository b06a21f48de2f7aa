#include "common/schema/number.hpp"

#include <gtest/gtest.h>

#include <string>

namespace {

using namespace pulsewire::schema;

TEST(schema_number, is_compared_by_value_however_it_is_written) {
    for (const char* one : {"1", "1.0", "1.000", "10e-1", "0.1E1", "0.0001e+4", "100e-2"})
        EXPECT_EQ(compare_numbers(one, "1"), 0) << one;
    for (const char* zero : {"0", "-0", "0.0", "-0.0e9", "0e400"}) {
        EXPECT_EQ(compare_numbers(zero, "0"), 0) << zero;
        EXPECT_EQ(compare_numbers(zero, "-1"), 1) << zero;
        EXPECT_EQ(compare_numbers("1e-400", zero), 1) << zero;
    }
}

TEST(schema_number, has_an_order_on_both_sides_of_zero) {
    const char* const rising[] = {"-1e400",  "-1e308", "-20",    "-3",    "-2.5",  "-0.01",
                                  "-1e-9",   "0",      "1e-400", "0.001", "0.01",  "0.99",
                                  "1.00001", "9",      "10",     "99.5",  "1e308", "2e400"};
    for (std::size_t i = 0; i < std::size(rising); ++i)
        for (std::size_t j = 0; j < std::size(rising); ++j)
            EXPECT_EQ(compare_numbers(rising[i], rising[j]), (i > j) - (i < j))
                << rising[i] << " " << rising[j];
}

TEST(schema_number, is_not_rounded) {
    EXPECT_EQ(compare_numbers("9007199254740993", "9007199254740992"), 1);
    EXPECT_EQ(compare_numbers("9007199254740993.0", "9007199254740992"), 1);
    EXPECT_EQ(compare_numbers("18446744073709551617", "18446744073709551616"), 1);
    EXPECT_EQ(compare_numbers("0.1000000000000000000000000000001", "0.1"), 1);
    EXPECT_EQ(compare_numbers("1" + std::string(5'000, '0'), "1e5000"), 0);
    EXPECT_EQ(compare_numbers("1e99999999999999999999", "1e400"), 1);
}

TEST(schema_number, is_whole_where_its_fraction_is_zero) {
    for (const char* one : {"0", "-0", "0.0", "1", "1.0", "-2.50e1", "1e3", "100e-2", "1e400", "0e-400"})
        EXPECT_TRUE(is_whole(one)) << one;
    for (const char* one : {"0.5", "1e-1", "-2.5", "100.01", "101e-2", "1e-400", "12345678901234567890.5"})
        EXPECT_FALSE(is_whole(one)) << one;
}

TEST(schema_number, is_a_size_where_it_is_whole_and_not_negative) {
    EXPECT_EQ(size_of_number("0"), 0u);
    EXPECT_EQ(size_of_number("-0.0"), 0u);
    EXPECT_EQ(size_of_number("2.0"), 2u);
    EXPECT_EQ(size_of_number("1.2e3"), 1'200u);
    EXPECT_EQ(size_of_number("1e30"), ~std::uint64_t{0});
    EXPECT_EQ(size_of_number("-1"), std::nullopt);
    EXPECT_EQ(size_of_number("1.5"), std::nullopt);
}

}  // namespace
