// What every broker owes to common/cluster/broker_port.hpp, asked of real ones. A new broker is one more
// `broker_kind`.

#include "server/broker/make_broker.hpp"
#include "server/broker/tested_broker.hpp"
#include "server/testing/log_user.hpp"
#include "server/testing/redis_cluster.hpp"
#include "server/testing/redis_process.hpp"
#include "server/testing/running_server.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <malloc.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#ifdef PULSEWIRE_BROKER_NATS
#include "server/testing/nats_broker.hpp"
#endif
#ifdef PULSEWIRE_BROKER_KAFKA
#include "server/testing/kafka_broker.hpp"
#endif
#ifdef PULSEWIRE_BROKER_RABBITMQ
#include "server/testing/rabbitmq_broker.hpp"
#endif

#ifdef __SANITIZE_ADDRESS__
// g++ 12 installs no header for it.
extern "C" std::size_t __sanitizer_get_current_allocated_bytes();
#endif

namespace pulsewire::shell {
namespace {

using namespace std::chrono_literals;
using namespace std::string_view_literals;
using cluster::mark;
using ::testing::ElementsAre;
using testing::eventually;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::log_user;
using ::testing::Not;
using testing::redis_process;

std::vector<std::string> trim_command(const broker_options& of, mark before) {
    return {
        "XTRIM", of.prefix + ":{0}", "MINID", std::to_string(before.high) + "-" + std::to_string(before.low)};
}

// One server. Valkey is the same by another name.
class one_redis : public broker_of_process<redis_process> {
public:
    explicit one_redis(const broker_kind& kind) : server_({}, kind.program) {}

    broker_options options() override { return {.url = "redis://" + server_.at()}; }
    void trim(const broker_options& of, mark before) override { server_(trim_command(of, before)); }

private:
    redis_process& server() override { return server_; }

    redis_process server_;
};

class whole_cluster : public tested_broker {
public:
    broker_options options() override { return {.url = cluster_.url()}; }
    void trim(const broker_options& of, mark before) override {
        // Only the one that has it does so.
        for (int i = 0; i < 4; ++i) cluster_.server(i)(trim_command(of, before));
    }

private:
    testing::redis_cluster cluster_;
};

std::vector<broker_kind>& kinds() {
    const auto redis = [](const broker_kind& kind) -> std::unique_ptr<tested_broker> {
        return std::make_unique<one_redis>(kind);
    };
    const auto faulty_redis = [](const broker_kind& kind) -> std::unique_ptr<faulty_broker> {
        return std::make_unique<one_redis>(kind);
    };
    const auto cluster = [](const broker_kind&) -> std::unique_ptr<tested_broker> {
        return std::make_unique<whole_cluster>();
    };
    static std::vector<broker_kind> all = {
        {"redis", "redis-server", "redis-server", redis, faulty_redis},
        {"valkey", "valkey-server", "valkey-server", redis, faulty_redis},
        {"redis_cluster", "redis-server", "redis-server", cluster, nullptr},
#ifdef PULSEWIRE_BROKER_NATS
        nats::tested_kind(),
#else
        {"nats", "nats-server", "nats-server", nullptr, nullptr},
#endif
#ifdef PULSEWIRE_BROKER_KAFKA
        kafka::tested_kind(),
#else
        {"kafka", "java", "openjdk-17-jre-headless", nullptr, nullptr},
#endif
#ifdef PULSEWIRE_BROKER_RABBITMQ
        rabbitmq::tested_kind(),
#else
        {"rabbitmq", "rabbitmq-server", "rabbitmq-server", nullptr, nullptr},
#endif
    };
    return all;
}

class broker_contract : public ::testing::TestWithParam<std::size_t> {
protected:
    void SetUp() override {
        if (kind().start == nullptr) GTEST_SKIP() << "skipped: this build has no " << kind().name;
        if (!testing::is_installed(kind().program)) {
            GTEST_SKIP() << "skipped: " << kind().name << " is not installed (package " << kind().package
                         << ")";
        }
        const std::string lacks = kind().lacks != nullptr ? kind().lacks() : "";
        if (!lacks.empty()) GTEST_SKIP() << lacks;
    }
    static void TearDownTestSuite() {
        for (auto& each : kinds()) each.shared.reset();
    }

