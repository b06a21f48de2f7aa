#pragma once

// The memory that slow readers of one shard pin, in bytes. Most of what waits for them is shared, so a text
// counts once, whoever of them it waits for. Readers that keep up have no part in it: their queues are
// empty when the turn ends.

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>

namespace pulsewire::delivery {

class waiting_memory {
public:
    // The memory of a queue for each text, beside the text itself.
    static constexpr std::size_t reference_bytes = 64;

    // `bytes_max` is that of the whole shard.
    void set_max(std::uint64_t bytes_max) { bytes_max_ = bytes_max; }

    // One more queue, or one less, holds the text, which stays as it is in between.
    void add(const std::string* text);
    void remove(const std::string* text);
    // The memory that a connection holds besides its queue, and for itself alone, has changed.
    // In 64 bits: where sizes have 32, their difference would not wrap back.
    void change(std::size_t from, std::size_t to) { bytes_ = bytes_ + to - from; }

    std::uint64_t bytes() const { return bytes_; }
    bool is_too_much() const { return bytes_ > bytes_max_; }

private:
    struct held {
        std::uint32_t queues = 0;
        std::size_t bytes = 0;
    };
    std::unordered_map<const std::string*, held> texts_;
    std::uint64_t bytes_ = 0;
    std::uint64_t bytes_max_ = UINT64_MAX;
};

}  // namespace pulsewire::delivery
