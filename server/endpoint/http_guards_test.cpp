// Bad HTTP, as raw bytes: each gets its answer, and the server serves the next one.

#include "server/testing/running_server.hpp"

#include <gtest/gtest.h>

namespace pulsewire {
namespace {

using namespace testing;

class HttpGuards : public ::testing::Test {
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
running_server* HttpGuards::server_ = nullptr;

const std::string post = "POST /api/channels/a/messages HTTP/1.1\r\nHost: localhost\r\n";

TEST_F(HttpGuards, ChunkedBodyIsRefusedBeforeItIsRead) {
    const auto a = last_answer(post + "Transfer-Encoding: chunked\r\n\r\n");
    EXPECT_EQ(a.status, 411);
    EXPECT_EQ(a.field("Connection"), "close");
    EXPECT_NE(a.body.find("Content-Length"), std::string::npos);
}

// reliability: this request ended a stock Beast 1.81 server.
TEST_F(HttpGuards, ATrailerOfSeventyKilobytesEndsNothing) {
    client c(port());
    c.send(
        post + "Transfer-Encoding: chunked\r\n\r\n0\r\nX-Trailer: " + std::string(70'000, 'a') + "\r\n\r\n"
    );
    EXPECT_EQ(read_answer(c).status, 411);
}

TEST_F(HttpGuards, AChunkExtensionOfHalfAMegabyteIsNotRead) {
    client c(port());
    c.send(post + "Transfer-Encoding: chunked\r\n\r\n5;x=");
    EXPECT_EQ(read_answer(c).status, 411);
    // The rest goes nowhere: the connection takes a bounded amount and is closed.
    c.send(std::string(500'000, 'e'));
}

TEST_F(HttpGuards, EveryTransferEncodingIsRefused) {
    for (const std::string field :
         {"chunked, identity", "identity", "xchunked", "gzip, chunked", "gzip\r\nTransfer-Encoding: chunked",
          ""})
        EXPECT_EQ(last_answer(post + "Transfer-Encoding: " + field + "\r\n\r\n").status, 501) << field;
    for (const std::string field :
         {"transfer-encoding: chunked", "TRANSFER-ENCODING:CHUNKED", "Transfer-Encoding:\tchunked"})
        EXPECT_EQ(last_answer(post + field + "\r\n\r\n").status, 411) << field;
    EXPECT_EQ(last_answer(post + "Transfer-Encoding : chunked\r\n\r\n").status, 411);
}

TEST_F(HttpGuards, TransferEncodingBesideContentLengthIsRefusedInBothOrders) {
    EXPECT_EQ(last_answer(post + "Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n{}").status, 411);
    EXPECT_EQ(last_answer(post + "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}").status, 411);
    EXPECT_EQ(last_answer(post + "Content-Length: 2\r\nTransfer-Encoding: xchunked\r\n\r\n{}").status, 501);
}

TEST_F(HttpGuards, ChunkedInHttp10IsRefused) {
    const auto a =
        last_answer("POST /api/channels/a/messages HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n");
    EXPECT_EQ(a.status, 411);
}

TEST_F(HttpGuards, FoldedFieldsAreRefused) {
    EXPECT_EQ(last_answer("GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-A: b\r\n c\r\n\r\n").status, 400);
    EXPECT_EQ(last_answer("GET /healthz HTTP/1.1\r\n Host: localhost\r\n\r\n").status, 400);
    EXPECT_EQ(last_answer("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\tX: y\r\n\r\n").status, 400);
}

TEST_F(HttpGuards, TwoHostsAreRefused) {
    EXPECT_EQ(last_answer("GET /healthz HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n").status, 400);
}

TEST_F(HttpGuards, AMissingHostIsRefusedInHttp11) {
    EXPECT_EQ(last_answer("GET /healthz HTTP/1.1\r\n\r\n").status, 400);
    EXPECT_EQ(last_answer("GET /healthz HTTP/1.0\r\n\r\n").status, 200);
}

TEST_F(HttpGuards, AHostWithStrangeCharactersIsRefused) {
    for (const std::string host : {"a b", "a/b", "a,b", "<x>", "a\"", "a@b"})
        EXPECT_EQ(last_answer("GET /healthz HTTP/1.1\r\nHost: " + host + "\r\n\r\n").status, 400) << host;
}

TEST_F(HttpGuards, ContentLengthMustBeOneNumber) {
    for (const std::string length :
         {"2\r\nContent-Length: 2", "2\r\nContent-Length: 3", "2, 2", "+2", "-1", "0x2", "", "two",
          "18446744073709551616", "99999999999999999999999"}) {
        const int status = last_answer(post + "Content-Length: " + length + "\r\n\r\n{}").status;
        EXPECT_TRUE(status == 400 || status == 413) << length << " gave " << status;
    }
}

TEST_F(HttpGuards, ABodyThatIsTooLargeIsRefusedUnread) {
    EXPECT_EQ(last_answer(post + "Content-Length: 65537\r\n\r\n").status, 413);
    EXPECT_EQ(last_answer(post + "Content-Length: 9223372036854775807\r\n\r\n").status, 413);
}

TEST_F(HttpGuards, TheHttp2PrefaceIsRefused) {
    const auto a = last_answer("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    EXPECT_EQ(a.status, 505);
}

TEST_F(HttpGuards, OtherVersionsAreRefused) {
    for (const std::string version :
         {"HTTP/2.0", "HTTP/0.9", "HTTP/1.2", "HTTX/1.1", "HTTP/1.", "http/1.1"}) {
        const int status = last_answer("GET /healthz " + version + "\r\nHost: localhost\r\n\r\n").status;
        EXPECT_TRUE(status == 400 || status == 505) << version << " gave " << status;
    }
}

TEST_F(HttpGuards, AbsoluteTargetsAreNeverFollowed) {
    for (const std::string target :
         {"http://example.com/", "http://localhost/healthz", "https://169.254.169.254/", "*", "healthz"})
        EXPECT_EQ(last_answer("GET " + target + " HTTP/1.1\r\nHost: localhost\r\n\r\n").status, 400)
            << target;
    EXPECT_GE(last_answer("CONNECT example.com:443 HTTP/1.1\r\nHost: example.com\r\n\r\n").status, 400);
}

TEST_F(HttpGuards, ControlBytesInTheHeadAreRefused) {
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

TEST_F(HttpGuards, LinesThatEndWithLineFeedAloneAreNoRequest) {
    client c(port());
    c.send("GET /healthz HTTP/1.1\nHost: localhost\n\n");
    EXPECT_EQ(read_answer(c).status, 408);  // the empty line of RFC 9112 never came
}

TEST_F(HttpGuards, TwoThousandFieldsAreRefused) {
    std::string head = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n";
    for (int i = 0; i < 2'000; ++i) head += "a:b\r\n";
    EXPECT_EQ(last_answer(head + "\r\n").status, 431);
}

TEST_F(HttpGuards, MoreThanAHundredFieldsAreRefused) {
    std::string head = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n";
    for (int i = 0; i < 99; ++i) head += "a:b\r\n";
    EXPECT_EQ(last_answer(head + "Connection: close\r\n\r\n").status, 431);
}

TEST_F(HttpGuards, AHeadThatNeverEndsIsRefused) {
    EXPECT_EQ(
        last_answer("GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: " + std::string(9'000, 'a')).status, 431
    );
    EXPECT_EQ(last_answer("GET /" + std::string(9'000, 'a')).status, 431);
}

TEST_F(HttpGuards, SpacesInHandshakeFieldsCostNoTime) {
    const std::string head =
        "GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    client c(port());
    c.send(head + "Sec-WebSocket-Protocol: a" + std::string(7'000, ' ') + "b\r\n\r\n");
    EXPECT_EQ(read_answer(c).status, 400);
}

TEST_F(HttpGuards, HostileExtensionOffersAreIgnored) {
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

TEST_F(HttpGuards, AHeadThatDripsIsCutOff) {
    client c(port());
    c.send("GET /healthz HTT");
    EXPECT_EQ(read_answer(c).status, 408);
    EXPECT_EQ(c.read_to_end(), "");
}

TEST_F(HttpGuards, ABodyThatDripsIsCutOff) {
    client c(port());
    c.send(post + "Content-Length: 100\r\n\r\n{");
    EXPECT_EQ(read_answer(c).status, 408);
}

TEST_F(HttpGuards, AConnectionThatSaysNothingIsClosed) {
    client c(port());
    EXPECT_EQ(c.read_to_end(), "");
}

TEST_F(HttpGuards, AKeptConnectionThatSaysNothingIsClosed) {
    client c(port());
    c.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
    EXPECT_EQ(read_answer(c).status, 200);
    EXPECT_EQ(c.read_to_end(), "");
}

TEST_F(HttpGuards, RandomBytesEndNothing) {
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

TEST_F(HttpGuards, AnExpectationOtherThanContinueIsRefused) {
    EXPECT_EQ(last_answer(post + "Content-Length: 2\r\nExpect: 200-ok\r\n\r\n").status, 417);
}

TEST_F(HttpGuards, TheBodyIsAskedForWithContinue) {
    client c(port());
    c.send(post + "Content-Length: 13\r\nExpect: 100-continue\r\n\r\n");
    EXPECT_EQ(c.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
    c.send("{\"payload\":1}");
    EXPECT_EQ(read_answer(c).status, 200);
}

TEST_F(HttpGuards, PipelinedRequestsAreAnsweredInOrder) {
    client c(port());
    std::string all;
    for (int i = 0; i < 50; ++i)
        all += "GET " + std::string(i % 2 == 0 ? "/healthz" : "/nowhere") +
               " HTTP/1.1\r\nHost: localhost\r\n\r\n";
    c.send(all);
    for (int i = 0; i < 50; ++i) EXPECT_EQ(read_answer(c).status, i % 2 == 0 ? 200 : 404);
}

TEST_F(HttpGuards, AClientThatStopsSendingGetsItsAnswer) {
    client c(port());
    c.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\nGET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"
    );
    c.shut_down_sending();
    EXPECT_EQ(read_answer(c).status, 200);
    EXPECT_EQ(read_answer(c).status, 200);
    EXPECT_EQ(c.read_to_end(), "");
}

TEST_F(HttpGuards, NothingOfTheRequestIsReflectedInFields) {
    for (const std::string field :
         {"Last-Event-ID: <evil>", "Origin: http://evil\t.example", "Sec-WebSocket-Protocol: evil"}) {
        const auto a = ask(port(), "GET", "/events?channel=a&last_event_id=evil", {}, field + "\r\n");
        EXPECT_EQ(a.head.find("evil"), std::string::npos) << a.head;
    }
}

}  // namespace
}  // namespace pulsewire
