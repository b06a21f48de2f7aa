// The bounds of the reader, and what a shell asks it to hold its own.

#include "common/protocol/websocket_expect_test.hpp"
#include "common/protocol/websocket_reader.hpp"

#include <gtest/gtest.h>

namespace pulsewire::websocket {
namespace {

using namespace testing;

// An idle connection is this object and nothing else; P5 of the design counts on it.
static_assert(sizeof(reader) <= 64);

// --- Limits

TEST(websocket_reader, protocol_3_6_a_message_of_exactly_the_limit_is_read_and_one_byte_more_is_oversized) {
    const std::string fits(1000, 'f'), larger(1001, 'l');
    EXPECT_EQ(read(frame(1, fits), role::server, 1000), events{text(fits)});
    expect_at_every_cut(
        frame(1, larger) + frame(1, "next"), {oversized(larger.substr(0, 512)), text("next")}, role::server,
        1000
    );
}

TEST(websocket_reader, protocol_3_6_the_beginning_of_an_oversized_message_is_told_and_the_rest_skipped) {
    std::string numbered;
    for (int i = 0; numbered.size() < 1200; ++i) numbered += std::to_string(i) + ' ';
    const std::string head = numbered.substr(0, 512);
    const auto cut = [&](std::size_t from, std::size_t to) { return numbered.substr(from, to - from); };
    // One frame, frames of which the first is too large, and frames of which a later one makes it so.
    expect_at_every_cut(frame(1, numbered) + frame(9, ""), {oversized(head), ping("")}, role::server, 1024);
    expect_at_every_cut(
        frame(1, cut(0, 1100), false) + frame(9, "p") + frame(0, cut(1100, 1200)) + frame(2, "b"),
        {oversized(head), ping("p"), binary("b")}, role::server, 1024
    );
    expect_at_every_cut(
        frame(1, cut(0, 100), false) + frame(0, cut(100, 600), false) + frame(0, cut(600, 1199)) +
            frame(2, "b"),
        {oversized(head), binary("b")}, role::server, 1024
    );
    expect_at_every_cut(
        frame(1, cut(0, 100), false) + frame(9, "p") + frame(0, cut(100, 1199)) + frame(2, "b"),
        {ping("p"), oversized(head), binary("b")}, role::server, 1024
    );
}

TEST(websocket_reader, a_small_oversized_message_is_told_as_far_as_its_frames_reach) {
    expect_at_every_cut(
        frame(1, "12345") + frame(1, "1234"), {oversized("12345"), text("1234")}, role::server, 4
    );
    expect_at_every_cut(
        frame(1, "123", false) + frame(0, "45", false) + frame(0, "6789") + frame(1, "1"),
        {oversized("12345"), text("1")}, role::server, 4
    );
    expect_at_every_cut(frame(1, "") + frame(1, "1"), {text(""), oversized("1")}, role::server, 0);
}

TEST(websocket_reader, an_oversized_message_is_told_before_all_of_it_arrived) {
    feeder f(role::server, limit);
    f.feed(frame({.payload = std::string(511, 'x'), .declared = 1'000'000}));
    EXPECT_TRUE(f.events.empty());
    f.feed("\0");
    f.feed("1");
    ASSERT_EQ(f.events.size(), 1u);
    EXPECT_EQ(f.events[0].kind, event_kind::oversized);
    EXPECT_TRUE(f.subject.mid_message());
}

TEST(websocket_reader, protocol_3_6_beyond_16_mib_a_message_fails_with_1009_at_its_header) {
    EXPECT_EQ(read(frame({.declared = skip_bytes_max})), events{});
    EXPECT_EQ(read(frame({.declared = skip_bytes_max + 1})), events{failed(1009)});
    EXPECT_EQ(read(frame({.op = 2, .declared = std::uint64_t{2} << 30})), events{failed(1009)});
    EXPECT_EQ(read(frame({.declared = (std::uint64_t{1} << 63) - 1})), events{failed(1009)});
    // A limit that the operator set higher still holds.
    EXPECT_EQ(read(frame({.declared = skip_bytes_max + 1}), role::server, skip_bytes_max + 1), events{});
    EXPECT_EQ(
        read(frame({.declared = skip_bytes_max + 2}), role::server, skip_bytes_max + 1), events{failed(1009)}
    );
}

TEST(websocket_reader, lengths_of_fragments_are_added_without_overflow) {
    for (std::uint64_t length :
         {std::uint64_t{skip_bytes_max}, (std::uint64_t{1} << 32) - 5, (std::uint64_t{1} << 63) - 1})
        expect_at_every_cut(frame(1, "12345", false) + frame({.op = 0, .declared = length}), {failed(1009)});
    const std::string half(skip_bytes_max / 2, 'h');
    const std::string one = frame(2, half, false), two = frame(0, half, false);
    EXPECT_EQ(
        read(one + two + frame(0, "") + frame(1, "x")), (events{oversized(half.substr(0, 512)), text("x")})
    );
    EXPECT_EQ(read(one + two + frame(0, "1")), (events{oversized(half.substr(0, 512)), failed(1009)}));
}

TEST(websocket_reader, a_message_has_at_most_1024_fragments_and_empty_ones_count) {
    for (std::string payload : {"", "x"}) {
        std::string many = frame(1, payload, false);
        std::string whole = payload;
        for (int i = 2; i < 1024; ++i) {
            many += frame(0, payload, false);
            whole += payload;
        }
        EXPECT_EQ(
            read(many + frame(0, payload) + frame(1, "next")), (events{text(whole + payload), text("next")})
        );
        EXPECT_EQ(read(many + frame(0, payload, false) + frame(0, "")), events{failed(1008)});
        EXPECT_EQ(
            read(many + frame(9, "") + frame(0, payload, false) + frame(0, "")),
            (events{ping(""), failed(1008)})
        );
    }
    // Also while a message is skipped.
    std::string skipped = frame(1, "too large", false);
    for (int i = 0; i < 1024; ++i) skipped += frame(0, "", false);
    EXPECT_EQ(read(skipped, role::server, 4), (events{oversized("too large"), failed(1008)}));
}

TEST(websocket_reader, a_million_empty_fragments_are_over_after_1024) {
    std::string flood = frame(1, "", false);
    const std::string empty = frame(0, "", false);
    for (int i = 0; i < 1'000'000; ++i) flood += empty;
    reader r(role::server, limit);
    std::span<char> bytes(flood);
    EXPECT_EQ(r.next(bytes).code, 1008);
    EXPECT_EQ(flood.size() - bytes.size(), 1025 * empty.size());
    EXPECT_EQ(r.next(bytes).kind, event_kind::more);
    EXPECT_TRUE(bytes.empty());
}

TEST(websocket_reader, a_million_tiny_messages_are_read_in_one_pass) {
    std::string flood;
    const std::string tiny = frame(1, "x");
    for (int i = 0; i < 1'000'000; ++i) flood += tiny;
    reader r(role::server, limit);
    std::span<char> bytes(flood);
    int messages = 0;
    while (r.next(bytes).kind == event_kind::text) ++messages;
    EXPECT_EQ(messages, 1'000'000);
    EXPECT_TRUE(bytes.empty());
}

// --- What the shell asks

TEST(websocket_reader, mid_message_tells_whether_something_is_cut) {
    const std::string bytes = frame(1, "text") + frame(9, "ping");
    for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
        feeder f(role::server, limit);
        EXPECT_FALSE(f.subject.mid_message());
        f.feed(bytes.substr(0, cut));
        EXPECT_EQ(f.subject.mid_message(), cut != 0 && cut != 10 && cut != 20) << cut;
    }
    feeder f(role::server, 8);
    f.feed(frame(1, "", false));
    EXPECT_TRUE(f.subject.mid_message()) << "between fragments";
    f.feed(frame(9, ""));
    EXPECT_TRUE(f.subject.mid_message()) << "a control frame does not end it";
    f.feed(frame(0, "too large", false));
    EXPECT_TRUE(f.subject.mid_message()) << "a skipped message is one too";
    f.feed(frame(0, ""));
    EXPECT_FALSE(f.subject.mid_message());
}

TEST(websocket_reader, an_idle_connection_holds_no_memory_whatever_it_has_read) {
    const std::string large(300, 'x');
    for (const std::string& bytes :
         {frame(1, "text"), frame(9, "ping"), frame(1, "a", false) + frame(9, "p") + frame(0, "b"),
          frame(2, large) + frame(1, "next"), frame(1, large, false) + frame(10, "p") + frame(0, "rest"),
          frame(8, close_payload(1000, "bye")), frame(1, "cut \xff")})
        for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
            feeder f(role::server, 256);
            f.feed(bytes.substr(0, cut));
            EXPECT_TRUE(f.subject.mid_message() || !f.subject.holds_memory()) << cut;
            f.feed(bytes.substr(cut));
            ASSERT_FALSE(f.subject.holds_memory()) << cut;
        }
    // A header alone, or a message that is skipped, needs none either.
    feeder f(role::server, 256);
    f.feed(frame(1, large).substr(0, 7));
    EXPECT_FALSE(f.subject.holds_memory());
    feeder skipping(role::server, 256);
    skipping.feed(frame({.payload = std::string(600, 'x'), .declared = 5000}));
    EXPECT_TRUE(skipping.subject.mid_message());
    EXPECT_FALSE(skipping.subject.holds_memory());
}

