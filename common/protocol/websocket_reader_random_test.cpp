// The reader against a reference that was written apart from it, on random connections: mostly right, now and
// then wrong, cut at random places. A failing case is named by its seed.

#include "common/protocol/websocket_reference_test.hpp"

#include <gtest/gtest.h>

#include <random>

namespace pulsewire::websocket {
namespace {

using testing::feeder;
using testing::frame;
using testing::frame_parts;
using testing::reference;
using testing::without_reasons;

// The parts of each case are counted, so that a generator that no longer makes some of them is noticed.
struct tally {
    int events[8] = {};
    int failures_1002 = 0, failures_1007 = 0, failures_1008 = 0, failures_1009 = 0;
};

class connection {
public:
    explicit connection(std::uint32_t seed) : random_(seed), masked_(seed % 4 != 0) {}

    role reader_role() const { return masked_ ? role::server : role::client; }

    std::string bytes() {
        std::string out;
        const int frames = pick(1, 12);
        for (int i = 0; i < frames; ++i) out += one_in(300) ? many_fragments() : next_frame();
        if (one_in(8))
            out[static_cast<std::size_t>(pick(0, static_cast<int>(out.size()) - 1))] ^=
                static_cast<char>(1 << pick(0, 7));
        if (one_in(8)) out.resize(static_cast<std::size_t>(pick(0, static_cast<int>(out.size()))));
        return out;
    }

    // Not std::uniform_int_distribution, which draws differently in each standard library.
    int pick(int low, int high) {
        return low + static_cast<int>(random_() % static_cast<std::uint32_t>(high - low + 1));
    }
    bool one_in(int n) { return pick(1, n) == 1; }

private:
    std::string next_frame() {
        frame_parts parts;
        parts.masked = masked_;
        for (char& c : parts.key) c = static_cast<char>(pick(0, 255));
        if (one_in(3)) {
            parts.op = one_in(10) ? 8 : pick(9, 10);
            parts.payload = one_in(8) ? some_text(125) : some_text(20);
            if (parts.op == 8 && !one_in(10)) parts.payload.insert(0, one_in(3) ? "\x03\xed" : "\x03\xe8");
        } else {
            parts.op = open_ ? 0 : pick(1, 2);
            parts.final = one_in(2);
            parts.payload = one_in(6) ? some_text(900) : some_text(40);
            open_ = !parts.final;
        }
        if (one_in(60)) parts.op = pick(0, 15);
        if (one_in(100)) parts.reserved_bits = pick(1, 7);
        if (one_in(100)) parts.length_form = one_in(2) ? 16 : 64;
        if (one_in(200)) parts.masked = !parts.masked;
        if (one_in(200)) parts.final = !parts.final;
        if (one_in(200))
            parts.declared = (std::uint64_t{1} << pick(0, 63)) - static_cast<std::uint64_t>(pick(0, 1));
        return frame(parts);
    }

    std::string many_fragments() {
        std::string out;
        for (int i = pick(1000, 1030); i > 0; --i)
            out += frame({.op = open_ ? 0 : 1, .final = false, .masked = masked_}), open_ = true;
        return out;
    }

    std::string some_text(int bytes_max) {
        static const std::string pieces[] = {"a", "hello, ", "\n", "é", "€", "😀", std::string(17, 'x')};
        std::string out;
        const auto bytes = static_cast<std::size_t>(pick(0, bytes_max));
        while (out.size() < bytes)
            out += one_in(400) ? std::string(1, static_cast<char>(pick(0, 255))) : pieces[pick(0, 6)];
        if (out.size() > bytes && !one_in(3)) out.resize(bytes);  // now and then within a character
        return out;
    }

    std::mt19937 random_;
    bool masked_;
    bool open_ = false;
};

TEST(websocket_reader, agrees_with_the_reference_on_15000_random_connections) {
    tally all;
    for (std::uint32_t seed = 1; seed <= 15'000; ++seed) {
        connection c(seed);
        const std::string bytes = c.bytes();
        const std::uint32_t message_bytes_max = c.one_in(2) ? 600 : c.one_in(2) ? 60 : 65536;
        const reference expected(bytes, c.reader_role(), message_bytes_max);

        feeder whole(c.reader_role(), message_bytes_max), by_byte(c.reader_role(), message_bytes_max),
            in_pieces(c.reader_role(), message_bytes_max);
        whole.feed(bytes);
        for (std::size_t i = 0; i < bytes.size(); ++i) by_byte.feed(std::string_view(bytes).substr(i, 1));
        for (std::size_t i = 0; i < bytes.size();) {
            const auto piece = static_cast<std::size_t>(c.pick(1, c.one_in(3) ? 700 : 30));
            in_pieces.feed(std::string_view(bytes).substr(i, piece));
            i += piece;
        }
        ASSERT_EQ(without_reasons(whole.events), expected.events) << "seed " << seed;
        ASSERT_EQ(without_reasons(by_byte.events), expected.events) << "seed " << seed;
        ASSERT_EQ(without_reasons(in_pieces.events), expected.events) << "seed " << seed;
        ASSERT_EQ(whole.subject.ended(), expected.ended) << "seed " << seed;
        ASSERT_EQ(whole.subject.mid_message(), by_byte.subject.mid_message()) << "seed " << seed;
        ASSERT_EQ(whole.subject.begun(), by_byte.subject.begun()) << "seed " << seed;

        for (const auto& e : expected.events) {
            ++all.events[static_cast<int>(e.kind)];
            if (e.kind != event_kind::failure) continue;
            (e.code == 1002   ? all.failures_1002
             : e.code == 1007 ? all.failures_1007
             : e.code == 1008 ? all.failures_1008
                              : all.failures_1009)++;
        }
    }
    for (int kind = 1; kind < 8; ++kind) EXPECT_GT(all.events[kind], 200) << kind;
    EXPECT_GT(all.failures_1002, 500);
    EXPECT_GT(all.failures_1007, 200);
    EXPECT_GT(all.failures_1008, 20);
    EXPECT_GT(all.failures_1009, 20);
}

}  // namespace
}  // namespace pulsewire::websocket
