#include "server/http/origin.hpp"

#include <gtest/gtest.h>

namespace pulsewire::shell {
namespace {

std::unique_ptr<request> request_with(const std::string& host, const std::string& origin) {
    auto r = std::make_unique<request>();
    r->fields = {{"Host", host}, {"Origin", origin}};
    return r;
}

bool allowed(
    const std::string& host, const std::string& origin, const std::vector<std::string>& listed = {}
) {
    return check_origin(*request_with(host, origin), listed).allowed;
}

TEST(origin, a_request_without_one_is_allowed) {
    request r;
    r.fields = {{"Host", "example.com"}};
    EXPECT_TRUE(check_origin(r, {}).allowed);
}

TEST(origin, own_pages_are_allowed) {
    EXPECT_TRUE(allowed("example.com", "https://example.com"));
    EXPECT_TRUE(allowed("EXAMPLE.com", "https://Example.COM"));
    EXPECT_TRUE(allowed("localhost:8080", "http://localhost:8080"));
    EXPECT_TRUE(allowed("example.com:443", "https://example.com"));
    EXPECT_TRUE(allowed("example.com", "http://example.com:80"));
    EXPECT_TRUE(allowed("[::1]:8080", "http://[::1]:8080"));
}

TEST(origin, a_page_of_plain_http_is_not_our_own_where_we_speak_tls) {
    const auto over_tls = [](const std::string& host, const std::string& origin) {
        return check_origin(*request_with(host, origin), {}, reached::over_tls).allowed;
    };
    EXPECT_TRUE(over_tls("example.com", "https://example.com"));
    EXPECT_TRUE(over_tls("example.com:8443", "https://example.com:8443"));
    EXPECT_FALSE(over_tls("example.com", "http://example.com"))
        << "whoever sits in the network can make such a page";
    EXPECT_FALSE(over_tls("example.com:8443", "http://example.com:8443"));
}

// Cross-site WebSocket hijacking lives from checks that these would pass.
TEST(origin, look_alikes_are_refused) {
    const char* others[] = {
        "https://example.com.evil.test",
        "https://evil-example.com",
        "https://evil.test/example.com",
        "https://example.com@evil.test",
        "https://example.com:8443",
        "https://sub.example.com",
        "https://example.comm",
        "https://example.co",
        "null",
        "",
        "example.com",
        "//example.com",
        "ftp://example.com",
        "file://",
        "https://",
        "https://example.com/",
        "https://example.com#",
        "http://localhost",
        "https:example.com",
        "chrome-extension://example.com",
        "https://example.com:",
        "https://example.com, https://evil.test",
    };
    for (const char* origin : others) EXPECT_FALSE(allowed("example.com", origin)) << origin;
    EXPECT_FALSE(allowed("", "https://"));
    EXPECT_FALSE(allowed("localhost:8080", "http://localhost:3000"));
    EXPECT_FALSE(allowed("example.com:80", "https://example.com"));
}

TEST(origin, neighbours_are_pages_of_this_machine_alone) {
    const auto taken = [](const std::string& host, const std::string& origin) {
        return check_origin(*request_with(host, origin), {}, reached::somehow, neighbours::allowed);
    };
    EXPECT_EQ(taken("localhost:8080", "http://localhost:5173").cross_origin, "http://localhost:5173");
    EXPECT_TRUE(taken("127.0.0.1:8080", "http://localhost:3000").allowed);
    EXPECT_TRUE(taken("localhost:8080", "https://127.0.0.1:5173").allowed);
    EXPECT_TRUE(taken("[::1]:8080", "http://[::1]").allowed);
    for (const char* other :
         {"http://app.localhost:5173", "http://localhost.example:5173", "http://127.0.0.1.nip.io",
          "http://localhost:5173.example", "http://localhost@evil.test", "https://shop.example", "null",
          "ftp://localhost", "http://0.0.0.0:5173", "http://192.168.0.2:5173",
          "chrome-extension://localhost"})
        EXPECT_FALSE(taken("localhost:8080", other).allowed) << other;
    EXPECT_FALSE(taken("rt.example.com", "http://localhost:5173").allowed)
        << "behind a proxy localhost is the visitor's machine";
    EXPECT_FALSE(taken("192.168.0.2:8080", "http://localhost:5173").allowed);
}

TEST(origin, a_proxy_that_drops_the_port_is_recognised) {
    const auto lacking = [](const std::string& host, const std::string& origin) {
        return lacks_port(*request_with(host, origin));
    };
    EXPECT_TRUE(lacking("localhost", "https://localhost:8443"));
    EXPECT_TRUE(lacking("RT.example.com", "https://rt.example.com:8443"));
    EXPECT_TRUE(lacking("[::1]", "http://[::1]:8443"));
    EXPECT_FALSE(lacking("rt.example.com", "https://shop.example:8443"));
    EXPECT_FALSE(lacking("rt.example.com:8080", "https://rt.example.com:8443")) << "another port";
    EXPECT_FALSE(lacking("rt.example.com", "https://rt.example.com"));
    EXPECT_FALSE(lacking("rt.example.com", "null"));
    EXPECT_FALSE(lacking("", "https://:8443"));
    EXPECT_NE(
        origin_refused(*request_with("localhost", "https://localhost:8443")).body.find("$http_host"),
        std::string::npos
    );
}

TEST(origin, two_of_them_are_refused) {
    request r;
    r.fields = {{"Host", "a"}, {"Origin", "http://a"}, {"Origin", "http://a"}};
    EXPECT_FALSE(check_origin(r, {"*"}).allowed);
}

TEST(origin, listed_pages_are_allowed_and_named) {
    const auto verdict =
        check_origin(*request_with("rt.example.com", "https://app.example.com"), {"https://app.example.com"});
    EXPECT_TRUE(verdict.allowed);
    EXPECT_EQ(verdict.cross_origin, "https://app.example.com");
    EXPECT_FALSE(allowed("rt.example.com", "http://app.example.com", {"https://app.example.com"}));
    EXPECT_FALSE(allowed("rt.example.com", "https://app.example.com:444", {"https://app.example.com"}));
    EXPECT_TRUE(allowed("rt.example.com", "https://anything.test", {"*"}));
    EXPECT_EQ(check_origin(*request_with("a", "http://a"), {"*"}).cross_origin, "")
        << "own pages need no field";
}

TEST(origin, default_ports_go_without_saying_in_the_list) {
    EXPECT_TRUE(allowed("rt.example.com", "https://app.example.com", {"https://app.example.com:443"}));
    EXPECT_TRUE(allowed("rt.example.com", "http://app.example.com", {"http://app.example.com:80"}));
    EXPECT_FALSE(allowed("rt.example.com", "http://app.example.com", {"http://app.example.com:443"}));
    EXPECT_FALSE(allowed("rt.example.com", "https://app.example.com:80", {"https://app.example.com"}));
}

TEST(origin, a_star_stands_for_the_subdomains_of_one_scheme_and_port) {
    const auto listed = [](const std::string& origin) {
        return allowed("rt.example.org", origin, {"https://*.example.com"});
    };
    EXPECT_TRUE(listed("https://app.example.com"));
    EXPECT_TRUE(listed("https://a.b.Example.com"));
    for (const char* other :
         {"https://example.com", "http://app.example.com", "https://app.example.com:8443",
          "https://evilexample.com", "https://app.example.com.evil.test", "https://.example.com", "null",
          "https://evil.test/.example.com", "https://evil.test#.example.com",
          "https://evil.test?.example.com", "https://evil.test:1.example.com", "https://x@app.example.com"})
        EXPECT_FALSE(listed(other)) << other;
    EXPECT_TRUE(allowed("a", "http://x.test:5173", {"http://*.test:5173"}));
}

TEST(origin, an_image_of_another_site_sends_no_origin_and_is_refused) {
    const auto taken = [](const std::string& site, const std::vector<std::string>& list = {}) {
        request r;
        r.fields = {{"Host", "example.com"}, {"Sec-Fetch-Site", site}};
        return check_origin(r, list).allowed;
    };
    EXPECT_TRUE(taken("same-origin"));
    EXPECT_TRUE(taken("none"));
    for (const char* site : {"cross-site", "same-site", "", "same-origin, cross-site", "anything"})
        EXPECT_FALSE(taken(site)) << site;
    EXPECT_FALSE(taken("cross-site", {"https://app.example.com"}));
    EXPECT_TRUE(taken("cross-site", {"*"}));
    request r;
    r.fields = {{"Host", "a"}, {"Sec-Fetch-Site", "none"}, {"Sec-Fetch-Site", "cross-site"}};
    EXPECT_FALSE(check_origin(r, {}).allowed);
}

TEST(origin, a_listed_page_may_be_of_another_site) {
    request r;
    r.fields = {{"Host", "a"}, {"Origin", "https://app.example.com"}, {"Sec-Fetch-Site", "cross-site"}};
    EXPECT_TRUE(check_origin(r, {"https://app.example.com"}).allowed);
}

}  // namespace
}  // namespace pulsewire::shell
