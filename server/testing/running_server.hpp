#pragma once

// A server that runs on a free port for the length of a test.

#include "server/server.hpp"
#include "server/testing/client.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>
#include <thread>

namespace pulsewire::testing {

inline config test_config(std::uint32_t threads = 2) {
    config c;
    c.port = 0;
    c.threads = threads;
    c.handle_signals = false;
    c.print_start = false;
    c.log_level = "off";
    return c;
}

class running_server {
public:
    explicit running_server(config c = test_config(), const std::function<void(server&)>& set_up = {})
        : has_tls_(!c.tls_certificate.empty()), server_(std::move(c)) {
        if (set_up) set_up(server_);
        server_.start();
        thread_ = std::thread([this] { exit_code_ = server_.run(); });
    }
    ~running_server() { stop(); }

    std::uint16_t port() const { return server_.port(); }
    server& operator*() { return server_; }
    server* operator->() { return &server_; }

    // Ends it as a signal does, and waits for the end.
    int stop() {
        server_.stop();
        if (thread_.joinable()) thread_.join();
        return exit_code_;
    }

    // The value of a metric, by its name with labels as /metrics prints it.
    double metric(const std::string& name) const {
        client c = has_tls_ ? client(port(), tls_wishes()) : client(port());
        const std::string text = ask(c, "GET", "/metrics").body;
        const std::size_t at = text.find("\n" + name + " ");
        return at == std::string::npos ? -1 : std::stod(text.substr(at + name.size() + 2));
    }

    // Asks for a metric until it has the value; what the server does with an end of ours, it does in its own
    // time.
    void wait_for(const std::string& name, double value) const {
        const auto deadline = std::chrono::steady_clock::now() + patience;
        while (metric(name) != value)
            if (std::chrono::steady_clock::now() > deadline)
                throw std::runtime_error(name + " stays otherwise");
    }

private:
    bool has_tls_;
    server server_;
    std::thread thread_;
    int exit_code_ = -1;
};

}  // namespace pulsewire::testing
