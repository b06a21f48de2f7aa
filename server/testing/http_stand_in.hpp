#pragma once

// A program on this machine that answers HTTP requests, one after the other, as a test says.

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace pulsewire::testing {

class http_stand_in {
public:
    // `answer` makes the whole answer of the whole request, on a thread of its own.
    using answering = std::function<std::string(const std::string& request)>;
    explicit http_stand_in(answering answer) : answer_(std::move(answer)) {
        listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
            ::listen(listener_, 8) != 0 ||
            ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0)
            ADD_FAILURE() << "no port";
        port_ = ntohs(address.sin_port);
        thread_ = std::thread([this] { serve(); });
    }
    ~http_stand_in() {
        ::shutdown(listener_, SHUT_RDWR);
        thread_.join();
        ::close(listener_);
    }
    std::string url(const std::string& path) const {
        return "http://127.0.0.1:" + std::to_string(port_) + path;
    }
    // The requests so far, heads and bodies.
    std::vector<std::string> requests() const {
        const std::lock_guard lock(mutex_);
        return requests_;
    }

    static std::string ok(const std::string& body) {
        return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) +
               "\r\nConnection: close\r\n\r\n" + body;
    }

private:
    static std::string request_from(int client) {
        std::string text;
        char some[4'096];
        while (true) {
            const auto end = text.find("\r\n\r\n");
            if (end != text.npos) {
                const auto field = text.find("Content-Length: ");
                const std::size_t body =
                    field < end ? std::strtoul(text.c_str() + field + 16, nullptr, 10) : 0;
                if (text.size() >= end + 4 + body) return text;
            }
            const auto got = ::recv(client, some, sizeof some, 0);
            if (got <= 0) return text;
            text.append(some, static_cast<std::size_t>(got));
        }
    }
    void serve() {
        for (int client; (client = ::accept(listener_, nullptr, nullptr)) >= 0; ::close(client)) {
            const std::string request = request_from(client);
            {
                const std::lock_guard lock(mutex_);
                requests_.push_back(request);
            }
            const std::string answer = answer_(request);
            for (std::size_t at = 0; at < answer.size();) {
                const auto sent = ::send(client, answer.data() + at, answer.size() - at, MSG_NOSIGNAL);
                if (sent <= 0) break;
                at += static_cast<std::size_t>(sent);
            }
        }
    }

    answering answer_;
    int listener_ = -1;
    std::uint16_t port_ = 0;
    mutable std::mutex mutex_;
    std::vector<std::string> requests_;
    std::thread thread_;
};

}  // namespace pulsewire::testing
