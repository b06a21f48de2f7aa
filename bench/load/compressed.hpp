#pragma once

// Reads what a server sends with permessage-deflate (RFC 7692): frames, and what is in them. Only as strict
// as a load generator needs; common/protocol's reader knows no extensions.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

struct z_stream_s;

namespace pulsewire::bench {

// Inflates messages. Where the server compresses each message for itself, it may send the same bytes to
// everybody: those are inflated once and remembered, or else a thousand subscribers would keep the generator
// busy with zlib.
class inflater {
public:
    inflater();
    ~inflater();

    // Valid until the next call. Throws std::runtime_error for what is not deflated.
    std::string_view inflate_alone(std::string_view compressed);

private:
    struct remembered {
        std::string compressed, text;
    };

    std::unique_ptr<z_stream_s> stream_;
    std::vector<remembered> known_;
};

// The frames of one connection. Messages of one frame that came whole are views of the bytes given.
class compressed_reader {
public:
    struct message {
        std::uint8_t opcode = 0;
        bool compressed = false;
        std::string_view data;
    };

    // Takes the next message, or control frame, from the front of `bytes`; false when there is no whole one.
    // Views are valid until the next call. Throws std::runtime_error where the bytes are no unmasked frames.
    bool next(std::span<const char>& bytes, message& m);

private:
    bool take_frame(std::string_view& bytes, bool& final, message& m) const;

    std::string cut_;        // the beginning of a frame
    std::string given_;      // the frame that was cut, while its view is valid
    std::string fragments_;  // of a message
    message begun_;
};

}  // namespace pulsewire::bench
