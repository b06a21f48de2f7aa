// Payloads of bytes through every door (protocol 2.5, 8, 10, 11), and what is kept of them.

#include "server/testing/running_server.hpp"
#include "server/testing/temporary_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace pulsewire {
namespace {

using namespace testing;
using namespace std::string_literals;
using ::testing::HasSubstr;
using websocket::event_kind;
using websocket::opcode;

const std::string bytes = "\x00\n\xff{\"\r"s;
const std::string in_base64 = R"("binary":true,"payload":"AAr/eyIN")";
const std::string part = R"("type":"file.part")";

std::string frame(const std::string& head) {
    return head + ",\"bytes\":6}\n" + bytes;
}

websocket_client reader(
    std::uint16_t port, const std::string& channel, const std::string& session, bool binary
) {
    websocket_client c(port, "/ws", "pulsewire.v1");
    c.send_text(
        R"({"op":"connect","id":1,"version":1,"session":")" + session +
        (binary ? R"(","binary":true})" : "\"}")
    );
    EXPECT_EQ(c.line_with("welcome").find("\"binary\":true") != std::string::npos, binary);
    c.send_text(R"({"op":"subscribe","id":2,"channel":")" + channel + "\"}");
    c.line_with("\"subscribed\"");
    return c;
}

// Everybody who listens, in each form. What is published is told to all of them alike.
class bytes_test : public ::testing::Test {
protected:
    bytes_test() { events_.read_until("event: pulsewire.open"), events_.read_until("\n\n"); }

    void expect_told() {
        const auto message = binary_.next();
        EXPECT_EQ(message.kind, event_kind::binary);
        EXPECT_TRUE(message.data.ends_with(",\"bytes\":6}\n" + bytes)) << message.data;
        EXPECT_THAT(text_.next_line(), HasSubstr("," + in_base64 + "}"));
        const auto raw = plain_.next();
        EXPECT_EQ(raw.kind, event_kind::binary);
        EXPECT_EQ(raw.data, bytes);
        EXPECT_THAT(events_.read_until("\n\n"), HasSubstr("," + in_base64 + "}"));
    }
    std::string history() { return ask(server_.port(), "GET", "/api/channels/room/messages").body; }

    running_server server_;
    websocket_client binary_ = reader(server_.port(), "room", "session-of-binary", true);
    websocket_client text_ = reader(server_.port(), "room", "session-of-texts", false);
    websocket_client plain_ = [this] {
        websocket_client c(server_.port(), "/ws/plain/room", "");
        server_.wait_for("pulsewire_subscriptions", 3);
        return c;
    }();
    client events_ = [this] {
        client c(server_.port());
        c.send("GET /events?channel=room HTTP/1.1\r\nHost: localhost\r\n\r\n");
        read_answer(c);
        return c;
    }();
};

TEST_F(bytes_test, published_over_websocket) {
    auto writer = connected(server_.port());
    writer.send_frame(
        opcode::binary,
        frame(R"({"op":"publish","id":5,"channel":"room",)" + part) + R"({"op":"ping","id":6})"
    );
    // In either order: the channel may belong to another loop than the connection.
    const std::string answers = writer.next_line() + writer.next_line();
    EXPECT_THAT(answers, HasSubstr(R"({"op":"published","id":5,)"));
    EXPECT_THAT(answers, HasSubstr(R"({"op":"pong","id":6})"));
    expect_told();
    EXPECT_THAT(history(), HasSubstr("," + in_base64 + "}]"));
}

TEST_F(bytes_test, published_in_raw) {
    websocket_client writer(server_.port(), "/ws/plain/room", "");
    writer.send_frame(opcode::binary, bytes);
    expect_told();
}

TEST_F(bytes_test, published_by_the_body_of_a_request) {
    const auto post = [&](const std::string& query) {
        return ask(
            server_.port(), "POST", "/api/channels/room/messages" + query, bytes,
            "Content-Type: Application/Octet-Stream; x=y\r\n"
        );
    };
    const auto first = post("?type=file.part&key=k-0123456789abcdef&conflate=c");
    EXPECT_EQ(first.status, 200) << first.body;
    expect_told();
    EXPECT_EQ(post("?type=file.part&key=k-0123456789abcdef&conflate=c").body, first.body);
    EXPECT_THAT(history(), HasSubstr(part + R"(,"channel":"room","offset":1)"));
    EXPECT_THAT(history(), HasSubstr(R"("conflate":"c",)" + in_base64));
    EXPECT_EQ(post("?type=no%20type").status, 400);
    EXPECT_EQ(post("?transient=perhaps").status, 400);
    EXPECT_EQ(post("?transient=true").body, "{\"channel\":\"room\"}\n");
    expect_told();
}

TEST_F(bytes_test, published_as_base64_in_json) {
    const auto post = [&](const std::string& body) {
        return ask(server_.port(), "POST", "/api/channels/room/messages", body);
    };
    EXPECT_EQ(post("{" + part + "," + in_base64 + "}").status, 200);
    expect_told();
    const auto bad = post(R"({"binary":true,"payload":"no base64"})");
    EXPECT_EQ(bad.status, 400);
    EXPECT_THAT(bad.body, HasSubstr("invalid_payload"));
}

