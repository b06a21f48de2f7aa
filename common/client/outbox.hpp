#pragma once

// The commands of the application that have no answer yet, in the order in which they were given.

#include "common/base/relocating_vector.hpp"
#include "common/base/text_buffer.hpp"
#include "common/client/reconnect.hpp"

#include <cstdint>

namespace pulsewire::client {

enum class after_loss : std::uint8_t {
    repeat,  // sent again on the next transport: publishes (their key makes that safe) and queries
    fail,    // once sent it fails with `disconnected`: requests
    never,   // not even kept while there is no transport: transient publishes
};

struct command {
    std::uint32_t id = 0;
    after_loss when_lost = after_loss::repeat;
    bool has_payload = false;
    // A request: it may take longer than command_timeout_ms, and can be canceled.
    bool awaited_by_server = false;
    bool sent = false;         // on the current transport, or on the one before
    bool left_behind = false;  // on the one before, which may still bring its answer (7.3)
    bool done = false;         // answered; the slot goes with a sweep
    std::uint32_t payload_bytes = 0;
    time_ms sent_at = 0;
    time_ms deadline = never;
    text_buffer header;  // the line, or its beginning up to the payload
};

class outbox {
public:
    // A new command; its id is greater than all before it.
    command& add(std::uint32_t id, std::uint32_t payload_bytes) {
        ++waiting_;
        bytes_ += payload_bytes;
        command& c = commands_.add();
        c.id = id;
        c.payload_bytes = payload_bytes;
        return c;
    }

    // Null when it is not there or done. Ids ascend, so this is a binary search.
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

    // The command has its answer. Its slot stays until sweep(), so that this may be called while walking.
    void release(command& c) {
        c.done = true;
        --waiting_;
        bytes_ -= c.payload_bytes;
    }

    // Forgets the done ones, when they are many: they may stand behind one that is never answered.
    // Invalidates references.
    void sweep() {
        if (waiting_ != 0 && commands_.size() < 2 * std::size_t{waiting_} + 64) return;
        commands_.remove_if([](const command& c) { return c.done; });
    }

    // For walking; skip the done ones.
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
