#include "server/broker/nats/address.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pulsewire::shell::nats {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

address read(const std::string& url, std::uint32_t wait_replicas = 0) {
    broker_options options;
    options.url = url;
    options.wait_replicas = wait_replicas;
    auto found = read_address(options);
    EXPECT_TRUE(found) << url << ": " << (found ? "" : found.error());
    return found ? *found : address{};
}

std::string fault(const std::string& url, std::uint32_t wait_replicas = 0) {
    broker_options options;
    options.url = url;
    options.wait_replicas = wait_replicas;
    const auto found = read_address(options);
    EXPECT_FALSE(found) << url;
    return found ? "" : found.error();
}

TEST(nats_address, names_servers_and_streams) {
    const address plain = read("nats://example.com");
    EXPECT_FALSE(plain.tls);
    ASSERT_EQ(plain.hosts.size(), 1U);
    EXPECT_EQ(text_of(plain.hosts[0]), "example.com:4222");
    EXPECT_EQ(plain.name, "pulsewire");
    EXPECT_EQ(plain.replicas, 1U);
    EXPECT_FALSE(plain.is_trusted);

    const address full = read(
        "natss://ada:p%40ss@a,b:5000,[::1]:7/chat%20rooms?replicas=3&credentials=/etc/ada.creds&trust=durable"
    );
    EXPECT_TRUE(full.tls);
    EXPECT_EQ(full.user, "ada");
    EXPECT_EQ(full.password, "p@ss");
    ASSERT_EQ(full.hosts.size(), 3U);
    EXPECT_EQ(text_of(full.hosts[1]), "b:5000");
    EXPECT_EQ(text_of(full.hosts[2]), "[::1]:7");
    EXPECT_EQ(full.name, "chat=20rooms");
    EXPECT_EQ(full.replicas, 3U);
    EXPECT_EQ(full.credentials_file, "/etc/ada.creds");
    EXPECT_TRUE(full.is_trusted);
}

TEST(nats_address, has_enough_replicas_for_those_that_an_append_waits_for) {
    EXPECT_EQ(read("nats://a", 1).replicas, 3U);
    EXPECT_EQ(read("nats://a?replicas=5", 1).replicas, 5U);
    EXPECT_EQ(read("nats://a?replicas=1", 2).replicas, 5U);
    EXPECT_THAT(fault("nats://a", 3), HasSubstr("at most 5 replicas"));
}

TEST(nats_address, says_what_is_right) {
    EXPECT_THAT(fault("nats://"), HasSubstr("names no host"));
    EXPECT_THAT(fault("nats://a:0"), HasSubstr("from 1 to 65535"));
    EXPECT_THAT(fault("nats://a?replicas=9"), HasSubstr("replicas=1 to replicas=5"));
    EXPECT_THAT(fault("nats://a?trust=me"), HasSubstr("trust=durable"));
    EXPECT_THAT(fault("nats://a?x"), HasSubstr("name=value"));
    EXPECT_THAT(fault("nats://1,2,3,4,5,6,7,8,9"), HasSubstr("more than 8"));
    EXPECT_THAT(fault("nats://a/" + std::string(201, 'x')), HasSubstr("longer than 200"));
    EXPECT_THAT(fault("redis://a"), HasSubstr("natss://"));
}

TEST(nats_address, never_repeats_a_password) {
    for (const std::string url :
         {"nats://u:hunter2/x@h", "nats://u:hunter2@x@h", "nats://hunter2@h", "nats://u:hunter2%@h",
          "nats://u:hunter2@h:x", "nats://u:hunter2?@h", "nats://u:hunter2@h?a=b"})
        EXPECT_THAT(fault(url), Not(HasSubstr("hunter2")));
}

}  // namespace
}  // namespace pulsewire::shell::nats
