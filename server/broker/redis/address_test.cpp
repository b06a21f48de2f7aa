#include "server/broker/redis/address.hpp"

#include "server/broker/make_broker.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pulsewire::shell::redis {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

address read(const std::string& url) {
    auto found = read_address(url);
    EXPECT_TRUE(found) << url << ": " << (found ? "" : found.error());
    return found ? *found : address{};
}

std::string fault(const std::string& url) {
    const auto found = read_address(url);
    EXPECT_FALSE(found) << url;
    return found ? "" : found.error();
}

TEST(redis_address, of_one_server) {
    const address plain = read("redis://example.com");
    EXPECT_EQ(plain.how, address::kind::single);
    EXPECT_FALSE(plain.tls);
    ASSERT_EQ(plain.hosts.size(), 1U);
    EXPECT_EQ(text_of(plain.hosts[0]), "example.com:6379");
    EXPECT_EQ(plain.password, "");

    const address full = read("rediss://ada:p%40ss%2Fw:rd%25@[::1]:7000/");
    EXPECT_TRUE(full.tls);
    EXPECT_EQ(full.user, "ada");
    EXPECT_EQ(full.password, "p@ss/w:rd%");
    EXPECT_EQ(full.hosts[0].host, "::1");
    EXPECT_EQ(text_of(full.hosts[0]), "[::1]:7000");
    EXPECT_EQ(read("redis://:secret@h").user, "");
    EXPECT_EQ(read("redis://:secret@h").password, "secret");
}

TEST(redis_address, of_sentinels_and_clusters) {
    const address sentinel = read("redis-sentinel://:pw@a,b:5000,c/mymaster");
    EXPECT_EQ(sentinel.how, address::kind::sentinel);
    EXPECT_EQ(sentinel.master_name, "mymaster");
    ASSERT_EQ(sentinel.hosts.size(), 3U);
    EXPECT_EQ(text_of(sentinel.hosts[0]), "a:26379");
    EXPECT_EQ(text_of(sentinel.hosts[1]), "b:5000");
    const address cluster = read("rediss-cluster://a,b");
    EXPECT_EQ(cluster.how, address::kind::cluster);
    EXPECT_TRUE(cluster.tls);
    EXPECT_EQ(text_of(cluster.hosts[1]), "b:6379");
}

TEST(redis_address, says_what_is_right) {
    EXPECT_THAT(fault("redis://"), HasSubstr("names no host"));
    EXPECT_THAT(fault("redis://a,,b"), HasSubstr("names no host"));
    EXPECT_THAT(fault("redis://a:0"), HasSubstr("from 1 to 65535"));
    EXPECT_THAT(fault("redis://a:65536"), HasSubstr("from 1 to 65535"));
    EXPECT_THAT(fault("redis://::1"), HasSubstr("brackets"));
    EXPECT_THAT(fault("redis://[::1"), HasSubstr("']'"));
    EXPECT_THAT(fault("redis://a,b"), HasSubstr("redis-cluster://"));
    EXPECT_THAT(fault("redis://a/1"), HasSubstr("database 0"));
    EXPECT_THAT(fault("redis-sentinel://a"), HasSubstr("mymaster"));
    EXPECT_THAT(fault("http://a"), HasSubstr("redis://"));
}

TEST(redis_address, never_repeats_a_password) {
    for (const std::string url :
         {"redis://user:hunter2/x@h", "redis://user:hunter2@x@h", "redis://hunter2@h", "redis://u:hunter2%@h",
          "redis://u:hunter2@h:x", "redis://u:hunter2@a,b", "redis://u:hunter2@h/3",
          "redis-sentinel://u:hunter2@h"})
        EXPECT_THAT(fault(url), Not(HasSubstr("hunter2")));
    for (const std::string url : {"redis:/u:hunter2@h", "u:hunter2://h", "amqp://u:hunter2@h", "hunter2"}) {
        const auto made = make_broker({.url = url}, [](std::span<cluster::from_broker>) {});
        ASSERT_FALSE(made) << url;
        EXPECT_THAT(made.error(), Not(HasSubstr("hunter2")));
        EXPECT_THAT(made.error(), HasSubstr("redis://host:6379"));
    }
}

}  // namespace
}  // namespace pulsewire::shell::redis
