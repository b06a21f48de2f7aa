// The doors of a running server, and whom each lets in: host names, pages, keys and addresses.

#include "server/testing/recorded_log.hpp"
#include "server/testing/running_server.hpp"
#include "server/testing/temporary_folder.hpp"
#include "server/testing/text_of_file.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <string>
#include <vector>

namespace pulsewire {
namespace {

using namespace testing;

const std::string upgrade =
    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

struct door {
    std::string line, fields = {}, body = {};
};

// All of them but /healthz.
std::vector<door> doors() {
    return {
        {"GET /ws", upgrade + "Sec-WebSocket-Protocol: pulsewire.v1\r\n"},
        {"GET /ws/plain/a", upgrade},
        {"GET /sse"},
        {"POST /sse", "Pulsewire-Connection: x\r\n", "{}"},
        {"GET /events?channel=a"},
        {"GET /api/channels/a/messages"},
        {"POST /api/channels/a/messages", {}, "{\"payload\":1}"},
        {"GET /api/channels/a/presence"},
        {"GET /metrics"},
        {"GET /index.html"},
        {"OPTIONS /api/channels/a/messages"},
    };
}

http_answer knock(
    client& c, const door& d, const std::string& host = "localhost", const std::string& fields = {}
) {
    const std::string length =
        d.body.empty() ? "" : "Content-Length: " + std::to_string(d.body.size()) + "\r\n";
    c.send(d.line + " HTTP/1.1\r\nHost: " + host + "\r\n" + d.fields + fields + length + "\r\n" + d.body);
    return read_answer(c);
}

int status_of(
    running_server& server, const door& d, const std::string& host = "localhost",
    const std::string& fields = {}
) {
    client c(server.port());
    return knock(c, d, host, fields).status;
}

TEST(doors, a_page_whose_name_was_made_to_point_here_comes_through_none) {
    running_server server;
    const std::string rebound = "rebound.example:" + std::to_string(server.port());
    for (const door& d : doors()) {
        EXPECT_EQ(status_of(server, d, rebound), 421) << d.line;
        EXPECT_EQ(status_of(server, d, rebound, "Origin: http://" + rebound + "\r\n"), 421) << d.line;
        EXPECT_NE(status_of(server, d, "127.0.0.1:1"), 421) << d.line;
    }
    EXPECT_EQ(status_of(server, {"GET /healthz"}, rebound), 200) << "for load balancers";
    EXPECT_GE(server.metric("pulsewire_refused_total{reason=\"host\"}"), 22);
}

TEST(doors, a_listed_name_comes_through_all) {
    config c = test_config();
    c.allowed_hosts = {"rt.example.com"};
    running_server server(c);
    for (const door& d : doors()) EXPECT_NE(status_of(server, d, "rt.example.com"), 421) << d.line;
    EXPECT_EQ(status_of(server, {"GET /ws"}, "other.example.com"), 421);
}

TEST(doors, a_refused_name_is_in_the_log_with_its_setting) {
    recorded_log log;
    config c = test_config();
    c.log_level = "info";
    running_server server(c);
    EXPECT_EQ(status_of(server, {"GET /ws"}, "rebound.example"), 421);
    const std::string line = log.line_with("rebound.example");
    EXPECT_NE(line.find("127.0.0.1"), std::string::npos) << line;
    EXPECT_NE(line.find("allowed_hosts"), std::string::npos) << line;
}

TEST(doors, with_a_key_metrics_are_for_those_who_have_it) {
    config c = test_config();
    c.api_key = "the-key";
    running_server server(c);
    EXPECT_EQ(ask(server.port(), "GET", "/metrics").status, 401);
    EXPECT_EQ(ask(server.port(), "GET", "/metrics", {}, "Authorization: Bearer the-key\r\n").status, 200);
}

TEST(doors, without_a_key_metrics_are_not_for_those_who_come_through_a_proxy) {
    running_server server;
    EXPECT_EQ(ask(server.port(), "GET", "/metrics").status, 200);
    for (const std::string field :
         {"X-Forwarded-For: 203.0.113.9", "Forwarded: for=203.0.113.9", "Via: 1.1 nginx"})
        EXPECT_EQ(ask(server.port(), "GET", "/metrics", {}, field + "\r\n").status, 401) << field;
}

TEST(doors, keys_of_a_file_are_read_again_and_bad_ones_change_nothing) {
    const temporary_folder folder;
    const std::string path = folder.path() + "/keys";
    recorded_log log;
    config c = test_config();
    c.log_level = "info";
    c.api_key_file = path;
    std::ofstream(path) << "backend first-key\n";
    running_server server(c);
    const auto status_with = [&](const std::string& key) {
        return ask(server.port(), "GET", "/api/channels/a/presence", {},
                   "Authorization: Bearer " + key + "\r\n")
            .status;
    };
    EXPECT_EQ(status_with("first-key"), 200);
    EXPECT_EQ(status_with("second-key"), 401);
    std::ofstream(path) << "backend second-key\n";
    server->reload();
    ASSERT_NE(log.line_with("the API takes 1 key"), "");
    EXPECT_EQ(status_with("second-key"), 200);
    EXPECT_EQ(status_with("first-key"), 401);
    std::ofstream(path) << "";
    server->reload();
    ASSERT_NE(log.line_with("stay in use"), "");
    EXPECT_EQ(status_with("second-key"), 200);
}

// --- addresses ---

config limited() {
    config c = test_config(1);
    c.trusted_proxies = {"127.0.0.0/8"};
    c.shell.connections_per_address_max = 3;
    c.shell.requests_per_address_per_second = 1'000;
    return c;
}

const std::vector<door>& streams() {
    static const std::vector<door> all = {
        {"GET /ws", upgrade + "Sec-WebSocket-Protocol: pulsewire.v1\r\n"},
        {"GET /ws/plain/a", upgrade},
        {"GET /sse"},
        {"GET /events?channel=a"},
    };
    return all;
}

TEST(doors, an_address_behind_a_proxy_opens_so_many_streams_of_all_kinds_together) {
    running_server server(limited());
    const std::string hers = "X-Forwarded-For: 1.1.1.1, 203.0.113.9\r\n";
    std::vector<client> open;
    for (std::size_t i = 0; i < 3; ++i) {
        open.emplace_back(server.port());
        EXPECT_LT(knock(open.back(), streams()[i], "localhost", hers).status, 300);
    }
    int others = 0;
    for (const door& d : streams()) {
        client c(server.port());
        const auto a = knock(c, d, "localhost", hers);
        EXPECT_EQ(a.status, 429) << d.line;
        EXPECT_EQ(a.field("Retry-After"), "5");
        const std::string his = "X-Forwarded-For: 192.0.2." + std::to_string(++others) + "\r\n";
        EXPECT_LT(status_of(server, d, "localhost", his), 300) << d.line;
    }
    EXPECT_EQ(server.metric("pulsewire_refused_total{reason=\"connections\"}"), 4);
}

// A short request can ask for a megabyte, and each may come on a connection of its own.
TEST(doors, an_address_pays_for_what_its_requests_replay) {
    config settings = limited();
    settings.shell.connections_per_address_max = 0;
    settings.shell.requests_per_address_per_second = 20;
    running_server server(settings);
    client backend(server.port());
    const std::string message = R"({"type":"t","payload":")" + std::string(8'000, 'x') + "\"}";
    for (int i = 0; i < 20; ++i) {
        const std::string fields = "X-Forwarded-For: 198.51.100." + std::to_string(i) + "\r\n";
        ASSERT_LT(ask(backend, "POST", "/api/channels/a/messages", message, fields).status, 300);
    }
    int address = 0;
    for (const std::string target : {"/events?channel=a&latest=20", "/api/channels/a/messages?limit=20"}) {
        const std::string hers = "X-Forwarded-For: 203.0.113." + std::to_string(++address) + "\r\n";
        const std::string his = "X-Forwarded-For: 192.0.2." + std::to_string(address) + "\r\n";
        int answered = 0;
        for (int i = 0; i < 20 && answered == i; ++i) {
            client one(server.port());
            const auto a = knock(one, {"GET " + target}, "localhost", hers);
            if (a.status == 200) ++answered;
            // The stream has replayed when its last message is there.
            if (a.status == 200 && target.starts_with("/events"))
                for (int m = 0; m < 20; ++m) (void)one.read_until("\n\n");
        }
        EXPECT_LT(answered, 4) << target;
        EXPECT_EQ(status_of(server, {"GET " + target}, "localhost", his), 200) << target;
    }
}

// The address of the client counts, not the proxy's, and for both kinds of protocol connection.
TEST(doors, many_sessions_of_one_address_do_not_keep_another_off_the_list_of_members) {
    config settings = limited();
    settings.shell.connections_per_address_max = 0;
    settings.bounds.presence_members_max = 3;
    running_server server(settings);
    const auto member = [&](const std::string& from, const std::string& session) {
        websocket_client c(server.port(), "/ws", "pulsewire.v1", 0, "X-Forwarded-For: " + from + "\r\n");
        c.send_text(R"({"op":"connect","id":1,"version":1,"session":")" + session + "\"}");
        c.line_with("\"welcome\"");
        c.send_text(
            R"({"op":"subscribe","id":2,"channel":"a","presence":true,"payload":")" + session + "\"}"
        );
        c.line_with("\"subscribed\"");
        return c;
    };
    std::vector<websocket_client> crowd;
    for (int i = 0; i < 5; ++i) crowd.push_back(member("203.0.113.9", "session-crowd-" + std::to_string(i)));
    const auto listed = [&] { return ask(server.port(), "GET", "/api/channels/a/presence").body; };
    auto visitor = member("192.0.2.1", "session-visitor");
    EXPECT_NE(listed().find("session-visitor"), std::string::npos);
    crowd.push_back(member("203.0.113.9", "session-crowd-5"));
    EXPECT_NE(listed().find("session-visitor"), std::string::npos);
    EXPECT_EQ(listed().find("session-crowd-5"), std::string::npos);
}

