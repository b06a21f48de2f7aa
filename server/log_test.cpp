#include "server/log.hpp"

#include "server/testing/recorded_log.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <string>

namespace pulsewire::log {
namespace {

using namespace std::string_literals;

constexpr std::int64_t noon_ms = 1'795'953'600'123;  // 2026-11-29T12:00:00.123Z

TEST(log, a_line_of_json_has_time_level_message_and_fields) {
    EXPECT_EQ(
        json_line(level::warning, "a sentence", {{"user", "ann"}, {"bytes", 7u}, {"seconds", 0.5}}, noon_ms),
        R"({"time":"2026-11-29T12:00:00.123Z","level":"warning","message":"a sentence",)"
        R"("user":"ann","bytes":7,"seconds":0.5})"
    );
}

TEST(log, no_text_of_a_client_can_forge_a_line_or_a_member) {
    const std::string hostile = "x\"}\n{\"level\":\"error\"\r\x1b[2J\xe2\x80\xa8\xff\0"s;
    const std::string line = json_line(level::info, hostile, {{"user", hostile}}, noon_ms);
    for (const char c : line) EXPECT_TRUE(c >= 0x20 && c < 0x7f) << line;
    const auto read = nlohmann::json::parse(line);
    EXPECT_EQ(read.size(), 4u) << line;
    EXPECT_EQ(read["level"], "info");
    EXPECT_TRUE(read["user"].get<std::string>().starts_with("x\"}\n{\"level\""));
}

TEST(log, a_long_field_is_cut) {
    const std::string line = json_line(level::info, "", {{"path", std::string(100'000, 'a')}}, noon_ms);
    EXPECT_LT(line.size(), field_bytes_max + 200);
}

TEST(log, the_format_is_that_which_was_set) {
    testing::recorded_log lines;
    set_level("info");
    write(level::info, "as text", {{"fact", "hidden"}});
    set_format("json");
    write(level::info, "as json", {{"fact", "shown"}});
    set_format("text");
    EXPECT_EQ(lines.line_with("as text"), "as text");
    EXPECT_NE(lines.line_with("as json").find(R"("message":"as json","fact":"shown"})"), std::string::npos);
    EXPECT_TRUE(is_format("json"));
    EXPECT_FALSE(is_format("JSON"));
}

}  // namespace
}  // namespace pulsewire::log
