#include "server/config/token_settings.hpp"

#include "server/config/command_line.hpp"
#include "server/config/config_file.hpp"
#include "server/config/settings.hpp"
#include "server/identity/revocations.hpp"
#include "server/testing/temporary_folder.hpp"
#include "server/testing/token.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <stdexcept>

namespace pulsewire::shell {
namespace {

constexpr const char* secret = "0123456789abcdef0123456789abcdef";

using variables = std::map<std::string, std::string>;

command_line run(std::vector<const char*> flags, const variables& env = {}) {
    flags.insert(flags.begin(), "pulsewired");
    const auto look_up = [&](const std::string& name) -> std::optional<std::string> {
        const auto found = env.find(name);
        return found == env.end() ? std::nullopt : std::optional(found->second);
    };
    return read_command_line(static_cast<int>(flags.size()), flags.data(), look_up, {});
}

variables issuer_in_environment() {
    return {
        {"PULSEWIRE_TOKEN_ISSUER", "backend"},
        {"PULSEWIRE_TOKEN_AUDIENCE", "rt"},
        {"PULSEWIRE_TOKEN_SECRET", secret}};
}

config of_file(std::string_view text) {
    config c;
    apply_config(text, c);
    return c;
}

std::string fault_of_file(std::string_view text) {
    try {
        return fault_of_issuers(of_file(text));
    } catch (const std::runtime_error& e) {
        return e.what();
    }
}

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

TEST(token_settings, are_flags_variables_and_keys_of_the_file) {
    const auto by_flags = run(
        {"--token-issuer", "backend", "--token-audience", "rt", "--token-secret", secret,
         "--token-user-claim", "email"}
    );
    ASSERT_FALSE(by_flags.exit_code) << by_flags.text;
    const token_issuer one = by_flags.settings.all_issuers().at(0);
    EXPECT_EQ(
        one.issuer + " " + one.audience + " " + one.secret + " " + one.user_claim,
        std::string("backend rt ") + secret + " email"
    );
    const auto by_variables = run({}, issuer_in_environment());
    ASSERT_FALSE(by_variables.exit_code) << by_variables.text;
    EXPECT_EQ(by_variables.settings.all_issuers().at(0).user_claim, "sub");
    const config c = of_file(
        R"({"token_issuer": "a", "issuers": [{"issuer": "b", "audience": "rt", "jwks_url": "https://b.example/keys"}], "anonymous": true})"
    );
    ASSERT_EQ(c.all_issuers().size(), 2u);
    EXPECT_EQ(c.all_issuers()[1].jwks_url, "https://b.example/keys");
    EXPECT_TRUE(c.anonymous);
    EXPECT_TRUE(config().all_issuers().empty());
}

TEST(token_settings, that_are_incomplete_end_the_start_with_what_to_do) {
    EXPECT_TRUE(has(fault_of_file(R"({"token_audience": "rt"})"), "token_issuer is missing"));
    EXPECT_TRUE(
        has(fault_of_file(R"({"token_issuer": "a", "token_secret": "0123456789abcdef0123456789abcdef"})"),
            "token_audience is missing")
    );
    EXPECT_TRUE(has(fault_of_file(R"({"token_issuer": "a", "token_audience": "rt"})"), "openssl rand"));
    EXPECT_TRUE(has(
        fault_of_file(R"({"token_issuer": "a", "token_audience": "rt", "token_secret": "short"})"), "5 bytes"
    ));
    EXPECT_FALSE(
        has(fault_of_file(R"({"token_issuer": "a", "token_audience": "rt", "token_secret": "short"})"),
            "\"short\"")
    );
    EXPECT_TRUE(
        has(fault_of_file(
                R"({"token_issuer": "a", "token_audience": "rt", "token_jwks_url": "http://a.example/"})"
            ),
            "https")
    );
    EXPECT_TRUE(
        has(fault_of_file(R"({"token_issuer": "a", "token_audience": "rt", "token_key_file": "/none"})"),
            "/none cannot be read")
    );
    EXPECT_TRUE(has(fault_of_file(R"({"issuers": [{"isuer": "a"}]})"), "at /issuers/0/isuer"));
    EXPECT_TRUE(has(fault_of_file(R"({"issuers": [{"isuer": "a"}]})"), "did you mean \"issuer\""));
    EXPECT_TRUE(has(fault_of_file(R"({"issuers": {}})"), "at /issuers"));
    EXPECT_TRUE(
        has(fault_of_file(R"({"issuers": [{"issuer": "a", "audience": "rt", "jwks_url": "https://a.example/"},
                                      {"issuer": "a", "audience": "rt", "jwks_url": "https://b.example/"}]})"
            ),
            "twice")
    );
    EXPECT_TRUE(has(fault_of_file(R"({"issuers": [{"issuer": "a"}]})"), "issuers[0].audience"));
}