TEST(websocket_reader, begun_changes_with_each_message_but_not_within_one) {
    feeder f(role::server, limit);
    EXPECT_EQ(f.subject.begun(), 0u);
    f.feed("");
    EXPECT_EQ(f.subject.begun(), 0u);
    f.feed(frame(1, "a", false).substr(0, 1));
    EXPECT_EQ(f.subject.begun(), 1u);
    f.feed(frame(1, "a", false).substr(1));
    f.feed(frame(9, "") + frame(0, "b", false) + frame(9, ""));
    EXPECT_EQ(f.subject.begun(), 1u) << "pings do not make a new message of it";
    f.feed(frame(0, "c"));
    EXPECT_EQ(f.subject.begun(), 1u);
    f.feed(frame(1, "d") + frame(9, "") + frame(1, "e").substr(0, 3));
    EXPECT_EQ(f.subject.begun(), 4u);
}

TEST(websocket_reader, control_frames_in_a_row_are_counted_until_a_message_is_whole) {
    feeder f(role::server, 16);
    f.feed(frame(9, "") + frame(10, "") + frame(9, "x"));
    EXPECT_EQ(f.subject.control_frames_in_a_row(), 3u);
    f.feed(frame(1, "a", false) + frame(9, "") + frame(0, "", false));
    EXPECT_EQ(f.subject.control_frames_in_a_row(), 4u) << "fragments do not hide a flood";
    f.feed(frame(0, "b"));
    EXPECT_EQ(f.subject.control_frames_in_a_row(), 0u);
    f.feed(frame(9, "") + frame(2, std::string(17, 'x')));
    EXPECT_EQ(f.subject.control_frames_in_a_row(), 0u);
}

TEST(websocket_reader, a_failure_says_why) {
    for (const std::string& bytes :
         {frame(0, ""), frame(3, ""), frame(8, "x"), frame(1, "\xff"), frame({.reserved_bits = 4}),
          frame({.declared = 1u << 30})}) {
        const auto all = read_whole(bytes, role::server, limit);
        ASSERT_EQ(all.size(), 1u);
        EXPECT_FALSE(all[0].data.empty());
        EXPECT_LE(all[0].data.size(), close_reason_bytes_max);
    }
}

TEST(websocket_reader, a_moved_reader_continues_where_it_was) {
    const std::string bytes = frame(1, "moved", false) + frame(0, " on");
    reader first(role::server, limit);
    std::string begin = bytes.substr(0, 13), rest = bytes.substr(13);
    std::span<char> span(begin);
    EXPECT_EQ(first.next(span).kind, event_kind::more);
    reader second = std::move(first);
    span = rest;
    EXPECT_EQ(second.next(span).data, "moved on");
}

}  // namespace
}  // namespace pulsewire::websocket
