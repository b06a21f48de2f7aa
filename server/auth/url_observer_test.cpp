// Questions to a program at an authorize_url, by real HTTP on this machine (protocol 4.25, 11.10).

#include "server/testing/http_stand_in.hpp"
#include "server/testing/running_server.hpp"

#include <gtest/gtest.h>

#include <future>
#include <stdexcept>
#include <string>

namespace pulsewire {
namespace {

using namespace testing;

config asking_at(const std::string& url) {
    config c = test_config();
    auto& chat = c.namespaces["chat"];
    chat.authorize_url = url;
    chat.authorize = operations(operation::subscribe) | operation::publish;
    return c;
}

std::string subscribed_or_refused(websocket_client& c, int id, const std::string& channel) {
    c.send_text(R"({"op":"subscribe","id":)" + std::to_string(id) + R"(,"channel":")" + channel + R"("})");
    return c.line_with("\"id\":" + std::to_string(id));
}

TEST(authorize_url, is_asked_in_its_namespace_and_its_word_counts) {
    const http_stand_in backend([](const std::string& request) {
        return http_stand_in::ok(
            request.find(R"("channel":"chat:open")") != request.npos
                ? R"({"allow":true})"
                : R"({"allow":false,"reason":"members only"})"
        );
    });
    running_server server(asking_at(backend.url("/may?by=test")));
    auto ada = connected(server.port(), "ada-session");
    EXPECT_NE(subscribed_or_refused(ada, 2, "chat:open").find("\"subscribed\""), std::string::npos);
    const std::string refused = subscribed_or_refused(ada, 3, "chat:closed");
    EXPECT_NE(refused.find("forbidden"), std::string::npos) << refused;
    EXPECT_NE(refused.find("members only"), std::string::npos) << refused;
    EXPECT_NE(subscribed_or_refused(ada, 4, "news:open").find("\"subscribed\""), std::string::npos);
    const auto requests = backend.requests();
    ASSERT_EQ(requests.size(), 2u);
    EXPECT_TRUE(requests[0].starts_with("POST /may?by=test HTTP/1.1\r\n")) << requests[0];
    EXPECT_NE(
        requests[0].find(R"({"operations":["subscribe"],"channel":"chat:open","session":")"),
        std::string::npos
    );
}

TEST(authorize_url, is_not_asked_again_while_its_word_may_be_kept) {
    const http_stand_in backend([](const std::string&) {
        return http_stand_in::ok(R"({"allow":true,"cache_s":60})");
    });
    running_server server(asking_at(backend.url("/")));
    auto ada = connected(server.port(), "ada-session");
    for (int id = 2; id < 6; ++id) {
        ada.send_text(
            R"({"op":"publish","id":)" + std::to_string(id) + R"(,"channel":"chat:1","type":"t","payload":1})"
        );
        ada.line_with("\"published\"");
    }
    EXPECT_EQ(backend.requests().size(), 1u);
    EXPECT_EQ(server.metric("pulsewire_authorize_total{word=\"allowed\"}"), 4);
    EXPECT_EQ(server.metric("pulsewire_authorize_remembered_total"), 3);
    EXPECT_EQ(server.metric("pulsewire_authorize_waiting"), 0);
}

TEST(authorize_url, that_does_not_answer_rightly_permits_nothing) {
    for (const std::string& answer :
         {http_stand_in::ok("yes"), http_stand_in::ok(R"({"allow":"true"})"),
          http_stand_in::ok(R"({"allow":true,"x":")" + std::string(5'000, 'x') + "\"}"),
          std::string("HTTP/1.1 302 Found\r\nLocation: /yes\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
          ),
          std::string("HTTP/1.1 500 Oh\r\nContent-Length: 14\r\nConnection: close\r\n\r\n{\"allow\":true}"),
          std::string()}) {
        const http_stand_in backend([&](const std::string&) { return answer; });
        running_server server(asking_at(backend.url("/")));
        auto ada = connected(server.port(), "ada-session");
        const std::string refused = subscribed_or_refused(ada, 2, "chat:1");
        EXPECT_NE(refused.find("overloaded"), std::string::npos) << answer << "\n" << refused;
        EXPECT_EQ(server.metric("pulsewire_authorize_total{word=\"none\"}"), 1);
    }
}

// A backend that hangs holds up nobody but who waits for it, and that for a second.
TEST(authorize_url, that_hangs_permits_nothing_and_holds_up_nobody_else) {
    std::promise<void> end;
    const auto ended = end.get_future().share();
    const http_stand_in backend([ended](const std::string&) {
        ended.wait();
        return std::string();
    });
    running_server server(asking_at(backend.url("/")));
    auto ada = connected(server.port(), "ada-session");
    ada.send_text(R"({"op":"subscribe","id":2,"channel":"chat:1"})");
    auto bob = connected(server.port(), "bob-session");
    EXPECT_NE(subscribed_or_refused(bob, 3, "news:1").find("\"subscribed\""), std::string::npos);
    EXPECT_NE(ada.line_with("\"error\"").find("overloaded"), std::string::npos);
    end.set_value();
}

TEST(authorize_url, is_checked_at_the_start) {
    config c = asking_at("file:///etc/passwd");
    EXPECT_THROW(running_server{c}, std::runtime_error);
}

}  // namespace
}  // namespace pulsewire
