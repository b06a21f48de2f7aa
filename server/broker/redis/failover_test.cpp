// What is Redis' own: replicas, Sentinel, Cluster, logins, TLS, and what it says when it cannot be used.

#include "server/broker/make_broker.hpp"
#include "server/testing/certificate.hpp"
#include "server/testing/log_user.hpp"
#include "server/testing/redis_cluster.hpp"
#include "server/testing/redis_process.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

namespace pulsewire::shell::redis {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::ElementsAre;
using testing::eventually;
using ::testing::HasSubstr;
using testing::log_user;
using ::testing::Not;
using testing::redis_client;
using testing::redis_process;

class redis_failover : public ::testing::Test {
protected:
    void SetUp() override {
        if (!testing::is_installed("redis-server"))
            GTEST_SKIP() << "skipped: Redis is not installed (package redis-server)";
    }
};
class redis_refusal : public redis_failover {};

broker_options options_of(const redis_process& server) {
    return {.url = "redis://" + server.at()};
}

std::vector<std::string> numbered(int count) {
    std::vector<std::string> all;
    for (int i = 0; i < count; ++i) all.push_back(std::to_string(i));
    return all;
}

// Whether what was found is a beginning of "0", "1", … with anything after a slash.
::testing::AssertionResult is_beginning(const std::vector<std::string>& found, std::uint64_t of_at_least) {
    for (std::size_t i = 0; i < found.size(); ++i) {
        const std::string number = found[i].substr(0, found[i].find('/'));
        if (number != std::to_string(i)) return ::testing::AssertionFailure() << number << " at " << i;
    }
    if (found.size() < of_at_least) {
        return ::testing::AssertionFailure()
               << found.size() << " of " << of_at_least << " that were appended";
    }
    return ::testing::AssertionSuccess();
}

// A master and a replica that follows it.
struct replicated_redis {
    redis_process master;
    redis_process replica{{"--replicaof", "127.0.0.1", std::to_string(master.port())}};

