#include "common/cluster/sim/witness.hpp"

namespace pulsewire::cluster::sim {

void witness::shown(
    channel_number channel, const channel_epoch& epoch, std::uint64_t offset, payload_number payload
) {
    const auto at = payload_at_.try_emplace({channel, epoch, offset}, payload).first;
    if (at->second != payload)
        complain(
            "channel " + std::to_string(channel) + " has two payloads at offset " + std::to_string(offset) +
            " of one epoch: " + std::to_string(at->second) + " and " + std::to_string(payload)
        );
    const auto where = offset_of_.try_emplace({channel, epoch, payload}, offset).first;
    if (where->second != offset)
        complain(
            "payload " + std::to_string(payload) + " has two offsets in one epoch: " +
            std::to_string(where->second) + " and " + std::to_string(offset)
        );
}

void witness::copy(std::uint32_t partition, const fingerprint& chain, std::uint64_t digest) {
    if (digests_.try_emplace(chain.first + partition, digest).first->second != digest)
        complain("copies of partition " + std::to_string(partition) + " differ that have read the same");
}

}  // namespace pulsewire::cluster::sim
