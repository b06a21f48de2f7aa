// GET /events over real sockets (protocol 8.4). The text itself is proven in
// common/delivery/event_stream_writer_test.cpp.

#include "server/testing/running_server.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace pulsewire {
namespace {

using namespace testing;

// The events after the head, one by one.
class events_client {
public:
    events_client(std::uint16_t port, const std::string& query, const std::string& fields = {})
        : connection_(port) {
        connection_.send("GET /events" + query + " HTTP/1.1\r\nHost: localhost\r\n" + fields + "\r\n");
        head = read_answer(connection_);
    }
    http_answer head;
    std::string next() { return connection_.read_until("\n\n"); }
    client& connection() { return connection_; }

private:
    client connection_;
};

std::string id_of(const std::string& event) {
    const std::size_t at = event.find("id: ") + 4;
    return event.substr(at, event.find('\n', at) - at);
}

void publish(
    running_server& server, const std::string& channel, const std::string& payload,
    const std::string& type = "t"
) {
    const std::string body = "{\"type\":\"" + type + "\",\"payload\":" + payload + "}";
    ASSERT_EQ(ask(server.port(), "POST", "/api/channels/" + channel + "/messages", body).status, 200);
}

TEST(events, open_then_publications_with_a_cursor) {
    running_server server(test_config(4));
    events_client c(server.port(), "?channel=b&channel=a&channel=b");
    EXPECT_EQ(c.head.status, 200);
    EXPECT_EQ(c.head.field("Content-Type"), "text/event-stream");
    const std::string open = c.next();
    EXPECT_NE(open.find("event: pulsewire.open\n"), std::string::npos);
    EXPECT_TRUE(open.starts_with("retry: ")) << open;
    publish(server, "a", "1");
    const std::string first = c.next();
    EXPECT_TRUE(first.starts_with("event: t\nid: 1.")) << first;
    EXPECT_NE(first.find(R"("channel":"a","offset":1,)"), std::string::npos);
    publish(server, "b", "2", "message");
    EXPECT_TRUE(c.next().starts_with("id: 1.")) << "8.4.2: no event line for messages";
}

// The text for many streams of a channel is made once: each still has its own cursor, wherever it began.
TEST(events, many_streams_of_a_channel_see_the_same) {
    running_server server(test_config(1));
    publish(server, "a", "0");
    std::vector<std::unique_ptr<events_client>> alone;
    for (int i = 0; i < 12; ++i) {
        alone.push_back(
            std::make_unique<events_client>(server.port(), i % 2 == 0 ? "?channel=a" : "?channel=a&latest=1")
        );
        alone.back()->next();
        if (i % 2 != 0) alone.back()->next();
    }
    events_client both(server.port(), "?channel=a&channel=b");
    both.next();
    constexpr int count = 40;
    std::jthread publisher([&] {
        websocket_client ada = connected(server.port(), "ada-session");
        std::string lines;
        for (int i = 1; i <= count; ++i)
            lines += R"({"op":"publish","channel":"a","type":"t","payload":)" + std::to_string(i) + "}\n";
        ada.send_text(lines);
        ada.send_text(R"({"op":"ping"})");
        ada.line_with("pong");
    });
    for (int i = 1; i <= count; ++i) {
        std::string first;
        for (const auto& c : alone) {
            const std::string event = c->next();
            if (first.empty()) first = event;
            EXPECT_EQ(event, first);
        }
        EXPECT_TRUE(first.starts_with("event: t\nid: 1.")) << first;
        EXPECT_NE(first.find("\"offset\":" + std::to_string(i + 1) + ","), std::string::npos) << first;
        EXPECT_TRUE(id_of(first).ends_with("." + std::to_string(i + 1))) << first;
        const std::string event = both.next();
        EXPECT_NE(id_of(event), id_of(first));
        EXPECT_EQ(event.substr(event.find("data: ")), first.substr(first.find("data: ")));
    }
    publisher.join();
}

std::uint32_t retry_of(const std::string& event) {
    const std::size_t at = event.find("retry: ");
    return at == std::string::npos ? 0 : static_cast<std::uint32_t>(std::stoul(event.substr(at + 7)));
}

// EventSource knows nothing but `retry:`, and pages that come back in the same instant are a stampede.
TEST(events, streams_are_told_different_moments_to_come_back) {
    config c = test_config(2);
    c.shell.drain_spread_ms = 60'000;
    running_server server(c);
    std::vector<std::unique_ptr<events_client>> all;
    std::set<std::uint32_t> after_crash, after_end;
    for (int i = 0; i < 20; ++i) {
        all.push_back(std::make_unique<events_client>(server.port(), "?channel=a"));
        const std::uint32_t ms = retry_of(all.back()->next());
        EXPECT_GE(ms, 1'000u);
        EXPECT_LE(ms, 5'000u);
        after_crash.insert(ms);
    }
    EXPECT_GT(after_crash.size(), 10u);
    server->stop();
    for (const auto& one : all) {
        const std::string close = one->connection().read_to_end();
        EXPECT_NE(close.find("pulsewire.close"), std::string::npos);
        const std::uint32_t ms = retry_of(close);
        EXPECT_GE(ms, 1'000u);
        EXPECT_LE(ms, 61'000u);
        after_end.insert(ms);
    }
    EXPECT_GT(after_end.size(), 10u);
    EXPECT_GT(*after_end.rbegin() - *after_end.begin(), 10'000u) << "over drain_spread_ms";
}

// EventSource gives up for ever at any answer that is no event stream.
TEST(events, a_page_that_finds_the_server_full_comes_back) {
    config c = test_config(1);
    c.shell.connections_max = 3;
    c.allowed_origins = {"https://app.example"};
    running_server server(c);
    std::vector<client> open;
    for (int i = 0; i < 3; ++i) {
        open.emplace_back(server.port());
        ASSERT_EQ(ask(open.back(), "GET", "/healthz").status, 200);
    }
    const std::string as_page = "Accept: text/event-stream\r\nOrigin: https://app.example\r\n";
    const auto page = ask(server.port(), "GET", "/events?channel=a", {}, as_page);
    EXPECT_EQ(page.status, 200);
    EXPECT_EQ(page.field("Content-Type"), "text/event-stream");
    EXPECT_EQ(page.field("Access-Control-Allow-Origin"), "https://app.example")
        << "or the page gives up as well";
    EXPECT_GE(retry_of(page.body), 5'000u);
    EXPECT_NE(
        page.body.find("event: pulsewire.close\ndata: {\"op\":\"close\",\"code\":1013"), std::string::npos
    );
    EXPECT_EQ(page.field("Connection"), "close");
    EXPECT_EQ(ask(server.port(), "GET", "/events?channel=a").status, 503)
        << "programs are told by the status";
    EXPECT_EQ(ask(server.port(), "GET", "/ws").status, 503);
    EXPECT_EQ(
        ask(server.port(), "GET", "/events?channel=a", {},
            "Accept: text/event-stream\r\nOrigin: https://x.example\r\n")
            .status,
        403
    );
    open.clear();
    server.wait_for("pulsewire_connections{transport=\"http\"}", 1);
    EXPECT_EQ(events_client(server.port(), "?channel=a").head.status, 200);
}

TEST(events, a_page_whose_address_has_too_many_streams_comes_back) {
    config c = test_config(1);
    c.shell.connections_per_address_max = 2;
    running_server server(c);
    events_client first(server.port(), "?channel=a"), second(server.port(), "?channel=a");
    first.next();
    second.next();
    const auto page = ask(server.port(), "GET", "/events?channel=a", {}, "Accept: text/event-stream\r\n");
    EXPECT_EQ(page.status, 200);
    EXPECT_GE(retry_of(page.body), 5'000u);
    EXPECT_EQ(ask(server.port(), "GET", "/events?channel=a").status, 429);
}

// Libraries that stand in for EventSource (event-source-polyfill, Mercure's clients) send the position so.
// Where it is ignored, what was published between two connections is lost, and nobody is told.
TEST(events, resume_by_each_name_that_libraries_give_the_position) {
    running_server server(test_config(1));
    events_client c(server.port(), "?channel=a");
    const std::string begin = id_of(c.next());
    publish(server, "a", "1");
    const std::string first = id_of(c.next());
    publish(server, "a", "2");
    for (const std::string name : {"lastEventId", "lastEventID", "Last-Event-ID", "last_event_id"}) {
        events_client by_name(server.port(), "?channel=a&" + name + "=" + first);
        by_name.next();
        EXPECT_NE(by_name.next().find("\"payload\":2"), std::string::npos) << name;
    }
    const std::string old =
        "?channel=a&last_event_id=" + begin + "&lastEventId=" + begin + "&lastEventId=" + first;
    events_client newest(server.port(), old);
    newest.next();
    EXPECT_NE(newest.next().find("\"payload\":2"), std::string::npos) << "what was appended last counts";
    events_client by_field(
        server.port(), "?channel=a&lastEventId=" + begin, "Last-Event-ID: " + first + "\r\n"
    );
    by_field.next();
    EXPECT_NE(by_field.next().find("\"payload\":2"), std::string::npos) << "the field comes first";
    EXPECT_EQ(ask(server.port(), "GET", "/events?channel=a&lastEventId=nonsense").status, 400);
}

// Protocol 8.4.4: by the field and by the query.
TEST(events, resume_behind_the_last_event_that_was_seen) {
    running_server server(test_config(4));
    std::string cursor;
    {
        events_client c(server.port(), "?channel=a&channel=b");
        c.next();
        publish(server, "a", "1");
        cursor = id_of(c.next());
    }
    publish(server, "a", "2");
    publish(server, "b", "3");
    events_client by_field(server.port(), "?channel=a&channel=b", "Last-Event-ID: " + cursor + "\r\n");
    by_field.next();
    std::string both = by_field.next() + by_field.next();
    EXPECT_NE(both.find("\"payload\":2"), std::string::npos);
    EXPECT_NE(both.find("\"payload\":3"), std::string::npos);
    events_client by_query(server.port(), "?channel=a&channel=b&last_event_id=" + cursor);
    by_query.next();
    both = by_query.next() + by_query.next();
    EXPECT_NE(both.find("\"payload\":2"), std::string::npos);
}

TEST(events, a_lost_history_is_told_by_a_gap) {
    running_server server;
    events_client c(server.port(), "?channel=a", "Last-Event-ID: 1.zzzz.7\r\n");
    c.next();
    const std::string gap = c.next();
    EXPECT_NE(gap.find("event: pulsewire.gap\n"), std::string::npos) << gap;
    EXPECT_NE(gap.find("epoch_changed"), std::string::npos);
}

TEST(events, latest_comes_first) {
    running_server server;
    publish(server, "a", "1");
    publish(server, "a", "2");
    events_client c(server.port(), "?channel=a&latest=1");
    c.next();
    EXPECT_NE(c.next().find("\"payload\":2"), std::string::npos);
}

TEST(events, bad_requests_are_refused) {
    running_server server;
    const auto status = [&](const std::string& query, const std::string& fields = {}) {
        return ask(server.port(), "GET", "/events" + query, {}, fields).status;
    };
    EXPECT_EQ(status(""), 400);
    EXPECT_EQ(status("?channel="), 400);
    EXPECT_EQ(status("?channel=a%20b"), 400);
    EXPECT_EQ(status("?channel=a%"), 400);
    EXPECT_EQ(status("?channel=a", "Last-Event-ID: 1.x.1.y.2\r\n"), 400);
    EXPECT_EQ(status("?channel=a", "Last-Event-ID: nonsense\r\n"), 400);
    EXPECT_EQ(status("?channel=a&latest=x"), 400);
    EXPECT_EQ(status("?channel=a&latest=-1"), 400);
    std::string many = "?channel=c0";
    for (int i = 1; i < 33; ++i) many += "&channel=c" + std::to_string(i);
    EXPECT_EQ(status(many), 400);
    EXPECT_EQ(ask(server.port(), "POST", "/events").status, 405);
}

// Protocol 8.4.6: events, not comments.
TEST(events, silence_is_filled_with_pings) {
    config c = test_config();
    c.bounds.ping_ms = 50;
    running_server server(c);
    events_client e(server.port(), "?channel=a");
    e.next();
    EXPECT_NE(e.next().find("event: pulsewire.ping\ndata: {\"time\":"), std::string::npos);
}

TEST(events, a_client_of_http_10_is_served_too) {
    running_server server;
    client c(server.port());
    c.send("GET /events?channel=a HTTP/1.0\r\n\r\n");
    EXPECT_EQ(read_answer(c).status, 200);
    EXPECT_NE(c.read_until("\n\n").find("pulsewire.open"), std::string::npos);
}

TEST(events, a_client_that_leaves_leaves_nothing_behind) {
    running_server server;
    {
        events_client c(server.port(), "?channel=a&channel=b");
        c.next();
        EXPECT_EQ(server.metric("pulsewire_subscriptions"), 2);
    }
    server.wait_for("pulsewire_subscriptions", 0);
    EXPECT_EQ(server.metric("pulsewire_connections{transport=\"events\"}"), 0);
}

// The replay of a stream is shared with the history: a small request may not pin a large copy of it.
TEST(events, streams_that_do_not_read_share_what_they_replay) {
    config settings = test_config(1);
    settings.bounds.commands_per_second = 0;
    running_server server(std::move(settings));
    const std::string payload = "\"" + std::string(50'000, 'x') + "\"";
    constexpr std::size_t publications = 20, streams = 20;
    for (std::size_t i = 0; i < publications; ++i) publish(server, "a", payload);
    std::vector<std::unique_ptr<client>> held;
    for (std::size_t i = 0; i < streams; ++i) {
        held.push_back(std::make_unique<client>(server.port(), 4'096));
        held.back()->send("GET /events?channel=a&latest=300 HTTP/1.1\r\nHost: localhost\r\n\r\n");
    }
    for (const auto& c : held) c->read_until("pulsewire.open");
    // At most one batch of each stream has its text already; the kernel has taken some, too.
    EXPECT_LT(
        server.metric("pulsewire_waiting_bytes"), publications * payload.size() + streams * 2 * payload.size()
    );
    for (const auto& c : held)
        for (std::size_t i = 1; i <= publications; ++i)
            c->read_until("\"offset\":" + std::to_string(i) + ",");
}

}  // namespace
}  // namespace pulsewire
