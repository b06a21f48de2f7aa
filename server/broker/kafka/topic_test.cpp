#include "server/broker/kafka/topic.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pulsewire::shell::kafka {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

topic_facts good_topic(std::uint32_t replicas = 3, const topic_needs& needs = {}) {
    topic_facts topic{.partitions = 16, .replicas = replicas, .brokers = replicas, .settings = {}};
    for (auto& [name, value] : settings_of_new_topic(needs, replicas)) topic.settings[name] = value;
    topic.settings["max.message.bytes"] = "1048588";  // Kafka's default
    return topic;
}

std::string fault_with(const std::string& name, const std::string& value, std::uint32_t replicas = 3) {
    topic_facts topic = good_topic(replicas);
    topic.settings[name] = value;
    return fault_of(topic, {});
}

TEST(kafka_topic, what_a_new_one_is_given_is_right) {
    for (const std::uint32_t replicas : {1U, 2U, 3U}) EXPECT_EQ(fault_of(good_topic(replicas), {}), "");
    const topic_needs needs{.replicas = 4, .wait_replicas = 2};
    EXPECT_EQ(good_topic(4, needs).settings["min.insync.replicas"], "3");
    EXPECT_EQ(fault_of(good_topic(4, needs), needs), "");
    EXPECT_EQ(replicas_of_new_topic({}, 1), 1U);
    EXPECT_EQ(replicas_of_new_topic({}, 2), 2U);
    EXPECT_EQ(replicas_of_new_topic({}, 7), 3U);
    EXPECT_EQ(replicas_of_new_topic({.replicas = 5}, 7), 5U);
}

TEST(kafka_topic, a_setting_that_loses_records_is_named_with_its_remedy) {
    EXPECT_THAT(
        fault_with("min.insync.replicas", "1"), AllOf(HasSubstr("min.insync.replicas=1"), HasSubstr("to 2"))
    );
    EXPECT_THAT(fault_with("min.insync.replicas", "4"), HasSubstr("takes no append"));
    EXPECT_EQ(fault_with("min.insync.replicas", "3"), "");
    EXPECT_THAT(
        fault_with("unclean.leader.election.enable", "true"), HasSubstr("unclean.leader.election.enable=true")
    );
    EXPECT_EQ(fault_with("unclean.leader.election.enable", "true", 1), "");
    EXPECT_THAT(fault_with("cleanup.policy", "compact,delete"), HasSubstr("cleanup.policy=compact,delete"));
    EXPECT_THAT(fault_with("retention.ms", "604800000"), HasSubstr("retention.ms=604800000"));
    EXPECT_EQ(fault_with("retention.ms", "2592000000"), "");
    EXPECT_THAT(fault_with("retention.bytes", "1073741823"), HasSubstr("retention.bytes"));
    EXPECT_EQ(fault_with("retention.bytes", "1073741824"), "");
    EXPECT_THAT(fault_with("max.message.bytes", "1000000"), HasSubstr("max.message.bytes"));
}

TEST(kafka_topic, with_fewer_replicas_than_the_cluster_could_keep_it_is_refused_unless_that_is_wanted) {
    topic_facts topic = good_topic(1);
    topic.brokers = 3;
    EXPECT_THAT(fault_of(topic, {}), AllOf(HasSubstr("1 of the 3 replicas"), HasSubstr("replicas=1")));
    EXPECT_EQ(fault_of(topic, {.replicas = 1}), "");
    EXPECT_THAT(fault_of(good_topic(2), {.replicas = 2, .wait_replicas = 2}), HasSubstr("wait for 3"));
    EXPECT_THAT(fault_of(good_topic(1), {.wait_replicas = 1}), HasSubstr("wait for 2"));
    EXPECT_EQ(fault_of(good_topic(3), {.wait_replicas = 1}), "");
}

TEST(kafka_topic, one_replica_vouches_for_nothing) {
    EXPECT_FALSE(keeps_what_it_shows(good_topic(1)));
    EXPECT_TRUE(keeps_what_it_shows(good_topic(2)));
}

}  // namespace
}  // namespace pulsewire::shell::kafka