TEST(doors, a_stream_that_ended_counts_no_more) {
    running_server server(limited());
    const std::string hers = "X-Forwarded-For: 203.0.113.9\r\n";
    for (int round = 0; round < 3; ++round) {
        {
            std::vector<client> open;
            for (int i = 0; i < 3; ++i) {
                open.emplace_back(server.port());
                EXPECT_EQ(knock(open.back(), {"GET /sse"}, "localhost", hers).status, 200);
            }
            // A stream that is refused for another reason holds no place.
            EXPECT_EQ(status_of(server, {"GET /events?channel=a"}, "localhost", hers), 429);
        }
        server.wait_for("pulsewire_connections{transport=\"sse\"}", 0);
    }
    for (int i = 0; i < 10; ++i)
        EXPECT_EQ(status_of(server, {"GET /events"}, "localhost", hers), 400) << "names no channel";
    EXPECT_EQ(status_of(server, {"GET /events?channel=a"}, "localhost", hers), 200);
}

TEST(doors, an_address_without_a_proxy_is_counted_before_it_says_anything) {
    config c = test_config(1);
    c.shell.connections_per_address_max = 3;
    running_server server(c);
    std::vector<client> open;
    for (int i = 0; i < 3; ++i) {
        open.emplace_back(server.port());
        EXPECT_EQ(ask(open.back(), "GET", "/healthz").status, 200);
    }
    client refused(server.port());
    const auto a = read_answer(refused);
    EXPECT_EQ(a.status, 429);
    EXPECT_EQ(a.field("Retry-After"), "5");
    EXPECT_EQ(refused.read_to_end(), "");
    EXPECT_EQ(ask(open.back(), "GET", "/healthz").status, 200);
}

