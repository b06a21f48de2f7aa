#include "common/exchange/config.hpp"

#include "common/protocol/names.hpp"

namespace pulsewire::hub {

const namespace_options& config::options_of(std::string_view channel) const {
    if (namespaces.empty()) return default_namespace;
    const auto found = namespaces.find(std::string(namespace_of(channel)));
    return found == namespaces.end() ? default_namespace : found->second;
}

}  // namespace pulsewire::hub
