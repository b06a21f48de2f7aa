// The WebSocket reader, held against the reference of its tests. The first byte chooses the role, the limit
// and how the rest, one direction of a connection, is cut.

#include "common/protocol/websocket_reference_test.hpp"
#include "common/protocol/websocket_writer.hpp"
#include "fuzz/fuzz.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace pulsewire::fuzz {
namespace {

using namespace websocket;
using websocket::testing::feeder;
using websocket::testing::reference;
using websocket::testing::seen;
using websocket::testing::without_reasons;

// What the reader reads the writer writes so that the reader reads the same.
void round_trip(const seen& s, role r) {
    const masking_key key{0x11, 0x82, 0xf3, 0x64};
    const bool masked = r == role::server;
    std::string bytes;
    switch (s.kind) {
        case event_kind::text:
        case event_kind::binary: {
            const opcode op = s.kind == event_kind::text ? opcode::text : opcode::binary;
            std::string payload = s.data;
            if (masked) apply_mask(payload, key);
            bytes = std::string(
                        masked ? frame_header(op, payload.size(), key) : frame_header(op, payload.size())
                    ) +
                    payload;
            break;
        }
        case event_kind::ping:
            bytes = masked ? ping_frame(s.data, key) : ping_frame(s.data);
            break;
        case event_kind::pong:
            bytes = masked ? pong_frame(s.data, key) : pong_frame(s.data);
            break;
        case event_kind::close:
            bytes = masked ? close_frame(s.code, s.data, key) : close_frame(s.code, s.data);
            break;
        default:
            return;
    }
    require(
        websocket::testing::read_whole(bytes, r, 1 << 20) == std::vector<seen>{s},
        "the writer's frame reads as the event"
    );
}

}  // namespace

void test_one_input(std::string_view bytes) {
    const unsigned choice = take_byte(bytes);
    const role r = choice % 2 == 0 ? role::server : role::client;
    const std::uint32_t message_bytes_max = choice / 2 % 2 == 0 ? 64 : 2000;
    const std::size_t piece = choice / 4;

    const reference expected(bytes, r, message_bytes_max);
    feeder whole(r, message_bytes_max), pieces(r, message_bytes_max);
    whole.feed(bytes);
    for (std::size_t at = 0; at < bytes.size(); at += piece + 1) pieces.feed(bytes.substr(at, piece + 1));

    require(without_reasons(whole.events) == expected.events, "the reader agrees with the reference");
    require(without_reasons(pieces.events) == expected.events, "pieces give the same events as the whole");
    require(whole.all_taken && pieces.all_taken, "all bytes are taken");
    require(whole.subject.ended() == expected.ended, "both ended");
    require(
        whole.subject.mid_message() == pieces.subject.mid_message(), "pieces stand where the whole stands"
    );
    for (const seen& s : whole.events) round_trip(s, r);
}

}  // namespace pulsewire::fuzz
