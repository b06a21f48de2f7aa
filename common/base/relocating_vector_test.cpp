#include "common/base/relocating_vector.hpp"

#include "common/base/random.hpp"
#include "common/base/text_buffer.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace pulsewire {
namespace {

// A text_buffer owns memory, so AddressSanitizer sees leaks and double frees.
using names = relocating_vector<text_buffer>;

std::vector<std::string> content(const names& v) {
    std::vector<std::string> all;
    for (const text_buffer& each : v) all.emplace_back(std::string_view(each));
    return all;
}

TEST(relocating_vector, keeps_values_in_order_while_it_grows) {
    names v;
    EXPECT_TRUE(v.empty());
    std::vector<std::string> expected;
    for (int i = 0; i < 100; ++i) {
        v.add() = "name " + std::to_string(i);
        expected.push_back("name " + std::to_string(i));
    }
    EXPECT_EQ(content(v), expected);
    EXPECT_EQ(v.size(), 100u);
    v.clear();
    EXPECT_TRUE(v.empty());
    EXPECT_TRUE(v.add().empty()) << "a new value is new, also in old memory";
}

TEST(relocating_vector, makes_a_value_new) {
    names v;
    v.add() = std::string_view("a");
    v.add() = std::string_view("b");
    v.renew(0);
    EXPECT_EQ(content(v), (std::vector<std::string>{"", "b"}));
}

TEST(relocating_vector, removes_some_and_keeps_the_order_of_the_others) {
    std::uint64_t random = 1;
    for (int round = 0; round < 50; ++round) {
        names v;
        std::vector<std::string> expected;
        for (std::uint64_t n = next_random(random, 40); n > 0; --n) {
            const bool unwanted = next_random(random, 2) == 0;
            const std::string name = (unwanted ? "x" : "k") + std::to_string(n);
            v.add() = name;
            if (!unwanted) expected.push_back(name);
        }
        v.remove_if([](const text_buffer& each) { return std::string_view(each)[0] == 'x'; });
        ASSERT_EQ(content(v), expected);
        v.add() = std::string_view("last");
        expected.push_back("last");
        ASSERT_EQ(content(v), expected);
    }
}

}  // namespace
}  // namespace pulsewire