    static broker_kind& kind() { return kinds()[GetParam()]; }
    static tested_broker& shared() {
        if (!kind().shared) kind().shared = kind().start(kind());
        return *kind().shared;
    }
    // Logs that no other test has.
    static broker_options options() {
        broker_options made = shared().options();
        const std::string test = ::testing::UnitTest::GetInstance()->current_test_info()->name();
        made.prefix = test.substr(0, test.find('/'));
        return made;
    }
};

// Faults get a broker of their own.
class broker_faults : public broker_contract {
protected:
    static std::unique_ptr<faulty_broker> own() { return kind().start_faulty(kind()); }
};

std::vector<std::string> numbered(std::string_view prefix, int count) {
    std::vector<std::string> all;
    for (int i = 0; i < count; ++i) all.push_back(std::string(prefix).append(std::to_string(i)));
    return all;
}

void append_all(log_user& user, const std::vector<std::string>& records) {
    for (const auto& each : records) user.append(each);
}

// --- contract ---

TEST_P(broker_contract, an_empty_log_is_told_as_such) {
    log_user user(options());
    const auto opened = user.open_until_it_answers();
    EXPECT_EQ(opened.first, mark{});
    EXPECT_EQ(opened.last, mark{});
}

TEST_P(broker_contract, records_are_read_in_the_order_of_their_appends_by_everybody) {
    log_user writer(options());
    log_user reader(options());
    writer.open();
    reader.open();
    const auto records = numbered("record ", 500);
    append_all(writer, records);
    ASSERT_TRUE(writer.wait_appended(500));
    ASSERT_TRUE(writer.wait_records(500));
    ASSERT_TRUE(reader.wait_records(500));
    EXPECT_EQ(writer.bytes(), records);
    EXPECT_EQ(reader.bytes(), records);
    mark before;
    for (const auto& each : reader.read().records) {
        EXPECT_LT(before, each.at);
        before = each.at;
    }
    EXPECT_EQ(writer.read().records.back().at, before);
    EXPECT_FALSE(writer.read().is_out_of_turn);
    EXPECT_FALSE(reader.read().is_out_of_turn);
}

TEST_P(broker_contract, two_appenders_are_interleaved_alike_for_all_readers) {
    log_user a(options());
    log_user b(options());
    a.open_until_it_answers();
    b.open_until_it_answers();
    const auto of_a = numbered("a", 300);
    const auto of_b = numbered("b", 300);
    for (int i = 0; i < 300; ++i) {
        a.append(of_a[static_cast<std::size_t>(i)]);
        b.append(of_b[static_cast<std::size_t>(i)]);
    }
    ASSERT_TRUE(a.wait_records(600));
    ASSERT_TRUE(b.wait_records(600));
    EXPECT_EQ(a.bytes(), b.bytes());
    log_user later(options());
    later.open();
    ASSERT_TRUE(later.wait_records(600));
    EXPECT_EQ(later.bytes(), a.bytes());
    for (const auto& [prefix, sent] : {std::pair{'a', of_a}, std::pair{'b', of_b}}) {
        std::vector<std::string> found;
        for (const auto& each : a.bytes())
            if (each[0] == prefix) found.push_back(each);
        EXPECT_EQ(found, sent);
    }
}

TEST_P(broker_contract, a_log_is_followed_from_any_position_and_that_included) {
    log_user writer(options());
    writer.open();
    append_all(writer, numbered("r", 10));
    ASSERT_TRUE(writer.wait_records(10));
    const auto records = writer.read().records;

    log_user reader(options());
    for (const std::size_t from : {std::size_t{0}, std::size_t{4}, std::size_t{9}}) {
        const auto opened = reader.open_until_it_answers(records[from].at);
        EXPECT_EQ(opened.first, records.front().at);
        EXPECT_EQ(opened.last, records.back().at);
        ASSERT_TRUE(reader.wait_records(10 - from));
        EXPECT_EQ(reader.read().records.front().at, records[from].at);
        EXPECT_EQ(reader.bytes().front(), records[from].bytes);
    }
    // It goes on with what is appended from now on.
    writer.append("r10");
    ASSERT_TRUE(reader.wait_records(2));
    EXPECT_THAT(reader.bytes(), ElementsAre("r9", "r10"));
}

TEST_P(broker_contract, what_was_trimmed_is_not_read_and_the_rest_is) {
    const auto of = options();
    log_user writer(of);
    writer.open();
    append_all(writer, numbered("r", 10));
    ASSERT_TRUE(writer.wait_records(10));
    const auto records = writer.read().records;
    writer.trim(records[6].at);
    log_user reader(of);
    // A broker may keep what is needed by nobody.
    reader.open_until_it_answers(records[2].at);
    ASSERT_TRUE(reader.wait([](const auto& l) { return !l.records.empty() && l.records.back().bytes == "r9"; }
    ));
    if (!shared().trims_by_record()) return;
    shared().trim(of, records[6].at);
    const auto opened = reader.open_until_it_answers(records[2].at);
    EXPECT_EQ(opened.first, records[6].at);
    EXPECT_EQ(opened.last, records[9].at);
    ASSERT_TRUE(reader.wait_records(4));
    EXPECT_THAT(reader.bytes(), ElementsAre("r6", "r7", "r8", "r9"));
}

TEST_P(broker_contract, a_slow_reader_is_told_when_the_log_was_trimmed_before_it_came_there) {
    const auto of = options();
    log_user writer(of);
    writer.open();
    append_all(writer, numbered("r", 2'000));
    ASSERT_TRUE(writer.wait_records(2'000));
    const auto records = writer.read().records;
    log_user reader(of);
    reader.hold_at(1);
    reader.open();
    ASSERT_TRUE(reader.wait([](const auto& l) { return !l.records.empty(); }));
    shared().trim(of, records.back().at);
    reader.go_on();
    ASSERT_TRUE(reader.wait([](const auto& l) { return l.closed || l.records.back().bytes == "r1999"; }));
    const auto seen = reader.bytes();
    for (std::size_t i = 0; i < seen.size(); ++i) ASSERT_EQ(seen[i], "r" + std::to_string(i));
}

TEST_P(broker_contract, records_have_any_bytes_and_the_largest_size) {
    const std::vector<std::string> records = {
        std::string("\0\r\n\0"sv),
        "grüße, 世界 🌊",
        std::string("\xff\xfe\x80"sv),
        std::string(1, '\0'),
        std::string(cluster::record_bytes_max, 'x'),
        "$5\r\nhello\r\n"};
    log_user user(options());
    user.open();
    append_all(user, records);
    ASSERT_TRUE(user.wait_appended(records.size()));
    ASSERT_TRUE(user.wait_records(records.size()));
    EXPECT_TRUE(user.bytes() == records);
}

TEST_P(broker_contract, a_hundred_thousand_small_records_arrive) {
    constexpr std::size_t count = 100'000;
    log_user user(options());
    user.open_until_it_answers();
    for (std::size_t i = 0; i < count; ++i) {
        user.append(std::to_string(i));
        // As a node's window does.
        if (i % 10'000 == 9'999) {
            ASSERT_TRUE(user.wait_appended(i - 5'000));
        }
    }
    ASSERT_TRUE(user.wait_appended(count));
    ASSERT_TRUE(user.wait_records(count));
    const auto all = user.bytes();
    ASSERT_EQ(all.size(), count);
    for (std::size_t i = 0; i < count; ++i) ASSERT_EQ(all[i], std::to_string(i));
}

TEST_P(broker_contract, partitions_are_logs_of_their_own) {
    log_user user(options());
    for (cluster::partition_index p = 0; p < 16; ++p) user.open({}, p);
    for (cluster::partition_index p = 0; p < 16; ++p)
        for (int i = 0; i < 20; ++i) user.append(std::to_string(p) + "/" + std::to_string(i), p);
    for (cluster::partition_index p = 0; p < 16; ++p) {
        ASSERT_TRUE(user.wait_records(20, p));
        EXPECT_EQ(user.bytes(p), numbered(std::to_string(p) + "/", 20));
        EXPECT_TRUE(user.wait_appended(20, p));
    }
    user.close(3);
    user.append("void", 3);
    user.append("more", 4);
    ASSERT_TRUE(user.wait_records(21, 4));
    EXPECT_EQ(user.read(3).records.size(), 20U);
    EXPECT_FALSE(user.read(3).closed);
}

// A reader that waits for records of one log must not keep another one from being opened.
TEST_P(broker_contract, logs_are_opened_at_once_beside_others_that_are_quiet) {
    log_user writer(options());
    log_user reader(options());
    for (cluster::partition_index p = 0; p < 6; ++p) {
        writer.open({}, p);
        writer.append("r", p);
        ASSERT_TRUE(writer.wait_appended(1, p));
    }
    const auto began = std::chrono::steady_clock::now();
    for (cluster::partition_index p = 0; p < 6; ++p) {
        reader.open({}, p);
        ASSERT_TRUE(reader.wait_records(1, p));
    }
    EXPECT_LT(std::chrono::steady_clock::now() - began, 2'500ms);
}

TEST_P(broker_contract, what_is_said_on_an_older_connection_is_void) {
    log_user user(options());
    user.open_until_it_answers();
    const auto old = user.read().connection;
    user.open_until_it_answers();
    user.port().post({0, cluster::append_record{old, "void"}});
    user.port().post({0, cluster::close_log{old}});
    user.append("good");
    ASSERT_TRUE(user.wait_records(1));
    ASSERT_TRUE(user.wait_appended(1));
    EXPECT_THAT(user.bytes(), ElementsAre("good"));
    EXPECT_FALSE(user.read().closed);
}

TEST_P(broker_contract, the_incarnation_stays_as_long_as_the_broker_runs) {
    log_user a(options());
    log_user b(options());
    const auto first = a.open_until_it_answers().incarnation;
    EXPECT_EQ(a.open_until_it_answers().incarnation, first);
    EXPECT_EQ(b.open_until_it_answers().incarnation, first);
}

TEST_P(broker_contract, a_broker_that_is_destroyed_calls_nobody) {
    auto user = std::make_unique<log_user>(options());
    user->open_until_it_answers();
    append_all(*user, numbered("r", 1'000));
    user.reset();
    log_user other(options());
    other.open();
    other.append("last");
    ASSERT_TRUE(other.wait([](const auto& l) {
        return !l.records.empty() && l.records.back().bytes == "last";
    }));
}

// --- faults ---

TEST_P(broker_faults, a_kill_while_appending_loses_nothing_that_was_appended) {
    const auto broker = own();
    log_user user(broker->options());
    std::string incarnation = user.open_until_it_answers().incarnation.value_or("");
    std::uint64_t appended = 0;
    int sent = 0;
    for (int round = 0; round < 3; ++round) {
        for (int i = 0; i < 20'000; ++i) user.append(std::to_string(sent++));
        ASSERT_TRUE(user.wait([](const auto& l) { return l.appended > 2'000; }));
        broker->restart();
        EXPECT_THAT(user.wait_closed(), HasSubstr("127.0.0.1"));
        appended = user.read().appended;
        const int first_sent = sent - 20'000;
        const auto opened = user.open_until_it_answers();
        EXPECT_NE(opened.incarnation.value_or(incarnation + "'"), incarnation);
        incarnation = opened.incarnation.value_or("");
        ASSERT_TRUE(user.wait([&](const auto& l) {
            return !l.records.empty() && l.records.back().at == opened.last;
        }));
        // What this round sent is there as a prefix that has at least what was answered.
        const auto all = user.bytes();
        const auto begin = std::find(all.begin(), all.end(), std::to_string(first_sent));
        ASSERT_GE(all.end() - begin, static_cast<std::ptrdiff_t>(appended))
            << "round " << round << ", read " << all.size();
        for (auto at = begin; at != all.end(); ++at)
            ASSERT_EQ(*at, std::to_string(first_sent + (at - begin)));
    }
}

TEST_P(broker_faults, a_log_that_came_back_shorter_is_told) {
    const auto broker = own();
    log_user user(broker->options());
    user.open();
    append_all(user, numbered("kept ", 5));
    ASSERT_TRUE(user.wait_records(5));
    ASSERT_TRUE(user.wait_appended(5));
    broker->keep();
    user.open_until_it_answers();
    append_all(user, numbered("lost ", 5));
    ASSERT_TRUE(user.wait_records(10));
    const auto before = user.read();
    broker->restart_with_kept();
    EXPECT_THAT(user.wait_closed(), Not(IsEmpty()));
    const mark known = before.records.back().at;
    const auto opened = user.open_until_it_answers(known);
    EXPECT_EQ(opened.last, before.records[4].at);
    EXPECT_LT(opened.last, known);
    EXPECT_TRUE(!opened.incarnation || opened.incarnation != before.opened->incarnation);
    // The place of what was lost is taken by other records; where a broker counts, at the same marks.
    user.append("new");
    ASSERT_TRUE(user.wait_records(1));
    EXPECT_GT(user.read().records.front().at, opened.last);
    EXPECT_THAT(user.bytes(), ElementsAre("new"));
}

// The whole product over the broker: order, recovery and healing are asked of each alike.
TEST_P(broker_faults, two_servers_share_their_channels_and_go_on_after_a_restart_of_the_broker) {
    const auto broker = own();
    config c = testing::test_config();
    c.broker = broker->options().url;
    c.broker_partitions = 3;
    const auto is_ready = [](const testing::running_server& each, const std::string& nodes) {
        const std::string told = testing::ask(each.port(), "GET", "/api/cluster").body;
        return testing::ask(each.port(), "GET", "/readyz").status == 200 &&
               told.find("\"nodes\":" + nodes) != told.npos && told.find(R"("serving":false)") == told.npos;
    };
    testing::running_server one(c), two(c);
    const auto are_ready = [&] { return is_ready(one, "2") && is_ready(two, "2"); };
    ASSERT_TRUE(eventually(are_ready, 40s)) << testing::ask(two.port(), "GET", "/api/cluster").body;
    auto ann = testing::subscribed(one.port(), "room"), bob = testing::subscribed(two.port(), "room");
    const auto publish = [](std::uint16_t port, const std::string& text) {
        return testing::ask(
                   port, "POST", "/api/channels/room/messages",
                   R"({"type":"t","key":")" + text + R"(","payload":")" + text + "\"}"
        )
            .status;
    };
    EXPECT_EQ(publish(one.port(), "from-one"), 200);
    EXPECT_EQ(publish(two.port(), "from-two"), 200);
    for (auto* heard : {&ann, &bob}) {
        EXPECT_THAT(heard->line_with("from-one"), HasSubstr(R"("offset":1)"));
        EXPECT_THAT(heard->line_with("from-two"), HasSubstr(R"("offset":2)"));
    }
    broker->restart();
    // With the same key until it is taken, as a backend does.
    ASSERT_TRUE(eventually([&] { return publish(two.port(), "after") == 200; }, 60s));
    for (auto* heard : {&ann, &bob})
        EXPECT_THAT(heard->line_with(R"("payload":"after")"), HasSubstr(R"("offset":3)"));
}

// Allocated and not freed; what the process has resident says little, a sanitizer keeps what was freed.
std::size_t held_bytes() {
#ifdef __SANITIZE_ADDRESS__
    return __sanitizer_get_current_allocated_bytes();
#else
    const auto info = ::mallinfo2();
    return info.uordblks + info.hblkhd;
#endif
}

TEST_P(broker_faults, a_paused_broker_is_told_within_five_seconds_and_memory_is_bounded) {
    constexpr std::size_t held_bytes_max = std::size_t{100} << 20;
    const auto broker = own();
    log_user idle(broker->options());
    log_user busy(broker->options());
    log_user opening(broker->options());
    idle.open_until_it_answers();
    busy.open_until_it_answers();
    const std::string record(64 << 10, 'x');
    const auto before = held_bytes();
    broker->pause();
    const auto paused_at = std::chrono::steady_clock::now();
    opening.open();
    // A gigabyte, if it were kept. The adapter's thread may be late, but what it has taken it holds or lets
    // go.
    for (int sent = 0; sent < 16'000 && !busy.read().closed; ++sent) {
        busy.append(record);
        if (sent % 16 == 0) {
            // Before the silence is noticed, after which all is let go of anyway.
            ASSERT_TRUE(eventually([&] { return held_bytes() < before + held_bytes_max; }, 1'500ms));
        }
    }
    for (auto* const user : {&idle, &busy, &opening}) {
        EXPECT_THAT(user->wait_closed(), Not(IsEmpty()));
        EXPECT_LT(user->read().closed_at - paused_at, 5s);
    }
    EXPECT_TRUE(eventually([&] { return held_bytes() < before + (std::size_t{8} << 20); }));
    broker->resume();
    idle.open_until_it_answers();
    idle.append("again");
    EXPECT_TRUE(idle.wait_appended(1));
}

std::vector<std::size_t> indices_of(bool (*fits)(const broker_kind&)) {
    std::vector<std::size_t> found;
    for (std::size_t i = 0; i < kinds().size(); ++i)
        if (fits(kinds()[i])) found.push_back(i);
    return found;
}
std::string name_of(const ::testing::TestParamInfo<std::size_t>& info) {
    return kinds()[info.param].name;
}
INSTANTIATE_TEST_SUITE_P(
    on, broker_contract, ::testing::ValuesIn(indices_of([](const broker_kind&) { return true; })), name_of
);
INSTANTIATE_TEST_SUITE_P(
    on, broker_faults,
    ::testing::ValuesIn(indices_of([](const broker_kind& kind) { return kind.start_faulty != nullptr; })),
    name_of
);

}  // namespace
}  // namespace pulsewire::shell
