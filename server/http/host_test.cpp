#include "server/http/host.hpp"

#include <gtest/gtest.h>

namespace pulsewire::shell {
namespace {

bool taken(
    const std::string& host, const std::vector<std::string>& listed = {}, std::string_view on = "127.0.0.1"
) {
    request r;
    r.fields = {{"Host", host}};
    return names_this_server(r, listed, on);
}

TEST(host, on_loopback_only_its_own_names_are_taken) {
    for (const std::string_view on : {"127.0.0.1", "127.0.0.2", "::1", "localhost"}) {
        EXPECT_TRUE(taken("localhost:8080", {}, on));
        EXPECT_TRUE(taken("127.0.0.1", {}, on));
        EXPECT_TRUE(taken("[::1]:80", {}, on));
        for (const char* host : {"rebound.example", "rebound.example:8080", "127.0.0.1.nip.io", "", "x"})
            EXPECT_FALSE(taken(host, {}, on)) << host;
    }
}

TEST(host, listed_names_are_taken_beside_those_of_loopback) {
    EXPECT_TRUE(taken("rt.example.com", {"rt.example.com"}));
    EXPECT_TRUE(taken("a.example.com", {"*.example.com"}));
    EXPECT_TRUE(taken("anything.test", {"*"}));
    EXPECT_TRUE(taken("localhost", {"rt.example.com"}));
    EXPECT_FALSE(taken("other.example.com", {"rt.example.com"}));
}

TEST(host, elsewhere_every_name_is_taken_until_some_are_listed) {
    EXPECT_TRUE(taken("rt.example.com", {}, "0.0.0.0"));
    EXPECT_TRUE(taken("203.0.113.1", {}, "::"));
    EXPECT_FALSE(taken("rebound.example", {"rt.example.com"}, "0.0.0.0"));
    EXPECT_TRUE(taken("127.0.0.1:8080", {"rt.example.com"}, "0.0.0.0")) << "for this machine's own programs";
}

TEST(host, only_http_1_0_may_leave_it_out) {
    request r;
    r.http_1_0 = true;
    EXPECT_TRUE(names_this_server(r, {}, "127.0.0.1"));
    r.fields = {{"Host", "rebound.example"}};
    EXPECT_FALSE(names_this_server(r, {}, "127.0.0.1"));
}

TEST(host, the_refusal_names_the_setting) {
    EXPECT_EQ(host_refused().status, 421);
    EXPECT_NE(host_refused().body.find("allowed_hosts"), std::string::npos);
}

}  // namespace
}  // namespace pulsewire::shell
