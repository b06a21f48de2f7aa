#pragma once

// Every bound of the native shell, with its name, unit, default and consequence (design promise
// P5). The bounds of the protocol and the hub are in common/protocol/limits.hpp, those of what waits for a
// connection in common/delivery/bounds.hpp; all are keys of the config file (docs/operating.md).

#include "common/delivery/bounds.hpp"

#include <cstdint>

namespace pulsewire {

// With the bounds of what waits for one connection: queue_bytes_max and others.
struct shell_limits : delivery::bounds {
    // Open connections of the process; beyond: 503 and closed. 0: 18,000, or less if RLIMIT_NOFILE is lower.
    std::uint32_t connections_max = 0;
    // Open connections of one address (IPv6: of one /64); beyond: 429. 0: an eighth of connections_max, and
    // seven eighths for this machine, which may be a proxy.
    std::uint32_t connections_per_address_max = 0;
    // Connections that one address opens in a second on average, ten times as many at once; beyond: 429. 0:
    // 100, and no limit for this machine.
    std::uint32_t connects_per_address_per_second = 0;
    // HTTP requests of one address in a second on average, twice as many at once; one with a wrong API key
    // counts as a hundred, and an answer of history, members or a replay as one for each 4 KiB. Beyond: 429.
    // 0: 1,000, and no limit for this machine.
    std::uint32_t requests_per_address_per_second = 0;
    // Connections that one shard accepts in one turn of its loop; the others wait in the kernel's queue.
    std::uint32_t accepts_per_turn = 64;
    // The pause of a shard's accepting after an accept failed (no file descriptors, no memory).
    std::uint32_t accept_backoff_ms = 100;

    // Request line and fields of one request, in bytes, and the number of fields; beyond: 431. Cookies of a
    // whole domain come along, which is why it is as much as browsers and proxies send.
    std::uint32_t http_head_bytes_max = 64 * 1024;
    std::uint32_t http_fields_max = 100;
    // From the opening of a connection, or the first byte of a later request, to
    // the end of its head, as long as it arrives more slowly than at transfer_bytes_per_second_min, and the
    // longest pause within it; beyond: 408.
    std::uint32_t http_head_timeout_ms = 10'000;
    // The same from the end of the head to the end of the body; beyond: 408.
    std::uint32_t http_body_timeout_ms = 10'000;
    // The rate, in bytes a second, at which what a peer sends must arrive on average where it takes longer
    // than http_head_timeout_ms, http_body_timeout_ms or assembly_timeout_ms; beyond: what those say. 0: any.
    std::uint32_t transfer_bytes_per_second_min = 512;
    // Silence on a kept-alive connection between requests; beyond: closed.
    std::uint32_t http_idle_timeout_ms = 30'000;
    // Bytes of further requests that a client may send before its answer; beyond: they wait in the kernel.
    std::uint32_t http_pipelined_bytes_max = 64 * 1024;
    // From a request to its answer when other shards or the application work on it; beyond: 503 overloaded.
    std::uint32_t http_answer_timeout_ms = 10'000;

    // How long a read of a stream waits for something new (live=long-poll); beyond: 204, and the client asks
    // again.
    std::uint32_t stream_poll_ms = 20'000;
    // The longest pause between two pieces that a request appends to a stream; beyond: 408, and what came
    // before stays.
    std::uint32_t stream_pause_ms = 120'000;

    // The memory, in bytes, of everything that waits for slow readers, for the whole process; each loop has
    // an equal share. Beyond: the connections with the most waiting bytes are closed with 4000. 0: an eighth
    // of the memory that the process may use.
    std::uint64_t waiting_bytes_total_max = 0;
    // The memory, in bytes, of what loops posted to each other and did not receive yet, for the whole
    // process. Beyond: no client is read until half of it is received, and the API answers 503 overloaded. 0:
    // a sixteenth of the memory that the process may use.
    std::uint64_t mail_bytes_total_max = 0;
    // A write that makes no progress; beyond: the connection is dropped.
    std::uint32_t write_timeout_ms = 10'000;
    // Whether WebSocket clients may negotiate compression (RFC 7692); compression_bytes_min says of what.
    bool websocket_compression = false;
    // Bytes written to one connection in one turn of the loop; the rest waits for the next turn.
    std::uint32_t turn_bytes_max = 256 * 1024;
    // The time, in one turn of a loop, for each kind of work whose amount has no bound of its own: reading,
    // accepting, what other loops posted, writing, and ending connections; the rest waits for the next turn.
    std::uint32_t turn_slice_ms = 2;
    // How long what is due may wait for its turn of a loop, as the median of three measurements in a second
    // and a half. Beyond: the loop takes no new clients (503 with Retry-After, before anything is upgraded)
    // until it is half as much; those who are there stay. 0: it always takes them.
    std::uint32_t shed_loop_lag_ms = 1'000;

    // The longest pause within a WebSocket message, and from its first byte to its last where it arrives more
    // slowly than at transfer_bytes_per_second_min; beyond: close 1008.
    std::uint32_t assembly_timeout_ms = 10'000;
    // Pings and pongs of a WebSocket client within a second; beyond: close 1008.
    std::uint32_t control_frames_max = 100;
    // From our end of a connection to the peer's end; beyond: the connection is dropped.
    std::uint32_t close_timeout_ms = 3'000;

    // Publishes and requests that wait for the application's thread; beyond: answered by overloaded.
    std::uint32_t application_queue_max = 10'000;

    // From SIGTERM to draining: /healthz answers 503 in the meantime, so that a
    // load balancer can turn away first.
    std::uint32_t drain_delay_ms = 0;
    // The window within which each client gets its own moment to come back.
    std::uint32_t drain_spread_ms = 5'000;
    // Whether new connections reach another server in the meantime (because a proxy sends them
    // there). Then clients are asked to open their next connection within the window, and keep
    // this one until the next one serves.
    bool drain_handover = false;
    // From SIGTERM to the end of the process, whatever is still open.
    std::uint32_t shutdown_timeout_ms = 10'000;
};

}  // namespace pulsewire
