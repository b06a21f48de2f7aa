// What is JetStream's own: kills in the middle of appends, logins, TLS, streams that are not as they have to
// be, and what it says when it cannot be used.

#include "server/broker/make_broker.hpp"
#include "server/testing/certificate.hpp"
#include "server/testing/log_user.hpp"
#include "server/testing/nats_process.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace pulsewire::shell::nats {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::ElementsAre;
using testing::eventually;
using ::testing::HasSubstr;
using testing::log_user;
using testing::nats_process;
using ::testing::Not;

class nats_failover : public ::testing::Test {
protected:
    void SetUp() override {
        if (!testing::is_installed("nats-server"))
            GTEST_SKIP() << "skipped: NATS is not installed (package nats-server)";
    }
};
class nats_refusal : public nats_failover {};

broker_options options_of(const nats_process& server, const std::string& more = "") {
    return {.url = "nats://" + server.at() + more};
}

// A node's way: what was not answered when the broker was killed goes again, after what is found in the log.
TEST_F(nats_failover, five_kills_lose_nothing_that_was_answered_and_keep_the_order) {
    nats_process server;
    log_user user(options_of(server));
    log_user reader(options_of(server));
    std::vector<std::string> whole;
    for (int round = 0; round < 5; ++round) {
        const auto opened = user.open_until_it_answers();
        if (!whole.empty()) {
            ASSERT_TRUE(user.wait_records(whole.size()));
        }
        const std::string prefix = std::to_string(round) + "/";
        for (int i = 0; i < 10'000; ++i) user.append(prefix + std::to_string(i));
        ASSERT_TRUE(user.wait([](const auto& l) { return l.appended > 1'000; }));
        server.kill();
        EXPECT_THAT(user.wait_closed(), HasSubstr("127.0.0.1"));
        const auto answered = user.read().appended;
        server.start();

        const auto after = reader.open_until_it_answers();
        EXPECT_NE(after.incarnation, opened.incarnation);
        ASSERT_TRUE(reader.wait_records(after.last.high));
        const auto found = reader.bytes();
        ASSERT_GE(found.size(), whole.size() + answered) << "lost in round " << round;
        ASSERT_TRUE(std::equal(whole.begin(), whole.end(), found.begin())) << "round " << round;
        // A prefix of what was sent, each once.
        for (std::size_t i = whole.size(); i < found.size(); ++i)
            ASSERT_EQ(found[i], prefix + std::to_string(i - whole.size())) << "round " << round;
        whole = found;
    }
}

// --- a cluster ---

// Three servers that elect leaders of streams.
class nats_cluster {
public:
    nats_cluster() {
        std::string routes;
        std::uint16_t ports[3];
        for (auto& port : ports) {
            port = testing::free_port();
            routes += (routes.empty() ? "\"nats://127.0.0.1:" : ", \"nats://127.0.0.1:") +
                      std::to_string(port) + "\"";
        }
        for (int i = 0; i < 3; ++i) {
            servers_.push_back(std::make_unique<nats_process>(
                "server_name: n" + std::to_string(i) + "\ncluster { name: pw, listen: \"127.0.0.1:" +
                std::to_string(ports[i]) + "\", routes: [" + routes + "] }"
            ));
        }
    }
    broker_options options(const std::string& more = "") const {
        broker_options made;
        made.url = "nats://" + servers_[0]->at() + "," + servers_[1]->at() + "," + servers_[2]->at();
        made.url += "?replicas=3" + more;
        return made;
    }
    // The server that orders the records of partition 0, now.
    nats_process& leader() {
        nats_process* found = nullptr;
        eventually([&] {
            for (std::size_t i = 0; i < servers_.size(); ++i) {
                const std::string info = (*servers_[i])("$JS.API.STREAM.INFO.pulsewire-0");
                const auto at = info.find("\"leader\":\"n");
                if (at == info.npos) continue;
                found = servers_[static_cast<std::size_t>(info[at + 11] - '0')].get();
                return true;
            }
            return false;
        });
        if (found == nullptr) throw std::runtime_error("nobody leads");
        return *found;
    }

private:
    std::vector<std::unique_ptr<nats_process>> servers_;
};

TEST_F(nats_failover, a_leader_that_is_killed_takes_nothing_along_that_was_answered) {
    nats_cluster cluster;
    log_user user(cluster.options());
    log_user trusting(cluster.options("&trust=durable"));
    EXPECT_FALSE(user.open_until_it_answers().incarnation) << "a cluster does not say when it lost something";
    const auto trusted = trusting.open_until_it_answers().incarnation;
    ASSERT_TRUE(trusted);
    for (int i = 0; i < 5'000; ++i) user.append(std::to_string(i));
    ASSERT_TRUE(user.wait([](const auto& l) { return l.appended > 500 || l.closed; }));
    nats_process& leader = cluster.leader();
    leader.kill();
    user.wait([](const auto& l) { return l.closed || l.appended == 5'000; });
    const std::uint64_t answered = user.read().appended;
    leader.start();
    const auto opened = user.open_until_it_answers();
    ASSERT_TRUE(user.wait_records(opened.last.high - opened.first.high + 1));
    // What was sent on one connection is there in its order, each once. What came to a server between two
    // leaders may be missing: nothing after it was answered.
    std::vector<int> found;
    for (const auto& each : user.bytes()) found.push_back(std::stoi(each));
    ASSERT_GE(found.size(), answered);
    EXPECT_TRUE(std::is_sorted(found.begin(), found.end()));
    EXPECT_EQ(std::adjacent_find(found.begin(), found.end()), found.end());
    for (std::uint64_t i = 0; i < answered; ++i)
        ASSERT_EQ(found[i], static_cast<int>(i)) << "answered, but not there";
    EXPECT_EQ(trusting.open_until_it_answers().incarnation, trusted);
}

// --- streams that are not as they have to be ---

TEST_F(nats_refusal, a_stream_that_forgets_by_itself_is_named_with_its_setting) {
    nats_process server;
    server(
        "$JS.API.STREAM.CREATE.pulsewire-0",
        R"({"name":"pulsewire-0","subjects":["pulsewire.0"],"retention":"limits","storage":"file",)"
        R"("max_age":60000000000,"discard":"old","num_replicas":1})"
    );
    log_user user(options_of(server));
    user.open();
    EXPECT_THAT(user.wait_closed(), AllOf(HasSubstr("pulsewire-0"), HasSubstr("max_age must be 0")));
}

TEST_F(nats_refusal, a_stream_that_is_full_refuses_and_goes_on_when_it_was_trimmed) {
    nats_process server;
    server(
        "$JS.API.STREAM.CREATE.pulsewire-0",
        R"({"name":"pulsewire-0","subjects":["pulsewire.0"],"retention":"limits","storage":"file",)"
        R"("max_msgs":3,"discard":"new","num_replicas":1})"
    );
    log_user user(options_of(server));
    user.open_until_it_answers();
    for (const char* const each : {"1", "2", "3", "4"}) user.append(each);
    EXPECT_THAT(user.wait_closed(), HasSubstr("refuses a record (maximum messages exceeded)"));
    EXPECT_EQ(user.read().appended, 3U);
    user.open_until_it_answers();
    ASSERT_TRUE(user.wait_records(3));
    const auto third = user.read().records[2].at;
    user.trim(third);
    ASSERT_TRUE(eventually([&] {
        return server("$JS.API.STREAM.INFO.pulsewire-0").find("\"first_seq\":3") != std::string::npos;
    }));
    user.append("5");
    ASSERT_TRUE(user.wait_appended(1));
    EXPECT_EQ(user.open_until_it_answers().first, third);
}

TEST_F(nats_refusal, a_stream_that_is_deleted_or_emptied_closes_its_log) {
    nats_process server;
    log_user emptied(options_of(server));
    log_user deleted(options_of(server, "/other"));
    for (auto* const user : {&emptied, &deleted}) {
        user->open_until_it_answers();
        for (const char* const each : {"1", "2", "3"}) user->append(each);
        ASSERT_TRUE(user->wait_records(3));
        ASSERT_TRUE(user->wait_appended(3));
    }
    server("$JS.API.STREAM.DELETE.other-0");
    deleted.append("4");
    EXPECT_NE(deleted.wait_closed(), "");
    const auto before = deleted.read().opened->incarnation;
    const auto anew = deleted.open_until_it_answers();
    EXPECT_EQ(anew.last, cluster::mark{});
    EXPECT_NE(anew.incarnation, before) << "the same server, but another stream";

    // What was not read yet is gone: the reader is told instead of going on behind it.
    emptied.hold_at(4);
    emptied.append("4");
    ASSERT_TRUE(emptied.wait([](const auto& l) { return l.records.size() == 4; }));
    log_user writer(options_of(server));
    writer.open_until_it_answers();
    for (int i = 0; i < 2'000; ++i) writer.append(std::to_string(i));
    ASSERT_TRUE(writer.wait_appended(2'000));
    server("$JS.API.STREAM.PURGE.pulsewire-0");
    writer.append("last");
    ASSERT_TRUE(writer.wait_appended(2'001));
    emptied.go_on();
    EXPECT_THAT(emptied.wait_closed(), HasSubstr("was trimmed before it was read"));
}

// The bound of a request for records ends in the middle of what waits.
TEST_F(nats_failover, records_of_the_largest_size_are_read_one_request_after_the_other) {
    nats_process server;
    log_user user(options_of(server));
    user.open_until_it_answers();
    for (char c = 'a'; c < 'a' + 20; ++c) user.append(std::string(cluster::record_bytes_max, c));
    ASSERT_TRUE(user.wait_appended(20));
    log_user reader(options_of(server));
    reader.open();
    ASSERT_TRUE(reader.wait_records(20));
    const auto all = reader.bytes();
    for (std::size_t i = 0; i < all.size(); ++i)
        ASSERT_TRUE(all[i] == std::string(cluster::record_bytes_max, static_cast<char>('a' + i))) << i;
}

// --- logins and servers that cannot be used ---

TEST_F(nats_refusal, logins_are_needed_and_refused_in_words_without_the_password) {
    nats_process server("authorization { users = [ { user: ada, password: \"p@ss\" } ] }");
    for (const std::string login : {"", "ada:hunter2@", "bob:hunter2@", ":hunter2@"}) {
        log_user user({.url = "nats://" + login + server.at()});
        user.open();
        EXPECT_THAT(user.wait_closed(), AllOf(HasSubstr("refuses the login"), Not(HasSubstr("hunter2"))));
    }
    log_user user({.url = "nats://ada:p%40ss@" + server.at()});
    user.open_until_it_answers();
    user.append("r");
    EXPECT_TRUE(user.wait_records(1));

    nats_process with_token("authorization { token: \"s3cret\" }");
    log_user token({.url = "nats://:s3cret@" + with_token.at()});
    token.open_until_it_answers();
}

// As docs/decisions/0021-nats.md lists them.
TEST_F(nats_refusal, few_rights_are_enough_and_missing_ones_are_named) {
    nats_process server(R"(
        authorization { users = [
            { user: node, password: pw, permissions: {
                publish: ["pulsewire.*", "$JS.API.STREAM.INFO.*", "$JS.API.STREAM.CREATE.*",
                          "$JS.API.STREAM.PURGE.*", "$JS.API.CONSUMER.CREATE.*.*",
                          "$JS.API.CONSUMER.DELETE.*.*", "$JS.API.CONSUMER.MSG.NEXT.*.*"]
                subscribe: ["_INBOX.>"] } }
            { user: guest, password: pw, permissions: { publish: ["pulsewire.*"], subscribe: ["_INBOX.>"] } }
        ] })");
    log_user node({.url = "nats://node:pw@" + server.at()});
    node.open_until_it_answers();
    node.append("r");
    ASSERT_TRUE(node.wait_records(1));
    node.open_until_it_answers();
    log_user guest({.url = "nats://guest:pw@" + server.at()});
    guest.open();
    EXPECT_THAT(guest.wait_closed(), HasSubstr("ermissions"));
}

TEST_F(nats_refusal, a_server_without_jetstream_and_none_at_all_are_told) {
    log_user nowhere({.url = "nats://127.0.0.1:" + std::to_string(testing::free_port())});
    nowhere.open();
    EXPECT_THAT(nowhere.wait_closed(), HasSubstr("does it run?"));

    const testing::temporary_folder folder;
    const auto port = std::to_string(testing::free_port());
    const testing::child_process plain(
        {"nats-server", "-a", "127.0.0.1", "-p", port}, folder.path() + "/log"
    );
    log_user user({.url = "nats://127.0.0.1:" + port});
    ASSERT_TRUE(eventually([&] {
        user.open();
        return user.wait_closed().find("is JetStream on") != std::string::npos;
    }));
}

TEST_F(nats_refusal, a_server_that_takes_too_small_messages_is_told) {
    nats_process server("max_payload: 100KB");
    log_user user(options_of(server));
    user.open();
    EXPECT_THAT(user.wait_closed(), HasSubstr("max_payload"));
}

// --- TLS ---

TEST_F(nats_failover, tls_is_spoken_and_whom_nobody_vouches_for_is_refused) {
    const testing::temporary_folder folder;
    const testing::certificate_files certificate(folder.path() + "/nats");
    const testing::certificate_files other(folder.path() + "/other");
    nats_process server(
        "tls { cert_file: \"" + certificate.certificate + "\", key_file: \"" + certificate.key + "\" }"
    );
    broker_options options;
    options.url = "natss://localhost:" + std::to_string(server.port());
    options.tls_ca_file = certificate.certificate;
    log_user user(options);
    user.open_until_it_answers();
    for (int i = 0; i < 2'000; ++i) user.append(std::to_string(i) + std::string(1'000, 'x'));
    ASSERT_TRUE(user.wait_records(2'000));
    ASSERT_TRUE(user.wait_appended(2'000));

    // Another authority; nobody's; the right one for another name.
    for (const std::string& authority : {other.certificate, std::string()}) {
        options.tls_ca_file = authority;
        log_user stranger(options);
        stranger.open();
        EXPECT_THAT(stranger.wait_closed(), HasSubstr("TLS with"));
    }
    options.tls_ca_file = certificate.certificate;
    options.url = "natss://127.0.0.1:" + std::to_string(server.port());
    log_user elsewhere(options);
    elsewhere.open();
    EXPECT_THAT(elsewhere.wait_closed(), HasSubstr("TLS with"));

    nats_process plain;
    options.url = "natss://localhost:" + std::to_string(plain.port());
    log_user wants(options);
    wants.open();
    EXPECT_THAT(wants.wait_closed(), HasSubstr("has no TLS"));
}

}  // namespace
}  // namespace pulsewire::shell::nats
