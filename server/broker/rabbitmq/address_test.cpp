#include "server/broker/rabbitmq/address.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pulsewire::shell::rabbitmq {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

broker_options options_of(const std::string& url, const std::string& prefix, std::uint32_t wait_replicas) {
    broker_options options;
    options.url = url;
    options.prefix = prefix;
    options.wait_replicas = wait_replicas;
    return options;
}

address read(const std::string& url) {
    auto found = read_address(options_of(url, "pulsewire", 0));
    EXPECT_TRUE(found) << url << ": " << (found ? "" : found.error());
    return found ? *found : address{};
}

std::string fault(
    const std::string& url, const std::string& prefix = "pulsewire", std::uint32_t wait_replicas = 0
) {
    const auto found = read_address(options_of(url, prefix, wait_replicas));
    EXPECT_FALSE(found) << url;
    return found ? "" : found.error();
}

TEST(rabbitmq_address, names_servers_a_login_and_a_virtual_host) {
    const address plain = read("rabbitmq://example.com");
    EXPECT_FALSE(plain.tls);
    ASSERT_EQ(plain.hosts.size(), 1U);
    EXPECT_EQ(text_of(plain.hosts[0]), "example.com:5672");
    EXPECT_EQ(plain.user, "guest");
    EXPECT_EQ(plain.password, "guest");
    EXPECT_EQ(plain.vhost, "/");
    EXPECT_EQ(plain.name, "pulsewire");
    EXPECT_EQ(plain.keep_mb, 1'024U);

    const address full = read("rabbitmqs://ada:p%40ss@a,b:5000,[::1]:7/chat%2Frooms?keep_mb=4096");
    EXPECT_TRUE(full.tls);
    ASSERT_EQ(full.hosts.size(), 3U);
    EXPECT_EQ(text_of(full.hosts[0]), "a:5671");
    EXPECT_EQ(text_of(full.hosts[1]), "b:5000");
    EXPECT_EQ(full.hosts[2].port, 7);
    EXPECT_EQ(full.user, "ada");
    EXPECT_EQ(full.password, "p@ss");
    EXPECT_EQ(full.vhost, "chat/rooms");
    EXPECT_EQ(full.keep_mb, 4'096U);
}

TEST(rabbitmq_address, faults_are_named_without_the_password) {
    for (const char* const option :
         {"keep_mb=255", "keep_mb=1000001", "keep_mb=x", "trust=durable", "replicas=3"}) {
        EXPECT_THAT(
            fault(std::string("rabbitmq://ada:hunter2@a/v?").append(option)),
            AllOf(HasSubstr("keep_mb=256 to"), Not(HasSubstr("hunter2")))
        );
    }
    EXPECT_THAT(fault("rabbitmq://a,b,c,d,e,f,g,h,i"), HasSubstr("more than 8"));
    EXPECT_THAT(
        fault("rabbitmq://:hunter2@a"), AllOf(HasSubstr("without a user"), Not(HasSubstr("hunter2")))
    );
    EXPECT_THAT(fault("rabbitmq://a/" + std::string(256, 'v')), HasSubstr("too long"));
    EXPECT_THAT(fault("rabbitmq://u:" + std::string(2'000, 'p') + "@a"), HasSubstr("too long"));
    EXPECT_THAT(fault("amqp://a"), HasSubstr("rabbitmq:// and rabbitmqs://"));
}

TEST(rabbitmq_address, streams_have_names_that_a_server_takes) {
    for (const std::string& prefix : {std::string(), std::string("amq.logs"), std::string(201, 'x')})
        EXPECT_THAT(fault("rabbitmq://a", prefix), HasSubstr("prefix"));
}

TEST(rabbitmq_address, replicas_to_wait_for_are_refused_since_they_cannot_be_asked_for) {
    EXPECT_THAT(fault("rabbitmq://a", "pulsewire", 1), HasSubstr("most of a stream's replicas"));
}

}  // namespace
}  // namespace pulsewire::shell::rabbitmq
