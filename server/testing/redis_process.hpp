#pragma once

// Real Redis and Valkey servers for the length of a test, on free ports and with their files in a folder of
// their own.

#include "server/testing/child_process.hpp"
#include "server/testing/temporary_folder.hpp"

#include <hiredis/hiredis.h>
#include <signal.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace pulsewire::testing {

// A connection of the test's own, beside the one that is tested. Precondition: the server answers.
class redis_client {
public:
    explicit redis_client(std::uint16_t port)
        : context_(::redisConnectWithTimeout("127.0.0.1", port, timeval{2, 0}), &::redisFree) {
        ::redisSetTimeout(context_.get(), timeval{5, 0});
    }
    // The text of the reply, the number as text, or the elements in lines. "" when there is none.
    std::string operator()(const std::vector<std::string>& words) {
        std::vector<const char*> begins;
        std::vector<std::size_t> sizes;
        for (const auto& each : words) {
            begins.push_back(each.data());
            sizes.push_back(each.size());
        }
        const std::unique_ptr<void, decltype(&::freeReplyObject)> answer(
            ::redisCommandArgv(context_.get(), static_cast<int>(words.size()), begins.data(), sizes.data()),
            &::freeReplyObject
        );
        return answer ? text_of(*static_cast<const redisReply*>(answer.get())) : "";
    }

private:
    static std::string text_of(const redisReply& reply) {
        if (reply.type == REDIS_REPLY_INTEGER) return std::to_string(reply.integer);
        if (reply.type == REDIS_REPLY_NIL) return "";
        if (reply.type != REDIS_REPLY_ARRAY) return {reply.str, static_cast<std::size_t>(reply.len)};
        std::string lines;
        for (std::size_t i = 0; i < reply.elements; ++i) lines += text_of(*reply.element[i]) + "\n";
        return lines;
    }

    std::unique_ptr<redisContext, decltype(&::redisFree)> context_;
};

class redis_process {
public:
    // `program` is redis-server, valkey-server or a link of them; `more` are words of its command line.
    explicit redis_process(std::vector<std::string> more = {}, std::string program = "redis-server")
        : port_(free_port()), program_(std::move(program)), more_(std::move(more)) {
        std::filesystem::create_directory(data());
        start();
    }

    std::uint16_t port() const { return port_; }
    std::string at() const { return "127.0.0.1:" + std::to_string(port_); }
    std::string folder() const { return folder_.path(); }
    std::string data() const { return folder_.path() + "/data"; }

    // Returns when it answers. The data is what the one before has left. With appendfsync everysec a kill may
    // take answered records along: while an fsync is under way, the file is not written, but answers are.
    void start() {
        std::vector<std::string> command = {program_,
                                            "--port",
                                            std::to_string(port_),
                                            "--bind",
                                            "127.0.0.1",
                                            "--dir",
                                            data(),
                                            "--save",
                                            "",
                                            "--appendonly",
                                            "yes",
                                            "--appendfsync",
                                            "always",
                                            "--repl-diskless-sync-delay",
                                            "0"};
        command.insert(command.end(), more_.begin(), more_.end());
        process_ = std::make_unique<child_process>(command, folder_.path() + "/log");
        if (!eventually([this] { return is_ready(); }))
            throw std::runtime_error(program_ + " does not start");
    }
    void kill() { process_->kill(); }
    void pause() { process_->signal(SIGSTOP); }
    void resume() { process_->signal(SIGCONT); }

    std::string operator()(const std::vector<std::string>& words) const { return redis_client(port_)(words); }
    // The value of a field of INFO.
    std::string info(const std::string& field) const {
        const std::string all = "\r\n" + (*this)({"INFO"});
        const auto at = all.find("\r\n" + field + ":");
        if (at == all.npos) return "";
        const auto begin = at + field.size() + 3;
        return all.substr(begin, all.find("\r\n", begin) - begin);
    }

private:
    // Refusals for want of a password, or of the cluster's other servers, are answers of a server that is
    // ready.
    bool is_ready() const {
        const std::string answer = (*this)({"PING"});
        return answer == "PONG" || answer.starts_with("NOAUTH");
    }

    temporary_folder folder_;
    std::uint16_t port_;
    std::string program_;
    std::vector<std::string> more_;
    std::unique_ptr<child_process> process_;
};

}  // namespace pulsewire::testing
