#pragma once

// The sessions of one shard's connections.

#include "common/session/session.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

namespace pulsewire::hub {

class session_table {
public:
    // Null when the connection has no session.
    session* find(std::uint64_t connection) {
        const auto found = sessions_.find(connection);
        return found == sessions_.end() ? nullptr : found->second.get();
    }
    void add(std::unique_ptr<session> s) {
        const std::uint64_t connection = s->connection;
        sessions_[connection] = std::move(s);
    }
    void remove(std::uint64_t connection) { sessions_.erase(connection); }
    std::size_t size() const { return sessions_.size(); }

    // The connections whose session fulfils the condition, in the order of their ids, so that a run can be
    // repeated exactly on every platform.
    template <class Condition>
    std::vector<std::uint64_t> those(Condition&& condition) {
        std::vector<std::uint64_t> found;
        for (const auto& [connection, s] : sessions_)
            if (condition(*s)) found.push_back(connection);
        std::sort(found.begin(), found.end());
        return found;
    }

private:
    // An ordinary hash is safe here: the shell numbers the connections, no outsider chooses these keys.
    std::unordered_map<std::uint64_t, std::unique_ptr<session>> sessions_;
};

}  // namespace pulsewire::hub
