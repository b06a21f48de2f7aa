#pragma once

// One publication as a destination gets it.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pulsewire::shell::forward {

struct record {
    std::string to;   // the stream, the subject, the topic, the queue or the routing key
    std::string key;  // Kafka's key
    std::string id;   // of the publication: the same whenever it is sent again
    std::string_view content_type;
    std::vector<std::pair<std::string_view, std::string>> headers;
    std::string value;
};

}  // namespace pulsewire::shell::forward
