#include "server/http/resource_metadata.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <string>

namespace pulsewire::shell {
namespace {

config settings() {
    config c;
    for (const char* name : {"https://login.example.com/", "backend", "https://other.example.com"})
        c.issuers.emplace_back().issuer = name;
    return c;
}

struct answers {
    std::string address;
    nlohmann::json metadata;
};

answers of(const std::string& host, const config& c, reached how = reached::somehow) {
    const std::string head =
        host.empty() ? "GET / HTTP/1.0\r\n\r\n" : "GET / HTTP/1.1\r\nHost: " + host + "\r\n\r\n";
    const auto r = read_request_head(head, shell_limits{});
    const response answer = resource_metadata(**r, c, how);
    return {
        metadata_address(**r, c, how), answer.status == 200 ? nlohmann::json::parse(answer.body) : nullptr};
}

TEST(resource_metadata, names_the_server_and_who_signs_its_tokens) {
    const answers a = of("rt.example.com", settings());
    EXPECT_EQ(a.metadata["resource"], "https://rt.example.com");
    EXPECT_EQ(
        a.metadata["authorization_servers"],
        nlohmann::json::parse(R"(["https://login.example.com/", "https://other.example.com"])")
    ) << "nobody can ask a backend that has no address";
    EXPECT_EQ(a.metadata["bearer_methods_supported"], nlohmann::json::parse(R"(["header"])"));
    EXPECT_EQ(a.address, "https://rt.example.com/.well-known/oauth-protected-resource");
}

TEST(resource_metadata, is_before_the_base_path) {
    config c = settings();
    c.base_path = "/realtime";
    c.token_in_query = true;
    c.issuers = {};
    const answers a = of("rt.example.com:8443", c);
    EXPECT_EQ(a.metadata["resource"], "https://rt.example.com:8443/realtime");
    EXPECT_EQ(a.metadata["bearer_methods_supported"].size(), 2u);
    EXPECT_FALSE(a.metadata.contains("authorization_servers"));
    EXPECT_EQ(a.address, "https://rt.example.com:8443/.well-known/oauth-protected-resource/realtime");
    EXPECT_TRUE(is_metadata_path("/.well-known/oauth-protected-resource/realtime", c));
    EXPECT_TRUE(is_metadata_path("/.well-known/oauth-protected-resource", c));
    EXPECT_FALSE(is_metadata_path("/.well-known/oauth-protected-resource/other", c));
    EXPECT_FALSE(is_metadata_path("/.well-known/oauth-protected-resources", c));
}

TEST(resource_metadata, is_of_plain_http_on_this_machine_alone) {
    EXPECT_EQ(of("localhost:8080", settings()).metadata["resource"], "http://localhost:8080");
    EXPECT_EQ(
        of("localhost:8080", settings(), reached::over_tls).metadata["resource"], "https://localhost:8080"
    );
}

TEST(resource_metadata, is_not_there_for_who_gives_the_server_no_name) {
    const answers a = of({}, settings());
    EXPECT_EQ(a.address, "");
    EXPECT_EQ(a.metadata, nullptr);
}

}  // namespace
}  // namespace pulsewire::shell