TEST(token_settings, of_a_namespace_permit_operations) {
    const config c = of_file(
        R"({"default_namespace": {"allow": {"users": ["subscribe"]}},
            "namespaces": {"chat": {"allow": {"anonymous": ["subscribe"], "owner": ["publish", "history"]}}, "news": {}}})"
    );
    const access_rules& chat = c.namespaces.at("chat").allow;
    EXPECT_TRUE(c.namespaces.at("chat").allow_is_set);
    EXPECT_EQ(chat.anonymous, operations(operation::subscribe));
    EXPECT_TRUE(chat.users.empty()) << "who is not named may do nothing";
    EXPECT_EQ(chat.owner, operation::publish | operations(operation::history));
    EXPECT_EQ(c.namespaces.at("news").allow, c.default_namespace.allow);
    EXPECT_TRUE(
        has(fault_of_file(R"({"default_namespace": {"allow": {"users": ["subscrib"]}}})"),
            "did you mean \"subscribe\"")
    );
    EXPECT_TRUE(
        has(fault_of_file(R"({"namespaces": {"a": {"allow": {"user": []}}}})"), "did you mean \"users\"")
    );
    EXPECT_TRUE(has(
        fault_of_file(R"({"namespaces": {"a": {"allow": {"users": "all"}}}})"), "at /namespaces/a/allow/users"
    ));
    EXPECT_TRUE(has(fault_of_file(R"({"namespaces": {"a": {"alow": {}}}})"), "did you mean \"allow\""));
}

TEST(token_settings, of_flags_are_one_more_issuer_of_the_server) {
    const testing::temporary_folder folder;
    const std::string path = folder.path() + "/config.json";
    std::ofstream(path
    ) << R"({"issuers": [{"issuer": "b", "audience": "rt", "jwks_url": "https://b.example/"}]})";
    const auto read = run({"--config", path.c_str()}, issuer_in_environment());
    ASSERT_EQ(read.settings.issuers.size(), 2u);
    EXPECT_EQ(read.settings.issuers[0].issuer, "backend");
    EXPECT_EQ(read.settings.all_issuers(), read.settings.issuers);
}

TEST(token_settings, with_an_issuer_a_public_address_is_not_open_to_every_client) {
    const std::vector<const char*> flags = {"--address", "0.0.0.0", "--api-key", "0123456789abcdef"};
    EXPECT_EQ(run(flags).exit_code, 2);
    EXPECT_FALSE(run(flags, issuer_in_environment()).exit_code);
}

TEST(token_settings, are_printed_without_secrets) {
    const testing::temporary_folder folder;
    const std::string path = folder.path() + "/config.json";
    std::ofstream(path
    ) << R"({"issuers": [{"issuer": "b", "audience": "rt", "secret": "fedcba9876543210fedcba9876543210"}],
                              "default_namespace": {"allow": {"users": ["subscribe"]}}})";
    const auto printed = run({"--config", path.c_str(), "--print-config"}, issuer_in_environment());
    ASSERT_EQ(printed.exit_code, 0) << printed.text;
    EXPECT_FALSE(has(printed.text, secret));
    EXPECT_FALSE(has(printed.text, "fedcba98"));
    EXPECT_TRUE(has(printed.text, "\"issuer\":\"b\""));
    EXPECT_TRUE(has(printed.text, "\"users\":[\"subscribe\"]"));
    // What is printed is a config file again.
    EXPECT_EQ(of_file(printed.text).issuers.at(0).issuer, "b");
}

TEST(token_command, makes_a_token_that_the_server_takes_and_explains) {
    const variables env = issuer_in_environment();
    const auto made =
        run({"token", "--user", "anna b", "--allow", "chat:**=subscribe, publish", "--allow", "a=b:*=history",
             "--subscribe", "user:{user}", "--info", "{\"name\":\"Anna\"}", "--expires", "30m"},
            env);
    ASSERT_EQ(made.exit_code, 0) << made.text;
    const std::string token = made.text.substr(0, made.text.size() - 1);
    const auto told = run({"--check-token", token.c_str()}, env);
    EXPECT_EQ(told.exit_code, 0) << told.text;
    for (const char* part :
         {"anna b", "anna=20b", "chat:**: subscribe, publish", "a=b:*: history", "user:anna=20b",
          "{\"name\":\"Anna\"}", "in 29 minutes"})
        EXPECT_TRUE(has(told.text, part)) << part << " is not in\n" << told.text;
    auto other = env;
    other["PULSEWIRE_TOKEN_SECRET"] = "ffffffffffffffffffffffffffffffff";
    const auto refused = run({"--check-token", token.c_str()}, other);
    EXPECT_EQ(refused.exit_code, 1);
    EXPECT_TRUE(has(refused.text, "refused (signature)")) << refused.text;
}

