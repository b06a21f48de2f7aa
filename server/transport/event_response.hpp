#pragma once

// The head of an answer that is an event stream (protocol 8.1).

#include "server/http/response.hpp"

namespace pulsewire::shell {

inline response event_response() {
    response r;
    r.streams = true;
    r.content_type = "text/event-stream";
    r.add("Cache-Control", "no-store");
    r.add("X-Accel-Buffering", "no");  // nginx would collect events before it passes them on
    return r;
}

}  // namespace pulsewire::shell
