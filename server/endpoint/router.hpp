#pragma once

// Sends each request to the endpoint that answers it.

namespace pulsewire::shell {

class http_conversation;

// Answers the request of `c`, or sees to it that it will be answered.
void answer_request(http_conversation& c);

}  // namespace pulsewire::shell
