#pragma once

// For tests and fuzz targets: builds WebSocket frames, right and wrong ones, and reads a whole direction of a
// connection in the plainest way that RFC 6455 allows. Shares no code with the reader under test but its
// constants and events.

#include "common/protocol/websocket_reader.hpp"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <ostream>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pulsewire::websocket::testing {

// An event that owns its data.
struct seen {
    event_kind kind;
    std::uint16_t code;
    std::string data;
    bool operator==(const seen&) const = default;
};

inline std::ostream& operator<<(std::ostream& out, const seen& s) {
    static constexpr const char* names[] = {"more", "text",  "binary",    "ping",
                                            "pong", "close", "oversized", "failure"};
    const std::string shown = s.data.size() > 60 ? s.data.substr(0, 60) + "…" : s.data;
    return out << names[static_cast<int>(s.kind)] << ' ' << s.code << " (" << s.data.size() << " bytes) \""
               << shown << '"';
}

// --- Building frames

inline constexpr int shortest = -1;
struct frame_parts {
    int op = 1;
    std::string payload{};
    bool final = true;
    int reserved_bits = 0;  // 0 to 7
    bool masked = true;
    std::string key = "\x37\xfa\x21\x3d";
    int length_form = shortest;                  // or 7, 16 or 64 bits
    std::uint64_t declared = ~std::uint64_t{0};  // all ones: the payload's size
};

inline std::string frame(const frame_parts& parts) {
    const std::uint64_t length = parts.declared == ~std::uint64_t{0} ? parts.payload.size() : parts.declared;
    const int form = parts.length_form != shortest ? parts.length_form
                     : length < 126                ? 7
                     : length < 65536              ? 16
                                                   : 64;
    std::string out;
    out += static_cast<char>((parts.final ? 0x80 : 0) | parts.reserved_bits << 4 | parts.op);
    const int first = form == 7 ? static_cast<int>(length) : form == 16 ? 126 : 127;
    out += static_cast<char>((parts.masked ? 0x80 : 0) | first);
    for (int shift = form - 8; form != 7 && shift >= 0; shift -= 8)
        out += static_cast<char>(length >> shift & 0xff);
    if (!parts.masked) return out + parts.payload;
    out += parts.key;
    for (std::size_t i = 0; i < parts.payload.size(); ++i)
        out += static_cast<char>(parts.payload[i] ^ parts.key[i % 4]);
    return out;
}

inline std::string frame(int op, std::string payload, bool final = true) {
    return frame(frame_parts{.op = op, .payload = std::move(payload), .final = final});
}

// --- Reading with the reader under test

// Feeds bytes in pieces, each in a buffer of its own that ends where it ends, so
// that a sanitizer sees every overrun.
class feeder {
public:
    feeder(role r, std::uint32_t message_bytes_max) : subject(r, message_bytes_max) {}

    void feed(std::string_view piece) {
        std::unique_ptr<char[]> copy(new char[piece.size()]);  // freed here: no view may outlive the call
        if (!piece.empty()) std::memcpy(copy.get(), piece.data(), piece.size());
        std::span<char> bytes(copy.get(), piece.size());
        for (;;) {
            const event e = subject.next(bytes);
            if (e.kind == event_kind::more) break;
            events.push_back({e.kind, e.code, std::string(e.data)});
        }
        all_taken = all_taken && bytes.empty();
    }

    reader subject;
    std::vector<seen> events;
    bool all_taken = true;
};

inline std::vector<seen> read_whole(std::string_view bytes, role r, std::uint32_t message_bytes_max) {
    feeder f(r, message_bytes_max);
    f.feed(bytes);
    return f.events;
}

// --- The reference

class reference {
public:
    reference(std::string_view bytes, role r, std::uint32_t message_bytes_max)
        : in_(bytes), role_(r), message_bytes_max_(message_bytes_max) {
        while (!ended && read_frame()) {
        }
    }

    // A failure's data is empty: reasons are words for people.
    std::vector<seen> events;
    bool ended = false;

private:
    // Whether there may be another frame.
    bool read_frame() {
        if (in_.size() - at_ < 2) return false;
        const unsigned b0 = byte(at_), b1 = byte(at_ + 1);
        const unsigned op = b0 % 16;
        const unsigned length_bytes = b1 % 128 == 126 ? 2 : b1 % 128 == 127 ? 8 : 0;
        const bool masked = b1 >= 128, control = op >= 8;
        const std::size_t header = 2 + length_bytes + (masked ? 4 : 0);
        if (in_.size() - at_ < header) return false;
        std::uint64_t length = b1 % 128;
        if (length_bytes != 0) length = 0;
        for (unsigned i = 0; i < length_bytes; ++i) length = length * 256 + byte(at_ + 2 + i);
        const std::string_view key =
            masked ? in_.substr(at_ + header - 4, 4) : std::string_view("\0\0\0\0", 4);
        at_ += header;

        if (b0 / 16 % 8 != 0) return fail(1002);
        if ((op > 2 && op < 8) || op > 10) return fail(1002);
        if (control && (b0 < 128 || b1 % 128 > 125)) return fail(1002);
        if (masked != (role_ == role::server)) return fail(1002);
        if (length_bytes == 2 && length < 126) return fail(1002);
        if (length_bytes == 8 && (length < 65536 || length >= std::uint64_t{1} << 63)) return fail(1002);

        if (!control) {
            if ((op == 0) != open_) return fail(1002);
            if (op != 0) {
                open_ = true;
                op_ = op;
                message_.clear();
                total_ = frames_ = 0;
                oversized_ = head_told_ = false;
            }
            frames_ += 1;
            total_ += static_cast<long double>(length);
            if (frames_ > 1024) return fail(1008);
            if (total_ > std::max<std::uint32_t>(message_bytes_max_, 16u << 20)) return fail(1009);
            if (total_ > message_bytes_max_) oversized_ = true;
        }

        std::string payload;
        for (std::uint64_t i = 0; i < length && at_ < in_.size(); ++i)
            payload += static_cast<char>(in_[at_++] ^ key[i % 4]);
        const bool whole = payload.size() == length;
        return control ? whole && end_control(op, payload) : end_data(payload, whole, b0 >= 128);
    }

