#pragma once

// A queue and a peer that reads it when it is told to, for tests.

#include "common/delivery/outbound.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

namespace pulsewire::delivery {

inline shared_bytes bytes_of(std::string text) {
    return std::make_shared<const std::string>(std::move(text));
}

enum class outcome : std::uint8_t { drained, blocked };
struct written {
    outcome how = outcome::drained;
    std::size_t bytes = 0;
};

// The bytes that were written and the peer has not read; it takes no more than there is room for.
class peer_buffer {
public:
    written take(outbound& queue) {
        written result;
        parts next;
        while (queue.next_parts(next)) {
            const std::size_t taken = std::min(next.bytes, bytes_max - unread_.size());
            append(next, taken);
            queue.taken(taken);
            result.bytes += taken;
            if (taken == next.bytes) continue;
            queue.blocked();
            result.how = outcome::blocked;
            break;
        }
        return result;
    }
    written take_run(outbound& queue, std::shared_ptr<line_run>&& run) {
        const std::string* whole = queue.whole_message(*run);
        if (whole == nullptr) {
            queue.push_run(std::move(run));
            return take(queue);
        }
        const std::size_t taken = std::min(whole->size(), bytes_max - unread_.size());
        unread_.append(*whole, 0, taken);
        if (taken == whole->size()) return {outcome::drained, taken};
        queue.push_rest(std::move(run), taken);
        queue.blocked();
        return {outcome::blocked, taken};
    }
    std::string read(std::size_t bytes = SIZE_MAX) {
        std::string some = unread_.substr(0, bytes);
        unread_.erase(0, some.size());
        return some;
    }

private:
    static constexpr std::size_t bytes_max = 8'192;

    void append(const parts& from, std::size_t bytes) {
        for (std::size_t i = 0; i < from.count && bytes != 0; ++i) {
            const std::size_t size = std::min(bytes, from.all[i].size);
            unread_.append(from.all[i].data, size);
            bytes -= size;
        }
    }

    std::string unread_;
};

class outbound_test : public ::testing::Test {
protected:
    written write() { return peer_.take(queue_); }
    std::string read(std::size_t bytes = SIZE_MAX) { return peer_.read(bytes); }
    // Writes and reads until nothing is left.
    std::string pass_all() {
        std::string all;
        while (!queue_.empty()) {
            (void)write();
            all += read();
        }
        return all;
    }

    bounds bounds_;
    storage storage_{bounds_};
    outbound queue_{storage_};
    peer_buffer peer_;
};

}  // namespace pulsewire::delivery
