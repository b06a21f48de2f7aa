#include "common/exchange/config.hpp"

#include "common/access/pattern.hpp"
#include "common/protocol/names.hpp"

#include <algorithm>

namespace pulsewire::hub {

const namespace_options& config::options_of(std::string_view channel) const {
    if (namespaces.empty()) return default_namespace;
    const auto found = namespaces.find(std::string(namespace_of(channel)));
    return found == namespaces.end() ? default_namespace : found->second;
}

bool config::is_forwarded(std::string_view channel) const {
    if (forwards.empty()) return false;
    const std::size_t colon = channel.find(':');
    if (channel.substr(colon == channel.npos ? 0 : colon + 1).starts_with(forward_place_prefix)) return false;
    return std::any_of(forwards.begin(), forwards.end(), [&](const std::string& pattern) {
        return access::matches(pattern, channel, {});
    });
}

void take_changeable(namespace_options& into, const namespace_options& fresh) {
    into.history_count_max = fresh.history_count_max;
    into.history_bytes_max = fresh.history_bytes_max;
    into.history_age_ms = fresh.history_age_ms;
    into.client_publish = fresh.client_publish;
    into.other_types = fresh.other_types;
    into.client_requests = fresh.client_requests;
    into.presence = fresh.presence;
    into.allow = fresh.allow;
    into.allow_is_set = fresh.allow_is_set;
    into.slow_consumers = fresh.slow_consumers;
}

}  // namespace pulsewire::hub
