// /streams/<name> over real sockets (docs/streams.md). The conformance tests of the protocol are another
// matter (script/check_streams.mjs): here is what they do not look at.

#include "server/testing/running_server.hpp"
#include "server/testing/temporary_folder.hpp"
#include "server/testing/token.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <string>
#include <thread>
#include <vector>

namespace pulsewire {
namespace {

using namespace testing;
using ::testing::HasSubstr;
using ::testing::Not;

config with_streams(config c = test_config()) {
    c.streams = "stream";
    return c;
}

const std::string text = "Content-Type: text/plain\r\n";
const std::string json = "Content-Type: application/json\r\n";
const std::string closing = "Stream-Closed: true\r\n";

std::string bearer(const std::string& token) {
    return "Authorization: Bearer " + token + "\r\n";
}

http_answer make(std::uint16_t port, const std::string& name, const std::string& fields = text) {
    return ask(port, "PUT", "/streams/" + name, {}, fields);
}
http_answer append(
    std::uint16_t port, const std::string& name, const std::string& body, const std::string& fields = text
) {
    return ask(port, "POST", "/streams/" + name, body, fields);
}
http_answer get(std::uint16_t port, const std::string& name, const std::string& query = {}) {
    return ask(port, "GET", "/streams/" + name + query);
}

// A POST whose body comes in chunks, of which none is sent yet.
client begun(std::uint16_t port, const std::string& name, const std::string& fields = text) {
    client c(port);
    c.send(
        "POST /streams/" + name + " HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n" + fields +
        "\r\n"
    );
    return c;
}
std::string chunk(const std::string& data) {
    char size[16];
    std::snprintf(size, sizeof size, "%zx\r\n", data.size());
    return size + data + "\r\n";
}

// Reads on until all of this is there.
void read_until_text(std::uint16_t port, const std::string& name, const std::string& wanted) {
    std::string all, offset = "-1";
    while (all != wanted) {
        const auto a = get(port, name, "?live=long-poll&offset=" + offset);
        ASSERT_TRUE(a.status == 200 || a.status == 204) << a.head;
        all += a.body;
        ASSERT_TRUE(wanted.starts_with(all)) << all;
        offset = a.field("Stream-Next-Offset");
    }
}

TEST(streams, are_not_there_unless_they_are_switched_on) {
    running_server server;
    for (const std::string verb : {"PUT", "POST", "GET", "HEAD", "DELETE", "OPTIONS"})
        EXPECT_EQ(ask(server.port(), verb, "/streams/a", {}, text).status, 404) << verb;
}

TEST(streams, are_made_written_read_and_removed) {
    running_server server(with_streams());
    const auto made = make(server.port(), "replies/1");
    EXPECT_EQ(made.status, 201);
    EXPECT_EQ(made.field("Location"), "http://localhost/streams/replies/1");
    EXPECT_EQ(append(server.port(), "replies/1", "Hello ").status, 204);
    const auto last = append(server.port(), "replies/1", "world", text + closing);
    EXPECT_EQ(last.status, 204);
    const auto all = get(server.port(), "replies/1");
    EXPECT_EQ(all.body, "Hello world");
    EXPECT_EQ(all.field("Content-Type"), "text/plain");
    EXPECT_EQ(all.field("Stream-Closed"), "true");
    EXPECT_EQ(all.field("Stream-Next-Offset"), last.field("Stream-Next-Offset"));
    EXPECT_EQ(ask(server.port(), "DELETE", "/streams/replies/1").status, 204);
    EXPECT_EQ(get(server.port(), "replies/1").status, 404);
    EXPECT_EQ(ask(server.port(), "DELETE", "/streams/replies/1").status, 404);
}

TEST(streams, that_were_made_anew_do_not_go_on_where_the_old_ones_were) {
    running_server server(with_streams());
    make(server.port(), "a");
    const auto old = append(server.port(), "a", "old").field("Stream-Next-Offset");
    ask(server.port(), "DELETE", "/streams/a");
    // The clock has milliseconds.
    std::string born;
    do {
        ask(server.port(), "DELETE", "/streams/a");
        born = make(server.port(), "a").field("Stream-Next-Offset").substr(0, 12);
    } while (born == old.substr(0, 12));
    EXPECT_EQ(get(server.port(), "a", "?offset=" + old).status, 410);
    EXPECT_EQ(get(server.port(), "a").body, "");
}

TEST(streams, are_channels_for_everybody_else) {
    running_server server(with_streams());
    make(server.port(), "log", json);
    auto c = subscribed(server.port(), "stream:log");
    EXPECT_EQ(append(server.port(), "log", R"([{"a":1},{"b":2}])", json).status, 204);
    EXPECT_THAT(c.line_with("stream.append"), HasSubstr(R"("messages":[{"a":1},{"b":2}]})"));
    // And the other way round.
    c.send_text(
        R"({"op":"publish","id":7,"channel":"stream:log","type":"stream.append","payload":{"head":{},"messages":[3]}})"
    );
    c.line_with("\"id\":7");
    EXPECT_EQ(get(server.port(), "log").body, R"([{"a":1},{"b":2},3])");
}

TEST(streams, on_the_disk_are_what_they_were_after_a_restart) {
    const temporary_folder folder;
    config c = with_streams();
    c.data = folder.path();
    const std::string producer = "Producer-Id: p\r\nProducer-Epoch: 2\r\nProducer-Seq: ";
    std::string half;
    {
        running_server server(c);
        make(server.port(), "open", text + "Stream-TTL: 3600\r\n");
        append(server.port(), "open", "one ", text + producer + "0\r\n");
        half = append(server.port(), "open", "two ", text + producer + "1\r\nStream-Seq: b\r\n")
                   .field("Stream-Next-Offset");
        make(server.port(), "ended", "Content-Type: image/png\r\n");
        append(server.port(), "ended", std::string("\0\xff\n", 3), "Content-Type: image/png\r\n" + closing);
        make(server.port(), "gone");
        ask(server.port(), "DELETE", "/streams/gone");
    }
    running_server server(c);
    const auto port = server.port();
    EXPECT_EQ(get(port, "gone").status, 404);
    EXPECT_EQ(make(port, "open", text + "Stream-TTL: 3600\r\n").status, 200);
    EXPECT_EQ(make(port, "open").status, 409);
    const auto head = ask(port, "HEAD", "/streams/open");
    EXPECT_EQ(head.field("Stream-TTL"), "3600");
    EXPECT_EQ(head.field("Stream-Next-Offset"), half);
    EXPECT_EQ(append(port, "open", "two ", text + producer + "1\r\n").status, 204);
    EXPECT_EQ(append(port, "open", "x", text + producer + "3\r\n").field("Producer-Expected-Seq"), "2");
    EXPECT_EQ(append(port, "open", "x", text + "Stream-Seq: a\r\n").status, 409);
    EXPECT_EQ(append(port, "open", "three", text + producer + "2\r\n").status, 200);
    EXPECT_EQ(get(port, "open").body, "one two three");
    EXPECT_EQ(get(port, "open", "?offset=" + half).body, "three");
    const auto ended = get(port, "ended");
    EXPECT_EQ(ended.body, std::string("\0\xff\n", 3));
    EXPECT_EQ(ended.field("Content-Type"), "image/png");
    EXPECT_EQ(ended.field("Stream-Closed"), "true");
    EXPECT_EQ(append(port, "ended", "x", "Content-Type: image/png\r\n").status, 409);
}

TEST(streams, of_which_a_life_has_ended_are_removed_though_nobody_asks) {
    const temporary_folder folder;
    config c = with_streams();
    c.data = folder.path();
    {
        running_server server(c);
        make(server.port(), "short", text + "Stream-TTL: 1\r\n");
        append(server.port(), "short", std::string(10'000, 'x'));
        make(server.port(), "long");
    }
    running_server server(c);
    // What covers it takes its place.
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (server.metric("pulsewire_history_bytes") > 5'000 && std::chrono::steady_clock::now() < deadline) {
    }
    const auto messages =
        ask(server.port(), "GET", "/api/channels/stream:short/messages?backwards=true&limit=1");
    EXPECT_THAT(messages.body, HasSubstr("stream.delete"));
    EXPECT_EQ(get(server.port(), "long").status, 200);
}

// --- who may ---

TEST(streams, want_the_key_of_the_api_for_what_changes_them) {
    config c = with_streams();
    c.api_key = "an-api-key-of-the-test";
    running_server server(c);
    EXPECT_EQ(make(server.port(), "a").status, 401);
    EXPECT_EQ(make(server.port(), "a", text + bearer("another-key-of-the-test")).status, 401);
    EXPECT_EQ(make(server.port(), "a", text + bearer(c.api_key)).status, 201);
    EXPECT_EQ(append(server.port(), "a", "x").status, 401);
    EXPECT_EQ(ask(server.port(), "DELETE", "/streams/a").status, 401);
    // As at /events.
    EXPECT_EQ(get(server.port(), "a").status, 200);
}

TEST(streams, are_read_without_the_key_as_far_as_everybody_may) {
    config c = with_streams();
    c.api_key = "an-api-key-of-the-test";
    c.namespaces["stream"].state_bytes_max = 1'000'000;
    c.namespaces["stream"].allow = access_rules::none();
    c.namespaces["stream"].allow_is_set = true;
    running_server server(c);
    make(server.port(), "a", text + bearer(c.api_key));
    for (const std::string query : {"", "?live=long-poll&offset=-1", "?live=sse&offset=-1"}) {
        EXPECT_EQ(get(server.port(), "a", query).status, 403) << query;
        EXPECT_EQ(get(server.port(), "none", query).status, 403) << query;
    }
    EXPECT_EQ(ask(server.port(), "GET", "/streams/a", {}, bearer(c.api_key)).status, 200);
}

TEST(streams, permit_users_what_their_tokens_say) {
    running_server server(asking(with_streams()));
    const auto port = server.port();
    const std::string reader = bearer(token_for("r", R"({"stream:a":["history","subscribe"]})"));
    const std::string writer = bearer(token_for("w", R"({"stream:a":["publish"]})"));
    const std::string owner = bearer(token_for("o", R"({"stream:*":["publish","snapshot","history"]})"));
    EXPECT_EQ(make(port, "a").status, 401);
    EXPECT_EQ(make(port, "a", text + reader).status, 403);
    EXPECT_EQ(make(port, "a", text + writer).status, 201);
    EXPECT_EQ(make(port, "b", text + writer).status, 403);
    EXPECT_EQ(append(port, "a", "x", text + reader).status, 403);
    EXPECT_EQ(append(port, "a", "x", text + writer).status, 204);
    const auto read = [&](const std::string& who, const std::string& query = {}) {
        return ask(port, "GET", "/streams/a" + query, {}, who).status;
    };
    EXPECT_EQ(read(""), 401);
    EXPECT_EQ(read(writer), 403);
    EXPECT_EQ(read(reader), 200);
    EXPECT_EQ(read(owner), 200);
    EXPECT_EQ(read(owner, "?offset=-1&live=long-poll"), 403);  // it may not subscribe
    EXPECT_EQ(read(reader, "?offset=-1&live=long-poll"), 200);
    const auto remove = [&](const std::string& who) {
        return ask(port, "DELETE", "/streams/a", {}, who).status;
    };
    EXPECT_EQ(remove(reader), 403);
    EXPECT_EQ(remove(writer), 403);
    EXPECT_EQ(remove(owner), 204);
    // Who may not do it learns nothing of what there is.
    EXPECT_EQ(append(port, "none", "x", text + reader).status, 403);
    EXPECT_EQ(read(writer), 403);
}

TEST(streams, end_a_live_read_when_its_token_is_revoked) {
    config c = asking(with_streams());
    c.api_key = "an-api-key-of-the-test";
    running_server server(c);
    make(server.port(), "a", text + bearer(c.api_key));
    const std::string reader = bearer(token_for("r", R"({"stream:a":["history","subscribe"]})"));
    client live(server.port());
    live.send("GET /streams/a?offset=-1&live=sse HTTP/1.1\r\nHost: localhost\r\n" + reader + "\r\n");
    live.read_until("upToDate");
    EXPECT_EQ(
        ask(server.port(), "POST", "/api/revocations", R"({"user":"r"})", bearer(c.api_key)).status, 204
    );
    live.read_to_end();
    EXPECT_EQ(ask(server.port(), "GET", "/streams/a", {}, reader).status, 401);
}

// --- what is refused ---

TEST(streams, have_names_that_are_checked) {
    running_server server(with_streams());
    const std::string bads[] = {"", "a%20b", "%ff", "%", "a%0d%0ab", "a%00", std::string(300, 'a')};
    for (const std::string& bad : bads) EXPECT_EQ(make(server.port(), bad).status, 400) << bad;
    // A name is no path: it leads to no other channel and to no file.
    EXPECT_EQ(make(server.port(), "../x").status, 201);
    EXPECT_EQ(make(server.port(), "%2e%2e/x").status, 200);
    EXPECT_EQ(get(server.port(), "x").status, 404);
}

TEST(streams, have_bounds) {
    config c = with_streams();
    c.namespaces["stream"].state_bytes_max = 20'000;
    c.bounds.message_bytes_max = 8'000;
    running_server server(c);
    make(server.port(), "a");
    EXPECT_EQ(append(server.port(), "a", std::string(8'001, 'x')).status, 413);
    EXPECT_EQ(append(server.port(), "a", std::string(8'000, 'x')).status, 204);
    EXPECT_EQ(append(server.port(), "a", std::string(8'000, 'y')).status, 204);
    EXPECT_EQ(append(server.port(), "a", std::string(8'000, 'z')).status, 507);
    EXPECT_EQ(get(server.port(), "a").body.size(), 16'000u);
    // Removing makes room.
    EXPECT_EQ(ask(server.port(), "DELETE", "/streams/a").status, 204);
    EXPECT_EQ(make(server.port(), "a").status, 201);
    EXPECT_EQ(append(server.port(), "a", std::string(8'000, 'z')).status, 204);
}

TEST(streams, count_what_waits_among_the_connections_of_its_client) {
    config c = with_streams();
    c.trusted_proxies = {"127.0.0.1"};
    c.shell.connections_per_address_max = 2;
    running_server server(c);
    const std::string from = "X-Forwarded-For: 192.0.2.7\r\n";
    make(server.port(), "a", text + from);
    const auto live = [&](const std::string& how) {
        client one(server.port());
        one.send(
            "GET /streams/a?offset=now&live=" + how + " HTTP/1.1\r\nHost: localhost\r\n" + from + "\r\n"
        );
        return one;
    };
    client poll = live("long-poll");
    client events = live("sse");
    events.read_until("upToDate");
    client third = live("long-poll");
    EXPECT_EQ(read_answer(third).status, 429);
    EXPECT_EQ(append(server.port(), "a", "x", text + from).status, 204);
    EXPECT_EQ(read_answer(poll).body, "x");
}

TEST(streams, let_pages_of_listed_origins_use_them) {
    config c = with_streams();
    c.allowed_origins = {"https://app.example.com"};
    running_server server(c);
    const std::string page = "Origin: https://app.example.com\r\n";
    const auto asked = ask(server.port(), "OPTIONS", "/streams/a", {}, page);
    EXPECT_EQ(asked.status, 204);
    EXPECT_THAT(asked.field("Access-Control-Allow-Methods"), HasSubstr("DELETE"));
    EXPECT_THAT(asked.field("Access-Control-Allow-Headers"), HasSubstr("Stream-Closed"));
    EXPECT_EQ(
        make(server.port(), "a", text + page).field("Access-Control-Allow-Origin"), "https://app.example.com"
    );
    EXPECT_EQ(make(server.port(), "a", text + "Origin: https://evil.example\r\n").status, 403);
    // What is stored must not run as a page of this server.
    make(server.port(), "page", "Content-Type: text/html\r\n");
    EXPECT_THAT(get(server.port(), "page").field("Content-Security-Policy"), HasSubstr("sandbox"));
}

TEST(streams, are_below_the_base_path) {
    config c = with_streams();
    c.base_path = "/realtime";
    running_server server(c);
    EXPECT_EQ(make(server.port(), "a").status, 404);
    const auto made = ask(server.port(), "PUT", "/realtime/streams/a", {}, text);
    EXPECT_EQ(made.status, 201);
    EXPECT_EQ(made.field("Location"), "http://localhost/realtime/streams/a");
}

// --- live ---

TEST(streams, wake_those_who_wait) {
    running_server server(with_streams(test_config(4)));
    const std::string from = make(server.port(), "a").field("Stream-Next-Offset");
    std::vector<client> waiting;
    for (int i = 0; i < 8; ++i) {
        waiting.emplace_back(server.port());
        waiting.back().send(
            "GET /streams/a?offset=" + from + "&live=long-poll HTTP/1.1\r\nHost: localhost\r\n\r\n"
        );
    }
    // Those that come later have it at once.
    append(server.port(), "a", "news");
    for (client& one : waiting) EXPECT_EQ(read_answer(one).body, "news");
}

TEST(streams, send_events_as_they_are_appended) {
    running_server server(with_streams());
    make(server.port(), "a");
    client live(server.port());
    live.send("GET /streams/a?offset=-1&live=sse HTTP/1.1\r\nHost: localhost\r\n\r\n");
    live.read_until("\"upToDate\":true}\n\n");
    append(server.port(), "a", "one\r\n two\n");
    EXPECT_THAT(
        live.read_until("}\n\n"), HasSubstr("event: data\ndata:one\ndata:  two\ndata:\n\nevent: control\n")
    );
    append(server.port(), "a", "last", text + closing);
    const std::string rest = live.read_to_end();
    EXPECT_THAT(rest, HasSubstr("data:last\n"));
    EXPECT_THAT(rest, HasSubstr("\"streamClosed\":true"));
    EXPECT_THAT(rest, Not(HasSubstr("streamCursor")));
}

TEST(streams, give_a_slow_reader_what_it_takes_and_keep_nothing_for_it) {
    config c = with_streams();
    c.namespaces["stream"].state_bytes_max = 64'000'000;
    c.bounds.message_bytes_max = 1'000'000;
    c.shell.queue_bytes_max = 200'000;
    running_server server(c);
    make(server.port(), "a");
    client live(server.port(), 4'096);
    live.send("GET /streams/a?offset=-1&live=sse HTTP/1.1\r\nHost: localhost\r\n\r\n");
    live.read_until("\"upToDate\":true}\n\n");
    std::string all;
    for (int i = 0; i < 20; ++i) {
        const std::string piece(900'000, static_cast<char>('a' + i));
        ASSERT_EQ(append(server.port(), "a", piece).status, 204);
        all += piece;
    }
    append(server.port(), "a", "", closing);
    EXPECT_LT(server.metric("pulsewire_waiting_bytes"), 2'000'000);
    std::string got;
    const std::string events = live.read_to_end();
    for (std::size_t at = 0; (at = events.find("event: data\ndata:", at)) != std::string::npos;) {
        at += 17;
        got += events.substr(at, events.find('\n', at) - at);
    }
    EXPECT_TRUE(got == all) << got.size();
}

// --- in pieces ---

TEST(streams, take_many_pieces_in_one_request) {
    running_server server(with_streams());
    make(server.port(), "reply");
    client writer = begun(server.port(), "reply", text + closing);
    client reader(server.port());
    reader.send("GET /streams/reply?offset=-1&live=sse HTTP/1.1\r\nHost: localhost\r\n\r\n");
    reader.read_until("\"upToDate\":true}\n\n");
    for (const std::string word : {"To", " be", ", or"}) {
        writer.send(chunk(word));
        // Before the next one is sent.
        EXPECT_THAT(reader.read_until("}\n\n"), HasSubstr(word));
    }
    writer.send("0\r\n\r\n");
    const auto done = read_answer(writer);
    EXPECT_EQ(done.status, 204);
    EXPECT_EQ(done.field("Stream-Closed"), "true");
    EXPECT_THAT(reader.read_to_end(), HasSubstr("streamClosed"));
    const auto all = get(server.port(), "reply");
    EXPECT_EQ(all.body, "To be, or");
    EXPECT_EQ(all.field("Stream-Next-Offset"), done.field("Stream-Next-Offset"));
}

TEST(streams, keep_the_pieces_of_a_request_that_breaks_off) {
    running_server server(with_streams());
    make(server.port(), "a");
    {
        client writer = begun(server.port(), "a", text + closing);
        writer.send(chunk("kept"));
        read_until_text(server.port(), "a", "kept");
        writer.send("5\r\nhal");
        writer.reset();
    }
    EXPECT_EQ(append(server.port(), "a", " and open").status, 204);
    client faulty = begun(server.port(), "a");
    faulty.send(chunk("!") + "no size\r\n");
    EXPECT_EQ(read_answer(faulty).status, 400);
    const std::string all = get(server.port(), "a").body;
    EXPECT_TRUE(all.starts_with("kept")) << all;
    EXPECT_THAT(all, HasSubstr(" and open"));
}

TEST(streams, divide_pieces_between_characters) {
    running_server server(with_streams());
    make(server.port(), "a");
    auto c = subscribed(server.port(), "stream:a");
    client writer = begun(server.port(), "a");
    writer.send(chunk("a\xe2\x82"));
    read_until_text(server.port(), "a", "a");
    writer.send(chunk("\xac!"));
    read_until_text(server.port(), "a", "a\xe2\x82\xac!");
    // What is no UTF-8 at the end goes as it is.
    writer.send(chunk("\xe2") + "0\r\n\r\n");
    EXPECT_EQ(read_answer(writer).status, 204);
    EXPECT_EQ(get(server.port(), "a").body, "a\xe2\x82\xac!\xe2");
}

TEST(streams, refuse_pieces_before_they_are_read) {
    running_server server(with_streams());
    client none = begun(server.port(), "none");
    EXPECT_EQ(read_answer(none).status, 404);
    none.read_to_end();
    make(server.port(), "a");
    client other = begun(server.port(), "a", "Content-Type: text/html\r\n");
    EXPECT_EQ(read_answer(other).status, 409);
    client empty = begun(server.port(), "a");
    empty.send("0\r\n\r\n");
    EXPECT_EQ(read_answer(empty).status, 400);
}

TEST(streams, bound_the_pause_between_pieces) {
    config c = with_streams();
    c.shell.stream_pause_ms = 300;
    running_server server(c);
    make(server.port(), "a");
    client writer = begun(server.port(), "a");
    writer.send(chunk("x"));
    EXPECT_EQ(read_answer(writer).status, 408);
    EXPECT_EQ(get(server.port(), "a").body, "x");
}

TEST(streams, let_a_long_body_wait_for_what_was_appended) {
    const temporary_folder folder;
    config c = with_streams();
    c.data = folder.path();
    c.namespaces["stream"].state_bytes_max = 64'000'000;
    running_server server(c);
    make(server.port(), "a", "Content-Type: application/octet-stream\r\n");
    client writer =
        begun(server.port(), "a", "Content-Type: application/octet-stream\r\nExpect: 100-continue\r\n");
    EXPECT_THAT(writer.read_until("\r\n\r\n"), HasSubstr("100 Continue"));
    std::string all;
    for (int i = 0; i < 200; ++i) {
        const std::string piece(10'000, static_cast<char>(i));
        ASSERT_TRUE(writer.send(chunk(piece)));
        all += piece;
    }
    writer.send("0\r\n\r\n");
    EXPECT_EQ(read_answer(writer).status, 204);
    std::string got, offset = "-1";
    while (got.size() < all.size()) {
        const auto page = get(server.port(), "a", "?offset=" + offset);
        ASSERT_EQ(page.status, 200);
        ASSERT_FALSE(page.body.empty());
        got += page.body;
        offset = page.field("Stream-Next-Offset");
    }
    EXPECT_TRUE(got == all);
}

// Whoever was told that it counts finds it, and nobody else's comes after the end.
TEST(streams, that_are_closed_while_many_write_have_what_was_acknowledged) {
    for (int round = 0; round < 5; ++round) {
        running_server server(with_streams(test_config(4)));
        make(server.port(), "a", json);
        std::atomic<int> taken{0};
        std::vector<std::thread> writers;
        for (int w = 0; w < 4; ++w)
            writers.emplace_back([&] {
                client c(server.port());
                while (true) {
                    const auto a = ask(c, "POST", "/streams/a", "1", json);
                    if (a.status != 204) {
                        EXPECT_EQ(a.status, 409);
                        return;
                    }
                    ++taken;
                }
            });
        while (taken < 20) std::this_thread::yield();
        EXPECT_EQ(append(server.port(), "a", "", closing).status, 204);
        for (std::thread& one : writers) one.join();
        const std::string all = get(server.port(), "a").body;
        EXPECT_EQ(std::count(all.begin(), all.end(), '1'), taken);
    }
}

}  // namespace
}  // namespace pulsewire
