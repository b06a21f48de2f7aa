// What is RabbitMQ's own: kills in the middle of appends, alarms, retention, logins, TLS, streams that are
// not as they have to be, and what it says when it cannot be used.

#include "server/broker/make_broker.hpp"
#include "server/log.hpp"
#include "server/testing/log_user.hpp"
#include "server/testing/rabbitmq_process.hpp"
#include "server/testing/recorded_log.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace pulsewire::shell::rabbitmq {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using testing::eventually;
using ::testing::HasSubstr;
using testing::log_user;
using ::testing::Not;
using testing::rabbitmq_client;
using testing::rabbitmq_process;

class rabbitmq_failover : public ::testing::Test {
protected:
    void SetUp() override {
        if (!testing::is_installed("rabbitmq-server"))
            GTEST_SKIP() << "skipped: RabbitMQ is not installed (package rabbitmq-server)";
    }
    static rabbitmq_process& server() { return testing::rabbitmq_of_all_tests(); }
    static broker_options options(const std::string& prefix, const std::string& more = "") {
        broker_options made;
        made.url = "rabbitmq://" + server().at() + more;
        made.prefix = prefix;
        return made;
    }
    static std::string refusal(const broker_options& of) {
        log_user user(of);
        user.open();
        return user.wait_closed();
    }
};
class rabbitmq_refusal : public rabbitmq_failover {};

