// A client that does not heed refusals is not read for a second at a time, and sent away in the end
// (protocol 4.20).

#include "server/testing/running_server.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace pulsewire {
namespace {

using namespace testing;
using std::chrono::steady_clock;

config slow_rate() {
    config c = test_config(1);
    c.bounds.commands_per_second = 10;
    return c;
}

std::string pings(int count) {
    std::string lines;
    for (int i = 1; i <= count; ++i) lines += R"({"op":"ping","id":)" + std::to_string(i) + "}\n";
    return lines;
}

TEST(rest, what_comes_after_refusals_waits_unread_while_others_are_served) {
    running_server server(slow_rate());
    auto flooding = connected(server.port()), healthy = connected(server.port(), "healthy-session");
    const auto begin = steady_clock::now();
    ASSERT_TRUE(flooding.send_text(pings(60)));
    for (int i = 1; i <= 19; ++i) EXPECT_NE(flooding.next_line().find("pong"), std::string::npos);
    for (int i = 1; i <= 10; ++i) EXPECT_NE(flooding.next_line().find("rate_limited"), std::string::npos);
    healthy.send_text(R"({"op":"ping","id":7})");
    healthy.line_with(R"("id":7)");
    EXPECT_LT(steady_clock::now() - begin, std::chrono::milliseconds(900)) << "in the meantime";
    EXPECT_NE(flooding.next_line().find(R"("id":30)"), std::string::npos) << "nothing is left out";
    EXPECT_GE(steady_clock::now() - begin, std::chrono::milliseconds(990));
}

}  // namespace
}  // namespace pulsewire