    replicated_redis() {
        if (!eventually([this] { return replica.info("master_link_status") == "up"; }))
            throw std::runtime_error("the replica does not follow");
    }
    void promote_replica() { replica({"REPLICAOF", "NO", "ONE"}); }
};

// Everything in the log, read by somebody else.
std::vector<std::string> all_of(const broker_options& options) {
    log_user reader(options);
    const auto opened = reader.open_until_it_answers();
    if (opened.last == cluster::mark{}) return {};
    reader.wait([&](const auto& l) { return !l.records.empty() && l.records.back().at >= opened.last; });
    return reader.bytes();
}

// Appends 1,000 records that the replica gets and 4,000 while it stands still, waits until all of them were
// read and answered or the connection was closed, and makes the replica the master, as it is. Returns what
// the appender knew.
log_user::log lose_master_of_stalled_replica(replicated_redis& servers, std::uint32_t wait_replicas) {
    // More than the kernel keeps for a replica that reads nothing.
    const std::string padding = "/" + std::string(3'000, 'x');
    broker_options options = options_of(servers.master);
    options.wait_replicas = wait_replicas;
    log_user user(options);
    user.open_until_it_answers();
    int sent = 0;
    for (; sent < 1'000; ++sent) user.append(std::to_string(sent));
    EXPECT_TRUE(user.wait_appended(1'000));
    EXPECT_TRUE(eventually([&] { return servers.replica({"XLEN", "pulsewire:{0}"}) == "1000"; }));
    servers.replica.pause();
    for (; sent < 5'000; ++sent) user.append(std::to_string(sent) + padding);
    user.wait([](const auto& l) { return l.closed || (l.appended == 5'000 && l.records.size() == 5'000); });
    servers.master.kill();
    EXPECT_NE(user.wait_closed(), "");
    servers.replica.resume();
    servers.promote_replica();
    return user.read();
}

TEST_F(redis_failover, a_stalled_replica_that_is_promoted_has_what_was_appended_with_wait) {
    replicated_redis servers;
    const auto known = lose_master_of_stalled_replica(servers, 1);
    EXPECT_THAT(*known.closed, HasSubstr("only 0 of the 1 replicas"));
    const auto found = all_of(options_of(servers.replica));
    EXPECT_LT(found.size(), 5'000U) << "nothing was lost: the test has proven nothing";
    EXPECT_TRUE(is_beginning(found, known.appended));
}

// The same without WAIT: what was answered is lost, and whoever comes back sees it.
TEST_F(redis_failover, a_stalled_replica_that_is_promoted_is_shorter_and_has_another_incarnation) {
    replicated_redis servers;
    const auto known = lose_master_of_stalled_replica(servers, 0);
    EXPECT_EQ(known.appended, 5'000U);
    log_user after(options_of(servers.replica));
    const auto opened = after.open_until_it_answers(known.records.back().at);
    EXPECT_LT(opened.last, known.records.back().at);
    EXPECT_NE(opened.incarnation, known.opened->incarnation);
    const auto found = all_of(options_of(servers.replica));
    EXPECT_LT(found.size(), known.appended);
    EXPECT_TRUE(is_beginning(found, 0));
}

TEST_F(redis_failover, a_master_that_becomes_a_replica_breaks_every_connection) {
    replicated_redis servers;
    log_user idle(options_of(servers.master));
    log_user busy(options_of(servers.master));
    idle.open_until_it_answers();
    busy.open_until_it_answers();
    busy.append("before");
    ASSERT_TRUE(busy.wait_appended(1));
    ASSERT_TRUE(eventually([&] { return servers.replica({"XLEN", "pulsewire:{0}"}) == "1"; }));
    servers.promote_replica();
    servers.master({"REPLICAOF", "127.0.0.1", std::to_string(servers.replica.port())});
    busy.append("after");
    EXPECT_THAT(idle.wait_closed(), HasSubstr("replica"));
    EXPECT_THAT(busy.wait_closed(), HasSubstr("replica"));
    EXPECT_EQ(busy.read().appended, 1U);
    idle.open();
    EXPECT_THAT(idle.wait_closed(), HasSubstr("is a replica"));
    EXPECT_THAT(all_of(options_of(servers.replica)), ElementsAre("before"));
}

// Back as a master before anybody could ask whether it still is one, with other records.
void be_a_replica_for_a_moment(const redis_process& server, const redis_process& other) {
    redis_client control(server.port());
    control({"REPLICAOF", "127.0.0.1", std::to_string(other.port())});
    EXPECT_TRUE(eventually([&] {
        return control({"XRANGE", "pulsewire:{0}", "-", "+"}).find("foreign") != std::string::npos;
    }));
    control({"REPLICAOF", "NO", "ONE"});
    control({"XADD", "pulsewire:{0}", "*", "r", "foreign"});
}

TEST_F(redis_failover, a_short_time_as_a_replica_is_noticed_by_who_waits_for_records) {
    redis_process server;
    redis_process other;
    other({"XADD", "pulsewire:{0}", "*", "r", "foreign"});
    log_user user(options_of(server));
    user.open_until_it_answers();
    user.append("own");
    ASSERT_TRUE(user.wait_appended(1));
    ASSERT_TRUE(user.wait_records(1));
    be_a_replica_for_a_moment(server, other);
    EXPECT_NE(user.wait_closed(), "");
    EXPECT_THAT(user.bytes(), ElementsAre("own"));
}

// Its connection is not blocked, so the server does not send it away: the next round reads the other log.
TEST_F(redis_failover, a_short_time_as_a_replica_is_noticed_by_who_is_slow) {
    redis_process server;
    redis_process other;
    other({"XADD", "pulsewire:{0}", "*", "r", "foreign"});
    log_user user(options_of(server));
    user.open_until_it_answers();
    user.hold_at(1);
    user.append("own");
    ASSERT_TRUE(user.wait_records(1));
    be_a_replica_for_a_moment(server, other);
    user.go_on();
    EXPECT_THAT(user.wait_closed(), HasSubstr("changed its role"));
    EXPECT_THAT(user.bytes(), ElementsAre("own"));
}

// --- Sentinel ---

class sentinel_process {
public:
    explicit sentinel_process(std::uint16_t master) : port_(testing::free_port()) {
        const std::string file = folder_.path() + "/sentinel.conf";
        std::ofstream(file) << "port " << port_ << "\nbind 127.0.0.1\ndir " << folder_.path()
                            << "\nsentinel monitor mymaster 127.0.0.1 " << master
                            << " 2\nsentinel down-after-milliseconds mymaster 500\n"
                               "sentinel failover-timeout mymaster 3000\n";
        process_ = std::make_unique<testing::child_process>(
            std::vector<std::string>{"redis-server", file, "--sentinel"}, folder_.path() + "/log"
        );
    }
    std::string at() const { return "127.0.0.1:" + std::to_string(port_); }
    bool knows(const std::string& what) const {
        const std::string all = redis_client(port_)({"SENTINEL", "MASTER", "mymaster"});
        return all.find(what) != all.npos;
    }

private:
    testing::temporary_folder folder_;
    std::uint16_t port_;
    std::unique_ptr<testing::child_process> process_;
};

TEST_F(redis_failover, sentinels_name_the_new_master_and_nothing_appended_with_wait_is_lost) {
    replicated_redis servers;
    std::vector<std::unique_ptr<sentinel_process>> sentinels;
    for (int i = 0; i < 3; ++i)
        sentinels.push_back(std::make_unique<sentinel_process>(servers.master.port()));
    for (const auto& each : sentinels) {
        ASSERT_TRUE(eventually([&] {
            return each->knows("num-other-sentinels\n2\n") && each->knows("num-slaves\n1\n") &&
                   each->knows("flags\nmaster\n");
        }));
    }
    broker_options options;
    // One of the sentinels is nowhere.
    options.url = "redis-sentinel://127.0.0.1:" + std::to_string(testing::free_port());
    for (const auto& each : sentinels) options.url += "," + each->at();
    log_user stranger({.url = options.url + "/nobody"});
    options.url += "/mymaster";
    options.wait_replicas = 1;
    log_user user(options);
    const auto before = user.open_until_it_answers();
    for (const auto& each : numbered(1'000)) user.append(each);
    ASSERT_TRUE(user.wait_appended(1'000));
    stranger.open();
    EXPECT_THAT(stranger.wait_closed(), HasSubstr("no master named nobody"));

    servers.master.kill();
    EXPECT_NE(user.wait_closed(), "");
    options.wait_replicas = 0;  // the new master is alone
    log_user later(options);
    const auto after = later.open_until_it_answers();
    EXPECT_NE(after.incarnation, before.incarnation);
    later.append("1000");
    ASSERT_TRUE(later.wait_records(1'001));
    EXPECT_TRUE(is_beginning(later.bytes(), 1'001));
}

// --- Cluster ---

TEST_F(redis_failover, a_cluster_has_all_partitions_and_a_failover_of_one_server_breaks_only_its_own) {
    testing::redis_cluster cluster;
    log_user user({.url = cluster.url()});
    for (cluster::partition_index p = 0; p < 8; ++p) user.open_until_it_answers({}, p);
    for (cluster::partition_index p = 0; p < 8; ++p)
        for (const auto& each : numbered(100)) user.append(each, p);
    for (cluster::partition_index p = 0; p < 8; ++p) {
        ASSERT_TRUE(user.wait_appended(100, p));
        ASSERT_TRUE(user.wait_records(100, p));
        EXPECT_EQ(user.bytes(p), numbered(100));
    }
    // They are on several servers.
    for (int i = 0; i < 3; ++i) EXPECT_NE(cluster.server(i)({"DBSIZE"}), "0");
    const auto before = user.read().opened;
    ASSERT_TRUE(eventually([&] { return cluster.server(3)({"DBSIZE"}) == cluster.server(0)({"DBSIZE"}); }));

    // A planned one first: the old master lives on and sends everybody away.
    ASSERT_EQ(cluster.server(3)({"CLUSTER", "FAILOVER"}), "OK");
    EXPECT_THAT(user.wait_closed(), AnyOf(HasSubstr("replica"), HasSubstr("another server")));
    const auto after = user.open_until_it_answers();
    EXPECT_NE(after.incarnation, before->incarnation);
    user.append("100");
    ASSERT_TRUE(user.wait_records(101));
    ASSERT_TRUE(eventually([&] { return cluster.server(0).info("master_link_status") == "up"; }));
    ASSERT_TRUE(eventually([&] {
        return cluster.server(0).info("slave_repl_offset") == cluster.server(3).info("master_repl_offset");
    }));

    // Then by a kill.
    cluster.server(3).kill();
    EXPECT_NE(user.wait_closed(), "");
    const auto last = user.open_until_it_answers();
    EXPECT_NE(last.incarnation, after.incarnation);
    user.append("101");
    ASSERT_TRUE(user.wait_records(102));
    EXPECT_TRUE(is_beginning(user.bytes(), 102));
    for (cluster::partition_index p = 1; p < 8; ++p) {
        const std::string key = "pulsewire:{" + std::to_string(p) + "}";
        const bool is_elsewhere = cluster.server(0)({"XLEN", key}).starts_with("MOVED");
        EXPECT_EQ(user.read(p).closed.has_value(), !is_elsewhere) << p;
    }
}

// --- what it refuses ---

std::string refusal(const broker_options& options) {
    log_user user(options);
    user.open();
    const std::string reason = user.wait_closed();
    EXPECT_FALSE(user.read().opened);
    EXPECT_THAT(reason, Not(HasSubstr("hunter2")));
    EXPECT_THAT(reason, Not(HasSubstr("\n")));
    return reason;
}

TEST_F(redis_refusal, a_login_that_is_wrong_or_missing_is_told_in_one_sentence) {
    redis_process guarded({"--requirepass", "right"});
    EXPECT_THAT(refusal({.url = "redis://:hunter2@" + guarded.at()}), HasSubstr("refuses the password"));
    EXPECT_THAT(refusal({.url = "redis://ada:hunter2@" + guarded.at()}), HasSubstr("of the user ada"));
    EXPECT_THAT(refusal({.url = "redis://" + guarded.at()}), HasSubstr("wants a password"));
    log_user user({.url = "redis://:right@" + guarded.at()});
    user.open_until_it_answers();
    user.append("in");
    EXPECT_TRUE(user.wait_appended(1));
}

TEST_F(redis_refusal, these_rights_of_a_user_are_enough) {
    redis_process server;
    const std::string done = server(
        {"ACL", "SETUSER", "pulsewire", "on", ">p@ss", "~pulsewire:*", "+info", "+client|id",
         "+client|unblock", "+xinfo|stream", "+xadd", "+xread", "+xrange", "+xtrim", "+wait"}
    );
    ASSERT_EQ(done, "OK");
    log_user user({.url = "redis://pulsewire:p%40ss@" + server.at()});
    user.open_until_it_answers();
    for (const auto& each : numbered(300)) user.append(each);
    ASSERT_TRUE(user.wait_records(300));
    user.trim(user.read().records[299].at);
    EXPECT_TRUE(eventually([&] { return server({"XLEN", "pulsewire:{0}"}) == "1"; }));
    user.open_until_it_answers({}, 1);
    EXPECT_FALSE(user.read().closed);
    // A key that it has no right to is its own log's trouble.
    log_user elsewhere({.url = "redis://pulsewire:p%40ss@" + server.at(), .prefix = "other"});
    elsewhere.open();
    EXPECT_THAT(elsewhere.wait_closed(), HasSubstr("NOPERM"));
}

// A program that says the same to everybody, or nothing.
class stand_in {
public:
    explicit stand_in(std::string words)
        : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)), words_(std::move(words)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&address), size), 0);
        EXPECT_EQ(::listen(listener_, 8), 0);
        EXPECT_EQ(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size), 0);
        at_ = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
        thread_ = std::thread([this] { serve(); });
    }
    ~stand_in() {
        ::shutdown(listener_, SHUT_RDWR);
        thread_.join();
        ::close(listener_);
        for (const int each : clients_) ::close(each);
    }
    const std::string& at() const { return at_; }

private:
    void serve() {
        for (int client; (client = ::accept(listener_, nullptr, nullptr)) >= 0;) {
            clients_.push_back(client);
            if (::send(client, words_.data(), words_.size(), MSG_NOSIGNAL) < 0) return;
        }
    }
    int listener_;
    std::string words_;
    std::string at_;
    std::vector<int> clients_;
    std::thread thread_;
};

TEST_F(redis_refusal, whatever_is_no_redis_is_told_in_one_sentence) {
    stand_in http("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
    stand_in full("-ERR max number of clients reached\r\n");
    stand_in mute("");
    log_user silent({.url = "redis://" + mute.at()});
    silent.open();
    EXPECT_THAT(refusal({.url = "redis://" + http.at()}), HasSubstr("is no Redis"));
    EXPECT_THAT(refusal({.url = "redis://" + full.at()}), HasSubstr("max number of clients"));
    EXPECT_THAT(refusal({.url = "redis://nowhere.invalid"}), HasSubstr("nowhere.invalid has no address"));
    EXPECT_THAT(
        refusal({.url = "redis://127.0.0.1:" + std::to_string(testing::free_port())}),
        HasSubstr("Connection refused")
    );
    EXPECT_THAT(refusal({.url = "redis-sentinel://" + http.at() + "/m"}), HasSubstr("is no Redis"));
    redis_process alone;
    EXPECT_THAT(refusal({.url = "redis-cluster://" + alone.at()}), HasSubstr("cluster support disabled"));
    EXPECT_THAT(refusal({.url = "redis-sentinel://" + alone.at() + "/m"}), HasSubstr("unknown command"));
    EXPECT_THAT(silent.wait_closed(), HasSubstr("answered nothing"));
}

TEST_F(redis_refusal, a_key_that_is_no_log_closes_that_log_alone) {
    redis_process server;
    server({"SET", "pulsewire:{1}", "text"});
    server({"XADD", "pulsewire:{2}", "*", "name", "of others"});
    log_user user(options_of(server));
    for (cluster::partition_index p = 0; p < 3; ++p) user.open({}, p);
    EXPECT_THAT(user.wait_closed(1), HasSubstr("WRONGTYPE"));
    EXPECT_THAT(user.wait_closed(2), HasSubstr("no record"));
    user.append("on");
    EXPECT_TRUE(user.wait_records(1));
    EXPECT_FALSE(user.read().closed);
}

// --- TLS ---

TEST_F(redis_refusal, tls_is_spoken_with_whom_the_certificate_proves) {
    const testing::temporary_folder folder;
    const testing::certificate_files known(folder.path() + "/known");
    const testing::certificate_files stranger(folder.path() + "/stranger");
    const auto port = std::to_string(testing::free_port());
    redis_process server(
        {"--tls-port", port, "--tls-cert-file", known.certificate, "--tls-key-file", known.key,
         "--tls-ca-cert-file", known.certificate, "--tls-auth-clients", "no"}
    );
    broker_options options{.url = "rediss://localhost:" + port, .tls_ca_file = known.certificate};
    log_user user(options);
    user.open_until_it_answers();
    const std::string large(cluster::record_bytes_max, 'x');
    for (int i = 0; i < 20; ++i) user.append(large);
    ASSERT_TRUE(user.wait_appended(20));
    ASSERT_TRUE(user.wait_records(20));
    EXPECT_TRUE(user.bytes().back() == large);

    options.tls_ca_file = stranger.certificate;
    EXPECT_THAT(refusal(options), AllOf(HasSubstr("no TLS"), HasSubstr("certificate verify failed")));
    options.tls_ca_file = known.certificate;
    options.url = "rediss://127.0.0.1:" + port;
    EXPECT_THAT(refusal(options), HasSubstr("must name that host"));
    options.url = "rediss://localhost:" + std::to_string(server.port());
    EXPECT_THAT(refusal(options), HasSubstr("port for TLS"));
    EXPECT_THAT(refusal({.url = "redis://localhost:" + port}), HasSubstr("rediss://"));
    options.tls_ca_file = folder.path() + "/none";
    const auto made = make_broker(options, [](std::span<cluster::from_broker>) {});
    ASSERT_FALSE(made);
    EXPECT_THAT(made.error(), HasSubstr("/none cannot be read"));
}

}  // namespace
}  // namespace pulsewire::shell::redis
