#pragma once

// Turns the hub's messages for one plain event stream (docs/protocol.md 8.4) into its text and keeps the
// cursor.

#include "common/exchange/message.hpp"
#include "common/protocol/event_stream.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pulsewire::hub {

class event_stream_writer {
public:
    // The channels of the request in any order, duplicates allowed (1 to 32 different ones).
    explicit event_stream_writer(std::vector<std::string> channels);

    // Sorted, each once: the order of positions in cursors; the shell subscribes to these.
    const std::vector<std::string>& channels() const { return channels_; }

    enum class outcome : std::uint8_t {
        written,   // text was appended, or the message was kept until the stream can open
        nothing,   // no text: a publication that the stream has had already, or a kind that is the shell's to
                   // handle (answers, errors)
        overflow,  // too many messages wait for the stream to open: end it as a slow consumer
    };

    // Appends what the message means for this stream; `wall_ms` is the time now. The stream opens when each
    // channel is subscribed: then come the open event and a gap for each channel that was not recovered.
    // What has waited for that comes next: take_waiting(). The id of the start stands at the last of the
    // gaps, without gaps at the open event, so that no gap can be missed by a connection that breaks in
    // between. A close is written at any time.
    outcome write(const message_ptr& m, std::int64_t wall_ms, std::string& out);

    // What came before the stream opened, in order: to be written next, each when it is its turn, because
    // texts take far more memory than the messages, which are shared. Precondition: opened().
    std::vector<message_ptr> take_waiting() { return std::exchange(waiting_, {}); }

    // Publications of the channel up to `offset` were dropped before their turn came: appends the event that
    // says so (protocol 8.4.7), whose id is behind them. Precondition: opened().
    void skip(std::string_view channel, std::uint64_t offset, std::string_view reason, std::string& out);

    // For a stream of one channel: appends what write() would for a publication that comes next. All such
    // streams of a channel write the same, so it need be made only once.
    class lone_writer {
    public:
        explicit lone_writer(event_stream::cursor position) : at_(std::move(position)) {}
        void operator()(const message& m, std::string& out);

    private:
        event_stream::cursor at_;
    };
    lone_writer alone() const { return lone_writer(cursor_); }
    // For a stream of one channel: whether its publications from `first` to `last` come next; if so they
    // count as written.
    bool pass(std::uint64_t first, std::uint64_t last);

    bool opened() const { return opened_; }
    // Behind everything that was written. Precondition: opened().
    const event_stream::cursor& position() const { return cursor_; }

    // Messages that may wait for the stream to open: the replay of 32 channels and as much again; beyond:
    // overflow.
    static constexpr std::size_t waiting_max = 2 * 32 * 300;

private:
    std::optional<std::size_t> index_of(std::string_view channel) const;
    outcome subscribed(const message_ptr& m, std::string& out);
    void open(std::string& out);
    outcome write_message(const message& m, std::string& out);

    std::vector<std::string> channels_;
    event_stream::cursor cursor_;
    // Shared with the hub and other streams; only until the stream opens, in the order they came.
    std::vector<message_ptr> waiting_;
    std::vector<message_ptr> unrecovered_;
    bool opened_ = false;
};

}  // namespace pulsewire::hub