TEST_F(bytes_test, published_by_the_program_to_everybody_and_to_one) {
    server_->publish_bytes("room", "file.part", std::as_bytes(std::span(bytes)));
    expect_told();
    EXPECT_THROW(server_->publish_bytes("no room", "t", {}), std::invalid_argument);
    EXPECT_THROW(server_->publish_bytes("room", "no type", {}), std::invalid_argument);
}

TEST(bytes, a_stream_takes_as_many_as_a_websocket) {
    running_server server;
    client stream(server.port());
    stream.send("GET /sse HTTP/1.1\r\nHost: localhost\r\n\r\n");
    read_answer(stream);
    const std::string first = stream.read_until("\n\n");
    const std::size_t at = first.find("\"connection\":\"") + 14;
    const std::string name = first.substr(at, first.find('"', at) - at);
    const auto post = [&](const std::string& lines) {
        return ask(server.port(), "POST", "/sse", lines, "Pulsewire-Connection: " + name + "\r\n").status;
    };
    EXPECT_EQ(post(R"({"op":"connect","version":1,"session":"session-of-a-test"})"), 204);
    // 60,000 bytes are 80,000 in base64, which is more than a message may have otherwise.
    const std::string many = R"({"op":"publish","id":2,"channel":"c","type":"t","binary":true,"payload":")" +
                             std::string(80'000, 'A') + "\"}";
    EXPECT_EQ(post(many), 204);
    EXPECT_THAT(stream.read_until("\"id\":2"), HasSubstr("published"));
    EXPECT_EQ(
        post(
            R"({"op":"publish","id":3,"channel":"c","type":"t","payload":")" + std::string(80'000, 'A') +
            "\"}"
        ),
        204
    );
    EXPECT_THAT(stream.read_until("\"id\":3"), HasSubstr("error"));
    EXPECT_EQ(post(many + many), 413);
}

TEST(bytes, survive_a_restart) {
    const temporary_folder folder;
    config c = test_config();
    c.data = folder.path();
    std::string before;
    {
        running_server first(c);
        auto writer = connected(first.port());
        writer.send_frame(
            opcode::binary,
            frame(R"({"op":"publish","id":5,"channel":"room","key":"k-0123456789abcdef",)" + part)
        );
        before = writer.line_with("published");
    }
    running_server second(c);
    EXPECT_THAT(
        ask(second.port(), "GET", "/api/channels/room/messages").body, HasSubstr("," + in_base64 + "}]")
    );
    auto writer = connected(second.port());
    writer.send_frame(
        opcode::binary, frame(R"({"op":"publish","id":5,"channel":"room","key":"k-0123456789abcdef",)" + part)
    );
    EXPECT_EQ(writer.line_with("published"), before);
}

TEST(bytes, handlers_get_them_and_nothing_else) {
    running_server server(test_config(), [](auto& s) {
        s.on_bytes("file.part", [](std::span<const std::byte> b, publish_context& c) {
            if (b.empty()) c.reject("an empty part");
        });
        s.handle_bytes(
            "reverse",
            [](std::span<const std::byte> b, request_context&) -> pulsewire::server::bytes_answer {
                if (b.size() > 100) return failure{rejection{"too many"}};
                return std::vector<std::byte>(b.rbegin(), b.rend());
            }
        );
    });
    auto c = reader(server.port(), "other", "session-of-a-test", true);
    const auto error_of = [&](const std::string& message, bool binary) {
        if (binary)
            c.send_frame(opcode::binary, message);
        else
            c.send_text(message);
        return c.line_with("\"error\"");
    };
    const std::string publish = R"({"op":"publish","id":5,"channel":"room",)" + part;
    c.send_frame(opcode::binary, frame(publish));
    c.line_with("published");
    EXPECT_THAT(error_of(publish + ",\"bytes\":0}\n", true), HasSubstr("an empty part"));
    EXPECT_THAT(
        error_of(publish + ",\"payload\":1}", false), HasSubstr("file.part: expected bytes, found JSON")
    );
    const std::string request = R"({"op":"request","id":6,"type":"reverse")";
    c.send_frame(opcode::binary, frame(request));
    const auto answer = c.next();
    EXPECT_EQ(answer.kind, event_kind::binary);
    EXPECT_EQ(
        answer.data, R"({"op":"response","id":6,"bytes":6})"
                     "\n" +
                         std::string(bytes.rbegin(), bytes.rend())
    );
    EXPECT_THAT(
        error_of(request + ",\"payload\":1}", false), HasSubstr("reverse: expected bytes, found JSON")
    );
    EXPECT_THAT(error_of(request + ",\"bytes\":101}\n" + std::string(101, 'x'), true), HasSubstr("too many"));
}

}  // namespace
}  // namespace pulsewire
