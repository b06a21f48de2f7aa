#include "common/protocol/json_readable.hpp"

#include "common/base/random.hpp"
#include "common/protocol/json_number.hpp"
#include "common/protocol/json_scan.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <string>
#include <string_view>

namespace pulsewire {
namespace {

// "pointer: what", or nothing.
std::string refusal(std::string_view json) {
    const auto found = first_unreadable(json);
    return found ? found->pointer + ": " + found->what : "";
}

bool flagged(std::string_view json) {
    json_scan scan(json);
    std::string_view slice;
    EXPECT_TRUE(scan.take_value(slice, 32)) << json;
    return scan.has_unreadable();
}

const std::string half = "half a surrogate pair stands in a string";
const std::string large = "a number is too large for a double";

TEST(json_readable, finds_half_a_surrogate_pair_wherever_it_stands) {
    EXPECT_EQ(refusal(R"("\ud800")"), ": " + half);
    EXPECT_EQ(refusal(R"({"a":[1,{"b/c~d":"x\udfffy"}]})"), "/a/1/b~1c~0d: " + half);
    EXPECT_EQ(refusal(R"(["\ud83d\ude00","\ud83d\ud83d\ude00"])"), "/1: " + half);
    EXPECT_EQ(refusal(R"(["\ude00\ud83d"])"), "/0: " + half) << "in the wrong order";
    EXPECT_EQ(refusal(R"(["\uD83Dx"])"), "/0: " + half);
    EXPECT_EQ(refusal(R"([{"k\udc00":1}])"), "/0: half a surrogate pair stands in a key");
    EXPECT_EQ(refusal(R"({"\u0041":{"\ud800":1}})"), "/A: half a surrogate pair stands in a key");
}

TEST(json_readable, passes_what_every_reader_reads) {
    for (const std::string_view json :
         {R"("\ud83d\ude00")", R"("\uDBFF\uDFFF")", R"("\\ud800")", R"("\ue000\ud7ff")", R"({})", R"([])",
          R"([[],{"a":{}}])", "1.7976931348623157e308", "-1.7976931348623157e308", "5e-324", "1e-999",
          "0e999", "-0.000E+999", "123456789012345678901234567890"}) {
        EXPECT_EQ(refusal(json), "") << json;
        EXPECT_FALSE(flagged(json)) << json;
    }
}

TEST(json_readable, finds_numbers_that_no_double_holds) {
    EXPECT_EQ(refusal("1e999"), ": " + large);
    EXPECT_EQ(refusal(R"({"n":[0,-1E+400]})"), "/n/1: " + large);
    EXPECT_EQ(refusal("1" + std::string(309, '0')), ": " + large);
    EXPECT_EQ(refusal("0.0001e313"), ": " + large);
    EXPECT_EQ(refusal("1e99999999999999999999999"), ": " + large);
    EXPECT_EQ(refusal("1" + std::string(400, '0') + "e-50"), ": " + large);
    EXPECT_EQ(refusal("1" + std::string(400, '0') + "e-99"), "");
}

// nlohmann refuses exactly the numbers that strtod rounds to infinity.
TEST(json_readable, agrees_with_nlohmann_about_numbers_near_the_largest) {
    std::uint64_t random = 7;
    std::size_t refused = 0;
    for (int i = 0; i < 20'000; ++i) {
        std::string digits = i % 2 == 0 ? "179769313486231" : std::to_string(next_random(random) | 1);
        for (std::uint64_t more = next_random(random, 30); more > 0; --more)
            digits += static_cast<char>('0' + next_random(random, 10));
        const std::size_t point = next_random(random, static_cast<std::uint32_t>(digits.size() - 1)) + 1;
        const std::int64_t exponent = 308 - static_cast<std::int64_t>(point) + 1 +
                                      static_cast<std::int64_t>(next_random(random, 3)) - 1;
        const std::string number =
            digits.substr(0, point) + "." + digits.substr(point) + "e" + std::to_string(exponent);
        const bool readable = nlohmann::json::accept(number);
        ASSERT_EQ(exceeds_double(number), !readable) << number;
        ASSERT_EQ(flagged(number), !readable) << number;
        refused += !readable;
    }
    EXPECT_GT(refused, 5'000u);
    EXPECT_LT(refused, 15'000u);
}

}  // namespace
}  // namespace pulsewire
