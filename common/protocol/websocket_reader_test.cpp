#include "common/protocol/websocket_reader.hpp"

#include "common/protocol/websocket_reference_test.hpp"

#include <gtest/gtest.h>

namespace pulsewire::websocket {
namespace {

using testing::feeder;
using testing::frame;
using testing::frame_parts;
using testing::read_whole;
using testing::seen;
using testing::without_reasons;

constexpr std::uint32_t limit = 64 * 1024;

// An idle connection is this object and nothing else; P5 of the design counts on it.
static_assert(sizeof(reader) <= 64);

std::vector<seen> read(
    std::string_view bytes, role r = role::server, std::uint32_t message_bytes_max = limit
) {
    return without_reasons(read_whole(bytes, r, message_bytes_max));
}

seen text(std::string data) {
    return {event_kind::text, 0, std::move(data)};
}
seen binary(std::string data) {
    return {event_kind::binary, 0, std::move(data)};
}
seen ping(std::string data) {
    return {event_kind::ping, 0, std::move(data)};
}
seen pong(std::string data) {
    return {event_kind::pong, 0, std::move(data)};
}
seen closed(std::uint16_t code, std::string reason = "") {
    return {event_kind::close, code, std::move(reason)};
}
seen oversized(std::string head) {
    return {event_kind::oversized, 0, std::move(head)};
}
seen failed(std::uint16_t code) {
    return {event_kind::failure, code, ""};
}

using events = std::vector<seen>;

// The same events however the network cuts the bytes: whole, byte by byte, and in two pieces at every place.
void expect_at_every_cut(
    std::string_view bytes, const events& expected, role r = role::server,
    std::uint32_t message_bytes_max = limit
) {
    EXPECT_EQ(read(bytes, r, message_bytes_max), expected) << "whole";
    feeder by_byte(r, message_bytes_max);
    for (std::size_t i = 0; i < bytes.size(); ++i) by_byte.feed(bytes.substr(i, 1));
    EXPECT_EQ(without_reasons(by_byte.events), expected) << "byte by byte";
    EXPECT_TRUE(by_byte.all_taken);
    for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
        feeder in_two(r, message_bytes_max);
        in_two.feed(bytes.substr(0, cut));
        in_two.feed(bytes.substr(cut));
        ASSERT_EQ(without_reasons(in_two.events), expected) << "cut at " << cut;
    }
}

std::string bytes_of(std::initializer_list<int> values) {
    std::string out;
    for (const int v : values) out += static_cast<char>(v);
    return out;
}

std::string close_payload(int code, std::string_view reason = "") {
    return bytes_of({code >> 8, code & 0xff}) + std::string(reason);
}

// --- RFC 6455 5.7, the examples byte by byte

TEST(websocket_reader, rfc6455_5_7_single_frame_unmasked_text) {
    expect_at_every_cut(bytes_of({0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f}), {text("Hello")}, role::client);
}

TEST(websocket_reader, rfc6455_5_7_single_frame_masked_text) {
    expect_at_every_cut(
        bytes_of({0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58}), {text("Hello")}
    );
}

TEST(websocket_reader, rfc6455_5_7_fragmented_unmasked_text) {
    expect_at_every_cut(
        bytes_of({0x01, 0x03, 0x48, 0x65, 0x6c, 0x80, 0x02, 0x6c, 0x6f}), {text("Hello")}, role::client
    );
}

TEST(websocket_reader, rfc6455_5_7_unmasked_ping_and_masked_pong) {
    expect_at_every_cut(bytes_of({0x89, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f}), {ping("Hello")}, role::client);
    expect_at_every_cut(
        bytes_of({0x8a, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58}), {pong("Hello")}
    );
}

TEST(websocket_reader, rfc6455_5_7_binary_of_256_bytes_and_of_64_kib) {
    const std::string small(256, 'b'), large(65536, 'B');
    EXPECT_EQ(read(bytes_of({0x82, 0x7e, 0x01, 0x00}) + small, role::client), events{binary(small)});
    EXPECT_EQ(
        read(bytes_of({0x82, 0x7f, 0, 0, 0, 0, 0, 1, 0, 0}) + large, role::client), events{binary(large)}
    );
}

// --- Messages

TEST(websocket_reader, a_message_that_lies_whole_in_the_buffer_is_not_copied) {
    std::string bytes = frame(1, "first") + frame(1, "second");
    std::span<char> rest(bytes);
    reader r(role::server, limit);
    const event first = r.next(rest);
    EXPECT_EQ(first.data, "first");
    EXPECT_EQ(first.data.data(), bytes.data() + 6);
    const event second = r.next(rest);
    EXPECT_EQ(second.data, "second");
    EXPECT_EQ(second.data.data(), bytes.data() + 11 + 6);
    EXPECT_EQ(first.data, "first") << "the caller's bytes stay";
    EXPECT_EQ(r.next(rest).kind, event_kind::more);
    EXPECT_TRUE(rest.empty());
}

TEST(websocket_reader, a_message_whose_header_alone_was_cut_is_not_copied) {
    std::string bytes = frame(1, "payload");
    reader r(role::server, limit);
    std::span<char> head = std::span<char>(bytes).first(6), rest = std::span<char>(bytes).subspan(6);
    EXPECT_EQ(r.next(head).kind, event_kind::more);
    EXPECT_EQ(r.next(rest).data.data(), bytes.data() + 6);
}

TEST(websocket_reader, every_length_up_to_300_and_around_64_kib_is_read) {
    for (std::size_t size = 0; size <= 300; ++size)
        EXPECT_EQ(read(frame(1, std::string(size, 'x'))), events{text(std::string(size, 'x'))}) << size;
    for (std::size_t size : {65534u, 65535u, 65536u})
        EXPECT_EQ(read(frame(2, std::string(size, 'x'))), events{binary(std::string(size, 'x'))}) << size;
}

TEST(websocket_reader, messages_of_each_length_form_survive_every_cut) {
    for (std::size_t size : {0, 1, 7, 8, 9, 125, 126, 127, 300})
        expect_at_every_cut(
            frame(1, std::string(size, 'x')) + frame(2, "y"), {text(std::string(size, 'x')), binary("y")}
        );
    // All cuts of the longest header; the payload is the same story as above.
    const std::string payload(65536, 'z');
    const std::string bytes = frame(2, payload);
    for (std::size_t cut = 0; cut <= 20; ++cut) {
        feeder f(role::server, limit);
        f.feed(bytes.substr(0, cut));
        f.feed(bytes.substr(cut));
        ASSERT_EQ(f.events, events{binary(payload)}) << cut;
    }
}

TEST(websocket_reader, unmasking_follows_the_payload_over_every_cut) {
    std::string payload;
    for (int i = 0; i < 99; ++i) payload += static_cast<char>('0' + i % 75);
    const std::string bytes = frame(1, payload);
    for (std::size_t first = 0; first < bytes.size(); first += 3)
        for (std::size_t second = first; second < bytes.size(); ++second) {
            feeder f(role::server, limit);
            f.feed(bytes.substr(0, first));
            f.feed(bytes.substr(first, second - first));
            f.feed(bytes.substr(second));
            ASSERT_EQ(f.events, events{text(payload)}) << first << ", " << second;
        }
}

TEST(websocket_reader, rfc6455_5_4_fragments_become_one_message) {
    expect_at_every_cut(frame(1, "a", false) + frame(0, "bc", false) + frame(0, "d"), {text("abcd")});
    expect_at_every_cut(frame(2, "", false) + frame(0, "", false) + frame(0, ""), {binary("")});
    expect_at_every_cut(frame(1, "", false) + frame(0, "end"), {text("end")});
    expect_at_every_cut(frame(1, "all", false) + frame(0, ""), {text("all")});
}

TEST(websocket_reader, rfc6455_5_4_control_frames_may_come_between_fragments) {
    const std::string p125(125, 'p');
    expect_at_every_cut(
        frame(1, "a", false) + frame(9, "1") + frame(0, "b", false) + frame(10, "") + frame(9, p125) +
            frame(0, "c"),
        {ping("1"), pong(""), ping(p125), text("abc")}
    );
}

TEST(websocket_reader, rfc6455_5_5_1_a_close_between_fragments_ends_all) {
    expect_at_every_cut(frame(1, "a", false) + frame(8, close_payload(1000)) + frame(0, "b"), {closed(1000)});
}

TEST(websocket_reader, a_new_message_starts_fresh_after_a_fragmented_one) {
    expect_at_every_cut(
        frame(1, "a", false) + frame(0, "b") + frame(2, "\xff", false) + frame(0, "\xfe") + frame(1, "c"),
        {text("ab"), binary("\xff\xfe"), text("c")}
    );
}

// --- RFC 6455 5.1 and 5.2: what a frame may look like

TEST(websocket_reader, rfc6455_5_1_a_server_refuses_unmasked_frames_and_a_client_masked_ones) {
    const std::string unmasked = frame({.payload = "x", .masked = false});
    expect_at_every_cut(unmasked, {failed(1002)}, role::server);
    expect_at_every_cut(unmasked, {text("x")}, role::client);
    expect_at_every_cut(frame(1, "x"), {failed(1002)}, role::client);
}

TEST(websocket_reader, rfc6455_5_2_reserved_bits_fail) {
    for (int bits = 1; bits <= 7; ++bits)
        for (int op : {0, 1, 2, 8, 9, 10})
            EXPECT_EQ(read(frame({.op = op, .payload = "x", .reserved_bits = bits})), events{failed(1002)})
                << bits << ' ' << op;
}

TEST(websocket_reader, rfc6455_5_2_reserved_opcodes_fail) {
    for (int op : {3, 4, 5, 6, 7, 11, 12, 13, 14, 15})
        for (std::string payload : {"", "x"})
            expect_at_every_cut(frame(1, "before") + frame(op, payload), {text("before"), failed(1002)});
}

TEST(websocket_reader, rfc6455_5_2_lengths_must_be_in_the_shortest_form) {
    for (std::uint64_t size : {0, 1, 125})
        for (int form : {16, 64})
            EXPECT_EQ(
                read(frame({.payload = std::string(size, 'x'), .length_form = form})), events{failed(1002)}
            ) << size;
    for (std::uint64_t size : {126, 65535})
        EXPECT_EQ(read(frame({.payload = std::string(size, 'x'), .length_form = 64})), events{failed(1002)})
            << size;
}

TEST(websocket_reader, rfc6455_5_2_a_length_with_its_highest_bit_set_fails) {
    for (std::uint64_t length :
         {std::uint64_t{1} << 63, (std::uint64_t{1} << 63) + 5, ~std::uint64_t{0} - 1}) {
        EXPECT_EQ(read(frame({.length_form = 64, .declared = length})), events{failed(1002)});
        EXPECT_EQ(
            read(frame(1, "x", false) + frame({.op = 0, .length_form = 64, .declared = length})),
            events{failed(1002)}
        );
    }
    EXPECT_EQ(
        read(bytes_of({0x82, 0xff, 255, 255, 255, 255, 255, 255, 255, 255, 1, 2, 3, 4})), events{failed(1002)}
    );
}

TEST(websocket_reader, rfc6455_5_5_control_frames_are_short_and_whole) {
    for (int op : {8, 9, 10}) {
        EXPECT_EQ(read(frame({.op = op, .payload = std::string(126, 'x')})), events{failed(1002)});
        EXPECT_EQ(read(frame({.op = op, .payload = std::string(70'000, 'x')})), events{failed(1002)});
        EXPECT_EQ(read(frame({.op = op, .final = false})), events{failed(1002)});
        EXPECT_EQ(read(frame({.op = op, .payload = "x", .length_form = 16})), events{failed(1002)});
    }
    const std::string longest(125, 'x');
    expect_at_every_cut(frame(9, longest) + frame(10, longest), {ping(longest), pong(longest)});
}

TEST(websocket_reader, rfc6455_5_4_continuation_rules) {
    expect_at_every_cut(frame(0, "x"), {failed(1002)});
    expect_at_every_cut(frame(0, "x", false), {failed(1002)});
    expect_at_every_cut(frame(1, "a") + frame(0, "b"), {text("a"), failed(1002)});
    for (int op : {1, 2}) expect_at_every_cut(frame(1, "a", false) + frame(op, "b"), {failed(1002)});
    expect_at_every_cut(frame(2, "", false) + frame(9, "p") + frame(2, ""), {ping("p"), failed(1002)});
}

// --- RFC 6455 5.5.1 and 7.4: closing

TEST(websocket_reader, rfc6455_5_5_1_close_with_nothing_with_a_code_and_with_a_reason) {
    expect_at_every_cut(frame(8, ""), {closed(1005)});
    expect_at_every_cut(frame(8, close_payload(1000)), {closed(1000)});
    expect_at_every_cut(frame(8, close_payload(4999, "grün")), {closed(4999, "grün")});
    const std::string longest(123, 'r');
    expect_at_every_cut(frame(8, close_payload(3000, longest)), {closed(3000, longest)});
}

TEST(websocket_reader, rfc6455_5_5_1_a_close_payload_of_one_byte_fails) {
    expect_at_every_cut(frame(8, "\x03"), {failed(1002)});
}

TEST(websocket_reader, rfc6455_7_4_every_close_code_is_taken_or_refused) {
    int taken = 0;
    for (int code = 0; code <= 0xffff; ++code) {
        const bool allowed = (code >= 1000 && code <= 1014 && code != 1004 && code != 1005 && code != 1006) ||
                             (code >= 3000 && code <= 4999);
        taken += allowed;
        const auto expected = allowed ? closed(static_cast<std::uint16_t>(code)) : failed(1002);
        ASSERT_EQ(read(frame(8, close_payload(code))), events{expected}) << code;
    }
    EXPECT_EQ(taken, 12 + 2000);
}

TEST(websocket_reader, rfc6455_8_1_a_close_reason_must_be_utf8) {
    expect_at_every_cut(frame(8, close_payload(1000, "\xce\xba\xff")), {failed(1007)});
    expect_at_every_cut(frame(8, close_payload(1000, "cut \xe2\x82")), {failed(1007)});
}

TEST(websocket_reader, rfc6455_5_5_1_nothing_is_taken_for_an_event_after_close_or_failure) {
    expect_at_every_cut(frame(8, "") + frame(1, "x") + frame(9, "") + frame(8, ""), {closed(1005)});
    expect_at_every_cut(frame(0, "") + frame(1, "x") + frame(9, "") + frame(8, ""), {failed(1002)});
    feeder f(role::server, limit);
    EXPECT_FALSE(f.subject.ended());
    f.feed(frame(8, ""));
    EXPECT_TRUE(f.subject.ended());
    f.feed(std::string(100'000, '\xff'));
    EXPECT_EQ(f.events.size(), 1u);
    EXPECT_TRUE(f.all_taken);
    EXPECT_FALSE(f.subject.mid_message());
}

// --- RFC 6455 8.1: text is UTF-8

TEST(websocket_reader, rfc6455_8_1_valid_text_passes_at_every_cut) {
    const std::string greek = "κόσμε €𐍈\xf4\x8f\xbf\xbf\xee\x80\x80\xef\xbf\xbf";
    expect_at_every_cut(frame(1, greek), {text(greek)});
    // Characters cut by fragments.
    for (std::size_t cut = 0; cut <= greek.size(); ++cut)
        expect_at_every_cut(
            frame(1, greek.substr(0, cut), false) + frame(0, greek.substr(cut)), {text(greek)}
        );
    std::string one_byte_each = frame(1, "", false);
    for (const char c : greek) one_byte_each += frame(0, std::string(1, c), false) + frame(9, "");
    feeder f(role::server, limit);
    f.feed(one_byte_each + frame(0, ""));
    EXPECT_EQ(f.events.back(), text(greek));
}

TEST(websocket_reader, rfc6455_8_1_text_that_is_not_utf8_fails_with_1007) {
    const std::vector<std::string> bad = {
        "\x80",  // a continuation without a start
        "\xc0\xaf",
        "\xc1\xbf",  // overlong
        "\xe0\x80\xaf",
        "\xf0\x80\x80\xaf",
        "\xe0\x9f\xbf",
        "\xf0\x8f\xbf\xbf",
        "\xed\xa0\x80",
        "\xed\xbf\xbf",
        "\xed\xa0\x80\xed\xb0\x80",  // surrogates
        "\xf4\x90\x80\x80",
        "\xf5\x80\x80\x80",
        "\xf8\x88\x80\x80\x80",
        "\xfe",
        "\xff",  // too high
        "\xce",
        "\xe2\x82",
        "\xf0\x9f\x98",
        "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed",  // cut
        "\xe2\x28\xa1",
        "\xf0\x28\x8c\xbc",
        "\xf0\x90\x28\xbc"};
    for (const std::string& text_bytes : bad) {
        expect_at_every_cut(frame(1, text_bytes), {failed(1007)});
        expect_at_every_cut(frame(1, "ascii before, long enough for a word " + text_bytes), {failed(1007)});
        expect_at_every_cut(frame(1, text_bytes, false) + frame(0, ""), {failed(1007)});
        EXPECT_EQ(read(frame(2, text_bytes)), events{binary(text_bytes)}) << "binary is not checked";
    }
}

TEST(websocket_reader, text_that_cannot_become_valid_fails_before_its_message_ends) {
    feeder f(role::server, limit);
    f.feed(frame({.payload = "\xce\xba\xed\xa0", .declared = 5000}));
    EXPECT_EQ(without_reasons(f.events), events{failed(1007)});
    feeder fragments(role::server, limit);
    fragments.feed(frame(1, "ok", false) + frame(0, "\xff", false));
    EXPECT_EQ(without_reasons(fragments.events), events{failed(1007)});
}

TEST(websocket_reader, an_unfinished_character_of_one_message_is_no_matter_of_the_next) {
    // A message too large is skipped unread, so its text may end anywhere.
    const std::string cut(100, '\xe2');
    expect_at_every_cut(
        frame(1, "\xe2\x82", false) + frame(0, cut) + frame(1, "x"),
        {oversized(("\xe2\x82" + cut).substr(0, 102)), text("x")}, role::server, 64
    );
}

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
