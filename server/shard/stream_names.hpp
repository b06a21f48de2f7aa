#pragma once

// The names by which POST /sse finds an event stream (protocol 8.2). A name is secret, and begins with the
// index of the shard on which its stream lives, so that any shard can tell where to ask. Where nodes share a
// log it also names the node's process there, so that any node can.

#include "common/exchange/shard_message.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace pulsewire::shell {

class stream_names {
public:
    explicit stream_names(hub::shard_index here) : here_(here) {}

    // Names the stream of a connection; `secret` is random and never used again. `process` is 0 where the
    // server is alone.
    std::string add(std::uint64_t connection, std::string_view secret, std::uint64_t process = 0);
    // Does nothing for a name that is not there.
    void remove(std::string_view name);
    // The connection of a stream of this shard.
    std::optional<std::uint64_t> find(std::string_view name) const;
    std::size_t size() const { return streams_.size(); }

    // The shard that a name belongs to; nothing where add() cannot have made it. The shard need not exist.
    static std::optional<hub::shard_index> shard_of(std::string_view name);
    // The process that a name belongs to; 0 where it names none.
    static std::uint64_t process_of(std::string_view name);

private:
    hub::shard_index here_;
    std::unordered_map<std::string, std::uint64_t> streams_;
};

}  // namespace pulsewire::shell