    bool end_control(unsigned op, const std::string& payload) {
        if (op == 9) events.push_back({event_kind::ping, 0, payload});
        if (op == 10) events.push_back({event_kind::pong, 0, payload});
        if (op != 8) return true;
        ended = true;
        if (payload.empty()) {
            events.push_back({event_kind::close, 1005, ""});
            return false;
        }
        if (payload.size() == 1) return fail(1002);
        const unsigned code =
            static_cast<unsigned char>(payload[0]) * 256u + static_cast<unsigned char>(payload[1]);
        const bool registered = code == 1000 || code == 1001 || code == 1002 || code == 1003 ||
                                code == 1007 || code == 1008 || code == 1009 || code == 1010 ||
                                code == 1011 || code == 1012 || code == 1013 || code == 1014;
        if (!registered && (code < 3000 || code > 4999)) return fail(1002);
        if (!valid_utf8(payload.substr(2), false)) return fail(1007);
        events.push_back({event_kind::close, static_cast<std::uint16_t>(code), payload.substr(2)});
        return false;
    }

    bool end_data(const std::string& payload, bool whole, bool final) {
        message_ += payload;
        if (oversized_) {
            const auto head = static_cast<std::size_t>(std::min<long double>(total_, 512));
            if (!head_told_ && message_.size() >= head) {
                events.push_back({event_kind::oversized, 0, message_.substr(0, head)});
                head_told_ = true;
            }
        } else {
            if (op_ == 1 && !valid_utf8(message_, !(whole && final))) return fail(1007);
            if (whole && final)
                events.push_back({op_ == 1 ? event_kind::text : event_kind::binary, 0, message_});
        }
        if (whole && final) open_ = false;
        return whole;
    }

    // With `cut`, the last character may be unfinished, as long as it could become valid.
    static bool valid_utf8(const std::string& text, bool cut) {
        for (std::size_t i = 0; i < text.size();) {
            const unsigned lead = static_cast<unsigned char>(text[i]);
            const std::size_t bytes = lead < 0x80   ? 1
                                      : lead < 0xc0 ? 0
                                      : lead < 0xe0 ? 2
                                      : lead < 0xf0 ? 3
                                      : lead < 0xf8 ? 4
                                                    : 0;
            if (bytes == 0) return false;
            std::uint32_t lowest = bytes == 1 ? lead : lead & (0x7fu >> bytes), highest = lowest;
            std::size_t there = 1;
            for (; there < bytes && i + there < text.size(); ++there) {
                const unsigned next = static_cast<unsigned char>(text[i + there]);
                if (next / 64 != 2) return false;
                lowest = lowest * 64 + next % 64;
                highest = lowest;
            }
            for (std::size_t k = there; k < bytes; ++k) {
                lowest = lowest * 64;
                highest = highest * 64 + 63;
            }
            // The code points that the character can still become, against those that it may be.
            const std::uint32_t least = bytes == 1 ? 0 : bytes == 2 ? 0x80 : bytes == 3 ? 0x800 : 0x10000;
            if (highest < least || lowest > 0x10ffff || (lowest >= 0xd800 && highest <= 0xdfff)) return false;
            if (there < bytes) return cut;
            i += bytes;
        }
        return true;
    }

    unsigned byte(std::size_t i) const { return static_cast<unsigned char>(in_[i]); }

    bool fail(std::uint16_t code) {
        events.push_back({event_kind::failure, code, ""});
        ended = true;
        return false;
    }

    std::string_view in_;
    std::size_t at_ = 0;
    role role_;
    std::uint32_t message_bytes_max_;
    bool open_ = false, oversized_ = false, head_told_ = false;
    unsigned op_ = 0, frames_ = 0;
    long double total_ = 0;  // holds 1,024 lengths of 63 bits without overflow
    std::string message_;
};

// Only the code of a failure counts; its text is for people.
inline std::vector<seen> without_reasons(std::vector<seen> events) {
    for (seen& s : events)
        if (s.kind == event_kind::failure) s.data.clear();
    return events;
}

}  // namespace pulsewire::websocket::testing