TEST(token_command, refuses_what_the_server_would_refuse) {
    const variables env = issuer_in_environment();
    const auto fault = [&](std::vector<const char*> flags) {
        flags.insert(flags.begin(), "token");
        const auto made = run(flags, env);
        EXPECT_EQ(made.exit_code, 2) << made.text;
        return made.text;
    };
    EXPECT_TRUE(has(fault({"--user", "a", "--allow", "chat:**=read"}), "\"read\""));
    EXPECT_TRUE(has(fault({"--user", "a", "--allow", "chat"}), "'='"));
    EXPECT_TRUE(has(fault({"--user", "a", "--expires", "1 year"}), "1h"));
    EXPECT_TRUE(has(fault({"--user", "a", "--info", "Anna"}), "--info"));
    EXPECT_TRUE(has(fault({"--user", "a", "--sign-with", "/none"}), "/none"));
    EXPECT_TRUE(has(fault({"--usr", "a"}), "did you mean --user"));
    EXPECT_EQ(run({"token", "--user", "a"}).exit_code, 2) << "no issuer";
}

TEST(token_command, takes_the_flags_of_the_server) {
    const std::vector<const char*> issuer = {"--token-issuer", "backend", "--token-audience", "rt",
                                             "--token-secret", secret};
    std::vector<const char*> make = {"token", "--user", "ann"}, check = {"--check-token"};
    make.insert(make.end(), issuer.begin(), issuer.end());
    auto environment = issuer_in_environment();
    environment["PULSEWIRE_TOKEN_AUDIENCE"] = "another";
    const auto made = run(make, environment);
    ASSERT_EQ(made.exit_code, 0) << made.text;
    const std::string token = made.text.substr(0, made.text.size() - 1);
    check.push_back(token.c_str());
    check.insert(check.end(), issuer.begin(), issuer.end());
    EXPECT_EQ(run(check).exit_code, 0) << run(check).text;
}

TEST(token_command, that_gets_no_token_starts_no_server) {
    const auto checked = run({"--check-token", ""}, issuer_in_environment());
    EXPECT_EQ(checked.exit_code, 2);
    EXPECT_TRUE(has(checked.text, "--check-token has no token")) << checked.text;
}

TEST(token_command, says_that_a_token_lives_too_long_or_was_revoked) {
    const testing::temporary_folder folder;
    auto env = issuer_in_environment();
    env["PULSEWIRE_DATA"] = folder.path();
    const auto made = run({"token", "--user", "ann", "--expires", "2h"}, env);
    ASSERT_EQ(made.exit_code, 0) << made.text;
    const std::string token = made.text.substr(0, made.text.size() - 1);
    EXPECT_EQ(run({"--check-token", token.c_str()}, env).exit_code, 0);
    hub::revoke what;
    what.user = "ann";
    const std::int64_t in_an_hour_ms = (testing::seconds_now() + 3'600) * 1'000;
    what.issued_before_ms = in_an_hour_ms;
    ASSERT_TRUE(identity::revocations(folder.path(), 3'600'000, in_an_hour_ms).add(what, in_an_hour_ms));
    const auto revoked = run({"--check-token", token.c_str()}, env);
    EXPECT_EQ(revoked.exit_code, 1);
    EXPECT_TRUE(has(revoked.text, "was revoked")) << revoked.text;
    env["PULSEWIRE_DATA"] = "";
    env["PULSEWIRE_TOKEN_LIFETIME_MAX_S"] = "3600";
    const auto long_lived = run({"--check-token", token.c_str()}, env);
    EXPECT_EQ(long_lived.exit_code, 1);
    EXPECT_TRUE(has(long_lived.text, "token_lifetime_max_s")) << long_lived.text;
    EXPECT_EQ(run({"token", "--user", "ann", "--expires", "2h"}, env).exit_code, 2);
}

}  // namespace
}  // namespace pulsewire::shell
