#include "server/shard/stream_names.hpp"

#include <charconv>
#include <system_error>

namespace pulsewire::shell {

std::string stream_names::add(std::uint64_t connection, std::string_view secret) {
    std::string name = std::to_string(here_) + "." + std::string(secret);
    streams_.emplace(name, connection);
    return name;
}

void stream_names::remove(std::string_view name) {
    streams_.erase(std::string(name));
}

std::optional<std::uint64_t> stream_names::find(std::string_view name) const {
    const auto found = streams_.find(std::string(name));
    if (found == streams_.end()) return std::nullopt;
    return found->second;
}

std::optional<hub::shard_index> stream_names::shard_of(std::string_view name) {
    hub::shard_index index = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), index);
    if (error != std::errc() || end == name.data() + name.size() || *end != '.') return std::nullopt;
    return index;
}

}  // namespace pulsewire::shell
