#include "server/base/host_name.hpp"

#include <gtest/gtest.h>

namespace pulsewire::shell {
namespace {

TEST(host_name, a_host_has_a_name_and_perhaps_a_port) {
    EXPECT_EQ(name_of_host("example.com:8080"), "example.com");
    EXPECT_EQ(port_of_host("example.com:8080"), "8080");
    EXPECT_EQ(name_of_host("example.com."), "example.com");
    EXPECT_EQ(name_of_host("example.com.:80"), "example.com");
    EXPECT_EQ(port_of_host("example.com"), "");
    EXPECT_EQ(name_of_host("[::1]:80"), "[::1]");
    EXPECT_EQ(port_of_host("[::1]"), "");
    EXPECT_EQ(port_of_host("[::1]:80"), "80");
}

TEST(host_name, loopback_has_few_names) {
    for (const char* host :
         {"localhost", "LocalHost:8080", "localhost.", "127.0.0.1", "127.8.8.8:80", "[::1]", "[::1]:8080"})
        EXPECT_TRUE(is_loopback_host(host)) << host;
}

// DNS rebinding lives from checks that these would pass.
TEST(host_name, look_alikes_of_loopback_are_other_hosts) {
    for (const char* host :
         {"",
          ".",
          "rebound.example",
          "127.0.0.1.nip.io",
          "localhost.example",
          "a.localhost",
          "localhost..",
          "127.1",
          "0.0.0.0",
          "[::]",
          "[::2]",
          "::1",
          "[127.0.0.1]",
          "[localhost]",
          "0x7f.0.0.1",
          "2130706433",
          "localhost:80:80.example",
          "[::1].example",
          "[::1]x",
          "x[::1]",
          "[::1",
          "192.168.0.1",
          "localhost@example.com",
          "localhost%00",
          "127.0.0.1%2eexample"})
        EXPECT_FALSE(is_loopback_host(host)) << host;
}

TEST(host_name, a_pattern_means_one_host_or_all_below_a_domain) {
    EXPECT_TRUE(matches_host("rt.example.com", "RT.example.com:8443"));
    EXPECT_TRUE(matches_host("rt.example.com", "rt.example.com."));
    EXPECT_FALSE(matches_host("rt.example.com", "art.example.com"));
    EXPECT_FALSE(matches_host("rt.example.com", "rt.example.com.evil.test"));
    EXPECT_FALSE(matches_host("rt.example.com", ""));
    EXPECT_TRUE(matches_host("rt.example.com:8443", "rt.example.com:8443"));
    EXPECT_FALSE(matches_host("rt.example.com:8443", "rt.example.com"));
    EXPECT_TRUE(matches_host("*.example.com", "a.b.example.com"));
    EXPECT_FALSE(matches_host("*.example.com", "example.com"));
    EXPECT_FALSE(matches_host("*.example.com", "evilexample.com"));
    EXPECT_FALSE(matches_host("*.example.com", ".example.com"));
    EXPECT_FALSE(matches_host("*.example.com", "evil.test/.example.com"));
    EXPECT_TRUE(matches_host("[2001:db8::1]", "[2001:db8::1]:80"));
}

TEST(host_name, a_pattern_is_a_host_without_a_path) {
    for (const char* text :
         {"example.com", "*.example.com", "a_b.example:8080", "localhost", "192.0.2.1", "[::1]"})
        EXPECT_TRUE(is_host_pattern(text)) << text;
    for (const char* text :
         {"", "*.", "*", "https://example.com", "example.com/", "a b", "example.com:", "a:b", "*.*.example",
          "a*.example", ".example", "[::1", "::1"})
        EXPECT_FALSE(is_host_pattern(text)) << text;
}

}  // namespace
}  // namespace pulsewire::shell
