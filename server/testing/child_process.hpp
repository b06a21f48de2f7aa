#pragma once

// Programs that run beside a test, such as brokers: where they listen, and when they are ready.

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace pulsewire::testing {

// Whether a program is installed.
inline bool is_installed(const std::string& program) {
    for (const char* const folder : {"/usr/bin/", "/usr/local/bin/", "/usr/sbin/"})
        if (::access((folder + program).c_str(), X_OK) == 0) return true;
    return false;
}

inline std::uint16_t free_port() {
    const int probe = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    const bool done = ::bind(probe, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
                      ::getsockname(probe, reinterpret_cast<sockaddr*>(&address), &size) == 0;
    ::close(probe);
    if (!done) throw std::runtime_error("no port");
    return ntohs(address.sin_port);
}

// Asks until the answer is yes, for at most `limit`; returns the last answer.
inline bool eventually(
    const std::function<bool()>& question, std::chrono::milliseconds limit = std::chrono::seconds(20)
) {
    const auto end = std::chrono::steady_clock::now() + limit;
    while (!question()) {
        if (std::chrono::steady_clock::now() > end) return question();
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return true;
}

// A program that ends with this object, or with the test's process.
class child_process {
public:
    explicit child_process(const std::vector<std::string>& command, const std::string& log) {
        std::vector<char*> words;
        for (const auto& each : command) words.push_back(const_cast<char*>(each.c_str()));
        words.push_back(nullptr);
        const pid_t parent = ::getpid();
        pid_ = ::fork();
        if (pid_ != 0) return;
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (::getppid() != parent) ::_exit(1);
        const int out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        ::dup2(out, 1);
        ::dup2(out, 2);
        ::execvp(words[0], words.data());
        ::_exit(127);
    }
    ~child_process() { kill(); }
    child_process(const child_process&) = delete;
    child_process& operator=(const child_process&) = delete;

    void signal(int number) const { ::kill(pid_, number); }
    // As by kill -9; returns when it is gone.
    void kill() {
        if (pid_ <= 0) return;
        signal(SIGKILL);
        wait();
    }
    int wait() {
        int status = 0;
        ::waitpid(std::exchange(pid_, 0), &status, 0);
        return status;
    }

private:
    pid_t pid_ = 0;
};

}  // namespace pulsewire::testing
