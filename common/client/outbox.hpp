#pragma once

// The commands of the application that have no answer yet, in the order in which the application gave them.

#include "common/base/relocating_vector.hpp"
#include "common/base/text_buffer.hpp"
#include "common/client/answer_clock.hpp"
#include "common/client/reconnect.hpp"

#include <cstdint>

namespace pulsewire::client {

enum class after_loss : std::uint8_t {
    repeat,  // sent again on the next transport: publishes (safe because of their key) and queries
    fail,    // fails with `disconnected` if it was sent: requests
    never,   // fails at once while there is no transport: transient publishes
};

struct command {
    std::uint32_t id = 0;
    after_loss when_lost = after_loss::repeat;
    bool has_payload = false;
    // True for a request, which may take longer than command_timeout_ms and can be canceled.
    bool awaited_by_server = false;
    bool is_query = false;     // costs as much as several commands (4.20), and its answer may be large
    bool sent = false;         // on the current transport or on the old one
    bool left_behind = false;  // sent on the old transport, which may still bring the answer (7.3)
    bool done = false;         // answered; the slot is freed by sweep()
    std::uint8_t strikes = 0;  // connections that were lost because of it
    std::uint32_t payload_bytes = 0;
    answer_clock::start sent_at;
    time_ms deadline = never;
    text_buffer header;  // the line, or its beginning up to the payload
};

class outbox {
public:
    // Adds a command; its id must be greater than all earlier ids.
    command& add(std::uint32_t id, std::uint32_t payload_bytes) {
        ++waiting_;
        bytes_ += payload_bytes;
        command& c = commands_.add();
        c.id = id;
        c.payload_bytes = payload_bytes;
        return c;
    }

    // Null when the command is unknown or done. A binary search, since ids ascend.
    command* with_id(std::uint64_t id) {
        std::size_t low = 0, high = commands_.size();
        while (low < high) {
            const std::size_t middle = (low + high) / 2;
            if (commands_[middle].id < id) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        if (low == commands_.size() || commands_[low].id != id || commands_[low].done) return nullptr;
        return &commands_[low];
    }

    // Marks the command as answered. Its slot stays until sweep(), so that this
    // may be called during an iteration.
    void release(command& c) {
        c.done = true;
        --waiting_;
        bytes_ -= c.payload_bytes;
    }

    // Removes the commands that are done when there are many of them: a command that is never answered may
    // come before them. Invalidates references.
    void sweep() {
        if (waiting_ != 0 && commands_.size() < 2 * std::size_t{waiting_} + 64) return;
        commands_.remove_if([](const command& c) { return c.done; });
    }

    // For iteration; skip the commands that are done.
    command* begin() { return commands_.begin(); }
    command* end() { return commands_.end(); }
    const command* begin() const { return commands_.begin(); }
    const command* end() const { return commands_.end(); }

    std::uint32_t waiting() const { return waiting_; }
    std::uint32_t bytes() const { return bytes_; }

private:
    relocating_vector<command> commands_;
    std::uint32_t waiting_ = 0;
    std::uint32_t bytes_ = 0;
};

}  // namespace pulsewire::client
