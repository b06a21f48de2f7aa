#include "server/shard/shard_port.hpp"

#include "server/net/tls.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <chrono>
#include <string>

namespace pulsewire::shell {
namespace {

constexpr std::uint32_t refusals_logged_per_second = 5;
constexpr std::uint32_t ends_logged_per_second = 1'000;
constexpr std::int64_t turn_ms_max = 50;
constexpr std::size_t scratch_bytes = 64 * 1024;

std::int64_t milliseconds_of(auto time_point) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(time_point.time_since_epoch()).count();
}

std::int64_t monotonic_ms() {
    return milliseconds_of(std::chrono::steady_clock::now());
}

}  // namespace

shard_port::shard_port(
    hub::shard_index index, const shell_limits& bounds, const canned_answers& canned, const mail_load& mail
)
    : index_(index),
      poller_(
          loop_, [this](std::uint64_t id, poller::readiness what) { on_ready(id, what); },
          std::chrono::milliseconds(bounds.turn_slice_ms)
      ),
      bounds_(bounds),
      canned_(canned),
      mail_(mail),
      refusals_(refusals_logged_per_second),
      ends_(ends_logged_per_second),
      storage_(bounds, &deflater_),
      scratch_(scratch_bytes) {}

shard_port::~shard_port() = default;

hub::instant shard_port::now() {
    return {monotonic_ms(), milliseconds_of(std::chrono::system_clock::now())};
}

// A record of TLS can hold more plaintext than the bytes that completed it.
void shard_port::make_plaintext_scratch() {
    plaintext_.resize(scratch_bytes + tls_session::record_bytes_max);
}

bool shard_port::admits_end_line(std::uint64_t& left_out) {
    if (!ends_.admits(now().monotonic_ms)) return false;
    left_out = ends_.take_left_out();
    return true;
}

void shard_port::log_refusal(const address& client, std::string_view what, log::fields facts) {
    if (!log::enabled(log::level::info) || !refusals_.admits(now().monotonic_ms)) return;
    const std::uint64_t others = refusals_.take_left_out();
    const std::string more =
        others == 0 ? "" : " (" + std::to_string(others) + " others before are not in the log)";
    const std::string from = client.str();
    std::string line("refused for ");
    line.append(from).append(": ").append(what).append(more);
    facts.push_back({"event", "refused"});
    facts.push_back({"address", std::string_view(from)});
    if (others > 0) facts.push_back({"left_out", others});
    log::write(log::level::info, line, facts);
}

void shard_port::flush_at_turn_end(std::uint64_t connection) {
    flushes_.add(connection);
    schedule_turn_end();
}

void shard_port::read_on_at_turn_end(std::uint64_t connection) {
    reads_.add(connection);
    schedule_turn_end();
}

std::int64_t shard_port::turn_is_late_ms() const {
    return std::max<std::int64_t>(0, monotonic_ms() - turn_began_ms_ - turn_ms_max);
}

void shard_port::schedule_turn_end() {
    if (turn_end_scheduled_) return;
    turn_end_scheduled_ = true;
    turn_began_ms_ = monotonic_ms();
    boost::asio::post(loop_, [this] {
        turn_end_scheduled_ = false;
        end_turn();
    });
}

}  // namespace pulsewire::shell
