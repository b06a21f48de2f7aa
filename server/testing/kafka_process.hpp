#pragma once

// A real Kafka for the length of a test: one process that is broker and controller, on free ports and with
// its files in a folder of its own. Its jars are where TEST_KAFKA says; script/kafka brings them.

#include "server/testing/child_process.hpp"
#include "server/testing/temporary_folder.hpp"

#include <librdkafka/rdkafka.h>
#include <signal.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace pulsewire::testing {

// Why no Kafka can be started here; empty when one can.
inline std::string kafka_lacks() {
    const char* const jars = std::getenv("TEST_KAFKA");
    if (!is_installed("java")) return "skipped: Kafka needs Java (package openjdk-17-jre-headless)";
    if (jars == nullptr || !std::filesystem::is_directory(jars))
        return "skipped: TEST_KAFKA names no folder with the jars of Kafka: script/kafka brings them";
    return {};
}

// A client of the test's own, beside the adapter that is tested.
class kafka_client {
public:
    explicit kafka_client(const std::string& at) {
        rd_kafka_conf_t* const conf = rd_kafka_conf_new();
        std::array<char, 256> why{};
        rd_kafka_conf_set(conf, "bootstrap.servers", at.c_str(), why.data(), why.size());
        rd_kafka_conf_set_log_cb(conf, [](const rd_kafka_t*, int, const char*, const char*) {});
        client_.reset(rd_kafka_new(RD_KAFKA_PRODUCER, conf, why.data(), why.size()));
        if (!client_) throw std::runtime_error(why.data());
        answers_.reset(rd_kafka_queue_new(client_.get()));
    }

    // Brokers that take part in the cluster.
    int brokers() {
        const rd_kafka_metadata_t* found = nullptr;
        if (rd_kafka_metadata(client_.get(), 0, nullptr, &found, 500) != RD_KAFKA_RESP_ERR_NO_ERROR) return 0;
        const int count = found->broker_cnt;
        rd_kafka_metadata_destroy(found);
        return count;
    }

    void make_topic(
        const std::string& name, int partitions,
        const std::vector<std::pair<std::string, std::string>>& settings
    ) {
        std::array<char, 256> why{};
        rd_kafka_NewTopic_t* topic =
            rd_kafka_NewTopic_new(name.c_str(), partitions, 1, why.data(), why.size());
        for (const auto& [key, value] : settings)
            rd_kafka_NewTopic_set_config(topic, key.c_str(), value.c_str());
        rd_kafka_CreateTopics(client_.get(), &topic, 1, nullptr, answers_.get());
        rd_kafka_NewTopic_destroy(topic);
        wait();
    }

    void remove_topic(const std::string& name) {
        rd_kafka_DeleteTopic_t* topic = rd_kafka_DeleteTopic_new(name.c_str());
        rd_kafka_DeleteTopics(client_.get(), &topic, 1, nullptr, answers_.get());
        rd_kafka_DeleteTopic_destroy(topic);
        wait();
    }

    // Lets a user do that with all topics whose names begin so.
    void allow(const std::string& user, rd_kafka_AclOperation_t what, const std::string& prefix) {
        std::array<char, 256> why{};
        rd_kafka_AclBinding_t* right = rd_kafka_AclBinding_new(
            RD_KAFKA_RESOURCE_TOPIC, prefix.c_str(), RD_KAFKA_RESOURCE_PATTERN_PREFIXED,
            ("User:" + user).c_str(), "*", what, RD_KAFKA_ACL_PERMISSION_TYPE_ALLOW, why.data(), why.size()
        );
        if (right == nullptr) throw std::runtime_error(why.data());
        rd_kafka_CreateAcls(client_.get(), &right, 1, nullptr, answers_.get());
        rd_kafka_AclBinding_destroy(right);
        wait();
    }

    // Removes the records of partition 0 before that offset.
    void trim(const std::string& topic, std::int64_t before) {
        rd_kafka_topic_partition_list_t* const offsets = rd_kafka_topic_partition_list_new(1);
        rd_kafka_topic_partition_list_add(offsets, topic.c_str(), 0)->offset = before;
        rd_kafka_DeleteRecords_t* request = rd_kafka_DeleteRecords_new(offsets);
        rd_kafka_DeleteRecords(client_.get(), &request, 1, nullptr, answers_.get());
        rd_kafka_DeleteRecords_destroy(request);
        rd_kafka_topic_partition_list_destroy(offsets);
        wait();
    }