// A node's way: what was not answered when the broker was killed goes again, after what is found in the log.
TEST_F(rabbitmq_failover, kills_lose_nothing_that_was_answered_and_keep_the_order) {
    log_user user(options("kills"));
    log_user reader(options("kills"));
    std::vector<std::string> whole;
    for (int round = 0; round < 2; ++round) {
        user.open_until_it_answers();
        if (!whole.empty()) {
            ASSERT_TRUE(user.wait_records(whole.size()));
        }
        const std::string prefix = std::to_string(round) + "/";
        for (int i = 0; i < 10'000; ++i) user.append(prefix + std::to_string(i));
        ASSERT_TRUE(user.wait([](const auto& l) { return l.appended > 1'000; }));
        server().kill();
        EXPECT_THAT(user.wait_closed(), HasSubstr("127.0.0.1"));
        const auto answered = user.read().appended;
        server().start();

        const auto after = reader.open_until_it_answers();
        EXPECT_FALSE(after.incarnation) << "AMQP does not say whether something was lost";
        ASSERT_TRUE(reader.wait([&](const auto& l) {
            return !l.records.empty() && l.records.back().at == after.last;
        }));
        const auto found = reader.bytes();
        ASSERT_GE(found.size(), whole.size() + answered) << "lost in round " << round;
        ASSERT_TRUE(std::equal(whole.begin(), whole.end(), found.begin())) << "round " << round;
        // A prefix of what was sent, each once.
        for (std::size_t i = whole.size(); i < found.size(); ++i)
            ASSERT_EQ(found[i], prefix + std::to_string(i - whole.size())) << "round " << round;
        whole = found;
    }
}

// The ends of a log are told by its records; what openings append about themselves is passed over.
TEST_F(rabbitmq_failover, many_openings_do_not_hide_the_first_and_the_last_record) {
    log_user user(options("openings"));
    for (int i = 0; i < 20; ++i) EXPECT_EQ(user.open_until_it_answers().last, cluster::mark{});
    for (const char* const each : {"1", "2", "3"}) user.append(each);
    ASSERT_TRUE(user.wait_records(3));
    const auto records = user.read().records;
    for (int i = 0; i < 40; ++i) {
        const auto opened = user.open_until_it_answers(records[1].at);
        EXPECT_EQ(opened.first, records.front().at);
        EXPECT_EQ(opened.last, records.back().at);
    }
    ASSERT_TRUE(user.wait_records(2));
    EXPECT_EQ(user.read().records.front().bytes, "2");
}

// --- alarms ---

TEST_F(rabbitmq_failover, a_memory_alarm_is_told_with_its_reason_and_passes) {
    log_user user(options("alarm"));
    user.open_until_it_answers();
    user.append("before");
    ASSERT_TRUE(user.wait_appended(1));
    server()({"set_vm_memory_high_watermark", "0.000001"});
    user.append("while");
    const auto asked = std::chrono::steady_clock::now();
    EXPECT_THAT(user.wait_closed(), AllOf(HasSubstr("alarm"), HasSubstr("low on memory")));
    EXPECT_LT(user.read().closed_at - asked, 3s);
    // Nor does a new connection help.
    EXPECT_THAT(refusal(options("alarm")), HasSubstr("low on memory"));
    server()({"set_vm_memory_high_watermark", "absolute", "512MB"});
    user.open_until_it_answers();
    user.append("after");
    ASSERT_TRUE(user.wait([](const auto& l) {
        return !l.records.empty() && l.records.back().bytes == "after";
    }));
    EXPECT_EQ(user.bytes().front(), "before");
}

// --- retention ---

// The server's policy for names that begin so keeps about 1 MB, which is less than what it sends ahead.
TEST_F(rabbitmq_failover, what_retention_has_taken_is_told_to_who_asks_for_it) {
    log_user writer(options("short"));
    writer.open_until_it_answers();
    writer.append("first");
    ASSERT_TRUE(writer.wait_records(1));
    const auto gone = writer.read().records.front().at;
    log_user late(options("short"));
    late.hold_at(1);
    late.open();
    ASSERT_TRUE(late.wait([](const auto& l) { return !l.records.empty(); }));
    for (int i = 0; i < 600; ++i) {
        writer.append(std::to_string(i) + std::string(10'000, 'x'));
        if (i % 50 == 49) {
            ASSERT_TRUE(writer.wait_records(static_cast<std::size_t>(i) + 2)) << writer.wait_closed();
        }
    }
    log_user reader(options("short"));
    const auto opened = reader.open_until_it_answers(gone);
    EXPECT_GT(opened.first, gone);
    ASSERT_TRUE(reader.wait([&](const auto& l) {
        return !l.records.empty() && l.records.back().at == opened.last;
    }));
    EXPECT_EQ(reader.read().records.front().at, opened.first);
    EXPECT_THAT(reader.bytes().back(), HasSubstr("599xxx"));
    late.go_on();
    EXPECT_THAT(late.wait_closed(), HasSubstr("was trimmed before it was read"));
}

TEST_F(rabbitmq_failover, a_stream_that_keeps_hardly_what_nodes_need_is_named) {
    log::set_level("warning");  // whatever the servers of other tests have set
    testing::recorded_log logged;
    log_user user(options("kept", "?keep_mb=256"));
    user.open_until_it_answers();
    const std::string record(cluster::record_bytes_max, 'x');
    std::size_t appended = 0;
    const auto append = [&](std::size_t count) {
        for (const auto end = appended + count; appended < end; ++appended) user.append(record);
        return user.wait_records(appended);
    };
    ASSERT_TRUE(append(40));
    const auto needed = user.read().records[10].at;
    user.trim(needed);
    // Half of what the stream keeps, and more.
    for (int i = 0; i < 12; ++i) ASSERT_TRUE(append(40)) << user.wait_closed();
    user.trim(needed);
    EXPECT_NE(logged.line_with("of the stream kept-0"), "");
    user.trim(needed);
    ASSERT_TRUE(append(1));
    EXPECT_EQ(logged.count_with("of the stream kept-0"), 1u) << "once is enough";
}

// --- streams that are not as they have to be ---

TEST_F(rabbitmq_refusal, a_stream_with_other_settings_and_a_queue_that_is_none_are_named) {
    log_user user(options("settings"));
    user.open_until_it_answers();
    EXPECT_THAT(
        refusal(options("settings", "?keep_mb=300")),
        AllOf(HasSubstr("settings-0"), HasSubstr("x-max-length-bytes"), HasSubstr("same keep_mb"))
    );
    rabbitmq_client(server().port()).make_queue("classic-0", "classic");
    EXPECT_THAT(refusal(options("classic")), AllOf(HasSubstr("classic-0"), HasSubstr("inequivalent")));
    // That one log is refused harms none of the others.
    user.append("r");
    EXPECT_TRUE(user.wait_records(1));
}

TEST_F(rabbitmq_refusal, a_stream_that_is_deleted_closes_its_log_and_is_made_anew) {
    log_user user(options("deleted"));
    user.open_until_it_answers();
    user.append("1");
    ASSERT_TRUE(user.wait_records(1));
    rabbitmq_client(server().port()).remove_queue("deleted-0");
    user.append("2");
    EXPECT_THAT(user.wait_closed(), HasSubstr("deleted-0"));
    EXPECT_EQ(user.open_until_it_answers().last, cluster::mark{});
}

TEST_F(rabbitmq_refusal, a_message_that_is_no_record_is_told) {
    log_user user(options("foreign"));
    user.open_until_it_answers();
    rabbitmq_client other(server().port());
    other.publish("foreign-0", std::string(cluster::record_bytes_max + 1, 'x'));
    EXPECT_THAT(user.wait_closed(), HasSubstr("only Pulsewire may write to it"));
}

// --- logins and servers that cannot be used ---

TEST_F(rabbitmq_refusal, logins_and_virtual_hosts_are_refused_in_words_without_the_password) {
    const auto url = [](const std::string& login, const std::string& more = "") {
        broker_options made;
        made.url = "rabbitmq://" + login + "@" + server().at() + more;
        return made;
    };
    for (const std::string login : {"guest:hunter2", "nobody:hunter2"})
        EXPECT_THAT(refusal(url(login)), AllOf(HasSubstr("refuses the login"), Not(HasSubstr("hunter2"))));
    EXPECT_THAT(
        refusal(url("guest:guest", "/nowhere")), AllOf(HasSubstr("virtual host"), HasSubstr("nowhere"))
    );
}

// As docs/decisions/0023-rabbitmq.md lists them.
TEST_F(rabbitmq_refusal, few_rights_are_enough_and_missing_ones_are_named) {
    broker_options node;
    node.url = "rabbitmq://node:pw@" + server().at();
    node.prefix = "pulsewire-rights";  // servers of other tests use the default
    log_user user(node);
    user.open_until_it_answers();
    user.append("r");
    EXPECT_TRUE(user.wait_records(1));
    EXPECT_TRUE(user.wait_appended(1));
    node.prefix = "other";
    EXPECT_THAT(refusal(node), AllOf(HasSubstr("other-0"), HasSubstr("ACCESS_REFUSED")));
}

TEST_F(rabbitmq_refusal, a_host_without_a_name_and_a_port_without_a_server_are_told) {
    EXPECT_THAT(refusal({.url = "rabbitmq://nowhere.invalid"}), HasSubstr("is its name right?"));
    const auto nobody = "127.0.0.1:" + std::to_string(testing::free_port());
    EXPECT_THAT(refusal({.url = "rabbitmq://" + nobody}), HasSubstr("Does it run there"));
    // The next server of the address is asked then.
    log_user user({.url = "rabbitmq://" + nobody + "," + server().at(), .prefix = "second"});
    user.open_until_it_answers();
}

// --- TLS ---

TEST_F(rabbitmq_failover, tls_is_spoken_and_whom_nobody_vouches_for_is_refused) {
    broker_options of;
    of.prefix = "tls";
    const auto port = std::to_string(server().tls_port());
    of.url = "rabbitmqs://localhost:" + port;
    of.tls_ca_file = server().certificate().certificate;
    log_user user(of);
    user.open_until_it_answers();
    for (int i = 0; i < 1'000; ++i) user.append(std::to_string(i) + std::string(1'000, 'x'));
    ASSERT_TRUE(user.wait_records(1'000));
    ASSERT_TRUE(user.wait_appended(1'000));

    // Another authority; nobody's; the right one for another name; no TLS there; and none here.
    for (const std::string& authority : {server().other_certificate().certificate, std::string()}) {
        of.tls_ca_file = authority;
        EXPECT_THAT(refusal(of), HasSubstr("no TLS with"));
    }
    of.tls_ca_file = server().certificate().certificate;
    of.url = "rabbitmqs://127.0.0.1:" + port;
    EXPECT_THAT(refusal(of), HasSubstr("no TLS with"));
    of.url = "rabbitmqs://" + server().at();
    EXPECT_THAT(refusal(of), HasSubstr("no TLS with"));
    EXPECT_THAT(refusal({.url = "rabbitmq://localhost:" + port}), HasSubstr("rabbitmqs://"));
    of.tls_ca_file = "/nowhere";
    EXPECT_THAT(make_broker(of, [](auto) {}).error(), HasSubstr("/nowhere"));
}

}  // namespace
}  // namespace pulsewire::shell::rabbitmq
