#include "common/delivery/event_stream_writer.hpp"

#include "common/exchange/message_text.hpp"
#include "common/protocol/event_stream_reference_test.hpp"

#include <gtest/gtest.h>

namespace pulsewire::delivery {
namespace {

using namespace hub;

using event_stream::testing::event_source;
using event_stream::testing::seen_event;
using outcome = event_stream_writer::outcome;
using events = std::vector<seen_event>;

// Of a kind whose parts do not matter.
message_ptr make(message_kind kind, std::string_view line) {
    auto m = std::make_shared<message>(0);
    m->kind = kind;
    m->line.append(line).append("\n");
    return m;
}

// The others as the hub makes them.
message_ptr subscribed(
    std::string_view channel, std::string_view epoch, std::uint64_t offset, std::string_view not_because = {}
) {
    subscribed_fields f;
    f.channel = channel;
    f.epoch = epoch;
    f.offset = offset;
    f.reason = not_because;
    return make_subscribed(f);
}

message_ptr publication(std::string_view channel, std::uint64_t offset, std::string_view type = "message") {
    publish p;
    p.channel = channel;
    p.type = type;
    p.payload = "1";
    return make_message(p, offset, 1'764'000'000'000);
}

std::string data_of(const message_ptr& m) {
    return m->line.substr(0, m->line.size() - 1);
}

message_ptr hint() {
    return make_direct("a", "hint", "1");
}

// One stream and what a browser sees of it.
struct stream {
    explicit stream(std::vector<std::string> channels) : writer(std::move(channels)) {}

    outcome write(const message_ptr& m) {
        const outcome result = writer.write(m, 1764000000000, text);
        if (writer.opened())
            for (const message_ptr& waited : writer.take_waiting()) writer.write(waited, 1764000000000, text);
        return result;
    }
    event_source seen() const { return event_source(text); }

