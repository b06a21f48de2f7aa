#pragma once

// The part of a shard that its connections see, without a shard behind it: for tests of a connection, or of
// what holds connections, without a server.

#include "server/shard/connection.hpp"
#include "server/shard/conversation.hpp"
#include "server/shard/shard_port.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace pulsewire::shell {

// A base, so that it lives before and after the part of the shard that refers to it.
struct surroundings_of_lone_shard {
    static constexpr std::uint64_t mail_bytes_max = 1'000;

    shell_limits limits;
    canned_answers answers{"overloaded", "wrong scheme"};
    mail_load mail{mail_bytes_max};
};

class lone_shard final : public surroundings_of_lone_shard, public shard_port {
public:
    lone_shard() : shard_port(3, limits, answers, mail) {}
    ~lone_shard() = default;

    void retire(connection& c) override {
        retired.push_back(c.id());
        if (on_retire) on_retire(c);
    }
    void heard(connection& c) override { heard_of.push_back(c.id()); }
    std::optional<access::verdict> verify(const hub::output::verification&) override { return std::nullopt; }
    void accepted(tcp_socket&& socket) override { sockets.push_back(std::move(socket)); }
    // What asked to be flushed since the last call.
    std::vector<std::uint64_t> take_flushes() {
        const auto asked = flushes().take();
        return {asked.begin(), asked.end()};
    }

    void note_denial(const hub::output::denial& d) override { denied.push_back(d.channel); }
    std::vector<std::string> denied;
    std::vector<std::uint64_t> retired, heard_of;
    std::vector<tcp_socket> sockets;
    std::function<void(connection&)> on_retire;

private:
    void on_ready(std::uint64_t, poller::readiness) override {}
    void end_turn() override {}
};

// Writes down what it was told.
class recording_conversation : public conversation {
public:
    explicit recording_conversation(std::vector<std::string>& told)
        : conversation(transport::http), told_(told) {}
    void on_bytes(std::span<char> bytes) override { told_.emplace_back(bytes.data(), bytes.size()); }
    void on_end() override { told_.emplace_back("end"); }
    void on_deadline() override { told_.emplace_back("deadline"); }
    void on_overflow() override { told_.emplace_back("overflow"); }
    void on_drain() override { told_.emplace_back("drain"); }
    void on_lost() override { told_.emplace_back("lost"); }

private:
    std::vector<std::string>& told_;
};

}  // namespace pulsewire::shell
