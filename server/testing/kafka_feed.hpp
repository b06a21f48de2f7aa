#pragma once

// Kafka for the contract suite of feeds: one server, whose tests differ by their topics and groups.

#include "server/feed/tested_source.hpp"
#include "server/testing/kafka_broker.hpp"

#include <librdkafka/rdkafka.h>

#include <array>
#include <memory>
#include <stdexcept>
#include <string>

namespace pulsewire::testing {

class kafka_feed : public shell::feed::tested_source {
public:
    kafka_feed() {
        static int count = 0;
        topic_ = "orders" + std::to_string(++count);
        kafka_client of(server_.at());
        of.make_topic(topic_, 3, {});
        of.make_topic(dead_letters(), 1, {});
    }
    ~kafka_feed() override {
        if (writer_ != nullptr) rd_kafka_destroy(writer_);
    }
    std::string address() override { return "kafka://" + server_.at(); }
    std::string from() override { return topic_; }
    std::string dead_letters() override { return topic_ + "-bad"; }
    std::string group() override { return "group-of-" + topic_; }
    void write(const std::string& key, const std::string& value) override {
        if (writer_ == nullptr) writer_ = client(RD_KAFKA_PRODUCER);
        rd_kafka_producev(
            writer_, RD_KAFKA_V_TOPIC(topic_.c_str()), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
            RD_KAFKA_V_KEY(const_cast<char*>(key.data()), key.size()),
            RD_KAFKA_V_VALUE(const_cast<char*>(value.data()), value.size()), RD_KAFKA_V_END
        );
        rd_kafka_poll(writer_, 0);
    }
    void flush() override {
        if (writer_ != nullptr && rd_kafka_flush(writer_, 30'000) != RD_KAFKA_RESP_ERR_NO_ERROR)
            throw std::runtime_error("Kafka takes nothing");
    }
    std::string dead() override {
        std::string all;
        rd_kafka_t* const reader = client(RD_KAFKA_CONSUMER);
        rd_kafka_topic_t* const topic = rd_kafka_topic_new(reader, dead_letters().c_str(), nullptr);
        rd_kafka_consume_start(topic, 0, RD_KAFKA_OFFSET_BEGINNING);
        while (rd_kafka_message_t* one = rd_kafka_consume(topic, 0, 2'000)) {
            rd_kafka_headers_t* headers = nullptr;
            const void* reason = nullptr;
            std::size_t size = 0;
            if (one->err == RD_KAFKA_RESP_ERR_NO_ERROR && rd_kafka_message_headers(one, &headers) == 0 &&
                rd_kafka_header_get_last(headers, "pulsewire-reason", &reason, &size) == 0)
                all.append(static_cast<const char*>(reason), size)
                    .append(" ")
                    .append(static_cast<const char*>(one->payload), one->len)
                    .append("\n");
            rd_kafka_message_destroy(one);
        }
        rd_kafka_consume_stop(topic, 0);
        rd_kafka_topic_destroy(topic);
        rd_kafka_destroy(reader);
        return all;
    }
    // What the group has committed is behind the end.
    std::size_t left() override {
        rd_kafka_t* const asking = client(RD_KAFKA_CONSUMER);
        rd_kafka_topic_partition_list_t* const list = rd_kafka_topic_partition_list_new(3);
        for (int i = 0; i < 3; ++i) rd_kafka_topic_partition_list_add(list, topic_.c_str(), i);
        std::size_t left = rd_kafka_committed(asking, list, 2'000) == 0 ? 0 : 1;
        for (int i = 0; i < list->cnt; ++i) {
            std::int64_t low = 0, high = 0;
            rd_kafka_query_watermark_offsets(
                asking, topic_.c_str(), list->elems[i].partition, &low, &high, 2'000
            );
            const std::int64_t committed = list->elems[i].offset < 0 ? 0 : list->elems[i].offset;
            left += static_cast<std::size_t>(high - committed);
        }
        rd_kafka_topic_partition_list_destroy(list);
        rd_kafka_destroy(asking);
        return left;
    }
    void restart() override {
        flush();
        server_.kill();
        server_.start();
    }

private:
    rd_kafka_t* client(rd_kafka_type_t type) {
        rd_kafka_conf_t* const conf = rd_kafka_conf_new();
        std::array<char, 256> why{};
        rd_kafka_conf_set(conf, "bootstrap.servers", server_.at().c_str(), why.data(), why.size());
        rd_kafka_conf_set(conf, "group.id", group().c_str(), why.data(), why.size());
        rd_kafka_conf_set(conf, "enable.idempotence", "true", why.data(), why.size());
        rd_kafka_conf_set_log_cb(conf, [](const rd_kafka_t*, int, const char*, const char*) {});
        rd_kafka_t* const made = rd_kafka_new(type, conf, why.data(), why.size());
        if (made == nullptr) throw std::runtime_error(why.data());
        return made;
    }

    kafka_process& server_ = shell::kafka::kafka_of_all_tests();
    std::string topic_;
    rd_kafka_t* writer_ = nullptr;
};

inline shell::feed::source_kind tested_kafka() {
    return {"kafka", kafka_lacks, []() -> std::unique_ptr<shell::feed::tested_source> {
                return std::make_unique<kafka_feed>();
            }};
}

}  // namespace pulsewire::testing
