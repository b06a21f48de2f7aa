#include "server/net/compression.hpp"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <new>

namespace pulsewire::shell {
namespace {

constexpr int raw_window_bits = -15;  // no header of zlib's own
constexpr int memory_level = 8;
// Between the quickest and zlib's own default of 6: it is done once for all, but on the message path.
constexpr int level = 3;
// Each message ends with these bytes, which are left out of it (RFC 7692 7.2.1).
constexpr std::string_view tail("\x00\x00\xff\xff", 4);

Bytef* bytes_of(std::string_view text) {
    return reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
}

}  // namespace

deflater::deflater() = default;

deflater::~deflater() {
    if (stream_ != nullptr) deflateEnd(stream_.get());
}

std::string deflater::compress(std::string_view message) {
    if (stream_ == nullptr) {
        auto made = std::make_unique<z_stream>();
        if (deflateInit2(made.get(), level, Z_DEFLATED, raw_window_bits, memory_level, Z_DEFAULT_STRATEGY) !=
            Z_OK)
            throw std::bad_alloc();
        stream_ = std::move(made);
    }
    z_stream& z = *stream_;
    deflateReset(&z);
    // The bound is that of a whole stream; what a flush adds is less than the room that is added here.
    std::string out(deflateBound(&z, message.size()) + 16, '\0');
    z.next_in = bytes_of(message);
    z.avail_in = static_cast<uInt>(message.size());
    z.next_out = bytes_of(out);
    z.avail_out = static_cast<uInt>(out.size());
    ::deflate(&z, Z_SYNC_FLUSH);
    out.resize(out.size() - z.avail_out - tail.size());
    out.shrink_to_fit();
    return out;
}

inflater::inflater() = default;

inflater::~inflater() {
    if (stream_ != nullptr) inflateEnd(stream_.get());
}

inflater::outcome inflater::decompress(std::string_view payload, std::size_t bytes_max, std::string& out) {
    if (stream_ == nullptr) {
        auto made = std::make_unique<z_stream>();
        if (inflateInit2(made.get(), raw_window_bits) != Z_OK) throw std::bad_alloc();
        stream_ = std::move(made);
    }
    z_stream& z = *stream_;
    inflateReset(&z);
    out.clear();
    std::array<char, 16 * 1024> room;
    // RFC 7692 7.2.2.
    for (const std::string_view part : {payload, tail}) {
        z.next_in = bytes_of(part);
        z.avail_in = static_cast<uInt>(part.size());
        do {
            z.next_out = bytes_of({room.data(), room.size()});
            z.avail_out = static_cast<uInt>(room.size());
            const int result = ::inflate(&z, Z_SYNC_FLUSH);
            const std::size_t made = room.size() - z.avail_out;
            const std::size_t taken = std::min(made, bytes_max - out.size());
            out.append(room.data(), taken);
            if (taken < made) return outcome::too_large;
            // A block that says it is the last one; others may follow (RFC 7692 7.2.3.4).
            if (result == Z_STREAM_END) {
                inflateReset(&z);
            } else if (result != Z_OK && result != Z_BUF_ERROR) {
                return outcome::broken;
            }
        } while (z.avail_in != 0 || z.avail_out == 0);
    }
    return outcome::whole;
}

}  // namespace pulsewire::shell
