#include "server/version.hpp"

namespace pulsewire {

const std::string_view version = PULSEWIRE_VERSION;

}  // namespace pulsewire
