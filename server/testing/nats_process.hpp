#pragma once

// A real nats-server with JetStream for the length of a test, on a free port and with its files in a folder
// of its own.

#include "server/testing/child_process.hpp"
#include "server/testing/temporary_folder.hpp"

#include <nats/nats.h>

#include <cstdint>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>

namespace pulsewire::testing {

class nats_process {
public:
    // `more` is a part of its configuration.
    explicit nats_process(const std::string& more = "") : port_(free_port()) {
        std::ofstream(config()) << "host: 127.0.0.1\nport: " << port_ << "\njetstream { store_dir: \""
                                << data() << "\" }\n"
                                << more << "\n";
        start();
    }

    std::uint16_t port() const { return port_; }
    std::string at() const { return "127.0.0.1:" + std::to_string(port_); }
    std::string folder() const { return folder_.path(); }
    std::string data() const { return folder_.path() + "/data"; }

    // Returns when it listens, which it does after JetStream is ready. The data is what the one before has
    // left.
    void start() {
        process_ = std::make_unique<child_process>(
            std::vector<std::string>{"nats-server", "-c", config()}, folder_.path() + "/log"
        );
        if (!eventually([this] { return listens(); })) throw std::runtime_error("nats-server does not start");
    }
    void kill() { process_->kill(); }
    void pause() { process_->signal(SIGSTOP); }
    void resume() { process_->signal(SIGCONT); }

    // The answer of a subject, such as those of JetStream's API; "" when there is none.
    std::string operator()(const std::string& subject, const std::string& body = "") const {
        natsConnection* made = nullptr;
        natsMsg* answer = nullptr;
        std::string text;
        if (natsConnection_ConnectTo(&made, ("nats://" + at()).c_str()) == NATS_OK &&
            natsConnection_RequestString(&answer, made, subject.c_str(), body.c_str(), 5'000) == NATS_OK)
            text.assign(natsMsg_GetData(answer), static_cast<std::size_t>(natsMsg_GetDataLength(answer)));
        natsMsg_Destroy(answer);
        natsConnection_Destroy(made);
        return text;
    }

private:
    std::string config() const { return folder_.path() + "/nats.conf"; }
    bool listens() const {
        const int probe = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port_);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        const bool done = ::connect(probe, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
        ::close(probe);
        return done;
    }

    temporary_folder folder_;
    std::uint16_t port_;
    std::unique_ptr<child_process> process_;
};

}  // namespace pulsewire::testing