    // A message of somebody else, into partition 0.
    void append(const std::string& topic, const std::string& bytes) {
        rd_kafka_producev(
            client_.get(), RD_KAFKA_V_TOPIC(topic.c_str()), RD_KAFKA_V_PARTITION(0),
            RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
            RD_KAFKA_V_VALUE(const_cast<char*>(bytes.data()), bytes.size()), RD_KAFKA_V_END
        );
        if (rd_kafka_flush(client_.get(), 10'000) != RD_KAFKA_RESP_ERR_NO_ERROR)
            throw std::runtime_error("Kafka took no message");
    }

private:
    void wait() {
        rd_kafka_event_t* const event = rd_kafka_queue_poll(answers_.get(), 10'000);
        const bool done = event != nullptr && rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR_NO_ERROR;
        if (event != nullptr) rd_kafka_event_destroy(event);
        if (!done) throw std::runtime_error("Kafka did not do what was asked");
    }

    std::unique_ptr<rd_kafka_t, decltype(&rd_kafka_destroy)> client_{nullptr, &rd_kafka_destroy};
    std::unique_ptr<rd_kafka_queue_t, decltype(&rd_kafka_queue_destroy)> answers_{
        nullptr, &rd_kafka_queue_destroy};
};

class kafka_process {
public:
    // Beyond the one listener without a login: listeners ("SSL://localhost:1234"), the protocols that their
    // names stand for ("SSL:SSL"), lines of the configuration, and words for the making of its folder.
    struct more {
        std::string listeners = {};
        std::string protocols = {};
        std::string lines = {};
        std::vector<std::string> format = {};
    };

    kafka_process() : kafka_process(more{}) {}
    explicit kafka_process(const more& m) : port_(free_port()) {
        const std::string controller = "127.0.0.1:" + std::to_string(free_port());
        const auto and_more = [](const std::string& text) { return text.empty() ? "" : "," + text; };
        std::ofstream(configuration())
            << "process.roles=broker,controller\nnode.id=1\ncontroller.quorum.voters=1@" << controller
            << "\nlisteners=PLAINTEXT://" << at() << ",CONTROLLER://" << controller << and_more(m.listeners)
            << "\nadvertised.listeners=PLAINTEXT://" << at() << and_more(m.listeners)
            << "\nlistener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT"
            << and_more(m.protocols)
            << "\ncontroller.listener.names=CONTROLLER\ninter.broker.listener.name=PLAINTEXT\nlog.dirs="
            << data()
            << "\nauto.create.topics.enable=false\n"
               // A broker that was killed is back only when its session has ended.
               "broker.session.timeout.ms=1000\nbroker.heartbeat.interval.ms=200\n"
               // Small files, which are quick to copy.
               "log.index.size.max.bytes=65536\n"
               "offsets.topic.replication.factor=1\ntransaction.state.log.replication.factor=1\n"
               "transaction.state.log.min.isr=1\n"
            << m.lines;
        std::vector<std::string> words = {"kafka.tools.StorageTool", "format", "-t",
                                          "cHVsc2V3aXJlLXRlc3RzMQ",  "-c",     configuration()};
        words.insert(words.end(), m.format.begin(), m.format.end());
        child_process format(java(words), log());
        if (format.wait() != 0) throw std::runtime_error("the folder of Kafka cannot be made");
        start();
    }

    std::string at() const { return "127.0.0.1:" + std::to_string(port_); }
    std::string folder() const { return folder_.path(); }
    std::string data() const { return folder_.path() + "/data"; }

    // Returns when it takes part in its cluster. The data is what the one before has left.
    void start() {
        process_ = std::make_unique<child_process>(java({"kafka.Kafka", configuration()}), log());
        const bool is_ready = eventually([this] { return kafka_client(at()).brokers() == 1; }, limit);
        if (!is_ready) throw std::runtime_error("Kafka does not start");
    }
    void kill() { process_->kill(); }
    void pause() { process_->signal(SIGSTOP); }
    void resume() { process_->signal(SIGCONT); }

private:
    static constexpr std::chrono::seconds limit{60};

    static std::vector<std::string> java(const std::vector<std::string>& words) {
        std::vector<std::string> command = {
            "java",
            "-Xmx256m",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "-cp",
            std::string(std::getenv("TEST_KAFKA")) + "/*"};
        command.insert(command.end(), words.begin(), words.end());
        return command;
    }
    std::string configuration() const { return folder_.path() + "/server.properties"; }
    std::string log() const { return folder_.path() + "/log"; }

    temporary_folder folder_;
    std::uint16_t port_;
    std::unique_ptr<child_process> process_;
};

}  // namespace pulsewire::testing
