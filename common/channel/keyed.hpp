#pragma once

// Channels whose state is the newest publication of each key (docs/protocol.md 4.32): the server makes their
// snapshots itself. A key is what a publication is the latest of: its `conflate`, or its type.

#include "common/exchange/message.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace pulsewire::hub {

// The type of the snapshots.
inline constexpr std::string_view keyed_snapshot_type = "pulsewire.keyed";

constexpr std::string_view key_of(std::string_view type, std::string_view conflate) {
    return conflate.empty() ? type : conflate;
}
// A publication whose payload is null takes its key away.
constexpr bool takes_away(std::string_view payload, bool binary) {
    return !binary && payload == "null";
}

// The offset of the newest publication of each key that is there.
class key_index {
public:
    // 0: the key is not there, or was taken away.
    std::uint64_t offset_of(std::string_view key) const {
        const auto found = offsets_.find(key);
        return found == offsets_.end() ? 0 : found->second;
    }
    // The next publication of the channel.
    void take(std::string_view key, std::uint64_t offset, bool takes_away);
    // A part of the snapshot before all of them.
    void take_part(std::string_view payload);

private:
    // In order, and not by a hash: outsiders choose the keys.
    std::map<std::string, std::uint64_t, std::less<>> offsets_;
};

// The payloads of a snapshot's parts: JSON arrays of what is left of the snapshot before, whose parts these
// are, and of the publications after it. None where they would be too many.
std::vector<std::string> keyed_snapshot(
    const std::vector<message_ptr>& parts, const std::vector<message_ptr>& tail
);

// Whether the channel has grown so far behind its newest snapshot, which takes `snapshot_bytes` of the
// `tail_bytes`, that another one is to be made: so far that late comers get about three times the state at
// most, and little is written twice.
constexpr bool wants_keyed_snapshot(
    std::uint64_t tail_bytes, std::uint64_t snapshot_bytes, std::uint64_t bytes_max
) {
    constexpr std::uint64_t worth_it_bytes = 32'768;
    const std::uint64_t grown = tail_bytes - snapshot_bytes;
    return grown >= worth_it_bytes + 2 * snapshot_bytes ||
           (tail_bytes >= bytes_max / 2 && grown >= bytes_max / 16);
}
// What such a channel may take. A publication that takes a key away finds room in one that is full, since it
// makes some; and the snapshot does that was made of it.
constexpr std::uint64_t keyed_bytes_max(std::uint64_t bytes_max, bool takes_away, bool is_snapshot) {
    constexpr std::uint64_t room_min = 4'096;
    if (!takes_away && !is_snapshot) return bytes_max;
    return bytes_max + (bytes_max / 8 > room_min ? bytes_max / 8 : room_min);
}

}  // namespace pulsewire::hub
