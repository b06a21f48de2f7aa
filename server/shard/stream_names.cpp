#include "server/shard/stream_names.hpp"

#include <algorithm>
#include <charconv>
#include <system_error>

namespace pulsewire::shell {

std::string stream_names::add(std::uint64_t connection, std::string_view secret, std::uint64_t process) {
    std::string name = std::to_string(here_) + ".";
    if (process != 0) name += std::to_string(process) + ".";
    name += secret;
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

std::uint64_t stream_names::process_of(std::string_view name) {
    name.remove_prefix(std::min(name.find('.'), name.size()));
    if (name.empty()) return 0;
    name.remove_prefix(1);
    std::uint64_t process = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), process);
    // A secret may begin with digits, but has no full stop.
    return error == std::errc() && end != name.data() + name.size() && *end == '.' ? process : 0;
}

}  // namespace pulsewire::shell
