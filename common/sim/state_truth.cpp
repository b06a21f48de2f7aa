#include "common/sim/state_truth.hpp"

#include <algorithm>

namespace pulsewire::sim {
namespace {

// So many that are not whole are remembered (4.29).
constexpr std::size_t begun_max = 2;

bool has(const std::vector<std::uint64_t>& parts, std::uint64_t offset) {
    return std::find(parts.begin(), parts.end(), offset) != parts.end();
}

}  // namespace

bool state_truth::add(std::string_view payload, const snapshot_offer* s) {
    fold next = folds_.back();
    if (s == nullptr) next.take(payload);
    folds_.push_back(next);
    if (s == nullptr) return false;
    if (s->covers <= covers()) return true;
    std::vector<std::uint64_t>* const parts = parts_of(*s);
    if (parts == nullptr) return true;
    // Of a part that comes again the first counts.
    if (std::uint64_t& place = (*parts)[s->part - 1]; place == 0) place = head();
    const bool raced = begun_.size() > 1;
    if (std::count(parts->begin(), parts->end(), 0u) != 0) return raced;
    wholes_.push_back({head(), s->covers, *parts});
    std::erase_if(begun_, [&](const begun& b) { return b.covers <= s->covers; });
    return raced;
}

std::vector<std::uint64_t>* state_truth::parts_of(const snapshot_offer& s) {
    for (begun& b : begun_)
        if (b.id == s.id && b.covers == s.covers) return &b.parts;
    // A snapshot in one part is whole at once, and takes nobody's place.
    if (s.parts > 1 && begun_.size() == begun_max) {
        auto least = begun_.begin();
        for (auto b = begun_.begin(); b != begun_.end(); ++b)
            if (b->covers < least->covers) least = b;
        if (s.covers < least->covers) return nullptr;
        begun_.erase(least);
    }
    begun_.push_back({s.id, s.covers, std::vector<std::uint64_t>(s.parts)});
    return &begun_.back().parts;
}

const state_truth::whole* state_truth::newest_at(std::uint64_t head) const {
    const auto later =
        std::partition_point(wholes_.begin(), wholes_.end(), [&](const whole& w) { return w.since <= head; });
    return later == wholes_.begin() ? nullptr : &*(later - 1);
}

bool state_truth::is_of_newest(std::uint64_t offset) const {
    return !wholes_.empty() && has(wholes_.back().parts, offset);
}

bool state_truth::is_of(const snapshot_offer& s, std::uint64_t offset) const {
    return std::any_of(begun_.begin(), begun_.end(), [&](const begun& b) {
        return b.id == s.id && b.covers == s.covers && has(b.parts, offset);
    });
}

}  // namespace pulsewire::sim
