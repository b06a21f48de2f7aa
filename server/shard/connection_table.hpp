#pragma once

// The connections of one shard by id, which is a place in the table and how often it was used: found without
// hashing, and an id that outlived its connection finds nothing.

#include "server/shard/connection.hpp"

#include <cstdint>
#include <memory>
#include <vector>

namespace pulsewire::shell {

class connection_table {
public:
    // The id that the next add() must use. Never 0, never given twice.
    std::uint64_t next_id();
    // Precondition: the connection's id is the last one that next_id() gave.
    connection& add(std::unique_ptr<connection> c);
    // Null when it is gone.
    connection* find(std::uint64_t id) const;
    // Takes the connection out. Precondition: it is in the table.
    std::unique_ptr<connection> remove(std::uint64_t id);

    std::size_t size() const { return size_; }

    // Calls `f(connection&)` for each; connections may be removed meanwhile, ones added may be left out.
    template <class F>
    void for_each(F&& f) {
        for (std::size_t i = 0; i < places_.size(); ++i)
            if (places_[i].held) f(*places_[i].held);
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

    std::vector<place> places_;
    std::vector<std::uint32_t> free_;
    std::size_t size_ = 0;
};

}  // namespace pulsewire::shell
