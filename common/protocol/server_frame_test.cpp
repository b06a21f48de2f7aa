// The client reads everything that the hub writes; anything else is refused without reading out of bounds.

#include "common/protocol/server_frame.hpp"

#include "common/base/random.hpp"
#include "common/exchange/message_text.hpp"
#include "common/protocol/json_scan.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace pulsewire {
namespace {

constexpr std::string_view payload_key = "\"payload\":";

// The part of a line that the host shows to the machine.
std::string_view header_of(std::string_view line) {
    const auto at = line.find(payload_key);
    return at == std::string_view::npos ? line : line.substr(0, at + payload_key.size());
}

// Reads a line out of memory of exactly its size, so that AddressSanitizer sees each byte read too many.
bool reads(std::string_view line, server_frame& f) {
    const std::string_view header = header_of(line);
    const std::vector<char> exact(header.begin(), header.end());
    f = {};
    return read_server_frame({exact.data(), exact.size()}, static_cast<std::uint32_t>(line.size()), f);
}

bool reads(std::string_view line) {
    server_frame f;
    return reads(line, f);
}

// A message of the hub, its line without the newline, and the frame read from it.
struct round_trip {
    explicit round_trip(hub::message_ptr m) : made(std::move(m)), line(made->line) {
        EXPECT_EQ(line.find('\n'), line.size() - 1) << line;
        line.remove_suffix(1);
        std::size_t stopped_at = 0;
        EXPECT_TRUE(is_json(line, json_depth_max, stopped_at)) << line;
        const std::string_view header = header_of(line);
        EXPECT_TRUE(std::all_of(header.begin(), header.end(), [](char c) { return c >= 0x20 && c < 0x7f; }))
            << line;
        EXPECT_TRUE(reads(line, frame)) << line;
        const bool inside =
            made->payload().empty() || (made->payload().data() >= made->line.data() &&
                                        made->payload().data() < made->line.data() + made->line.size());
        EXPECT_TRUE(inside) << "the views point into the message's own line";
        EXPECT_EQ(text(frame.payload), made->payload());
        EXPECT_EQ(text(frame.channel), made->channel());
        EXPECT_EQ(text(frame.except), made->except());
        EXPECT_EQ(frame.id, made->id);
        EXPECT_EQ(frame.offset, made->offset);
    }

    std::string_view text(slice s) const { return s.of(line); }

