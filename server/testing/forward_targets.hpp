#pragma once

// Real brokers as the destinations of forwards, for their contract suite.

#include "server/testing/child_process.hpp"

#ifdef PULSEWIRE_BROKER_REDIS
#include "server/testing/redis_process.hpp"
#endif
#ifdef PULSEWIRE_BROKER_NATS
#include "common/base/base64.hpp"
#include "server/testing/nats_process.hpp"
#endif
#ifdef PULSEWIRE_BROKER_KAFKA
#include "server/testing/kafka_broker.hpp"
#endif
#ifdef PULSEWIRE_BROKER_RABBITMQ
#include "server/testing/rabbitmq_process.hpp"
#endif

#include <nlohmann/json.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace pulsewire::testing {

class forward_target {
public:
    virtual ~forward_target() = default;
    virtual std::string address() = 0;
    virtual std::string to() = 0;
    // The values that are there, of one channel in the order of their arrival.
    virtual std::vector<std::string> values() = 0;
    virtual void kill() = 0;
    // With the data that is there.
    virtual void start() = 0;
};

struct target_of_tests {
    std::string name;
    // Why it cannot be tested here: a sentence, or empty.
    std::string (*lacks)();
    std::unique_ptr<forward_target> (*start)();
};

inline std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        lines.push_back(text.substr(at, end - at));
        at = end + 1;
    }
    return lines;
}

#ifdef PULSEWIRE_BROKER_REDIS
class redis_target : public forward_target {
public:
    std::string address() override { return "redis://" + server_.at(); }
    std::string to() override { return "orders"; }
    std::vector<std::string> values() override {
        std::vector<std::string> found;
        const std::vector<std::string> lines = lines_of(server_({"XRANGE", "orders", "-", "+"}));
        for (std::size_t i = 0; i + 1 < lines.size(); ++i)
            if (lines[i] == "payload") found.push_back(lines[i + 1]);
        return found;
    }
    void kill() override { server_.kill(); }
    void start() override { server_.start(); }

private:
    redis_process server_;
};
#endif

#ifdef PULSEWIRE_BROKER_NATS
class nats_target : public forward_target {
public:
    nats_target() {
        server_(
            "$JS.API.STREAM.CREATE.ORDERS", R"({"name":"ORDERS","subjects":["orders.>"],"storage":"file"})"
        );
    }
    std::string address() override { return "nats://" + server_.at(); }
    std::string to() override { return "orders.{channel}"; }
    std::vector<std::string> values() override {
        for (;; ++read_) {
            const auto answer = nlohmann::json::parse(
                server_("$JS.API.STREAM.MSG.GET.ORDERS", "{\"seq\":" + std::to_string(read_ + 1) + "}"),
                nullptr, false
            );
            if (!answer.is_object() || !answer.contains("message")) break;
            std::string value;
            append_from_base64(value, answer["message"]["data"].get<std::string>());
            found_.push_back(value);
        }
        return found_;
    }
    void kill() override { server_.kill(); }
    void start() override { server_.start(); }

private:
    nats_process server_;
    std::uint64_t read_ = 0;
    std::vector<std::string> found_;
};
#endif

#ifdef PULSEWIRE_BROKER_KAFKA
class kafka_target : public forward_target {
public:
    kafka_target() {
        static int count = 0;
        topic_ = "forwarded" + std::to_string(++count);
        kafka_client(server_.at()).make_topic(topic_, 3, {});
    }
    std::string address() override { return "kafka://" + server_.at(); }
    std::string to() override { return topic_; }
    std::vector<std::string> values() override {
        std::vector<std::string> found;
        rd_kafka_conf_t* const conf = rd_kafka_conf_new();
        char why[256];
        rd_kafka_conf_set(conf, "bootstrap.servers", server_.at().c_str(), why, sizeof why);
        rd_kafka_conf_set(conf, "enable.partition.eof", "true", why, sizeof why);
        rd_kafka_conf_set_log_cb(conf, [](const rd_kafka_t*, int, const char*, const char*) {});
        rd_kafka_t* const reader = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof why);
        rd_kafka_topic_t* const topic = rd_kafka_topic_new(reader, topic_.c_str(), nullptr);
        for (int partition = 0; partition < 3; ++partition) {
            rd_kafka_consume_start(topic, partition, RD_KAFKA_OFFSET_BEGINNING);
            while (rd_kafka_message_t* one = rd_kafka_consume(topic, partition, 3'000)) {
                const bool is_one = one->err == RD_KAFKA_RESP_ERR_NO_ERROR;
                if (is_one) found.emplace_back(static_cast<const char*>(one->payload), one->len);
                const bool is_end = one->err == RD_KAFKA_RESP_ERR__PARTITION_EOF;
                rd_kafka_message_destroy(one);
                if (is_end) break;
            }
            rd_kafka_consume_stop(topic, partition);
        }
        rd_kafka_topic_destroy(topic);
        rd_kafka_destroy(reader);
        return found;
    }
    void kill() override { server_.kill(); }
    void start() override { server_.start(); }

private:
    kafka_process& server_ = shell::kafka::kafka_of_all_tests();
    std::string topic_;
};
#endif

#ifdef PULSEWIRE_BROKER_RABBITMQ
class rabbitmq_target : public forward_target {
public:
    rabbitmq_target() {
        static int count = 0;
        queue_ = "forwarded-" + std::to_string(++count);
        rabbitmq_client(server_.port()).make_queue(queue_, "classic");
    }
    std::string address() override { return "rabbitmq://" + server_.at(); }
    std::string to() override { return queue_; }
    std::vector<std::string> values() override {
        for (std::string& one : lines_of(rabbitmq_client(server_.port()).take_all(queue_)))
            found_.push_back(std::move(one));
        return found_;
    }
    void kill() override { server_.kill(); }
    void start() override { server_.start(); }

private:
    rabbitmq_process& server_ = rabbitmq_of_all_tests();
    std::string queue_;
    std::vector<std::string> found_;
};
#endif

template <class Target>
std::unique_ptr<forward_target> start_target() {
    return std::make_unique<Target>();
}

inline std::vector<target_of_tests> targets_of_tests() {
    return {
#ifdef PULSEWIRE_BROKER_REDIS
        {"redis",
         [] { return std::string(is_installed("redis-server") ? "" : "redis-server is not installed"); },
         start_target<redis_target>},
#endif
#ifdef PULSEWIRE_BROKER_NATS
        {"nats",
         [] { return std::string(is_installed("nats-server") ? "" : "nats-server is not installed"); },
         start_target<nats_target>},
#endif
#ifdef PULSEWIRE_BROKER_KAFKA
        {"kafka", kafka_lacks, start_target<kafka_target>},
#endif
#ifdef PULSEWIRE_BROKER_RABBITMQ
        {"rabbitmq",
         [] {
             return std::string(is_installed("rabbitmq-server") ? "" : "rabbitmq-server is not installed");
         },
         start_target<rabbitmq_target>},
#endif
    };
}

}  // namespace pulsewire::testing
