#include "bench/load/compressed.hpp"

#include <gtest/gtest.h>
#include <zlib.h>

#include <algorithm>
#include <stdexcept>
#include <string>
#include <vector>

namespace pulsewire::bench {
namespace {

// A message as RFC 7692 7.2.1 makes it.
std::string deflated(std::string text) {
    z_stream stream{};
    EXPECT_EQ(deflateInit2(&stream, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY), Z_OK);
    std::string out(text.size() + 64, '\0');
    stream.next_in = reinterpret_cast<Bytef*>(text.data());
    stream.avail_in = static_cast<uInt>(text.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    EXPECT_EQ(deflate(&stream, Z_SYNC_FLUSH), Z_OK);
    out.resize(out.size() - stream.avail_out - 4);
    deflateEnd(&stream);
    return out;
}

std::string frame(unsigned char first, const std::string& payload) {
    std::string out(1, static_cast<char>(first));
    if (payload.size() < 126) {
        out += static_cast<char>(payload.size());
    } else {
        out += {126, static_cast<char>(payload.size() >> 8), static_cast<char>(payload.size())};
    }
    return out + payload;
}

// Each message as its opcode, a mark when it is compressed, and its bytes.
std::vector<std::string> read(std::string_view stream, std::size_t piece) {
    compressed_reader reader;
    std::vector<std::string> all;
    for (; !stream.empty(); stream.remove_prefix(std::min(piece, stream.size()))) {
        const std::string_view part = stream.substr(0, piece);
        std::span<const char> bytes(part.data(), part.size());
        compressed_reader::message m;
        while (reader.next(bytes, m))
            all.push_back(std::to_string(m.opcode) + (m.compressed ? "*" : " ") + std::string(m.data));
    }
    return all;
}

TEST(inflater, gives_back_what_was_compressed_again_and_again) {
    inflater i;
    const std::string first(50'000, 'a'), second = "other";
    for (int times = 0; times < 3; ++times) {
        EXPECT_EQ(i.inflate_alone(deflated(first)), first);
        EXPECT_EQ(i.inflate_alone(deflated(second)), second);
    }
}

TEST(inflater, refuses_what_is_not_deflated) {
    inflater i;
    EXPECT_THROW(i.inflate_alone("\xff\xff\xff\xff"), std::runtime_error);
    EXPECT_EQ(i.inflate_alone(deflated("still works")), "still works");
}

TEST(compressed_reader, finds_messages_however_the_stream_is_cut) {
    const std::string stream = frame(0x81, "plain") + frame(0xc1, "one") + frame(0x41, "two") +
                               frame(0x89, "ping") + frame(0x00, "and") + frame(0x80, "three") +
                               frame(0xc1, std::string(300, 'x'));
    const std::vector<std::string> expected{
        "1 plain", "1*one", "9 ping", "1*twoandthree", "1*" + std::string(300, 'x')};
    for (std::size_t piece = 1; piece <= stream.size(); ++piece)
        EXPECT_EQ(read(stream, piece), expected) << piece;
}

TEST(compressed_reader, refuses_masked_frames) {
    EXPECT_THROW(read("\x81\x85xxxxhello", 100), std::runtime_error);
}

}  // namespace
}  // namespace pulsewire::bench
