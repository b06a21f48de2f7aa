#pragma once

// Which endpoint answers a request.

namespace pulsewire::shell {

class http_conversation;

// Answers the request of `c`, or sees to it that it will be answered.
void route(http_conversation& c);

}  // namespace pulsewire::shell
