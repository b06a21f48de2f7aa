// What is Kafka's own: a broker that is killed while it is written to, topics that are not fit, logins and
// TLS, and what it says when it cannot be used.

#include "server/broker/make_broker.hpp"
#include "server/testing/certificate.hpp"
#include "server/testing/kafka_broker.hpp"
#include "server/testing/kafka_process.hpp"
#include "server/testing/log_user.hpp"
#include "server/testing/text_of_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

namespace pulsewire::shell::kafka {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::ElementsAre;
using testing::eventually;
using ::testing::HasSubstr;
using testing::kafka_client;
using testing::kafka_process;
using testing::log_user;
using ::testing::Not;

class kafka_failover : public ::testing::Test {
protected:
    void SetUp() override {
        if (const auto lacks = testing::kafka_lacks(); !lacks.empty()) GTEST_SKIP() << lacks;
    }
    static kafka_process& server() { return kafka_of_all_tests(); }
    static broker_options options_of(const std::string& topic, const std::string& with = "") {
        return {.url = "kafka://" + server().at() + with, .prefix = topic};
    }
};
class kafka_refusal : public kafka_failover {};

// Everything in the log, read by somebody else.
std::vector<std::string> all_in_topic(const broker_options& options) {
    log_user reader(options);
    const auto opened = reader.open_until_it_answers();
    if (opened.last == cluster::mark{}) return {};
    EXPECT_TRUE(reader.wait([&](const auto& l) {
        return !l.records.empty() && l.records.back().at >= opened.last;
    }));
    return reader.bytes();
}

// --- kills ---

// The writer does what a node does: it reads what the log has, and goes on from there on its next connection.
// It appends until it is told that the connection has ended, so each kill is in the middle.
TEST_F(kafka_failover, five_kills_while_appending_lose_nothing_double_nothing_and_keep_the_order) {
    constexpr std::uint64_t window = 5'000;
    const std::string padding = "/" + std::string(1'500, 'x');
    const auto options = options_of("five_kills");
    log_user writer(options);
    log_user reader(options);
    std::uint64_t answered = 0;  // records 0 to answered - 1 were
    for (int round = 0; round < 5; ++round) {
        const auto opened = writer.open_until_it_answers();
        reader.open_until_it_answers();
        ASSERT_TRUE(writer.wait([&](const auto& l) {
            return opened.last == cluster::mark{} ||
                   (!l.records.empty() && l.records.back().at >= opened.last);
        }));
        const std::uint64_t first = writer.read().records.size();
        ASSERT_GE(first, answered) << "round " << round << ": what was answered is gone";
        const std::jthread killer([&] {
            writer.wait([](const auto& l) { return l.appended > 500; });
            server().kill();
        });
        std::uint64_t next = first;
        for (bool is_closed = false; !is_closed;) {
            writer.append(std::to_string(next++) + padding);
            ASSERT_TRUE(writer.wait([&](const auto& l) {
                is_closed = l.closed.has_value();
                return is_closed || first + l.appended + window > next;
            }));
        }
        EXPECT_THAT(writer.wait_closed(), HasSubstr(server().at()));
        EXPECT_THAT(reader.wait_closed(), HasSubstr(server().at()));
        answered = first + writer.read().appended;
        EXPECT_LT(answered, next);
        server().start();
    }
    const auto found = all_in_topic(options);
    ASSERT_GE(found.size(), answered);
    for (std::size_t i = 0; i < found.size(); ++i) ASSERT_EQ(found[i], std::to_string(i) + padding) << i;
}

TEST_F(kafka_failover, what_waits_while_the_broker_is_killed_never_arrives) {
    const auto options = options_of("what_waits");
    log_user user(options);
    user.open_until_it_answers();
    user.append("before");
    ASSERT_TRUE(user.wait_appended(1));
    server().pause();
    for (int i = 0; i < 100; ++i) user.append("while it is still");
    server().kill();
    EXPECT_NE(user.wait_closed(), "");
    user.append("after");
    server().start();
    EXPECT_THAT(all_in_topic(options), ElementsAre("before"));
}

// The topic is made anew with as few records: offsets say nothing, the last one says it.
TEST_F(kafka_failover, a_topic_that_is_made_anew_is_shorter) {
    const auto options = options_of("made_anew");
    log_user user(options);
    user.open_until_it_answers();
    for (int i = 0; i < 3; ++i) user.append(std::to_string(i));
    ASSERT_TRUE(user.wait_records(3));
    const auto known = user.read().records.back().at;
    user.close();
    kafka_client(server().at()).remove_topic("made_anew");
    ASSERT_TRUE(eventually([&] { return user.open_until_it_answers(known).last == cluster::mark{}; }));
    user.append("new");
    ASSERT_TRUE(user.wait_records(1));
    EXPECT_THAT(user.bytes(), ElementsAre("new"));
}

TEST_F(kafka_failover, trims_of_the_adapter_remove_what_is_before) {
    const auto options = options_of("trims");
    log_user user(options);
    user.open_until_it_answers();
    for (int i = 0; i < 100; ++i) user.append(std::to_string(i));
    ASSERT_TRUE(user.wait_records(100));
    const auto at = user.read().records[98].at;
    user.trim(at);
    log_user later(options);
    EXPECT_TRUE(eventually([&] { return later.open_until_it_answers().first == at; }));
    ASSERT_TRUE(later.wait_records(2));
    EXPECT_THAT(later.bytes(), ElementsAre("98", "99"));
}

// --- what it refuses ---

std::string refusal_of(const broker_options& options, cluster::partition_index partition = 0) {
    log_user user(options);
    user.open({}, partition);
    const std::string reason = user.wait_closed(partition);
    EXPECT_FALSE(user.read(partition).opened);
    EXPECT_THAT(reason, Not(HasSubstr("hunter2")));
    EXPECT_THAT(reason, Not(HasSubstr("\n")));
    return reason;
}

TEST_F(kafka_refusal, a_setting_that_could_lose_records_is_named) {
    kafka_client client(server().at());
    client.make_topic("short_retention", 4, {{"retention.ms", "60000"}});
    EXPECT_THAT(
        refusal_of(options_of("short_retention")),
        AllOf(HasSubstr("short_retention has retention.ms=60000"), HasSubstr("set it to -1"))
    );
    client.make_topic("compacted", 4, {{"cleanup.policy", "compact"}});
    EXPECT_THAT(refusal_of(options_of("compacted")), HasSubstr("cleanup.policy=compact"));
    client.make_topic("one_replica", 4, {{"retention.ms", "-1"}});
    EXPECT_THAT(refusal_of(options_of("one_replica", "?replicas=3")), HasSubstr("1 of the 3 replicas"));
    broker_options waiting = options_of("one_replica");
    waiting.wait_replicas = 1;
    EXPECT_THAT(refusal_of(waiting), HasSubstr("wait for 2"));
    EXPECT_THAT(refusal_of(options_of("too_many_replicas", "?replicas=2")), HasSubstr("cannot be made"));
}

TEST_F(kafka_refusal, a_partition_that_is_not_there_closes_its_log_alone) {
    log_user user(options_of("two_partitions", "?partitions=2"));
    user.open_until_it_answers({}, 1);
    user.open({}, 2);
    EXPECT_THAT(user.wait_closed(2), HasSubstr("has 2 partitions"));
    user.append("on", 1);
    EXPECT_TRUE(user.wait_records(1, 1));
    EXPECT_FALSE(user.read(1).closed);
}

TEST_F(kafka_refusal, a_message_of_somebody_else_closes_that_log_alone) {
    log_user user(options_of("of_others"));
    user.open_until_it_answers({}, 0);
    user.open_until_it_answers({}, 1);
    kafka_client(server().at()).append("of_others", "");
    EXPECT_THAT(user.wait_closed(), HasSubstr("only Pulsewire may write to it"));
    user.append("on", 1);
    EXPECT_TRUE(user.wait_records(1, 1));
}

TEST_F(kafka_refusal, whatever_is_no_kafka_is_told_in_one_sentence_and_in_time) {
    const auto began = std::chrono::steady_clock::now();
    const std::string nobody = "127.0.0.1:" + std::to_string(testing::free_port());
    EXPECT_THAT(refusal_of({.url = "kafka://" + nobody}), HasSubstr("Connection refused"));
    EXPECT_LT(std::chrono::steady_clock::now() - began, 3s);
    EXPECT_THAT(refusal_of({.url = "kafka://nowhere.invalid"}), HasSubstr("nowhere.invalid"));
    EXPECT_THAT(refusal_of({.url = "kafkas://" + server().at()}), HasSubstr("SSL"));
    // One of them is enough.
    log_user user(options_of("one_is_enough"));
    log_user other({.url = "kafka://" + nobody + "," + server().at(), .prefix = "one_is_enough"});
    user.open_until_it_answers();
    user.append("in");
    EXPECT_TRUE(user.wait_appended(1));
    other.open_until_it_answers();
    EXPECT_TRUE(other.wait_records(1));
}

// --- TLS and logins ---

TEST_F(kafka_refusal, tls_and_logins_are_asked_for_and_these_rights_of_a_user_are_enough) {
    const testing::temporary_folder folder;
    const testing::certificate_files known(folder.path() + "/known");
    const testing::certificate_files stranger(folder.path() + "/stranger");
    const std::string both = folder.path() + "/both.pem";
    std::ofstream(both) << testing::text_of_file(known.key) << testing::text_of_file(known.certificate);
    const std::string tls = "localhost:" + std::to_string(testing::free_port());
    const std::string login = "localhost:" + std::to_string(testing::free_port());
    kafka_process guarded(kafka_process::more{
        .listeners = "SSL://" + tls + ",SASL_SSL://" + login,
        .protocols = "SSL:SSL,SASL_SSL:SASL_SSL",
        .lines = "ssl.keystore.type=PEM\nssl.keystore.location=" + both +
                 "\nssl.truststore.type=PEM\nssl.truststore.location=" + known.certificate +
                 "\nlistener.name.ssl.ssl.client.auth=required\n"
                 "listener.name.sasl_ssl.sasl.enabled.mechanisms=SCRAM-SHA-512,PLAIN\n"
                 "listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config="
                 "org.apache.kafka.common.security.scram.ScramLoginModule required;\n"
                 "listener.name.sasl_ssl.plain.sasl.jaas.config="
                 "org.apache.kafka.common.security.plain.PlainLoginModule required user_ada=\"right\" "
                 "user_eve=\"hunter2\";\n"
                 "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer\n"
                 "super.users=User:ANONYMOUS;User:CN=localhost\n",
        .format = {"--add-scram", "SCRAM-SHA-512=[name=bob,password=hunter2]"}});

    // By certificate.
    const std::string files = "?certificate=" + known.certificate + "&key=" + known.key;
    broker_options by_certificate{
        .url = "kafkas://" + tls + "/certified" + files, .tls_ca_file = known.certificate};
    log_user certified(by_certificate);
    certified.open_until_it_answers();
    certified.append("in");
    EXPECT_TRUE(certified.wait_records(1));
    by_certificate.tls_ca_file = stranger.certificate;
    EXPECT_THAT(refusal_of(by_certificate), HasSubstr("certificate verify failed"));
    EXPECT_THAT(refusal_of({.url = "kafka://" + tls}), HasSubstr("SSL"));

    // By password.
    broker_options by_password{
        .url = "kafkas://ada:hunter2@" + login, .prefix = "logs", .tls_ca_file = known.certificate};
    EXPECT_THAT(refusal_of(by_password), HasSubstr("authentication"));
    by_password.url = "kafkas://ada:right@" + login;
    EXPECT_THAT(refusal_of(by_password), HasSubstr("lacks a right"));
    kafka_client control(guarded.at());
    for (const auto right :
         {RD_KAFKA_ACL_OPERATION_CREATE, RD_KAFKA_ACL_OPERATION_DESCRIBE, RD_KAFKA_ACL_OPERATION_READ,
          RD_KAFKA_ACL_OPERATION_WRITE, RD_KAFKA_ACL_OPERATION_DELETE,
          RD_KAFKA_ACL_OPERATION_DESCRIBE_CONFIGS})
        control.allow("ada", right, "logs");
    log_user ada(by_password);
    ada.open_until_it_answers();
    ada.append("0");
    ada.append("1");
    ASSERT_TRUE(ada.wait_records(2));
    const auto at = ada.read().records[1].at;
    ada.trim(at);
    log_user later(by_password);
    EXPECT_TRUE(eventually([&] { return later.open_until_it_answers().first == at; }));
    // Others have the login and no rights, and one way to log in does not work with an old library.
    by_password.url = "kafkas://eve:hunter2@" + login;
    EXPECT_THAT(refusal_of(by_password), HasSubstr("lacks a right"));
    by_password.url = "kafkas://bob:hunter2@" + login + "?sasl=SCRAM-SHA-512";
    const bool can_scram = rd_kafka_version() >= 0x02060100;
    EXPECT_THAT(refusal_of(by_password), HasSubstr(can_scram ? "lacks a right" : "install 2.6.1"));
}

}  // namespace
}  // namespace pulsewire::shell::kafka
