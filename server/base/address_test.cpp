#include "server/base/address.hpp"

#include <gtest/gtest.h>

namespace pulsewire::shell {
namespace {

address at(std::string_view text) {
    return address::parse(text).value();
}

TEST(address, texts_of_addresses_are_read_and_written) {
    for (const char* text : {"192.0.2.1", "127.0.0.1", "2001:db8::1", "::1", "::"})
        EXPECT_EQ(at(text).str(), text);
    EXPECT_EQ(at("::ffff:192.0.2.1"), at("192.0.2.1"));
    EXPECT_EQ(at("2001:0DB8:0:0::1").str(), "2001:db8::1");
}

TEST(address, nothing_else_is_one) {
    using namespace std::string_literals;
    for (const std::string& text :
         {""s, "127.1"s, "127.0.0.1 "s, "127.0.0.1\0.evil"s, "127.0.0.1.nip.io"s, "0x7f.0.0.1"s, "localhost"s,
          "[::1]"s, "::1%lo"s, "1.2.3.4:80"s, "256.0.0.1"s, "2130706433"s, "10.0.0.0/8"s})
        EXPECT_FALSE(address::parse(text)) << text;
}

TEST(address, loopback_is_the_whole_network_and_one_address_of_ipv6) {
    for (const char* text : {"127.0.0.1", "127.255.255.254", "::1", "::ffff:127.0.0.1"})
        EXPECT_TRUE(at(text).is_loopback()) << text;
    for (const char* text : {"128.0.0.1", "0.0.0.0", "::", "::2", "1::1", "::127.0.0.1"})
        EXPECT_FALSE(at(text).is_loopback()) << text;
}

TEST(address, a_network_contains_the_addresses_with_its_first_bits) {
    const auto contains = [](std::string_view of, std::string_view text) {
        return network::parse(of).value().contains(at(text));
    };
    EXPECT_TRUE(contains("10.0.0.0/8", "10.255.0.1"));
    EXPECT_FALSE(contains("10.0.0.0/8", "11.0.0.1"));
    EXPECT_TRUE(contains("172.16.0.0/12", "172.31.255.255"));
    EXPECT_FALSE(contains("172.16.0.0/12", "172.32.0.0"));
    EXPECT_TRUE(contains("2001:db8::/33", "2001:db8:7fff::"));
    EXPECT_FALSE(contains("2001:db8::/33", "2001:db8:8000::"));
    EXPECT_TRUE(contains("192.0.2.7", "::ffff:192.0.2.7"));
    EXPECT_FALSE(contains("192.0.2.7", "192.0.2.8"));
    EXPECT_TRUE(contains("0.0.0.0/0", "203.0.113.1"));
    EXPECT_FALSE(contains("0.0.0.0/0", "2001:db8::1")) << "all of IPv4 is not all";
    EXPECT_TRUE(contains("::/0", "203.0.113.1"));
}

TEST(address, a_network_is_an_address_with_at_most_all_of_its_bits) {
    for (const char* text :
         {"10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/8/8", "/8", "10/8", "*"})
        EXPECT_FALSE(network::parse(text)) << text;
}

}  // namespace
}  // namespace pulsewire::shell
