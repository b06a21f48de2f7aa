// What every broker's feed promises, on real brokers and with the real program, as an operator has them: each
// record once and in order, whatever is killed; bad records in their place; nothing dropped when the hub
// refuses.

#include "server/feed/tested_source.hpp"
#include "server/testing/child_process.hpp"
#include "server/testing/client.hpp"
#include "server/testing/temporary_folder.hpp"
#include "server/testing/text_of_file.hpp"

#ifdef PULSEWIRE_BROKER_REDIS
#include "server/testing/redis_feed.hpp"
#endif
#ifdef PULSEWIRE_BROKER_NATS
#include "server/testing/nats_feed.hpp"
#endif
#ifdef PULSEWIRE_BROKER_KAFKA
#include "server/testing/kafka_feed.hpp"
#endif
#ifdef PULSEWIRE_BROKER_RABBITMQ
#include "server/testing/rabbitmq_feed.hpp"
#endif

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <chrono>
#include <cstdint>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

namespace pulsewire::shell::feed {
namespace {

using nlohmann::json;
using namespace testing;

std::vector<source_kind> kinds() {
    return {
#ifdef PULSEWIRE_BROKER_REDIS
        tested_redis(),
#endif
#ifdef PULSEWIRE_BROKER_NATS
        tested_nats(),
#endif
#ifdef PULSEWIRE_BROKER_KAFKA
        tested_kafka(),
#endif
#ifdef PULSEWIRE_BROKER_RABBITMQ
        tested_rabbitmq(),
#endif
    };
}

// pulsewired with a config file; it can be killed.
class program {
public:
    explicit program(json settings) : port_(free_port()) {
        settings["port"] = port_;
        settings["threads"] = 2;
        settings["recovery_max"] = 1'000;
        std::ofstream(folder_.path() + "/pulsewire.json") << settings.dump(1);
        start();
    }
    void start() {
        process_ = std::make_unique<child_process>(
            std::vector<std::string>{PULSEWIRE_PROGRAM, "--config", folder_.path() + "/pulsewire.json"},
            folder_.path() + "/log"
        );
        if (!eventually([this] { return answers(); })) throw std::runtime_error("no start: " + log());
    }
    void kill() { process_->kill(); }
    // As an operator ends it.
    void end() {
        process_->signal(SIGTERM);
        process_->wait();
    }
    std::string log() const { return text_of_file(folder_.path() + "/log"); }
    std::string folder() const { return folder_.path(); }

    // The payloads of a channel, in order.
    json messages(const std::string& channel) const {
        const std::string path = "/api/channels/" + channel + "/messages?limit=1000";
        const json page = json::parse(ask(port_, "GET", path).body);
        json payloads = json::array();
        for (const json& one : page["messages"]) payloads.push_back(one["payload"]);
        return payloads;
    }
    double metric(const std::string& name) const {
        const std::string text = ask(port_, "GET", "/metrics").body;
        const std::size_t at = text.find("\n" + name + "{feed=\"shop\"} ");
        return at == std::string::npos ? -1 : std::stod(text.substr(text.find(' ', at)));
    }

private:
    bool answers() const {
        try {
            return ask(port_, "GET", "/readyz").status == 200;
        } catch (const std::exception&) {
            return false;
        }
    }

