#pragma once

// A pulsewired that visitors of the page "Try to lose a message" may kill. It listens on loopback only, keeps
// its log on the disk, and is started again two seconds after its death. All of it runs on the application's
// thread.

#include "server/server.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <nlohmann/json.hpp>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>
#include <vector>

namespace gallery {

// A page asks where the victim is, which starts it, or has it killed.
struct victim_ask {
    bool kill = false;
};
PULSEWIRE_MESSAGE(victim_ask, "victim.ask", kill)

// The answer, and what all pages are told when it changes.
struct victim_state {
    int port = 0;
    int pid = 0;  // 0: it does not answer yet, or not any more
    int kills = 0;
    std::string log;  // the name of its log on the disk; another one knows nothing of this one's messages
};
PULSEWIRE_MESSAGE(victim_state, "victim.state", port, pid, kills, log)

class victim {
public:
    // Where the gallery itself is reached from other machines, nobody is given a process to kill.
    explicit victim(const pulsewire::config& c)
        : allowed_(c.address == "127.0.0.1" || c.address == "localhost" || c.address == "::1") {}
    victim(const victim&) = delete;
    victim& operator=(const victim&) = delete;
    ~victim() {
        if (child_ != 0) {
            ::kill(child_, SIGKILL);
            ::waitpid(child_, nullptr, 0);
        }
        std::error_code ignored;  // a folder below /tmp is left over at worst
        if (!folder_.empty()) std::filesystem::remove_all(folder_, ignored);
    }

    void add_to(pulsewire::server& server) {
        server.publishes<victim_state>();
        server.handle<victim_ask, victim_state>(
            [this, &server](const victim_ask& q, pulsewire::request_context&) { return ask(server, q); }
        );
        server.every(std::chrono::milliseconds(50), [this, &server] { look_after(server); });
    }

private:
    using clock = std::chrono::steady_clock;
    static constexpr auto stays_dead = std::chrono::seconds(2);
    static constexpr int ports_tried = 100;

    pulsewire::result<victim_state, pulsewire::rejection> ask(
        pulsewire::server& server, const victim_ask& q
    ) {
        if (!allowed_) return reject("this server can be reached from elsewhere; start one on loopback");
        if (program_.empty()) program_ = beside_this_program();
        if (program_.empty()) return reject("there is no pulsewired beside this program");
        if (folder_.empty()) {
            if (!prepare(server.port())) return reject("the server to kill cannot be started here");
            start();
        } else if (q.kill) {
            if (state_.pid == 0) return reject("the server is dead already, and on its way back");
            ++state_.kills;
            ::kill(child_, SIGKILL);
        }
        return state_;
    }

    // Notices the death, of whatever kind, and starts the next one.
    void look_after(pulsewire::server& server) {
        if (folder_.empty()) return;
        if (child_ != 0 && ::waitpid(child_, nullptr, WNOHANG) == child_) {
            child_ = 0;
            died_ = clock::now();
            tell(server, 0);
        }
        if (child_ == 0 && clock::now() - died_ >= stays_dead) start();
        if (child_ != 0 && state_.pid == 0 && answers()) tell(server, child_);
    }

    void start() {
        const std::string port = std::to_string(state_.port), data = folder_ / "data",
                          config = folder_ / "config.json";
        const std::array<const char*, 10> args{program_.c_str(), "--port",   port.c_str(),   "--data",
                                               data.c_str(),     "--config", config.c_str(), "--log-level",
                                               "error",          nullptr};
        const pid_t parent = ::getpid(), child = ::fork();
        if (child == 0) become(args.data(), parent);
        died_ = clock::now();  // also when fork() failed: the next attempt comes as late
        if (child > 0) child_ = child;
    }

    // After fork() in a program of several threads: system calls alone.
    [[noreturn]] static void become(const char* const* args, pid_t parent) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (::getppid() != parent) ::_exit(1);
        sigset_t none;
        ::sigemptyset(&none);
        ::sigprocmask(SIG_SETMASK, &none, nullptr);
        ::close_range(3, ~0U, 0);  // the sockets of this server's clients are not the victim's
        const int null = ::open("/dev/null", O_RDWR);
        ::dup2(null, STDIN_FILENO);
        ::dup2(null, STDOUT_FILENO);
        ::execv(args[0], const_cast<char* const*>(args));
        ::_exit(1);
    }

    void tell(pulsewire::server& server, pid_t pid) {
        state_.pid = pid;
        server.publish("victim:state", state_);
    }

    bool prepare(std::uint16_t own_port) {
        state_.port = free_port_after(own_port);
        std::string made = std::filesystem::temp_directory_path() / "pulsewire-victim-XXXXXX";
        if (state_.port == 0 || ::mkdtemp(made.data()) == nullptr) return false;
        folder_ = made;
        state_.log = folder_.filename();
        // The gallery's pages may use it, and a replay may be as long as some minutes without a reader.
        const std::string page = ':' + std::to_string(own_port);
        const nlohmann::json numbers = {
            {"history_count_max", 20'000}, {"history_bytes_max", 8 << 20}, {"history_age_ms", 3'600'000}};
        const nlohmann::json settings = {
            {"allowed_origins", {"http://localhost" + page, "http://127.0.0.1" + page}},
            {"recovery_max", 20'000},
            {"namespaces", {{"lose", numbers}}}};
        std::ofstream(folder_ / "config.json") << settings.dump();
        return true;
    }

    static std::filesystem::path beside_this_program() {
        std::error_code failed;
        const auto path =
            std::filesystem::read_symlink("/proc/self/exe", failed).parent_path() / "pulsewired";
        return ::access(path.c_str(), X_OK) == 0 ? path : std::filesystem::path();
    }

    bool answers() const {
        const int probe = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        const sockaddr_in address = loopback(state_.port);
        const bool accepted =
            ::connect(probe, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
        ::close(probe);
        return accepted;
    }

    // Somebody else may take it before the victim does; then the victim's start fails, and is repeated.
    static int free_port_after(int port) {
        for (int i = 0; i < ports_tried && ++port <= 65535; ++i) {
            const int probe = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
            const sockaddr_in address = loopback(port);
            const bool free = ::bind(probe, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
            ::close(probe);
            if (free) return port;
        }
        return 0;
    }

    static sockaddr_in loopback(int port) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(static_cast<std::uint16_t>(port));
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        return address;
    }

    static pulsewire::failure<pulsewire::rejection> reject(std::string reason) {
        return pulsewire::failure{pulsewire::rejection{std::move(reason)}};
    }

    bool allowed_;
    std::filesystem::path program_;
    std::filesystem::path folder_;  // its log and its settings; empty: nobody has asked for it yet
    victim_state state_;
    pid_t child_ = 0;  // the process, also while it does not answer yet; 0: there is none
    clock::time_point died_;
};

}  // namespace gallery
