#pragma once

// Turns the hub's messages for one plain event stream (docs/protocol.md 8.4) into its text and keeps the
// cursor.

#include "common/delivery/event_text_source.hpp"
#include "common/exchange/message.hpp"
#include "common/protocol/event_stream.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pulsewire::delivery {

class event_stream_writer final : public event_text_source {
public:
    // The channels of the request in any order, duplicates allowed (1 to 32 different ones).
    explicit event_stream_writer(std::vector<std::string> channels);

    // Sorted, each once: the order of positions in cursors; the shell subscribes to these.
    const std::vector<std::string>& channels() const { return channels_; }

    // From now on cursors fit these channels alone (8.4.4).
    void mark_cursors() { cursor_.mark(channels_); }

    // The stream tells EventSource to wait for so long before it comes back.
    void set_retry(std::uint32_t ms) { retry_ms_ = ms; }

    enum class outcome : std::uint8_t {
        written,   // text was appended, or the message was kept until the stream can open
        nothing,   // no text: a publication that the stream has had already, or a kind that is the shell's to
                   // handle (answers, errors)
        overflow,  // too many messages wait for the stream to open: end it as a slow consumer
    };

    // Appends what the message means for this stream; `wall_ms` is the time now. The stream opens when each
    // channel is subscribed: then come the open event and a gap for each channel that was not recovered.
    // The messages that have waited for that come next: take_waiting(). The id of the start is that of the
    // last of the gaps, without gaps at the open event, so that no gap can be missed by a connection that
    // breaks in between. A close is written at any time.
    outcome write(const hub::message_ptr& m, std::int64_t wall_ms, std::string& out);

    // The messages that came before the stream opened, in order. Each is written when it is its turn, because
    // texts take far more memory than the messages, which are shared. Precondition: opened().
    std::vector<hub::message_ptr> take_waiting() { return std::exchange(waiting_, {}); }

    // Publications of the channel up to `offset` were dropped before their turn came: appends the event that
    // says so (protocol 8.4.7), whose id is behind them. Precondition: opened().
    void skip(std::string_view channel, std::uint64_t offset, std::string_view reason, std::string& out);

    // --- what waits in the queue of an open stream ---

    // Pings tell this time.
    void set_time(std::int64_t wall_ms) { wall_ms_ = wall_ms; }
    void write(const hub::message_ptr& m, std::string& out) override { (void)write(m, wall_ms_, out); }
    void write_gap(std::string_view channel, std::uint64_t offset, slow_consumer why, std::string& out)
        override;
    // Streams of just one channel write the same in the same place.
    bool shares_texts() const override { return channels_.size() == 1; }
    std::unique_ptr<shared_event_texts> shared_texts() const override;
    bool continues(std::span<const hub::message_ptr> messages) override;

    bool opened() const { return opened_; }
    // Behind everything that was written. Precondition: opened().
    const event_stream::cursor& position() const { return cursor_; }

    // Messages that may wait for the stream to open: the replay of 32 channels and as much again; beyond:
    // overflow.
    static constexpr std::size_t waiting_max = 2 * 32 * 300;

private:
    std::optional<std::size_t> index_of(std::string_view channel) const;
    outcome subscribed(const hub::message_ptr& m, std::string& out);
    outcome moved(const hub::message& m, std::string& out);
    void open(std::string& out);
    outcome write_message(const hub::message& m, std::string& out);

    std::vector<std::string> channels_;
    event_stream::cursor cursor_;
    // Shared with the hub and other streams; only until the stream opens, in the order they came.
    std::vector<hub::message_ptr> waiting_;
    std::vector<hub::message_ptr> unrecovered_;
    std::int64_t wall_ms_ = 0;
    std::uint32_t retry_ms_ = event_stream::retry_ms;
    bool opened_ = false;
};

}  // namespace pulsewire::delivery
