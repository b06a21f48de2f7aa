#include "server/config/reload.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

namespace pulsewire::shell {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
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

TEST(reload, other_namespaces_and_issuers_need_a_restart) {
    config with_namespace, with_issuer, with_other_secret;
    with_namespace.namespaces["chat"].client_publish = false;
    with_issuer.issuers = {issuer_with(std::string(32, 's'))};
    with_other_secret.issuers = {issuer_with(std::string(32, 't'))};
    EXPECT_THAT(
        reload(config(), config(), with_namespace).need_restart, ElementsAre(HasSubstr("namespaces"))
    );
    EXPECT_THAT(
        reload(with_issuer, with_issuer, with_other_secret).need_restart, ElementsAre(HasSubstr("issuers"))
    );
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
