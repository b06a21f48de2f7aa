#pragma once

// How a node meets its clients: with HTTP.

#include "server/shard/ports.hpp"

namespace pulsewire::shell {

welcome http_welcome();

}  // namespace pulsewire::shell
