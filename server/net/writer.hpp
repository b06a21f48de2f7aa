#pragma once

// Sends what waits for a connection: the only place in the server that does. Never blocks.

#include "common/delivery/outbound.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

namespace pulsewire::shell {

class tls_session;

struct written {
    enum class outcome : std::uint8_t {
        drained,  // nothing waits any more, in a TLS session neither
        more,     // the turn's share is written, the socket would take more
        blocked,  // the kernel's buffer is full: wait until the socket is writable
        failed,   // the connection is broken; errno tells
    };
    outcome how = outcome::drained;
    std::size_t bytes = 0;  // that the kernel took
};

// One or a few gathered writes of what waits, up to `turn_bytes_max`; through `tls` where there is one.
written write(delivery::outbound& queue, int socket, tls_session* tls, std::size_t turn_bytes_max);
// The same with a run that comes last. Precondition: queue.takes_runs().
written write_run(
    delivery::outbound& queue, int socket, tls_session* tls, std::shared_ptr<delivery::line_run>&& run,
    std::size_t turn_bytes_max
);

// The alert of a TLS session that has failed, if the socket takes it.
void send_alert(int socket, tls_session& tls);
// An answer on a socket that gets no conversation. Best effort: what does not fit is lost, and a request that
// is on its way may turn the end into a reset.
void send_last_words(int socket, std::string_view answer);

}  // namespace pulsewire::shell
