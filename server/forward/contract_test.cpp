// What every forward promises, on real brokers and with the real program, as an operator has them: nothing is
// left out and the first copies are in order, whatever is killed.

#include "server/testing/client.hpp"
#include "server/testing/forward_targets.hpp"
#include "server/testing/temporary_folder.hpp"
#include "server/testing/text_of_file.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <fstream>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace pulsewire::shell::forward {
namespace {

using nlohmann::json;
using namespace testing;

// pulsewired with a config file; it can be killed.
class forwarding_program {
public:
    explicit forwarding_program(json settings) : port_(free_port()) {
        settings["port"] = port_;
        settings["threads"] = 2;
        std::ofstream(folder_.path() + "/pulsewire.json") << settings.dump(1);
        start();
    }
    void start() {
        process_ = std::make_unique<child_process>(
            std::vector<std::string>{PULSEWIRE_PROGRAM, "--config", folder_.path() + "/pulsewire.json"},
            folder_.path() + "/log"
        );
        const bool is_ready = eventually(
            [this] {
                try {
                    return ask(port_, "GET", "/readyz").status == 200;
                } catch (const std::exception&) {
                    return false;
                }
            },
            std::chrono::seconds(30)
        );
        if (!is_ready) throw std::runtime_error("no start: " + log());
    }
    void kill() { process_->kill(); }
    void end() {
        process_->signal(SIGTERM);
        process_->wait();
    }
    std::string log() const { return text_of_file(folder_.path() + "/log"); }
    // Acknowledged, or the test fails.
    void publish(const std::string& channel, int number) {
        const auto answer =
            ask(port_, "POST", "/api/channels/" + channel + "/messages",
                json{{"type", "order.changed"}, {"payload", {{"n", number}}}}.dump());
        ASSERT_EQ(answer.status, 200) << answer.body;
    }
    double metric(const std::string& name) const {
        const std::string text = ask(port_, "GET", "/metrics").body;
        const std::size_t at = text.find("\n" + name + "{forward=\"out\"} ");
        return at == std::string::npos ? -1 : std::stod(text.substr(text.find(' ', at)));
    }

private:
    temporary_folder folder_;
    std::uint16_t port_;
    std::unique_ptr<child_process> process_;
};

class every_forward : public ::testing::TestWithParam<target_of_tests> {
protected:
    void SetUp() override {
        if (const std::string why = GetParam().lacks(); !why.empty()) GTEST_SKIP() << why;
        broker = GetParam().start();
    }
    json settings() const {
        return {
            {"namespaces", {{"orders", {{"history_count_max", 5'000}}}}},
            {"forward",
             {{{"name", "out"},
               {"from", "orders:**"},
               {"broker", broker->address()},
               {"to", broker->to()},
               {"value", "message"}}}}};
    }
    json durable() const {
        json made = settings();
        made["data"] = folder.path() + "/data";
        return made;
    }

    // What differs from all numbers from 0 on in each channel, without the copies that came later.
    std::string difference(int channels, int count) {
        std::map<std::string, int> next;
        copies = 0;
        for (const std::string& value : broker->values()) {
            const json one = json::parse(value, nullptr, false);
            if (!one.is_object()) return "no JSON: " + value;
            const std::string channel = one["channel"];
            const int n = one["payload"]["n"];
            if (n > next[channel])
                return channel + " has " + std::to_string(n) + " before " + std::to_string(next[channel]);
            if (n == next[channel])
                ++next[channel];
            else
                ++copies;
        }
        for (int c = 0; c < channels; ++c) {
            const std::string channel = "orders:c" + std::to_string(c);
            if (next[channel] != count) return channel + " has " + std::to_string(next[channel]);
        }
        return "";
    }
    bool is_all_there(int channels, int count) {
        return eventually([&] { return difference(channels, count).empty(); }, std::chrono::seconds(40));
    }

    const temporary_folder folder;
    std::unique_ptr<forward_target> broker;
    int copies = 0;
};

TEST_P(every_forward, publications_arrive_once_and_in_order) {
    forwarding_program server(settings());
    for (int i = 0; i < 100; ++i)
        for (int c = 0; c < 3; ++c) server.publish("orders:c" + std::to_string(c), i);
    server.publish("others:c0", 0);
    EXPECT_TRUE(is_all_there(3, 100)) << difference(3, 100) << server.log();
    EXPECT_EQ(copies, 0);
    EXPECT_TRUE(eventually([&] { return server.metric("pulsewire_forward_published_total") == 300; }));
    EXPECT_EQ(server.metric("pulsewire_forward_lost_total"), 0);
    EXPECT_EQ(server.metric("pulsewire_forward_in_flight"), 0);
    EXPECT_EQ(server.metric("pulsewire_forward_waiting_channels"), 0);
    EXPECT_EQ(server.metric("pulsewire_forward_connected"), 1);
    EXPECT_EQ(server.metric("pulsewire_forward_forwarding"), 1);
}

TEST_P(every_forward, nothing_is_left_out_though_the_server_is_killed) {
    forwarding_program server(durable());
    int n = 0;
    for (int round = 0; round < 5; ++round) {
        for (int i = 0; i < 40; ++i, ++n)
            for (int c = 0; c < 3; ++c) server.publish("orders:c" + std::to_string(c), n);
        server.kill();
        server.start();
    }
    EXPECT_TRUE(is_all_there(3, n)) << difference(3, n) << server.log();
    // The places were kept: what comes twice is what was on its way.
    EXPECT_LT(copies, 3 * n / 2);
    EXPECT_EQ(server.metric("pulsewire_forward_lost_total"), 0);
}

TEST_P(every_forward, a_server_that_ends_leaves_nothing_to_be_sent_twice) {
    forwarding_program server(durable());
    for (int i = 0; i < 20; ++i) server.publish("orders:c0", i);
    EXPECT_TRUE(is_all_there(1, 20)) << server.log();
    server.end();
    server.start();
    for (int i = 20; i < 40; ++i) server.publish("orders:c0", i);
    EXPECT_TRUE(is_all_there(1, 40)) << difference(1, 40) << server.log();
    EXPECT_EQ(copies, 0);
}

// Publishing goes on meanwhile.
TEST_P(every_forward, nothing_is_left_out_though_the_destination_is_killed) {
    forwarding_program server(durable());
    int n = 0;
    const int rounds = GetParam().name == "rabbitmq" ? 1 : 3;  // it takes ten seconds to start
    for (int round = 0; round < rounds; ++round) {
        for (int i = 0; i < 30; ++i, ++n)
            for (int c = 0; c < 3; ++c) server.publish("orders:c" + std::to_string(c), n);
        broker->kill();
        for (int i = 0; i < 30; ++i, ++n)
            for (int c = 0; c < 3; ++c) server.publish("orders:c" + std::to_string(c), n);
        broker->start();
    }
    EXPECT_TRUE(is_all_there(3, n)) << difference(3, n) << server.log();
    const std::string log = server.log();
    EXPECT_NE(log.find("does not go on"), std::string::npos) << log;
    EXPECT_NE(log.find("the destination is back"), std::string::npos) << log;
    EXPECT_EQ(server.metric("pulsewire_forward_lost_total"), 0);
}

TEST_P(every_forward, what_the_history_lost_meanwhile_is_counted_and_told) {
    json made = settings();
    made["namespaces"]["orders"]["history_count_max"] = 10;
    forwarding_program server(made);
    server.publish("orders:c0", 0);
    EXPECT_TRUE(is_all_there(1, 1)) << server.log();
    broker->kill();
    ASSERT_TRUE(eventually([&] { return server.metric("pulsewire_forward_connected") == 0; }));
    for (int i = 1; i < 31; ++i) server.publish("orders:c0", i);
    broker->start();
    // Without copies, of which a killed RabbitMQ makes some itself.
    std::vector<json> all;
    const auto newest = [&all] { return all.empty() ? 0 : all.back()["offset"].get<int>(); };
    EXPECT_TRUE(eventually(
        [&] {
            all.clear();
            for (const std::string& value : broker->values()) {
                const json one = json::parse(value);
                if (one["offset"] > newest()) all.push_back(one);
            }
            return newest() == 31;
        },
        std::chrono::seconds(40)
    )) << server.log();
    ASSERT_EQ(all.size(), 12u);
    const json& gap = all[1];
    EXPECT_EQ(gap["type"], "pulsewire.gap");
    EXPECT_EQ(gap["payload"], json({{"lost", 20}, {"after", 1}, {"before", 22}}));
    EXPECT_EQ(all[2]["offset"], 22);
    EXPECT_EQ(server.metric("pulsewire_forward_lost_total"), 20);
    EXPECT_NE(server.log().find("20 publications of orders:c0 were kept no more"), std::string::npos);
}

#ifdef PULSEWIRE_BROKER_REDIS
// Of two servers that share a log, each forwards its part; whichever is killed, the other one goes on with
// it.
TEST_P(every_forward, nothing_is_left_out_though_one_of_two_servers_is_killed) {
    if (!is_installed("redis-server")) GTEST_SKIP() << "redis-server is not installed";
    redis_process log;
    json made = settings();
    made["broker"] = "redis://" + log.at();
    made["broker_partitions"] = 4;
    forwarding_program one(made), two(made);
    int n = 0;
    for (int round = 0; round < 2; ++round) {
        for (int i = 0; i < 40; ++i, ++n)
            for (int c = 0; c < 6; ++c) two.publish("orders:c" + std::to_string(c), n);
        if (round == 0) one.kill();
    }
    EXPECT_TRUE(is_all_there(6, n)) << difference(6, n) << two.log();
    one.start();
    for (int i = 0; i < 10; ++i, ++n)
        for (int c = 0; c < 6; ++c) one.publish("orders:c" + std::to_string(c), n);
    EXPECT_TRUE(is_all_there(6, n)) << difference(6, n) << one.log() << two.log();
    EXPECT_LT(copies, 6 * n) << "the places are in the log";
}
#endif

INSTANTIATE_TEST_SUITE_P(
    brokers, every_forward, ::testing::ValuesIn(targets_of_tests()),
    [](const ::testing::TestParamInfo<target_of_tests>& one) { return one.param.name; }
);

}  // namespace
}  // namespace pulsewire::shell::forward
