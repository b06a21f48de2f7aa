#include "common/protocol/websocket_reader.hpp"

#include "common/protocol/websocket_expect_test.hpp"

#include <gtest/gtest.h>

namespace pulsewire::websocket {
namespace {

using namespace testing;

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

}  // namespace
}  // namespace pulsewire::websocket
