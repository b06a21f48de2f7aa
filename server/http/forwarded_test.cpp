#include "server/http/forwarded.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace pulsewire::shell {
namespace {

// The client of a request from `peer` with these fields X-Forwarded-For; the proxies are 10.0.0.0/8 and ::1.
std::string client(std::string_view peer, const std::vector<std::string>& fields) {
    request r;
    for (const std::string& f : fields) r.fields.emplace_back("x-forwarded-for", f);
    const network proxies[] = {network::parse("10.0.0.0/8").value(), network::parse("::1").value()};
    return client_of(r, address::parse(peer).value(), proxies).str();
}

TEST(forwarded, a_stranger_says_nothing_about_itself) {
    EXPECT_EQ(client("203.0.113.1", {"192.0.2.1"}), "203.0.113.1");
    EXPECT_EQ(client("127.0.0.1", {"192.0.2.1"}), "127.0.0.1") << "loopback is no proxy until it is listed";
}

TEST(forwarded, the_last_address_that_is_no_proxy_is_the_client) {
    EXPECT_EQ(client("10.0.0.1", {"192.0.2.1"}), "192.0.2.1");
    EXPECT_EQ(client("10.0.0.1", {"1.1.1.1, 192.0.2.1"}), "192.0.2.1") << "the first was sent by the client";
    EXPECT_EQ(client("::1", {"1.1.1.1, 192.0.2.1 , 10.9.9.9"}), "192.0.2.1");
    EXPECT_EQ(client("10.0.0.1", {"1.1.1.1", "192.0.2.1,10.0.0.7"}), "192.0.2.1");
    EXPECT_EQ(client("10.0.0.1", {"192.0.2.1", "10.0.0.7"}), "192.0.2.1");
}

TEST(forwarded, a_port_and_brackets_belong_to_no_address) {
    EXPECT_EQ(client("10.0.0.1", {"192.0.2.1:4711"}), "192.0.2.1");
    EXPECT_EQ(client("10.0.0.1", {"2001:db8::1"}), "2001:db8::1");
    EXPECT_EQ(client("10.0.0.1", {"[2001:db8::1]:4711"}), "2001:db8::1");
    EXPECT_EQ(client("10.0.0.1", {"[2001:db8::1]"}), "2001:db8::1");
}

TEST(forwarded, a_field_that_names_nobody_leaves_it_at_the_proxy) {
    EXPECT_EQ(client("10.0.0.1", {}), "10.0.0.1");
    for (const char* field : {"", "unknown", "_hidden", "192.0.2.1,", "192.0.2.1, unknown", "[", "[]", ":"})
        EXPECT_EQ(client("10.0.0.1", {field}), "10.0.0.1") << field;
    EXPECT_EQ(client("10.0.0.1", {"unknown, 10.0.0.7"}), "10.0.0.7");
    EXPECT_EQ(client("10.0.0.1", {"10.0.0.8, 10.0.0.7"}), "10.0.0.8");
}

TEST(forwarded, proxies_say_so_in_several_ways) {
    request r;
    EXPECT_FALSE(is_forwarded(r));
    for (const char* name : {"x-forwarded-for", "Forwarded", "X-Real-Ip", "via"}) {
        request one;
        one.fields = {{name, "x"}};
        EXPECT_TRUE(is_forwarded(one)) << name;
    }
}

}  // namespace
}  // namespace pulsewire::shell
