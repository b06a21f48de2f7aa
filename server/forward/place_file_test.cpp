#include "server/forward/place_file.hpp"

#include "server/testing/temporary_folder.hpp"
#include "server/testing/text_of_file.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <string>

namespace pulsewire::shell::forward {
namespace {

class a_place_file : public ::testing::Test {
protected:
    const testing::temporary_folder folder;
    const std::string path = folder.path() + "/forward/out";
};

TEST_F(a_place_file, keeps_the_newest_place_of_each_channel) {
    {
        auto file = place_file::open(path);
        ASSERT_TRUE(file) << file.error();
        EXPECT_TRUE(file->take_read().empty());
        EXPECT_EQ(file->add({{"a", {"e", 1}}, {"b", {"e", 1}}}, {}), "");
        EXPECT_EQ(file->add({{"a", {"f", 2}}}, {}), "");
    }
    auto again = place_file::open(path);
    ASSERT_TRUE(again);
    const places read = again->take_read();
    ASSERT_EQ(read.size(), 2u);
    EXPECT_EQ(read.at("a").epoch, "f");
    EXPECT_EQ(read.at("a").offset, 2u);
    EXPECT_EQ(read.at("b").offset, 1u);
}

TEST_F(a_place_file, passes_over_a_line_that_was_cut) {
    {
        auto file = place_file::open(path);
        ASSERT_TRUE(file);
        file->add({{"a", {"e", 1}}}, {});
    }
    std::ofstream(path, std::ios::app) << R"({"channel":"a","epoch":"e","off)";
    auto again = place_file::open(path);
    ASSERT_TRUE(again);
    EXPECT_EQ(again->take_read().at("a").offset, 1u);
    // What is added then is no part of that line.
    again->add({{"a", {"e", 2}}}, {});
    EXPECT_EQ(place_file::open(path)->take_read().at("a").offset, 2u);
}

TEST_F(a_place_file, is_written_anew_when_it_has_grown) {
    auto file = place_file::open(path);
    ASSERT_TRUE(file);
    places all;
    for (std::uint64_t i = 1; i <= 50'000; ++i) {
        all["a"] = {"e", i};
        ASSERT_EQ(file->add(all, all), "");
    }
    EXPECT_LT(testing::text_of_file(path).size(), std::size_t{1} << 21);
    EXPECT_EQ(place_file::open(path)->take_read().at("a").offset, 50'000u);
}

TEST_F(a_place_file, that_cannot_be_written_says_so) {
    std::ofstream(folder.path() + "/forward") << "no folder";
    const auto file = place_file::open(path);
    ASSERT_FALSE(file);
    EXPECT_NE(file.error().find("cannot be kept"), std::string::npos);
}

}  // namespace
}  // namespace pulsewire::shell::forward
