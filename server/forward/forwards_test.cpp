#include "server/forward/forwards.hpp"

#include "server/config/config_file.hpp"
#include "server/config/print_config.hpp"
#include "server/forward/forward.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace pulsewire::shell::forward {
namespace {

std::string fault_of_config(const std::string& text) {
    config c;
    apply_config(text, c);
    const auto made = forwards::make(c);
    return made ? "" : made.error();
}

std::string with_more(const std::string& more, const std::string& address = "redis://127.0.0.1:1") {
    return fault_of_config(
        R"({"forward": [{"name": "out", "from": "orders:**", "to": "orders", "broker": ")" + address +
        "\"}]" + more + "}"
    );
}

bool contains(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

TEST(forwards, are_made_of_the_config_file) {
    EXPECT_EQ(with_more(""), "");
    EXPECT_EQ(with_more(R"(, "data": "/nowhere")"), "");
    EXPECT_EQ(with_more(R"(, "broker": "redis://127.0.0.1:1")"), "");
    EXPECT_EQ(
        fault_of_config(
            R"({"broker": "redis://127.0.0.1:1", "forward": [{"name": "out", "from": "a", "to": "b"}]})"
        ),
        ""
    ) << "the server's broker serves";
    config c;
    apply_config(
        R"({"forward": [{"name": "out", "from": "orders:**", "broker": "redis://:hunter2@127.0.0.1"}]})", c
    );
    ASSERT_EQ(c.forward.size(), 1u);
    const std::string printed = print_config(c, {});
    EXPECT_TRUE(contains(printed, "\"from\":\"orders:**\"")) << printed;
    EXPECT_FALSE(contains(printed, "hunter2")) << printed;
}

TEST(forwards, that_cannot_be_made_say_why) {
    EXPECT_TRUE(contains(with_more("", ""), "forward \"out\": broker is missing"));
    EXPECT_TRUE(contains(with_more("", "http://127.0.0.1"), "must begin with"));
    EXPECT_TRUE(
        contains(with_more(R"(, "namespaces": {"orders": {"history_count_max": 0}})"), "keeps no history")
    );
    const std::string state = R"(, "namespaces": {"orders": {"state_bytes_max": 1000}})";
    EXPECT_EQ(with_more(state), "");
    EXPECT_TRUE(contains(with_more(state + R"(, "broker": "redis://127.0.0.1:1")"), "keeps state"));
    const std::string one = R"({"name": "out", "from": "a", "to": "b", "broker": "redis://127.0.0.1:1"})";
    EXPECT_TRUE(contains(fault_of_config(R"({"forward": [)" + one + "," + one + "]}"), "two are named"));
}

// All servers find the same one, and it is not forwarded itself.
TEST(forwards, keep_their_place_in_the_partition_that_it_is_about) {
    hub::config hub;
    hub.forwards = {"orders:**", "news"};
    for (cluster::partition_index p = 0; p < 16; ++p) {
        for (const std::string_view name_space : {"orders", ""}) {
            const std::string channel = place_channel("out", name_space, p, 16);
            EXPECT_EQ(hub::partition_of(channel, 16), p);
            EXPECT_FALSE(hub.is_forwarded(channel)) << channel;
        }
    }
    EXPECT_TRUE(hub.is_forwarded("orders:anna"));
    EXPECT_TRUE(hub.is_forwarded("news"));
    EXPECT_FALSE(hub.is_forwarded("orders"));
}

}  // namespace
}  // namespace pulsewire::shell::forward