    event_stream_writer writer;
    std::string text;
};

TEST(event_stream_writer, protocol_8_4_3_channels_are_sorted_and_each_counts_once) {
    const event_stream_writer w({"b", "a", "b", "a:2"});
    EXPECT_EQ(w.channels(), (std::vector<std::string>{"a", "a:2", "b"}));
}

TEST(event_stream_writer, protocol_8_4_6_the_stream_opens_when_all_channels_are_subscribed) {
    stream s({"news", "chat"});
    EXPECT_EQ(s.write(subscribed("news", "n1", 4)), outcome::written);
    EXPECT_EQ(s.text, "");
    EXPECT_FALSE(s.writer.opened());
    EXPECT_EQ(s.write(subscribed("chat", "c1", 18)), outcome::written);
    EXPECT_TRUE(s.writer.opened());
    EXPECT_EQ(s.seen().retry_ms, 2000u);
    EXPECT_EQ(
        s.seen().events, (events{
                             {"pulsewire.open",
                              "{\"positions\":[{\"channel\":\"chat\",\"epoch\":\"c1\",\"offset\":18},{"
                              "\"channel\":\"news\",\"epoch\":\"n1\",\"offset\":4}]}",
                              "1.c1.18.n1.4"}})
    );
}

TEST(event_stream_writer, protocol_8_4_6_each_stream_has_a_wait_of_its_own) {
    stream s({"a"});
    s.writer.set_retry(4'321);
    s.write(subscribed("a", "e", 0));
    EXPECT_EQ(s.seen().retry_ms, 4321u);
    std::string out;
    s.writer.write(make_close(close_code::service_restart, 1'700, "the server restarts"), 0, out);
    EXPECT_TRUE(out.starts_with("retry: 2700\nevent: pulsewire.close\n")) << out;
    out.clear();
    s.writer.write(make_close(close_code::slow_consumer, 0, "too \"after_ms\":5 slow"), 0, out);
    EXPECT_TRUE(out.starts_with("event: pulsewire.close\n")) << out;
}

TEST(event_stream_writer, protocol_8_4_3_each_publication_moves_the_cursor_of_its_channel) {
    stream s({"a", "b"});
    s.write(subscribed("a", "e", 0));
    s.write(subscribed("b", "f", 7));
    s.text.clear();
    EXPECT_EQ(s.write(publication("b", 8, "chat.message")), outcome::written);
    EXPECT_EQ(s.write(publication("a", 1)), outcome::written);
    EXPECT_EQ(s.write(hint()), outcome::written);
    EXPECT_EQ(
        s.text, "event: chat.message\nid: 1.e.0.f.8\ndata: " + data_of(publication("b", 8, "chat.message")) +
                    "\n\nid: 1.e.1.f.8\ndata: " + data_of(publication("a", 1)) +
                    "\n\nevent: hint\ndata: " + data_of(hint()) + "\n\n"
    );
    EXPECT_EQ(s.writer.position().encode(), "1.e.1.f.8");
}

TEST(event_stream_writer, what_comes_before_the_stream_opens_waits_and_keeps_its_order) {
    stream s({"a", "b"});
    s.write(subscribed("a", "e", 5));
    s.write(publication("a", 6));
    s.write(hint());
    s.write(publication("a", 7));
    EXPECT_EQ(s.text, "");
    s.write(subscribed("b", "f", 0));
    const auto seen = s.seen().events;
    ASSERT_EQ(seen.size(), 4u);
    EXPECT_EQ(seen[0].type, "pulsewire.open");
    EXPECT_EQ(seen[0].last_id, "1.e.5.f.0");
    EXPECT_EQ(seen[1], (seen_event{"message", data_of(publication("a", 6)), "1.e.6.f.0"}));
    EXPECT_EQ(seen[2], (seen_event{"hint", data_of(hint()), "1.e.6.f.0"}));
    EXPECT_EQ(seen[3], (seen_event{"message", data_of(publication("a", 7)), "1.e.7.f.0"}));
}

TEST(event_stream_writer, more_than_may_wait_is_an_overflow) {
    stream s({"a", "b"});
    s.write(subscribed("a", "e", 0));
    const auto m = publication("a", 1);
    for (std::size_t i = 0; i < event_stream_writer::waiting_max; ++i)
        ASSERT_EQ(s.write(m), outcome::written);
    EXPECT_EQ(s.write(m), outcome::overflow);
}

TEST(event_stream_writer, protocol_8_4_5_a_channel_that_was_not_recovered_has_a_gap_event) {
    stream s({"a", "b", "c"});
    s.write(subscribed("a", "e", 5));
    s.write(subscribed("b", "new", 0, "epoch_changed"));
    s.write(subscribed("c", "h", 90, "expired"));
    const auto seen = s.seen().events;
    ASSERT_EQ(seen.size(), 3u);
    EXPECT_EQ(seen[1].type, "pulsewire.gap");
    EXPECT_EQ(seen[1].data, "{\"channel\":\"b\",\"recovered\":false,\"reason\":\"epoch_changed\"}");
    EXPECT_EQ(seen[2].data, "{\"channel\":\"c\",\"recovered\":false,\"reason\":\"expired\"}");
}

// P2: no silent gap. Wherever the connection breaks, a browser either saw every gap event or comes back with
// its old cursor and is told again.
TEST(event_stream_writer, a_connection_that_breaks_before_the_last_gap_event_keeps_the_old_cursor) {
    stream s({"a", "b"});
    s.write(subscribed("a", "new", 3, "epoch_changed"));
    s.write(subscribed("b", "h", 90, "expired"));
    for (std::size_t cut = 0; cut <= s.text.size(); ++cut) {
        const event_source browser(std::string_view(s.text).substr(0, cut), "1.old.1.h.2");
        int gaps = 0;
        for (const auto& e : browser.events) gaps += e.type == "pulsewire.gap";
        ASSERT_EQ(browser.last_id, gaps == 2 ? "1.new.3.h.90" : "1.old.1.h.2") << cut;
    }
}

TEST(event_stream_writer, protocol_8_4_4_every_id_resumes_exactly_behind_its_event) {
    stream s({"a", "b"});
    s.write(subscribed("a", "e", 0));
    s.write(subscribed("b", "f", 0));
    for (std::uint64_t i = 1; i <= 20; ++i)
        s.write(publication(i % 3 == 0 ? "b" : "a", i % 3 == 0 ? i / 3 : i - i / 3));
    std::uint64_t last_a = 0, last_b = 0;
    for (const auto& e : s.seen().events) {
        if (e.type == "message") ++(e.data.find("\"channel\":\"a\"") != std::string::npos ? last_a : last_b);
        const auto resumed = event_stream::cursor::parse(e.last_id, 2);
        ASSERT_TRUE(resumed.has_value()) << e;
        EXPECT_EQ(resumed->at(0).epoch, "e");
        EXPECT_EQ(resumed->at(0).offset, last_a);
        EXPECT_EQ(resumed->at(1).epoch, "f");
        EXPECT_EQ(resumed->at(1).offset, last_b);
    }
    EXPECT_EQ(last_a + last_b, 20u);
}

TEST(event_stream_writer, protocol_5_3_a_publication_that_the_stream_had_is_not_sent_again) {
    stream s({"a"});
    s.write(subscribed("a", "e", 5));
    s.text.clear();
    EXPECT_EQ(s.write(publication("a", 5)), outcome::nothing);
    EXPECT_EQ(s.write(publication("a", 6)), outcome::written);
    EXPECT_EQ(s.write(publication("a", 6)), outcome::nothing);
    EXPECT_EQ(s.seen().events.size(), 1u);
}

TEST(event_stream_writer, protocol_8_4_6_ping_and_close_become_events) {
    stream s({"a"});
    EXPECT_EQ(s.write(make(message_kind::ping, "{\"op\":\"ping\"}")), outcome::nothing) << "not before open";
    s.write(subscribed("a", "e", 0));
    s.text.clear();
    EXPECT_EQ(s.write(make(message_kind::ping, "{\"op\":\"ping\"}")), outcome::written);
    EXPECT_EQ(s.write(make(message_kind::close, "{\"op\":\"close\",\"code\":1012}")), outcome::written);
    EXPECT_EQ(
        s.seen().events, (events{
                             {"pulsewire.ping", "{\"time\":1764000000000}", ""},
                             {"pulsewire.close", "{\"op\":\"close\",\"code\":1012}", ""}})
    );
}

TEST(event_stream_writer, a_close_is_told_even_before_the_stream_opens) {
    stream s({"a"});
    EXPECT_EQ(s.write(make(message_kind::close, "{\"op\":\"close\",\"code\":1012}")), outcome::written);
    EXPECT_EQ(s.seen().events.size(), 1u);
}

TEST(event_stream_writer, what_is_not_for_a_plain_stream_is_nothing) {
    stream s({"a"});
    EXPECT_EQ(s.write(subscribed("other", "e", 0)), outcome::nothing);
    s.write(subscribed("a", "e", 0));
    s.text.clear();
    for (const message_kind kind :
         {message_kind::presence, message_kind::welcome, message_kind::published, message_kind::history,
          message_kind::answer, message_kind::error, message_kind::pong})
        EXPECT_EQ(s.write(make(kind, "{}")), outcome::nothing);
    EXPECT_EQ(s.write(publication("other", 1)), outcome::nothing);
    EXPECT_EQ(s.write(subscribed("a", "z", 9)), outcome::nothing) << "a second answer changes nothing";
    EXPECT_EQ(s.text, "");
    EXPECT_EQ(s.writer.position().encode(), "1.e.0");
}

TEST(event_stream_writer, protocol_8_4_7_what_was_dropped_is_told_and_the_cursor_is_behind_it) {
    stream s({"a", "b"});
    s.write(subscribed("a", "e1", 4));
    s.write(subscribed("b", "e2", 7));
    s.text.clear();
    s.writer.skip("a", 9, "dropped", s.text);
    ASSERT_EQ(s.seen().events.size(), 1u);
    EXPECT_EQ(s.seen().events[0].type, "pulsewire.gap");
    EXPECT_EQ(s.seen().events[0].data, R"({"channel":"a","recovered":false,"reason":"dropped"})");
    EXPECT_EQ(s.writer.position().encode(), "1.e1.9.e2.7");
    EXPECT_NE(s.text.find("id: 1.e1.9.e2.7\n"), std::string::npos);
    s.text.clear();
    s.writer.skip("a", 9, "dropped", s.text);
    s.writer.skip("b", 3, "dropped", s.text);
    s.writer.skip("c", 3, "dropped", s.text);
    EXPECT_EQ(s.text, "") << "what is behind it already is not missing";
    EXPECT_EQ(s.write(publication("a", 9)), outcome::nothing);
    EXPECT_EQ(s.write(publication("a", 10)), outcome::written);
}

}  // namespace
}  // namespace pulsewire::delivery
