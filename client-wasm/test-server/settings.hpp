#pragma once

// What a test server is made of, as the JavaScript half passes it: JSON with the names of the server's config
// file.

#include "common/base/result.hpp"
#include "common/delivery/bounds.hpp"
#include "common/exchange/config.hpp"

#include <string>
#include <string_view>

namespace pulsewire::test_server {

struct settings {
    hub::config hub;
    delivery::bounds delivery;
};

// Reads {"namespaces": {"chat": {"history_count_max": 100, "allow": {…}, "types": {…}}}, "default_namespace":
// {…}, "limits": {"ping_ms": 1000}, "tokens": true, "anonymous": false, "publishes": true}. A name or a value
// that the server would refuse is an error: a sentence for the author of the test, which begins with the
// place.
result<settings, std::string> read_settings(std::string_view json);

}  // namespace pulsewire::test_server
