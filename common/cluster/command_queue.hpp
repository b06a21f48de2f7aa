#pragma once

// The operations of a node that are not in the log yet, encoded, in order.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <utility>
#include <vector>

namespace pulsewire::cluster {

// Numbers the commands of a node, for their outcomes. 0: nobody waits for one.
using command_id = std::uint64_t;

struct command {
    command_id id = 0;
    bool publishes = false;
    bool expired = false;  // its outcome was reported as unavailable
    std::int64_t since_ms = 0;
    std::string bytes;  // of its operation
};

class command_queue {
public:
    // Beyond one of both, push() refuses.
    command_queue(std::size_t count_max, std::size_t bytes_max)
        : count_max_(count_max), bytes_max_(bytes_max) {}

    bool empty() const { return commands_.empty(); }
    std::size_t size() const { return commands_.size(); }
    std::size_t bytes() const { return bytes_; }

    [[nodiscard]] bool push(command c) {
        if (commands_.size() >= count_max_ || bytes_ + c.bytes.size() > bytes_max_) return false;
        push_always(std::move(c));
        return true;
    }
    // For what is bounded elsewhere: the members of a node.
    void push_always(command c) {
        bytes_ += c.bytes.size();
        commands_.push_back(std::move(c));
    }
    // Back to the front, where it was taken from.
    void put_back(command c) {
        bytes_ += c.bytes.size();
        commands_.push_front(std::move(c));
    }
    // The first commands, with as many bytes together as fit.
    std::vector<command> take(std::size_t bytes_max, std::size_t count_max) {
        std::vector<command> taken;
        std::size_t bytes = 0;
        while (!commands_.empty() && taken.size() < count_max &&
               (taken.empty() || bytes + commands_.front().bytes.size() <= bytes_max)) {
            bytes += commands_.front().bytes.size();
            bytes_ -= commands_.front().bytes.size();
            taken.push_back(std::move(commands_.front()));
            commands_.pop_front();
        }
        return taken;
    }
    // Removes and returns the commands that `which` chooses.
    template <class Which>
    std::vector<command> take_if(Which&& which) {
        std::vector<command> taken;
        std::deque<command> kept;
        for (command& c : commands_) {
            if (which(c)) {
                bytes_ -= c.bytes.size();
                taken.push_back(std::move(c));
            } else {
                kept.push_back(std::move(c));
            }
        }
        commands_ = std::move(kept);
        return taken;
    }
    // The oldest is `age_ms` old or older.
    bool has_expired(std::int64_t now_ms, std::int64_t age_ms) const {
        return !commands_.empty() && now_ms - commands_.front().since_ms >= age_ms;
    }

private:
    std::size_t count_max_;
    std::size_t bytes_max_;
    std::size_t bytes_ = 0;
    std::deque<command> commands_;
};

}  // namespace pulsewire::cluster
