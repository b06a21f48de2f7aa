#include "server/feed/feeds.hpp"

#include "server/config/config_file.hpp"
#include "server/config/print_config.hpp"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <string_view>

namespace pulsewire::shell::feed {
namespace {

std::string fault_of(const std::string& text) {
    config c;
    apply_config(text, c);
    const auto made = feeds::make(c);
    return made ? "" : made.error();
}

std::string fault_with(const std::string& broker, const std::string& more = "") {
    return fault_of(
        R"({"consume": [{"name": "shop", "from": "orders", "channel": "orders:all", "type": "t", "broker": ")" +
        broker + "\"" + more + "}]}"
    );
}

bool has(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

TEST(feeds, are_made_of_the_config_file) {
    EXPECT_EQ(fault_with("redis://127.0.0.1:1"), "");
    EXPECT_EQ(
        fault_with("redis://127.0.0.1:1", R"(, "from_newest": true, "dead_letters": "bad", "group": "g")"), ""
    );
    EXPECT_EQ(
        fault_of(R"({"broker": "redis://127.0.0.1:1",
                     "consume": [{"name": "shop", "from": "orders", "channel": "orders:all", "type": "t"}]})"
        ),
        ""
    ) << "the server's broker serves";
    config c;
    apply_config(R"({"consume": [{"name": "shop", "broker": "redis://:hunter2@127.0.0.1"}]})", c);
    ASSERT_EQ(c.consume.size(), 1u);
    EXPECT_EQ(c.consume[0].name, "shop");
    const std::string printed = print_config(c, {});
    EXPECT_TRUE(has(printed, "\"name\":\"shop\"")) << printed;
    EXPECT_FALSE(has(printed, "hunter2")) << printed;
}

TEST(feeds, that_cannot_be_made_say_why) {
    EXPECT_TRUE(has(fault_with(""), "consume \"shop\": broker is missing"));
    EXPECT_TRUE(has(fault_with("http://127.0.0.1"), "must begin with"));
    EXPECT_TRUE(has(fault_with("127.0.0.1"), "must begin with"));
    const std::string wrong = fault_with("redis://user:secret@host:port");
    EXPECT_TRUE(has(wrong, "port that is no number")) << wrong;
    EXPECT_FALSE(has(wrong, "secret")) << wrong;
    const std::string one =
        R"({"name": "shop", "from": "o", "channel": "o:x", "type": "t", "broker": "redis://h"})";
    EXPECT_TRUE(has(fault_of("{\"consume\": [" + one + "," + one + "]}"), "two are named"));
    EXPECT_TRUE(has(fault_with("redis://h", R"(, "payload": "x")"), "JSON pointer"));
    const auto reading = [](const std::string& text) {
        config c;
        try {
            apply_config(text, c);
        } catch (const std::runtime_error& e) {
            return std::string(e.what());
        }
        return std::string();
    };
    EXPECT_TRUE(has(reading(R"({"consume": {}})"), "at /consume: must be a list"));
    EXPECT_TRUE(has(reading(R"({"consume": [{"chanel": "x"}]})"), "did you mean \"channel\"?"));
}

}  // namespace
}  // namespace pulsewire::shell::feed