    hub::message_ptr made;
    std::string_view line;
    server_frame frame;
};

hub::publish hello() {
    hub::publish p;
    p.channel = "chat:42";
    p.type = "chat.message";
    p.payload = "{\"text\":\"h\xc3\xa9, \\\"payload\\\":\"}";
    return p;
}

// --- each message of the hub ---

TEST(server_frame, reads_publications) {  // 5.1
    const round_trip t(hub::make_message(hello(), 19, 1764000000000));
    EXPECT_EQ(t.frame.op, server_op::message);
    EXPECT_TRUE(t.frame.has_offset);
    EXPECT_EQ(t.frame.offset, 19u);
    EXPECT_EQ(t.frame.time, 1764000000000u);
    EXPECT_EQ(t.text(t.frame.type), "chat.message");
    EXPECT_EQ(t.text(t.frame.payload), hello().payload);
    EXPECT_EQ(t.frame.except.size, 0u);
    EXPECT_EQ(t.made->kind, hub::message_kind::publication);
    EXPECT_EQ(t.made->type(), "chat.message");
    EXPECT_EQ(t.made->time_ms, 1764000000000);
}

TEST(server_frame, reads_whom_a_publication_is_not_for) {  // 4.10
    hub::publish p = hello();
    p.except = "Zk3f9aQx1mPw";
    const round_trip t(hub::make_message(p, 1, 1));
    EXPECT_EQ(t.text(t.frame.except), "Zk3f9aQx1mPw");
}

TEST(server_frame, reads_messages_without_a_place_in_the_log) {  // 4.11, 5.2
    const round_trip transient(hub::make_message(hello(), 0, 5));
    EXPECT_EQ(transient.frame.op, server_op::message);
    EXPECT_FALSE(transient.frame.has_offset);
    EXPECT_EQ(transient.made->kind, hub::message_kind::direct);
    const round_trip direct(hub::make_direct("chat:42", "note", "7"));
    EXPECT_FALSE(direct.frame.has_offset);
    EXPECT_EQ(direct.text(direct.frame.payload), "7");
    EXPECT_EQ(direct.text(direct.frame.type), "note");
}

TEST(server_frame, reads_welcome) {  // 4.1
    limits bounds;
    bounds.ping_ms = 25'001;
    bounds.pong_ms = 8'001;
    bounds.message_bytes_max = 70'000;
    const round_trip t(hub::make_welcome({1, "Zk3f9aQx1mPw", "0.secret", "caf\xc3\xa9 \"1\""}, bounds));
    EXPECT_EQ(t.frame.op, server_op::welcome);
    EXPECT_EQ(t.frame.ping_ms, 25'001u);
    EXPECT_EQ(t.frame.pong_ms, 8'001u);
    EXPECT_EQ(t.frame.message_bytes_max, 70'000u);
    EXPECT_EQ(t.text(t.frame.session), "Zk3f9aQx1mPw");
    EXPECT_NE(t.line.find(R"("connection":"0.secret","server":"caf\u00e9 \"1\"")"), std::string_view::npos);
    EXPECT_NE(t.line.find(R"("channels_max":128,"requests_max":64)"), std::string_view::npos);
    const round_trip without_secret(hub::make_welcome({0, "Zk3f9aQx1mPw", "", "s"}, bounds));
    EXPECT_EQ(without_secret.line.find("\"connection\""), std::string_view::npos);
    EXPECT_EQ(without_secret.line.find("\"id\""), std::string_view::npos);
}

TEST(server_frame, reads_subscribed) {  // 4.3, 4.4
    hub::subscribed_fields f;
    f.id = 3;
    f.channel = "chat:42";
    f.epoch = "x7Qa";
    f.offset = 15;
    const round_trip fresh(hub::make_subscribed(f));
    EXPECT_EQ(fresh.frame.op, server_op::subscribed);
    EXPECT_EQ(fresh.text(fresh.frame.epoch), "x7Qa");
    EXPECT_TRUE(fresh.frame.has_offset);
    EXPECT_FALSE(fresh.frame.has_recovered);
    f.asked_to_recover = true;
    f.replay = 3;
    const round_trip recovered(hub::make_subscribed(f));
    EXPECT_TRUE(recovered.frame.has_recovered && recovered.frame.recovered);
    EXPECT_EQ(recovered.frame.replay, 3u);
    EXPECT_TRUE(recovered.made->recovered);
    f.reason = "epoch_changed";
    const round_trip lost(hub::make_subscribed(f));
    EXPECT_TRUE(lost.frame.has_recovered && !lost.frame.recovered);
    EXPECT_EQ(lost.text(lost.frame.reason), "epoch_changed");
    EXPECT_EQ(lost.made->reason(), "epoch_changed");
    EXPECT_FALSE(lost.made->recovered);
}

TEST(server_frame, reads_the_answers_to_commands) {  // 4.8, 4.9, 4.11, 4.12
    EXPECT_EQ(round_trip(hub::make_unsubscribed(5, "a")).frame.op, server_op::unsubscribed);
    const round_trip kept(hub::make_published(6, "a", "x7Qa", 19));
    EXPECT_EQ(kept.frame.op, server_op::published);
    EXPECT_EQ(kept.text(kept.frame.epoch), "x7Qa");
    const round_trip transient(hub::make_published(6, "a", "", 0));
    EXPECT_FALSE(transient.frame.has_offset);
    EXPECT_EQ(transient.frame.epoch.size, 0u);
    const round_trip response(hub::make_response(7, "{\"sum\":3}"));
    EXPECT_EQ(response.frame.op, server_op::response);
    EXPECT_EQ(response.text(response.frame.payload), "{\"sum\":3}");
}

TEST(server_frame, reads_history) {  // 4.14
    const round_trip t(hub::make_history(8, "a", "x7Qa", 19, true, false, R"([{"type":"t","payload":1}])"));
    EXPECT_EQ(t.frame.op, server_op::history);
    EXPECT_EQ(t.text(t.frame.payload), R"([{"type":"t","payload":1}])");
    EXPECT_TRUE(t.made->more);
    EXPECT_NE(t.line.find(R"("more":true)"), std::string_view::npos);
}

TEST(server_frame, reads_presence) {  // 4.6, 4.16
    const round_trip query(hub::make_members(9, "a", "[]"));
    EXPECT_EQ(query.frame.op, server_op::presence);
    EXPECT_EQ(query.made->kind, hub::message_kind::answer);
    const round_trip event(hub::make_members(0, "a", "[]"));
    EXPECT_EQ(event.frame.id, 0u);
    EXPECT_EQ(event.made->kind, hub::message_kind::presence);
    const round_trip join(hub::make_join("a", "ada-session", {"{}"}));
    EXPECT_EQ(join.frame.op, server_op::join);
    EXPECT_EQ(join.text(join.frame.session), "ada-session");
    const round_trip leave(hub::make_leave("a", "ada-session"));
    EXPECT_EQ(leave.frame.op, server_op::leave);
    EXPECT_EQ(leave.frame.payload.size, 0u);
}

TEST(server_frame, reads_errors) {  // 6.1
    const round_trip t(hub::make_error(
        6, error_code::invalid_payload,
        "too \"b\xc3\xa9"
        "d\"\n",
        "/a~1b"
    ));
    EXPECT_EQ(t.frame.op, server_op::error);
    EXPECT_EQ(t.text(t.frame.code), "invalid_payload");
    EXPECT_EQ(t.frame.close, 0u);
    EXPECT_EQ(t.text(t.frame.pointer), "/a~1b");
    EXPECT_EQ(t.made->pointer(), "/a~1b");
    EXPECT_EQ(t.text(t.frame.message), R"(too \"b\u00e9d\"\u000a)");
    EXPECT_EQ(t.made->text(), t.text(t.frame.message));
    EXPECT_EQ(t.made->code, error_code::invalid_payload);
    const round_trip plain(hub::make_error(0, error_code::malformed_json, ""));
    EXPECT_EQ(plain.frame.pointer.size, 0u);
    EXPECT_EQ(plain.line, R"({"op":"error","code":"malformed_json","message":""})");
}

TEST(server_frame, reads_heartbeats_and_the_end) {  // 4.15, 7.1
    EXPECT_EQ(round_trip(hub::make_ping()).frame.op, server_op::ping);
    EXPECT_EQ(round_trip(hub::make_pong(0)).frame.op, server_op::pong);
    EXPECT_EQ(round_trip(hub::make_pong(4)).frame.id, 4u);
    const round_trip restart(hub::make_close(close_code::service_restart, 1'700, "the server restarts"));
    EXPECT_EQ(restart.frame.op, server_op::close);
    EXPECT_EQ(restart.frame.close, 1012u);
    EXPECT_EQ(restart.frame.after_ms, 1'700u);
    EXPECT_EQ(restart.text(restart.frame.message), "the server restarts");
    EXPECT_NE(restart.line.find(R"("reconnect":true)"), std::string_view::npos);
    const round_trip final(hub::make_close(close_code::unsupported_version, 0, ""));
    EXPECT_EQ(final.frame.after_ms, 0u);
    EXPECT_NE(final.line.find(R"("reconnect":false)"), std::string_view::npos);
}

TEST(server_frame, a_gap_is_read) {  // 5.4
    server_frame f;
    const std::string line = R"({"op":"gap","channel":"chat:42","offset":40})";
    ASSERT_TRUE(reads(line, f));
    EXPECT_EQ(f.op, server_op::gap);
    EXPECT_EQ(f.offset, 40u);
    EXPECT_EQ(f.channel.of(line), "chat:42");
}

// --- what later servers may send ---

TEST(server_frame, ignores_what_it_does_not_know) {
    server_frame f;
    ASSERT_TRUE(reads(R"({"op":"stream","connection":"kT0v","x":true,"y":0,"payload":[]})", f));
    EXPECT_EQ(f.op, server_op::unknown);
    ASSERT_TRUE(reads(R"({"op":"pin","new":"a\"b\\","more":false})", f));
    EXPECT_EQ(f.op, server_op::unknown);
    ASSERT_TRUE(reads(R"({"channel":"a","op":"pong"})", f)) << "op anywhere";
    EXPECT_EQ(f.op, server_op::pong);
}

// --- garbage ---

std::vector<std::string> samples() {
    hub::publish p = hello();
    p.except = "Zk3f9aQx1mPw";
    hub::subscribed_fields s{3, "chat:42", "x7Qa", 15, 3, true, "expired"};
    std::vector<std::string> lines;
    for (const auto& m : std::vector<hub::message_ptr>{
             hub::make_message(p, 19, 1764000000000), hub::make_welcome({1, "Zk3f9aQx1mPw", "s", "v"}, {}),
             hub::make_subscribed(s), hub::make_error(6, error_code::invalid_payload, "\"\\", "/a"),
             hub::make_close(close_code::service_restart, 9, "x"), hub::make_join("a", "ada-session", {"{}"}),
             hub::make_history(8, "a", "x7Qa", 19, true, false, "[]"), hub::make_pong(4)})
        lines.push_back(m->line.substr(0, m->line.size() - 1));
    return lines;
}

TEST(server_frame, refuses_every_line_that_is_cut_before_its_payload) {
    for (const std::string& line : samples()) {
        const std::size_t needed =
            header_of(line).size() == line.size() ? line.size() : header_of(line).size() + 2;
        for (std::size_t size = 0; size < line.size(); ++size)
            EXPECT_EQ(reads(line.substr(0, size)), size >= needed) << line.substr(0, size);
    }
}

TEST(server_frame, refuses_what_is_no_frame) {
    for (const std::string line :
         {"",
          "{",
          "}",
          "{}",
          "[]",
          "hello",
          "null",
          "\"",
          "{\"",
          "{\"a",
          "{\"a\"",
          "{\"a\":",
          "{\"a\":}",
          "{\"a\":1",
          "{\"a\":1,",
          "{\"a\":1,}",
          "{\"a\":1}}",
          "{\"a\":1} ",
          " {\"a\":1}",
          "{ \"a\":1}",
          "{\"a\": 1}",
          "{\"a\":null}",
          "{\"a\":-1}",
          "{\"a\":[]}",
          "{\"a\":{}",
          "{\"a\":tru}",
          "{\"a\":f",
          "{\"a\":\"",
          "{\"a\":\"\\",
          "{\"a\":\"\\\"",
          "{\"a\":\"\\\"}",
          "{a:1}",
          "{\"a\":1.5}",
          "{\"payload\":",
          "{\"payload\":}",
          "{\"a\":1\"payload\":1}",
          "\"payload\":1}",
          "{\"a\":1 ,\"b\":2}"})
        EXPECT_FALSE(reads(line)) << line;
}

TEST(server_frame, slices_stay_inside_of_the_line_whatever_it_holds) {
    const std::vector<std::string> lines = samples();
    std::uint64_t random = 99;
    const auto below = [&](std::size_t bound) {
        return static_cast<std::size_t>(next_random(random, static_cast<std::uint32_t>(bound)));
    };
    const std::string_view bytes = "{}[]\",:\\ tf09ap\xff";
    int read = 0;
    for (int i = 0; i < 20'000; ++i) {
        std::string line = lines[below(lines.size())];
        for (std::size_t times = 1 + below(3); times > 0; --times) {
            const std::size_t at = below(line.size());
            switch (below(4)) {
                case 0:
                    line.erase(at, 1 + below(4));
                    break;
                case 1:
                    line.insert(at, 1, bytes[below(bytes.size())]);
                    break;
                case 2:
                    line[at] = bytes[below(bytes.size())];
                    break;
                default:
                    line.insert(at, line.substr(below(line.size()), 12));
            }
            if (line.empty()) line = "{";
        }
        server_frame f;
        if (!reads(line, f)) continue;
        ++read;
        for (const slice s :
             {f.type, f.channel, f.epoch, f.session, f.except, f.reason, f.message, f.pointer, f.code,
              f.payload})
            ASSERT_LE(std::uint64_t{s.at} + s.size, line.size()) << line;
    }
    EXPECT_GT(read, 1'000);
}

TEST(server_frame, reads_users_and_how_long_their_tokens_count) {
    const std::string line =
        R"({"op":"welcome","session":"abc","user":"auth0=7C5","expires_in_ms":3600000,"server":"s"})";
    server_frame f;
    ASSERT_TRUE(read_server_frame(line, static_cast<std::uint32_t>(line.size()), f));
    EXPECT_EQ(f.user.of(line), "auth0=7C5");
    EXPECT_EQ(f.expires_in_ms, 3'600'000u);

    const std::string wanted = R"({"op":"refresh_wanted","within_ms":30000,"reason":"revoked"})";
    server_frame w;
    ASSERT_TRUE(read_server_frame(wanted, static_cast<std::uint32_t>(wanted.size()), w));
    EXPECT_EQ(w.op, server_op::refresh_wanted);
    EXPECT_EQ(w.after_ms, 30'000u);
    EXPECT_EQ(w.reason.of(wanted), "revoked");

    const std::string refreshed = R"({"op":"refreshed","id":9,"expires_in_ms":5})";
    server_frame r;
    ASSERT_TRUE(read_server_frame(refreshed, static_cast<std::uint32_t>(refreshed.size()), r));
    EXPECT_EQ(r.op, server_op::refreshed);
    EXPECT_EQ(r.id, 9u);
    EXPECT_EQ(r.expires_in_ms, 5u);
}

TEST(server_frame, reads_what_a_token_shows_as_one_value) {
    const std::string info = R"({"name":"} \" {","roles":[{"a":{}}],"n":1.5})";
    const std::string header =
        R"({"op":"join","channel":"c","session":"s","user_info":)" + info + R"(,"payload":)";
    const std::string line = header + "1}";
    server_frame f;
    ASSERT_TRUE(read_server_frame(header, static_cast<std::uint32_t>(line.size()), f));
    EXPECT_EQ(f.user_info.of(line), info);
    EXPECT_EQ(f.payload.of(line), "1");
    for (std::size_t cut = header.size() - 1; cut != 0; --cut) {
        server_frame broken;
        EXPECT_FALSE(read_server_frame(
            std::string_view(header).substr(0, cut), static_cast<std::uint32_t>(cut), broken
        )) << cut;
    }
}

}  // namespace
}  // namespace pulsewire
