#include "server/transport/handshake.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace pulsewire::shell {
namespace {

const std::string upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\n";
const std::string thirteen = "Sec-WebSocket-Version: 13\r\n";
const std::string key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

std::unique_ptr<request> asking(const std::string& fields, const std::string& line = "GET /ws HTTP/1.1") {
    auto read = read_request_head(line + "\r\nHost: a\r\n" + fields + "\r\n", shell_limits{});
    return std::move(*read);
}

int status_of(const std::string& fields, const std::string& line = "GET /ws HTTP/1.1") {
    const auto read = read_handshake(*asking(fields, line));
    return read ? 101 : read.error().status;
}

std::string field_of(const response& r, std::string_view name) {
    for (const auto& [known, value] : r.fields)
        if (known == name) return value;
    return {};
}

// RFC 6455 1.3 has this key and its answer.
TEST(handshake, a_complete_one_is_accepted_with_the_answer_of_the_rfc) {
    const auto read = read_handshake(*asking(upgrade + thirteen + key));
    ASSERT_TRUE(read);
    const response r = accept_handshake(*read);
    EXPECT_EQ(r.status, 101);
    EXPECT_EQ(field_of(r, "Sec-WebSocket-Accept"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

TEST(handshake, what_is_no_handshake_is_told_what_would_be_one) {
    EXPECT_EQ(status_of(""), 426);
    EXPECT_EQ(status_of("Upgrade: websocket\r\n" + thirteen + key), 426);
    EXPECT_EQ(status_of("Connection: Upgrade\r\n" + thirteen + key), 426);
    EXPECT_EQ(status_of("Connection: Upgrade\r\nUpgrade: h2c\r\n" + thirteen + key), 426);
    const auto read = read_handshake(*asking(upgrade + "Sec-WebSocket-Version: 8\r\n" + key));
    ASSERT_FALSE(read);
    EXPECT_EQ(field_of(read.error(), "Sec-WebSocket-Version"), "13");
}

TEST(handshake, a_broken_one_is_refused) {
    EXPECT_EQ(status_of(upgrade + thirteen), 400);
    EXPECT_EQ(status_of(upgrade + thirteen + key + key), 400);
    EXPECT_EQ(status_of(upgrade + thirteen + "Sec-WebSocket-Key: short\r\n"), 400);
    EXPECT_EQ(status_of(upgrade + thirteen + key + "Content-Length: 1\r\n"), 400);
    EXPECT_EQ(status_of(upgrade + thirteen + key, "GET /ws HTTP/1.0"), 400);
}

TEST(handshake, the_subprotocol_is_found_in_any_of_its_fields) {
    EXPECT_TRUE(offers_subprotocol(*asking("Sec-WebSocket-Protocol: x, pulsewire.v1\r\n")));
    EXPECT_TRUE(
        offers_subprotocol(*asking("Sec-WebSocket-Protocol: x\r\nSec-WebSocket-Protocol: pulsewire.v1\r\n"))
    );
    EXPECT_FALSE(offers_subprotocol(*asking("Sec-WebSocket-Protocol: pulsewire.v10\r\n")));
    EXPECT_FALSE(offers_subprotocol(*asking("")));
}

TEST(handshake, compression_is_found_where_it_is_offered) {
    EXPECT_TRUE(offers_compression(*asking("Sec-WebSocket-Extensions: permessage-deflate\r\n")));
    EXPECT_FALSE(offers_compression(*asking("Sec-WebSocket-Extensions: x-webkit-deflate-frame\r\n")));
    EXPECT_FALSE(offers_compression(*asking("")));
}

}  // namespace
}  // namespace pulsewire::shell
