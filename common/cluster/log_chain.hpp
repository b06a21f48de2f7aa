#pragma once

// The chained hash of a log, H(n), with its newest values. H(n) is SipHash-1-3 of the record's bytes to 128
// bits, under H(n-1) as the key. All writers are nodes and trusted, so what has to be told apart are logs
// that differ by accident; 128 bits are enough for that, at ten times the speed of SHA-256. An outsider who
// chooses payloads knows no key: it is the hash of everything before, drawn process numbers included, and no
// hash of the chain is ever shown (epochs are hashed once more).

#include "common/base/keyed_hash.hpp"
#include "common/cluster/bytes.hpp"
#include "common/cluster/record.hpp"

#include <cstdint>
#include <string_view>
#include <vector>

namespace pulsewire::cluster {

inline fingerprint chained(const fingerprint& before, std::string_view bytes) {
    return sip_hasher<>({before.first, before.second}, true).bytes(bytes).end_wide();
}

// The log up to one of its records.
struct log_point {
    fingerprint chain;
    std::uint64_t digest = 0;  // of what the records made of the state
    std::uint64_t bytes = 0;   // of all records
};

class log_chain {
public:
    // Keeps the newest `kept` + 1 points.
    explicit log_chain(std::uint64_t kept) : points_(static_cast<std::size_t>(kept) + 1) {}

    std::uint64_t position() const { return position_; }
    const log_point& newest() const { return points_[index_of(position_)]; }
    log_base base() const { return {position_, newest().chain}; }
    // Null when the position is not reached yet or kept no more.
    const log_point* at(std::uint64_t position) const {
        const bool kept = position <= position_ && position_ - position < points_.size();
        return kept ? &points_[index_of(position)] : nullptr;
    }
    // Whether the log is known to have begun with these records.
    bool has(const log_base& b) const {
        const log_point* const found = at(b.position);
        return found != nullptr && found->chain == b.chain;
    }

    void append(std::string_view bytes) {
        const log_point before = newest();
        ++position_;
        points_[index_of(position_)] = {
            chained(before.chain, bytes), before.digest, before.bytes + bytes.size()};
    }
    // What the newest record did goes into the digest.
    void note(std::uint64_t what) {
        std::uint64_t& digest = points_[index_of(position_)].digest;
        digest = (digest ^ what) * 0x9e3779b97f4a7c15u;
        digest ^= digest >> 29;
    }

    void write(byte_writer& w) const;
    // False when the bytes are not those of a chain that keeps as many.
    bool read(byte_reader& r);

private:
    std::size_t index_of(std::uint64_t position) const { return position % points_.size(); }

    std::uint64_t position_ = 0;
    std::vector<log_point> points_;
};

}  // namespace pulsewire::cluster
