#include "server/broker/redis/stream.hpp"

#include <charconv>
#include <limits>

namespace pulsewire::shell::redis {

std::string key_of(std::string_view prefix, cluster::partition_index partition) {
    return std::string(prefix).append(":{").append(std::to_string(partition)).append("}");
}

std::string id_of(cluster::mark at) {
    return std::to_string(at.high).append("-").append(std::to_string(at.low));
}

cluster::mark mark_of(std::string_view id) {
    cluster::mark found;
    const char* const end = id.data() + id.size();
    const auto high = std::from_chars(id.data(), end, found.high);
    if (high.ec != std::errc{} || high.ptr == end || *high.ptr != '-') return {};
    const auto low = std::from_chars(high.ptr + 1, end, found.low);
    if (low.ec != std::errc{} || low.ptr != end) return {};
    return found;
}

cluster::mark position_before(cluster::mark at) {
    if (at.low > 0) return {at.high, at.low - 1};
    if (at.high > 0) return {at.high - 1, std::numeric_limits<std::uint64_t>::max()};
    return {};
}

std::optional<record_view> record_of(reply_view entry) {
    const reply_view fields = entry[1];
    const cluster::mark at = mark_of(entry[0].text());
    if (at == cluster::mark{} || fields.size() != 2 || fields[0].text() != record_field) return std::nullopt;
    return record_view{at, fields[1].text()};
}

}  // namespace pulsewire::shell::redis
