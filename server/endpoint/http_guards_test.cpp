// Bad HTTP, as raw bytes: each gets its answer, and the server serves the next one.

#include "server/testing/running_server.hpp"

#include <gtest/gtest.h>

namespace pulsewire {
namespace {

using namespace testing;

class http_guards_test : public ::testing::Test {
protected:
    static void SetUpTestSuite() {
        config c = test_config();
        c.shell.http_head_timeout_ms = 200;
        c.shell.http_body_timeout_ms = 200;
        c.shell.http_idle_timeout_ms = 200;
        server_ = new running_server(c);
    }
    static void TearDownTestSuite() {
        delete server_;
        server_ = nullptr;
    }
    void TearDown() override {
        EXPECT_EQ(ask(port(), "GET", "/healthz").status, 200) << "the server must live on";
    }

    static std::uint16_t port() { return server_->port(); }

    // The answer to raw bytes, after which the server must have closed the connection.
    static http_answer last_answer(const std::string& bytes) {
        client c(port());
        c.send(bytes);
        http_answer a = read_answer(c);
        EXPECT_EQ(c.read_to_end(), "") << "nothing may follow";
        return a;
    }

    static running_server* server_;
};
running_server* http_guards_test::server_ = nullptr;

const std::string post = "POST /api/channels/a/messages HTTP/1.1\r\nHost: localhost\r\n";

const std::string chunked = post + "Transfer-Encoding: chunked\r\n\r\n";

TEST_F(http_guards_test, a_body_in_chunks_is_read_and_the_next_request_behind_it) {
    client c(port());
    for (int i = 0; i < 3; ++i) {
        c.send(chunked + "b\r\n{\"payload\":\r\n2;x=y\r\n1}\r\n0\r\nX-Trailer: ignored\r\n\r\n" + chunked);
        EXPECT_EQ(read_answer(c).status, 200);
        c.send("d\r\n{\"payload\":2}\r\n0\r\n\r\n");
        EXPECT_EQ(read_answer(c).status, 200);
    }
    const auto kept = ask(port(), "GET", "/api/channels/a/messages?limit=1&backwards=true");
    EXPECT_NE(kept.body.find("\"payload\":2"), std::string::npos) << kept.body;
}

std::string hex(std::size_t number) {
    char text[17];
    return {text, static_cast<std::size_t>(std::snprintf(text, sizeof text, "%zx", number))};
}

TEST_F(http_guards_test, chunks_to_a_stream_are_carried_out) {
    client stream(port());
    stream.send("GET /sse HTTP/1.1\r\nHost: localhost\r\n\r\n");
    stream.read_until("\r\n\r\n");
    const std::string first = stream.read_until("\n\n");
    const std::string mark = "\"connection\":\"";
    const std::size_t at = first.find(mark) + mark.size();
    const std::string line = R"({"op":"connect","id":1,"version":1,"session":"session-of-a-test"})";
    client c(port());
    c.send(
        "POST /sse HTTP/1.1\r\nHost: localhost\r\nPulsewire-Connection: " +
        first.substr(at, first.find('"', at) - at) + "\r\nTransfer-Encoding: chunked\r\n\r\n" + "1\r\n{\r\n" +
        hex(line.size() - 1) + "\r\n" + line.substr(1) + "\r\n0\r\n\r\n"
    );
    EXPECT_EQ(read_answer(c).status, 204);
    EXPECT_NE(stream.read_until("\n\n").find("welcome"), std::string::npos);
}

TEST_F(http_guards_test, a_chunked_body_that_never_ends_is_bounded_in_bytes_and_time) {
    std::string many = chunked;
    for (int i = 0; i < 90; ++i) many += "400\r\n" + std::string(1'024, 'x') + "\r\n";
    const auto large = last_answer(many);
    EXPECT_EQ(large.status, 413);
    EXPECT_EQ(large.field("Connection"), "close");
    EXPECT_EQ(last_answer(chunked + "15559\r\n").status, 413);
    EXPECT_EQ(last_answer(chunked + "5\r\nab").status, 408);
    EXPECT_EQ(last_answer(chunked).status, 408);
    EXPECT_EQ(last_answer(chunked + "0\r\n").status, 408) << "the trailers never end";
    EXPECT_EQ(last_answer(chunked + "5\r\nhello!\r\n").status, 400);
}

TEST_F(http_guards_test, chunks_are_asked_for_with_continue) {
    client c(port());
    c.send(post + "Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n");
    EXPECT_EQ(c.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
    c.send("d\r\n{\"payload\":1}\r\n0\r\n\r\n");
    EXPECT_EQ(read_answer(c).status, 200);
}

// reliability: this request ended a stock Beast 1.81 server.
TEST_F(http_guards_test, a_trailer_of_seventy_kilobytes_ends_nothing) {
    client c(port());
    c.send(
        post + "Transfer-Encoding: chunked\r\n\r\n0\r\nX-Trailer: " + std::string(70'000, 'a') + "\r\n\r\n"
    );
    EXPECT_EQ(read_answer(c).status, 431);
}

TEST_F(http_guards_test, a_chunk_extension_of_half_a_megabyte_is_not_read) {
    client c(port());
    c.send(chunked + "5;x=");
    c.send(std::string(500'000, 'e'));
    EXPECT_EQ(read_answer(c).status, 431);
}

TEST_F(http_guards_test, every_other_transfer_encoding_is_refused) {
    for (const std::string field :
         {"chunked, identity", "identity", "xchunked", "gzip, chunked", "gzip\r\nTransfer-Encoding: chunked",
          ""})
        EXPECT_EQ(last_answer(post + "Transfer-Encoding: " + field + "\r\n\r\n").status, 501) << field;
    EXPECT_EQ(last_answer(post + "Transfer-Encoding : chunked\r\n\r\n").status, 400);
}

TEST_F(http_guards_test, transfer_encoding_beside_content_length_is_refused_in_both_orders) {
    EXPECT_EQ(last_answer(post + "Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n{}").status, 400);
    EXPECT_EQ(last_answer(post + "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}").status, 400);
    EXPECT_EQ(last_answer(post + "Content-Length: 2\r\nTransfer-Encoding: xchunked\r\n\r\n{}").status, 501);
}

TEST_F(http_guards_test, chunked_in_http_10_is_refused) {
    const auto a =
        last_answer("POST /api/channels/a/messages HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n");
    EXPECT_EQ(a.status, 400);
}

// RFC 9112 2.2.
TEST_F(http_guards_test, a_few_empty_lines_before_a_request_are_ignored) {
    const std::string request = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
    client c(port());
    for (int i = 0; i < 20; ++i) {
        c.send("\r\n" + request);
        EXPECT_EQ(read_answer(c).status, 200);
    }
    c.send("\r\n\r\n\r\n\r\n" + request);
    EXPECT_EQ(read_answer(c).status, 200);
    client halves(port());
    halves.send("\r");
    halves.send("\n" + request);
    EXPECT_EQ(read_answer(halves).status, 200);
}

TEST_F(http_guards_test, many_empty_lines_are_no_request) {
    std::string lines;
    for (int i = 0; i < 500'000; ++i) lines += "\r\n";
    client c(port());
    c.send(lines);
    EXPECT_EQ(read_answer(c).status, 400);
    client dripping(port());
    for (int i = 0; i < 5; ++i) dripping.send("\r\n");
    EXPECT_EQ(read_answer(dripping).status, 400);
    EXPECT_EQ(
        last_answer("\r\n\r\n\r\n\r\n\r\nGET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").status, 400
    );
}

TEST_F(http_guards_test, folded_fields_are_refused) {
    EXPECT_EQ(last_answer("GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-A: b\r\n c\r\n\r\n").status, 400);
    EXPECT_EQ(last_answer("GET /healthz HTTP/1.1\r\n Host: localhost\r\n\r\n").status, 400);
    EXPECT_EQ(last_answer("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\tX: y\r\n\r\n").status, 400);
}

TEST_F(http_guards_test, two_hosts_are_refused) {
    EXPECT_EQ(last_answer("GET /healthz HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n").status, 400);
}

TEST_F(http_guards_test, a_missing_host_is_refused_in_http_11) {
    EXPECT_EQ(last_answer("GET /healthz HTTP/1.1\r\n\r\n").status, 400);
    EXPECT_EQ(last_answer("GET /healthz HTTP/1.0\r\n\r\n").status, 200);
}

TEST_F(http_guards_test, a_host_with_strange_characters_is_refused) {
    for (const std::string host : {"a b", "a/b", "a,b", "<x>", "a\"", "a@b"})
        EXPECT_EQ(last_answer("GET /healthz HTTP/1.1\r\nHost: " + host + "\r\n\r\n").status, 400) << host;
}

TEST_F(http_guards_test, content_length_must_be_one_number) {
    for (const std::string length :
         {"2\r\nContent-Length: 2", "2\r\nContent-Length: 3", "2, 2", "+2", "-1", "0x2", "", "two",
          "18446744073709551616", "99999999999999999999999"}) {
        const int status = last_answer(post + "Content-Length: " + length + "\r\n\r\n{}").status;
        EXPECT_TRUE(status == 400 || status == 413) << length << " gave " << status;
    }
}

TEST_F(http_guards_test, a_body_that_is_too_large_is_refused_unread) {
    EXPECT_EQ(last_answer(post + "Content-Length: 87385\r\n\r\n").status, 413);
    EXPECT_EQ(last_answer(post + "Content-Length: 9223372036854775807\r\n\r\n").status, 413);
}

TEST_F(http_guards_test, the_http_2_preface_is_refused) {
    const auto a = last_answer("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    EXPECT_EQ(a.status, 505);
}

TEST_F(http_guards_test, other_versions_are_refused) {
    for (const std::string version :
         {"HTTP/2.0", "HTTP/0.9", "HTTP/1.2", "HTTX/1.1", "HTTP/1.", "http/1.1"}) {
        const int status = last_answer("GET /healthz " + version + "\r\nHost: localhost\r\n\r\n").status;
        EXPECT_TRUE(status == 400 || status == 505) << version << " gave " << status;
    }
}

TEST_F(http_guards_test, absolute_targets_are_never_followed) {
    for (const std::string target :
         {"ftp://example.com/", "http://me@localhost/healthz", "http:///healthz", "*", "healthz"})
        EXPECT_EQ(last_answer("GET " + target + " HTTP/1.1\r\nHost: localhost\r\n\r\n").status, 400)
            << target;
    // The authority counts, not the field: it is no name of this server.
    for (const std::string target : {"http://example.com/ws", "https://169.254.169.254/"})
        EXPECT_EQ(ask(port(), "GET", target).status, 421) << target;
    EXPECT_EQ(ask(port(), "GET", "http://localhost/healthz").body, "ok\n");
    EXPECT_EQ(ask(port(), "GET", "HTTP://127.0.0.1:1/api/channels/a/presence?x=y").status, 200);
    EXPECT_EQ(ask(port(), "GET", "http://localhost").status, 404);
    EXPECT_GE(last_answer("CONNECT example.com:443 HTTP/1.1\r\nHost: example.com\r\n\r\n").status, 400);
}

TEST_F(http_guards_test, options_of_the_whole_server_tells_the_methods) {
    const auto a = ask(port(), "OPTIONS", "*");
    EXPECT_EQ(a.status, 204);
    EXPECT_EQ(a.field("Allow"), "GET, HEAD, POST, OPTIONS");
}

TEST_F(http_guards_test, a_client_of_http_10_is_answered_and_the_connection_ends) {
    for (const std::string fields : {"", "Connection: keep-alive\r\n"}) {
        EXPECT_EQ(last_answer("GET /healthz HTTP/1.0\r\n" + fields + "\r\n").body, "ok\n");
        EXPECT_EQ(
            last_answer(
                "POST /api/channels/a/messages HTTP/1.0\r\n" + fields +
                "Content-Length: 13\r\n\r\n{\"payload\":1}"
            )
                .status,
            200
        );
    }
}

TEST_F(http_guards_test, control_bytes_in_the_head_are_refused) {
    using namespace std::string_literals;
    for (const std::string& bytes : {"\0"s, "\x01"s, "\x0b"s, "\x1f"s, "\x7f"s, "\r"s, "\n"s}) {
        client target(port());
        target.send("GET /he" + bytes + "althz HTTP/1.1\r\nHost: localhost\r\n\r\n");
        EXPECT_EQ(read_answer(target).status, 400);
        client field(port());
        field.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: a" + bytes + "b\r\n\r\n");
        EXPECT_EQ(read_answer(field).status, 400);
        client name(port());
        name.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\nX" + bytes + ": ab\r\n\r\n");
        EXPECT_EQ(read_answer(name).status, 400);
    }
    EXPECT_EQ(last_answer("GET /h\xc3\xa4 HTTP/1.1\r\nHost: localhost\r\n\r\n").status, 400);
}

TEST_F(http_guards_test, lines_that_end_with_line_feed_alone_are_no_request) {
    client c(port());
    c.send("GET /healthz HTTP/1.1\nHost: localhost\n\n");
    EXPECT_EQ(read_answer(c).status, 408);  // the empty line of RFC 9112 never came
}

TEST_F(http_guards_test, two_thousand_fields_are_refused) {
    std::string head = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n";
    for (int i = 0; i < 2'000; ++i) head += "a:b\r\n";
    EXPECT_EQ(last_answer(head + "\r\n").status, 431);
}

TEST_F(http_guards_test, more_than_a_hundred_fields_are_refused) {
    std::string head = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n";
    for (int i = 0; i < 99; ++i) head += "a:b\r\n";
    EXPECT_EQ(last_answer(head + "Connection: close\r\n\r\n").status, 431);
}

TEST_F(http_guards_test, a_head_that_never_ends_is_refused) {
    EXPECT_EQ(
        last_answer("GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: " + std::string(70'000, 'a')).status, 431
    );
    EXPECT_EQ(last_answer("GET /" + std::string(70'000, 'a')).status, 431);
}

TEST_F(http_guards_test, the_cookies_of_a_whole_domain_fit_and_more_are_refused_with_the_limit) {
    const auto with_cookies = [](std::size_t bytes) {
        return "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nCookie: a=" +
               std::string(bytes, 'c') + "\r\n\r\n";
    };
    EXPECT_EQ(last_answer(with_cookies(60'000)).status, 200);
    const auto refused = last_answer(with_cookies(66'000));
    EXPECT_EQ(refused.status, 431);
    EXPECT_NE(refused.body.find("65536 bytes (http_head_bytes_max)"), std::string::npos) << refused.body;
    EXPECT_NE(refused.body.find("cookies"), std::string::npos) << "and what to do";
    EXPECT_EQ(
        websocket_client(port(), "/ws", "pulsewire.v1", 0, "Cookie: a=" + std::string(60'000, 'c') + "\r\n")
            .handshake.status,
        101
    );
}

TEST_F(http_guards_test, spaces_in_handshake_fields_cost_no_time) {
    const std::string head =
        "GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    client c(port());
    c.send(head + "Sec-WebSocket-Protocol: a" + std::string(7'000, ' ') + "b\r\n\r\n");
    EXPECT_EQ(read_answer(c).status, 400);
}

TEST_F(http_guards_test, hostile_extension_offers_are_ignored) {
    for (const std::string offer :
         {"constructor", "__proto__", "permessage-deflate; server_max_window_bits=7",
          "permessage-deflate; client_max_window_bits=abc",
          "permessage-deflate; client_max_window_bits=16; x=99", ";;,,=\"", "\""}) {
        client c(port());
        c.send(
            "GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            "Sec-WebSocket-Protocol: pulsewire.v1\r\nSec-WebSocket-Extensions: " +
            offer + "\r\n\r\n"
        );
        const auto a = read_answer(c);
        EXPECT_EQ(a.status, 101) << offer;
        EXPECT_EQ(a.field("Sec-WebSocket-Extensions"), "");
    }
}

TEST_F(http_guards_test, a_head_that_drips_is_cut_off) {
    client c(port());
    c.send("GET /healthz HTT");
    EXPECT_EQ(read_answer(c).status, 408);
    EXPECT_EQ(c.read_to_end(), "");
}

TEST_F(http_guards_test, a_body_that_drips_is_cut_off) {
    client c(port());
    c.send(post + "Content-Length: 100\r\n\r\n{");
    EXPECT_EQ(read_answer(c).status, 408);
}

TEST_F(http_guards_test, a_connection_that_says_nothing_is_closed) {
    client c(port());
    EXPECT_EQ(c.read_to_end(), "");
}

TEST_F(http_guards_test, a_kept_connection_that_says_nothing_is_closed) {
    client c(port());
    c.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
    EXPECT_EQ(read_answer(c).status, 200);
    EXPECT_EQ(c.read_to_end(), "");
}

TEST_F(http_guards_test, random_bytes_end_nothing) {
    std::uint64_t state = 7;
    for (int i = 0; i < 200; ++i) {
        std::string bytes;
        for (int n = 0; n < 200; ++n) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            bytes.push_back(static_cast<char>(state >> 56));
        }
        client c(port());
        c.send(bytes + "\r\n\r\n");
        EXPECT_GE(read_answer(c).status, 400);
    }
}

TEST_F(http_guards_test, an_expectation_other_than_continue_is_refused) {
    EXPECT_EQ(last_answer(post + "Content-Length: 2\r\nExpect: 200-ok\r\n\r\n").status, 417);
}

TEST_F(http_guards_test, the_body_is_asked_for_with_continue) {
    client c(port());
    c.send(post + "Content-Length: 13\r\nExpect: 100-continue\r\n\r\n");
    EXPECT_EQ(c.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
    c.send("{\"payload\":1}");
    EXPECT_EQ(read_answer(c).status, 200);
}

TEST_F(http_guards_test, pipelined_requests_are_answered_in_order) {
    client c(port());
    std::string all;
    for (int i = 0; i < 50; ++i)
        all += "GET " + std::string(i % 2 == 0 ? "/healthz" : "/nowhere") +
               " HTTP/1.1\r\nHost: localhost\r\n\r\n";
    c.send(all);
    for (int i = 0; i < 50; ++i) EXPECT_EQ(read_answer(c).status, i % 2 == 0 ? 200 : 404);
}

TEST_F(http_guards_test, a_client_that_stops_sending_gets_its_answer) {
    client c(port());
    c.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\nGET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"
    );
    c.shut_down_sending();
    EXPECT_EQ(read_answer(c).status, 200);
    EXPECT_EQ(read_answer(c).status, 200);
    EXPECT_EQ(c.read_to_end(), "");
}

TEST_F(http_guards_test, nothing_of_the_request_is_reflected_in_fields) {
    for (const std::string field :
         {"Last-Event-ID: <evil>", "Origin: http://evil\t.example", "Sec-WebSocket-Protocol: evil"}) {
        const auto a = ask(port(), "GET", "/events?channel=a&last_event_id=evil", {}, field + "\r\n");
        EXPECT_EQ(a.head.find("evil"), std::string::npos) << a.head;
    }
}

}  // namespace
}  // namespace pulsewire
