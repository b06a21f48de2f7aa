#include "common/sim/witness.hpp"

namespace pulsewire::sim {
namespace {

std::string place(const std::string& channel, std::string_view epoch, std::uint64_t offset) {
    return channel + " " + std::string(epoch) + " " + std::to_string(offset);
}

}  // namespace

const witness::log* witness::find(const std::string& channel, const std::string& epoch) const {
    const auto found = logs_.find({channel, epoch});
    return found == logs_.end() ? nullptr : &found->second;
}

void witness::ordered(
    const std::string& channel, const std::string& epoch, std::uint64_t offset, publication p
) {
    log& of_channel = logs_[{channel, epoch}];
    if (offset != of_channel.size() + 1)
        blame("the order has a hole before " + place(channel, epoch, offset));
    if (!payloads_.emplace(life_, p.payload).second) blame("published twice: " + p.payload);
    of_channel.push_back(std::move(p));
}

std::uint64_t witness::head(const std::string& channel, const std::string& epoch) const {
    const log* found = find(channel, epoch);
    return found == nullptr ? 0 : found->size();
}

void witness::acknowledged(
    const std::string& channel, const std::string& epoch, std::uint64_t offset, const std::string& payload
) {
    const log* found = find(channel, epoch);
    if (found == nullptr || offset == 0 || offset > found->size() || (*found)[offset - 1].payload != payload)
        blame("acknowledged but not kept: " + payload + " at " + place(channel, epoch, offset));
}

bool witness::may_skip_to(
    const std::string& session, const std::string& channel, const view& v, std::uint64_t offset
) const {
    const log* found = find(channel, v.epoch);
    for (std::uint64_t o = v.offset + 1; o <= offset; ++o)
        if (found == nullptr || o > found->size() || (*found)[o - 1].except != session) return false;
    return true;
}

void witness::subscribed(
    const std::string& session, const std::string& channel, view& v, bool recovered, std::string_view epoch,
    std::uint64_t offset
) {
    if (recovered &&
        (!v.told || v.epoch != epoch || offset < v.offset || !may_skip_to(session, channel, v, offset)))
        blame(
            session + " is told to be recovered at " + place(channel, epoch, offset) + " and was at " +
            place(channel, v.epoch, v.offset)
        );
    v.told = true;
    v.epoch = epoch;
    v.offset = offset;
}

void witness::delivered(
    const std::string& session, const std::string& channel, view& v, std::uint64_t offset,
    std::string_view payload
) {
    const log* found = find(channel, v.epoch);
    if (!v.told || offset <= v.offset || !may_skip_to(session, channel, v, offset - 1)) {
        blame(session + " gets " + place(channel, v.epoch, offset) + " after " + std::to_string(v.offset));
    } else if (found == nullptr || offset > found->size() || (*found)[offset - 1].payload != payload) {
        blame(session + " gets something else at " + place(channel, v.epoch, offset));
    } else if ((*found)[offset - 1].except == session) {
        blame(session + " is shown its own message");
    }
    v.offset = offset;
}

void witness::delivered_transient(const std::string& session, std::string_view payload) {
    if (!once_.insert(session + " hears " + std::string(payload)).second)
        blame(session + " hears again " + std::string(payload));
}

void witness::requested(const std::string& payload) {
    if (!once_.insert("request " + payload).second) blame("requested twice: " + payload);
}

void witness::complete(const std::string& session, const std::string& channel, const view& v) {
    const std::uint64_t last = head(channel, v.epoch);
    if (!v.told || !may_skip_to(session, channel, v, last))
        blame(session + " stays at " + place(channel, v.epoch, v.offset) + " of " + std::to_string(last));
}

}  // namespace pulsewire::sim
