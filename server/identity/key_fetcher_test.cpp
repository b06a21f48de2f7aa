// Keys by real HTTP on this machine.

#include "server/identity/https_get.hpp"
#include "server/identity/key_set.hpp"
#include "server/identity/test_tokens.hpp"
#include "server/testing/http_stand_in.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <future>
#include <thread>
#include <vector>

namespace pulsewire::identity {
namespace {

using nlohmann::json;

// Answers each request with the same text.
class issuer_server : public testing::http_stand_in {
public:
    explicit issuer_server(const std::string& answer)
        : http_stand_in([answer](const std::string&) { return answer; }) {}
    std::string url() const { return http_stand_in::url("/keys"); }
};

std::string ok(const std::string& body) {
    return testing::http_stand_in::ok(body);
}

// A verifier that has asked that address once.
struct asked_verifier {
    explicit asked_verifier(const std::string& url)
        : verifier({[&] {
              token_issuer one = test_issuer();
              one.jwks_url = url;
              return one;
          }()}) {
        std::promise<void> asked;
        auto waits = asked.get_future();
        verifier.start([&, promise = std::make_shared<std::promise<void>>(std::move(asked)),
                        first = true]() mutable {
            if (std::exchange(first, false)) promise->set_value();
        });
        waits.wait();
    }
    token_verifier verifier;
};

TEST(key_fetcher, brings_the_keys_of_the_configured_address) {
    const signing_key pair = new_ec("P-256");
    const issuer_server server(ok(json{{"keys", {public_jwk(pair, "k1")}}}.dump()));
    const asked_verifier one(server.url());
    EXPECT_EQ(
        told(one.verifier.verify(*pair.token(test_claims(), {{"kid", "k1"}}), test_now_ms)), "user anna"
    );
    ASSERT_EQ(server.requests().size(), 1u);
    EXPECT_TRUE(server.requests()[0].starts_with("GET /keys HTTP/1.1\r\n"));
}

TEST(key_fetcher, waits_for_keys_that_are_still_to_come) {
    token_issuer issuer = test_issuer();
    issuer.jwks_url = "http://127.0.0.1:1/keys";
    const token_verifier not_started({issuer});
    const signing_key pair = new_ec("P-256");
    EXPECT_EQ(told(not_started.verify(*pair.token(test_claims()), test_now_ms)), "key");
}

// CVE-2026-32301 and its kind: nothing that a token says becomes an address or makes requests without end.
TEST(key_fetcher, is_not_led_by_tokens) {
    const signing_key pair = new_ec("P-256"), stranger = new_ec("P-256");
    const issuer_server server(ok(json{{"keys", {public_jwk(pair, "k1")}}}.dump()));
    const issuer_server trap(ok(json{{"keys", {public_jwk(stranger, "k2")}}}.dump()));
    const asked_verifier one(server.url());
    for (int i = 0; i < 20; ++i) {
        const json header = {{"kid", "../k" + std::to_string(i)}, {"jku", trap.url()}, {"x5u", trap.url()}};
        EXPECT_EQ(told(one.verifier.verify(*stranger.token(test_claims(), header), test_now_ms)), "key");
        EXPECT_EQ(
            told(one.verifier.verify(*stranger.token(test_claims({{"iss", trap.url()}}), header), test_now_ms)
            ),
            "issuer"
        );
    }
    EXPECT_EQ(server.requests().size(), 1u);
    EXPECT_TRUE(trap.requests().empty());
}

TEST(key_fetcher, leaves_tokens_for_later_when_no_key_could_be_had) {
    const signing_key pair = new_ec("P-256");
    const std::string token = *pair.token(test_claims(), {{"kid", "k1"}});
    const std::string keys = json{{"keys", {public_jwk(pair, "k1")}}}.dump();
    const json secret = {{"kty", "oct"}, {"k", to_base64url(std::string(32, 's'))}, {"kid", "k1"}};
    const issuer_server good(ok(keys));
    const std::string answers[] = {
        "HTTP/1.1 500 Down\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        "HTTP/1.1 302 Found\r\nLocation: " + good.url() +
            "\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        ok("<html>"),
        ok(keys + std::string(key_text_bytes_max, ' ')),
        ok(json{{"keys", {secret}}}.dump()),
        ok(json{{"keys", json::array()}}.dump()),
        "HTTP/1.1 200 OK\r\nContent-Length: 9999\r\nConnection: close\r\n\r\n" + keys,
    };
    for (const std::string& answer : answers) {
        const issuer_server server(answer);
        const asked_verifier one(server.url());
        EXPECT_EQ(told(one.verifier.verify(token, test_now_ms)), "unavailable") << answer.substr(0, 60);
    }
    EXPECT_TRUE(good.requests().empty()) << "a redirect was followed";
}

TEST(key_fetcher, ends_while_the_issuer_says_nothing) {
    // A port that takes connections and answers nothing.
    const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    ASSERT_EQ(::bind(listener, reinterpret_cast<sockaddr*>(&address), size), 0);
    ASSERT_EQ(::listen(listener, 8), 0);
    ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
    token_issuer issuer = test_issuer();
    issuer.jwks_url = "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port)) + "/";
    bool asked = false;
    std::function<void()> verifiers_end;
    {
        token_verifier verifier({issuer});
        verifier.start([&] { asked = true; });
        const int client = ::accept(listener, nullptr, nullptr);
        EXPECT_EQ(told(verifier.verify(*new_ec("P-256").token(test_claims()), test_now_ms)), "unknown key");
        verifiers_end = [client] { ::close(client); };
    }
    EXPECT_FALSE(asked) << "it waited for its time-out";
    verifiers_end();
    ::close(listener);
}

TEST(key_address, is_https_or_on_this_machine) {
    for (const char* good :
         {"https://login.example.com/keys", "https://login.example.com:8443/a?b=c", "http://127.0.0.1:1/",
          "http://localhost/keys", "http://[::1]:80/"})
        EXPECT_EQ(fault_of_key_address(good), "") << good;
    for (const char* wrong :
         {"", "login.example.com/keys", "http://login.example.com/keys", "ftp://127.0.0.1/",
          "file:///etc/keys", "https://", "https://user:pass@login.example.com/",
          "http://127.0.0.1.evil.example/", "http://localhost.evil.example/",
          "http://login.example.com#@127.0.0.1/"})
        EXPECT_NE(fault_of_key_address(wrong), "") << wrong;
}

}  // namespace
}  // namespace pulsewire::identity
