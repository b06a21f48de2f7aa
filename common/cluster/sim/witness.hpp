#pragma once

// Who sees everything that clients of any node are shown, and says what must not have happened.

#include "common/cluster/effect.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

namespace pulsewire::cluster::sim {

// A channel of the simulation, and a payload, are numbers.
using channel_number = std::uint32_t;
using payload_number = std::uint32_t;

class witness {
public:
    // The first complaint; empty: nothing was wrong.
    const std::string& fault() const { return fault_; }
    void complain(const std::string& what) {
        if (fault_.empty()) fault_ = what;
    }

    // Somebody was shown the payload at this place: nobody ever sees another one there, nor this one
    // elsewhere.
    void shown(
        channel_number channel, const channel_epoch& epoch, std::uint64_t offset, payload_number payload
    );
    // A copy with this chain has that digest: all that read the same are the same.
    void copy(std::uint32_t partition, const fingerprint& chain, std::uint64_t digest);

private:
    struct place {
        channel_number channel = 0;
        channel_epoch epoch;
        std::uint64_t number = 0;  // an offset or a payload
        friend bool operator==(const place&, const place&) = default;
    };
    struct place_hash {
        std::size_t operator()(const place& p) const {
            return static_cast<std::size_t>(
                (p.epoch.log.first ^ p.number * 0x9e3779b97f4a7c15u) +
                (p.epoch.generation * 64 + p.channel) * 0xbf58476d1ce4e5b9u
            );
        }
    };

    std::unordered_map<place, payload_number, place_hash> payload_at_;
    std::unordered_map<place, std::uint64_t, place_hash> offset_of_;
    std::unordered_map<std::uint64_t, std::uint64_t> digests_;
    std::string fault_;
};

}  // namespace pulsewire::cluster::sim
