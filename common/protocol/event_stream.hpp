#pragma once

// The text of event streams (docs/protocol.md section 8; WHATWG HTML 9.2). No text given to these functions
// can leave its field: bytes that would end a field (CR, LF, NUL) become spaces. In JSON they can only occur
// between tokens, where a space means the same.

#include "common/base/result.hpp"
#include "common/protocol/limits.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pulsewire::event_stream {

// Building blocks for sending shared lines without copying them. This prefix makes a data
// line of a frame's line that ends with '\n'; event_end follows the last one and closes the
// event. Precondition: safe_line(line).
inline constexpr std::string_view data_prefix = "data: ";
inline constexpr std::string_view event_end = "\n";

// Whether the line, which may end with one '\n', can be sent unchanged after data_prefix.
bool safe_line(std::string_view line);

// --- The stream of frames (protocol 8.1)

// One event with the lines of a batch (protocol 2.3; with or without the last newline): one data line each,
// then the end. Nothing for no lines.
void append_batch(std::string& out, std::string_view lines);

// The first event, which carries the secret name of the connection.
void append_stream_event(std::string& out, std::string_view connection);

// --- The plain event stream (protocol 8.4)

// The reason why a cursor could not be read. It never quotes the text, which comes from outside.
enum class cursor_error : std::uint8_t { too_long, wrong_version, wrong_count, bad_epoch, bad_offset };
constexpr std::string_view describe(cursor_error error) {
    switch (error) {
        case cursor_error::too_long:
            return "the cursor is longer than one for these channels can be";
        case cursor_error::wrong_version:
            return "the cursor does not start with \"1.\"; use an id of this stream unchanged";
        case cursor_error::wrong_count:
            return "the cursor belongs to another set of channels than the request names";
        case cursor_error::bad_epoch:
            return "an epoch in the cursor has a wrong length or character";
        case cursor_error::bad_offset:
            return "an offset in the cursor is not a whole number from 0 to 2^53-1";
    }
    return {};
}

// The time in milliseconds that a browser waits before it reconnects (protocol 8.4.6). A server draws one for
// each stream, so that those that end together do not come back together.
inline constexpr std::uint32_t retry_ms = 2'000;
inline constexpr std::uint32_t retry_min_ms = 1'000;
inline constexpr std::uint32_t retry_max_ms = 5'000;
// ... after an end that is final (7.2): EventSource always comes back.
inline constexpr std::uint32_t retry_final_ms = 3'600'000;

// Channels of one stream; beyond: the request is answered by 400 (protocol 8.4.1).
inline constexpr std::size_t channels_max = 32;

// The positions of a stream's channels, in the order of their sorted names (protocol 8.4.3).
class cursor {
public:
    struct position {
        std::string epoch;  // empty: not known yet
        std::uint64_t offset = 0;
    };

    explicit cursor(std::size_t channel_count) : positions_(channel_count) {}

    // Preconditions: index < size(), which is at least 1; `epoch` and `offset` as in protocol 1.4.
    void set(std::size_t index, std::string_view epoch, std::uint64_t offset);
    // Moves the position forwards within its epoch.
    void advance(std::size_t index, std::uint64_t offset) { positions_[index].offset = offset; }
    const position& at(std::size_t index) const { return positions_[index]; }
    std::size_t size() const { return positions_.size(); }

    // From now on the cursor begins with a check of these sorted names, so that it fits no other channels.
    void mark(const std::vector<std::string>& sorted_channels);

    // Whether every position is known; only then can the cursor be encoded.
    bool complete() const;

    // "1.x7Qa.19.mm21.4". Precondition: complete().
    std::string encode() const;
    void append_to(std::string& out) const;

    // Reads exactly the text that encode() writes for that many channels; time and
    // memory are bounded by channel_count.
    static result<cursor, cursor_error> parse(std::string_view text, std::size_t channel_count);
    // The same for a marked cursor of these channels, or for one without a mark, as older servers gave it.
    static result<cursor, cursor_error> parse(
        std::string_view text, const std::vector<std::string>& sorted_channels
    );

private:
    std::vector<position> positions_;
    std::string mark_;  // empty: none
};

// The lines before an event's data: its name (8.4.2) and its id, unless `id` is null. The
// data line follows (data_prefix and a line, or append_data), then event_end.
void append_event_head(std::string& out, std::string_view type, const cursor* id);

// One data line.
void append_data(std::string& out, std::string_view json);

// A whole event.
void append_event(std::string& out, std::string_view type, const cursor* id, std::string_view json);

// The start of the stream (8.4.6): the time that a browser waits before it reconnects, and the first event,
// `{"positions":[{"channel":…,"epoch":…,"offset":…},…]}`. Its id is the starting cursor, unless gaps
// follow: then the last of them carries it (`id` null: none). Preconditions: start.complete();
// sorted_channels has start.size() names.
void append_open(
    std::string& out, const std::vector<std::string>& sorted_channels, const cursor& start, const cursor* id,
    std::uint32_t retry_after_ms = retry_ms
);

// A channel could not be recovered (8.4.5).
void append_gap(std::string& out, std::string_view channel, std::string_view reason, const cursor* id);

// The ping after a long silence (8.4.6); `time_ms` is the time of the wall clock.
void append_ping(std::string& out, std::int64_t time_ms);

// A planned end (8.4.6); `json` is the close frame of 7.1. Where it names a moment to come back, EventSource,
// which reads no JSON, is told it as `retry:`.
void append_close(std::string& out, std::string_view json, std::uint32_t after_ms = 0);

}  // namespace pulsewire::event_stream
