#pragma once

// One connection to the server under load: connects without blocking, upgrades to WebSocket or opens an event
// stream, or posts over a kept HTTP connection. It reports to its owner and never blocks.

#include "common/protocol/websocket_reader.hpp"

#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "bench/load/compressed.hpp"
#include "bench/load/dialect.hpp"
#include "bench/load/loop.hpp"
#include "bench/load/stamp.hpp"
#include "bench/load/tls.hpp"

namespace pulsewire::bench {

// The address and its options; outlives all connections.
struct target {
    sockaddr_storage address{};
    socklen_t address_bytes = 0;
    std::string host;     // the value of the Host field
    std::string name;     // of the machine, without the port
    std::string base;     // prefix of all paths, without the last '/'
    std::string headers;  // further fields, each with its line end
    const dialect* speaks = nullptr;
    bool secure = false;              // wss, https
    const tls_client* tls = nullptr;  // set when `secure`
    // Negotiates compression without context; a server that refuses this ends the run.
    inflater* compression = nullptr;
};

// Reads "ws://host:port/base", "http://…", "wss://…" or "https://…". Throws std::runtime_error with a
// sentence for people.
target read_target(std::string_view url);

enum class transport : std::uint8_t { websocket, event_stream, http };

class connection;

class connection_owner {
public:
    // Bytes arrived; the event itself follows.
    virtual void on_bytes(connection&) {}
    virtual void on_settled(connection&) {}
    virtual void on_delivered(connection&, const stamp&) {}
    // A POST was answered with a status of 200 to 299.
    virtual void on_answered(connection&) {}
    virtual void on_refused(connection&, std::string_view) {}
    // The server ended the connection or could not be reached; never called after close().
    virtual void on_lost(connection&, std::string_view why) = 0;
    // A message before the dialect reads it, for scenarios that need its text.
    virtual void on_message(connection&, std::string_view) {}

protected:
    ~connection_owner() = default;
};

class connection final : public pollable, public talk {
public:
    connection(loop& l, const target& where, connection_owner& owner, transport over);
    ~connection();
    connection(const connection&) = delete;
    connection& operator=(const connection&) = delete;

    // Starts; on_settled or on_lost follow, later.
    void open();
    // Ends the connection at once with a reset, so that no port lingers on either side.
    void close();
    bool is_open() const { return descriptor_ >= 0; }

    // Only when settled. The bytes wait for flush().
    void publish(std::string_view payload);
    void flush();
    // Bytes that the kernel has not taken yet.
    std::size_t waiting_bytes() const { return out_.size() - sent_; }

    void say(std::string_view message) override;
    void settled() override;
    void delivered(const stamp& s) override { owner_.on_delivered(*this, s); }
    void find_deliveries(std::string_view bytes) override;
    void refused(std::string_view words) override { owner_.on_refused(*this, words); }

    void ready(std::uint32_t epoll_events) override;

    // For the owner.
    std::uint32_t index = 0;
    std::uint32_t group = 0;

private:
    enum class phase : std::uint8_t { closed, connecting, securing, head, talking };

    void lose(std::string_view why);
    void secured();
    void connected();
    void read();
    void read_secured();
    // The number of bytes sent; below 0 when none can be sent now.
    ssize_t send_some(std::string_view bytes);
    void take(std::span<char> bytes);
    void take_head(std::span<char> bytes);
    void take_websocket(std::span<char> bytes);
    void take_compressed(std::span<const char> bytes);
    void take_message(std::string_view message);
    void take_answers(std::string_view bytes);
    void write_frame(std::string_view payload, websocket::opcode op);
    void wait_for(std::uint32_t events);

    loop& loop_;
    const target& where_;
    connection_owner& owner_;
    transport over_;
    phase phase_ = phase::closed;
    int descriptor_ = -1;
    std::uint32_t waits_for_ = 0;
    std::uint64_t published_ = 0;
    std::unique_ptr<tls_stream> tls_;
    std::string head_;  // of an HTTP answer or an event stream, the part that has arrived
    std::size_t body_left_ = 0;
    std::string out_;
    std::size_t sent_ = 0;
    websocket::reader reader_;
    std::unique_ptr<compressed_reader> compressed_;
    stamp_finder finder_;
};

}  // namespace pulsewire::bench
