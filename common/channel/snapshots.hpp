#pragma once

// The snapshots of a channel's log: which publications are the newest whole one, and up to where it covers
// the others. A function of the publications alone, in their order, so that restarts and nodes agree on it.

#include "common/protocol/limits.hpp"
#include "common/protocol/snapshot.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace pulsewire::hub {

class snapshots {
public:
    // The newest whole one covers the publications up to here; 0: there is none.
    std::uint64_t covers() const { return covers_; }
    // The offsets of its parts, in their order.
    const std::vector<std::uint64_t>& parts() const { return parts_; }

    // A publication of the log is a snapshot or a part of one. Once they cover less than another that is
    // whole, they have no effect. Returns which publications no beginning will need any more, be it this one.
    std::vector<std::uint64_t> add(std::uint64_t offset, const snapshot_view& s);
    // Whether the publication is a part of the newest whole one.
    bool has(std::uint64_t offset) const {
        return std::find(parts_.begin(), parts_.end(), offset) != parts_.end();
    }
    // All of it as numbers and texts, and back; cluster/bytes.hpp has a writer and a reader. A copy must hold
    // exactly what its source does, and not what the publications that are still there would make of it.
    template <class Writer>
    void write(Writer& w) const {
        w.length(covers_);
        write_offsets(w, parts_);
        w.length(offers_.size());
        for (const offer& o : offers_) {
            w.text(o.id);
            w.length(o.covers);
            write_offsets(w, o.parts);
        }
    }
    template <class Reader>
    void read(Reader& r) {
        covers_ = r.length();
        parts_ = read_offsets(r);
        for (std::uint64_t n = r.length(); n > 0 && r.ok(); --n) {
            offer o;
            o.id = r.text(key_bytes_max);
            o.covers = r.length();
            o.parts = read_offsets(r);
            o.missing = static_cast<std::size_t>(std::count(o.parts.begin(), o.parts.end(), 0u));
            offers_.push_back(std::move(o));
        }
        if (offers_.size() > offers_max) r.fail();
    }

private:
    struct offer {
        std::string id;
        std::uint64_t covers = 0;
        std::vector<std::uint64_t> parts;  // offsets; 0: not here yet
        std::size_t missing = 0;
    };

    template <class Writer>
    static void write_offsets(Writer& w, const std::vector<std::uint64_t>& all) {
        w.length(all.size());
        for (const std::uint64_t offset : all) w.length(offset);
    }
    template <class Reader>
    static std::vector<std::uint64_t> read_offsets(Reader& r) {
        const std::uint64_t many = r.length();
        if (many > snapshot_parts_max) r.fail();
        std::vector<std::uint64_t> all;
        for (std::uint64_t i = 0; i < many && r.ok(); ++i) all.push_back(r.length());
        return all;
    }

    // Adds the offsets of what it replaces to `free`.
    void take(std::uint64_t covers, std::vector<std::uint64_t> parts, std::vector<std::uint64_t>& free);
    static void add_parts(std::vector<std::uint64_t>& free, const std::vector<std::uint64_t>& parts);

    // Those of which parts are missing; beyond: the one that covers least is forgotten, of several the first.
    static constexpr std::size_t offers_max = 2;

    std::uint64_t covers_ = 0;
    std::vector<std::uint64_t> parts_;
    std::vector<offer> offers_;  // in the order of their beginnings
};

}  // namespace pulsewire::hub
