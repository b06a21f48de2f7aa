#pragma once

// The mark that the load generator writes into each payload to recognise its own messages: the publisher, the
// sequence number, and the intended time of sending. A stamp is plain ASCII, so it passes through any peer's
// framing unchanged, and of fixed length, so it costs next to nothing to read.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace pulsewire::bench {

struct stamp {
    std::uint32_t publisher = 0;
    std::uint32_t sequence = 0;     // of this publisher, from 0
    std::uint64_t intended_ns = 0;  // by the monotonic clock of this process

    friend bool operator==(const stamp&, const stamp&) = default;
};

inline constexpr char stamp_mark = '^';
// The mark, 32 letters of four bits each, the mark.
inline constexpr std::size_t stamp_bytes = 34;
// The stamp in quotation marks.
inline constexpr std::size_t payload_bytes_min = stamp_bytes + 2;

// The rest of the payload after the stamp: equal letters, which are quickest to make, or an object with
// fields and numbers like those of an application, which compresses like them, or bytes of all values.
enum class filling : std::uint8_t { letters, json, bytes };
inline constexpr std::size_t json_payload_bytes_min = 128;
// The place where the stamp begins in a payload.
constexpr std::size_t stamp_place(filling f) {
    switch (f) {
        case filling::letters:
            return 1;
        case filling::json:
            return 10;
        case filling::bytes:
            break;
    }
    return 0;
}

// Appends a payload of exactly `bytes` bytes, at least payload_bytes_min or json_payload_bytes_min: valid
// JSON, on one line, except for filling::bytes.
void append_payload(std::string& out, const stamp& s, std::size_t bytes, filling f = filling::letters);

// Reads the stamp that starts at the front of `text`. False when there is none, or not all of it.
bool read_stamp(std::string_view text, stamp& s);

// Finds stamps in a stream of bytes that arrives in arbitrary pieces.
class stamp_finder {
public:
    // Calls found(const stamp&) for each stamp that ends in `bytes`.
    template <class Found>
    void feed(std::string_view bytes, Found&& found) {
        stamp s;
        if (kept_ != 0) bytes.remove_prefix(finish_cut(bytes, s, found));
        while (!bytes.empty()) {
            const void* mark = std::memchr(bytes.data(), stamp_mark, bytes.size());
            if (mark == nullptr) return;
            bytes.remove_prefix(static_cast<std::size_t>(static_cast<const char*>(mark) - bytes.data()));
            if (bytes.size() < stamp_bytes) return keep(bytes);
            if (read_stamp(bytes, s)) {
                found(static_cast<const stamp&>(s));
                bytes.remove_prefix(stamp_bytes);
            } else {
                bytes.remove_prefix(1);
            }
        }
    }

private:
    void keep(std::string_view bytes) {
        std::memcpy(cut_, bytes.data(), bytes.size());
        kept_ = static_cast<std::uint8_t>(bytes.size());
    }

    // The number of `bytes` that belong to an incomplete stamp. The letters of a stamp contain no mark, so
    // after a false start the search continues at the next mark.
    template <class Found>
    std::size_t finish_cut(std::string_view bytes, stamp& s, Found& found) {
        const std::size_t wanted = stamp_bytes - kept_;
        const std::size_t taken = bytes.size() < wanted ? bytes.size() : wanted;
        std::memcpy(cut_ + kept_, bytes.data(), taken);
        const std::size_t had = kept_;
        if (taken < wanted) {
            kept_ = static_cast<std::uint8_t>(had + taken);
            return taken;
        }
        kept_ = 0;
        const std::string_view whole(cut_, stamp_bytes);
        if (read_stamp(whole, s)) {
            found(static_cast<const stamp&>(s));
            return taken;
        }
        const std::size_t next = whole.find(stamp_mark, 1);
        if (next == whole.npos) return taken;
        if (next >= had) return next - had;
        std::memmove(cut_, cut_ + next, had - next);
        kept_ = static_cast<std::uint8_t>(had - next);
        return finish_cut(bytes, s, found);
    }

    char cut_[stamp_bytes];
    std::uint8_t kept_ = 0;
};

}  // namespace pulsewire::bench
