#include "server/config/reload.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

namespace pulsewire::shell {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

token_issuer issuer_with(const std::string& secret) {
    token_issuer one;
    one.issuer = "https://login.example";
    one.audience = "rt.example";
    one.secret = secret;
    return one;
}

TEST(reload, nothing_changes_where_nothing_changed) {
    config running;
    running.allowed_origins = {"https://of-the-program.example"};
    const auto outcome = reload(running, config(), config());
    EXPECT_THAT(outcome.changed, IsEmpty());
    EXPECT_THAT(outcome.need_restart, IsEmpty());
    EXPECT_EQ(outcome.settings.allowed_origins, running.allowed_origins);
}

TEST(reload, what_can_change_does_and_what_cannot_is_named) {
    config now;
    now.allowed_origins = {"https://app.example"};
    now.log_level = "debug";
    now.port = 9'000;
    now.shell.queue_bytes_max = 5;
    now.shell.connections_max = 7;
    const auto outcome = reload(config(), config(), now);
    EXPECT_THAT(outcome.changed, UnorderedElementsAre("allowed_origins", "log_level", "connections_max"));
    EXPECT_EQ(outcome.settings.shell.connections_max, 7u);
    EXPECT_THAT(outcome.need_restart, ElementsAre("port", "queue_bytes_max"));
    EXPECT_EQ(outcome.settings.allowed_origins, now.allowed_origins);
    EXPECT_EQ(outcome.settings.log_level, "debug");
    EXPECT_EQ(outcome.settings.port, config().port);
    EXPECT_EQ(outcome.settings.shell.queue_bytes_max, config().shell.queue_bytes_max);
}

TEST(reload, other_namespaces_issuers_and_feeds_need_a_restart_and_are_named) {
    const auto named = [](const config& read, const config& now) {
        return reload(read, read, now).need_restart;
    };
    config read;
    read.issuers = {issuer_with(std::string(32, 's'))};
    read.namespaces["chat"].history_count_max = 7;
    read.namespaces["news"].client_publish = false;
    EXPECT_THAT(named(read, read), IsEmpty());

    config with_other_secret = read;
    with_other_secret.issuers = {issuer_with(std::string(32, 't'))};
    EXPECT_THAT(named(read, with_other_secret), ElementsAre("issuers"));

    config with_feed = read;
    with_feed.consume.emplace_back().broker = "redis://:one@10.0.0.5";
    config with_other_password = with_feed;
    with_other_password.consume[0].broker = "redis://:two@10.0.0.5";
    EXPECT_THAT(named(read, with_feed), ElementsAre("consume"));
    EXPECT_THAT(named(with_feed, with_other_password), ElementsAre("consume"));

    config with_forward = read;
    with_forward.forward.emplace_back().broker = "redis://:one@10.0.0.5";
    config to_other_password = with_forward;
    to_other_password.forward[0].broker = "redis://:two@10.0.0.5";
    EXPECT_THAT(named(read, with_forward), ElementsAre("forward"));
    EXPECT_THAT(named(with_forward, to_other_password), ElementsAre("forward"));

    config other = read;
    other.default_namespace.keeps = durability::disk;
    other.namespaces["chat"].state_bytes_max = 1'000;
    other.namespaces["game"].keeps = durability::memory;
    EXPECT_THAT(named(read, other), ElementsAre("default_namespace", "namespaces/chat", "namespaces/game"));
    const reload_outcome stays = reload(read, read, other);
    EXPECT_EQ(stays.settings.namespaces.size(), 2u) << "the old ones hold";
    EXPECT_FALSE(stays.namespaces_changed);
}

TEST(reload, what_namespaces_let_clients_do_and_how_long_they_keep_what_changes_at_once) {
    config read;
    read.namespaces["chat"].history_count_max = 7;
    read.namespaces["news"].client_publish = false;
    config other = read;
    other.default_namespace.history_age_ms = 5;
    other.namespaces["chat"].allow.anonymous = operation::subscribe;
    other.namespaces["chat"].allow_is_set = true;
    other.namespaces.erase("news");
    other.namespaces["game"].presence = false;
    const reload_outcome outcome = reload(read, read, other);
    EXPECT_THAT(
        outcome.changed,
        ElementsAre("default_namespace", "namespaces/chat", "namespaces/game", "namespaces/news")
    );
    EXPECT_THAT(outcome.need_restart, IsEmpty());
    EXPECT_TRUE(outcome.namespaces_changed);
    const auto& now = outcome.settings.namespaces;
    ASSERT_EQ(now.size(), 2u);
    EXPECT_EQ(outcome.settings.default_namespace.history_age_ms, 5u);
    EXPECT_EQ(now.at("chat").history_count_max, 7u);
    EXPECT_EQ(now.at("chat").allow.anonymous, operations(operation::subscribe));
    EXPECT_FALSE(now.at("game").presence);
}

TEST(reload, the_history_of_channels_that_servers_share_stays_and_what_clients_may_do_there_does_not) {
    config read;
    read.broker = "redis://127.0.0.1";
    read.namespaces["chat"].history_count_max = 7;
    read.namespaces["own"].keeps = durability::memory;
    config other = read;
    other.namespaces["chat"].history_count_max = 8;
    other.namespaces["own"].history_count_max = 8;
    const reload_outcome outcome = reload(read, read, other);
    EXPECT_THAT(outcome.need_restart, ElementsAre("namespaces/chat"));
    EXPECT_THAT(outcome.changed, ElementsAre("namespaces/own"));
    other = read;
    other.namespaces["chat"].client_publish = false;
    EXPECT_THAT(reload(read, read, other).changed, ElementsAre("namespaces/chat"));
}

TEST(reload, keys_of_the_file_come_and_go_and_those_of_the_program_stay) {
    config read, running, now;
    read.api_keys = {{.name = "old", .key = "old-key", .allow = {}}};
    running.api_keys = {read.api_keys[0], {.name = "own", .key = "own-key", .allow = {}}};
    now.api_keys = {{.name = "new", .key = "new-key", .allow = {}}};
    const auto outcome = reload(running, read, now);
    ASSERT_EQ(outcome.settings.api_keys.size(), 2u);
    EXPECT_EQ(outcome.settings.api_keys[0].name, "new");
    EXPECT_EQ(outcome.settings.api_keys[1].name, "own");
}

TEST(reload, a_fault_is_told_and_changes_nothing) {
    config now;
    now.log_level = "debug";
    now.allowed_origins = {"https://app.example/with/a/path"};
    EXPECT_THROW(reload(config(), config(), now), std::runtime_error);
    config open;
    open.address = "0.0.0.0";
    open.api_key = "a-key-of-enough-characters";
    open.insecure_open_clients = true;
    config without_key = open;
    without_key.api_key.clear();
    EXPECT_THROW(reload(open, open, without_key), std::runtime_error);
}

}  // namespace
}  // namespace pulsewire::shell