TEST(doors, connections_are_opened_at_a_rate) {
    config c = limited();
    c.shell.connections_per_address_max = 0;
    c.shell.connects_per_address_per_second = 1;
    running_server server(c);
    const std::string hers = "X-Forwarded-For: 203.0.113.9\r\n";
    int taken = 0;
    while (taken < 1'000 && status_of(server, {"GET /events?channel=a"}, "localhost", hers) == 200) ++taken;
    EXPECT_GE(taken, 10);
    EXPECT_LT(taken, 100) << "as many at once as come in ten seconds, and few more meanwhile";
}

TEST(doors, requests_of_an_address_have_a_rate_through_every_door) {
    config c = limited();
    c.shell.requests_per_address_per_second = 1;
    running_server server(c);
    int address = 0;
    for (const door& d : doors()) {
        const std::string hers = "X-Forwarded-For: 203.0.113." + std::to_string(++address) + "\r\n";
        int refused = 0;
        for (int i = 0; i < 20 && refused == 0; ++i) {
            client one(server.port());
            const auto a = knock(one, d, "localhost", hers);
            if (a.status != 429) continue;
            ++refused;
            EXPECT_EQ(a.field("Retry-After"), "1") << d.line;
        }
        EXPECT_EQ(refused, 1) << d.line;
    }
}

TEST(doors, a_wrong_key_counts_as_a_hundred_requests) {
    config c = limited();
    c.api_key = "the-key";
    c.shell.requests_per_address_per_second = 100;
    running_server server(c);
    int tried = 0;
    const std::string guess = "X-Forwarded-For: 203.0.113.9\r\nAuthorization: Bearer guess\r\n";
    while (tried < 200 && ask(server.port(), "GET", "/api/channels/a/presence", {}, guess).status == 401)
        ++tried;
    EXPECT_LE(tried, 10);
}

TEST(doors, by_default_this_machine_leaves_an_eighth_of_the_connections_to_others) {
    config c = test_config(1);
    c.shell.connections_max = 400;
    running_server server(c);
    std::vector<client> open;
    for (int i = 0; i < 350; ++i) {
        open.emplace_back(server.port());
        ASSERT_EQ(knock(open.back(), {"GET /events?channel=a"}).status, 200) << i;
    }
    client refused(server.port());
    EXPECT_EQ(read_answer(refused).status, 429);
}

// --- the audit log ---

TEST(doors, refusals_and_calls_with_a_key_are_lines_of_the_audit_log) {
    const temporary_folder folder;
    const std::string path = folder.path() + "/audit";
    config c = test_config(1);
    c.api_key = "the-key";
    c.audit_log = path;
    {
        running_server server(c);
        EXPECT_EQ(status_of(server, {"GET /ws"}, "rebound.example"), 421);
        EXPECT_EQ(status_of(server, {"GET /ws"}, "localhost", "Origin: https://shop.example\r\n"), 403);
        EXPECT_EQ(
            status_of(
                server, {"GET /api/channels/a/presence"}, "localhost", "Authorization: Bearer guess\r\n"
            ),
            401
        );
        EXPECT_EQ(
            status_of(
                server, {"GET /api/channels/a/presence"}, "localhost", "Authorization: Bearer the-key\r\n"
            ),
            200
        );
        server->reload();
        server.stop();
    }
    const std::string lines = text_of_file(path);
    for (const char* part :
         {"\"event\":\"start\"",
          "\"reason\":\"host\",\"address\":\"127.0.0.1\",\"method\":\"GET\",\"path\":\"/"
          "ws\",\"named\":\"rebound.example\"",
          "\"reason\":\"origin\"", "https://shop.example", "\"reason\":\"key\"",
          "\"event\":\"api\",\"address\":\"127.0.0.1\",\"method\":\"GET\",\"path\":\"/api/channels/a/"
          "presence\",\"key\":\"api_key\"",
          "\"event\":\"reload\"", "\"event\":\"drain\""})
        EXPECT_NE(lines.find(part), std::string::npos) << part << " is not in\n" << lines;
    EXPECT_EQ(lines.find("guess"), std::string::npos);
    EXPECT_EQ(lines.find("the-key"), std::string::npos);
}

TEST(doors, one_address_cannot_fill_the_audit_log) {
    const temporary_folder folder;
    config c = test_config(1);
    c.audit_log = folder.path() + "/audit";
    running_server server(c);
    client hostile(server.port());
    for (int i = 0; i < 500; ++i)
        EXPECT_EQ(ask(hostile, "GET", "/ws", {}, "Origin: https://shop.example\r\n").status, 403);
    const std::string lines = text_of_file(c.audit_log);
    const auto count = std::count(lines.begin(), lines.end(), '\n');
    EXPECT_LT(count, 100) << "ten at once, ten a second";
}

}  // namespace
}  // namespace pulsewire
