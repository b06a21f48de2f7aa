// libFuzzer target: the WebSocket reader against the reference of its tests. The first byte chooses the role,
// the limit and how the rest, one direction of a connection, is cut.
//
//   clang++-14 -std=c++20 -g -O1 -I. -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all
//       fuzz/websocket_reader_fuzz.cpp common/protocol/websocket_{frame,reader,writer}.cpp
//       common/base/utf8_validator.cpp -o build/websocket_reader_fuzz
//   build/websocket_reader_fuzz -max_len=4096 build/websocket_reader_corpus

#include "common/protocol/websocket_reference_test.hpp"
#include "common/protocol/websocket_writer.hpp"

#include <cstdio>
#include <cstdlib>

namespace {

using namespace pulsewire::websocket;
using pulsewire::websocket::testing::feeder;
using pulsewire::websocket::testing::reference;
using pulsewire::websocket::testing::seen;
using pulsewire::websocket::testing::without_reasons;

void require(bool holds, const char* what) {
    if (holds) return;
    std::fprintf(stderr, "broken: %s\n", what);
    std::abort();
}

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
        testing::read_whole(bytes, r, 1 << 20) == std::vector<seen>{s},
        "the writer's frame reads as the event"
    );
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const role r = data[0] % 2 == 0 ? role::server : role::client;
    const std::uint32_t message_bytes_max = data[0] / 2 % 2 == 0 ? 64 : 2000;
    const std::size_t piece = data[0] / 4;
    const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);

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
    return 0;
}