    temporary_folder folder_;
    std::uint16_t port_;
    std::unique_ptr<child_process> process_;
};

class every_feed : public ::testing::TestWithParam<source_kind> {
protected:
    void SetUp() override {
        if (const std::string why = GetParam().lacks(); !why.empty()) GTEST_SKIP() << why;
        broker = GetParam().start();
    }
    json settings() {
        return {
            {"namespaces", {{"orders", {{"history_count_max", 1'000}}}}},
            {"consume",
             {{{"name", "shop"},
               {"broker", broker->address()},
               {"from", broker->from()},
               {"channel", "orders:{/id}"},
               {"type", "order.changed"},
               {"group", broker->group()},
               {"dead_letters", broker->dead_letters()}}}}};
    }
    json settings_of_redis_fields(json made) {
        if (GetParam().name == "redis") made["consume"][0]["field"] = "data";
        return made;
    }
    json durable(const temporary_folder& folder) {
        json made = settings_of_redis_fields(settings());
        made["data"] = folder.path() + "/data";
        return made;
    }
    // Of the channel orders:<id>.
    void write(const std::string& id, int number) {
        broker->write(id, json{{"id", id}, {"n", number}}.dump());
    }
    // Whether the channel has exactly the numbers from 0 on, in order.
    static std::string difference(const program& server, const std::string& id, int count) {
        const json found = server.messages("orders:" + id);
        for (int i = 0; i < count; ++i)
            if (static_cast<std::size_t>(i) >= found.size() || found[i]["n"] != i)
                return "orders:" + id + " has " + std::to_string(found.size()) + " and at " +
                       std::to_string(i) + " " +
                       (found.size() > static_cast<std::size_t>(i) ? found[i].dump() : "none");
        return found.size() == static_cast<std::size_t>(count) ? "" : "too many: " + found.dump();
    }
    bool is_all_there(const program& server, int channels, int count) {
        broker->flush();
        return eventually(
            [&] {
                try {
                    for (int c = 0; c < channels; ++c)
                        if (!difference(server, "c" + std::to_string(c), count).empty()) return false;
                    return true;
                } catch (const std::exception&) {
                    return false;
                }
            },
            std::chrono::seconds(40)
        );
    }

    std::unique_ptr<tested_source> broker;
};

TEST_P(every_feed, records_become_messages_in_their_order) {
    program server(settings_of_redis_fields(settings()));
    for (int i = 0; i < 100; ++i)
        for (int c = 0; c < 3; ++c) write("c" + std::to_string(c), i);
    EXPECT_TRUE(is_all_there(server, 3, 100)) << difference(server, "c0", 100) << server.log();
    EXPECT_TRUE(eventually([&] { return broker->left() == 0; })) << broker->left();
    EXPECT_EQ(server.metric("pulsewire_consume_published_total"), 300);
    EXPECT_EQ(server.metric("pulsewire_consume_bad_total"), 0);
    EXPECT_EQ(server.metric("pulsewire_consume_in_flight"), 0);
    EXPECT_EQ(server.metric("pulsewire_consume_connected"), 1);
    EXPECT_EQ(server.metric("pulsewire_consume_reading"), 1);
}

TEST_P(every_feed, what_was_written_before_the_first_start_is_read) {
    for (int i = 0; i < 20; ++i) write("c0", i);
    program server(settings_of_redis_fields(settings()));
    EXPECT_TRUE(is_all_there(server, 1, 20)) << server.log();
}

TEST_P(every_feed, bad_records_are_buried_with_the_reason_and_the_others_pass) {
    json made = settings_of_redis_fields(settings());
    made["namespaces"]["orders"]["types"]["order.changed"] = {
        {"type", "object"}, {"properties", {{"n", {{"type", "integer"}}}}}};
    program server(made);
    write("c0", 0);
    broker->write("k", "no JSON");
    broker->write("k", R"({"n":1})");
    broker->write("k", R"({"id":"c0","n":"one"})");
    broker->write("k", json{{"id", "c0"}, {"n", 1}, {"x", std::string(70'000, 'x')}}.dump());
    broker->write("k", "{\"id\":\"" + std::string(300, 'x') + "\"}");
    write("c0", 1);
    EXPECT_TRUE(is_all_there(server, 1, 2)) << server.log();
    EXPECT_TRUE(eventually([&] { return broker->left() == 0; })) << broker->left();
    EXPECT_EQ(server.metric("pulsewire_consume_bad_total"), 5);
    EXPECT_EQ(server.metric("pulsewire_consume_published_total"), 2);
    const std::string dead = broker->dead();
    for (const std::string part :
         {"not JSON", "no JSON", "nothing at /id", "invalid_payload", "message_bytes_max", "no channel"})
        EXPECT_NE(dead.find(part), std::string::npos) << part << " is not in " << dead.substr(0, 2'000);
    EXPECT_NE(server.log().find("becomes no message"), std::string::npos);
}

TEST_P(every_feed, bad_records_without_a_place_are_logged_and_counted) {
    json made = settings_of_redis_fields(settings());
    made["consume"][0].erase("dead_letters");
    program server(made);
    broker->write("k", "no JSON");
    write("c0", 0);
    EXPECT_TRUE(is_all_there(server, 1, 1)) << server.log();
    EXPECT_TRUE(eventually([&] { return broker->left() == 0; }));
    EXPECT_EQ(server.metric("pulsewire_consume_bad_total"), 1);
    EXPECT_NE(server.log().find("not JSON"), std::string::npos);
}

// A value may look like anything.
TEST_P(every_feed, no_value_names_another_namespace) {
    json made = settings_of_redis_fields(settings());
    made["consume"][0]["channel"] = "orders:{key}:{/id}";
    program server(made);
    broker->write("a:b", R"({"id":"x:secret"})");
    broker->write("a=3Ab", R"({"id":"x=3Asecret"})");
    // The key of a message of NATS is its subject.
    const std::string before = GetParam().name == "nats" ? "orders:orders." : "orders:";
    const auto has_one = [&](const std::string& channel) {
        return eventually([&] { return server.messages(before + channel).size() == 1; });
    };
    EXPECT_TRUE(has_one("a=3Ab:x=3Asecret")) << server.log();
    EXPECT_TRUE(has_one("a=3D3Ab:x=3D3Asecret")) << server.log();
    EXPECT_EQ(server.messages("orders:a:b:x:secret").size(), 0u);
}

TEST_P(every_feed, each_record_is_there_once_though_the_server_is_killed) {
    const temporary_folder folder;
    program server(durable(folder));
    int written = 0;
    for (int round = 0; round < 4; ++round) {
        for (int i = 0; i < 100; ++i, ++written)
            for (int c = 0; c < 3; ++c) write("c" + std::to_string(c), written);
        // In the middle of the work.
        eventually([&] { return server.messages("orders:c0").size() > static_cast<std::size_t>(100 * round); }
        );
        server.kill();
        server.start();
    }
    EXPECT_TRUE(is_all_there(server, 3, written)) << difference(server, "c0", written) << server.log();
    EXPECT_TRUE(eventually([&] { return broker->left() == 0; })) << broker->left();
}

TEST_P(every_feed, a_server_that_ends_leaves_the_rest_to_the_next_at_once) {
    const temporary_folder folder;
    program server(durable(folder));
    for (int i = 0; i < 50; ++i) write("c0", i);
    server.end();
    for (int i = 50; i < 60; ++i) write("c0", i);
    const auto before = std::chrono::steady_clock::now();
    server.start();
    EXPECT_TRUE(is_all_there(server, 1, 60)) << difference(server, "c0", 60) << server.log();
    EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(5));
}

TEST_P(every_feed, each_record_is_there_once_though_the_broker_is_killed) {
    const temporary_folder folder;
    program server(durable(folder));
    int written = 0;
    const int rounds = GetParam().name == "rabbitmq" ? 1 : 3;  // it takes ten seconds to start
    for (int round = 0; round < rounds; ++round) {
        for (int i = 0; i < 100; ++i, ++written)
            for (int c = 0; c < 3; ++c) write("c" + std::to_string(c), written);
        broker->restart();
    }
    EXPECT_TRUE(is_all_there(server, 3, written)) << difference(server, "c0", written) << server.log();
    EXPECT_TRUE(eventually([&] { return broker->left() == 0; })) << broker->left();
    const std::string log = server.log();
    EXPECT_NE(log.find("does not go on"), std::string::npos);
    EXPECT_NE(log.find("the broker is back"), std::string::npos);
}

#ifdef PULSEWIRE_BROKER_REDIS
// Of two servers that share a log, whichever reads may be killed.
TEST_P(every_feed, each_record_is_there_once_though_the_reading_one_of_two_servers_is_killed) {
    if (!is_installed("redis-server")) GTEST_SKIP() << "redis-server is not installed";
    redis_process log;
    json made = settings_of_redis_fields(settings());
    made["broker"] = "redis://" + log.at();
    made["broker_partitions"] = 2;
    program one(made), two(made);
    int written = 0;
    for (int round = 0; round < 2; ++round) {
        for (int i = 0; i < 100; ++i, ++written)
            for (int c = 0; c < 3; ++c) write("c" + std::to_string(c), written);
        eventually([&] { return two.messages("orders:c0").size() > static_cast<std::size_t>(100 * round); });
        if (round == 0) one.kill();
    }
    EXPECT_TRUE(is_all_there(two, 3, written)) << difference(two, "c0", written) << two.log();
    EXPECT_TRUE(eventually([&] { return broker->left() == 0; })) << broker->left();
    one.start();
    EXPECT_TRUE(is_all_there(one, 3, written)) << difference(one, "c0", written);
}

// A server without its log refuses what is published. The feed waits with it, and what it has not read stays
// at the broker.
TEST_P(every_feed, what_the_hub_refuses_for_now_comes_later) {
    if (!is_installed("redis-server")) GTEST_SKIP() << "redis-server is not installed";
    redis_process log;
    json made = settings_of_redis_fields(settings());
    made["broker"] = "redis://" + log.at();
    made["broker_partitions"] = 2;
    program server(made);
    for (int c = 0; c < 3; ++c) write("c" + std::to_string(c), 0);
    ASSERT_TRUE(is_all_there(server, 3, 1)) << server.log();
    log.kill();
    for (int i = 1; i < 150; ++i)
        for (int c = 0; c < 3; ++c) write("c" + std::to_string(c), i);
    broker->flush();
    EXPECT_TRUE(eventually([&] { return server.metric("pulsewire_consume_retries_total") > 0; }))
        << server.log();
    EXPECT_EQ(server.metric("pulsewire_consume_in_flight"), 256);
    log.start();
    EXPECT_TRUE(is_all_there(server, 3, 150)) << difference(server, "c0", 150) << server.log();
    EXPECT_TRUE(eventually([&] { return broker->left() == 0; })) << broker->left();
    EXPECT_EQ(server.metric("pulsewire_consume_bad_total"), 0);
}
#endif

#ifdef PULSEWIRE_BROKER_RABBITMQ
TEST(queue_of_rabbitmq, what_its_writers_forgot_is_named_and_stops_nothing) {
    if (!is_installed("rabbitmq-server")) GTEST_SKIP() << "rabbitmq-server is not installed";
    rabbitmq_feed shop;
    json here = {{"name", "shop"}, {"broker", shop.address()}, {"from", shop.from()}, {"channel", "orders"},
                 {"type", "t"},    {"dead_letters", "nowhere"}};
    json there = here;
    there["name"] = "there";
    there["from"] = "no-such-queue";
    rabbitmq_feed quorum("quorum");
    json two = here;
    two["name"] = "two";
    two["from"] = quorum.from();
    json settings;
    settings["consume"] = {here, there, two};
    program server(settings);
    // Without ids.
    rabbitmq_client writer(rabbitmq_of_all_tests().port());
    writer.publish(shop.from(), "1");
    writer.publish(shop.from(), "\"" + std::string(1 << 20, 'x') + "\"");
    writer.publish(shop.from(), "2");
    EXPECT_TRUE(eventually([&] { return server.messages("orders") == json({1, 2}); })) << server.log();
    EXPECT_TRUE(eventually([&] { return shop.left() == 0; }));
    EXPECT_EQ(server.metric("pulsewire_consume_bad_total"), 1);
    const std::string log = server.log();
    for (const std::string words :
         {"no-such-queue", "make it first", "must be a classic queue", "have no message_id",
          "larger than 1 MB", "there is no such queue"})
        EXPECT_NE(log.find(words), std::string::npos) << words << " is not in " << log;
}
#endif

INSTANTIATE_TEST_SUITE_P(
    brokers, every_feed, ::testing::ValuesIn(kinds()),
    [](const ::testing::TestParamInfo<source_kind>& one) { return one.param.name; }
);

}  // namespace
}  // namespace pulsewire::shell::feed
