#pragma once

// Reads the frames and messages that a server sends with permessage-deflate (RFC 7692). It is only as strict
// as a load generator needs, and inflates; the reader of common/protocol leaves that to its caller.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

struct z_stream_s;

namespace pulsewire::bench {

// Inflates messages. A server that compresses without context may send the same bytes to all
// subscribers. These are inflated once and remembered; otherwise a thousand subscribers would
// keep the generator busy with zlib.
class inflater {
public:
    inflater();
    ~inflater();

    // Valid until the next call. Throws std::runtime_error for bytes that are not deflated.
    std::string_view inflate_alone(std::string_view compressed);

private:
    struct remembered {
        std::string compressed, text;
    };

    std::unique_ptr<z_stream_s> stream_;
    std::vector<remembered> known_;
};

// The frames of one connection. A message that arrives whole in one frame is
// returned as a view of the given bytes.
class compressed_reader {
public:
    struct message {
        std::uint8_t opcode = 0;
        bool compressed = false;
        std::string_view data;
    };

    // Takes the next message, or control frame, from the front of `bytes`; false when none is complete. Views
    // are valid until the next call. Throws std::runtime_error when the bytes are no unmasked frames.
    bool next(std::span<const char>& bytes, message& m);

private:
    bool take_frame(std::string_view& bytes, bool& final, message& m) const;

    std::string cut_;        // the beginning of a frame
    std::string given_;      // the completed frame, while its view is valid
    std::string fragments_;  // of a message
    message begun_;
};

}  // namespace pulsewire::bench
