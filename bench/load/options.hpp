#pragma once

// The options of the user.

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bench/load/stamp.hpp"

namespace pulsewire::bench {

struct options {
    std::string scenario;
    std::string url = "ws://127.0.0.1:8080";
    std::string dialect = "pulsewire";
    std::string channel = "bench";
    std::string api_key;
    std::vector<std::string> headers;
    std::vector<std::string> tokens;  // the first connection shows the first, and so on; empty: none
    std::string ca;                   // a file of certificates to trust
    bool insecure = false;            // trust all certificates
    std::vector<pid_t> server_pids;
    bool event_streams = false;     // subscribers over SSE
    bool post = false;              // publishers over HTTP
    std::uint32_t connections = 0;  // 0 here and below: the default of the scenario
    std::uint32_t channels = 0;
    std::uint32_t members = 0;
    std::uint32_t publishers = 0;
    std::uint32_t window = 0;
    std::uint32_t messages = 100;
    double rate = 0;  // deliveries per second
    double seconds = 3;
    double warm_up_seconds = 0.5;
    double drain_seconds = 5;
    std::size_t payload_bytes = 128;
    filling filled_with = filling::letters;
    bool deflate = false;
    bool json = false;
};

// Ends the process for --help and for faulty options.
options read_options(int count, char** arguments);

}  // namespace pulsewire::bench
