#pragma once

// The connections of one shard by id, which is a place in the table and how often it was used: found without
// hashing, and an id that outlived its connection finds nothing.

#include "server/log.hpp"
#include "server/shard/connection.hpp"

#include <cstdint>
#include <exception>
#include <memory>
#include <vector>

namespace pulsewire::shell {

class connection_table {
public:
    // `exceptions` counts what guarded() catches; it outlives the table.
    explicit connection_table(std::uint64_t& exceptions) : exceptions_(exceptions) {}

    // The id that the next add() must use. Never 0, never given twice.
    std::uint64_t next_id();
    // Precondition: the connection's id is the last one that next_id() gave.
    connection& add(std::unique_ptr<connection> c);
    // Null when it is gone.
    connection* find(std::uint64_t id) const;
    // Takes the connection out. Precondition: it is in the table.
    std::unique_ptr<connection> remove(std::uint64_t id);

    std::size_t size() const { return size_; }

    // Calls `call(connection&)` where the connection is still there. An exception ends at most the
    // connection.
    template <class Call>
    void guarded(std::uint64_t id, Call&& call) noexcept {
        connection* c = find(id);
        if (c == nullptr) return;
        try {
            try {
                call(*c);
            } catch (const std::exception& e) {
                ++exceptions_;
                log::error("a connection ended by an exception: ", e.what());
                if (connection* still = find(id)) still->drop();
            }
        } catch (...) {
            // Even ending it failed, for example without memory; the sweep will try again.
            ++exceptions_;
        }
    }
    // The same for each. Connections may be removed meanwhile, ones added may be left out.
    template <class Call>
    void each_guarded(Call&& call) noexcept {
        for (std::size_t i = 0; i < places_.size(); ++i)
            if (places_[i].held) guarded(places_[i].held->id(), call);
    }

    // The same from this place on, at least for one, until `enough()`. Returns the place to go on from; 0:
    // all had their turn.
    template <class Call, class Enough>
    std::size_t each_guarded_from(std::size_t at, Call&& call, Enough&& enough) noexcept {
        while (at < places_.size()) {
            const bool held = places_[at].held != nullptr;
            if (held) guarded(places_[at].held->id(), call);
            ++at;
            if (held && enough()) return at < places_.size() ? at : 0;
        }
        return 0;
    }

private:
    struct place {
        std::unique_ptr<connection> held;
        std::uint32_t uses = 0;
    };
    static std::uint64_t id_of(std::size_t index, std::uint32_t uses) {
        return std::uint64_t{uses} << 32 | index;
    }
    static std::size_t index_of(std::uint64_t id) { return static_cast<std::uint32_t>(id); }

    std::uint64_t& exceptions_;
    std::vector<place> places_;
    std::vector<std::uint32_t> free_;
    std::size_t size_ = 0;
};

}  // namespace pulsewire::shell
