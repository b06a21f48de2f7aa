#include "server/broker/kafka/address.hpp"

#include "server/broker/make_broker.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pulsewire::shell::kafka {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

address address_of(const std::string& url) {
    auto found = read_address(url);
    EXPECT_TRUE(found) << url << ": " << (found ? "" : found.error());
    return found ? *found : address{};
}

std::string fault_of_address(const std::string& url) {
    const auto found = read_address(url);
    EXPECT_FALSE(found) << url;
    return found ? "" : found.error();
}

TEST(kafka_address, of_some_brokers) {
    const address plain = address_of("kafka://a");
    EXPECT_FALSE(plain.tls);
    EXPECT_EQ(text_of(plain.hosts), "a:9092");
    EXPECT_EQ(plain.topic, "");
    EXPECT_EQ(plain.user, "");
    EXPECT_EQ(plain.mechanism, "SCRAM-SHA-512");
    EXPECT_EQ(address_of("kafkas://a").mechanism, "PLAIN");
    EXPECT_EQ(plain.partitions, 16U);
    EXPECT_EQ(plain.replicas, 0U);

    const address full = address_of(
        "kafkas://ada:p%40ss@a,[::1]:7000/"
        "logs.of-all_?partitions=64&replicas=2&sasl=SCRAM-SHA-256&certificate=/c.pem&"
        "key=/k.pem"
    );
    EXPECT_TRUE(full.tls);
    EXPECT_EQ(text_of(full.hosts), "a:9092,[::1]:7000");
    EXPECT_EQ(full.topic, "logs.of-all_");
    EXPECT_EQ(full.user, "ada");
    EXPECT_EQ(full.password, "p@ss");
    EXPECT_EQ(full.mechanism, "SCRAM-SHA-256");
    EXPECT_EQ(full.partitions, 64U);
    EXPECT_EQ(full.replicas, 2U);
    EXPECT_EQ(full.certificate_file, "/c.pem");
    EXPECT_EQ(full.key_file, "/k.pem");
}

TEST(kafka_address, says_what_is_right) {
    EXPECT_THAT(fault_of_address("kafka://"), HasSubstr("names no host"));
    EXPECT_THAT(fault_of_address("kafka://a/b/c"), HasSubstr("name of a topic"));
    EXPECT_THAT(fault_of_address("kafka://a/" + std::string(250, 'x')), HasSubstr("name of a topic"));
    EXPECT_THAT(fault_of_address("kafka://a/.."), HasSubstr("name of a topic"));
    EXPECT_THAT(fault_of_address("kafka://a?partitions=0"), HasSubstr("from 1 to 4096"));
    EXPECT_THAT(fault_of_address("kafka://a?replicas=3x"), HasSubstr("from 1 to 16"));
    EXPECT_THAT(fault_of_address("kafka://a?sasl=GSSAPI"), HasSubstr("SCRAM-SHA-512"));
    EXPECT_THAT(fault_of_address("kafka://a?acks=1"), HasSubstr("there are partitions"));
    EXPECT_THAT(fault_of_address("kafka://a?key=/k.pem"), HasSubstr("kafkas://"));
    EXPECT_THAT(fault_of_address("kafkas://a?key=/k.pem"), HasSubstr("without its certificate"));
    EXPECT_THAT(fault_of_address("kafka://ada:@a"), HasSubstr("without a password"));
    EXPECT_THAT(fault_of_address("http://a"), HasSubstr("kafkas://"));
}

TEST(kafka_address, never_repeats_a_password) {
    for (const std::string url :
         {"kafka://user:hunter2/x@h", "kafka://user:hunter2@x@h", "kafka://hunter2@h", "kafka://:hunter2@h",
          "kafka://u:hunter2@h:x", "kafka://u:hunter2@h/?a=b", "kafka://u:hunter2%@h"})
        EXPECT_THAT(fault_of_address(url), Not(HasSubstr("hunter2")));
}

TEST(kafka_address, a_prefix_that_is_no_topic_is_refused) {
    const auto made = make_broker(
        {.url = "kafka://localhost", .prefix = "my logs"}, [](std::span<cluster::from_broker>) {}
    );
    ASSERT_FALSE(made);
    EXPECT_THAT(made.error(), HasSubstr("my logs"));
}

}  // namespace
}  // namespace pulsewire::shell::kafka
