#include "bench/load/compressed.hpp"

#include <zlib.h>

#include <functional>
#include <stdexcept>

namespace pulsewire::bench {
namespace {

constexpr std::size_t remembered_messages = 1'024;
constexpr std::size_t text_bytes_max = 16 * 1024 * 1024;
constexpr std::uint8_t continuation = 0, control = 8;

std::uint64_t big_endian(std::string_view bytes) {
    std::uint64_t value = 0;
    for (const char c : bytes) value = value << 8 | static_cast<unsigned char>(c);
    return value;
}

}  // namespace

inflater::inflater() : stream_(std::make_unique<z_stream_s>()), known_(remembered_messages) {
    // Minus: without zlib's own header.
    if (inflateInit2(stream_.get(), -15) != Z_OK) throw std::runtime_error("zlib does not start");
}

inflater::~inflater() {
    inflateEnd(stream_.get());
}

std::string_view inflater::inflate_alone(std::string_view compressed) {
    remembered& known = known_[std::hash<std::string_view>()(compressed) % known_.size()];
    if (known.compressed == compressed) return known.text;
    known.compressed = compressed;
    known.text.clear();
    std::string input(compressed);
    input.append("\x00\x00\xff\xff", 4);  // RFC 7692 7.2.2
    inflateReset(stream_.get());
    stream_->next_in = reinterpret_cast<Bytef*>(input.data());
    stream_->avail_in = static_cast<uInt>(input.size());
    char buffer[16 * 1024];
    do {
        stream_->next_out = reinterpret_cast<Bytef*>(buffer);
        stream_->avail_out = sizeof buffer;
        const int status = inflate(stream_.get(), Z_SYNC_FLUSH);
        if ((status != Z_OK && status != Z_BUF_ERROR && status != Z_STREAM_END) ||
            known.text.size() > text_bytes_max) {
            known.compressed.clear();
            throw std::runtime_error("a compressed message cannot be inflated");
        }
        known.text.append(buffer, sizeof buffer - stream_->avail_out);
    } while (stream_->avail_out == 0);
    return known.text;
}

bool compressed_reader::take_frame(std::string_view& bytes, bool& final, message& m) const {
    if (bytes.size() < 2) return false;
    const auto first = static_cast<unsigned char>(bytes[0]), second = static_cast<unsigned char>(bytes[1]);
    if ((first & 0x30) != 0 || (second & 0x80) != 0) throw std::runtime_error("the server broke RFC 6455");
    std::size_t header = 2;
    std::uint64_t length = second;
    if (second >= 126) {
        header = second == 126 ? 4 : 10;
        if (bytes.size() < header) return false;
        length = big_endian(bytes.substr(2, header - 2));
    }
    if (length > text_bytes_max) throw std::runtime_error("a message larger than 16 MiB came");
    if (bytes.size() < header + length) return false;
    final = (first & 0x80) != 0;
    m = {static_cast<std::uint8_t>(first & 0x0f), (first & 0x40) != 0, bytes.substr(header, length)};
    bytes.remove_prefix(header + length);
    return true;
}

bool compressed_reader::next(std::span<const char>& bytes, message& m) {
    for (;;) {
        std::string_view rest(bytes.data(), bytes.size());
        bool final = false, whole = false;
        if (cut_.empty()) {
            whole = take_frame(rest, final, m);
            if (!whole) cut_ = rest;
        } else {
            cut_ += rest;
            std::string_view all = cut_;
            whole = take_frame(all, final, m);
            if (whole) {
                // The bytes after this frame are in `bytes` too and stay there.
                const std::size_t left = all.size();
                rest.remove_prefix(rest.size() - left);
                given_.assign(m.data);
                m.data = given_;
                cut_.clear();
            }
        }
        if (!whole) {
            bytes = {};
            return false;
        }
        bytes = {rest.data(), rest.size()};
        if (m.opcode >= control || (final && m.opcode != continuation)) return true;
        if (m.opcode != continuation) {
            begun_ = m;
            fragments_.clear();
        }
        fragments_ += m.data;
        if (!final) continue;
        m = {begun_.opcode, begun_.compressed, fragments_};
        return true;
    }
}

}  // namespace pulsewire::bench
