// Over the cluster in memory that the library has for tests.

#include "server/broker/kafka/connection_guard.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <librdkafka/rdkafka_mock.h>

#include <array>
#include <future>
#include <memory>
#include <string>

namespace pulsewire::shell::kafka {
namespace {

using ::testing::HasSubstr;

constexpr const char* topic = "guarded";

void set(rd_kafka_conf_t* conf, const char* name, const std::string& value) {
    std::array<char, 256> why{};
    ASSERT_EQ(rd_kafka_conf_set(conf, name, value.c_str(), why.data(), why.size()), RD_KAFKA_CONF_OK)
        << why.data();
}

// One broker that can lose its connections and come back at once.
class cluster_in_memory {
public:
    cluster_in_memory() {
        rd_kafka_conf_t* const conf = rd_kafka_conf_new();
        rd_kafka_conf_set_log_cb(conf, [](const rd_kafka_t*, int, const char*, const char*) {});
        handle_.reset(rd_kafka_new(RD_KAFKA_PRODUCER, conf, nullptr, 0));
        cluster_.reset(rd_kafka_mock_cluster_new(handle_.get(), 1));
        rd_kafka_mock_topic_create(cluster_.get(), topic, 1, 1);
    }
    std::string at() const { return rd_kafka_mock_cluster_bootstraps(cluster_.get()); }
    // Answers only after so long, so what is sent meanwhile waits at the client.
    void answer_after(int ms) { rd_kafka_mock_broker_set_rtt(cluster_.get(), 1, ms); }
    void lose_connections() {
        rd_kafka_mock_broker_set_down(cluster_.get(), 1);
        rd_kafka_mock_broker_set_up(cluster_.get(), 1);
    }

private:
    handle_ptr handle_;
    std::unique_ptr<rd_kafka_mock_cluster_t, freed_by<rd_kafka_mock_cluster_destroy>> cluster_;
};

struct reports {
    int taken = 0;
    int failed = 0;
};

class sender {
public:
    sender(const std::string& at, connection_guard* guard, const std::string& message_timeout_ms) {
        rd_kafka_conf_t* const conf = rd_kafka_conf_new();
        for (const auto& [name, value] :
             {std::pair{"bootstrap.servers", at}, std::pair{"message.send.max.retries", std::string("0")},
              std::pair{"max.in.flight.requests.per.connection", std::string("1")},
              std::pair{"batch.num.messages", std::string("1")}, std::pair{"linger.ms", std::string("0")},
              std::pair{"message.timeout.ms", message_timeout_ms}})
            set(conf, name, value);
        rd_kafka_conf_set_log_cb(conf, [](const rd_kafka_t*, int, const char*, const char*) {});
        rd_kafka_conf_set_dr_msg_cb(conf, [](rd_kafka_t*, const rd_kafka_message_t* message, void*) {
            auto& told = *static_cast<reports*>(message->_private);
            ++(message->err == RD_KAFKA_RESP_ERR_NO_ERROR ? told.taken : told.failed);
        });
        if (guard != nullptr) guard->watch(conf);
        handle_.reset(rd_kafka_new(RD_KAFKA_PRODUCER, conf, nullptr, 0));
    }
    void send() {
        rd_kafka_producev(
            handle_.get(), RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION(0),
            RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_VALUE(const_cast<char*>("x"), 1),
            RD_KAFKA_V_OPAQUE(&told_), RD_KAFKA_V_END
        );
    }
    // What became of all that was sent.
    reports finish() {
        EXPECT_EQ(rd_kafka_flush(handle_.get(), 20'000), RD_KAFKA_RESP_ERR_NO_ERROR);
        return told_;
    }

private:
    reports told_;
    handle_ptr handle_;
};

// Sends one message that is answered, one that is under way and one that waits, when the connection ends.
reports lose_connection_while_sending(connection_guard* guard) {
    cluster_in_memory cluster;
    // Time enough to connect again; or for as long as is waited for what must not happen.
    sender user(cluster.at(), guard, guard == nullptr ? "20000" : "3000");
    user.send();
    EXPECT_EQ(user.finish().taken, 1);
    cluster.answer_after(500);
    user.send();
    user.send();
    cluster.lose_connections();
    const reports told = user.finish();
    if (guard != nullptr) guard->retire();
    return told;
}

TEST(connection_guard, without_it_the_library_sends_what_waits_to_the_broker_that_came_back) {
    EXPECT_GT(lose_connection_while_sending(nullptr).taken, 1);
}

TEST(connection_guard, nothing_is_sent_after_the_first_connection_has_ended) {
    std::promise<std::string> broken;
    connection_guard guard([&](const std::string& where) { broken.set_value(where); });
    const reports told = lose_connection_while_sending(&guard);
    EXPECT_EQ(told.taken, 1);
    EXPECT_EQ(told.failed, 2);
    EXPECT_TRUE(guard.has_connected());
    EXPECT_TRUE(guard.is_broken());
    EXPECT_THAT(broken.get_future().get(), HasSubstr("127.0.0.1:"));
}

TEST(connection_guard, a_client_that_is_retired_tells_nobody) {
    connection_guard guard([](const std::string& where) { ADD_FAILURE() << where; });
    cluster_in_memory cluster;
    sender user(cluster.at(), &guard, "3000");
    user.send();
    EXPECT_EQ(user.finish().taken, 1);
    guard.retire();
}

}  // namespace
}  // namespace pulsewire::shell::kafka
