#pragma once

// The connections of a run, opened a few at a time, and their faults.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "bench/load/connection.hpp"
#include "bench/load/loop.hpp"
#include "bench/load/options.hpp"
#include "bench/load/report.hpp"

namespace pulsewire::bench {

// Handshakes at the same time: enough to keep a server busy, too few to overflow its backlog.
inline constexpr std::size_t handshakes_at_once = 64;
// The time after which connections that are not open yet are given up.
inline constexpr double settle_seconds_max = 120;

// Raises the limit of open files as far as possible; reports in `r` when that is not enough.
void allow_descriptors(std::size_t count, report& r);

// The base of all scenarios.
class crowd : public connection_owner {
public:
    // Throws std::runtime_error for a wrong URL or dialect.
    explicit crowd(const options& o);

    const options& wishes() const { return options_; }
    loop& events() { return loop_; }

    // Adds a connection that is not opened yet.
    connection& add(transport over, part as, std::string channel);
    const std::vector<std::unique_ptr<connection>>& members() const { return members_; }

    // Opens all closed connections, a few at a time; returns when all are settled. Throws
    // std::runtime_error when one is refused.
    void open_all(std::size_t at_once = handshakes_at_once);
    // Runs the loop until `done` or the time is over. Returns whether it was done.
    bool run_until(double seconds_max, const std::function<bool()>& done);

    // Reports the faults of the connections.
    void tell_faults(report& r) const;

    void on_settled(connection&) override { ++settled_; }
    void on_refused(connection&, std::string_view words) override;
    void on_lost(connection&, std::string_view why) override;

    std::size_t lost_connections() const { return lost_; }
    std::size_t refusals() const { return refused_; }

private:
    const options& options_;
    std::unique_ptr<dialect> dialect_;
    std::unique_ptr<inflater> inflater_;
    std::unique_ptr<tls_client> tls_;
    loop loop_;
    target target_;
    std::vector<std::unique_ptr<connection>> members_;
    std::size_t settled_ = 0, lost_ = 0, refused_ = 0;
    std::string first_loss_, first_refusal_;
};

// CPU time of server and generator between two moments.
class meter {
public:
    explicit meter(const std::vector<pid_t>& server) : server_(server) {}
    void start();
    void stop();
    double seconds() const { return seconds_; }
    // The CPU time of the server; 0 when its process is not known.
    double server_cpu_seconds() const { return server_seconds_; }
    bool knows_server() const { return known_; }
    // Adds the share of a core that each used, and warns when the generator limited the run.
    void tell(report& r) const;

private:
    const std::vector<pid_t>& server_;
    std::uint64_t began_ns_ = 0;
    double own_ = 0, own_seconds_ = 0, server_began_ = 0, server_seconds_ = 0, seconds_ = 0;
    bool known_ = false;
};

}  // namespace pulsewire::bench
